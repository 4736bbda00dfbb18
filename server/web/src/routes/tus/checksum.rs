//! `Upload-Checksum`: the name of an algorithm and a hash in Base64.

use base64ct::{Base64, Encoding as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::fault::{Answer, Fault};

/// What can be checked.
pub(super) const ALGORITHMS: &str = "sha1,sha256";

enum Hash {
    Sha1(Sha1),
    Sha256(Sha256),
}

/// Bytes being checked.
pub(super) struct Checksum {
    hash: Hash,
    wanted: Vec<u8>,
}

impl Checksum {
    /// Reads the header.
    pub(super) fn begin(header: &str) -> Answer<Self> {
        let wrong = |why: &str| Fault::value("Upload-Checksum", why);
        let (name, value) =
            header.trim().split_once(' ').ok_or_else(|| wrong("is not an algorithm and a checksum"))?;
        let (hash, length) = match name {
            "sha1" => (Hash::Sha1(Sha1::new()), 20),
            "sha256" => (Hash::Sha256(Sha256::new()), 32),
            _ => return Err(wrong("names an algorithm that is not known here (known: sha1, sha256)")),
        };
        let wanted = Base64::decode_vec(value.trim()).ok().filter(|bytes| bytes.len() == length);
        Ok(Self { hash, wanted: wanted.ok_or_else(|| wrong("is not a checksum of that kind in Base64"))? })
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        match &mut self.hash {
            Hash::Sha1(hash) => hash.update(bytes),
            Hash::Sha256(hash) => hash.update(bytes),
        }
    }

    /// Whether the bytes were those.
    pub(super) fn fits(self) -> bool {
        match self.hash {
            Hash::Sha1(hash) => hash.finalize().as_slice() == self.wanted,
            Hash::Sha256(hash) => hash.finalize().as_slice() == self.wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_or_not() {
        // The example of the protocol's own text: "hello world".
        let table = [
            ("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", b"hello world".as_slice(), Some(true)),
            ("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", b"hello worle", Some(false)),
            ("sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=", b"hello world", Some(true)),
            ("md5 XrY7u+Ae7tCTyyK7j1rNww==", b"hello world", None),
            ("sha1 XrY7u+Ae7tCTyyK7j1rNww==", b"hello world", None),
            ("sha1", b"hello world", None),
            ("sha1 ???", b"hello world", None),
        ];
        for (header, bytes, wanted) in table {
            let fits = Checksum::begin(header).ok().map(|mut checksum| {
                checksum.add(&bytes[..3]);
                checksum.add(&bytes[3..]);
                checksum.fits()
            });
            assert_eq!(fits, wanted, "{header}");
        }
    }
}
