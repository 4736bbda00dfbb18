//! Disks that fail at every single operation, and power that goes at any: what was acknowledged is there afterwards, and the store
//! agrees with itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::ids::{FilingId, IntakeId};
use postroom_domain::machine::Event;
use postroom_domain::store::{Accepted, Store, StoreError};
use postroom_domain::testing::SeededEntropy;
use postroom_store::{OpenOptions, RedbStore};

use crate::disk::{Disk, Fault};
use crate::world::{acceptance, at, change, filing, receipt, request};

/// Opens a store on a disk; `None` when the disk fails meanwhile.
pub(crate) fn open(disk: &Disk) -> Option<RedbStore> {
    let options = OpenOptions {
        backend: Some(disk.backend()),
        idle_seal: Duration::from_millis(1),
        ..OpenOptions::default()
    };
    RedbStore::open(Path::new("the disk in memory"), options).ok().map(|(store, _)| store)
}

/// A disk with an empty store. (A creation that is interrupted never gets the store's name: see `files`.)
pub(crate) fn made() -> Disk {
    let disk = Disk::new();
    drop(open(&disk).unwrap());
    disk
}

/// What somebody was told.
#[derive(Default)]
struct Acknowledged {
    intakes: Vec<IntakeId>,
    versions: Vec<(FilingId, u64)>,
}

/// Accepts and changes until it is done or the store fails; tells what was acknowledged.
async fn work(store: &dyn Store, first_content: u64, done: &mut Acknowledged) {
    for content in first_content..first_content + 4 {
        let given = acceptance(vec![
            filing(request(content, "dms-eu", "in")),
            filing(request(content, "dms-us", "in")),
        ]);
        let Ok(Accepted::Fresh(intake, filings)) = store.accept(given).await else { return };
        done.intakes.push(intake.id);
        done.versions.extend(filings.iter().map(|filing| (filing.id, filing.progress.version)));
        let mut first = filings[0].clone();
        for event in [Event::Claim, Event::Uploaded(receipt("doc"))] {
            let change = change(&first, event, at(1));
            first.progress = change.next.clone();
            let Ok(answers) = store.change_filings(vec![change]).await else { return };
            assert_eq!(answers, [Ok(())]);
            done.versions.push((first.id, first.progress.version));
        }
    }
    let _ = store.prove().await;
}

/// Looks whether everything that was acknowledged is there.
async fn inspect(disk: &Disk, done: &Acknowledged, what: &str) {
    let store = open(disk).unwrap_or_else(|| panic!("{what}: it does not open"));
    for id in &done.intakes {
        assert!(store.intake(*id).await.unwrap().is_some(), "{what}: intake {id} is lost");
    }
    for (id, version) in &done.versions {
        let filing =
            store.filing(*id).await.unwrap().unwrap_or_else(|| panic!("{what}: filing {id} is lost"));
        assert!(filing.progress.version >= *version, "{what}: filing {id} went back");
    }
    assert_eq!(store.self_check().await.unwrap().wrong, Vec::<String>::new(), "{what}");
    // It goes on from here.
    store.prove().await.unwrap();
    assert_eq!(store.close().await, Ok(()));
}

#[tokio::test]
async fn every_operation_of_the_disk_may_fail() {
    let chance = SeededEntropy::new(1);
    for sticky in [false, true] {
        let mut number = 0;
        loop {
            number += 1;
            let fault = if sticky { Fault::From(number) } else { Fault::Once(number) };
            let what = format!("{fault:?}");
            let disk = made();
            disk.fail(fault);
            let mut done = Acknowledged::default();
            let mut failed = true;
            if let Some(store) = open(&disk) {
                work(&store, 0, &mut done).await;
                if store.failed().is_some() {
                    let refused = store.accept(acceptance(Vec::new())).await;
                    assert!(matches!(refused, Err(StoreError::Fatal(_))), "{what}: {refused:?}");
                } else {
                    failed = store.close().await.is_err();
                }
            }
            let total = disk.operations();
            for after in [disk.kill(), disk.power_cut(&chance)] {
                inspect(&after, &done, &what).await;
            }
            if !failed && total < number {
                assert!(number > 20, "the disk was hardly used: {number} operations");
                break;
            }
        }
    }
}

#[tokio::test]
async fn power_may_go_at_any_moment() {
    for seed in 0..60 {
        let chance = SeededEntropy::new(seed);
        let disk = made();
        let store = Arc::new(open(&disk).unwrap());
        // Many callers at once, so that groups are large and the cut falls into the middle of them.
        let mut callers = Vec::new();
        for caller in 0..8 {
            let store = Arc::clone(&store);
            callers.push(tokio::spawn(async move {
                let mut done = Acknowledged::default();
                work(&*store, caller * 10, &mut done).await;
                done
            }));
        }
        for _ in 0..chance.next() % 40 {
            tokio::task::yield_now().await;
        }
        // What is acknowledged before the cut must survive it; the callers go on against a dead disk.
        let known = acknowledged_now(&*store).await;
        let after = disk.power_cut(&chance);
        for caller in callers {
            caller.await.unwrap();
        }
        inspect(&after, &known, &format!("seed {seed}")).await;
    }
}

/// Everything that a reader sees is durable.
async fn acknowledged_now(store: &dyn Store) -> Acknowledged {
    let query = postroom_domain::query::FilingQuery::default();
    let filings = crate::world::all(store, &query, 100, at(0)).await.unwrap();
    Acknowledged {
        intakes: filings.iter().map(|filing| filing.intake).collect(),
        versions: filings.iter().map(|filing| (filing.id, filing.progress.version)).collect(),
    }
}
