//! The hot folder beside a real spool and the memory store, with time by hand.

mod awkward;
mod bulk;
mod crashes;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::event::Subject;
use postroom_domain::ids::{BlobHash, IdMint, WorkItemId};
use postroom_domain::intake::Intake;
use postroom_domain::person::Actor;
use postroom_domain::plan::Rules;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::reception::Reception;
use postroom_domain::spool::{Blob, Spool};
use postroom_domain::store::{Pause, Store};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock;
use postroom_domain::work_item::{Client, WorkItem};
use postroom_store::{FileSpool, MemoryStore, SpoolOptions};
use tokio_util::sync::CancellationToken;

use super::*;

const SETTLE: Duration = Duration::from_secs(5);

/// Everything around a hot folder.
struct World {
    _data: tempfile::TempDir,
    hot: tempfile::TempDir,
    clock: Arc<ManualClock>,
    spool: FileSpool,
    store: Arc<MemoryStore>,
    reception: Arc<Reception>,
    folder: HotFolder,
}

impl World {
    fn new() -> Self {
        Self::with_reserve(0)
    }

    fn with_reserve(reserve: u64) -> Self {
        let data = tempfile::tempdir().unwrap();
        let hot = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let options = SpoolOptions { reserve_bytes: Some(reserve), ..SpoolOptions::default() };
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
        let folder = folder(hot.path(), &reception, &spool);
        Self { _data: data, hot, clock, spool, store, reception, folder }
    }

    /// The process ends without a word and starts again.
    fn restart(&mut self) {
        self.folder = folder(self.hot.path(), &self.reception, &self.spool);
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.hot.path().join(name)
    }

    fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    async fn scan(&self) {
        self.folder.scan(&CancellationToken::new()).await;
    }

    /// Long enough for everything that lies still to be taken.
    async fn settle(&self) {
        self.scan().await;
        self.clock.advance(SETTLE);
        self.scan().await;
    }

    async fn intakes(&self) -> Vec<Intake> {
        let window = Window { before: None, limit: 1_000 };
        let mut items = self.store.list_intakes(&IntakeQuery::default(), window).await.unwrap().items;
        items.reverse();
        items
    }

    /// Names and contents of what was taken in, in order.
    async fn taken_in(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        for intake in self.intakes().await {
            for document in intake.documents {
                let content = self.spool.content(document.blob).await.unwrap();
                let chunks: Vec<_> =
                    futures_util::TryStreamExt::try_collect(content.open().await.unwrap()).await.unwrap();
                let chunks: Vec<bytes::Bytes> = chunks;
                found.push((document.file_name, chunks.concat()));
            }
        }
        found
    }

    /// A person closes every intake.
    async fn dismiss_all(&self) {
        for intake in self.intakes().await.into_iter().filter(|it| it.state != IntakeState::Dismissed) {
            self.reception.dismiss(intake.id, None, &Actor::person("ann"), "not ours").await.unwrap();
        }
    }

    /// Plain files below the hot folder, ours included.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.hot.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    found.push(
                        entry.path().strip_prefix(self.hot.path()).unwrap().to_string_lossy().into_owned(),
                    );
                }
            }
        }
        found.sort();
        found
    }

    fn reason(&self, name: &str) -> String {
        let status = self.folder.status();
        status.waiting.into_iter().find(|file| file.name == name).map(|file| file.reason).unwrap_or_default()
    }
}

fn options(hot: &Path) -> HotFolderOptions {
    HotFolderOptions {
        source: "scans".parse().unwrap(),
        site: "main".parse().unwrap(),
        path: hot.to_owned(),
        settle: SETTLE,
        poll: Duration::from_millis(5),
        events: false,
        largest: 1 << 20,
        batches: false,
    }
}

fn folder(hot: &Path, reception: &Arc<Reception>, spool: &FileSpool) -> HotFolder {
    HotFolder::new(options(hot), reception.clone(), Arc::new(spool.clone()))
}

