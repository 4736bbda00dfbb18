//! The master key and the two things that it is made of: the administrator's passphrase and a certificate's private key.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::key::{KEY_LEN, Key};

/// A passphrase has more characters than this.
pub const MIN_PASSPHRASE: usize = 100;
/// And no more bytes than this: a file given by mistake is not a passphrase.
const MAX_PASSPHRASE_BYTES: usize = 64 << 10;
/// The shortest private key there is: an Ed25519 key in PKCS#8 has 48 bytes, a P-256 key in SEC1 without its public part 39.
const MIN_KEY_BYTES: usize = 39;

/// The administrator's passphrase. Wiped when it is dropped.
#[derive(Debug, Clone)]
pub struct Passphrase(SecretString);

/// Why a passphrase will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// It is too short.
    #[error("the passphrase has {0} characters; it needs more than {MIN_PASSPHRASE}")]
    TooShort(usize),
    /// It is no passphrase but something else.
    #[error("the passphrase has more than {MAX_PASSPHRASE_BYTES} bytes; is this the right file?")]
    TooLong,
}

impl Passphrase {
    /// Takes a passphrase. Line ends behind it do not count: editors add them to files.
    pub fn new(text: &SecretString) -> Result<Self, PassphraseError> {
        let text = text.expose_secret().trim_end_matches(['\r', '\n']);
        let characters = text.chars().count();
        if characters <= MIN_PASSPHRASE {
            return Err(PassphraseError::TooShort(characters));
        }
        if text.len() > MAX_PASSPHRASE_BYTES {
            return Err(PassphraseError::TooLong);
        }
        Ok(Self(text.into()))
    }
}

/// A certificate's private key, as far as it is needed: the hash of its DER bytes. Wiped when it is dropped.
///
/// The same key in another form (SEC1 instead of PKCS#8) has other bytes, and so counts as another key.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<[u8; 32]>);

/// Why a file holds no private key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    /// There is none in it.
    #[error(
        "there is no private key in it (a section BEGIN PRIVATE KEY, BEGIN EC PRIVATE KEY or BEGIN RSA PRIVATE KEY is wanted)"
    )]
    None,
    /// It needs a password itself.
    #[error(
        "the private key in it is encrypted; remove its password with `openssl pkey -in key.pem -out plain.pem`"
    )]
    Encrypted,
    /// Which one is meant cannot be told.
    #[error("there are {0} private keys in it; exactly one is wanted")]
    Many(usize),
    /// It is PKCS#12, or something else that is no PEM.
    #[error(
        "it is not PEM; a PKCS#12 file is converted with `openssl pkcs12 -in file.p12 -nodes -nocerts -out key.pem`"
    )]
    NotPem,
    /// It is cut or damaged.
    #[error("the private key in it is cut or damaged: {0}")]
    Damaged(String),
}

impl PrivateKey {
    /// Takes the one private key of a PEM text: PKCS#8, SEC1 or PKCS#1. Certificates beside it do not matter.
    pub fn from_pem(pem: &SecretString) -> Result<Self, PrivateKeyError> {
        let pem = pem.expose_secret();
        if !pem.contains("-----BEGIN ") {
            return Err(PrivateKeyError::NotPem);
        }
        if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(PrivateKeyError::Encrypted);
        }
        let sections = FORMS.iter().flat_map(|form| sections(pem, form)).collect::<Result<Vec<_>, _>>()?;
        let [section] = sections[..] else {
            let many = PrivateKeyError::Many(sections.len());
            return Err(if sections.is_empty() { PrivateKeyError::None } else { many });
        };
        // Decoded into a buffer that is wiped, and into no other.
        let mut der = Zeroizing::new(vec![0; section.len()]);
        let (_, der) = pem_rfc7468::decode(section.as_bytes(), &mut der)
            .map_err(|error| PrivateKeyError::Damaged(error.to_string()))?;
        if der.len() < MIN_KEY_BYTES {
            return Err(PrivateKeyError::Damaged(format!("{} bytes are too few", der.len())));
        }
        Ok(Self(Zeroizing::new(Sha256::digest(der).into())))
    }

    /// What tells this key from another, in public: a keyed hash that leads nobody back to the key. Short enough to compare by eye.
    pub fn fingerprint(&self) -> String {
        let key = Key::derive(self.0.as_ref(), b"", &[b"postroom private key fingerprint 1"]);
        hex(&key.expose()[..16])
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.fingerprint())
    }
}

/// The forms of a private key in PEM: PKCS#8, SEC1, PKCS#1.
const FORMS: [&str; 3] = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];

/// The sections of one form, without what stands around them (OpenSSL writes attributes there).
fn sections<'a>(pem: &'a str, form: &str) -> impl Iterator<Item = Result<&'a str, PrivateKeyError>> {
    let (begin, end) = (format!("-----BEGIN {form}-----"), format!("-----END {form}-----"));
    let found: Vec<_> = pem
        .match_indices(&begin)
        .map(|(at, _)| {
            let rest = &pem[at..];
            let length =
                rest.find(&end).ok_or_else(|| PrivateKeyError::Damaged("it has no end".to_owned()))?;
            Ok(&rest[..length + end.len()])
        })
        .collect();
    found.into_iter()
}

/// What it costs to try one passphrase (Argon2id).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfCost {
    /// What new keyrings use: RFC 9106's second choice, 64 MiB and three passes. It is paid at each start, in time and in memory. More
    /// would buy little: a passphrase has more than 100 characters, and the private key beside it cannot be guessed at all.
    pub const DEFAULT: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };

    /// Whether a keyring may ask for it. More would let a changed file take the machine's memory.
    pub(crate) const fn is_sane(self) -> bool {
        matches!(self, Self { memory_kib: 8..=1_048_576, passes: 1..=32, lanes: 1..=16 })
            && self.memory_kib >= 8 * self.lanes
    }
}

/// What the passphrase and the salt give: slow to compute, and the same only for the same passphrase.
pub(crate) struct Slow(Zeroizing<[u8; KEY_LEN]>);

impl Slow {
    /// Computes it. None when the cost is out of bounds or the memory is not there.
    pub(crate) fn compute(passphrase: &Passphrase, salt: &[u8], cost: KdfCost) -> Option<Self> {
        if !cost.is_sane() {
            return None;
        }
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_LEN)).ok()?;
        let mut out = Zeroizing::new([0; KEY_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.0.expose_secret().as_bytes(), salt, out.as_mut())
            .ok()?;
        Some(Self(out))
    }

    /// Tells a wrong passphrase from a changed key. Only 16 bits: who has the file but not the private key cannot find out with it
    /// whether a guess was right, since one wrong guess in 65 536 fits too.
    pub(crate) fn check(&self) -> String {
        let key = Key::derive(self.0.as_ref(), b"", &[b"postroom passphrase check 1"]);
        hex(&key.expose()[..2])
    }

    /// The master key: both halves are needed for every bit of it.
    pub(crate) fn master(&self, key: &PrivateKey, salt: &[u8]) -> Key {
        let both = Zeroizing::new([self.0.as_slice(), key.0.as_slice()].concat());
        Key::derive(&both, salt, &[b"postroom master key 1"])
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
