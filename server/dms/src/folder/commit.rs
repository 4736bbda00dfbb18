//! Putting one document into its folder, so that at every instant a crash leaves either nothing with a name or a
//! document that its mark finds.
//!
//! The order: bytes aside and flushed, read back; sidecar aside and flushed; then, under the folder's lock, a free name
//! is chosen, sidecar and mark get their places and are flushed, and last the document gets its name without replacing
//! anything. A sidecar or mark without its document therefore means "not there", and may be overwritten by the next one.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use postroom_domain::ids::{BlobHash, FilingId};
use tokio::sync::mpsc::Receiver;

use super::dir::{Dir, Kind};
use super::replace::Names;
use super::sidecar::{self, Bears, Ledger, Pointer, Sidecar, of};
use crate::names;

/// What comes through the channel. A channel that closes before the end means that nothing may be stored.
pub(super) enum Piece {
    Bytes(Bytes),
    End,
}

/// Where a test ends the process: called before each step with its number; true ends it there, without any cleaning up.
pub(super) type Seam = Arc<dyn Fn(u32) -> bool + Send + Sync>;

/// Why a document did not get its name.
#[derive(Debug)]
pub(super) enum Stop {
    /// The sender gave up.
    Abandoned,
    /// The bytes that came are not those that were announced.
    OtherBytes,
    /// What was read back is not what was written.
    BadDisk,
    /// This filing's document is here already.
    Here { document: String, version: u32, size: u64 },
    /// The disk, surely before the document had its name.
    Before { doing: &'static str, error: io::Error },
    /// The disk, after the document had its name.
    After { error: io::Error },
    /// Ended by the seam.
    Killed,
}

/// One document on its way.
pub(super) struct Job {
    pub(super) root: PathBuf,
    pub(super) container: Vec<String>,
    pub(super) filing: FilingId,
    pub(super) name: String,
    /// The document of which this is a new version.
    pub(super) onto: Option<String>,
    pub(super) sidecar: Sidecar,
    pub(super) read_back: bool,
    pub(super) seam: Option<Seam>,
}

/// The document as it lies there now.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) document: String,
    pub(super) version: u32,
    pub(super) size: u64,
    pub(super) hash: BlobHash,
}

