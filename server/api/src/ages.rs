//! `GET /ages`: how long what is open has been waiting, by destination: at a glance which one backs up, and when it began.

use postroom_domain::ids::ServiceName;
use postroom_domain::store;
use serde::{Deserialize, Serialize};

/// The upper bounds of the columns, in seconds; beyond the last one there is a column more.
pub const BOUNDS: [u64; 6] = [300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600];

/// One destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgeLine {
    /// Which one.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub destination: ServiceName,
    /// How many of its filings were received up to so long ago: one number for each column.
    pub counts: Vec<u64>,
    /// All together.
    pub total: u64,
    /// Whether there are more than were counted; they are older than what was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Filings that are waiting, blocked, running, checking, undecided, held or failed, by destination and age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ages {
    /// The upper bound of each column in seconds; null for the last one, which has none.
    pub columns: Vec<Option<u64>>,
    /// The destinations, by name.
    pub items: Vec<AgeLine>,
}

impl From<Vec<store::AgeLine>> for Ages {
    fn from(lines: Vec<store::AgeLine>) -> Self {
        let item = |line: store::AgeLine| AgeLine {
            destination: line.service,
            total: line.counts.iter().sum(),
            counts: line.counts,
            more: line.more,
        };
        Self {
            columns: BOUNDS.into_iter().map(Some).chain([None]).collect(),
            items: lines.into_iter().map(item).collect(),
        }
    }
}
