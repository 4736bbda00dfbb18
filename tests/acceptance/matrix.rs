//! The matrix that users judge by, its first column: a document is saved into each DMS, into the workspace and folder that are chosen for
//! the user. By the real binary, with a simulator of each vendor or a real server beside it. (The second column is `dms_accounts`.)

use postroom_tests::dms::{self, Dms};
use postroom_tests::process::run;
use postroom_tests::wait::{self, PATIENCE};
use postroom_tests::world::MATTER;
use postroom_tests::{Upload, World};
use serde_json::{Value, json};

use crate::document;

async fn saved(dms: Box<dyn Dms>) {
    let kind = dms.kind();
    let mut world = World::new("matrix").with_dms(dms).start().await;
    // Names that a DMS may not take as they are, equal names, and one that is sent in pieces.
    let large = vec![b'x'; 3 << 20];
    let upload = Upload::to(MATTER)
        .file("Brief an Müller.pdf", document(1))
        .file("a/b: c?.pdf", document(2))
        .file("a/b: c?.pdf", document(3))
        .file("large.bin", large);
    let accepted = world.deposit(upload).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    let place = world.dms().place();
    let deposits = world.deposits();
    assert_eq!(deposits.len(), 4, "{kind}: {deposits:#?}");
    for deposit in &deposits {
        assert_eq!(deposit.place, place, "{kind}: {deposit:#?}");
    }
    for (id, _) in &accepted.filings {
        let filing = world.op().filing(id).await;
        let receipt = &filing["receipt"];
        assert!(receipt["document"].as_str().is_some_and(|it| !it.is_empty()), "{kind}: {filing:#}");
        assert!(receipt["link"].as_str().is_some_and(|it| it.starts_with("http")), "{kind}: {filing:#}");
    }
    world.assert_exactly_once(&[accepted]).await;
    world.stop().await;
}

#[tokio::test]
async fn a_document_is_saved_into_imanage() {
    saved(dms::Imanage::start(1)).await;
}

#[tokio::test]
async fn a_document_is_saved_into_netdocuments() {
    saved(dms::Netdocuments::start(2)).await;
}

#[tokio::test]
async fn a_document_is_saved_into_highq() {
    saved(dms::Highq::start(3)).await;
}

#[tokio::test]
async fn a_document_is_saved_into_webdav() {
    saved(dms::Webdav::start(4).await).await;
}

/// Ids are discovered and not pasted: without a server, and from one that runs.
#[tokio::test]
async fn libraries_cabinets_and_sites_are_discovered() {
    for (dms, id, name) in [
        (dms::Imanage::start(5) as Box<dyn Dms>, "ACTIVE", ""),
        (dms::Netdocuments::start(6), "NG-1A2B3C4D", "Client Files"),
        (dms::Highq::start(7), "101", "Harrow v Teal"),
    ] {
        let kind = dms.kind();
        let mut world = World::new("discover").with_dms(dms).build();
        let config = world.config().display().to_string();
        for running in [false, true] {
            if running {
                world.start().await;
            }
            // By its name, and by its kind.
            for wanted in ["dms", kind] {
                let output = run("postroom", &["discover", wanted, "--config", &config]).await;
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{kind} {running}: {said}{error}");
                assert!(said.contains(id) && said.contains(name), "{kind} {running}: {said}");
            }
        }
        let output = run("postroom", &["discover", "elsewhere", "--config", &config]).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains("no destination \"elsewhere\""), "{error}");
        world.stop().await;
    }
}

/// Where the rules find no place, a person chooses one in the DMS's own tree: by a search, then folder by folder.
async fn chosen(dms: Box<dyn Dms>) {
    let kind = dms.kind();
    let mut world = World::new("chosen").with_dms(dms).start().await;
    let accepted = world.deposit(Upload::to("10442-0999").file("a.pdf", document(1))).await;
    let id = accepted.filing().to_owned();
    let op = world.op();
    wait::until("the filing looked in vain", PATIENCE, || async {
        (op.filing(&id).await["cause"]["code"] == "target_not_found").then_some(())
    })
    .await;
    let items = |answer: Value| answer["items"].as_array().cloned().unwrap_or_default();
    let found = items(op.ok("/api/v1/destinations/dms/places?text=Harrow").await);
    let matter = found.iter().find(|it| it["name"] == "Harrow v Teal");
    let matter = matter.unwrap_or_else(|| panic!("{kind}: {found:#?}")).clone();
    let mut open = vec![matter];
    let folder = loop {
        let place = open.pop().unwrap_or_else(|| panic!("{kind}: no folder for letters"));
        if place["name"] == "Correspondence" {
            break place;
        }
        let path = format!("/api/v1/destinations/dms/places/{}/folders", place["id"].as_str().unwrap());
        open.extend(items(op.ok(&path).await));
    };
    assert_eq!((&folder["open"], &folder["kind"]), (&true.into(), &"folder".into()), "{kind}: {folder:#}");
    let edit = json!({"reason": "chosen", "workspace": {"id": folder["dms_id"]}, "folder": []});
    // It may be trying again in this very moment; then who decides is told so, and looks again.
    wait::until("it was decided", PATIENCE, || async {
        let answer = op.decide(&id, "edit", &edit).await;
        assert!([200, 409, 412].contains(&answer.status), "{kind}: {}", answer.text());
        (answer.status == 200).then_some(())
    })
    .await;
    world.in_state(&id, &["filed"]).await;
    let deposits = world.deposits();
    assert_eq!(
        deposits.iter().map(|it| it.place.clone()).collect::<Vec<_>>(),
        [world.dms().place()],
        "{kind}"
    );
    world.assert_exactly_once(&[accepted]).await;
    world.stop().await;
}

#[tokio::test]
async fn a_place_is_chosen_in_imanage() {
    chosen(dms::Imanage::start(11)).await;
}

#[tokio::test]
async fn a_place_is_chosen_in_netdocuments() {
    chosen(dms::Netdocuments::start(12)).await;
}

#[tokio::test]
async fn a_place_is_chosen_in_highq() {
    chosen(dms::Highq::start(13)).await;
}
