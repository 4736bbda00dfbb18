//! One destination's desk: picks what is due, claims it, hands it to workers, and learns from what they report. Each
//! destination has its own, so that what happens at one never holds up another.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use postroom_domain::cause::{BreakerEffect, Cause};
use postroom_domain::control::{DestinationStatus, Gate};
use postroom_domain::dms::Trouble;
use postroom_domain::event::{Happening, NewEvent, Subject};
use postroom_domain::filing::{Blocker, Filing, State};
use postroom_domain::ids::{FilingId, ServiceName};
use postroom_domain::machine::Event;
use postroom_domain::time::{age, later};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::breaker::{Breaker, Moment, Opening, Pass};
use crate::commit::Ledger;
use crate::contact::Contact;
use crate::options::EngineOptions;
use crate::picker::{Picker, Wish};
use crate::ramp::Ramp;
use crate::release::{Door, Walk, Walked};
use crate::resolver::account;
use crate::telemetry;
use crate::watcher::Snapshot;
use crate::worker::{Bench, actor_of, work};

/// What workers tell the desk.
enum Word {
    /// The DMS is done with it: its slot is free.
    Ended { id: FilingId, account: String, place: u64, contact: Contact, took: Duration, checking: bool },
    /// Its result is durable, or will never be: it may be picked again. With the state it has now.
    Written { id: FilingId, state: Option<State> },
}

/// What a claim brought.
struct Claim {
    picker: Picker,
    work: Vec<Filing>,
    checks: Vec<Filing>,
    /// Fewer were due than could have been taken.
    dry: bool,
    /// Filings that were blocked instead, their account being closed.
    blocked: usize,
    /// Filings whose rows cannot be read: they are left alone until the next start.
    unreadable: Vec<FilingId>,
}

/// What may happen at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Free,
    /// One filing may try.
    Trial,
    /// The trial is under way.
    Waiting,
    /// Nothing: what was claimed is given back.
    Shut,
}

/// This many filings of a closed account in a row, and the desk stops looking for others behind them.
const ACCOUNT_RUN: usize = 256;
/// This many refused places, and it is the account that has no rights.
const NO_RIGHT_PLACES: usize = 10;

/// A desk, before it runs.
pub(crate) struct Desk {
    pub(crate) name: ServiceName,
    pub(crate) bench: Arc<Bench>,
    pub(crate) ledger: Ledger,
    pub(crate) options: EngineOptions,
    pub(crate) board: Arc<Mutex<DestinationStatus>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// Whether filings were blocked when the engine started.
    pub(crate) blocked_before: bool,
}

/// A desk at work.
struct Running {
    desk: Desk,
    most: usize,
    ahead: usize,
    words: mpsc::UnboundedSender<Word>,
    snapshot: Arc<Snapshot>,
    picker: Option<Picker>,
    /// A newer snapshot came while the picker was away.
    unseen: bool,
    claimed: VecDeque<Filing>,
    checks: VecDeque<Filing>,
    sending: usize,
    asking: usize,
    check_was_last: bool,
    /// Everything this desk has its hands on.
    taken: HashSet<FilingId>,
    /// Nothing more was due when the queues were last looked at.
    dry: bool,
    breaker: Breaker,
    accounts: HashMap<String, Breaker>,
    no_right: HashMap<String, HashSet<u64>>,
    /// Filings of closed accounts met in a row.
    closed_run: usize,
    ramp: Ramp,
    snoozed: Option<Timestamp>,
    mean: Duration,
    blocked: bool,
    starting: bool,
    walk_from: Option<FilingId>,
    walk_at: Option<Duration>,
    tried: HashSet<Door>,
    last: Moment,
    shown: Option<(usize, usize, bool)>,
}

