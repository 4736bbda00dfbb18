//! What another set of rules would have done with a mail: the rows of a dry run.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Decision, Rule, Verdict};
use crate::ids::WorkItemId;

/// How a new decision differs from an old one. In the order of how closely a person should look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It would be filed in another work item than it was.
    Refiled {
        /// Where it was filed.
        from: WorkItemId,
        /// Where it would be.
        to: WorkItemId,
    },
    /// It would be filed without a person, and was not.
    FiledNow {
        /// Where.
        to: WorkItemId,
        /// By which rule.
        rule: Rule,
    },
    /// A person would be asked where none was.
    AskedNow {
        /// Where it was filed.
        from: WorkItemId,
    },
    /// A person is asked both times, with another work item in front, or for another reason.
    AskedOtherwise,
    /// It would be filed in the same work item, by another rule.
    OtherRule {
        /// The rule of then.
        from: Rule,
        /// The rule of now.
        to: Rule,
    },
    /// Only the suggestions differ.
    OtherSuggestions,
    /// Nothing that anybody would see.
    Same,
}

impl Change {
    /// Whether documents would lie elsewhere, or be filed that nobody looked at: what a person has to read before new rules are taken.
    pub const fn is_grave(&self) -> bool {
        matches!(self, Self::Refiled { .. } | Self::FiledNow { .. })
    }

    /// The stable code.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Refiled { .. } => "refiled",
            Self::FiledNow { .. } => "filed_now",
            Self::AskedNow { .. } => "asked_now",
            Self::AskedOtherwise => "asked_otherwise",
            Self::OtherRule { .. } => "other_rule",
            Self::OtherSuggestions => "other_suggestions",
            Self::Same => "same",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Compares two decisions about the same mail. Reasons, scores and traces may differ: their words change with every version.
pub fn compare(old: &Decision, new: &Decision) -> Change {
    use Verdict::{File, Person, Suggest};
    match (&old.verdict, &new.verdict) {
        (File { work_item: from, .. }, File { work_item: to, .. }) if from != to => {
            Change::Refiled { from: *from, to: *to }
        }
        (File { rule: from, .. }, File { rule: to, .. }) if from != to => {
            Change::OtherRule { from: *from, to: *to }
        }
        (File { work_item: from, .. }, Suggest { .. } | Person { .. }) => Change::AskedNow { from: *from },
        (Suggest { .. } | Person { .. }, File { work_item, rule }) => {
            Change::FiledNow { to: *work_item, rule: *rule }
        }
        (Person { code: from, .. }, Person { code: to, .. }) if from != to => Change::AskedOtherwise,
        (Suggest { .. }, Suggest { .. }) if old.verdict != new.verdict => Change::AskedOtherwise,
        (Suggest { .. }, Person { .. }) | (Person { .. }, Suggest { .. }) => Change::AskedOtherwise,
        _ if !old
            .suggestions
            .iter()
            .map(|it| it.work_item)
            .eq(new.suggestions.iter().map(|it| it.work_item)) =>
        {
            Change::OtherSuggestions
        }
        _ => Change::Same,
    }
}
