//! Very many files at once: how fast they are taken, how much memory that takes, and that each is taken once. `POSTROOM_FILES=100000` for
//! the whole of it; how long it takes is printed and not asserted.

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use postroom_store::{OpenOptions, RedbStore};

use super::*;

fn many() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how much a test does, not a setting")]
    let asked = std::env::var("POSTROOM_FILES").ok();
    asked.and_then(|number| number.parse().ok()).unwrap_or(2_000)
}

/// The most memory that the process has had, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_files_at_once() {
    let (many, before) = (many(), peak());
    let data = tempfile::tempdir().unwrap();
    let hot = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
    let options_of_spool = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
    let spool = FileSpool::open(data.path(), &options_of_spool, clock.clone()).unwrap();
    let (store, _) = RedbStore::open(&data.path().join("store.redb"), OpenOptions::default()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let reception = Arc::new(Reception {
        store: store.clone(),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(1)),
        mint: Arc::new(IdMint::after(0)),
        rules: Arc::new(Rules::default()),
        accounts: Arc::new(postroom_domain::link::SystemOnly),
        spool: Arc::new(spool.clone()),
        opens_all: false,
        allocator: None,
    });
    for number in 0..many {
        fs::write(hot.path().join(format!("{number:06}.txt")), format!("document {number}")).unwrap();
    }
    let folder = folder(hot.path(), &reception, &spool);
    let stop = CancellationToken::new();
    let began = Instant::now();
    folder.scan(&stop).await;
    let look = began.elapsed();
    clock.advance(SETTLE);
    let began = Instant::now();
    while folder.scan(&stop).await.is_zero() {}
    let took = began.elapsed();
    let status = folder.status();
    assert_eq!((status.waiting_count, status.claimed, status.under_way), (0, 0, many));

    let mut found = HashSet::new();
    let mut before_id = None;
    loop {
        let window = Window { before: before_id, limit: 500 };
        let page = store.list_intakes(&IntakeQuery::default(), window).await.unwrap();
        let ids: Vec<_> = page.items.iter().map(|intake| intake.id).collect();
        found.extend(
            page.items.into_iter().flat_map(|intake| intake.documents).map(|it| (it.file_name, it.blob.hash)),
        );
        stream::iter(ids)
            .for_each_concurrent(64, |id| {
                let reception = reception.clone();
                async move {
                    reception.dismiss(id, None, &Actor::person("ann"), "not ours").await.unwrap();
                }
            })
            .await;
        before_id = page.next;
        if before_id.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), many, "each of them once");
    for number in 0..many {
        let hash = BlobHash::new(*blake3::hash(format!("document {number}").as_bytes()).as_bytes());
        assert!(found.contains(&(format!("{number:06}.txt"), hash)), "{number} is missing");
    }
    let began_removing = Instant::now();
    while folder.scan(&stop).await.is_zero() {}
    let removed = began_removing.elapsed();
    assert_eq!(folder.status().under_way, 0);
    assert_eq!(fs::read_dir(hot.path()).unwrap().count(), 1, "nothing but our own folder");
    let each = |took: Duration| u128::try_from(many).unwrap() * 1_000 / took.as_millis().max(1);
    println!(
        "{many} files: seen in {look:.1?}; taken in {took:.1?}, {} a second; removed in {removed:.1?}, {} a second; \
         memory at most {} MiB, {before} MiB before",
        each(took),
        each(removed),
        peak(),
    );
}
