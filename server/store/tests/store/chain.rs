//! The chain of the history: in every store, in files that somebody laid hands on, and in files of before it was there.

use std::path::{Path, PathBuf};

use postroom_domain::audit::{
    self, Anchor, Breach, Export, Fault, Format, verify, verify_after, verify_export,
};
use postroom_domain::event::{Event, NewEvent};
use postroom_domain::query::Window;
use postroom_domain::store::{Chained, Pause, Store};
use postroom_domain::testing::SeededEntropy;
use postroom_store::{OpenError, OpenOptions, RedbStore, restore, verify_with};
use redb::{Builder, Database, ReadableTable, TableDefinition, TableHandle};
use tempfile::TempDir;

use crate::conformance::a_mixed_lot;
use crate::disk::{Disk, Fault as DiskFault};
use crate::records::{commit, record, told};
use crate::world::{accept, actor, at, filing, request, scope, work_item};

/// Everything that writes events.
async fn a_life(store: &dyn Store) {
    a_mixed_lot(store).await;
    store.save_work_item(work_item(7, "ABC-1", "Harrow v Teal"), Vec::new(), &actor(), at(1)).await.unwrap();
    let pause = Pause {
        door: "source/scans".to_owned(),
        site: None,
        by: "ada".to_owned(),
        reason: "Käse, \"why\"\nnot".to_owned(),
        since: at(1),
        until: None,
    };
    store.pause(pause).await.unwrap();
    assert!(store.resume("source/scans", &actor(), at(2)).await.unwrap());
    store.record(told(3)).await.unwrap();
    let person = record(postroom_domain::record::Kind::Person, 3, &["k"], &[]);
    commit(store, vec![postroom_domain::record::Write::Put(person)]).await.unwrap();
}

async fn chain(store: &dyn Store) -> Vec<Chained> {
    store.chain_after(0, 100_000).await.unwrap()
}

fn anchor(link: &Chained) -> Anchor {
    Anchor { seq: link.seq, hash: link.hash }
}

pub(crate) async fn the_history_is_a_chain(store: &dyn Store) {
    let empty = verify(store, None).await.unwrap();
    assert_eq!((empty.head, empty.checked, empty.fault), (Anchor::START, 0, None));
    a_life(store).await;
    let links = chain(store).await;
    let events = store.events_after(0, 100_000).await.unwrap();
    assert!(links.len() == events.len() && links.len() > 90, "{} events", links.len());
    let mut hash = audit::START;
    for (link, Event { seq, event }) in links.iter().zip(&events) {
        hash = audit::link(&hash, *seq, &link.written);
        assert_eq!((link.seq, link.hash), (*seq, hash));
        assert_eq!(serde_json::from_slice::<NewEvent>(&link.written).unwrap(), *event);
    }
    let last = links.len() as u64;
    assert_eq!(store.chain_after(last, 9).await, Ok(Vec::new()));
    assert_eq!(store.chain_after(u64::MAX, 9).await, Ok(Vec::new()));
    assert_eq!(store.chain_after(3, 2).await.unwrap(), links[3..5]);

    let head = anchor(&links[links.len() - 1]);
    for known in [None, Some(head), Some(anchor(&links[4])), Some(Anchor::START)] {
        let found = verify(store, known).await.unwrap();
        assert_eq!((found.head, found.checked, found.fault), (head, last, None), "{known:?}");
    }
    let found = verify_after(store, anchor(&links[9])).await.unwrap();
    assert_eq!((found.head, found.checked, found.fault), (head, last - 10, None));
    let fault = async |known| {
        let (whole, after) = (verify(store, Some(known)).await, verify_after(store, known).await);
        assert_eq!(
            whole.as_ref().unwrap().fault,
            after.as_ref().unwrap().fault.map(|fault| Fault {
                // From the beginning, it is told where the history ends.
                seq: fault.seq.min(last + 1),
                ..fault
            })
        );
        whole.unwrap().fault.unwrap()
    };
    let other = Anchor { hash: [7; 32], ..anchor(&links[4]) };
    assert_eq!(fault(other).await, Fault { seq: 5, breach: Breach::OtherHistory });
    let beyond = Anchor { seq: last + 5, ..head };
    assert_eq!(fault(beyond).await, Fault { seq: last + 1, breach: Breach::CutOff });
}

