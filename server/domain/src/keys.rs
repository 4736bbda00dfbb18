//! The vault's keys as other rooms see them: which there are, and changing them while the server runs.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::Fut;

/// How far a change of the data key is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Secrets in records that are sealed anew.
    pub secrets_done: u64,
    /// Secrets in records altogether, as counted when it began.
    pub secrets_total: u64,
    /// Documents in the spool that are sealed anew.
    pub blobs_done: u64,
    /// Documents in the spool altogether, as counted when it began.
    pub blobs_total: u64,
}

/// The keys there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysStatus {
    /// The master key's id: changes with passphrase or certificate.
    pub master: String,
    /// Fingerprint of the certificate's public key, for comparison by eye.
    pub certificate: String,
    /// The number of the data key that is used now.
    pub current: u32,
    /// Data keys that are on their way out.
    pub retiring: Vec<u32>,
    /// How far that is, while there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Why it stands still, where it does; it goes on when that is mended or at the next start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What is to be changed.
#[derive(Debug)]
pub struct Rotate {
    /// A new data key: everything sealed is sealed anew with it, then the old one goes.
    pub data: bool,
    /// A new master key: passphrase and the private key in PEM.
    pub master: Option<(SecretString, SecretString)>,
}

/// Why keys were not changed. Nothing is different from before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotateError {
    /// A change is under way already.
    #[error("the keys are being changed already")]
    UnderWay,
    /// The new passphrase or key cannot be used; the text says why.
    #[error("{0}")]
    Unusable(String),
    /// The keyring cannot be written.
    #[error("the keyring cannot be written: {0}")]
    Disk(String),
}

/// Whoever changes keys.
pub trait Keys: Send + Sync {
    /// The keys there are.
    fn status(&self) -> KeysStatus;
    /// Begins a change. A new master is durable when this returns; a new data key goes on in the background.
    fn rotate(&self, wanted: Rotate) -> Fut<'_, Result<KeysStatus, RotateError>>;
}
