//! The spool of document bytes as plain files.
//!
//! ```text
//! <data>/spool/lock          held while a process owns the spool
//! <data>/spool/tmp/00 … 3f   drafts, removed when the spool is opened
//! <data>/spool/00 … ff       content: the folder is the first byte of its BLAKE3, the name the other 31
//! ```
//!
//! What [`Draft::seal`](postroom_domain::spool::Draft::seal) answers is durable: the file was written aside and flushed, renamed
//! to its name, and the folder flushed. Each document takes one blocking job that does all of that, up to
//! [`SpoolOptions::jobs`] side by side, so that the disk merges their flushes; a flush of a folder serves everybody whose rename
//! came before it began.
//!
//! Content that is there already is **replaced** by the newly written file: the bytes are the same, the replacement is atomic,
//! it mends a damaged copy, its fresh modification time keeps a sweep away, and nobody has to know whether the earlier copy
//! has been flushed.
//!
//! After a failed flush nothing more is known about the disk, so the spool latches: [`FileSpool::failed`] tells why, and every
//! later draft and seal is refused until the process starts again. A full disk while a draft is written is not such a
//! failure, for nothing was promised yet: it answers [`SpoolError::NoRoom`] and the draft vanishes.
//!
//! A spool that was opened with [`FileSpool::open_sealed`] seals what it writes, in segments, while it is written; names and sizes stay
//! those of the plain bytes. Content from before is read as it is, and sealed by the first [`Reseal::reseal`] that meets it.

mod content;
mod disk;
mod door;
mod draft;
mod form;
mod link;
mod reading;
mod reseal;
mod shelves;
mod sweep;
#[cfg(test)]
mod tests;
mod writing;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::dms::Content;
use postroom_domain::ids::BlobHash;
use postroom_domain::sealing::{ContentSeals, Reseal, Resealed};
use postroom_domain::spool::{Blob, Draft, Spool, SpoolError};
use postroom_domain::time::Clock;

use self::content::FileContent;
use self::disk::{Disk, PlainDisk};
use self::draft::FileDraft;
use self::shelves::{Shelves, blocking};

pub use self::sweep::{SweepError, sweep};

/// Bytes that are read, written or kept in memory at a time: a document up to this size costs one file operation of each kind.
const CHUNK: usize = 256 * 1024;

/// How a spool behaves.
#[derive(Debug, Clone)]
pub struct SpoolOptions {
    /// The largest document that any door takes, in bytes: twice that is kept free at least.
    pub largest: u64,
    /// Bytes to keep free. None means the greatest of twice [`Self::largest`], 5 % of the file system, and 1 GiB.
    pub reserve_bytes: Option<u64>,
    /// How many writing jobs run side by side. Many, because they mostly wait for the disk, which merges flushes that wait together.
    pub jobs: usize,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self { largest: 2 << 30, reserve_bytes: None, jobs: 64 }
    }
}

/// Why a spool cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenSpoolError {
    /// Another process owns it.
    #[error("the spool {0} is in use by another process")]
    InUse(String),
    /// Something that is no folder, or a symbolic link, lies where a folder of the spool belongs.
    #[error("{0} must be a folder of its own (not a symbolic link or a file)")]
    NotAFolder(String),
    /// The disk does not let us.
    #[error("{doing} {path}: {source}")]
    Disk {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
}

/// The keeper of document bytes in a folder of this machine. Cheap to clone.
#[derive(Clone)]
pub struct FileSpool {
    shelves: Arc<Shelves>,
}

impl FileSpool {
    /// Opens the spool below a data folder, makes what is missing, and removes left-over drafts. Blocks; call it at start.
    ///
    /// What it writes is plain, and what is sealed it takes for damaged: for tests, and for folders that were never sealed.
    pub fn open(data: &Path, options: &SpoolOptions, clock: Arc<dyn Clock>) -> Result<Self, OpenSpoolError> {
        Self::on(Box::new(PlainDisk), data, options, clock, None)
    }

    /// The same with content sealed. Content from before it was sealed can be read all the same.
    pub fn open_sealed(
        data: &Path,
        options: &SpoolOptions,
        clock: Arc<dyn Clock>,
        seals: Arc<dyn ContentSeals>,
    ) -> Result<Self, OpenSpoolError> {
        Self::on(Box::new(PlainDisk), data, options, clock, Some(seals))
    }

    fn on(
        disk: Box<dyn Disk>,
        data: &Path,
        options: &SpoolOptions,
        clock: Arc<dyn Clock>,
        seals: Option<Arc<dyn ContentSeals>>,
    ) -> Result<Self, OpenSpoolError> {
        Ok(Self { shelves: Arc::new(Shelves::open(disk, data, options, clock, seals)?) })
    }

    /// Hard-links content into another spool folder (`<other>/ab/cd…`), for a backup; copies it where the file systems differ.
    /// What is there already, as long and sealed with the same key, stays. Durable only after [`Self::flush_links`].
    ///
    /// A hard link is the same file under a second name: it survives the sweep here, not damage to the file.
    pub async fn link_into(&self, other: &Path, blob: Blob) -> Result<(), SpoolError> {
        let (shelves, other) = (self.shelves.clone(), other.to_owned());
        blocking(move || link::link_into(&shelves, &other, blob)).await
    }

    /// Makes everything durable that [`Self::link_into`] put into that folder.
    pub async fn flush_links(&self, other: &Path) -> Result<(), SpoolError> {
        let (shelves, other) = (self.shelves.clone(), other.to_owned());
        blocking(move || link::flush_links(&shelves, &other)).await
    }
}

impl Spool for FileSpool {
    fn door(&self, size: u64) -> Result<(), SpoolError> {
        self.shelves.healthy()?;
        self.shelves.door.admit(size)
    }

    fn draft(&self) -> Fut<'_, Result<Box<dyn Draft>, SpoolError>> {
        Box::pin(async move {
            self.shelves.healthy()?;
            Ok(Box::new(FileDraft::new(self.shelves.clone())) as Box<dyn Draft>)
        })
    }

    fn content(&self, blob: Blob) -> Fut<'_, Result<Arc<dyn Content>, SpoolError>> {
        let shelves = self.shelves.clone();
        Box::pin(blocking(move || Ok(Arc::new(FileContent::find(shelves, blob)?) as Arc<dyn Content>)))
    }

    fn old_content(
        &self,
        grace: Duration,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Fut<'_, Result<Vec<Blob>, SpoolError>> {
        let shelves = self.shelves.clone();
        Box::pin(blocking(move || shelves.old_content(grace, after, limit)))
    }

    fn remove(&self, blob: Blob, grace: Duration) -> Fut<'_, Result<bool, SpoolError>> {
        let shelves = self.shelves.clone();
        Box::pin(blocking(move || shelves.remove(blob, grace)))
    }

    fn failed(&self) -> Option<String> {
        self.shelves.failed()
    }
}

impl Reseal for FileSpool {
    fn reseal(&self, after: Option<BlobHash>, limit: usize) -> Fut<'_, Result<Resealed, SpoolError>> {
        let shelves = self.shelves.clone();
        Box::pin(async move {
            let permit = shelves.jobs.clone().acquire_owned().await;
            blocking(move || {
                let _permit = permit;
                reseal::reseal(&shelves, after, limit)
            })
            .await
        })
    }
}
