//! The record of an upload under way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{NewUpload, Piece};
use crate::ids::{IntakeId, SiteName, SourceName, UploadId};
use crate::mailroom::hashed;
use crate::record::{Kept, Kind, naming};

/// What the document is, as its sender says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The file name.
    pub file_name: String,
    /// The media type.
    pub media_type: String,
    /// The work item: a reference or an id.
    pub work_item: String,
    /// The area whose repository is used.
    pub area: String,
    /// Subject or title.
    pub subject: String,
    /// A note.
    pub note: String,
    /// File it although the same content is at the same place.
    pub forced: bool,
    /// All of this as its sender wrote it, to be given back.
    pub as_sent: String,
}

/// Why complete bytes did not become an intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// In plain words.
    pub why: String,
}

impl Refused {
    pub(super) fn key_reused() -> Self {
        Self { why: "the idempotency key was used before with other content".to_owned() }
    }

    pub(super) fn damaged(what: &str) -> Self {
        Self { why: format!("what was kept of it is damaged: {what}") }
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// Bytes are awaited, or all have come and the intake is being made.
    Coming,
    /// It is an intake.
    Done {
        /// Which.
        intake: IntakeId,
    },
    /// It cannot become one.
    Refused(Refused),
}

/// An upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// Grows by one with every change.
    #[serde(skip)]
    pub version: u64,
    /// Who began it, and alone may go on with it.
    pub owner: String,
    /// The site it will belong to.
    pub site: SiteName,
    /// The door it comes through.
    pub source: SourceName,
    /// How many bytes it will have.
    pub length: u64,
    /// What it is.
    pub about: About,
    /// The caller's idempotency key, scoped to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is durable of it.
    pub pieces: Vec<Piece>,
    /// How far it is.
    pub state: UploadState,
    /// When it was begun.
    pub created: Timestamp,
    /// When it goes.
    pub expires: Timestamp,
}

impl Upload {
    /// Bytes that are durable: where it goes on.
    pub fn offset(&self) -> u64 {
        match self.state {
            UploadState::Coming => self.pieces.iter().map(Piece::bytes).sum(),
            UploadState::Done { .. } | UploadState::Refused(_) => self.length,
        }
    }

    /// Whether it is not an intake yet, and may become one.
    pub const fn is_coming(&self) -> bool {
        matches!(self.state, UploadState::Coming)
    }

    /// The intake it became.
    pub const fn intake(&self) -> Option<IntakeId> {
        match self.state {
            UploadState::Done { intake } => Some(intake),
            UploadState::Coming | UploadState::Refused(_) => None,
        }
    }

    pub(super) fn is_same(&self, new: &NewUpload) -> bool {
        self.length == new.length && self.about == new.about && self.source == new.source
    }

    /// The group of a person's uploads.
    pub fn of(owner: &str) -> String {
        format!("owner/{}", hashed(owner))
    }

    pub(super) fn by_key(key: &str) -> String {
        format!("key/{}", hashed(key))
    }
}

impl Kept for Upload {
    const KIND: Kind = Kind::Upload;
    fn number(&self) -> u128 {
        self.id.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        self.key.iter().map(|key| Self::by_key(key)).collect()
    }
    fn groups(&self) -> Vec<String> {
        let contents = self.pieces.iter().map(|piece| naming(piece.blob));
        std::iter::once(Self::of(&self.owner)).chain(contents).collect()
    }
}
