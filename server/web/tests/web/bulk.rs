//! Sets of filings as clients meet them. That they are run is tried elsewhere: here nothing runs.

use std::time::Duration;

use postroom_api::bulk::MOST;
use postroom_domain::bulk::RunsBulks;
use postroom_domain::event::{BulkNews, Happening};
use postroom_domain::store::Store as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::events::Following;
use crate::world::{Answer, World, text};

/// Nothing is run.
pub(crate) struct Still;

impl RunsBulks for Still {
    fn wake(&self) {}
    fn grace(&self) -> Duration {
        Duration::from_secs(10)
    }
}

async fn post(world: &World, who: &str, path: &str, body: &Value) -> Answer {
    let request = world.request(who, Method::POST, &format!("/api/v1/bulk{path}")).json(body);
    Answer::of(request.send().await.unwrap()).await
}

async fn frozen(world: &World, who: &str, body: &Value) -> Value {
    let answer = post(world, who, "", body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("location"), format!("/api/v1/bulk/{}", text(&answer.body["id"])));
    answer.body
}

/// Filings of London: two that wait, one that is held.
async fn three(world: &World) -> [String; 3] {
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(world.one("user", format!("document {number}").as_bytes()).await.1);
    }
    let answer = world.decide("operator", &format!("/api/v1/filings/{}/hold", ids[1]), "*", &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    ids.try_into().unwrap()
}

