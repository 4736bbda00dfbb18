//! Calls by operation and answer, and uploads in flight.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use crate::common::stats::Calls;
use crate::common::token_stats::TokenStats;

/// A copy of the counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Calls by operation, then by status; `dropped` counts connections closed by a fault.
    pub calls: BTreeMap<String, BTreeMap<String, u64>>,
    /// Uploads being received now.
    pub uploads_in_flight: u64,
    /// Most uploads received at once.
    pub uploads_peak: u64,
    /// Faults that fired.
    pub faults: u64,
    /// Documents and versions committed.
    pub committed: u64,
    /// Codes and tokens.
    #[serde(default)]
    pub tokens: TokenStats,
}

impl Stats {
    /// All calls of an operation, whatever the answer.
    pub fn total(&self, operation: &str) -> u64 {
        self.calls.get(operation).map_or(0, |by_status| by_status.values().sum())
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    calls: Calls,
    in_flight: AtomicU64,
    peak: AtomicU64,
    faults: AtomicU64,
}

impl Counters {
    pub(super) fn call(&self, operation: &'static str, status: u16) {
        self.calls.count(operation, status);
    }

    pub(super) fn fault(&self) {
        self.faults.fetch_add(1, Relaxed);
    }

    /// Count an upload until the guard is dropped.
    pub(super) fn upload(&self) -> Upload<'_> {
        let now = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(now, Relaxed);
        Upload(self)
    }

    pub(super) fn read(&self, committed: u64, tokens: TokenStats) -> Stats {
        Stats {
            calls: self.calls.read(),
            uploads_in_flight: self.in_flight.load(Relaxed),
            uploads_peak: self.peak.load(Relaxed),
            faults: self.faults.load(Relaxed),
            committed,
            tokens,
        }
    }

    pub(super) fn reset(&self) {
        self.calls.reset();
        self.peak.store(self.in_flight.load(Relaxed), Relaxed);
        self.faults.store(0, Relaxed);
    }
}

/// An upload being received.
pub(super) struct Upload<'a>(&'a Counters);

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}
