//! Sealing of secrets and of stored bytes, password hashes, and the keys that both use.
//!
//! ```text
//! passphrase ──Argon2id──┐
//!                        ├─HKDF─▶ master key ──wraps──▶ data keys 1, 2, …  ──▶ secrets, content
//! private key ──SHA-256──┘                    └─wraps──▶ derivation key     ──▶ codes
//! ```
//!
//! A [`Keyring`] is a value: what `keyring.json` says, opened. Every change of it makes another keyring, which the caller writes down
//! before it hands it to the [`Vault`], the one thing that seals and opens while the program runs. Nothing here touches a disk or asks
//! for the time, and random bytes come from a [`Chance`] that may fail: a nonce that was not filled must never be used.
//!
//! Everything is AES-256-GCM with 96-bit nonces: random ones for short secrets and wrapped keys (a data key is to be changed well
//! before 2³² secrets), counted ones for the segments of content, where each file has a key of its own.

mod chance;
mod content;
mod identity;
mod key;
mod keyring;
mod master;
mod password;
mod shared;

pub use chance::{Chance, NoChance, SystemChance};
pub use content::{HEADER_LEN, SEGMENT_LEN, SegmentOpener, SegmentSealer, TAG_LEN};
pub use identity::{Identity, IdentityError, generate_identity, generate_passphrase};
pub use keyring::{Keyring, KeyringError, Summary};
pub use master::{KdfCost, MIN_PASSPHRASE, Passphrase, PassphraseError, PrivateKey, PrivateKeyError};
pub use password::{HashCost, Hasher, PasswordError, objection};
pub use shared::{Place, Vault, VaultError};

#[cfg(test)]
mod tests;
