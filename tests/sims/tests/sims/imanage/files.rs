//! Uploading and what becomes of it.

use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::imanage::support::{EMAILS, World, body, parts, profile, upload};

#[tokio::test]
async fn an_upload_is_found_by_its_mark_listed_and_in_the_ledger() {
    let world = World::new();
    let (status, made) = world.file("mark-0001").await;
    assert_eq!(status, 201);
    let id = made["data"]["id"].as_str().unwrap();
    assert_eq!(made["data"]["workspace_name"], "Harrow v Teal");
    // taken from the workspace
    assert_eq!(made["data"]["custom2"], "0007");
    assert_eq!(made["data"]["custom2_description"], "Harrow v Teal");

    let (_, found) =
        world.get("documents?container_id=ACTIVE!3650&include_subtree=true&comments=mark-0001").await;
    assert_eq!(found["data"]["results"][0]["id"], id);
    let (_, none) =
        world.get("documents?container_id=ACTIVE!3650&include_subtree=true&comments=mark-0002").await;
    assert_eq!(none["data"]["results"], json!([]));
    let (_, listed) = world.get(&format!("folders/{EMAILS}/documents?total=true")).await;
    assert_eq!(listed["total_count"], 1);

    let entries = world.control.by_mark("mark-0001");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!((entries[0].container.as_str(), entries[0].size), (EMAILS, 5));
    assert_eq!(world.control.in_container(EMAILS), entries);
    let counted = world.control.stats();
    assert_eq!((counted.total("upload"), counted.uploads_peak, counted.committed), (1, 1, 1));
}

#[tokio::test]
async fn parts_come_in_any_order_but_both_must_come() {
    let world = World::new();
    let text = || profile("m").to_string();
    let file = || Part::bytes(b"hello".to_vec()).file_name("a.txt");
    let turned = Form::new().part("file", file()).text("profile", text());
    assert_eq!(world.send(EMAILS, turned).await.unwrap().status(), 201);
    assert_eq!(world.send(EMAILS, Form::new().part("file", file())).await.unwrap().status(), 400);
    assert_eq!(world.send(EMAILS, Form::new().text("profile", text())).await.unwrap().status(), 400);
}

#[tokio::test]
async fn profile_rules_are_kept() {
    let world = World::with(|s| s.max_upload_bytes = Some(1000));
    for (change, field) in [
        (json!({ "custom2": "0007" }), "custom2"),
        (json!({ "custom1": "99999" }), "custom1"),
        (json!({ "extension": ".txt" }), "extension"),
        (json!({ "class": "NONE" }), "class"),
    ] {
        let mut sent = profile("m");
        sent["inherit_profile_from_folder"] = json!(false);
        for (key, value) in change.as_object().unwrap() {
            sent["doc_profile"][key] = value.clone();
        }
        let (status, answer) = body(world.send(EMAILS, parts(&sent, b"x")).await.unwrap()).await;
        assert_eq!(status, 400, "{change}");
        assert_eq!(answer["error"]["messages"][0]["field"], field);
    }
    let mut pleading = profile("m");
    pleading["doc_profile"]["class"] = json!("PLEADING");
    let (status, answer) = body(world.send(EMAILS, parts(&pleading, b"x")).await.unwrap()).await;
    assert_eq!(
        (status.as_u16(), &answer["warnings"]),
        (201, &json!([{ "field": "custom3", "error": "required" }]))
    );
    pleading["warnings_for_required_and_disabled_fields"] = json!(false);
    assert_eq!(world.send(EMAILS, parts(&pleading, b"x")).await.unwrap().status(), 400);
    assert_eq!(world.send(EMAILS, upload("m", &[0; 1001])).await.unwrap().status(), 413);
    // a tab and a saved search take nothing
    assert_eq!(world.send("ACTIVE!3651", upload("m", b"x")).await.unwrap().status(), 400);
    assert_eq!(world.send("ACTIVE!3655", upload("m", b"x")).await.unwrap().status(), 400);
    assert_eq!(world.control.ledger().len(), 1);
}

