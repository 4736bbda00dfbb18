//! The reader beside a store in memory and a real spool, with a scanner and a spool whose moods a test decides.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64ct::Encoding as _;
use bytes::Bytes;
use postroom_domain::Fut;
use postroom_domain::block_list::BlockList;
use postroom_domain::dms::{ByteStream, Content as DmsContent};
use postroom_domain::ids::{BlobHash, IdMint, WorkItemId};
use postroom_domain::intake::Document;
use postroom_domain::letter::Envelope;
use postroom_domain::luggage::{Luggage, LuggageSecret, LuggageSettings};
use postroom_domain::plan::Rules;
use postroom_domain::reception::letters::Delivery;
use postroom_domain::reception::{Arrival, Reception};
use postroom_domain::repository::{Area, DuplicateRule, Repository, ResolverConfig};
use postroom_domain::screening::{Mode, Screening, Unscreened, Verdict};
use postroom_domain::split;
use postroom_domain::spool::{Blob, Draft};
use postroom_domain::store::{Accepted, IdempotencyKey, Store};
use postroom_domain::target::{SaveMode, WhenAmbiguous};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock as _;
use postroom_domain::work_item::{Client, WorkItem};
use postroom_store::{FileSpool, MemoryStore, SpoolOptions};
use tokio::sync::Barrier;

use super::*;

/// What a scanner calls infected.
const BAD: &[u8] = b"this is what our scanner looks for";
const REFERENCE: &str = "0007.0001";

/// A spool that refuses drafts for a while, knows nothing of some contents, and counts who asks for them.
struct Moody {
    own: FileSpool,
    full: AtomicBool,
    missing: Mutex<HashSet<BlobHash>>,
    asked: AtomicUsize,
    together: Mutex<Option<Arc<Barrier>>>,
}

impl Spool for Moody {
    fn door(&self, size: u64) -> Result<(), SpoolError> {
        self.own.door(size)
    }
    fn draft(&self) -> Fut<'_, Result<Box<dyn Draft>, SpoolError>> {
        if self.full.load(Ordering::Relaxed) {
            return Box::pin(async { Err(SpoolError::NoRoom { free: 1, wanted: 2 }) });
        }
        self.own.draft()
    }
    fn content(&self, blob: Blob) -> Fut<'_, Result<Arc<dyn DmsContent>, SpoolError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.missing.lock().unwrap().contains(&blob.hash) {
            return Box::pin(async move { Err(SpoolError::Missing(blob.hash)) });
        }
        let together = self.together.lock().unwrap().clone();
        Box::pin(async move {
            if let Some(together) = together {
                together.wait().await;
            }
            self.own.content(blob).await
        })
    }
    fn old_content(
        &self,
        grace: Duration,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Fut<'_, Result<Vec<Blob>, SpoolError>> {
        self.own.old_content(grace, after, limit)
    }
    fn remove(&self, blob: Blob, grace: Duration) -> Fut<'_, Result<bool, SpoolError>> {
        self.own.remove(blob, grace)
    }
    fn failed(&self) -> Option<String> {
        self.own.failed()
    }
}

/// A scanner in one of its moods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Up,
    Down,
    /// It breaks off over every document.
    Nervous,
    /// It takes documents and no question about itself.
    Behind,
    /// Everything is too large for it.
    Small,
}

struct Scanner {
    mood: Mutex<Mood>,
    screened: AtomicUsize,
}

impl Scanner {
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }
    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

impl Screening for Scanner {
    fn screen(&self, mut content: ByteStream, _size: Option<u64>) -> Fut<'_, Result<Verdict, Unscreened>> {
        self.screened.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let mut all = Vec::new();
            while let Some(chunk) = content.next().await {
                all.extend_from_slice(&chunk.map_err(|error| Unscreened::Content(error.to_string()))?);
            }
            match self.mood() {
                Mood::Down => Err(Unscreened::Unavailable("nobody is there".to_owned())),
                Mood::Nervous | Mood::Behind => Err(Unscreened::BrokeOff("it broke off".to_owned())),
                Mood::Small => Ok(Verdict::NotScanned { why: "it is too large".to_owned() }),
                Mood::Up if all.windows(BAD.len()).any(|part| part == BAD) => {
                    Ok(Verdict::Infected { name: "Test.Bad".to_owned() })
                }
                Mood::Up => Ok(Verdict::Clean),
            }
        })
    }
    fn version(&self) -> Fut<'_, Result<String, Unscreened>> {
        Box::pin(async move {
            match self.mood() {
                Mood::Down | Mood::Behind => Err(Unscreened::Unavailable("nobody is there".to_owned())),
                _ => Ok("ClamAV 1".to_owned()),
            }
        })
    }
}

