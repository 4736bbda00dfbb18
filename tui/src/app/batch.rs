//! A decision over several filings, each with its own version: what went well and who lost.

use std::collections::BTreeMap;

use postroom_api::FilingId;
use postroom_api::decision::DecisionKind;

/// Decisions under way.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) kind: DecisionKind,
    pub(crate) total: usize,
    /// Not answered yet, with what they are called on the screen.
    pub(crate) open: BTreeMap<FilingId, String>,
    pub(crate) went_well: usize,
    /// What did not work: name and reason.
    pub(crate) lost: Vec<(String, String)>,
}

impl Batch {
    pub(crate) fn done(&self) -> usize {
        self.total - self.open.len()
    }
}

/// What did not work, shown until it is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) title: String,
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) scroll: usize,
}

/// What was done, in words: `retried`.
pub(crate) const fn past(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Retry => "retried",
        DecisionKind::Hold => "held",
        DecisionKind::Release => "released",
        DecisionKind::Cancel => "cancelled",
        DecisionKind::Edit => "edited",
        DecisionKind::Link => "linked",
        DecisionKind::FileAnyway => "filed anyway",
    }
}
