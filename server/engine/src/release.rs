//! Letting blocked filings go on: one as a trial while a door is half open, the rest in portions once it is open, spread over
//! the time they will take, so that a destination that came back is not met by everything at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::filing::{Blocker, State};
use postroom_domain::ids::{FilingId, ServiceName};
use postroom_domain::link::Accounts;
use postroom_domain::machine::Event;
use postroom_domain::time::later;

use crate::accounts::{Choice, Chooser, account, actor, choose};
use crate::breaker::Pass;
use crate::commit::{Ledger, Wanted};
use crate::watcher::Snapshot;

/// What closes a filing's way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    /// The destination.
    Destination,
    /// An account there.
    Account(String),
}

/// What one walk over blocked filings may do.
pub(crate) struct Walk {
    pub(crate) service: ServiceName,
    /// Where it goes on.
    pub(crate) after: Option<FilingId>,
    pub(crate) destination: Pass,
    pub(crate) accounts: HashMap<String, Pass>,
    /// What an account is worth of which nothing is known.
    pub(crate) unknown: Pass,
    /// Doors that have had their trial.
    pub(crate) tried: HashSet<Door>,
    /// How many it lets go at most.
    pub(crate) portion: usize,
    /// The time one filing takes, shared among those in flight.
    pub(crate) gap: Duration,
    /// Who knows whose accounts are linked.
    pub(crate) links: Arc<dyn Accounts>,
    /// What is known of stopped accounts.
    pub(crate) snapshot: Arc<Snapshot>,
}

/// What a walk did.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Where the next one begins; none when this one came to the end.
    pub(crate) next: Option<FilingId>,
    /// How many were let go.
    pub(crate) released: usize,
    /// Whether some had to stay.
    pub(crate) left: bool,
    /// Doors whose trial was let go now.
    pub(crate) trials: Vec<Door>,
}

impl Walk {
    /// Walks over one page.
    pub(crate) async fn run(mut self, ledger: &Ledger) -> Option<Walked> {
        let page = ledger.store.in_state(Some(&self.service), State::Blocked, self.after, self.portion).await;
        let page = ledger.answer(page, "Blocked filings could not be read")?;
        let full = page.len() >= self.portion;
        let mut walked =
            Walked { next: page.last().map(|last| last.id).filter(|_| full), ..Walked::default() };
        let now = ledger.clock.now();
        let mut events = Vec::new();
        let (accounts, service) = (self.links.clone(), self.service.clone());
        let mut chooser = Chooser::new(&*accounts, &service);
        for filing in page {
            let at = ledger.answer(chooser.at(&filing).await, "Links could not be read")?;
            let choice = choose(at);
            let actor = match choice {
                Choice::Go { credential, .. } => actor(&filing, Some(credential)),
                Choice::Stay(_) => actor(&filing, None),
            };
            let owner = match choice {
                Choice::Go { credential, .. } => at.owner(credential),
                Choice::Stay(_) => None,
            };
            let is_stopped = matches!(choice, Choice::Go { .. })
                && self.snapshot.stops_account(&service, owner, now).is_some();
            let door = match (&filing.progress.blocker, choice) {
                // Nobody has linked what it needs yet.
                (Some(Blocker::Account), Choice::Stay(_)) => {
                    walked.left = true;
                    continue;
                }
                (Some(Blocker::Account), Choice::Go { .. }) => Door::Account(account(&actor)),
                _ => Door::Destination,
            };
            let pass = match &door {
                Door::Destination => self.destination,
                Door::Account(name) => self.accounts.get(name).copied().unwrap_or(self.unknown),
            };
            match (&door, pass) {
                // It is looked at again when the account goes on.
                (Door::Account(_), _) if is_stopped => {}
                (_, Pass::All) => {
                    let number = u32::try_from(events.len()).unwrap_or(u32::MAX);
                    let due = later(now, self.gap.saturating_mul(number));
                    events.push(Wanted::of(filing, Event::Unblock(due), actor));
                }
                // What would not set off is no trial of the destination.
                (_, Pass::One) if !is_stopped && self.tried.insert(door.clone()) => {
                    walked.trials.push(door);
                    walked.left = true;
                    events.push(Wanted::of(filing, Event::Unblock(now), actor));
                }
                (_, Pass::One | Pass::None) => walked.left = true,
            }
        }
        walked.released = ledger.write(events).await?.len();
        Some(walked)
    }
}
