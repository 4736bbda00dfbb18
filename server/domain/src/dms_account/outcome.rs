//! What the answer of a DMS about an account comes down to.

use std::time::Duration;

use jiff::Timestamp;

use super::AccountState;
use crate::backoff::RetryPolicy;
use crate::dms::{DmsError, DmsUser, RetryAfter};
use crate::time::later;

/// What a DMS answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// There is one account.
    Found(DmsUser),
    /// It was made.
    Made(DmsUser),
    /// There is none, and none was asked for.
    NotThere,
    /// So many accounts have the e-mail.
    Several(usize),
    /// Looking for it failed: nothing was changed.
    NotLooked(DmsError),
    /// Making it failed.
    NotMade(DmsError),
}

/// When, and how often before.
#[derive(Debug, Clone, Copy)]
pub struct Timing<'a> {
    /// The time.
    pub now: Timestamp,
    /// When what failed is tried again.
    pub retry: &'a RetryPolicy,
    /// A number in `0.0..1.0` by which pauses vary.
    pub chance: f64,
    /// How long the DMS may take until it finds an account that it has just made.
    pub lag: Duration,
}

/// How it stands after an answer. `before` is what was known before it was asked; `unsure` is the time from which "not there" counts,
/// where an earlier question may have made the account.
pub fn settled(
    answer: Answer,
    before: Option<&AccountState>,
    unsure: Option<Timestamp>,
    timing: Timing<'_>,
) -> AccountState {
    let known = before.and_then(AccountState::user);
    let tries = before.map_or(0, AccountState::tries);
    match answer {
        Answer::Made(user) => AccountState::Made { user },
        // What was made once is not called found because it was looked at again.
        Answer::Found(user) => match before {
            Some(AccountState::Made { user: made }) if made.id == user.id => AccountState::Made { user },
            _ => AccountState::Found { user },
        },
        Answer::Several(count) => {
            let words =
                format!("{count} accounts have this e-mail there: which one is the person's is not known");
            AccountState::Refused { words }
        }
        Answer::NotThere => match (known, unsure.filter(|proven| timing.now < *proven)) {
            (Some(user), _) => {
                let words =
                    format!("the account {} is not found by this e-mail any more; nothing was made", user.id);
                AccountState::Refused { words }
            }
            (None, Some(proven)) => {
                let words = "the answer was lost when it was to be made; it is not found yet".to_owned();
                AccountState::Failed { words, again: proven, tries, unsure: Some(proven) }
            }
            (None, None) => {
                let words =
                    "nobody has an account with this e-mail there, and none can be made from here".to_owned();
                AccountState::NotAvailable { words }
            }
        },
        Answer::NotLooked(error) => match before {
            // What is known stays known.
            Some(state @ (AccountState::Found { .. } | AccountState::Made { .. })) => state.clone(),
            _ => failed(&error, tries, unsure, timing),
        },
        Answer::NotMade(error) => {
            let unsure = may_be_made(&error).then(|| later(timing.now, timing.lag));
            failed(&error, tries, unsure, timing)
        }
    }
}

fn failed(error: &DmsError, tries: u32, unsure: Option<Timestamp>, timing: Timing<'_>) -> AccountState {
    let words = words(error);
    match error {
        _ if unsure.is_some() => {}
        DmsError::Unsupported(_) => return AccountState::NotAvailable { words },
        DmsError::Rejected { .. } | DmsError::Conflict { .. } | DmsError::TooLarge { .. } => {
            return AccountState::Refused { words };
        }
        _ => {}
    }
    let wanted = match error {
        DmsError::Throttled { until, .. } => until.map(|until| match until {
            RetryAfter::Seconds(seconds) => later(timing.now, Duration::from_secs(seconds)),
            RetryAfter::At(at) => at,
        }),
        _ => None,
    };
    let again = timing.retry.snooze(timing.now, wanted, tries, timing.chance);
    let again = unsure.map_or(again, |proven| again.max(proven));
    AccountState::Failed { words, again, tries: tries.saturating_add(1), unsure }
}

/// Whether an account may be there although making it failed. Where the connection broke it may, whatever the connector believes to
/// have left: asking once more costs little, a second account much.
const fn may_be_made(error: &DmsError) -> bool {
    matches!(error, DmsError::UnknownOutcome(_) | DmsError::Unavailable(_) | DmsError::Damaged(_))
}

/// Whether the next person would fare the same, so that the DMS is left alone for a while.
pub const fn stops_all(error: &DmsError) -> bool {
    matches!(
        error,
        DmsError::Throttled { .. }
            | DmsError::Unavailable(_)
            | DmsError::UnknownOutcome(_)
            | DmsError::NeedsLogin(_)
            | DmsError::Forbidden(_)
            | DmsError::NotFound(_)
            | DmsError::Misconfigured(_)
    )
}

/// What the DMS said, for people.
pub fn words(error: &DmsError) -> String {
    match error {
        DmsError::Rejected { field: Some(field), message, .. } => format!("{field}: {message}"),
        DmsError::Rejected { field: None, message, .. } => message.clone(),
        DmsError::Unsupported(trouble) => format!("not available here: {}", trouble.detail),
        other => other.trouble().detail.clone(),
    }
}
