//! What goes wrong on purpose.

use std::collections::BTreeMap;

use postroom_sims::imanage::{Action, ErrorBody, Fire, RetryAfter, Rule, Throttle};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::imanage::support::{EMAILS, World, body, upload};

#[tokio::test]
async fn a_lost_answer_was_committed_and_the_client_sees_no_status() {
    let world = World::new();
    world.control.add_fault(Rule::on("upload", Action::LoseAnswer {}).fire(Fire::Nth(2)));
    assert_eq!(world.file("one").await.0, 201);
    let lost = world.send(EMAILS, upload("two", b"hello")).await.unwrap_err();
    assert_eq!(lost.status(), None);
    assert!(lost.is_request(), "{lost:?}");
    assert_eq!(world.file("three").await.0, 201);
    assert_eq!(world.control.by_mark("two").len(), 1);
    // The client sees the broken connection before the simulator has counted it.
    let all = BTreeMap::from([("201".to_owned(), 2), ("dropped".to_owned(), 1)]);
    let counted = async {
        while world.control.stats().calls["upload"] != all {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(10), counted).await;
    assert!(waited.is_ok(), "{:?}", world.control.stats().calls["upload"]);
}

#[tokio::test]
async fn connections_end_before_during_and_after_the_body() {
    let world = World::new();
    let large = vec![1; 4 << 20];
    for action in [Action::Close {}, Action::ResetAfterRead { bytes: 100_000 }] {
        let id = world.control.add_fault(Rule::on("upload", action));
        for bytes in [b"x".as_slice(), &large] {
            let lost = world.send(EMAILS, upload("m", bytes)).await.unwrap_err();
            assert_eq!(lost.status(), None, "{lost:?}");
        }
        world.control.remove_fault(id);
    }
    assert!(world.control.ledger().is_empty());
    for after in [0, 10] {
        world.control.clear_faults();
        world.control.add_fault(Rule::on("upload", Action::CutAnswer { after }));
        let cut = world.send(EMAILS, upload("cut", b"x")).await.unwrap();
        assert_eq!(cut.status(), 201);
        cut.bytes().await.unwrap_err();
    }
    assert_eq!(world.control.by_mark("cut").len(), 2);
}

#[tokio::test]
async fn answers_are_forced_before_and_after_the_work() {
    let world = World::new();
    let headers = BTreeMap::from([("Retry-After".to_owned(), "7".to_owned())]);
    let busy = Action::Status { status: 503, headers, body: Some(ErrorBody::Html) };
    world.control.add_fault(Rule::on("upload", busy).fire(Fire::First(1)));
    let bad_gateway = Action::CommitThenStatus { status: 502, headers: BTreeMap::new(), body: None };
    world.control.add_fault(Rule::on("upload", bad_gateway).fire(Fire::Nth(2)));
    let answer = world.send(EMAILS, upload("a", b"x")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert_eq!(world.file("b").await.0, 502);
    assert_eq!((world.control.by_mark("a").len(), world.control.by_mark("b").len()), (0, 1));
}

#[tokio::test]
async fn uploads_may_lie() {
    let world = World::new();
    let id = world.control.add_fault(Rule::on("upload", Action::Truncate { bytes: 3 }));
    assert_eq!(world.file("short").await.1["data"]["size"], 3);
    assert_eq!(world.control.by_mark("short")[0].size, 3);
    world.control.remove_fault(id);
    let id = world.control.add_fault(Rule::on("upload", Action::WrongSize { delta: -1 }));
    assert_eq!(world.file("size").await.1["data"]["size"], 4);
    assert_eq!(world.control.by_mark("size")[0].size, 5);
    world.control.remove_fault(id);
    world.control.add_fault(Rule::on("upload", Action::WrongId {}));
    let (_, made) = world.file("id").await;
    assert_ne!(made["data"]["id"], json!(world.control.by_mark("id")[0].document));
}

#[tokio::test]
async fn the_tenant_changes_in_the_middle_of_a_call() {
    let world = World::new();
    world
        .control
        .add_fault(Rule::on("upload", Action::CloseWorkspace { workspace: 3650 }).fire(Fire::Nth(2)));
    assert_eq!(world.file("a").await.0, 201);
    assert_eq!(world.file("b").await.0, 403);
    assert!(world.control.apply(&Action::OpenWorkspace { workspace: 3650 }));
    assert_eq!(world.file("c").await.0, 201);
    world.control.add_fault(Rule::on("operations", Action::ExpireTokens {}));
    assert_eq!(world.get("operations").await.0, 401);
}

#[tokio::test]
async fn calls_are_throttled_by_the_clock() {
    let world = World::with(|s| {
        s.throttle = Some(Throttle { per_second: 1.0, burst: 2.0, retry_after: RetryAfter::Seconds });
    });
    let ask = || async { world.get("operations").await.0 };
    assert_eq!(
        (ask().await, ask().await, ask().await),
        (StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS)
    );
    world.advance(1000);
    assert_eq!(ask().await, 200);
}

#[tokio::test]
async fn a_call_hangs_until_released() {
    let world = World::new();
    world.control.add_fault(Rule::on("operations", Action::Hang {}));
    let hung = async {
        let answer = world.get("operations").await;
        answer.0
    };
    let release = async {
        // released again and again, as the call may not have arrived yet
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            world.control.release();
        }
    };
    tokio::select! {
        status = hung => assert_eq!(status, 200),
        () = release => unreachable!(),
    }
    world.sim.stop();
}

#[tokio::test]
async fn another_process_has_the_same_powers() {
    let world = World::new();
    let url = |path: &str| format!("{}/{path}", world.sim.control_url());
    let post = |path: &str, json: Value| {
        let request = world.client.post(url(path)).json(&json);
        async { body(request.send().await.unwrap()).await }
    };
    for fault in [
        json!({ "match": { "op": "search_workspaces" }, "fire": { "nth": 3 }, "action": { "kind": "close" } }),
        json!({ "match": { "method": "POST", "path": "*/folders/*/documents" }, "fire": { "probability": 0.0 },
                "limit": 5, "seed": 1, "action": { "kind": "status", "status": 429, "headers": { "Retry-After": "3" } } }),
        json!({ "action": { "kind": "throttle", "per_second": 1000, "burst": 1000, "retry_after": "date" } }),
        json!({ "match": { "op": "token" }, "fire": "always", "action": { "kind": "refuse_refresh" } }),
        json!({ "match": { "op": "upload" }, "fire": { "every": 9 }, "action": { "kind": "lock_document", "user": "JREED" } }),
    ] {
        assert_eq!(post("faults", fault).await.0, 200);
    }
    assert_eq!(post("faults", json!({ "action": { "kind": "nonsense" } })).await.0, 400);
    assert_eq!(world.file("m").await.0, 201);
    let (_, ledger) = body(world.client.get(url("ledger?after=0")).send().await.unwrap()).await;
    assert_eq!((&ledger["entries"][0]["mark"], &ledger["total"]), (&json!("m"), &json!(1)));
    assert_eq!(post("switches", json!({ "index_delay_ms": 9 })).await.1["index_delay_ms"], 9);
    assert_eq!(post("switches", json!({ "no_such": 9 })).await.0, 400);
    assert_eq!(post("do", json!({ "kind": "rename_folder", "folder": 3653, "name": "Mail" })).await.0, 200);
    assert_eq!(post("do", json!({ "kind": "close_workspace", "workspace": 1 })).await.0, 400);
    let seed = json!({ "workspaces": [{ "name": "Seeded", "folders": [{ "name": "In" }] }] });
    assert_eq!(post("seed", seed).await.0, 200);
    assert_eq!(world.control.workspaces().last().unwrap().folders[0].name, "In");
    let (_, token) = post("token", json!({ "user": "mpatel" })).await;
    assert!(token["access_token"].is_string());
    let (_, stats) = body(world.client.get(url("stats")).send().await.unwrap()).await;
    assert_eq!(stats["calls"]["upload"]["201"], 1);
}

#[tokio::test]
async fn stopping_ends_what_hangs_and_frees_the_port() {
    let world = World::new();
    world.control.add_fault(Rule::on("operations", Action::Hang {}));
    let request = world.client.get(world.library("operations")).header("X-Auth-Token", &world.token);
    let hung = tokio::spawn(request.send());
    while world.control.faults()[0].2 == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let port = world.sim.port();
    drop(world);
    // an answer or a broken connection, but an end
    let _ = hung.await.unwrap();
    std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[test]
fn it_starts_without_a_runtime_around_it() {
    let sim = postroom_sims::imanage::Sim::start(postroom_sims::imanage::Options::sample()).unwrap();
    assert_eq!(sim.control().workspaces().len(), 8);
    sim.stop();
}
