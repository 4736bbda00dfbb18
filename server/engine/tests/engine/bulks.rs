//! Sets of filings: what was frozen and nothing else, each once, whoever else decides meanwhile and whenever it is cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::bulk::{
    Action, Bulk, BulkError, BulkPart, BulkState, Bulks, Counts, NewBulk, Order, Pace, Row, RowOutcome,
    RunsBulks as _, Scope,
};
use postroom_domain::cause::Cause;
use postroom_domain::control::{Control, DestinationStatus, Gate};
use postroom_domain::decide::{Decision, Grounds, decide};
use postroom_domain::dms::Trouble;
use postroom_domain::event::{BulkNews, Happening, NewEvent, Subject};
use postroom_domain::filing::{Filing, Progress, Request, State};
use postroom_domain::ids::{BlobHash, BulkId, FilingId, IdMint, IntakeId, SiteName};
use postroom_domain::intake::{Document, Intake, IntakeState};
use postroom_domain::person::{Actor, Credential, Principal, Role, Scope as Sites};
use postroom_domain::query::{FilingQuery, Predicate, Term};
use postroom_domain::record::{self, Commit, Kept as _};
use postroom_domain::resolve::{Look, LookAt, Looks};
use postroom_domain::spool::Blob;
use postroom_domain::store::{Acceptance, FilingChange, Store};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock as _;
use postroom_engine::{BulkParts, BulksHandle};
use postroom_store::{MemoryStore, OpenOptions, RedbStore};

use crate::world::World;

/// What the house has before a set begins.
const GRACE: Duration = Duration::from_secs(10);

/// An engine that does nothing: filings stay where a decision put them.
struct Asleep {
    limit: AtomicUsize,
    woken: AtomicU64,
}

impl Looks for Asleep {
    fn look(&self, _: LookAt) -> Fut<'_, Option<Look>> {
        Box::pin(async { None })
    }
}

