//! Starting the engine, watching it from outside, and stopping it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::control::{Control, DestinationStatus, Gate};
use postroom_domain::filing::State;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{Accounts, LinkListener, Whose};
use postroom_domain::person::Scope;
use postroom_domain::recovery::recover;
use postroom_domain::resolve::{Look, LookAt, Looks};
use postroom_domain::spool::Spool;
use postroom_domain::store::{Store, StoreError};
use postroom_domain::time::{Clock, Entropy};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::name_of;
use crate::commit::Ledger;
use crate::desk::Desk;
use crate::fatal::Fatal;
use crate::look::Onlookers;
use crate::options::{Destination, EngineOptions};
use crate::resolver::Resolver;
use crate::watcher::Watcher;
use crate::worker::Bench;

/// What the engine is made of.
pub struct EngineParts {
    /// What is filed and how far it is.
    pub store: Arc<dyn Store>,
    /// The documents.
    pub spool: Arc<dyn Spool>,
    /// Where they go. Filings to other destinations wait.
    pub destinations: Vec<Destination>,
    /// Whose accounts are linked: [`postroom_domain::link::SystemOnly`] where nobody can link.
    pub accounts: Arc<dyn Accounts>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for jitter.
    pub entropy: Arc<dyn Entropy>,
    /// The schedule of retries.
    pub policy: RetryPolicy,
    /// Everything else.
    pub options: EngineOptions,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two destinations have the same name.
    #[error("there are two destinations by the name {0}")]
    TwoByName(ServiceName),
    /// The store could not be read or repaired.
    #[error("the store could not be made ready: {0}")]
    Store(#[from] StoreError),
}

/// The way in.
pub struct Engine;

impl Engine {
    /// Repairs what the last end left behind, then starts claiming. Must be called within a tokio runtime.
    pub async fn start(parts: EngineParts) -> Result<EngineHandle, StartError> {
        let EngineParts { store, spool, destinations, accounts, clock, entropy, policy, options } = parts;
        for (i, destination) in destinations.iter().enumerate() {
            if destinations[..i].iter().any(|other| other.name == destination.name) {
                return Err(StartError::TwoByName(destination.name.clone()));
            }
        }
        // Everything that was running is an orphan: the store is ours alone.
        recover(&*store, &policy, clock.now(), &Ledger::engine()).await?;
        let blocked = store.summary(&Scope::All).await?.destinations;

        let fatal = Fatal::new();
        let stop = CancellationToken::new();
        let hurry = CancellationToken::new();
        let nudge = Arc::new(Notify::new());
        let desks = TaskTracker::new();
        let tasks = TaskTracker::new();
        let (watcher, news) = Watcher::new(
            store.clone(),
            clock.clone(),
            options.clone(),
            nudge.clone(),
            fatal.clone(),
            stop.clone(),
        );
        desks.spawn(watcher.run());
        let ledger = Ledger {
            store: store.clone(),
            clock: clock.clone(),
            entropy,
            policy: Arc::new(policy),
            fatal: fatal.clone(),
        };
        let (mut boards, mut lines, mut benches) = (Vec::new(), Vec::new(), Vec::new());
        for Destination { name, dms, settings } in destinations {
            let limit = settings.concurrency.max(1);
            let status = DestinationStatus { name: name.clone(), gate: Gate::Open, in_flight: 0, limit };
            let board = Arc::new(Mutex::new(status));
            boards.push(board.clone());
            let blocked_before =
                blocked.iter().any(|(service, tally)| *service == name && tally.count(State::Blocked) > 0);
            let bench = Bench {
                resolver: Resolver::new(dms.clone(), store.clone(), &options),
                dms,
                store: store.clone(),
                settings,
                spool: spool.clone(),
                clock: clock.clone(),
                news: news.clone(),
                hurry: hurry.clone(),
            };
            let bench = Arc::new(bench);
            benches.push((name.clone(), bench.clone()));
            let (line, changes) = mpsc::unbounded_channel();
            lines.push((name.clone(), line));
            let desk = Desk {
                accounts: accounts.clone(),
                changes,
                name,
                bench,
                ledger: ledger.clone(),
                options: options.clone(),
                board,
                stop: stop.clone(),
                tasks: tasks.clone(),
                blocked_before,
            };
            desks.spawn(desk.run());
        }
        let (ended, _) = watch::channel(None);
        let lines = lines.into();
        let onlookers = Onlookers { benches, accounts: accounts.clone() };
        let handle = EngineHandle {
            boards,
            lines,
            onlookers: Arc::new(onlookers),
            nudge,
            stop,
            hurry,
            desks,
            tasks,
            ended: Arc::new(ended),
        };
        handle.guard(fatal, spool, &options);
        Ok(handle)
    }
}

/// The running engine. Dropping it does not stop it.
#[derive(Clone)]
pub struct EngineHandle {
    boards: Vec<Arc<Mutex<DestinationStatus>>>,
    /// To each desk: accounts whose links changed.
    lines: Arc<[(ServiceName, mpsc::UnboundedSender<String>)]>,
    /// Who looks at places without filing there.
    onlookers: Arc<Onlookers>,
    nudge: Arc<Notify>,
    stop: CancellationToken,
    hurry: CancellationToken,
    desks: TaskTracker,
    tasks: TaskTracker,
    /// Why it stopped itself, once all has come to rest.
    ended: Arc<watch::Sender<Option<String>>>,
}

/// How long results may take to be written once their attempts were cut off.
const LAST_WRITES: Duration = Duration::from_secs(30);

impl EngineHandle {
    /// Stops cleanly: nothing new is begun; what runs may take up to `grace`; then it is cut off, and what may have reached
    /// its DMS is to be asked about. When this returns, every result is in the store (or the store is not taking any).
    pub async fn stop(&self, grace: Duration) {
        tracing::info!(grace_seconds = grace.as_secs(), "The engine stops");
        self.stop.cancel();
        self.desks.close();
        self.desks.wait().await;
        self.drain(grace).await;
        tracing::info!("The engine has stopped");
    }

