//! Who may call what. The description is walked, so that a new route without a line here fails.

use std::collections::BTreeSet;

use postroom_domain::person::{Permission, Role};
use reqwest::Method;
use serde_json::Value;

use crate::world::{Answer, PEOPLE, World, text};

/// Every route with the permission it needs; none is open.
const ROUTES: &[(&str, &str, Option<Permission>)] = &[
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
    ("GET", "/api/openapi.json", None),
    ("GET", "/metrics", Some(Permission::Administer)),
    ("GET", "/api/v1/intakes", Some(Permission::File)),
    ("POST", "/api/v1/intakes", Some(Permission::File)),
    ("GET", "/api/v1/intakes/{id}", Some(Permission::File)),
    ("GET", "/api/v1/intakes/{id}/original", Some(Permission::File)),
    ("POST", "/api/v1/intakes/{id}/assign", Some(Permission::Decide)),
    ("POST", "/api/v1/intakes/{id}/dismiss", Some(Permission::Decide)),
    ("POST", "/api/v1/intakes/{id}/release", Some(Permission::Decide)),
    ("GET", "/api/v1/filings", Some(Permission::File)),
    ("GET", "/api/v1/filings/{id}", Some(Permission::File)),
    ("POST", "/api/v1/filings/{id}/retry", Some(Permission::Decide)),
    ("POST", "/api/v1/filings/{id}/hold", Some(Permission::Decide)),
    ("POST", "/api/v1/filings/{id}/release", Some(Permission::Decide)),
    ("POST", "/api/v1/filings/{id}/cancel", Some(Permission::Decide)),
    ("POST", "/api/v1/filings/{id}/edit", Some(Permission::Decide)),
    ("POST", "/api/v1/filings/{id}/link", Some(Permission::Decide)),
    ("POST", "/api/v1/filings/{id}/file-anyway", Some(Permission::Decide)),
    ("GET", "/api/v1/summary", Some(Permission::File)),
    ("GET", "/api/v1/causes", Some(Permission::SeeAll)),
    ("GET", "/api/v1/events", Some(Permission::File)),
    ("POST", "/api/v1/sources/{name}/pause", Some(Permission::Pause)),
    ("POST", "/api/v1/sources/{name}/resume", Some(Permission::Pause)),
    ("POST", "/api/v1/destinations/{name}/pause", Some(Permission::Pause)),
    ("POST", "/api/v1/destinations/{name}/resume", Some(Permission::Pause)),
    ("GET", "/api/v1/work-items", Some(Permission::File)),
    ("POST", "/api/v1/work-items", Some(Permission::EditWorkItems)),
    ("GET", "/api/v1/work-items/{id}", Some(Permission::File)),
    ("PUT", "/api/v1/work-items/{id}", Some(Permission::EditWorkItems)),
];

/// What the description says there is.
fn described(document: &Value) -> BTreeSet<(String, String, bool)> {
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if ["get", "post", "put", "delete", "patch"].contains(&method.as_str()) {
                let needs_token = operation.get("security").is_some();
                found.insert((method.to_uppercase(), path.clone(), needs_token));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_its_permission_and_no_token_is_let_in() {
    let world = World::new().await;
    let document = world.get("", "/api/openapi.json").await;
    assert_eq!(document.status, 200);
    let wanted: BTreeSet<(String, String, bool)> = ROUTES
        .iter()
        .map(|(method, path, permission)| ((*method).to_owned(), (*path).to_owned(), permission.is_some()))
        .collect();
    assert_eq!(described(&document.body), wanted, "each route of the description has its line in the table");

    for (method, path, permission) in ROUTES {
        let address =
            path.replace("{id}", "0192f0c1-5b7e-7000-8000-00000000ffff").replace("{name}", "nowhere");
        let method: Method = method.parse().unwrap();
        for (who, role, _) in [("", Role::User, ""), ("stranger", Role::User, "")].iter().chain(&PEOPLE) {
            let case = format!("{method} {path} as \"{who}\"");
            let request = world.request(who, method.clone(), &address);
            let response = request.header("if-match", "\"1\"").send().await.unwrap();
            let status = response.status().as_u16();
            let known = PEOPLE.iter().any(|(name, ..)| name == who);
            match permission {
                None => assert_eq!(status, 200, "{case}"),
                Some(_) if !known => {
                    let answer = Answer::of(response).await;
                    answer.assert_problem(401, "unauthorized", &case);
                    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{case}");
                }
                Some(permission) if !role.may(*permission) => {
                    Answer::of(response).await.assert_problem(403, "forbidden", &case);
                }
                Some(_) => assert!(![401, 403, 405, 500].contains(&status), "{case}: {status}"),
            }
            // Tokens that nobody has are counted by address; that is another test's matter.
            world.clock.advance(std::time::Duration::from_mins(2));
        }
    }
    world.stop().await;
}

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
