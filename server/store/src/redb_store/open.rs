//! Opening: one process at a time, never half a file, never silently an empty one.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use postroom_domain::audit;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend};

use super::batch::{Ledger, row};
use super::counters::Counters;
use super::migrate;
use super::names::Names;
use super::schema::{self, Shelf, Tables, meta};
use super::writer::{Shared, Writer};
use super::{QuickRepair, RedbStore, Stop, WriterOptions};

/// Called with 0.0 to 1.0 while redb repairs the file.
pub type RepairProgress = Box<dyn Fn(f64) + Send>;

/// How a store is opened.
pub struct OpenOptions {
    /// Memory for pages of the file, in bytes.
    pub cache_bytes: usize,
    /// From this size of the file on, in bytes, every commit carries what makes the next start quick even after a kill under load.
    /// Below it, a repair is quick by itself, and commits are saved a second flush.
    pub quick_repair_above: u64,
    /// How long nothing must be written until the file is sealed by such a commit.
    pub idle_seal: Duration,
    /// How many writes may wait; more are told [`postroom_domain::store::StoreError::Busy`].
    pub queue: usize,
    /// How many writes go into one transaction at most.
    pub group_commands: usize,
    /// How many bytes go into one transaction, about.
    pub group_bytes: usize,
    /// Files up to this size are checked page by page when they are opened.
    pub check_up_to: u64,
    /// Told how far a repair is.
    pub on_repair: Option<RepairProgress>,
    /// How many rows a transaction writes while the file of an older Postroom is brought up to date.
    pub migration_portion: usize,
    /// Instead of the file: for tests.
    pub backend: Option<Box<dyn StorageBackend>>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            quick_repair_above: 256 << 20,
            idle_seal: Duration::from_millis(100),
            queue: 4096,
            group_commands: 512,
            group_bytes: 4 << 20,
            check_up_to: 64 << 20,
            on_repair: None,
            migration_portion: 20_000,
            backend: None,
        }
    }
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// The store was not there and has been created.
    pub created: bool,
    /// A creation that had been interrupted was cleared away.
    pub leftover: bool,
    /// redb had to repair the file after an unclean end. Always false for files that are small enough to be checked at every start.
    pub repaired: bool,
    /// Events of an older Postroom that were given their hashes now.
    pub hashed: u64,
    /// Filings in it.
    pub filings: u64,
    /// Intakes in it.
    pub intakes: u64,
    /// Counters that did not agree with the rows and were put right.
    pub corrected: Vec<String>,
    /// How long opening took.
    pub took: Duration,
}

/// Why a store's file is not opened, copied or put back: by what the administrator can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Stop the other one, or use it.
    #[error("{} is in use by another Postroom{}", file.display(), pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    InUse {
        /// The file.
        file: PathBuf,
        /// The process that holds it, where it is known.
        pid: Option<u32>,
    },
    /// Start the newer program, or restore a backup.
    #[error("{} was made by a newer Postroom (format {found}, this one knows {known}): start that one, or restore a backup", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u64,
        /// The greatest version known here.
        known: u64,
    },
    /// It was never a store: look at the path in the settings.
    #[error("{} is not a store of Postroom: {detail}. Check the path in the settings; if it was one, restore a backup", file.display())]
    NotAStore {
        /// The file.
        file: PathBuf,
        /// What it is instead.
        detail: String,
    },
    /// Restore a backup.
    #[error("{} is damaged: {detail}. Keep the file for examination and restore a backup", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What was found.
        detail: String,
    },
    /// Put the file back, or confirm that an empty store is meant.
    #[error("{} is missing although it was here before: put it back or restore a backup; to begin with an empty store, remove {}", file.display(), marker.display())]
    Gone {
        /// The file.
        file: PathBuf,
        /// The file that tells that it was here.
        marker: PathBuf,
    },
    /// Choose another path.
    #[error("{} exists already and is not overwritten", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// Mend the disk, the rights, the space.
    #[error("{}: {detail}", file.display())]
    Disk {
        /// The file or folder.
        file: PathBuf,
        /// What the system says.
        detail: String,
    },
}

