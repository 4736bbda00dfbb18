//! Letters out of mail programs: what is refused and how, whose filings one may have tried again, and bookmarks.

use std::time::Duration;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::world::{Answer, World, text};

/// How letters are taken in these tests.
pub(crate) fn outlook() -> postroom_web::Outlook {
    postroom_web::Outlook {
        source: "outlook".parse().unwrap(),
        undo: Duration::from_secs(10),
        category: "Filed".to_owned(),
    }
}

async fn hand_in(world: &World, who: &str, key: Option<&str>, meta: &Value, file: Option<&str>) -> Answer {
    let mut form = Form::new().text("meta", meta.to_string());
    if let Some(file) = file {
        let part = Part::bytes(file.as_bytes().to_vec()).file_name("m.eml");
        form = form.part("file", part.mime_str("message/rfc822").unwrap());
    }
    let mut request = world.request(who, Method::POST, "/api/v1/letters").multipart(form);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_is_taken_in_once_and_told_until_when_it_may_be_taken_back() {
    let world = World::new().await;
    let meta = json!({"message_id": "<1@x.example>", "matters": [{"work_item": "0007.0001"}], "note": "n"});
    let first = hand_in(&world, "user", Some("a"), &meta, Some("Subject: x\r\n\r\ny")).await;
    assert_eq!(first.status, 202, "{}", first.body);
    let id = text(&first.body["intake"]["id"]);
    assert_eq!(first.header("location"), format!("/api/v1/intakes/{id}"));
    let of = |answer: &Answer| (text(&answer.body["intake"]["id"]), answer.body["again"].clone());
    assert_eq!(first.body["intake"]["state"], "stored", "it is opened afterwards");
    assert!(first.body["undo_until"].is_string(), "{}", first.body);
    // A mail program writes a letter anew each time it is asked for it.
    let again = hand_in(&world, "user", Some("a"), &meta, Some("Subject:  x\r\n\r\ny")).await;
    assert_eq!((again.status, of(&again)), (202, (id.clone(), json!(true))));
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = json!({"message_id": "<1@x.example>", "matters": [{"work_item": "0007.0002"}]});
    let other = hand_in(&world, "user", Some("a"), &other, Some("Subject: x\r\n\r\ny")).await;
    other.assert_problem(409, "key_reused", "another wish under the same key");
    // Somebody else's key of the same name is another one.
    let theirs = hand_in(&world, "operator", Some("a"), &meta, Some("Subject: x\r\n\r\ny")).await;
    assert_ne!(of(&theirs).0, id);

    let path = format!("/api/v1/intakes/{id}/undo");
    let undo = |who: &'static str| world.request(who, Method::POST, &path).send();
    Answer::of(undo("operator").await.unwrap()).await.assert_problem(403, "forbidden", "somebody else's");
    let done = Answer::of(undo("user").await.unwrap()).await;
    assert_eq!((done.status, done.body), (200, json!({"undone": [], "kept": []})));
    assert_eq!(world.get("user", &format!("/api/v1/intakes/{id}")).await.body["state"], "dismissed");
    Answer::of(undo("user").await.unwrap()).await.assert_problem(409, "not_allowed_now", "twice");
    world.clock.advance(Duration::from_secs(11));
    let path = format!("/api/v1/intakes/{}/undo", of(&theirs).0);
    let late = world.request("operator", Method::POST, &path).send().await.unwrap();
    Answer::of(late).await.assert_problem(409, "not_allowed_now", "after the time for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_wish_is_named() {
    let world = World::new().await;
    let matters = |all: Value| json!({"message_id": "<1@x.example>", "matters": all});
    let good = matters(json!([{"work_item": "0007.0001"}]));
    let many: Vec<Value> = (0..21).map(|number| json!({"work_item": format!("M-{number}")})).collect();
    let letter = Some("Subject: x\r\n\r\ny");
    let table: Vec<(&str, Option<&str>, Value, Option<&str>, u16, &str)> = vec![
        ("no key", None, good.clone(), letter, 400, "Idempotency-Key"),
        ("no letter, and no mailbox is read", Some("k"), good.clone(), None, 400, "file"),
        ("an empty letter", Some("k"), good, Some(""), 400, "no bytes"),
        ("nowhere", Some("k"), matters(json!([])), letter, 400, "matters"),
        ("everywhere", Some("k"), matters(json!(many)), letter, 400, "1 to 20"),
        (
            "twice",
            Some("k"),
            matters(json!([{"work_item": "M-1"}, {"work_item": "m-1 "}])),
            letter,
            400,
            "twice",
        ),
        ("blank", Some("k"), matters(json!([{"work_item": " "}])), letter, 400, "work_item"),
        (
            "nothing of it",
            Some("k"),
            matters(json!([{"work_item": "M-1", "message": false, "attachments": []}])),
            letter,
            400,
            "chooses nothing",
        ),
        (
            "no such number",
            Some("k"),
            matters(json!([{"work_item": "M-1", "attachments": [{"name": "a.pdf", "nth": 0}]}])),
            letter,
            400,
            "nth counts from 1",
        ),
        ("misspelt", Some("k"), json!({"matter": []}), letter, 400, "matter"),
    ];
    for (case, key, meta, file, status, words) in table {
        let answer = hand_in(&world, "user", key, &meta, file).await;
        assert_eq!(answer.status, status, "{case}: {}", answer.body);
        assert!(answer.body.to_string().contains(words), "{case}: {}", answer.body);
    }
    let many: Vec<Value> = (0..101).map(|_| json!({})).collect();
    let too_many =
        world.request("user", Method::POST, "/api/v1/letters/known").json(&json!({"letters": many}));
    Answer::of(too_many.send().await.unwrap()).await.assert_problem(
        400,
        "bad_value",
        "more than can be selected",
    );
    world.assert_no_drafts("after refusals").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_handed_it_in_may_have_it_tried_again_when_it_failed() {
    let world = World::new().await;
    let (_, id) = world.one("user", b"content").await;
    let path = format!("/api/v1/filings/{id}/retry");
    // It waits: that is nothing to decide.
    world.decide("user", &path, "*", &json!({})).await.assert_problem(403, "forbidden", "it has not failed");
    let own = world.get("support", "/api/v1/filings?own=true").await.body;
    assert_eq!(own["items"], json!([]), "support handed nothing in");
    assert_eq!(
        world.get("user", "/api/v1/filings?own=true").await.body["items"].as_array().unwrap().len(),
        1
    );
}
