//! `GET /intakes/{id}/preview`: what is in a document, as plain text, so that a person can tell where it belongs.

use serde::{Deserialize, Serialize};

use crate::intake::DocumentView;

/// The address's parameters of `GET /intakes/{id}/preview`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct PreviewList {
    /// Which document, from 0 in the order of the intake's; the first when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<usize>,
}

/// What can be read of a document. Never active content, never more than 64 KiB of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preview {
    /// The document that was read.
    pub document: DocumentView,
    /// `mail`, `text`, `pdf`, or `none` when nothing can be shown.
    pub kind: String,
    /// Head lines of an e-mail: from, to, cc, date, subject, as far as it has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub head: Vec<(String, String)>,
    /// The text: an e-mail's body, a PDF's first pages, the beginning of a text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Whether there is more than is shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The files inside: an e-mail's attachments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PreviewPart>,
    /// How many pages it has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// Why nothing can be shown, in plain words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why_not: String,
}

/// A file inside a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewPart {
    /// Its name.
    pub file_name: String,
    /// Media type, as told.
    pub media_type: String,
    /// Length in bytes.
    pub size: u64,
}
