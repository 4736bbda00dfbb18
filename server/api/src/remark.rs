//! What colleagues tell each other about a filing or an intake: notes, and who is at work on it.

use jiff::Timestamp;
use postroom_domain::remark as domain;
use serde::{Deserialize, Serialize};

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoteView {
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: String,
    /// The text.
    pub text: String,
}

/// Notes, and who is at work on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Remarks {
    /// Who took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Timestamp>,
    /// The notes, first to last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteView>,
}

impl From<domain::Remarks> for Remarks {
    fn from(remarks: domain::Remarks) -> Self {
        let (taken_by, taken) = remarks.taken.map(|taken| (taken.by, taken.since)).unzip();
        let view = |note: domain::Note| NoteView { at: note.at, by: note.by, text: note.text };
        Self { taken_by, taken, notes: remarks.notes.into_iter().map(view).collect() }
    }
}

/// Body of `POST /filings/{id}/note` and `POST /intakes/{id}/note`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NoteBody {
    /// The text, of at most 2,000 characters; must not be blank.
    pub text: String,
}
