//! Sets of filings that are decided over together.
//!
//! A set is frozen first: which filings, in which versions, to how many it can be done and to which not. What comes later is never touched.
//! When it is run, each filing is decided over by [`crate::decide::decide`] in the version that was frozen, so that whatever changed
//! meanwhile is left alone and named.
//!
//! The order that does nothing twice: the set and its rows are durable before it can be run; that it runs is one commit, with the audit's
//! entry; a decision carries the set's id in its own event; what became of each row is written afterwards. Whoever is cut off in between
//! finds a filing in another version than the frozen one, and its history tells whether that was the set's own doing.

mod action;
mod desk;
mod freeze;
mod part;
mod set;

pub use self::action::{Action, FASTEST, Pace};
pub use self::desk::{BulkError, Bulks, Order};
pub use self::freeze::{NewBulk, Scope};
pub use self::part::{BulkPart, Counts, PART, Row, RowOutcome};
pub use self::set::{Bulk, BulkState, Lines, NotNow, Told};

use std::time::Duration;

/// The most filings of a set.
pub const MOST: usize = 50_000;
/// From more than this many on, whoever runs a set has to send their number back.
pub const COUNTED: u64 = 500;
/// How long a set that is not run is kept.
pub const FROZEN_FOR: Duration = Duration::from_hours(1);
/// How long a set is kept that is over.
pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// Where sets are run, as far as others see it.
pub trait RunsBulks: Send + Sync {
    /// There is something to do: a set was told to run, taken back, or stopped.
    fn wake(&self);
    /// How long after that a set begins.
    fn grace(&self) -> Duration;
}

#[cfg(test)]
mod tests;
