//! An operator stops one person's account at a DMS by the command line: theirs waits and says why, everybody else's is filed.

use postroom_tests::browser::{Browser, command, imanage_service};
use postroom_tests::process::run;
use postroom_tests::settings::token;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Api, Upload, World};
use serde_json::{Value, json};

use crate::document;

/// What `postroom doors …` prints for the operator.
async fn doors(world: &World, arguments: &[&str]) -> Vec<Value> {
    let file = world.root().join("operator.token");
    std::fs::write(&file, token("operator")).unwrap();
    let (url, file) = (world.url(), file.display().to_string());
    let common = ["doors", "--server", &url, "--token-file", &file, "--json"];
    let output = run("postroom", &[&common[..], arguments].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn hand_in(world: &mut World, api: &Api, number: u64) -> Accepted {
    let upload = Upload::to(MATTER).file("a.pdf", document(number));
    let accepted = Accepted::of(&api.upload(&upload).await.expect(202));
    world.handed_in.extend(upload.hashes());
    accepted
}

#[tokio::test]
async fn a_paused_account_waits_by_name_and_others_are_filed() {
    let mut world = World::new("paused-accounts").with_imanage(sample()).build();
    world.settings.more = imanage_service("dms", &world.sim("dms").url());
    world.write_settings();
    world.start().await;
    world.create_matters().await;
    let mut mina = Browser::of_new_person(&world, "m.patel@firm.example").await;
    let whose = mina.link("dms", "m.patel@firm.example").await["person"].as_str().unwrap().to_owned();
    let mut will = Browser::of_new_person(&world, "w.admin@firm.example").await;
    will.link("dms", "w.admin@firm.example").await;
    let (minas, wills) = (mina.api().await, will.api().await);

    let door = format!("account/dms/{whose}");
    doors(&world, &["pause", &door, "--reason", "licence is being changed"]).await;
    let stays = hand_in(&mut world, &minas, 1).await;
    let goes = hand_in(&mut world, &wills, 2).await;
    world.in_state(goes.filing(), &["filed"]).await;
    let filing = world.in_state(stays.filing(), &["blocked"]).await;
    assert_eq!(filing["cause"]["code"], "paused", "{filing:#}");
    let hint = filing["cause"]["hint"].as_str().unwrap();
    assert!(hint.starts_with("the account is paused by "), "{filing:#}");
    assert!(hint.ends_with(": licence is being changed"), "{filing:#}");
    let listed = doors(&world, &["list"]).await;
    let line = listed.iter().find(|it| it["door"] == door.as_str()).unwrap();
    assert_eq!(
        (&line["state"], &line["pause"]["reason"]),
        (&json!("paused"), &json!("licence is being changed"))
    );

    // It survives a restart: nothing of hers is sent, nothing is lost.
    world.kill().await;
    world.start().await;
    let later = hand_in(&mut world, &minas, 3).await;
    world.in_state(later.filing(), &["blocked"]).await;
    let other = hand_in(&mut world, &wills, 4).await;
    world.in_state(other.filing(), &["filed"]).await;
    let by = |user: &str| {
        let ledger = world.sim("dms").control().ledger();
        ledger.iter().filter(|it| it.user == user).count()
    };
    assert_eq!((by("MPATEL"), by("WADMIN")), (0, 2));

    doors(&world, &["resume", &door]).await;
    let all = [stays, goes, later, other];
    world.all_filed(&all).await;
    assert_eq!((by("MPATEL"), by("WADMIN")), (2, 2));
    world.assert_exactly_once(&all).await;
    assert!(doors(&world, &["list"]).await.iter().all(|it| it["door"] != door.as_str()));

    let file = world.root().join("audit.jsonl");
    command(&world, &["audit", "export", "--output", &file.display().to_string()]).await;
    let audit = std::fs::read_to_string(file).unwrap();
    let told: Vec<&str> = audit.lines().filter(|line| line.contains(&door)).collect();
    assert!(told.len() == 2 && told[0].contains("paused") && told[1].contains("resumed"), "{told:#?}");
    world.stop().await;
}
