//! How fast the engine is by itself: measured on request (`--run-ignored only`), in real time, with a store on disk and a DMS
//! that takes two milliseconds, beside the same uploads without any queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use postroom_domain::dms::{Dms, Gauge, Upload};
use postroom_domain::filing::State;
use postroom_domain::ids::{FilingId, Mark};
use postroom_domain::person::Actor;
use postroom_domain::spool::Spool;
use postroom_store::{OpenOptions, RedbStore};

use crate::world::World;

const AT_ONCE: usize = 8;
const SECONDS: f64 = 4.0;

async fn accept(world: &World, count: usize) -> Vec<FilingId> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let portion = (0..512.min(count - ids.len())).map(|_| world.accept_to("scans", World::target("dms")));
        ids.extend(join_all(portion).await);
    }
    ids
}

/// Filings per second out of a backlog.
async fn pace(backlog: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = RedbStore::open(&folder.path().join("store.redb"), OpenOptions::default()).unwrap();
    let mut world = World::new();
    world.store = Arc::new(store);
    world.settings.concurrency = AT_ONCE;
    world.dms().state().takes = Duration::from_millis(2);
    world.clock.attach();
    let ids = accept(&world, backlog).await;
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (begin, before) = (Instant::now(), world.dms().state().ledger.len());
    while begin.elapsed().as_secs_f64() < SECONDS && world.dms().state().ledger.len() < backlog {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let pace = (world.dms().state().ledger.len() - before) as f64 / begin.elapsed().as_secs_f64();
    engine.stop(Duration::from_secs(5)).await;
    assert!(!world.count(&ids[..100]).await.contains_key(&State::Running));
    pace
}

/// The same uploads, with nothing around them.
async fn bare() -> f64 {
    let world = World::new();
    world.dms().state().takes = Duration::from_millis(2);
    world.clock.attach();
    let (begin, done) = (Instant::now(), AtomicUsize::new(0));
    let (dms, shelf, done) = (&world.dms(), &world.shelf, &done);
    let worker = |number: usize| async move {
        let actor = Actor::person("bare");
        while begin.elapsed().as_secs_f64() < SECONDS {
            let id = done.fetch_add(1, Ordering::Relaxed);
            let content = shelf.content(shelf.put(format!("document {number} {id}"))).await.unwrap();
            let upload = Upload {
                actor: &actor,
                library: "",
                container: "ws-1",
                name: "letter.pdf",
                media_type: "application/pdf",
                profile: &std::collections::BTreeMap::new(),
                received: "2026-11-23T09:00:00Z".parse().unwrap(),
                mark: Mark::of(FilingId::from_u128(id as u128)),
                content: &*content,
                gauge: &Gauge::default(),
                onto: None,
            };
            dms.upload(upload).await.unwrap();
        }
    };
    join_all((0..AT_ONCE).map(worker)).await;
    done.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn pace_does_not_depend_on_the_backlog() {
    println!("bare: {:.0} per second", bare().await);
    for backlog in [1_000, 5_000, 30_000, 150_000] {
        println!("{backlog} waiting: {:.0} filed per second", pace(backlog).await);
    }
    println!("bare: {:.0} per second", bare().await);
}
