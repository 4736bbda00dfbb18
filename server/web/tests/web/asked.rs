//! Addresses, methods, parameters, bodies and headers that are wrong, each told by name; and what answers carry.

use std::sync::atomic::Ordering;

use postroom_domain::store::Store;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, text};

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_named() {
    let world = World::new().await;
    let long = format!("/api/v1/filings?q={}", "x".repeat(3000));
    let table: &[(&str, &str, u16, &str, &str)] = &[
        ("GET", "/nothing", 404, "not_found", "no such address"),
        ("GET", "/api/v1/nothing", 404, "not_found", "no such address"),
        ("GET", "/api/v1/intakes/", 404, "not_found", "no such address"),
        ("DELETE", "/api/v1/intakes", 405, "method_not_allowed", "GET, POST"),
        ("PUT", "/api/v1/filings/7", 405, "method_not_allowed", "GET"),
        ("POST", "/healthz", 405, "method_not_allowed", "GET"),
        ("GET", "/api/v1/filings/7", 400, "bad_value", "\"7\" is not a filing id"),
        ("GET", "/api/v1/intakes/%00%ff", 400, "bad_value", "is not an intake id"),
        ("POST", "/api/v1/sources/A%20B/resume", 400, "bad_value", "\"A B\" is not a source name"),
        ("GET", "/api/v1/filings?limit=0", 400, "bad_value", "limit: is 0, not 1 to 500"),
        ("GET", "/api/v1/filings?limit=501", 400, "bad_value", "limit"),
        ("GET", "/api/v1/filings?limit=ten", 400, "bad_value", "invalid digit"),
        ("GET", "/api/v1/filings?cursor=abc", 400, "bad_cursor", "not the `next`"),
        ("GET", "/api/v1/filings?qq=abc", 400, "unknown_field", "\"qq\" is not a parameter here"),
        ("GET", "/api/v1/filings?q=state:lost", 400, "bad_filter", "lost"),
        ("GET", &long, 400, "bad_filter", "2000"),
        ("GET", "/api/v1/intakes?state=split,lost", 400, "bad_value", "\"lost\" is not a state of an intake"),
        ("GET", "/api/v1/intakes?source=A", 400, "bad_value", "source"),
        ("GET", "/api/v1/events?after=-1", 400, "bad_value", "invalid digit"),
        ("GET", "/api/v1/work-items?page=1", 400, "unknown_field", "page"),
    ];
    for (method, path, status, code, words) in table {
        let case = format!("{method} {}", &path[..path.len().min(80)]);
        let request = world.request("admin", method.parse().unwrap(), path);
        let answer = Answer::of(request.send().await.unwrap()).await;
        answer.assert_problem(*status, code, &case);
        assert!(text(&answer.body["detail"]).contains(words), "{case}: {}", answer.body["detail"]);
        if *status == 405 {
            assert_eq!(answer.header("allow"), *words, "{case}");
        }
    }
    let filter = world.get("admin", "/api/v1/filings?q=state:failed%20stat:x").await;
    assert_eq!(filter.body["errors"][0]["position"], 13, "{}", filter.body);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_bodies_are_bounded_typed_and_checked() {
    let world = World::new().await;
    let big = format!("{{\"reason\": \"{}\"}}", "x".repeat(5000));
    let table: &[(&str, &str, u16, &str, &str)] = &[
        ("application/json", "{", 400, "bad_body", "EOF"),
        ("application/json", "", 400, "bad_body", "EOF"),
        ("application/json", "{\"resaon\": \"x\"}", 400, "unknown_field", "resaon"),
        ("application/json", "{\"reason\": 7}", 400, "bad_value", "invalid type"),
        ("application/json", "{\"reason\": \"\\ud800\"}", 400, "bad_body", ""),
        ("application/json", &big, 413, "too_large", "4096"),
        ("text/plain", "{\"reason\": \"x\"}", 415, "wrong_media_type", "application/json"),
        ("application/json; charset=utf-8", "{\"reason\": \" \"}", 400, "bad_value", "reason"),
        (
            "application/json",
            "{\"reason\": \"x\", \"until\": \"2026-11-23T08:59:59Z\"}",
            400,
            "bad_value",
            "until",
        ),
    ];
    for (kind, body, status, code, words) in table {
        let case = format!("{kind} {}", &body[..body.len().min(60)]);
        let request = world.request("operator", Method::POST, "/api/v1/sources/upload/pause");
        let request = request.header("content-type", *kind).body((*body).to_owned());
        let answer = Answer::of(request.send().await.unwrap()).await;
        answer.assert_problem(*status, code, &case);
        assert!(text(&answer.body["detail"]).contains(words), "{case}: {}", answer.body["detail"]);
    }
    // A JSON body that stands still is cut off as well.
    let head = "POST /api/v1/sources/upload/pause HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-operator\r\n\
                Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let answer = world.raw(head.as_bytes(), false).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(world.store.pauses().await.unwrap(), []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_an_answer_without_its_text_and_the_server_goes_on() {
    let world = World::new().await;
    world.panics.store(true, Ordering::Relaxed);
    let answer = world.get("admin", "/metrics").await;
    answer.assert_problem(500, "internal", "panic");
    assert!(!answer.body.to_string().contains("secret"), "{}", answer.body);
    world.panics.store(false, Ordering::Relaxed);
    let answer = world.get("admin", "/metrics").await;
    assert_eq!((answer.status, answer.body), (200, json!("postroom_up 1\n")));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_lives_without_the_store_and_readiness_does_not() {
    let world = World::new().await;
    assert_eq!(world.get("", "/healthz").await.body, json!({"status": "ok", "version": "0.0.0"}));
    let ready = world.get("", "/readyz").await;
    assert_eq!((ready.status, &ready.body["ready"]), (200, &json!(true)), "{}", ready.body);
    world.store.close().await.unwrap();
    assert_eq!(world.get("", "/healthz").await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(1));
    let ready = world.get("", "/readyz").await;
    assert_eq!((ready.status, &ready.body["ready"]), (503, &json!(false)), "{}", ready.body);
    assert_eq!(ready.body["checks"][0]["ok"], false);
    assert_eq!(ready.body["checks"][1]["ok"], true);
    let answer = world.hand_in("user", &json!({}), &[("a.pdf", b"a")], None).await;
    answer.assert_problem(503, "stopping", "a closed store");
    assert_eq!(answer.header("retry-after"), "5");
    world.assert_no_drafts("a closed store").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_origin_is_invited_and_no_answer_is_cached() {
    let world = World::new().await;
    let request =
        world.request("user", Method::GET, "/api/v1/summary").header("origin", "https://elsewhere.example");
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-request-id").len(), 16);
    world.stop().await;
}

#[test]
fn the_description_has_every_operation_by_name() {
    let document: Value = serde_json::from_str(&postroom_web::openapi("1").to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(format!("{} {path} {}", method.to_uppercase(), text(&operation["operationId"])));
        }
    }
    operations.sort();
    insta::assert_snapshot!(operations.join("\n"));
    // Whatever is referred to is there.
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in document.to_string().split("#/components/schemas/").skip(1) {
        let name = name.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}
