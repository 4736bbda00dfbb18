//! What the operators' console asks besides decisions: lists by text, ages, notes and taking, saved views, files, previews.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use postroom_domain::filing::{Filing, Request};
use postroom_domain::ids::{BlobHash, FilingId, IntakeId};
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::person::Actor;
use postroom_domain::store::{Acceptance, IntakeChange, Store as _};
use postroom_domain::time::Clock as _;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::world::{Answer, World, text};

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect()
}

async fn post(world: &World, who: &str, path: &str, body: &Value) -> Answer {
    Answer::of(world.request(who, Method::POST, path).json(body).send().await.unwrap()).await
}

/// A filing of another site.
async fn in_paris(world: &World) {
    let item = json!({"reference": "0007.0001", "title": "Teal", "work_type": "matter/litigation"});
    assert_eq!(post(world, "other", "/api/v1/work-items", &item).await.status, 201);
    world.one("other", b"of another site").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn intakes_are_found_by_doors_and_by_text() {
    let world = World::new().await;
    let mut made = Vec::new();
    for (source, subject, name) in
        [("upload", "Share Purchase", "a.pdf"), ("portal", "Lease", "Käse.pdf"), ("portal", "Will", "c.pdf")]
    {
        let meta = json!({"source": source, "work_item": "0007.0001", "subject": subject});
        let answer = world.hand_in("user", &meta, &[(name, subject.as_bytes())], None).await;
        made.push(text(&answer.body["intake"]["id"]));
    }
    let (share, lease, will) = (made[0].clone(), made[1].clone(), made[2].clone());
    for (asked, wanted) in [
        ("source=portal", vec![&will, &lease]),
        ("source=upload,portal", vec![&will, &lease, &share]),
        ("source=upload,%20none", vec![&share]),
        ("q=PURCHASE", vec![&share]),
        ("q=k%C3%84se", vec![&lease]),
        ("q=0007&source=upload", vec![&share]),
        ("q=nowhere", vec![]),
        ("q=%20", vec![&will, &lease, &share]),
    ] {
        let page = world.get("operator", &format!("/api/v1/intakes?{asked}")).await;
        assert_eq!(ids(&page.body).iter().collect::<Vec<_>>(), wanted, "{asked}: {}", page.body);
    }
    let page = world.get("other", "/api/v1/intakes?q=lease").await;
    assert_eq!(ids(&page.body), Vec::<String>::new(), "another site");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ages_are_of_ones_own_sites() {
    let world = World::new().await;
    world.one("user", b"one").await;
    world.clock.advance(Duration::from_mins(10));
    world.one("user", b"two").await;
    in_paris(&world).await;
    let of = async |who: &str| -> Value { world.get(who, "/api/v1/ages").await.body };
    let london = of("operator").await;
    assert_eq!(london["columns"], json!([300, 900, 3600, 14400, 86400, 604_800, null]));
    assert_eq!(
        london["items"],
        json!([{"destination": "dms-eu", "counts": [1, 1, 0, 0, 0, 0, 0], "total": 2}])
    );
    assert_eq!(of("other").await["items"][0]["total"], 1);
    world.clock.advance(Duration::from_hours(24 * 8));
    assert_eq!(of("operator").await["items"][0]["counts"], json!([0, 0, 0, 0, 0, 0, 2]));
    assert_eq!(world.get("user", "/api/v1/ages").await.status, 403);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_see_who_is_at_work_and_what_they_noted() {
    let world = World::new().await;
    let (intake, filing) = world.one("user", b"content").await;
    let path = |what: &str| format!("/api/v1/filings/{filing}/{what}");
    let none = json!({});
    // In order: who, what, body, status, code.
    for (who, what, body, status, code) in [
        ("user", "take", &none, 403, "forbidden"),
        ("other", "take", &none, 404, "not_found"),
        ("operator", "give-back", &none, 409, "not_allowed_now"),
        ("operator", "take", &none, 204, ""),
        ("operator", "take", &none, 204, ""),
        ("support", "give-back", &none, 409, "not_allowed_now"),
        ("support", "take", &none, 204, ""),
        ("support", "note", &json!({"text": " \n"}), 400, "bad_value"),
        ("support", "note", &json!({"text": "x".repeat(2001)}), 400, "bad_value"),
        ("support", "note", &json!({"text": "asked\u{1b} the\nclient"}), 204, ""),
        ("user", "note", &json!({"text": "x"}), 403, "forbidden"),
    ] {
        let answer = post(&world, who, &path(what), body).await;
        assert_eq!(answer.status, status, "{what} by {who}: {}", answer.body);
        if status >= 400 {
            answer.assert_problem(status, code, what);
        }
    }
    let list = world.get("operator", "/api/v1/filings").await.body;
    assert_eq!(list["items"][0]["taken_by"], "support");
    let detail = world.get("operator", &format!("/api/v1/filings/{filing}")).await.body;
    let remarks = &detail["remarks"];
    assert_eq!((&detail["taken_by"], &remarks["taken_by"]), (&json!("support"), &json!("support")));
    assert_eq!(
        (&remarks["notes"][0]["by"], &remarks["notes"][0]["text"]),
        (&json!("support"), &json!("asked the client"))
    );
    let told: Vec<(String, String, String)> = detail["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["happening"]["kind"]), text(&it["happening"]["words"]), it["note"].to_string()))
        .skip(1)
        .collect();
    let told: Vec<(&str, &str, &str)> =
        told.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
    assert_eq!(
        told,
        [
            ("taken", "taken to work on", "null"),
            ("taken", "taken over from operator", "null"),
            ("noted", "note written", "\"asked the client\""),
        ]
    );
    // It keeps nobody from deciding, and stays with what was decided.
    let held = world.decide("operator", &path("hold"), "*", &none).await;
    assert_eq!((held.status, &held.body["filing"]["taken_by"]), (200, &json!("support")));
    assert_eq!(post(&world, "support", &path("give-back"), &none).await.status, 204);
    let detail = world.get("operator", &format!("/api/v1/filings/{filing}")).await.body;
    assert_eq!(
        (&detail["taken_by"], detail["remarks"]["notes"].as_array().unwrap().len()),
        (&Value::Null, 1)
    );

    let path = format!("/api/v1/intakes/{intake}");
    let note = json!({"text": "a second copy came by post"});
    assert_eq!(post(&world, "other", &format!("{path}/note"), &note).await.status, 404);
    assert_eq!(post(&world, "operator", &format!("{path}/note"), &note).await.status, 204);
    let detail = world.get("support", &path).await.body;
    assert_eq!(detail["remarks"]["notes"][0]["text"], note["text"]);
    assert_eq!(detail["events"].as_array().unwrap().last().unwrap()["happening"]["kind"], "noted");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_a_persons_own() {
    let world = World::new().await;
    let session = async |email: &str| {
        let session = world.desk.member(email, "operator", "london").await;
        format!("__Host-postroom={}", session.secret.expose_secret())
    };
    let (ada, ben) = (session("ada@harrow.example").await, session("ben@harrow.example").await);
    let ask = async |who: &str, method: Method, path: &str, body: &Value| {
        let request = world.request("", method, path).header("cookie", who);
        let request = request.header("sec-fetch-site", "same-origin").json(body);
        Answer::of(request.send().await.unwrap()).await
    };
    let view = |screen: &str, q: &str| json!({"screen": screen, "q": q});
    for (path, body, status) in [
        ("Failed%20here", view("filings", "state:failed"), 200),
        ("failed%20HERE", view("filings", "state:failed dest:dms-eu"), 200),
        ("a%2Fb", view("mail", "harrow AND"), 200),
        ("a", view("nowhere", ""), 400),
        ("a", view("filings", "state:lost"), 400),
        ("a", view("mail", "two\nlines"), 400),
        ("%20a", view("mail", ""), 400),
        (&"x".repeat(61), view("mail", ""), 400),
    ] {
        let answer = ask(&ada, Method::PUT, &format!("/api/v1/views/{path}"), &body).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
    }
    let views = ask(&ada, Method::GET, "/api/v1/views", &json!({})).await.body;
    assert_eq!(
        views["items"],
        json!([
            {"name": "a/b", "screen": "mail", "q": "harrow AND"},
            {"name": "failed HERE", "screen": "filings", "q": "state:failed dest:dms-eu"},
        ])
    );
    assert_eq!(ask(&ben, Method::GET, "/api/v1/views", &json!({})).await.body["items"], json!([]));
    for _ in 0..2 {
        assert_eq!(ask(&ada, Method::DELETE, "/api/v1/views/A%2Fb", &json!({})).await.status, 204);
    }
    for number in 0..49 {
        let path = format!("/api/v1/views/{number}");
        assert_eq!(ask(&ada, Method::PUT, &path, &view("mail", "")).await.status, 200, "{number}");
    }
    ask(&ada, Method::PUT, "/api/v1/views/more", &view("mail", "")).await.assert_problem(
        409,
        "not_allowed_now",
        "the 51st",
    );
    world.get("operator", "/api/v1/views").await.assert_problem(403, "forbidden", "a program");
    world.stop().await;
}

/// Filings of London besides one that is there, each with a long subject.
async fn many(world: &World, count: u64, subject: &str) {
    let (intake, filing) = world.one("user", b"the first").await;
    let intake: Intake = world.store.intake(intake.parse().unwrap()).await.unwrap().unwrap();
    let filing: Filing = world.store.filing(filing.parse().unwrap()).await.unwrap().unwrap();
    let base = filing.id.as_u128();
    let filings = (1..=count).map(|number| {
        let mut hash = [7; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        let mut request: Request = filing.request.as_ref().clone();
        request.blob.hash = BlobHash::new(hash);
        request.subject = format!("{number} {subject}");
        Filing {
            id: FilingId::from_u128(base + u128::from(number)),
            request: Arc::new(request),
            ..filing.clone()
        }
    });
    let acceptance = Acceptance {
        filings: filings.collect(),
        intake: Intake { id: IntakeId::from_u128(base + 1_000_000), ..intake },
        key: None,
        records: Vec::new(),
        actor: Actor::person("user"),
        note: String::new(),
    };
    world.store.accept(acceptance).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_filter_finds_is_a_file() {
    let world = World::new().await;
    many(&world, 700, "=cmd, \"quoted\"\nand more").await;
    in_paris(&world).await;
    let taken = world.get("operator", "/api/v1/filings?q=%22700%20%3Dcmd%22").await.body;
    let id = text(&taken["items"][0]["id"]);
    post(&world, "operator", &format!("/api/v1/filings/{id}/take"), &json!({})).await;

    let csv = world.get("operator", "/api/v1/filings/export").await;
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"filings.csv\"");
    let csv = text(&csv.body);
    assert!(csv.starts_with("\u{feff}id,state,received,source,sender,subject,"), "{csv:.200}");
    assert_eq!(csv.matches("\r\n").count(), 702, "a head, and a line for each");
    assert!(csv.contains(&format!("\r\n{id},waiting,")) && csv.contains(",operator\r\n"), "{csv:.500}");
    assert!(csv.contains("\"700 =cmd, \"\"quoted\"\"\nand more\""), "{csv:.500}");

    let json = world.get("operator", "/api/v1/filings/export?format=json&q=state:waiting").await;
    assert_eq!(json.header("content-disposition"), "attachment; filename=\"filings.jsonl\"");
    let json = text(&json.body);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/filings?limit=500&q=state:waiting&cursor={cursor}");
        let page = world.get("operator", &path).await.body;
        listed.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(lines, listed);
    assert_eq!(lines.len(), 701);

    // One's own, where one sees no others'; and the audit tells of each.
    let own = text(&world.get("user2", "/api/v1/filings/export").await.body);
    assert_eq!(own.matches("\r\n").count(), 1, "{own}");
    for asked in ["format=xml", "q=state:lost"] {
        assert_eq!(world.get("operator", &format!("/api/v1/filings/export?{asked}")).await.status, 400);
    }
    let audit = world.get("admin", "/api/v1/audit?limit=500&kind=filings_exported").await.body;
    let notes: Vec<String> = audit["items"].as_array().unwrap().iter().map(|it| text(&it["note"])).collect();
    assert_eq!(notes, ["filings.csv, all", "filings.jsonl: state:waiting", "filings.csv, all"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_is_told() {
    let world = World::new().await;
    // More than any buffer on the way holds.
    many(&world, 3000, &"x".repeat(10_000)).await;
    let response = world.request("operator", Method::GET, "/api/v1/filings/export").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut pieces = response.bytes_stream();
    assert!(pieces.next().await.unwrap().is_ok());
    world.store.close().await.unwrap();
    let mut broken = false;
    while let Some(piece) = pieces.next().await {
        broken = piece.is_err();
        if broken {
            break;
        }
    }
    assert!(broken, "half a file looked like a whole one");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_shown_unless_nobody_may_open_them() {
    let world = World::new().await;
    let meta = json!({"work_item": "0007.0001"});
    let files: [(&str, &[u8]); 3] = [("a.txt", b"a"), ("a.exe", b"b"), ("busy.txt", b"c")];
    let answer = world.hand_in("user", &meta, &files, None).await;
    let id = text(&answer.body["intake"]["id"]);
    let path = format!("/api/v1/intakes/{id}/preview");
    for (who, asked, status) in [
        ("user", "", 200),
        ("user2", "", 404),
        ("other", "", 404),
        ("user", "?document=3", 404),
        ("user", "?x=1", 400),
    ] {
        assert_eq!(world.get(who, &format!("{path}{asked}")).await.status, status, "{who} {asked}");
    }
    let shown = world.get("operator", &path).await;
    assert_eq!(shown.header("cache-control"), "private, no-store");
    assert_eq!(
        (&shown.body["kind"], &shown.body["text"], &shown.body["document"]["file_name"]),
        (&json!("text"), &json!("what a.txt says"), &json!("a.txt"))
    );
    let shown = world.get("operator", &format!("{path}?document=1")).await.body;
    assert_eq!(shown["kind"], "none");
    assert_eq!(shown["why_not"], "Files of this kind are not shown as text.");
    world.get("operator", &format!("{path}?document=2")).await.assert_problem(503, "busy", "later");

    // Set aside, and filed unread by a person: nothing of it is opened.
    for state in [IntakeState::Quarantined, IntakeState::Split] {
        let mut next = world.store.intake(id.parse().unwrap()).await.unwrap().unwrap();
        next.state = state;
        next.version += 1;
        let (actor, at) = (Actor::person("operator"), world.clock.now());
        let change =
            IntakeChange { next, filings: Vec::new(), records: Vec::new(), actor, note: String::new(), at };
        world.store.change_intake(change).await.unwrap();
        let shown = world.get("operator", &path).await.body;
        assert_eq!((&shown["kind"], &shown["text"]), (&json!("none"), &Value::Null), "{state}: {shown}");
        assert!(text(&shown["why_not"]).contains("quarantine"), "{shown}");
    }
    world.stop().await;
}