fn work_item(reference: &str, number: u128) -> WorkItem {
    WorkItem {
        id: WorkItemId::from_u128(number),
        reference: reference.to_owned(),
        title: "A matter".to_owned(),
        work_type: "matter".to_owned(),
        site: "main".parse().unwrap(),
        open: true,
        phase: String::new(),
        client: Client::default(),
        attributes: std::collections::BTreeMap::new(),
        participants: Vec::new(),
        origin: None,
        zone: String::new(),
        version: 1,
        changed: "2026-11-23T09:00:00Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_file_is_taken_when_it_has_settled_and_removed_when_its_intake_is_through() {
    let world = World::new();
    world.put("letter.txt", b"Dear Madam");
    world.scan().await;
    assert_eq!(world.taken_in().await, []);
    world.clock.advance(SETTLE.saturating_sub(Duration::from_millis(1)));
    world.scan().await;
    assert_eq!(world.taken_in().await, [], "not long enough");
    world.clock.advance(Duration::from_millis(1));
    world.scan().await;
    assert_eq!(world.taken_in().await, [("letter.txt".to_owned(), b"Dear Madam".to_vec())]);
    assert!(!world.path("letter.txt").exists());
    let status = world.folder.status();
    assert_eq!((status.waiting_count, status.claimed, status.under_way), (0, 0, 1));

    let intake = world.intakes().await.remove(0);
    assert_eq!(intake.source.as_str(), "scans");
    assert_eq!(intake.documents[0].media_type, "text/plain");
    assert_eq!(intake.needs.unwrap().code, "no_work_item");
    let events = world.store.events_about(&Subject::Intake(intake.id), 10).await.unwrap();
    assert_eq!(events[0].event.actor.principal, "hot-folder");

    for _ in 0..3 {
        world.settle().await;
        assert_eq!(world.files().len(), 2, "the file and its note stay until the intake is through");
    }
    world.dismiss_all().await;
    world.scan().await;
    assert_eq!(world.files(), Vec::<String>::new());
    assert_eq!(fs::read_dir(world.path(".postroom/taken")).unwrap().count(), 0);
    assert_eq!(world.intakes().await.len(), 1);
}

#[tokio::test]
async fn the_work_item_comes_from_the_folder_or_from_the_name() {
    let world = World::new();
    for (number, reference) in [(1, "M-1042"), (2, "M-7")] {
        let item = work_item(reference, number);
        world.store.save_work_item(item, Vec::new(), &Actor::person("ann"), world.clock.now()).await.unwrap();
    }
    let cases = [
        ("M-1042/letter.txt", "M-1042"),
        ("m-1042/again.txt", "M-1042"),
        ("M-1042/2026/M-7_other.txt", "M-1042"),
        ("Inbox/M-7_letter.txt", "M-7"),
        ("M-7__a.txt", "M-7"),
        ("M-7 b.txt", "M-7"),
        ("M-7.txt", "M-7"),
        ("M-70 c.txt", ""),
        ("letter M-7.txt", ""),
        ("Unknown/d.txt", ""),
    ];
    for (path, _) in cases {
        world.put(path, path.as_bytes());
    }
    world.settle().await;
    let intakes = world.intakes().await;
    assert_eq!(intakes.len(), cases.len());
    for (path, wanted) in cases {
        let hash = BlobHash::new(*blake3::hash(path.as_bytes()).as_bytes());
        let intake = intakes.iter().find(|intake| intake.documents[0].blob.hash == hash).unwrap();
        assert_eq!(intake.work_item_given, wanted, "{path}");
    }
}

#[tokio::test]
async fn a_pause_survives_and_wins() {
    let world = World::new();
    world.put("letter.txt", b"Dear Madam");
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
    world.settle().await;
    assert!(world.folder.status().paused);
    assert_eq!((world.taken_in().await.len(), world.files()), (0, vec!["letter.txt".to_owned()]));
    world.store.resume("source/scans", &Actor::person("ann"), world.clock.now()).await.unwrap();
    world.scan().await;
    assert_eq!(world.taken_in().await.len(), 1);
}

#[tokio::test]
async fn without_room_files_are_left_alone() {
    let world = World::with_reserve(u64::MAX / 2);
    world.put("letter.txt", b"Dear Madam");
    world.settle().await;
    assert_eq!(world.files(), ["letter.txt"]);
    assert!(world.folder.status().refusing.unwrap().contains("bytes are free"));
}

#[tokio::test]
async fn a_store_that_takes_nothing_costs_nothing() {
    let mut world = World::new();
    for name in ["a.txt", "b.txt"] {
        world.put(name, name.as_bytes());
    }
    world.scan().await;
    world.clock.advance(SETTLE);
    world.store.close().await.unwrap();
    world.scan().await;
    assert_eq!(world.files().len(), 2, "in the folder or claimed: {:?}", world.files());

    // The process starts again with a store that works.
    let store = Arc::new(MemoryStore::new());
    world.reception = Arc::new(Reception {
        store: store.clone(),
        clock: world.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(2)),
        mint: Arc::new(IdMint::after(0)),
        rules: Arc::new(Rules::default()),
        accounts: Arc::new(postroom_domain::link::SystemOnly),
        spool: Arc::new(world.spool.clone()),
        opens_all: false,
        allocator: None,
    });
    world.store = store;
    world.restart();
    world.settle().await;
    let mut names: Vec<_> = world.taken_in().await.into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["a.txt", "b.txt"]);
}

