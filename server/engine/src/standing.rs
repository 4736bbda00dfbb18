//! What is known of how a destination and its accounts are doing, learned from every attempt: breakers, the number in
//! flight, and how long it asked to be left alone. Pure: time and chance are arguments.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::cause::{BreakerEffect, Cause};
use postroom_domain::control::Gate;
use postroom_domain::ids::{FilingId, ServiceName};
use postroom_domain::time::later;

use crate::breaker::{Breaker, Moment, Opening, Pass};
use crate::contact::Contact;
use crate::options::BreakerSettings;
use crate::ramp::Ramp;
use crate::release::Door;
use crate::telemetry;

/// This many filings of a closed account in a row, and nobody looks for others behind them.
const ACCOUNT_RUN: usize = 256;
/// This many refused places, and it is the account that has no rights.
const NO_RIGHT_PLACES: usize = 10;

/// An attempt that has ended, as far as it says something about the other side.
pub(crate) struct Ended {
    pub(crate) id: FilingId,
    /// The account it used.
    pub(crate) account: String,
    /// A number for the place it went to.
    pub(crate) place: u64,
    pub(crate) contact: Contact,
    /// It was a question, not a document.
    pub(crate) checking: bool,
}

/// What follows from an attempt for the desk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// Something that was closed is open: blocked filings may go on.
    pub(crate) opened_up: bool,
    /// What operators should know.
    pub(crate) tell: Vec<String>,
}

/// How a destination is doing.
pub(crate) struct Standing {
    service: ServiceName,
    settings: BreakerSettings,
    longest_snooze: Duration,
    pub(crate) breaker: Breaker,
    pub(crate) ramp: Ramp,
    accounts: HashMap<String, Breaker>,
    no_right: HashMap<String, HashSet<u64>>,
    snoozed: Option<Timestamp>,
    /// Filings of closed accounts met in a row.
    closed_run: usize,
    /// Doors that have had their trial since they were last closed.
    pub(crate) tried: HashSet<Door>,
}

/// What may happen at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Free,
    /// One filing may try.
    Trial,
    /// The trial is under way.
    Waiting,
    /// Nothing: what was claimed is given back.
    Shut,
}

impl Standing {
    pub(crate) fn new(
        service: ServiceName,
        settings: BreakerSettings,
        most: usize,
        longest_snooze: Duration,
    ) -> Self {
        Self {
            service,
            breaker: Breaker::new(settings.clone()),
            settings,
            longest_snooze,
            ramp: Ramp::new(most),
            accounts: HashMap::new(),
            no_right: HashMap::new(),
            snoozed: None,
            closed_run: 0,
            tried: HashSet::new(),
        }
    }

    /// What may happen now, pauses aside.
    pub(crate) fn way(&mut self, now: Moment) -> Way {
        self.snoozed = self.snoozed.filter(|until| *until > now.wall);
        if self.closed_run >= ACCOUNT_RUN && self.account_passes(now).values().all(|pass| *pass != Pass::None)
        {
            self.closed_run = 0;
        }
        if self.snoozed.is_some() || self.closed_run >= ACCOUNT_RUN {
            return Way::Shut;
        }
        match self.breaker.pass(now) {
            Pass::All => Way::Free,
            Pass::One => Way::Trial,
            Pass::None if self.breaker.is_open() => Way::Shut,
            Pass::None => Way::Waiting,
        }
    }

    /// What each account that is not simply open lets pass.
    pub(crate) fn account_passes(&mut self, now: Moment) -> HashMap<String, Pass> {
        self.accounts.iter_mut().map(|(name, breaker)| (name.clone(), breaker.pass(now))).collect()
    }

    /// The same, with what closed them.
    pub(crate) fn closed_accounts(&mut self, now: Moment) -> HashMap<String, (Pass, Option<Opening>)> {
        let open =
            |(name, breaker): (&String, &mut Breaker)| (name.clone(), (breaker.pass(now), breaker.opening()));
        self.accounts.iter_mut().filter(|(_, breaker)| !breaker.is_closed()).map(open).collect()
    }

    /// A filing of the account sets off.
    pub(crate) fn begin(&mut self, account: &str) {
        self.breaker.begin();
        if let Some(breaker) = self.accounts.get_mut(account) {
            breaker.begin();
        }
    }

    /// A claim met filings of closed accounts, or others.
    pub(crate) const fn met(&mut self, blocked: usize, claimed: usize) {
        if claimed > 0 {
            self.closed_run = 0;
        } else {
            self.closed_run += blocked;
        }
    }

    /// Somebody says that the destination is mended: one filing tries at once.
    pub(crate) fn mended(&mut self) {
        if !self.breaker.is_closed() {
            self.breaker.try_now();
            self.tried.remove(&Door::Destination);
        }
        for (name, breaker) in self.accounts.iter_mut().filter(|(_, breaker)| !breaker.is_closed()) {
            breaker.try_now();
            self.tried.remove(&Door::Account(name.clone()));
        }
    }

