//! The machine's own clock and chance: the only place that asks for them.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use postroom_domain::time::{Clock, Entropy};

/// The machine's clock.
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Its monotonic time counts from now.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is handed")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The operating system's random numbers.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the chance that everything else is handed")]
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            // Ids and jitter without randomness still are unique and safe: the mint counts on from its last id.
            tracing::error!(%error, "The operating system gave no random numbers.");
        }
    }
}
