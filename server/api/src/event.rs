//! Events: the history of a thing, and what `GET /events` streams.
//!
//! On the stream each event is one server-sent event: `id` is the number, `event` is `change`, `data` is an [`EventView`]
//! as JSON. A comment line comes at least every 15 seconds. A client that comes back sends `Last-Event-ID`.

use jiff::Timestamp;
use postroom_domain::event::{Event, Happening, Subject};
use postroom_domain::ids::SiteName;
use postroom_domain::person::Actor;
use serde::{Deserialize, Serialize};

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubjectView {
    /// `intake`, `filing`, `work_item`, `door`, `bulk` (a set of filings), `system`; in the audit also `person`, `session`, `token`, `link` or `service`.
    pub kind: String,
    /// Its id; `source/name` or `destination/name` for a door, the name of a service; empty for the system.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

impl From<&Subject> for SubjectView {
    fn from(subject: &Subject) -> Self {
        let (kind, id) = match subject {
            Subject::Intake(id) => ("intake", id.to_string()),
            Subject::Filing(id) => ("filing", id.to_string()),
            Subject::WorkItem(id) => ("work_item", id.to_string()),
            Subject::Door(name) => ("door", name.clone()),
            Subject::System => ("system", String::new()),
            Subject::Person(id) => ("person", id.to_string()),
            Subject::Session(id) => ("session", id.to_string()),
            Subject::Token(id) => ("token", id.to_string()),
            Subject::Link(id) => ("link", id.to_string()),
            Subject::Service(name) => ("service", name.to_string()),
            Subject::Bulk(id) => ("bulk", id.to_string()),
        };
        Self { kind: kind.to_owned(), id }
    }
}

/// What happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HappeningView {
    /// `intake`, `filing`, `edited`, `noted`, `taken`, `given_back`, `work_item_saved`, `paused`, `resumed`, `bulk`, `started`, `stopped` or
    /// `alert`;
    /// in the audit also what happened to persons, sessions, tokens, links, keys and settings: `signed_in`, `token_made` and so on.
    pub kind: String,
    /// The state before, where one changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The state after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The cause, where something went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The document in the DMS, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// In plain words.
    pub words: String,
}

impl From<&Happening> for HappeningView {
    fn from(happening: &Happening) -> Self {
        let plain = |kind: &str, words: &str| Self {
            kind: kind.to_owned(),
            words: words.to_owned(),
            ..Self::default()
        };
        match happening {
            Happening::Intake { from, to } => Self {
                kind: "intake".to_owned(),
                from: from.map(|state| state.to_string()),
                to: Some(to.to_string()),
                words: match (from, to) {
                    (None, _) => "taken in".to_owned(),
                    (Some(from), to) if from == to => format!("still {to}"),
                    (Some(from), to) => format!("{from} → {to}"),
                },
                ..Self::default()
            },
            Happening::Filing { from, to, cause, document, bulk } => {
                let mut words = match (from, to) {
                    (None, to) => format!("planned, {to}"),
                    (Some(from), to) if from == to => format!("still {to}"),
                    (Some(from), to) => format!("{from} → {to}"),
                };
                if let Some(cause) = cause {
                    words += ": ";
                    words += cause.row().short;
                }
                if let Some(document) = document {
                    words += ", document ";
                    words += document;
                }
                if let Some(bulk) = bulk {
                    words += ", with others in the set ";
                    words += &bulk.to_string();
                }
                Self {
                    kind: "filing".to_owned(),
                    from: from.map(|state| state.to_string()),
                    to: Some(to.to_string()),
                    cause: cause.map(|cause| cause.name().to_owned()),
                    document: document.clone(),
                    words,
                }
            }
            Happening::Edited => plain("edited", "edited by a person"),
            Happening::Noted => plain("noted", "note written"),
            Happening::Taken { from: None } => plain("taken", "taken to work on"),
            Happening::Taken { from: Some(from) } => plain("taken", &format!("taken over from {from}")),
            Happening::GivenBack => plain("given_back", "given back"),
            Happening::WorkItemSaved => plain("work_item_saved", "work item saved"),
            Happening::Paused => plain("paused", "paused"),
            Happening::Resumed => plain("resumed", "resumed"),
            Happening::Started { recovered: 0 } => plain("started", "started"),
            Happening::Started { recovered } => {
                plain("started", &format!("started; {recovered} interrupted filings are being checked"))
            }
            Happening::Stopped => plain("stopped", "stopped in an orderly way"),
            Happening::Bulk { what, action, counts, .. } => {
                plain("bulk", &crate::bulk::in_words(*what, *action, counts))
            }
            Happening::Alert => plain("alert", "needs attention"),
            Happening::Security { what } => plain(what.name(), what.words()),
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActorView {
    /// The acting person or part of the program.
    pub name: String,
    /// The person for whom, where that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Whose account was used towards the DMS: `own` or `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl From<&Actor> for ActorView {
    fn from(actor: &Actor) -> Self {
        use postroom_domain::person::Credential;
        Self {
            name: actor.principal.clone(),
            on_behalf_of: actor.on_behalf_of.clone(),
            credential: actor.credential.map(|credential| match credential {
                Credential::Own => "own".to_owned(),
                Credential::System => "system".to_owned(),
            }),
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventView {
    /// Its number: the order of all that happened.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The site it belongs to; absent for the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub site: Option<SiteName>,
    /// What it is about.
    pub subject: SubjectView,
    /// What happened.
    pub happening: HappeningView,
    /// Who did it.
    pub actor: ActorView,
    /// In plain words, with the reason a person gave.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        Self {
            seq: event.seq,
            at: event.event.at,
            site: event.event.site.clone(),
            subject: SubjectView::from(&event.event.subject),
            happening: HappeningView::from(&event.event.happening),
            actor: ActorView::from(&event.event.actor),
            note: event.event.note.clone(),
        }
    }
}
