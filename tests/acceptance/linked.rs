//! A person links an account in their browser, and what they hand in is filed with it.

use postroom_sims::imanage::Access;
use postroom_sims::{netdocuments, openid};
use postroom_tests::browser::{
    Browser, PASSWORD, command, imanage_service, netdocuments_service, openid_service,
};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Upload, World};
use serde_json::json;

use crate::document;

#[tokio::test]
async fn what_a_linked_person_hands_in_is_filed_as_that_person() {
    let nd = netdocuments::Sim::start(netdocuments::Options::sample()).unwrap();
    let firm = openid::Sim::start(openid::Options::sample()).unwrap();
    let mut world = World::new("linked").with_imanage(sample()).build();
    let imanage = world.sim("dms").url();
    world.settings.more = [
        "\n[[people.domain_rules]]\ndomain = \"firm.example\"\nsite = \"main\"\nrole = \"user\"\nstatus = \"active\"\n",
        &openid_service("firm", &firm.issuer()),
        &imanage_service("dms", &imanage),
        &netdocuments_service("cabinets", nd.url()),
    ]
    .concat();
    world.write_settings();
    world.start().await;
    world.create_matters().await;

    // One by a one-time link, with an account of the same e-mail; one by the firm's sign-in, with one of another e-mail.
    let mut mina = Browser::of_new_person(&world, "m.patel@firm.example").await;
    let link = mina.link("dms", "m.patel@firm.example").await;
    assert_eq!((&link["state"], &link["account_email"]), (&json!("active"), &json!("m.patel@firm.example")));
    assert_eq!(mina.link("cabinets", "m.patel@firm.example").await["state"], "active");
    let mut jonah = Browser::new(&world.url());
    jonah.sign_in_with("firm", "j.reed@firm.example").await.expect(200);
    assert_eq!(jonah.link("dms", "WADMIN").await["state"], "active");
    let listed = command(&world, &["links", "list"]).await;
    assert_eq!(listed.len(), 3, "{listed:?}");

    for (number, browser, user) in [(1, &mut mina, "MPATEL"), (2, &mut jonah, "WADMIN")] {
        let upload = Upload::to(MATTER).file("a.pdf", document(number));
        let accepted = Accepted::of(&browser.api().await.upload(&upload).await.expect(202));
        let filing = world.in_state(accepted.filing(), &["filed"]).await;
        let events = filing["events"].as_array().unwrap();
        let filed = events.iter().find(|it| it["happening"]["to"] == "filed").unwrap();
        assert_eq!(filed["actor"]["credential"], "own", "{filing:#}");
        let mark = format!("postroom:{}", accepted.filing());
        let there = world.sim("dms").control().by_mark(&mark);
        assert_eq!(there.iter().map(|it| it.user.as_str()).collect::<Vec<_>>(), [user]);
    }
    // A session outlives a restart, and the password lets another browser in.
    world.stop().await;
    world.start().await;
    assert_eq!(mina.own_link("dms").await.unwrap()["state"], "active");
    Browser::new(&world.url()).sign_in("m.patel@firm.example", PASSWORD).await;
    world.stop().await;
}

/// The system account stands in only for who may file there themself: a wall is not crossed, and doubt counts as one.
#[tokio::test]
async fn a_wall_is_not_crossed_for_who_has_no_link() {
    let mut world = World::new("walls").with_imanage(sample()).build();
    world.settings.more = imanage_service("dms", &world.sim("dms").url());
    world.write_settings();
    world.start().await;
    world.create_matters().await;
    let control = world.sim("dms").control();
    control.update_switches(|it| it.security_lists = true);
    control.set_access(3650, Some("TCHEN"), Access::ReadWrite);
    control.set_access(3650, Some("JREED"), Access::NoAccess);
    let mut filed = Vec::new();
    for (number, (email, goes)) in
        [("t.chen@firm.example", true), ("j.reed@firm.example", false), ("m.patel@firm.example", false)]
            .into_iter()
            .enumerate()
    {
        let mut browser = Browser::of_new_person(&world, email).await;
        let upload = Upload::to(MATTER).file("a.pdf", document(number as u64));
        let accepted = Accepted::of(&browser.api().await.upload(&upload).await.expect(202));
        world.handed_in.extend(upload.hashes());
        let filing = world.in_state(accepted.filing(), &["filed", "failed"]).await;
        if goes {
            assert_eq!(filing["state"], "filed", "{filing:#}");
            filed.push(accepted);
            continue;
        }
        assert_eq!((&filing["state"], &filing["cause"]["code"]), (&json!("failed"), &json!("no_right")));
        if email.starts_with("j.reed") {
            continue;
        }
        // Doubt is ended by linking: with the own account the DMS itself says what may be done.
        browser.link("dms", email).await;
        world.op().decide(accepted.filing(), "retry", &json!({})).await.expect(200);
        world.in_state(accepted.filing(), &["filed"]).await;
        filed.push(accepted);
    }
    assert_eq!(filed.len(), 2);
    let by: Vec<_> = world.sim("dms").control().ledger().iter().map(|it| it.user.clone()).collect();
    assert_eq!(by, ["POSTROOM", "MPATEL"]);
    let file = world.root().join("audit.jsonl");
    command(&world, &["audit", "export", "--output", &file.display().to_string()]).await;
    let audit = std::fs::read_to_string(file).unwrap();
    let stood_in: Vec<&str> = audit.lines().filter(|line| line.contains("system_account_used")).collect();
    assert!(stood_in.iter().all(|line| line.contains("who has no link at dms")), "{stood_in:#?}");
    assert!(stood_in.iter().any(|line| line.contains("t.chen@firm.example")), "{stood_in:#?}");
}
