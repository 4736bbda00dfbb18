//! The bytes of a document on their way, and how many have left.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_core::Stream;

use crate::Fut;
use crate::cause::Sent;
use crate::ids::BlobHash;

/// Document bytes on their way.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Something that was sent can be counted: how much of the document the connection has taken.
///
/// Shared between the worker, which watches progress, and the connector's body stream, which reports it.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Reports that so many more bytes have left.
    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Bytes that have left so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// How much that is of a document. A document of 0 bytes counts as sent once anything was asked (`started`).
    pub fn sent(&self, size: u64, started: bool) -> Sent {
        match self.bytes() {
            _ if !started => Sent::Nothing,
            n if n >= size => Sent::Fully,
            0 => Sent::Nothing,
            _ => Sent::Partly,
        }
    }
}

/// The bytes of one document; each try opens them anew.
pub trait Content: Send + Sync {
    /// Length in bytes.
    fn size(&self) -> u64;
    /// BLAKE3 of the bytes.
    fn hash(&self) -> BlobHash;
    /// A stream from the first byte. Reading checks the hash: damaged bytes end the stream with an error before its last chunk.
    fn open(&self) -> Fut<'_, std::io::Result<ByteStream>>;
}
