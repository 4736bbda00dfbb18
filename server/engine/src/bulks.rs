//! Runs sets of filings in the background: each at its own pace, each filing in the version that was frozen. What was under way when the
//! process ended goes on by itself.

mod pass;
mod rows;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::backoff::RetryPolicy;
use postroom_domain::bulk::{Bulk, RunsBulks};
use postroom_domain::control::Control;
use postroom_domain::ids::BulkId;
use postroom_domain::record;
use postroom_domain::store::Store;
use postroom_domain::time::{Clock, Entropy};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use self::pass::Worker;

/// How often is looked for work that nobody told of, and for what failed for a while.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Sets that are looked for together. More than that are never under way at once.
const PAGE: usize = 500;

/// What running sets is made of.
#[derive(Clone)]
pub struct BulkParts {
    /// Where filings and sets are.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for jitter.
    pub entropy: Arc<dyn Entropy>,
    /// The schedule that a decision starts anew.
    pub policy: RetryPolicy,
    /// What destinations bear at the moment, and who is to be woken.
    pub control: Arc<dyn Control>,
    /// How long a set that was told to run may be taken back before its first filing is touched.
    pub grace: Duration,
}

/// The running of sets as others hold it.
pub struct BulksHandle {
    news: watch::Sender<()>,
    grace: Duration,
    stop: CancellationToken,
    done: JoinHandle<()>,
}

impl RunsBulks for BulksHandle {
    fn wake(&self) {
        self.news.send_replace(());
    }

    fn grace(&self) -> Duration {
        self.grace
    }
}

impl BulksHandle {
    /// Begins. What was under way when the process ended goes on by itself.
    pub fn start(parts: BulkParts) -> Self {
        let (news, heard) = watch::channel(());
        let (stop, grace) = (CancellationToken::new(), parts.grace);
        let done = tokio::spawn(run(parts, heard, stop.clone()));
        Self { news, grace, stop, done }
    }

    /// Stops after the filings that are being decided over, or after the grace; either way sets go on at the next start.
    pub async fn stop(&self, grace: Duration) {
        self.stop.cancel();
        let ended = async {
            while !self.done.is_finished() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(grace, ended).await.is_err() {
            self.done.abort();
        }
    }
}

impl Drop for BulksHandle {
    fn drop(&mut self) {
        self.done.abort();
    }
}

async fn run(parts: BulkParts, mut news: watch::Receiver<()>, stop: CancellationToken) {
    let mut tasks: JoinSet<BulkId> = JoinSet::new();
    let mut running = BTreeSet::new();
    loop {
        for id in waiting(&parts, &running).await {
            running.insert(id);
            let worker = Worker { parts: parts.clone(), news: news.clone(), stop: stop.clone() };
            tasks.spawn(async move {
                worker.work(id).await;
                id
            });
        }
        tokio::select! {
            () = stop.cancelled() => break,
            told = news.changed() => if told.is_err() { break },
            () = tokio::time::sleep(LOOK_EVERY) => {}
            Some(ended) = tasks.join_next() => match ended {
                Ok(id) => drop(running.remove(&id)),
                // One that panicked is not begun again before the next start: it would only panic again.
                Err(error) => tracing::error!(%error, "Running a set of filings ended by a mistake of ours."),
            },
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Sets that wait to be worked on.
async fn waiting(parts: &BulkParts, running: &BTreeSet<BulkId>) -> Vec<BulkId> {
    match record::page::<Bulk>(&*parts.store, Some(Bulk::WORKING), None, PAGE).await {
        Ok(found) => found.into_iter().map(|bulk| bulk.id).filter(|id| !running.contains(id)).collect(),
        Err(error) => {
            tracing::warn!(%error, "Sets of filings cannot be looked for; it is tried again.");
            Vec::new()
        }
    }
}
