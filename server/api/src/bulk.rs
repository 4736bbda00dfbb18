//! A set of filings that are decided over together: frozen first, looked at, then run at a pace.
//!
//! `POST /bulk` freezes: the ids and versions are resolved once, and what comes later is not touched. `POST /bulk/{id}/run` begins after a
//! grace in which `undo` takes all of it back; `stop` leaves what has not been done. Each filing is taken in the version that was frozen:
//! one that changed meanwhile is skipped and named.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use postroom_domain::bulk;
use postroom_domain::filing::State;
use postroom_domain::ids::{BulkId, FilingId, ServiceName};
use serde::{Deserialize, Serialize};

mod view;

pub(crate) use self::view::in_words;

/// What is decided over each filing of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Another try. Not for `undecided` ones, which may be in the DMS already, nor for duplicates.
    Retry,
    /// Out of automatic work.
    Hold,
    /// Back into automatic work.
    Release,
    /// The end; needs a reason.
    Cancel,
    /// Duplicates are filed although the same content is there; needs a reason.
    FileAnyway,
}

impl BulkAction {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Retry, Self::Hold, Self::Release, Self::Cancel, Self::FileAnyway];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Cancel => "cancel",
            Self::FileAnyway => "file_anyway",
        }
    }

    /// What was done to a filing, in a word or two.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Retry => "retried",
            Self::Hold => "held",
            Self::Release => "released",
            Self::Cancel => "cancelled",
            Self::FileAnyway => "filed anyway",
        }
    }

    /// Whether a reason is compulsory.
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Cancel | Self::FileAnyway)
    }
}

impl fmt::Display for BulkAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How fast a set is run: `limit`, `now`, or a number a minute such as `10/min`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pace {
    /// As many at once as their destination bears at the moment; the next ones when those are through.
    #[default]
    Limit,
    /// All at once; the destination's own limits hold all the same.
    Now,
    /// At most so many a minute, 1 to 6,000.
    PerMinute(u16),
}

/// The most filings a minute that a pace may name.
pub const FASTEST: u16 = bulk::FASTEST;

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit => f.write_str("limit"),
            Self::Now => f.write_str("now"),
            Self::PerMinute(number) => write!(f, "{number}/min"),
        }
    }
}

impl FromStr for Pace {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "limit" => Ok(Self::Limit),
            "now" => Ok(Self::Now),
            other => other
                .strip_suffix("/min")
                .and_then(|number| number.trim().parse().ok())
                .filter(|number| (1..=FASTEST).contains(number))
                .map(Self::PerMinute)
                .ok_or_else(|| {
                    format!("a pace is \"limit\", \"now\" or a number from 1 to {FASTEST} such as \"10/min\"")
                }),
        }
    }
}

impl TryFrom<String> for Pace {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Pace> for String {
    fn from(pace: Pace) -> Self {
        pace.to_string()
    }
}

/// Body of `POST /bulk`: exactly one of `q` and `ids`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BulkBody {
    /// What is decided.
    pub action: BulkAction,
    /// All filings that match this filter now. An empty one is refused: nobody means everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// These filings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub ids: Vec<FilingId>,
}

/// The most filings of a set.
pub const MOST: usize = bulk::MOST;
/// From this many on, whoever runs a set has to send their number back.
pub const COUNTED: u64 = bulk::COUNTED;

/// Body of `POST /bulk/{id}/run`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunBody {
    /// Why; kept in the history of each filing. Must not be blank to cancel or to file anyway.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How fast: `limit` (when not said), `now`, or such as `10/min`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "10/min"))]
    pub pace: Pace,
    /// The number of filings that it will be done to, as it was read; compulsory for more than 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// How far a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BulkState {
    /// It is there to be looked at; nothing happens. One that is not run within an hour is forgotten.
    Frozen,
    /// It begins when the grace is over; undo takes all of it back.
    AboutToRun,
    /// Under way.
    Running,
    /// Each filing was done, skipped or failed.
    Done,
    /// A person stopped it; what is `waiting` was not touched.
    Stopped,
    /// It was taken back before anything was touched.
    Undone,
}

impl BulkState {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::AboutToRun => "about_to_run",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Undone => "undone",
        }
    }

    /// Whether nothing more comes.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Stopped | Self::Undone)
    }
}

impl fmt::Display for BulkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many of a set share something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountLine {
    /// What, by its name: a state, a destination, a cause; `none` where there is none.
    pub name: String,
    /// In words, where the name alone does not say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// How many.
    pub count: u64,
}

/// A set of filings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkView {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub id: BulkId,
    /// Goes up with each change.
    pub version: u64,
    /// What is decided.
    pub action: BulkAction,
    /// How far it is.
    pub state: BulkState,
    /// What is in it, in words: `38 marked`, `all 412 that match cause:no_right dest:dms-eu`.
    pub scope: String,
    /// The filter, where it was made by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Who froze it.
    pub by: String,
    /// When it was frozen.
    pub created: Timestamp,
    /// Why it is run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How fast it is run.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub pace: Pace,
    /// When it was told to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
    /// When the first filing is touched: until then undo takes all of it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How many filings are in it.
    pub total: u64,
    /// To how many of them it can be done, as they were frozen.
    pub will: u64,
    /// To how many not, by the reason.
    #[serde(default)]
    pub will_not: Vec<CountLine>,
    /// By state, most first.
    #[serde(default)]
    pub by_state: Vec<CountLine>,
    /// By destination, most first.
    #[serde(default)]
    pub by_destination: Vec<CountLine>,
    /// By cause, most first.
    #[serde(default)]
    pub by_cause: Vec<CountLine>,
    /// To how many it was done.
    pub done: u64,
    /// How many were left as they are: they could not have it, or somebody else changed them meanwhile.
    pub skipped: u64,
    /// With how many it failed.
    pub failed: u64,
    /// How many are still to come.
    pub waiting: u64,
}

/// What became of a filing of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BulkOutcome {
    /// Nothing yet.
    Waiting,
    /// It was done.
    Done,
    /// It was left as it is.
    Skipped,
    /// It failed.
    Failed,
}

impl BulkOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Done, Self::Skipped, Self::Failed];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// A filing of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkItem {
    /// Which one.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub id: FilingId,
    /// The version that was frozen.
    pub version: u64,
    /// Its state when it was frozen.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: State,
    /// Where it goes.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub destination: ServiceName,
    /// Its subject, or its file name where it has none.
    pub name: String,
    /// What became of it.
    pub outcome: BulkOutcome,
    /// Why it is skipped or failed: `running`, `changed` and the like in words. Set from the start where it cannot be done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// The address's parameters of `GET /bulk/{id}/items`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct BulkItemList {
    /// Only with this outcome: `waiting`, `done`, `skipped` or `failed`; all when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The address's parameters of `GET /bulk`: sets that one may see, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct BulkList {
    /// Only those that are about to run or running.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_are_written_as_they_are_read() {
        for (text, pace) in [
            ("limit", Some(Pace::Limit)),
            ("now", Some(Pace::Now)),
            ("10/min", Some(Pace::PerMinute(10))),
            (" 60 /min", Some(Pace::PerMinute(60))),
            ("0/min", None),
            ("6001/min", None),
            ("ten/min", None),
            ("fast", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), pace, "{text}");
        }
        for pace in [Pace::Limit, Pace::Now, Pace::PerMinute(60)] {
            assert_eq!(pace.to_string().parse(), Ok(pace));
            assert_eq!(serde_json::from_value::<Pace>(serde_json::to_value(pace).unwrap()).unwrap(), pace);
        }
    }
}
