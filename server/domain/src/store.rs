//! What Postroom keeps, and how it changes: the trait that every store fulfils and one conformance suite checks.
//!
//! Promises of every store:
//! - a call that returns `Ok` is durable; one that returns [`StoreError::Fatal`] may or may not have happened, and the store
//!   takes no more writes until it is opened again;
//! - each [`FilingChange`], [`IntakeChange`] and [`Acceptance`] is one transaction: rows, index rows, counters, events;
//! - changes are compare-and-set on the record's version: one of two wins, the other is told;
//! - an intake's `open_filings` follows its filings in the same transaction, and it settles with the last of them; a divided one
//!   follows its sections likewise;
//! - reads are short and never hold up a write.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::cause::Cause;
use crate::event::{Event, NewEvent, Subject};
use crate::filing::{Attempt, Filing, Lane, Progress, Request, State};
use crate::ids::{
    BlobHash, BulkId, FilingId, IntakeId, RepositoryName, ServiceName, SiteName, SourceName, WorkItemId,
};
use crate::intake::{Intake, IntakeState};
use crate::machine::AttemptChange;
use crate::person::{Actor, Scope};
use crate::query::{FilingQuery, IntakeQuery, Slice, Window};
use crate::record::Write;
use crate::work_item::WorkItem;

/// Why the store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The record changed in between: read it again.
    #[error("the record changed meanwhile (its version is {found})")]
    Conflict {
        /// The version it has now; 0 when it does not exist.
        found: u64,
    },
    /// The idempotency key was used with other content.
    #[error("the idempotency key was used before with other content")]
    KeyReused,
    /// A unique value is taken.
    #[error("{0} exists already")]
    Exists(String),
    /// Too many writes are waiting: come back.
    #[error("the store is busy")]
    Busy,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
    /// The disk failed. What was asked may or may not have happened; nothing more is written until a restart.
    #[error("the store failed: {0}")]
    Fatal(String),
    /// A row cannot be read.
    #[error("damaged record: {0}")]
    Damaged(String),
}

/// The result of a store call.
pub type StoreResult<T> = Result<T, StoreError>;

/// A caller's promise that the same key means the same request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// The key, with whoever used it in front, so that two callers cannot meet: `user/upload/…`, `hot/scans/…`.
    pub key: String,
    /// Hash of what was asked: the same key with another one is refused.
    pub fingerprint: BlobHash,
}

/// An intake with its filings, to be written in one transaction.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// The intake; the store sets `filings`, `open_filings`, and `settled` when no filing is open but there are some.
    pub intake: Intake,
    /// Its filings.
    pub filings: Vec<Filing>,
    /// The caller's key, if any.
    pub key: Option<IdempotencyKey>,
    /// Records that come to be with it, in the same transaction: the ledger's entry of a letter, the cursor of the mailbox it came from.
    /// They are not written when the key was used before.
    pub records: Vec<Write>,
    /// Who hands it in.
    pub actor: Actor,
    /// For the event.
    pub note: String,
}

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one short-lived value per acceptance; the large variant is the usual one"
)]
pub enum Accepted {
    /// Written now. Filings whose content is at the same target already (or on its way there, and not forced) have
    /// become `duplicate`, linked to the first one. A save of a linked document is compared with the last save of that document, and
    /// with nothing else.
    Fresh(Intake, Vec<Filing>),
    /// The key was used before: nothing was written, this is what it made then.
    Again(IntakeId),
}

/// A change of a filing.
#[derive(Debug, Clone)]
pub struct FilingChange {
    /// Which one.
    pub id: FilingId,
    /// The version that the change was computed from.
    pub expect: u64,
    /// What it becomes; its version is `expect + 1`.
    pub next: Progress,
    /// What happens to its attempt rows.
    pub attempt: Option<AttemptChange>,
    /// A new request, when a person edited it.
    pub request: Option<Request>,
    /// Who changes it.
    pub actor: Actor,
    /// The reason in words.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// What the history keeps besides the change itself, in the same transaction: whose account stood in.
    pub also: Vec<NewEvent>,
    /// The set that it was decided over with, where it was one: stands in the event, so that the set knows its own change again.
    pub bulk: Option<BulkId>,
}