impl OpenError {
    pub(super) fn disk(file: &Path, error: impl std::fmt::Display) -> Self {
        Self::Disk { file: file.to_owned(), detail: error.to_string() }
    }

    pub(super) fn damaged(file: &Path, error: impl std::fmt::Display) -> Self {
        Self::Damaged { file: file.to_owned(), detail: error.to_string() }
    }

    pub(super) fn database(file: &Path, error: redb::DatabaseError) -> Self {
        use redb::{DatabaseError, StorageError};
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::InUse { file: file.to_owned(), pid: None },
            DatabaseError::UpgradeRequired(version) => Self::NotAStore {
                file: file.to_owned(),
                detail: format!("its file format ({version}) is older than any that Postroom wrote"),
            },
            DatabaseError::Storage(StorageError::Io(error))
                if !matches!(
                    error.kind(),
                    std::io::ErrorKind::InvalidData
                        | std::io::ErrorKind::UnexpectedEof
                        | std::io::ErrorKind::InvalidInput
                ) =>
            {
                Self::disk(file, error)
            }
            other => Self::damaged(file, other),
        }
    }
}

/// A name beside the file.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    file.with_file_name(name)
}

/// Flushes a folder, so that a name in it is durable.
pub(super) fn flush_folder(file: &Path) -> Result<(), OpenError> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| OpenError::disk(folder, error))
}

/// The right to use the file, by a file beside it that the system unlocks when the process ends. It tells the holder's process,
/// and whether there was a store.
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

const MARKER: &str = "store created";

impl Lock {
    pub(super) fn path(store: &Path) -> PathBuf {
        beside(store, ".lock")
    }

    fn take(store: &Path) -> Result<(Self, bool), OpenError> {
        let path = Self::path(store);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| OpenError::disk(&path, error))?;
        let mut text = String::new();
        let read = file.read_to_string(&mut text);
        match file.try_lock() {
            Ok(()) => {
                read.map_err(|error| OpenError::disk(&path, error))?;
                let mut lock = Self { path, file };
                let was_there = text.lines().any(|line| line == MARKER);
                lock.write(was_there)?;
                Ok((lock, was_there))
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                let pid = text.lines().next().and_then(|line| line.strip_prefix("process ")?.parse().ok());
                Err(OpenError::InUse { file: store.to_owned(), pid })
            }
            Err(std::fs::TryLockError::Error(error)) => Err(OpenError::disk(&path, error)),
        }
    }

    /// Writes the process, and that there is a store.
    fn write(&mut self, store_is_there: bool) -> Result<(), OpenError> {
        let marker = if store_is_there { MARKER } else { "" };
        let text = format!("process {}\n{marker}\n", std::process::id());
        self.file
            .rewind()
            .and_then(|()| self.file.set_len(0))
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .and_then(|()| self.file.sync_all())
            .map_err(|error| OpenError::disk(&self.path, error))
    }
}

/// Whether another process holds the store: for tools that only read.
pub(super) fn refuse_if_used(store: &Path) -> Result<(), OpenError> {
    if Lock::path(store).exists() { Lock::take(store).map(drop) } else { Ok(()) }
}

/// What every redb file begins with.
const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

/// Refuses what is plainly no store before redb sees it, with words about the file.
pub(super) fn inspect(file: &Path) -> Result<u64, OpenError> {
    let not = |detail: &str| OpenError::NotAStore { file: file.to_owned(), detail: detail.to_owned() };
    let mut opened = File::open(file).map_err(|error| OpenError::disk(file, error))?;
    let found = opened.metadata().map_err(|error| OpenError::disk(file, error))?;
    if !found.is_file() {
        return Err(not("it is not a plain file"));
    }
    if found.len() == 0 {
        return Err(not("it is empty"));
    }
    let mut start = [0; MAGIC.len()];
    match opened.read_exact(&mut start) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(not("it is too short"));
        }
        Err(error) => return Err(OpenError::disk(file, error)),
        Ok(()) => {}
    }
    if start != MAGIC {
        return Err(not("it begins with other bytes than a store does"));
    }
    Ok(found.len())
}

