//! iManage's documents after they were filed: versions, profiles, names, places, locks.

use std::collections::BTreeMap;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Dms, DmsError, Document, Found, Thing};
use postroom_sims::imanage::{Action, Fire, Rule};

use crate::cases;
use crate::content::Made;
use crate::table::Outcome;
use crate::world::{FOLDER, Simulated, World, actor, ask, ask_onto, fetch, mark, send, send_onto};

/// Another folder of the same workspace.
const OTHER: &str = "ACTIVE!3654";

/// Somebody makes a new version in iManage itself, which takes the comment of the one before.
async fn by_hand(world: &Simulated, document: &str, token: &str) {
    let url =
        format!("{}/work/api/v2/customers/1/libraries/ACTIVE/documents/{document}/versions", world.sim.url());
    let form = reqwest::multipart::Form::new()
        .text("profile", r#"{"doc_profile":{"extension":"docx"}}"#)
        .part("file", reqwest::multipart::Part::bytes(b"by hand".to_vec()).file_name("x.docx"));
    let answer = reqwest::Client::new().post(url).header("x-auth-token", token).multipart(form).send().await;
    assert!(answer.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_later_versions_carry_on_is_the_first_ones() {
    for line in ["", "probe = \"listing\"", "probe = \"search\"", "mark_field = \"custom13\""] {
        let world = Simulated::with(line);
        let token = world.control.issue_token("MPATEL").unwrap();
        let first = send(&world.dms, FOLDER, "letter.docx", 1, &Made::new(10, 1)).await.0.unwrap();
        by_hand(&world, &first.document, &token).await;
        let (second, _) =
            send_onto(&world.dms, FOLDER, &first.document, "letter.docx", 2, &Made::new(20, 2)).await;
        let second = second.unwrap();
        by_hand(&world, &first.document, &token).await;
        assert_eq!((first.version.as_deref(), second.version.as_deref()), (Some("1"), Some("3")), "{line}");
        for (n, receipt) in [(1, &first), (2, &second)] {
            let found = ask_onto(&world.dms, FOLDER, &first.document, "letter.docx", n).await.unwrap();
            assert_eq!(found, Found::Yes((*receipt).clone()), "{line} {n}");
        }
        let found = ask(&world.dms, FOLDER, "letter.docx", 1).await.unwrap();
        assert_eq!(found, Found::Yes(first), "{line}");
        assert_eq!(world.held().len(), 4, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_its_newest_version_whichever_the_id_names() {
    for knows in [true, false] {
        let world = Simulated::with("page = 2");
        world.control.update_switches(|switches| switches.knows_is_latest = knows);
        let mut ids = vec![send(&world.dms, FOLDER, "a.pdf", 0, &Made::new(10, 0)).await.0.unwrap().document];
        for n in 1..6_u8 {
            let content = Made::new(10 + u64::from(n), n);
            let sent = send_onto(&world.dms, FOLDER, &ids[0], "a.pdf", u128::from(n), &content).await;
            ids.push(sent.0.unwrap().document);
        }
        for id in &ids {
            let told = world.dms.document(&actor(), "", id).await.unwrap();
            assert_eq!((&told.id, told.size), (&ids[5], Some(15)), "{knows} {id}");
            assert_eq!(fetch(&world.dms, id, None).await.unwrap().1, 15, "{knows} {id}");
            assert_eq!(fetch(&world.dms, id, Some("2")).await.unwrap().1, 11, "{knows} {id}");
        }
        let listed = world.dms.documents(&actor(), "", FOLDER, None).await.unwrap().items;
        let listed: Vec<(&str, Option<&str>)> =
            listed.iter().map(|it| (it.id.as_str(), it.container.as_deref())).collect();
        assert_eq!(listed, [(ids[5].as_str(), Some(FOLDER))], "{knows}");
        // What is changed is the newest one.
        let renamed = world.dms.rename(&actor(), "", &ids[0], "b.docx").await.unwrap();
        assert_eq!((renamed.id.as_str(), renamed.name.as_str()), (ids[5].as_str(), "b.docx"), "{knows}");
        assert_eq!(world.dms.document(&actor(), "", &ids[2]).await.unwrap().name, "b.docx");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_takes_what_it_takes_and_never_loses_its_mark() {
    let world = Simulated::new();
    let id = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap().document;
    let set = async |fields: &[(&str, &str)]| {
        let fields: BTreeMap<String, String> =
            fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
        world.dms.set_profile(&actor(), "", &id, &fields).await
    };
    set(&[("comment", "seen by Mina"), ("custom17", "12.5"), ("custom25", "true")]).await.unwrap();
    assert_eq!(world.control.documents()[0].comment, format!("{}\nseen by Mina", mark(1)));
    set(&[("comment", "")]).await.unwrap();
    assert_eq!(world.control.documents()[0].comment, mark(1).to_string());
    assert!(matches!(ask(&world.dms, FOLDER, "letter.pdf", 1).await.unwrap(), Found::Yes(_)));
    for (field, value) in
        [("custom2", "0007"), ("custom17", "many"), ("custom25", "yes"), ("name", "x"), ("extension", "exe")]
    {
        let error = set(&[(field, value)]).await.unwrap_err();
        let fits = matches!(&error, DmsError::Rejected { field: Some(told), .. } if told == field);
        assert!(fits, "{field}: {error:?}");
    }
    // What only the server knows comes back with its field.
    let error = set(&[("custom1", "99999")]).await.unwrap_err();
    assert!(
        matches!(&error, DmsError::Rejected { field: Some(field), .. } if field == "custom1"),
        "{error:?}"
    );
    let told = world.dms.document(&actor(), "", &id).await.unwrap();
    let field = |name: &str| told.fields.get(name).map(String::as_str);
    assert_eq!(
        (field("custom17"), field("custom25"), told.name.as_str()),
        (Some("12.5"), Some("true"), "letter.pdf")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_takes_all_versions_and_the_newest_one_last() {
    let world = Simulated::new();
    let id = send(&world.dms, FOLDER, "letter.pdf", 0, &Made::new(10, 0)).await.0.unwrap().document;
    for n in 1..3_u8 {
        let content = Made::new(10 + u64::from(n), n);
        send_onto(&world.dms, FOLDER, &id, "letter.pdf", u128::from(n), &content).await.0.unwrap();
    }
    // Interrupted in the middle, what is left still is the document, and the rest can be deleted by any of its ids.
    world.control.add_fault(Rule::on("delete_document", Action::Close {}).fire(Fire::Nth(2)));
    let error = world.dms.delete_document(&actor(), "", &id).await.unwrap_err();
    assert!(matches!(error, DmsError::Unavailable(_)), "{error:?}");
    assert_eq!(world.held().iter().map(|held| held.size).collect::<Vec<_>>(), [11, 12]);
    assert_eq!(fetch(&world.dms, &id, None).await.map(|it| it.1).unwrap_or_default(), 12);
    world.control.clear_faults();
    let newest = world.held()[1].id.clone();
    world.dms.delete_document(&actor(), "", &newest).await.unwrap();
    assert_eq!(world.held(), []);
    let error = world.dms.delete_document(&actor(), "", &id).await.unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_document_is_told_whatever_the_refusal_says() {
    for (line, status) in [("", 409), ("", 403), ("locked_words = []", 409), ("locked_words = []", 403)] {
        let world = Simulated::with(line);
        world.control.update_switches(|switches| switches.locked_status = status);
        let id = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap().document;
        assert!(world.lock(&id).is_some());
        let fields = BTreeMap::from([("custom3".to_owned(), "LIT".to_owned())]);
        let (version, _) = send_onto(&world.dms, FOLDER, &id, "letter.pdf", 2, &Made::new(11, 1)).await;
        let results = [
            ("version", version.map(drop)),
            ("profile", world.dms.set_profile(&actor(), "", &id, &fields).await),
            ("name", world.dms.rename(&actor(), "", &id, "x.pdf").await.map(drop)),
            ("move", world.dms.move_document(&actor(), "", &id, FOLDER, OTHER).await.map(drop)),
            ("delete", world.dms.delete_document(&actor(), "", &id).await),
        ];
        for (what, result) in results {
            let error = result.unwrap_err();
            let DmsError::Locked { by: Some(by), trouble } = &error else { panic!("{what}: {error:?}") };
            assert!(["TCHEN", "Tao Chen"].contains(&by.as_str()), "{what}: {by}");
            assert_eq!((trouble.cause, trouble.status), (Cause::Locked, Some(status)), "{what}");
        }
        assert_eq!(world.held().len(), 1);
    }
    // A refusal that has nothing to do with a lock stays what it is.
    let world = Simulated::new();
    let id = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap().document;
    world.forbid();
    let error = world.dms.rename(&actor(), "", &id, "x.pdf").await.unwrap_err();
    assert!(matches!(error, DmsError::Forbidden(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_starts_where_the_document_lies() {
    let world = Simulated::new();
    let id = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap().document;
    let error = world.dms.move_document(&actor(), "", &id, OTHER, FOLDER).await.unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "{error:?}");
    // A tab and a workspace take no documents.
    for place in ["ACTIVE!3651", "ACTIVE!3650"] {
        let error = world.dms.move_document(&actor(), "", &id, FOLDER, place).await.unwrap_err();
        assert!(matches!(error, DmsError::Rejected { .. } | DmsError::NotFound(_)), "{place}: {error:?}");
    }
    assert_eq!(world.control.documents()[0].folders, [FOLDER]);
    let moved: Document = world.dms.move_document(&actor(), "", &id, FOLDER, OTHER).await.unwrap();
    assert_eq!(moved.container.as_deref(), Some(OTHER));
    assert_eq!(world.control.documents()[0].folders, [OTHER]);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_made_where_the_path_is_known() {
    let world = Simulated::with("copy_path = \"documents/{id}/copy\"");
    let id = send(&world.dms, FOLDER, "first.pdf", 90, &Made::new(10, 1)).await.0.unwrap().document;
    let error = world.dms.copy_document(&actor(), "", &id, OTHER).await.unwrap_err();
    assert!(matches!(error, DmsError::NotFound(_)), "a server without the path: {error:?}");
    let world = Simulated::with("copy_path = \"documents/{id}/copy\"");
    world.control.update_switches(|switches| switches.copy_documents = true);
    assert_eq!(cases::documents::a_document_is_copied(&world).await, Outcome::Held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_by_the_settings() {
    let world = Simulated::with("link = \"{base}/work/web/dialogs/link/d/{id}\"");
    let receipt = send(&world.dms, FOLDER, "letter.pdf", 1, &Made::new(10, 1)).await.0.unwrap();
    let wanted = format!("{}/work/web/dialogs/link/d/{}", world.sim.url(), receipt.document);
    assert_eq!(world.dms.permalink(Thing::Document(&receipt.document)), Some(wanted.clone()));
    assert_eq!(receipt.link, Some(wanted));
    let folder = format!("{}/work/link/f/{FOLDER}", world.sim.url());
    assert_eq!(world.dms.permalink(Thing::Folder(FOLDER)), Some(folder));
}
