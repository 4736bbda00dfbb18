//! A scan folder over a DMS that is played, with time by hand.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use postroom_domain::Fut;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, DmsResult, Found, Page, Probe, Receipt, Trouble, Upload,
};
use postroom_domain::ids::IdMint;
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::plan::Rules;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::record::Registry as _;
use postroom_domain::store::{Pause, Store as _};
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock as _;
use postroom_store::{FileSpool, MemoryStore, SpoolOptions};

use super::*;

#[derive(Default)]
struct Shelf {
    documents: BTreeMap<String, (Document, Vec<u8>)>,
    /// Documents whose download breaks off.
    torn: BTreeSet<String>,
    down: bool,
    stubborn: bool,
    moved: Vec<(String, String)>,
    marked: Vec<(String, String)>,
    downloads: usize,
}

/// A DMS with one folder.
struct Played {
    shelf: Mutex<Shelf>,
    able: Capabilities,
}

fn trouble() -> DmsError {
    DmsError::Unavailable(Trouble::new(Cause::Unreachable, "the DMS is down"))
}

fn never<'a, T: Send + 'a>() -> Fut<'a, DmsResult<T>> {
    Box::pin(async { Err(DmsError::Unsupported(Trouble::new(Cause::Unsupported, "not played"))) })
}

impl Dms for Played {
    fn capabilities(&self) -> Capabilities {
        self.able
    }
    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        never()
    }
    fn find_workspaces<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a WorkspaceQuery,
        _: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        never()
    }
    fn container<'a>(&'a self, _: &'a Actor, _: &'a str, _: &'a str) -> Fut<'a, DmsResult<Container>> {
        never()
    }
    fn folders<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a str,
        _: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        never()
    }
    fn create_folder<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        never()
    }
    fn safe_name(&self, name: &str) -> String {
        name.to_owned()
    }
    fn upload<'a>(&'a self, _: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        never()
    }
    fn probe<'a>(&'a self, _: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        never()
    }
    fn document<'a>(&'a self, _: &'a Actor, _: &'a str, _: &'a str) -> Fut<'a, DmsResult<Document>> {
        never()
    }

    fn documents<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Document>>> {
        Box::pin(async move {
            let shelf = self.shelf.lock().unwrap();
            if shelf.down || container != "in" {
                return Err(trouble());
            }
            // Two on a page.
            let from = page.map_or(0, |page| page.parse().unwrap());
            let all: Vec<Document> = shelf.documents.values().map(|(document, _)| document.clone()).collect();
            let items: Vec<Document> = all.iter().skip(from).take(2).cloned().collect();
            let next = (from + 2 < all.len()).then(|| (from + 2).to_string());
            Ok(Page { items, next })
        })
    }

    fn download<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        document: &'a str,
        _: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(async move {
            let mut shelf = self.shelf.lock().unwrap();
            shelf.downloads += 1;
            let bytes = shelf.documents[document].1.clone();
            let mut pieces = vec![Ok(Bytes::from(bytes))];
            if shelf.torn.contains(document) {
                pieces.push(Err(std::io::Error::other("reset")));
            }
            let stream: ByteStream = Box::pin(futures_util::stream::iter(pieces));
            Ok(stream)
        })
    }

    fn move_document<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        document: &'a str,
        _: &'a str,
        to: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            let mut shelf = self.shelf.lock().unwrap();
            if shelf.stubborn {
                return Err(trouble());
            }
            shelf.moved.push((document.to_owned(), to.to_owned()));
            let (moved, _) = shelf.documents.remove(document).unwrap();
            Ok(moved)
        })
    }

    fn set_profile<'a>(
        &'a self,
        _: &'a Actor,
        _: &'a str,
        document: &'a str,
        fields: &'a BTreeMap<String, String>,
    ) -> Fut<'a, DmsResult<()>> {
        Box::pin(async move {
            let field =
                fields.iter().map(|(field, value)| format!("{field}={value}")).next().unwrap_or_default();
            self.shelf.lock().unwrap().marked.push((document.to_owned(), field));
            Ok(())
        })
    }
}

