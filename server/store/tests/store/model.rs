//! Random histories, with crashes in between and within, on the redb store and the memory store: afterwards both answer every
//! question alike. What a crash interrupts may or may not have happened; everything before it has.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::dms::Trouble;
use postroom_domain::event::{Happening, NewEvent, Subject};
use postroom_domain::filing::{Blocker, Filing, Lane, State};
use postroom_domain::ids::{IntakeId, WorkItemId};
use postroom_domain::intake::IntakeState;
use postroom_domain::machine::Event;
use postroom_domain::person::Scope;
use postroom_domain::query::{FilingQuery, IntakeQuery, Predicate, Term, Window};
use postroom_domain::record::{Commit, Kind, Record, Registry, Write};
use postroom_domain::store::{Binding, FilingChange, IntakeChange, Pause, Store, StoreError};
use postroom_domain::testing::SeededEntropy;
use postroom_store::{MemoryStore, RedbStore};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

use crate::crash::{made, open};
use crate::disk::{Disk, Fault};
use crate::world::{
    acceptance_as, actor, all, at, blob, filing_as, key, receipt, refused, request, scopes, work_item,
};

const SITES: [&str; 2] = ["london", "paris"];
const SOURCES: [&str; 2] = ["scans", "mail"];
const SERVICES: [&str; 2] = ["dms-eu", "dms-us"];
const FOLDERS: [&str; 2] = ["in", "out"];

/// Records that histories change. The id of the last one is greater than all others, and stays so when it is gone.
const RECORDS: [(Kind, u128); 5] =
    [(Kind::Person, 1), (Kind::Person, 2), (Kind::Person, 3), (Kind::Link, 1), (Kind::Link, 1 << 120)];

/// One filing of an acceptance.
#[derive(Debug, Clone)]
struct Wanted {
    content: u64,
    service: usize,
    folder: usize,
    forced: bool,
    due: i64,
}

/// One step of a history. Numbers choose among what is there, modulo how much there is.
#[derive(Debug, Clone)]
enum Act {
    Accept {
        site: usize,
        source: usize,
        filings: Vec<Wanted>,
        key: Option<u64>,
        needs_person: bool,
    },
    Happen {
        filing: usize,
        event: usize,
    },
    /// Several at once, some of them stale.
    Several {
        filings: Vec<(usize, usize)>,
        stale: bool,
    },
    Edit {
        filing: usize,
        to: Wanted,
    },
    Decide {
        intake: usize,
        filings: Vec<Wanted>,
        state: usize,
        stale: bool,
    },
    SaveWorkItem {
        item: u128,
        reference: usize,
        stale: bool,
    },
    Bind {
        item: u128,
        forget: bool,
    },
    Pause {
        door: usize,
    },
    Resume {
        door: usize,
    },
    Record,
    /// Some records: which, removed or put, with which key, stale or not.
    Commit {
        writes: Vec<(usize, bool, usize, bool)>,
    },
    Close,
    Kill,
    PowerCut,
    /// The disk fails during the next step.
    FailNext {
        fault: Fault,
        power_cut: bool,
    },
}

fn wanted() -> impl Strategy<Value = Wanted> {
    (0..5_u64, 0..2_usize, 0..2_usize, prop::bool::weighted(0.1), 0..50_i64)
        .prop_map(|(content, service, folder, forced, due)| Wanted { content, service, folder, forced, due })
}

