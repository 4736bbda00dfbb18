//! What is known about a document, kept beside it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom_domain::ids::BlobHash;
use postroom_domain::person::Actor;
use serde::{Deserialize, Serialize};

/// The profile of one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sidecar {
    /// Format of this file.
    pub(crate) version: u32,
    /// The mark: which filing put the document here.
    pub(crate) mark: String,
    /// Size in bytes when it was filed.
    pub(crate) size: u64,
    /// BLAKE3 when it was filed.
    pub(crate) hash: BlobHash,
    /// Media type.
    pub(crate) media_type: String,
    /// When the document was received.
    pub(crate) received: Timestamp,
    /// Who filed it.
    pub(crate) actor: Actor,
    /// The name it was sent under; the file may have a number more.
    pub(crate) sent_as: String,
    /// Profile attributes.
    #[serde(default)]
    pub(crate) profile: BTreeMap<String, String>,
}

impl Sidecar {
    /// The sidecar of a document that is being filed.
    pub(crate) fn of(upload: &postroom_domain::dms::Upload<'_>) -> Self {
        Self {
            version: 1,
            mark: upload.mark.to_string(),
            size: upload.content.size(),
            hash: upload.content.hash(),
            media_type: upload.media_type.to_owned(),
            received: upload.received,
            actor: upload.actor.clone(),
            sent_as: upload.name.to_owned(),
            profile: upload.profile.clone(),
        }
    }
}

/// The name of a document's sidecar.
pub(crate) fn of(document: &str) -> String {
    format!("{document}.json")
}

/// Where a mark points: one small file per filing, so that a probe opens two files however many documents there are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pointer {
    /// The name of the document, if it got that far.
    pub(crate) document: String,
    /// The name it had before, while it is being given another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<String>,
}

impl Pointer {
    /// A pointer to one name.
    pub(crate) fn to(document: &str) -> Self {
        Self { document: document.to_owned(), was: None }
    }

    /// The names it points to, as far as they can be names of documents.
    pub(crate) fn names(self) -> Vec<String> {
        let names = std::iter::once(self.document).chain(self.was);
        names.filter(|name| super::ids::is_plain(name)).collect()
    }
}
