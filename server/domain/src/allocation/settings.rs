//! The rules as a firm writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Criterion, Facts};
use crate::ids::{SourceName, TeamName};
use crate::mistake::{Mistake, Mistakes};

const MOST_RULES: usize = 500;
const MOST_CRITERIA: usize = 50;

/// Who gets what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocationSettings {
    /// The team that gets what nobody else does.
    pub default: TeamName,
    /// Other teams for what comes by certain mailboxes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mailboxes: BTreeMap<SourceName, TeamName>,
    /// The role in a work item that makes somebody its supervisor.
    #[serde(default = "supervisor")]
    pub supervisor_role: String,
    /// The first that applies and gives somebody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<AllocationRule>,
}

fn supervisor() -> String {
    "supervisor".to_owned()
}

/// One rule. Without criteria it applies to everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocationRule {
    /// What the trace calls it.
    pub name: String,
    /// All of these hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<Criterion>,
    /// At least one of these holds, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<Criterion>,
    /// None of these holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<Criterion>,
    /// Who gets it.
    pub to: Action,
}

/// Who gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A person, by name.
    Person(String),
    /// The work item's supervisor.
    Supervisor,
    /// Whoever takes part in the work item in this role.
    Role(String),
    /// A team.
    Team(TeamName),
    /// The one of a team with the least open work.
    LeastBusy(TeamName),
}

impl AllocationRule {
    /// Whether it applies; the error is why not.
    pub(super) fn applies(&self, facts: Facts<'_>) -> Result<(), String> {
        let mut all = self.all.iter().chain(&self.any).chain(&self.none);
        // "Not of this client" must not hold for what nobody knows the client of.
        if facts.item.is_none() && all.any(Criterion::needs_item) {
            return Err("no work item is known yet".to_owned());
        }
        if let Some(failing) = self.all.iter().find(|criterion| !criterion.holds(facts)) {
            return Err(format!("not so: {failing}"));
        }
        if !self.any.is_empty() && !self.any.iter().any(|criterion| criterion.holds(facts)) {
            let words: Vec<String> = self.any.iter().map(ToString::to_string).collect();
            return Err(format!("none is so: {}", words.join(", ")));
        }
        match self.none.iter().find(|criterion| criterion.holds(facts)) {
            Some(holding) => Err(format!("it is so, and must not be: {holding}")),
            None => Ok(()),
        }
    }
}

impl AllocationSettings {
    /// What is wrong with them; `at` is the key they stand at. Whether persons and teams are there is known when the rules are used.
    pub fn check(&self, at: &str) -> Vec<Mistake> {
        let mut mistakes = Mistakes::default();
        if self.supervisor_role.trim().is_empty() {
            mistakes.add(format!("{at}.supervisor_role"), "is empty");
        }
        mistakes.at_most(&format!("{at}.rules"), self.rules.len(), MOST_RULES);
        for (i, rule) in self.rules.iter().enumerate() {
            let at = format!("{at}.rules[{}]", i + 1);
            if rule.name.trim().is_empty() {
                mistakes.add(format!("{at}.name"), "is empty");
            } else if self.rules[..i].iter().any(|other| other.name == rule.name) {
                mistakes.add(format!("{at}.name"), format!("\"{}\" stands twice", rule.name));
            }
            for (list, criteria) in [("all", &rule.all), ("any", &rule.any), ("none", &rule.none)] {
                mistakes.at_most(&format!("{at}.{list}"), criteria.len(), MOST_CRITERIA);
                for (n, criterion) in criteria.iter().enumerate() {
                    if let Some(problem) = criterion.mistake() {
                        mistakes.add(format!("{at}.{list}[{}]", n + 1), problem);
                    }
                }
            }
            match &rule.to {
                Action::Person(name) if name.trim().is_empty() => {
                    mistakes.add(format!("{at}.to.person"), "is empty");
                }
                Action::Role(role) if role.trim().is_empty() => {
                    mistakes.add(format!("{at}.to.role"), "is empty");
                }
                _ => {}
            }
            let catches_all = rule.all.is_empty() && rule.any.is_empty() && rule.none.is_empty();
            let always = matches!(rule.to, Action::Team(_) | Action::LeastBusy(_));
            if catches_all && always && i + 1 < self.rules.len() {
                mistakes.add(
                    at,
                    format!("\"{}\" takes everything, so no rule behind it is ever tried", rule.name),
                );
            }
        }
        mistakes.0
    }
}