fn act() -> impl Strategy<Value = Act> {
    let filings = || prop::collection::vec(wanted(), 0..4);
    prop_oneof![
        5 => (0..2_usize, 0..2_usize, filings(), prop::option::weighted(0.3, 0..4_u64), prop::bool::weighted(0.2))
            .prop_map(|(site, source, filings, key, needs_person)| Act::Accept { site, source, filings, key, needs_person }),
        12 => (any::<usize>(), any::<usize>()).prop_map(|(filing, event)| Act::Happen { filing, event }),
        3 => (prop::collection::vec((any::<usize>(), any::<usize>()), 1..5), any::<bool>())
            .prop_map(|(filings, stale)| Act::Several { filings, stale }),
        2 => (any::<usize>(), wanted()).prop_map(|(filing, to)| Act::Edit { filing, to }),
        2 => (any::<usize>(), filings(), 0..6_usize, prop::bool::weighted(0.2))
            .prop_map(|(intake, filings, state, stale)| Act::Decide { intake, filings, state, stale }),
        2 => (1..4_u128, 0..3_usize, prop::bool::weighted(0.2))
            .prop_map(|(item, reference, stale)| Act::SaveWorkItem { item, reference, stale }),
        1 => (1..4_u128, any::<bool>()).prop_map(|(item, forget)| Act::Bind { item, forget }),
        1 => (0..2_usize).prop_map(|door| Act::Pause { door }),
        1 => (0..2_usize).prop_map(|door| Act::Resume { door }),
        1 => Just(Act::Record),
        3 => prop::collection::vec(
            (0..RECORDS.len(), prop::bool::weighted(0.3), 0..5_usize, prop::bool::weighted(0.1)), 1..4
        ).prop_map(|writes| Act::Commit { writes }),
        1 => Just(Act::Close),
        1 => Just(Act::Kill),
        1 => Just(Act::PowerCut),
        2 => (prop_oneof![(1..60_u64).prop_map(Fault::From), Just(Fault::Flush)], any::<bool>())
            .prop_map(|(fault, power_cut)| Act::FailNext { fault, power_cut }),
    ]
}

/// Something that can happen to a filing in its state.
fn event(filing: &Filing, choice: usize) -> Option<Event> {
    let events: &[fn(&Filing) -> Event] = match filing.progress.state {
        State::Waiting => &[
            |_| Event::Claim,
            |_| Event::Hold,
            |_| Event::Cancel,
            |_| Event::Retry,
            |_| Event::Block(Blocker::Destination, Trouble::new(Cause::LoginPage, "closed")),
        ],
        State::Blocked => &[|_| Event::Unblock(at(90)), |_| Event::Hold, |_| Event::Cancel, |_| Event::Retry],
        State::Running => &[
            |_| Event::Uploaded(receipt("doc")),
            |_| refused(Cause::Rejected, Some(422)),
            |_| refused(Cause::ServerFault, Some(503)),
            |_| refused(Cause::AnswerLost, None),
            |_| refused(Cause::LoginPage, None),
            |_| Event::Abandoned,
            |_| Event::Interrupted,
            |filing| Event::FoundDuplicate { of: Some(filing.id), receipt: None },
        ],
        State::Checking => &[
            |_| Event::ProbeFound(receipt("found")),
            |_| Event::ProbeAbsent { lag: Duration::ZERO, asked: at(90) },
            |_| Event::ProbeAbsent { lag: Duration::from_mins(2), asked: at(90) },
            |_| Event::ProbeImpossible,
        ],
        State::Undecided => &[|_| Event::Link(receipt("linked")), |_| Event::Retry, |_| Event::Cancel],
        State::Held => &[|_| Event::Release, |_| Event::Cancel],
        State::Failed => &[|_| Event::Retry, |_| Event::Cancel],
        State::Duplicate => &[|_| Event::FileAnyway],
        State::Filed | State::Cancelled => &[],
    };
    (!events.is_empty()).then(|| events[choice % events.len()](filing))
}

/// Steps that a failing disk interrupted: how many had not happened afterwards, and how many had.
static INTERRUPTED: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// A history in progress.
struct History {
    model: MemoryStore,
    store: Option<RedbStore>,
    disk: Disk,
    chance: SeededEntropy,
    /// Ids given out, and seconds gone by.
    next: u128,
    now: i64,
}

/// A step as the stores are asked to do it: the same for both, and for a second time.
#[derive(Clone)]
enum Call {
    Accept(Box<postroom_domain::store::Acceptance>),
    Change(Vec<FilingChange>),
    Decide(Box<IntakeChange>),
    Save(Box<postroom_domain::work_item::WorkItem>),
    Bind(Binding, bool),
    Pause(Pause),
    Resume(String),
    Record(Box<NewEvent>),
    Commit(Commit),
}