async fn export(store: &dyn Store, format: Format, after: u64, until: u64) -> Vec<u8> {
    let mut export = Export::new(format, after, until);
    let mut out = Vec::new();
    while let Some(piece) = export.next(store).await.unwrap() {
        assert!(piece.ends_with(b"\n"));
        out.extend(piece);
    }
    out
}

pub(crate) async fn the_history_is_exported(store: &dyn Store) {
    assert_eq!(export(store, Format::JsonLines, 0, 9).await, b"");
    assert_eq!(export(store, Format::Csv, 0, 0).await.split_inclusive(|byte| *byte == b'\n').count(), 1);
    a_life(store).await;
    // More than a page.
    for _ in 0..600 {
        store.record(told(3)).await.unwrap();
    }
    let links = chain(store).await;
    let last = links.len() as u64;
    let head = anchor(&links[links.len() - 1]);
    let whole = export(store, Format::JsonLines, 0, last).await;
    let found = verify_export(whole.as_slice(), Some(head)).unwrap();
    assert_eq!((found.from, found.head, found.checked, found.fault), (Anchor::START, head, last, None));
    let part = export(store, Format::JsonLines, 10, last - 5).await;
    let found = verify_export(part.as_slice(), Some(anchor(&links[9]))).unwrap();
    assert_eq!((found.checked, found.fault), (last - 15, None));

    let table = export(store, Format::Csv, 0, last).await;
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(table.as_slice()).into_records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), links.len());
    let row: Vec<&str> = rows[rows.len() - 1].iter().collect();
    assert_eq!(row[5..15], ["security", "person_changed", "", "", "", "", "ada", "", "", "'=1+1"]);
    let row = rows.iter().find(|row| &row[5] == "paused").unwrap();
    assert_eq!((&row[3], &row[4], &row[14]), ("door", "source/scans", "Käse, \"why\"\nnot"));
}

const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");
const HASHES: TableDefinition<'_, u64, &[u8; 32]> = TableDefinition::new("event_hashes");

async fn kept() -> (TempDir, PathBuf, Vec<Chained>) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("store.redb");
    let (store, _) = RedbStore::open(&file, OpenOptions::default()).unwrap();
    a_life(&store).await;
    let links = chain(&store).await;
    store.close().await.unwrap();
    (home, file, links)
}