async fn news(world: &World) -> Vec<(BulkNews, u64, usize)> {
    let events = world.store.events_after(0, 10_000).await.unwrap();
    let of = |happening: &Happening| match happening {
        Happening::Bulk { what, counts, ids, .. } => Some((*what, counts.waiting, ids.len())),
        _ => None,
    };
    events.iter().filter_map(|event| of(&event.event.happening)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_no_set_is_refused() {
    let world = World::new().await;
    let id = world.one("user", b"content").await.1;
    let many: Vec<String> =
        (0..=MOST).map(|number| format!("0192f0c1-5b7e-7000-8000-{number:012x}")).collect();
    let table = [
        (json!({"action": "retry"}), "bad_value", "exactly one of"),
        (json!({"action": "retry", "q": "state:failed", "ids": [id]}), "bad_value", "exactly one of"),
        (json!({"action": "retry", "q": ""}), "bad_value", "every filing"),
        (json!({"action": "retry", "q": "  "}), "bad_value", "every filing"),
        (json!({"action": "retry", "q": "state:faild"}), "bad_filter", "faild"),
        (json!({"action": "shred", "ids": [id]}), "bad_value", "shred"),
        (json!({"action": "retry", "ids": ["x"]}), "bad_value", "UUID"),
        (json!({"action": "retry", "ids": [id], "yes": true}), "unknown_field", "yes"),
        (json!({"action": "retry", "ids": many}), "bad_value", "50000"),
    ];
    for (body, code, words) in table {
        let case: String = body.to_string().chars().take(100).collect();
        let answer = post(&world, "operator", "", &body).await;
        answer.assert_problem(400, code, &case);
        assert!(answer.body.to_string().contains(words), "{case}: {}", answer.body);
    }
    let answer = post(&world, "operator", "", &json!({"action": "retry", "ids": many})).await;
    assert!(text(&answer.body["hint"]).contains("Narrow"), "{}", answer.body);
    let list = world.get("operator", "/api/v1/bulk").await;
    assert_eq!(list.body, json!({"items": [], "next": null}), "nothing was frozen");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_frozen_looked_at_told_to_run_and_taken_back() {
    let world = World::new().await;
    let [first, held, last] = three(&world).await;
    let item = json!({"reference": "0007.0001", "title": "Teal", "work_type": "matter/litigation"});
    let request = world.request("other", Method::POST, "/api/v1/work-items").json(&item);
    assert_eq!(request.send().await.unwrap().status(), 201);
    let other = world.one("other", b"of another site").await.1;
    let set = frozen(&world, "operator", &json!({"action": "cancel", "q": "state:waiting,held"})).await;
    let ids = json!([held, last, first, first, other]);
    let hold = frozen(&world, "operator", &json!({"action": "hold", "ids": ids})).await;
    // What is not theirs does not exist, and what is named twice is there once.
    for (set, scope, total, will) in
        [(&set, "all 3 that match state:waiting,held", 3, 3), (&hold, "3 marked", 3, 2)]
    {
        assert_eq!(
            (&set["scope"], &set["total"], &set["will"]),
            (&json!(scope), &json!(total), &json!(will))
        );
        assert_eq!((&set["state"], &set["by"]), (&json!("frozen"), &json!("operator")), "{set:#}");
        assert_eq!(set["by_destination"], json!([{"name": "dms-eu", "count": 3}]));
        assert_eq!(set["by_state"], json!([{"name": "waiting", "count": 2}, {"name": "held", "count": 1}]));
        assert_eq!(set["waiting"], set["will"]);
    }
    assert_eq!(hold["will_not"], json!([{"name": "it is held already", "count": 1}]));
    let (set, hold) = (text(&set["id"]), text(&hold["id"]));
    let items = world.get("operator", &format!("/api/v1/bulk/{hold}/items?limit=2")).await.body;
    let shown: Vec<_> =
        items["items"].as_array().unwrap().iter().map(|it| (text(&it["id"]), text(&it["outcome"]))).collect();
    assert_eq!(shown, [(first.clone(), "waiting".to_owned()), (held.clone(), "skipped".to_owned())]);
    assert_eq!(
        (&items["items"][1]["why"], &items["items"][1]["name"]),
        (&json!("it is held already"), &json!("Draft"))
    );
    let more = format!("/api/v1/bulk/{hold}/items?limit=2&cursor={}", text(&items["next"]));
    let more = world.get("operator", &more).await.body;
    assert_eq!((&more["items"][0]["id"], &more["next"]), (&json!(last), &Value::Null), "{more:#}");
    let skipped = world.get("operator", &format!("/api/v1/bulk/{hold}/items?outcome=skipped")).await.body;
    assert_eq!((skipped["items"].as_array().unwrap().len(), &skipped["items"][0]["id"]), (1, &json!(held)));
    world.get("operator", &format!("/api/v1/bulk/{hold}/items?outcome=x")).await.assert_problem(
        400,
        "bad_value",
        "outcome",
    );
    world.get("operator", &format!("/api/v1/bulk/{hold}/items?cursor=x")).await.assert_problem(
        400,
        "bad_cursor",
        "cursor",
    );

    // What, body, status, code or state, words.
    let long = "x".repeat(201);
    let steps = [
        ("undo", json!({}), 409, "not_allowed_now", "not running yet cannot be taken back"),
        ("stop", json!({}), 409, "not_allowed_now", "not running yet cannot be stopped"),
        ("run", json!({}), 400, "bad_value", "reason"),
        ("run", json!({"reason": "  "}), 400, "bad_value", "reason"),
        ("run", json!({"reason": long}), 400, "bad_value", "200 bytes"),
        ("run", json!({"reason": "x", "pace": "fast"}), 400, "bad_value", "10/min"),
        ("run", json!({"reason": "x", "count": 2}), 409, "not_allowed_now", "3 filings, and 2 was sent"),
        (
            "run",
            json!({"reason": "sent twice", "count": 3, "pace": "10/min"}),
            200,
            "about_to_run",
            "sent twice",
        ),
        ("run", json!({"reason": "sent twice", "count": 3}), 409, "not_allowed_now", "about to run cannot"),
        ("undo", json!({}), 200, "undone", "operator"),
        ("undo", json!({}), 409, "not_allowed_now", "taken back cannot be taken back"),
        ("stop", json!({}), 409, "not_allowed_now", "cannot be stopped"),
        ("run", json!({"reason": "x"}), 409, "not_allowed_now", "cannot be told to run"),
    ];
    for (what, body, status, wanted, words) in steps {
        let case = format!("{what} {body}");
        let answer = post(&world, "operator", &format!("/{set}/{what}"), &body).await;
        if status == 200 {
            assert_eq!(
                (answer.status, &answer.body["state"]),
                (200, &json!(wanted)),
                "{case}: {}",
                answer.body
            );
        } else {
            answer.assert_problem(status, wanted, &case);
        }
        assert!(answer.body.to_string().contains(words), "{case}: {}", answer.body);
    }
    let shown = world.get("operator", &format!("/api/v1/bulk/{set}")).await.body;
    assert_eq!(
        (&shown["told"], &shown["begins"]),
        (&json!("2026-11-23T09:00:00Z"), &json!("2026-11-23T09:00:10Z"))
    );
    assert_eq!((&shown["pace"], &shown["waiting"], &shown["done"]), (&json!("10/min"), &json!(3), &json!(0)));
    assert_eq!(news(&world).await, [(BulkNews::Told, 3, 3), (BulkNews::Undone, 3, 0)], "told once each");
    // Stopped before it began, it is over at once.
    assert_eq!(post(&world, "operator", &format!("/{hold}/run"), &json!({})).await.status, 200);
    let live = world.get("operator", "/api/v1/bulk?live=true").await.body;
    assert_eq!((live["items"].as_array().unwrap().len(), &live["items"][0]["id"]), (1, &json!(hold)));
    assert_eq!(post(&world, "operator", &format!("/{hold}/stop"), &json!({})).await.body["state"], "stopped");
    let live = world.get("operator", "/api/v1/bulk?live=true").await.body;
    assert_eq!(live["items"], json!([]));
    let all = world.get("operator", "/api/v1/bulk?limit=1").await.body;
    assert_eq!((&all["items"][0]["id"], &all["next"]), (&json!(hold), &json!(hold)), "newest first");
    let rest = world.get("operator", &format!("/api/v1/bulk?cursor={hold}")).await.body;
    assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&json!(set), &Value::Null));
    // The history tells how many and in which words; who follows is not told fifty thousand ids.
    let audit = world.get("admin", "/api/v1/audit?kind=bulk").await.body;
    let told = &audit["items"][0];
    assert_eq!((&told["subject"]["kind"], &told["subject"]["id"]), (&json!("bulk"), &json!(set)), "{told:#}");
    assert_eq!(told["happening"], json!({"kind": "bulk", "words": "3 filings are to be cancelled together"}));
    assert_eq!(
        (&told["note"], &told["actor"]["name"], &told["site"]),
        (&json!("sent twice"), &json!("operator"), &json!("london"))
    );
    assert_eq!(audit["items"].as_array().unwrap().len(), 4, "{audit:#}");
    // Who follows hears of it, where they see what is in it.
    let mut following = Following::start(&world, "operator", "?after=0", None).await;
    let heard = loop {
        let (_, event) = following.event().await.unwrap();
        if event["subject"]["kind"] == "bulk" {
            break event;
        }
    };
    assert_eq!(heard["subject"]["id"], json!(set));
    assert_eq!(
        heard["happening"],
        json!({"kind": "bulk", "words": "3 filings are to be cancelled together"})
    );
    let elsewhere = world.get("other", "/api/v1/audit?kind=bulk").await.body;
    assert_eq!(elsewhere["items"], json!([]));
    drop(following);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_has_neither_the_set_nor_its_filings() {
    let world = World::new().await;
    let [first, ..] = three(&world).await;
    let strange = frozen(&world, "other", &json!({"action": "hold", "ids": [first]})).await;
    assert_eq!(
        (&strange["total"], &strange["will"], &strange["scope"]),
        (&json!(0), &json!(0), &json!("0 marked"))
    );
    let set = text(&frozen(&world, "operator", &json!({"action": "hold", "ids": [first]})).await["id"]);
    for (who, status, code) in [("other", 404, "not_found"), ("user", 403, "forbidden")] {
        for path in ["", "/items"] {
            world.get(who, &format!("/api/v1/bulk/{set}{path}")).await.assert_problem(status, code, path);
        }
        for what in ["run", "stop", "undo"] {
            let answer = post(&world, who, &format!("/{set}/{what}"), &json!({})).await;
            answer.assert_problem(status, code, what);
        }
    }
    let list = world.get("other", "/api/v1/bulk").await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "their own: {list:#}");
    // Somebody else of the site who decides sees it, and may go on with it.
    assert_eq!(world.get("support", &format!("/api/v1/bulk/{set}")).await.status, 200);
    assert_eq!(post(&world, "support", &format!("/{set}/run"), &json!({})).await.status, 200);
    assert_eq!(news(&world).await, [(BulkNews::Told, 1, 1)]);
    world.stop().await;
}
