//! What becomes of the source: a copy, given up for a link after the DMS gave the document back, or kept together with its versions.

use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};
use serde_json::{Value, json};

use crate::document;

/// A repository for scans in the folder DMS and what it says besides.
fn repository(name: &str, area: &str, more: &str) -> String {
    format!(
        "\n[[repositories]]\nname = \"{name}\"\narea = \"{area}\"\nservice = \"files\"\nresolver = \"default\"\n\
         resolver_config = \"[workitem.reference]\"\nfolder = \"Correspondence\"\ncreate_folders = true\n{more}\n"
    )
}

#[tokio::test]
async fn a_source_is_given_up_for_a_link_and_the_original_tells_where_it_is() {
    let more = repository("given-up", "service_requests", "save_mode = \"replace_with_link\"");
    let mut world = World::new("replace").with_folder_dms().with_settings(&more).start().await;
    let copied = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    let by_rule =
        world.deposit(Upload::to(MATTER).meta("area", "service_requests").file("b.pdf", document(2))).await;
    let by_word = world
        .deposit(Upload::to(MATTER).meta("save_mode", "replace_with_link").file("c.pdf", document(3)))
        .await;
    let all = [copied, by_rule, by_word];
    world.all_filed(&all).await;
    let op = world.op();
    for (number, (accepted, replaced)) in all.iter().zip([false, true, true]).enumerate() {
        let filing = op.filing(accepted.filing()).await;
        assert_eq!(filing["released"].is_string(), replaced, "{filing:#}");
        let original = op.get(&format!("/api/v1/intakes/{}/original", accepted.intake)).await;
        if replaced {
            assert_eq!((original.status, original.code()), (410, "released"), "{}", original.text());
            let document = filing["receipt"]["document"].as_str().unwrap();
            assert!(original.text().contains(document), "{}", original.text());
        } else {
            assert_eq!(original.status, 200, "{number}");
        }
    }
    world.assert_exactly_once(&all).await;
}

#[tokio::test]
async fn a_kill_between_upload_and_read_back_loses_nothing_and_doubles_nothing() {
    let mut world = World::new("replace-kill").with_imanage(sample()).start().await;
    let mut accepted = Vec::new();
    for number in 0..12 {
        let upload = Upload::to(MATTER).meta("save_mode", "replace_with_link");
        accepted.push(world.deposit(upload.file(&format!("{number}.pdf"), document(number))).await);
        if number % 3 == 2 {
            world.kill().await;
            world.start().await;
        }
    }
    world.all_filed(&accepted).await;
    let op = world.op();
    for one in &accepted {
        let filing = op.filing(one.filing()).await;
        assert!(filing["released"].is_string(), "{filing:#}");
        assert_eq!(op.get(&format!("/api/v1/intakes/{}/original", one.intake)).await.status, 410);
    }
    world.assert_exactly_once(&accepted).await;
}

#[tokio::test]
async fn a_document_that_stays_linked_becomes_versions_or_is_refused() {
    let mut world = World::new("linked-saves").with_folder_dms().start().await;
    let save = |content: Vec<u8>, document: &str| {
        Upload::to(MATTER).meta("document", document).file("deed.docx", content)
    };
    let first = world.deposit(save(document(1), "deed")).await;
    let filed = world.in_state(first.filing(), &["filed"]).await;
    assert_eq!(filed["save_mode"], "keep_linked");
    let there = filed["receipt"]["document"].clone();
    // The same again: nothing is sent, and the answer names the document that is there.
    let again = world.deposit(save(document(1), "deed")).await;
    let repeat = world.op().filing(again.filing()).await;
    assert_eq!((&repeat["state"], &repeat["duplicate_of"]), (&json!("duplicate"), &json!(first.filing())));
    assert_eq!(repeat["receipt"]["document"], there);
    // Another document with the same content is another document.
    let other = world.deposit(save(document(1), "will")).await;
    let filed = world.in_state(other.filing(), &["filed"]).await;
    assert_ne!(filed["receipt"]["document"], there);
    // Other content is a version of it, also while the one before is still under way; never a second document.
    let mut last = Value::Null;
    let mut saves = Vec::new();
    for number in 2..6 {
        saves.push(world.deposit(save(document(number), "deed")).await);
    }
    for one in &saves {
        last = world.in_state(one.filing(), &["filed"]).await;
        assert_eq!(last["receipt"]["document"], there, "{last:#}");
    }
    let mut names: Vec<String> = world.deposits().into_iter().map(|deposit| deposit.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 2, "two documents, whatever their versions: {names:?}");
    assert!(last["receipt"]["version"].is_string(), "{last:#}");
}