    /// Returns, with the reason, when the engine has stopped itself because the store or the spool failed. What was running
    /// has then ended or been cut off; the process should exit with a failure and be started again.
    pub async fn fatal(&self) -> String {
        let mut ended = self.ended.subscribe();
        loop {
            if let Some(reason) = ended.borrow_and_update().clone() {
                return reason;
            }
            if ended.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn drain(&self, grace: Duration) {
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_ok() {
            return;
        }
        self.hurry.cancel();
        if tokio::time::timeout(LAST_WRITES, self.tasks.wait()).await.is_err() {
            tracing::error!(
                filings = self.tasks.len(),
                "Some results could not be written in time; their filings are asked about at the next start"
            );
        }
    }

    /// Watches the spool, and ends the engine when something fatal was declared.
    fn guard(&self, fatal: Fatal, spool: Arc<dyn Spool>, options: &EngineOptions) {
        let (look, last_words) = (options.poll.min(Duration::from_secs(5)), options.last_words);
        let handle = self.clone();
        // Not tracked: it outlives the desks, and ends with a clean stop.
        tokio::spawn(async move {
            let reason = loop {
                tokio::select! {
                    biased;
                    reason = fatal.declared() => break reason,
                    () = handle.stop.cancelled() => return,
                    () = tokio::time::sleep(look) => {
                        if let Some(why) = spool.failed() {
                            fatal.declare(format!("the spool failed: {why}"));
                        }
                    }
                }
            };
            handle.stop.cancel();
            handle.drain(last_words).await;
            handle.ended.send_replace(Some(reason));
        });
    }
}

impl Control for EngineHandle {
    fn destinations(&self) -> Vec<DestinationStatus> {
        self.boards.iter().map(|board| board.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    fn wake(&self) {
        self.nudge.notify_one();
    }
}

impl Looks for EngineHandle {
    fn look(&self, at: LookAt) -> Fut<'_, Option<Look>> {
        Box::pin(self.onlookers.look(at))
    }
}

impl LinkListener for EngineHandle {
    fn account_changed(&self, service: &ServiceName, whose: Whose<'_>) {
        for (_, line) in self.lines.iter().filter(|(name, _)| name == service) {
            // A desk that has stopped decides anew at the next start.
            let _ = line.send(name_of(whose));
        }
    }
}
