//! Opens what was taken in and not yet looked into: reads a letter within bounds, puts what it carries into the spool, and has the
//! [mail room](postroom_domain::mailroom) decide.
//!
//! An intake may be made to end its reader. One that is new is opened at once. Those that were there already when the process started are
//! opened one after the other, and that it was begun is written down before: the one that ends the process a third time is set aside,
//! and nobody else is harmed.

#[cfg(feature = "pages")]
mod batch;
mod letter;
mod screening;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use postroom_domain::ids::IntakeId;
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::mailroom::{Mailroom, Opened, ReadBatch, ReadLetter, Unread};
use postroom_domain::person::Actor;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::spool::{Spool, SpoolError};
use postroom_domain::store::{StoreError, StoreResult};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "pages")]
pub use self::batch::{BatchOptions, BatchRules};
use self::screening::Down;
pub use self::trial::LetterEyes;
use crate::message::{Limits, Trusted};
use crate::screen::{ArchiveOptions, Archives, Screener};

/// Who reads, for the audit.
const PART: &str = "reader";
/// Letters that are read at the same time; each is in memory whole.
const ABREAST: usize = 2;
/// Letters that are listed at a time.
const PAGE: usize = 100;
/// How long nothing is tried after the house refused something.
const PAUSE: Duration = Duration::from_secs(2);
/// After so long a letter that is wrong in itself is tried again: its bytes may have been put back.
const AGAIN: Duration = Duration::from_mins(15);
/// For so long one intake may be looked through: contents without a row are kept for some time only, and its parts have none yet. What was
/// found out about them by then is remembered for the next time.
const LONGEST_LOOK: Duration = Duration::from_hours(1);
/// After so long what the scanner broke off over is tried again.
const SOON: Duration = Duration::from_secs(10);
/// Between two looks: every event of the house may mean a letter, and there can be thousands in a second.
const GAP: Duration = Duration::from_millis(50);
/// New letters are noticed by events; this is how long one that was missed waits.
const LOOK: Duration = Duration::from_secs(20);

/// How letters are read.
#[derive(Debug, Clone, Default)]
pub struct ReaderOptions {
    /// Bounds of reading.
    pub limits: Limits,
    /// Whose word on a sender's domain counts.
    pub trusted: Trusted,
    /// The largest letter that is taken apart, in bytes; a larger one goes to a person as it is.
    pub largest: u64,
    /// Who looks for malware before anything is opened; nobody if absent.
    pub screener: Option<Arc<Screener>>,
    /// How archives are looked into; they stay closed if absent.
    pub archives: Option<ArchiveOptions>,
    /// How batches of pages are divided; none where none are.
    #[cfg(feature = "pages")]
    pub batches: Option<BatchOptions>,
}

/// What is opened side by side: looking at hundreds of pages takes minutes, and no letter waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Batches,
    Others,
}

/// How reading is going.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReaderStatus {
    /// Letters read since the start.
    pub read: u64,
    /// Of these, set aside.
    pub set_aside: u64,
    /// Why nothing is read at present.
    pub refusing: Option<String>,
    /// Since when the malware scanner does not answer, and why: what it has to see waits.
    pub scanner: Option<String>,
}

struct Reader {
    options: ReaderOptions,
    mailroom: Arc<Mailroom>,
    spool: Arc<dyn Spool>,
    read: AtomicU64,
    set_aside: AtomicU64,
    refusing: Mutex<BTreeMap<Lane, String>>,
    /// Who looks into archives.
    archives: Option<Archives>,
    /// The scanner, while it does not answer.
    down: Mutex<Option<Down>>,
    /// Who waits for it.
    waiting: Mutex<BTreeSet<Lane>>,
    /// Letters that are wrong in themselves, and when each is tried again.
    broken: Mutex<HashMap<IntakeId, Instant>>,
    /// Held from the look into the ledger to the commit: of two copies of a letter the second one has to see the first.
    deciding: tokio::sync::Mutex<()>,
}

