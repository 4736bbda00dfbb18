//! The store in one file, by [redb](https://docs.rs/redb): a single writer thread with group commit, readers beside it.
//!
//! What a caller must know: [`RedbStore::open`] may block for seconds (repair after a kill under load) and so belongs on a thread
//! that may; everything else is quick. A filing's head (what lists and claims read, rewritten by every change) and its body (the
//! request as JSON) are separate rows; indexes and counters are written in the same transaction, and counters are compared with
//! the heads at every start.

mod ages;
mod backup;
mod batch;
mod change;
mod check;
mod counters;
mod head;
mod keys;
mod list;
mod merge;
mod migrate;
mod names;
mod open;
mod read;
mod records;
mod schema;
mod side;
mod totals;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use postroom_domain::Fut;
use postroom_domain::event::{Event, NewEvent, Subject};
use postroom_domain::filing::{Attempt, Filing, Lane, State};
use postroom_domain::ids::{
    BlobHash, FilingId, IntakeId, RepositoryName, ServiceName, SiteName, SourceName, WorkItemId,
};
use postroom_domain::intake::Intake;
use postroom_domain::person::{Actor, Scope};
use postroom_domain::query::{FilingQuery, IntakeQuery, Slice, Window};
use postroom_domain::record::{Commit, Kind, Record, Registry, Write};
use postroom_domain::spool::Blob;
use postroom_domain::store::{
    Acceptance, Accepted, AgeLine, Binding, CauseGroup, Chained, Check, Division, FilingChange, IntakeChange,
    Pause, QueueHead, Ready, Section, Store, StoreError, StoreResult, Summary,
};
use postroom_domain::work_item::WorkItem;

pub use backup::{Offline, restore, verify, verify_with};
pub use open::{OpenError, OpenOptions, OpenReport, RepairProgress};

use names::Names;
use writer::{Shared, Writer};

/// Why a piece of work on the tables did not come to its end.
#[derive(Debug)]
enum Stop {
    /// The caller is told, and the store goes on.
    Refused(StoreError),
    /// Nothing is known about the transaction any more, and the store stops.
    Broken(String),
}

impl Stop {
    fn damaged(what: &str) -> Self {
        Self::Refused(StoreError::Damaged(what.to_owned()))
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

macro_rules! broken_by {
    ($($error:ty),*) => {
        $(impl From<$error> for Stop {
            fn from(error: $error) -> Self {
                Self::Broken(error.to_string())
            }
        })*
    };
}

broken_by!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);

/// When commits carry what makes the next start quick whatever happens: it costs a second flush.
#[derive(Debug, Clone)]
enum QuickRepair {
    Never,
    Above { file: PathBuf, bytes: u64 },
}

impl QuickRepair {
    fn applies(&self) -> bool {
        match self {
            Self::Never => false,
            Self::Above { file, bytes } => std::fs::metadata(file).is_ok_and(|found| found.len() > *bytes),
        }
    }
}

/// How the writer works.
#[derive(Debug, Clone)]
struct WriterOptions {
    idle_seal: Duration,
    queue: usize,
    group_commands: usize,
    group_bytes: usize,
    quick_repair: QuickRepair,
}

/// The embedded store. See the module's text.
pub struct RedbStore {
    // Before `shared` and the lock, so that the writer is done before they go.
    writer: Writer,
    shared: Arc<Shared>,
    /// Held as long as the store is open.
    _lock: Option<open::Lock>,
}

impl RedbStore {
    /// Opens the store in a file, or creates it there. Blocks while redb repairs a file that was open when the process ended;
    /// [`OpenOptions::on_repair`] is told how far that is.
    pub fn open(file: &Path, options: OpenOptions) -> Result<(Self, OpenReport), OpenError> {
        open::open(file, options)
    }

    /// Writes a consistent copy to a new file, which is complete or not there at all. Blocks, and holds one read transaction while
    /// it copies: what is changed meanwhile makes the store's file grow.
    pub fn backup(&self, to: &Path) -> Result<u64, OpenError> {
        backup::backup(&self.shared, to)
    }

    /// Contents that rows name, each once, in the order of the first halves of their hashes, after one of them: what a backup
    /// links.
    pub fn contents_after(&self, after: Option<BlobHash>, limit: usize) -> StoreResult<Vec<Blob>> {
        self.shared.read(|shelf| shelf.contents_after(after, limit))
    }

    /// The same for contents that records name (uploads under way, tables of data), in the order of their hashes.
    pub fn record_contents_after(&self, after: Option<BlobHash>, limit: usize) -> StoreResult<Vec<Blob>> {
        self.shared.read(|shelf| shelf.record_contents_after(after, limit))
    }

