//! The forms that a file of content may have: plain, from before content was sealed, or sealed in segments behind a header.
//!
//! The plain size of content is known wherever it is asked for by a row, and a sealed file is always longer than its plain content, so
//! the length of a file tells its form for certain. Only where nothing but the file is known does its header decide.

use std::io;

use postroom_domain::sealing::{ContentSeals, SealError};
use postroom_domain::spool::SpoolError;

/// Lengths of what the seals make, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measures {
    pub(super) header: usize,
    pub(super) segment: usize,
    pub(super) overhead: usize,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The content's own bytes.
    Plain,
    /// A header and segments.
    Sealed,
}

impl Measures {
    pub(super) fn of(seals: &dyn ContentSeals) -> Self {
        Self { header: seals.header_len(), segment: seals.segment_len().max(1), overhead: seals.overhead() }
    }

    /// The length of the sealed file of so many plain bytes. Content of no bytes has one empty segment.
    pub(super) fn sealed_len(self, plain: u64) -> u64 {
        let segments = plain.div_ceil(self.segment as u64).max(1);
        plain.saturating_add(self.header as u64).saturating_add(segments.saturating_mul(self.overhead as u64))
    }

    /// How many plain bytes a sealed file of this length holds; none when no sealed file has this length.
    pub(super) fn plain_len(self, sealed: u64) -> Option<u64> {
        let body = sealed.checked_sub(self.header as u64)?;
        let segments = body.div_ceil((self.segment + self.overhead) as u64);
        let plain = body.checked_sub(segments.checked_mul(self.overhead as u64)?)?;
        (self.sealed_len(plain) == sealed).then_some(plain)
    }
}

/// What a failure of the seals means where content is written: this document is not taken in, and nothing is wrong with the disk.
pub(super) fn not_sealed(error: &SealError) -> SpoolError {
    SpoolError::Disk(format!("content cannot be sealed: {error}"))
}

/// What a failure of the seals means where content is read: changed bytes are damage, a missing key is not.
pub(super) fn not_opened(error: &SealError) -> io::Error {
    let kind = match error {
        SealError::DoesNotOpen => io::ErrorKind::InvalidData,
        SealError::UnknownKey(_) | SealError::Vault(_) => io::ErrorKind::Other,
    };
    io::Error::new(kind, error.clone())
}
