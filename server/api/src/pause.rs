//! Stop and go for sources, destinations and accounts.

use jiff::Timestamp;
use postroom_domain::store::Pause;
use serde::{Deserialize, Serialize};

/// Which kind of door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoorKind {
    /// Where intakes come from.
    Source,
    /// Where filings go.
    Destination,
    /// What filings are sent with: a destination and whose it is, `dms-eu/system` or with the person's id.
    Account,
}

impl DoorKind {
    /// The part of the address: `sources`, `destinations`, `accounts`.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Source => "sources",
            Self::Destination => "destinations",
            Self::Account => "accounts",
        }
    }

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Account => "account",
        }
    }

    /// The name under which the store keeps a pause: `source/name`.
    pub fn door(self, name: &str) -> String {
        format!("{}/{name}", self.as_str())
    }
}

/// Body of `/pause`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PauseBody {
    /// Why; must not be blank.
    pub reason: String,
    /// When it goes on by itself; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Body of `/resume`. An empty body means an empty reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResumeBody {
    /// Why; kept in the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A pause that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PauseView {
    /// Who stopped it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When it goes on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl From<&Pause> for PauseView {
    fn from(pause: &Pause) -> Self {
        Self { by: pause.by.clone(), reason: pause.reason.clone(), since: pause.since, until: pause.until }
    }
}

/// The answer of `/pause` and `/resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorAnswer {
    /// `source/name`, `destination/name` or `account/destination/whose`.
    pub door: String,
    /// The pause; absent when it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseView>,
}
