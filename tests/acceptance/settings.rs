//! Mistakes in the settings: `check-config` and `serve` name line, key and what was meant; nothing is made meanwhile.

use postroom_tests::World;
use postroom_tests::process::run;
use postroom_tests::world::sample;

#[tokio::test]
async fn mistakes_are_named_with_line_key_and_suggestion() {
    let world = World::new("settings").with_folder_dms().with_imanage(sample()).with_hot_folder().build();
    let good = world.settings.text();
    let config = world.root().join("bad.toml");
    let path = config.display().to_string();
    let check = async |text: &str| {
        std::fs::write(&config, text).unwrap();
        run("postroom", &["check-config", "--config", &path]).await
    };
    let output = check(&good).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // What is changed into what, and what the message holds.
    let table: &[(&str, &str, &[&str])] = &[
        ("reserve_bytes", "reserve_byte", &["reserve_byte", "did you mean", "reserve_bytes", ":6:"]),
        ("[retry]", "[rety]", &["rety", "retry"]),
        ("listen = \"127.0.0.1", "listen = \"localhost", &["server.listen", "127.0.0.1:8440"]),
        ("kind = \"folder\"", "kind = \"floder\"", &["floder", "folder"]),
        ("kind = \"folder\"", "kind = \"imanage\"", &["files", "[destinations.imanage]"]),
        ("role = \"operator\"", "role = \"operater\"", &["operater", "operator"]),
        ("first_seconds = 1", "first_seconds = \"1\"", &["first_seconds"]),
        ("area = \"client_documents\"", "area = \"clients\"", &["clients"]),
        ("service = \"dms\"", "service = \"dsm\"", &["dsm", "did you mean \"dms\""]),
        ("[workitem.client.reference]", "[workitem.client.", &["resolver_config"]),
        ("resolver = \"search\"", "resolver = \"guess\"", &["guess", "default, search, pinned or origin"]),
        ("custom1=", "", &["resolver_config", "field=value"]),
        ("base_url = \"http", "base_url = \"hptt", &["base_url"]),
        ("settle_seconds = 1", "settle_seconds = -1", &["settle_seconds"]),
        ("sha256 = \"", "sha256 = \"zz", &["sha256", "postroom token new"]),
        ("concurrency = 8", "concurrency = 0", &["concurrency", "1 to 256"]),
        ("[data]\n", "[data]\n]", &[":5:"]),
    ];
    let mut wrong = Vec::new();
    for (from, to, wanted) in table {
        assert!(good.contains(from), "{from:?} is not in the good settings:\n{good}");
        let text = good.replacen(from, to, 1);
        let output = check(&text).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let missing: Vec<&&str> = wanted.iter().filter(|w| !said.contains(**w)).collect();
        if output.status.success() || !missing.is_empty() {
            wrong.push(format!("{from:?} → {to:?}: {missing:?} not in ({}): {said}", output.status));
        }
        let serve = run("postroom", &["serve", "--config", &path, "--json"]).await;
        if serve.status.success() || !serve.stdout.is_empty() {
            wrong.push(format!("{from:?} → {to:?}: serve started"));
        }
        if world.data().exists() {
            wrong.push(format!("{from:?} → {to:?}: serve made a data folder"));
            std::fs::remove_dir_all(world.data()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));

    let output = run("postroom", &["check-config", "--config", "/nowhere/postroom.toml"]).await;
    assert!(
        !output.status.success()
            && String::from_utf8_lossy(&output.stderr).contains("/nowhere/postroom.toml")
    );
}

#[tokio::test]
async fn the_doctor_tells_what_will_not_work() {
    let world = World::new("doctor").with_folder_dms().with_imanage(sample()).build();
    let config = world.config().display().to_string();
    let output = run("postroom", &["doctor", "--config", &config]).await;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for name in ["files", "dms"] {
        assert!(said.contains(name), "{name} was not looked at: {said}");
    }
    std::fs::remove_dir_all(world.settings.dms()).unwrap();
    let control = world.sim("dms").control();
    assert!(control.update_user("POSTROOM", |user| user.password = Some("changed".into())));
    let output = run("postroom", &["doctor", "--config", &config]).await;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(
        !said.contains("postroom-pass") && !said.contains("postroom-client-secret"),
        "a secret was shown: {said}"
    );
}
