//! Calls by operation and answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::token_stats::TokenStats;

/// Counters of calls.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeMap<(&'static str, u16), u64>>);

impl Calls {
    /// Status 0 stands for a dropped connection.
    pub(crate) fn count(&self, operation: &'static str, status: u16) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry((operation, status)).or_default() += 1;
    }

    /// By operation, then by status; `dropped` counts connections closed by a fault.
    pub(crate) fn read(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let mut calls: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((operation, status), count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let answer = if *status == 0 { "dropped".to_owned() } else { status.to_string() };
            calls.entry((*operation).to_owned()).or_default().insert(answer, *count);
        }
        calls
    }

    pub(crate) fn reset(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A copy of the counters of an OAuth simulator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Calls by operation, then by status; `dropped` counts connections closed by a fault.
    pub calls: BTreeMap<String, BTreeMap<String, u64>>,
    /// Faults that fired.
    pub faults: u64,
    /// Codes and tokens.
    pub tokens: TokenStats,
}

impl Stats {
    /// All calls of an operation, whatever the answer.
    pub fn total(&self, operation: &str) -> u64 {
        self.calls.get(operation).map_or(0, |by_status| by_status.values().sum())
    }
}
