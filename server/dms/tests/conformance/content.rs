//! Documents for tests: any size without memory, and damaged ones.

use std::io;

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

/// A document of which byte number `n` is made from `seed` and `n`.
pub(crate) struct Made {
    pub(crate) size: u64,
    pub(crate) seed: u8,
    pub(crate) damage: Damage,
}

impl Made {
    pub(crate) fn new(size: u64, seed: u8) -> Self {
        Self { size, seed, damage: Damage::None }
    }

    pub(crate) fn damaged(size: u64, damage: Damage) -> Self {
        Self { size, seed: 1, damage }
    }

    fn chunk(seed: u8, from: u64, length: usize) -> Bytes {
        (from..).take(length).map(|n| u8::try_from(n % 251).unwrap() ^ seed).collect()
    }

    fn chunks(seed: u8, size: u64) -> impl Iterator<Item = Bytes> {
        let starts = (0..size).step_by(CHUNK);
        starts.map(move |at| Self::chunk(seed, at, usize::try_from(size - at).unwrap().min(CHUNK)))
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
        let stream = futures_util::stream::iter(Self::chunks(seed, length).map(Ok).chain(end));
        Box::pin(async move { Ok(stream.boxed()) })
    }
}
