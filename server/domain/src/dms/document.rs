//! Documents: how they are sent, looked for, and read back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::content::{Content, Gauge};
use crate::ids::{BlobHash, Mark};
use crate::person::Actor;

/// What the DMS holds after an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The document's id in the DMS.
    pub document: String,
    /// Its version there, where the DMS has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The container it lies in.
    pub container: String,
    /// Size the DMS reports, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// BLAKE3 of the bytes as the DMS holds them, where that was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<BlobHash>,
    /// Where a person can open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// One document to put into a container, or one version to put onto a document.
pub struct Upload<'a> {
    /// Who does it.
    pub actor: &'a Actor,
    /// Library, cabinet or site; empty where the DMS has none.
    pub library: &'a str,
    /// The container's id.
    pub container: &'a str,
    /// The file name with its extension, already safe for this DMS.
    pub name: &'a str,
    /// Media type.
    pub media_type: &'a str,
    /// Profile attributes by the DMS's own field names.
    pub profile: &'a BTreeMap<String, String>,
    /// When the document was received.
    pub received: Timestamp,
    /// What it carries so that it can be found again.
    pub mark: Mark,
    /// The bytes.
    pub content: &'a dyn Content,
    /// Where the connector reports what it has sent.
    pub gauge: &'a Gauge,
    /// The document of which this is a new version; none makes a new document. Only where [`versions`](super::Capabilities::versions) says so.
    pub onto: Option<&'a str>,
}

/// Looking for a document by its mark.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// Library, cabinet or site.
    pub library: &'a str,
    /// The container it was sent to.
    pub container: &'a str,
    /// The name it was sent under.
    pub name: &'a str,
    /// The mark it carries.
    pub mark: Mark,
    /// The document whose versions are looked through, where a version was sent.
    pub onto: Option<&'a str>,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The document is there.
    Yes(Receipt),
    /// More than one carries the mark: somebody copied it, or it was filed twice.
    Several(Vec<Receipt>),
    /// It is not there, as far as the DMS can tell at this moment.
    No,
}

/// One document as a DMS tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The DMS's id of it, without a version.
    pub id: String,
    /// The version told of, where the DMS has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its file name with the extension.
    pub name: String,
    /// Length in bytes, where the DMS says it exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The folder or workspace it lies in, where the answer told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The workspace it belongs to, where the answer told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
    /// Who has it checked out or locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_by: Option<String>,
    /// Its profile, by the DMS's own field names, as far as the answer had it.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}
