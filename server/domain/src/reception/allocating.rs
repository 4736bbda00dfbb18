//! Who looks after what arrived: the [rules](crate::allocation) held against the persons that there are and the work they have.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::{AssignError, Reception};
use crate::allocation::{Again, Allocated, Assignee, Facts, Rules, Staff, Worker};
use crate::ids::IntakeId;
use crate::intake::{Intake, IntakeState};
use crate::people::{Person, Status};
use crate::person::Actor;
use crate::query::{IntakeQuery, Window};
use crate::record;
use crate::store::StoreResult;
use crate::work_item::WorkItem;

/// For how long a count of persons and their work is good. What is given meanwhile is counted at once.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// Rows that are read together.
const PAGE: usize = 500;
/// So many arrivals that wait for a person are counted, the newest first: with more, everybody has too much.
const MOST_WAITING: usize = 20_000;

/// The rules, and what was last known of the staff.
pub struct Allocator {
    rules: Rules,
    staff: Mutex<Option<(Duration, Staff)>>,
}

impl Allocator {
    /// With these rules.
    pub const fn new(rules: Rules) -> Self {
        Self { rules, staff: Mutex::new(None) }
    }

    fn remembered(&self, now: Duration) -> Option<Staff> {
        let staff = self.staff.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = staff.as_ref().filter(|(then, _)| now.saturating_sub(*then) < GOOD_FOR);
        fresh.map(|(_, staff)| staff.clone())
    }

    fn remember(&self, now: Duration, staff: Staff) {
        *self.staff.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, staff));
    }

    /// Counts what was just given, so that ten letters of one minute do not all go to the same person.
    fn given(&self, to: &Assignee, at: Timestamp) {
        let Assignee::Person(name) = to else { return };
        let mut staff = self.staff.lock().unwrap_or_else(PoisonError::into_inner);
        let workers = staff.iter_mut().flat_map(|(_, staff)| &mut staff.0);
        for worker in workers.filter(|worker| worker.name == *name) {
            worker.open += 1;
            worker.last_given = Some(at);
        }
    }
}

impl Reception {
    /// Gives an intake to somebody by the rules, with a line in its trace for each rule tried. What a person decided stays.
    pub(crate) async fn allocate(&self, intake: &mut Intake, item: Option<&WorkItem>) -> StoreResult<()> {
        let Some(allocator) = &self.allocator else { return Ok(()) };
        let staff = self.staff(allocator).await?;
        let facts = Facts { item, source: &intake.source };
        let allocation = match &intake.allocated {
            None => allocator.rules.allocate(facts, &staff),
            Some(before) => match allocator.rules.again(&before.into(), facts, &staff) {
                Again::Moves(allocation) => allocation,
                Again::Stays(why) => {
                    intake.trace.push(format!("it stays with {}: {why}", before.to));
                    return Ok(());
                }
            },
        };
        let since = self.clock.now();
        allocator.given(&allocation.to, since);
        intake.trace.extend(allocation.trace);
        intake.allocated = Some(Allocated { to: allocation.to, by_hand: false, since });
        Ok(())
    }

    /// A person takes an intake, or gives it to somebody. The error is [`AssignError::NotAllowed`] once it is done with.
    pub async fn give(
        &self,
        id: IntakeId,
        version: Option<u64>,
        to: Assignee,
        actor: &Actor,
        reason: &str,
    ) -> Result<Intake, AssignError> {
        let mut intake = self.read(id, version).await?;
        if matches!(intake.state, IntakeState::Settled | IntakeState::Dismissed) {
            return Err(AssignError::NotAllowed(intake.state));
        }
        if let Assignee::Person(name) = &to {
            let person: Option<Person> = record::by_key(&*self.store, &Person::name_key(name)).await?;
            if person.is_none_or(|person| person.status != Status::Active) {
                return Err(AssignError::Nobody(name.clone()));
            }
        }
        let since = self.clock.now();
        if let Some(allocator) = &self.allocator {
            allocator.given(&to, since);
        }
        intake.trace.push(format!("{} gave it to {to}", actor.principal));
        intake.allocated = Some(Allocated { to, by_hand: true, since });
        self.change(intake, Vec::new(), Vec::new(), actor, reason).await
    }

    async fn staff(&self, allocator: &Allocator) -> StoreResult<Staff> {
        let now = self.clock.monotonic();
        if let Some(staff) = allocator.remembered(now) {
            return Ok(staff);
        }
        let work = if allocator.rules.weigh_load() { self.open_work().await? } else { BTreeMap::new() };
        let (mut staff, mut after) = (Staff::default(), None);
        loop {
            let persons: Vec<Person> = record::page(&*self.store, None, after, PAGE).await?;
            after = persons.last().map(|person| person.id.as_u128());
            let full = persons.len() == PAGE;
            staff.0.extend(persons.into_iter().map(|person| {
                let (open, last_given) = work.get(&person.name).copied().unwrap_or_default();
                Worker {
                    present: person.status == Status::Active,
                    name: person.name,
                    email: person.email,
                    teams: person.teams,
                    open,
                    last_given,
                }
            }));
            if !full {
                break;
            }
        }
        allocator.remember(now, staff.clone());
        Ok(staff)
    }

    /// How many arrivals wait for each person, and when they were given the last of them.
    async fn open_work(&self) -> StoreResult<BTreeMap<String, (u32, Option<Timestamp>)>> {
        let query = IntakeQuery {
            states: vec![IntakeState::NeedsPerson, IntakeState::Quarantined],
            ..IntakeQuery::default()
        };
        let (mut work, mut before, mut seen) = (BTreeMap::<String, (u32, Option<Timestamp>)>::new(), None, 0);
        loop {
            let page = self.store.list_intakes(&query, Window { before, limit: PAGE }).await?;
            seen += page.items.len();
            for allocated in page.items.into_iter().filter_map(|intake| intake.allocated) {
                let Assignee::Person(name) = allocated.to else { continue };
                let (open, last) = work.entry(name).or_default();
                *open += 1;
                *last = (*last).max(Some(allocated.since));
            }
            before = page.next;
            if before.is_none() || seen >= MOST_WAITING {
                return Ok(work);
            }
        }
    }
}
