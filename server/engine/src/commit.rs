//! What the engine tells the store: claims before the first byte, results after it, each compare-and-set on the version.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::backoff::RetryPolicy;
use postroom_domain::event::{Happening, NewEvent, Subject};
use postroom_domain::filing::Filing;
use postroom_domain::ids::{FilingId, SiteName};
use postroom_domain::linked;
use postroom_domain::machine::{Context, Event, step};
use postroom_domain::person::Actor;
use postroom_domain::store::{FilingChange, Store, StoreError, StoreResult};
use postroom_domain::time::{Clock, Entropy};

use crate::fatal::Fatal;

/// The way to the store.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) policy: Arc<RetryPolicy>,
    pub(crate) fatal: Fatal,
}

/// A change that is wanted of a filing.
pub(crate) struct Wanted {
    pub(crate) filing: Filing,
    pub(crate) event: Event,
    /// Who does it, and with whose account.
    pub(crate) actor: Actor,
    /// What the history keeps besides.
    pub(crate) also: Vec<NewEvent>,
}

impl Wanted {
    /// A change about which the history keeps nothing besides.
    pub(crate) const fn of(filing: Filing, event: Event, actor: Actor) -> Self {
        Self { filing, event, actor, also: Vec::new() }
    }
}

/// How long the store may be busy before it is asked again.
const BUSY: Duration = Duration::from_millis(20);

impl Ledger {
    /// What a change of this filing would be; none when its state does not allow the event.
    fn change(&self, wanted: Wanted) -> Option<FilingChange> {
        let Wanted { filing, event, actor, also } = wanted;
        let at = self.clock.now();
        let context = Context { now: at, chance: self.entropy.unit(), policy: &self.policy };
        match step(&filing.progress, event, context) {
            Ok(step) => {
                let step = step.with_account(actor.credential);
                Some(FilingChange {
                    id: filing.id,
                    expect: filing.progress.version,
                    next: step.next,
                    attempt: step.attempt,
                    request: None,
                    actor,
                    note: String::new(),
                    at,
                    also,
                    bulk: None,
                })
            }
            Err(refused) => {
                tracing::error!(filing.id = %filing.id, %refused, "A result does not fit the filing's state and is dropped");
                None
            }
        }
    }

    /// Writes changes in one transaction; the filings come back as they are now. What somebody else changed meanwhile is
    /// left out: their change holds. None when the store takes no more.
    pub(crate) async fn write(&self, wanted: Vec<Wanted>) -> Option<Vec<Filing>> {
        let mut filings = Vec::with_capacity(wanted.len());
        let mut changes = Vec::with_capacity(wanted.len());
        for one in wanted {
            let mut filing = one.filing.clone();
            let Some(change) = self.change(one) else { continue };
            filing.progress.clone_from(&change.next);
            filings.push(filing);
            changes.push(change);
        }
        if changes.is_empty() {
            return Some(Vec::new());
        }
        let mut written = Vec::with_capacity(filings.len());
        // A busy store is asked again with what it did not take; nothing is ever dropped for that.
        loop {
            let answers = match self.store.change_filings(changes.clone()).await {
                Ok(answers) => answers,
                Err(StoreError::Busy) => changes.iter().map(|_| Err(StoreError::Busy)).collect(),
                Err(error) => {
                    self.stop(&error);
                    return None;
                }
            };
            let mut again = (Vec::new(), Vec::new());
            for ((filing, change), answer) in filings.into_iter().zip(changes).zip(answers) {
                match answer {
                    Ok(()) => written.push(filing),
                    Err(StoreError::Busy) => {
                        again.0.push(filing);
                        again.1.push(change);
                    }
                    Err(StoreError::Conflict { found }) => tracing::info!(
                        filing.id = %filing.id, filing.generation = filing.progress.generation,
                        version.expected = change.expect, version.found = found,
                        "The filing changed meanwhile; this result is dropped"
                    ),
                    Err(error @ (StoreError::Fatal(_) | StoreError::Closed)) => {
                        self.stop(&error);
                        return None;
                    }
                    Err(error) => {
                        tracing::error!(filing.id = %filing.id, %error, "The store refuses a change of this filing");
                    }
                }
            }
            (filings, changes) = again;
            if changes.is_empty() {
                return Some(written);
            }
            tokio::time::sleep(BUSY).await;
        }
    }

    /// Reads filings; those whose rows cannot be read are left out.
    pub(crate) async fn read(&self, ids: &[FilingId]) -> Option<Vec<Filing>> {
        let found = self.answer(self.store.filings_by_id(ids).await, "Filings could not be read");
        if found.is_some() || self.fatal.reason().is_some() {
            return found;
        }
        // One damaged row must not stop its neighbours.
        let mut filings = Vec::with_capacity(ids.len());
        for id in ids {
            filings.extend(self.answer(self.store.filing(*id).await, "A filing could not be read").flatten());
        }
        Some(filings)
    }

    /// All saves of the document that a filing is a save of.
    pub(crate) async fn saves(&self, filing: &Filing) -> StoreResult<Vec<Filing>> {
        match filing.request.linked() {
            Some(key) => self.store.linked(&key).await,
            None => Ok(Vec::new()),
        }
    }

    /// Lets those go on that wait for a save of the same document which is through now.
    pub(crate) async fn wake(&self, settled: &Filing) {
        let woken =
            linked::wake(&*self.store, &self.policy, settled, self.clock.now(), &Self::engine()).await;
        self.answer(woken, "Saves that wait for this one were not told; they look again by themselves");
    }

    /// The answer of a read; a failed store stops the engine, anything else is logged.
    pub(crate) fn answer<T>(&self, answer: StoreResult<T>, wrong: &str) -> Option<T> {
        match answer {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::warn!(%error, "{wrong}");
                self.stop(&error);
                None
            }
        }
    }

    fn stop(&self, error: &StoreError) {
        if let StoreError::Fatal(why) = error {
            self.fatal.declare(format!("the store failed: {why}"));
        }
    }

    /// An event for operators that belongs to no filing's change. What cannot be written is at least in the log.
    pub(crate) async fn alert(&self, subject: Subject, site: Option<SiteName>, note: String) {
        tracing::warn!(?subject, "{note}");
        let event = NewEvent {
            at: self.clock.now(),
            site,
            subject,
            happening: Happening::Alert,
            actor: Self::engine(),
            note,
        };
        if let Err(error) = self.store.record(event).await {
            tracing::error!(%error, "An alert could not be written to the history");
            self.stop(&error);
        }
    }

    /// The engine itself, as the history names it.
    pub(crate) fn engine() -> Actor {
        Actor::person("engine")
    }
}
