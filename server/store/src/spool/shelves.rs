//! The folders of content: where a file lies, how it gets its name, how it is flushed, listed and removed, and the latch that
//! ends it all when the disk has failed.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use postroom_domain::ids::BlobHash;
use postroom_domain::sealing::ContentSeals;
use postroom_domain::spool::{Blob, SpoolError};
use postroom_domain::time::{Clock, age, later};
use tokio::sync::Semaphore;

use super::disk::Disk;
use super::door::Door;
use super::form::{Form, Measures};
use super::reseal::header_of;
use super::{OpenSpoolError, SpoolOptions};

/// Folders that drafts are spread over: with a single one, writers wait for each other in the file system.
const DRAFT_FOLDERS: u64 = 64;

/// One folder of content.
#[derive(Default)]
struct Folder {
    /// Held while a name is given or taken away, so that a sweep cannot remove what was renamed after it looked.
    names: Mutex<()>,
    /// How many flushes have begun.
    begun: AtomicU64,
    /// The number of the last flush that succeeded; held while one runs.
    flushed: Mutex<u64>,
}

/// What a spool consists of.
pub(super) struct Shelves {
    root: PathBuf,
    pub(super) disk: Box<dyn Disk>,
    pub(super) door: Door,
    /// Seal what is written and open what is read; none leaves everything plain.
    pub(super) seals: Option<Arc<dyn ContentSeals>>,
    pub(super) jobs: Arc<Semaphore>,
    folders: Vec<Folder>,
    drafts: AtomicU64,
    failed: Mutex<Option<String>>,
    clock: Arc<dyn Clock>,
    opened: (Timestamp, Duration),
    /// Keeps other processes out; released by the system when this one ends, however it ends.
    _lock: File,
}

impl Shelves {
    pub(super) fn open(
        disk: Box<dyn Disk>,
        data: &Path,
        options: &SpoolOptions,
        clock: Arc<dyn Clock>,
        seals: Option<Arc<dyn ContentSeals>>,
    ) -> Result<Self, OpenSpoolError> {
        let root = data.join("spool");
        own_folder(&root)?;
        flush(data)?;
        let lock = lock(&root)?;
        let tmp = root.join("tmp");
        own_folder(&tmp)?;
        let mut leftovers = 0;
        for number in 0..DRAFT_FOLDERS {
            let folder = tmp.join(format!("{number:02x}"));
            own_folder(&folder)?;
            leftovers += remove_drafts(&folder)?;
        }
        for number in 0..=u8::MAX {
            own_folder(&root.join(format!("{number:02x}")))?;
        }
        flush(&tmp)?;
        flush(&root)?;
        if leftovers > 0 {
            tracing::info!(
                spool.drafts = leftovers,
                "removed documents that were not taken in completely before the last stop"
            );
        }
        Ok(Self {
            door: Door::new(root.clone(), options, clock.clone()),
            root,
            disk,
            seals,
            jobs: Arc::new(Semaphore::new(options.jobs.max(1))),
            folders: (0..=u8::MAX).map(|_| Folder::default()).collect(),
            drafts: AtomicU64::new(0),
            failed: Mutex::new(None),
            opened: (clock.now(), clock.monotonic()),
            clock,
            _lock: lock,
        })
    }

    /// Where content lies.
    pub(super) fn path(&self, hash: BlobHash) -> PathBuf {
        place_in(&self.root, hash)
    }

    /// A name for a new draft. The lock and the cleaning at start make a counter enough.
    pub(super) fn draft_path(&self) -> PathBuf {
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let mut path = self.root.join("tmp");
        path.push(format!("{:02x}", number % DRAFT_FOLDERS));
        path.push(number.to_string());
        path
    }

    /// Gives a flushed draft its name and flushes the folder. After `Ok` the content survives a power cut.
    pub(super) fn put(&self, draft: &Path, hash: BlobHash) -> Result<(), SpoolError> {
        let to = self.path(hash);
        let folder = &self.folders[usize::from(hash.as_bytes()[0])];
        {
            let _names = folder.names.lock().unwrap_or_else(PoisonError::into_inner);
            self.disk.rename(draft, &to).map_err(|error| self.trouble("naming content", &error))?;
        }
        self.flush_folder(folder, to.parent().unwrap_or(&self.root))
    }

    /// Gives a flushed file its name in place of the one that has it, if that one is still the `same`: false when not. Durable only after
    /// [`Self::flush_folder_of`].
    pub(super) fn replace(
        &self,
        draft: &Path,
        hash: BlobHash,
        same: impl Fn(&fs::Metadata) -> bool,
    ) -> Result<bool, SpoolError> {
        let to = self.path(hash);
        let folder = &self.folders[usize::from(hash.as_bytes()[0])];
        let _names = folder.names.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::symlink_metadata(&to) {
            Ok(found) if same(&found) => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(SpoolError::Disk(format!("looking at {hash}: {error}"))),
        }
        self.disk.rename(draft, &to).map_err(|error| self.trouble("naming content", &error))?;
        Ok(true)
    }

