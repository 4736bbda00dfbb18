//! Tables of data: every row once, with its result, whenever it is cut off.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use postroom_domain::Fut;
use postroom_domain::data_upload::{
    Counts, DataState, DataUpload, Loads as _, Mapping, Row, RowResult, Table, TableError, Tables, Verdict,
    read_results,
};
use postroom_domain::dms::Content;
use postroom_domain::event::Happening;
use postroom_domain::ids::{DataUploadId, IdMint, SiteName};
use postroom_domain::link::SystemOnly;
use postroom_domain::luggage::{Luggage, LuggageSecret, LuggageSettings};
use postroom_domain::mailroom::Mailroom;
use postroom_domain::person::{Actor, Sites};
use postroom_domain::plan::Rules;
use postroom_domain::reception::Reception;
use postroom_domain::record::{self, Commit, Kept as _, Registry as _};
use postroom_domain::split;
use postroom_domain::store::Store as _;
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock as _;
use postroom_engine::{LoadParts, LoadsHandle};
use postroom_store::MemoryStore;
use postroom_store::spool::{FileSpool, SpoolOptions};

/// Lines with commas; one that reads `!` ends the file as unfit.
struct Lines {
    header: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Clone, Copy)]
struct Reader;

impl Tables for Reader {
    fn open<'a>(
        &'a self,
        content: Arc<dyn Content>,
        _: &'a str,
    ) -> Fut<'a, Result<Box<dyn Table>, TableError>> {
        Box::pin(async move {
            let mut bytes = Vec::new();
            let mut stream = content.open().await.unwrap();
            while let Some(piece) = stream.next().await {
                bytes.extend_from_slice(&piece.unwrap());
            }
            let text = String::from_utf8(bytes).unwrap();
            let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
            let header = lines.next().unwrap();
            let mut rows: Vec<Row> =
                (2..).zip(lines).map(|(number, cells)| Row { number, cells, unreadable: None }).collect();
            rows.reverse();
            Ok(Box::new(Lines { header, rows }) as Box<dyn Table>)
        })
    }
}

impl Table for Lines {
    fn header(&self) -> &[String] {
        &self.header
    }
    fn format(&self) -> String {
        "lines".to_owned()
    }
    fn next(&mut self, most: usize) -> Fut<'_, Result<Vec<Row>, TableError>> {
        Box::pin(async move {
            let mut portion = Vec::new();
            while portion.len() < most {
                match self.rows.last() {
                    None => break,
                    Some(row) if row.cells[0] == "!" && portion.is_empty() => {
                        return Err(TableError::Unfit("the end is missing".to_owned()));
                    }
                    Some(row) if row.cells[0] == "!" => break,
                    Some(_) => portion.extend(self.rows.pop()),
                }
            }
            Ok(portion)
        })
    }
}

struct House {
    store: Arc<MemoryStore>,
    mailroom: Arc<Mailroom>,
    clock: Arc<ManualClock>,
    _data: tempfile::TempDir,
}

fn site() -> SiteName {
    "main".parse().unwrap()
}

