//! Pauses, and clocks that jump.

use std::time::Duration;

use jiff::SignedDuration;
use postroom_domain::control::{Control, Gate};
use postroom_domain::filing::State;

use crate::double::Fault;
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_stopped_destination_sends_nothing_until_it_goes_on() {
    let world = World::new();
    let ids = world.accept("scans", "dms", 100).await;
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.pause("destination/dms", None).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let sent = world.dms().state().uploads.len();
    assert!(sent < 60);
    assert_eq!(engine.destinations()[0].gate, Gate::Paused);
    tokio::time::sleep(Duration::from_hours(30)).await;
    assert_eq!(world.dms().state().uploads.len(), sent);
    let counts = world.count(&ids).await;
    assert_eq!(counts[&State::Filed] + counts[&State::Waiting], 100, "nothing is left claimed: {counts:?}");
    // It survives a restart.
    engine.stop(Duration::from_secs(1)).await;
    let _engine = world.start().await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(world.dms().state().uploads.len(), sent);
    world.resume("destination/dms").await;
    let start = world.dms().state().uploads.len();
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
    assert_eq!((start, world.dms().state().uploads.len()), (sent, 100));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_source_waits_and_others_go_on_and_a_pause_ends_by_itself() {
    let world = World::new();
    world.clock.attach();
    world.pause("source/csv", Some(90)).await;
    let csv = world.accept("csv", "dms", 20).await;
    let scans = world.accept("scans", "dms", 20).await;
    let _engine = world.start().await;
    world.until_state(&scans, State::Filed).await;
    tokio::time::sleep(Duration::from_mins(85)).await;
    assert_eq!(world.count(&csv).await[&State::Waiting], 20);
    let filings = world.until_state(&csv, State::Filed).await;
    assert!((5_400..5_460).contains(&world.since(&filings[0])), "{}", world.since(&filings[0]));
    assert_eq!(world.store.pauses().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_neither_floods_nor_forgets() {
    // Ahead by a day: what waits is due at once, and is met with a slow start.
    let world = World::new();
    world.dms().state().script = std::iter::repeat_n(Fault::Status(423), 100).collect();
    let ids = world.accept("scans", "dms", 100).await;
    let engine = world.start().await;
    world
        .until(&ids, "locked", |filing| {
            filing.progress.generation == 1 && filing.progress.state == State::Waiting
        })
        .await;
    world.dms().state().uploads.clear();
    world.clock.jump(SignedDuration::from_hours(24));
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
    let first: Vec<usize> = world.dms().state().uploads[..4].iter().map(|(_, _, n)| *n).collect();
    assert!(first[0] == 1 && first.iter().all(|n| *n <= 2), "{first:?}");
    engine.stop(Duration::from_secs(1)).await;

    // Back by a day: due times a day ahead are no longer believed.
    let world = World::new();
    world.dms().state().script = std::iter::repeat_n(Fault::Status(423), 20).collect();
    let ids = world.accept("scans", "dms", 20).await;
    let _engine = world.start().await;
    world
        .until(&ids, "locked", |filing| {
            filing.progress.generation == 1 && filing.progress.state == State::Waiting
        })
        .await;
    world.clock.jump(SignedDuration::from_hours(-24));
    let jumped = tokio::time::Instant::now();
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
    assert!(jumped.elapsed() < Duration::from_mins(1), "{:?}", jumped.elapsed());
}
