//! What a caller may not see, and how wrong tokens are answered. Who may call what is the matter of `matrix.rs`.

use reqwest::Method;
use serde_json::Value;

use crate::world::{Answer, World, text};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_may_not_see_does_not_exist() {
    let world = World::new().await;
    let (intake, filing) = world.one("user", b"mine").await;
    let (theirs, _) = world.one("user2", b"theirs").await;
    let addresses = [
        format!("/api/v1/intakes/{intake}"),
        format!("/api/v1/intakes/{intake}/original"),
        format!("/api/v1/filings/{filing}"),
    ];
    for path in &addresses {
        for (who, status) in [
            ("user", 200),
            ("operator", 200),
            ("support", 200),
            ("admin", 200),
            ("user2", 404),
            ("other", 404),
        ] {
            let answer = world.get(who, path).await;
            assert_eq!(answer.status, status, "{path} as {who}: {}", answer.body);
        }
    }
    // Not even that it is there: the same answer as for one that never was.
    let mut hidden = world.get("user2", &addresses[2]).await.body;
    let mut never = world.get("user2", "/api/v1/filings/0192f0c1-5b7e-7000-8000-00000000ffff").await.body;
    for body in [&mut hidden, &mut never] {
        body["trace_id"] = Value::Null;
        body["detail"] = Value::String(
            text(&body["detail"]).replace(&filing, "x").replace("0192f0c1-5b7e-7000-8000-00000000ffff", "x"),
        );
    }
    assert_eq!(hidden, never);

    let hold = serde_json::json!({});
    for (who, status) in [("other", 404), ("user", 403)] {
        let answer = world.decide(who, &format!("/api/v1/filings/{filing}/hold"), "\"1\"", &hold).await;
        assert_eq!(answer.status, status, "hold as {who}");
    }
    for (who, wanted) in [
        ("user", vec![&intake]),
        ("user2", vec![&theirs]),
        ("operator", vec![&theirs, &intake]),
        ("other", vec![]),
    ] {
        for list in ["/api/v1/intakes", "/api/v1/filings"] {
            let items = world.get(who, list).await.body;
            let key = if list.ends_with("intakes") { "id" } else { "intake" };
            let got: Vec<String> =
                items["items"].as_array().unwrap().iter().map(|item| text(&item[key])).collect();
            assert_eq!(got, wanted.iter().map(|id| (*id).clone()).collect::<Vec<_>>(), "{list} as {who}");
        }
        let summary = world.get(who, "/api/v1/summary").await.body;
        assert_eq!(summary["filings"]["waiting"], wanted.len(), "summary as {who}");
        assert_eq!(summary["intakes"]["split"], wanted.len(), "summary as {who}");
        assert_eq!(summary["you"]["name"], who);
    }
    // `by:` does not open what is closed.
    let answer = world.get("user2", "/api/v1/filings?q=by:user").await;
    assert_eq!(answer.body["items"], serde_json::json!([]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_are_told_to_wait_and_right_ones_are_not() {
    let world = World::new().await;
    let mut statuses = Vec::new();
    for _ in 0..22 {
        statuses.push(world.get("stranger", "/api/v1/summary").await.status);
    }
    assert_eq!(statuses, [vec![401; 20], vec![429; 2]].concat());
    assert_eq!(world.get("user", "/api/v1/summary").await.status, 200);
    let answer = world.get("stranger", "/api/v1/summary").await;
    answer.assert_problem(429, "too_many_requests", "stranger");
    assert_eq!(answer.header("retry-after"), "60");
    world.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(world.get("stranger", "/api/v1/summary").await.status, 401);
    for header in ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "token-of-user", "bearer\ttoken-of-user"] {
        let request = world.request("", Method::GET, "/api/v1/summary").header("authorization", header);
        Answer::of(request.send().await.unwrap()).await.assert_problem(401, "unauthorized", header);
    }
    let request =
        world.request("", Method::GET, "/api/v1/summary").header("authorization", "bearer token-of-user");
    assert_eq!(request.send().await.unwrap().status(), 200);
    world.stop().await;
}
