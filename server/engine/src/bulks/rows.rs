//! The filings of a portion: each is decided over once, whatever is cut off in between.

use std::time::Duration;

use futures_util::future::join_all;
use postroom_domain::Fut;
use postroom_domain::bulk::{Bulk, BulkPart, Row, RowOutcome, Told};
use postroom_domain::decide::{DecideError, Grounds, decide};
use postroom_domain::event::{Happening, Subject};
use postroom_domain::filing::Filing;
use postroom_domain::ids::{BulkId, FilingId};
use postroom_domain::person::Actor;
use postroom_domain::store::StoreError;

use super::pass::{Halt, Worker};

/// Filings that are decided over at once: the store writes together what waits together.
const AT_ONCE: usize = 64;
/// How long is waited when too much waits to be written already.
const BREATH: Duration = Duration::from_millis(50);
/// How much of a filing's history is looked through for the set's own decision.
const HISTORY: usize = 1000;

/// What became of a row, and why.
type Verdict = (RowOutcome, String);

impl Worker {
    /// Decides over the next waiting rows of a portion, at most so many; which ones those were.
    pub(super) async fn hand_over(
        &self,
        bulk: &Bulk,
        told: &Told,
        part: &mut BulkPart,
        most: usize,
    ) -> Result<Vec<FilingId>, Halt> {
        let waiting = part.rows.iter_mut().filter(|row| row.outcome == RowOutcome::Waiting);
        let rows: Vec<&mut Row> = waiting.take(most.min(AT_ONCE)).collect();
        let verdicts: Vec<Fut<'_, Result<Verdict, Halt>>> = rows
            .iter()
            .map(|row| {
                let (id, version) = (row.id, row.version);
                Box::pin(self.decide_one(bulk, told, id, version)) as Fut<'_, Result<Verdict, Halt>>
            })
            .collect();
        let verdicts = join_all(verdicts).await;
        let (mut handed, mut halt) = (Vec::new(), None);
        for (row, verdict) in rows.into_iter().zip(verdicts) {
            match verdict {
                Ok((outcome, why)) => {
                    (row.outcome, row.why) = (outcome, why);
                    handed.push(row.id);
                }
                // What the others came to is kept: only this one is looked at again.
                Err(error) => halt = Some(error),
            }
        }
        halt.map_or(Ok(handed), Err)
    }

    async fn decide_one(
        &self,
        bulk: &Bulk,
        told: &Told,
        id: FilingId,
        version: u64,
    ) -> Result<Verdict, Halt> {
        let parts = &self.parts;
        loop {
            let grounds = Grounds {
                actor: Actor::person(&told.by),
                reason: told.reason.clone(),
                version: Some(version),
                bulk: Some(bulk.id),
            };
            let decision = bulk.action.decision();
            let (store, clock, entropy) = (&*parts.store, &*parts.clock, &*parts.entropy);
            let decided = decide(store, clock, entropy, &parts.policy, id, decision, grounds).await;
            let Err(refused) = decided else { return Ok((RowOutcome::Done, String::new())) };
            return Ok(match refused {
                DecideError::Stale(_) if self.is_own(bulk.id, id).await? => (RowOutcome::Done, String::new()),
                DecideError::Stale(now) => (RowOutcome::Skipped, changed(&now)),
                DecideError::NotFound(_) => (RowOutcome::Failed, "it is not there any more".to_owned()),
                DecideError::NotAllowed(_) | DecideError::Unsure => {
                    (RowOutcome::Skipped, refused.to_string())
                }
                DecideError::ReasonMissing => (RowOutcome::Failed, refused.to_string()),
                DecideError::Store(StoreError::Busy) => {
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
                DecideError::Store(StoreError::Damaged(why)) => (RowOutcome::Failed, why),
                // What was asked may have been done: the history tells at the next try.
                DecideError::Store(error) => return Err(error.into()),
            });
        }
    }

    /// Whether the set has decided over this filing already: its event carries the set's id.
    async fn is_own(&self, bulk: BulkId, id: FilingId) -> Result<bool, Halt> {
        let events = self.parts.store.events_about(&Subject::Filing(id), HISTORY).await?;
        let own = |happening: &Happening| match happening {
            Happening::Filing { bulk: by, .. } => *by == Some(bulk),
            _ => false,
        };
        Ok(events.iter().any(|event| own(&event.event.happening)))
    }

    /// Waiting rows that the set decided over before it was cut off become done; nothing is decided.
    pub(super) async fn find_own(&self, bulk: &Bulk, part: &mut BulkPart) -> Result<(), Halt> {
        let ids: Vec<FilingId> = part.rows.iter().map(|row| row.id).collect();
        let now = self.parts.store.filings_by_id(&ids).await?;
        for row in part.rows.iter_mut().filter(|row| row.outcome == RowOutcome::Waiting) {
            let moved = now.iter().any(|now| now.id == row.id && now.progress.version != row.version);
            if moved && self.is_own(bulk.id, row.id).await? {
                row.outcome = RowOutcome::Done;
            }
        }
        Ok(())
    }
}

fn changed(now: &Filing) -> String {
    format!("it changed meanwhile: it is {} now", now.progress.state)
}
