//! Work items on the wire.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom_domain::ids::{ServiceName, SiteName, WorkItemId};
use postroom_domain::work_item::{Client, Origin, Participant, WorkItem};
use serde::{Deserialize, Serialize};

/// The client of a work item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClientBody {
    /// The firm's number for it.
    #[serde(default)]
    pub reference: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// Somebody who takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ParticipantBody {
    /// The part: `client`, `fee-earner`, …
    pub role: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// The firm's number.
    #[serde(default)]
    pub reference: String,
    /// The address.
    #[serde(default)]
    pub email: String,
}

/// The place in a DMS that a work item was started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OriginBody {
    /// The destination.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub service: ServiceName,
    /// Library, cabinet or site; empty where the DMS has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// The id of the folder or workspace.
    pub container: String,
}

const fn open() -> bool {
    true
}

/// Body of `POST /work-items` and `PUT /work-items/{id}` (which sends its version in `If-Match`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkItemBody {
    /// The firm's reference: unique within the site, without case.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// Its place in the tree of work types: `matter/litigation`.
    pub work_type: String,
    /// Whether documents may be filed to it.
    #[serde(default = "open")]
    pub open: bool,
    /// Its phase.
    #[serde(default)]
    pub phase: String,
    /// Its client.
    #[serde(default)]
    pub client: ClientBody,
    /// The firm's own fields.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Who takes part.
    #[serde(default)]
    pub participants: Vec<ParticipantBody>,
    /// Where it was started from: its documents go back there where a repository has the resolver `origin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginBody>,
    /// The time zone of its dates by its IANA name; the firm's when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
}

impl WorkItemBody {
    /// The work item it describes.
    pub fn work_item(self, id: WorkItemId, site: SiteName, version: u64, changed: Timestamp) -> WorkItem {
        WorkItem {
            id,
            reference: self.reference,
            title: self.title,
            work_type: self.work_type,
            site,
            open: self.open,
            phase: self.phase,
            client: Client { reference: self.client.reference, name: self.client.name },
            attributes: self.attributes,
            participants: self
                .participants
                .into_iter()
                .map(|p| Participant { role: p.role, name: p.name, reference: p.reference, email: p.email })
                .collect(),
            origin: self.origin.map(|it| Origin {
                service: it.service,
                library: it.library,
                container: it.container,
            }),
            zone: self.zone,
            version,
            changed,
        }
    }
}

/// A work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkItemView {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub id: WorkItemId,
    /// The site it belongs to.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub site: SiteName,
    /// Its version; the `ETag` is this in quotes.
    pub version: u64,
    /// When it was last changed.
    pub changed: Timestamp,
    /// The firm's reference.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// Its place in the tree of work types.
    pub work_type: String,
    /// Whether documents may be filed to it.
    pub open: bool,
    /// Its phase.
    #[serde(default)]
    pub phase: String,
    /// Its client.
    #[serde(default)]
    pub client: ClientBody,
    /// The firm's own fields.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Who takes part.
    #[serde(default)]
    pub participants: Vec<ParticipantBody>,
    /// Where it was started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginBody>,
    /// The time zone of its dates.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// What ties answers to it in the subjects of its letters, such as `[PR-7K2M9X-4Q]`; not told in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub luggage_tag: Option<String>,
}

impl From<&WorkItem> for WorkItemView {
    fn from(item: &WorkItem) -> Self {
        Self {
            id: item.id,
            site: item.site.clone(),
            version: item.version,
            changed: item.changed,
            reference: item.reference.clone(),
            title: item.title.clone(),
            work_type: item.work_type.clone(),
            open: item.open,
            phase: item.phase.clone(),
            client: ClientBody { reference: item.client.reference.clone(), name: item.client.name.clone() },
            attributes: item.attributes.clone(),
            participants: item
                .participants
                .iter()
                .map(|p| ParticipantBody {
                    role: p.role.clone(),
                    name: p.name.clone(),
                    reference: p.reference.clone(),
                    email: p.email.clone(),
                })
                .collect(),
            origin: item.origin.as_ref().map(|it| OriginBody {
                service: it.service.clone(),
                library: it.library.clone(),
                container: it.container.clone(),
            }),
            zone: item.zone.clone(),
            luggage_tag: None,
        }
    }
}