fn tamper(file: &Path, work: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(file).unwrap();
    let transaction = database.begin_write().unwrap();
    work(&transaction);
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_file_that_somebody_laid_hands_on_is_found() {
    type Tamper = fn(&redb::WriteTransaction);
    let cases: [(&str, u64, Breach, Tamper); 4] = [
        ("changed", 20, Breach::Changed, |file| {
            let mut events = file.open_table(EVENTS).unwrap();
            let text = String::from_utf8(events.get(20).unwrap().unwrap().value().to_vec()).unwrap();
            events.insert(20, text.replace("ada", "eve").as_bytes()).unwrap();
        }),
        ("taken out", 20, Breach::Missing, |file| {
            file.open_table(EVENTS).unwrap().remove(20).unwrap();
        }),
        ("without its hash", 20, Breach::Changed, |file| {
            file.open_table(HASHES).unwrap().remove(20).unwrap();
        }),
        ("swapped", 20, Breach::Reordered, |file| {
            let mut events = file.open_table(EVENTS).unwrap();
            let [first, second] = [20, 21].map(|seq| events.get(seq).unwrap().unwrap().value().to_vec());
            events.insert(20, second.as_slice()).unwrap();
            events.insert(21, first.as_slice()).unwrap();
        }),
    ];
    let (home, file, links) = kept().await;
    let head = anchor(&links[links.len() - 1]);
    let sound = std::fs::read(&file).unwrap();
    let found = verify_with(&file, Some(head)).unwrap();
    assert!(found.is_sound() && found.chain.unwrap().head == head, "{found:?}");
    for (name, seq, breach, work) in cases {
        std::fs::write(&file, &sound).unwrap();
        tamper(&file, work);
        let found = verify_with(&file, None).unwrap();
        let fault = Fault { seq, breach };
        assert_eq!((found.is_sound(), found.chain.unwrap().fault), (false, Some(fault)), "{name}");
        assert!(found.check.wrong.contains(&fault.to_string()), "{name}: {:?}", found.check.wrong);
        let back = home.path().join("back.redb");
        assert!(matches!(restore(&file, &back), Err(OpenError::Damaged { .. })), "{name}");
        // It opens and goes on, and tells the same while it is open.
        let (store, _) = RedbStore::open(&file, OpenOptions::default()).unwrap();
        store.record(told(1)).await.unwrap();
        assert_eq!(verify(&store, None).await.unwrap().fault, Some(fault), "{name}");
        assert_eq!(verify_after(&store, anchor(&links[30])).await.unwrap().fault, None, "{name}");
    }
    // The end cut off, tidily: only who knows the head can tell.
    std::fs::write(&file, &sound).unwrap();
    tamper(&file, |file| {
        let last = head.seq;
        file.open_table(EVENTS).unwrap().remove(last).unwrap();
        file.open_table(HASHES).unwrap().remove(last).unwrap();
        let about: TableDefinition<'_, &[u8; 25], ()> = TableDefinition::new("events_about");
        let mut about = file.open_table(about).unwrap();
        about.retain(|key, ()| key[17..] != last.to_be_bytes()).unwrap();
    });
    assert!(verify_with(&file, None).unwrap().is_sound());
    let found = verify_with(&file, Some(head)).unwrap();
    assert_eq!(found.chain.unwrap().fault, Some(Fault { seq: head.seq, breach: Breach::CutOff }));
    assert!(!found.is_sound());
}

/// What a file of version 1 did not have.
const NEW_TABLES: [&str; 5] = ["event_hashes", "work_by_site", "records", "record_keys", "record_groups"];

fn make_old(database: &Database) {
    let transaction = database.begin_write().unwrap();
    let tables: Vec<_> = transaction.list_tables().unwrap().collect();
    for table in tables.into_iter().filter(|table| NEW_TABLES.contains(&table.name())) {
        assert!(transaction.delete_table(table).unwrap());
    }
    let meta: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
    transaction.open_table(meta).unwrap().insert("schema", 1).unwrap();
    transaction.commit().unwrap();
}

/// A store as the first version left it, with some events and work items, but no records.
async fn old(store: &RedbStore) -> Vec<Chained> {
    for content in 0..10 {
        accept(store, vec![filing(request(content, "dms-eu", "in"))]).await;
    }
    for (id, site) in [(5, "london"), (6, "paris"), (7, "rome"), (8, "paris")] {
        let mut item = work_item(id, &format!("R-{id}"), "Harrow v Teal");
        item.site = site.parse().unwrap();
        store.save_work_item(item, Vec::new(), &actor(), at(1)).await.unwrap();
    }
    let links = chain(store).await;
    store.close().await.unwrap();
    links
}

async fn is_up_to_date(store: &RedbStore, links: &[Chained], what: &str) {
    assert_eq!(chain(store).await, links, "{what}");
    let window = Window { before: None, limit: 9 };
    let items = store.list_work_items(&scope(&["paris", "rome"]), "", window).await.unwrap().items;
    assert_eq!(items.iter().map(|item| item.id.as_u128()).collect::<Vec<_>>(), [8, 7, 6], "{what}");
    store.record(told(1)).await.unwrap();
    assert_eq!(store.self_check().await.unwrap().wrong, Vec::<String>::new(), "{what}");
}

#[tokio::test]
async fn a_file_of_before_is_brought_up_to_date() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("store.redb");
    let links = old(&RedbStore::open(&file, OpenOptions::default()).unwrap().0).await;
    make_old(&Database::open(&file).unwrap());
    // Looking at it changes nothing, and it can be put back as it is.
    let before = std::fs::read(&file).unwrap();
    let found = verify_with(&file, None).unwrap();
    assert!(found.is_sound() && found.format == 1 && found.chain.is_none(), "{found:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let copy = home.path().join("copy.redb");
    restore(&file, &copy).unwrap();

    for (file, portion) in [(file, 20_000), (copy, 3)] {
        let options = OpenOptions { migration_portion: portion, ..OpenOptions::default() };
        let (store, report) = RedbStore::open(&file, options).unwrap();
        assert_eq!((report.hashed, report.corrected.len()), (links.len() as u64, 0));
        is_up_to_date(&store, &links, "first start").await;
        drop(store);
        assert!(verify_with(&file, Some(anchor(&links[3]))).unwrap().is_sound());
        assert_eq!(RedbStore::open(&file, OpenOptions::default()).unwrap().1.hashed, 0);
    }
}

fn open(disk: &Disk) -> Result<(RedbStore, postroom_store::OpenReport), OpenError> {
    let options =
        OpenOptions { backend: Some(disk.backend()), migration_portion: 3, ..OpenOptions::default() };
    RedbStore::open(Path::new("the disk in memory"), options)
}

#[tokio::test]
async fn bringing_up_to_date_goes_on_after_a_kill() {
    let disk = Disk::new();
    let links = old(&open(&disk).unwrap().0).await;
    make_old(&Builder::new().create_with_backend(disk.clone()).unwrap());
    let chance = SeededEntropy::new(5);
    let mut halfway = 0;
    for number in 1.. {
        let what = format!("operation {number}");
        let dying = disk.kill();
        dying.fail(DiskFault::From(number));
        let done = open(&dying).is_ok();
        let after = if number % 2 == 0 { dying.power_cut(&chance) } else { dying.kill() };
        let (store, report) = open(&after).unwrap_or_else(|error| panic!("{what}: {error}"));
        halfway += u64::from(report.hashed > 0 && report.hashed < links.len() as u64);
        is_up_to_date(&store, &links, &what).await;
        if done {
            break;
        }
        assert!(number < 1000, "it never comes to its end");
    }
    assert!(halfway > 10, "only {halfway} starts found it half done");
}

#[tokio::test]
async fn the_greatest_id_stays_known_when_its_record_is_gone() {
    use postroom_domain::record::{Kind, Write};
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("store.redb");
    let open = || RedbStore::open(&file, OpenOptions::default()).unwrap().0;
    let store = open();
    let (less, great) = (3 << 100, (5 << 100) | 7);
    for id in [less, great] {
        commit(&store, vec![Write::Put(record(Kind::Session, id, &[], &[]))]).await.unwrap();
    }
    drop(store);
    let store = open();
    assert_eq!(store.greatest_id(), great);
    for id in [less, great] {
        commit(&store, vec![Write::Remove { kind: Kind::Session, id, version: 1 }]).await.unwrap();
    }
    drop(store);
    assert_eq!(open().greatest_id(), great);
}

#[tokio::test]
async fn records_that_lost_their_keys_are_found() {
    let (_home, file, _) = kept().await;
    let keys: TableDefinition<'_, &[u8], &[u8; 16]> = TableDefinition::new("record_keys");
    let groups: TableDefinition<'_, &[u8], ()> = TableDefinition::new("record_groups");
    tamper(&file, |file| {
        file.open_table(keys).unwrap().remove(&b"\x01k"[..]).unwrap();
        file.open_table(groups).unwrap().insert(&b"\x01\x00\x01x0123456789abcdef"[..], ()).unwrap();
    });
    let found = verify_with(&file, None).unwrap();
    assert_eq!(
        found.check.wrong,
        [
            "person 00000000000000000000000000000003 is not found by one of its keys",
            "record_keys has 0 rows where 1 belong",
            "record_groups has 1 rows where 0 belong",
        ]
    );
}
