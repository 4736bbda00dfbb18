//! Trash, copies, own lists of workspaces, new users: what a switch or control brings about.

use postroom_sims::imanage::{Action, Seed, SeedContainer, SeedDocument, SeedWorkspace};
use serde_json::{Value, json};

use crate::imanage::support::{EMAILS, World, body, upload};

fn ids(answer: &Value) -> Vec<&str> {
    let list = answer["data"].as_array().or_else(|| answer.pointer("/data/results")?.as_array());
    list.into_iter().flatten().filter_map(|item| item["id"].as_str()).collect()
}

async fn delete(world: &World, rest: &str) -> u16 {
    let call = world.client.delete(world.library(rest)).header("X-Auth-Token", &world.token);
    call.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn deleted_versions_lie_in_the_trash_until_they_are_restored_or_purged() {
    let world = World::new();
    let (_, made) = world.file("m").await;
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    let number = made["data"]["document_number"].as_u64().unwrap();
    let url = world.library(&format!("documents/{id}/versions"));
    let call = world.client.post(url).header("X-Auth-Token", &world.token).multipart(upload("m2", b"two"));
    let (_, second) = body(call.send().await.unwrap()).await;
    let second = second["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.control.documents().len(), 2);
    for version in [&id, &second] {
        assert_eq!(delete(&world, &format!("documents/{version}")).await, 200);
    }
    assert!(world.control.documents().is_empty());
    assert_eq!(world.control.ledger().len(), 2, "the ledger tells what was stored, not what is there");
    let bin = format!("trash-bin/documents?document_number={number}");
    assert_eq!(ids(&world.get(&bin).await.1), [&id, &second]);

    let restore = format!("trash-bin/documents/{id}/restore");
    assert_eq!(world.post(&restore, json!({})).await.0, 400, "it lies nowhere any more");
    let (status, back) = world.post(&restore, json!({ "folder_ids": [EMAILS] })).await;
    assert_eq!((status.as_u16(), back["data"]["id"].as_str()), (200, Some(id.as_str())));
    assert_eq!(ids(&world.get(&format!("folders/{EMAILS}/documents")).await.1), [&id]);
    assert_eq!(delete(&world, &format!("trash-bin/documents/{second}")).await, 200);
    assert_eq!(world.post(&format!("trash-bin/documents/{second}/restore"), json!({})).await.0, 404);
    assert!(ids(&world.get(&bin).await.1).is_empty());
}

#[tokio::test]
async fn a_removed_folder_takes_its_documents_along() {
    let world = World::new();
    let (_, made) = world.file("m").await;
    let id = made["data"]["id"].as_str().unwrap();
    assert!(world.control.apply(&Action::RemoveFolder { folder: 3653 }));
    assert!(!world.control.apply(&Action::RemoveFolder { folder: 3653 }), "it is gone");
    assert!(!world.control.apply(&Action::RemoveFolder { folder: 3650 }), "a workspace is no folder");
    assert_eq!(world.get(&format!("folders/{EMAILS}")).await.0, 404);
    assert_eq!(world.get(&format!("documents/{id}")).await.0, 404);
    assert!(world.control.documents().is_empty());
    let (_, children) = world.get("folders/ACTIVE!3651/children").await;
    assert_eq!(ids(&children), ["ACTIVE!3652", "ACTIVE!3654"]);
}

#[tokio::test]
async fn lists_of_a_user_are_what_control_says() {
    let mut world = World::new();
    world.control.set_favourites("postroom", &[3680, 3710, 3650]);
    world.control.set_recent("POSTROOM", &[3650]);
    let (_, marked) = world.get("my-favorites/children?total=true").await;
    assert_eq!(ids(&marked), ["ACTIVE!3680", "ACTIVE!3650"], "not what is behind a wall");
    assert_eq!(ids(&world.get("recent-workspaces").await.1), ["ACTIVE!3650"]);
    world.become_user("JREED");
    assert!(ids(&world.get("my-favorites/children").await.1).is_empty());
    assert!(ids(&world.get("recent-workspaces").await.1).len() > 1, "in order of creation");
}

#[tokio::test]
async fn copies_and_users_are_made_where_the_switch_says_so() {
    let mut world = World::new();
    let (_, made) = world.file("m").await;
    let copy = format!("documents/{}/copy", made["data"]["id"].as_str().unwrap());
    let to = json!({ "destination_folder_id": "ACTIVE!3654" });
    let users = format!("{}/work/api/v2/customers/1/users", world.sim.url());
    let user = json!({ "id": "new", "full_name": "New", "email": "new@x.example", "is_external": true });
    let make = async |world: &World, user: &Value| {
        let call = world.client.post(&users).header("X-Auth-Token", &world.token).json(user);
        body(call.send().await.unwrap()).await
    };
    assert_eq!(world.post(&copy, to.clone()).await.0, 404);
    assert_eq!(make(&world, &user).await.0, 404);
    world.control.update_switches(|switches| (switches.copy_documents, switches.create_users) = (true, true));
    let (status, copied) = world.post(&copy, to).await;
    assert_eq!((status.as_u16(), &copied["data"]["comment"]), (201, &json!("m")));
    assert_eq!(world.control.documents()[1].folders, ["ACTIVE!3654"]);
    assert_eq!(make(&world, &user).await.0, 403, "administrators only");
    world.become_user("WADMIN");
    let (status, first) = make(&world, &user).await;
    assert_eq!((status.as_u16(), &first["data"]["user_created"]), (201, &json!(true)));
    let (status, again) = make(&world, &user).await;
    assert_eq!((status.as_u16(), &again["data"]["user_created"]), (200, &json!(false)));
    let mut strict = user.clone();
    strict["ignore_if_user_already_exists"] = json!(false);
    assert_eq!(make(&world, &strict).await.0, 409);
}

#[tokio::test]
async fn thousands_of_documents_can_be_there_from_the_start() {
    let world = World::new();
    let document = |n| SeedDocument {
        name: format!("letter {n}"),
        extension: "txt".into(),
        comment: format!("mark-{n}"),
        text: "x".into(),
    };
    let folder = SeedContainer {
        id: Some(9001),
        name: "Full".into(),
        documents: (0..5000).map(document).collect(),
        ..SeedContainer::default()
    };
    let workspace = SeedWorkspace { id: Some(9000), folders: vec![folder], ..SeedWorkspace::default() };
    world.control.seed(&Seed { workspaces: vec![workspace], ..Seed::default() });
    let (_, page) = world.get("folders/ACTIVE!9001/documents?limit=500&offset=4800&total=true").await;
    assert_eq!((ids(&page).len(), &page["total_count"]), (200, &json!(5000)));
    let (_, found) = world.get("documents?comments=mark-4321&paging_mode=standard").await;
    assert_eq!(found.pointer("/data/results/0/name"), Some(&json!("letter 4321")));
    assert!(world.control.ledger().is_empty());
}
