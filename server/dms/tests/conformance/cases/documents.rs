//! What is done with documents that are there: told of, listed, named, moved, copied, deleted.

use std::collections::BTreeMap;

use postroom_domain::dms::{DmsError, Document, Found, Receipt, Thing};
use url::Url;

use crate::content::Made;
use crate::table::Outcome;
use crate::world::{World, actor, ask, fetch, send};

crate::worlds::cases![
    a_document_is_told_of,
    documents_in_a_folder_are_listed,
    long_listings_of_documents_are_read_without_gaps_or_repeats,
    a_profile_is_changed_and_the_mark_stays,
    a_document_is_renamed,
    a_document_is_moved,
    a_document_is_copied,
    a_document_is_deleted,
    a_link_opens_in_a_browser,
];

async fn filed(world: &dyn World, name: &str, n: u128) -> (Receipt, Made) {
    let content = Made::new(1_000 + u64::try_from(n).unwrap(), u8::try_from(n).unwrap());
    let receipt = send(world.dms(), &world.folder(), name, n, &content).await.0.unwrap();
    (receipt, content)
}

/// The names of all documents in a folder.
async fn listed(world: &dyn World, folder: &str) -> Vec<Document> {
    let (mut found, mut page) = (Vec::new(), None::<String>);
    for _ in 0..1_000 {
        let listed = world.dms().documents(&actor(), "", folder, page.as_deref()).await.unwrap();
        found.extend(listed.items);
        match listed.next {
            Some(next) => page = Some(next),
            None => return found,
        }
    }
    panic!("no end after {} documents", found.len());
}

async fn names(world: &dyn World, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = listed(world, folder).await.into_iter().map(|found| found.name).collect();
    names.sort();
    names
}

/// Whether a document lies where it should, as far as the DMS tells.
fn lies_in(document: &Document, folder: &str) {
    assert!(document.container.as_deref().is_none_or(|container| container == folder), "{document:?}");
}

async fn a_document_is_told_of(world: &dyn World) -> Outcome {
    let (receipt, content) = filed(world, "Brief an Müller.pdf", 1).await;
    let told = world.dms().document(&actor(), "", &receipt.document).await.unwrap();
    assert_eq!((told.id.as_str(), told.name.as_str()), (receipt.document.as_str(), "Brief an Müller.pdf"));
    assert!(told.size.is_none_or(|size| size == content.size), "{told:?}");
    assert_eq!(told.locked_by, None, "{told:?}");
    lies_in(&told, &world.folder());
    Outcome::Held
}

async fn documents_in_a_folder_are_listed(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().list_documents {
        return Outcome::Off("list_documents");
    }
    assert_eq!(names(world, &world.folder()).await, Vec::<String>::new());
    let (first, content) = filed(world, "a.pdf", 1).await;
    filed(world, "b.docx", 2).await;
    let found = listed(world, &world.folder()).await;
    let ours = found.iter().find(|found| found.id == first.document).unwrap();
    assert_eq!(ours.name, "a.pdf");
    assert!(ours.size.is_none_or(|size| size == content.size), "{ours:?}");
    assert_eq!(names(world, &world.folder()).await, ["a.pdf", "b.docx"]);
    let error = world.dms().documents(&actor(), "", &world.missing_folder(), None).await.unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
    Outcome::Held
}

async fn long_listings_of_documents_are_read_without_gaps_or_repeats(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().list_documents {
        return Outcome::Off("list_documents");
    }
    let large = world.with_documents(5_000).expect("a world that lists documents makes them");
    let wanted: Vec<String> = (0..5_000).map(|n| format!("document-{n:04}.txt")).collect();
    assert_eq!(names(world, &large).await, wanted);
    Outcome::Held
}

async fn a_profile_is_changed_and_the_mark_stays(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().set_profile {
        return Outcome::Off("set_profile");
    }
    let (field, value) = world.profile_change().expect("a world with profiles knows a field");
    let (receipt, content) = filed(world, "letter.pdf", 1).await;
    let fields = BTreeMap::from([(field.to_owned(), value.to_owned())]);
    world.dms().set_profile(&actor(), "", &receipt.document, &fields).await.unwrap();
    let told = world.dms().document(&actor(), "", &receipt.document).await.unwrap();
    assert_eq!(told.fields.get(field).map(String::as_str), Some(value), "{told:?}");
    assert_eq!(told.name, "letter.pdf", "what is not named stays");
    assert!(matches!(ask(world.dms(), &world.folder(), "letter.pdf", 1).await.unwrap(), Found::Yes(_)));
    let error = world.dms().set_profile(&actor(), "", &world.missing_folder(), &fields).await.unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
    assert_eq!(world.held().iter().map(|held| &held.blake3).collect::<Vec<_>>(), [&content.hex()]);
    Outcome::Held
}

