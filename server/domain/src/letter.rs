//! What an intake that came as an e-mail is known by besides what every intake has: to whom it was addressed on its way, and what was read
//! from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::mail::Mail;
use crate::matching::Suggestion;

/// What stands on the outside: who a server said it came from, and whom it was to reach here. The letter itself may say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Envelope {
    /// The return path; empty for bounces, and where nobody told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// Addresses of the mailbox it came to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// When it arrived in the mailbox, where that was before it came here. Its own `Date` says what its sender likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Timestamp>,
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Letter {
    /// What stands on the outside.
    #[serde(default)]
    pub envelope: Envelope,
    /// What was read, without its text; none while it is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
    /// The work items that a person may mean, the best first; none where it was filed without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<Suggestion>,
}
