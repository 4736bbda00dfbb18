//! Letting blocked filings go on: one as a trial while a door is half open, the rest in portions once it is open, spread over
//! the time they will take, so that a destination that came back is not met by everything at once.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use postroom_domain::filing::{Blocker, State};
use postroom_domain::ids::{FilingId, ServiceName};
use postroom_domain::machine::Event;
use postroom_domain::time::later;

use crate::breaker::Pass;
use crate::commit::Ledger;
use crate::resolver::account;
use crate::worker::actor_of;

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
        for filing in page {
            let door = match filing.progress.blocker {
                Some(Blocker::Account) => Door::Account(account(&actor_of(&filing))),
                _ => Door::Destination,
            };
            let pass = match &door {
                Door::Destination => self.destination,
                Door::Account(name) => self.accounts.get(name).copied().unwrap_or(self.unknown),
            };
            match pass {
                Pass::All => {
                    let number = u32::try_from(events.len()).unwrap_or(u32::MAX);
                    events.push((filing, Event::Unblock(later(now, self.gap.saturating_mul(number)))));
                }
                Pass::One if self.tried.insert(door.clone()) => {
                    walked.trials.push(door);
                    walked.left = true;
                    events.push((filing, Event::Unblock(now)));
                }
                Pass::One | Pass::None => walked.left = true,
            }
        }
        walked.released = ledger.write(events).await?.len();
        Some(walked)
    }
}