async fn a_document_is_renamed(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().rename {
        return Outcome::Off("rename");
    }
    let (receipt, content) = filed(world, "letter.pdf", 1).await;
    let renamed = world.dms().rename(&actor(), "", &receipt.document, "Reply – draft.docx").await.unwrap();
    assert_eq!(renamed.name, "Reply – draft.docx");
    let told = world.dms().document(&actor(), "", &renamed.id).await.unwrap();
    assert_eq!((told.id, told.name), (renamed.id.clone(), renamed.name));
    assert_eq!(fetch(world.dms(), &renamed.id, None).await.unwrap(), (content.hex(), content.size));
    let found = ask(world.dms(), &world.folder(), "Reply – draft.docx", 1).await.unwrap();
    assert!(matches!(found, Found::Yes(_)), "{found:?}");
    let error = world.dms().rename(&actor(), "", &world.missing_folder(), "x.pdf").await.unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
    assert_eq!(world.held().len(), 1);
    Outcome::Held
}

async fn a_document_is_moved(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().move_documents {
        return Outcome::Off("move_documents");
    }
    let (from, to) = (world.folder(), world.other_folder().expect("a world that moves has two folders"));
    let (receipt, content) = filed(world, "letter.pdf", 1).await;
    let moved = world.dms().move_document(&actor(), "", &receipt.document, &from, &to).await.unwrap();
    assert_eq!(moved.name, "letter.pdf");
    lies_in(&moved, &to);
    assert_eq!(fetch(world.dms(), &moved.id, None).await.unwrap(), (content.hex(), content.size));
    let found = ask(world.dms(), &to, "letter.pdf", 1).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    assert_eq!(found.document, moved.id);
    if world.dms().capabilities().list_documents {
        assert_eq!(names(world, &from).await, Vec::<String>::new());
        assert_eq!(names(world, &to).await, ["letter.pdf"]);
    }
    for (document, from, to) in
        [(&world.missing_folder(), &to, &from), (&moved.id, &to, &world.missing_folder())]
    {
        let error = world.dms().move_document(&actor(), "", document, from, to).await.unwrap_err();
        assert!(matches!(error, DmsError::NotFound(_)), "{document}: {error:?}");
    }
    assert_eq!(world.held().len(), 1);
    Outcome::Held
}

pub(crate) async fn a_document_is_copied(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().copy_documents {
        return Outcome::Off("copy_documents");
    }
    let (from, to) = (world.folder(), world.other_folder().expect("a world that copies has two folders"));
    let (receipt, content) = filed(world, "letter.pdf", 1).await;
    let copy = world.dms().copy_document(&actor(), "", &receipt.document, &to).await.unwrap();
    assert_ne!(copy.id, receipt.document);
    lies_in(&copy, &to);
    for id in [&copy.id, &receipt.document] {
        assert_eq!(fetch(world.dms(), id, None).await.unwrap(), (content.hex(), content.size), "{id}");
    }
    // A copy carries the mark, so that nobody repeats a copy blindly; in its own folder the original still is the only one.
    let found = ask(world.dms(), &from, "letter.pdf", 1).await.unwrap();
    let Found::Yes(found) = found else { panic!("{found:?}") };
    assert_eq!(found.document, receipt.document);
    let error = world
        .dms()
        .copy_document(&actor(), "", &receipt.document, &world.missing_folder())
        .await
        .unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
    assert_eq!(world.held().len(), 2);
    Outcome::Held
}

async fn a_document_is_deleted(world: &dyn World) -> Outcome {
    if !world.dms().capabilities().delete_documents {
        return Outcome::Off("delete_documents");
    }
    let (first, _) = filed(world, "letter.pdf", 1).await;
    let (_, kept) = filed(world, "other.pdf", 2).await;
    if world.dms().capabilities().versions {
        let (folder, version) = (world.folder(), Made::new(20, 3));
        let sent =
            crate::world::send_onto(world.dms(), &folder, &first.document, "letter.pdf", 3, &version).await;
        sent.0.unwrap();
    }
    world.dms().delete_document(&actor(), "", &first.document).await.unwrap();
    // With all its versions, and nothing else.
    assert_eq!(world.held().iter().map(|held| &held.blake3).collect::<Vec<_>>(), [&kept.hex()]);
    let error = world.dms().document(&actor(), "", &first.document).await.unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
    let error = world.dms().download(&actor(), "", &first.document, None).await.map(drop).unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
    assert_eq!(ask(world.dms(), &world.folder(), "letter.pdf", 1).await.unwrap(), Found::No);
    match world.dms().delete_document(&actor(), "", &first.document).await {
        Ok(()) | Err(DmsError::NotFound(_)) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(world.held().len(), 1);
    Outcome::Held
}

async fn a_link_opens_in_a_browser(world: &dyn World) -> Outcome {
    let (receipt, _) = filed(world, "Brief an Müller.pdf", 1).await;
    let (folder, document) = (world.folder(), receipt.document.as_str());
    let things = [Thing::Document(document), Thing::Folder(&folder), Thing::Workspace(&folder)];
    let links: Vec<Option<String>> = things.iter().map(|thing| world.dms().permalink(*thing)).collect();
    for (thing, link) in things.iter().zip(&links) {
        let Some(link) = link else { continue };
        let url = Url::parse(link).unwrap_or_else(|e| panic!("{thing:?}: {link}: {e}"));
        assert!(["http", "https", "file"].contains(&url.scheme()), "{link}");
        assert_eq!(url.as_str(), link, "{thing:?}: ready to be put into a page");
    }
    assert_eq!(receipt.link, links[0], "the receipt's link is the document's");
    if links.iter().all(Option::is_none) { Outcome::NotHere("no pages of its own") } else { Outcome::Held }
}
