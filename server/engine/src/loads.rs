//! Loads tables of data in the background: a few side by side, each portion by portion, so that a table of a million rows holds up
//! neither another table nor anybody else who writes.

mod pass;
mod portion;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::data_upload::{DataUpload, Loads, Tables};
use postroom_domain::ids::DataUploadId;
use postroom_domain::mailroom::Mailroom;
use postroom_domain::record;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use self::pass::Worker;

/// How often is looked for work that nobody told of, and for what failed for a while.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What loading is made of.
#[derive(Clone)]
pub struct LoadParts {
    /// Where work items are saved, and whose store, spool and clock are ours too.
    pub mailroom: Arc<Mailroom>,
    /// Reads files.
    pub tables: Arc<dyn Tables>,
    /// Rows that are planned, saved and recorded together.
    pub portion: usize,
    /// Tables at once.
    pub side_by_side: usize,
}

impl LoadParts {
    /// The usual sizes.
    pub fn new(mailroom: Arc<Mailroom>, tables: Arc<dyn Tables>) -> Self {
        Self { mailroom, tables, portion: 2000, side_by_side: 3 }
    }
}

/// The loading as others hold it.
pub struct LoadsHandle {
    wake: Arc<Notify>,
    stop: CancellationToken,
    done: JoinHandle<()>,
}

impl Loads for LoadsHandle {
    fn wake(&self) {
        self.wake.notify_one();
    }
}

impl LoadsHandle {
    /// Begins. What was under way when the process ended goes on by itself.
    pub fn start(parts: LoadParts) -> Self {
        let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let done = tokio::spawn(run(parts, Arc::clone(&wake), stop.clone()));
        Self { wake, stop, done }
    }

    /// Stops after the portions that are under way, or after the grace; either way they go on at the next start.
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

impl Drop for LoadsHandle {
    fn drop(&mut self) {
        self.done.abort();
    }
}

async fn run(parts: LoadParts, wake: Arc<Notify>, stop: CancellationToken) {
    let mut tasks: JoinSet<DataUploadId> = JoinSet::new();
    let mut running = BTreeSet::new();
    loop {
        let room = parts.side_by_side.saturating_sub(running.len());
        for id in waiting(&parts, &running).await.into_iter().take(room) {
            running.insert(id);
            let worker = Worker { parts: parts.clone(), stop: stop.clone() };
            tasks.spawn(async move {
                worker.work(id).await;
                id
            });
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = wake.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            Some(ended) = tasks.join_next() => match ended {
                Ok(id) => drop(running.remove(&id)),
                // One that panicked is not begun again before the next start: it would only panic again.
                Err(error) => tracing::error!(%error, "Loading a table ended by a mistake of ours."),
            },
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Tables that wait to be worked on.
async fn waiting(parts: &LoadParts, running: &BTreeSet<DataUploadId>) -> Vec<DataUploadId> {
    let store = &*parts.mailroom.reception.store;
    match record::page::<DataUpload>(store, Some(DataUpload::WORKING), None, 100).await {
        Ok(found) => found.into_iter().map(|upload| upload.id).filter(|id| !running.contains(id)).collect(),
        Err(error) => {
            tracing::warn!(%error, "Tables of data cannot be looked for; it is tried again.");
            Vec::new()
        }
    }
}