/// A boxed backend as a backend.
#[derive(Debug)]
struct Injected(Box<dyn StorageBackend>);

impl StorageBackend for Injected {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.0.write(offset, data)
    }
    fn close(&self) -> Result<(), std::io::Error> {
        self.0.close()
    }
}

/// Runs what reads a file of unknown health: redb may panic on pages that are not what they should be.
pub(super) fn guarded<T>(file: &Path, work: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(OpenError::damaged(file, format!("its pages contradict each other ({text})")))
    })
}

/// Makes the tables of an empty store and closes it.
fn create(file: &Path, cache_bytes: usize) -> Result<(), OpenError> {
    let aside = beside(file, ".new");
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes);
    let database = builder.create(&aside).map_err(|error| OpenError::database(&aside, error))?;
    initialise(&database).map_err(|stop| OpenError::disk(&aside, stop))?;
    database.close().map_err(|error| OpenError::database(&aside, error))?;
    put_in_place(&aside, file)
}

/// Flushes a finished file and gives it its name.
pub(super) fn put_in_place(aside: &Path, file: &Path) -> Result<(), OpenError> {
    File::open(aside).and_then(|aside| aside.sync_all()).map_err(|error| OpenError::disk(aside, error))?;
    std::fs::rename(aside, file).map_err(|error| OpenError::disk(file, error))?;
    flush_folder(file)
}

fn initialise(database: &Database) -> Result<(), Stop> {
    let transaction = database.begin_write()?;
    {
        let mut tables = Tables::new(&transaction);
        tables.make_all()?;
        tables.meta()?.insert(meta::SCHEMA, schema::VERSION)?;
    }
    transaction.commit()?;
    Ok(())
}

/// The version that an opened file has; none when it has no tables of ours.
fn version(database: &impl ReadableDatabase) -> Result<Option<u64>, Stop> {
    let shelf = Shelf(database.begin_read()?);
    if shelf.0.list_tables()?.next().is_none() {
        return Ok(None);
    }
    match shelf.meta() {
        Ok(table) => row(&table, meta::SCHEMA, Ok),
        Err(_) => Ok(None),
    }
}

/// Refuses a file of another version.
pub(super) fn refuse_other_versions(file: &Path, database: &impl ReadableDatabase) -> Result<u64, OpenError> {
    match version(database).map_err(|stop| OpenError::damaged(file, stop))? {
        Some(found) if found > schema::VERSION => {
            Err(OpenError::Newer { file: file.to_owned(), found, known: schema::VERSION })
        }
        Some(found) if found > 0 => Ok(found),
        _ => Err(OpenError::NotAStore {
            file: file.to_owned(),
            detail: "it is a redb file of another program".to_owned(),
        }),
    }
}

/// What the writer keeps in memory, with the number of filings and intakes and the counters that were wrong.
pub(super) fn load(shelf: &Shelf) -> Result<(Ledger, u64, u64, Vec<String>), Stop> {
    let names = Names::load(shelf)?;
    let (counted, filings, intakes) = Counters::counted(shelf)?;
    let (counters, corrected) = Counters::reconcile(&Counters::stored(shelf)?, counted);
    let last_event = shelf.events()?.last()?.map_or(0, |(seq, _)| seq.value());
    let last_hash = row(&shelf.event_hashes()?, last_event, |hash| Ok(*hash))?;
    if last_hash.is_none() && last_event > 0 {
        tracing::error!(
            event = last_event,
            "the last event has lost its hash: the history does not verify from there on"
        );
    }
    let id = |key: Option<[u8; 16]>| key.map_or(0, u128::from_be_bytes);
    let greatest_id = [
        id(shelf.heads()?.last()?.map(|(key, _)| *key.value())),
        id(shelf.intake_heads()?.last()?.map(|(key, _)| *key.value())),
        id(shelf.work_items()?.last()?.map(|(key, _)| *key.value())),
        shelf.greatest_record()?,
    ]
    .into_iter()
    .max()
    .unwrap_or(0);
    let ledger = Ledger {
        counters,
        names: Arc::new(RwLock::new(names)),
        last_event,
        last_hash: last_hash.unwrap_or(audit::START),
        greatest_id,
    };
    Ok((ledger, filings, intakes, corrected))
}

