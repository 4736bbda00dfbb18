//! Folders, messages, and what changed.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{POST, World, at, mime};
use crate::browser::text;

#[tokio::test]
async fn plain_ids_change_with_each_move_and_immutable_ones_do_not() {
    let world = World::new().await;
    let id = world.control.deliver(POST, "inbox", &mime("1"));
    let plain = async || {
        let url =
            format!("{}/v1.0/users/{POST}/messages?$filter=internetMessageId eq '<1@x>'", world.sim.url());
        let answer = world.http.get(url).bearer_auth(&world.token).send().await.unwrap();
        text(&answer.json::<Value>().await.unwrap()["value"][0]["id"])
    };
    let before = plain().await;
    let (status, moved) = world
        .ask(Method::POST, &format!("{}/move", at(&id)), Some(&json!({"destinationId": "archive"})))
        .await;
    assert_eq!((status, &moved["id"]), (201, &json!(id)));
    let after = plain().await;
    assert_ne!(before, after);
    assert_eq!(world.get(&at(&after)).await.0, 200);
    let refused = world.refusal(Method::GET, &at(&before), None).await;
    assert_eq!(refused, (404, "ErrorItemNotFound".to_owned()));
    assert_eq!(world.refusal(Method::GET, &at("x"), None).await, (400, "ErrorInvalidIdMalformed".to_owned()));
    // Some ids differ only in case.
    let ids: Vec<String> =
        (0..150).map(|it| world.control.deliver(POST, "inbox", &mime(&it.to_string()))).collect();
    let lower: std::collections::HashSet<String> = ids.iter().map(|it| it.to_lowercase()).collect();
    let exact: std::collections::HashSet<&String> = ids.iter().collect();
    assert!(exact.len() == 150 && lower.len() < 150);
    for id in [&ids[0], &ids[100]] {
        let (_, message) = world.get(&at(id)).await;
        assert_eq!(&text(&message["id"]), id);
    }
}

#[tokio::test]
async fn changes_come_in_pages_from_links_that_grow_old() {
    let world = World::new().await;
    world.control.update_switches(|it| it.page = 2);
    let ids: Vec<String> =
        (0..5).map(|it| world.control.deliver(POST, "inbox", &mime(&it.to_string()))).collect();
    let first = format!("users/{POST}/mailFolders/inbox/messages/delta?$select=subject");
    let (all, link, pages) = world.changes(&first).await;
    assert_eq!(all, ids.iter().map(|id| (id.clone(), false)).collect::<Vec<_>>());
    assert_eq!(pages, 3);
    let (none, link, _) = world.changes(&link).await;
    assert_eq!(none, []);
    // Read, moved away, removed, moved back, new.
    world.control.read_message(POST, &ids[0]);
    world.control.move_message(POST, &ids[1], "archive");
    world.control.remove_message(POST, &ids[2]);
    world.control.move_message(POST, &ids[3], "archive");
    world.control.move_message(POST, &ids[3], "inbox");
    let new = world.control.deliver(POST, "inbox", &mime("new"));
    let (changed, later, _) = world.changes(&link).await;
    let wanted = [(&ids[0], false), (&ids[1], true), (&ids[2], true), (&ids[3], false), (&new, false)];
    assert_eq!(changed, wanted.map(|(id, removed)| (id.clone(), removed)));
    // A link may be followed again, tells what was selected, and takes no options.
    assert_eq!(world.changes(&link).await.0, changed);
    let (_, page) = world.get(&link).await;
    assert_eq!((&page["value"][0]["subject"], &page["value"][0]["isRead"]), (&json!("0"), &Value::Null));
    let refused = world.refusal(Method::GET, &format!("{link}&$select=id"), None).await;
    assert_eq!(refused, (400, "ErrorInvalidUrlQuery".to_owned()));
    world.hand.minutes(60 * 24 * 31);
    let mut world = world;
    world.token = text(
        &world
            .ask_token(
                postroom_sims::graph::TENANT,
                postroom_sims::graph::APP,
                postroom_sims::graph::SECRET,
                None,
            )
            .await
            .1["access_token"],
    );
    assert_eq!(world.refusal(Method::GET, &later, None).await, (410, "SyncStateNotFound".to_owned()));
}

#[tokio::test]
async fn messages_are_changed_only_as_far_as_sent_ones_may_be() {
    let world = World::new().await;
    let id = world.control.deliver(POST, "inbox", &mime("1"));
    let path = at(&id);
    let property = "String {7d3c2f10-0000-4000-8000-3d1b7c5a9e01} Name DmsRef";
    let change = json!({"categories": ["Red", "Filed"], "singleValueExtendedProperties": [{"id": property, "value": "x"}]});
    let (status, _) = world.ask(Method::PATCH, &path, Some(&change)).await;
    assert_eq!(status, 200);
    // The whole list is replaced.
    world.ask(Method::PATCH, &path, Some(&json!({"categories": ["Blue"]}))).await;
    let seen = &world.control.messages(POST, "inbox")[0];
    assert_eq!((&seen.categories, &seen.properties[property]), (&vec!["Blue".to_owned()], &"x".to_owned()));
    let expand = format!(
        "{path}?$select=categories&$expand=singleValueExtendedProperties($filter=id eq '{property}')"
    );
    let (_, shown) = world.get(&expand).await;
    assert_eq!(shown["singleValueExtendedProperties"], json!([{"id": property, "value": "x"}]));
    assert_eq!(shown["subject"], Value::Null);
    for (body, status) in [
        (json!({"subject": "other"}), 400),
        (json!({"singleValueExtendedProperties": [{"id": "Filed", "value": "x"}]}), 400),
        (json!([]), 400),
    ] {
        assert_eq!(world.ask(Method::PATCH, &path, Some(&body)).await.0, status, "{body}");
    }
    let bytes = world.send(Method::GET, &format!("{path}/$value"), None).await.bytes().await.unwrap();
    assert_eq!(bytes, mime("1"));
    world.control.update_switches(|it| it.may_write = false);
    assert_eq!(world.ask(Method::PATCH, &path, Some(&json!({"isRead": true}))).await.0, 403);
    world.control.update_switches(|it| it.may_write = true);
    assert_eq!(world.ask(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(world.control.messages(POST, "deleteditems").len(), 1);
}

#[tokio::test]
async fn folders_are_listed_in_pages_and_made() {
    let world = World::new().await;
    for name in 0..12 {
        let (status, made) = world
            .ask(
                Method::POST,
                &format!("users/{POST}/mailFolders"),
                Some(&json!({"displayName": name.to_string()})),
            )
            .await;
        assert_eq!((status, &made["displayName"]), (201, &json!(name.to_string())));
    }
    let again = world
        .refusal(Method::POST, &format!("users/{POST}/mailFolders"), Some(&json!({"displayName": "3"})))
        .await;
    assert_eq!(again, (409, "ErrorFolderExists".to_owned()));
    let (_, first) = world.get(&format!("users/{POST}/mailFolders?$top=100")).await;
    let (_, second) = world.get(&text(&first["@odata.nextLink"])).await;
    let count = |page: &Value| page["value"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second), &second["@odata.nextLink"]), (10, 7, &Value::Null));
    let id = world.control.add_folder(POST, "inbox", "Clients");
    let (_, children) = world.get(&format!("users/{POST}/mailFolders/inbox/childFolders")).await;
    assert_eq!(children["value"][0]["id"], json!(id));
    assert_ne!(world.control.deliver(POST, "Inbox/Clients", &mime("1")), "");
    assert_eq!(world.control.deliver(POST, "Nowhere", &mime("1")), "");
}
