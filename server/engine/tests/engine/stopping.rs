//! Stopping in the middle, and stopping because a disk failed.

use std::time::Duration;

use postroom_domain::filing::{Outcome, State};

use crate::double::Fault;
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_runs_and_begins_nothing() {
    let world = World::new();
    world.dms().state().takes = Duration::from_secs(5);
    let ids = world.accept("scans", "dms", 50).await;
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    let begun = world.dms().state().uploads.len();
    engine.stop(Duration::from_secs(30)).await;
    assert_eq!(world.dms().state().uploads.len(), begun);
    let counts = world.count(&ids).await;
    assert_eq!((counts[&State::Filed], counts[&State::Waiting]), (begun, 50 - begun), "{counts:?}");
    let attempts = world.filings(&ids).await;
    for filing in attempts.iter().filter(|filing| filing.progress.state == State::Waiting) {
        assert_eq!((filing.progress.tries, filing.progress.deferrals, filing.progress.unsure), (0, 0, false));
    }
    let _engine = world.start().await;
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_off_by_a_stop_is_asked_about_only_if_it_was_sent() {
    let world = World::new();
    world.dms().state().script =
        [Fault::HangAtOnce, Fault::HangAfter, Fault::HangAfter, Fault::HangAtOnce].into();
    let ids = world.accept("scans", "dms", 4).await;
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let begin = tokio::time::Instant::now();
    engine.stop(Duration::from_secs(10)).await;
    assert!(begin.elapsed() < Duration::from_secs(11));
    let counts = world.count(&ids).await;
    assert_eq!((counts[&State::Waiting], counts[&State::Checking]), (2, 2), "{counts:?}");
    for filing in world.filings(&ids).await {
        let attempts = world.store.attempts(filing.id).await.unwrap();
        let abandoned = attempts[0].outcome == Some(Outcome::Abandoned);
        assert_eq!(abandoned, filing.progress.state == State::Waiting);
        assert_eq!(filing.progress.interruptions, 0, "an orderly stop is not held against it");
    }
    let _engine = world.start().await;
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
    assert_eq!(world.dms().state().uploads.len(), 6, "two were sent again, two were found");
}

#[tokio::test(start_paused = true)]
async fn stops_at_many_moments_lose_and_double_nothing() {
    for millis in (0..1_500).step_by(37) {
        let world = World::new();
        let ids = world.accept("scans", "dms", 30).await;
        let engine = world.start().await;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        engine.stop(Duration::from_millis(millis % 200)).await;
        let running = world.count(&ids).await.get(&State::Running).copied();
        assert_eq!(running, None, "after {millis} ms: nothing is left running");
        let _engine = world.start().await;
        world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_disk_stops_the_engine_and_loses_nothing() {
    let world = World::new();
    world.dms().state().takes = Duration::from_secs(3);
    let ids = world.accept("scans", "dms", 30).await;
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    *world.shelf.broken.lock().unwrap() = Some("input/output error".to_owned());
    let reason = engine.fatal().await;
    assert!(reason.contains("input/output error"), "{reason}");
    let sent = world.dms().state().uploads.len();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(world.dms().state().uploads.len(), sent, "nothing is begun after it");
    *world.shelf.broken.lock().unwrap() = None;
    let _engine = world.start().await;
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
}