struct World {
    _data: tempfile::TempDir,
    store: Arc<MemoryStore>,
    spool: Arc<Moody>,
    scanner: Arc<Scanner>,
    reception: Arc<Reception>,
    reader: Reader,
    letters: AtomicUsize,
}

fn repository(blocked: &[&str]) -> Repository {
    Repository {
        name: "matters".parse().unwrap(),
        area: Area::MatterDocuments,
        work_type: None,
        service: "dms".parse().unwrap(),
        library: String::new(),
        resolver: ResolverConfig::parse("default", "[workitem.title]").unwrap(),
        folder: Vec::new(),
        create_folders: true,
        profile: std::collections::BTreeMap::new(),
        when_ambiguous: WhenAmbiguous::Ask,
        create_workspace: false,
        required: None,
        blocked: BlockList::parse(blocked).unwrap(),
        save_mode: SaveMode::Copy,
        duplicate: DuplicateRule::Skip,
    }
}

impl World {
    async fn new(mode: Mode) -> Self {
        Self::with(mode, &[]).await
    }

    async fn with(mode: Mode, blocked: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let options = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
        let own = FileSpool::open(data.path(), &options, clock.clone()).unwrap();
        let spool = Arc::new(Moody {
            own,
            full: AtomicBool::new(false),
            missing: Mutex::default(),
            asked: AtomicUsize::new(0),
            together: Mutex::default(),
        });
        let store = Arc::new(MemoryStore::new());
        let item = WorkItem {
            id: WorkItemId::from_u128(0x0192_f0c1_5b7e_7000_8000_0000_0000_0001),
            reference: REFERENCE.into(),
            title: "Harrow v Teal".into(),
            work_type: "matter".into(),
            site: "main".parse().unwrap(),
            open: true,
            phase: String::new(),
            client: Client { reference: "0007".into(), name: "Harrow".into() },
            attributes: std::collections::BTreeMap::new(),
            participants: Vec::new(),
            origin: None,
            zone: String::new(),
            version: 1,
            changed: clock.now(),
        };
        store.save_work_item(item, Vec::new(), &Actor::person("setup"), clock.now()).await.unwrap();
        let reception = Arc::new(Reception {
            store: store.clone(),
            clock,
            entropy: Arc::new(SeededEntropy::new(1)),
            mint: Arc::new(IdMint::after(0)),
            rules: Arc::new(Rules { repositories: vec![repository(blocked)], ..Rules::default() }),
            accounts: Arc::new(postroom_domain::link::SystemOnly),
            spool: spool.clone(),
            opens_all: mode != Mode::Off,
            allocator: None,
        });
        let scanner = Arc::new(Scanner { mood: Mutex::new(Mood::Up), screened: AtomicUsize::new(0) });
        let mailroom = Arc::new(Mailroom {
            reception: reception.clone(),
            luggage: Luggage::new(LuggageSecret::new([7; 32]), &LuggageSettings::default()),
            matching: None,
            split: split::Rules::new(split::SplitSettings::default()).unwrap(),
            zone: jiff::tz::TimeZone::UTC,
        });
        let screener = Screener::new(mode, scanner.clone(), spool.clone());
        let options = ReaderOptions {
            largest: 1 << 20,
            screener: Some(Arc::new(screener)),
            ..ReaderOptions::default()
        };
        let reader = Reader::new(options, mailroom, spool.clone());
        Self { _data: data, store, spool, scanner, reception, reader, letters: AtomicUsize::new(0) }
    }

    async fn seal(&self, bytes: &[u8]) -> Blob {
        let mut draft = self.spool.own.draft().await.unwrap();
        draft.write(Bytes::copy_from_slice(bytes)).await.unwrap();
        draft.seal().await.unwrap()
    }

