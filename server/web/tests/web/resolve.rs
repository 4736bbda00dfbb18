//! Where documents would go, as the API tells it: what planning says, what a look at the DMS brought, and to whom names are told.

use std::sync::PoisonError;

use postroom_domain::cause::Cause;
use postroom_domain::dms::Trouble;
use postroom_domain::resolve::{FolderLook, Look, Match, Remembered};
use postroom_domain::store::Store;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World};

async fn ask(world: &World, who: &str, body: Value) -> Answer {
    Answer::of(world.request(who, Method::POST, "/api/v1/resolve").json(&body).send().await.unwrap()).await
}

fn brings(world: &World, look: Option<Look>) {
    *world.control.look.lock().unwrap_or_else(PoisonError::into_inner) = look;
}

fn matched(id: &str, exact: bool) -> Match {
    Match { id: id.to_owned(), name: "Harrow v Teal".to_owned(), open: true, exact }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_told_step_by_step() {
    let world = World::new().await;
    let look = Look {
        account: Some("system".to_owned()),
        remembered: Some(Remembered { workspace: "ws-0".to_owned(), chosen_by: None, holds: false }),
        found: Some(vec![matched("ws-1", true), matched("ws-2", false)]),
        workspace: Some(matched("ws-1", true)),
        folders: vec![FolderLook { name: "2026".to_owned(), id: None, would_create: true }],
        trace: vec!["the DMS found 2".to_owned()],
        ..Look::default()
    };
    brings(&world, Some(look));
    let answer =
        ask(&world, "support", json!({"work_item": "0007.0001", "as": "a.pike", "file_names": ["a.pdf"]}))
            .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = &answer.body;
    assert_eq!((&body["verdict"], &body["found"], &body["exact"]), (&json!("files"), &json!(2), &json!(1)));
    assert_eq!(
        body["repository"]["resolver"],
        json!({"mode": "default", "template": ["[workitem.title]"], "filled": ["Harrow v Teal"]})
    );
    assert_eq!((&body["workspace"]["id"], &body["remembered"]["used"]), (&json!("ws-1"), &json!(false)));
    assert_eq!(body["folders"], json!([{"name": "2026", "would_create": true}]));
    assert_eq!(body["matches"].as_array().unwrap().len(), 2);
    let trace = body["trace"].as_array().unwrap();
    assert_eq!((trace.len(), trace.last()), (4, Some(&json!("the DMS found 2"))));
    let at = world.control.looked_at.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap();
    assert_eq!((at.person.as_str(), at.target.folder.len()), ("a.pike", 0));
    // A place where nothing would be filed, and a destination where nothing runs.
    let trouble = Trouble::new(Cause::TargetAmbiguous, "several workspaces match");
    brings(&world, Some(Look { trouble: Some(trouble), ..Look::default() }));
    let body = ask(&world, "support", json!({"work_item": "0007.0001"})).await.body;
    assert_eq!((&body["verdict"], &body["cause"]["code"]), (&json!("stops"), &json!("target_ambiguous")));
    brings(&world, None);
    let body = ask(&world, "support", json!({"work_item": "0007.0001"})).await.body;
    assert_eq!((&body["verdict"], &body["cause"]["code"]), (&json!("stops"), &json!("misconfigured")));
    // Nothing was remembered or taken in for any of it.
    let item =
        world.store.work_item_by_reference(&"london".parse().unwrap(), "0007.0001").await.unwrap().unwrap();
    assert_eq!(world.store.binding(item.id, &"matters".parse().unwrap()).await, Ok(None));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_told_by_its_field() {
    let world = World::new().await;
    for (who, body, status, word) in [
        ("support", json!({"work_item": ""}), 400, "work_item"),
        ("support", json!({"work_item": "nothing"}), 404, "work item"),
        ("other", json!({"work_item": "0007.0001"}), 404, "work item"),
        ("support", json!({"work_item": "0007.0001", "area": "cupboard"}), 400, "area"),
        ("support", json!({"work_item": "0007.0001", "repository": "none"}), 400, "repository"),
        ("support", json!({"work_item": "0007.0001", "create": true}), 400, "create"),
        ("user", json!({"work_item": "0007.0001"}), 403, "role"),
    ] {
        let answer = ask(&world, who, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert!(answer.body.to_string().contains(word), "{body}: {}", answer.body);
    }
    let body = ask(&world, "support", json!({"work_item": "0007.0001", "area": "data_uploads"})).await.body;
    assert_eq!((&body["verdict"], &body["needs"]["code"]), (&json!("needs_person"), &json!("no_repository")));
    assert!(world.control.looked_at.lock().unwrap_or_else(PoisonError::into_inner).is_none());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn origin_and_zone_of_a_work_item_come_back_and_are_checked() {
    let world = World::new().await;
    let base = json!({"reference": "N.1", "title": "New", "work_type": "matter"});
    let with = |more: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, field) in [
        (json!({"zone": "Mars/Olympus"}), "zone"),
        (json!({"origin": {"service": "dms-eu", "container": " "}}), "origin.container"),
        (json!({"origin": {"service": "dms-eu", "container": "a\u{0}b"}}), "origin.container"),
    ] {
        let request = world.request("operator", Method::POST, "/api/v1/work-items").json(&with(more));
        Answer::of(request.send().await.unwrap()).await.assert_problem(400, "bad_value", field);
    }
    let more = json!({"zone": "Europe/London", "origin": {"service": "dms-eu", "library": "ACTIVE", "container": "ACTIVE!7"}});
    let request = world.request("operator", Method::POST, "/api/v1/work-items").json(&with(more.clone()));
    let made = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(
        (made.status, &made.body["zone"], &made.body["origin"]),
        (201, &more["zone"], &more["origin"])
    );
    world.stop().await;
}
