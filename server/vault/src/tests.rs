//! The vault from outside: what opens, what does not, and what is said about it.

mod content;
mod keyring;
mod passwords;
mod secrets;

use std::sync::{Arc, Mutex};

use secrecy::SecretString;

use crate::{Chance, HashCost, KdfCost, Keyring, NoChance, Passphrase, PrivateKey, Vault};

/// Reproducible random bytes (`splitmix64`).
pub(super) struct Dice(Mutex<u64>);

impl Dice {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(seed)))
    }
}

impl Chance for Dice {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoChance> {
        let mut state = self.0.lock().unwrap();
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A machine without random bytes.
pub(super) struct Dry;

impl Chance for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoChance> {
        Err(NoChance("dry".to_owned()))
    }
}

/// The least that Argon2 takes.
pub(super) const CHEAP: KdfCost = KdfCost { memory_kib: 8, passes: 1, lanes: 1 };
pub(super) const CHEAP_HASH: HashCost = HashCost { memory_kib: 8, passes: 1, lanes: 1 };

pub(super) fn passphrase(seed: &str) -> Passphrase {
    Passphrase::new(&SecretString::from(seed.repeat(101))).unwrap()
}

/// PEM around bytes that could be a key.
pub(super) fn pem(label: &str, byte: u8) -> SecretString {
    use base64ct::{Base64, Encoding as _};
    let body = Base64::encode_string(&[byte; 60]);
    format!("-----BEGIN {label}-----\n{}\n{}\n-----END {label}-----\n", &body[..64], &body[64..]).into()
}

pub(super) fn private_key(byte: u8) -> PrivateKey {
    PrivateKey::from_pem(&pem("PRIVATE KEY", byte)).unwrap()
}

pub(super) fn keyring() -> Keyring {
    Keyring::create(&passphrase("a"), &private_key(1), CHEAP, "2026-11-24", Dice::new(1).as_ref()).unwrap()
}

pub(super) fn vault() -> Vault {
    Vault::new(&keyring(), Dice::new(2))
}
