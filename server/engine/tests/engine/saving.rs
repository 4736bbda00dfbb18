//! What becomes of the source: given up only for what the DMS gave back, and kept together with the document's versions.

use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::decide::{Decision, Grounds, decide};
use postroom_domain::event::Happening;
use postroom_domain::filing::{Filing, State};
use postroom_domain::machine::is_read_back;
use postroom_domain::person::Actor;
use postroom_domain::target::{SaveMode, Target};

use crate::double::Fault;
use crate::world::World;

fn replacing() -> Target {
    Target { save_mode: SaveMode::ReplaceWithLink, ..World::target("dms") }
}

async fn needed(world: &World, filing: &Filing) -> bool {
    world.store.names_blob(filing.request.blob.hash).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_source_goes_after_the_document_came_back_whatever_the_upload_met() {
    for fault in [
        None,
        Some(Fault::LostAnswer),
        Some(Fault::LostDocument),
        Some(Fault::Half),
        Some(Fault::Status(503)),
    ] {
        let world = World::new();
        world.clock.attach();
        world.dms().state().script = fault.into_iter().collect();
        let ids = vec![world.accept_to("scans", replacing()).await];
        let _engine = world.start().await;
        let filings = world.until_state(&ids, State::Filed).await;
        world.assert_filed_once(&filings);
        assert!(filings[0].progress.released.is_some(), "{fault:?}");
        assert_eq!(filings[0].progress.receipt.as_ref().unwrap().hash, Some(filings[0].request.blob.hash));
        assert!(!needed(&world, &filings[0]).await, "{fault:?}");
        assert_eq!(world.dms().state().downloads, 1, "{fault:?}");
    }
    // A copy is never read back, and keeps its source.
    let world = World::new();
    let ids = world.accept("scans", "dms", 1).await;
    let _engine = world.start().await;
    let filings = world.until_state(&ids, State::Filed).await;
    assert_eq!((world.dms().state().downloads, filings[0].progress.released), (0, None));
    assert!(needed(&world, &filings[0]).await);
}

#[tokio::test(start_paused = true)]
async fn while_the_dms_gives_nothing_back_the_source_stays_and_nothing_is_sent_again() {
    let world = World::new();
    world.clock.attach();
    world.dms().state().download_fault = Some(503);
    let ids = vec![world.accept_to("scans", replacing()).await];
    let engine = world.start().await;
    world
        .until(&ids, "read back in vain", |filing| {
            is_read_back(&filing.progress) && filing.progress.deferrals >= 2
        })
        .await;
    assert!(needed(&world, &world.filing(ids[0]).await).await);
    // The process ends without a word, twice, at any point of it.
    drop(engine);
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_mins(20)).await;
    drop(engine);
    world.dms().state().download_fault = None;
    let _engine = world.start().await;
    let filings = world.until_state(&ids, State::Filed).await;
    world.assert_filed_once(&filings);
    assert_eq!(world.dms().state().uploads.len(), 1);
    assert!(filings[0].progress.released.is_some());
}

#[tokio::test(start_paused = true)]
async fn killed_between_upload_and_read_back_nothing_is_lost_and_nothing_doubled() {
    let world = World::new();
    world.clock.attach();
    world.dms().state().script = [Fault::HangAfter].into();
    let ids = vec![world.accept_to("scans", replacing()).await];
    let engine = world.start().await;
    world.until_state(&ids, State::Running).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.dms().held(ids[0]).len(), 1, "it is there, and nobody knows");
    drop(engine);
    let _engine = world.start().await;
    let filings = world.until_state(&ids, State::Filed).await;
    world.assert_filed_once(&filings);
    assert_eq!(world.dms().state().uploads.len(), 1);
    assert_eq!(world.dms().state().downloads, 1);
    assert!(filings[0].progress.released.is_some());
}