/// A change of an intake.
#[derive(Debug, Clone)]
pub struct IntakeChange {
    /// What it becomes; `version` is one more than that of the row.
    pub next: Intake,
    /// Filings that the decision adds.
    pub filings: Vec<Filing>,
    /// Records that change with it, in the same transaction.
    pub records: Vec<Write>,
    /// Who decides.
    pub actor: Actor,
    /// The reason in words.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// A part of an intake that is divided: an intake of its own, with its filings.
#[derive(Debug, Clone)]
pub struct Section {
    /// The intake; the store sets what an [`Acceptance`]'s is given, and `part_of`.
    pub intake: Intake,
    /// Its filings.
    pub filings: Vec<Filing>,
}

/// An intake whose pages become intakes of their own.
#[derive(Debug, Clone)]
pub struct Division {
    /// What the intake becomes, without filings; the store sets its `sections` and its numbers.
    pub change: IntakeChange,
    /// Its parts, in order; at least one.
    pub sections: Vec<Section>,
}

/// A filing that could be taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Which one.
    pub id: FilingId,
    /// The queue it waits in.
    pub lane: Lane,
    /// When it was due.
    pub due: Timestamp,
}

/// A queue that has entries: what the scheduler goes round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueHead {
    /// The destination.
    pub service: ServiceName,
    /// The source.
    pub source: SourceName,
    /// The lane.
    pub lane: Lane,
    /// When its first entry is due.
    pub first_due: Timestamp,
}

/// How many filings are in each state, and how old the oldest open one is, for one source or destination.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// By number of the state.
    pub by_state: [u64; State::ALL.len()],
    /// When the oldest filing that is waiting, blocked, running or checking was received.
    pub oldest_open: Option<Timestamp>,
}

impl Tally {
    /// How many are in a state.
    pub const fn count(&self, state: State) -> u64 {
        self.by_state[state as usize]
    }
}

/// The totals of some sites, or of everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// All filings.
    pub filings: Tally,
    /// By destination.
    pub destinations: Vec<(ServiceName, Tally)>,
    /// By source.
    pub sources: Vec<(SourceName, Tally)>,
    /// Intakes by number of the state.
    pub intakes: [u64; IntakeState::ALL.len()],
    /// The number of the last event.
    pub last_event: u64,
}

/// Open filings (not filed, duplicate or cancelled) with the same cause at the same destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseGroup {
    /// The cause.
    pub cause: Cause,
    /// The destination.
    pub service: ServiceName,
    /// How many filings have failed, are held, undecided or blocked with it, or wait for another try.
    pub count: u64,
    /// How many of them need a person (`failed`, `undecided`, `held`).
    pub need_person: u64,
    /// When the oldest of them was received.
    pub first: Timestamp,
    /// When it was last met.
    pub last: Timestamp,
}

/// Open filings of one destination by how long ago they were accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgeLine {
    /// The destination.
    pub service: ServiceName,
    /// How many are younger than each bound and not younger than the one before; the last number is of those beyond all bounds.
    pub counts: Vec<u64>,
    /// There are older ones that were not counted.
    pub more: bool,
}

impl AgeLine {
    /// So many filings of a destination are counted, the newest first.
    pub const MOST: u64 = 200_000;
}

/// A stopped source, destination or account. Survives restarts and wins over the scheduler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// `source/name`, `destination/name` or [`crate::link::Link::door`].
    pub door: String,
    /// Whose site may hear of it; none where everybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteName>,
    /// Who stopped it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When it goes on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The workspace that a work item was found in, remembered per repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The work item.
    pub work_item: WorkItemId,
    /// The repository.
    pub repository: RepositoryName,
    /// The workspace's id in the DMS.
    pub workspace: String,
    /// Whether a person chose it (then it is not replaced by a search).
    pub chosen_by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a self-check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Check {
    /// Filings looked at.
    pub filings: u64,
    /// Intakes looked at.
    pub intakes: u64,
    /// What is wrong, in words; at most a hundred.
    pub wrong: Vec<String>,
}

/// A link of the chain of the history: what an event was written as, and the hash that ties it to all before it.
///
/// `hash(n) = BLAKE3(hash(n-1) ‖ n as eight bytes, greatest first ‖ written)`, where `hash(0)` is 32 zero bytes. Who has one hash from
/// elsewhere (an export, a log line, a note on paper) can tell whether anything before it was changed, taken out or put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chained {
    /// The event's number.
    pub seq: u64,
    /// The bytes that the event is kept as: JSON.
    pub written: Vec<u8>,
    /// The hash as it was kept when the event was written.
    pub hash: [u8; 32],
}