    /// A letter through a door.
    async fn deliver(&self, bytes: &[u8]) -> IntakeId {
        let blob = self.seal(bytes).await;
        let number = self.letters.fetch_add(1, Ordering::Relaxed);
        let delivery = Delivery {
            site: "main".parse().unwrap(),
            source: "post".parse().unwrap(),
            submitted_by: "smtp".to_owned(),
            envelope: Envelope::default(),
            blob,
            key: IdempotencyKey { key: format!("k{number}"), fingerprint: BlobHash::new([0; 32]) },
            records: Vec::new(),
        };
        match self.reception.deliver(delivery, &Actor::person("smtp")).await.unwrap() {
            Accepted::Fresh(intake, _) => intake.id,
            Accepted::Again(id) => id,
        }
    }

    /// Documents of an upload to the known work item.
    async fn upload(&self, files: &[(&str, &[u8])]) -> Intake {
        let mut documents = Vec::new();
        for (name, bytes) in files {
            let blob = self.seal(bytes).await;
            let media_type = "application/octet-stream".to_owned();
            documents.push(Document { file_name: (*name).to_owned(), media_type, blob });
        }
        let arrival = Arrival {
            site: "main".parse().unwrap(),
            source: "upload".parse().unwrap(),
            submitted_by: "ann".to_owned(),
            subject: String::new(),
            sender: "ann".to_owned(),
            note: String::new(),
            work_item: Some(REFERENCE.to_owned()),
            area: None,
            documents,
            key: None,
            forced: false,
            batch: false,
            save_mode: None,
            document_key: String::new(),
            remarks: Vec::new(),
        };
        match self.reception.accept(arrival, &Actor::person("ann")).await.unwrap() {
            Accepted::Fresh(intake, _) => intake,
            Accepted::Again(_) => panic!("it is new"),
        }
    }

    async fn pass(&self, suspects: bool) -> Result<Waiting, String> {
        self.reader.all(Lane::Others, suspects, &CancellationToken::new()).await
    }

    /// For how long nobody looks at an intake.
    fn left_alone(&self, id: IntakeId) -> Duration {
        self.reader.broken.lock().unwrap()[&id].duration_since(Instant::now())
    }

    /// As if that time had passed.
    fn time_is_up(&self) {
        self.reader.broken.lock().unwrap().clear();
    }

    async fn intake(&self, id: IntakeId) -> Intake {
        self.store.intake(id).await.unwrap().unwrap()
    }

    /// State and code of what a person decides over.
    async fn outcome(&self, id: IntakeId) -> (IntakeState, String) {
        let intake = self.intake(id).await;
        (intake.state, intake.needs.map(|needs| needs.code).unwrap_or_default())
    }
}

fn letter(id: &str, attached: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: Ada <ada@client.example>\r\nSubject: {id}\r\nMessage-ID: <{id}@client.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello {id}.\r\n--b\r\n\
         Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.dat\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    let coded = base64ct::Base64::encode_string(attached);
    [head.as_bytes(), coded.as_bytes(), b"\r\n--b--\r\n"].concat()
}

#[tokio::test]
async fn what_the_house_refuses_is_no_fault_of_the_letters() {
    let world = World::new(Mode::Off).await;
    let id = world.deliver(&letter("one", b"something")).await;
    world.spool.full.store(true, Ordering::Relaxed);
    // More often than a letter may be begun by a process that ends.
    for _ in 0..5 {
        assert!(world.pass(true).await.unwrap_err().contains("free"));
        let intake = world.intake(id).await;
        assert_eq!((intake.state, intake.begun), (IntakeState::Stored, 0));
    }
    world.spool.full.store(false, Ordering::Relaxed);
    assert_eq!(world.pass(true).await, Ok(Waiting::ForNothing));
    assert_eq!(world.outcome(id).await, (IntakeState::NeedsPerson, "no_rule_matched".to_owned()));
    // One that ends the process is counted: the beginning stands there while it is under way.
    let id = world.deliver(&letter("two", b"something")).await;
    for _ in 0..3 {
        let intake = world.intake(id).await;
        world.reader.mailroom.begin(intake, &Actor::person("reader")).await.unwrap().unwrap();
    }
    assert_eq!(world.pass(true).await, Ok(Waiting::ForNothing));
    assert_eq!(world.outcome(id).await, (IntakeState::Quarantined, "poison".to_owned()));
}

