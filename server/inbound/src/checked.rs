//! What a live look at a door showed, for whoever has to mend it.

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What: `connection`, `folder`.
    pub subject: &'static str,
    /// How it is, in words.
    pub detail: String,
    /// What helps, where something is wrong.
    pub advice: Option<String>,
    /// Whether it works all the same.
    pub works: bool,
}

impl Checked {
    /// It is as it should be.
    pub fn good(subject: &'static str, detail: impl Into<String>) -> Self {
        Self { subject, detail: detail.into(), advice: None, works: true }
    }

    /// It works, but not as well as it could.
    pub fn poor(subject: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { subject, detail: detail.into(), advice: Some(advice.into()), works: true }
    }

    /// It does not work.
    pub fn bad(subject: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { subject, detail: detail.into(), advice: Some(advice.into()), works: false }
    }
}