/// What Postroom keeps.
pub trait Store: crate::record::Registry {
    /// Writes an intake with its filings and their events.
    fn accept(&self, acceptance: Acceptance) -> Fut<'_, StoreResult<Accepted>>;

    /// Changes filings, each for itself: the answers are in the order of the changes. Errors of the whole call are fatal
    /// ones.
    fn change_filings(&self, changes: Vec<FilingChange>) -> Fut<'_, StoreResult<Vec<StoreResult<()>>>>;

    /// Changes an intake.
    fn change_intake(&self, change: IntakeChange) -> Fut<'_, StoreResult<()>>;

    /// Divides an intake: it changes, and its sections come to be, all in one transaction. Only one that is neither divided nor a section.
    fn divide(&self, division: Division) -> Fut<'_, StoreResult<()>>;

    /// One filing.
    fn filing(&self, id: FilingId) -> Fut<'_, StoreResult<Option<Filing>>>;

    /// Many filings, in the order asked; those that do not exist are left out.
    fn filings_by_id<'a>(&'a self, ids: &'a [FilingId]) -> Fut<'a, StoreResult<Vec<Filing>>>;

    /// Its attempts, first to last.
    fn attempts(&self, id: FilingId) -> Fut<'_, StoreResult<Vec<Attempt>>>;

    /// One intake.
    fn intake(&self, id: IntakeId) -> Fut<'_, StoreResult<Option<Intake>>>;

    /// An intake's filings, first to last.
    fn intake_filings(&self, id: IntakeId) -> Fut<'_, StoreResult<Vec<Filing>>>;

    /// All saves of one linked document ([`Request::linked`]), first to last.
    fn linked<'a>(&'a self, key: &'a str) -> Fut<'a, StoreResult<Vec<Filing>>>;

