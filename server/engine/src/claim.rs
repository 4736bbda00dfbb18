//! Picking and claiming: what is due is read, and taken in one transaction, with the rows of its attempts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::dms::Trouble;
use postroom_domain::filing::{Blocker, Filing, State, Why};
use postroom_domain::ids::{FilingId, ServiceName};
use postroom_domain::link::{Accounts, AccountsAt};
use postroom_domain::linked::{self, Save};
use postroom_domain::machine::Event;

use tokio::time::Instant;

use crate::accounts::{Choice, Chooser, Errand, account, actor, choose, stands_in, stopped, trouble};
use crate::breaker::{Opening, Pass};
use crate::commit::{Ledger, Wanted};
use crate::picker::{Picker, Wish};
use crate::telemetry;
use crate::watcher::Snapshot;

/// One go at claiming. It has the picker while it is under way.
pub(crate) struct Claim {
    pub(crate) picker: Picker,
    pub(crate) wish: Wish,
    pub(crate) service: ServiceName,
    pub(crate) snapshot: Arc<Snapshot>,
    /// What the desk has its hands on already.
    pub(crate) taken: HashSet<FilingId>,
    /// Accounts that are not simply open.
    pub(crate) closed: HashMap<String, (Pass, Option<Opening>)>,
    /// Who knows whose accounts are linked.
    pub(crate) accounts: Arc<dyn Accounts>,
}

/// Which queues had nothing more that is due when they were last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dry {
    /// Of documents to be sent.
    pub(crate) work: bool,
    /// Of documents to be asked about.
    pub(crate) checks: bool,
}

impl Dry {
    pub(crate) const NO: Self = Self { work: false, checks: false };
    pub(crate) const YES: Self = Self { work: true, checks: true };
}