impl Desk {
    /// Runs until it is told to stop, or the engine has failed. What it had claimed and not begun is given back; workers go on.
    pub(crate) async fn run(self) {
        let (words, mut heard) = mpsc::unbounded_channel();
        let mut news = self.bench.news.clone();
        let fatal = self.ledger.fatal.clone();
        let mut running = Running::new(self, words);
        let mut claim: Option<BoxFuture<'static, Option<Claim>>> = None;
        let mut walk: Option<BoxFuture<'static, Option<Walked>>> = None;
        loop {
            let now = running.moment();
            running.notice_jump(now);
            let way = running.way(now);
            running.start(way, now);
            if claim.is_none() {
                claim = running.claim(way, now);
            }
            if walk.is_none() {
                walk = running.walk(now);
            }
            running.show(now);
            let sleep = running.sleep(now);
            tokio::select! {
                biased;
                () = running.desk.stop.cancelled() => break,
                _ = fatal.declared() => return,
                Some(word) = heard.recv() => {
                    running.hear(word);
                    while let Ok(word) = heard.try_recv() {
                        running.hear(word);
                    }
                }
                claimed = maybe(claim.as_mut()) => {
                    claim = None;
                    match claimed {
                        Some(claimed) => running.take_in(claimed),
                        None => return,
                    }
                }
                walked = maybe(walk.as_mut()) => {
                    walk = None;
                    running.after_walk(walked);
                }
                () = news.changed() => running.see(news.latest()),
                () = tokio::time::sleep(sleep) => running.dry = false,
            }
        }
        if let Some(claim) = claim
            && let Some(claimed) = claim.await
        {
            running.claimed.extend(claimed.work);
        }
        running.give_back();
        running.show(running.moment());
    }
}

