//! Letters that people have open in their mail program: what they are told, what they hand in, what they take back, and what is filed when they
//! send it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use postroom_sims::graph::{APP, Options, SECRET, Sim, SimHandle, TENANT};
use postroom_tests::browser::Browser;
use postroom_tests::folder::deposits;
use postroom_tests::wait::until;
use postroom_tests::{Answer, Api, World};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

const CLIENT: &str = "a.harrow@client.example";

/// Three parts beside the text: a plan, a note of the same name in another folder of the sender's, and a logo that the text shows.
fn letter(id: &str, subject: &str, more: &str) -> Vec<u8> {
    let part = |name: &str, kind: &str, how: &str, text: &str| {
        format!(
            "--b\nContent-Type: {kind}\nContent-Disposition: {how}; filename=\"{name}\"\nContent-ID: <{name}@x>\n\n{text}\n"
        )
    };
    format!(
        "From: Ada Harrow <{CLIENT}>\nTo: post@firm.example\nSubject: {subject}\nMessage-ID: <{id}@client.example>\n{more}\
         Date: Fri, 27 Nov 2026 09:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Type: text/html\n\n<p>Here it is. <img src=\"cid:logo.png@x\"></p>\n{}{}{}--b--\n",
        part("plan.txt", "text/plain", "attachment", "the plan"),
        part("plan.txt", "text/plain", "attachment", "another plan"),
        part("logo.png", "image/png", "inline", "a logo"),
    )
    .replace('\n', "\r\n")
    .into_bytes()
}

/// A house with folders as its DMS, and two matters.
async fn world(name: &'static str, more: &str) -> (World, BTreeMap<&'static str, Value>) {
    let settings = format!("\n[outlook]\n{more}\n[mail.matching]\nown_domains = [\"firm.example\"]\n");
    let world = World::new(name).with_folder_dms().with_settings(&settings).start().await;
    let mut matters = BTreeMap::new();
    for (reference, title) in [("30001-0001", "Harrow v Teal"), ("30001-0002", "Harrow's lease")] {
        std::fs::create_dir_all(world.settings.dms().join(reference)).unwrap();
        let body = json!({
            "reference": reference, "title": title, "work_type": "matter", "open": true,
            "client": {"reference": "30001", "name": "Harrow Ltd"},
            "participants": [{"role": "client", "name": "Ada Harrow", "email": CLIENT}],
        });
        let made = world.op().post("/api/v1/work-items", &body).await.expect(201).body;
        matters.insert(reference, made);
    }
    (world, matters)
}

/// A person's own token, as the add-in gets one.
async fn person(world: &World, email: &str) -> Api {
    let mut browser = Browser::of_new_person(world, email).await;
    let body = json!({"name": "add-in", "days": 1});
    let made = browser.call(Method::POST, "/api/v1/tokens", &body).await.expect(201).body;
    Api::new(&world.url(), made["secret"].as_str().expect("a token"))
}

async fn hand_in(api: &Api, key: &str, meta: &Value, letter: Option<&[u8]>) -> Answer {
    let mut form = Form::new().text("meta", meta.to_string());
    if let Some(letter) = letter {
        let part = Part::bytes(letter.to_vec()).file_name("message.eml").mime_str("message/rfc822").unwrap();
        form = form.part("file", part);
    }
    let request = api.http().post(format!("{}/api/v1/letters", api.base())).bearer_auth(api.token());
    let request = request.header("idempotency-key", key).multipart(form);
    Api::send(request).await.expect("an answer")
}

fn id(answer: &Answer) -> String {
    answer.body["intake"]["id"].as_str().unwrap_or_else(|| panic!("{:#}", answer.body)).to_owned()
}

async fn in_state(api: &Api, id: &str, state: &str) -> Value {
    until("the intake is through", Duration::from_mins(1), || async {
        let intake = api.intake(id).await;
        (intake["state"] == state).then_some(intake)
    })
    .await
}

/// What lies where: folder of the matter, and text.
fn held(dms: &Path) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = deposits(dms)
        .into_iter()
        .map(|it| {
            let place = it.place.split('/').next().unwrap_or_default().to_owned();
            let text = std::fs::read(dms.join(&it.place).join(&it.name)).unwrap();
            let text = String::from_utf8_lossy(&text).into_owned();
            let what =
                if text.starts_with("From:") { "the message".to_owned() } else { text.trim().to_owned() };
            (place, what)
        })
        .collect();
    all.sort();
    all
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(place, what)| ((*place).to_owned(), (*what).to_owned())).collect()
}