    /// How many rows lists have looked at since the start.
    pub fn rows_looked_at(&self) -> u64 {
        self.shared.looked_at.load(Ordering::Relaxed)
    }

    /// How many groups of changes were committed since the start.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }

    /// A short read that needs names.
    fn read<T>(&self, work: impl FnOnce(&schema::Shelf, &Names) -> Result<T, Stop>) -> StoreResult<T> {
        self.shared.read(|shelf| {
            let names = self.shared.names.read().unwrap_or_else(PoisonError::into_inner);
            work(shelf, &names)
        })
    }
}

/// A read that is done when it is asked for.
macro_rules! now {
    ($work:expr) => {
        Box::pin(async move { $work })
    };
}

/// About what a small record writes.
const SMALL: usize = 1024;

impl Registry for RedbStore {
    fn commit(&self, commit: Commit) -> Fut<'_, StoreResult<()>> {
        let bytes = records::bytes(&commit.writes) + SMALL * commit.events.len();
        Box::pin(self.writer.write(&self.shared, bytes, move |batch| records::commit(batch, commit)))
    }

    fn record_by_id(&self, kind: Kind, id: u128) -> Fut<'_, StoreResult<Option<Record>>> {
        now!(self.shared.read(|shelf| shelf.record_by_id(kind, id)))
    }

    fn record_by_key<'a>(&'a self, kind: Kind, key: &'a str) -> Fut<'a, StoreResult<Option<Record>>> {
        now!(self.shared.read(|shelf| shelf.record_by_key(kind, key)))
    }

    fn records<'a>(
        &'a self,
        kind: Kind,
        group: Option<&'a str>,
        after: Option<u128>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Record>>> {
        now!(self.shared.read(|shelf| shelf.records_of(kind, group, after, limit)))
    }
}