#[tokio::test]
async fn a_broken_letter_is_left_alone_for_a_while_and_stops_nobody() {
    let world = World::new(Mode::Off).await;
    let bytes = letter("broken", b"one");
    let broken = world.deliver(&bytes).await;
    let sound = world.deliver(&letter("sound", b"two")).await;
    let hash = BlobHash::new(*blake3::hash(&bytes).as_bytes());
    world.spool.missing.lock().unwrap().insert(hash);
    assert_eq!(world.pass(true).await, Ok(Waiting::ForNothing));
    assert_eq!(world.intake(broken).await.begun, 0);
    assert_eq!(world.outcome(broken).await.0, IntakeState::Stored);
    assert_eq!(world.outcome(sound).await.0, IntakeState::NeedsPerson);
    // Its bytes are put back; nobody looks before the time.
    world.spool.missing.lock().unwrap().clear();
    let asked = world.spool.asked.load(Ordering::Relaxed);
    assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
    assert_eq!(world.spool.asked.load(Ordering::Relaxed), asked);
    assert!(world.left_alone(broken) + Duration::from_mins(1) > AGAIN);
    world.time_is_up();
    assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
    assert_eq!(world.outcome(broken).await.0, IntakeState::NeedsPerson);
}

#[tokio::test]
async fn of_two_copies_that_are_read_at_the_same_time_the_second_sees_the_first() {
    let world = World::new(Mode::Off).await;
    let plain = letter("twice", b"something");
    let relayed = [b"Received: from relay.example\r\n".as_slice(), &plain].concat();
    let ids = [world.deliver(&plain).await, world.deliver(&relayed).await];
    // Neither is read before both are being read.
    *world.spool.together.lock().unwrap() = Some(Arc::new(Barrier::new(2)));
    assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
    let mut codes = [world.outcome(ids[0]).await.1, world.outcome(ids[1]).await.1];
    codes.sort();
    assert_eq!(codes, ["no_rule_matched", "seen_before"]);
}

#[tokio::test]
async fn what_is_infected_is_set_aside_and_its_neighbours_are_filed() {
    for mode in [Mode::On, Mode::Required] {
        let world = World::new(mode).await;
        let bad = world.upload(&[("clean.txt", b"clean"), ("bad.txt", BAD)]).await;
        let good = world.upload(&[("good.txt", b"good")]).await;
        assert_eq!((bad.state, good.state, good.filings), (IntakeState::Stored, IntakeState::Stored, 0));
        // Encoded, so that only what is in the part gives it away.
        let post = world.deliver(&letter("bad", BAD)).await;
        let clean = world.deliver(&letter("clean", b"clean")).await;
        assert_eq!(world.pass(true).await, Ok(Waiting::ForNothing));
        for id in [bad.id, post] {
            assert_eq!(world.outcome(id).await, (IntakeState::Quarantined, "malware".to_owned()));
            assert_eq!(world.store.intake_filings(id).await.unwrap().len(), 0);
        }
        let (text, part) =
            (world.intake(bad.id).await.needs.unwrap(), world.intake(post).await.needs.unwrap());
        assert_eq!(text.text, "malware was found in \"bad.txt\": Test.Bad");
        assert_eq!(part.text, "malware was found in \"a.dat\" in the letter: Test.Bad");
        assert_eq!(world.outcome(good.id).await, (IntakeState::Split, String::new()));
        assert_eq!(world.outcome(clean).await.1, "no_rule_matched");
        let trace = world.intake(good.id).await.trace;
        assert_eq!(trace[0], "the malware scanner found nothing in it");
        // A person vouches: both go their way, and nobody scans them again.
        let before = world.scanner.screened.load(Ordering::Relaxed);
        for id in [bad.id, post] {
            let released =
                world.reception.release(id, None, &Actor::person("sue"), "our own test").await.unwrap();
            assert_eq!(released.state, IntakeState::Stored);
        }
        world.scanner.set(Mood::Down);
        assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
        assert_eq!(world.outcome(bad.id).await, (IntakeState::Split, String::new()));
        assert_eq!(world.store.intake_filings(bad.id).await.unwrap().len(), 2);
        assert_eq!(world.outcome(post).await.1, "no_rule_matched");
        assert_eq!(world.scanner.screened.load(Ordering::Relaxed), before);
    }
}

