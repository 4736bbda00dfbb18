//! Stop and go, and what the summary tells of it.

use std::collections::BTreeSet;

use postroom_domain::event::Subject;
use postroom_domain::link::LinkState;
use postroom_domain::people::Status;
use postroom_domain::store::Store;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, text};

#[tokio::test(flavor = "multi_thread")]
async fn doors_stop_with_a_reason_and_go_on() {
    let world = World::new().await;
    let post = |path: &'static str, body: Value| {
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

#[tokio::test(flavor = "multi_thread")]
async fn accounts_stop_for_those_who_may_see_them() {
    let world = World::new().await;
    let desk = &world.desk;
    let mary = desk.add("mary@harrow.example", "user", "london", Status::Active).await;
    let paul = desk.add("paul@harrow.example", "user", "paris", Status::Active).await;
    let none = desk.add("nora@harrow.example", "user", "london", Status::Active).await;
    for (number, person) in [(1, Some(&mary)), (2, Some(&paul)), (3, None)] {
        desk.linked(number, person, LinkState::Active).await;
    }
    let ask = async |who: &str, whose: &str, what: &str, body: Value| {
        let path = format!("/api/v1/accounts/{whose}/{what}");
        Answer::of(world.request(who, Method::POST, &path).json(&body).send().await.unwrap()).await
    };
    let marys = format!("dms/{}", mary.id);
    let reason = json!({"reason": "a rest"});
    let refused = [
        ("operator", marys.clone(), json!({"reason": " "}), 400, "bad_value"),
        (
            "operator",
            marys.clone(),
            json!({"reason": "x", "until": "2020-01-01T00:00:00Z"}),
            400,
            "bad_value",
        ),
        ("user", marys.clone(), reason.clone(), 403, "forbidden"),
        ("operator", format!("dms/{}", paul.id), reason.clone(), 404, "not_found"),
        ("other", marys.clone(), reason.clone(), 404, "not_found"),
        ("operator", format!("dms/{}", none.id), reason.clone(), 404, "not_found"),
        ("operator", "dms/nobody".to_owned(), reason.clone(), 404, "not_found"),
        ("operator", "nowhere/system".to_owned(), reason.clone(), 404, "not_found"),
        ("operator", "No Service/system".to_owned(), reason.clone(), 404, "not_found"),
    ];
    for (who, whose, body, status, code) in refused {
        let case = format!("{who} {whose} {body}");
        ask(who, &whose, "pause", body).await.assert_problem(status, code, &case);
    }
    for whose in [format!("dms/{}", paul.id), format!("dms/{}", none.id)] {
        ask("operator", &whose, "resume", json!({})).await.assert_problem(404, "not_found", &whose);
    }
    assert_eq!(world.store.pauses().await.unwrap(), []);

    // One's own rights are enough for the system account and for persons of the site; the healthy account is listed while it stands still.
    let listed = async |who: &str| {
        let items = world.get(who, "/api/v1/links?all=true").await.body["items"].take();
        let line = |it: &Value| {
            (text(&it["made_by"]), it["pause"]["reason"].as_str().unwrap_or_default().to_owned())
        };
        items.as_array().unwrap().iter().map(line).collect::<BTreeSet<_>>()
    };
    let named = |items: &[(&str, &str)]| -> BTreeSet<(String, String)> {
        items.iter().map(|(who, why)| ((*who).to_owned(), (*why).to_owned())).collect()
    };
    assert_eq!(listed("operator").await, named(&[("svc", "")]));
    for whose in [&marys, "dms/system"] {
        let stopped = ask("operator", whose, "pause", reason.clone()).await;
        assert_eq!((stopped.status, &stopped.body["door"]), (200, &json!(format!("account/{whose}"))));
    }
    let both = named(&[("svc", "a rest"), ("mary@harrow.example", "a rest")]);
    assert_eq!(listed("operator").await, both);
    assert_eq!(listed("other").await, named(&[("svc", "a rest"), ("paul@harrow.example", "")]));
    // Her pause is told to her site only.
    let london = Some("london".to_owned());
    let about = Subject::Door(format!("account/{marys}"));
    let sites = async || {
        let events = world.store.events_about(&about, 9).await.unwrap();
        events.into_iter().map(|it| it.event.site.map(|it| it.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(sites().await, vec![london.clone()]);

    // A pause outlives its link, and can be ended all the same.
    let link = desk.people.links_at(&desk.root(), &"dms".parse().unwrap()).await.unwrap();
    let link = link.iter().find(|it| it.person == Some(mary.id)).unwrap();
    desk.people.unlink(&desk.root(), link.id).await.unwrap();
    ask("operator", &marys, "pause", reason).await.assert_problem(404, "not_found", "unlinked");
    for whose in [&marys, "dms/system"] {
        assert_eq!(ask("operator", whose, "resume", json!({})).await.status, 200, "{whose}");
    }
    assert_eq!(ask("operator", "dms/system", "resume", json!({"reason": "twice"})).await.status, 200);
    ask("operator", &marys, "resume", json!({})).await.assert_problem(404, "not_found", "nothing to resume");
    assert_eq!(sites().await, vec![london; 2]);
    assert_eq!(world.store.pauses().await.unwrap(), []);
    world.stop().await;
}