    /// An account was linked anew, or ceased to work: what closed it before says nothing any more.
    pub(crate) fn account_changed(&mut self, account: &str) {
        self.accounts.remove(account);
        self.no_right.remove(account);
        self.tried.remove(&Door::Account(account.to_owned()));
        self.closed_run = 0;
    }

    /// A person lets an account go on: a trial that was let go before the stop may never have set off.
    pub(crate) fn account_goes_on(&mut self) {
        self.tried.clear();
        self.closed_run = 0;
    }

    /// A blocked filing of an account of which nothing is known since the start is let go as its trial.
    pub(crate) fn try_account(&mut self, account: &str) {
        let settings = &self.settings;
        self.accounts.entry(account.to_owned()).or_insert_with(|| Breaker::new(settings.clone())).try_now();
    }

    /// What an attempt says about the destination and the account.
    pub(crate) fn learn(&mut self, ended: &Ended, now: Moment, chance: f64) -> Lesson {
        let mut lesson = Lesson::default();
        let account = ended.account.as_str();
        match ended.contact {
            Contact::Nothing => {
                self.breaker.says_nothing();
                self.account_says_nothing(account);
            }
            Contact::Works => {
                self.works(account, &mut lesson);
                self.ramp.success();
                if !ended.checking {
                    self.no_right.remove(account);
                }
            }
            Contact::Slow { until } => {
                self.works(account, &mut lesson);
                self.ramp.throttled(now.steady);
                let longest = later(now.wall, self.longest_snooze);
                self.snoozed = self.snoozed.max(until.map(|until| until.min(longest)));
                telemetry::throttled(&self.service);
            }
            Contact::Failed(cause) => match cause.row().breaker {
                BreakerEffect::None
                    if cause == Cause::NoRight && self.no_rights_at_all(account, ended.place) =>
                {
                    self.destination_works(&mut lesson);
                    self.account_failed(ended, cause, now, chance, &mut lesson);
                }
                BreakerEffect::None => self.works(account, &mut lesson),
                BreakerEffect::OpensAccount => {
                    self.destination_works(&mut lesson);
                    self.account_failed(ended, cause, now, chance, &mut lesson);
                }
                effect @ (BreakerEffect::Counts | BreakerEffect::Opens) => {
                    let first = self.breaker.opening().is_none();
                    if self.breaker.failed(ended.id, cause, effect == BreakerEffect::Opens, now, chance) {
                        self.tried.remove(&Door::Destination);
                        self.opened("The destination", cause, first, &mut lesson);
                    }
                    self.account_says_nothing(account);
                }
            },
        }
        lesson
    }

    fn works(&mut self, account: &str, lesson: &mut Lesson) {
        self.destination_works(lesson);
        if self.accounts.get_mut(account).is_some_and(Breaker::works) {
            self.accounts.remove(account);
            self.tried.remove(&Door::Account(account.to_owned()));
            self.ramp.restart();
            self.closed_run = 0;
            lesson.opened_up = true;
            lesson
                .tell
                .push(format!("The account {account} works again; its filings follow little by little"));
        }
    }

    fn destination_works(&mut self, lesson: &mut Lesson) {
        if self.breaker.works() {
            self.tried.remove(&Door::Destination);
            self.ramp.restart();
            lesson.opened_up = true;
            lesson.tell.push("The destination works again; its filings follow little by little".to_owned());
        }
    }

    fn account_says_nothing(&mut self, account: &str) {
        if let Some(breaker) = self.accounts.get_mut(account) {
            breaker.says_nothing();
        }
    }

    fn account_failed(&mut self, ended: &Ended, cause: Cause, now: Moment, chance: f64, lesson: &mut Lesson) {
        let settings = &self.settings;
        let breaker =
            self.accounts.entry(ended.account.clone()).or_insert_with(|| Breaker::new(settings.clone()));
        let first = breaker.opening().is_none();
        if breaker.failed(ended.id, cause, true, now, chance) {
            self.tried.remove(&Door::Account(ended.account.clone()));
            self.opened(&format!("The account {}", ended.account), cause, first, lesson);
        }
    }

    /// Whether an account was refused at so many places that it is not the places.
    fn no_rights_at_all(&mut self, account: &str, place: u64) -> bool {
        let places = self.no_right.entry(account.to_owned()).or_default();
        places.insert(place);
        let all = places.len() >= NO_RIGHT_PLACES;
        if all {
            places.clear();
        }
        all
    }