impl Call {
    /// What the store answers, as a text to compare.
    async fn ask(&self, store: &dyn Store, now: i64) -> Result<String, StoreError> {
        let by = actor();
        Ok(match self.clone() {
            Self::Accept(acceptance) => format!("{:?}", fatal(store.accept(*acceptance).await)?),
            Self::Change(changes) => format!("{:?}", store.change_filings(changes).await?),
            Self::Decide(change) => format!("{:?}", fatal(store.change_intake(*change).await)?),
            Self::Save(item) => {
                format!("{:?}", fatal(store.save_work_item(*item, Vec::new(), &by, at(now)).await)?)
            }
            Self::Bind(binding, forget) => {
                let repository = binding.repository.clone();
                let kept = (!forget).then_some(binding.clone());
                format!("{:?}", fatal(store.bind(binding.work_item, &repository, kept, None).await)?)
            }
            Self::Pause(pause) => format!("{:?}", fatal(store.pause(pause).await)?),
            Self::Resume(door) => format!("{:?}", fatal(store.resume(&door, &by, at(now)).await)?),
            Self::Commit(commit) => format!("{:?}", fatal(store.commit(commit).await)?),
            Self::Record(event) => format!("{:?}", fatal(store.record(*event).await)?),
        })
    }
}

/// Refusals are answers; only the failure of the store is not.
fn fatal<T>(result: Result<T, StoreError>) -> Result<Result<T, StoreError>, StoreError> {
    match result {
        Err(StoreError::Fatal(why)) => Err(StoreError::Fatal(why)),
        other => Ok(other),
    }
}

fn door(number: usize) -> String {
    ["source/scans", "destination/dms-eu"][number].to_owned()
}

impl History {
    fn new(seed: u64) -> Self {
        let disk = made();
        Self {
            model: MemoryStore::new(),
            store: open(&disk),
            disk,
            chance: SeededEntropy::new(seed),
            next: 1 << 100,
            now: 0,
        }
    }

    fn id(&mut self) -> u128 {
        self.next += 1 << 64;
        self.next
    }

    fn filings(&mut self, site: usize, source: usize, wanted: Vec<Wanted>) -> Vec<Filing> {
        let mut filings = Vec::new();
        for Wanted { content, service, folder, forced, due } in wanted {
            let mut request = request(content, SERVICES[service], FOLDERS[folder]);
            request.forced = forced;
            let mut filing = filing_as(self.id(), SITES[site], SOURCES[source], request);
            filing.received = at(self.now);
            filing.progress.due = Some(at(due));
            filings.push(filing);
        }
        filings
    }

    async fn pick(&self, number: usize) -> Option<Filing> {
        let filings = all(&self.model, &FilingQuery::default(), 1000, at(0)).await.unwrap();
        if filings.is_empty() { None } else { Some(filings[number % filings.len()].clone()) }
    }

    async fn change(&self, number: usize, choice: usize) -> Option<FilingChange> {
        let filing = self.pick(number).await?;
        Some(crate::world::change(&filing, event(&filing, choice)?, at(self.now)))
    }