#[tokio::test]
async fn the_folder_goes_and_comes_back() {
    let world = World::new();
    world.put("letter.txt", b"Dear Madam");
    world.scan().await;
    let away = world.hot.path().with_extension("away");
    fs::rename(world.hot.path(), &away).unwrap();
    for _ in 0..3 {
        world.settle().await;
        assert!(world.folder.status().unreachable.is_some());
        assert!(!world.hot.path().exists(), "it is not made anew: it may be a share that is down");
    }
    fs::rename(&away, world.hot.path()).unwrap();
    world.scan().await;
    assert_eq!(world.taken_in().await.len(), 0, "it has to settle again");
    world.settle().await;
    assert_eq!(world.taken_in().await.len(), 1);
    assert_eq!(world.folder.status().unreachable, None);
}

#[tokio::test]
async fn many_files_are_taken_in_one_go() {
    let world = World::new();
    for number in 0..PORTION + 20 {
        world.put(format!("{number:04}.txt"), format!("document {number}").as_bytes());
    }
    world.settle().await;
    assert_eq!(world.intakes().await.len(), PORTION + 20);
    world.dismiss_all().await;
    let stop = CancellationToken::new();
    assert_eq!(world.folder.scan(&stop).await, Duration::ZERO, "there are more to remove");
    while world.folder.scan(&stop).await.is_zero() {}
    assert_eq!(world.files(), Vec::<String>::new());
}

#[tokio::test]
async fn how_long_nothing_needs_to_be_done() {
    let world = World::new();
    let options = HotFolderOptions { poll: Duration::from_mins(1), ..options(world.hot.path()) };
    let folder = HotFolder::new(options, world.reception.clone(), Arc::new(world.spool.clone()));
    let stop = CancellationToken::new();
    assert_eq!(folder.scan(&stop).await, Duration::from_mins(1), "nothing is there");
    world.put("letter.txt", b"Dear Madam");
    assert_eq!(folder.scan(&stop).await, SETTLE, "it has to settle");
    world.clock.advance(SETTLE);
    assert_eq!(folder.scan(&stop).await, Duration::from_mins(1), "it is taken");
    world.put("half.pdf", b"%PDF-1.7");
    folder.scan(&stop).await;
    world.clock.advance(SETTLE);
    assert_eq!(folder.scan(&stop).await, Duration::from_mins(1), "it was opened in vain");
}

#[tokio::test]
async fn it_runs_and_stops() {
    let World { _data, hot, clock, spool, store, reception, folder } = World::new();
    fs::write(hot.path().join("letter.txt"), b"Dear Madam").unwrap();
    let handle = folder.start();
    let mut seen = 0;
    while seen == 0 {
        clock.advance(SETTLE);
        seen = store.wait_beyond(0, Duration::from_millis(20)).await;
    }
    assert_eq!(handle.source().as_str(), "scans");
    handle.stop().await;
    drop((reception, spool));
    assert!(!hot.path().join("letter.txt").exists());
}
