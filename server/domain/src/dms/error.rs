//! Why a DMS call failed, shaped by what the caller can do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::Receipt;
use crate::cause::{Cause, Sent, Symptom, classify};

/// How long a DMS asks to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryAfter {
    /// From now, in seconds.
    Seconds(u64),
    /// Until a time of day.
    At(Timestamp),
}

/// What is known about a failed call, for the attempt's record and for logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it comes down to.
    pub cause: Cause,
    /// HTTP status, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The DMS's own error code or id of the request, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// For logs and the technical part of the detail: one line, no tokens, no content.
    pub detail: String,
}

impl Trouble {
    /// Trouble with a cause and a line for the log.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, status: None, request_id: None, detail: detail.into() }
    }
}

/// Why a DMS call failed, by what the caller can do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DmsError {
    /// Wait as long as asked.
    #[error("throttled: {}", trouble.detail)]
    Throttled {
        /// How long the DMS asks to wait.
        until: Option<RetryAfter>,
        /// What is known.
        trouble: Trouble,
    },
    /// It did not work and surely left nothing behind: try again later.
    #[error("unavailable: {}", .0.detail)]
    Unavailable(Trouble),
    /// The document may be there: ask before sending again.
    #[error("outcome unknown: {}", .0.detail)]
    UnknownOutcome(Trouble),
    /// The account must sign in again.
    #[error("login needed: {}", .0.detail)]
    NeedsLogin(Trouble),
    /// The account may not.
    #[error("forbidden: {}", .0.detail)]
    Forbidden(Trouble),
    /// The object is not there, or hidden.
    #[error("not found: {}", .0.detail)]
    NotFound(Trouble),
    /// Something is there already.
    #[error("conflict: {}", trouble.detail)]
    Conflict {
        /// The document that is there, where the DMS says which.
        existing: Option<Receipt>,
        /// What is known.
        trouble: Trouble,
    },
    /// Somebody holds a lock.
    #[error("locked: {}", trouble.detail)]
    Locked {
        /// Who, where the DMS says.
        by: Option<String>,
        /// What is known.
        trouble: Trouble,
    },
    /// Larger than the DMS takes.
    #[error("too large: {}", trouble.detail)]
    TooLarge {
        /// The limit in bytes, where known.
        limit: Option<u64>,
        /// What is known.
        trouble: Trouble,
    },
    /// A field is not accepted.
    #[error("rejected: {}", trouble.detail)]
    Rejected {
        /// Which one, where the DMS says.
        field: Option<String>,
        /// What the DMS says about it, for people.
        message: String,
        /// What is known.
        trouble: Trouble,
    },
    /// The settings are wrong; other filings to this destination will fail the same way.
    #[error("misconfigured: {}", .0.detail)]
    Misconfigured(Trouble),
    /// This DMS cannot do it.
    #[error("unsupported: {}", .0.detail)]
    Unsupported(Trouble),
    /// Our own stored bytes could not be read as they were written.
    #[error("stored bytes damaged: {}", .0.detail)]
    Damaged(Trouble),
}

impl DmsError {
    /// Shapes a raw symptom by the classification.
    pub fn from_symptom(symptom: Symptom, sent: Sent, detail: impl Into<String>) -> Self {
        let mut trouble = Trouble::new(classify(symptom, sent), detail);
        if let Symptom::Status(status) = symptom {
            trouble.status = Some(status);
        }
        Self::from_trouble(trouble)
    }

    /// Shapes trouble by its cause. Details that only some shapes have (limit, field, lock holder) stay empty; the
    /// connector fills them in.
    pub fn from_trouble(trouble: Trouble) -> Self {
        match trouble.cause {
            Cause::Throttled => Self::Throttled { until: None, trouble },
            Cause::AnswerLost | Cause::WrongCopy => Self::UnknownOutcome(trouble),
            Cause::LoginNeeded | Cause::LinkBroken | Cause::Paused | Cause::Quota => {
                Self::NeedsLogin(trouble)
            }
            Cause::NoRight => Self::Forbidden(trouble),
            Cause::TargetNotFound | Cause::TargetClosed | Cause::TargetAmbiguous => Self::NotFound(trouble),
            Cause::Conflict | Cause::Changed => Self::Conflict { existing: None, trouble },
            Cause::Locked => Self::Locked { by: None, trouble },
            Cause::TooLarge => Self::TooLarge { limit: None, trouble },
            Cause::Rejected | Cause::WrongType | Cause::Legal | Cause::Withheld => {
                Self::Rejected { field: None, message: trouble.detail.clone(), trouble }
            }
            Cause::BadCertificate
            | Cause::LoginPage
            | Cause::Redirected
            | Cause::Misconfigured
            | Cause::DmsFull => Self::Misconfigured(trouble),
            Cause::Unsupported => Self::Unsupported(trouble),
            Cause::StoreDamage | Cause::OwnFault => Self::Damaged(trouble),
            Cause::Unreachable
            | Cause::Interrupted
            | Cause::SessionGone
            | Cause::ServerFault
            | Cause::Poison
            | Cause::TooOld => Self::Unavailable(trouble),
        }
    }

    /// What is known about the failure.
    pub const fn trouble(&self) -> &Trouble {
        match self {
            Self::Unavailable(trouble)
            | Self::UnknownOutcome(trouble)
            | Self::NeedsLogin(trouble)
            | Self::Forbidden(trouble)
            | Self::NotFound(trouble)
            | Self::Misconfigured(trouble)
            | Self::Unsupported(trouble)
            | Self::Damaged(trouble)
            | Self::Throttled { trouble, .. }
            | Self::Conflict { trouble, .. }
            | Self::Locked { trouble, .. }
            | Self::TooLarge { trouble, .. }
            | Self::Rejected { trouble, .. } => trouble,
        }
    }
}

/// The result of a DMS call.
pub type DmsResult<T> = Result<T, DmsError>;
