//! Clients that hand documents in while the server is killed under them: each tries again with the same key until it is
//! told that its document is safe.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::chance::Chance;
use crate::client::Api;
use crate::oracle::Accepted;
use crate::upload::Upload;

/// What the crowd has done so far.
#[derive(Default)]
pub struct Tally {
    /// Every acknowledgement.
    pub accepted: Mutex<Vec<Accepted>>,
    /// Hashes of everything that was sent at least once.
    pub handed_in: Mutex<BTreeSet<String>>,
    /// Filings acknowledged.
    pub filings: AtomicU64,
    /// Requests that were sent again.
    pub repeated: AtomicU64,
    /// Acknowledgements that told of an intake made by an earlier, unanswered request.
    pub replayed: AtomicU64,
    /// Answers that were neither an acknowledgement nor a passing refusal.
    pub strange: Mutex<Vec<String>>,
    /// How many filings may be acknowledged before the clients pause.
    allowed: AtomicU64,
    enough: AtomicBool,
}

impl Tally {
    /// Tells the clients to finish what they have begun.
    pub fn stop(&self) {
        self.enough.store(true, Ordering::Relaxed);
    }

    /// Lets the clients go on until that many filings are acknowledged.
    pub fn allow(&self, filings: u64) {
        self.allowed.store(filings, Ordering::Relaxed);
    }

    /// The acknowledgements.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A crowd at work.
pub struct Crowd {
    /// What it has done.
    pub tally: Arc<Tally>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Crowd {
    /// Starts clients that hand in documents of up to `largest` bytes to these work items, until they are stopped or
    /// `most` filings are acknowledged.
    pub fn start(
        api: &Api,
        clients: u64,
        matters: &'static [&'static str],
        largest: u64,
        most: u64,
        seed: u64,
    ) -> Self {
        let tally = Arc::new(Tally { allowed: AtomicU64::new(u64::MAX), ..Tally::default() });
        let mut chance = Chance::new(seed);
        let clients = (0..clients)
            .map(|client| {
                let (api, tally, chance) = (api.clone(), Arc::clone(&tally), chance.fork());
                tokio::spawn(work(api, tally, chance, client, matters, largest, most))
            })
            .collect();
        Self { tally, clients }
    }

    /// Waits until every client has its last acknowledgement.
    pub async fn finish(self) -> Arc<Tally> {
        for client in self.clients {
            client.await.expect("a client does not fail");
        }
        self.tally
    }
}

async fn work(
    api: Api,
    tally: Arc<Tally>,
    mut chance: Chance,
    client: u64,
    matters: &'static [&'static str],
    largest: u64,
    most: u64,
) {
    for number in 0_u64.. {
        if tally.enough.load(Ordering::Relaxed) || tally.filings.load(Ordering::Relaxed) >= most {
            return;
        }
        if tally.filings.load(Ordering::Relaxed) >= tally.allowed.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        let matter = matters[usize::try_from(chance.below(matters.len() as u64)).unwrap_or(0)];
        let mut upload = Upload::to(matter).key(&format!("crowd-{client}-{number}"));
        for part in 0..=u64::from(chance.below(8) == 0) {
            let size = usize::try_from(chance.between(100, largest)).unwrap_or(100);
            upload = upload.file(&format!("c{client}-n{number}-p{part}.pdf"), chance.bytes(size));
        }
        tally.handed_in.lock().unwrap_or_else(PoisonError::into_inner).extend(upload.hashes());
        loop {
            match api.try_upload(&upload).await {
                Ok(answer) if answer.status == 202 => {
                    let accepted = Accepted::of(&answer);
                    tally.filings.fetch_add(accepted.filings.len() as u64, Ordering::Relaxed);
                    tally.replayed.fetch_add(u64::from(accepted.again), Ordering::Relaxed);
                    tally.accepted.lock().unwrap_or_else(PoisonError::into_inner).push(accepted);
                    // People pause. Without it, a long test would be about a million documents and not about its faults.
                    tokio::time::sleep(Duration::from_millis(chance.below(400))).await;
                    break;
                }
                // Nothing definite: the same request again.
                Ok(answer) if answer.status == 429 || answer.status >= 500 => {}
                Ok(answer) => {
                    let text = format!("{} {}", answer.status, answer.text());
                    tally.strange.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                    return;
                }
                Err(_) => {}
            }
            tally.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(chance.between(10, 60))).await;
        }
    }
}
