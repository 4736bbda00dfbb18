//! What is decided over each filing of a set, and how fast.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decide::{Decision, Wish};
use crate::filing::State;

/// What is decided over each filing of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Another try.
    Retry,
    /// Out of automatic work.
    Hold,
    /// Back into automatic work.
    Release,
    /// The end.
    Cancel,
    /// Duplicates are filed although the same content is there.
    FileAnyway,
}

impl Action {
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

    /// The decision over one filing.
    pub const fn decision(self) -> Decision {
        match self {
            Self::Retry => Decision::Retry,
            Self::Hold => Decision::Hold,
            Self::Release => Decision::Release,
            Self::Cancel => Decision::Cancel,
            Self::FileAnyway => Decision::FileAnyway,
        }
    }

    /// Whether a reason is compulsory.
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Cancel | Self::FileAnyway)
    }

    /// Whether something goes to the DMS at once because of it, so that there is a limit to keep to.
    pub const fn is_sent(self) -> bool {
        matches!(self, Self::Retry | Self::FileAnyway)
    }

    /// Why a filing in this state is left out of a set; none when it can have it. What a single retry may mean besides (a second copy, a
    /// duplicate filed anyway) is nothing to say over many at once.
    pub const fn refusal(self, state: State) -> Option<&'static str> {
        match (self, state) {
            (Self::Retry, State::Undecided) => Some("it may be in the DMS already: decide over it alone"),
            (Self::Retry, State::Duplicate) => Some("it is a duplicate: file it anyway instead"),
            (Self::Retry, _) => Wish::Retry.refusal(state),
            (Self::Hold, _) => Wish::Hold.refusal(state),
            (Self::Release, _) => Wish::Release.refusal(state),
            (Self::Cancel, _) => Wish::Cancel.refusal(state),
            (Self::FileAnyway, _) => Wish::FileAnyway.refusal(state),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The most filings a minute that a pace may name.
pub const FASTEST: u16 = 6000;

/// How fast a set is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// As many at once as their destinations bear at the moment; the next ones when those are through.
    #[default]
    Limit,
    /// All at once.
    Now,
    /// At most so many a minute, 1 to [`FASTEST`].
    PerMinute(u16),
}

impl Pace {
    /// How many filings may have been handed over so long after the first one: evenly spread, the first at once.
    pub fn allows(self, since: Duration) -> u64 {
        match self {
            Self::Limit | Self::Now => u64::MAX,
            Self::PerMinute(number) => {
                let spent = since.as_millis() * u128::from(number) / 60_000;
                u64::try_from(spent).unwrap_or(u64::MAX).saturating_add(1)
            }
        }
    }

    /// When the next one may be handed over after so many, counted from the first.
    pub fn next(self, handed: u64) -> Duration {
        match self {
            Self::Limit | Self::Now => Duration::ZERO,
            Self::PerMinute(number) => {
                Duration::from_millis((handed * 60_000).div_ceil(u64::from(number.max(1))))
            }
        }
    }
}
