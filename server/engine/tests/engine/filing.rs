//! The way of a document that meets nothing, or just a lost answer.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::filing::{Outcome, State};

use crate::double::Fault;
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn everything_is_filed_once_at_every_destination() {
    let mut world = World::new();
    let other = world.add("other");
    let mut ids = Vec::new();
    for source in ["scans", "mail", "upload"] {
        ids.extend(world.accept(source, "dms", 40).await);
        ids.extend(world.accept(source, "other", 40).await);
    }
    let engine = world.start().await;
    let filings = world.until_state(&ids, State::Filed).await;
    engine.stop(Duration::from_secs(5)).await;
    world.assert_filed_once(&filings);
    for double in [world.dms(), other] {
        let state = double.state();
        assert_eq!((state.ledger.len(), state.searches), (120, 1), "one search serves all");
        assert!(state.uploads.iter().all(|(_, _, under_way)| *under_way <= 4));
        assert!(state.uploads.iter().any(|(_, _, under_way)| *under_way == 4), "all slots are used");
    }
    for filing in filings {
        assert_eq!((filing.progress.generation, filing.progress.version), (1, 3));
        let attempts = world.store.attempts(filing.id).await.unwrap();
        assert_eq!(attempts.len(), 1);
        assert_eq!(attempts[0].outcome, Some(Outcome::Filed));
    }
    let check = world.store.self_check().await.unwrap();
    assert_eq!(check.wrong, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_while_it_runs_is_filed_at_once() {
    let world = World::new();
    let _engine = world.start().await;
    for _ in 0..3 {
        let ids = world.accept("scans", "dms", 1).await;
        let filings = world.until_state(&ids, State::Filed).await;
        assert!(world.since(&filings[0]) < 1, "it does not wait for a look at the clock");
        tokio::time::sleep(Duration::from_mins(7)).await;
    }
}

/// "Not there" was true when it was asked, and the index was late; by the time the answer is read it would prove something if it were
/// fresh. A process that stood still meanwhile reads it in just this way.
#[tokio::test(start_paused = true)]
async fn an_answer_that_was_long_on_its_way_sends_nothing_twice() {
    let world = World::new();
    let dms = world.dms();
    dms.state().script = [Fault::LostAnswer].into();
    dms.state().index_lag = Duration::from_secs(3);
    dms.state().capabilities.probe_lag_seconds = 4;
    dms.state().probe_answer_takes = Duration::from_secs(10);
    let ids = world.accept("scans", "dms", 1).await;
    let _engine = world.start().await;
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
    assert_eq!(dms.state().uploads.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_exactly_one_document() {
    // Fault, what the DMS's search is late by, uploads that follow.
    let table = [
        (Fault::LostAnswer, 0, 0, 1),
        (Fault::LostAnswer, 60, 120, 1),
        (Fault::LostDocument, 0, 0, 2),
        (Fault::LostDocument, 60, 120, 2),
        (Fault::HangAfter, 60, 120, 1),
        (Fault::ShortCopy, 0, 0, 2),
    ];
    for (fault, index_lag, stated_lag, uploads) in table {
        let world = World::new();
        let dms = world.dms();
        dms.state().script = [fault].into();
        dms.state().index_lag = Duration::from_secs(index_lag);
        dms.state().capabilities.probe_lag_seconds = stated_lag;
        let ids = world.accept("scans", "dms", 1).await;
        let _engine = world.start().await;
        let filing = world.until_state(&ids, State::Filed).await.remove(0);
        let whole =
            dms.held(filing.id).into_iter().filter(|held| held.size == filing.request.blob.size).count();
        assert_eq!(
            (whole, dms.state().uploads.len()),
            (1, uploads),
            "{fault:?}, search late by {index_lag} s"
        );
        let receipt = filing.progress.receipt.unwrap();
        assert_eq!(receipt.size, Some(filing.request.blob.size), "{fault:?}");
        if fault != Fault::ShortCopy {
            assert_eq!(dms.held(filing.id).len(), 1, "{fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn copies_that_keep_coming_out_wrong_are_for_a_person() {
    let world = World::new();
    world.dms().state().always = Some(Fault::ShortCopy);
    let ids = world.accept("scans", "dms", 1).await;
    let _engine = world.start().await;
    let filing = world.settle(&ids).await.remove(0);
    assert_eq!(filing.progress.state, State::Undecided);
    assert_eq!(world.dms().state().uploads.len(), 2, "one correction, not more");
}

#[tokio::test(start_paused = true)]
async fn a_dms_that_cannot_be_asked_leaves_it_to_a_person() {
    let world = World::new();
    world.dms().state().capabilities.probe = false;
    world.dms().state().script = [Fault::LostAnswer].into();
    let ids = world.accept("scans", "dms", 5).await;
    let _engine = world.start().await;
    let states: BTreeMap<State, usize> =
        world.settle(&ids).await.iter().fold(BTreeMap::new(), |mut count, filing| {
            *count.entry(filing.progress.state).or_default() += 1;
            count
        });
    assert_eq!(states, BTreeMap::from([(State::Filed, 4), (State::Undecided, 1)]));
}
