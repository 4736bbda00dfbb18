//! The vault's keys, and changing them.

use postroom_domain::keys::KeysStatus;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// How far a change of keys is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProgressView {
    /// Secrets sealed anew.
    pub secrets_done: u64,
    /// Of so many.
    pub secrets_total: u64,
    /// Documents sealed anew.
    pub blobs_done: u64,
    /// Of so many.
    pub blobs_total: u64,
}

/// Which keys there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeysView {
    /// The id of the master key.
    pub master: String,
    /// The certificate whose private key is part of it.
    pub certificate: String,
    /// The number of the data key that is used now.
    pub current: u32,
    /// Data keys that are still needed for what is not sealed anew yet.
    pub retiring: Vec<u32>,
    /// How far a change is that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressView>,
    /// Why a change does not go on, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl From<KeysStatus> for KeysView {
    fn from(status: KeysStatus) -> Self {
        Self {
            master: status.master,
            certificate: status.certificate,
            current: status.current,
            retiring: status.retiring,
            progress: status.progress.map(|it| ProgressView {
                secrets_done: it.secrets_done,
                secrets_total: it.secrets_total,
                blobs_done: it.blobs_done,
                blobs_total: it.blobs_total,
            }),
            trouble: status.trouble,
        }
    }
}

/// A new master key. Both parts are secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MasterBody {
    /// The passphrase, more than 100 characters.
    pub passphrase: Secret,
    /// The private key of the certificate, with the certificate, as PEM.
    pub private_key: Secret,
}

/// Body of `POST /keys/rotate`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateBody {
    /// A new data key; everything is sealed anew with it, in the background.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub data: bool,
    /// A new master key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<MasterBody>,
}
