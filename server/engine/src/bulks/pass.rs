//! One way through a set, from its grace to its end.

use std::time::Duration;

use postroom_domain::bulk::{Bulk, BulkPart, BulkState, Counts, Pace, RowOutcome, Told};
use postroom_domain::event::{BulkNews, NewEvent};
use postroom_domain::filing::State;
use postroom_domain::ids::{BulkId, FilingId};
use postroom_domain::person::Actor;
use postroom_domain::record::{self, Commit, Kept as _};
use postroom_domain::store::StoreError;
use postroom_domain::time::age;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::BulkParts;

/// Who stands in the history as having ended a set.
const ACTOR: &str = "bulk";
/// How long is waited for news at most before everything is looked at again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long is waited after news, so that what comes together is looked at together.
const BREATH: Duration = Duration::from_millis(20);
/// How long outcomes are gathered before they are written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How long is waited before what failed is tried again.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// Why a set is left alone.
pub(super) enum Halt {
    /// The process stops.
    Stopped,
    /// It goes on later.
    Later(String),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Later(error.to_string())
    }
}

/// Works on one set.
pub(super) struct Worker {
    pub(super) parts: BulkParts,
    pub(super) news: watch::Receiver<()>,
    pub(super) stop: CancellationToken,
}

/// Where in the set it is, as far as it need not outlive the process.
#[derive(Default)]
struct Place {
    /// Which portion.
    number: usize,
    /// The portion, with outcomes that may not be written yet, and what it counted when it was written last.
    part: Option<(BulkPart, Counts)>,
    /// When it was written last, by the clock that never goes back.
    written: Duration,
    /// When it began to hand over, by that clock, and how many it has handed over since.
    since: Option<Duration>,
    handed: u64,
    /// What it handed over and may not be through yet.
    open: Vec<FilingId>,
}

