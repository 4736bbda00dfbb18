//! One destination's desk: picks what is due, claims it, hands it to workers, and learns from what they report. Each
//! destination has its own, so that what happens at one never holds up another.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use postroom_domain::control::{DestinationStatus, Gate};
use postroom_domain::event::Subject;
use postroom_domain::filing::{Filing, State};
use postroom_domain::ids::{FilingId, ServiceName};
use postroom_domain::link::Accounts;
use postroom_domain::machine::Event;
use postroom_domain::time::age;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::{Errand, account};
use crate::breaker::{Moment, Pass};
use crate::claim::{Claim, Claimed, Dry};
use crate::commit::{Ledger, Wanted};
use crate::contact::Contact;
use crate::options::EngineOptions;
use crate::picker::{Picker, Wish};
use crate::release::{Door, Walk, Walked};
use crate::standing::{Ended, Standing, Way};
use crate::telemetry;
use crate::watcher::Snapshot;
use crate::worker::{Bench, work};

/// What workers tell the desk.
enum Word {
    /// The DMS is done with it: its slot is free.
    Ended(Ended, Duration),
    /// Its result is durable, or will never be: it may be picked again. With the state it has now.
    Written { id: FilingId, state: Option<State> },
}

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
    /// Who knows whose accounts are linked.
    pub(crate) accounts: Arc<dyn Accounts>,
    /// Accounts whose links changed.
    pub(crate) changes: mpsc::UnboundedReceiver<String>,
}

/// The walk over blocked filings that lets them go on.
#[derive(Debug, Default)]
struct Round {
    /// Some filing here may be blocked.
    needed: bool,
    /// Nothing is known yet of accounts that were closed before the start.
    first: bool,
    /// Where it goes on.
    from: Option<FilingId>,
    /// When.
    at: Option<Duration>,
    /// Some had to stay.
    left: bool,
    /// Half-open doors that a walk was begun for. Where it found none to try, the next one is for something newly blocked, or in its
    /// time.
    sought: HashSet<Door>,
}

/// More than this is never claimed ahead, however quick the DMS.
const MOST_AHEAD: usize = 64;

/// A desk at work.
struct Running {
    desk: Desk,
    most: usize,
    ahead: Option<usize>,
    words: mpsc::UnboundedSender<Word>,
    snapshot: Arc<Snapshot>,
    /// Away while a claim is under way.
    picker: Option<Picker>,
    /// A newer snapshot came while the picker was away.
    unseen: bool,
    /// Something came up while the picker was away that its pick may not have seen.
    again: bool,
    dry: Dry,
    claimed: VecDeque<Errand>,
    checks: VecDeque<Errand>,
    /// Everything this desk has its hands on.
    taken: HashSet<FilingId>,
    sending: usize,
    asking: usize,
    check_was_last: bool,
    standing: Standing,
    round: Round,
    /// How long a document takes, lately.
    mean: Duration,
    /// How long a claim takes, lately.
    claim_takes: Duration,
    last: Moment,
    shown: Option<(Gate, usize, usize)>,
}