impl Store for RedbStore {
    fn accept(&self, acceptance: Acceptance) -> Fut<'_, StoreResult<Accepted>> {
        Box::pin(async move {
            let acceptance = change::Acceptance::new(acceptance)?;
            let bytes = acceptance.bytes();
            self.writer.write(&self.shared, bytes, |batch| change::accept(batch, acceptance)).await
        })
    }

    fn change_filings(&self, changes: Vec<FilingChange>) -> Fut<'_, StoreResult<Vec<StoreResult<()>>>> {
        Box::pin(async move {
            let changes = changes
                .into_iter()
                .map(|change| {
                    let body = change.request.as_ref().map(batch::json).transpose()?.unwrap_or_default();
                    Ok((change, body))
                })
                .collect::<StoreResult<Vec<_>>>()?;
            let bytes = changes.iter().map(|(_, body)| SMALL + body.len()).sum();
            self.writer.write(&self.shared, bytes, |batch| change::change_filings(batch, changes)).await
        })
    }

    fn change_intake(&self, mut change: IntakeChange) -> Fut<'_, StoreResult<()>> {
        Box::pin(async move {
            let filings = std::mem::take(&mut change.filings)
                .into_iter()
                .map(batch::Newcomer::new)
                .collect::<StoreResult<Vec<_>>>()?;
            let bytes = SMALL * (2 + filings.len());
            let decision = change::Decision { change, filings };
            self.writer.write(&self.shared, bytes, |batch| change::change_intake(batch, decision)).await
        })
    }

    fn divide(&self, division: Division) -> Fut<'_, StoreResult<()>> {
        Box::pin(async move {
            let Division { change, sections } = division;
            crate::rules::may_divide(false, &sections)?;
            let part = |Section { intake, filings }| {
                let filings = filings.into_iter().map(batch::Newcomer::new).collect::<StoreResult<_>>()?;
                Ok(change::Part { intake, filings })
            };
            let parts = sections.into_iter().map(part).collect::<StoreResult<Vec<_>>>()?;
            let bytes = parts.iter().map(|part| SMALL * (2 + part.filings.len())).sum::<usize>() + SMALL;
            self.writer.write(&self.shared, bytes, |batch| change::divide(batch, change, parts)).await
        })
    }

    fn filing(&self, id: FilingId) -> Fut<'_, StoreResult<Option<Filing>>> {
        now!(self.read(|shelf, names| shelf.filing(names, id.as_u128())))
    }

    fn filings_by_id<'a>(&'a self, ids: &'a [FilingId]) -> Fut<'a, StoreResult<Vec<Filing>>> {
        now!(self.read(|shelf, names| {
            let mut filings = Vec::with_capacity(ids.len());
            for id in ids {
                filings.extend(shelf.filing(names, id.as_u128())?);
            }
            Ok(filings)
        }))
    }

    fn attempts(&self, id: FilingId) -> Fut<'_, StoreResult<Vec<Attempt>>> {
        now!(self.shared.read(|shelf| shelf.attempts_of(id.as_u128())))
    }

    fn intake(&self, id: IntakeId) -> Fut<'_, StoreResult<Option<Intake>>> {
        now!(self.shared.read(|shelf| shelf.intake(id.as_u128())))
    }

    fn intake_filings(&self, id: IntakeId) -> Fut<'_, StoreResult<Vec<Filing>>> {
        now!(self.read(|shelf, names| shelf.filings_of_intake(names, id.as_u128())))
    }

    fn linked<'a>(&'a self, key: &'a str) -> Fut<'a, StoreResult<Vec<Filing>>> {
        now!(self.read(|shelf, names| shelf.saves_of(names, key)))
    }

    fn list_filings<'a>(
        &'a self,
        query: &'a FilingQuery,
        window: Window<FilingId>,
        now: Timestamp,
    ) -> Fut<'a, StoreResult<Slice<Filing, FilingId>>> {
        Box::pin(list::filings(&self.shared, query, window, now))
    }

    fn list_intakes<'a>(
        &'a self,
        query: &'a IntakeQuery,
        window: Window<IntakeId>,
    ) -> Fut<'a, StoreResult<Slice<Intake, IntakeId>>> {
        Box::pin(list::intakes(&self.shared, query, window))
    }

    fn queues(&self) -> Fut<'_, StoreResult<Vec<QueueHead>>> {
        now!(self.read(schema::Shelf::queue_heads))
    }

    fn ready<'a>(
        &'a self,
        service: &'a ServiceName,
        source: &'a SourceName,
        lane: Lane,
        now: Timestamp,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Ready>>> {
        now!(self.read(|shelf, names| shelf.due(names, (service, source, lane), now, limit)))
    }

    fn due_beyond(&self, at: Timestamp, limit: usize) -> Fut<'_, StoreResult<Vec<FilingId>>> {
        now!(self.shared.read(|shelf| shelf.due_beyond(at, limit)))
    }

    fn in_state<'a>(
        &'a self,
        service: Option<&'a ServiceName>,
        state: State,
        after: Option<FilingId>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Filing>>> {
        now!(self.read(|shelf, names| shelf.filings_in_state(names, service, state, after, limit)))
    }

    fn summary<'a>(&'a self, sites: &'a Scope) -> Fut<'a, StoreResult<Summary>> {
        now!(self.read(|shelf, names| shelf.totals(names, sites)))
    }

    fn causes<'a>(&'a self, sites: &'a Scope) -> Fut<'a, StoreResult<Vec<CauseGroup>>> {
        now!(self.read(|shelf, names| shelf.cause_groups(names, sites)))
    }

    fn ages<'a>(
        &'a self,
        sites: &'a Scope,
        bounds: &'a [Duration],
        now: Timestamp,
    ) -> Fut<'a, StoreResult<Vec<AgeLine>>> {
        Box::pin(ages::ages(&self.shared, sites, bounds, now))
    }

    fn arrivals_since<'a>(
        &'a self,
        sites: &'a Scope,
        since: Timestamp,
    ) -> Fut<'a, StoreResult<Vec<(SourceName, u64)>>> {
        now!(ages::arrivals(&self.shared, sites, since))
    }

    fn record(&self, event: NewEvent) -> Fut<'_, StoreResult<u64>> {
        Box::pin(self.writer.write(&self.shared, SMALL, move |batch| batch.event(&event)))
    }

    fn events_after(&self, seq: u64, limit: usize) -> Fut<'_, StoreResult<Vec<Event>>> {
        now!(self.shared.read(|shelf| shelf.events_beyond(seq, limit)))
    }

    fn chain_after(&self, seq: u64, limit: usize) -> Fut<'_, StoreResult<Vec<Chained>>> {
        now!(self.shared.read(|shelf| shelf.links_beyond(seq, limit)))
    }

    fn events_about<'a>(&'a self, subject: &'a Subject, limit: usize) -> Fut<'a, StoreResult<Vec<Event>>> {
        now!(self.shared.read(|shelf| shelf.latest_about(subject, limit)))
    }

    fn wait_beyond(&self, seq: u64, patience: Duration) -> Fut<'_, u64> {
        Box::pin(crate::news::beyond(&self.shared.last_event, seq, patience))
    }

    fn names_blob(&self, hash: BlobHash) -> Fut<'_, StoreResult<bool>> {
        now!(self.shared.read(|shelf| shelf.names_content(&hash)))
    }

    fn pause(&self, pause: Pause) -> Fut<'_, StoreResult<()>> {
        Box::pin(self.writer.write(&self.shared, SMALL, move |batch| side::pause(batch, &pause)))
    }

    fn resume<'a>(&'a self, door: &'a str, by: &'a Actor, at: Timestamp) -> Fut<'a, StoreResult<bool>> {
        let (door, by) = (door.to_owned(), by.clone());
        Box::pin(self.writer.write(&self.shared, SMALL, move |batch| side::resume(batch, &door, &by, at)))
    }

    fn pauses(&self) -> Fut<'_, StoreResult<Vec<Pause>>> {
        use redb::ReadableTable;
        now!(self.shared.read(|shelf| {
            shelf.pauses()?.iter()?.map(|row| batch::parse(row?.1.value(), "pause")).collect()
        }))
    }

    fn save_work_item<'a>(
        &'a self,
        item: WorkItem,
        records: Vec<Write>,
        actor: &'a Actor,
        at: Timestamp,
    ) -> Fut<'a, StoreResult<()>> {
        let actor = actor.clone();
        Box::pin(self.writer.write(&self.shared, SMALL + records::bytes(&records), move |batch| {
            side::save_work_item(batch, &item, records, &actor, at)
        }))
    }

    fn work_item(&self, id: WorkItemId) -> Fut<'_, StoreResult<Option<WorkItem>>> {
        now!(self.shared.read(|shelf| {
            batch::row(&shelf.work_items()?, &id.as_u128().to_be_bytes(), |bytes| {
                batch::parse(bytes, "work item")
            })
        }))
    }

    fn work_item_by_reference<'a>(
        &'a self,
        site: &'a SiteName,
        reference: &'a str,
    ) -> Fut<'a, StoreResult<Option<WorkItem>>> {
        now!(self.shared.read(|shelf| {
            let key = keys::reference(site, reference);
            let Some(id) = batch::row(&shelf.work_references()?, key.as_str(), |id| Ok(*id))? else {
                return Ok(None);
            };
            batch::row(&shelf.work_items()?, &id, |bytes| batch::parse(bytes, "work item"))
        }))
    }

    fn list_work_items<'a>(
        &'a self,
        sites: &'a Scope,
        text: &'a str,
        window: Window<WorkItemId>,
    ) -> Fut<'a, StoreResult<Slice<WorkItem, WorkItemId>>> {
        Box::pin(list::work_items(&self.shared, sites, text, window))
    }

    fn binding<'a>(
        &'a self,
        work_item: WorkItemId,
        repository: &'a RepositoryName,
    ) -> Fut<'a, StoreResult<Option<Binding>>> {
        now!(self.shared.read(|shelf| {
            let key = keys::binding(work_item, repository);
            batch::row(&shelf.bindings()?, key.as_slice(), |bytes| {
                batch::parse(bytes, "remembered workspace")
            })
        }))
    }

    fn bind<'a>(
        &'a self,
        work_item: WorkItemId,
        repository: &'a RepositoryName,
        binding: Option<Binding>,
        told: Option<NewEvent>,
    ) -> Fut<'a, StoreResult<()>> {
        let repository = repository.clone();
        Box::pin(self.writer.write(&self.shared, SMALL, move |batch| {
            side::bind(batch, work_item, &repository, binding.as_ref(), told.as_ref())
        }))
    }

    fn prove(&self) -> Fut<'_, StoreResult<Duration>> {
        Box::pin(async move {
            let start = Instant::now();
            self.writer.write(&self.shared, 64, side::prove).await?;
            Ok(start.elapsed())
        })
    }

    fn greatest_id(&self) -> u128 {
        *self.shared.greatest_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> Option<String> {
        self.shared.failed()
    }

    fn self_check(&self) -> Fut<'_, StoreResult<Check>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            // It looks at every row: on a thread of its own, not on one that serves others.
            let check = move || shared.read(|shelf| check::check(shelf, schema::VERSION));
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => match runtime.spawn_blocking(check).await {
                    Ok(result) => result,
                    Err(error) => Err(StoreError::Fatal(format!("the self-check ended early: {error}"))),
                },
                Err(_) => check(),
            }
        })
    }

    fn close(&self) -> Fut<'_, StoreResult<()>> {
        Box::pin(self.writer.close(&self.shared))
    }
}