    /// Filings, newest first.
    fn list_filings<'a>(
        &'a self,
        query: &'a FilingQuery,
        window: Window<FilingId>,
        now: Timestamp,
    ) -> Fut<'a, StoreResult<Slice<Filing, FilingId>>>;

    /// Intakes, newest first.
    fn list_intakes<'a>(
        &'a self,
        query: &'a IntakeQuery,
        window: Window<IntakeId>,
    ) -> Fut<'a, StoreResult<Slice<Intake, IntakeId>>>;

    /// The queues of `waiting` and `checking` filings that have entries.
    fn queues(&self) -> Fut<'_, StoreResult<Vec<QueueHead>>>;

    /// The entries of one queue that are due, earliest first.
    fn ready<'a>(
        &'a self,
        service: &'a ServiceName,
        source: &'a SourceName,
        lane: Lane,
        now: Timestamp,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Ready>>>;

    /// Entries of any queue whose due time lies beyond `at`: what a clock that jumped back leaves behind. A store that cannot
    /// tell answers none.
    fn due_beyond(&self, at: Timestamp, limit: usize) -> Fut<'_, StoreResult<Vec<FilingId>>> {
        let _ = (at, limit);
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Filings in a state at a destination, oldest first, after one of them: how blocked ones are let go in portions.
    fn in_state<'a>(
        &'a self,
        service: Option<&'a ServiceName>,
        state: State,
        after: Option<FilingId>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Filing>>>;

    /// Totals of some sites or of everything.
    fn summary<'a>(&'a self, sites: &'a Scope) -> Fut<'a, StoreResult<Summary>>;

    /// Open filings by cause and destination, most first.
    fn causes<'a>(&'a self, sites: &'a Scope) -> Fut<'a, StoreResult<Vec<CauseGroup>>>;

    /// Open filings (not filed, duplicate or cancelled) by destination and age, which is that of their ids. `bounds` are the upper
    /// bounds of the columns, growing. Destinations without any are left out; the others are in the order of their names.
    fn ages<'a>(
        &'a self,
        sites: &'a Scope,
        bounds: &'a [Duration],
        now: Timestamp,
    ) -> Fut<'a, StoreResult<Vec<AgeLine>>>;

    /// How many intakes came through each door since a time, which is that of their ids; doors without any are left out. Of one door at
    /// most [`AgeLine::MOST`] are counted.
    fn arrivals_since<'a>(
        &'a self,
        sites: &'a Scope,
        since: Timestamp,
    ) -> Fut<'a, StoreResult<Vec<(SourceName, u64)>>>;

    /// Writes an event that belongs to no change.
    fn record(&self, event: NewEvent) -> Fut<'_, StoreResult<u64>>;

    /// Events after a number, in order.
    fn events_after(&self, seq: u64, limit: usize) -> Fut<'_, StoreResult<Vec<Event>>>;

    /// Events after a number as they are kept, with their hashes, for verification and export.
    fn chain_after(&self, seq: u64, limit: usize) -> Fut<'_, StoreResult<Vec<Chained>>>;

    /// The events about one thing, first to last, at most `limit` of the latest.
    fn events_about<'a>(&'a self, subject: &'a Subject, limit: usize) -> Fut<'a, StoreResult<Vec<Event>>>;

    /// Returns when there is an event beyond the number, with the number of the last one, or after `patience`.
    fn wait_beyond(&self, seq: u64, patience: Duration) -> Fut<'_, u64>;

    /// Whether any row needs this content. A filing whose source was given up for a link needs it no more, nor does its intake when
    /// that holds for all its filings of this content.
    fn names_blob(&self, hash: BlobHash) -> Fut<'_, StoreResult<bool>>;

    /// Stops a door, or changes its pause; writes the event with it.
    fn pause(&self, pause: Pause) -> Fut<'_, StoreResult<()>>;

    /// Lets a door go on; false when it was not stopped. Writes the event with it.
    fn resume<'a>(&'a self, door: &'a str, by: &'a Actor, at: Timestamp) -> Fut<'a, StoreResult<bool>>;

    /// The stopped doors.
    fn pauses(&self) -> Fut<'_, StoreResult<Vec<Pause>>>;

    /// Creates or changes a work item: [`StoreError::Exists`] when another one has its reference,
    /// [`StoreError::Conflict`] when its version is not one more than that of the row. Records that change with it are written in the
    /// same transaction.
    fn save_work_item<'a>(
        &'a self,
        item: WorkItem,
        records: Vec<Write>,
        actor: &'a Actor,
        at: Timestamp,
    ) -> Fut<'a, StoreResult<()>>;

    /// A work item by its id.
    fn work_item(&self, id: WorkItemId) -> Fut<'_, StoreResult<Option<WorkItem>>>;

    /// A work item by its reference, without case.
    fn work_item_by_reference<'a>(
        &'a self,
        site: &'a SiteName,
        reference: &'a str,
    ) -> Fut<'a, StoreResult<Option<WorkItem>>>;

    /// Work items whose reference begins with, or whose title or client contains, the text, without case; all for an
    /// empty one. Newest first.
    fn list_work_items<'a>(
        &'a self,
        sites: &'a Scope,
        text: &'a str,
        window: Window<WorkItemId>,
    ) -> Fut<'a, StoreResult<Slice<WorkItem, WorkItemId>>>;

    /// The remembered workspace.
    fn binding<'a>(
        &'a self,
        work_item: WorkItemId,
        repository: &'a RepositoryName,
    ) -> Fut<'a, StoreResult<Option<Binding>>>;

    /// Remembers a workspace; `None` forgets it. What the history keeps of it is written with it.
    fn bind<'a>(
        &'a self,
        work_item: WorkItemId,
        repository: &'a RepositoryName,
        binding: Option<Binding>,
        told: Option<NewEvent>,
    ) -> Fut<'a, StoreResult<()>>;

    /// Proves that the store takes writes: commits a tiny row and tells how long that took.
    fn prove(&self) -> Fut<'_, StoreResult<Duration>>;

    /// The greatest id it holds, so that new ones go on from there.
    fn greatest_id(&self) -> u128;

    /// Why it takes no more writes, once it failed.
    fn failed(&self) -> Option<String>;

    /// Compares counters and indexes with the rows.
    fn self_check(&self) -> Fut<'_, StoreResult<Check>>;

    /// Finishes what waits and closes. Later calls answer [`StoreError::Closed`].
    fn close(&self) -> Fut<'_, StoreResult<()>>;
}