impl Desk {
    /// Runs until it is told to stop, or the engine has failed. What it had claimed and not begun is given back; workers go on.
    pub(crate) async fn run(mut self) {
        let mut changes = std::mem::replace(&mut self.changes, mpsc::unbounded_channel().1);
        let (words, mut heard) = mpsc::unbounded_channel();
        let mut news = self.bench.news.clone();
        let fatal = self.ledger.fatal.clone();
        let stop = self.stop.clone();
        let mut running = Running::new(self, words);
        let mut claim: Option<BoxFuture<'static, Option<Claimed>>> = None;
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
                () = stop.cancelled() => break,
                _ = fatal.declared() => return,
                Some(word) = heard.recv() => {
                    running.hear(word);
                    while let Ok(word) = heard.try_recv() {
                        running.hear(word);
                    }
                }
                Some(account) = changes.recv() => running.account_changed(&account),
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
                () = tokio::time::sleep(sleep) => running.look_again(),
            }
        }
        // A claim that is being written may not be dropped: its filings would stay running with nobody at work.
        if let Some(claim) = claim
            && let Some(claimed) = claim.await
        {
            running.take_in(claimed);
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
        let ahead = settings.claim_ahead.or((!probe).then_some(0));
        let longest_snooze = Duration::from_secs(desk.ledger.policy.longest_snooze_seconds);
        let mut standing = Standing::new(desk.name.clone(), settings.breaker.clone(), most, longest_snooze);
        let last = Moment { wall: desk.ledger.clock.now(), steady: desk.ledger.clock.monotonic() };
        let mut round = Round::default();
        if desk.blocked_before {
            // What had closed it before may be mended: one filing tells.
            standing.breaker.try_now();
            round = Round { needed: true, first: true, at: Some(last.steady), ..Round::default() };
        }
        Self {
            most,
            ahead,
            words,
            snapshot: Arc::default(),
            picker: Some(Picker::new(desk.ledger.store.clone(), desk.name.clone())),
            unseen: false,
            again: false,
            dry: Dry::YES,
            claimed: VecDeque::new(),
            checks: VecDeque::new(),
            taken: HashSet::new(),
            sending: 0,
            asking: 0,
            check_was_last: false,
            standing,
            round,
            mean: Duration::from_millis(100),
            claim_takes: Duration::from_millis(10),
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
        let steady = now.steady.saturating_sub(self.last.steady);
        let jump = age(now.wall, self.last.wall).saturating_sub(steady);
        if jump > self.desk.options.jump {
            tracing::warn!(
                service = %self.desk.name, jump_seconds = jump.as_secs(),
                "The time of day jumped ahead; the destination is met with a slow start"
            );
            self.standing.ramp.restart();
        }
        self.last = now;
    }

    fn way(&mut self, now: Moment) -> Way {
        if self.snapshot.stops_destination(&self.desk.name, now.wall) {
            return Way::Shut;
        }
        self.standing.way(now)
    }

    /// Hands claimed filings to workers while there are slots.
    fn start(&mut self, way: Way, now: Moment) {
        match way {
            Way::Shut => return self.give_back(),
            Way::Waiting => return,
            Way::Trial => {
                if let Some(errand) = self.claimed.pop_front().or_else(|| self.checks.pop_front()) {
                    self.spawn(errand);
                }
                return;
            }
            Way::Free => {}
        }
        let limit = self.standing.ramp.limit();
        let share = (limit / 4).max(1);
        while self.sending + self.asking < limit {
            // Questions have a share of the slots that nobody takes from them, and no more while there is work to send.
            let turn = !(limit == 1 && self.check_was_last) && self.asking < share;
            let check = !self.checks.is_empty() && (turn || self.claimed.is_empty());
            let next = if check { self.checks.pop_front() } else { self.claimed.pop_front() };
            let Some(errand) = next else { break };
            // It was claimed before its door was stopped.
            if !errand.is_question() && self.is_stopped(&errand, now) {
                self.give_back_these(vec![errand]);
                continue;
            }
            self.check_was_last = check;
            self.spawn(errand);
        }
    }

    /// Whether a person stopped where it comes from, or the account that would send it.
    fn is_stopped(&self, errand: &Errand, now: Moment) -> bool {
        self.snapshot.stops_source(&errand.filing.source, now.wall)
            || self.snapshot.stops_account(&self.desk.name, errand.owner, now.wall).is_some()
    }

    fn spawn(&mut self, errand: Errand) {
        let checking = errand.is_question();
        *if checking { &mut self.asking } else { &mut self.sending } += 1;
        let account = account(&errand.actor);
        self.standing.begin(&account);
        let (bench, ledger, words) = (self.desk.bench.clone(), self.desk.ledger.clone(), self.words.clone());
        let service = self.desk.name.clone();
        self.desk.tasks.spawn(async move {
            let (id, place) = (errand.filing.id, place_number(&errand.filing));
            let started = Instant::now();
            let report = work(&bench, &errand).await;
            let took = started.elapsed();
            let contact = Contact::of(&report, ledger.clock.now());
            // A desk that has stopped does not listen any more.
            let _ = words.send(Word::Ended(Ended { id, account, place, contact, checking }, took));
            telemetry::attempt(&service, checking, took, report.bytes);
            let Errand { filing, actor, .. } = errand;
            if let Some(why) = report.own_fault {
                ledger.fatal.declare(why);
            }
            if let Some(note) = report.alert {
                ledger.alert(Subject::Filing(id), Some(filing.site.clone()), note).await;
            }
            let mut state = None;
            if let Some(event) = report.event {
                let before = filing.progress.state;
                let written = ledger.write(vec![Wanted::of(filing, event, actor)]).await;
                if let Some(after) = written.and_then(|mut written| written.pop()) {
                    telemetry::outcome(&service, before, &after, took);
                    ledger.wake(&after).await;
                    state = Some(after.progress.state);
                }
            }
            let _ = words.send(Word::Written { id, state });
        });
    }

    /// Gives back what was claimed and not begun.
    fn give_back(&mut self) {
        for check in self.checks.drain(..) {
            self.taken.remove(&check.filing.id);
        }
        if !self.claimed.is_empty() {
            let claimed = self.claimed.drain(..).collect();
            self.give_back_these(claimed);
        }
    }

    fn give_back_these(&self, errands: Vec<Errand>) {
        let (ledger, words) = (self.desk.ledger.clone(), self.words.clone());
        self.desk.tasks.spawn(async move {
            let ids: Vec<FilingId> = errands.iter().map(|errand| errand.filing.id).collect();
            let given = |errand: Errand| Wanted::of(errand.filing, Event::Abandoned, errand.actor);
            let events = errands.into_iter().map(given).collect();
            ledger.write(events).await;
            for id in ids {
                let _ = words.send(Word::Written { id, state: None });
            }
        });
    }

    /// Goes to claim the next ones, when there is room and something may be due.
    fn claim(&mut self, way: Way, now: Moment) -> Option<BoxFuture<'static, Option<Claimed>>> {
        if self.dry == Dry::YES || matches!(way, Way::Shut | Way::Waiting) {
            return None;
        }
        let limit = self.standing.ramp.limit();
        let (work, checks, most) = if way == Way::Trial {
            let one = 1_usize.saturating_sub(self.claimed.len() + self.checks.len());
            (one, one, one)
        } else {
            let ahead = self.ahead(limit);
            let work = (limit + ahead).saturating_sub(self.sending + self.claimed.len());
            // Not for every single one, but before the last claimed one is gone.
            let work = if work > ahead / 2 || self.claimed.is_empty() { work } else { 0 };
            let checks = limit.saturating_sub(self.asking + self.checks.len());
            (work, checks, work + checks)
        };
        let (work, checks) = (if self.dry.work { 0 } else { work }, if self.dry.checks { 0 } else { checks });
        let together = most.min(work + checks);
        // The store falls behind with results: no more until it has caught up.
        if together == 0 || self.taken.len() > 8 * self.most + 4 * MOST_AHEAD {
            return None;
        }
        let mut picker = self.picker.take()?;
        if std::mem::take(&mut self.unseen) {
            picker.update(&self.snapshot);
        }
        let furthest = self.desk.ledger.policy.furthest_due(now.wall);
        let claim = Claim {
            picker,
            wish: Wish { work, checks, together, now: now.wall, furthest },
            service: self.desk.name.clone(),
            snapshot: self.snapshot.clone(),
            taken: self.taken.clone(),
            closed: self.standing.closed_accounts(now),
            accounts: self.desk.accounts.clone(),
        };
        Some(claim.run(self.desk.ledger.clone()).boxed())
    }

    /// How many to claim before there are slots for them: twice what goes through while one claim is written.
    fn ahead(&self, limit: usize) -> usize {
        self.ahead.unwrap_or_else(|| {
            let micros = |time: Duration| usize::try_from(time.as_micros()).unwrap_or(usize::MAX).max(1);
            let meanwhile = micros(self.claim_takes).saturating_mul(limit) / micros(self.mean);
            (2 * meanwhile + 1).min(MOST_AHEAD)
        })
    }

    fn take_in(&mut self, claimed: Claimed) {
        if !claimed.work.is_empty() {
            self.claim_takes = (self.claim_takes * 7 + claimed.took) / 8;
        }
        self.picker = Some(claimed.picker);
        if !(std::mem::take(&mut self.again) || self.unseen) {
            self.dry = Dry {
                work: self.dry.work || claimed.dry.work,
                checks: self.dry.checks || claimed.dry.checks,
            };
        }
        if claimed.blocked > 0 {
            self.round.needed = true;
            self.round.sought.clear();
            // What no breaker closed, no trial opens: whose account it may use is decided anew after a while.
            let poll = self.desk.options.poll;
            self.round.at.get_or_insert_with(|| self.desk.ledger.clock.monotonic() + poll);
        }
        let (stopped, snapshot) = claimed.stopped;
        if stopped > 0 && snapshot.an_account_goes_on(&self.desk.name, &self.snapshot) {
            // The account went on while its filings were being blocked.
            self.walk_from_the_front();
        }
        self.standing.met(claimed.blocked, claimed.work.len());
        for id in claimed.unreadable {
            tracing::error!(
                filing.id = %id, service = %self.desk.name,
                "The row of a filing in the queue cannot be read; it is left alone"
            );
            self.taken.insert(id);
        }
        self.taken.extend(claimed.work.iter().chain(&claimed.checks).map(|errand| errand.filing.id));
        for errand in claimed.work {
            // What was cut off before is not left lying: a third time sets it aside.
            if errand.filing.progress.interruptions > 0 {
                self.claimed.push_front(errand);
            } else {
                self.claimed.push_back(errand);
            }
        }
        self.checks.extend(claimed.checks);
    }

    fn see(&mut self, snapshot: Arc<Snapshot>) {
        let name = &self.desk.name;
        let now = self.desk.ledger.clock.now();
        if self.snapshot.stops_destination(name, now) && !snapshot.stops_destination(name, now) {
            // Whoever lets it go on says that it is mended.
            self.standing.mended();
        }
        if self.snapshot.an_account_goes_on(name, &snapshot) {
            self.standing.account_goes_on();
            self.walk_from_the_front();
        }
        self.snapshot = snapshot;
        self.look_again();
        match &mut self.picker {
            Some(picker) => picker.update(&self.snapshot),
            None => self.unseen = true,
        }
    }

    /// An account's link changed: what waits for it is decided anew.
    fn account_changed(&mut self, account: &str) {
        self.standing.account_changed(account);
        self.walk_from_the_front();
        self.look_again();
    }

    /// What is blocked may go on now.
    fn walk_from_the_front(&mut self) {
        self.round.needed = true;
        self.round.sought.clear();
        self.round.from = None;
        self.round.at = Some(self.moment().steady);
    }

    /// Something may be there to be claimed. A claim that is under way began without knowing, so what it finds dry is not
    /// believed.
    fn look_again(&mut self) {
        self.dry = Dry::NO;
        self.again = self.picker.is_none();
    }

    fn hear(&mut self, word: Word) {
        match word {
            Word::Ended(ended, took) => {
                *if ended.checking { &mut self.asking } else { &mut self.sending } -= 1;
                if !ended.checking && ended.contact == Contact::Works {
                    self.mean = (self.mean * 7 + took) / 8;
                }
                let now = self.moment();
                let lesson = self.standing.learn(&ended, now, self.desk.ledger.entropy.unit());
                if lesson.opened_up {
                    self.look_again();
                    self.round.sought.clear();
                    self.round.from = None;
                    self.round.at = Some(now.steady);
                }
                for note in lesson.tell {
                    let ledger = self.desk.ledger.clone();
                    let door = Subject::Door(format!("destination/{}", self.desk.name));
                    self.desk.tasks.spawn(async move { ledger.alert(door, None, note).await });
                }
            }
            Word::Written { id, state } => {
                self.taken.remove(&id);
                // News of it may have come before this word, when it could not be picked yet.
                if matches!(state, None | Some(State::Waiting | State::Checking)) {
                    self.look_again();
                }
                if state == Some(State::Blocked) {
                    self.round.needed = true;
                    self.round.sought.clear();
                }
            }
        }
    }

    /// Lets blocked filings go on, when something of what closed their way has opened.
    fn walk(&mut self, now: Moment) -> Option<BoxFuture<'static, Option<Walked>>> {
        // Before the first look nobody knows which accounts are stopped.
        if !(self.round.needed && self.snapshot.looked) {
            return None;
        }
        let destination = self.standing.breaker.pass(now);
        let accounts = self.standing.account_passes(now);
        // A half-open door needs one to try: a waiting one, or, when there is none, a blocked one.
        let half_open =
            |(name, pass): (&String, &Pass)| (*pass == Pass::One).then(|| Door::Account(name.clone()));
        let itself = (destination == Pass::One && self.dry == Dry::YES).then_some(Door::Destination);
        let untried = |door: &Door| !(self.standing.tried.contains(door) || self.round.sought.contains(door));
        let doors: Vec<Door> =
            itself.into_iter().chain(accounts.iter().filter_map(half_open)).filter(untried).collect();
        let trial = !doors.is_empty();
        let due = self.round.at.is_some_and(|at| at <= now.steady);
        if !(trial || due) {
            return None;
        }
        self.round.sought.extend(doors);
        let limit = self.standing.ramp.limit();
        let walk = Walk {
            service: self.desk.name.clone(),
            after: self.round.from,
            destination,
            accounts,
            unknown: if self.round.first { Pass::One } else { Pass::All },
            tried: self.standing.tried.clone(),
            portion: (limit * 16).clamp(16, 512),
            gap: self.gap(),
            links: self.desk.accounts.clone(),
            snapshot: self.snapshot.clone(),
        };
        // A new time that is set while this one is under way means: once more from the front.
        self.round.at = None;
        let ledger = self.desk.ledger.clone();
        Some(async move { walk.run(&ledger).await }.boxed())
    }

    /// How often a slot comes free.
    fn gap(&self) -> Duration {
        self.mean / u32::try_from(self.standing.ramp.limit()).unwrap_or(u32::MAX)
    }

    fn after_walk(&mut self, walked: Option<Walked>) {
        let now = self.moment();
        let Some(walked) = walked else {
            self.round.at = Some(now.steady + self.desk.options.poll);
            return;
        };
        for door in walked.trials {
            if let Door::Account(name) = &door
                && self.round.first
            {
                self.standing.try_account(name);
            }
            self.standing.tried.insert(door);
        }
        self.round.left |= walked.left;
        if self.round.at.is_some() {
            // A door opened while this walk was under way.
            self.round.from = None;
        } else if walked.next.is_some() {
            let pause = self.gap().saturating_mul(u32::try_from(walked.released).unwrap_or(u32::MAX));
            self.round.from = walked.next;
            self.round.at = Some(now.steady + pause);
        } else {
            // The end: what had to stay, or came in behind the walk, is looked at again after a while.
            let left = std::mem::take(&mut self.round.left);
            self.round.from = None;
            self.round.first = false;
            self.round.needed = left;
            self.round.at = left.then_some(now.steady + self.desk.options.poll);
        }
    }

    /// How long there is nothing to do if nothing comes in.
    fn sleep(&self, now: Moment) -> Duration {
        let walk = self.round.at.and_then(|at| at.checked_sub(now.steady)).filter(|wait| !wait.is_zero());
        // Where nothing is known to be dry, the next claim waits for room and not for a time.
        let dry = self.dry.work || self.dry.checks;
        let picker = self.picker.as_ref().filter(|_| dry);
        let due = picker.and_then(|picker| picker.next_due(now.wall)).map(|due| age(due, now.wall));
        let next = [walk, due, self.standing.next_change(now)].into_iter().flatten().min();
        // A millisecond more, so that it is due and not nearly due.
        next.map_or(self.desk.options.poll, |next| {
            (next + Duration::from_millis(1)).min(self.desk.options.poll)
        })
    }

    /// Shows how it is going.
    fn show(&mut self, now: Moment) {
        let paused = self.snapshot.stops_destination(&self.desk.name, now.wall);
        let gate = if paused { Gate::Paused } else { self.standing.gate() };
        let (in_flight, limit) = (self.sending + self.asking, self.standing.limit());
        let shown = Some((gate.clone(), in_flight, limit));
        if self.shown == shown {
            return;
        }
        self.shown = shown;
        telemetry::desk(&self.desk.name, in_flight, limit, self.standing.breaker.is_open());
        let mut board = self.desk.board.lock().unwrap_or_else(PoisonError::into_inner);
        *board = DestinationStatus { name: self.desk.name.clone(), gate, in_flight, limit };
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