/// Waits for what is under way, for ever when nothing is.
async fn maybe<T>(future: Option<&mut BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

impl Running {
    fn new(desk: Desk, words: mpsc::UnboundedSender<Word>) -> Self {
        let settings = &desk.bench.settings;
        let most = settings.concurrency.max(1);
        let probe = desk.bench.dms.capabilities().probe;
        let ahead = settings.claim_ahead.unwrap_or(if probe { most.min(32) } else { 0 });
        let mut breaker = Breaker::new(settings.breaker.clone());
        if desk.blocked_before {
            breaker.try_now();
        }
        let last = Moment { wall: desk.ledger.clock.now(), steady: desk.ledger.clock.monotonic() };
        Self {
            most,
            ahead,
            words,
            snapshot: Arc::default(),
            picker: Some(Picker::new(desk.ledger.store.clone(), desk.name.clone())),
            unseen: false,
            claimed: VecDeque::new(),
            checks: VecDeque::new(),
            sending: 0,
            asking: 0,
            check_was_last: false,
            taken: HashSet::new(),
            dry: true,
            breaker,
            accounts: HashMap::new(),
            no_right: HashMap::new(),
            closed_run: 0,
            ramp: Ramp::new(most),
            snoozed: None,
            mean: Duration::from_millis(100),
            blocked: desk.blocked_before,
            starting: desk.blocked_before,
            walk_from: None,
            walk_at: desk.blocked_before.then_some(last.steady),
            tried: HashSet::new(),
            last,
            shown: None,
            desk,
        }
    }

    fn moment(&self) -> Moment {
        Moment { wall: self.desk.ledger.clock.now(), steady: self.desk.ledger.clock.monotonic() }
    }

    /// The time of day went far ahead of the steady clock: much may have become due at once.
    fn notice_jump(&mut self, now: Moment) {
        let wall = age(now.wall, self.last.wall);
        let steady = now.steady.saturating_sub(self.last.steady);
        if wall > steady + self.desk.options.jump {
            tracing::warn!(
                service = %self.desk.name, jump_seconds = (wall - steady).as_secs(),
                "The time of day jumped ahead; the destination is met with a slow start"
            );
            self.ramp.restart();
        }
        self.last = now;
    }

    fn way(&mut self, now: Moment) -> Way {
        if self.snoozed.is_some_and(|until| until <= now.wall) {
            self.snoozed = None;
        }
        let account_shut = self.closed_run >= ACCOUNT_RUN && {
            let still = self.accounts.values_mut().any(|account| account.pass(now) == Pass::None);
            if !still {
                self.closed_run = 0;
            }
            still
        };
        if self.snapshot.stops_destination(&self.desk.name, now.wall)
            || self.snoozed.is_some()
            || account_shut
        {
            return Way::Shut;
        }
        match self.breaker.pass(now) {
            Pass::All => Way::Free,
            Pass::One => Way::Trial,
            Pass::None if self.breaker.is_open() => Way::Shut,
            Pass::None => Way::Waiting,
        }
    }

    /// Hands claimed filings to workers while there are slots.
    fn start(&mut self, way: Way, now: Moment) {
        match way {
            Way::Shut => return self.give_back(),
            Way::Waiting => return,
            Way::Trial => {
                if let Some(filing) = self.claimed.pop_front().or_else(|| self.checks.pop_front()) {
                    self.breaker.begin();
                    self.spawn(filing);
                }
                return;
            }
            Way::Free => {}
        }
        let limit = self.ramp.limit();
        let share = (limit / 4).max(1);
        while self.sending + self.asking < limit {
            // Questions have a share of the slots that nobody takes from them, and no more while there is work to send.
            let turn = !(limit == 1 && self.check_was_last) && self.asking < share;
            let check = !self.checks.is_empty() && (turn || self.claimed.is_empty());
            let next = if check { self.checks.pop_front() } else { self.claimed.pop_front() };
            let Some(filing) = next else { break };
            // It was claimed before its door was stopped.
            if filing.progress.state == State::Running && self.snapshot.stops_source(&filing.source, now.wall)
            {
                self.give_back_these(vec![filing]);
                continue;
            }
            self.check_was_last = check;
            self.spawn(filing);
        }
    }

    fn spawn(&mut self, filing: Filing) {
        let checking = filing.progress.state == State::Checking;
        *if checking { &mut self.asking } else { &mut self.sending } += 1;
        let account = account(&actor_of(&filing));
        if let Some(breaker) = self.accounts.get_mut(&account) {
            breaker.begin();
        }
        let (bench, ledger, words) = (self.desk.bench.clone(), self.desk.ledger.clone(), self.words.clone());
        let service = self.desk.name.clone();
        self.desk.tasks.spawn(async move {
            let (id, place) = (filing.id, place_number(&filing));
            let started = Instant::now();
            let report = work(&bench, &filing).await;
            let took = started.elapsed();
            let contact = Contact::of(&report, ledger.clock.now());
            // A desk that has stopped does not listen any more.
            let _ = words.send(Word::Ended { id, account, place, contact, took, checking });
            telemetry::attempt(&service, checking, took, report.bytes);
            if let Some(why) = report.own_fault {
                ledger.fatal.declare(why);
            }
            if let Some(note) = report.alert {
                ledger.alert(alert(&filing, &ledger, note)).await;
            }
            let mut state = None;
            if let Some(event) = report.event {
                let before = filing.progress.state;
                let written = ledger.write(vec![(filing, event)]).await;
                if let Some(after) = written.and_then(|mut written| written.pop()) {
                    telemetry::outcome(&service, before, &after, took);
                    state = Some(after.progress.state);
                }
            }
            let _ = words.send(Word::Written { id, state });
        });
    }

    /// Gives back what was claimed and not begun.
    fn give_back(&mut self) {
        for check in self.checks.drain(..) {
            self.taken.remove(&check.id);
        }
        if !self.claimed.is_empty() {
            let claimed = self.claimed.drain(..).collect();
            self.give_back_these(claimed);
        }
    }

    fn give_back_these(&self, filings: Vec<Filing>) {
        let (ledger, words) = (self.desk.ledger.clone(), self.words.clone());
        self.desk.tasks.spawn(async move {
            let ids: Vec<FilingId> = filings.iter().map(|filing| filing.id).collect();
            let events = filings.into_iter().map(|filing| (filing, Event::Abandoned)).collect();
            ledger.write(events).await;
            for id in ids {
                let _ = words.send(Word::Written { id, state: None });
            }
        });
    }

    /// Goes to claim the next ones, when there is room and something may be due.
    fn claim(&mut self, way: Way, now: Moment) -> Option<BoxFuture<'static, Option<Claim>>> {
        if self.dry || matches!(way, Way::Shut | Way::Waiting) || self.desk.stop.is_cancelled() {
            return None;
        }
        let limit = self.ramp.limit();
        let wish = if way == Way::Trial {
            let together = 1_usize.saturating_sub(self.claimed.len() + self.checks.len());
            Wish { work: together, checks: together, together, now: now.wall, furthest: self.furthest(now) }
        } else {
            let ahead = self.ahead.min(limit);
            let work = (limit + ahead).saturating_sub(self.sending + self.claimed.len());
            // Not for every single one, but before the last claimed one is gone.
            let work = if work > ahead / 2 || self.claimed.is_empty() { work } else { 0 };
            let checks = limit.saturating_sub(self.asking + self.checks.len());
            Wish { work, checks, together: work + checks, now: now.wall, furthest: self.furthest(now) }
        };
        // The store falls behind with results: no more until it has caught up.
        if wish.together == 0 || self.taken.len() > 8 * self.most + 64 {
            return None;
        }
        let mut picker = self.picker.take()?;
        if std::mem::take(&mut self.unseen) {
            picker.update(&self.snapshot);
        }
        let closed: HashMap<String, (Pass, Option<Opening>)> = self
            .accounts
            .iter_mut()
            .filter(|(_, breaker)| !breaker.is_closed())
            .map(|(name, breaker)| (name.clone(), (breaker.pass(now), breaker.opening())))
            .collect();
        let (snapshot, taken, ledger) = (self.snapshot.clone(), self.taken.clone(), self.desk.ledger.clone());
        let service = self.desk.name.clone();
        Some(claim(picker, wish, snapshot, taken, closed, ledger, service).boxed())
    }

    fn furthest(&self, now: Moment) -> Timestamp {
        self.desk.ledger.policy.furthest_due(now.wall)
    }

    fn take_in(&mut self, claim: Claim) {
        self.picker = Some(claim.picker);
        self.dry = claim.dry && !self.unseen;
        if claim.blocked > 0 {
            self.blocked = true;
            self.closed_run = if claim.work.is_empty() { self.closed_run + claim.blocked } else { 0 };
        } else if !claim.work.is_empty() {
            self.closed_run = 0;
        }
        for id in &claim.unreadable {
            tracing::error!(filing.id = %id, service = %self.desk.name, "The row of a filing in the queue cannot be read; it is left alone");
        }
        self.taken.extend(claim.unreadable);
        self.taken.extend(claim.work.iter().chain(&claim.checks).map(|filing| filing.id));
        self.claimed.extend(claim.work);
        self.checks.extend(claim.checks);
    }

    fn see(&mut self, snapshot: Arc<Snapshot>) {
        let name = &self.desk.name;
        let now = self.desk.ledger.clock.now();
        let resumed = self.snapshot.stops_destination(name, now) && !snapshot.stops_destination(name, now);
        if resumed && !self.breaker.is_closed() {
            // Somebody lets it go on, and so says that it is mended: that is tried at once.
            self.breaker.try_now();
            self.tried.remove(&Door::Destination);
        }
        self.snapshot = snapshot;
        self.dry = false;
        match &mut self.picker {
            Some(picker) => picker.update(&self.snapshot),
            None => self.unseen = true,
        }
    }

    fn hear(&mut self, word: Word) {
        match word {
            Word::Ended { id, account, place, contact, took, checking } => {
                *if checking { &mut self.asking } else { &mut self.sending } -= 1;
                self.learn(id, &account, place, contact, checking);
                if !checking && contact == Contact::Works {
                    self.mean = (self.mean * 7 + took) / 8;
                }
            }
            Word::Written { id, state } => {
                self.taken.remove(&id);
                self.blocked |= state == Some(State::Blocked);
            }
        }
    }

    /// What an attempt says about the destination and the account.
    fn learn(&mut self, id: FilingId, account: &str, place: u64, contact: Contact, checking: bool) {
        let now = self.moment();
        let chance = self.desk.ledger.entropy.unit();
        match contact {
            Contact::Nothing => {
                self.breaker.says_nothing();
                if let Some(breaker) = self.accounts.get_mut(account) {
                    breaker.says_nothing();
                }
            }
            Contact::Works => {
                self.destination_works(now);
                self.account_works(account, now);
                self.ramp.success();
                if !checking {
                    self.no_right.remove(account);
                }
            }
            Contact::Slow { until } => {
                self.destination_works(now);
                self.account_works(account, now);
                self.ramp.throttled(now.steady);
                let longest =
                    later(now.wall, Duration::from_secs(self.desk.ledger.policy.longest_snooze_seconds));
                if let Some(until) = until.map(|until| until.min(longest)) {
                    self.snoozed = self.snoozed.max(Some(until));
                }
                telemetry::throttled(&self.desk.name);
            }
            Contact::Failed(cause) => match cause.row().breaker {
                BreakerEffect::None => {
                    self.destination_works(now);
                    if cause == Cause::NoRight {
                        let places = self.no_right.entry(account.to_owned()).or_default();
                        places.insert(place);
                        if places.len() >= NO_RIGHT_PLACES {
                            places.clear();
                            return self.account_failed(id, account, cause, now, chance);
                        }
                    }
                    self.account_works(account, now);
                }
                effect @ (BreakerEffect::Counts | BreakerEffect::Opens) => {
                    let first = self.breaker.opening().is_none();
                    if self.breaker.failed(id, cause, effect == BreakerEffect::Opens, now, chance) {
                        self.tried.remove(&Door::Destination);
                        self.tell_opened(&format!("destination/{}", self.desk.name), cause, first);
                    }
                    if let Some(breaker) = self.accounts.get_mut(account) {
                        breaker.says_nothing();
                    }
                }
                BreakerEffect::OpensAccount => {
                    self.destination_works(now);
                    self.account_failed(id, account, cause, now, chance);
                }
            },
        }
    }

    fn destination_works(&mut self, now: Moment) {
        if !self.breaker.works() {
            return;
        }
        self.ramp.restart();
        self.tried.remove(&Door::Destination);
        self.walk_again(now);
        self.dry = false;
        self.tell(
            format!("destination/{}", self.desk.name),
            "It works again; waiting filings follow little by little".to_owned(),
        );
    }

    fn account_works(&mut self, account: &str, now: Moment) {
        if self.accounts.get_mut(account).is_some_and(Breaker::works) {
            self.accounts.remove(account);
            self.tried.remove(&Door::Account(account.to_owned()));
            self.ramp.restart();
            self.walk_again(now);
            self.closed_run = 0;
            self.dry = false;
            self.tell(
                format!("destination/{}", self.desk.name),
                format!("The account {account} works again"),
            );
        }
    }

    fn account_failed(&mut self, id: FilingId, account: &str, cause: Cause, now: Moment, chance: f64) {
        let settings = &self.desk.bench.settings.breaker;
        let breaker =
            self.accounts.entry(account.to_owned()).or_insert_with(|| Breaker::new(settings.clone()));
        let first = breaker.opening().is_none();
        if breaker.failed(id, cause, true, now, chance) {
            self.tried.remove(&Door::Account(account.to_owned()));
            self.tell_opened(&format!("account {account} at destination/{}", self.desk.name), cause, first);
        }
    }

    fn tell_opened(&self, what: &str, cause: Cause, first: bool) {
        telemetry::breaker_opened(&self.desk.name, cause);
        if first {
            let note = format!(
                "{what} is closed: {}. Its filings wait; one is tried from time to time",
                cause.row().short
            );
            self.tell(format!("destination/{}", self.desk.name), note);
        } else {
            tracing::info!(service = %self.desk.name, cause = %cause, "The trial failed; {what} stays closed");
        }
    }

    /// An event for operators.
    fn tell(&self, door: String, note: String) {
        let ledger = self.desk.ledger.clone();
        self.desk.tasks.spawn(async move {
            let event = NewEvent {
                at: ledger.clock.now(),
                site: None,
                subject: Subject::Door(door),
                happening: Happening::Alert,
                actor: Ledger::engine(),
                note,
            };
            ledger.alert(event).await;
        });
    }

    fn walk_again(&mut self, now: Moment) {
        if self.blocked {
            self.walk_from = None;
            self.walk_at = Some(now.steady);
        }
    }

    /// Lets blocked filings go on, when something of what closed their way has opened.
    fn walk(&mut self, now: Moment) -> Option<BoxFuture<'static, Option<Walked>>> {
        if !self.blocked || self.desk.stop.is_cancelled() {
            return None;
        }
        let destination = self.breaker.pass(now);
        let accounts: HashMap<String, Pass> =
            self.accounts.iter_mut().map(|(name, breaker)| (name.clone(), breaker.pass(now))).collect();
        let untried = |door: &Door| !self.tried.contains(door);
        // A half-open door needs one to try: a waiting one, or, when there is none, a blocked one.
        let trial = (destination == Pass::One && self.dry && untried(&Door::Destination))
            || accounts
                .iter()
                .any(|(name, pass)| *pass == Pass::One && untried(&Door::Account(name.clone())));
        let due = self.walk_at.is_some_and(|at| at <= now.steady);
        if !(trial || due) {
            return None;
        }
        let limit = self.ramp.limit();
        let walk = Walk {
            service: self.desk.name.clone(),
            after: if due { self.walk_from } else { None },
            destination,
            accounts,
            unknown: if self.starting { Pass::One } else { Pass::All },
            tried: self.tried.clone(),
            portion: (limit * 16).clamp(16, 512),
            gap: self.mean / u32::try_from(limit).unwrap_or(u32::MAX),
        };
        // While this one is under way no other begins.
        self.walk_at = None;
        let ledger = self.desk.ledger.clone();
        Some(async move { walk.run(&ledger).await }.boxed())
    }

    fn after_walk(&mut self, walked: Option<Walked>) {
        let now = self.moment();
        let Some(walked) = walked else {
            self.walk_at = Some(now.steady + self.desk.options.poll);
            return;
        };
        for door in walked.trials {
            if let Door::Account(name) = &door
                && self.starting
            {
                let settings = self.desk.bench.settings.breaker.clone();
                self.accounts.entry(name.clone()).or_insert_with(|| Breaker::new(settings)).try_now();
            }
            self.tried.insert(door);
        }
        if self.walk_at.is_some() {
            // A door opened while this walk was under way: the next one begins at the front.
            self.walk_from = None;
            return;
        }
        if walked.next.is_some() {
            let gap = self.mean / u32::try_from(self.ramp.limit()).unwrap_or(u32::MAX);
            let pause = gap.saturating_mul(u32::try_from(walked.released).unwrap_or(u32::MAX));
            self.walk_from = walked.next;
            self.walk_at = Some(now.steady + pause);
            return;
        }
        let round_done = self.walk_from.take().is_none() && !walked.left;
        self.starting = false;
        self.blocked = !round_done;
        // What had to stay, or came in behind the walk, is looked at again.
        self.walk_at = self.blocked.then_some(now.steady + self.desk.options.poll);
    }

    /// How long there is nothing to do if nothing comes in.
    fn sleep(&self, now: Moment) -> Duration {
        let steady = self.breaker.opens_a_crack().into_iter();
        let steady = steady.chain(self.accounts.values().filter_map(Breaker::opens_a_crack));
        // What lies behind was looked at in this round; what could not be done waits for news, not for time.
        let steady = steady.chain(self.walk_at).filter(|at| *at > now.steady).map(|at| at - now.steady);
        let due = self.picker.as_ref().and_then(|picker| picker.next_due(now.wall));
        let wall = due.into_iter().chain(self.snoozed).map(|at| age(at, now.wall));
        let next = steady.chain(wall).min().unwrap_or(self.desk.options.poll);
        // A millisecond more, so that it is due and not nearly due.
        (next + Duration::from_millis(1)).min(self.desk.options.poll)
    }

    /// Shows how it is going.
    fn show(&mut self, now: Moment) {
        let closed = |opening: Opening| Gate::Closed {
            cause: opening.cause,
            since: opening.since,
            retest: opening.retest,
        };
        let account =
            || self.accounts.values().filter(|breaker| breaker.is_open()).find_map(Breaker::opening);
        let gate = if self.snapshot.stops_destination(&self.desk.name, now.wall) {
            Gate::Paused
        } else if let Some(opening) = self.breaker.opening().filter(|_| self.breaker.is_open()) {
            closed(opening)
        } else if let Some(until) = self.snoozed {
            Gate::Throttled { until }
        } else if let Some(opening) = account().filter(|_| self.closed_run > 0) {
            closed(opening)
        } else if !self.breaker.is_closed() || self.ramp.is_growing() {
            Gate::Recovering
        } else {
            Gate::Open
        };
        let shown = (self.sending + self.asking, self.ramp.limit(), self.breaker.is_open());
        if self.shown != Some(shown) {
            self.shown = Some(shown);
            telemetry::desk(&self.desk.name, shown.0, shown.1, shown.2);
        }
        let mut board = self.desk.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.gate = gate;
        board.in_flight = self.sending + self.asking;
        board.limit = if self.breaker.is_closed() { self.ramp.limit() } else { 1 };
    }
}

