//! Hand-overs from a DMS: what was handed over, what was found, and where it goes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom_domain::dms::ContainerKind;
use postroom_domain::handed::Purpose;
use postroom_domain::ids::{IntakeId, ServiceName, TicketId, WorkItemId};
use postroom_domain::send_to::{Because, Choice, Matching, Seen, SeenPlace, SeenThing};
use postroom_domain::ticket::{Order, Ticket};
use postroom_domain::work_item::WorkItem;
use serde::{Deserialize, Serialize};

/// What is wanted: documents are sent, or a workflow is started from a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TicketKind {
    /// Documents are sent.
    #[default]
    SendTo,
    /// A workflow is started from a folder.
    Launch,
}

impl From<TicketKind> for Purpose {
    fn from(kind: TicketKind) -> Self {
        match kind {
            TicketKind::SendTo => Self::SendTo,
            TicketKind::Launch => Self::Launch,
        }
    }
}

impl From<Purpose> for TicketKind {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::SendTo => Self::SendTo,
            Purpose::Launch => Self::Launch,
        }
    }
}

/// Body of `POST /tickets`. Ids and nothing else is taken from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketBody {
    /// The name of the DMS, or its kind where there is one of it: `imanage`, `netdocuments`, `highq`.
    pub service: String,
    /// What is wanted.
    #[serde(default)]
    pub kind: TicketKind,
    /// Ids of documents, or of the folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Parameters as the DMS gave them, in which ids are looked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, String>,
}

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketView {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: TicketId,
    /// The DMS.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub service: ServiceName,
    /// What is wanted.
    pub kind: TicketKind,
    /// Until when it has to be opened, or used once it was.
    pub expires: Timestamp,
    /// More was handed over than is taken at once; the rest was left out.
    #[serde(default)]
    pub more: bool,
}

impl TicketView {
    /// The view of a ticket.
    pub fn of(ticket: &Ticket, more: bool) -> Self {
        Self {
            id: ticket.id,
            service: ticket.service.clone(),
            kind: ticket.purpose.into(),
            expires: ticket.expires,
            more,
        }
    }
}

/// How a ticket is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct TicketQuery {
    /// Words by which further work items are searched.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub search: String,
}

/// One thing that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandedView {
    /// `document`, `container`, `hidden` (not there, or not visible to this account) or `trouble` (try again later).
    pub is: String,
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version that is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its length in bytes, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where it opens in the DMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What the trouble is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl From<SeenThing> for HandedView {
    fn from(thing: SeenThing) -> Self {
        let of = |is: &str, id: String| Self {
            is: is.to_owned(),
            id,
            name: None,
            version: None,
            size: None,
            link: None,
            why: None,
        };
        match thing {
            SeenThing::Document { document, link } => Self {
                name: Some(document.name),
                version: document.version,
                size: document.size,
                link,
                ..of("document", document.id)
            },
            SeenThing::Container(place) => {
                Self { name: Some(place.name), link: place.link, ..of("container", place.id) }
            }
            SeenThing::Hidden { id } => of("hidden", id),
            SeenThing::Trouble { id, why } => Self { why: Some(why.to_string()), ..of("trouble", id) },
        }
    }
}

/// A folder or workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AroundView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `workspace`, `folder` or `search`.
    pub kind: String,
    /// Whether it takes documents.
    pub open: bool,
    /// Where it opens in the DMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl From<SeenPlace> for AroundView {
    fn from(place: SeenPlace) -> Self {
        let kind = match place.kind {
            ContainerKind::Workspace => "workspace",
            ContainerKind::Folder => "folder",
            ContainerKind::Search => "search",
        };
        Self { id: place.id, name: place.name, kind: kind.to_owned(), open: place.open, link: place.link }
    }
}

