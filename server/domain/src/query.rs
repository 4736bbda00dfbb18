//! What a list of filings or intakes is asked for. The filter language of `api` parses into this; stores answer it by their
//! indexes where a term allows, and by looking at rows where none does.

use std::time::Duration;

use jiff::Timestamp;

use crate::allocation::Assignee;
use crate::cause::Cause;
use crate::filing::{Filing, State};
use crate::ids::{FilingId, IntakeId, ServiceName, SourceName};
use crate::intake::{Intake, IntakeState};
use crate::person::Scope;
use crate::time::age;

/// One thing a filing can be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// Its state.
    State(State),
    /// Its destination.
    Destination(ServiceName),
    /// Its cause, by name.
    Cause(Cause),
    /// The HTTP status of its last trouble.
    Status(u16),
    /// Accepted longer ago than this.
    OlderThan(Duration),
    /// Accepted less long ago than this.
    YoungerThan(Duration),
    /// The door it came through, or a text in its sender.
    From(String),
    /// The intake it belongs to.
    Intake(IntakeId),
    /// Its id.
    Id(FilingId),
    /// The work item's reference, in full.
    Reference(String),
    /// Who asked for it.
    By(String),
    /// A text in subject, file name, sender or reference.
    Text(String),
}

/// One term: any of its predicates, or none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The term excludes what it matches.
    pub negated: bool,
    /// Any of these.
    pub any: Vec<Predicate>,
}

/// What is asked: all terms hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilingQuery {
    /// Only these sites' records. Always limited for people; what they may not see does not exist for them.
    pub sites: Scope,
    /// Only what this person asked for.
    pub submitted_by: Option<String>,
    /// The terms.
    pub terms: Vec<Term>,
}

impl FilingQuery {
    /// Whether a filing is asked for. Texts compare without case.
    pub fn matches(&self, filing: &Filing, now: Timestamp) -> bool {
        self.sites.has(&filing.site)
            && self.submitted_by.as_ref().is_none_or(|by| *by == filing.request.submitted_by)
            && self.terms.iter().all(|term| term.any.iter().any(|p| p.matches(filing, now)) != term.negated)
    }

    /// The predicates of the first term that is not negated and of which `pick` takes every one: what an index may serve.
    pub fn indexed<T>(&self, pick: impl Fn(&Predicate) -> Option<T>) -> Option<Vec<T>> {
        self.terms
            .iter()
            .filter(|term| !term.negated)
            .find_map(|term| term.any.iter().map(&pick).collect::<Option<Vec<T>>>().filter(|v| !v.is_empty()))
    }
}

impl Predicate {
    /// Whether the filing has it.
    pub fn matches(&self, filing: &Filing, now: Timestamp) -> bool {
        match self {
            Self::State(state) => filing.progress.state == *state,
            Self::Destination(service) => filing.request.target.service == *service,
            Self::Cause(cause) => filing.progress.cause() == Some(*cause),
            Self::Status(status) => {
                filing.progress.trouble.as_ref().and_then(|trouble| trouble.status) == Some(*status)
            }
            Self::OlderThan(limit) => age(now, filing.received) > *limit,
            Self::YoungerThan(limit) => age(now, filing.received) < *limit,
            Self::From(text) => {
                filing.source.as_str() == text.to_lowercase() || contains(&filing.request.sender, text)
            }
            Self::Intake(id) => filing.intake == *id,
            Self::Id(id) => filing.id == *id,
            Self::Reference(text) => filing.request.reference.to_lowercase() == text.to_lowercase(),
            Self::By(text) => filing.request.submitted_by == *text,
            Self::Text(text) => {
                let request = &filing.request;
                [&request.subject, &request.file_name, &request.sender, &request.reference]
                    .into_iter()
                    .any(|field| contains(field, text))
            }
        }
    }
}

fn contains(field: &str, text: &str) -> bool {
    field.to_lowercase().contains(&text.to_lowercase())
}

/// What a list of intakes is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntakeQuery {
    /// Only these sites' records.
    pub sites: Scope,
    /// Only what this person handed in.
    pub submitted_by: Option<String>,
    /// Only these states; empty means all.
    pub states: Vec<IntakeState>,
    /// Only from these doors; empty means all.
    pub sources: Vec<SourceName>,
    /// Only with this text in subject, sender, a file name or the work item as it was named; empty means all. Compared without case.
    pub text: String,
    /// Only what one of these looks after; empty means all.
    pub allocated: Vec<Assignee>,
}

impl IntakeQuery {
    /// Whether an intake is asked for.
    pub fn matches(&self, intake: &Intake) -> bool {
        self.sites.has(&intake.site)
            && self.submitted_by.as_ref().is_none_or(|by| *by == intake.submitted_by)
            && (self.states.is_empty() || self.states.contains(&intake.state))
            && (self.sources.is_empty() || self.sources.contains(&intake.source))
            && (self.allocated.is_empty()
                || intake.allocated.as_ref().is_some_and(|allocated| self.allocated.contains(&allocated.to)))
            && self.says(intake)
    }

    /// Whether the text that is looked for stands in the intake.
    fn says(&self, intake: &Intake) -> bool {
        let names = intake.documents.iter().map(|document| &document.file_name);
        self.text.is_empty()
            || [&intake.subject, &intake.sender, &intake.work_item_given]
                .into_iter()
                .chain(names)
                .any(|field| contains(field, &self.text))
    }
}

/// Which part of a list: newest first, from before `before`, at most `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<Id> {
    /// Only what is older than this one: the cursor.
    pub before: Option<Id>,
    /// How many at most.
    pub limit: usize,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<T, Id> {
    /// What is in it, newest first.
    pub items: Vec<T>,
    /// Where the next part begins; none at the end. Present with fewer items than asked for (even none) when the store
    /// stopped looking to keep its answer quick.
    pub next: Option<Id>,
}