/// A running reader.
pub struct ReaderHandle {
    reader: Arc<Reader>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl ReaderHandle {
    /// How it is going.
    pub fn status(&self) -> ReaderStatus {
        ReaderStatus {
            read: self.reader.read.load(Ordering::Relaxed),
            set_aside: self.reader.set_aside.load(Ordering::Relaxed),
            refusing: self
                .reader
                .refusing
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
                .next()
                .cloned(),
            scanner: self.reader.scanner_trouble(),
        }
    }

    /// Begins no further letter, ends those that are being read, and returns.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the reader of letters ended by itself; unread letters are read after the next start");
        }
    }
}

/// What an intake is made of.
enum Content {
    /// A letter that was taken apart.
    Letter(Box<ReadLetter>),
    /// Pages that were looked at.
    Batch(ReadBatch),
    /// Documents as they are.
    Documents,
}

/// What is left after everything was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// Nothing that this reader could do anything about.
    ForNothing,
    /// What the malware scanner has to see.
    ForTheScanner,
}

/// Why an intake is still unopened.
enum Unable {
    /// The house cannot at present.
    Later(String),
    /// Something is wrong with this one's row or bytes; it is tried again after the others.
    Broken(String),
    /// The malware scanner does not answer. What it need not see goes on.
    Unscreened(String),
    /// The malware scanner broke off over this one; it is tried again soon, others go on.
    Tripped(String),
}

impl From<StoreError> for Unable {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Closed | StoreError::Fatal(_) => Self::Later(error.to_string()),
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<SpoolError> for Unable {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Missing(_) | SpoolError::Damaged(_) => Self::Broken(error.to_string()),
            other => Self::Later(other.to_string()),
        }
    }
}

/// Starts reading.
pub fn start(options: ReaderOptions, mailroom: Arc<Mailroom>, spool: Arc<dyn Spool>) -> ReaderHandle {
    let reader = Arc::new(Reader::new(options, mailroom, spool));
    let stop = CancellationToken::new();
    let task = tokio::spawn({
        let (reader, stop) = (reader.clone(), stop.clone());
        async move {
            tokio::join!(reader.run(Lane::Others, &stop), reader.run(Lane::Batches, &stop));
        }
    });
    ReaderHandle { reader, stop, task }
}

impl Reader {
    fn new(options: ReaderOptions, mailroom: Arc<Mailroom>, spool: Arc<dyn Spool>) -> Self {
        let archives = options.archives.map(|archives| Archives::new(archives, spool.clone()));
        Self {
            archives,
            options,
            mailroom,
            spool,
            read: AtomicU64::new(0),
            set_aside: AtomicU64::new(0),
            refusing: Mutex::default(),
            down: Mutex::default(),
            waiting: Mutex::default(),
            broken: Mutex::default(),
            deciding: tokio::sync::Mutex::default(),
        }
    }

    async fn run(&self, lane: Lane, stop: &CancellationToken) {
        let store = self.mailroom.reception.store.clone();
        // What waits now may be what ended the process before.
        let mut suspects = true;
        let mut seen = 0;
        while !stop.is_cancelled() {
            let last = store.wait_beyond(0, Duration::ZERO).await;
            let done = self.all(lane, suspects, stop).await;
            let unscreened = matches!(done, Ok(Waiting::ForTheScanner));
            let rest = match done {
                Ok(waiting) => {
                    self.refuse(lane, None);
                    self.note_waiting(lane, waiting);
                    // What still waits has not been begun.
                    suspects &= waiting == Waiting::ForTheScanner;
                    seen = seen.max(last);
                    LOOK
                }
                Err(why) => {
                    self.refuse(lane, Some(why));
                    PAUSE
                }
            };
            let news = async {
                if unscreened {
                    self.scanner_or_news(seen).await;
                } else if rest == LOOK {
                    tokio::time::sleep(GAP).await;
                    store.wait_beyond(seen, rest).await;
                } else {
                    tokio::time::sleep(rest).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = news => {}
            }
        }
    }

    /// Returns when the scanner answers again, or when something happened that may need no scanner.
    async fn scanner_or_news(&self, seen: u64) {
        let (store, begin) = (&self.mailroom.reception.store, Instant::now());
        loop {
            tokio::time::sleep(PAUSE).await;
            let news = store.wait_beyond(0, Duration::ZERO).await > seen;
            if news || begin.elapsed() > LOOK || self.scanner_is_back().await {
                return;
            }
        }
    }

    fn refuse(&self, lane: Lane, why: Option<String>) {
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => {
                if refusing.is_empty() {
                    tracing::warn!(error = %why, "nothing can be opened at present; it is tried again and again");
                }
                refusing.insert(lane, why);
            }
            None => drop(refusing.remove(&lane)),
        }
    }

