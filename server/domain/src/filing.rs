//! One document going to one place in one DMS: what was asked (never changed but by a person's edit) and how far it is.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::dms::{Receipt, Trouble};
use crate::ids::{FilingId, IntakeId, SiteName, SourceName, WorkItemId};
use crate::person::Credential;
use crate::spool::Blob;
use crate::target::{SaveMode, Target};

/// The state of a filing; each has an owner and an automatic or personal next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum State {
    /// Has a due time: first try, back-off, or a wait that the DMS asked for.
    Waiting = 0,
    /// Its destination or account is closed; it goes on when that opens.
    Blocked = 1,
    /// A worker has it, and its attempt row is durable.
    Running = 2,
    /// The outcome is unknown; the DMS is asked before anything is sent again.
    Checking = 3,
    /// The DMS cannot tell: a person decides.
    Undecided = 4,
    /// A person took it out of automatic work.
    Held = 5,
    /// Permanent cause or budget used up; kept until a person acts.
    Failed = 6,
    /// In the DMS.
    Filed = 7,
    /// The same content was filed to the same place before.
    Duplicate = 8,
    /// A person ended it.
    Cancelled = 9,
}

/// Who moves a filing on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The scheduler, by itself.
    Scheduler,
    /// A worker, right now.
    Worker,
    /// A person.
    Person,
    /// Nobody: it is done.
    Nobody,
}

impl State {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Blocked,
        Self::Running,
        Self::Checking,
        Self::Undecided,
        Self::Held,
        Self::Failed,
        Self::Filed,
        Self::Duplicate,
        Self::Cancelled,
    ];

    /// The name in the API and the filter language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::Running => "running",
            Self::Checking => "checking",
            Self::Undecided => "undecided",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Filed => "filed",
            Self::Duplicate => "duplicate",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with that number, as stored.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Who moves it on.
    pub const fn owner(self) -> Owner {
        match self {
            Self::Waiting | Self::Blocked => Owner::Scheduler,
            Self::Running | Self::Checking => Owner::Worker,
            Self::Undecided | Self::Held | Self::Failed => Owner::Person,
            Self::Filed | Self::Duplicate | Self::Cancelled => Owner::Nobody,
        }
    }

    /// Whether an intake may settle while a filing is in this state.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Filed | Self::Duplicate | Self::Cancelled)
    }

    /// Whether the document is, or may come to be, in the DMS: what a second filing of the same content to the same
    /// place would double. Only a cancelled one is out of the way.
    pub const fn claims_place(self) -> bool {
        !matches!(self, Self::Cancelled | Self::Duplicate)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("\"{text}\" is not a state"))
    }
}

/// Why a filing waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Why {
    /// It has not been tried.
    #[default]
    FirstTry = 0,
    /// Something went wrong; the pause grows.
    BackOff = 1,
    /// The DMS asked to slow down.
    Throttled = 2,
    /// Somebody holds a lock.
    Locked = 3,
    /// The target was not found; indexes may be late.
    TargetLag = 4,
    /// A person asked for another try.
    Retried = 5,
    /// A person released it, or its destination opened.
    Released = 6,
    /// The DMS said that it does not have it: it is sent again.
    NotThere = 7,
    /// An earlier save of the same linked document is not through yet.
    Behind = 8,
}

impl Why {
    const ALL: [Self; 9] = [
        Self::FirstTry,
        Self::BackOff,
        Self::Throttled,
        Self::Locked,
        Self::TargetLag,
        Self::Retried,
        Self::Released,
        Self::NotThere,
        Self::Behind,
    ];

    /// The reason with that number, as stored.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// The queue that a filing waits in, within its destination and source. New work is not starved by deferred work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Lane {
    /// Never tried, or a person asked for it.
    New = 0,
    /// Tried before.
    Deferred = 1,
    /// To be checked at the DMS.
    Checking = 2,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 3] = [Self::New, Self::Deferred, Self::Checking];
}

