//! A clock moved by hand and seeded chance, for tests of every room (feature `testing`).

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use crate::time::{Clock, Entropy, later};

/// A clock that stands still until it is moved.
pub struct ManualClock(Mutex<(Timestamp, Duration)>);

impl ManualClock {
    /// Stands at an RFC 3339 time.
    ///
    /// # Panics
    /// When the text is no time: it is written in a test.
    pub fn at(text: &str) -> Self {
        Self(Mutex::new((parse(text), Duration::ZERO)))
    }

    /// Jumps the time of day; monotonic time does not move.
    pub fn set(&self, text: &str) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0 = parse(text);
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = (later(now.0, by), now.1 + by);
    }
}

#[expect(clippy::expect_used, reason = "the text stands in the test")]
fn parse(text: &str) -> Timestamp {
    text.parse().expect("an RFC 3339 time")
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0
    }
    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1
    }
}

/// Reproducible chance (`splitmix64`).
pub struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    /// The same seed gives the same bytes.
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes()[..chunk.len()]);
        }
    }
}
