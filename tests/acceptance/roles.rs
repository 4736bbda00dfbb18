//! Who may do what: every route by every role, and nobody without a token.

use postroom_tests::world::MATTER;
use postroom_tests::{Accepted, Api, Upload, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::document;

#[tokio::test]
async fn every_route_by_every_role() {
    let mut world = World::new("roles").with_folder_dms().with_hot_folder().start().await;
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    let filing = accepted.filing();
    let intake = &accepted.intake;
    // Method, path, body, then what user, operator, support, admin get.
    let table: Vec<(Method, String, Value, [u16; 4])> = vec![
        (Method::GET, "/api/v1/filings".into(), Value::Null, [200; 4]),
        // A user sees the own ones; another's does not exist.
        (Method::GET, format!("/api/v1/filings/{filing}"), Value::Null, [404, 200, 200, 200]),
        (Method::GET, format!("/api/v1/intakes/{intake}"), Value::Null, [404, 200, 200, 200]),
        (Method::GET, format!("/api/v1/intakes/{intake}/original"), Value::Null, [404, 200, 200, 200]),
        (Method::GET, "/api/v1/intakes".into(), Value::Null, [200; 4]),
        (Method::GET, "/api/v1/summary".into(), Value::Null, [200; 4]),
        (Method::GET, "/api/v1/causes".into(), Value::Null, [403, 200, 200, 200]),
        (Method::GET, "/metrics".into(), Value::Null, [403, 403, 403, 200]),
        (Method::POST, format!("/api/v1/filings/{filing}/hold"), json!({}), [403, 409, 409, 409]),
        (Method::POST, "/api/v1/sources/scans/pause".into(), json!({"reason": "x"}), [403, 200, 403, 200]),
        (Method::POST, "/api/v1/sources/scans/resume".into(), json!({}), [403, 200, 403, 200]),
        (Method::POST, "/api/v1/destinations/files/resume".into(), json!({}), [403, 200, 403, 200]),
    ];
    let mut wrong = Vec::new();
    for (method, path, body, wanted) in table {
        for (role, wanted) in postroom_tests::settings::ROLES.into_iter().zip(wanted) {
            let api = world.api(role);
            let version = if path.ends_with("/hold") {
                world.op().filing(filing).await["version"].as_u64()
            } else {
                None
            };
            let answer = if method == Method::GET {
                api.get(&path).await
            } else {
                api.call(method.clone(), &path, &body, version).await
            };
            if answer.status != wanted {
                wrong.push(format!(
                    "{role}: {method} {path}: wanted {wanted}, got {} {}",
                    answer.status,
                    answer.text()
                ));
            }
        }
        // Without a token, or with a wrong one, no route is open.
        for token in ["", "pr_wrong"] {
            let api = Api::new(&world.url(), token);
            let answer = if method == Method::GET {
                api.get(&path).await
            } else {
                api.call(method.clone(), &path, &body, None).await
            };
            if answer.status != 401 {
                wrong.push(format!("token {token:?}: {method} {path}: got {}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // What is open to everybody.
    let nobody = Api::new(&world.url(), "");
    for path in ["/healthz", "/readyz", "/api/openapi.json"] {
        nobody.get(path).await.expect(200);
    }
    let description = nobody.get("/api/openapi.json").await.body;
    for path in ["/api/v1/intakes", "/api/v1/filings/{id}/retry", "/api/v1/events"] {
        assert!(description["paths"][path].is_object(), "{path} is not described");
    }
    assert_eq!(nobody.upload(&Upload::to(MATTER).file("a.pdf", document(2))).await.status, 401);

    // A user's own filings are seen by the user, and by nobody's else.
    let own = Accepted::of(
        &world.api("user").upload(&Upload::to(MATTER).file("b.pdf", document(3))).await.expect(202),
    );
    let list = world.api("user").filings("").await;
    assert_eq!(list.iter().map(|f| f["id"].as_str().unwrap()).collect::<Vec<_>>(), [own.filing()]);
    let status = world
        .api("user")
        .post("/api/v1/work-items", &json!({"reference": "x-1", "title": "x", "work_type": "matter"}))
        .await
        .status;
    assert_eq!(status, 403);
}
