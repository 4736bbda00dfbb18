//! One matter, instruction or service request that Postroom knows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ServiceName, SiteName, WorkItemId};

/// The client of a work item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The firm's number for it.
    pub reference: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// Somebody who takes part in a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The part: `client`, `fee-earner`, `opponent`, …
    pub role: String,
    /// The name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The firm's number, where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// The address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
}

/// The place in a DMS that a work item was started from: its later documents are filed back there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The linked service.
    pub service: ServiceName,
    /// Library, cabinet or site; empty where the DMS has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// The id of the folder or workspace: it stays the same when that is moved or renamed.
    pub container: String,
}

/// A work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    /// Its id.
    pub id: WorkItemId,
    /// The firm's reference: unique within the site, without case.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// Its place in the tree of work types, from the top: `matter/litigation`.
    pub work_type: String,
    /// The site it belongs to.
    pub site: SiteName,
    /// Whether documents may still be filed to it.
    pub open: bool,
    /// Its phase.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// Its client.
    #[serde(default)]
    pub client: Client,
    /// The firm's own fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Who takes part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// Where it was started from, where that was a place in a DMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The time zone of its dates by its IANA name, such as `Europe/London`; the firm's where it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// Grows by one with every change.
    pub version: u64,
    /// When it was last changed.
    pub changed: Timestamp,
}