#[tokio::test]
async fn what_cannot_be_scanned_goes_by_the_mode() {
    for (mode, wanted) in
        [(Mode::On, (IntakeState::Split, "")), (Mode::Required, (IntakeState::Quarantined, "not_scanned"))]
    {
        let world = World::new(mode).await;
        world.scanner.set(Mood::Small);
        let intake = world.upload(&[("large.bin", b"large")]).await;
        assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
        assert_eq!(world.outcome(intake.id).await, (wanted.0, wanted.1.to_owned()));
        let trace = world.intake(intake.id).await.trace.join("\n");
        assert!(trace.contains("\"large.bin\" was not scanned") && trace.contains("too large"), "{trace}");
        assert!(!trace.contains("found nothing"), "{trace}");
    }
}

#[tokio::test]
async fn while_the_scanner_is_away_all_waits_that_it_has_to_see_and_nothing_is_begun() {
    let world = World::new(Mode::On).await;
    let vouched = world.upload(&[("v.txt", BAD)]).await;
    world.pass(false).await.unwrap();
    world.scanner.set(Mood::Down);
    let mut waiting = Vec::new();
    for number in 0..5 {
        waiting.push(world.upload(&[("a.txt", format!("document {number}").as_bytes())]).await.id);
    }
    let post = world.deliver(&letter("post", b"post")).await;
    world.reception.release(vouched.id, None, &Actor::person("sue"), "ours").await.unwrap();
    for _ in 0..4 {
        assert_eq!(world.pass(true).await, Ok(Waiting::ForTheScanner));
    }
    // What a person vouches for needs no scanner.
    assert_eq!(world.outcome(vouched.id).await.0, IntakeState::Split);
    let told = world.reader.scanner_trouble().unwrap();
    assert!(told.contains("since 2026-11-23T09:00:00Z") && told.contains("nobody is there"), "{told}");
    for id in waiting.iter().chain([&post]) {
        let intake = world.intake(*id).await;
        assert_eq!((intake.state, intake.begun, intake.version), (IntakeState::Stored, 0, 1));
    }
    world.scanner.set(Mood::Up);
    assert_eq!(world.pass(true).await, Ok(Waiting::ForNothing));
    assert_eq!(world.reader.scanner_trouble(), None);
    for id in waiting {
        assert_eq!(world.outcome(id).await.0, IntakeState::Split);
    }
    assert_eq!(world.outcome(post).await.0, IntakeState::NeedsPerson);
}

#[tokio::test]
async fn what_a_scanner_breaks_off_over_stops_nobody_and_ends_as_not_scanned() {
    let world = World::new(Mode::Required).await;
    world.scanner.set(Mood::Nervous);
    let one = world.upload(&[("a.txt", b"crash")]).await.id;
    for _ in 0..2 {
        assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
        assert_eq!(world.outcome(one).await.0, IntakeState::Stored);
        // Left alone for a moment, in which others have their turn.
        let before = world.scanner.screened.load(Ordering::Relaxed);
        assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
        assert_eq!(world.scanner.screened.load(Ordering::Relaxed), before);
        assert!(world.left_alone(one) <= SOON);
        world.time_is_up();
    }
    // Somebody in front of a scanner that is down does not use up the last try.
    world.scanner.set(Mood::Behind);
    for _ in 0..5 {
        assert_eq!(world.pass(false).await, Ok(Waiting::ForTheScanner));
        assert_eq!(world.outcome(one).await.0, IntakeState::Stored);
    }
    world.scanner.set(Mood::Nervous);
    assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
    assert_eq!(world.outcome(one).await, (IntakeState::Quarantined, "not_scanned".to_owned()));
}

