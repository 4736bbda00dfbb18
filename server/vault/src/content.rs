//! Content that may be larger than memory, sealed in segments (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár,
//! 2015, with a 32-bit counter and a byte for the end).
//!
//! ```text
//! header   8  89 50 52 53 45 41 4c 0a   (89 "PRSEAL" and a line end)
//!          4  version, greatest byte first: 1
//!          4  number of the data key
//!         32  salt
//! then     segments of 65 536 plain bytes, sealed to 65 552; the last one is shorter, and empty only for content of no bytes
//! ```
//!
//! Each file has a key of its own, derived from the data key with the salt and the whole header; the header is bound to every segment
//! besides. So a segment opens only in its own file, at its own place, as the last one or not as it was sealed, and behind an unchanged
//! header.

use std::fmt;
use std::sync::Arc;

use aead_stream::{DecryptorBE32, EncryptorBE32};
use aes_gcm::Aes256Gcm;

use crate::chance::{self, Chance};
use crate::key::Key;
use crate::shared::VaultError;

/// Bytes of the header.
pub const HEADER_LEN: usize = 48;
/// Plain bytes of every segment but the last.
pub const SEGMENT_LEN: usize = 64 << 10;
/// By how many bytes a sealed segment is longer than a plain one.
pub const TAG_LEN: usize = 16;

const MAGIC: [u8; 8] = *b"\x89PRSEAL\n";
const VERSION: u32 = 1;

/// Seals the segments of one file, first to last. Hides and wipes its key.
pub struct SegmentSealer {
    /// None after the last segment, or a failure.
    cipher: Option<EncryptorBE32<Aes256Gcm>>,
    header: [u8; HEADER_LEN],
    _in_flight: Arc<()>,
}

/// Opens the segments of one file, first to last. Hides and wipes its key.
pub struct SegmentOpener {
    /// None after the last segment, or a failure.
    cipher: Option<DecryptorBE32<Aes256Gcm>>,
    header: [u8; HEADER_LEN],
}

impl fmt::Debug for SegmentSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SegmentSealer(…)")
    }
}

impl fmt::Debug for SegmentOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SegmentOpener(…)")
    }
}

impl SegmentSealer {
    /// Seals the next segment in place; [`TAG_LEN`] bytes are appended. Every one but the last has [`SEGMENT_LEN`] bytes.
    pub fn seal(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<(), VaultError> {
        let mut cipher = self.cipher.take().ok_or(VaultError::TooLong)?;
        if segment.len() > SEGMENT_LEN || (!last && segment.len() < SEGMENT_LEN) {
            return Err(VaultError::TooLong);
        }
        if last {
            return cipher.encrypt_last_in_place(&self.header, segment).map_err(|_| VaultError::TooLong);
        }
        cipher.encrypt_next_in_place(&self.header, segment).map_err(|_| VaultError::TooLong)?;
        self.cipher = Some(cipher);
        Ok(())
    }
}

impl SegmentOpener {
    /// Opens the next segment in place. After an error nothing opens any more, and the bytes are gone.
    pub fn open(&mut self, segment: &mut Vec<u8>, last: bool) -> Result<(), VaultError> {
        let mut cipher = self.cipher.take().ok_or(VaultError::DoesNotOpen)?;
        let opened = if last {
            cipher.decrypt_last_in_place(&self.header, segment)
        } else {
            let opened = cipher.decrypt_next_in_place(&self.header, segment);
            self.cipher = opened.is_ok().then_some(cipher);
            opened
        };
        opened.map_err(|_| {
            segment.clear();
            VaultError::DoesNotOpen
        })
    }
}

/// Begins to seal: the header, and what seals.
pub(crate) fn begin(
    number: u32,
    key: &Key,
    in_flight: Arc<()>,
    chance: &dyn Chance,
) -> Result<([u8; HEADER_LEN], SegmentSealer), VaultError> {
    let salt = chance::bytes::<32>(chance)?;
    let mut header = [0; HEADER_LEN];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_be_bytes());
    header[12..16].copy_from_slice(&number.to_be_bytes());
    header[16..].copy_from_slice(&salt);
    let cipher = EncryptorBE32::new(file_key(key, &header).expose().into(), &NONCE.into());
    Ok((header, SegmentSealer { cipher: Some(cipher), header, _in_flight: in_flight }))
}

/// Begins to open.
pub(crate) fn open(header: &[u8], key: &Key) -> Result<SegmentOpener, VaultError> {
    let header: [u8; HEADER_LEN] = header.try_into().map_err(|_| VaultError::DoesNotOpen)?;
    let cipher = DecryptorBE32::new(file_key(key, &header).expose().into(), &NONCE.into());
    Ok(SegmentOpener { cipher: Some(cipher), header })
}

/// The data key that a header names; none when it is no header of this version.
pub(crate) fn key_of(header: &[u8]) -> Option<u32> {
    let header: &[u8; HEADER_LEN] = header.try_into().ok()?;
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    (header[..8] == MAGIC && number(8) == VERSION).then(|| number(12))
}

/// The nonce's part beside counter and end: always the same, since no two files have the same key.
const NONCE: [u8; 7] = [0; 7];

fn file_key(key: &Key, header: &[u8; HEADER_LEN]) -> Key {
    key.child(&header[16..], &[b"postroom content 1", header])
}
