//! `postroom filings …` and `postroom token new`: what the console does, for scripts.

use postroom_tests::process::run;
use postroom_tests::settings::{sha256, token};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};
use serde_json::Value;

use crate::document;

#[tokio::test]
async fn scripts_list_show_and_decide() {
    let mut world =
        World::new("cli").with_imanage(sample()).with_limits("undo_bulk_seconds = 1").start().await;
    let filed = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    let failed = world.deposit(Upload::to("10442-0003").file("b.pdf", document(2))).await;
    let other = world.deposit(Upload::to("10442-0003").file("c.pdf", document(3))).await;
    world.all_filed(std::slice::from_ref(&filed)).await;
    for accepted in [&failed, &other] {
        world.in_state(accepted.filing(), &["failed"]).await;
    }
    let token_file = world.root().join("token");
    std::fs::write(&token_file, token("operator")).unwrap();
    let (url, token_file) = (world.url(), token_file.display().to_string());
    let filings = async |arguments: &[&str]| {
        let common = ["filings", "--server", &url, "--token-file", &token_file];
        let output = run("postroom", &[&common[..], arguments].concat()).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let lines = |text: &str| -> Vec<Value> {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    };

    let (good, out, err) = filings(&["--json", "list", "state:failed"]).await;
    assert!(good, "{err}");
    let ids: Vec<String> = lines(&out).iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, [other.filing(), failed.filing()], "newest first");
    let (good, out, _) = filings(&["list", "state:failed"]).await;
    assert!(good && out.contains("b.pdf") && !out.contains("a.pdf"), "{out}");
    let (good, _, err) = filings(&["list", "state:faild"]).await;
    assert!(!good && err.contains("faild") && err.contains("failed"), "{err}");
    let (good, out, err) = filings(&["--json", "show", failed.filing()]).await;
    assert!(good, "{err}");
    assert_eq!(lines(&out)[0]["cause"]["code"], "target_closed");

    let control = world.sim("dms").control();
    control.apply(&postroom_sims::imanage::Action::OpenWorkspace { workspace: 3670 });
    let (good, out, err) = filings(&["retry", failed.filing()]).await;
    assert!(good, "{out}{err}");
    world.in_state(failed.filing(), &["filed"]).await;
    let (good, _, err) = filings(&["cancel", other.filing()]).await;
    assert!(!good && err.contains("reason"), "{err}");
    let cancel = ["cancel", "--filter", "state:failed", "--reason", "sent twice"];
    let (good, out, err) = filings(&cancel).await;
    assert!(!good && out.contains("1 of 1 will be cancelled") && err.contains("--yes"), "{out}{err}");
    assert_eq!(world.op().filing(other.filing()).await["state"], "failed", "it was not said for certain");
    let (good, out, err) = filings(&[&cancel[..], &["--yes"]].concat()).await;
    assert!(good, "{out}{err}");
    world.in_state(other.filing(), &["cancelled"]).await;
    let (good, out, err) = filings(&["retry", filed.filing()]).await;
    assert!(!good && (out + &err).contains("filed"), "a filed one cannot be retried: {err}");
    // A wrong token, and no server.
    std::fs::write(world.root().join("token"), "pr_wrong").unwrap();
    let (good, _, err) = filings(&["list"]).await;
    assert!(!good && !err.is_empty());
    world.stop().await;
    let (good, _, err) = filings(&["list"]).await;
    assert!(!good && err.contains(&url), "the address is not named: {err}");
}

#[tokio::test]
async fn a_new_token_works() {
    let arguments = ["token", "new", "--for-settings", "--role", "support", "--name", "helpdesk"];
    let output = run("postroom", &arguments).await;
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let token = text.lines().next().unwrap().to_owned();
    assert!(token.starts_with("pr_") && text.contains(&sha256(&token)), "{text}");
    let section = &text[text.find("[[tokens]]").expect("the lines for the settings")..];
    let mut world = World::new("token").with_folder_dms().build();
    std::fs::write(world.config(), world.settings.text() + section).unwrap();
    world.start().await;
    let summary = postroom_tests::Api::new(&world.url(), &token).ok("/api/v1/summary").await;
    assert_eq!(summary["you"]["name"], "helpdesk");
    assert_eq!(summary["you"]["roles"][0], "support");
}
