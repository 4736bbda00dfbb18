//! Bytes coming in.
//!
//! A small document stays in memory and is hashed, written, flushed and named by a single job; a larger one goes to a file aside
//! in pieces, so that memory does not grow with it.

use std::sync::Arc;

use bytes::Bytes;
use postroom_domain::Fut;
use postroom_domain::ids::BlobHash;
use postroom_domain::spool::{Blob, Draft, SpoolError};

use super::CHUNK;
use super::shelves::{Shelves, blocking};
use super::writing::Aside;

/// A document that is being written.
pub(super) struct FileDraft {
    shelves: Arc<Shelves>,
    size: u64,
    /// What has not been handed to a job yet.
    waiting: Vec<u8>,
    /// None after a job failed or was abandoned: then the draft cannot be sealed.
    ink: Option<Ink>,
}

/// What the jobs of a draft hand on to each other.
struct Ink {
    hasher: blake3::Hasher,
    aside: Option<Aside>,
}

impl FileDraft {
    pub(super) fn new(shelves: Arc<Shelves>) -> Self {
        let ink = Ink { hasher: blake3::Hasher::new(), aside: None };
        Self { shelves, size: 0, waiting: Vec::new(), ink: Some(ink) }
    }

    /// Hands the waiting bytes to the disk.
    async fn spill(&mut self) -> Result<(), SpoolError> {
        let mut ink = self.ink.take().ok_or_else(broken)?;
        let bytes = std::mem::take(&mut self.waiting);
        let shelves = self.shelves.clone();
        let permit = self.shelves.jobs.clone().acquire_owned().await;
        let (ink, mut bytes) = blocking(move || {
            let _permit = permit;
            ink.write(&shelves, &bytes, false)?;
            Ok((ink, bytes))
        })
        .await?;
        bytes.clear();
        self.waiting = bytes;
        self.ink = Some(ink);
        Ok(())
    }
}

impl Draft for FileDraft {
    fn write(&mut self, bytes: Bytes) -> Fut<'_, Result<(), SpoolError>> {
        Box::pin(async move {
            if self.ink.is_none() {
                return Err(broken());
            }
            let mut rest = bytes;
            while !rest.is_empty() {
                let piece = rest.split_to(rest.len().min(CHUNK - self.waiting.len()));
                self.size += piece.len() as u64;
                self.waiting.extend_from_slice(&piece);
                // A document of exactly one chunk is still a small one.
                if self.waiting.len() >= CHUNK && !(rest.is_empty() && self.size == CHUNK as u64) {
                    self.spill().await?;
                }
            }
            Ok(())
        })
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn seal(mut self: Box<Self>) -> Fut<'static, Result<Blob, SpoolError>> {
        Box::pin(async move {
            let ink = self.ink.take().ok_or_else(broken)?;
            let (bytes, size) = (std::mem::take(&mut self.waiting), self.size);
            let shelves = self.shelves.clone();
            let permit = shelves.jobs.clone().acquire_owned().await;
            blocking(move || {
                let _permit = permit;
                let hash = ink.seal(&shelves, &bytes)?;
                Ok(Blob { hash, size })
            })
            .await
        })
    }
}

impl Drop for FileDraft {
    fn drop(&mut self) {
        // Removing a large file takes a while; where there is a runtime, that is not done on its threads.
        if let Some(aside) = self.ink.take().and_then(|ink| ink.aside)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn_blocking(move || drop(aside));
        }
    }
}

impl Ink {
    /// Hashes the bytes as they are and writes them as the spool keeps them; `last` ends the content.
    fn write(&mut self, shelves: &Arc<Shelves>, bytes: &[u8], last: bool) -> Result<(), SpoolError> {
        self.hasher.update(bytes);
        let aside = match &mut self.aside {
            Some(aside) => aside,
            empty => empty.insert(Aside::create(shelves)?),
        };
        aside.write(bytes, last)
    }

    fn seal(mut self, shelves: &Arc<Shelves>, bytes: &[u8]) -> Result<BlobHash, SpoolError> {
        shelves.healthy()?;
        // Also for nothing: a document of 0 bytes is a file too.
        self.write(shelves, bytes, true)?;
        let hash = BlobHash::new(*self.hasher.finalize().as_bytes());
        let mut aside = self.aside.ok_or_else(broken)?;
        aside.flush()?;
        shelves.put(aside.path(), hash)?;
        aside.named = true;
        Ok(hash)
    }
}

fn broken() -> SpoolError {
    SpoolError::Disk("the draft was abandoned after an error".to_owned())
}
