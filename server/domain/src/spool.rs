//! Where document bytes are kept: files named by their content, safe before any row names them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::dms::Content;
use crate::ids::BlobHash;

/// Why bytes could not be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// Too little room: refuse the intake politely and come back.
    #[error("only {free} bytes are free where {wanted} are kept in reserve")]
    NoRoom {
        /// Free bytes.
        free: u64,
        /// Bytes kept in reserve.
        wanted: u64,
    },
    /// No such content.
    #[error("no content {0} in the spool")]
    Missing(BlobHash),
    /// The bytes do not match their name.
    #[error("content {0} is damaged")]
    Damaged(BlobHash),
    /// The disk failed. Fail-stop: after a failed flush nothing more is known.
    #[error("spool: {0}")]
    Disk(String),
}

/// Content that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// Its address.
    pub hash: BlobHash,
    /// Its length in bytes.
    pub size: u64,
}

/// Bytes coming in. Dropped without [`Draft::seal`], they vanish.
pub trait Draft: Send {
    /// Appends bytes.
    fn write(&mut self, bytes: Bytes) -> Fut<'_, Result<(), SpoolError>>;
    /// Bytes so far.
    fn size(&self) -> u64;
    /// Makes the content durable (file and folder flushed) and tells its address.
    fn seal(self: Box<Self>) -> Fut<'static, Result<Blob, SpoolError>>;
}

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Files looked at.
    pub seen: u64,
    /// Files removed, with their sizes.
    pub removed: Vec<Blob>,
    /// Left-over drafts removed.
    pub drafts: u64,
}

/// The keeper of document bytes.
pub trait Spool: Send + Sync {
    /// The free-space door: [`SpoolError::NoRoom`] while too little is free to take a document of `size` bytes.
    fn door(&self, size: u64) -> Result<(), SpoolError>;
    /// Starts taking bytes in.
    fn draft(&self) -> Fut<'_, Result<Box<dyn Draft>, SpoolError>>;
    /// Content by its address, checked to exist; reading checks its hash.
    fn content(&self, blob: Blob) -> Fut<'_, Result<Arc<dyn Content>, SpoolError>>;
    /// Addresses of content older than `grace`, a page at a time, after `after`: what a sweep asks the store about.
    fn old_content(
        &self,
        grace: Duration,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Fut<'_, Result<Vec<Blob>, SpoolError>>;
    /// Removes content that no row names, if it is still older than `grace`. True when it was removed.
    fn remove(&self, blob: Blob, grace: Duration) -> Fut<'_, Result<bool, SpoolError>>;
    /// Whether the disk has failed: then the process must stop taking anything in.
    fn failed(&self) -> Option<String>;
}