impl Worker {
    /// Until it is over, or the process stops.
    pub(super) async fn work(mut self, id: BulkId) {
        let mut place = Place::default();
        let ended = self.through(id, &mut place).await;
        if let Err(halt) = self.write(id, &mut place).await
            && !matches!(halt, Halt::Stopped)
        {
            // The history of each filing tells at the next start.
            tracing::warn!(bulk.id = %id, "What became of some filings of a set could not be written down yet.");
        }
        match ended {
            Ok(()) => {}
            Err(Halt::Stopped) => {
                tracing::info!(bulk.id = %id, "A set of filings goes on at the next start.");
            }
            Err(Halt::Later(why)) => {
                tracing::warn!(bulk.id = %id, why, "A set of filings cannot go on now; it is tried again.");
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(AFTER_TROUBLE) => {}
                }
            }
        }
    }

    async fn through(&mut self, id: BulkId, place: &mut Place) -> Result<(), Halt> {
        loop {
            if self.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            let Some(bulk) = self.read(id).await? else { return Ok(()) };
            match (bulk.state, bulk.told.clone()) {
                (BulkState::AboutToRun, Some(told)) => self.begin(bulk, &told).await?,
                (BulkState::Running, Some(told)) => {
                    if !self.go_on(&bulk, &told, place).await? {
                        return self.end(id, place).await;
                    }
                }
                (BulkState::Stopped, _) if bulk.unsettled => {
                    self.settle(&bulk, place).await?;
                    return self.end(id, place).await;
                }
                _ => return Ok(()),
            }
        }
    }

    async fn read(&self, id: BulkId) -> Result<Option<Bulk>, StoreError> {
        record::by_id(&*self.parts.store, id.as_u128()).await
    }

    /// Waits for the end of the grace; then it can no longer be taken back.
    async fn begin(&mut self, mut bulk: Bulk, told: &Told) -> Result<(), Halt> {
        let left = age(told.begins, self.parts.clock.now());
        if !left.is_zero() {
            self.pause(left).await;
            return Ok(());
        }
        if bulk.begin().is_err() {
            return Ok(());
        }
        match self.commit(vec![bulk.put()?], Vec::new()).await {
            Ok(()) => {
                tracing::info!(
                    bulk.id = %bulk.id, bulk.action = %bulk.action, bulk.will = bulk.will,
                    "A set of filings begins to run."
                );
                Ok(())
            }
            // It was taken back, or stopped, at this very moment.
            Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The next filings, as many as the pace allows. False when none is left.
    async fn go_on(&mut self, bulk: &Bulk, told: &Told, place: &mut Place) -> Result<bool, Halt> {
        if !self.open_part(bulk, place).await? {
            return Ok(false);
        }
        let before = self.parts.store.wait_beyond(0, Duration::ZERO).await;
        let room = self.room(bulk, told.pace, place).await?;
        if room == 0 {
            self.write(bulk.id, place).await?;
            self.wait_for_room(told.pace, place, before).await;
            return Ok(true);
        }
        let Some((part, _)) = &mut place.part else { return Ok(true) };
        let handed = self.hand_over(bulk, told, part, room).await?;
        place.handed += handed.len() as u64;
        if bulk.action.is_sent() && told.pace == Pace::Limit {
            place.open.extend(handed);
        }
        self.parts.control.wake();
        // What others decided over already is told without any wait: others get their turn.
        tokio::task::yield_now().await;
        let now = self.parts.clock.monotonic();
        if now.saturating_sub(place.written) >= WRITE_EVERY {
            self.write(bulk.id, place).await?;
        }
        Ok(true)
    }

    /// The portion with the next waiting row; what is full of outcomes is written. False when there is none.
    async fn open_part(&self, bulk: &Bulk, place: &mut Place) -> Result<bool, Halt> {
        let waits = |part: &BulkPart| part.rows.iter().any(|row| row.outcome == RowOutcome::Waiting);
        loop {
            match &place.part {
                Some((part, _)) if waits(part) => return Ok(true),
                Some(_) => {
                    self.write(bulk.id, place).await?;
                    place.part = None;
                    place.number += 1;
                }
                None => {
                    let key = BulkPart::key(bulk.id, place.number);
                    let found: Option<BulkPart> = record::by_key(&*self.parts.store, &key).await?;
                    let Some(part) = found else { return Ok(false) };
                    let done = part.rows.iter().filter(|row| row.outcome == RowOutcome::Done);
                    if bulk.action.is_sent() && waits(&part) {
                        // What was handed over before the process ended may not be through yet.
                        place.open.extend(done.map(|row| row.id));
                    }
                    let counts = Counts::of(&part.rows);
                    place.part = Some((part, counts));
                }
            }
        }
    }

    /// How many may be handed over now.
    async fn room(&self, bulk: &Bulk, pace: Pace, place: &mut Place) -> Result<usize, Halt> {
        let now = self.parts.clock.monotonic();
        let since = *place.since.get_or_insert(now);
        let room = pace.allows(now.saturating_sub(since)).saturating_sub(place.handed);
        if pace != Pace::Limit || !bulk.action.is_sent() {
            return Ok(usize::try_from(room).unwrap_or(usize::MAX));
        }
        let open = self.parts.store.filings_by_id(&place.open).await?;
        let is_open = |state| matches!(state, State::Waiting | State::Running | State::Checking);
        place.open =
            open.iter().filter(|filing| is_open(filing.progress.state)).map(|filing| filing.id).collect();
        Ok(self.limit(bulk).saturating_sub(place.open.len()))
    }

    /// How many its destinations bear at once, at this moment.
    fn limit(&self, bulk: &Bulk) -> usize {
        let ours = |name| bulk.lines.destinations.iter().any(|(destination, _)| destination == name);
        let known = self.parts.control.destinations();
        let limits = known.iter().filter(|known| ours(&known.name)).map(|known| known.limit);
        limits.sum::<usize>().max(1)
    }

    /// Until there may be room again. `before` is the last event before it was looked.
    async fn wait_for_room(&mut self, pace: Pace, place: &Place, before: u64) {
        if let Pace::PerMinute(_) = pace {
            let spent = self.parts.clock.monotonic().saturating_sub(place.since.unwrap_or_default());
            return self.pause(pace.next(place.handed).saturating_sub(spent)).await;
        }
        let store = self.parts.store.clone();
        tokio::select! {
            () = self.stop.cancelled() => {}
            _ = self.news.changed() => {}
            _ = store.wait_beyond(before, PATIENCE) => tokio::time::sleep(BREATH).await,
        }
    }

    /// So long, or until there is news of sets.
    async fn pause(&mut self, long: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            _ = self.news.changed() => {}
            () = tokio::time::sleep(long.min(PATIENCE)) => {}
        }
    }

    /// Writes down what became of the rows of the present portion, with the set's counts, in one commit.
    async fn write(&self, id: BulkId, place: &mut Place) -> Result<(), Halt> {
        let Some((part, before)) = &mut place.part else { return Ok(()) };
        let counts = Counts::of(&part.rows);
        if counts == *before {
            return Ok(());
        }
        let next = BulkPart { version: part.version + 1, ..part.clone() };
        loop {
            let Some(mut bulk) = self.read(id).await? else { return Ok(()) };
            bulk.counts = bulk.counts.moved(*before, counts);
            bulk.version += 1;
            match self.commit(vec![bulk.put()?, next.put()?], Vec::new()).await {
                Ok(()) => break,
                // A person said something about the set at this very moment. Rows are nobody's but ours.
                Err(StoreError::Conflict { .. }) if !self.lost(&next).await? => {}
                Err(error) => return Err(error.into()),
            }
        }
        place.written = self.parts.clock.monotonic();
        (*part, *before) = (next, counts);
        Ok(())
    }

    /// Whether somebody else wrote the portion: then nothing of it is ours to write.
    async fn lost(&self, next: &BulkPart) -> Result<bool, Halt> {
        let there: Option<BulkPart> = record::by_id(&*self.parts.store, next.id).await?;
        Ok(there.is_none_or(|there| there.version + 1 != next.version))
    }

    /// It was stopped: what was under way then is found and written down. What is waiting afterwards was not touched.
    async fn settle(&self, bulk: &Bulk, place: &mut Place) -> Result<(), Halt> {
        self.write(bulk.id, place).await?;
        if self.open_part(bulk, place).await?
            && let Some((part, _)) = &mut place.part
        {
            self.find_own(bulk, part).await?;
        }
        self.write(bulk.id, place).await
    }

    async fn end(&self, id: BulkId, place: &mut Place) -> Result<(), Halt> {
        self.write(id, place).await?;
        loop {
            let Some(mut bulk) = self.read(id).await?.filter(Bulk::is_working) else { return Ok(()) };
            let now = self.parts.clock.now();
            bulk.end(now);
            let behind = bulk.told.as_ref().map(|told| told.by.clone());
            let actor = Actor { principal: ACTOR.to_owned(), on_behalf_of: behind, credential: None };
            let news = bulk.news(BulkNews::Ended, actor, now, Vec::new());
            match self.commit(vec![bulk.put()?], vec![news]).await {
                Ok(()) => {
                    tracing::info!(
                        bulk.id = %id, bulk.done = bulk.counts.done, bulk.skipped = bulk.counts.skipped,
                        bulk.failed = bulk.counts.failed, bulk.waiting = bulk.counts.waiting,
                        "A set of filings is over."
                    );
                    return Ok(());
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn commit(&self, writes: Vec<record::Write>, events: Vec<NewEvent>) -> Result<(), StoreError> {
        self.parts.store.commit(Commit { writes, events }).await
    }
}
