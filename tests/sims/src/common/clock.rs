//! Time: a source, and a hand that moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Milliseconds since 1970; a test passes a clock it moves by hand.
pub type ClockMs = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's time.
#[expect(
    clippy::disallowed_methods,
    reason = "the default clock of a program that has no other source of time"
)]
pub(crate) fn system_clock() -> ClockMs {
    Arc::new(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .ok()
            .and_then(|d| i64::try_from(d.as_millis()).ok())
            .unwrap_or(0)
    })
}

/// A source of time and how far control has moved it.
pub(crate) struct Time {
    source: ClockMs,
    moved: AtomicI64,
}

impl Time {
    pub(crate) fn new(source: ClockMs) -> Self {
        Self { source, moved: AtomicI64::new(0) }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.source)().saturating_add(self.moved.load(Relaxed))
    }

    /// Move it on by so many milliseconds; a negative number moves it back.
    pub(crate) fn advance(&self, ms: i64) {
        self.moved.fetch_add(ms, Relaxed);
    }
}
