//! Receives a file: hashes it as it comes and keeps its bytes only up to the limit.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::model::Stored;

/// How much of a file's start is kept for reading mail headers.
const HEAD: usize = 16 << 10;

pub(super) struct Sink {
    sha256: Sha256,
    blake3: blake3::Hasher,
    size: u64,
    kept: Option<Vec<u8>>,
    keep: u64,
    head: Vec<u8>,
    /// A fault lets only so many bytes through.
    truncate: Option<u64>,
}

impl Sink {
    pub(super) fn new(keep: u64, truncate: Option<u64>) -> Self {
        Self {
            sha256: Sha256::new(),
            blake3: blake3::Hasher::new(),
            size: 0,
            kept: Some(Vec::new()),
            keep,
            head: Vec::new(),
            truncate,
        }
    }

    pub(super) fn write(&mut self, chunk: &[u8]) {
        let room = self.truncate.map_or(u64::MAX, |t| t.saturating_sub(self.size));
        let chunk = &chunk[..usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len())];
        self.sha256.update(chunk);
        self.blake3.update(chunk);
        self.size += chunk.len() as u64;
        let head = HEAD.saturating_sub(self.head.len()).min(chunk.len());
        self.head.extend_from_slice(&chunk[..head]);
        if self.size > self.keep {
            self.kept = None;
        } else if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(chunk);
        }
    }

    /// What is stored, and the start of the file.
    pub(super) fn finish(self) -> (Arc<Stored>, Vec<u8>) {
        let stored = Stored {
            size: self.size,
            sha256: hex(&self.sha256.finalize()),
            blake3: self.blake3.finalize().to_hex().to_string(),
            bytes: self.kept.map(Bytes::from),
        };
        (Arc::new(stored), self.head)
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
}
