//! Keys that change under a running program, and under one that is killed at every step of it.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use postroom_domain::Fut;
use postroom_domain::event::{Happening, Security};
use postroom_domain::ids::{BlobHash, LinkId};
use postroom_domain::keys::{Keys, KeysStatus, Rotate, RotateError};
use postroom_domain::link::{Link, LinkState, LinkedAccount, Sealed};
use postroom_domain::people::{Flow, Purpose, SecretHash};
use postroom_domain::record::{Commit, Kept, Kind, Record, Registry, by_id};
use postroom_domain::sealing::{Reseal, Resealed, SealError, Seals};
use postroom_domain::spool::{Blob, Spool, SpoolError};
use postroom_domain::store::{Store as _, StoreError, StoreResult};
use postroom_domain::testing::ManualClock;
use postroom_store::{FileSpool, MemoryStore, SpoolOptions};
use postroom_vault::{Chance, KdfCost, NoChance, Vault, generate_passphrase};
use secrecy::{ExposeSecret as _, SecretString};

use super::desk::{DeskOptions, DeskParts, KeyDesk};
use super::file::{KeyringDisk, OpenKeyringError, PlainDisk, open_on};
use super::pass::HoldsSecrets;
use super::{NewCredentials, init_credentials, keyring_summary, open_keyring};
use crate::sealing::{FileSeals, SecretSeals};

const CHEAP: KdfCost = KdfCost { memory_kib: 8, passes: 1, lanes: 1 };
const NOW: &str = "2026-11-24T09:00:00Z";

/// Reproducible random bytes.
struct Dice(AtomicU64);

impl Chance for Dice {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoChance> {
        for byte in buffer {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = mixed.to_be_bytes()[2];
        }
        Ok(())
    }
}

/// Passphrase and private key by number.
fn credentials(number: u8) -> (SecretString, SecretString) {
    let passphrase = generate_passphrase(&Dice(AtomicU64::new(number.into()))).unwrap();
    let line = char::from(b'A' + number).to_string().repeat(64);
    (passphrase, format!("-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n").into())
}

/// Counts what is durable and, after so many steps, does nothing more: as if the process had been killed there.
#[derive(Clone)]
struct Steps {
    left: Arc<AtomicU64>,
    /// Whether the step where it ends still happens, although nobody hears of it.
    happens: Arc<AtomicBool>,
}

impl Steps {
    fn new(left: u64, happens: bool) -> Self {
        Self { left: Arc::new(left.into()), happens: Arc::new(happens.into()) }
    }

    fn forever() -> Self {
        Self::new(u64::MAX, false)
    }

    /// Does a step, or fails before or after it.
    fn step<T, E>(&self, done: impl FnOnce() -> Result<T, E>, dead: E) -> Result<T, E> {
        let left = self.left.load(Ordering::SeqCst);
        self.left.store(left.saturating_sub(1), Ordering::SeqCst);
        match left {
            2.. => done(),
            1 if self.happens.load(Ordering::SeqCst) => done().and(Err(dead)),
            _ => Err(dead),
        }
    }
}

struct DyingDisk(Steps);

impl KeyringDisk for DyingDisk {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.step(|| PlainDisk.write(path, bytes), eio())
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.step(|| PlainDisk.link(from, to), eio())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.step(|| PlainDisk.rename(from, to), eio())
    }
    fn flush_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.step(|| PlainDisk.flush_folder(folder), eio())
    }
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}

/// The store's records, with commits as steps.
struct DyingRegistry(Arc<MemoryStore>, Steps);

impl Registry for DyingRegistry {
    fn commit(&self, commit: Commit) -> Fut<'_, StoreResult<()>> {
        Box::pin(async move {
            let dead = Err(StoreError::Fatal("killed".to_owned()));
            let left = self.1.left.load(Ordering::SeqCst);
            self.1.left.store(left.saturating_sub(1), Ordering::SeqCst);
            match left {
                2.. => self.0.commit(commit).await,
                1 if self.1.happens.load(Ordering::SeqCst) => self.0.commit(commit).await.and(dead),
                _ => dead,
            }
        })
    }
    fn record_by_id(&self, kind: Kind, id: u128) -> Fut<'_, StoreResult<Option<Record>>> {
        self.0.record_by_id(kind, id)
    }
    fn record_by_key<'a>(&'a self, kind: Kind, key: &'a str) -> Fut<'a, StoreResult<Option<Record>>> {
        self.0.record_by_key(kind, key)
    }
    fn records<'a>(
        &'a self,
        kind: Kind,
        group: Option<&'a str>,
        after: Option<u128>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Record>>> {
        self.0.records(kind, group, after, limit)
    }
}

