//! A file aside, and what is done to bytes on their way into it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use postroom_domain::sealing::{ContentSeals, SegmentSeal};
use postroom_domain::spool::SpoolError;

use super::form::{Measures, not_sealed};
use super::shelves::Shelves;

/// A large file is flushed as it grows, so that the end of it does not hold up everybody else's flush.
const FLUSH_EVERY: u64 = 64 << 20;

/// A file aside; it is removed unless it was given a name.
pub(super) struct Aside {
    shelves: Arc<Shelves>,
    path: PathBuf,
    file: File,
    unflushed: u64,
    /// Seals what is written, where the spool is sealed. Lives as long as this does: its key must not go before the file has its name.
    sealing: Option<Sealing>,
    pub(super) named: bool,
}

/// Cuts plain bytes into segments and seals them.
struct Sealing {
    seal: Box<dyn SegmentSeal>,
    measures: Measures,
    header: Option<Bytes>,
    /// Plain bytes of the segment that is not full, or not known not to be the last.
    tail: Vec<u8>,
}

impl Aside {
    /// Begins a file.
    pub(super) fn create(shelves: &Arc<Shelves>) -> Result<Self, SpoolError> {
        let sealing = shelves.seals.as_deref().map(Sealing::begin).transpose()?;
        let path = shelves.draft_path();
        let file = shelves.disk.create(&path).map_err(|error| shelves.trouble("starting a draft", &error))?;
        Ok(Self { shelves: shelves.clone(), path, file, unflushed: 0, sealing, named: false })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Appends plain bytes; `last` ends the content.
    pub(super) fn write(&mut self, bytes: &[u8], last: bool) -> Result<(), SpoolError> {
        let Some(sealing) = &mut self.sealing else { return self.put_down(bytes) };
        let sealed = sealing.feed(bytes, last)?;
        if sealed.is_empty() { Ok(()) } else { self.put_down(&sealed) }
    }

    fn put_down(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.shelves
            .disk
            .write(&mut self.file, bytes)
            .map_err(|error| self.shelves.trouble("writing a draft", &error))?;
        self.unflushed += bytes.len() as u64;
        if self.unflushed >= FLUSH_EVERY {
            self.flush()?;
            self.unflushed = 0;
        }
        Ok(())
    }

    /// Makes its bytes durable.
    pub(super) fn flush(&self) -> Result<(), SpoolError> {
        self.shelves
            .disk
            .flush(&self.file)
            .map_err(|error| self.shelves.flush_failed("flushing a draft", &error))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.named
            && let Err(error) = self.shelves.disk.remove(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(spool.error = %error, "a draft could not be removed; the next start does it");
        }
    }
}

impl Sealing {
    fn begin(seals: &dyn ContentSeals) -> Result<Self, SpoolError> {
        let (header, seal) = seals.begin().map_err(|error| not_sealed(&error))?;
        Ok(Self { seal, measures: Measures::of(seals), header: Some(header), tail: Vec::new() })
    }

    /// What is to be written for these bytes: first of all the header, then every segment that is full and not the last.
    fn feed(&mut self, bytes: &[u8], last: bool) -> Result<Vec<u8>, SpoolError> {
        let Measures { header, segment, overhead } = self.measures;
        let segments = (self.tail.len() + bytes.len()) / segment + 1;
        let mut out = Vec::with_capacity(header + bytes.len() + self.tail.len() + segments * overhead);
        if let Some(header) = self.header.take() {
            out.extend_from_slice(&header);
        }
        let mut rest = bytes;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(segment - self.tail.len()));
            self.tail.extend_from_slice(piece);
            rest = after;
            // A full segment waits for the next byte: without one it is the last.
            if rest.is_empty() {
                break;
            }
            self.seal(false, &mut out)?;
        }
        if last {
            self.seal(true, &mut out)?;
        }
        Ok(out)
    }

    fn seal(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), SpoolError> {
        self.seal.seal(&mut self.tail, last).map_err(|error| not_sealed(&error))?;
        out.append(&mut self.tail);
        Ok(())
    }
}
