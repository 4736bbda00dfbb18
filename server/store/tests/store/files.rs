//! Files that are not what they should be, and files that are: refused by name and with a remedy, or opened.

use std::path::{Path, PathBuf};

use postroom_domain::ids::BlobHash;
use postroom_domain::machine::Event;
use postroom_domain::person::Scope;
use postroom_domain::query::FilingQuery;
use postroom_domain::record::{Commit, Kind, Registry as _, Write};
use postroom_domain::store::{Acceptance, Store};
use postroom_store::{OpenError, OpenOptions, RedbStore, restore, verify};
use redb::{Database, TableDefinition};
use tempfile::TempDir;

use crate::world::{accept, all, at, blob, filing, happen, request, work_item};

fn open(file: &Path) -> Result<RedbStore, OpenError> {
    RedbStore::open(file, OpenOptions::default()).map(|(store, _)| store)
}

/// A store with some records, closed.
async fn kept() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("store.redb");
    let store = open(&file).unwrap();
    let (_, made) =
        accept(&store, vec![filing(request(1, "dms-eu", "in")), filing(request(2, "dms-eu", "in"))]).await;
    happen(&store, made[0].id, Event::Claim, at(1)).await;
    store
        .save_work_item(
            work_item(7 << 80, "ABC-1", "Harrow v Teal"),
            Vec::new(),
            &crate::world::actor(),
            at(1),
        )
        .await
        .unwrap();
    store.close().await.unwrap();
    (home, file)
}

/// An error by its kind, and that its text names the file.
fn kind(result: Result<RedbStore, OpenError>, file: &Path) -> &'static str {
    let error = result.map(drop).unwrap_err();
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    match error {
        OpenError::InUse { .. } => "in use",
        OpenError::Newer { .. } => "newer",
        OpenError::NotAStore { .. } => "not a store",
        OpenError::Damaged { .. } => "damaged",
        OpenError::Gone { .. } => "gone",
        OpenError::Exists { .. } => "exists",
        OpenError::Disk { .. } => "disk",
    }
}

/// Makes something else of a sound file.
type Spoil = fn(Vec<u8>) -> Vec<u8>;

