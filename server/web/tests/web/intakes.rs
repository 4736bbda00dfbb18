//! A person's decisions over intakes, and the matters they belong to.

use postroom_domain::intake::{Intake, IntakeState, NeedsPerson};
use postroom_domain::person::Actor;
use postroom_domain::store::{Acceptance, Store};
use postroom_domain::time::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, text};

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_person_is_assigned_or_dismissed_once() {
    let world = World::new().await;
    let unknown = json!({"work_item": "9999", "subject": "Where to?"});
    let lost = world.hand_in("user", &unknown, &[("a.pdf", b"a")], None).await;
    let id = text(&lost.body["intake"]["id"]);
    let path = |what: &str| format!("/api/v1/intakes/{id}/{what}");
    let place = json!({"work_item": "0007.0001", "reason": "it says so"});

    let request = world.request("support", Method::POST, &path("assign")).json(&place);
    Answer::of(request.send().await.unwrap()).await.assert_problem(428, "version_needed", "no If-Match");
    let table = [
        ("7", &place, 400, "bad_value"),
        ("W/\"1\"", &place, 400, "bad_value"),
        ("\"7\"", &place, 412, "changed"),
        ("\"1\"", &json!({"work_item": "8888"}), 400, "bad_value"),
        ("\"1\"", &json!({"reason": "x"}), 400, "bad_value"),
    ];
    for (if_match, body, status, code) in table {
        let answer = world.decide("support", &path("assign"), if_match, body).await;
        answer.assert_problem(status, code, &format!("{if_match} {body}"));
    }
    let answer = world.decide("support", &path("dismiss"), "\"1\"", &json!({"reason": " "})).await;
    answer.assert_problem(400, "bad_value", "no reason");
    let answer = world.decide("support", &path("release"), "\"1\"", &json!({"reason": "x"})).await;
    answer.assert_problem(409, "not_allowed_now", "not quarantined");

    // Two at once: one wins, the other is told.
    let (assign, dismiss, spam) = (path("assign"), path("dismiss"), json!({"reason": "spam"}));
    let (a, b) = tokio::join!(
        world.decide("support", &assign, "\"1\"", &place),
        world.decide("operator", &dismiss, "\"1\"", &spam),
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{} {}", a.body, b.body);

    let other = world.hand_in("user", &unknown, &[("b.pdf", b"b")], None).await;
    let id = text(&other.body["intake"]["id"]);
    let answer = world.decide("support", &format!("/api/v1/intakes/{id}/assign"), "\"1\"", &place).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["state"], "split");
    assert_eq!(answer.header("etag"), format!("\"{}\"", answer.body["version"]));
    assert_eq!(answer.body["filing_items"][0]["reference"], "0007.0001");
    let events = answer.body["events"].as_array().unwrap();
    assert_eq!(events.last().unwrap()["note"], "it says so");
    assert_eq!(events.last().unwrap()["actor"]["name"], "support");
    world.stop().await;
}

