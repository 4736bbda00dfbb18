//! Results of rows as they are kept: lines of JSON, a portion of rows to a content.

use serde::{Deserialize, Serialize};

use super::apply::{Outcome, Planned};
use crate::ids::WorkItemId;

/// What became of a row, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A work item was made.
    Created,
    /// One was changed.
    Updated,
    /// Everything was there already.
    Unchanged,
    /// It could not be loaded.
    Rejected,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Unchanged, Self::Rejected];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        }
    }
}

impl std::str::FromStr for Verdict {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("\"{text}\" is not a result (created, updated, unchanged or rejected)");
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(unknown)
    }
}

/// The result of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowResult {
    /// Its number as a spreadsheet counts: the header is 1.
    pub row: u64,
    /// What became of it.
    pub result: Verdict,
    /// The reference it names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// The work item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item: Option<WorkItemId>,
    /// The version it has by this row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The column that it was rejected for, where it is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl RowResult {
    /// The result of what was planned.
    pub fn of(planned: &Planned) -> Self {
        let mut result = Self {
            row: planned.row,
            result: Verdict::Rejected,
            reference: planned.reference.clone(),
            work_item: None,
            version: None,
            changed: Vec::new(),
            column: String::new(),
            reason: String::new(),
        };
        match &planned.outcome {
            Outcome::Create(item) => {
                result.result = Verdict::Created;
                (result.work_item, result.version) = (Some(item.id), Some(item.version));
            }
            Outcome::Update(item, changed) => {
                result.result = Verdict::Updated;
                (result.work_item, result.version) = (Some(item.id), Some(item.version));
                result.changed.clone_from(changed);
            }
            Outcome::Unchanged(id) => {
                result.result = Verdict::Unchanged;
                result.work_item = Some(*id);
            }
            Outcome::Reject(column, why) => {
                result.column.clone_from(column);
                result.reason.clone_from(why);
            }
        }
        result
    }
}

/// How many rows had which result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Work items made.
    pub created: u64,
    /// Work items changed.
    pub updated: u64,
    /// Rows that changed nothing.
    pub unchanged: u64,
    /// Rows that could not be loaded.
    pub rejected: u64,
}

impl Counts {
    /// Counts results.
    pub fn of(results: &[RowResult]) -> Self {
        let count = |verdict| results.iter().filter(|row| row.result == verdict).count() as u64;
        Self {
            created: count(Verdict::Created),
            updated: count(Verdict::Updated),
            unchanged: count(Verdict::Unchanged),
            rejected: count(Verdict::Rejected),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            updated: self.updated + other.updated,
            unchanged: self.unchanged + other.unchanged,
            rejected: self.rejected + other.rejected,
        }
    }

    /// How many had this one.
    pub const fn count(self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Created => self.created,
            Verdict::Updated => self.updated,
            Verdict::Unchanged => self.unchanged,
            Verdict::Rejected => self.rejected,
        }
    }
}

/// Results as they are kept.
pub fn write_results(results: &[RowResult]) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    for result in results {
        serde_json::to_writer(&mut out, result)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// Results as they were kept.
pub fn read_results(bytes: &[u8]) -> Result<Vec<RowResult>, serde_json::Error> {
    bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(serde_json::from_slice).collect()
}
