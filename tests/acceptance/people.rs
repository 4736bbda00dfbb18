//! What Postroom cannot place goes to a person, and nothing is lost meanwhile.

use postroom_tests::world::MATTER;
use postroom_tests::{Accepted, Upload, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::document;

async fn decide(world: &World, intake: &Value, decision: &str, body: &Value) -> postroom_tests::Answer {
    let path = format!("/api/v1/intakes/{}/{decision}", intake["id"].as_str().unwrap());
    world.op().call(Method::POST, &path, body, intake["version"].as_u64()).await
}

#[tokio::test]
async fn what_has_no_place_waits_for_a_person() {
    let world = World::new("needs-person").with_folder_dms().start().await;
    world
        .op()
        .post(
            "/api/v1/work-items",
            &json!({"reference": "closed-1", "title": "Closed", "work_type": "matter", "open": false}),
        )
        .await
        .expect(201);
    for (number, (work_item, area, code)) in [
        ("", "", "no_work_item"),
        ("no-such-matter", "", "unknown_work_item"),
        ("closed-1", "", "closed_work_item"),
        (MATTER, "service_requests", "no_repository"),
        (MATTER, "no_such_area", "unknown_area"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut upload = Upload::to(work_item).file("a.pdf", document(number as u64));
        if !area.is_empty() {
            upload = upload.meta("area", area);
        }
        let answer = world.op().upload(&upload).await;
        if area == "no_such_area" && answer.status == 400 {
            continue; // refused at the door, with a problem that names it
        }
        let accepted = Accepted::of(&answer.expect(202));
        assert_eq!(accepted.filings, [], "{work_item}");
        let intake = world.op().intake(&accepted.intake).await;
        assert_eq!(
            (&intake["state"], &intake["needs"]["code"]),
            (&json!("needs_person"), &json!(code)),
            "{intake:#}"
        );
        let original =
            world.op().get(&format!("/api/v1/intakes/{}/original", accepted.intake)).await.expect(200);
        assert_eq!(original.bytes, document(number as u64));
    }
    let page = world.op().ok("/api/v1/intakes?state=needs_person").await;
    assert!(page["items"].as_array().unwrap().len() >= 4, "{page:#}");
    assert_eq!(world.deposits(), []);
}

#[tokio::test]
async fn a_person_assigns_and_it_is_filed() {
    let mut world = World::new("assign").with_folder_dms().start().await;
    let accepted = world.deposit(Upload::to("10442-0700").file("a.pdf", document(1))).await;
    let intake = world.op().intake(&accepted.intake).await;

    // A place that does not work either changes nothing.
    let answer = decide(&world, &intake, "assign", &json!({"work_item": "nor-this"})).await;
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    assert!(answer.text().contains("nor-this"), "{}", answer.text());
    // Nobody's decision is overwritten: the version is needed, and must be the present one.
    let path = format!("/api/v1/intakes/{}/assign", accepted.intake);
    let body = json!({"work_item": MATTER, "reason": "typo in the reference"});
    assert_eq!(world.op().call(Method::POST, &path, &body, None).await.status, 428);
    assert_eq!(world.op().call(Method::POST, &path, &body, Some(99)).await.status, 412);

    decide(&world, &intake, "assign", &body).await.expect(200);
    let filings = world.op().filings(&format!("intake:{}", accepted.intake)).await;
    let ids: Vec<(String, String)> = filings
        .iter()
        .map(|f| (f["id"].as_str().unwrap().to_owned(), f["hash"].as_str().unwrap().to_owned()))
        .collect();
    let accepted = Accepted { filings: ids, ..accepted };
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.assert_exactly_once(std::slice::from_ref(&accepted)).await;
    let intake = world.op().intake(&accepted.intake).await;
    assert_eq!(intake["state"], "settled");
    let history = intake["events"].to_string();
    assert!(history.contains("typo in the reference") && history.contains("operator"), "{history}");
    // Settled intakes take no second decision.
    let answer = decide(&world, &intake, "assign", &json!({"work_item": "10442-0012"})).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
}

#[tokio::test]
async fn a_person_dismisses_with_a_reason_and_the_bytes_stay() {
    let mut world = World::new("dismiss").with_folder_dms().start().await;
    let accepted = world.deposit(Upload::to("").file("spam.pdf", document(1))).await;
    let intake = world.op().intake(&accepted.intake).await;
    for body in [json!({}), json!({"reason": " "})] {
        let answer = decide(&world, &intake, "dismiss", &body).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    decide(&world, &intake, "dismiss", &json!({"reason": "an advertisement"})).await.expect(200);
    let intake = world.op().intake(&accepted.intake).await;
    assert_eq!(intake["state"], "dismissed");
    let original = world.op().get(&format!("/api/v1/intakes/{}/original", accepted.intake)).await.expect(200);
    assert_eq!(original.bytes, document(1));
    assert_eq!(world.deposits(), []);
}
