//! Looks after accounts that are made by themselves: when a person may come in from now on, at the start, every hour, and when what
//! failed is due again. One question at a time to each DMS, and not faster than a pace; a DMS that cannot be asked is left alone.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::desk::{DmsAccounts, Ensured};
use postroom_domain::dms_account::CreateAccounts;
use postroom_domain::ids::{PersonId, ServiceName};
use postroom_domain::store::StoreResult;
use postroom_domain::time::{Clock, later};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::News;

/// All persons are looked through this often at least: whatever was missed is found then.
const EVERY: Duration = Duration::from_hours(1);
/// The pause between two persons whom a DMS is asked about.
const PACE: Duration = Duration::from_millis(200);
/// After the store could not be read.
const AGAIN: Duration = Duration::from_mins(1);

/// What looks after accounts, while it runs.
pub(crate) struct Caretaker {
    stop: watch::Sender<bool>,
    done: Vec<JoinHandle<()>>,
}

impl Caretaker {
    /// Begins at every destination where accounts are made by themselves.
    pub(crate) fn start(accounts: &Arc<DmsAccounts>, news: &News, clock: &Arc<dyn Clock>) -> Self {
        let (stop, _) = watch::channel(false);
        let automatic = accounts.destinations().iter().filter(|it| {
            let offers = it.directory.offers();
            it.policy.create == CreateAccounts::Automatic && (offers.find || offers.make)
        });
        let done = automatic
            .map(|it| {
                let post = Post {
                    accounts: accounts.clone(),
                    service: it.service.clone(),
                    clock: clock.clone(),
                    stop: stop.subscribe(),
                };
                tokio::spawn(post.run(news.follow()))
            })
            .collect();
        Self { stop, done }
    }

    /// Begins nothing more, and waits for what is being asked; after `grace` it is left in the middle, and taken up at the next start.
    pub(crate) async fn stop(self, grace: Duration) {
        let _nobody_left = self.stop.send(true);
        for mut task in self.done {
            if tokio::time::timeout(grace, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// The work at one destination.
struct Post {
    accounts: Arc<DmsAccounts>,
    service: ServiceName,
    clock: Arc<dyn Clock>,
    stop: watch::Receiver<bool>,
}

impl Post {
    async fn run(mut self, mut news: UnboundedReceiver<PersonId>) {
        let mut due = self.clock.now();
        // Where the DMS cannot be asked, persons wait until it is due again.
        let mut alone = false;
        loop {
            if *self.stop.borrow() {
                return;
            }
            if self.clock.now() >= due {
                (due, alone) = self.all().await;
                due = due.max(later(self.clock.now(), PACE));
                continue;
            }
            let pause = Duration::try_from(due.duration_since(self.clock.now())).unwrap_or(Duration::ZERO);
            tokio::select! {
                // It is only ever sent to stop, and ends with whoever would.
                _ = self.stop.changed() => return,
                person = news.recv() => {
                    let Some(person) = person else { return };
                    if alone {
                        continue;
                    }
                    match self.one(person).await {
                        ControlFlow::Continue(None) => {}
                        ControlFlow::Continue(Some(then)) => due = due.min(then),
                        ControlFlow::Break(until) => (due, alone) = (until, true),
                    }
                }
                // The time of day may jump, so it is looked at from time to time.
                () = tokio::time::sleep(pause.min(AGAIN)) => {}
            }
        }
    }

    /// Looks through all persons. When it is due again, and whether the DMS is left alone until then.
    async fn all(&self) -> (Timestamp, bool) {
        let mut due = later(self.clock.now(), EVERY);
        let mut after = None;
        loop {
            let (persons, next) = match self.accounts.persons_after(after).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(dms.name = %self.service, %error, "Persons could not be looked through for accounts.");
                    return (later(self.clock.now(), AGAIN), false);
                }
            };
            for person in persons {
                if *self.stop.borrow() {
                    return (due, false);
                }
                match self.one(person).await {
                    ControlFlow::Continue(then) => due = then.map_or(due, |then| due.min(then)),
                    ControlFlow::Break(until) => return (until.min(due), true),
                }
            }
            // Stores answer at once: others have their turn.
            tokio::task::yield_now().await;
            after = next;
            if after.is_none() {
                return (due, false);
            }
        }
    }

    /// Looks after one person: when again, where that is known; or until when the DMS is left alone.
    async fn one(&self, person: PersonId) -> ControlFlow<Timestamp, Option<Timestamp>> {
        let ensured: StoreResult<Ensured> = self.accounts.ensure(&self.service, person).await;
        match ensured {
            Ok(Ensured::Nothing) => ControlFlow::Continue(None),
            Ok(Ensured::Later(then)) => ControlFlow::Continue(Some(then)),
            Ok(Ensured::Asked) => {
                tokio::time::sleep(PACE).await;
                ControlFlow::Continue(None)
            }
            Ok(Ensured::Stopped(until)) => {
                tracing::warn!(
                    dms.name = %self.service, %until,
                    "An account could not be looked for or made; the DMS is left alone for a while."
                );
                ControlFlow::Break(until)
            }
            Err(error) => {
                tracing::warn!(dms.name = %self.service, %error, "A person's account could not be looked after.");
                ControlFlow::Break(later(self.clock.now(), AGAIN))
            }
        }
    }
}