impl House {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-27T09:00:00Z"));
        let store = Arc::new(MemoryStore::new());
        let data = tempfile::tempdir().unwrap();
        let options = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
        let spool = Arc::new(FileSpool::open(data.path(), &options, clock.clone()).unwrap());
        let reception = Arc::new(Reception {
            store: store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            mint: Arc::new(IdMint::after(0)),
            rules: Arc::new(Rules::default()),
            accounts: Arc::new(SystemOnly),
            spool,
            opens_all: false,
            allocator: None,
        });
        let mailroom = Arc::new(Mailroom {
            reception,
            luggage: Luggage::new(LuggageSecret::new([7; 32]), &LuggageSettings::default()),
            matching: None,
            split: split::Rules::new(split::SplitSettings::default()).unwrap(),
            zone: jiff::tz::TimeZone::UTC,
        });
        Self { store, mailroom, clock, _data: data }
    }

    fn start(&self, portion: usize) -> LoadsHandle {
        let parts = LoadParts::new(self.mailroom.clone(), Arc::new(Reader));
        LoadsHandle::start(LoadParts { portion, ..parts })
    }

    /// A table that was handed in.
    async fn hand_in(&self, text: &str) -> DataUpload {
        let mut draft = self.mailroom.reception.spool.draft().await.unwrap();
        draft.write(Bytes::copy_from_slice(text.as_bytes())).await.unwrap();
        let file = draft.seal().await.unwrap();
        let mapping: Mapping = serde_json::from_value(serde_json::json!({
            "name": "matters", "work_type": "matter", "columns": [
                {"column": "No", "field": "reference"}, {"column": "Title", "field": "title"},
                {"column": "Open", "field": "open"},
            ]
        }))
        .unwrap();
        let reception = &self.mailroom.reception;
        let upload = DataUpload {
            id: DataUploadId::from_u128(reception.mint.next(&*reception.clock, &*reception.entropy)),
            version: 1,
            site: site(),
            owner: "ada".to_owned(),
            run_by: "ada".to_owned(),
            sites: Sites::one(site()),
            file_name: "matters.csv".to_owned(),
            file,
            format: String::new(),
            mapping,
            state: DataState::Staged,
            problem: String::new(),
            check: None,
            load: None,
            created: self.clock.now(),
        };
        self.write(&upload).await;
        upload
    }

    async fn write(&self, upload: &DataUpload) {
        let commit = Commit { writes: vec![upload.put().unwrap()], events: Vec::new() };
        self.store.commit(commit).await.unwrap();
    }

    async fn read(&self, id: DataUploadId) -> DataUpload {
        record::by_id(&*self.store, id.as_u128()).await.unwrap().unwrap()
    }

    /// Says that it be looked at or loaded, and waits for the end.
    async fn through(&self, loads: &LoadsHandle, id: DataUploadId, load: bool) -> DataUpload {
        let mut upload = self.read(id).await;
        let now = self.clock.now();
        assert!(if load { upload.begin_load(now) } else { upload.begin_check(now) });
        self.write(&upload).await;
        loads.wake();
        self.ended(id).await
    }

    async fn ended(&self, id: DataUploadId) -> DataUpload {
        for _ in 0..6000 {
            let upload = self.read(id).await;
            if !upload.state.is_working() {
                return upload;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it does not end: {:?}", self.read(id).await.state);
    }

    async fn results(&self, upload: &DataUpload) -> Vec<RowResult> {
        let mut all = Vec::new();
        for batch in &upload.pass().unwrap().batches {
            let content = self.mailroom.reception.spool.content(batch.results).await.unwrap();
            let mut stream = content.open().await.unwrap();
            let mut bytes = Vec::new();
            while let Some(piece) = stream.next().await {
                bytes.extend_from_slice(&piece.unwrap());
            }
            let results = read_results(&bytes).unwrap();
            assert_eq!((batch.counts, batch.rows), (Counts::of(&results), results.len() as u64));
            all.extend(results);
        }
        all
    }

    async fn saves(&self) -> usize {
        let events = self.store.events_after(0, usize::MAX).await.unwrap();
        events.iter().filter(|event| matches!(event.event.happening, Happening::WorkItemSaved)).count()
    }
}

const fn counts(created: u64, updated: u64, unchanged: u64, rejected: u64) -> Counts {
    Counts { created, updated, unchanged, rejected }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_has_its_result_and_the_same_file_again_changes_nothing() {
    let house = House::new();
    let loads = house.start(3);
    let table = "No,Title,Open\n1,One,yes\n2,,yes\n3,Three,perhaps\n1,Another,yes\n,Nobody,yes\n4,Four,no\n5,Five,yes,too,many\n6,Six,\n";
    let upload = house.hand_in(table).await;
    // First a look: nothing is changed by it.
    let checked = house.through(&loads, upload.id, false).await;
    assert_eq!((checked.state, checked.pass().unwrap().counts()), (DataState::Checked, counts(3, 0, 0, 5)));
    assert_eq!((checked.total(), house.saves().await), (Some(8), 0));

    let loaded = house.through(&loads, upload.id, true).await;
    assert_eq!((loaded.state, loaded.pass().unwrap().counts()), (DataState::Loaded, counts(3, 0, 0, 5)));
    let results = house.results(&loaded).await;
    let told: Vec<(u64, Verdict, &str, &str)> =
        results.iter().map(|row| (row.row, row.result, row.column.as_str(), row.reason.as_str())).collect();
    let rejected = Verdict::Rejected;
    assert_eq!(
        told,
        [
            (2, Verdict::Created, "", ""),
            (3, rejected, "Title", "must not be blank"),
            (
                4,
                rejected,
                "Open",
                "\"perhaps\" is neither yes nor no (open or closed, true or false, 1 or 0)"
            ),
            (5, rejected, "", "the same reference stands in row 2 already, which alone is loaded"),
            (6, rejected, "No", "is empty"),
            (7, Verdict::Created, "", ""),
            (8, rejected, "", "it has 5 cells where the header has 3: is a quote missing?"),
            (9, Verdict::Created, "", ""),
        ]
    );
    let four = house.store.work_item_by_reference(&site(), "4").await.unwrap().unwrap();
    assert_eq!((four.title.as_str(), four.open, four.version), ("Four", false, 1));
    assert!(house.mailroom.tag(four.id).await.unwrap().is_some(), "it has its luggage tag");
    let events = house.store.events_after(0, 100).await.unwrap();
    let actor = Actor { principal: "data-upload".into(), on_behalf_of: Some("ada".into()), credential: None };
    assert!(events.iter().all(|event| event.event.actor == actor), "{events:?}");

    // The same again, by the same record and by another.
    for id in [upload.id, house.hand_in(table).await.id] {
        let again = house.through(&loads, id, true).await;
        assert_eq!(again.pass().unwrap().counts(), counts(0, 0, 3, 5));
        assert_eq!(house.saves().await, 3);
    }
    // One cell differs.
    let other = house.hand_in(&table.replace("Four", "Fourth")).await;
    let loaded = house.through(&loads, other.id, true).await;
    assert_eq!(loaded.pass().unwrap().counts(), counts(0, 1, 2, 5));
    let results = house.results(&loaded).await;
    assert_eq!(results.iter().find(|row| row.row == 7).unwrap().changed, ["title"]);
    loads.stop(Duration::from_secs(5)).await;
}

/// Cut off again and again, at whatever moment: in the end each row was saved once, and its result says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_again_and_again_no_row_is_saved_twice() {
    let house = House::new();
    let rows = 600;
    let lines: Vec<String> = (0..rows).map(|row| format!("R{row},Title {row},yes\n")).collect();
    let lines = lines.concat();
    let upload = house.hand_in(&format!("No,Title,Open\n{lines}")).await;
    // One is there already, under another title.
    let there = house.hand_in("No,Title,Open\nR0,Old,yes\n").await;
    let loads = house.start(100);
    house.through(&loads, there.id, true).await;
    loads.stop(Duration::from_secs(5)).await;
    drop(loads);
    let mut begun = house.read(upload.id).await;
    assert!(begun.begin_load(house.clock.now()));
    house.write(&begun).await;
    let (mut cuts, alone) = (0, Arc::strong_count(&house.mailroom));
    for round in 0_u64.. {
        let loads = house.start(50);
        // From before the first row to some portions further. On a slow machine too it comes to its end: it is given more time the longer it lasts.
        tokio::time::sleep(Duration::from_micros(500 + (round * 7919) % 20_000 + round * 300)).await;
        drop(loads);
        // A process that was killed does nothing more; a task that is cut off goes on to its next pause.
        while Arc::strong_count(&house.mailroom) > alone {
            tokio::task::yield_now().await;
        }
        // Time passes between a cut and the next start.
        house.clock.advance(Duration::from_secs(1));
        if !house.read(upload.id).await.state.is_working() {
            break;
        }
        cuts += 1;
        assert!(cuts < 5000, "it never ends");
    }
    let loaded = house.ended(upload.id).await;
    println!("{rows} rows, cut off {cuts} times");
    assert_eq!(loaded.pass().unwrap().counts(), counts(rows - 1, 1, 0, 0));
    let results = house.results(&loaded).await;
    let by_row: BTreeMap<u64, Verdict> = results.iter().map(|row| (row.row, row.result)).collect();
    assert_eq!((results.len() as u64, by_row.len() as u64), (rows, rows));
    // One save of before, and one of each row.
    assert_eq!(house.saves().await as u64, rows + 1);
    assert!(cuts > 3, "it was cut off only {cuts} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_holds_and_what_was_changed_since_stays() {
    let house = House::new();
    let loads = house.start(2);
    let upload = house.hand_in("No,Title,Open\n1,One,yes\n2,Two,yes\n3,Three,yes\n!,,\n").await;
    // The file breaks off: what came before it is loaded, and the rest is told.
    let failed = house.through(&loads, upload.id, true).await;
    assert_eq!((failed.state, failed.problem.as_str()), (DataState::Failed, "the end is missing"));
    assert_eq!(failed.load.as_ref().unwrap().counts(), counts(3, 0, 0, 0));
    assert_eq!(failed.total(), None);

    // A portion was cut off after its rows were saved, and before that was written down. Meanwhile a person changed one.
    let table = house.hand_in("No,Title,Open\n1,First,yes\n2,Second,yes\n").await;
    let loaded = house.through(&loads, table.id, true).await;
    assert_eq!(loaded.pass().unwrap().counts(), counts(0, 2, 0, 0));
    let mut torn = loaded.clone();
    torn.version += 1;
    torn.state = DataState::Stopped;
    let pass = torn.load.as_mut().unwrap();
    let batch = pass.batches.pop().unwrap();
    pass.ended = None;
    let since = house.clock.now();
    pass.under_way = Some(postroom_domain::data_upload::UnderWay { plan: batch.results, since });
    house.write(&torn).await;
    let one = house.store.work_item_by_reference(&site(), "1").await.unwrap().unwrap();
    let by_hand =
        postroom_domain::work_item::WorkItem { title: "By hand".into(), version: one.version + 1, ..one };
    house.clock.advance(Duration::from_secs(5));
    let at = house.clock.now();
    house.mailroom.save_work_item(by_hand, &Actor::person("bob"), at).await.unwrap();
    let goes_on = house.through(&loads, table.id, true).await;
    // Both rows count as what they were, and the person's word stands.
    assert_eq!((goes_on.state, goes_on.pass().unwrap().counts()), (DataState::Loaded, counts(0, 2, 0, 0)));
    let one = house.store.work_item_by_reference(&site(), "1").await.unwrap().unwrap();
    assert_eq!(one.title, "By hand");
    loads.stop(Duration::from_secs(5)).await;
}
