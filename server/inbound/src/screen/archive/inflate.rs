//! What comes out of one file of an archive, a piece at a time.

use bytes::Bytes;
use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::forward::Forward;
use super::list::Entry;
use super::{Ended, NoVerdict};

/// The largest piece that comes out at a time.
const PIECE: usize = 64 * 1024;

/// A file on its way out.
pub(super) struct Coming {
    /// Bytes of the archive that belong to it and have not been read.
    left: u64,
    /// None where it lies there as it is.
    inflate: Option<Decompress>,
    /// Read, and not inflated yet.
    packed: Bytes,
    ended: bool,
    crc: Crc,
}

impl Coming {
    /// None where it is packed in a way that is not opened.
    pub(super) fn new(entry: &Entry) -> Option<Self> {
        let inflate = match entry.method {
            0 => None,
            8 => Some(Decompress::new(false)),
            _ => return None,
        };
        Some(Self { left: entry.packed, inflate, packed: Bytes::new(), ended: false, crc: Crc::new() })
    }

    /// The check sum of what came out.
    pub(super) fn crc(&self) -> u32 {
        self.crc.sum()
    }

    /// The next piece; none at its end.
    pub(super) async fn next(&mut self, forward: &mut Forward) -> Result<Option<Bytes>, Ended> {
        let piece = match self.inflate {
            Some(_) => self.inflated(forward).await?,
            None => self.read(forward).await?,
        };
        if let Some(piece) = &piece {
            self.crc.update(piece);
        }
        Ok(piece)
    }

    async fn read(&mut self, forward: &mut Forward) -> Result<Option<Bytes>, Ended> {
        if self.left == 0 {
            return Ok(None);
        }
        let piece = forward.piece(self.left.min(PIECE as u64)).await;
        let piece = piece.map_err(|error| NoVerdict::Content(error.to_string()))?;
        let Some(piece) = piece else { return Err(Ended::Damaged("ends before its end".to_owned())) };
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }

    async fn inflated(&mut self, forward: &mut Forward) -> Result<Option<Bytes>, Ended> {
        let mut out = vec![0; PIECE];
        while !self.ended {
            if self.packed.is_empty() {
                match self.read(forward).await? {
                    Some(packed) => self.packed = packed,
                    None => return Err(Ended::Damaged("ends before its end".to_owned())),
                }
            }
            let Some(inflate) = &mut self.inflate else { return Ok(None) };
            let (taken, given) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(&self.packed, &mut out, FlushDecompress::None);
            let status = status.map_err(|_| Ended::Damaged("is damaged".to_owned()))?;
            let taken = usize::try_from(inflate.total_in() - taken).unwrap_or(usize::MAX);
            let given = usize::try_from(inflate.total_out() - given).unwrap_or(usize::MAX);
            self.ended = status == Status::StreamEnd;
            let _done = self.packed.split_to(taken.min(self.packed.len()));
            if given > 0 {
                out.truncate(given);
                return Ok(Some(out.into()));
            }
            if taken == 0 && !self.ended {
                return Err(Ended::Damaged("is damaged".to_owned()));
            }
        }
        Ok(None)
    }
}