/// The spool, one file at a time, each a step.
struct DyingReseal(Arc<FileSpool>, Steps);

impl Reseal for DyingReseal {
    fn reseal(&self, after: Option<BlobHash>, _: usize) -> Fut<'_, Result<Resealed, SpoolError>> {
        Box::pin(async move {
            let dead = Err(SpoolError::Disk("killed".to_owned()));
            let left = self.1.left.load(Ordering::SeqCst);
            self.1.left.store(left.saturating_sub(1), Ordering::SeqCst);
            match left {
                2.. => self.0.reseal(after, 1).await,
                1 if self.1.happens.load(Ordering::SeqCst) => self.0.reseal(after, 1).await.and(dead),
                _ => dead,
            }
        })
    }
}

/// What survives a kill.
struct Machine {
    data: tempfile::TempDir,
    store: Arc<MemoryStore>,
    blobs: Vec<(Blob, Vec<u8>)>,
}

/// A running program.
struct Running {
    vault: Arc<Vault>,
    seals: SecretSeals,
    spool: Arc<FileSpool>,
    clock: Arc<ManualClock>,
    desk: KeyDesk,
}

impl Machine {
    /// Three links, two sign-ins under way, and documents: two sealed, one from before.
    async fn furnished() -> Self {
        let data = tempfile::tempdir().unwrap();
        let machine = Self { data, store: Arc::new(MemoryStore::new()), blobs: Vec::new() };
        let running = machine.start(0, &Steps::forever()).unwrap();
        for number in 1..=3 {
            machine.put(&link(&running.seals, number)).await;
        }
        for number in 11..=12 {
            machine.put(&flow(&running.seals, number)).await;
        }
        let mut blobs = Vec::new();
        for length in [0, 70_000] {
            let bytes = vec![7; length];
            let mut draft = running.spool.draft().await.unwrap();
            draft.write(Bytes::from(bytes.clone())).await.unwrap();
            blobs.push((draft.seal().await.unwrap(), bytes));
        }
        let before = b"from before it was sealed".to_vec();
        let hash = BlobHash::of_test(&before);
        std::fs::write(machine.path(hash), &before).unwrap();
        blobs.push((Blob { hash, size: before.len() as u64 }, before));
        running.desk.stop().await;
        Self { blobs, ..machine }
    }

    fn path(&self, hash: BlobHash) -> std::path::PathBuf {
        let name = hash.to_string();
        self.data.path().join("spool").join(&name[..2]).join(&name[2..])
    }

    async fn put<T: Kept>(&self, value: &T) {
        let commit = Commit { writes: vec![value.put().unwrap()], events: Vec::new() };
        self.store.commit(commit).await.unwrap();
    }

    /// Starts the program with the credentials of a number.
    fn start(&self, number: u8, steps: &Steps) -> Result<Running, OpenKeyringError> {
        let chance: Arc<dyn Chance> =
            Arc::new(Dice(AtomicU64::new(steps.left.load(Ordering::SeqCst) ^ 0x77)));
        let (passphrase, key) = credentials(number);
        let dying = Box::new(DyingDisk(steps.clone()));
        let (file, keyring) =
            open_on(dying, self.data.path(), (&passphrase, &key), CHEAP, NOW, chance.as_ref())?;
        let vault = Arc::new(Vault::new(&keyring, chance.clone()));
        let clock = Arc::new(ManualClock::at(NOW));
        let options = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
        let seals = Arc::new(FileSeals::new(vault.clone()));
        let spool = FileSpool::open_sealed(self.data.path(), &options, clock.clone(), seals).unwrap();
        let spool = Arc::new(spool);
        let desk = KeyDesk::start(DeskParts {
            file,
            keyring,
            vault: vault.clone(),
            registry: Arc::new(DyingRegistry(self.store.clone(), steps.clone())),
            spool: spool.clone(),
            reseal: Arc::new(DyingReseal(spool.clone(), steps.clone())),
            clock: clock.clone(),
            chance,
            options: DeskOptions {
                grace: Duration::from_mins(1),
                retry: Duration::from_hours(1),
                cost: CHEAP,
            },
        });
        let seals = SecretSeals::new(vault.clone(), clock.clone());
        Ok(Running { vault, seals, spool, clock, desk })
    }

