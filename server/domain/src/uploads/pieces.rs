//! Pieces of an upload: what each holds, and which of them become one.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::ids::UploadId;
use crate::spool::Blob;

/// So many bytes of a document are in one piece at most: what a killed server loses of bytes that were on their way, and never told of.
pub const PIECE: u64 = 16 << 20;
/// What a piece begins with: the upload's id, the offset, and chance.
pub const PREFIX: usize = 32;
/// So many small pieces at the end become one.
const MANY: usize = 16;

/// A piece that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Piece {
    /// The content in the spool, prefix and all.
    pub blob: Blob,
}

impl Piece {
    /// Bytes of the document in it.
    pub const fn bytes(&self) -> u64 {
        self.blob.size.saturating_sub(PREFIX as u64)
    }
}

/// The beginning of a piece that no other content has.
pub(super) fn prefix(id: UploadId, at: u64, chance: [u8; 8]) -> [u8; PREFIX] {
    let mut prefix = [0; PREFIX];
    prefix[..16].copy_from_slice(&id.as_u128().to_be_bytes());
    prefix[16..24].copy_from_slice(&at.to_be_bytes());
    prefix[24..].copy_from_slice(&chance);
    prefix
}

/// Which pieces at the end become one: those that fit into one, when they are many. A client that sends a few kilobytes at a time must
/// not make a record of a million pieces.
pub(super) fn to_merge(pieces: &[Piece]) -> Option<Range<usize>> {
    let mut room = PIECE;
    let mut first = pieces.len();
    for piece in pieces.iter().rev() {
        let Some(left) = room.checked_sub(piece.bytes()) else { break };
        (room, first) = (left, first - 1);
    }
    (pieces.len() - first >= MANY).then_some(first..pieces.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BlobHash;

    fn piece(bytes: u64) -> Piece {
        Piece { blob: Blob { hash: BlobHash::new([0; 32]), size: bytes + PREFIX as u64 } }
    }

    #[test]
    fn many_small_pieces_become_one_and_large_ones_stay() {
        let table: Vec<(Vec<u64>, Option<Range<usize>>)> = vec![
            (vec![], None),
            (vec![1; 15], None),
            (vec![1; 16], Some(0..16)),
            (vec![PIECE; 40], None),
            ([vec![PIECE; 3], vec![5; 16]].concat(), Some(3..19)),
            ([vec![PIECE - 10], vec![5; 16]].concat(), Some(1..17)),
            ([vec![PIECE - 80], vec![5; 15]].concat(), Some(0..16)),
        ];
        for (sizes, wanted) in table {
            let pieces: Vec<Piece> = sizes.iter().map(|bytes| piece(*bytes)).collect();
            assert_eq!(to_merge(&pieces), wanted, "{sizes:?}");
        }
    }

    /// Whatever the size of what comes at once, the record stays small.
    #[test]
    fn a_record_never_has_many_pieces() {
        for size in [1_u64, 1000, 65_536, 1 << 20, 5 << 20, 9 << 20, PIECE] {
            let (mut pieces, mut most) = (Vec::new(), 0);
            let count = ((1_u64 << 32) / size).min(20_000);
            for _ in 0..count {
                pieces.push(piece(size));
                if let Some(range) = to_merge(&pieces) {
                    let bytes = pieces[range.clone()].iter().map(Piece::bytes).sum();
                    pieces.splice(range, [piece(bytes)]);
                }
                most = most.max(pieces.len());
            }
            assert_eq!(pieces.iter().map(Piece::bytes).sum::<u64>(), count * size);
            assert!(most <= 900, "{size}: {most}");
        }
    }
}
