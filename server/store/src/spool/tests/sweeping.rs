//! What a sweep may remove.

use std::fs::File;
use std::time::Duration;

use postroom_domain::ids::IntakeId;
use postroom_domain::intake::{Document, Intake, IntakeState};
use postroom_domain::person::Actor;
use postroom_domain::spool::Sweep;
use postroom_domain::store::{Acceptance, Store};

use super::*;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Makes a file as old as if it had been written that long ago.
fn age(bench: &Bench, blob: Blob, by: Duration) {
    let file = File::options().write(true).open(bench.path(blob.hash)).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified - by).unwrap();
}

#[tokio::test]
async fn old_content_comes_in_pages_in_order() {
    let bench = Bench::new();
    let mut wanted = Vec::new();
    for seed in 0..40 {
        let blob = put(&bench.spool, &noise(seed, 100), 100).await.unwrap();
        if seed % 4 != 0 {
            age(&bench, blob, DAY + HOUR);
            wanted.push(blob);
        }
    }
    wanted.sort_by_key(|blob| blob.hash);
    std::fs::write(bench.data.path().join("spool/ab/notes.txt"), b"not ours").unwrap();
    for limit in [1, 7, 30, 1_000] {
        let mut got = Vec::new();
        loop {
            let after = got.last().map(|blob: &Blob| blob.hash);
            let page = bench.spool.old_content(DAY, after, limit).await.unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            got.extend(page);
        }
        assert_eq!(got, wanted, "{limit} at a time");
    }
}

#[tokio::test]
async fn what_was_accepted_again_is_not_removed() {
    let bench = Bench::new();
    let blob = put(&bench.spool, b"letter", 6).await.unwrap();
    assert!(!bench.spool.remove(blob, DAY).await.unwrap(), "too young");
    age(&bench, blob, DAY + HOUR);
    assert_eq!(bench.spool.old_content(DAY, None, 10).await.unwrap(), [blob]);
    // The sweep has asked the store: no row names it. Now the same document comes in again.
    assert_eq!(put(&bench.spool, b"letter", 6).await.unwrap(), blob);
    assert!(!bench.spool.remove(blob, DAY).await.unwrap(), "written just now");
    assert_eq!(read_back(&bench.spool, blob).await, b"letter");

    age(&bench, blob, DAY + HOUR);
    assert!(bench.spool.remove(blob, DAY).await.unwrap());
    assert!(!bench.spool.remove(blob, DAY).await.unwrap(), "gone already");
    assert_eq!(bench.files(), Vec::<String>::new());
}

/// Takes the same document in while it is removed all the time: what was sealed is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sealing_and_removing_at_once() {
    let bench = Arc::new(Bench::new());
    let blob = put(&bench.spool, b"letter", 6).await.unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let sweeper = tokio::spawn({
        let (bench, stop) = (bench.clone(), stop.clone());
        async move {
            let mut removed = 0;
            while !stop.load(std::sync::atomic::Ordering::Acquire) {
                removed += u32::from(bench.spool.remove(blob, DAY).await.unwrap());
                tokio::task::yield_now().await;
            }
            removed
        }
    });
    for round in 0..300 {
        if round % 2 == 0 {
            // It may just have been removed.
            let old = File::options().write(true).open(bench.path(blob.hash));
            if let Ok(file) = old {
                let modified = file.metadata().unwrap().modified().unwrap();
                file.set_modified(modified - DAY - HOUR).unwrap();
            }
        }
        put(&bench.spool, b"letter", 6).await.unwrap();
        assert_eq!(read_back(&bench.spool, blob).await, b"letter", "round {round}");
    }
    stop.store(true, std::sync::atomic::Ordering::Release);
    sweeper.await.unwrap();
}

#[tokio::test]
async fn a_jump_of_the_clock_makes_nothing_old() {
    let bench = Bench::new();
    let blob = put(&bench.spool, b"letter", 6).await.unwrap();
    bench.clock.set("2099-01-01T00:00:00Z");
    assert_eq!(bench.spool.old_content(DAY, None, 10).await.unwrap(), []);
    assert!(!bench.spool.remove(blob, DAY).await.unwrap());
    // A day that really passes does.
    bench.clock.advance(DAY + HOUR);
    assert!(bench.spool.remove(blob, DAY).await.unwrap());
}

/// The whole sweep beside a store: what a row names stays, however old.
#[tokio::test]
async fn a_sweep_asks_the_store() {
    let bench = Bench::new();
    let store = crate::MemoryStore::new();
    let mut stray = Vec::new();
    for seed in 0..30 {
        let blob = put(&bench.spool, &noise(seed, 50), 50).await.unwrap();
        if seed % 3 == 0 {
            let intake = intake_of(blob, u128::from(seed) + 1);
            let acceptance = Acceptance {
                intake,
                filings: Vec::new(),
                key: None,
                records: Vec::new(),
                actor: Actor::person("ann"),
                note: String::new(),
            };
            store.accept(acceptance).await.unwrap();
            age(&bench, blob, 50 * DAY);
        } else if seed % 3 == 1 {
            age(&bench, blob, DAY + HOUR);
            stray.push(blob);
        }
    }
    stray.sort_by_key(|blob| blob.hash);
    let swept = super::super::sweep(&bench.spool, &store, DAY).await.unwrap();
    assert_eq!(swept, Sweep { seen: 20, removed: stray, drafts: 0 });
    assert_eq!(bench.files().len(), 20);
    let again = super::super::sweep(&bench.spool, &store, DAY).await.unwrap();
    assert_eq!(again, Sweep { seen: 10, removed: Vec::new(), drafts: 0 });
    // A store that does not answer ends the sweep: nothing is removed on a guess.
    age(&bench, put(&bench.spool, b"stray", 5).await.unwrap(), DAY + HOUR);
    store.close().await.unwrap();
    let answer = super::super::sweep(&bench.spool, &store, DAY).await;
    assert!(answer.is_err() && bench.files().len() == 21, "{answer:?}");
}

fn intake_of(blob: Blob, number: u128) -> Intake {
    Intake {
        id: IntakeId::from_u128(number),
        site: "main".parse().unwrap(),
        source: "upload".parse().unwrap(),
        received: "2026-11-23T09:00:00Z".parse().unwrap(),
        state: IntakeState::NeedsPerson,
        version: 1,
        submitted_by: "ann".to_owned(),
        subject: String::new(),
        sender: String::new(),
        note: String::new(),
        work_item_given: String::new(),
        work_item: None,
        area: "matter_documents".to_owned(),
        save_mode: None,
        document_key: String::new(),
        documents: vec![Document {
            file_name: "a.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            blob,
        }],
        batch: false,
        part_of: None,
        sections: Vec::new(),
        forced: false,
        allocated: None,
        also_in: Vec::new(),
        choices: Vec::new(),
        undo_until: None,
        begun: 0,
        screened: postroom_domain::screening::Screened::default(),
        letter: None,
        needs: None,
        open_filings: 0,
        filings: 0,
        trace: Vec::new(),
    }
}
