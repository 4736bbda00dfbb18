//! Bytes coming in for an upload.

use std::sync::Arc;

use bytes::Bytes;

use super::pieces::{prefix, to_merge};
use super::{PIECE, Piece, Turn, Upload, UploadError, Uploads};
use crate::spool::Draft;
use crate::time::later;

/// Bytes on their way into one upload, by who has the turn. Dropped, what was not committed is gone.
pub struct Append {
    uploads: Arc<Uploads>,
    turn: Turn,
    upload: Upload,
    /// The present piece.
    draft: Option<Box<dyn Draft>>,
    /// Pieces that no record names yet.
    apart: Vec<Piece>,
    held: bool,
}

impl Append {
    pub(super) fn new(uploads: Arc<Uploads>, turn: Turn, upload: Upload, held: bool) -> Self {
        Self { uploads, turn, upload, draft: None, apart: Vec::new(), held }
    }

    /// Bytes that have come, durable or not.
    fn size(&self) -> u64 {
        let apart: u64 = self.apart.iter().map(Piece::bytes).sum();
        self.upload.offset() + apart + self.in_draft()
    }

    fn in_draft(&self) -> u64 {
        self.draft.as_ref().map_or(0, |draft| draft.size() - super::PREFIX as u64)
    }

    /// Takes bytes in. Full pieces are made durable on the way, and their offset is committed unless they are held.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), UploadError> {
        if self.size() + bytes.len() as u64 > self.upload.length {
            // Not one byte of what came last is believed.
            self.draft = None;
            return Err(UploadError::TooMuch { length: self.upload.length });
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = PIECE - self.in_draft();
            let take = usize::try_from(room).unwrap_or(usize::MAX).min(rest.len());
            let piece = rest.split_to(take);
            self.draft().await?.write(piece).await?;
            if self.in_draft() == PIECE {
                self.seal().await?;
                if !self.held {
                    self.commit().await?;
                }
            }
        }
        Ok(())
    }

    async fn draft(&mut self) -> Result<&mut Box<dyn Draft>, UploadError> {
        let draft = match self.draft.take() {
            Some(draft) => draft,
            None => {
                let mut chance = [0; 8];
                self.uploads.reception.entropy.fill(&mut chance);
                let mut draft = self.uploads.spool().draft().await?;
                let start = prefix(self.upload.id, self.size(), chance);
                draft.write(Bytes::copy_from_slice(&start)).await?;
                draft
            }
        };
        Ok(self.draft.insert(draft))
    }

    async fn seal(&mut self) -> Result<(), UploadError> {
        if let Some(draft) = self.draft.take() {
            self.apart.push(Piece { blob: draft.seal().await? });
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), UploadError> {
        if self.apart.is_empty() {
            return Ok(());
        }
        let mut next = self.upload.clone();
        next.version += 1;
        next.expires = later(self.uploads.now(), self.uploads.limits.life);
        next.pieces.append(&mut self.apart);
        self.uploads.write(&next).await?;
        self.upload = next;
        self.merge().await
    }

    /// Puts many small pieces into one. A failure leaves them as they are.
    async fn merge(&mut self) -> Result<(), UploadError> {
        let Some(range) = to_merge(&self.upload.pieces) else { return Ok(()) };
        let old = self.upload.pieces[range.clone()].to_vec();
        let before: u64 = self.upload.pieces[..range.start].iter().map(Piece::bytes).sum();
        let mut chance = [0; 8];
        self.uploads.reception.entropy.fill(&mut chance);
        let mut draft = self.uploads.spool().draft().await?;
        draft.write(Bytes::copy_from_slice(&prefix(self.upload.id, before, chance))).await?;
        for piece in &old {
            self.uploads.copy(piece, draft.as_mut(), &mut Vec::new()).await?;
        }
        let one = Piece { blob: draft.seal().await? };
        let mut next = self.upload.clone();
        next.version += 1;
        next.pieces.splice(range, [one]);
        self.uploads.write(&next).await?;
        self.upload = next;
        self.uploads.remove(&old).await;
        Ok(())
    }

    /// Makes everything durable that has come, and commits its offset. The upload, with the turn for what follows.
    pub async fn keep(mut self) -> Result<(Upload, Turn), UploadError> {
        self.seal().await?;
        self.commit().await?;
        Ok((self.upload, self.turn))
    }

    /// Gives up what has not been committed; where it is held, all of it.
    pub async fn give_up(self) {
        self.uploads.remove(&self.apart).await;
    }
}