/// A number for a filing's place: equal for equal places.
fn place_number(filing: &Filing) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let target = &filing.request.target;
    let mut hasher = DefaultHasher::new();
    (&target.library, &target.workspace, &target.folder).hash(&mut hasher);
    hasher.finish()
}

fn alert(filing: &Filing, ledger: &Ledger, note: String) -> NewEvent {
    NewEvent {
        at: ledger.clock.now(),
        site: Some(filing.site.clone()),
        subject: Subject::Filing(filing.id),
        happening: Happening::Alert,
        actor: Ledger::engine(),
        note,
    }
}

/// Picks, reads and claims. None when the store has failed.
async fn claim(
    mut picker: Picker,
    wish: Wish,
    snapshot: Arc<Snapshot>,
    taken: HashSet<FilingId>,
    mut closed: HashMap<String, (Pass, Option<Opening>)>,
    ledger: Ledger,
    service: ServiceName,
) -> Option<Claim> {
    let picked = match picker.pick(&wish, &snapshot, &taken).await {
        Ok(picked) => picked,
        Err(error) => {
            ledger.answer::<()>(Err(error), "A queue could not be read");
            let empty = Claim {
                picker,
                work: Vec::new(),
                checks: Vec::new(),
                dry: true,
                blocked: 0,
                unreadable: Vec::new(),
            };
            return ledger.fatal.reason().is_none().then_some(empty);
        }
    };
    let dry = picked.work.len() + picked.checks.len() < wish.together;
    let read = ledger.read(&[picked.work.as_slice(), &picked.checks].concat()).await?;
    let known: HashSet<FilingId> = read.iter().map(|filing| filing.id).collect();
    let unreadable =
        picked.work.iter().chain(&picked.checks).copied().filter(|id| !known.contains(id)).collect();
    let mut checks = Vec::new();
    let mut events = Vec::with_capacity(read.len());
    for filing in read {
        // What was read a moment ago may have been held, cancelled or sent elsewhere meanwhile.
        let due = filing.progress.due.is_some_and(|due| due <= wish.now || due > wish.furthest);
        if !due || filing.request.target.service != service {
            continue;
        }
        if filing.progress.state == State::Checking {
            checks.push(filing);
            continue;
        }
        if filing.progress.state != State::Waiting {
            continue;
        }
        match closed.get_mut(&account(&actor_of(&filing))) {
            Some((Pass::None, opening)) => {
                let cause = opening.map_or(Cause::LoginNeeded, |opening| opening.cause);
                let trouble = Trouble::new(cause, "the account is closed; another filing met it first");
                events.push((filing, Event::Block(Blocker::Account, trouble)));
                continue;
            }
            Some((pass @ Pass::One, _)) => *pass = Pass::None,
            Some((Pass::All, _)) | None => {}
        }
        events.push((filing, Event::Claim));
    }
    let written = ledger.write(events).await?;
    let (work, blocked): (Vec<_>, Vec<_>) =
        written.into_iter().partition(|filing| filing.progress.state == State::Running);
    telemetry::claimed(&service, work.len());
    Some(Claim { picker, work, checks, dry, blocked: blocked.len(), unreadable })
}
