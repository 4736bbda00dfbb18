//! Reading, verifying and exporting the audit.

use jiff::Timestamp;
use postroom_domain::audit::Verdict;
use serde::{Deserialize, Serialize};

use crate::event::EventView;

/// The address's parameters of `GET /audit`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct AuditList {
    /// Only events after this number; from the first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only what is so called: `signed_in`, `filing` and so on; separated by commas.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Only what this one did, or what was done for them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub person: String,
    /// Only what happened then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>), schema(value_type = Option<String>))]
    pub from: Option<Timestamp>,
    /// Only what happened before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>), schema(value_type = Option<String>))]
    pub until: Option<Timestamp>,
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A page of the audit, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    /// What is on it. May be fewer than asked for (even none) although there is a next page.
    pub items: Vec<EventView>,
    /// Pass this as `after` to get the next page; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// The address's parameters of `GET /audit/verify`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct VerifyList {
    /// A head noted earlier (`17:` and 64 hexadecimal digits) that must be met on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
}

/// What looking through the history has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifyView {
    /// Whether everything is right.
    pub intact: bool,
    /// How many events were looked at and found right.
    pub checked: u64,
    /// The last event up to which everything is right, with its hash: worth keeping elsewhere.
    pub head: String,
    /// The number of the first event that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<u64>,
    /// What is wrong, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl From<&Verdict> for VerifyView {
    fn from(verdict: &Verdict) -> Self {
        Self {
            intact: verdict.fault.is_none(),
            checked: verdict.checked,
            head: verdict.head.to_string(),
            wrong: verdict.fault.map(|fault| fault.seq),
            fault: verdict.fault.map(|fault| fault.to_string()),
        }
    }
}

/// What an export is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// JSON Lines with hashes: verifies on its own.
    #[default]
    Jsonl,
    /// A table for spreadsheets.
    Csv,
}

/// The address's parameters of `GET /audit/export`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct ExportList {
    /// `jsonl` or `csv`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", param(inline))]
    pub format: ExportFormat,
    /// Only events after this number; from the first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}