#[tokio::test(start_paused = true)]
async fn something_else_that_comes_back_is_for_a_person_and_an_alert() {
    for spoil in ["other bytes!", "", "document 0 and then some"] {
        let world = World::new();
        world.clock.attach();
        world.dms().state().download_fault = Some(503);
        let ids = vec![world.accept_to("scans", replacing()).await];
        let _engine = world.start().await;
        world.until(&ids, "stored", |filing| is_read_back(&filing.progress)).await;
        {
            let dms = world.dms();
            let mut state = dms.state();
            state.ledger[0].bytes = spoil.as_bytes().to_vec();
            state.download_fault = None;
        }
        let filing = world.settle(&ids).await.remove(0);
        assert_eq!(
            (filing.progress.state, filing.progress.cause()),
            (State::Undecided, Some(Cause::WrongCopy))
        );
        assert!(filing.progress.released.is_none() && needed(&world, &filing).await);
        assert_eq!(world.dms().held(ids[0]).len(), 1, "the document stays");
        let events = world.store.events_after(0, 1000).await.unwrap();
        assert!(events.iter().any(|event| event.event.happening == Happening::Alert), "{spoil:?}");
        // A person who looked at it keeps both.
        let receipt = filing.progress.receipt.clone().unwrap();
        let grounds = Grounds {
            actor: Actor::person("op"),
            reason: "looked at it".to_owned(),
            version: None,
            bulk: None,
        };
        let after = decide(
            &*world.store,
            &*world.clock,
            &*world.entropy,
            &world.policy,
            ids[0],
            Decision::Link(receipt),
            grounds,
        )
        .await
        .unwrap();
        assert_eq!((after.progress.state, after.progress.released), (State::Filed, None));
        assert!(needed(&world, &after).await);
    }
}

/// The versions of the documents that the DMS holds: document, version, content.
fn versions(world: &World) -> Vec<(String, u32, String)> {
    let dms = world.dms();
    let state = dms.state();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    state.ledger.iter().map(|held| (held.id.clone(), held.version, text(&held.bytes))).collect()
}