    /// The call that a step comes to; none when there is nothing to do it with.
    async fn call(&mut self, act: Act) -> Option<Call> {
        Some(match act {
            Act::Accept { site, source, filings, key: number, needs_person } => {
                let filings = if needs_person { Vec::new() } else { self.filings(site, source, filings) };
                let mut acceptance = acceptance_as(self.id(), filings);
                acceptance.intake.site = SITES[site].parse().unwrap();
                acceptance.intake.source = SOURCES[source].parse().unwrap();
                acceptance.key = number.map(|number| key(&format!("key/{}", number / 2), number));
                if needs_person {
                    acceptance.intake.state = IntakeState::NeedsPerson;
                }
                Call::Accept(Box::new(acceptance))
            }
            Act::Happen { filing, event } => Call::Change(vec![self.change(filing, event).await?]),
            Act::Several { filings, stale } => {
                let mut changes = Vec::new();
                for (filing, event) in filings {
                    let mut change = self.change(filing, event).await?;
                    change.expect += u64::from(stale && changes.len() == 1);
                    changes.push(change);
                }
                Call::Change(changes)
            }
            Act::Edit { filing, to } => {
                let filing = self.pick(filing).await?;
                let mut change = crate::world::change(&filing, event(&filing, 1)?, at(self.now));
                change.request = Some(request(to.content, SERVICES[to.service], FOLDERS[to.folder]));
                Call::Change(vec![change])
            }
            Act::Decide { intake, filings, state, stale } => {
                let list = self
                    .model
                    .list_intakes(&IntakeQuery::default(), Window { before: None, limit: 1000 })
                    .await;
                let intakes = list.unwrap().items;
                let mut next = intakes.get(intake.checked_rem(intakes.len())?)?.clone();
                let site = SITES.iter().position(|site| *site == next.site.as_str())?;
                next.version += if stale { 2 } else { 1 };
                next.state = IntakeState::ALL[state];
                next.documents.truncate(1);
                let filings = self.filings(site, 0, filings);
                let note = "decided".to_owned();
                Call::Decide(Box::new(IntakeChange {
                    next,
                    filings,
                    records: Vec::new(),
                    actor: actor(),
                    note,
                    at: at(self.now),
                }))
            }
            Act::SaveWorkItem { item, reference, stale } => {
                let found = self.model.work_item(WorkItemId::from_u128(item)).await.unwrap();
                let mut saved = work_item(item, ["ABC-1", "abc-1", "XYZ-2"][reference], "Harrow v Teal");
                saved.site = SITES[(reference + usize::from(self.now % 3 == 0)) % 2].parse().unwrap();
                saved.version = found.map_or(1, |found| found.version + 1) + u64::from(stale);
                Call::Save(Box::new(saved))
            }
            Act::Bind { item, forget } => {
                let binding = Binding {
                    work_item: WorkItemId::from_u128(item),
                    repository: "matters".parse().unwrap(),
                    workspace: format!("ws-{}", self.now),
                    chosen_by: None,
                    at: at(self.now),
                };
                Call::Bind(binding, forget)
            }
            Act::Pause { door: number } => Call::Pause(Pause {
                door: door(number),
                site: (number == 1).then(|| "london".parse().unwrap()),
                by: "ada".to_owned(),
                reason: "why not".to_owned(),
                since: at(self.now),
                until: None,
            }),
            Act::Resume { door: number } => Call::Resume(door(number)),
            Act::Record => Call::Record(Box::new(self.alert())),
            Act::Commit { writes } => self.commit(writes).await,
            Act::Close | Act::Kill | Act::PowerCut | Act::FailNext { .. } => return None,
        })
    }

    fn alert(&self) -> NewEvent {
        NewEvent {
            at: at(self.now),
            site: None,
            subject: Subject::System,
            happening: Happening::Alert,
            actor: actor(),
            note: String::new(),
        }
    }

    async fn commit(&self, writes: Vec<(usize, bool, usize, bool)>) -> Call {
        let mut commit = Commit { writes: Vec::new(), events: vec![self.alert()] };
        for (number, remove, key, stale) in writes {
            let (kind, id) = RECORDS[number];
            let found = self.model.record_by_id(kind, id).await.unwrap().map_or(0, |record| record.version);
            let version = found + u64::from(stale);
            commit.writes.push(if remove {
                Write::Remove { kind, id, version }
            } else {
                Write::Put(Record {
                    kind,
                    id,
                    version: version + 1,
                    keys: (0..key % 3).map(|more| format!("key/{}", key + more)).collect(),
                    groups: (0..key % 2 + number % 2).map(|more| format!("group/{more}")).collect(),
                    body: format!("at {}", self.now).into_bytes(),
                })
            });
        }
        Call::Commit(commit)
    }

    /// Opens what is left of the disk.
    fn reopen(&mut self, disk: Disk) {
        self.store = None;
        self.disk = disk;
        self.store = Some(open(&self.disk).expect("the store opens after a crash"));
    }

    async fn run(&mut self, acts: Vec<Act>) {
        let mut fails = None;
        for act in acts {
            self.now += 1;
            match act {
                Act::FailNext { fault, power_cut } => fails = Some((fault, power_cut)),
                Act::Close => {
                    self.store.as_ref().unwrap().close().await.unwrap();
                    self.reopen(self.disk.clone());
                }
                Act::Kill => self.reopen(self.disk.kill()),
                Act::PowerCut => self.reopen(self.disk.power_cut(&self.chance)),
                act => {
                    if let Some(call) = self.call(act).await {
                        self.both(call, fails.take()).await;
                    }
                }
            }
            self.compare().await;
        }
    }

