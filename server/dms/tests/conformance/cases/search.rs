//! What helps a person to choose: words, shelves, lists of values.

use postroom_domain::dms::{ContainerKind, LookupQuery, LookupRow, Shelf};
use postroom_domain::target::WorkspaceQuery;

use crate::table::Outcome;
use crate::world::{World, actor};

crate::worlds::cases![
    workspaces_are_searched_by_words,
    a_shelf_of_recent_workspaces_is_read,
    a_shelf_of_favourites_is_read,
    values_of_fields_are_looked_up,
];

async fn workspaces_are_searched_by_words(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().search_workspaces {
        return Outcome::Off("search_workspaces");
    }
    let words = async |text: &str| {
        let (mut found, mut page) = (Vec::new(), None::<String>);
        loop {
            let listed = world.dms().search_workspaces(&actor(), "", text, page.as_deref()).await.unwrap();
            found.extend(listed.items);
            assert!(found.len() < 10_000, "no end");
            match listed.next {
                Some(next) => page = Some(next),
                None => break found,
            }
        }
    };
    for text in ["Harrow v Teal", "Harrow v"] {
        let found = words(text).await;
        let ours: Vec<_> = found.iter().filter(|it| it.name == "Harrow v Teal").collect();
        assert_eq!(ours.len(), 1, "{text}: {found:?}");
        assert_eq!(ours[0].kind, ContainerKind::Workspace, "{text}");
    }
    for text in ["No such matter at all", "*", "\"", "%", "' or 1=1"] {
        // Whatever stands for "anything" in the DMS's own language is a word here.
        assert_eq!(words(text).await, [], "{text:?}");
    }
    Outcome::Held
}

async fn shelf(world: &dyn World, shelf: Shelf) -> Outcome {
    let title = WorkspaceQuery::Title("Harrow v Teal".to_owned());
    let workspace = world.dms().find_workspaces(&actor(), "", &title, 1).await.unwrap().remove(0);
    assert!(world.shelve(shelf, &workspace.id), "a world with shelves fills them");
    let found = world.dms().shelf(&actor(), "", shelf).await.unwrap();
    let found: Vec<(&str, ContainerKind)> = found.iter().map(|it| (it.name.as_str(), it.kind)).collect();
    assert_eq!(found, [("Harrow v Teal", ContainerKind::Workspace)]);
    Outcome::Held
}

async fn a_shelf_of_recent_workspaces_is_read(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().recent {
        return Outcome::Off("recent");
    }
    shelf(world, Shelf::Recent).await
}

async fn a_shelf_of_favourites_is_read(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().favourites {
        return Outcome::Off("favourites");
    }
    shelf(world, Shelf::Favourites).await
}

async fn values_of_fields_are_looked_up(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().lookups {
        return Outcome::Off("lookups");
    }
    let wanted = world.looked().expect("a world with lookups knows a value");
    let look = async |text: &str, parent: Option<&str>| {
        let (mut found, mut page) = (Vec::new(), None::<String>);
        loop {
            let query = LookupQuery { field: wanted.field, parent, text };
            let listed = world.dms().lookup(&actor(), "", query, page.as_deref()).await.unwrap();
            found.extend(listed.items);
            assert!(found.len() < 10_000, "no end");
            match listed.next {
                Some(next) => page = Some(next),
                None => break found,
            }
        }
    };
    let row =
        LookupRow { key: wanted.key.to_owned(), description: wanted.description.to_owned(), open: true };
    assert_eq!(look(wanted.text, wanted.parent).await, std::slice::from_ref(&row));
    assert!(look("", wanted.parent).await.contains(&row), "no text lists all");
    assert_eq!(look("no such value", wanted.parent).await, []);
    if wanted.parent.is_some() {
        assert_eq!(look(wanted.text, Some("99999")).await, [], "nothing below a parent that is not there");
    }
    Outcome::Held
}
