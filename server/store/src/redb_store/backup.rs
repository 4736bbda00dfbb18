//! Copies: a store is never copied as a file while it is open, because such a copy cannot be opened. A backup walks one read
//! transaction into a new store; verifying looks without changing a byte.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use postroom_domain::audit::{Anchor, Verdict};
use postroom_domain::store::Check;
use redb::{Builder, ReadableDatabase, StorageBackend};

use super::check;
use super::migrate;
use super::open::{OpenError, beside, guarded, inspect, put_in_place, refuse_if_used, refuse_other_versions};
use super::schema::{self, Shelf};
use super::writer::Shared;

/// Rows per transaction while copying: the memory a backup needs.
const PORTION: usize = 20_000;

/// What looking at a store that is not in use has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offline {
    /// The version of its format.
    pub format: u64,
    /// Whether its pages agree with their checksums and redb's own books. When not, redb mends what it can at the next start.
    pub pages_sound: bool,
    /// Rows, indexes and counters.
    pub check: Check,
    /// The chain of the history; none in a file of version 1, which gets it when it is opened.
    pub chain: Option<Verdict>,
}

impl Offline {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.pages_sound
            && self.check.wrong.is_empty()
            && self.chain.is_none_or(|chain| chain.fault.is_none())
    }
}

pub(super) fn backup(shared: &Shared, to: &Path) -> Result<u64, OpenError> {
    if to.exists() {
        return Err(OpenError::Exists { file: to.to_owned() });
    }
    let aside = beside(to, ".new");
    match std::fs::remove_file(&aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(OpenError::disk(&aside, error));
        }
        _ => {}
    }
    let shelf = {
        let guard = shared.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = guard.as_ref() else { return Err(OpenError::disk(to, "the store is closed")) };
        Shelf(database.begin_read().map_err(|error| OpenError::disk(to, error))?)
    };
    let mut builder = Builder::new();
    builder.set_cache_size(32 << 20);
    let target = builder.create(&aside).map_err(|error| OpenError::database(&aside, error))?;
    let copied = shelf.copy_to(&target, PORTION).map_err(|stop| OpenError::disk(&aside, stop))?;
    drop(shelf);
    target.close().map_err(|error| OpenError::database(&aside, error))?;
    put_in_place(&aside, to)?;
    Ok(copied)
}

/// Looks at a store that no process uses: checksums of all pages, then every row against indexes and counters. Changes nothing, and
/// takes as long as reading the file.
pub fn verify(file: &Path) -> Result<Offline, OpenError> {
    verify_with(file, None)
}

/// Looks at a store that no process uses, as [`verify`] does, and whether an event known from elsewhere is in its history with its hash:
/// that alone finds a history that was cut off at its end, or written anew as a whole.
pub fn verify_with(file: &Path, known: Option<Anchor>) -> Result<Offline, OpenError> {
    inspect(file)?;
    refuse_if_used(file)?;
    guarded(file, || {
        let opened = File::open(file).map_err(|error| OpenError::disk(file, error))?;
        let length = opened.metadata().map_err(|error| OpenError::disk(file, error))?.len();
        let overlay =
            Overlay { file: opened, changed: Mutex::new(Changed { length, pages: BTreeMap::new() }) };
        let mut builder = Builder::new();
        builder.set_cache_size(64 << 20);
        let mut database =
            builder.create_with_backend(overlay).map_err(|error| OpenError::database(file, error))?;
        let pages_sound = database.check_integrity().map_err(|error| OpenError::database(file, error))?;
        let format = refuse_other_versions(file, &database)?;
        if format < schema::VERSION {
            // In memory only: see `Overlay`.
            migrate::make_tables(&database).map_err(|stop| OpenError::damaged(file, stop))?;
        }
        let transaction = database.begin_read().map_err(|error| OpenError::damaged(file, error))?;
        let shelf = Shelf(transaction);
        let damaged = |stop| OpenError::damaged(file, stop);
        let check = check::check(&shelf, format).map_err(damaged)?;
        let chain = if format < 2 { None } else { Some(check::chain(&shelf, known).map_err(damaged)?) };
        Ok(Offline { format, pages_sound, check, chain })
    })
}

/// Puts a backup where a store shall be. Refuses when there is one, and when the backup is not sound.
pub fn restore(from: &Path, to: &Path) -> Result<Offline, OpenError> {
    if std::fs::symlink_metadata(to).is_ok() {
        return Err(OpenError::Exists { file: to.to_owned() });
    }
    refuse_if_used(to)?;
    let found = verify(from)?;
    if !found.is_sound() {
        let detail = found.check.wrong.first().cloned().unwrap_or_else(|| "its pages are damaged".to_owned());
        return Err(OpenError::damaged(from, detail));
    }
    let aside = beside(to, ".new");
    std::fs::copy(from, &aside).map_err(|error| OpenError::disk(&aside, error))?;
    put_in_place(&aside, to)?;
    Ok(found)
}

const PAGE: u64 = 4096;

/// A file that is read, with changes kept in memory.
#[derive(Debug)]
struct Overlay {
    file: File,
    changed: Mutex<Changed>,
}

#[derive(Debug)]
struct Changed {
    length: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    /// One page as the file has it, zeros beyond its end.
    fn original(&self, page: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let mut filled = 0;
        while filled < out.len() {
            let at = page * PAGE + u64::try_from(filled).map_err(std::io::Error::other)?;
            match self.file.read_at(&mut out[filled..], at)? {
                0 => break,
                read => filled += read,
            }
        }
        out[filled..].fill(0);
        Ok(())
    }
}

/// The parts of a range that lie in one page each: page, offset in it, range in the buffer.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + u64::try_from(done).ok()?;
        let inside = usize::try_from(at % PAGE).ok()?;
        let here = (length - done).min(usize::try_from(PAGE).ok()? - inside);
        let range = done..done + here;
        done += here;
        (here > 0).then_some((at / PAGE, inside, range))
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.changed.lock().unwrap_or_else(PoisonError::into_inner).length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if offset + u64::try_from(out.len()).map_err(std::io::Error::other)? > changed.length {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if changed.pages.is_empty() {
            return self.file.read_exact_at(out, offset);
        }
        let mut whole = [0; 4096];
        for (page, inside, range) in parts(offset, out.len()) {
            let length = range.len();
            if let Some(bytes) = changed.pages.get(&page) {
                out[range].copy_from_slice(&bytes[inside..inside + length]);
            } else {
                self.original(page, &mut whole)?;
                out[range].copy_from_slice(&whole[inside..inside + length]);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), std::io::Error> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        // What was cut off and comes back is zero, not what the file has there.
        for page in length.div_ceil(PAGE)..changed.length.div_ceil(PAGE) {
            changed.pages.insert(page, vec![0; 4096]);
        }
        changed.length = length;
        Ok(())
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        for (page, inside, range) in parts(offset, data.len()) {
            let bytes = match changed.pages.entry(page) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let mut whole = vec![0; 4096];
                    self.original(page, &mut whole)?;
                    new.insert(whole)
                }
            };
            bytes[inside..inside + range.len()].copy_from_slice(&data[range]);
        }
        Ok(())
    }
}
