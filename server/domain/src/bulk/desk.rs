//! What people do with sets: freeze them, look at them, run, stop and take them back.

use std::time::Duration;

use super::action::Pace;
use super::part::{BulkPart, PART, Row, RowOutcome};
use super::set::{Bulk, BulkState, NotNow, Told};
use super::{COUNTED, FROZEN_FOR, KEPT_FOR};
use crate::event::{BulkNews, NewEvent};
use crate::ids::{BulkId, FilingId, IdMint};
use crate::person::{Actor, Principal};
use crate::record::{self, Commit, Kept as _};
use crate::store::{Store, StoreError, StoreResult};
use crate::time::{Clock, Entropy, age, later};

/// Sets that are read together.
const PAGE: usize = 200;
/// How often a change is tried again when another one was quicker: a set that runs is written often.
const TRIES: usize = 50;

/// Why something was not done with a set.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// More filings than a set may have.
    #[error("a set may have at most {most} filings, and more are meant", most = super::MOST)]
    TooMany,
    /// There is no such set, or the caller may not see it.
    #[error("there is no set {0}")]
    NotFound(BulkId),
    /// Its state does not allow this.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// The reason is missing.
    #[error("a reason is needed for this")]
    ReasonMissing,
    /// The number that was read is not the number of filings, or is missing where there are many.
    #[error("it will be done to {will} filings")]
    Count {
        /// To how many it will be done.
        will: u64,
        /// What was sent.
        said: Option<u64>,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a set is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Why.
    pub reason: String,
    /// How fast.
    pub pace: Pace,
    /// The number of filings that it will be done to, as it was read.
    pub count: Option<u64>,
    /// How long it may be taken back.
    pub grace: Duration,
}

/// Where sets are kept, and what is needed to make one.
#[derive(Clone, Copy)]
pub struct Bulks<'a> {
    /// Where filings and sets are.
    pub store: &'a dyn Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Chance, for ids.
    pub entropy: &'a dyn Entropy,
    /// Makes ids.
    pub mint: &'a IdMint,
}