impl Control for Asleep {
    fn destinations(&self) -> Vec<DestinationStatus> {
        let limit = self.limit.load(Ordering::Relaxed);
        let status = |name: &str, limit| DestinationStatus {
            name: name.parse().unwrap(),
            gate: Gate::Open,
            in_flight: 0,
            limit,
        };
        vec![status("dms", limit), status("elsewhere", 1000)]
    }
    fn wake(&self) {
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
}

struct House {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
    mint: IdMint,
    control: Arc<Asleep>,
    ada: Principal,
}

fn site() -> SiteName {
    "main".parse().unwrap()
}

impl House {
    fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()))
    }

    fn over(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            clock: Arc::new(ManualClock::at("2026-11-27T09:00:00Z")),
            entropy: Arc::new(SeededEntropy::new(7)),
            mint: IdMint::after(0),
            control: Arc::new(Asleep { limit: AtomicUsize::new(3), woken: AtomicU64::new(0) }),
            ada: Principal::program("ada", Role::Operator, site()),
        }
    }

    fn bulks(&self) -> Bulks<'_> {
        Bulks { store: &*self.store, clock: &*self.clock, entropy: &*self.entropy, mint: &self.mint }
    }

    fn start(&self) -> BulksHandle {
        BulksHandle::start(BulkParts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            policy: RetryPolicy::default(),
            control: self.control.clone(),
            grace: GRACE,
        })
    }

    fn id(&self) -> u128 {
        self.mint.next(&*self.clock, &*self.entropy)
    }

    /// Filings of one intake in a state, oldest first.
    async fn filings(&self, state: State, count: usize) -> Vec<FilingId> {
        let (now, intake) = (self.clock.now(), IntakeId::from_u128(self.id()));
        let document = |id: u128| {
            let hash = BlobHash::new(bytes_of(id));
            Document {
                file_name: format!("{id:x}.pdf"),
                media_type: "application/pdf".into(),
                blob: Blob { hash, size: 1 },
            }
        };
        let filing = |id: u128| {
            let document = document(id);
            let request = Request {
                blob: document.blob,
                file_name: document.file_name,
                media_type: document.media_type,
                target: World::target("dms"),
                work_item: None,
                reference: String::new(),
                subject: String::new(),
                sender: String::new(),
                submitted_by: "clerk".to_owned(),
                credential: Credential::System,
                forced: false,
                document_key: String::new(),
                withheld: String::new(),
            };
            let trouble = (state == State::Failed).then(|| Trouble::new(Cause::NoRight, "no right"));
            let due = (state == State::Waiting).then_some(now);
            Filing {
                id: FilingId::from_u128(id),
                intake,
                site: site(),
                source: "upload".parse().unwrap(),
                received: now,
                request: Arc::new(request),
                progress: Progress { state, due, trouble, ..Progress::new(now) },
            }
        };
        let filings: Vec<Filing> = (0..count).map(|_| filing(self.id())).collect();
        let ids = filings.iter().map(|filing| filing.id).collect();
        let documents = filings.iter().map(|filing| document(filing.id.as_u128())).collect();
        let acceptance = Acceptance {
            intake: intake_of(intake, now, documents),
            filings,
            key: None,
            records: Vec::new(),
            actor: Actor::person("clerk"),
            note: String::new(),
        };
        self.store.accept(acceptance).await.unwrap();
        ids
    }

    async fn freeze(&self, action: Action, scope: Scope) -> Bulk {
        let terms = match &scope {
            Scope::Matching(_) => {
                vec![Term { negated: false, any: vec![Predicate::State(State::Failed)] }]
            }
            Scope::Named(_) => Vec::new(),
        };
        let query = FilingQuery { sites: Sites::All, submitted_by: None, terms };
        self.bulks().freeze(&self.ada, NewBulk { action, scope, query }).await.unwrap()
    }

    async fn named(&self, action: Action, ids: &[FilingId]) -> Bulk {
        self.freeze(action, Scope::Named(ids.to_vec())).await
    }

    /// Tells it to run; the grace is over when this is.
    async fn run(&self, bulk: &Bulk, pace: Pace) {
        let order = Order { reason: "mended".into(), pace, count: Some(bulk.will), grace: GRACE };
        self.bulks().run(&self.ada, bulk.id, &order).await.unwrap();
        self.clock.advance(GRACE);
    }

    async fn read(&self, id: BulkId) -> Bulk {
        record::by_id(&*self.store, id.as_u128()).await.unwrap().unwrap()
    }

    async fn rows(&self, bulk: &Bulk) -> Vec<Row> {
        self.bulks().rows(bulk, None, 0, usize::MAX).await.unwrap().0
    }

    async fn parts(&self, id: BulkId) -> Vec<BulkPart> {
        record::page(&*self.store, Some(&BulkPart::group(id)), None, 1000).await.unwrap()
    }

    /// Waits until something holds of a set.
    async fn until(&self, id: BulkId, what: &str, holds: impl Fn(&Bulk) -> bool) -> Bulk {
        for _ in 0..12_000 {
            let bulk = self.read(id).await;
            if holds(&bulk) {
                return bulk;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never is {what}: {:#?}", self.read(id).await);
    }

    async fn over_and_settled(&self, id: BulkId) -> Bulk {
        self.until(id, "over", |bulk| bulk.state.is_over() && !bulk.is_working()).await
    }

    async fn states(&self, ids: &[FilingId]) -> BTreeMap<State, usize> {
        let mut states = BTreeMap::new();
        for filing in self.store.filings_by_id(ids).await.unwrap() {
            *states.entry(filing.progress.state).or_default() += 1;
        }
        states
    }

    /// Somebody else decides.
    async fn by_bob(&self, id: FilingId, decision: Decision) {
        let grounds =
            Grounds { actor: Actor::person("bob"), reason: "his".into(), version: None, bulk: None };
        let policy = RetryPolicy::default();
        decide(&*self.store, &*self.clock, &*self.entropy, &policy, id, decision, grounds).await.unwrap();
    }

    /// It is in the DMS.
    async fn filed(&self, id: FilingId) {
        let before = self.store.filing(id).await.unwrap().unwrap().progress;
        let next = Progress { state: State::Filed, version: before.version + 1, due: None, ..before.clone() };
        let change = FilingChange {
            id,
            expect: before.version,
            next,
            attempt: None,
            request: None,
            actor: Actor::person("engine"),
            note: String::new(),
            at: self.clock.now(),
            also: Vec::new(),
            bulk: None,
        };
        assert_eq!(self.store.change_filings(vec![change]).await.unwrap(), [Ok(())]);
    }

    async fn history(&self) -> Vec<NewEvent> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = self.store.events_after(after, 1000).await.unwrap();
            let Some(last) = page.last() else { return all };
            after = last.seq;
            all.extend(page.into_iter().map(|event| event.event));
        }
    }

    /// How often a set decided over each filing.
    async fn decisions(&self, id: BulkId) -> BTreeMap<FilingId, usize> {
        let mut decisions = BTreeMap::new();
        for event in self.history().await {
            if let (Subject::Filing(filing), Happening::Filing { bulk: Some(by), .. }) =
                (event.subject, event.happening)
                && by == id
            {
                *decisions.entry(filing).or_default() += 1;
            }
        }
        decisions
    }

    /// What the history tells of a set: what, how far, how many ids, who, and why.
    async fn news(&self, id: BulkId) -> Vec<(BulkNews, Counts, usize, String, String)> {
        let of = |event: NewEvent| match event.happening {
            Happening::Bulk { what, counts, ids, .. } if event.subject == Subject::Bulk(id) => {
                Some((what, counts, ids.len(), event.actor.account_owner().to_owned(), event.note))
            }
            _ => None,
        };
        self.history().await.into_iter().filter_map(of).collect()
    }
}

