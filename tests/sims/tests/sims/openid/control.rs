//! Control over HTTP, and the secrets.

use postroom_sims::openid::SecretKind;
use serde_json::{Value, json};

use super::support::World;
use crate::browser::{json as send, text};

#[tokio::test]
async fn other_processes_have_the_same_powers() {
    let world = World::new();
    let at = |path: &str| format!("{}/{path}", world.sim.control_url());
    let post = |path: &str, body: Value| {
        let request = world.http.post(at(path)).json(&body);
        async move { send(request).await }
    };
    let get = |path: &str| {
        let request = world.http.get(at(path));
        async move { send(request).await.1 }
    };
    assert_eq!(get("health").await, json!({ "ok": true }));
    let (_, switches) =
        post("switches", json!({ "approve_as": "j.reed@firm.example", "skew_ms": 5000 })).await;
    assert_eq!(
        (&switches["approve_as"], &switches["skew_ms"]),
        (&json!("j.reed@firm.example"), &json!(5000))
    );
    assert_eq!(post("switches", json!({ "no_such": 1 })).await.0, 400);

    let rule = json!({ "match": { "op": "token" }, "fire": { "first": 1 },
        "action": { "kind": "flaw", "flaw": "no_id_token" } });
    assert_eq!(post("faults", rule).await.1, json!({ "id": 1 }));
    let code = world.arrive(&[]).await.parameter("code").unwrap();
    assert_eq!(world.redeem(&code).await.1.get("id_token"), None);
    assert_eq!(get("faults").await[0]["fired"], 1);
    assert_eq!(send(world.http.delete(at("faults/1"))).await.0, 200);
    assert_eq!(get("faults").await, json!([]));

    let person = json!({ "id": "sub-jreed", "email": "jonah@firm.example" });
    let changed = post("people", person).await.1;
    assert_eq!((&changed["email"], &changed["name"]), (&json!("jonah@firm.example"), &json!("Jonah Reed")));
    post("apps", json!({ "id": "new", "secret": "new-secret", "redirect_uris": ["http://localhost:9/*"] }))
        .await;
    assert_eq!(get("apps").await.as_array().unwrap().len(), 4);

    let before = get("clock").await["now"].as_i64().unwrap();
    assert_eq!(post("clock", json!({ "advance_ms": 250 })).await.1, json!({ "now": before + 250 }));
    for path in ["keys/rotate", "keys/retire", "expire", "release", "stats/reset"] {
        assert_eq!(post(path, json!({})).await.1, json!({ "ok": true }), "{path}");
    }
    assert_eq!(world.keys().await["keys"][0]["kid"], "rsa-3");
    let minted = post("mint", json!({ "person": "m.patel@firm.example", "flaws": ["expired"] })).await.1;
    assert_eq!(text(&minted["access_token"]).split('.').count(), 3);
    assert_eq!(post("revoke", json!({})).await.1, json!({ "revoked": 2 }));
    assert_eq!(get("grants").await[0]["revoked"], true);
    assert_eq!(get("tokens").await[0]["kind"], "code_issued");
    assert_eq!(get("stats").await["calls"]["keys"], json!({ "200": 1 }));
    assert_eq!(post("no/such", json!({})).await.0, 400);
    assert_eq!(get("secrets").await, serde_json::to_value(world.sim.secrets()).unwrap());
}

#[tokio::test]
async fn every_secret_of_a_run_is_known() {
    let world = World::new();
    let arrived = world.arrive(&[("sim_person", "m.patel@firm.example")]).await;
    let code = arrived.parameter("code").unwrap();
    assert!(format!("{arrived:?}").contains(&code), "spelled in the address as in the list");
    let first = world.redeem(&code).await.1;
    let second = world.refresh(&text(&first["refresh_token"])).await.1;
    let mut given = vec![
        (SecretKind::Code, code),
        (SecretKind::ClientSecret, "postroom-openid-secret".to_owned()),
        (SecretKind::ClientSecret, "postroom-entra-secret".to_owned()),
    ];
    for tokens in [first, second] {
        given.push((SecretKind::AccessToken, text(&tokens["access_token"])));
        given.push((SecretKind::RefreshToken, text(&tokens["refresh_token"])));
        given.push((SecretKind::IdToken, text(&tokens["id_token"])));
    }
    let mut known: Vec<_> = world.sim.secrets().into_iter().map(|s| (s.kind, s.text)).collect();
    given.sort();
    known.sort();
    assert_eq!(known, given);
}
