//! Why a filing did not go through, as people read it, and the groups of failures.

use jiff::Timestamp;
use postroom_domain::cause::{Cause, Fixer};
use postroom_domain::filing::{Owner, Progress};
use postroom_domain::ids::ServiceName;
use postroom_domain::store::CauseGroup;
use serde::{Deserialize, Serialize};

/// The part of a cause that is for technicians.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Technical {
    /// HTTP status, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The DMS's own error code or id of the request, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// One line; no tokens, no content.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CauseView {
    /// Stable name, as in the filter language: `no_right`.
    pub code: String,
    /// For lists: at most 40 characters.
    pub short: String,
    /// A plain sentence.
    pub sentence: String,
    /// Who can put it right: `nobody`, `dms_team`, `administrator`, `operator`, `account_owner`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub fixer: Fixer,
    /// Who holds the lock, what the limit is, which field: what the person who mends it needs to read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// For technicians.
    #[serde(default)]
    pub technical: Technical,
}

impl CauseView {
    /// The cause alone.
    pub fn of(cause: Cause) -> Self {
        let row = cause.row();
        Self {
            code: row.name.to_owned(),
            short: row.short.to_owned(),
            sentence: row.sentence.to_owned(),
            fixer: row.fixer,
            hint: String::new(),
            technical: Technical::default(),
        }
    }

    /// From the trouble of an attempt.
    pub fn of_trouble(trouble: &postroom_domain::dms::Trouble) -> Self {
        Self {
            technical: Technical {
                status: trouble.status,
                request_id: trouble.request_id.clone(),
                detail: trouble.detail.clone(),
            },
            ..Self::of(trouble.cause)
        }
    }

    /// What a filing stands at; none when nothing is wrong with it.
    pub fn of_progress(progress: &Progress) -> Option<Self> {
        let trouble = progress.trouble.as_ref()?;
        let mut view = Self { hint: progress.hint.clone(), ..Self::of_trouble(trouble) };
        // What time would have mended has been given up: a person goes on.
        if view.fixer == Fixer::Nobody && progress.state.owner() == Owner::Person {
            view.fixer = Fixer::Operator;
        }
        Some(view)
    }
}

/// Who can put it right, in words.
pub const fn fixer_words(fixer: Fixer) -> &'static str {
    match fixer {
        Fixer::Nobody => "nobody needs to: time mends it",
        Fixer::DmsTeam => "the team that runs the DMS",
        Fixer::Administrator => "Postroom's administrator",
        Fixer::Operator => "you, here",
        Fixer::AccountOwner => "the person whose account it is",
    }
}

/// Open filings with the same cause at the same destination: one line of `GET /causes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CauseLine {
    /// The cause.
    pub cause: CauseView,
    /// The destination.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub destination: ServiceName,
    /// How many filings have it now.
    pub count: u64,
    /// How many of them wait for a person.
    pub need_person: u64,
    /// When the oldest of them was received.
    pub first: Timestamp,
    /// When it was last met.
    pub last: Timestamp,
    /// The filter that lists them.
    pub filter: String,
}

impl From<&CauseGroup> for CauseLine {
    fn from(group: &CauseGroup) -> Self {
        Self {
            cause: CauseView::of(group.cause),
            destination: group.service.clone(),
            count: group.count,
            need_person: group.need_person,
            first: group.first,
            last: group.last,
            filter: format!("cause:{} dest:{} -state:cancelled", group.cause.name(), group.service),
        }
    }
}

/// The answer of `GET /causes`, most first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Causes {
    /// The groups.
    pub items: Vec<CauseLine>,
    /// Always null: the groups are few.
    #[serde(default)]
    pub next: Option<String>,
}

impl From<&[CauseGroup]> for Causes {
    fn from(groups: &[CauseGroup]) -> Self {
        Self { items: groups.iter().map(CauseLine::from).collect(), next: None }
    }
}