    async fn both(&mut self, call: Call, fails: Option<(Fault, bool)>) {
        // What a failed call without events has left cannot be told from outside.
        let fails = fails.filter(|_| !matches!(call, Call::Bind(..)));
        if let Some((fault, _)) = fails {
            self.disk.fail(fault);
        }
        let answer = call.ask(self.store.as_ref().unwrap(), self.now).await;
        let answered = answer.is_ok();
        if let Ok(answer) = answer {
            assert_eq!(call.ask(&self.model, self.now).await, Ok(answer));
            if fails.is_none() {
                return;
            }
        }
        if let Some((_, power_cut)) = fails {
            let left = if power_cut { self.disk.power_cut(&self.chance) } else { self.disk.kill() };
            self.reopen(left);
        }
        let there = self.store.as_ref().unwrap().summary(&Scope::All).await.unwrap().last_event;
        let happened = there > self.model.summary(&Scope::All).await.unwrap().last_event;
        assert!(!(happened && answered), "it happened twice");
        if !answered {
            INTERRUPTED[usize::from(happened)].fetch_add(1, Ordering::Relaxed);
        }
        if happened {
            // Nobody was told, and it is there: that is allowed.
            call.ask(&self.model, self.now).await.unwrap();
        }
    }

    /// Asks both everything.
    async fn compare(&self) {
        let (model, store) = (&self.model as &dyn Store, self.store.as_ref().unwrap() as &dyn Store);
        let wanted = everything(model).await;
        let found = everything(store).await;
        for (wanted, found) in wanted.iter().zip(&found) {
            assert_eq!(wanted, found);
        }
        assert_eq!(wanted.len(), found.len());
        assert_eq!(store.self_check().await.unwrap().wrong, Vec::<String>::new());
        assert_eq!(store.greatest_id(), model.greatest_id());
    }
}

/// Every answer of a store, as texts.
async fn everything(store: &dyn Store) -> Vec<String> {
    let mut answers = Vec::new();
    let filings = all(store, &FilingQuery::default(), 7, at(0)).await.unwrap();
    let term = |negated, predicate| FilingQuery {
        terms: vec![Term { negated, any: vec![predicate] }],
        ..FilingQuery::default()
    };
    for query in [
        term(true, Predicate::State(State::Filed)),
        term(false, Predicate::Cause(Cause::Rejected)),
        term(false, Predicate::Reference("REF-3".to_owned())),
        term(false, Predicate::Destination(SERVICES[0].parse().unwrap())),
        FilingQuery {
            sites: Scope::one("paris".parse().unwrap()),
            submitted_by: Some("ada".to_owned()),
            terms: Vec::new(),
        },
    ] {
        let ids: Vec<_> =
            all(store, &query, 3, at(0)).await.unwrap().iter().map(|filing| filing.id).collect();
        answers.push(format!("{query:?}: {ids:?}"));
    }
    for filing in &filings {
        answers.push(format!("{filing:?} {:?}", store.attempts(filing.id).await));
    }
    let intakes =
        store.list_intakes(&IntakeQuery::default(), Window { before: None, limit: 1000 }).await.unwrap();
    for intake in intakes.items {
        let ids: Vec<_> =
            store.intake_filings(intake.id).await.unwrap().iter().map(|filing| filing.id).collect();
        answers.push(format!("{intake:?} {ids:?}"));
    }
    for state in State::ALL {
        let service = SERVICES[1].parse().unwrap();
        for service in [None, Some(&service)] {
            let ids: Vec<_> = store
                .in_state(service, state, None, 1000)
                .await
                .unwrap()
                .iter()
                .map(|filing| filing.id)
                .collect();
            answers.push(format!("{state} {service:?} {ids:?}"));
        }
    }
    for sites in scopes() {
        answers.push(format!("{:?}", store.summary(&sites).await));
        answers.push(format!("{:?}", store.causes(&sites).await));
    }
    let mut queues: Vec<String> =
        store.queues().await.unwrap().iter().map(|queue| format!("{queue:?}")).collect();
    queues.sort();
    answers.extend(queues);
    for service in SERVICES {
        for source in SOURCES {
            for lane in Lane::ALL {
                let (service, source) = (service.parse().unwrap(), source.parse().unwrap());
                answers.push(format!("{:?}", store.ready(&service, &source, lane, at(40), 100).await));
            }
        }
    }
    let mut far = store.due_beyond(at(30), 1000).await.unwrap();
    far.sort();
    answers.push(format!("{far:?}"));
    answers.push(format!("{:?}", store.events_after(0, 100_000).await));
    answers.push(format!("{:?}", store.chain_after(0, 100_000).await));
    answers.push(format!("{:?}", store.events_about(&Subject::System, 3).await));
    for sites in scopes() {
        within(store, sites, &mut answers).await;
    }
    for (kind, id) in RECORDS {
        answers.push(format!("{:?}", store.record_by_id(kind, id).await));
    }
    for kind in [Kind::Person, Kind::Link] {
        for number in 0..8 {
            answers.push(format!("{:?}", store.record_by_key(kind, &format!("key/{number}")).await));
        }
        for group in [None, Some("group/0"), Some("group/1"), Some("group")] {
            answers.push(format!("{:?}", store.records(kind, group, None, 9).await));
            answers.push(format!("{:?}", store.records(kind, group, Some(1), 1).await));
        }
    }
    answers.push(format!("{:?}", store.pauses().await));
    answers.push(format!(
        "{:?}",
        store.list_work_items(&Scope::All, "abc", Window { before: None, limit: 9 }).await
    ));
    for item in 1..4 {
        let (item, repository) = (WorkItemId::from_u128(item), "matters".parse().unwrap());
        answers.push(format!(
            "{:?} {:?}",
            store.work_item(item).await,
            store.binding(item, &repository).await
        ));
    }
    for content in 0..6 {
        answers.push(format!("{:?}", store.names_blob(blob(content).hash).await));
    }
    answers.push(format!("{:?}", store.intake(IntakeId::from_u128(1)).await));
    answers
}