#[tokio::test]
async fn what_is_no_store_is_refused_and_left_alone() {
    let cases: [(&str, &str, Spoil); 8] = [
        ("zero length", "not a store", |_| Vec::new()),
        ("five bytes", "not a store", |bytes| bytes[..5].to_vec()),
        ("wrong magic", "not a store", |mut bytes| {
            bytes[0] = b'R';
            bytes
        }),
        ("text", "not a store", |_| b"this is a note, not a store".repeat(200)),
        ("cut in its header", "damaged", |bytes| bytes[..100].to_vec()),
        ("cut in half", "damaged", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("zeros behind the header", "damaged", |mut bytes| {
            bytes[4096..].fill(0);
            bytes
        }),
        ("bits turned everywhere", "damaged", |mut bytes| {
            bytes[4096..].iter_mut().step_by(997).for_each(|byte| *byte ^= 0x10);
            bytes
        }),
    ];
    let (_home, file) = kept().await;
    let sound = std::fs::read(&file).unwrap();
    for (name, wanted, spoil) in cases {
        let spoilt = spoil(sound.clone());
        std::fs::write(&file, &spoilt).unwrap();
        assert_eq!(kind(open(&file), &file), wanted, "{name}");
        if wanted == "not a store" {
            assert_eq!(std::fs::read(&file).unwrap(), spoilt, "{name}: the file was changed");
        }
    }
    std::fs::write(&file, &sound).unwrap();
    let store = open(&file).unwrap();
    assert_eq!(all(&store, &FilingQuery::default(), 9, at(1)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_newer_or_foreign_file_is_refused() {
    let (home, file) = kept().await;
    let schema: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
    let set = |version: u64| {
        let database = Database::open(&file).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(schema).unwrap().insert("schema", version).unwrap();
        transaction.commit().unwrap();
    };
    set(5);
    let error = open(&file).map(drop).unwrap_err();
    assert_eq!(error, OpenError::Newer { file: file.clone(), found: 5, known: 4 });
    assert!(error.to_string().ends_with("start that one, or restore a backup"), "{error}");
    set(0);
    assert_eq!(kind(open(&file), &file), "not a store");
    for older in [1, 2, 3] {
        set(older);
        assert!(open(&file).is_ok());
    }

    let foreign = home.path().join("foreign.redb");
    let database = Database::create(&foreign).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TableDefinition::<u64, u64>::new("other")).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_eq!(kind(open(&foreign), &foreign), "not a store");
}

#[tokio::test]
async fn a_second_instance_is_told_who_holds_it() {
    let (_home, file) = kept().await;
    let first = open(&file).unwrap();
    let error = open(&file).map(drop).unwrap_err();
    assert_eq!(error, OpenError::InUse { file: file.clone(), pid: Some(std::process::id()) });
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    assert_eq!(verify(&file).map(drop), Err(error));
    // The first is unharmed, and the next start is free.
    accept(&first, vec![filing(request(9, "dms-eu", "in"))]).await;
    drop(first);
    assert_eq!(all(&open(&file).unwrap(), &FilingQuery::default(), 9, at(1)).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_begun_again() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("store.redb");
    // Killed at some moment of the very first start: whatever is left has another name.
    for leftover in [Vec::new(), vec![0; 1 << 20], b"redb\x1a\x0a\xa9\x0d\x0a".to_vec()] {
        std::fs::write(home.path().join("store.redb.new"), leftover).unwrap();
        let (store, report) = RedbStore::open(&file, OpenOptions::default()).unwrap();
        assert!(report.created && report.leftover, "{report:?}");
        accept(&store, vec![filing(request(1, "dms-eu", "in"))]).await;
        drop(store);
        assert!(!home.path().join("store.redb.new").exists());
        std::fs::remove_file(&file).unwrap();
        std::fs::remove_file(home.path().join("store.redb.lock")).unwrap();
    }
    // Killed between taking the lock and naming the store.
    std::fs::write(home.path().join("store.redb.lock"), "process 1\n\n").unwrap();
    assert!(open(&file).is_ok());
}

#[tokio::test]
async fn a_store_that_has_vanished_is_not_replaced_by_an_empty_one() {
    let (home, file) = kept().await;
    std::fs::rename(&file, home.path().join("elsewhere")).unwrap();
    assert_eq!(kind(open(&file), &file), "gone");
    std::fs::rename(home.path().join("elsewhere"), &file).unwrap();
    assert!(open(&file).is_ok());
}

#[tokio::test]
async fn a_backup_holds_what_the_store_held() {
    let (home, file) = kept().await;
    let store = open(&file).unwrap();
    let copy = home.path().join("backup.redb");
    assert!(store.backup(&copy).unwrap() > 20);
    let exists = OpenError::Exists { file: copy.clone() };
    assert_eq!(store.backup(&copy), Err(exists));
    accept(&store, vec![filing(request(9, "dms-eu", "in"))]).await;

    let found = verify(&copy).unwrap();
    assert!(found.is_sound(), "{found:?}");
    assert_eq!((found.format, found.check.filings, found.check.intakes), (4, 2, 1));
    let before = std::fs::read(&copy).unwrap();
    verify(&copy).unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), before, "looking changed the file");

    let back = home.path().join("back.redb");
    assert_eq!(restore(&copy, &back).unwrap(), found);
    assert_eq!(restore(&copy, &file).map(drop), Err(OpenError::Exists { file: file.clone() }));
    let (restored, report) = RedbStore::open(&back, OpenOptions::default()).unwrap();
    assert_eq!((report.created, report.filings, report.corrected.len()), (false, 2, 0));
    let events = store.events_after(0, 99).await.unwrap();
    let again = restored.events_after(0, 99).await.unwrap();
    assert_eq!(again[..], events[..again.len()]);
    assert_eq!(
        restored.work_item_by_reference(&"london".parse().unwrap(), "abc-1").await.unwrap().unwrap().version,
        1
    );

    // A backup that is damaged is not put anywhere.
    let mut spoilt = before;
    spoilt[4096..].iter_mut().step_by(997).for_each(|byte| *byte ^= 0x10);
    std::fs::write(&copy, spoilt).unwrap();
    let nowhere = home.path().join("nowhere.redb");
    assert!(matches!(restore(&copy, &nowhere), Err(OpenError::Damaged { .. })));
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn contents_that_are_named_are_told_once_each() {
    let home = tempfile::tempdir().unwrap();
    let store = open(&home.path().join("store.redb")).unwrap();
    let mut given = crate::world::acceptance(vec![
        filing(request(2, "dms-eu", "in")),
        filing(request(1, "dms-eu", "in")),
    ]);
    given.intake.documents[0].blob = blob(30);
    store.accept(given).await.unwrap();
    accept(&store, vec![filing(request(1, "dms-us", "in"))]).await;
    let (mut found, mut after) = (Vec::new(), None::<BlobHash>);
    loop {
        let page = store.contents_after(after, 2).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.hash);
        found.extend(page);
    }
    assert_eq!(found, [blob(1), blob(2), blob(30)]);
}

#[tokio::test]
async fn a_backup_finds_content_that_records_name() {
    let (_home, file) = kept().await;
    let (store, _) = RedbStore::open(&file, OpenOptions::default()).unwrap();
    let naming = |content| postroom_domain::record::naming(blob(content));
    for (kind, id, contents) in
        [(Kind::Upload, 901, 40..45), (Kind::DataUpload, 902, 43..49), (Kind::Person, 903, 60..61)]
    {
        let groups: Vec<String> = contents.map(naming).collect();
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let put = Write::Put(crate::records::record(kind, id, &[], &groups));
        store.commit(Commit { writes: vec![put], events: Vec::new() }).await.unwrap();
    }
    let mut wanted: Vec<_> = (40..49).map(blob).collect();
    wanted.sort_by_key(|blob| blob.hash);
    for portion in [1, 2, 100] {
        let (mut found, mut after) = (Vec::new(), None::<BlobHash>);
        loop {
            let page = store.record_contents_after(after, portion).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.hash);
            found.extend(page);
        }
        assert_eq!(found, wanted, "{portion}");
    }
}

#[tokio::test]
async fn counters_that_do_not_agree_are_put_right() {
    let (_home, file) = kept().await;
    {
        let database = Database::open(&file).unwrap();
        let transaction = database.begin_write().unwrap();
        let counts: TableDefinition<'_, &[u8; 5], u64> = TableDefinition::new("count_queues");
        transaction.open_table(counts).unwrap().insert(&[0, 0, 0, 0, 0], 500).unwrap();
        let counts: TableDefinition<'_, &[u8; 6], &[u8; 80]> = TableDefinition::new("count_filings");
        transaction.open_table(counts).unwrap().insert(&[0; 6], &[9; 80]).unwrap();
        transaction.commit().unwrap();
    }
    assert_eq!(verify(&file).unwrap().check.wrong.len(), 2);
    let (store, report) = RedbStore::open(&file, OpenOptions::default()).unwrap();
    assert_eq!(report.corrected.len(), 2, "{report:?}");
    assert_eq!(store.self_check().await.unwrap().wrong, Vec::<String>::new());
    assert_eq!(store.summary(&Scope::All).await.unwrap().filings.by_state, [1, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_full_queue_is_busy() {
    let home = tempfile::tempdir().unwrap();
    let options = OpenOptions { queue: 2, group_commands: 1, ..OpenOptions::default() };
    let (store, _) = RedbStore::open(&home.path().join("store.redb"), options).unwrap();
    let given = |number: u64| -> Acceptance {
        crate::world::acceptance(vec![filing(request(number, "dms-eu", "in"))])
    };
    let mut answers = futures_util::future::join_all((0..64).map(|number| store.accept(given(number)))).await;
    let busy =
        answers.extract_if(.., |answer| *answer == Err(postroom_domain::store::StoreError::Busy)).count();
    assert!(busy > 0 && answers.iter().all(Result::is_ok), "{busy} were told to come back");
    let kept = all(&store, &FilingQuery::default(), 9, at(1)).await.unwrap().len();
    assert_eq!(kept, answers.len());
    // Nothing is left in the queue: it takes more.
    assert!(store.accept(given(100)).await.is_ok());
}
