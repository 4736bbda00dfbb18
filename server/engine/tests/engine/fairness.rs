//! Nobody waits long behind somebody else's pile.

use std::time::Duration;

use postroom_domain::filing::State;

use crate::double::Fault;
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_pile_from_one_source_does_not_delay_another() {
    let world = World::new();
    let pile = world.accept("csv", "dms", 1_000).await;
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = world.dms().state().uploads.len();
    assert!(before > 40, "{before}");
    let scan = world.accept("scans", "dms", 1).await;
    world.until_state(&scan, State::Filed).await;
    let place = world.dms().state().uploads.iter().position(|(_, id, _)| *id == scan[0]).unwrap();
    // What was claimed before it, what starts until the queues are looked at again, and a turn.
    assert!(place <= before + 16, "{} uploads went before it", place - before);
    engine.stop(Duration::from_secs(1)).await;
    assert!(world.count(&pile).await[&State::Waiting] > 800);
}

#[tokio::test(start_paused = true)]
async fn new_and_deferred_take_turns() {
    let world = World::new();
    let old = world.accept("scans", "dms", 300).await;
    for id in &old {
        world.dms().state().by_filing.insert(*id, Fault::Status(423));
    }
    let _engine = world.start().await;
    world
        .until(&old, "tried", |filing| {
            filing.progress.generation >= 1 && filing.progress.state == State::Waiting
        })
        .await;
    world.dms().state().by_filing.clear();
    world.pause("destination/dms", Some(10)).await;
    let new = world.accept("scans", "dms", 300).await;
    tokio::time::sleep(Duration::from_mins(9)).await;
    world.dms().state().uploads.clear();
    let all = [old.clone(), new].concat();
    let filings = world.until_state(&all, State::Filed).await;
    world.assert_filed_once(&filings);
    let uploads = world.dms();
    let uploads = &uploads.state().uploads;
    let deferred = uploads[..200].iter().filter(|(_, id, _)| old.contains(id)).count();
    assert!((90..=110).contains(&deferred), "{deferred} of the first 200 were deferred ones");
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_hangs_does_not_delay_another() {
    let mut world = World::new();
    let slow = world.add("slow");
    slow.state().always = Some(Fault::HangAtOnce);
    world.accept("scans", "slow", 500).await;
    let ids = world.accept("scans", "dms", 100).await;
    let _engine = world.start().await;
    let filings = world.until_state(&ids, State::Filed).await;
    assert!(world.since(&filings[0]) < 10);
}

#[tokio::test(start_paused = true)]
async fn questions_and_uploads_do_not_starve_each_other() {
    let world = World::new();
    world.dms().state().script = std::iter::repeat_n(Fault::LostAnswer, 200).collect();
    world.dms().state().index_lag = Duration::from_mins(10);
    world.dms().state().capabilities.probe_lag_seconds = 3_600;
    let ids = world.accept("scans", "dms", 600).await;
    let _engine = world.start().await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    let counts = world.count(&ids).await;
    assert!(counts[&State::Filed] > 300, "{counts:?}");
    assert!(world.dms().state().probes > 100);
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
}