/// A work item that it may go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatchView {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub work_item: WorkItemId,
    /// Its reference.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// Its client.
    pub client: String,
    /// Whether documents may be filed to it.
    pub open: bool,
    /// `origin` (started from there), `remembered` (its documents went there before), `fields` (client and matter say so); absent where
    /// it was searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl From<&WorkItem> for MatchView {
    fn from(item: &WorkItem) -> Self {
        Self {
            work_item: item.id,
            reference: item.reference.clone(),
            title: item.title.clone(),
            client: item.client.name.clone(),
            open: item.open,
            because: None,
        }
    }
}

impl From<&Matching> for MatchView {
    fn from(matching: &Matching) -> Self {
        let because = match matching.because {
            Because::Origin => "origin",
            Because::Remembered => "remembered",
            Because::Fields => "fields",
        };
        Self { because: Some(because.to_owned()), ..Self::from(&matching.item) }
    }
}

/// Something with a name for programs and one for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfferView {
    /// For programs.
    pub name: String,
    /// For people.
    pub title: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeenView {
    /// The ticket.
    pub ticket: TicketView,
    /// What was handed over.
    pub things: Vec<HandedView>,
    /// The folder that it lies in, or that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<AroundView>,
    /// The workspace of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<AroundView>,
    /// There are documents of other workspaces, too.
    pub several_workspaces: bool,
    /// The client's number, as the DMS tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The client's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The reference of the matter, as the DMS tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Further fields that work items are told apart by.
    pub attributes: BTreeMap<String, String>,
    /// Work items that belong there.
    pub matches: Vec<MatchView>,
    /// Work items that were searched for.
    pub found: Vec<MatchView>,
    /// Workflows that may be started.
    pub workflows: Vec<OfferView>,
    /// Knowledge collections that may be added to.
    pub collections: Vec<OfferView>,
    /// What was done, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<SentView>,
}

impl From<Seen> for SeenView {
    fn from(seen: Seen) -> Self {
        let offer = |name: String, title: String| OfferView { name, title };
        Self {
            ticket: TicketView::of(&seen.ticket, false),
            folder: seen.folder.map(AroundView::from),
            workspace: seen.workspace.map(AroundView::from),
            several_workspaces: seen.several_workspaces,
            client: seen.told.client,
            client_name: seen.told.client_name,
            reference: seen.told.reference,
            attributes: seen.told.attributes,
            matches: seen.matches.iter().map(MatchView::from).collect(),
            found: seen.found.iter().map(MatchView::from).collect(),
            workflows: seen.workflows.into_iter().map(|it| offer(it.name, it.title)).collect(),
            collections: seen.collections.into_iter().map(|it| offer(it.name, it.title)).collect(),
            done: seen.ticket.order.filter(|it| it.done).map(SentView::from),
            things: seen.things.into_iter().map(HandedView::from).collect(),
        }
    }
}

/// Body of `POST /tickets/{id}/send`: exactly one of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendBody {
    /// To a work item: its id or reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item: Option<String>,
    /// Into a new work item: the workflow's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The title of the new work item; made of what was handed over when it is absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Into a knowledge collection: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
}

impl SendBody {
    /// The choice; none where it is not exactly one.
    pub fn choice(self) -> Option<Choice> {
        match (self.work_item, self.workflow, self.collection) {
            (Some(work_item), None, None) => Some(Choice::WorkItem(work_item)),
            (None, Some(name), None) => Some(Choice::Workflow { name, title: self.title }),
            (None, None, Some(name)) => Some(Choice::Collection(name)),
            _ => None,
        }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SentView {
    /// The work item.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub work_item: WorkItemId,
    /// Its reference.
    pub reference: String,
    /// Its title.
    pub title: String,
    /// The workflow that was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The documents' intake; absent where none came along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub intake: Option<IntakeId>,
}

impl From<Order> for SentView {
    fn from(order: Order) -> Self {
        Self {
            work_item: order.work_item,
            reference: order.reference,
            title: order.title,
            workflow: order.workflow,
            intake: order.intake,
        }
    }
}