struct World {
    _data: tempfile::TempDir,
    clock: Arc<ManualClock>,
    spool: FileSpool,
    store: Arc<MemoryStore>,
    reception: Arc<Reception>,
    dms: Arc<Played>,
    folder: ScanFolder,
    afterwards: Afterwards,
}

impl World {
    fn new(afterwards: Afterwards, able: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let options = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
        let spool = FileSpool::open(data.path(), &options, clock.clone()).unwrap();
        let store = Arc::new(MemoryStore::new());
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
        let able = Capabilities { move_documents: able, set_profile: able, ..Capabilities::default() };
        let dms = Arc::new(Played { shelf: Mutex::default(), able });
        let folder = folder(&afterwards, &dms, &reception, &spool);
        Self { _data: data, clock, spool, store, reception, dms, folder, afterwards }
    }

    fn restart(&mut self) {
        self.folder = folder(&self.afterwards, &self.dms, &self.reception, &self.spool);
    }

    fn put(&self, id: &str, version: &str, bytes: &[u8]) {
        let document = Document {
            id: id.to_owned(),
            version: Some(version.to_owned()),
            name: format!("{id}.pdf"),
            size: Some(u64::try_from(bytes.len()).unwrap()),
            ..Document::default()
        };
        self.dms.shelf.lock().unwrap().documents.insert(id.to_owned(), (document, bytes.to_vec()));
    }

    async fn look(&self) -> Duration {
        self.folder.look(&CancellationToken::new()).await
    }

    /// Looks often enough for everything that may be taken.
    async fn settle(&self) {
        self.look().await;
        self.clock.advance(SETTLE);
        self.look().await;
    }

    async fn intakes(&self) -> Vec<Intake> {
        let window = Window { before: None, limit: 100 };
        let mut items = self.store.list_intakes(&IntakeQuery::default(), window).await.unwrap().items;
        items.reverse();
        items
    }

    /// Names of what was taken in, in order.
    async fn names(&self) -> Vec<String> {
        self.intakes().await.into_iter().map(|intake| intake.documents[0].file_name.clone()).collect()
    }

    async fn dismiss_all(&self) {
        for intake in self.intakes().await.into_iter().filter(|it| it.state != IntakeState::Dismissed) {
            self.reception.dismiss(intake.id, None, &Actor::person("ann"), "not ours").await.unwrap();
        }
    }

    async fn remembered(&self) -> Vec<Collected> {
        let group = Collected::of(&"scans".parse().unwrap());
        record::page(&*self.store, Some(&group), None, 100).await.unwrap()
    }
}

fn folder(
    afterwards: &Afterwards,
    dms: &Arc<Played>,
    reception: &Arc<Reception>,
    spool: &FileSpool,
) -> ScanFolder {
    let options = ScanFolderOptions {
        source: "scans".parse().unwrap(),
        site: "main".parse().unwrap(),
        service: "dms-eu".parse().unwrap(),
        library: String::new(),
        container: "in".to_owned(),
        poll: Duration::from_mins(1),
        largest: 1_000,
        batches: true,
        work_item: None,
        afterwards: afterwards.clone(),
    };
    ScanFolder::new(options, dms.clone(), reception.clone(), Arc::new(spool.clone()))
}

#[tokio::test]
async fn a_document_is_collected_once_also_over_a_restart() {
    let mut world = World::new(Afterwards::Leave, true);
    for id in ["a", "b", "c"] {
        world.put(id, "1", id.as_bytes());
    }
    assert_eq!(world.look().await, SETTLE, "they have to look the same once more");
    assert_eq!(world.names().await, Vec::<String>::new());
    world.clock.advance(SETTLE);
    assert_eq!(world.look().await, Duration::from_mins(1));
    assert_eq!(world.names().await, ["a.pdf", "b.pdf", "c.pdf"]);
    assert!(world.intakes().await.iter().all(|it| it.batch && it.state == IntakeState::Stored));
    for _ in 0..2 {
        world.settle().await;
        world.restart();
    }
    assert_eq!((world.names().await.len(), world.dms.shelf.lock().unwrap().downloads), (3, 3));
    // A new version is a new arrival.
    world.put("b", "2", b"other");
    world.settle().await;
    assert_eq!(world.names().await, ["a.pdf", "b.pdf", "c.pdf", "b.pdf"]);
    assert_eq!(world.remembered().await.len(), 3);
    assert_eq!(world.folder.status().under_way, 3);
}

