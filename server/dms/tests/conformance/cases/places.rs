//! Libraries, workspaces and folders.

use postroom_domain::dms::{Container, ContainerKind, DmsError};
use postroom_domain::target::WorkspaceQuery;

use crate::content::Made;
use crate::table::Outcome;
use crate::world::{World, actor, send};

crate::worlds::cases![
    a_connector_tells_who_it_is_and_what_it_can_do,
    workspaces_are_found_by_title,
    workspaces_are_found_by_fields_that_equal,
    long_listings_of_folders_are_read_without_gaps_or_repeats,
    folders_are_made_and_then_found,
    libraries_are_listed,
    a_workspace_is_made_once,
];

async fn a_connector_tells_who_it_is_and_what_it_can_do(world: &dyn World) -> Outcome {
    let account = world.dms().whoami().await.unwrap();
    assert!(!account.id.is_empty() && !account.name.is_empty());
    assert!(world.dms().capabilities().probe, "without it no lost answer could be settled");
    Outcome::Held
}

fn by_title(title: &str) -> WorkspaceQuery {
    WorkspaceQuery::Title(title.to_owned())
}

async fn find(world: &dyn World, query: WorkspaceQuery) -> Vec<(String, bool)> {
    let found = world.dms().find_workspaces(&actor(), "", &query, 10).await;
    let found = found.unwrap_or_else(|e| panic!("{query:?}: {e}"));
    found.into_iter().map(|container| (container.name, container.open)).collect()
}

async fn workspaces_are_found_by_title(world: &dyn World) -> Outcome {
    let harrow = [("Harrow v Teal".to_owned(), true)];
    assert_eq!(find(world, by_title("Harrow v Teal")).await, harrow);
    for other in ["harrow v teal", "Harrow v", "Teal", "Harrow v Teal ", "", "\"Harrow v Teal\"", "*", "x/y"]
    {
        assert_eq!(find(world, by_title(other)).await, [], "{other:?}");
    }
    if world.traits().equal_titles {
        let both = find(world, by_title("General advice")).await;
        assert_eq!(both.len(), 2, "both, so that a person can choose");
    }
    let found =
        world.dms().find_workspaces(&actor(), "", &by_title("Harrow v Teal"), 1).await.unwrap().remove(0);
    assert_eq!(found.kind, ContainerKind::Workspace, "{found:?}");
    assert_eq!(find(world, WorkspaceQuery::Pinned(found.id.clone())).await, harrow);
    assert_eq!(find(world, WorkspaceQuery::Pinned("ACTIVE!424242".into())).await, []);
    let again = world.dms().container(&actor(), "", &found.id).await.unwrap();
    assert_eq!((again.id, again.name), (found.id, found.name));
    Outcome::Held
}

async fn workspaces_are_found_by_fields_that_equal(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().search_by_fields {
        return Outcome::Off("search_by_fields");
    }
    let [client, matter] = world.key_fields();
    let fields = |values: &[&str]| {
        let fields = [client, matter].into_iter().zip(values);
        WorkspaceQuery::Fields(fields.map(|(field, value)| (field.to_owned(), (*value).to_owned())).collect())
    };
    assert_eq!(find(world, fields(&["10442", "0007"])).await, [("Harrow v Teal".to_owned(), true)]);
    assert_eq!(find(world, fields(&["1044", "0007"])).await, []);
    assert_eq!(find(world, fields(&["10442", "7"])).await, []);
    let closed = find(world, fields(&["10442", "0003"])).await;
    assert_eq!(closed, [("Harrow share purchase 2019".to_owned(), !world.tells_closed())]);
    assert!(find(world, fields(&["10442"])).await.len() >= 3);
    let few = world.dms().find_workspaces(&actor(), "", &fields(&["10442"]), 2).await.unwrap();
    assert_eq!(few.len(), 2, "no more than asked for");
    Outcome::Held
}

async fn long_listings_of_folders_are_read_without_gaps_or_repeats(world: &dyn World) -> Outcome {
    let large = world.with_folders(5_000);
    let (mut names, mut page, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let listed = world.dms().folders(&actor(), "", &large, page.as_deref()).await.unwrap();
        names.extend(listed.items.into_iter().map(|folder| folder.name));
        pages += 1;
        assert!(pages < 1_000, "no end");
        match listed.next {
            Some(next) => page = Some(next),
            None => break,
        }
    }
    names.sort();
    let wanted: Vec<String> = (0..5_000).map(|n| format!("folder-{n:04}")).collect();
    assert_eq!(names, wanted);
    Outcome::Held
}

async fn folders_are_made_and_then_found(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().create_folders {
        return Outcome::Off("create_folders");
    }
    let parent = world.folder();
    let made = world.dms().create_folder(&actor(), "", &parent, "From the client").await.unwrap();
    assert_eq!((made.name.as_str(), made.open), ("From the client", true));
    let listed = world.dms().folders(&actor(), "", &parent, None).await.unwrap();
    assert_eq!(listed.items.iter().map(|folder| &folder.id).collect::<Vec<_>>(), [&made.id]);
    let told: Container = world.dms().container(&actor(), "", &made.id).await.unwrap();
    assert_eq!((told.name.as_str(), told.kind), ("From the client", ContainerKind::Folder));
    let (filed, _) = send(world.dms(), &made.id, "letter.pdf", 1, &Made::new(5, 1)).await;
    assert_eq!(filed.unwrap().container, made.id);
    let again = world.dms().create_folder(&actor(), "", &parent, "From the client").await;
    if world.traits().unique_folders {
        assert!(matches!(again, Err(DmsError::Conflict { .. })), "{again:?}");
    }
    for bad in ["", "line\nbreak", &"x".repeat(300)] {
        let error = world.dms().create_folder(&actor(), "", &parent, bad).await.unwrap_err();
        let fits = matches!(&error, DmsError::Rejected { field: Some(field), .. } if field == "folder");
        assert!(fits, "{bad:?}: {error:?}");
    }
    let error = world.dms().create_folder(&actor(), "", &world.missing_folder(), "New").await.unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
    Outcome::Held
}

async fn libraries_are_listed(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().libraries {
        return Outcome::Off("libraries");
    }
    let (mut found, mut page) = (Vec::new(), None::<String>);
    loop {
        let listed = world.dms().libraries(&actor(), page.as_deref()).await.unwrap();
        found.extend(listed.items);
        assert!(found.len() < 10_000, "no end");
        match listed.next {
            Some(next) => page = Some(next),
            None => break,
        }
    }
    assert!(!found.is_empty());
    assert!(found.iter().all(|library| !library.id.is_empty() && !library.name.is_empty()), "{found:?}");
    let mut ids: Vec<&str> = found.iter().map(|library| library.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found.len(), "{found:?}");
    Outcome::Held
}

pub(crate) async fn a_workspace_is_made_once(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().create_workspaces {
        return Outcome::Off("create_workspaces");
    }
    let fields = world.new_workspace().expect("a world that makes workspaces knows what names one");
    let made = world.dms().create_workspace(&actor(), "", &fields).await.unwrap();
    assert_eq!((made.kind, made.open), (ContainerKind::Workspace, true), "{made:?}");
    let again = world.dms().create_workspace(&actor(), "", &fields).await.unwrap();
    assert_eq!(again.id, made.id, "asking twice makes one");
    let found = world.dms().find_workspaces(&actor(), "", &WorkspaceQuery::Pinned(made.id), 5).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    Outcome::Held
}
