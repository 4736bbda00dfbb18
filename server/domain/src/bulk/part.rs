//! The rows of a set, in portions that are written together.

use serde::{Deserialize, Serialize};

use super::action::Action;
use crate::filing::{Filing, State};
use crate::ids::{BulkId, FilingId, ServiceName};
use crate::record::{Kept, Kind};

/// Rows of a portion.
pub const PART: usize = 500;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// Nothing yet.
    Waiting,
    /// It was done.
    Done,
    /// It was left as it is.
    Skipped,
    /// It failed.
    Failed,
}

/// A filing of a set, as it was frozen, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which one.
    pub id: FilingId,
    /// The version that was frozen.
    pub version: u64,
    /// Its state then.
    pub state: State,
    /// Where it goes.
    pub destination: ServiceName,
    /// What became of it.
    pub outcome: RowOutcome,
    /// Why it is skipped or failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Row {
    /// A filing as it is now. One that cannot have it is skipped from the start.
    pub fn of(filing: &Filing, action: Action) -> Self {
        let refusal = action.refusal(filing.progress.state);
        Self {
            id: filing.id,
            version: filing.progress.version,
            state: filing.progress.state,
            destination: filing.request.target.service.clone(),
            outcome: if refusal.is_some() { RowOutcome::Skipped } else { RowOutcome::Waiting },
            why: refusal.unwrap_or_default().to_owned(),
        }
    }
}

/// How many rows have which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// It was done.
    pub done: u64,
    /// They were left as they are.
    pub skipped: u64,
    /// They failed.
    pub failed: u64,
    /// They are still to come.
    pub waiting: u64,
}

impl Counts {
    /// Counts rows.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            *counts.of_outcome(row.outcome) += 1;
        }
        counts
    }

    /// All of them.
    pub const fn total(&self) -> u64 {
        self.done + self.skipped + self.failed + self.waiting
    }

    /// The same after rows have come from one outcome to another: `before` and `after` count the same rows.
    #[must_use]
    pub const fn moved(self, before: Self, after: Self) -> Self {
        Self {
            done: (self.done + after.done).saturating_sub(before.done),
            skipped: (self.skipped + after.skipped).saturating_sub(before.skipped),
            failed: (self.failed + after.failed).saturating_sub(before.failed),
            waiting: (self.waiting + after.waiting).saturating_sub(before.waiting),
        }
    }

    const fn of_outcome(&mut self, outcome: RowOutcome) -> &mut u64 {
        match outcome {
            RowOutcome::Waiting => &mut self.waiting,
            RowOutcome::Done => &mut self.done,
            RowOutcome::Skipped => &mut self.skipped,
            RowOutcome::Failed => &mut self.failed,
        }
    }
}

/// A portion of the rows of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkPart {
    /// Its own id, by which the portions of a set are in order.
    pub id: u128,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// The set.
    pub bulk: BulkId,
    /// Which portion, from 0.
    pub number: usize,
    /// Its rows: [`PART`], or fewer in the last one.
    pub rows: Vec<Row>,
}

impl BulkPart {
    /// The key of a portion.
    pub fn key(bulk: BulkId, number: usize) -> String {
        format!("{bulk}/{number}")
    }

    /// The group of a set's portions.
    pub fn group(bulk: BulkId) -> String {
        format!("bulk/{bulk}")
    }
}

impl Kept for BulkPart {
    const KIND: Kind = Kind::BulkPart;
    fn number(&self) -> u128 {
        self.id
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        vec![Self::key(self.bulk, self.number)]
    }
    fn groups(&self) -> Vec<String> {
        vec![Self::group(self.bulk)]
    }
}