impl Bulks<'_> {
    pub(super) fn next_id(&self) -> u128 {
        self.mint.next(self.clock, self.entropy)
    }

    /// A set that the caller may see.
    pub async fn find(&self, by: &Principal, id: BulkId) -> Result<Bulk, BulkError> {
        let found: Option<Bulk> = record::by_id(self.store, id.as_u128()).await?;
        found.filter(|bulk| bulk.is_seen_by(by)).ok_or(BulkError::NotFound(id))
    }

    /// Those that the caller may see (only what is about to run or running, if `live`), newest first, from before one of them; and where to
    /// go on.
    pub async fn latest(
        &self,
        by: &Principal,
        live: bool,
        before: Option<BulkId>,
        limit: usize,
    ) -> StoreResult<(Vec<Bulk>, Option<BulkId>)> {
        let mut all = self.all(if live { Bulk::WORKING } else { Bulk::ALL }).await?;
        all.retain(|bulk| {
            bulk.is_seen_by(by)
                && before.is_none_or(|before| bulk.id < before)
                && !(live && bulk.state.is_over())
        });
        all.reverse();
        let more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| more).map(|bulk| bulk.id);
        Ok((all, next))
    }

    /// All of a group, oldest first. There are some hundreds of them in a house, not millions.
    async fn all(&self, group: &str) -> StoreResult<Vec<Bulk>> {
        let (mut all, mut after) = (Vec::<Bulk>::new(), None);
        loop {
            let page: Vec<Bulk> = record::page(self.store, Some(group), after, PAGE).await?;
            let full = page.len() == PAGE;
            all.extend(page);
            after = all.last().map(|bulk| bulk.id.as_u128());
            if !full {
                return Ok(all);
            }
        }
    }

    /// Rows of a set in the order in which they are taken, those with an outcome if one is given, from a place on; and the place to go on at.
    pub async fn rows(
        &self,
        bulk: &Bulk,
        outcome: Option<RowOutcome>,
        from: usize,
        limit: usize,
    ) -> StoreResult<(Vec<Row>, Option<usize>)> {
        let (mut found, mut at) = (Vec::new(), from);
        while let Some(part) = self.part(bulk.id, at / PART).await? {
            for row in part.rows.iter().skip(at % PART) {
                if found.len() == limit {
                    return Ok((found, Some(at)));
                }
                at += 1;
                if outcome.is_none_or(|outcome| outcome == row.outcome) {
                    found.push(row.clone());
                }
            }
            if part.rows.len() < PART {
                break;
            }
        }
        Ok((found, None))
    }

    async fn part(&self, bulk: BulkId, number: usize) -> StoreResult<Option<BulkPart>> {
        record::by_key(self.store, &BulkPart::key(bulk, number)).await
    }

    /// Tells a set to run, once the grace is over.
    pub async fn run(&self, by: &Principal, id: BulkId, order: &Order) -> Result<Bulk, BulkError> {
        self.find(by, id).await?;
        let ids = self.waiting(id).await?;
        self.change(by, id, |bulk| {
            let now = self.clock.now();
            if bulk.state == BulkState::Frozen {
                allowed(bulk, order)?;
            }
            bulk.run(Told {
                by: by.name.clone(),
                reason: order.reason.trim().to_owned(),
                pace: order.pace,
                at: now,
                begins: later(now, order.grace),
            })?;
            Ok(bulk.news(BulkNews::Told, Actor::person(&by.name), now, ids.clone()))
        })
        .await
    }

    /// Leaves what has not been done.
    pub async fn stop(&self, by: &Principal, id: BulkId) -> Result<Bulk, BulkError> {
        self.change(by, id, |bulk| {
            let now = self.clock.now();
            bulk.stop(now)?;
            Ok(bulk.news(BulkNews::Stopped, Actor::person(&by.name), now, Vec::new()))
        })
        .await
    }

    /// Takes all of it back, as long as nothing was touched.
    pub async fn undo(&self, by: &Principal, id: BulkId) -> Result<Bulk, BulkError> {
        self.change(by, id, |bulk| {
            let now = self.clock.now();
            bulk.undo(now)?;
            Ok(bulk.news(BulkNews::Undone, Actor::person(&by.name), now, Vec::new()))
        })
        .await
    }

    /// The filings that it is to be done to.
    async fn waiting(&self, id: BulkId) -> StoreResult<Vec<FilingId>> {
        let mut ids = Vec::new();
        for number in 0.. {
            let Some(part) = self.part(id, number).await? else { break };
            let waiting = part.rows.iter().filter(|row| row.outcome == RowOutcome::Waiting);
            ids.extend(waiting.map(|row| row.id));
        }
        Ok(ids)
    }

    /// Changes a set and tells of it in one commit; once more when another change was quicker.
    async fn change(
        &self,
        by: &Principal,
        id: BulkId,
        what: impl Fn(&mut Bulk) -> Result<NewEvent, BulkError>,
    ) -> Result<Bulk, BulkError> {
        let mut tries = 0;
        loop {
            let mut bulk = self.find(by, id).await?;
            let told = what(&mut bulk)?;
            let commit = Commit { writes: vec![bulk.put()?], events: vec![told] };
            match self.store.commit(commit).await {
                Ok(()) => return Ok(bulk),
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Removes what nobody ran within [`FROZEN_FOR`], and what has been over for [`KEPT_FOR`]; answers how many sets went. The history keeps
    /// what was done.
    pub async fn sweep(&self) -> StoreResult<u64> {
        let (now, mut gone) = (self.clock.now(), 0);
        for bulk in self.all(Bulk::ALL).await? {
            let over = match (bulk.state, bulk.ended) {
                (BulkState::Frozen, _) => age(now, bulk.created) > FROZEN_FOR,
                (state, Some(ended)) => state.is_over() && !bulk.unsettled && age(now, ended) > KEPT_FOR,
                (_, None) => false,
            };
            if over && self.remove(&bulk).await? {
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// False when somebody changed it at this very moment.
    async fn remove(&self, bulk: &Bulk) -> StoreResult<bool> {
        let group = BulkPart::group(bulk.id);
        let parts: Vec<BulkPart> = record::page(self.store, Some(&group), None, usize::MAX).await?;
        let writes = std::iter::once(bulk.remove()).chain(parts.iter().map(BulkPart::remove)).collect();
        match self.store.commit(Commit { writes, events: Vec::new() }).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether what was said is enough to run a set.
fn allowed(bulk: &Bulk, order: &Order) -> Result<(), BulkError> {
    if bulk.action.needs_reason() && order.reason.trim().is_empty() {
        return Err(BulkError::ReasonMissing);
    }
    let wrong = match order.count {
        Some(said) => said != bulk.will,
        None => bulk.will > COUNTED,
    };
    if wrong { Err(BulkError::Count { will: bulk.will, said: order.count }) } else { Ok(()) }
}
