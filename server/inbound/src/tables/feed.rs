//! Bytes of a content as a thread reads them.

use bytes::Bytes;
use postroom_domain::data_upload::TableError;
use tokio::sync::mpsc;

/// So many bytes tell what a file is.
const SAMPLE: usize = 64 * 1024;

/// Bytes that come from elsewhere.
pub(super) struct Feed {
    from: mpsc::Receiver<std::io::Result<Bytes>>,
    ready: Bytes,
}

impl Feed {
    pub(super) const fn new(from: mpsc::Receiver<std::io::Result<Bytes>>) -> Self {
        Self { from, ready: Bytes::new() }
    }

    /// The next bytes; none at the end.
    pub(super) fn piece(&mut self) -> Result<Option<Bytes>, TableError> {
        if !self.ready.is_empty() {
            return Ok(Some(std::mem::take(&mut self.ready)));
        }
        match self.from.blocking_recv() {
            None => Ok(None),
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(error)) => Err(TableError::Spool(error.to_string())),
        }
    }

    /// The first bytes, which come again with the next [`Self::piece`].
    pub(super) fn sample(&mut self) -> Result<Bytes, TableError> {
        let mut sample = Vec::new();
        while sample.len() < SAMPLE {
            match self.piece()? {
                Some(piece) => sample.extend_from_slice(&piece),
                None => break,
            }
        }
        self.ready = sample.into();
        Ok(self.ready.clone())
    }

    /// Everything, when it is not more than so much.
    pub(super) fn all(&mut self, most: usize) -> Result<Option<Vec<u8>>, TableError> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece()? {
            if all.len() + piece.len() > most {
                return Ok(None);
            }
            all.extend_from_slice(&piece);
        }
        Ok(Some(all))
    }
}
