//! Opens what was taken in and not yet looked into: reads a letter within bounds, puts what it carries into the spool, and has the
//! [mail room](postroom_domain::mailroom) decide.
//!
//! An intake may be made to end its reader. One that is new is opened at once. Those that were there already when the process started are
//! opened one after the other, and that it was begun is written down before: the one that ends the process a third time is set aside,
//! and nobody else is harmed.

mod letter;
mod trial;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use postroom_domain::ids::IntakeId;
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::mailroom::{Mailroom, Opened, ReadLetter, Unread};
use postroom_domain::person::Actor;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::spool::{Spool, SpoolError};
use postroom_domain::store::{StoreError, StoreResult};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::trial::LetterEyes;
use crate::message::{Limits, Trusted};

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
}

struct Reader {
    options: ReaderOptions,
    mailroom: Arc<Mailroom>,
    spool: Arc<dyn Spool>,
    read: AtomicU64,
    set_aside: AtomicU64,
    refusing: Mutex<Option<String>>,
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
            refusing: self.reader.refusing.lock().unwrap_or_else(PoisonError::into_inner).clone(),
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
    /// Documents as they are.
    Documents,
}

/// Why an intake is still unopened.
enum Unable {
    /// The house cannot at present.
    Later(String),
    /// Something is wrong with this one's row or bytes; it is tried again after the others.
    Broken(String),
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
    let reader = Arc::new(Reader {
        options,
        mailroom,
        spool,
        read: AtomicU64::new(0),
        set_aside: AtomicU64::new(0),
        refusing: Mutex::default(),
        broken: Mutex::default(),
        deciding: tokio::sync::Mutex::default(),
    });
    let stop = CancellationToken::new();
    let task = tokio::spawn({
        let (reader, stop) = (reader.clone(), stop.clone());
        async move { reader.run(&stop).await }
    });
    ReaderHandle { reader, stop, task }
}

impl Reader {
    async fn run(&self, stop: &CancellationToken) {
        let store = self.mailroom.reception.store.clone();
        // What waits now may be what ended the process before.
        let mut suspects = true;
        let mut seen = 0;
        while !stop.is_cancelled() {
            let last = store.wait_beyond(0, Duration::ZERO).await;
            let done = self.all(suspects, stop).await;
            let rest = match done {
                Ok(()) => {
                    self.refuse(None);
                    suspects = false;
                    seen = seen.max(last);
                    LOOK
                }
                Err(why) => {
                    self.refuse(Some(why));
                    PAUSE
                }
            };
            let news = async {
                if rest == LOOK {
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

    fn refuse(&self, why: Option<String>) {
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &why
            && refusing.is_none()
        {
            tracing::warn!(error = %why, "letters cannot be read at present; it is tried again and again");
        }
        *refusing = why;
    }

    /// Reads everything that waits, the oldest first.
    async fn all(&self, suspects: bool, stop: &CancellationToken) -> Result<(), String> {
        let waiting = self.waiting().await.map_err(|error| error.to_string())?;
        let abreast = if suspects { 1 } else { ABREAST };
        let mut answers = futures_util::stream::iter(waiting)
            .take_while(|_| std::future::ready(!stop.is_cancelled()))
            .map(|id| self.one(id, suspects))
            .buffer_unordered(abreast);
        let mut trouble = None;
        while let Some(answer) = answers.next().await {
            if let Err(Unable::Later(why)) = answer {
                trouble = Some(why);
                break;
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    /// The intakes that nobody has opened yet, by their age.
    async fn waiting(&self) -> StoreResult<Vec<IntakeId>> {
        let query = IntakeQuery { states: vec![IntakeState::Stored], ..IntakeQuery::default() };
        let (mut before, mut all) = (None, Vec::new());
        loop {
            let window = Window { before, limit: PAGE };
            let page = self.mailroom.reception.store.list_intakes(&query, window).await?;
            all.extend(page.items.into_iter().map(|intake| intake.id));
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
        if let Err(Unable::Broken(why)) = &done {
            self.broken.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Instant::now() + AGAIN);
            tracing::error!(intake.id = %id, error = %why, "a letter could not be read; it waits, and others go on");
        }
        done
    }

    async fn read(&self, id: IntakeId, suspect: bool) -> Result<(), Unable> {
        let (room, actor) = (&self.mailroom, Actor::system(PART, None));
        let Some(mut intake) = room.reception.store.intake(id).await? else { return Ok(()) };
        if intake.state != IntakeState::Stored {
            return Ok(());
        }
        if suspect {
            match room.begin(intake, &actor).await? {
                Some(begun) => intake = begun,
                None => return Ok(()),
            }
        }
        let content = match self.content(&intake).await {
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
            Ok(Content::Documents) => room.plan(intake, &actor).await?,
            Err(why) => room.set_aside(intake, why, &actor).await?,
        };
        self.note(id, opened);
        Ok(())
    }

    /// Whatever an intake is made of, ready to be decided over; or why nobody may look into it.
    async fn content(&self, intake: &Intake) -> Result<Result<Content, Unread>, Unable> {
        if intake.letter.is_none() {
            return Ok(Ok(Content::Documents));
        }
        let read = self.take_apart(intake).await?;
        Ok(read.map(|letter| Content::Letter(Box::new(letter))))
    }

    fn note(&self, id: IntakeId, opened: Opened) {
        self.read.fetch_add(1, Ordering::Relaxed);
        match opened {
            Opened::Filed(item) => {
                let item = item.map(|item| item.to_string()).unwrap_or_default();
                tracing::info!(intake.id = %id, work_item.id = item, "an intake was opened and is filed");
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
