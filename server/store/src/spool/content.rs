//! Content on its way out, checked while it is read: damaged bytes end the stream before the last chunk, so that nobody ever has
//! the whole of a damaged document in hand.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use postroom_domain::Fut;
use postroom_domain::dms::{ByteStream, Content};
use postroom_domain::ids::BlobHash;
use postroom_domain::spool::{Blob, SpoolError};

use super::CHUNK;
use super::reading::Reading;
use super::shelves::Shelves;

/// One document in the spool.
pub(super) struct FileContent {
    shelves: Arc<Shelves>,
    blob: Blob,
    /// The whole of a small document, read and found right when it was asked for: one file job instead of two.
    small: Option<Bytes>,
}

impl FileContent {
    /// Finds the content; a small one is read at once. Blocks.
    pub(super) fn find(shelves: Arc<Shelves>, blob: Blob) -> Result<Self, SpoolError> {
        shelves.check(blob)?;
        let mut small = None;
        if blob.size <= CHUNK as u64 {
            let path = shelves.path(blob.hash);
            small =
                Some(Reading::begin(&shelves, &path, blob).and_then(Reading::whole).map_err(|error| {
                    match error.kind() {
                        io::ErrorKind::InvalidData => SpoolError::Damaged(blob.hash),
                        io::ErrorKind::NotFound => SpoolError::Missing(blob.hash),
                        _ => SpoolError::Disk(format!("{}: {error}", path.display())),
                    }
                })?);
        }
        Ok(Self { shelves, blob, small })
    }
}

impl Content for FileContent {
    fn size(&self) -> u64 {
        self.blob.size
    }

    fn hash(&self) -> BlobHash {
        self.blob.hash
    }

    fn open(&self) -> Fut<'_, io::Result<ByteStream>> {
        if let Some(small) = &self.small {
            let chunk = (!small.is_empty()).then(|| Ok(small.clone()));
            return Box::pin(async move { Ok(Box::pin(stream::iter(chunk)) as ByteStream) });
        }
        let (shelves, blob) = (self.shelves.clone(), self.blob);
        Box::pin(async move {
            let (first, reading) = off_thread(move || {
                let mut reading = Reading::begin(&shelves, &shelves.path(blob.hash), blob)?;
                let first = reading.next();
                Ok((first, reading))
            })
            .await?;
            Ok(Box::pin(stream::unfold((Some(first), Some(reading)), step)) as ByteStream)
        })
    }
}

/// The chunk that is ready, or else the next one; after an error, nothing.
async fn step(
    (ready, reading): (Option<io::Result<Bytes>>, Option<Reading>),
) -> Option<(io::Result<Bytes>, (Option<io::Result<Bytes>>, Option<Reading>))> {
    let mut reading = reading?;
    let (chunk, reading) = match ready {
        Some(chunk) => (chunk, reading),
        None if reading.ended() => return None,
        None => match off_thread(move || Ok((reading.next(), reading))).await {
            Ok((chunk, reading)) => (chunk, reading),
            Err(error) => return Some((Err(error), (None, None))),
        },
    };
    match chunk {
        Ok(chunk) if chunk.is_empty() => None,
        Ok(chunk) => Some((Ok(chunk), (None, Some(reading)))),
        Err(error) => Some((Err(error), (None, None))),
    }
}

async fn off_thread<T: Send + 'static>(
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(job).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
