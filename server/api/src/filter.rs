//! The filter language: `state:failed dest:dms-eu cause:403 age>2h -from:scanner3 "share purchase"`.
//!
//! ```text
//! filter := term (space term)*                 all of them hold
//! term   := "-"? (key ":" values | "age" (">" | "<") values | values)
//! values := value ("," value)*                 either of them
//! value  := word | '"' text '"'                in quotes, \" is a quote and \\ a backslash
//! key    := state | dest | cause | from | intake | id | ref | by
//! ```
//!
//! Words without a key, and text in quotes, search subject, file name, sender and reference. The one parser serves the
//! server, the console and the command line; it reports every mistake with its position and goes on behind it.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use postroom_domain::person::Scope;
use postroom_domain::query::{FilingQuery, Predicate, Term};

use crate::problem::{Code, FieldError, Problem};

pub use parse::parse;

/// The longest filter, in characters.
pub const LONGEST: usize = 2000;

/// The keys, with what they ask, for help texts.
pub const KEYS: &[(&str, &str)] = &[
    ("state:", "waiting, blocked, running, checking, undecided, held, failed, filed, duplicate, cancelled"),
    ("dest:", "the destination"),
    ("cause:", "the cause by name (no_right) or status (403)"),
    ("age>", "older than 30s, 15m, 2h, 3d, 1w; age< for younger"),
    ("from:", "the source, or part of the sender"),
    ("ref:", "the work item's reference, in full"),
    ("by:", "who asked for it"),
    ("intake:", "the intake's id"),
    ("id:", "the filing's id"),
];

/// A mistake in a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// Where it begins: characters from the start, from 0.
    pub position: usize,
    /// How many characters it covers; 0 where something is missing.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to put in its place, where that is likely.
    pub suggestion: Option<String>,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.position + 1, self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean {suggestion} ?"),
            None => Ok(()),
        }
    }
}

/// A filter that was read without a mistake. Printed, it reads back as the same filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

impl Filter {
    /// Its terms; all of them hold.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether it asks for everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The query for some sites, and for one person's own filings only where `submitted_by` is given.
    pub fn into_query(self, sites: Scope, submitted_by: Option<String>) -> FilingQuery {
        FilingQuery { sites, submitted_by, terms: self.terms }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            if term.negated {
                f.write_str("-")?;
            }
            for (j, predicate) in term.any.iter().enumerate() {
                let (key, value) = words_of(predicate);
                f.write_str(if j == 0 { key } else { "," })?;
                write_value(f, &value, key.is_empty() && j == 0)?;
            }
        }
        Ok(())
    }
}

fn words_of(predicate: &Predicate) -> (&'static str, String) {
    match predicate {
        Predicate::State(state) => ("state:", state.to_string()),
        Predicate::Destination(service) => ("dest:", service.to_string()),
        Predicate::Cause(cause) => ("cause:", cause.to_string()),
        Predicate::Status(status) => ("cause:", status.to_string()),
        Predicate::OlderThan(limit) => ("age>", span(*limit)),
        Predicate::YoungerThan(limit) => ("age<", span(*limit)),
        Predicate::From(text) => ("from:", text.clone()),
        Predicate::Intake(id) => ("intake:", id.to_string()),
        Predicate::Id(id) => ("id:", id.to_string()),
        Predicate::Reference(text) => ("ref:", text.clone()),
        Predicate::By(text) => ("by:", text.clone()),
        Predicate::Text(text) => ("", text.clone()),
    }
}

/// Units of an age, largest first, in seconds.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// A length of time in the largest unit that fits exactly.
fn span(limit: Duration) -> String {
    let seconds = limit.as_secs();
    let (unit, length) = UNITS
        .into_iter()
        .find(|(_, length)| seconds >= *length && seconds.is_multiple_of(*length))
        .unwrap_or(('s', 1));
    format!("{}{unit}", seconds / length)
}

/// Writes a value, in quotes where it would not read back without them.
fn write_value(f: &mut fmt::Formatter<'_>, value: &str, may_be_key: bool) -> fmt::Result {
    let plain = !value.is_empty()
        && !value.chars().any(|c| c.is_whitespace() || c == ',' || parse::is_quote(c))
        && !(may_be_key && (value.starts_with('-') || value.contains([':', '>', '<'])));
    if plain {
        return f.write_str(value);
    }
    f.write_str("\"")?;
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("\"")
}

/// The problem body for a filter with mistakes.
pub fn problem(errors: &[FilterError]) -> Problem {
    let detail = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let mut problem = Problem::new(Code::BadFilter, detail);
    problem.errors = errors
        .iter()
        .map(|error| FieldError {
            field: Some("q".to_owned()),
            position: Some(error.position),
            length: Some(error.length),
            message: error.message.clone(),
            suggestion: error.suggestion.clone(),
        })
        .collect();
    problem
}
