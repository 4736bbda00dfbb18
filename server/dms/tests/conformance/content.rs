//! Documents for tests: any size without memory, and damaged ones.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use postroom_domain::Fut;
use postroom_domain::dms::{ByteStream, Content};
use postroom_domain::ids::BlobHash;

const CHUNK: usize = 64 * 1024;

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    None,
    /// The stream ends with an error after so many bytes.
    ErrorAfter(u64),
    /// The stream ends after so many bytes without an error.
    ShortBy(u64),
    /// The stream gives so many bytes more.
    LongBy(u64),
    /// It cannot be opened.
    Closed,
}

/// Bytes of a document that are in memory now, and the most that ever were.
#[derive(Default)]
pub(crate) struct Memory {
    now: AtomicU64,
    most: AtomicU64,
}

/// A chunk that counts as long as anybody holds it.
struct Counted(Vec<u8>, Arc<Memory>);

impl Counted {
    fn of(bytes: Vec<u8>, memory: &Arc<Memory>) -> Self {
        let length = bytes.len() as u64;
        let now = memory.now.fetch_add(length, Ordering::AcqRel) + length;
        memory.most.fetch_max(now, Ordering::AcqRel);
        Self(bytes, Arc::clone(memory))
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.now.fetch_sub(self.0.len() as u64, Ordering::AcqRel);
    }
}

/// A document of which byte number `n` is made from `seed` and `n`.
pub(crate) struct Made {
    pub(crate) size: u64,
    pub(crate) seed: u8,
    pub(crate) damage: Damage,
    memory: Arc<Memory>,
}

impl Made {
    pub(crate) fn new(size: u64, seed: u8) -> Self {
        Self { size, seed, damage: Damage::None, memory: Arc::default() }
    }

    pub(crate) fn damaged(size: u64, damage: Damage) -> Self {
        Self { size, seed: 1, damage, memory: Arc::default() }
    }

    /// The most bytes of its streams that were in memory at once.
    pub(crate) fn most_in_memory(&self) -> u64 {
        self.memory.most.load(Ordering::Acquire)
    }

    fn chunks(seed: u8, size: u64) -> impl Iterator<Item = Vec<u8>> {
        // A period that no chunk length is a multiple of, so that chunks in another order are another document.
        let pattern: Vec<u8> = (0..=250_u8).cycle().take(CHUNK + 251).map(|n| n ^ seed).collect();
        (0..size).step_by(CHUNK).map(move |at| {
            let (from, length) = ((at % 251) as usize, usize::try_from(size - at).unwrap().min(CHUNK));
            pattern[from..from + length].to_vec()
        })
    }

    /// BLAKE3 as the ledger writes it.
    pub(crate) fn hex(&self) -> String {
        self.hash().to_string()
    }
}

impl Content for Made {
    fn size(&self) -> u64 {
        self.size
    }

    fn hash(&self) -> BlobHash {
        let mut hasher = blake3::Hasher::new();
        for chunk in Self::chunks(self.seed, self.size) {
            hasher.update(&chunk);
        }
        BlobHash::new(*hasher.finalize().as_bytes())
    }

    fn open(&self) -> Fut<'_, io::Result<ByteStream>> {
        let seed = self.seed;
        let (length, error) = match self.damage {
            Damage::None => (self.size, false),
            Damage::ErrorAfter(bytes) => (bytes, true),
            Damage::ShortBy(bytes) => (self.size - bytes, false),
            Damage::LongBy(bytes) => (self.size + bytes, false),
            Damage::Closed => return Box::pin(async { Err(io::Error::other("the blob is missing")) }),
        };
        let end = error.then(|| Err(io::Error::new(io::ErrorKind::InvalidData, "the hash differs")));
        let memory = Arc::clone(&self.memory);
        let chunks =
            Self::chunks(seed, length).map(move |chunk| Bytes::from_owner(Counted::of(chunk, &memory)));
        let stream = futures_util::stream::iter(chunks.map(Ok).chain(end));
        Box::pin(async move { Ok(stream.boxed()) })
    }
}
