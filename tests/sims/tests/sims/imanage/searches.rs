//! Searching and paging.

use postroom_sims::imanage::{EmptySearch, SearchShape};
use serde_json::json;

use crate::imanage::support::{EMAILS, World};

#[tokio::test]
async fn the_index_lags_behind_the_listing() {
    let world = World::with(|s| s.index_delay_ms = 5000);
    world.file("late").await;
    let probe = "documents?comments=late";
    assert_eq!(world.get(probe).await.1["data"]["results"], json!([]));
    let (_, listed) = world.get(&format!("folders/{EMAILS}/documents")).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    world.advance(5000);
    assert_eq!(world.get(probe).await.1["data"]["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_found_has_two_forms() {
    let world = World::new();
    let (status, found) = world.get("workspaces?custom1=nobody").await;
    assert_eq!((status.as_u16(), &found["data"]["results"]), (200, &json!([])));
    world.control.update_switches(|s| s.empty_search = EmptySearch::NotFound);
    let (status, found) = world.get("workspaces?custom1=nobody").await;
    assert_eq!((status.as_u16(), &found["error"]["code"]), (404, &json!("NRC_NO_RECORD")));
}

#[tokio::test]
async fn workspaces_match_by_whole_words_and_whole_aliases() {
    let world = World::new();
    for (query, count) in [
        ("custom1=10442&custom2=0007", 1),
        ("custom1=1044", 0),
        ("custom1=1044*", 0),
        ("name=harrow", 3),
        ("name=harr", 0),
        ("name=general%20advice", 2),
        ("name=%22harrow%20v%20teal%22", 1),
        ("name_or_description=harrow*", 2),
        ("include_ids=ACTIVE!3650,active!3660", 2),
        ("some_unknown=1&custom2=0007", 1),
    ] {
        let (_, found) = world.get(&format!("workspaces?{query}")).await;
        assert_eq!(found["data"]["results"].as_array().unwrap().len(), count, "{query}");
    }
    let search = json!({
        "limit": 50, "profile_fields": { "workspace": ["id", "name"] },
        "filters": { "libraries": "ACTIVE", "custom1": "10442", "custom2": "0007" },
    });
    let hit = json!([{ "id": "ACTIVE!3650", "name": "Harrow v Teal" }]);
    assert_eq!(world.post("workspaces/search", search.clone()).await.1["data"]["results"], hit);
    world.control.update_switches(|s| s.workspace_search_shape = SearchShape::Array);
    assert_eq!(world.post("workspaces/search", search).await.1["data"], hit);
}

#[tokio::test]
async fn folders_are_found_made_and_listed() {
    let world = World::new();
    let (_, found) = world.get("folders?container_id=ACTIVE!3650&name=em*").await;
    assert_eq!(found["data"]["results"][0]["id"], EMAILS);
    let (status, made) = world.post("folders/ACTIVE!3651/subfolders", json!({ "name": "Disclosure" })).await;
    assert_eq!(status, 201);
    assert_eq!(made["data"]["parent_id"], "ACTIVE!3651");
    let (_, children) = world.get("folders/ACTIVE!3651/children?total=true&limit=2&offset=2").await;
    assert_eq!(children["total_count"], 4);
    assert_eq!(children["data"][1]["name"], "Disclosure");
    let (status, made) =
        world.post("workspaces", json!({ "name": "New", "custom1": "10442", "custom2": "0012" })).await;
    assert_eq!((status.as_u16(), &made["data"]["wstype"]), (201, &json!("workspace")));
}

#[tokio::test]
async fn a_cursor_reaches_every_one_of_600_documents_once() {
    let world = World::new();
    for n in 0..600 {
        assert_eq!(world.file(&format!("n{n}")).await.0, 201);
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut cursor = String::new();
    loop {
        // offset, total and comments do not count in this mode
        let query =
            "documents?container_id=ACTIVE!3653&paging_mode=standard_cursor&limit=250&offset=9&comments=n1";
        let (_, page) = world.get(&format!("{query}{cursor}")).await;
        assert!(page.get("total_count").is_none());
        for hit in page["data"]["results"].as_array().unwrap() {
            assert!(seen.insert(hit["id"].as_str().unwrap().to_owned()));
        }
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 600);
    let (_, page) = world.get("documents?container_id=ACTIVE!3653&limit=1&offset=598&total=true").await;
    assert_eq!((&page["total_count"], &page["data"]["results"][0]["comment"]), (&json!(600), &json!("n598")));
    // standard mode matches words of a name, cursor mode wants all of it
    assert_eq!(world.get("documents?name=n7").await.1["data"]["results"].as_array().unwrap().len(), 1);
    let exact = "documents?paging_mode=standard_cursor&name=";
    assert_eq!(world.get(&format!("{exact}n7")).await.1["data"]["results"], json!([]));
    let (_, whole) = world.get(&format!("{exact}letter%20N7")).await;
    assert_eq!(whole["data"]["results"].as_array().unwrap().len(), 1);
    let (_, posted) =
        world.post("documents/search", json!({ "limit": 2, "filters": { "class": "DOC" } })).await;
    assert_eq!((posted["data"].as_array().unwrap().len(), &posted["overflow"]), (2, &json!(true)));
}