    /// Reads everything that waits, the oldest first.
    async fn all(&self, lane: Lane, suspects: bool, stop: &CancellationToken) -> Result<Waiting, String> {
        self.ask_scanner_again();
        let waiting = self.waiting(lane).await.map_err(|error| error.to_string())?;
        let abreast = if suspects { 1 } else { ABREAST };
        let mut answers = futures_util::stream::iter(waiting)
            .take_while(|_| std::future::ready(!stop.is_cancelled()))
            .map(|id| self.one(id, suspects))
            .buffer_unordered(abreast);
        let mut left = Waiting::ForNothing;
        while let Some(answer) = answers.next().await {
            match answer {
                Err(Unable::Later(why)) => return Err(why),
                Err(Unable::Unscreened(_)) => left = Waiting::ForTheScanner,
                _ => {}
            }
        }
        Ok(left)
    }

    /// The intakes that nobody has opened yet, by their age.
    async fn waiting(&self, lane: Lane) -> StoreResult<Vec<IntakeId>> {
        let query = IntakeQuery { states: vec![IntakeState::Stored], ..IntakeQuery::default() };
        let (mut before, mut all) = (None, Vec::new());
        loop {
            let window = Window { before, limit: PAGE };
            let page = self.mailroom.reception.store.list_intakes(&query, window).await?;
            let here = |intake: &Intake| self.is_batch(intake) == (lane == Lane::Batches);
            all.extend(page.items.into_iter().filter(here).map(|intake| intake.id));
            before = page.next;
            if before.is_none() {
                all.reverse();
                return Ok(all);
            }
        }
    }

    async fn one(&self, id: IntakeId, suspect: bool) -> Result<(), Unable> {
        if self
            .broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .is_some_and(|at| *at > Instant::now())
        {
            return Ok(());
        }
        let done = self.read(id, suspect).await;
        match &done {
            Err(Unable::Broken(why)) => {
                self.leave_alone(id, AGAIN);
                tracing::error!(intake.id = %id, error = %why, "an intake could not be opened; it waits, and others go on");
            }
            Err(Unable::Tripped(why)) => {
                self.leave_alone(id, SOON);
                tracing::warn!(intake.id = %id, error = %why, "an intake was not screened; it is tried again");
            }
            _ => {}
        }
        done
    }