fn told(rows: &[(&str, u32, &str)]) -> Vec<(String, u32, String)> {
    rows.iter().map(|(id, version, text)| ((*id).to_owned(), *version, (*text).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn saves_of_a_linked_document_are_versions_of_it() {
    let world = World::new();
    world.clock.attach();
    world.dms().state().capabilities.versions = true;
    let _engine = world.start().await;
    let mut states = Vec::new();
    // The other document has the same content, and stays another document.
    for (content, key) in [
        ("one", "deed"),
        ("one", "will"),
        ("one", "deed"),
        ("two", "deed"),
        ("two", "deed"),
        ("one", "deed"),
        ("three", "will"),
    ] {
        let filing = world.save(content, key).await;
        states.push(world.settle(&[filing.id]).await.remove(0));
    }
    let seen: Vec<State> = states.iter().map(|filing| filing.progress.state).collect();
    assert_eq!(
        seen,
        [
            State::Filed,
            State::Filed,
            State::Duplicate,
            State::Filed,
            State::Duplicate,
            State::Filed,
            State::Filed
        ]
    );
    assert_eq!(
        versions(&world),
        told(&[
            ("doc-1", 1, "one"),
            ("doc-2", 1, "one"),
            ("doc-1", 2, "two"),
            ("doc-1", 3, "one"),
            ("doc-2", 2, "three")
        ])
    );
    for repeat in [&states[2], &states[4]] {
        assert_eq!(
            repeat.progress.receipt.as_ref().unwrap().document,
            "doc-1",
            "the answer names what is there"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn saves_that_race_are_one_document_with_versions_in_their_order() {
    let mut world = World::new();
    world.settings.concurrency = 8;
    world.dms().state().capabilities.versions = true;
    world.clock.attach();
    let mut ids = Vec::new();
    for content in ["a", "b", "b", "c", "a"] {
        ids.push(world.save(content, "deed").await.id);
    }
    let _engine = world.start().await;
    let filings = world.settle(&ids).await;
    let seen: Vec<State> = filings.iter().map(|filing| filing.progress.state).collect();
    assert_eq!(seen, [State::Filed, State::Filed, State::Duplicate, State::Filed, State::Filed]);
    assert_eq!(
        versions(&world),
        told(&[("doc-1", 1, "a"), ("doc-1", 2, "b"), ("doc-1", 3, "c"), ("doc-1", 4, "a")])
    );
    assert!(world.since(&filings[4]) < 60, "who waits is told, and does not sleep its pause out");
}

#[tokio::test(start_paused = true)]
async fn a_save_waits_for_the_one_before_whatever_becomes_of_that() {
    // Its answer is lost: it is asked after, found, and the next is its version.
    let world = World::new();
    world.clock.attach();
    world.dms().state().capabilities.versions = true;
    world.dms().state().script = [Fault::LostAnswer, Fault::Status(503), Fault::LostAnswer].into();
    let ids = [world.save("one", "deed").await.id, world.save("two", "deed").await.id];
    let _engine = world.start().await;
    world.until_state(&ids, State::Filed).await;
    assert_eq!(versions(&world), told(&[("doc-1", 1, "one"), ("doc-1", 2, "two")]));

    // It fails and is cancelled by a person: the next becomes the document.
    let world = World::new();
    world.clock.attach();
    world.dms().state().script = [Fault::Status(415)].into();
    let ids = [world.save("one", "deed").await.id, world.save("two", "deed").await.id];
    let _engine = world.start().await;
    world.until_state(&ids[..1], State::Failed).await;
    tokio::time::sleep(Duration::from_hours(3)).await;
    let waiting = world.filing(ids[1]).await;
    assert_eq!(waiting.progress.state, State::Waiting, "for as long as it takes");
    assert!(waiting.progress.hint.contains(&ids[0].to_string()));
    assert_eq!(world.dms().state().uploads.len(), 1);
    let before = world.clock_seconds();
    let grounds =
        Grounds { actor: Actor::person("op"), reason: "not wanted".to_owned(), version: None, bulk: None };
    decide(&*world.store, &*world.clock, &*world.entropy, &world.policy, ids[0], Decision::Cancel, grounds)
        .await
        .unwrap();
    world.until_state(&ids[1..], State::Filed).await;
    assert!(world.clock_seconds() - before < 120, "it goes on when the way is free");
    assert_eq!(versions(&world), told(&[("doc-1", 1, "two")]));
}

#[tokio::test(start_paused = true)]
async fn a_dms_without_versions_refuses_a_second_save_and_makes_no_second_document() {
    let world = World::new();
    world.clock.attach();
    let _engine = world.start().await;
    let first = world.save("one", "deed").await.id;
    world.until_state(&[first], State::Filed).await;
    let second = world.save("two", "deed").await.id;
    let filing = world.settle(&[second]).await.remove(0);
    assert_eq!((filing.progress.state, filing.progress.cause()), (State::Failed, Some(Cause::Unsupported)));
    let detail = filing.progress.trouble.unwrap().detail;
    assert!(detail.contains("doc-1") && detail.contains("keeps no versions"), "{detail}");
    assert_eq!(versions(&world), told(&[("doc-1", 1, "one")]));
}

#[tokio::test(start_paused = true)]
async fn killed_during_a_version_it_is_asked_after_among_the_versions() {
    let world = World::new();
    world.clock.attach();
    world.dms().state().capabilities.versions = true;
    let engine = world.start().await;
    let first = world.save("one", "deed").await.id;
    world.until_state(&[first], State::Filed).await;
    world.dms().state().script = [Fault::HangAfter].into();
    let second = world.save("two", "deed").await.id;
    world.until_state(&[second], State::Running).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    drop(engine);
    let _engine = world.start().await;
    world.until_state(&[second], State::Filed).await;
    assert_eq!(versions(&world), told(&[("doc-1", 1, "one"), ("doc-1", 2, "two")]));
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld_is_not_sent_however_often_it_is_retried() {
    let world = World::new();
    world.clock.attach();
    let id = world.accept_to("scans", World::target("dms")).await;
    let filing = world.filing(id).await;
    let mut request = filing.request.as_ref().clone();
    request.withheld = "files with the extension .exe are not filed there".to_owned();
    let mut next = filing.progress.clone();
    next.version += 1;
    let change = postroom_domain::store::FilingChange {
        id,
        expect: filing.progress.version,
        next,
        attempt: None,
        request: Some(request),
        actor: Actor::person("setup"),
        note: String::new(),
        at: filing.received,
        also: Vec::new(),
        bulk: None,
    };
    world.store.change_filings(vec![change]).await.unwrap().remove(0).unwrap();
    let _engine = world.start().await;
    for _ in 0..2 {
        let filing = world.settle(&[id]).await.remove(0);
        assert_eq!((filing.progress.state, filing.progress.cause()), (State::Failed, Some(Cause::Withheld)));
        let grounds =
            Grounds { actor: Actor::person("op"), reason: String::new(), version: None, bulk: None };
        decide(&*world.store, &*world.clock, &*world.entropy, &world.policy, id, Decision::Retry, grounds)
            .await
            .unwrap();
    }
    world.settle(&[id]).await;
    assert_eq!(world.dms().state().calls, 0, "the DMS was not even asked");
}
