//! A portion of rows: what becomes of each, and the saving of it.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use postroom_domain::Fut;
use postroom_domain::data_upload::{Bound, DataUpload, Outcome, Planned, Row, RowResult, Verdict, plan};
use postroom_domain::event::{Happening, Subject};
use postroom_domain::ids::{SiteName, WorkItemId};
use postroom_domain::person::Actor;
use postroom_domain::store::StoreError;

use super::pass::{Halt, Met, Worker};

/// What stands in the history as who saved a row.
const ACTOR: &str = "data-upload";
/// Rows that are saved at once: the store writes together what waits together.
const AT_ONCE: usize = 128;
/// So often a row is planned anew when somebody else was faster.
const TRIES: usize = 5;
/// How long is waited when too much waits to be written already.
const BREATH: Duration = Duration::from_millis(50);
/// After so many rows others get a turn.
const TURN: usize = 100;

/// A row with what becomes of it, and how to find out again.
pub(super) struct OnItsWay<'a> {
    pub(super) planned: Planned,
    row: &'a Row,
    site: SiteName,
    /// It was saved before the process was cut off, with this result.
    saved: Option<RowResult>,
}

impl Worker {
    /// What becomes of each row. `before` is the plan of a portion that was cut off, made at `since`.
    pub(super) async fn plan<'a>(
        &self,
        upload: &DataUpload,
        bound: &Bound,
        rows: &'a [Row],
        met: &mut Met,
        before: &HashMap<u64, RowResult>,
        since: Option<Timestamp>,
    ) -> Result<Vec<OnItsWay<'a>>, Halt> {
        let mut all = Vec::with_capacity(rows.len());
        for (count, row) in rows.iter().enumerate() {
            if count % TURN == 0 {
                tokio::task::yield_now().await;
            }
            let (site, reference) = match bound.names(row, &upload.site, &upload.sites) {
                Ok(named) => named,
                Err((column, why)) => {
                    all.push(rejected(row, &upload.site, String::new(), column, why));
                    continue;
                }
            };
            if let Some(first) = met.before(site.as_str(), &reference, row.number) {
                let why = format!("the same reference stands in row {first} already, which alone is loaded");
                all.push(rejected(row, &site, reference, String::new(), why));
                continue;
            }
            let known = before.get(&row.number);
            let outcome = self.outcome(bound, row, &site, &reference, known).await?;
            let saved = match known {
                Some(known) => self.saved_before(known, &outcome, since).await?.then(|| known.clone()),
                None => None,
            };
            let planned = Planned { row: row.number, reference, outcome };
            all.push(OnItsWay { planned, row, site, saved });
        }
        Ok(all)
    }

    async fn outcome(
        &self,
        bound: &Bound,
        row: &Row,
        site: &SiteName,
        reference: &str,
        known: Option<&RowResult>,
    ) -> Result<Outcome, Halt> {
        let reception = &self.parts.mailroom.reception;
        let there = reception.store.work_item_by_reference(site, reference).await?;
        let id = known.and_then(|known| known.work_item).filter(|_| there.is_none());
        let id = id.unwrap_or_else(|| {
            WorkItemId::from_u128(reception.mint.next(&*reception.clock, &*reception.entropy))
        });
        Ok(plan(bound, row, site.clone(), there.as_ref(), id, self.now()))
    }

    /// Whether what was planned before the cut was saved. Either everything is there now, or somebody changed it since: then the history
    /// tells whose the change before was.
    async fn saved_before(
        &self,
        known: &RowResult,
        now: &Outcome,
        since: Option<Timestamp>,
    ) -> Result<bool, Halt> {
        let (Some(id), Some(since)) = (known.work_item, since) else { return Ok(false) };
        if !matches!(known.result, Verdict::Created | Verdict::Updated) {
            return Ok(false);
        }
        match now {
            Outcome::Create(_) => return Ok(false),
            Outcome::Unchanged(there) => return Ok(*there == id),
            Outcome::Update(..) | Outcome::Reject(..) => {}
        }
        let events = self.parts.mailroom.reception.store.events_about(&Subject::WorkItem(id), 50).await?;
        Ok(events.iter().any(|event| {
            event.event.at >= since
                && event.event.actor.principal == ACTOR
                && matches!(event.event.happening, Happening::WorkItemSaved)
        }))
    }

    /// Saves what is to be saved, many at once; the results in the order of the rows.
    pub(super) async fn save(
        &self,
        upload: &DataUpload,
        bound: &Bound,
        rows: Vec<OnItsWay<'_>>,
    ) -> Result<Vec<RowResult>, Halt> {
        let actor = Actor {
            principal: ACTOR.to_owned(),
            on_behalf_of: Some(upload.run_by.clone()),
            credential: None,
        };
        let saves: Vec<Fut<'_, Result<RowResult, Halt>>> = rows
            .into_iter()
            .map(|row| Box::pin(self.save_one(bound, row, &actor)) as Fut<'_, Result<RowResult, Halt>>)
            .collect();
        futures_util::stream::iter(saves).buffered(AT_ONCE).try_collect().await
    }

    async fn save_one(&self, bound: &Bound, mut one: OnItsWay<'_>, actor: &Actor) -> Result<RowResult, Halt> {
        if let Some(saved) = one.saved {
            return Ok(saved);
        }
        let mut tries = 0;
        loop {
            let (Outcome::Create(item) | Outcome::Update(item, _)) = &one.planned.outcome else {
                return Ok(RowResult::of(&one.planned));
            };
            match self.parts.mailroom.save_work_item(item.clone(), actor, item.changed).await {
                Ok(()) => return Ok(RowResult::of(&one.planned)),
                Err(StoreError::Busy) => tokio::time::sleep(BREATH).await,
                Err(StoreError::Conflict { .. } | StoreError::Exists(_)) if tries < TRIES => {
                    tries += 1;
                    let reference = one.planned.reference.clone();
                    one.planned.outcome = self.outcome(bound, one.row, &one.site, &reference, None).await?;
                }
                Err(
                    error @ (StoreError::Conflict { .. } | StoreError::Exists(_) | StoreError::Damaged(_)),
                ) => {
                    one.planned.outcome =
                        Outcome::Reject(String::new(), format!("it cannot be saved: {error}"));
                }
                // What was asked may have been done: the plan tells at the next start.
                Err(error) => return Err(Halt::Later(error.to_string())),
            }
        }
    }
}

fn rejected<'a>(
    row: &'a Row,
    site: &SiteName,
    reference: String,
    column: String,
    why: String,
) -> OnItsWay<'a> {
    let planned = Planned { row: row.number, reference, outcome: Outcome::Reject(column, why) };
    OnItsWay { planned, row, site: site.clone(), saved: None }
}
