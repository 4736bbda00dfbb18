//! The vault as other rooms see it: short secrets sealed to their place, document content sealed in segments, passwords hashed.

use bytes::Bytes;
use secrecy::SecretString;

use crate::Fut;
use crate::ids::BlobHash;
use crate::link::{Place, Sealed};
use crate::people::PasswordHash;

/// Why something sealed does not open, or nothing can be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed with a data key that this keyring does not have: another installation's copy, or a keyring from before.
    #[error("it was sealed with data key {0}, which the keyring does not hold")]
    UnknownKey(u32),
    /// It was changed, cut, or moved here from another place.
    #[error("it does not open: it was changed, cut or moved from another place")]
    DoesNotOpen,
    /// The vault itself failed.
    #[error("the vault failed: {0}")]
    Vault(String),
}

/// Seals and opens the short secrets that records hold.
pub trait Seals: Send + Sync {
    /// Seals a secret for one place with the present data key.
    fn seal(&self, place: Place<'_>, secret: &SecretString) -> Result<Sealed, SealError>;
    /// Opens one.
    fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<SecretString, SealError>;
    /// The number of the data key that it was sealed with; none when it is nothing that was ever sealed.
    fn key_of(&self, sealed: &Sealed) -> Option<u32>;
    /// The number of the data key that is used now.
    fn current_key(&self) -> u32;
    /// A code that only this installation can compute for a text, under a key that is never changed by a rotation: for the tokens of
    /// forms. `purpose` keeps the codes of one use from fitting another.
    fn code(&self, purpose: &str, text: &str) -> [u8; 32];
}

/// Hashes passwords and compares them, away from the threads that answer requests, and only a few at a time.
pub trait Passwords: Send + Sync {
    /// Why a password will not do, in plain words; none when it will.
    fn objection(&self, password: &SecretString, person: &str) -> Option<String>;
    /// Hashes one.
    fn hash(&self, password: SecretString) -> Fut<'_, Result<PasswordHash, SealError>>;
    /// Whether it is the right one. Costs the same when there is no hash to compare with, so that nobody learns which persons there
    /// are; the answer is then no.
    fn matches(&self, password: SecretString, hash: Option<PasswordHash>) -> Fut<'_, bool>;
}

/// Seals and opens content that may be larger than memory, segment by segment.
pub trait ContentSeals: Send + Sync {
    /// Begins to seal: the header that stands in front, and what seals the segments.
    fn begin(&self) -> Result<(Bytes, Box<dyn SegmentSeal>), SealError>;
    /// Begins to open what a header stands in front of.
    fn open(&self, header: &[u8]) -> Result<Box<dyn SegmentOpen>, SealError>;
    /// The data key that a header names; none when these bytes are no header: content from before it was sealed.
    fn key_of(&self, header: &[u8]) -> Option<u32>;
    /// The number of the data key that is used now.
    fn current_key(&self) -> u32;
    /// The length of a header in bytes.
    fn header_len(&self) -> usize;
    /// The length of the plain content of every segment but the last, in bytes.
    fn segment_len(&self) -> usize;
    /// By how many bytes a sealed segment is longer than a plain one.
    fn overhead(&self) -> usize;
}

/// Seals the segments of one file, first to last.
pub trait SegmentSeal: Send {
    /// Seals the next segment in place; the overhead is appended. `last` ends the file: afterwards nothing can be sealed.
    fn seal(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<(), SealError>;
}

/// Opens the segments of one file, first to last.
pub trait SegmentOpen: Send {
    /// Opens the next segment in place. Fails when it is not the next one, or when `last` does not fit: a file that was cut at a
    /// segment's end is noticed.
    fn open(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<(), SealError>;
}

/// Where content is sealed anew when a data key goes: the spool.
pub trait Reseal: Send + Sync {
    /// Seals anew what is not sealed with the present key, a page at a time, after an address. Each file is replaced whole or not at
    /// all, and its plain content compared with its name before the old one goes.
    fn reseal(
        &self,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Fut<'_, Result<Resealed, crate::spool::SpoolError>>;
}

/// A page of content that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// The last address looked at; none when there was none after the one given.
    pub last: Option<BlobHash>,
    /// How many were looked at.
    pub seen: u64,
    /// How many were sealed anew.
    pub changed: u64,
    /// Those that cannot be read, and so keep their old key from going.
    pub damaged: Vec<BlobHash>,
}