/// An intake in quarantine for a reason, as it was handed in for a work item; empty for none.
async fn quarantined(world: &World, number: u128, code: &str, given: &str) -> String {
    let content = format!("content {number}");
    let files = [("a.pdf", content.as_bytes())];
    let lost = world.hand_in("user", &json!({"work_item": "9999"}), &files, None).await;
    let seen = world.store.intake(text(&lost.body["intake"]["id"]).parse().unwrap()).await.unwrap().unwrap();
    let id = postroom_domain::ids::IntakeId::from_u128(seen.id.as_u128() + number);
    let needs = NeedsPerson { code: code.to_owned(), text: "in words".to_owned() };
    let intake = Intake {
        id,
        state: IntakeState::Quarantined,
        work_item_given: given.into(),
        needs: Some(needs).filter(|_| !code.is_empty()),
        received: world.clock.now(),
        begun: 3,
        ..seen
    };
    let acceptance = Acceptance {
        intake,
        filings: Vec::new(),
        key: None,
        records: Vec::new(),
        actor: Actor::person("setup"),
        note: String::new(),
    };
    world.store.accept(acceptance).await.unwrap();
    id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_quarantined_for_what_is_in_it_is_vouched_for_and_opened() {
    let world = World::new().await;
    for (number, code) in [(1, "malware"), (2, "not_scanned"), (3, "archive_bomb")] {
        // Nobody has to say where it belongs: that is found out as for any other.
        let id = quarantined(&world, number, code, "").await;
        let path = format!("/api/v1/intakes/{id}/release");
        let answer = world.decide("support", &path, "*", &json!({"reason": " "})).await;
        answer.assert_problem(400, "bad_value", "reason");
        let answer = world.decide("support", &path, "\"7\"", &json!({"reason": "x"})).await;
        answer.assert_problem(412, "changed", "version");
        let answer = world.decide("user", &path, "*", &json!({"reason": "x"})).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        let answer = world.decide("other", &path, "*", &json!({"reason": "x"})).await;
        assert_eq!(answer.status, 404, "{}", answer.body);
        let answer = world.decide("support", &path, "\"1\"", &json!({"reason": "a test file of ours"})).await;
        assert_eq!((answer.status, &answer.body["state"]), (200, &json!("stored")), "{}", answer.body);
        assert_eq!((&answer.body["needs"], &answer.body["filing_items"]), (&Value::Null, &json!([])));
        let event = answer.body["events"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&event["note"], &event["actor"]["name"]),
            (&json!("a test file of ours"), &json!("support"))
        );
        let kept = world.store.intake(id.parse().unwrap()).await.unwrap().unwrap();
        assert!(kept.screened.vouched && kept.begun == 0, "{kept:#?}");
        let answer = world.decide("support", &path, "*", &json!({"reason": "x"})).await;
        answer.assert_problem(409, "not_allowed_now", "released already");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_could_read_needs_a_place_to_leave_quarantine() {
    let world = World::new().await;
    for (number, code) in [(1, "poison"), (2, "too_deep"), (3, "unreadable"), (4, "too_slow"), (5, "")] {
        let id = quarantined(&world, number, code, "").await;
        let (release, assign) =
            (format!("/api/v1/intakes/{id}/release"), format!("/api/v1/intakes/{id}/assign"));
        let answer = world.decide("support", &release, "*", &json!({"reason": "looked at it"})).await;
        answer.assert_problem(409, "not_allowed_now", code);
        assert!(text(&answer.body["hint"]).contains("/assign"), "{}", answer.body);
        let blank = json!({"work_item": "0007.0001", "reason": ""});
        let answer = world.decide("support", &assign, "*", &blank).await;
        answer.assert_problem(400, "bad_value", "a reason is needed here");
        let place = json!({"work_item": "0007.0001", "reason": "looked at it"});
        let answer = world.decide("support", &assign, "*", &place).await;
        assert_eq!((answer.status, &answer.body["state"]), (200, &json!("split")), "{}", answer.body);
        assert_eq!(answer.body["filing_items"].as_array().unwrap().len(), 1);
    }
    // Where a work item was named, it goes there.
    let id = quarantined(&world, 6, "poison", "0007.0001").await;
    let answer =
        world.decide("support", &format!("/api/v1/intakes/{id}/release"), "*", &json!({"reason": "x"})).await;
    assert_eq!((answer.status, &answer.body["state"]), (200, &json!("split")), "{}", answer.body);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_items_are_made_found_and_changed_by_one_at_a_time() {
    let world = World::new().await;
    let send = async |who: &str, method: Method, path: &str, if_match: Option<&str>, body: &Value| {
        let mut request = world.request(who, method, path).json(body);
        if let Some(version) = if_match {
            request = request.header("if-match", version);
        }
        Answer::of(request.send().await.unwrap()).await
    };
    let body =
        |reference: &str, title: &str| json!({"reference": reference, "title": title, "work_type": "matter"});
    let list = "/api/v1/work-items";
    let made = send("operator", Method::POST, list, None, &body("0008", "Smith")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let path = made.header("location").to_owned();
    assert_eq!(world.get("user", &path).await.body, made.body);
    assert_eq!(world.get("other", &path).await.status, 404);
    let table = [
        (Method::POST, list, None, body("0008", "Again"), 409, "exists"),
        (Method::POST, list, None, body(" ", "Blank"), 400, "bad_value"),
        (Method::POST, list, None, body("a\nb", "Line"), 400, "bad_value"),
        (Method::POST, list, None, body("0192f0c1-5b7e-7000-8000-000000000001", "Id"), 400, "bad_value"),
        (Method::POST, list, None, json!({"reference": "1"}), 400, "bad_value"),
        (
            Method::POST,
            list,
            None,
            json!({"reference": "1", "title": "t", "work_type": "m", "x": 1}),
            400,
            "unknown_field",
        ),
        (Method::PUT, path.as_str(), None, body("0008", "Smith II"), 428, "version_needed"),
        (Method::PUT, path.as_str(), Some("\"2\""), body("0008", "Smith II"), 412, "changed"),
        (Method::PUT, path.as_str(), Some("\"1\""), body("0007.0001", "Taken"), 409, "exists"),
        (
            Method::PUT,
            "/api/v1/work-items/0192f0c1-5b7e-7000-8000-00000000ffff",
            Some("\"1\""),
            body("1", "t"),
            404,
            "not_found",
        ),
    ];
    for (method, path, if_match, body, status, code) in table {
        let answer = send("operator", method.clone(), path, if_match, &body).await;
        answer.assert_problem(status, code, &format!("{method} {path} {if_match:?} {body}"));
    }
    let (one, two) = (body("0008", "One"), body("0008", "Two"));
    let (a, b) = tokio::join!(
        send("operator", Method::PUT, &path, Some("\"1\""), &one),
        send("admin", Method::PUT, &path, Some("\"1\""), &two),
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{} {}", a.body, b.body);
    for (search, wanted) in [("", 2), ("0008", 1), ("harrow", 1), ("nobody", 0)] {
        let found = world.get("user", &format!("{list}?search={search}")).await;
        assert_eq!(found.body["items"].as_array().unwrap().len(), wanted, "{search}");
    }
    let first = world.get("user", &format!("{list}?limit=1")).await.body;
    let next = world.get("user", &format!("{list}?limit=1&cursor={}", text(&first["next"]))).await.body;
    assert_ne!(first["items"][0]["id"], next["items"][0]["id"]);
    assert_eq!(world.get("other", list).await.body["items"], json!([]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_shown_and_sheets_are_printed() {
    let world = World::new().await;
    let lost = world.hand_in("user", &json!({"subject": "x"}), &[("a.pdf", b"a")], None).await;
    let id = text(&lost.body["intake"]["id"]);
    let page = async |query: &str| world.get("user", &format!("/api/v1/intakes/{id}/page.png{query}")).await;
    let first = page("").await;
    assert_eq!((first.status, first.header("content-type")), (200, "image/png"));
    page("?page=2").await.assert_problem(422, "not_drawable", "protected");
    page("?page=3").await.assert_problem(503, "busy", "others are being drawn");
    page("?page=4").await.assert_problem(404, "not_found", "no such page");
    page("?document=2").await.assert_problem(404, "not_found", "no such document");
    page("?pages=1").await.assert_problem(400, "unknown_field", "no such parameter");

    let print = async |body: Value| {
        let request = world.request("user", Method::POST, "/api/v1/cover-sheets").json(&body);
        Answer::of(request.send().await.unwrap()).await
    };
    let two = print(json!({"work_items": ["0007.0001"], "separators": 1})).await;
    assert_eq!((two.status, two.header("content-type")), (200, "application/pdf"));
    print(json!({})).await.assert_problem(400, "bad_value", "nothing to print");
    print(json!({"separators": 201})).await.assert_problem(400, "bad_value", "too many");
    print(json!({"work_items": ["9999"]})).await.assert_problem(404, "not_found", "no such work item");
    world.stop().await;
}