#[tokio::test]
async fn a_letter_goes_where_its_reader_chose_each_part_once() {
    let (mut world, matters) = world("outlook-choice", "undo_seconds = 0").await;
    let ann = person(&world, "ann@firm.example").await;
    let tag = matters["30001-0001"]["luggage_tag"].as_str().unwrap();
    let raw = letter("one", &format!("The plans {tag}"), "");
    let asked = json!({"letters": [{
        "message_id": "<one@client.example>", "subject": format!("The plans {tag}"),
        "from": {"name": "Ada Harrow", "address": CLIENT}, "attachments": [{"name": "plan.txt", "size": 8}],
    }]});
    let known = ann.post("/api/v1/letters/known", &asked).await.expect(200).body;
    let first = &known["letters"][0];
    assert_eq!((&first["decided"], &first["filed"]), (&json!(true), &json!([])), "{known:#}");
    assert_eq!(first["suggestions"][0]["reference"], "30001-0001", "{known:#}");
    assert_eq!(first["suggestions"][0]["client"], "Harrow Ltd");
    assert!(first["suggestions"][0]["reasons"].to_string().contains("tag"), "{known:#}");
    assert_eq!(
        (&known["recent"], &known["bookmarked"], &known["fetches"]),
        (&json!([]), &json!([]), &json!(false))
    );

    let meta = json!({
        "message_id": "<one@client.example>",
        "matters": [
            {"work_item": matters["30001-0001"]["id"], "message": true, "attachments": [{"name": "plan.txt"}]},
            {"work_item": "30001-0002", "message": false, "attachments": [{"name": "plan.txt", "nth": 2}, {"name": "logo.png"}]},
        ],
    });
    let answer = hand_in(&ann, "click-1", &meta, Some(&raw)).await.expect(202);
    let again = hand_in(&ann, "click-1", &meta, Some(&raw)).await.expect(202);
    assert_eq!((id(&answer), &again.body["again"]), (id(&again), &json!(true)));
    let intake = in_state(&ann, &id(&answer), "settled").await;
    assert_eq!(intake["submitted_by"], "ann@firm.example");
    let wanted = [
        ("30001-0001", "the message"),
        ("30001-0001", "the plan"),
        ("30001-0002", "a logo"),
        ("30001-0002", "another plan"),
    ];
    assert_eq!(held(&world.settings.dms()), pairs(&wanted));
    let original = ann.get(&format!("/api/v1/intakes/{}/original", id(&answer))).await.expect(200);
    assert_eq!(original.bytes.as_ref(), raw, "the letter as it came");

    // It is told as filed to who filed it and to those who see everything; where a DMS knows no persons, to everybody.
    let known = ann.post("/api/v1/letters/known", &asked).await.expect(200).body;
    let filed: Vec<(&str, &str, &str)> = known["letters"][0]["filed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it["reference"].as_str().unwrap(), it["by"].as_str().unwrap(), it["state"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        filed,
        [("30001-0001", "ann@firm.example", "filed"), ("30001-0002", "ann@firm.example", "filed")]
    );
    let recent: Vec<&str> =
        known["recent"].as_array().unwrap().iter().map(|it| it["reference"].as_str().unwrap()).collect();
    assert_eq!(recent.len(), 2, "{known:#}");

    // An answer in the thread goes to a person who decides between the two; what was chosen is remembered.
    let answer = json!({"letters": [{"headers": "From: Ada <a.harrow@client.example>\r\nIn-Reply-To:\r\n <one@client.example>\r\nSubject: Re: the plans"}]});
    let known = ann.post("/api/v1/letters/known", &answer).await.expect(200).body;
    assert_eq!(known["letters"][0]["decided"], false, "{known:#}");
    assert_eq!(known["letters"][0]["suggestions"].as_array().unwrap().len(), 2, "{known:#}");

    // The wrong name: nothing of it is filed, and a person is asked.
    let meta = json!({"matters": [
        {"work_item": "30001-0001"},
        {"work_item": "30001-0002", "attachments": [{"name": "no such.pdf"}]},
    ]});
    let wrong = hand_in(&ann, "click-2", &meta, Some(&letter("two", "Another", ""))).await.expect(202);
    let intake = in_state(&ann, &id(&wrong), "needs_person").await;
    assert_eq!(intake["needs"]["code"], "attachment_missing", "{intake:#}");
    assert!(intake["needs"]["text"].as_str().unwrap().contains("no such.pdf"), "{intake:#}");
    assert_eq!(held(&world.settings.dms()).len(), 4);
    world.stop().await;
}

