//! What a finished attempt says about the destination and the account, whatever it says about the document.

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::dms::DmsError;
use postroom_domain::machine::{Event, asked_until};

use crate::worker::Report;

/// What was learned of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contact {
    /// It answered sensibly, if only with "no".
    Works,
    /// It works and asks to slow down.
    Slow { until: Option<Timestamp> },
    /// It did not.
    Failed(Cause),
    /// Nothing: it was not asked.
    Nothing,
}

impl Contact {
    /// Reads it from a report.
    pub(crate) fn of(report: &Report, now: Timestamp) -> Self {
        if let Some(known) = report.contact {
            return known;
        }
        match &report.event {
            Some(Event::Refused { error, .. } | Event::ProbeFailed(error)) => Self::of_error(error, now),
            Some(
                Event::Uploaded(_)
                | Event::Stored(_)
                | Event::ReadBack(_)
                | Event::ReadBackDiffers(_)
                | Event::ProbeFound(_)
                | Event::ProbeAbsent { .. }
                | Event::ProbeSeveral(_),
            ) => Self::Works,
            _ => Self::Nothing,
        }
    }

    fn of_error(error: &DmsError, now: Timestamp) -> Self {
        match (error, error.trouble().cause) {
            (DmsError::Throttled { .. }, _) | (_, Cause::Throttled) => {
                Self::Slow { until: asked_until(error, now) }
            }
            (
                _,
                Cause::StoreDamage | Cause::OwnFault | Cause::Poison | Cause::TooOld | Cause::SessionGone,
            ) => Self::Nothing,
            (_, cause) => Self::Failed(cause),
        }
    }
}