    /// Every secret and every document opens; says which data keys they name.
    async fn everything_opens(&self, running: &Running, when: &str) -> Vec<u32> {
        let mut keys = Vec::new();
        for number in 1..=3 {
            let mut link: Link = by_id(self.store.as_ref(), number).await.unwrap().unwrap();
            for (field, told) in open_all(&mut link, &running.seals, &mut keys, when) {
                assert_eq!(told, format!("{field} of {number}"), "{when}");
            }
        }
        for number in 11..=12 {
            let mut flow: Flow = by_id(self.store.as_ref(), number).await.unwrap().unwrap();
            for (field, told) in open_all(&mut flow, &running.seals, &mut keys, when) {
                assert_eq!(told, format!("{field} of {number}"), "{when}");
            }
        }
        for (blob, bytes) in &self.blobs {
            let content =
                running.spool.content(*blob).await.unwrap_or_else(|error| panic!("{when}: {error}"));
            let chunks: Vec<Bytes> = content.open().await.unwrap().try_collect().await.unwrap();
            assert!(chunks.concat() == *bytes, "{when}: {} bytes", blob.size);
            let file = std::fs::read(self.path(blob.hash)).unwrap();
            keys.push(Vault::content_key_of(&file[..48.min(file.len())]).unwrap_or(0));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    async fn told(&self) -> Vec<String> {
        let events = self.store.events_after(0, 1_000).await.unwrap();
        let rotated = Happening::Security { what: Security::KeysRotated };
        events.into_iter().filter(|it| it.event.happening == rotated).map(|it| it.event.note).collect()
    }
}

trait OfTest {
    fn of_test(bytes: &[u8]) -> BlobHash;
}

impl OfTest for BlobHash {
    /// The address of bytes, as the spool tells it.
    fn of_test(bytes: &[u8]) -> BlobHash {
        let data = tempfile::tempdir().unwrap();
        let options = SpoolOptions { reserve_bytes: Some(0), ..SpoolOptions::default() };
        let spool = FileSpool::open(data.path(), &options, Arc::new(ManualClock::at(NOW))).unwrap();
        let bytes = Bytes::copy_from_slice(bytes);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut draft = spool.draft().await.unwrap();
                draft.write(bytes).await.unwrap();
                draft.seal().await.unwrap().hash
            })
        })
        .join()
        .unwrap()
    }
}

fn open_all<T: HoldsSecrets>(
    value: &mut T,
    seals: &SecretSeals,
    keys: &mut Vec<u32>,
    when: &str,
) -> Vec<(&'static str, String)> {
    let id = value.place_id();
    let open = |(field, sealed): (&'static str, &mut Sealed)| {
        keys.extend(seals.key_of(sealed));
        let secret = seals.open(T::place(&id, field), sealed);
        let secret =
            secret.unwrap_or_else(|error| panic!("{when}: {} {id} {field}: {error}", T::KIND.noun()));
        (field, secret.expose_secret().to_owned())
    };
    value.secrets().into_iter().map(open).collect()
}

/// Seals `<field> of <number>` in every field.
fn sealed<T: HoldsSecrets>(mut value: T, seals: &SecretSeals) -> T {
    let (id, number) = (value.place_id(), value.number());
    for (field, sealed) in value.secrets() {
        *sealed = seals.seal(T::place(&id, field), &format!("{field} of {number}").into()).unwrap();
    }
    value
}