#[tokio::test]
async fn what_was_filed_by_mistake_is_taken_back_in_time_and_not_later() {
    let (mut world, matters) = world("outlook-undo", "undo_seconds = 600").await;
    let ann = person(&world, "ann@firm.example").await;
    let meta = json!({"matters": [{"work_item": "30001-0001"}]});
    let answer = hand_in(&ann, "a", &meta, Some(&letter("one", "Oops", ""))).await.expect(202);
    in_state(&ann, &id(&answer), "split").await;
    // A kill in between changes nothing: it still waits for as long as it was promised.
    world.kill().await;
    world.start().await;
    let ann = Api::new(&world.url(), ann.token());
    assert_eq!(held(&world.settings.dms()), []);
    let path = format!("/api/v1/intakes/{}/undo", id(&answer));
    let done = ann.post(&path, &json!({})).await.expect(200).body;
    assert_eq!((done["undone"].as_array().unwrap().len(), &done["kept"]), (3, &json!([])), "{done:#}");
    in_state(&ann, &id(&answer), "settled").await;
    for filing in world.op().filings(&format!("intake:{}", id(&answer))).await {
        assert_eq!(filing["state"], "cancelled", "{filing:#}");
    }
    ann.post(&path, &json!({})).await.expect(409);
    // What was taken back is not told as filed.
    let asked = json!({"letters": [{"message_id": "<one@client.example>"}]});
    let known = ann.post("/api/v1/letters/known", &asked).await.expect(200).body;
    assert_eq!(known["letters"][0]["filed"], json!([]), "{known:#}");
    assert_eq!(held(&world.settings.dms()), []);

    // Bookmarks are a person's own.
    let matter = matters["30001-0002"]["id"].as_str().unwrap();
    let path = format!("/api/v1/work-items/{matter}/bookmark");
    for _ in 0..2 {
        ann.call(Method::PUT, &path, &Value::Null, None).await.expect(204);
    }
    let bob = person(&world, "bob@firm.example").await;
    let marked = |known: Value| known["bookmarked"].as_array().unwrap().len();
    assert_eq!(marked(ann.post("/api/v1/letters/known", &json!({})).await.expect(200).body), 1);
    assert_eq!(marked(bob.post("/api/v1/letters/known", &json!({})).await.expect(200).body), 0);
    ann.call(Method::DELETE, &path, &Value::Null, None).await.expect(204);
    assert_eq!(marked(ann.post("/api/v1/letters/known", &json!({})).await.expect(200).body), 0);
    world.stop().await;
}

/// Whom the simulator knows.
const ANN: &str = "clerks@firm.example";
const TEAM: &str = "litigation@firm.example";

fn office(sim: &SimHandle) -> String {
    format!(
        "undo_seconds = 0\ngraph = \"post\"\nsent_seconds = 1\n[[outlook.shared]]\nmailbox = \"{TEAM}\"\nteams = [\"litigation\"]\n\
         [[graph]]\nname = \"post\"\ntenant = \"{TENANT}\"\nclient_id = \"{APP}\"\nclient_secret = \"{SECRET}\"\nmailbox = \"post@firm.example\"\n\
         authority = \"{url}\"\nendpoint = \"{url}\"\narea = \"matter_documents\"\nnotifications = false\n",
        url = sim.url(),
    )
}