/// What it brought.
pub(crate) struct Claimed {
    pub(crate) picker: Picker,
    /// Running now: to be sent.
    pub(crate) work: Vec<Errand>,
    /// To be asked about.
    pub(crate) checks: Vec<Errand>,
    /// Which queues had less that is due than could have been taken.
    pub(crate) dry: Dry,
    /// How many were blocked instead, their account being closed.
    pub(crate) blocked: usize,
    /// How many were blocked because their account is stopped, and what was known of stopped ones then.
    pub(crate) stopped: (usize, Arc<Snapshot>),
    /// Filings whose rows cannot be read: they are left alone until the next start.
    pub(crate) unreadable: Vec<FilingId>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Claim {
    /// Picks, reads and claims. None when the store has failed.
    pub(crate) async fn run(mut self, ledger: Ledger) -> Option<Claimed> {
        let begun = Instant::now();
        let picked = self.picker.pick(&self.wish, &self.snapshot, &self.taken).await;
        let Some(picked) = ledger.answer(picked, "A queue could not be read") else {
            return ledger.fatal.reason().is_none().then(|| self.nothing());
        };
        let ids = [picked.work.as_slice(), &picked.checks].concat();
        // Where the limit was for both together, what is short of one may be the other's doing.
        let filled = ids.len() >= self.wish.together;
        let dry = Dry {
            work: !filled && picked.work.len() < self.wish.work,
            checks: !filled && picked.checks.len() < self.wish.checks,
        };
        if ids.is_empty() {
            return Some(self.nothing());
        }
        let read = ledger.read(&ids).await?;
        let known: HashSet<FilingId> = read.iter().map(|filing| filing.id).collect();
        let unreadable = ids.into_iter().filter(|id| !known.contains(id)).collect();
        let mut checks = Vec::new();
        let mut events = Vec::with_capacity(read.len());
        let mut errands = HashMap::with_capacity(read.len());
        let (accounts, service) = (self.accounts.clone(), self.service.clone());
        let mut chooser = Chooser::new(&*accounts, &service);
        for filing in read {
            // What was read a moment ago may have been held, cancelled or sent elsewhere meanwhile.
            let due = filing.progress.due.is_some_and(|due| due <= self.wish.now || due > self.wish.furthest);
            if !due || filing.request.target.service != self.service {
                continue;
            }
            if !matches!(filing.progress.state, State::Checking | State::Waiting) {
                continue;
            }
            let Some(at) = ledger.answer(chooser.at(&filing).await, "Links could not be read") else {
                return ledger.fatal.reason().is_none().then(|| self.nothing());
            };
            if filing.progress.state == State::Checking {
                checks.push(Errand::question(filing, at));
                continue;
            }
            let Some(saves) =
                ledger.answer(ledger.saves(&filing).await, "Saves of a document could not be read")
            else {
                return ledger.fatal.reason().is_none().then(|| self.nothing());
            };
            if let Save::Behind(other) = linked::decide(&filing, &saves) {
                let actor = actor(&filing, None);
                events.push(Wanted::of(filing, Event::Behind(other), actor));
                continue;
            }
            let (wanted, errand) = self.decide(filing, at, &ledger);
            errands.extend(errand.map(|errand| (wanted.filing.id, errand)));
            events.push(wanted);
        }
        let written = ledger.write(events).await?;
        let mut written = written;
        written
            .retain(|filing| filing.progress.why != Why::Behind || filing.progress.state != State::Waiting);
        let (running, blocked): (Vec<_>, Vec<_>) =
            written.into_iter().partition(|filing| filing.progress.state == State::Running);
        let stopped = blocked.iter().filter(|filing| filing.progress.cause() == Some(Cause::Paused)).count();
        let work: Vec<Errand> = running
            .into_iter()
            .filter_map(|filing| Some(Errand { filing: filing.clone(), ..errands.remove(&filing.id)? }))
            .collect();
        telemetry::claimed(&self.service, work.len());
        Some(Claimed {
            picker: self.picker,
            work,
            checks,
            dry,
            blocked: blocked.len() - stopped,
            stopped: (stopped, self.snapshot),
            unreadable,
            took: begun.elapsed(),
        })
    }

    /// Taken, with whose account; or blocked when nobody's may be used, or when it is stopped or closed.
    fn decide(&mut self, filing: Filing, at: AccountsAt, ledger: &Ledger) -> (Wanted, Option<Errand>) {
        let (credential, ask_rights) = match choose(at) {
            Choice::Go { credential, ask_rights } => (credential, ask_rights),
            Choice::Stay(refusal) => {
                let event = Event::Block(Blocker::Account, trouble(&filing, refusal));
                let actor = actor(&filing, None);
                return (Wanted::of(filing, event, actor), None);
            }
        };
        let errand = Errand::send(filing.clone(), at, credential, ask_rights);
        if let Some(pause) = self.snapshot.stops_account(&self.service, errand.owner, self.wish.now) {
            let event = Event::Block(Blocker::Account, stopped(pause));
            return (Wanted::of(filing, event, errand.actor), None);
        }
        if let Some(event) = self.closed(&account(&errand.actor)) {
            return (Wanted::of(filing, event, errand.actor), None);
        }
        let also = stands_in(&filing, at, credential, &ledger.clock);
        (Wanted { filing, event: Event::Claim, actor: errand.actor.clone(), also }, Some(errand))
    }

    /// What blocks a filing whose account is closed; a half-open one lets one pass.
    fn closed(&mut self, account: &str) -> Option<Event> {
        match self.closed.get_mut(account)? {
            (Pass::None, opening) => {
                let cause = opening.map_or(Cause::LoginNeeded, |opening| opening.cause);
                Some(Event::Block(
                    Blocker::Account,
                    Trouble::new(cause, "the account is closed; another filing met it first"),
                ))
            }
            (pass @ Pass::One, _) => {
                *pass = Pass::None;
                None
            }
            (Pass::All, _) => None,
        }
    }

    fn nothing(self) -> Claimed {
        Claimed {
            picker: self.picker,
            work: Vec::new(),
            checks: Vec::new(),
            dry: Dry { work: self.wish.work > 0, checks: self.wish.checks > 0 },
            blocked: 0,
            stopped: (0, self.snapshot),
            unreadable: Vec::new(),
            took: Duration::ZERO,
        }
    }
}
