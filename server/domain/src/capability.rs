//! What will not work, why, and who can mend it: the report that is computed from the settings and from live checks.

use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::cause::Fixer;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It works.
    Good,
    /// It works now, and will not for ever, or not for all.
    Warning,
    /// It does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Service, door or function that it is about: `imanage`, `background filing`.
    pub about: String,
    /// What was looked at: `refresh token`, `clock`.
    pub subject: String,
    /// How grave it is.
    pub level: Level,
    /// What was found, in plain words without secrets.
    pub detail: String,
    /// What to do; empty when nothing is to be done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// Who can mend it.
    pub fixer: Fixer,
}

/// Computes the report.
pub trait Diagnosis: Send + Sync {
    /// From the settings alone, or with live checks of every connection (slow: seconds).
    fn findings(&self, live: bool) -> Fut<'_, Vec<Finding>>;
}
