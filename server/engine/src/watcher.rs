//! One look at the queues and pauses for all destinations: taken when the store has news, but not more often than told, and
//! at least every half minute because the time of day jumps.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::ids::{PersonId, ServiceName, SourceName};
use postroom_domain::link::Link;
use postroom_domain::person::Actor;
use postroom_domain::store::{Pause, QueueHead, Store, StoreError};
use postroom_domain::time::{Clock, age};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fatal::Fatal;
use crate::options::EngineOptions;

/// What the watcher saw last.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) queues: Vec<QueueHead>,
    pub(crate) pauses: Vec<Pause>,
    /// False before the first look: then nothing is known of either.
    pub(crate) looked: bool,
}

impl Snapshot {
    /// Whether a door is stopped.
    fn stops(&self, kind: &str, name: &str, now: Timestamp) -> bool {
        self.pauses.iter().any(|pause| {
            pause.until.is_none_or(|until| until > now)
                && pause.door.split_once('/').is_some_and(|(k, n)| k == kind && n == name)
        })
    }

    /// Whether a destination is stopped.
    pub(crate) fn stops_destination(&self, service: &ServiceName, now: Timestamp) -> bool {
        self.stops("destination", service.as_str(), now)
    }

    /// Whether a source is stopped: what came through it waits too.
    pub(crate) fn stops_source(&self, source: &SourceName, now: Timestamp) -> bool {
        self.stops("source", source.as_str(), now)
    }

    /// What stops an account at a destination; the system account belongs to nobody.
    pub(crate) fn stops_account(
        &self,
        service: &ServiceName,
        owner: Option<PersonId>,
        now: Timestamp,
    ) -> Option<&Pause> {
        if self.pauses.is_empty() {
            return None;
        }
        let door = Link::door(service, owner);
        self.pauses.iter().find(|pause| pause.door == door && pause.until.is_none_or(|until| until > now))
    }

    /// Whether an account at a destination that is stopped here goes on in a later snapshot.
    pub(crate) fn an_account_goes_on(&self, service: &ServiceName, later: &Self) -> bool {
        let of_service = |door: &str| {
            let account = door.strip_prefix("account/").and_then(|rest| rest.split_once('/'));
            account.is_some_and(|(name, _)| name == service.as_str())
        };
        let goes_on = |door: &str| !later.pauses.iter().any(|pause| pause.door == door);
        self.pauses.iter().any(|pause| of_service(&pause.door) && goes_on(&pause.door))
    }

    /// When the next pause ends by itself.
    fn next_end(&self) -> Option<Timestamp> {
        self.pauses.iter().filter_map(|pause| pause.until).min()
    }
}

/// The last snapshot, for everybody.
#[derive(Clone)]
pub(crate) struct News(watch::Receiver<Arc<Snapshot>>);

impl News {
    pub(crate) fn latest(&self) -> Arc<Snapshot> {
        self.0.borrow().clone()
    }

    /// Returns when there is a newer snapshot, and takes note of it.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // The watcher has ended: nothing new will come, and the caller learns of the stop elsewhere.
            std::future::pending::<()>().await;
        }
    }

    /// Whether filings from that source to that destination are stopped, or the account that would send them.
    pub(crate) fn is_paused(
        &self,
        service: &ServiceName,
        source: &SourceName,
        owner: Option<PersonId>,
        now: Timestamp,
    ) -> bool {
        let latest = self.0.borrow();
        latest.stops_destination(service, now)
            || latest.stops_source(source, now)
            || latest.stops_account(service, owner, now).is_some()
    }
}

/// The part of the engine that looks.
pub(crate) struct Watcher {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    options: EngineOptions,
    nudge: Arc<Notify>,
    fatal: Fatal,
    stop: CancellationToken,
    out: watch::Sender<Arc<Snapshot>>,
}

impl Watcher {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        options: EngineOptions,
        nudge: Arc<Notify>,
        fatal: Fatal,
        stop: CancellationToken,
    ) -> (Self, News) {
        let (out, news) = watch::channel(Arc::new(Snapshot::default()));
        (Self { store, clock, options, nudge, fatal, stop, out }, News(news))
    }

    pub(crate) async fn run(self) {
        let mut seq = 0;
        let mut pause_end = None;
        loop {
            let patience = self.patience(pause_end);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.nudge.notified() => {}
                // Stores keep their own patience; the sleep holds where one does not.
                () = tokio::time::sleep(patience) => {}
                last = self.store.wait_beyond(seq, patience) => seq = last.max(seq),
            }
            let looked = Instant::now();
            match self.look().await {
                Ok(snapshot) => {
                    pause_end = snapshot.next_end();
                    self.out.send_replace(Arc::new(snapshot));
                }
                Err(StoreError::Fatal(why)) => return self.fatal.declare(format!("the store failed: {why}")),
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, "The queues could not be read; they are looked at again");
                }
            }
            if let Some(why) = self.store.failed() {
                return self.fatal.declare(format!("the store failed: {why}"));
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep_until(looked + self.options.refresh) => {}
            }
        }
    }

    fn patience(&self, pause_end: Option<Timestamp>) -> Duration {
        let until_end = pause_end.map(|end| age(end, self.clock.now()));
        until_end.map_or(self.options.poll, |until| until.min(self.options.poll))
    }

    async fn look(&self) -> Result<Snapshot, StoreError> {
        let now = self.clock.now();
        let mut pauses = self.store.pauses().await?;
        let over = |pause: &Pause| pause.until.is_some_and(|until| until <= now);
        for pause in pauses.iter().filter(|pause| over(pause)) {
            self.store.resume(&pause.door, &Actor::person("engine"), now).await?;
            tracing::info!(door = %pause.door, "The pause is over; it goes on");
        }
        pauses.retain(|pause| !over(pause));
        Ok(Snapshot { queues: self.store.queues().await?, pauses, looked: true })
    }
}