/// Everything that a caller of these sites can come to see: nothing else appears, in pages of any size, and the cursors go on where
/// they stopped.
async fn within(store: &dyn Store, sites: Scope, answers: &mut Vec<String>) {
    let by = |submitted_by, terms| FilingQuery { sites: sites.clone(), submitted_by, terms };
    let rejected = Term { negated: false, any: vec![Predicate::Cause(Cause::Rejected)] };
    let mut count = 0;
    for query in [
        by(None, Vec::new()),
        by(Some("ada".to_owned()), Vec::new()),
        by(None, vec![rejected]),
        by(None, vec![Term { negated: false, any: vec![Predicate::Reference("REF-1".to_owned())] }]),
    ] {
        for limit in [1, 4] {
            let found = all(store, &query, limit, at(0)).await.unwrap();
            assert!(found.iter().all(|filing| sites.has(&filing.site)), "{query:?}");
            assert!(found.is_sorted_by(|a, b| a.id > b.id), "{query:?}");
            count = count.max(found.len() as u64);
            answers.push(format!("{query:?} {:?}", found.iter().map(|f| f.id).collect::<Vec<_>>()));
        }
    }
    let summary = store.summary(&sites).await.unwrap();
    assert_eq!(summary.filings.by_state.iter().sum::<u64>(), count);
    let (mut intakes, mut before) = (Vec::new(), None);
    let query = IntakeQuery { sites: sites.clone(), ..IntakeQuery::default() };
    loop {
        let slice = store.list_intakes(&query, Window { before, limit: 2 }).await.unwrap();
        intakes.extend(slice.items);
        before = slice.next;
        if before.is_none() {
            break;
        }
    }
    assert!(intakes.iter().all(|intake| sites.has(&intake.site)));
    assert_eq!(summary.intakes.iter().sum::<u64>(), intakes.len() as u64);
    answers.push(format!("{:?}", intakes.iter().map(|intake| intake.id).collect::<Vec<_>>()));
    let (mut items, mut before) = (Vec::new(), None);
    loop {
        let slice = store.list_work_items(&sites, "", Window { before, limit: 1 }).await.unwrap();
        items.extend(slice.items);
        before = slice.next;
        if before.is_none() {
            break;
        }
    }
    assert!(items.iter().all(|item| sites.has(&item.site)));
    answers.push(format!("{items:?}"));
}

#[test]
fn every_history_gives_the_same_answers() {
    let config = ProptestConfig {
        cases: 128,
        rng_seed: RngSeed::Fixed(2),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let histories = (any::<u64>(), prop::collection::vec(act(), 1..40));
    TestRunner::new(config)
        .run(&histories, |(seed, acts)| {
            runtime.block_on(History::new(seed).run(acts));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    let [undone, done] = &INTERRUPTED;
    let (undone, done) = (undone.load(Ordering::Relaxed), done.load(Ordering::Relaxed));
    assert!(undone > 10 && done > 10, "interrupted steps: {undone} undone, {done} done");
}
