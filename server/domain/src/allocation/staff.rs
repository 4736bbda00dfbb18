//! Who may be given work, as it is at the moment.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Assignee;
use crate::ids::TeamName;

/// One who may be given work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Their unchanging name.
    pub name: String,
    /// Their e-mail: participants of work items are found by it.
    pub email: String,
    /// Their teams.
    pub teams: Vec<TeamName>,
    /// Whether they can take work now: may come in, and not away.
    pub present: bool,
    /// How many arrivals they have open.
    pub open: u32,
    /// When they were given the last one: of two who have as much, the one who waited longer is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_given: Option<Timestamp>,
}

/// Everybody who may be given work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff(pub Vec<Worker>);

impl Worker {
    /// Their name, or why they are given nothing.
    pub(super) fn there(&self) -> Result<&String, String> {
        if self.present { Ok(&self.name) } else { Err(format!("{} is not there", self.name)) }
    }
}

impl Staff {
    pub(super) fn named(&self, name: &str) -> Option<&Worker> {
        self.0.iter().find(|worker| worker.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn with_email(&self, email: &str) -> Option<&Worker> {
        self.0.iter().find(|worker| !email.is_empty() && worker.email.eq_ignore_ascii_case(email))
    }

    /// The one of a team with the least open work who is there; the same for the same data.
    pub(super) fn least_busy(&self, team: &TeamName) -> Option<&Worker> {
        let there = self.0.iter().filter(|worker| worker.present && worker.teams.contains(team));
        there.min_by_key(|worker| (worker.open, worker.last_given, &worker.name))
    }

    /// Whether a person who is there shares a team with another.
    pub(super) fn same_team(&self, name: &str, other: &Assignee) -> bool {
        let Some(worker) = self.named(name).filter(|worker| worker.present) else { return false };
        match other {
            Assignee::Team(team) => worker.teams.contains(team),
            Assignee::Person(other) => self
                .named(other)
                .is_some_and(|other| worker.teams.iter().any(|team| other.teams.contains(team))),
        }
    }
}