/// A hash that no other id has.
fn bytes_of(id: u128) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&id.to_be_bytes());
    bytes[16..].copy_from_slice(&id.rotate_left(64).to_be_bytes());
    bytes
}

fn intake_of(id: IntakeId, received: jiff::Timestamp, documents: Vec<Document>) -> Intake {
    Intake {
        id,
        site: site(),
        source: "upload".parse().unwrap(),
        received,
        state: IntakeState::Split,
        version: 1,
        submitted_by: "clerk".to_owned(),
        subject: String::new(),
        sender: String::new(),
        note: String::new(),
        work_item_given: String::new(),
        work_item: None,
        area: String::new(),
        save_mode: None,
        document_key: String::new(),
        documents,
        batch: false,
        part_of: None,
        sections: Vec::new(),
        forced: false,
        allocated: None,
        also_in: Vec::new(),
        choices: Vec::new(),
        undo_until: None,
        begun: 0,
        screened: postroom_domain::screening::Screened::default(),
        letter: None,
        needs: None,
        open_filings: 0,
        filings: 0,
        trace: Vec::new(),
    }
}

const fn counts(done: u64, skipped: u64, failed: u64, waiting: u64) -> Counts {
    Counts { done, skipped, failed, waiting }
}

/// Ten thousand, five hundred that come meanwhile, and fifty that somebody else decides over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_was_frozen_and_losers_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = RedbStore::open(&folder.path().join("store.redb"), OpenOptions::default()).unwrap();
    let house = House::over(Arc::new(store));
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.extend(house.filings(State::Failed, 500).await);
    }
    let filed = house.filings(State::Filed, 3).await;
    let bulk = house.freeze(Action::Retry, Scope::Matching("state:failed".to_owned())).await;
    assert_eq!((bulk.will, bulk.counts), (10_000, counts(0, 0, 0, 10_000)));
    assert_eq!(house.rows(&bulk).await.iter().map(|row| row.id).collect::<Vec<_>>(), ids, "in order");
    // Nobody runs so many without having read how many they are.
    for said in [None, Some(9_999), Some(10_001)] {
        let order = Order { reason: String::new(), pace: Pace::Now, count: said, grace: GRACE };
        let refused = house.bulks().run(&house.ada, bulk.id, &order).await.unwrap_err();
        assert!(matches!(refused, BulkError::Count { will: 10_000, said: it } if it == said), "{refused:?}");
    }

    let come_later = house.filings(State::Failed, 500).await;
    let losers: Vec<FilingId> = ids.iter().copied().step_by(200).collect();
    for id in &losers {
        house.by_bob(*id, Decision::Cancel).await;
    }
    let runner = house.start();
    house.run(&bulk, Pace::Now).await;
    runner.wake();
    let ended = house.over_and_settled(bulk.id).await;
    runner.stop(Duration::from_secs(5)).await;

    assert_eq!((ended.state, ended.counts), (BulkState::Done, counts(9_950, 50, 0, 0)));
    let rows = house.rows(&ended).await;
    let skipped: Vec<(FilingId, &str)> = rows
        .iter()
        .filter(|row| row.outcome == RowOutcome::Skipped)
        .map(|row| (row.id, row.why.as_str()))
        .collect();
    let named: Vec<(FilingId, &str)> =
        losers.iter().map(|id| (*id, "it changed meanwhile: it is cancelled now")).collect();
    assert_eq!(skipped, named);
    assert_eq!(Counts::of(&rows), ended.counts, "the counts are those of the rows");
    // The ledger: each of the others once, nobody's else.
    let decisions = house.decisions(bulk.id).await;
    let wanted: BTreeSet<FilingId> = ids.iter().copied().filter(|id| !losers.contains(id)).collect();
    assert_eq!(decisions.keys().copied().collect::<BTreeSet<_>>(), wanted);
    assert!(decisions.values().all(|times| *times == 1));
    assert_eq!(house.states(&ids).await, [(State::Waiting, 9_950), (State::Cancelled, 50)].into());
    assert_eq!(house.states(&come_later).await, [(State::Failed, 500)].into());
    assert_eq!(house.states(&filed).await, [(State::Filed, 3)].into());
    let later = house.store.filings_by_id(&come_later).await.unwrap();
    assert!(later.iter().all(|filing| filing.progress.version == 1), "what came later was touched");
    // One entry that it was told to run, with all the ids and the reason, and one that it is over.
    let (ada, why) = ("ada".to_owned(), "mended".to_owned());
    assert_eq!(
        house.news(bulk.id).await,
        [
            (BulkNews::Told, counts(0, 0, 0, 10_000), 10_000, ada.clone(), why),
            (BulkNews::Ended, counts(9_950, 50, 0, 0), 0, ada, String::new()),
        ]
    );
    assert!(house.control.woken.load(Ordering::Relaxed) > 0, "nobody told the engine");
    house.store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_in_time_touches_nothing() {
    let house = House::new();
    let ids = house.filings(State::Waiting, 5).await;
    let runner = house.start();
    let bulk = house.named(Action::Hold, &ids).await;
    let order = Order { reason: String::new(), pace: Pace::Now, count: None, grace: GRACE };
    house.bulks().run(&house.ada, bulk.id, &order).await.unwrap();
    runner.wake();
    house.clock.advance(Duration::from_millis(9_999));
    runner.wake();
    // Another set, told later with no grace, comes to its end: the first one was looked at meanwhile, and let be.
    let other = house.filings(State::Waiting, 1).await;
    let quick = house.named(Action::Hold, &other).await;
    let order = Order { grace: Duration::ZERO, ..order };
    house.bulks().run(&house.ada, quick.id, &order).await.unwrap();
    runner.wake();
    house.over_and_settled(quick.id).await;
    assert_eq!(house.read(bulk.id).await.state, BulkState::AboutToRun);
    let undone = house.bulks().undo(&house.ada, bulk.id).await.unwrap();
    assert_eq!((undone.state, undone.counts), (BulkState::Undone, counts(0, 0, 0, 5)));
    house.clock.advance(GRACE);
    runner.wake();
    // The same filings by another set: the first one left them in the version in which they were frozen.
    let again = house.named(Action::Hold, &ids).await;
    house.run(&again, Pace::Limit).await;
    runner.wake();
    let done = house.over_and_settled(again.id).await;
    // To hold sends nothing, so there is no limit to wait for.
    assert_eq!((done.state, done.counts), (BulkState::Done, counts(5, 0, 0, 0)));
    assert_eq!(house.decisions(bulk.id).await.len(), 0);
    assert_eq!(house.states(&ids).await, [(State::Held, 5)].into());
    let told: Vec<BulkNews> = house.news(bulk.id).await.into_iter().map(|news| news.0).collect();
    assert_eq!(told, [BulkNews::Told, BulkNews::Undone]);
    // What has begun is not taken back.
    assert!(matches!(house.bulks().undo(&house.ada, again.id).await, Err(BulkError::NotNow(_))));
    runner.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pace_is_kept_and_a_stop_leaves_the_rest() {
    let house = House::new();
    let ids = house.filings(State::Failed, 30).await;
    let runner = house.start();
    let bulk = house.named(Action::Retry, &ids).await;
    house.run(&bulk, Pace::PerMinute(60)).await;
    runner.wake();
    // The first at once, then one a second, counted by the clock of the house.
    for done in 1..=6 {
        house.until(bulk.id, "so far", |bulk| bulk.counts.done == done).await;
        assert_eq!(house.decisions(bulk.id).await.len() as u64, done);
        house.clock.advance(Duration::from_secs(1));
        runner.wake();
    }
    house.until(bulk.id, "at seven", |bulk| bulk.counts.done == 7).await;
    let stopped = house.bulks().stop(&house.ada, bulk.id).await.unwrap();
    assert_eq!(stopped.state, BulkState::Stopped);
    runner.wake();
    let ended = house.over_and_settled(bulk.id).await;
    house.clock.advance(Duration::from_mins(5));
    runner.wake();
    assert_eq!((ended.state, ended.counts), (BulkState::Stopped, counts(7, 0, 0, 23)));
    assert_eq!(house.states(&ids).await, [(State::Failed, 23), (State::Waiting, 7)].into());
    let told: Vec<_> = house.news(bulk.id).await.into_iter().map(|news| (news.0, news.1.done)).collect();
    assert_eq!(told, [(BulkNews::Told, 0), (BulkNews::Stopped, 7), (BulkNews::Ended, 7)]);
    assert!(matches!(house.bulks().stop(&house.ada, bulk.id).await, Err(BulkError::NotNow(_))));
    runner.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_are_open_than_the_destination_bears() {
    let house = House::new();
    let ids = house.filings(State::Failed, 8).await;
    let runner = house.start();
    let bulk = house.named(Action::Retry, &ids).await;
    house.run(&bulk, Pace::Limit).await;
    runner.wake();
    house.until(bulk.id, "at the limit", |bulk| bulk.counts.done == 3).await;
    assert_eq!(house.states(&ids).await, [(State::Failed, 5), (State::Waiting, 3)].into());
    // Two are through, and a third one fails again, which is through as well: somebody has to look at it.
    house.filed(ids[0]).await;
    house.filed(ids[1]).await;
    house.until(bulk.id, "two further", |bulk| bulk.counts.done == 5).await;
    // The DMS bears more now.
    house.control.limit.store(5, Ordering::Relaxed);
    house.by_bob(ids[2], Decision::Hold).await;
    let done = house.over_and_settled(bulk.id).await;
    assert_eq!((done.state, done.counts), (BulkState::Done, counts(8, 0, 0, 0)));
    runner.stop(Duration::from_secs(5)).await;
    // What was handed over before a restart is still counted.
    let house = House::new();
    let ids = house.filings(State::Failed, 6).await;
    let bulk = house.named(Action::Retry, &ids).await;
    house.run(&bulk, Pace::Limit).await;
    let runner = house.start();
    house.until(bulk.id, "at the limit", |bulk| bulk.counts.done == 3).await;
    runner.stop(Duration::from_secs(5)).await;
    let runner = house.start();
    house.filed(ids[0]).await;
    house.until(bulk.id, "one further", |bulk| bulk.counts.done == 4).await;
    assert_eq!(house.states(&ids).await[&State::Failed], 2);
    runner.stop(Duration::from_secs(5)).await;
}

/// Cut off again and again, at whatever moment: each filing is decided over once, and its outcome says so. All outcomes are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_again_and_again_each_is_decided_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = RedbStore::open(&folder.path().join("store.redb"), OpenOptions::default()).unwrap();
    let house = House::over(Arc::new(store));
    let mut ids = house.filings(State::Failed, 1100).await;
    ids.extend(house.filings(State::Undecided, 20).await);
    let bulk = house.named(Action::Retry, &ids).await;
    assert_eq!((bulk.will, bulk.counts.skipped), (1100, 20));
    // One that is not there any more.
    let mut part = house.parts(bulk.id).await.remove(0);
    let gone = std::mem::replace(&mut part.rows[7].id, FilingId::from_u128(5));
    part.version += 1;
    house.store.commit(Commit { writes: vec![part.put().unwrap()], events: Vec::new() }).await.unwrap();
    let losers: Vec<FilingId> = ids[100..1100].iter().copied().step_by(100).collect();
    for id in &losers {
        house.by_bob(*id, Decision::Retry).await;
    }
    house.run(&bulk, Pace::Now).await;
    let (mut cuts, alone) = (0, Arc::strong_count(&house.control));
    for round in 0_u64.. {
        let runner = house.start();
        // On a slow machine too it comes to its end: it is given more time the longer it lasts.
        tokio::time::sleep(Duration::from_micros(200 + (round * 7919) % 6_000 + round * 300)).await;
        drop(runner);
        // A process that was killed does nothing more; a task that is cut off goes on to its next pause.
        while Arc::strong_count(&house.control) > alone {
            tokio::task::yield_now().await;
        }
        house.clock.advance(Duration::from_millis(100));
        if house.read(bulk.id).await.state.is_over() {
            break;
        }
        cuts += 1;
        assert!(cuts < 5000, "it never ends");
    }
    let ended = house.over_and_settled(bulk.id).await;
    println!("{} filings, cut off {cuts} times", ids.len());
    let done = 1100 - 1 - losers.len() as u64;
    assert_eq!((ended.state, ended.counts), (BulkState::Done, counts(done, 20 + losers.len() as u64, 1, 0)));
    let rows = house.rows(&ended).await;
    let of = |outcome| rows.iter().filter(move |row| row.outcome == outcome);
    let changed: Vec<FilingId> = of(RowOutcome::Skipped)
        .filter(|row| row.why == "it changed meanwhile: it is waiting now")
        .map(|row| row.id)
        .collect();
    assert_eq!(changed, losers);
    let failed: Vec<_> = of(RowOutcome::Failed).map(|row| row.why.as_str()).collect();
    assert_eq!(failed, ["it is not there any more"]);
    let decisions = house.decisions(bulk.id).await;
    assert_eq!(
        decisions.keys().copied().collect::<BTreeSet<_>>(),
        of(RowOutcome::Done).map(|row| row.id).collect::<BTreeSet<_>>()
    );
    assert!(decisions.values().all(|times| *times == 1) && !decisions.contains_key(&gone));
    let ends = house.news(bulk.id).await.into_iter().filter(|news| news.0 == BulkNews::Ended).count();
    assert_eq!(ends, 1);
    assert!(cuts > 3, "it was cut off only {cuts} times");
    house.store.close().await.unwrap();
}

/// Killed after the decisions and before what became of them was written: the history knows whose they were, also where somebody else
/// decided since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_before_a_kill_is_known_again() {
    for stopped in [false, true] {
        let house = House::new();
        let ids = house.filings(State::Failed, 6).await;
        let bulk = house.named(Action::Retry, &ids).await;
        house.run(&bulk, Pace::Now).await;
        let runner = house.start();
        let done = house.over_and_settled(bulk.id).await;
        runner.stop(Duration::from_secs(5)).await;
        // As the kill leaves it: of six, four were decided over and none of that is written.
        let (mut torn, mut part) = (done.clone(), house.parts(bulk.id).await.remove(0));
        torn.version += 1;
        (torn.state, torn.ended, torn.counts) = (BulkState::Running, None, bulk.counts);
        if stopped {
            torn.stop(house.clock.now()).unwrap();
            torn.version = done.version + 1;
        }
        part.version += 1;
        part.rows.iter_mut().for_each(|row| row.outcome = RowOutcome::Waiting);
        let writes = vec![torn.put().unwrap(), part.put().unwrap()];
        house.store.commit(Commit { writes, events: Vec::new() }).await.unwrap();
        // Since then one was filed, and somebody else held one and cancelled another.
        house.filed(ids[0]).await;
        house.by_bob(ids[1], Decision::Hold).await;
        house.by_bob(ids[2], Decision::Cancel).await;
        let runner = house.start();
        let ended = house.over_and_settled(bulk.id).await;
        runner.stop(Duration::from_secs(5)).await;
        assert_eq!(ended.counts, counts(6, 0, 0, 0), "stopped: {stopped}");
        assert_eq!(ended.state, if stopped { BulkState::Stopped } else { BulkState::Done });
        let decisions = house.decisions(bulk.id).await;
        assert!(decisions.len() == 6 && decisions.values().all(|times| *times == 1), "{decisions:?}");
        assert_eq!(
            house.states(&ids[..3]).await,
            [(State::Held, 1), (State::Filed, 1), (State::Cancelled, 1)].into()
        );
    }
}

