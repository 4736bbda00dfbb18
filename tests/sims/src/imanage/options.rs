//! What a simulator starts with.

use std::sync::Arc;

use super::sample;
use super::seed::Seed;
use super::switches::Switches;
pub use crate::common::clock::ClockMs;
use crate::common::clock::system_clock;

/// Settings fixed at the start.
#[derive(Clone)]
pub struct Options {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Server threads.
    pub workers: usize,
    /// Tenant number in every path.
    pub customer_id: u64,
    /// First content of the tenant.
    pub seed: Seed,
    /// Behaviour; can be changed later.
    pub switches: Switches,
    /// Time.
    pub clock: ClockMs,
    /// Seed of tokens and of faults that fire by chance.
    pub random_seed: u64,
    /// Files up to this size are kept for download; of larger ones only size and hashes stay.
    pub keep_bytes: u64,
    /// Custom field whose value the ledger lists as the mark (besides the comment).
    pub mark_field: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            workers: 2,
            customer_id: 1,
            seed: Seed::default(),
            switches: Switches::default(),
            clock: system_clock(),
            random_seed: 0x1A2B_3C4D,
            keep_bytes: 1 << 20,
            mark_field: "custom13".into(),
        }
    }
}

impl Options {
    /// The sample firm: library ACTIVE, three clients and their matters.
    pub fn sample() -> Self {
        Self { seed: sample::seed(), ..Self::default() }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with other switches.
    #[must_use]
    pub fn with_switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }
}
