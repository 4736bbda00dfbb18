//! A mailbox at (a fake) Microsoft 365: from there into the DMS, once, through kills, marked and tidied up afterwards, and at once where
//! Microsoft tells of news.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use postroom_sims::graph::{APP, Control, Options, SECRET, Sim, SimHandle, TENANT};
use postroom_tests::World;
use postroom_tests::folder::deposits;
use postroom_tests::outcome::sized;
use postroom_tests::process::{free_port, run};
use postroom_tests::wait::until;
use serde_json::{Value, json};

const POST: &str = "post@firm.example";
const CLIENT: &str = "a.harrow@client.example";
const PROPERTY: &str = "String {7d3c2f10-5b1e-4c53-9f0a-3d1b7c5a9e01} Name PostroomFiled";

fn letter(number: u64, tag: &str) -> Vec<u8> {
    format!(
        "From: Ada Harrow <{CLIENT}>\r\nTo: {POST}\r\nSubject: Number {number} {tag}\r\nMessage-ID: <{number}@client.example>\r\n\
         Date: Fri, 27 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Letter number {number}.\r\n"
    )
    .into_bytes()
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// A world that reads a mailbox with these lines besides, and the tag of a matter in it.
async fn world(name: &'static str, sim: &SimHandle, more: impl Fn(u16) -> String) -> (World, String) {
    let mut world = World::new(name).with_folder_dms().build();
    let more = more(world.settings.port);
    let sections = format!(
        "\n[[graph]]\nname = \"post\"\ntenant = \"{TENANT}\"\nclient_id = \"{APP}\"\nclient_secret = \"{SECRET}\"\nmailbox = \"{POST}\"\n\
         authority = \"{url}\"\nendpoint = \"{url}\"\narea = \"matter_documents\"\n{more}\n[mail.matching]\nown_domains = [\"firm.example\"]\n",
        url = sim.url(),
    );
    world.settings.more.push_str(&sections);
    world.write_settings();
    world.start().await;
    std::fs::create_dir_all(world.settings.dms().join("20010-0001")).unwrap();
    let body = json!({
        "reference": "20010-0001", "title": "Harrow v Teal", "work_type": "matter", "open": true,
        "participants": [{"role": "client", "name": "Ada Harrow", "email": CLIENT}],
    });
    let made = world.op().post("/api/v1/work-items", &body).await.expect(201).body;
    let tag = made["luggage_tag"].as_str().unwrap().to_owned();
    (world, tag)
}

fn held(world: &World) -> Vec<String> {
    deposits(&world.settings.dms()).into_iter().map(|it| it.hash).collect()
}

/// The mailbox as operators see it.
async fn post(world: &World) -> Value {
    let summary = world.op().ok("/api/v1/summary").await;
    let found = summary["sources"].as_array().unwrap().iter().find(|it| it["name"] == "post").cloned();
    found.unwrap_or_else(|| panic!("{summary:#}"))
}

/// Waits until so many are in a folder of the mailbox.
async fn lie_in(control: &Control, folder: &str, count: u64) {
    until("what is through was moved", Duration::from_mins(5), || async {
        (control.messages(POST, folder).len() as u64 == count).then_some(())
    })
    .await;
}

/// How many: `POSTROOM_LETTERS`.
#[tokio::test]
async fn a_mailbox_at_microsoft_is_emptied_into_the_dms_once_through_kills() {
    let sim = Sim::start(Options::sample()).unwrap();
    let control = sim.control();
    let more = |_| {
        "after = \"move\"\nafter_folder = \"Filed/2026\"\npoll_seconds = 1\nnotifications = false\n"
            .to_owned()
    };
    let (mut world, tag) = world("graph", &sim, more).await;
    let count = sized("POSTROOM_LETTERS", 200);
    let wanted: BTreeSet<String> = (0..count)
        .map(|number| {
            let bytes = letter(number, &tag);
            control.deliver(POST, "inbox", &bytes);
            hash(&bytes)
        })
        .collect();
    let begin = Instant::now();
    // While letters come in, and while they are filed and moved.
    for part in [8, 4, 2] {
        let some = usize::try_from(count / part).unwrap();
        until("some of it is filed", Duration::from_mins(10), || async {
            (held(&world).len() >= some).then_some(())
        })
        .await;
        world.kill().await;
        world.start().await;
    }
    until("all of it is filed", Duration::from_mins(20), || async {
        (held(&world).len() as u64 >= count).then_some(())
    })
    .await;
    let took = begin.elapsed();
    world.quiet(Duration::from_mins(5)).await;
    let held = held(&world);
    let different: BTreeSet<String> = held.iter().cloned().collect();
    assert_eq!(held.len(), different.len(), "something was filed twice");
    assert_eq!(different, wanted);
    lie_in(&control, "Filed/2026", count).await;
    assert_eq!(control.messages(POST, "inbox"), []);
    for message in control.messages(POST, "Filed/2026") {
        let property: Value = serde_json::from_str(&message.properties[PROPERTY]).unwrap();
        let outcome = (message.categories.join(" "), &property["state"], &property["filed"], message.is_read);
        assert_eq!(outcome, ("Filed".to_owned(), &json!("settled"), &json!(true), false), "{message:#?}");
    }
    let intakes = world.op().ok("/api/v1/summary").await["intakes"].clone();
    assert_eq!(intakes["settled"], count, "{intakes:#}");
    assert!(control.most_abreast(POST) <= 4);
    let reads = control.stats().total("value");
    postroom_tests::outcome(
        "F30",
        &format!("{count} letters in a mailbox of Graph, three kills"),
        &format!(
            "{} filed once in {took:.1?}, lost 0, duplicates 0, {reads} reads, all marked and moved afterwards",
            held.len()
        ),
    );
    world.stop().await;
}

#[tokio::test]
async fn a_notification_brings_a_letter_at_once_and_the_doctor_looks_at_the_doors() {
    let sim = Sim::start(Options::sample()).unwrap();
    let control = sim.control();
    let smtp = free_port(0x4747);
    let more = |port| {
        format!(
            "poll_seconds = 3600\nnotification_url = \"http://127.0.0.1:{port}/api/v1/notifications/graph\"\n\
             [smtp]\nlisten = \"127.0.0.1:{smtp}\"\nhostname = \"postroom.firm.example\"\n\
             [[smtp.mailboxes]]\nname = \"scans\"\naddresses = [\"scans@firm.example\"]\narea = \"matter_documents\"\n"
        )
    };
    let (mut world, tag) = world("graph-news", &sim, more).await;
    until("Microsoft tells of changes", Duration::from_mins(1), || async {
        (control.subscriptions().len() == 1).then_some(())
    })
    .await;
    let mut slowest = Duration::ZERO;
    for number in 0..5 {
        let bytes = letter(number, &tag);
        let begin = Instant::now();
        control.deliver(POST, "inbox", &bytes);
        until("it is filed", Duration::from_mins(1), || async {
            held(&world).contains(&hash(&bytes)).then_some(())
        })
        .await;
        slowest = slowest.max(begin.elapsed());
    }
    let line = post(&world).await;
    assert_eq!((&line["state"], &line["note"]), (&json!("ok"), &json!("")), "{line:#}");
    println!("slowest from delivery to filed: {slowest:.2?}");
    // The doctor looks at it, and at the SMTP door: of the running server, and without one.
    let config = world.config().display().to_string();
    let doctor = async || {
        let output = run("postroom", &["doctor", "--config", &config]).await;
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (_, said) = doctor().await;
    for wanted in ["inbox can be read", &format!("127.0.0.1:{smtp} answers")] {
        assert!(said.contains(wanted), "{wanted:?} not in\n{said}");
    }
    world.stop().await;
    control.update_switches(|it| it.consent = false);
    let (good, said) = doctor().await;
    let wanted = ["BAD   connection: the application may not do that in this mailbox", "Mail.ReadWrite"];
    for wanted in wanted.into_iter().chain([format!("127.0.0.1:{smtp} is free").as_str()]) {
        assert!(said.contains(wanted), "{wanted:?} not in\n{said}");
    }
    assert!(!good);
    // Letters go on coming in after the consent is there again; until then the operator reads why they do not.
    world.start().await;
    until("the operator is told", Duration::from_mins(1), || async {
        let line = post(&world).await;
        let note = line["note"].as_str().unwrap_or_default().to_owned();
        (line["state"] != "ok" && note.contains("AuthorizationRequestDenied")).then_some(())
    })
    .await;
    world.stop().await;
    control.update_switches(|it| it.consent = true);
    let bytes = letter(99, &tag);
    control.deliver(POST, "inbox", &bytes);
    world.start().await;
    until("it is filed", Duration::from_mins(1), || async {
        held(&world).contains(&hash(&bytes)).then_some(())
    })
    .await;
    assert_eq!(held(&world).len(), 6);
    world.stop().await;
}