#[tokio::test]
async fn what_was_forgotten_is_recognised_by_its_key() {
    let mut world = World::new(Afterwards::Leave, true);
    world.put("a", "1", b"one");
    world.settle().await;
    let known = world.remembered().await.remove(0);
    let commit = Commit { writes: vec![known.remove()], events: Vec::new() };
    world.store.commit(commit).await.unwrap();
    world.restart();
    world.settle().await;
    assert_eq!(world.names().await.len(), 1);
    assert_eq!(world.remembered().await[0].intake, known.intake);
}

#[tokio::test]
async fn one_bad_document_never_stops_the_others() {
    let world = World::new(Afterwards::Leave, true);
    for (id, bytes) in
        [("a", b"1".as_slice()), ("empty", b""), ("good", b"2"), ("torn", b"3"), ("wrong", b"4")]
    {
        world.put(id, "1", bytes);
    }
    world.put("large", "1", &[1; 1_001]);
    {
        let mut shelf = world.dms.shelf.lock().unwrap();
        shelf.documents.get_mut("a").unwrap().0.locked_by = Some("grace".to_owned());
        shelf.documents.get_mut("wrong").unwrap().0.size = Some(7);
        shelf.torn.insert("torn".to_owned());
    }
    world.settle().await;
    assert_eq!(world.names().await, ["good.pdf"]);
    let waiting = world.folder.status().waiting;
    let why = |name: &str| waiting.iter().find(|it| it.0 == name).map(|it| it.1.as_str()).unwrap_or_default();
    assert_eq!(waiting.len(), 5);
    assert_eq!(why("a.pdf"), "it is checked out or locked by grace");
    assert_eq!(why("empty.pdf"), "it is empty");
    assert_eq!(why("large.pdf"), "it is larger than the 1000 bytes that are taken here");
    assert_eq!(why("torn.pdf"), "the download broke off: reset");
    assert_eq!(why("wrong.pdf"), "1 bytes came, which is not what the DMS tells of it");
    // It waits for its next try, and is taken then.
    world.dms.shelf.lock().unwrap().torn.clear();
    world.look().await;
    assert_eq!(world.names().await.len(), 1, "not yet");
    world.clock.advance(Duration::from_mins(1));
    world.look().await;
    assert_eq!(world.names().await, ["good.pdf", "torn.pdf"]);
}

#[tokio::test]
async fn what_is_through_is_left_moved_or_marked() {
    let fields = BTreeMap::from([("custom1".to_owned(), "FILED".to_owned())]);
    let moved = || Afterwards::Move { to: "done".to_owned() };
    let marked = || Afterwards::Mark { fields: fields.clone() };
    for (afterwards, able, moves, marks) in [
        (Afterwards::Leave, true, 0, 0),
        (moved(), true, 1, 0),
        (marked(), true, 0, 1),
        // A DMS that cannot: it is left.
        (moved(), false, 0, 0),
        (marked(), false, 0, 0),
    ] {
        let mut world = World::new(afterwards.clone(), able);
        world.put("a", "1", b"one");
        world.settle().await;
        world.look().await;
        assert_eq!(world.dms.shelf.lock().unwrap().moved.len(), 0, "its intake is under way");
        // A batch that nobody has opened: a person closes it.
        let mut intake = world.intakes().await.remove(0);
        (intake.state, intake.version) = (IntakeState::NeedsPerson, intake.version + 1);
        let change = postroom_domain::store::IntakeChange {
            next: intake,
            filings: Vec::new(),
            records: Vec::new(),
            actor: Actor::person("ann"),
            note: String::new(),
            at: world.clock.now(),
        };
        world.store.change_intake(change).await.unwrap();
        world.dismiss_all().await;
        for _ in 0..3 {
            world.look().await;
            world.restart();
        }
        let done = {
            let shelf = world.dms.shelf.lock().unwrap();
            (shelf.moved.len(), shelf.marked.len())
        };
        assert_eq!(done, (moves, marks), "{afterwards:?} {able}");
        assert_eq!(world.names().await.len(), 1);
        // What went is forgotten, what lies there is not.
        assert_eq!(world.remembered().await.len(), usize::from(moves == 0), "{afterwards:?}");
    }
}

