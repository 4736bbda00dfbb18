//! What a live check of a connection found.

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Good,
    /// Works, but somebody should look.
    Warning,
    /// Filings to this destination will not go through.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub subject: &'static str,
    /// What was found, in one line without secrets.
    pub detail: String,
    /// What to do about it; empty when it is good.
    pub advice: &'static str,
}

impl Finding {
    /// As it should be.
    pub fn good(subject: &'static str, detail: impl Into<String>) -> Self {
        Self { level: Level::Good, subject, detail: detail.into(), advice: "" }
    }

    /// Works, but somebody should look.
    pub fn warning(subject: &'static str, detail: impl Into<String>, advice: &'static str) -> Self {
        Self { level: Level::Warning, subject, detail: detail.into(), advice }
    }

    /// Does not work.
    pub fn bad(subject: &'static str, detail: impl Into<String>, advice: &'static str) -> Self {
        Self { level: Level::Bad, subject, detail: detail.into(), advice }
    }
}
