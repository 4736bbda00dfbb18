//! Decisions over filings: what is allowed, what is told, and who wins.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_filing_is_held_released_edited_and_cancelled() {
    let world = World::new().await;
    let (_, id) = world.one("user", b"content").await;
    let path = |what: &str| format!("/api/v1/filings/{id}/{what}");
    let none = json!({});
    // In order: what, If-Match, body, status, code or state.
    let steps: Vec<(&str, &str, Value, u16, &str)> = vec![
        ("hold", "\"9\"", none.clone(), 412, "changed"),
        ("hold", "1", none.clone(), 400, "bad_value"),
        ("release", "\"1\"", none.clone(), 409, "not_allowed_now"),
        ("link", "\"1\"", json!({"reason": "r", "document": "d"}), 409, "not_allowed_now"),
        ("link", "\"1\"", json!({"reason": "r", "document": " "}), 400, "bad_value"),
        ("file-anyway", "\"1\"", json!({"reason": "r"}), 409, "not_allowed_now"),
        ("cancel", "\"1\"", none.clone(), 400, "bad_value"),
        ("cancel", "\"1\"", json!({"reason": " "}), 400, "bad_value"),
        ("edit", "\"1\"", json!({"reason": "r"}), 400, "bad_value"),
        ("edit", "\"1\"", json!({"reason": " ", "file_name": "b.pdf"}), 400, "bad_value"),
        ("edit", "\"1\"", json!({"reason": "r", "file_name": ""}), 400, "bad_value"),
        ("edit", "\"1\"", json!({"reason": "r", "service": "nowhere"}), 400, "bad_value"),
        ("hold", "\"1\"", json!({"reason": "wait for the signature"}), 200, "held"),
        ("hold", "\"2\"", none.clone(), 409, "not_allowed_now"),
        (
            "edit",
            "\"2\"",
            json!({"reason": "typing", "file_name": "b.pdf", "folder": ["Drafts"]}),
            200,
            "held",
        ),
        ("release", "\"3\"", json!({"reason": "signed"}), 200, "waiting"),
        ("retry", "*", none.clone(), 200, "waiting"),
        ("cancel", "\"5\"", json!({"reason": "not wanted"}), 200, "cancelled"),
        ("retry", "\"6\"", none.clone(), 409, "not_allowed_now"),
    ];
    for (what, if_match, body, status, wanted) in steps {
        let answer = world.decide("support", &path(what), if_match, &body).await;
        let case = format!("{what} {if_match} {body}");
        if status == 200 {
            assert_eq!(
                (answer.status, &answer.body["filing"]["state"]),
                (200, &json!(wanted)),
                "{case}: {}",
                answer.body
            );
            assert_eq!(answer.header("etag"), format!("\"{}\"", answer.body["filing"]["version"]), "{case}");
        } else {
            answer.assert_problem(status, wanted, &case);
        }
    }
    let request = world.request("support", Method::POST, &path("retry"));
    Answer::of(request.send().await.unwrap()).await.assert_problem(428, "version_needed", "no If-Match");

    let mut detail = world.get("user", &format!("/api/v1/filings/{id}")).await;
    assert_eq!(detail.header("etag"), "\"6\"");
    detail.body["id"] = json!("filing");
    detail.body["intake"] = json!("intake");
    for event in detail.body["events"].as_array_mut().unwrap() {
        event["subject"]["id"] = json!("filing");
    }
    insta::assert_json_snapshot!(detail.body);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_decide_at_once_one_wins() {
    let world = World::new().await;
    for round in 0..50 {
        let (_, id) = world.one("user", format!("content {round}").as_bytes()).await;
        let path = |what: &str| format!("/api/v1/filings/{id}/{what}");
        let reason = json!({"reason": "race"});
        let (hold, cancel) = (path("hold"), path("cancel"));
        let all = join_all([
            world.decide("support", &hold, "\"1\"", &reason),
            world.decide("operator", &cancel, "\"1\"", &reason),
            world.decide("admin", &hold, "\"1\"", &reason),
        ])
        .await;
        let mut statuses: Vec<u16> = all.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412], "round {round}");
        let winner = all.iter().find(|answer| answer.status == 200).unwrap();
        let after = world.get("user", &format!("/api/v1/filings/{id}")).await.body;
        assert_eq!(after["state"], winner.body["filing"]["state"], "round {round}");
        assert_eq!(after["version"], 2, "round {round}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_filed_anyway_with_a_reason() {
    let world = World::new().await;
    world.one("user", b"content").await;
    let (_, id) = world.one("user", b"content").await;
    let path = |what: &str| format!("/api/v1/filings/{id}/{what}");
    world.decide("support", &path("retry"), "\"1\"", &json!({})).await.assert_problem(
        400,
        "bad_value",
        "no reason",
    );
    let answer =
        world.decide("support", &path("retry"), "\"1\"", &json!({"reason": "a second copy is wanted"})).await;
    assert_eq!((answer.status, &answer.body["filing"]["state"]), (200, &json!("waiting")), "{}", answer.body);
    let (_, id) = world.one("user", b"content").await;
    let path = format!("/api/v1/filings/{id}/file-anyway");
    let answer = world.decide("support", &path, "\"1\"", &json!({"reason": "a third too"})).await;
    assert_eq!((answer.status, &answer.body["filing"]["state"]), (200, &json!("waiting")), "{}", answer.body);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_paged() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for i in 0..7 {
        ids.push(world.one("user", format!("content {i}").as_bytes()).await.1);
    }
    world.decide("support", &format!("/api/v1/filings/{}/hold", ids[3]), "\"1\"", &json!({})).await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get("support", &format!("/api/v1/filings?limit=3{cursor}")).await.body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])));
        match &page["next"] {
            Value::Null => break,
            next => cursor = format!("&cursor={}", text(next)),
        }
    }
    ids.reverse();
    assert_eq!(seen, ids);
    for (q, wanted) in [
        ("state:held", 1),
        ("-state:held", 6),
        ("state:held,waiting%20dest:dms-eu", 7),
        ("dest:dms-us", 0),
        ("draft", 7),
        ("by:user2", 0),
        ("age%3E1h", 0),
        ("ref:0007.0001", 7),
    ] {
        let page = world.get("support", &format!("/api/v1/filings?q={q}")).await.body;
        assert_eq!(page["items"].as_array().unwrap().len(), wanted, "{q}");
    }
    world.stop().await;
}
