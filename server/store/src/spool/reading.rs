//! One file of content being read: opened segment by segment where it is sealed, and its plain bytes compared with its name.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use postroom_domain::sealing::SegmentOpen;
use postroom_domain::spool::Blob;

use super::CHUNK;
use super::form::{Form, Measures, not_opened};
use super::shelves::Shelves;

/// A reading under way.
pub(super) struct Reading {
    file: File,
    hasher: blake3::Hasher,
    blob: Blob,
    /// Plain bytes that are still to come.
    left: u64,
    opening: Option<Opening>,
}

/// What opens the segments of a sealed file.
struct Opening {
    opener: Box<dyn SegmentOpen>,
    measures: Measures,
}

impl Reading {
    /// Begins with a file that has a name. Its form is told by the length of the file that was really opened: between a look at the name
    /// and this, it may have been sealed anew.
    pub(super) fn begin(shelves: &Shelves, path: &Path, blob: Blob) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).open(path)?;
        let length = file.metadata()?.len();
        let form = shelves.form(length, blob.size).ok_or_else(|| damaged(blob, true))?;
        Self::of(shelves, file, blob, form)
    }

    /// Begins with an open file of a known form, standing at its first byte.
    pub(super) fn of(shelves: &Shelves, mut file: File, blob: Blob, form: Form) -> io::Result<Self> {
        let opening = match (&shelves.seals, form) {
            (Some(seals), Form::Sealed) => {
                let measures = Measures::of(seals.as_ref());
                let mut header = vec![0; measures.header];
                file.read_exact(&mut header)?;
                let opener = seals.open(&header).map_err(|error| {
                    tracing::error!(spool.content = %blob.hash, spool.error = %error, "content of the spool does not open");
                    not_opened(&error)
                })?;
                Some(Opening { opener, measures })
            }
            _ => None,
        };
        Ok(Self { file, hasher: blake3::Hasher::new(), blob, left: blob.size, opening })
    }

    /// Whether everything has come.
    pub(super) fn ended(&self) -> bool {
        self.left == 0
    }

    /// Everything, found right. For what is small.
    pub(super) fn whole(mut self) -> io::Result<Bytes> {
        let first = self.next()?;
        if self.ended() {
            return Ok(first);
        }
        let mut whole = first.to_vec();
        while !self.ended() {
            whole.extend_from_slice(&self.next()?);
        }
        Ok(whole.into())
    }

    /// The next chunk; the last one only after the hash of the whole has been found right. Empty at the end.
    pub(super) fn next(&mut self) -> io::Result<Bytes> {
        let wanted = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = Vec::with_capacity(wanted);
        let whole = match self.opening.take() {
            None => {
                (&mut self.file).take(wanted as u64).read_to_end(&mut chunk)?;
                self.left -= chunk.len() as u64;
                chunk.len() == wanted
            }
            Some(mut opening) => {
                let whole = self.open_segments(&mut opening, &mut chunk)?;
                self.opening = Some(opening);
                whole
            }
        };
        self.hasher.update(&chunk);
        if !whole || (self.left == 0 && self.hasher.finalize().as_bytes() != self.blob.hash.as_bytes()) {
            return Err(damaged(self.blob, !whole));
        }
        Ok(chunk.into())
    }

    /// Fills a chunk from whole segments. False when the file ends early.
    fn open_segments(&mut self, opening: &mut Opening, chunk: &mut Vec<u8>) -> io::Result<bool> {
        let Measures { segment, overhead, .. } = opening.measures;
        loop {
            let plain = usize::try_from(self.left).unwrap_or(segment).min(segment);
            let mut bytes = Vec::with_capacity(plain + overhead);
            (&mut self.file).take((plain + overhead) as u64).read_to_end(&mut bytes)?;
            if bytes.len() < plain + overhead {
                return Ok(false);
            }
            self.left -= plain as u64;
            opening.opener.open(&mut bytes, self.left == 0).map_err(|error| {
                tracing::error!(spool.content = %self.blob.hash, spool.error = %error, "content of the spool does not open; it is not sent anywhere");
                not_opened(&error)
            })?;
            chunk.append(&mut bytes);
            if self.left == 0 || chunk.len() + segment > CHUNK {
                return Ok(true);
            }
        }
    }
}

fn damaged(blob: Blob, short: bool) -> io::Error {
    tracing::error!(spool.content = %blob.hash, spool.short = short, "content of the spool is damaged; it is not sent anywhere");
    io::Error::new(io::ErrorKind::InvalidData, format!("content {} is damaged", blob.hash))
}
