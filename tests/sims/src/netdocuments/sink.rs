//! Receives a document: hashes it as it comes and keeps its bytes only up to the limit.

use std::sync::Arc;

use bytes::Bytes;

use super::model::Stored;

pub(super) struct Sink {
    blake3: blake3::Hasher,
    size: u64,
    kept: Option<Vec<u8>>,
    keep: u64,
    /// A fault lets only so many bytes through.
    truncate: Option<u64>,
}

impl Sink {
    pub(super) fn new(keep: u64, truncate: Option<u64>) -> Self {
        Self { blake3: blake3::Hasher::new(), size: 0, kept: Some(Vec::new()), keep, truncate }
    }

    pub(super) fn write(&mut self, chunk: &[u8]) {
        let room = self.truncate.map_or(u64::MAX, |limit| limit.saturating_sub(self.size));
        let chunk = &chunk[..usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len())];
        self.blake3.update(chunk);
        self.size += chunk.len() as u64;
        if self.size > self.keep {
            self.kept = None;
        } else if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(chunk);
        }
    }

    pub(super) fn finish(self) -> Arc<Stored> {
        Arc::new(Stored {
            size: self.size,
            blake3: self.blake3.finalize().to_hex().to_string(),
            bytes: self.kept.map(Bytes::from),
        })
    }
}
