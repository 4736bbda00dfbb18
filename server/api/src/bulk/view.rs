//! Sets as the domain has them, in their wire form.

use postroom_domain::bulk::{self, Action, Bulk, Counts, Row, RowOutcome};
use postroom_domain::event::BulkNews;

use super::{BulkAction, BulkItem, BulkOutcome, BulkState, BulkView, CountLine, Pace};

impl From<BulkAction> for Action {
    fn from(action: BulkAction) -> Self {
        match action {
            BulkAction::Retry => Self::Retry,
            BulkAction::Hold => Self::Hold,
            BulkAction::Release => Self::Release,
            BulkAction::Cancel => Self::Cancel,
            BulkAction::FileAnyway => Self::FileAnyway,
        }
    }
}

impl From<Action> for BulkAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Retry => Self::Retry,
            Action::Hold => Self::Hold,
            Action::Release => Self::Release,
            Action::Cancel => Self::Cancel,
            Action::FileAnyway => Self::FileAnyway,
        }
    }
}

impl From<Pace> for bulk::Pace {
    fn from(pace: Pace) -> Self {
        match pace {
            Pace::Limit => Self::Limit,
            Pace::Now => Self::Now,
            Pace::PerMinute(number) => Self::PerMinute(number),
        }
    }
}

impl From<bulk::Pace> for Pace {
    fn from(pace: bulk::Pace) -> Self {
        match pace {
            bulk::Pace::Limit => Self::Limit,
            bulk::Pace::Now => Self::Now,
            bulk::Pace::PerMinute(number) => Self::PerMinute(number),
        }
    }
}

impl From<bulk::BulkState> for BulkState {
    fn from(state: bulk::BulkState) -> Self {
        match state {
            bulk::BulkState::Frozen => Self::Frozen,
            bulk::BulkState::AboutToRun => Self::AboutToRun,
            bulk::BulkState::Running => Self::Running,
            bulk::BulkState::Done => Self::Done,
            bulk::BulkState::Stopped => Self::Stopped,
            bulk::BulkState::Undone => Self::Undone,
        }
    }
}

impl From<RowOutcome> for BulkOutcome {
    fn from(outcome: RowOutcome) -> Self {
        match outcome {
            RowOutcome::Waiting => Self::Waiting,
            RowOutcome::Done => Self::Done,
            RowOutcome::Skipped => Self::Skipped,
            RowOutcome::Failed => Self::Failed,
        }
    }
}

impl From<BulkOutcome> for RowOutcome {
    fn from(outcome: BulkOutcome) -> Self {
        match outcome {
            BulkOutcome::Waiting => Self::Waiting,
            BulkOutcome::Done => Self::Done,
            BulkOutcome::Skipped => Self::Skipped,
            BulkOutcome::Failed => Self::Failed,
        }
    }
}

impl From<&Bulk> for BulkView {
    fn from(bulk: &Bulk) -> Self {
        let (lines, told, counts) = (&bulk.lines, bulk.told.as_ref(), &bulk.counts);
        let line = |name: &dyn ToString, words: &str, count: &u64| CountLine {
            name: name.to_string(),
            words: words.to_owned(),
            count: *count,
        };
        let total = counts.total();
        Self {
            id: bulk.id,
            version: bulk.version,
            action: bulk.action.into(),
            state: bulk.state.into(),
            scope: match &bulk.q {
                Some(q) if total == 1 => format!("the one that matches {q}"),
                Some(q) => format!("all {total} that match {q}"),
                None => format!("{total} marked"),
            },
            q: bulk.q.clone(),
            by: bulk.by.clone(),
            created: bulk.created,
            reason: told.map(|told| told.reason.clone()).unwrap_or_default(),
            pace: told.map(|told| told.pace.into()).unwrap_or_default(),
            told: told.map(|told| told.at),
            begins: told.map(|told| told.begins),
            ended: bulk.ended,
            total,
            will: bulk.will,
            will_not: lines.refusals.iter().map(|(why, count)| line(why, "", count)).collect(),
            by_state: lines.states.iter().map(|(state, count)| line(state, "", count)).collect(),
            by_destination: lines.destinations.iter().map(|(name, count)| line(name, "", count)).collect(),
            by_cause: lines
                .causes
                .iter()
                .map(|(cause, count)| match cause {
                    Some(cause) => line(&cause.name(), cause.row().short, count),
                    None => line(&"none", "nothing went wrong", count),
                })
                .collect(),
            done: counts.done,
            skipped: counts.skipped,
            failed: counts.failed,
            waiting: counts.waiting,
        }
    }
}

impl BulkItem {
    /// A row, with the name that its filing has.
    pub fn of(row: Row, name: String) -> Self {
        Self {
            id: row.id,
            version: row.version,
            state: row.state,
            destination: row.destination,
            name,
            outcome: row.outcome.into(),
            why: row.why,
        }
    }
}

/// What happened to a set, in plain words.
pub(crate) fn in_words(what: BulkNews, action: Action, counts: &Counts) -> String {
    let done = BulkAction::from(action).done();
    match what {
        BulkNews::Told => format!("{} are to be {done} together", filings(counts.waiting)),
        BulkNews::Undone => format!("taken back: {} are not {done}", filings(counts.waiting)),
        BulkNews::Stopped => "stopped: what has not been done is left as it is".to_owned(),
        BulkNews::Ended => format!(
            "through: {} {done}, {} left as they are, {} failed, {} not touched",
            filings(counts.done),
            counts.skipped,
            counts.failed,
            counts.waiting
        ),
    }
}

fn filings(count: u64) -> String {
    if count == 1 { "1 filing".to_owned() } else { format!("{count} filings") }
}