#[tokio::test]
async fn a_move_that_fails_is_tried_again() {
    let world = World::new(Afterwards::Move { to: "done".to_owned() }, true);
    world.put("a.txt", "1", b"one");
    world.dms.shelf.lock().unwrap().documents.get_mut("a.txt").unwrap().0.name = "a.txt".to_owned();
    world.settle().await;
    world.dismiss_all().await;
    world.dms.shelf.lock().unwrap().stubborn = true;
    world.look().await;
    assert!(world.folder.status().trouble.unwrap().contains("the DMS is down"));
    world.dms.shelf.lock().unwrap().stubborn = false;
    world.look().await;
    assert_eq!(world.dms.shelf.lock().unwrap().moved.len(), 0, "not yet");
    world.clock.advance(Duration::from_mins(1));
    world.look().await;
    assert_eq!(world.dms.shelf.lock().unwrap().moved, [("a.txt".to_owned(), "done".to_owned())]);
    world.look().await;
    assert_eq!(world.remembered().await, []);
}

#[tokio::test]
async fn pauses_and_outages_are_told_and_survived() {
    let world = World::new(Afterwards::Leave, true);
    world.put("a", "1", b"one");
    world.dms.shelf.lock().unwrap().down = true;
    world.settle().await;
    assert!(world.folder.status().unreachable.unwrap().contains("the DMS is down"));
    world.dms.shelf.lock().unwrap().down = false;
    let pause = Pause {
        door: "source/scans".to_owned(),
        site: None,
        by: "ann".to_owned(),
        reason: "the scanner is being mended".to_owned(),
        since: world.clock.now(),
        until: None,
    };
    world.store.pause(pause).await.unwrap();
    world.settle().await;
    assert!(world.folder.status().paused && world.names().await.is_empty());
    world.store.resume("source/scans", &Actor::person("ann"), world.clock.now()).await.unwrap();
    world.settle().await;
    assert_eq!((world.names().await.len(), world.folder.status().unreachable), (1, None));
}

#[test]
fn what_goes_wrong_waits_longer_and_longer() {
    let minute = Duration::from_mins(1);
    let waits: Vec<u64> = (1..=9).map(|tries| backoff(minute, tries).as_secs() / 60).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(backoff(Duration::from_hours(2), 3), LONGEST);
}

#[test]
fn the_reference_of_a_work_item_is_made_of_fields() {
    let fields = BTreeMap::from([("clientno", " 10442 "), ("matterno", "0007"), ("empty", " ")]);
    let fields: BTreeMap<String, String> =
        fields.into_iter().map(|(field, value)| (field.to_owned(), value.to_owned())).collect();
    for (rule, wanted) in [
        ("{clientno}-{matterno}", Ok(Some("10442-0007"))),
        ("{ matterno }", Ok(Some("0007"))),
        ("M/{clientno}.{matterno}/x", Ok(Some("M/10442.0007/x"))),
        ("{clientno}-{empty}", Ok(None)),
        ("{clientno}-{nothing}", Ok(None)),
        ("10442", Err("names of fields stand in braces")),
        ("{}", Err("names of fields stand in braces")),
        ("{a", Err("a brace is not closed")),
        ("a}b{c}", Err("names of fields stand in braces")),
        ("{a}}", Err("names of fields stand in braces")),
        ("{a{b}", Err("names of fields stand in braces")),
    ] {
        match (WorkItemRule::read(rule), wanted) {
            (Ok(read), Ok(wanted)) => assert_eq!(read.reference(&fields).as_deref(), wanted, "{rule}"),
            (Err(told), Err(wanted)) => assert!(told.contains(wanted), "{rule}: {told}"),
            (read, _) => panic!("{rule}: {read:?}"),
        }
    }
}
