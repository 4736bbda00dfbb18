//! Lists: a page and how to ask for the next one.

use serde::{Deserialize, Serialize};

/// How many items a page has when nothing is said.
pub const DEFAULT_LIMIT: usize = 50;
/// How many items a page has at most.
pub const MAX_LIMIT: usize = 500;

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// What is on it. May be fewer than asked for (even none) although there is a next page.
    pub items: Vec<T>,
    /// Pass this as `cursor` to get the next page; null at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page whose cursor is the id of a domain slice.
    pub fn of<F, Id: std::fmt::Display>(
        slice: postroom_domain::query::Slice<F, Id>,
        item: impl FnMut(F) -> T,
    ) -> Self {
        Self { items: slice.items.into_iter().map(item).collect(), next: slice.next.map(|id| id.to_string()) }
    }
}

/// The address's parameters of `GET /filings`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct FilingList {
    /// What is asked, in the filter language; everything when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// Only what the caller handed in, also where they may see more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The address's parameters of `GET /filings/export`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct FilingExport {
    /// What is asked, in the filter language; everything when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// `csv` (when not said) or `json`: one object a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub format: String,
}

/// The address's parameters of `GET /intakes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct IntakeList {
    /// States, separated by commas; all when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Only from these sources, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Only with this in the subject, the sender, a file name or the work item as it was named, without case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// Only what this person looks after (`me`: whoever asks, and their teams), or this team (`team:` and its name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated: Option<String>,
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The address's parameters of `GET /work-items`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct WorkItemList {
    /// Beginning of the reference, or part of title or client; all when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub search: String,
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The address's parameters of `GET /events`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct EventList {
    /// Only events after this number. The header `Last-Event-ID` wins. Without either: from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}
