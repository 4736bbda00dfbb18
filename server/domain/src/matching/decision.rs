//! What was decided, and in which words a person reads it.

use serde::{Deserialize, Serialize};

use super::Known;
use super::doubt::{Doubt, doubts};
use super::rule::{Case, Outcome, Rule};
use crate::ids::WorkItemId;
use crate::intake::NeedsPerson;

/// What happens to a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is filed.
    File {
        /// To which work item.
        work_item: WorkItemId,
        /// By which rule.
        rule: Rule,
    },
    /// A person is asked whether it belongs there.
    Suggest {
        /// The work item that was found.
        work_item: WorkItemId,
        /// By which rule.
        rule: Rule,
        /// Why it is not filed at once; none for a rule that only ever suggests.
        doubts: Vec<Doubt>,
    },
    /// A person decides.
    Person {
        /// Stable code: `no_rule_matched`, `several_work_items`, `several_references`, `closed_work_item`.
        code: String,
        /// In plain words.
        text: String,
    },
}

/// A work item that a person may mean, with what speaks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The work item.
    pub work_item: WorkItemId,
    /// The sum of what speaks for it; only good for comparing suggestions about one mail.
    pub score: u32,
    /// In plain words, the strongest first.
    pub reasons: Vec<String>,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What happens.
    pub verdict: Verdict,
    /// The best first. The first is not always what the verdict names.
    pub suggestions: Vec<Suggestion>,
    /// A machine wrote it: nothing is sent in answer, neither a receipt nor a question.
    pub quiet: bool,
    /// Every rule with what it found, doubts, verdict, suggestions: one line each.
    pub trace: Vec<String>,
}

impl Decision {
    /// What the intake needs a person for; none when it is filed.
    pub fn needs(&self, known: &Known) -> Option<NeedsPerson> {
        match &self.verdict {
            Verdict::File { .. } => None,
            Verdict::Suggest { .. } => {
                Some(NeedsPerson { code: "to_confirm".to_owned(), text: self.verdict.in_words(known) })
            }
            Verdict::Person { code, text } => Some(NeedsPerson { code: code.clone(), text: text.clone() }),
        }
    }

    /// The work item that it is filed to; none where a person is asked.
    pub const fn filed_to(&self) -> Option<WorkItemId> {
        match self.verdict {
            Verdict::File { work_item, .. } => Some(work_item),
            Verdict::Suggest { .. } | Verdict::Person { .. } => None,
        }
    }
}

impl Verdict {
    /// The work item that it names.
    pub const fn work_item(&self) -> Option<WorkItemId> {
        match self {
            Self::File { work_item, .. } | Self::Suggest { work_item, .. } => Some(*work_item),
            Self::Person { .. } => None,
        }
    }

    /// In plain words.
    pub fn in_words(&self, known: &Known) -> String {
        match self {
            Self::File { work_item, rule } => format!("filed in {} ({rule})", known.name(*work_item)),
            Self::Suggest { work_item, rule, doubts } => {
                let name = known.name(*work_item);
                let why: Vec<&str> = doubts.iter().map(|doubt| doubt.in_words()).collect();
                let why =
                    if why.is_empty() { String::new() } else { format!(", but {}", why.join(", and ")) };
                format!("a person is asked: it may belong to {name} ({rule}){why}")
            }
            Self::Person { text, .. } => format!("a person decides: {text}"),
        }
    }
}

impl Suggestion {
    pub(super) fn in_words(&self, known: &Known) -> String {
        format!("{} ({}): {}", known.name(self.work_item), self.score, self.reasons.join("; "))
    }
}

/// What a rule's outcome decides; none where the next rule is tried.
pub(super) fn by_rule(
    case: &Case<'_>,
    rule: Rule,
    outcome: &Outcome,
    trace: &mut Vec<String>,
) -> Option<Verdict> {
    match outcome {
        Outcome::One(work_item, _) if rule == Rule::Participant => {
            Some(Verdict::Suggest { work_item: *work_item, rule, doubts: Vec::new() })
        }
        Outcome::One(work_item, _) => {
            let doubts = doubts(case, rule, *work_item);
            for doubt in &doubts {
                trace.push(format!("{rule}: lowered to a suggestion: {}", doubt.in_words()));
            }
            Some(if doubts.is_empty() {
                Verdict::File { work_item: *work_item, rule }
            } else {
                Verdict::Suggest { work_item: *work_item, rule, doubts }
            })
        }
        Outcome::Several(items, _) => Some(Verdict::Person {
            code: "several_work_items".to_owned(),
            text: format!("it belongs to several work items ({rule}): {}", case.known.names(items)),
        }),
        Outcome::Hints(..) | Outcome::Nothing(_) => None,
    }
}

/// The verdict where no rule was decisive.
pub(super) fn by_nobody(outcomes: &[(Rule, Outcome)], known: &Known) -> Verdict {
    let of = |wanted: Rule| outcomes.iter().find(|(rule, _)| *rule == wanted).map(|(_, outcome)| outcome);
    let (code, text) = match (of(Rule::Reference), of(Rule::Participant)) {
        (Some(Outcome::Hints(items, _)), _) if items.iter().any(|item| known.is_open(*item)) => (
            "several_references",
            format!("the references in it do not name one work item only: {}", known.names(items)),
        ),
        (Some(Outcome::Hints(items, _)), _) => (
            "closed_work_item",
            format!("the references in it are of closed work items: {}", known.names(items)),
        ),
        _ => ("no_rule_matched", "no rule finds a work item for it".to_owned()),
    };
    Verdict::Person { code: code.to_owned(), text }
}