    /// Flushes the folder of some content.
    pub(super) fn flush_folder_of(&self, hash: BlobHash) -> Result<(), SpoolError> {
        let folder = &self.folders[usize::from(hash.as_bytes()[0])];
        self.flush_folder(folder, self.path(hash).parent().unwrap_or(&self.root))
    }

    /// Flushes a folder, unless a flush that began after our rename has done it.
    fn flush_folder(&self, folder: &Folder, path: &Path) -> Result<(), SpoolError> {
        let begun = folder.begun.load(Ordering::Acquire);
        let mut flushed = folder.flushed.lock().unwrap_or_else(PoisonError::into_inner);
        if *flushed > begun {
            return Ok(());
        }
        // Somebody's flush of this very folder may have failed while we waited; the system reports that only once.
        self.healthy()?;
        let number = folder.begun.fetch_add(1, Ordering::AcqRel) + 1;
        self.disk.flush_folder(path).map_err(|error| {
            let doing = "flushing a folder";
            if no_handles(&error) {
                // The folder could not even be opened: nothing was flushed in vain, and the next flush of it makes up for this one.
                return SpoolError::Disk(format!("{doing}: {error}"));
            }
            self.flush_failed(doing, &error)
        })?;
        *flushed = number;
        Ok(())
    }

    /// An error of an operation before anything was promised: a full disk or a limit concerns this document only, everything else
    /// means that the disk has failed.
    pub(super) fn trouble(&self, doing: &str, error: &io::Error) -> SpoolError {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                tracing::warn!(spool.doing = doing, spool.error = %error, "no room for a document; it was not taken in");
                self.door.full()
            }
            ErrorKind::OutOfMemory => SpoolError::Disk(format!("{doing}: {error}")),
            _ if no_handles(error) => SpoolError::Disk(format!("{doing}: {error}")),
            _ => self.flush_failed(doing, error),
        }
    }

    /// The disk has failed: latch. A flush is never repeated, since the system may have dropped the bytes and report success.
    pub(super) fn flush_failed(&self, doing: &str, error: &io::Error) -> SpoolError {
        let text = format!("{doing}: {error}");
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_none() {
            tracing::error!(spool.doing = doing, spool.error = %error, "the disk of the spool failed; nothing more is taken in");
            *failed = Some(text.clone());
        }
        SpoolError::Disk(text)
    }

    pub(super) fn failed(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn healthy(&self) -> Result<(), SpoolError> {
        self.failed().map_or(Ok(()), |why| Err(SpoolError::Disk(why)))
    }

    /// Whether content is there with its length. Its bytes are checked by whoever reads them.
    pub(super) fn check(&self, blob: Blob) -> Result<(), SpoolError> {
        let path = self.path(blob.hash);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() && self.form(found.len(), blob.size).is_some() => Ok(()),
            Ok(_) => Err(SpoolError::Damaged(blob.hash)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(SpoolError::Missing(blob.hash)),
            Err(error) => Err(SpoolError::Disk(format!("{}: {error}", path.display()))),
        }
    }

    /// The form of a file of this length that holds content of this size; none when it can be neither.
    pub(super) fn form(&self, length: u64, size: u64) -> Option<Form> {
        if length == size {
            return Some(Form::Plain);
        }
        let sealed = Measures::of(self.seals.as_deref()?).sealed_len(size);
        (length == sealed).then_some(Form::Sealed)
    }

    /// Content that has not been written for `grace`, after an address, in order.
    pub(super) fn old_content(
        &self,
        grace: Duration,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Result<Vec<Blob>, SpoolError> {
        let mut found = Vec::new();
        for number in folders_after(after) {
            for hash in self.names(number, after)? {
                if found.len() >= limit {
                    return Ok(found);
                }
                if let Some(length) = self.old(hash, grace)?
                    && let Some(size) = self.plain_size(hash, length)?
                {
                    found.push(Blob { hash, size });
                }
            }
        }
        Ok(found)
    }

    /// The addresses after one, in order.
    pub(super) fn page(&self, after: Option<BlobHash>, limit: usize) -> Result<Vec<BlobHash>, SpoolError> {
        let mut found = Vec::new();
        for number in folders_after(after) {
            found.extend(self.names(number, after)?);
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The addresses in one folder after one, in order.
    fn names(&self, number: u8, after: Option<BlobHash>) -> Result<Vec<BlobHash>, SpoolError> {
        let folder = self.root.join(format!("{number:02x}"));
        let reading = |error: io::Error| SpoolError::Disk(format!("reading {}: {error}", folder.display()));
        let mut hashes = Vec::new();
        for entry in fs::read_dir(&folder).map_err(reading)? {
            let name = entry.map_err(reading)?.file_name();
            match name.to_str().and_then(|name| format!("{number:02x}{name}").parse::<BlobHash>().ok()) {
                Some(hash) if after.is_none_or(|after| hash > after) => hashes.push(hash),
                Some(_) => {}
                None => {
                    tracing::warn!(spool.folder = number, spool.name = ?name, "a file in the spool is not ours; left alone");
                }
            }
        }
        hashes.sort_unstable();
        Ok(hashes)
    }

    /// How many plain bytes the file of some content holds, as far as the file alone tells; none when it is gone.
    fn plain_size(&self, hash: BlobHash, length: u64) -> Result<Option<u64>, SpoolError> {
        let Some(seals) = &self.seals else { return Ok(Some(length)) };
        let Some(plain) = Measures::of(seals.as_ref()).plain_len(length) else { return Ok(Some(length)) };
        let header =
            File::open(self.path(hash)).and_then(|mut file| header_of(&mut file, seals.header_len()));
        match header {
            Ok(header) => Ok(Some(if seals.key_of(&header).is_some() { plain } else { length })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SpoolError::Disk(format!("looking at {hash}: {error}"))),
        }
    }

    /// Removes content that is still older than `grace`.
    ///
    /// The race with a draft of the same content: whoever re-accepts content gives its name to a file just written, under
    /// the lock that is held here while the age is read again and the file removed. So either the new file is seen, and is
    /// too young, or it comes after the removal. Either way what was sealed stays. A sweep that found "no row names it" before
    /// is therefore never wrong about a row that is committed within `grace` after its seal.
    pub(super) fn remove(&self, blob: Blob, grace: Duration) -> Result<bool, SpoolError> {
        let folder = &self.folders[usize::from(blob.hash.as_bytes()[0])];
        let _names = folder.names.lock().unwrap_or_else(PoisonError::into_inner);
        if self.old(blob.hash, grace)?.is_none() {
            return Ok(false);
        }
        match self.disk.remove(&self.path(blob.hash)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(SpoolError::Disk(format!("removing {}: {error}", blob.hash))),
        }
    }

    /// The length of the file of content that is older than `grace`.
    fn old(&self, hash: BlobHash, grace: Duration) -> Result<Option<u64>, SpoolError> {
        let reading = |error: io::Error| SpoolError::Disk(format!("looking at {hash}: {error}"));
        let found = match fs::symlink_metadata(self.path(hash)) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(reading(error)),
        };
        if !found.is_file() {
            return Ok(None);
        }
        let written = timestamp(found.modified().map_err(reading)?);
        Ok((age(self.sober_now(), written) >= grace).then_some(found.len()))
    }

    /// The time of day as far as this process has really lived: a clock that jumps ahead must not make content old that was sealed a
    /// moment ago and whose row is just being written.
    fn sober_now(&self) -> Timestamp {
        let (wall, monotonic) = self.opened;
        self.clock.now().min(later(wall, self.clock.monotonic().saturating_sub(monotonic)))
    }
}

/// Whether there are too many open files, here or in the whole system: then nothing is wrong with the disk.
fn no_handles(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

/// The numbers of the folders that hold what comes after an address.
fn folders_after(after: Option<BlobHash>) -> std::ops::RangeInclusive<u8> {
    after.map_or(0, |hash| hash.as_bytes()[0])..=u8::MAX
}

/// Where content lies below a folder of content.
pub(super) fn place_in(root: &Path, hash: BlobHash) -> PathBuf {
    let name = hash.to_string();
    let mut path = root.join(&name[..2]);
    path.push(&name[2..]);
    path
}

/// Runs a job off the async threads. A job that is no longer awaited runs to its end.
pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    match tokio::task::spawn_blocking(job).await {
        Ok(answer) => answer,
        Err(error) => Err(SpoolError::Disk(format!("a job of the spool ended early: {error}"))),
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX)
}

/// A folder that only we may enter, and not a link to somewhere else.
fn own_folder(path: &Path) -> Result<(), OpenSpoolError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(path).map_err(|source| trouble("looking at", path, source))?;
            if found.is_dir() { Ok(()) } else { Err(OpenSpoolError::NotAFolder(path.display().to_string())) }
        }
        Err(source) => Err(trouble("making the folder", path, source)),
    }
}

fn lock(root: &Path) -> Result<File, OpenSpoolError> {
    let path = root.join("lock");
    if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
        return Err(trouble("opening", &path, io::Error::other("it is not a plain file")));
    }
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|source| trouble("opening", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenSpoolError::InUse(root.display().to_string())),
        Err(TryLockError::Error(source)) => Err(trouble("locking", &path, source)),
    }
}

fn remove_drafts(folder: &Path) -> Result<u64, OpenSpoolError> {
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(|source| trouble("reading", folder, source))? {
        let path = entry.map_err(|source| trouble("reading", folder, source))?.path();
        fs::remove_file(&path).map_err(|source| trouble("removing", &path, source))?;
        removed += 1;
    }
    Ok(removed)
}

fn flush(folder: &Path) -> Result<(), OpenSpoolError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|source| trouble("flushing", folder, source))
}

fn trouble(doing: &'static str, path: &Path, source: io::Error) -> OpenSpoolError {
    OpenSpoolError::Disk { doing, path: path.display().to_string(), source }
}