/// What was asked for. Kept as it is; a person's edit replaces it and is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The content.
    pub blob: Blob,
    /// The file name as it came, untouched.
    pub file_name: String,
    /// Media type, as told or found.
    pub media_type: String,
    /// Where it goes.
    pub target: Target,
    /// The work item it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item: Option<WorkItemId>,
    /// That work item's reference, for lists and searches.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// Subject or title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Sender, scanner or the person who handed it in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sender: String,
    /// Who asked for it.
    pub submitted_by: String,
    /// Whose account files it.
    pub credential: Credential,
    /// A person has said to file it although the same content is there.
    #[serde(default)]
    pub forced: bool,
    /// The caller's own id of the document, where it stays linked with the one in the DMS ([`Request::linked`]).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub document_key: String,
    /// Why the firm does not file it there: no attempt sends anything while this stands here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub withheld: String,
}

impl Request {
    /// What all saves of the same linked document have in common: work item, repository, place and the caller's own id of it. None
    /// where the document is not kept linked.
    pub fn linked(&self) -> Option<String> {
        let target = &self.target;
        let work_item = self.work_item.filter(|_| target.save_mode == SaveMode::KeepLinked)?;
        if self.document_key.is_empty() {
            return None;
        }
        let key = (work_item, &target.repository, &target.service, &target.library, &self.document_key);
        serde_json::to_string(&key).ok()
    }
}

/// What closes a filing's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocker {
    /// Its destination.
    Destination,
    /// The account it uses there.
    Account,
}

/// How far a filing is. One writer changes it, by compare-and-set on `version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The state.
    pub state: State,
    /// Grows by one with every change.
    pub version: u64,
    /// Grows by one with every attempt; a result with an older one is dropped.
    pub generation: u32,
    /// When it is due: always for `waiting`, and for `checking` the time of the next question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Why it waits.
    #[serde(default)]
    pub why: Why,
    /// Tries that count.
    #[serde(default)]
    pub tries: u32,
    /// Tries that do not count: throttled, locked, the destination's fault.
    #[serde(default)]
    pub deferrals: u32,
    /// How often the end of the process interrupted an attempt, without one in between that ended by itself.
    #[serde(default)]
    pub interruptions: u8,
    /// How often in a row the present cause has come up.
    #[serde(default)]
    pub same_cause: u32,
    /// When the present cause was first met, without another one in between: the budget of a lock counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_since: Option<Timestamp>,
    /// Whether an earlier attempt may have reached the DMS without our knowing: then it is asked before anything is sent.
    #[serde(default)]
    pub unsure: bool,
    /// When the present run of tries began: the budget counts from here.
    pub since: Timestamp,
    /// When the last attempt ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_end: Option<Timestamp>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// What closes its way, when `blocked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocker: Option<Blocker>,
    /// Who holds the lock, the limit, the field: what the person who mends it needs to read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// The document in the DMS, when `filed`; the one that was there before, when `duplicate`; the one that is to be read back before
    /// its source is given up, when `checking`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// When the source was given up for the link: the DMS had given the document back unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Timestamp>,
    /// The filing that this one repeats, when `duplicate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<FilingId>,
    /// The container that the last attempt sent to: where a probe looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Whose accounts may have sent it since it was last known not to be there: only when each of them finds nothing is it not
    /// there. Empty in rows of before that was kept, when there was the system account only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tried_as: BTreeSet<Credential>,
}

impl Progress {
    /// A filing that waits for its first try.
    pub fn new(now: Timestamp) -> Self {
        Self {
            state: State::Waiting,
            version: 1,
            generation: 0,
            due: Some(now),
            why: Why::FirstTry,
            tries: 0,
            deferrals: 0,
            interruptions: 0,
            same_cause: 0,
            cause_since: None,
            unsure: false,
            since: now,
            last_end: None,
            trouble: None,
            blocker: None,
            hint: String::new(),
            receipt: None,
            released: None,
            duplicate_of: None,
            container: None,
            tried_as: BTreeSet::new(),
        }
    }

    /// The same filing as one that repeats another, whose document is named where there is one already.
    #[must_use]
    pub fn repeating(self, first: FilingId, receipt: Option<Receipt>) -> Self {
        Self {
            state: State::Duplicate,
            due: None,
            trouble: None,
            blocker: None,
            hint: String::new(),
            receipt,
            duplicate_of: Some(first),
            ..self
        }
    }

