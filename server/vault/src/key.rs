//! One key of 32 bytes: it hides, it is wiped, and it seals, derives and signs.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::chance::{self, Chance, NoChance};

/// Bytes of a key.
pub(crate) const KEY_LEN: usize = 32;
/// Bytes of a nonce.
const NONCE_LEN: usize = 12;

/// A key. Shows nothing of itself and is wiped when it is dropped.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; KEY_LEN]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A new one.
    pub(crate) fn random(chance: &dyn Chance) -> Result<Self, NoChance> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        chance.fill(key.as_mut())?;
        Ok(Self(key))
    }

    /// The key in these bytes; none when they are not as many as a key has.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// HKDF-SHA256 over secret material. What is in `info` keeps the keys of one use from those of another.
    #[expect(clippy::expect_used, reason = "HKDF gives up to 255 times 32 bytes")]
    pub(crate) fn derive(material: &[u8], salt: &[u8], info: &[&[u8]]) -> Self {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        Hkdf::<Sha256>::new(Some(salt), material)
            .expand_multi_info(info, key.as_mut())
            .expect("one block is always given");
        Self(key)
    }

    /// A key for one use, derived from this one.
    pub(crate) fn child(&self, salt: &[u8], info: &[&[u8]]) -> Self {
        Self::derive(self.0.as_ref(), salt, info)
    }

    /// The bytes, to be wrapped or handed to a cipher.
    pub(crate) fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Seals: a fresh nonce, the sealed bytes, the tag. `place` is bound to it and not contained.
    pub(crate) fn seal(&self, chance: &dyn Chance, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealFault> {
        let nonce = chance::bytes::<NONCE_LEN>(chance)?;
        let payload = Payload { msg: plain, aad: place };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload).map_err(|_| SealFault::TooLong)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Key::seal`] made; none when it was changed, cut, moved, or sealed with another key.
    pub(crate) fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let payload = Payload { msg: sealed, aad: place };
        self.cipher().decrypt(&Nonce::from(*nonce), payload).ok().map(Zeroizing::new)
    }

    /// HMAC-SHA256. Each part has its length in front, so that two lists of parts never read the same.
    pub(crate) fn code(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.hmac(parts).finalize().into_bytes().into()
    }

    /// Whether a code is the right one, compared in constant time.
    pub(crate) fn code_fits(&self, parts: &[&[u8]], code: &[u8]) -> bool {
        self.hmac(parts).verify_slice(code).is_ok()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn hmac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_ref()).expect("any length");
        for part in parts {
            mac.update(&told(part));
        }
        mac
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.0).into())
    }
}

/// Why something was not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealFault {
    /// Longer than the cipher takes (64 GiB).
    #[error("it is too long to be sealed")]
    TooLong,
    /// No nonce.
    #[error(transparent)]
    NoChance(#[from] NoChance),
}

/// A part with its length in front.
pub(crate) fn told(part: &[u8]) -> Vec<u8> {
    [&(part.len() as u64).to_be_bytes(), part].concat()
}