pub(super) fn open(file: &Path, mut options: OpenOptions) -> Result<(RedbStore, OpenReport), OpenError> {
    let start = Instant::now();
    let repaired = Arc::new(AtomicBool::new(false));
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    let (seen, progress) = (Arc::clone(&repaired), options.on_repair.take());
    builder.set_repair_callback(move |session| {
        seen.store(true, Ordering::Relaxed);
        if let Some(progress) = &progress {
            progress(session.progress());
        }
    });

    let mut created = false;
    let mut leftover = false;
    let mut checked = true;
    let (database, lock) = if let Some(backend) = options.backend.take() {
        created = backend.len().map_err(|error| OpenError::disk(file, error))? == 0;
        builder.set_check_integrity_on_open(!created);
        let database = guarded(file, || {
            builder.create_with_backend(Injected(backend)).map_err(|error| OpenError::database(file, error))
        })?;
        if created {
            initialise(&database).map_err(|stop| OpenError::disk(file, stop))?;
        }
        (database, None)
    } else {
        let (mut lock, was_there) = Lock::take(file)?;
        let aside = beside(file, ".new");
        match std::fs::remove_file(&aside) {
            Ok(()) => leftover = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(OpenError::disk(&aside, error)),
        }
        if std::fs::symlink_metadata(file).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            if was_there {
                return Err(OpenError::Gone { file: file.to_owned(), marker: Lock::path(file) });
            }
            create(file, options.cache_bytes)?;
            created = true;
        }
        let length = inspect(file)?;
        checked = length <= options.check_up_to;
        builder.set_check_integrity_on_open(checked);
        let database =
            guarded(file, || builder.open(file).map_err(|error| OpenError::database(file, error)))?;
        lock.write(true)?;
        (database, Some(lock))
    };
    let found = refuse_other_versions(file, &database)?;
    let hashed = guarded(file, || {
        migrate::migrate(&database, found, options.migration_portion).map_err(|stop| match stop {
            Stop::Refused(error) => OpenError::damaged(file, error),
            Stop::Broken(why) => OpenError::disk(file, why),
        })
    })?;

    let (mut ledger, filings, intakes, corrected) = guarded(file, || {
        database
            .begin_read()
            .map_err(Stop::from)
            .and_then(|transaction| load(&Shelf(transaction)))
            .map_err(|stop| OpenError::damaged(file, stop))
    })?;
    if !corrected.is_empty() {
        for text in corrected.iter().take(20) {
            tracing::warn!(store.file = %file.display(), "a counter did not agree with the rows and was put right: {text}");
        }
        correct(&database, &mut ledger).map_err(|stop| OpenError::disk(file, stop))?;
    }

    let quick_repair = match &lock {
        Some(_) => QuickRepair::Above { file: file.to_owned(), bytes: options.quick_repair_above },
        None => QuickRepair::Never,
    };
    let writer_options = WriterOptions {
        idle_seal: options.idle_seal,
        queue: options.queue.max(1),
        group_commands: options.group_commands.max(1),
        group_bytes: options.group_bytes.max(1),
        quick_repair,
    };
    let shared = Arc::new(Shared::new(database, &ledger));
    let writer = Writer::start(Arc::clone(&shared), ledger, writer_options)
        .map_err(|error| OpenError::disk(file, format!("no thread for the writer: {error}")))?;
    let report = OpenReport {
        created,
        leftover,
        repaired: !checked && repaired.load(Ordering::Relaxed),
        hashed,
        filings,
        intakes,
        corrected,
        took: start.elapsed(),
    };
    Ok((RedbStore { writer, shared, _lock: lock }, report))
}

fn correct(database: &Database, ledger: &mut Ledger) -> Result<(), Stop> {
    let transaction = database.begin_write()?;
    {
        let mut tables = Tables::new(&transaction);
        ledger.counters.flush(&mut tables)?;
    }
    transaction.commit()?;
    Ok(())
}
