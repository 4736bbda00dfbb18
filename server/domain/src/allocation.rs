//! Who looks after an arrival: ordered rules over the work item's data, the first that gives somebody, and always somebody.
//!
//! A rule that would give a person who is away or gone is passed over with a line in the trace: work that lies with somebody who is not
//! there is work that nobody sees. What remains goes to the team of the mailbox, or else to the firm's default team.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{SourceName, TeamName};
use crate::mistake::Mistake;
use crate::work_item::WorkItem;

mod criteria;
mod settings;
mod staff;

pub use criteria::{Criterion, Field};
pub use settings::{Action, AllocationRule, AllocationSettings};
pub use staff::{Staff, Worker};

/// What is allocated.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The work item; none while nobody knows it. Rules that ask for its data do not apply then.
    pub item: Option<&'a WorkItem>,
    /// The mailbox or other door that it came through.
    pub source: &'a SourceName,
}

/// Who has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    /// A person, by their unchanging name.
    Person(String),
    /// A team: whoever of it takes it.
    Team(TeamName),
}

/// An allocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// Who has it.
    pub to: Assignee,
    /// The rule that gave it; none for a default.
    pub rule: Option<String>,
    /// Every rule tried, with its reason.
    pub trace: Vec<String>,
}

/// Who has an intake, as it is kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// Who has it.
    pub to: Assignee,
    /// A person took it or gave it to somebody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// Since when.
    pub since: Timestamp,
}

impl From<&Allocated> for Before {
    fn from(allocated: &Allocated) -> Self {
        Self { to: allocated.to.clone(), by_hand: allocated.by_hand }
    }
}

impl fmt::Display for Assignee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Team(team) => write!(f, "the team {team}"),
        }
    }
}

/// Who has had it until now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Who has it.
    pub to: Assignee,
    /// A person took it or gave it to somebody: no rule takes it away again.
    pub by_hand: bool,
}

/// What a second look brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// It stays, and why.
    Stays(String),
    /// It goes to somebody else.
    Moves(Allocation),
}

/// The rules in force.
#[derive(Debug, Clone)]
pub struct Rules(AllocationSettings);

impl Rules {
    /// The rules that settings describe, or what is wrong with them. The keys are told below `allocation`.
    pub fn new(settings: AllocationSettings) -> Result<Self, Vec<Mistake>> {
        let mistakes = settings.check("allocation");
        if mistakes.is_empty() { Ok(Self(settings)) } else { Err(mistakes) }
    }

    /// Gives an arrival to somebody.
    pub fn allocate(&self, facts: Facts<'_>, staff: &Staff) -> Allocation {
        let mut trace = Vec::new();
        for rule in &self.0.rules {
            match self.by_rule(rule, facts, staff) {
                Ok((to, why)) => {
                    trace.push(format!("{}: {why}", rule.name));
                    return Allocation { to, rule: Some(rule.name.clone()), trace };
                }
                Err(why) => trace.push(format!("{}: passed over: {why}", rule.name)),
            }
        }
        let team = match self.0.mailboxes.get(facts.source) {
            Some(team) => {
                trace.push(format!(
                    "no rule gives it to anybody: the team {team} has what comes by {}",
                    facts.source
                ));
                team
            }
            None => {
                trace.push(format!("no rule gives it to anybody: the team {} has the rest", self.0.default));
                &self.0.default
            }
        };
        Allocation { to: Assignee::Team(team.clone()), rule: None, trace }
    }

    /// Looks again after a person said late which work item it is.
    pub fn again(&self, before: &Before, facts: Facts<'_>, staff: &Staff) -> Again {
        if before.by_hand {
            return Again::Stays("a person took it or gave it to somebody".to_owned());
        }
        let now = self.allocate(facts, staff);
        match &before.to {
            to if *to == now.to => Again::Stays("the rules give it to the same again".to_owned()),
            // Least busy changes from hour to hour; that alone is no reason to take work from somebody who has it.
            Assignee::Person(name) if self.is_by_load(&now) && staff.same_team(name, &now.to) => {
                Again::Stays(format!("{name} is of the team that it would go to"))
            }
            _ => Again::Moves(now),
        }
    }

    /// Whether any rule asks who has the least open work.
    pub fn weigh_load(&self) -> bool {
        self.0.rules.iter().any(|rule| matches!(rule.to, Action::LeastBusy(_)))
    }

    fn is_by_load(&self, allocation: &Allocation) -> bool {
        let rule = self.0.rules.iter().find(|rule| Some(&rule.name) == allocation.rule.as_ref());
        rule.is_some_and(|rule| matches!(rule.to, Action::LeastBusy(_)))
    }

    fn by_rule(
        &self,
        rule: &AllocationRule,
        facts: Facts<'_>,
        staff: &Staff,
    ) -> Result<(Assignee, String), String> {
        rule.applies(facts)?;
        match &rule.to {
            Action::Person(name) => {
                let worker = staff.named(name).ok_or_else(|| format!("there is no person {name}"))?;
                worker.there().map(|name| (Assignee::Person(name.clone()), format!("{name} has it")))
            }
            Action::Supervisor => taking_part(facts, &self.0.supervisor_role, staff),
            Action::Role(role) => taking_part(facts, role, staff),
            Action::Team(team) => Ok((Assignee::Team(team.clone()), format!("the team {team} has it"))),
            Action::LeastBusy(team) => Ok(staff.least_busy(team).map_or_else(
                || {
                    let why = format!("nobody of the team {team} is there, so the team has it");
                    (Assignee::Team(team.clone()), why)
                },
                |worker| {
                    let why = format!(
                        "{} has the least open work of the team {team}: {}",
                        worker.name, worker.open
                    );
                    (Assignee::Person(worker.name.clone()), why)
                },
            )),
        }
    }
}

/// The first of those with a role in the work item who is a person of ours and there.
fn taking_part(facts: Facts<'_>, role: &str, staff: &Staff) -> Result<(Assignee, String), String> {
    let item = facts.item.ok_or("no work item is known yet")?;
    let with_role = item.participants.iter().filter(|it| it.role.eq_ignore_ascii_case(role));
    let mut why = format!("{} has no {role}", item.reference);
    for participant in with_role {
        match staff.with_email(&participant.email).map(Worker::there) {
            Some(Ok(name)) => {
                let why = format!("{name} is the {role} of {}", item.reference);
                return Ok((Assignee::Person(name.clone()), why));
            }
            Some(Err(away)) => why = away,
            None => why = format!("the {role} of {} is no person here", item.reference),
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests;
