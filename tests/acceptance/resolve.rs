//! `POST /resolve` and `postroom resolve`: where documents would go, step by step, with nothing made; and remembered workspaces.

use postroom_tests::process::run;
use postroom_tests::settings::token;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::document;

#[tokio::test]
async fn every_step_is_told_and_nothing_is_made() {
    let world = World::new("resolve").with_imanage(sample()).start().await;
    let op = world.op();
    let requests = world.sim("dms").control().ledger().len();
    // Matter, verdict, cause, found, exactly found.
    let table = [
        (MATTER, "files", None, Some((1, 1))),
        ("10442-0003", "stops", Some("target_closed"), Some((1, 1))),
        ("10442-0777", "stops", Some("target_ambiguous"), Some((2, 2))),
        ("10442-0999", "stops", Some("target_not_found"), Some((0, 0))),
    ];
    for (matter, verdict, cause, found) in table {
        let answer = op.post("/api/v1/resolve", &json!({"work_item": matter})).await.expect(200).body;
        assert_eq!(answer["verdict"], verdict, "{matter}: {answer:#}");
        assert_eq!(answer["cause"]["code"].as_str(), cause, "{matter}: {answer:#}");
        let told = answer["found"].as_u64().zip(answer["exact"].as_u64());
        assert_eq!(told, found, "{matter}: {answer:#}");
        assert_eq!(answer["repository"]["name"], "dms-matter_documents");
        assert!(answer["repository"]["resolver"]["filled"][0].as_str().unwrap().starts_with("custom1="));
        assert!(answer["trace"].as_array().unwrap().len() >= 4, "{answer:#}");
    }
    assert_eq!(world.sim("dms").control().ledger().len(), requests);
    // Nothing was remembered for a look.
    let item = op.ok(&format!("/api/v1/work-items?search={MATTER}")).await["items"][0]["id"].clone();
    let bindings = format!("/api/v1/work-items/{}/bindings", item.as_str().unwrap());
    assert_eq!(op.ok(&bindings).await["items"], json!([]));
    for (body, status) in [
        (json!({"work_item": "no-such"}), 404),
        (json!({"work_item": ""}), 400),
        (json!({"work_item": MATTER, "area": "cupboard"}), 400),
        (json!({"work_item": MATTER, "repository": "none"}), 400),
        (json!({"work_item": MATTER, "nonsense": 1}), 400),
    ] {
        op.post("/api/v1/resolve", &body).await.expect(status);
    }
    let area = op
        .post("/api/v1/resolve", &json!({"work_item": MATTER, "area": "data_uploads"}))
        .await
        .expect(200)
        .body;
    assert_eq!((&area["verdict"], &area["needs"]["code"]), (&json!("needs_person"), &json!("no_repository")));
    let user = world.api("user").post("/api/v1/resolve", &json!({"work_item": MATTER})).await;
    assert_eq!(user.status, 403, "{}", user.text());
}

#[tokio::test]
async fn the_command_line_says_the_same() {
    let world = World::new("resolve-cli").with_imanage(sample()).start().await;
    let token_file = world.root().join("token");
    std::fs::write(&token_file, token("operator")).unwrap();
    let (url, token_file) = (world.url(), token_file.display().to_string());
    let ask = async |arguments: &[&str]| {
        let common = ["resolve", "--server", &url, "--token-file", &token_file];
        let output = run("postroom", &[&common[..], arguments].concat()).await;
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (good, text) = ask(&["--work-item", MATTER]).await;
    assert!(good && text.contains("Documents would be filed there."), "{text}");
    assert!(text.contains("found       1, 1 of them exactly"), "{text}");
    let (good, text) = ask(&["--work-item", "10442-0777"]).await;
    assert!(!good && text.contains("Documents would not be filed."), "{text}");
    let (_, text) = ask(&["--work-item", MATTER, "--json"]).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["verdict"], "files");
}

#[tokio::test]
async fn a_person_chooses_a_workspace_once_and_it_is_remembered() {
    let mut world = World::new("bindings").with_imanage(sample()).start().await;
    let op = world.op();
    let item =
        op.ok("/api/v1/work-items?search=10442-0777").await["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/work-items/{item}/bindings");
    let one = format!("{path}/dms-matter_documents");
    let accepted = world.deposit(Upload::to("10442-0777").file("a.pdf", document(1))).await;
    world.in_state(accepted.filing(), &["failed"]).await;
    let twin = world.sim("dms").control().workspaces().into_iter().find(|it| it.name == "Twin 3787").unwrap();
    let body = json!({"workspace": twin.id, "reason": "the newer one"});
    let blank = json!({"workspace": twin.id, "reason": " "});
    op.call(Method::PUT, &one, &blank, None).await.expect(400);
    op.call(Method::PUT, &format!("{path}/none"), &body, None).await.expect(404);
    op.call(Method::PUT, &one, &body, None).await.expect(200);
    let listed = op.ok(&path).await;
    assert_eq!(listed["items"][0]["workspace"], twin.id);
    assert_eq!(listed["items"][0]["chosen_by"], "operator");
    let look = op.post("/api/v1/resolve", &json!({"work_item": "10442-0777"})).await.expect(200).body;
    assert_eq!((&look["verdict"], &look["remembered"]["used"]), (&json!("files"), &json!(true)), "{look:#}");
    op.decide(accepted.filing(), "retry", &json!({"reason": "chosen"})).await.expect(200);
    world.in_state(accepted.filing(), &["filed"]).await;
    let entry = world.sim("dms").control().ledger().remove(0);
    assert_eq!(entry.workspace, twin.id, "{entry:?}");
    // Forgotten, it is ambiguous again; the audit has both.
    op.call(Method::DELETE, &one, &json!({}), None).await.expect(204);
    assert_eq!(op.ok(&path).await["items"], json!([]));
    let look = op.post("/api/v1/resolve", &json!({"work_item": "10442-0777"})).await.expect(200).body;
    assert_eq!(look["cause"]["code"], "target_ambiguous");
    let audit = world.api("admin").ok("/api/v1/audit?limit=100").await.to_string();
    assert!(audit.contains("workspace_chosen") && audit.contains("workspace_forgotten"), "{audit}");
    world.assert_exactly_once(&[accepted]).await;
}