fn link(seals: &SecretSeals, number: u128) -> Link {
    let now = NOW.parse().unwrap();
    let link = Link {
        id: LinkId::from_u128(number),
        version: 1,
        service: format!("service-{number}").parse().unwrap(),
        person: None,
        made_by: "ann".to_owned(),
        account: LinkedAccount::default(),
        state: LinkState::Active,
        access: Sealed::default(),
        access_ends: None,
        // One of them has no refresh token.
        refresh: (number != 2).then(Sealed::default),
        refresh_ends: None,
        generation: 1,
        scope: String::new(),
        linked: now,
        renewed: now,
    };
    sealed(link, seals)
}

fn flow(seals: &SecretSeals, number: u128) -> Flow {
    let flow = Flow {
        id: number,
        version: 1,
        state: SecretHash::of(&format!("state {number}")),
        browser: SecretHash::of("browser"),
        service: "entra".parse().unwrap(),
        purpose: Purpose::SignIn,
        secrets: Sealed::default(),
        then: "/".to_owned(),
        dialog: false,
        expires: NOW.parse().unwrap(),
    };
    sealed(flow, seals)
}

const DATA: Rotate = Rotate { data: true, master: None };

/// Waits until the background work has ended or stands still.
async fn settled(running: &Running) -> KeysStatus {
    let mut status = running.desk.watch();
    loop {
        {
            let now = status.borrow_and_update();
            if now.retiring.is_empty() || now.trouble.is_some() {
                return now.clone();
            }
        }
        // The grace after the last secret is waited for by a clock that stands.
        running.clock.advance(Duration::from_mins(2));
        let _changed = tokio::time::timeout(Duration::from_millis(250), status.changed()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_data_key_takes_everything_over_and_the_old_one_goes() {
    let machine = Machine::furnished().await;
    let running = machine.start(0, &Steps::forever()).unwrap();
    assert_eq!(machine.everything_opens(&running, "before").await, [0, 1]);
    let begun = running.desk.rotate(DATA).await.unwrap();
    assert_eq!((begun.current, begun.retiring.as_slice()), (2, [1].as_slice()));
    let ended = settled(&running).await;
    assert_eq!((ended.current, ended.retiring, ended.progress, ended.trouble), (2, vec![], None, None));
    assert_eq!(machine.everything_opens(&running, "after").await, [2]);
    assert_eq!(
        machine.told().await,
        [
            "a new data key begins",
            "data key 1: everything is sealed anew; it goes when nothing is found any more",
            "data key 1 is used by nothing any more and goes",
        ]
    );
    assert_eq!(keyring_summary(machine.data.path()).unwrap().unwrap().keys, [2]);
    // Again, and both at once.
    let master = Some(credentials(1));
    let begun = running.desk.rotate(Rotate { data: true, master }).await.unwrap();
    assert_ne!(begun.master, ended.master);
    assert_eq!(settled(&running).await.current, 3);
    running.desk.stop().await;
    drop(running);
    assert!(matches!(machine.start(0, &Steps::forever()), Err(OpenKeyringError::Closed { .. })));
    let running = machine.start(1, &Steps::forever()).unwrap();
    assert_eq!(machine.everything_opens(&running, "later").await, [3]);
}

/// Killed before and after every step that is durable, with every kind of change: everything opens afterwards, with one of the two
/// credentials, and the change goes on to its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_it_is_killed_every_secret_opens() {
    for (data, master) in [(true, false), (false, true), (true, true)] {
        for happens in [false, true] {
            let mut rounds = 0;
            for at in 1.. {
                let when =
                    format!("data {data}, master {master}, killed at step {at}, which happens: {happens}");
                let machine = Machine::furnished().await;
                let steps = Steps::forever();
                let running = machine.start(0, &steps).unwrap();
                steps.happens.store(happens, Ordering::SeqCst);
                steps.left.store(at, Ordering::SeqCst);
                let wanted = Rotate { data, master: master.then(|| credentials(1)) };
                let answer = running.desk.rotate(wanted).await;
                let status = settled(&running).await;
                // What goes on in the same process opens too, and what it seals now opens after the next start.
                machine.everything_opens(&running, &when).await;
                machine.put(&link(&running.seals, 5)).await;
                running.desk.stop().await;
                drop(running);

                let forever = Steps::forever();
                let old = machine.start(0, &forever);
                let (running, new) = match old {
                    Ok(running) => (running, false),
                    Err(OpenKeyringError::Closed { .. }) => (machine.start(1, &forever).unwrap(), true),
                    Err(error) => panic!("{when}: {error}"),
                };
                let mut fifth: Link = by_id(machine.store.as_ref(), 5).await.unwrap().unwrap();
                assert_eq!(open_all(&mut fifth, &running.seals, &mut Vec::new(), &when).len(), 2, "{when}");
                assert!(
                    answer.is_err() || new == master,
                    "{when}: a new master is durable when it was answered"
                );
                machine.everything_opens(&running, &when).await;
                let ended = settled(&running).await;
                assert_eq!((ended.retiring, ended.trouble), (vec![], None), "{when}");
                let keys = machine.everything_opens(&running, &when).await;
                let moved = keys == [2];
                assert!(moved || keys == [0, 1], "{when}: {keys:?}");
                assert!(answer.is_err() || moved == data, "{when}");
                rounds += 1;
                if steps.left.load(Ordering::SeqCst) > 0 {
                    assert!(answer.is_ok() && status.trouble.is_none(), "{when}");
                    break;
                }
            }
            // One line and three steps of the file at least; with data five records, and each file twice.
            assert!(rounds > if data { 18 } else { 4 }, "{rounds} rounds");
        }
    }
}

/// Begins a change of the data key, and returns when the first pass is over and the old key is still there a while later.
async fn held_back(running: &Running) {
    running.desk.rotate(DATA).await.unwrap();
    let mut status = running.desk.watch();
    let passed = |it: &KeysStatus| it.progress.is_some_and(|it| it.blobs_total > 0 && it.blobs_done == 3);
    status.wait_for(passed).await.unwrap();
    // Longer than it looks around.
    for _look in 0..40 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(running.desk.status().retiring, [1]);
    }
}

/// A writer that sealed a secret just before the change, and commits it only after the first pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_committed_late_is_waited_for() {
    let machine = Machine::furnished().await;
    let running = machine.start(0, &Steps::forever()).unwrap();
    running.clock.advance(Duration::from_mins(10));
    let late = link(&running.seals, 4);
    running.clock.advance(Duration::from_secs(59));
    held_back(&running).await;
    machine.put(&late).await;
    running.clock.advance(Duration::from_secs(2));
    let mut status = running.desk.watch();
    let ended = status.wait_for(|it| it.retiring.is_empty()).await.unwrap().clone();
    assert_eq!(ended.trouble, None);
    let late: Link = by_id(machine.store.as_ref(), 4).await.unwrap().unwrap();
    assert_eq!((running.seals.key_of(&late.access), late.version), (Some(2), 2));
    assert_eq!(machine.everything_opens(&running, "after").await, [2]);
}

