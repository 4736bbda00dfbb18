//! What a start puts right before anything is claimed: attempts that the end of the process interrupted, and due times that a
//! clock jumping back has left too far ahead.

use jiff::Timestamp;

use crate::backoff::RetryPolicy;
use crate::event::{Happening, NewEvent, Subject};
use crate::filing::{Filing, Progress, State};
use crate::machine::{AttemptChange, Context, Event, step};
use crate::person::Actor;
use crate::store::{FilingChange, Store, StoreError, StoreResult};
use crate::time::later;

/// How many filings are changed in one call: what is held in memory, and what one transaction takes.
const PORTION: usize = 512;
/// No jitter: the pause in the middle.
const EVEN: f64 = 0.5;

/// What a start put right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Filings that were running: the DMS is asked about them, or they were interrupted too often and a person is.
    pub interrupted: u64,
    /// Filings that were due too far ahead.
    pub pulled_in: u64,
}

/// Every `running` filing becomes `checking` (or a person's, when it was interrupted too often), every due time beyond
/// [`RetryPolicy::furthest_due`] is pulled in, and the start is written to the history. To be called before the first claim.
pub async fn recover(
    store: &dyn Store,
    policy: &RetryPolicy,
    now: Timestamp,
    actor: &Actor,
) -> StoreResult<Recovered> {
    let mut recovered = Recovered::default();
    let mut after = None;
    loop {
        let portion = store.in_state(None, State::Running, after, PORTION).await?;
        let Some(last) = portion.last() else { break };
        after = Some(last.id);
        let changes = portion.iter().filter_map(|filing| {
            let context = Context { now, chance: EVEN, policy };
            let step = step(&filing.progress, Event::Interrupted, context).ok()?;
            Some(change(filing, step.next, step.attempt, actor, now))
        });
        recovered.interrupted += write(store, changes.collect()).await?;
    }
    let furthest = policy.furthest_due(now);
    loop {
        let ids = store.due_beyond(furthest, PORTION).await?;
        let portion = store.filings_by_id(&ids).await?;
        let changes = portion.iter().map(|filing| {
            // As if it had begun to wait just now.
            let due = later(now, policy.pause(filing.progress.tries, EVEN)).min(furthest);
            let next =
                Progress { due: Some(due), version: filing.progress.version + 1, ..filing.progress.clone() };
            change(filing, next, None, actor, now)
        });
        match write(store, changes.collect()).await? {
            0 => break,
            written => recovered.pulled_in += written,
        }
    }
    let started = NewEvent {
        at: now,
        site: None,
        subject: Subject::System,
        happening: Happening::Started { recovered: recovered.interrupted },
        actor: actor.clone(),
        note: String::new(),
    };
    store.record(started).await?;
    Ok(recovered)
}

fn change(
    filing: &Filing,
    next: Progress,
    attempt: Option<AttemptChange>,
    actor: &Actor,
    at: Timestamp,
) -> FilingChange {
    FilingChange {
        id: filing.id,
        expect: filing.progress.version,
        next,
        attempt,
        request: None,
        actor: actor.clone(),
        note: String::new(),
        at,
        also: Vec::new(),
        bulk: None,
    }
}

/// Writes changes and counts them. Somebody else's change is left alone: it is newer than what was read.
async fn write(store: &dyn Store, changes: Vec<FilingChange>) -> StoreResult<u64> {
    if changes.is_empty() {
        return Ok(0);
    }
    let mut written = 0;
    for answer in store.change_filings(changes).await? {
        match answer {
            Ok(()) => written += 1,
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