#[tokio::test]
async fn what_is_said_of_the_source_must_fit_together() {
    let world = World::new("modes").with_folder_dms().start().await;
    let op = world.op();
    let upload = |fields: &[(&str, &str)], files: u64| {
        let mut upload = Upload::to(MATTER);
        for (field, value) in fields {
            upload = upload.meta(field, *value);
        }
        (0..files).fold(upload, |upload, number| upload.file("a.pdf", document(number)))
    };
    for (fields, files, word) in [
        (&[("save_mode", "keep_linked")][..], 1, "document"),
        (&[("save_mode", "copy"), ("document", "deed")], 1, "document"),
        (&[("save_mode", "replace_with_link"), ("document", "deed")], 1, "document"),
        (&[("document", "deed")], 2, "document"),
        (&[("document", " deed")], 1, "document"),
        (&[("save_mode", "move")], 1, "expected one of `copy`"),
    ] {
        let answer = op.upload(&upload(fields, files)).await;
        assert_eq!(answer.status, 400, "{fields:?}: {}", answer.text());
        assert!(answer.text().contains(word), "{fields:?}: {}", answer.text());
    }
    assert_eq!(op.filings("").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_blocked_attachment_is_withheld_and_the_rest_is_filed() {
    let more = repository("mail", "inbound_email", "blocked_extensions = [\"exe\", \"js\"]");
    let mut world = World::new("blocked").with_folder_dms().with_settings(&more).start().await;
    let program = [b"MZ".as_slice(), &[0; 300]].concat();
    let upload = Upload::to(MATTER)
        .meta("area", "inbound_email")
        .file("letter.pdf", document(1))
        .file("invoice.exe.pdf", document(2))
        .file("Invoice.EXE. ", document(3))
        .file("picture.jpg", program)
        .file("notes.txt", b"plain words".to_vec());
    let accepted = world.deposit(upload).await;
    let op = world.op();
    let intake = until("the rest is filed", PATIENCE, || async {
        let intake = op.intake(&accepted.intake).await;
        let filed =
            intake["filing_items"].as_array()?.iter().filter(|filing| filing["state"] == "filed").count();
        (filed == 2).then_some(intake)
    })
    .await;
    let items = intake["filing_items"].as_array().unwrap();
    let told: Vec<(&str, &str, &str)> = items
        .iter()
        .map(|filing| {
            let cause = filing["cause"]["code"].as_str().unwrap_or("");
            (filing["file_name"].as_str().unwrap(), filing["state"].as_str().unwrap(), cause)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("letter.pdf", "filed", ""),
            ("invoice.exe.pdf", "failed", "withheld"),
            ("Invoice.EXE. ", "failed", "withheld"),
            ("picture.jpg", "failed", "withheld"),
            ("notes.txt", "filed", ""),
        ]
    );
    assert_eq!((&intake["state"], &intake["open_filings"]), (&json!("split"), &json!(3)));
    // A retry sends nothing either; a person ends it.
    let id = items[3]["id"].as_str().unwrap();
    op.decide(id, "retry", &json!({"reason": "try"})).await.expect(200);
    world.in_state(id, &["failed"]).await;
    assert_eq!(world.deposits().len(), 2);
    for item in &items[1..4] {
        let id = item["id"].as_str().unwrap();
        op.decide(id, "cancel", &json!({"reason": "not wanted"})).await.expect(200);
    }
    assert_eq!(op.intake(&accepted.intake).await["state"], "settled");
}