    fn opened(&self, what: &str, cause: Cause, first: bool, lesson: &mut Lesson) {
        telemetry::breaker_opened(&self.service, cause);
        if first {
            let short = cause.row().short;
            lesson
                .tell
                .push(format!("{what} is closed: {short}. Its filings wait; one is tried from time to time"));
        } else {
            tracing::info!(service = %self.service, %cause, "The trial failed; {what} stays closed");
        }
    }

    /// How long until something here changes by itself.
    pub(crate) fn next_change(&self, now: Moment) -> Option<Duration> {
        let breakers = std::iter::once(&self.breaker).chain(self.accounts.values());
        let steady = breakers.filter_map(Breaker::opens_a_crack).filter_map(|at| at.checked_sub(now.steady));
        let snoozed = self.snoozed.map(|until| postroom_domain::time::age(until, now.wall));
        // What lies behind has been acted on already, or waits for something else than time.
        steady.chain(snoozed).filter(|wait| !wait.is_zero()).min()
    }

    /// How it is to be shown, pauses aside.
    pub(crate) fn gate(&self) -> Gate {
        let closed = |opening: Opening| Gate::Closed {
            cause: opening.cause,
            since: opening.since,
            retest: opening.retest,
        };
        let account =
            || self.accounts.values().filter(|breaker| breaker.is_open()).find_map(Breaker::opening);
        if let Some(opening) = self.breaker.opening().filter(|_| self.breaker.is_open()) {
            closed(opening)
        } else if let Some(until) = self.snoozed {
            Gate::Throttled { until }
        } else if let Some(opening) = account().filter(|_| self.closed_run > 0) {
            closed(opening)
        } else if !self.breaker.is_closed() || self.ramp.is_growing() {
            Gate::Recovering
        } else {
            Gate::Open
        }
    }

    /// How many may be in flight at this moment.
    pub(crate) const fn limit(&self) -> usize {
        if self.breaker.is_closed() { self.ramp.limit() } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(id: u128, account: &str, contact: Contact) -> Ended {
        let place = u64::try_from(id).unwrap();
        Ended { id: FilingId::from_u128(id), account: account.to_owned(), place, contact, checking: false }
    }

    fn at(seconds: u64) -> Moment {
        let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        Moment { wall: later(start, Duration::from_secs(seconds)), steady: Duration::from_secs(seconds) }
    }

    fn standing() -> Standing {
        Standing::new("dms".parse().unwrap(), BreakerSettings::default(), 8, Duration::from_hours(6))
    }

    #[test]
    fn a_refused_place_is_the_places_fault_ten_are_the_accounts() {
        let mut standing = standing();
        for id in 0..9 {
            standing.learn(&ended(id % 3, "system", Contact::Failed(Cause::NoRight)), at(0), 0.5);
        }
        assert_eq!(standing.account_passes(at(0)), HashMap::new());
        for id in 0..10 {
            standing.learn(&ended(id, "system", Contact::Failed(Cause::NoRight)), at(0), 0.5);
        }
        assert_eq!(standing.account_passes(at(0)), HashMap::from([("system".to_owned(), Pass::None)]));
        assert_eq!(standing.way(at(0)), Way::Free, "other accounts go on");
        standing.met(300, 0);
        assert_eq!(standing.way(at(0)), Way::Shut, "nothing but its filings in the queue");
        assert_eq!(standing.way(at(400)), Way::Free, "until it may try again");
    }

    #[test]
    fn a_snooze_holds_and_is_capped() {
        let mut standing = standing();
        let until = Some(later(at(0).wall, Duration::from_hours(900)));
        standing.learn(&ended(1, "system", Contact::Slow { until }), at(0), 0.5);
        assert_eq!((standing.way(at(0)), standing.limit()), (Way::Shut, 4));
        assert_eq!(standing.next_change(at(0)), Some(Duration::from_hours(6)));
        assert_eq!(standing.way(at(6 * 3600)), Way::Free);
    }

    #[test]
    fn one_lesson_is_told_once() {
        let mut standing = standing();
        let failed = |id| ended(id, "system", Contact::Failed(Cause::BadCertificate));
        assert_eq!(standing.learn(&failed(1), at(0), 0.5).tell.len(), 1);
        assert_eq!(
            standing.learn(&failed(2), at(0), 0.5),
            Lesson::default(),
            "it was under way when it closed"
        );
        assert_eq!(standing.way(at(300)), Way::Trial);
        standing.begin("system");
        assert_eq!(standing.way(at(300)), Way::Waiting);
        assert_eq!(standing.learn(&failed(3), at(300), 0.5), Lesson::default(), "the trial failed: no news");
        assert_eq!(standing.way(at(600)), Way::Trial);
        let lesson = standing.learn(&ended(4, "system", Contact::Works), at(600), 0.5);
        assert!(lesson.opened_up && lesson.tell.len() == 1, "{lesson:?}");
        assert_eq!((standing.way(at(600)), standing.limit()), (Way::Free, 2));
    }
}