    /// Nobody looks at an intake for so long.
    fn leave_alone(&self, id: IntakeId, time: Duration) {
        let (mut broken, now) = (self.broken.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        broken.retain(|_, at| *at > now);
        broken.insert(id, now + time);
    }

    async fn read(&self, id: IntakeId, suspect: bool) -> Result<(), Unable> {
        let (room, actor) = (&self.mailroom, Actor::system(PART, None));
        let Some(mut intake) = room.reception.store.intake(id).await? else { return Ok(()) };
        if intake.state != IntakeState::Stored {
            return Ok(());
        }
        // Before it is begun: bytes that only go by can end nobody's process, and a scanner may be away for long.
        let lines = match self.screen(&intake).await? {
            Ok(lines) => lines,
            Err(why) => {
                let opened = room.set_aside(intake, why, &actor).await?;
                self.note(id, opened);
                return Ok(());
            }
        };
        if suspect {
            match room.begin(intake, &actor).await? {
                Some(begun) => intake = begun,
                None => return Ok(()),
            }
        }
        let content = match self.looked_through(&mut intake, lines).await {
            Ok(content) => content,
            Err(unable) => {
                if suspect {
                    room.withdraw(intake, &actor).await?;
                }
                return Err(unable);
            }
        };
        let opened = match content {
            Ok(Content::Letter(letter)) => {
                let _alone = self.deciding.lock().await;
                room.open(intake, *letter, &actor).await?
            }
            Ok(Content::Batch(batch)) => room.divide(intake, batch, &actor).await?,
            Ok(Content::Documents) => room.plan(intake, &actor).await?,
            Err(why) => room.set_aside(intake, why, &actor).await?,
        };
        self.note(id, opened);
        Ok(())
    }

    /// Whatever an intake is made of, with everything that came out of it screened. Lines go to its trace once it is known what becomes of
    /// it: one that is tried again has none twice.
    async fn looked_through(
        &self,
        intake: &mut Intake,
        mut lines: Vec<String>,
    ) -> Result<Result<Content, Unread>, Unable> {
        let mut looked = self.content(intake).await?;
        if let Ok(content) = &looked {
            let looking = tokio::time::timeout(LONGEST_LOOK, self.screen_within(intake, content));
            let late = |_| Unable::Tripped("looking through it took too long".to_owned());
            match looking.await.map_err(late)?? {
                Ok((more, inside)) => {
                    lines.extend(more);
                    intake.screened.inside = inside;
                }
                Err(why) => looked = Err(why),
            }
        }
        intake.trace.extend(lines);
        Ok(looked)
    }

    /// Whatever an intake is made of, ready to be decided over; or why nobody may look into it.
    async fn content(&self, intake: &Intake) -> Result<Result<Content, Unread>, Unable> {
        if self.is_batch(intake) {
            return self.pages(intake).await;
        }
        if intake.letter.is_none() {
            return Ok(Ok(Content::Documents));
        }
        let read = self.take_apart(intake).await?;
        Ok(read.map(|letter| Content::Letter(Box::new(letter))))
    }

    /// Whether its pages are looked at.
    #[cfg(feature = "pages")]
    fn is_batch(&self, intake: &Intake) -> bool {
        intake.batch || self.divides(intake)
    }

    #[cfg(not(feature = "pages"))]
    #[expect(clippy::unused_self, reason = "the other one needs it")]
    fn is_batch(&self, intake: &Intake) -> bool {
        intake.batch
    }

    #[cfg(feature = "pages")]
    async fn pages(&self, intake: &Intake) -> Result<Result<Content, Unread>, Unable> {
        if intake.letter.is_some() {
            return self.letter_of_scans(intake).await;
        }
        self.batch(intake).await.map(|batch| Ok(Content::Batch(batch)))
    }

    #[cfg(not(feature = "pages"))]
    #[expect(clippy::unused_async, clippy::unused_self, reason = "the other one waits and needs them")]
    async fn pages(&self, _: &Intake) -> Result<Result<Content, Unread>, Unable> {
        let trace = vec!["this program was built without what looks at pages: it is not divided".to_owned()];
        Ok(Ok(Content::Batch(ReadBatch::Whole { needs: None, trace })))
    }

    fn note(&self, id: IntakeId, opened: Opened) {
        self.read.fetch_add(1, Ordering::Relaxed);
        match opened {
            Opened::Filed(item) => {
                let item = item.map(|item| item.to_string()).unwrap_or_default();
                tracing::info!(intake.id = %id, work_item.id = item, "an intake was opened and is filed");
            }
            Opened::Divided(parts) => {
                tracing::info!(intake.id = %id, intake.parts = parts, "a batch was divided");
            }
            Opened::SeenBefore(earlier) => {
                tracing::info!(intake.id = %id, intake.earlier = %earlier, "a letter was here before");
            }
            Opened::NeedsPerson(code) => {
                tracing::info!(intake.id = %id, code, "an intake was opened and needs a person");
            }
            Opened::SetAside => {
                self.set_aside.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(intake.id = %id, "an intake was set aside unopened");
            }
            Opened::Overtaken => {}
        }
    }
}