#[tokio::test]
async fn a_letter_is_fetched_from_the_mailbox_for_whom_it_is_and_for_nobody_else() {
    let sim = Sim::start(Options::sample()).unwrap();
    let control = sim.control();
    let (mut world, _) = world("outlook-fetch", &office(&sim)).await;
    let (ann, bob) = (person(&world, ANN).await, person(&world, "bob@firm.example").await);
    let raw = letter("mine", "Mine", "");
    let item = control.deliver(ANN, "inbox", &raw);
    assert!(!item.is_empty(), "the simulator knows {ANN}");
    let asked = |mailbox: &str| json!({"letters": [{"mailbox": mailbox}]});
    for (who, api, mailbox, reads) in [
        ("ann", &ann, ANN, true),
        ("bob", &bob, ANN, false),
        ("ann", &ann, TEAM, false),
        ("ann", &ann, "", false),
    ] {
        let known = api.post("/api/v1/letters/known", &asked(mailbox)).await.expect(200).body;
        assert_eq!(known["fetches"], reads, "{who} {mailbox}");
    }
    let meta = |item: &str, message: &str| {
        json!({"mailbox": ANN, "item_id": item, "message_id": message,
            "matters": [{"work_item": "30001-0001", "attachments": []}]})
    };
    hand_in(&bob, "b", &meta(&item, ""), None).await.expect(400);
    let answer = hand_in(&ann, "a", &meta(&item, "<mine@client.example>"), None).await.expect(202);
    in_state(&ann, &id(&answer), "settled").await;
    let original = ann.get(&format!("/api/v1/intakes/{}/original", id(&answer))).await.expect(200);
    assert_eq!(original.bytes.as_ref(), raw);
    // An id that is out of date: the letter's own id finds it. Without one it is gone.
    let stale = "AAMkAGI2TG93AAA+0009/000000000099aB=";
    let answer = hand_in(&ann, "c", &meta(stale, "<mine@client.example>"), None).await.expect(202);
    in_state(&ann, &id(&answer), "settled").await;
    let gone = hand_in(&ann, "d", &meta(stale, ""), None).await.expect(404);
    assert!(gone.text().contains("not in the mailbox"), "{}", gone.text());
    assert_eq!(
        held(&world.settings.dms()),
        pairs(&[("30001-0001", "the message")]),
        "the same content at the same place once"
    );
    world.stop().await;
}

#[tokio::test]
async fn what_is_sent_is_filed_as_it_was_chosen_while_it_was_written() {
    let sim = Sim::start(Options::sample()).unwrap();
    let control = sim.control();
    let (mut world, _) = world("outlook-send", &office(&sim)).await;
    let (ann, bob) = (person(&world, ANN).await, person(&world, "bob@firm.example").await);
    let uuid = |number: u32| format!("01890a5d-ac96-774b-bcce-{number:012x}");
    let body = json!({"mailbox": ANN, "subject": "Our answer", "matters": [{"work_item": "30001-0002", "attachments": []}]});
    let path = |number: u32| format!("/api/v1/send-intents/{}", uuid(number));
    for number in 1..=2 {
        ann.call(Method::PUT, &path(number), &body, None).await.expect(204);
    }
    // Not in somebody else's mailbox, and what is somebody else's does not exist.
    bob.call(Method::PUT, &path(3), &body, None).await.expect(400);
    bob.call(Method::DELETE, &path(1), &Value::Null, None).await.expect(404);
    let listed = ann.ok("/api/v1/send-intents").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed:#}");
    // Others are sent too, and somebody who got the letter sends its header on.
    for number in 0..60 {
        control.deliver(ANN, "sentitems", &letter(&format!("other-{number}"), "Something else", ""));
    }
    let header = format!("X-Postroom-Send: {}\n", uuid(1));
    control.deliver(ANN, "inbox", &letter("echo", "Re: our answer", &header));
    let raw = letter("sent", "Our answer", &header);
    control.deliver(ANN, "sentitems", &raw);
    let taken = until("it is found among the sent items", Duration::from_mins(1), || async {
        let listed = ann.ok("/api/v1/send-intents").await;
        let found = listed["items"].as_array()?.iter().find(|it| it["id"] == uuid(1))?.clone();
        (found["state"] == "taken").then_some(found)
    })
    .await;
    let intake = in_state(&ann, taken["intake"].as_str().unwrap(), "settled").await;
    assert_eq!(
        (&intake["submitted_by"], &intake["subject"]),
        (&json!(ANN), &json!("Our answer")),
        "{intake:#}"
    );
    assert!(intake["trace"].to_string().contains("sent items"), "{intake:#}");
    // Found again after a restart, and sent twice: filed once.
    control.deliver(ANN, "sentitems", &raw);
    world.kill().await;
    world.start().await;
    let ann = Api::new(&world.url(), ann.token());
    ann.call(Method::DELETE, &path(2), &Value::Null, None).await.expect(204);
    ann.call(Method::DELETE, &path(1), &Value::Null, None).await.expect(409);
    ann.call(Method::PUT, &path(1), &body, None).await.expect(409);
    assert_eq!(held(&world.settings.dms()), pairs(&[("30001-0002", "the message")]));
    assert_eq!(control.messages(ANN, "sentitems").len(), 62, "sent items are only read");
    world.stop().await;
}
