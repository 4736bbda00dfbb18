//! The history of every intake and filing: append-only, written in the same transaction as what it tells of. It is the audit,
//! the timeline on the screen and the stream that consoles follow.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::filing::State;
use crate::ids::{FilingId, IntakeId, SiteName, WorkItemId};
use crate::intake::IntakeState;
use crate::person::Actor;

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An intake.
    Intake(IntakeId),
    /// A filing.
    Filing(FilingId),
    /// A work item.
    WorkItem(WorkItemId),
    /// A source or destination, by `source/name` or `destination/name`.
    Door(String),
    /// The program itself.
    System,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Happening {
    /// An intake changed its state.
    Intake {
        /// Before; absent when it was just taken in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<IntakeState>,
        /// After.
        to: IntakeState,
    },
    /// A filing changed its state, or stayed in it with news (a later due time).
    Filing {
        /// Before; absent when it was just planned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<State>,
        /// After.
        to: State,
        /// Why, where something went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        /// The document in the DMS, when it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        document: Option<String>,
    },
    /// A filing's request was edited by a person.
    Edited,
    /// A work item was created or changed.
    WorkItemSaved,
    /// A source or destination was stopped.
    Paused,
    /// A source or destination goes on.
    Resumed,
    /// The program started and tells what it repaired.
    Started {
        /// Filings that were running when it ended.
        recovered: u64,
    },
    /// The program stopped in an orderly way.
    Stopped,
    /// Something an operator should know that belongs to no state.
    Alert,
}

/// An event before it has its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// When.
    pub at: Timestamp,
    /// The site it belongs to; none for the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteName>,
    /// What it is about.
    pub subject: Subject,
    /// What happened.
    pub happening: Happening,
    /// Who did it.
    pub actor: Actor,
    /// In plain words, with the reason a person gave; never document content.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// An event as it stands in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number: the order of all that happened, without gaps.
    pub seq: u64,
    /// The event.
    #[serde(flatten)]
    pub event: NewEvent,
}
