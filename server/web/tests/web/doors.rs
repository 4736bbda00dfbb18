//! Stop and go, and what the summary tells of it.

use postroom_domain::store::Store;
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn doors_stop_with_a_reason_and_go_on() {
    let world = World::new().await;
    let post = |path: &'static str, body: serde_json::Value| {
        let request = world.request("operator", reqwest::Method::POST, path).json(&body);
        async move { crate::world::Answer::of(request.send().await.unwrap()).await }
    };
    for path in ["/api/v1/sources/nowhere/pause", "/api/v1/destinations/nowhere/pause"] {
        post(path, json!({"reason": "x"})).await.assert_problem(404, "not_found", path);
    }
    let stopped = post("/api/v1/sources/upload/pause", json!({"reason": "moving house"})).await;
    assert_eq!(stopped.status, 200, "{}", stopped.body);
    assert_eq!(stopped.body["door"], "source/upload");
    let until = json!({"reason": "maintenance", "until": "2026-11-23T11:00:00Z"});
    assert_eq!(post("/api/v1/destinations/dms-eu/pause", until).await.status, 200);

    let refused = world.hand_in("user", &json!({}), &[("a.pdf", b"a")], None).await;
    refused.assert_problem(503, "busy", "a stopped door");
    assert!(refused.body["detail"].as_str().unwrap().contains("moving house"));
    world.assert_untouched("a stopped door").await;
    let other = world.hand_in("user", &json!({"source": "portal"}), &[("a.pdf", b"a")], None).await;
    assert_eq!(other.status, 202, "another door is open");

    let summary = world.get("operator", "/api/v1/summary").await.body;
    insta::assert_json_snapshot!(summary);
    assert_eq!(world.get("user", "/api/v1/summary").await.body["destinations"], json!([]));
    assert_eq!(world.get("operator", "/api/v1/causes").await.body, json!({"items": [], "next": null}));

    for path in ["/api/v1/sources/upload/resume", "/api/v1/destinations/dms-eu/resume"] {
        assert_eq!(post(path, json!({})).await.status, 200);
        assert_eq!(post(path, json!({"reason": "twice"})).await.status, 200);
    }
    assert_eq!(world.store.pauses().await.unwrap(), []);
    assert_eq!(world.hand_in("user", &json!({}), &[("b.pdf", b"b")], None).await.status, 202);
    world.stop().await;
}