#[tokio::test]
async fn small_files_come_back_and_large_ones_leave_their_hash() {
    let world = World::new();
    let (_, small) = world.file("small").await;
    let url = world
        .library(&format!("documents/{}/download?activity=export", small["data"]["id"].as_str().unwrap()));
    let file = world.client.get(url).header("X-Auth-Token", &world.token).send().await.unwrap();
    assert_eq!(file.bytes().await.unwrap().as_ref(), b"hello");
    let id = small["data"]["id"].as_str().unwrap();
    let (_, history) = world.get(&format!("documents/{id}/history?activity=download")).await;
    assert_eq!(history["data"][0]["activity"], "EXPORT");

    let (_, large) = body(world.send(EMAILS, upload("large", &[7; 5000])).await.unwrap()).await;
    assert_eq!(large["data"]["size"], 5000);
    assert_eq!(world.control.by_mark("large")[0].size, 5000);
    let (status, _) =
        world.get(&format!("documents/{}/download", large["data"]["id"].as_str().unwrap())).await;
    assert_eq!(status, 507);
}

#[tokio::test]
async fn versions_locks_moves_and_deletion() {
    let mut world = World::new();
    let (_, made) = world.file("m").await;
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    let (status, _) = world.post(&format!("documents/{id}/lock"), json!({ "comments": "mine" })).await;
    assert_eq!(status, 200);

    world.become_user("JREED");
    let new_version = |world: &World| {
        let url = world.library(&format!("documents/{id}/versions"));
        world.client.post(url).header("X-Auth-Token", &world.token).multipart(upload("m2", b"two")).send()
    };
    assert_eq!(new_version(&world).await.unwrap().status(), 409);
    world.become_user("POSTROOM");
    let (status, second) = body(new_version(&world).await.unwrap()).await;
    assert_eq!((status.as_u16(), &second["data"]["version"]), (201, &json!(2)));
    assert_eq!(second["data"]["is_checked_out"], false);

    let to = json!({ "destination_folder_id": "ACTIVE!3683", "update_profile": true });
    let (status, _) = world.post(&format!("folders/ACTIVE!3654/documents/{id}/move"), to.clone()).await;
    assert_eq!(status, 404, "the source folder must be right");
    let (_, moved) = world.post(&format!("folders/{EMAILS}/documents/{id}/move"), to).await;
    assert_eq!(moved["data"]["workspace_id"], "ACTIVE!3680");
    assert_eq!(moved["data"]["custom1"], "10517");

    let second = second["data"]["id"].as_str().unwrap();
    let url = world.library(&format!("documents/{second}"));
    let deleted = world.client.delete(url).header("X-Auth-Token", &world.token).send().await.unwrap();
    assert_eq!(deleted.status(), 200);
    let (_, versions) = world.get(&format!("documents/{id}/versions")).await;
    assert_eq!(versions["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_mail_is_refused_in_one_workspace() {
    let world = World::new();
    let mail = b"From: a@b\r\nSubject: Disclosure\r\nDate: Wed, 04 Mar 2026 10:11:12 +0000\r\nMessage-ID: <1@b>\r\n\r\nHi";
    let mut sent = profile("m");
    sent["doc_profile"]["extension"] = json!("eml");
    let (status, made) = body(world.send(EMAILS, parts(&sent, mail)).await.unwrap()).await;
    assert_eq!((status.as_u16(), &made["data"]["wstype"]), (201, &json!("email")));
    assert_eq!(made["data"]["subject"], "Disclosure");
    assert_eq!(world.send("ACTIVE!3652", parts(&sent, mail)).await.unwrap().status(), 409);
    assert_eq!(world.send("ACTIVE!3683", parts(&sent, mail)).await.unwrap().status(), 201);
}

#[tokio::test]
async fn ids_may_differ_from_the_database_in_case() {
    use postroom_sims::imanage::IdCase;
    let world = World::with(|s| s.id_case = IdCase::Mixed);
    let (_, made) = world.file("m").await;
    assert_eq!(made["data"]["database"], "ACTIVE");
    let id = made["data"]["id"].as_str().unwrap();
    assert!(id.starts_with("Active!"), "{id}");
    assert_eq!(world.get(&format!("documents/{id}")).await.0, 200);
    assert_eq!(world.get(&format!("documents/{}", id.to_uppercase().replace('!', "%21"))).await.0, 200);
}