    /// The cause, where something went wrong and the filing is not through.
    pub fn cause(&self) -> Option<Cause> {
        self.trouble.as_ref().map(|trouble| trouble.cause)
    }

    /// The queue it waits in, when it waits.
    pub const fn lane(&self) -> Option<Lane> {
        match (self.state, self.why) {
            (State::Checking, _) => Some(Lane::Checking),
            (State::Waiting, Why::FirstTry | Why::Retried) => Some(Lane::New),
            (State::Waiting, _) => Some(Lane::Deferred),
            _ => None,
        }
    }
}

/// A filing. Stores encode its parts for themselves; the wire has its own shape in `api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// Its id; ids grow in the order of acceptance.
    pub id: FilingId,
    /// The intake it comes from.
    pub intake: IntakeId,
    /// The site it belongs to.
    pub site: SiteName,
    /// The door it came through.
    pub source: SourceName,
    /// When it was accepted.
    pub received: Timestamp,
    /// What was asked.
    pub request: Arc<Request>,
    /// How far it is.
    pub progress: Progress,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The document is in the DMS.
    Filed,
    /// It went wrong.
    Failed(Trouble),
    /// The process ended while it was under way.
    Interrupted,
    /// The worker was stopped in an orderly way before anything was sent.
    Abandoned,
}

/// One try of a filing. Durable before the first byte is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which generation; also its number, from 1.
    pub generation: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it ended; none while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Bytes of the document that had left when it ended.
    #[serde(default)]
    pub bytes_sent: u64,
    /// Whether the DMS was asked for the mark before sending.
    #[serde(default)]
    pub probed: bool,
    /// Whose account it used; none in rows of before that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_of_states_and_reasons_come_back() {
        for (i, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, i);
            assert_eq!(State::from_number(state as u8), Some(state));
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        for (i, why) in Why::ALL.into_iter().enumerate() {
            assert_eq!(why as usize, i);
            assert_eq!(Why::from_number(why as u8), Some(why));
        }
    }
}

/// Filings for tests of this room.
#[cfg(test)]
pub(crate) mod testing {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ids::BlobHash;
    use crate::target::{WhenAmbiguous, WorkspaceQuery};

    /// A save of a linked document, numbered, in a state, with content of a number. What is filed is the document `doc-<number>`.
    pub(crate) fn linked(id: u8, state: State, content: u8, forced: bool) -> Filing {
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let number = u128::from(id);
        let receipt = Receipt {
            document: format!("doc-{id}"),
            version: None,
            container: "ws-1".to_owned(),
            size: None,
            hash: None,
            link: None,
        };
        Filing {
            id: FilingId::from_u128(number),
            intake: IntakeId::from_u128(number),
            site: "main".parse().unwrap(),
            source: "upload".parse().unwrap(),
            received: now,
            request: Arc::new(Request {
                blob: Blob { hash: BlobHash::new([content; 32]), size: 1 },
                file_name: "deed.docx".to_owned(),
                media_type: String::new(),
                target: Target {
                    service: "dms-eu".parse().unwrap(),
                    repository: Some("matters".parse().unwrap()),
                    library: "ACTIVE".to_owned(),
                    workspace: WorkspaceQuery::Title("Harrow v Teal".to_owned()),
                    folder: Vec::new(),
                    create_folders: false,
                    when_ambiguous: WhenAmbiguous::Ask,
                    profile: BTreeMap::new(),
                    create_workspace: false,
                    save_mode: SaveMode::KeepLinked,
                },
                work_item: Some(WorkItemId::from_u128(7)),
                reference: String::new(),
                subject: String::new(),
                sender: String::new(),
                submitted_by: "clerk".to_owned(),
                credential: Credential::System,
                forced,
                document_key: "deed".to_owned(),
                withheld: String::new(),
            }),
            progress: Progress {
                state,
                last_end: Some(crate::time::later(now, std::time::Duration::from_secs(u64::from(id)))),
                receipt: (state == State::Filed).then_some(receipt),
                ..Progress::new(now)
            },
        }
    }
}