#[tokio::test]
async fn the_same_content_is_scanned_once() {
    let world = World::new(Mode::On).await;
    for _ in 0..3 {
        world.upload(&[("a.txt", b"the same"), ("b.txt", b"the same")]).await;
        // One after the other: two that are looked at in the same moment both ask.
        assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
    }
    assert_eq!(world.scanner.screened.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn names_that_mislead_are_told_and_kinds_that_are_blocked_are_withheld() {
    let pe = [b"MZ".as_slice(), &[0; 200]].concat();
    // Files, and what of their traces has to be there; true for the documents that are withheld.
    let table: &[(&str, &[u8], &str, bool)] = &[
        ("letter.txt", b"plain", "", false),
        ("letter.pdf", &pe, "\"letter.pdf\" is a .exe file by its content", true),
        ("setup.exe", &pe, "", true),
        ("setup.EXE. .", b"plain", "", true),
        ("invoice.pdf.js", b"plain", "looks like .pdf and is opened as .js", false),
        ("invoice.exe.pdf", b"%PDF-1.7", "", true),
        ("photo.pdf", b"\xff\xd8\xff\xe0", "is a .jpg file by its content", false),
    ];
    for (name, bytes, told, withheld) in table {
        let world = World::with(Mode::Off, &["exe"]).await;
        let intake = world.upload(&[("neighbour.txt", b"neighbour"), (name, bytes)]).await;
        let filings = world.store.intake_filings(intake.id).await.unwrap();
        assert_eq!(filings[0].request.withheld, "", "{name}: the neighbour is filed");
        assert_eq!(!filings[1].request.withheld.is_empty(), *withheld, "{name}");
        let trace = world.intake(intake.id).await.trace.join("\n");
        assert!(trace.contains(told), "{name}: {trace}");
        assert_eq!(trace.contains("is withheld"), *withheld, "{name}: {trace}");
    }
}

#[tokio::test]
async fn a_blocked_attachment_is_withheld_and_the_rest_of_the_letter_is_filed() {
    let world = World::with(Mode::On, &["exe"]).await;
    let pe = [b"MZ".as_slice(), &[0; 200]].concat();
    let id = world.deliver(&letter("blocked", &pe)).await;
    assert_eq!(world.pass(false).await, Ok(Waiting::ForNothing));
    let actor = Actor::person("sue");
    world.reception.assign(id, None, &[REFERENCE], None, &actor, "it is about the case").await.unwrap();
    let filings = world.store.intake_filings(id).await.unwrap();
    let withheld: Vec<(&str, bool)> =
        filings.iter().map(|it| (it.request.file_name.as_str(), !it.request.withheld.is_empty())).collect();
    assert_eq!(withheld.len(), 2, "{withheld:?}");
    assert_eq!(withheld[0], ("blocked.eml", false));
    assert_eq!(withheld[1], ("a.dat", true));
    let trace = world.intake(id).await.trace.join("\n");
    assert!(trace.contains("\"a.dat\" is a .exe file by its content"), "{trace}");
}

#[tokio::test]
async fn what_lies_in_an_archive_is_held_against_the_block_list() {
    let mut world = World::with(Mode::Off, &["exe"]).await;
    let archives = Some(ArchiveOptions::default());
    let options = ReaderOptions { largest: 1 << 20, archives, ..ReaderOptions::default() };
    world.reader = Reader::new(options, world.reader.mailroom.clone(), world.spool.clone());
    // One stored file of no bytes (APPNOTE 4.3).
    let (name, fields) = (b"setup.exe", [b"\x14\0".as_slice(), &[0; 20], &[9, 0]].concat());
    let body = [b"PK\x03\x04".as_slice(), &fields, &[0; 2], name].concat();
    let list = [b"PK\x01\x02\x14\x03".as_slice(), &fields, &[0; 16], name].concat();
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let end =
        [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &length(&list), &length(&body), &[0; 2]].concat();
    let archive = [body, list, end].concat();
    let id = world.deliver(&letter("archive", &archive)).await;
    assert_eq!(world.pass(true).await, Ok(Waiting::ForNothing));
    let actor = Actor::person("sue");
    world.reception.assign(id, None, &[REFERENCE], None, &actor, "it is about the case").await.unwrap();
    let filings = world.store.intake_filings(id).await.unwrap();
    assert_eq!(filings[0].request.withheld, "");
    assert_eq!(
        filings[1].request.withheld,
        "\"setup.exe\" in it is a .exe file, and such files are not filed there"
    );
}