#[tokio::test]
async fn sets_that_nobody_ran_go_and_so_do_old_ones() {
    let house = House::new();
    let ids = house.filings(State::Waiting, 3).await;
    let (frozen, told, undone) = (
        house.named(Action::Hold, &ids).await,
        house.named(Action::Hold, &ids).await,
        house.named(Action::Hold, &ids).await,
    );
    house.run(&told, Pace::Now).await;
    house.run(&undone, Pace::Now).await;
    house.bulks().undo(&house.ada, undone.id).await.unwrap();
    // Twenty seconds have passed by the graces of the two others.
    house.clock.advance(Duration::from_secs(3_580));
    assert_eq!(house.bulks().sweep().await.unwrap(), 0);
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.bulks().sweep().await.unwrap(), 1);
    assert_eq!(house.parts(frozen.id).await, []);
    let refused = house.bulks().find(&house.ada, frozen.id).await.unwrap_err();
    assert!(matches!(refused, BulkError::NotFound(id) if id == frozen.id), "{refused:?}");
    house.clock.advance(Duration::from_hours(30 * 24));
    assert_eq!(house.bulks().sweep().await.unwrap(), 1, "what is under way stays, however long it takes");
    let (left, _) = house.bulks().latest(&house.ada, false, None, 10).await.unwrap();
    assert_eq!(left.iter().map(|bulk| bulk.id).collect::<Vec<_>>(), [told.id]);
    assert_eq!(house.parts(told.id).await.len(), 1);
}