/// A document whose first bytes were sealed before the change, and whose last ones come long after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_in_flight_is_waited_for() {
    let machine = Machine::furnished().await;
    let running = machine.start(0, &Steps::forever()).unwrap();
    let mut draft = running.spool.draft().await.unwrap();
    draft.write(Bytes::from(vec![1; 600_000])).await.unwrap();
    assert_eq!(running.vault.in_flight(1), 1);
    held_back(&running).await;
    running.clock.advance(Duration::from_hours(9));
    let blob = draft.seal().await.unwrap();
    let mut status = running.desk.watch();
    status.wait_for(|it| it.retiring.is_empty()).await.unwrap();
    let file = std::fs::read(machine.path(blob.hash)).unwrap();
    assert_eq!(Vault::content_key_of(&file[..48]), Some(2));
    assert!(running.spool.content(blob).await.is_ok());
    assert_eq!(machine.everything_opens(&running, "after").await, [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_damaged_keeps_its_key_until_it_is_mended() {
    let machine = Machine::furnished().await;
    let running = machine.start(0, &Steps::forever()).unwrap();
    let (blob, bytes) = machine.blobs[1].clone();
    let mut file = std::fs::read(machine.path(blob.hash)).unwrap();
    *file.last_mut().unwrap() ^= 1;
    std::fs::write(machine.path(blob.hash), file).unwrap();
    let mut moved: Link = by_id(machine.store.as_ref(), 1).await.unwrap().unwrap();
    let other: Link = by_id(machine.store.as_ref(), 2).await.unwrap().unwrap();
    let own = std::mem::replace(&mut moved.access, other.access);
    moved.version += 1;
    machine.put(&moved).await;

    running.desk.rotate(DATA).await.unwrap();
    let stuck = settled(&running).await;
    let trouble = stuck.trouble.unwrap();
    assert_eq!(stuck.retiring, [1]);
    assert!(trouble.contains(&format!("content {} is damaged", blob.hash)), "{trouble}");
    assert!(trouble.contains("access: it does not open"), "{trouble}");
    assert_eq!(running.desk.rotate(DATA).await, Err(RotateError::UnderWay));

    let mut draft = running.spool.draft().await.unwrap();
    draft.write(bytes.into()).await.unwrap();
    draft.seal().await.unwrap();
    let mut mended: Link = by_id(machine.store.as_ref(), 1).await.unwrap().unwrap();
    mended.access = own;
    mended.version += 1;
    machine.put(&mended).await;
    // A change of the master is possible meanwhile, and wakes the work.
    let mut status = running.desk.watch();
    running.desk.rotate(Rotate { data: false, master: Some(credentials(1)) }).await.unwrap();
    status.wait_for(|it| it.retiring.is_empty()).await.unwrap();
    assert_eq!(machine.everything_opens(&running, "mended").await, [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_used_changes_nothing() {
    let machine = Machine::furnished().await;
    let running = machine.start(0, &Steps::forever()).unwrap();
    let before = std::fs::read(machine.data.path().join("keyring.json")).unwrap();
    let (passphrase, key) = credentials(1);
    let short = SecretString::from("short");
    let cases = [
        (Some((short.clone(), key)), "the passphrase has 5 characters; it needs more than 100"),
        (Some((passphrase, short)), "it is not PEM"),
        (None, "neither a new data key nor a new master key"),
    ];
    for (master, wanted) in cases {
        let Err(RotateError::Unusable(text)) = running.desk.rotate(Rotate { data: false, master }).await
        else {
            panic!("{wanted}")
        };
        assert!(text.contains(wanted), "{text}");
    }
    assert_eq!(std::fs::read(machine.data.path().join("keyring.json")).unwrap(), before);
    assert_eq!(machine.told().await, Vec::<String>::new());
}

fn permissions(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What `keys init` makes opens a keyring, is for our eyes only, and never takes the place of anything.
#[test]
fn new_credentials_are_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (certificate, private_key, passphrase) = (at("cert.pem"), at("key.pem"), at("passphrase"));
    let files = NewCredentials {
        certificate: &certificate,
        private_key: &private_key,
        passphrase: Some(&passphrase),
    };
    let today = NOW.parse().unwrap();
    let dice = Dice(AtomicU64::new(5));
    let paths = [&certificate, &private_key, &passphrase];
    for taken in paths {
        std::fs::write(taken, "mine").unwrap();
        let error = init_credentials(&files, "Postroom", today, &dice).unwrap_err().to_string();
        assert!(error.contains(&taken.display().to_string()), "{error}");
        assert_eq!(std::fs::read_to_string(taken).unwrap(), "mine");
        std::fs::remove_file(taken).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left half done");
    }
    let fingerprint = init_credentials(&files, "Postroom", today, &dice).unwrap();
    let read = |path: &Path| SecretString::from(std::fs::read_to_string(path).unwrap());
    let (phrase, key) = (read(&passphrase), read(&private_key));
    for path in paths {
        assert_eq!(permissions(path), 0o600, "{}", path.display());
    }
    let (_, keyring) = open_keyring(folder.path(), (&phrase, &key), CHEAP, NOW, &dice).unwrap();
    assert_eq!(keyring.summary().private_key, fingerprint);
}

#[test]
fn wrong_credentials_are_told_before_anything_is_touched() {
    let data = tempfile::tempdir().unwrap();
    let dice = Dice(AtomicU64::new(1));
    let files = || {
        let names = std::fs::read_dir(data.path()).unwrap().map(|it| it.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    let ((passphrase, key), (other_passphrase, other_key)) = (credentials(0), credentials(1));
    let short = SecretString::from("x".repeat(100));
    assert!(open_keyring(data.path(), (&short, &key), CHEAP, NOW, &dice).is_err());
    assert!(open_keyring(data.path(), (&passphrase, &short), CHEAP, NOW, &dice).is_err());
    assert_eq!(files(), Vec::<String>::new());
    assert_eq!(keyring_summary(data.path()).unwrap(), None);

    let (_, made) = open_keyring(data.path(), (&passphrase, &key), CHEAP, NOW, &dice).unwrap();
    assert_eq!(files(), ["keyring.json", "keyring.made"]);
    let path = data.path().join("keyring.json");
    assert_eq!(permissions(&path), 0o600);
    let before = std::fs::read(&path).unwrap();
    let cases = [
        (&other_passphrase, &key, "the passphrase is wrong"),
        (&passphrase, &other_key, "the certificate's private key is another one"),
        (&other_passphrase, &other_key, "neither passphrase nor private key"),
    ];
    for (passphrase, key, wanted) in cases {
        let error =
            open_keyring(data.path(), (passphrase, key), CHEAP, NOW, &dice).err().unwrap().to_string();
        assert!(error.contains(wanted) && error.contains(&made.summary().master), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    // Cut by half; and gone.
    std::fs::write(&path, &before[..before.len() / 2]).unwrap();
    let error = open_keyring(data.path(), (&passphrase, &key), CHEAP, NOW, &dice).err().unwrap().to_string();
    assert!(error.contains("the keyring is damaged"), "{error}");
    std::fs::remove_file(&path).unwrap();
    let gone = open_keyring(data.path(), (&passphrase, &key), CHEAP, NOW, &dice);
    assert!(matches!(gone, Err(OpenKeyringError::Gone { .. })));
    assert_eq!(files(), ["keyring.made"]);
    std::fs::remove_file(data.path().join("keyring.made")).unwrap();
    assert!(open_keyring(data.path(), (&passphrase, &key), CHEAP, NOW, &dice).is_ok());
}

/// Killed at each step of the first start: the next one goes through, and two at once agree on one keyring.
#[test]
fn a_first_start_that_was_killed_is_no_obstacle() {
    let (passphrase, key) = credentials(0);
    for happens in [false, true] {
        for at in 1.. {
            let data = tempfile::tempdir().unwrap();
            let dice = Dice(AtomicU64::new(at));
            let steps = Steps::new(at, happens);
            let first =
                open_on(Box::new(DyingDisk(steps)), data.path(), (&passphrase, &key), CHEAP, NOW, &dice);
            let again = open_keyring(data.path(), (&passphrase, &key), CHEAP, NOW, &dice);
            assert!(again.is_ok(), "step {at}, which happens: {happens}");
            if first.is_ok() {
                assert!(at > 4);
                break;
            }
        }
    }
    let data = tempfile::tempdir().unwrap();
    let masters = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (masters, data, passphrase, key) = (&masters, data.path(), &passphrase, &key);
            scope.spawn(move || {
                let dice = Dice(AtomicU64::new(seed));
                let folder = open_keyring(data, (passphrase, key), CHEAP, NOW, &dice);
                if let Ok((_, keyring)) = folder {
                    masters.lock().unwrap().push(keyring.summary().master);
                }
            });
        }
    });
    let mut masters = masters.into_inner().unwrap();
    masters.dedup();
    assert_eq!(masters.len(), 1, "{masters:?}");
}

#[test]
fn errors_of_the_vault_are_told_apart() {
    let data = tempfile::tempdir().unwrap();
    let (passphrase, key) = credentials(0);
    let chance: Arc<dyn Chance> = Arc::new(Dice(AtomicU64::new(1)));
    let (_, keyring) = open_keyring(data.path(), (&passphrase, &key), CHEAP, NOW, chance.as_ref()).unwrap();
    let seals = SecretSeals::new(Arc::new(Vault::new(&keyring, chance)), Arc::new(ManualClock::at(NOW)));
    let mut link = link(&seals, 1);
    let id = link.place_id();
    let place = Link::place(&id, "access");
    assert_eq!(seals.open(place, &Sealed("nothing".to_owned())).unwrap_err(), SealError::DoesNotOpen);
    link.access.0 = link.access.0.replace("s1.1.", "s1.9.");
    assert_eq!(seals.open(place, &link.access).unwrap_err(), SealError::UnknownKey(9));
}
