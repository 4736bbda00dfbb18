//! The audit as it is read, verified and exported.

use postroom_domain::audit::verify_export;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::world::{World, text};

fn kinds(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|it| text(&it["happening"]["kind"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_of_ones_sites_and_the_whole_verifies() {
    let world = World::new().await;
    world.desk.member("ann@harrow.example", "user", "london").await;
    world.desk.member("pat@harrow.example", "user", "paris").await;

    // One site's administrator reads what belongs to it, narrowed by what is asked.
    let audit = "/api/v1/audit?kind=person_made,password_set";
    let page = world.get("admin", audit).await.body;
    assert_eq!(kinds(&page), ["person_made", "password_set"]);
    assert!(page["items"].as_array().unwrap().iter().all(|it| it["site"] == "london"), "{page}");
    let page = world.get("other", audit).await.body;
    assert!(page["items"].as_array().unwrap().iter().all(|it| it["site"] == "paris"), "{page}");
    assert_eq!(kinds(&page).len(), 2);
    assert_eq!(kinds(&world.get("admin", "/api/v1/audit?person=nobody").await.body), [""; 0]);
    let later = "/api/v1/audit?from=2099-01-01T00:00:00Z";
    assert_eq!(kinds(&world.get("admin", later).await.body), [""; 0]);

    // Page by page it is the same as at once.
    let whole = world.get("admin", "/api/v1/audit?limit=500").await.body;
    let (mut paged, mut after) = (Vec::new(), json!(0));
    while !after.is_null() {
        let page = world.get("admin", &format!("/api/v1/audit?limit=1&after={after}")).await.body;
        paged.extend(page["items"].as_array().unwrap().clone());
        after = page["next"].clone();
    }
    assert_eq!(json!(paged), whole["items"]);

    // Who sees all sites verifies and exports the whole; the export tells of itself and verifies on its own.
    let local = Client::builder().no_proxy().unix_socket(world.socket.clone()).build().unwrap();
    let ask = |path: &str| local.request(Method::GET, format!("http://localhost/api/v1/audit/{path}")).send();
    let found: Value = ask("verify").await.unwrap().json().await.unwrap();
    assert_eq!(found["intact"], true, "{found}");
    let export = ask("export?format=jsonl").await.unwrap();
    assert_eq!(export.headers()["content-type"], "application/jsonl");
    let export = export.bytes().await.unwrap();
    let verdict = verify_export(export.as_ref(), None).unwrap();
    assert_eq!((verdict.fault, verdict.checked), (None, found["checked"].as_u64().unwrap() + 1));
    let last = String::from_utf8(export.to_vec()).unwrap().lines().last().unwrap().to_owned();
    assert!(last.contains("audit_exported") && last.contains("local administrator"), "{last}");
    let head: Value = ask("verify").await.unwrap().json().await.unwrap();
    assert_eq!(text(&head["head"]), verdict.head.to_string());
    let wrong = format!("{}:{}", verdict.head.seq, "0".repeat(64));
    let other: Value = ask(&format!("verify?known={wrong}")).await.unwrap().json().await.unwrap();
    assert_eq!((&other["intact"], &other["wrong"]), (&json!(false), &json!(verdict.head.seq)));
    let table = ask("export?format=csv").await.unwrap().text().await.unwrap();
    assert_eq!(table.lines().count() as u64, verdict.checked + 2);
    world.stop().await;
}
