//! A spool in memory, whose documents can be lost or damaged and whose disk can fail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use postroom_domain::Fut;
use postroom_domain::dms::{ByteStream, Content};
use postroom_domain::ids::BlobHash;
use postroom_domain::spool::{Blob, Draft, Spool, SpoolError};

#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) documents: Mutex<HashMap<BlobHash, Bytes>>,
    pub(crate) broken: Mutex<Option<String>>,
}

impl Shelf {
    pub(crate) fn put(&self, bytes: impl Into<Bytes>) -> Blob {
        let bytes = bytes.into();
        let hash = BlobHash::new(*blake3::hash(&bytes).as_bytes());
        let size = bytes.len() as u64;
        self.documents.lock().unwrap().insert(hash, bytes);
        Blob { hash, size }
    }
}

struct Sheet(Blob, Bytes);

impl Content for Sheet {
    fn size(&self) -> u64 {
        self.0.size
    }
    fn hash(&self) -> BlobHash {
        self.0.hash
    }
    fn open(&self) -> Fut<'_, std::io::Result<ByteStream>> {
        let chunks: Vec<_> = self.1.chunks(4).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        Box::pin(async move { Ok(Box::pin(futures_util::stream::iter(chunks)) as ByteStream) })
    }
}

impl Spool for Shelf {
    fn door(&self, _: u64) -> Result<(), SpoolError> {
        Ok(())
    }
    fn draft(&self) -> Fut<'_, Result<Box<dyn Draft>, SpoolError>> {
        Box::pin(async { Err(SpoolError::Disk("tests put documents in directly".to_owned())) })
    }
    fn content(&self, blob: Blob) -> Fut<'_, Result<Arc<dyn Content>, SpoolError>> {
        Box::pin(async move {
            if let Some(why) = self.failed() {
                return Err(SpoolError::Disk(why));
            }
            let bytes = self.documents.lock().unwrap().get(&blob.hash).cloned();
            let bytes = bytes.ok_or(SpoolError::Missing(blob.hash))?;
            if blake3::hash(&bytes).as_bytes() != blob.hash.as_bytes() {
                return Err(SpoolError::Damaged(blob.hash));
            }
            Ok(Arc::new(Sheet(blob, bytes)) as Arc<dyn Content>)
        })
    }
    fn old_content(
        &self,
        _: Duration,
        _: Option<BlobHash>,
        _: usize,
    ) -> Fut<'_, Result<Vec<Blob>, SpoolError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn remove(&self, _: Blob, _: Duration) -> Fut<'_, Result<bool, SpoolError>> {
        Box::pin(async { Ok(false) })
    }
    fn failed(&self) -> Option<String> {
        self.broken.lock().unwrap().clone()
    }
}