/// Distinguishes temporary files of one filing within this process.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A number that no temporary file of this process had.
pub(super) fn count() -> u64 {
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// So many equal names in one folder are enough.
const MOST_EQUAL_NAMES: u32 = 10_000;

pub(super) fn at(doing: &'static str) -> impl Fn(io::Error) -> Stop {
    move |error| Stop::Before { doing, error }
}

impl Job {
    /// Does it all; blocks. Left-overs are removed on every failure but the end of the process.
    pub(super) fn run(&self, pieces: &mut Receiver<Piece>) -> Result<Stored, Stop> {
        let mut step = 0;
        let mut folder = Dir::root(&self.root).map_err(at("opening the root"))?;
        for name in &self.container {
            folder = folder.sub(name).map_err(at("opening the folder"))?;
        }
        let ledger = Ledger::make(&folder).map_err(at("opening .postroom"))?;
        let mine = format!("{}.{}.{}", self.filing, std::process::id(), count());
        let aside = format!("{mine}.json");
        let result = self.place(pieces, &folder, &ledger, &mine, &aside, &mut step);
        if !matches!(result, Ok(_) | Err(Stop::Killed)) {
            // Without a name they are harmless; the next try of this filing removes them too.
            let _ = ledger.tmp.remove(&mine);
            let _ = ledger.tmp.remove(&aside);
        }
        result
    }

    fn place(
        &self,
        pieces: &mut Receiver<Piece>,
        folder: &Dir,
        ledger: &Ledger,
        mine: &str,
        aside: &str,
        step: &mut u32,
    ) -> Result<Stored, Stop> {
        let own = format!("{}.", self.filing);
        for old in ledger.tmp.names().map_err(at("looking for left-overs"))? {
            if old.starts_with(&own) {
                ledger.tmp.remove(&old).map_err(at("removing a left-over"))?;
            }
        }
        self.seam(step)?;
        let mut file = ledger.tmp.create(mine).map_err(at("creating a file aside"))?;
        self.take(pieces, &mut file, step)?;
        self.seam(step)?;
        file.sync_all().map_err(at("flushing the document"))?;
        if self.read_back {
            check(&mut file, &self.sidecar)?;
        }
        self.seam(step)?;
        write_aside(ledger, aside, &self.sidecar)?;

        let lock = ledger.home.lock("lock").map_err(at("locking the folder"))?;
        self.is_here(folder, ledger, aside)?;
        if let Some(document) = &self.onto {
            let stored = self.replace(folder, ledger, Names { mine, aside, document }, step);
            drop(lock);
            return stored;
        }
        let mut n = 0;
        let document = loop {
            n += 1;
            if n > MOST_EQUAL_NAMES {
                let error = io::Error::new(io::ErrorKind::AlreadyExists, "too many documents of this name");
                return Err(Stop::Before { doing: "finding a free name", error });
            }
            let document = names::numbered(&self.name, n);
            // Older versions of another document would become this one's.
            if folder.kind(&document).map_err(at("finding a free name"))?.is_some()
                || ledger.versions(&document).map_err(at("finding a free name"))?.is_some()
            {
                continue;
            }
            self.seam(step)?;
            ledger.tmp.replace(aside, &ledger.home, &of(&document)).map_err(at("placing the sidecar"))?;
            self.seam(step)?;
            write_aside(ledger, aside, &Pointer::to(&document))?;
            ledger
                .tmp
                .replace(aside, &ledger.marks, &self.filing.to_string())
                .map_err(at("placing the mark"))?;
            self.seam(step)?;
            ledger.marks.flush().map_err(at("flushing the mark"))?;
            ledger.home.flush().map_err(at("flushing the sidecar"))?;
            self.seam(step)?;
            match ledger.tmp.give(mine, folder, &document) {
                Ok(()) => break document,
                // Somebody put a file there by hand in this very moment.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    ledger.home.remove(&of(&document)).map_err(at("removing the sidecar again"))?;
                    write_aside(ledger, aside, &self.sidecar)?;
                }
                Err(error) => return Err(Stop::Before { doing: "naming the document", error }),
            }
        };
        self.seam(step)?;
        folder.flush().map_err(|error| Stop::After { error })?;
        drop(lock);
        self.seam(step)?;
        let size = file.metadata().map_err(|error| Stop::After { error })?.len();
        Ok(Stored { document, version: 1, size, hash: self.sidecar.hash })
    }

    /// Stops where this filing's document is here already.
    fn is_here(&self, folder: &Dir, ledger: &Ledger, aside: &str) -> Result<(), Stop> {
        let wanted = (self.sidecar.size, self.sidecar.hash);
        for place in ledger.find(self.filing).map_err(at("looking for the mark"))? {
            if (place.sidecar.size, place.sidecar.hash) != wanted {
                continue;
            }
            let document = place.document;
            let version = match place.bears {
                Bears::Now => {
                    if folder.kind(&document).map_err(at("looking for the document"))? != Some(Kind::File) {
                        continue;
                    }
                    sidecar::current(Some(ledger), &document).map_err(at("counting versions"))?
                }
                Bears::Older(number) => number,
                Bears::Perhaps(number) => {
                    let mut file = match folder.read(&document) {
                        Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                        other => other.map_err(at("looking for the document"))?,
                    };
                    if hash(&mut file).map_err(at("looking for the document"))? != wanted {
                        continue;
                    }
                    let file = sidecar::of(&document);
                    ledger.tmp.replace(aside, &ledger.home, &file).map_err(at("placing the sidecar"))?;
                    number
                }
            };
            return Err(Stop::Here { document, version, size: self.sidecar.size });
        }
        Ok(())
    }

    /// Writes what comes, and compares it with what was announced.
    fn take(&self, pieces: &mut Receiver<Piece>, file: &mut File, step: &mut u32) -> Result<(), Stop> {
        let (mut hasher, mut size) = (blake3::Hasher::new(), 0);
        loop {
            match pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => {
                    self.seam(step)?;
                    file.write_all(&bytes).map_err(at("writing the document"))?;
                    hasher.update(&bytes);
                    size += bytes.len() as u64;
                }
                Some(Piece::End) => break,
                None => return Err(Stop::Abandoned),
            }
        }
        let hash = BlobHash::new(*hasher.finalize().as_bytes());
        if (size, hash) == (self.sidecar.size, self.sidecar.hash) { Ok(()) } else { Err(Stop::OtherBytes) }
    }

    pub(super) fn seam(&self, step: &mut u32) -> Result<(), Stop> {
        *step += 1;
        if self.seam.as_ref().is_some_and(|ends| ends(*step)) { Err(Stop::Killed) } else { Ok(()) }
    }
}

pub(super) fn write_aside<T: serde::Serialize>(ledger: &Ledger, aside: &str, value: &T) -> Result<(), Stop> {
    sidecar::write(&ledger.tmp, aside, value).map_err(at("writing the profile"))
}

fn check(file: &mut File, wanted: &Sidecar) -> Result<(), Stop> {
    file.rewind().map_err(at("reading the document back"))?;
    let (size, hash) = hash(file).map_err(at("reading the document back"))?;
    if (size, hash) == (wanted.size, wanted.hash) { Ok(()) } else { Err(Stop::BadDisk) }
}

/// Size and hash of a file from where it stands; blocks.
pub(super) fn hash(file: &mut File) -> io::Result<(u64, BlobHash)> {
    let (mut hasher, mut size) = (blake3::Hasher::new(), 0);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((size, BlobHash::new(*hasher.finalize().as_bytes()))),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                size += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
