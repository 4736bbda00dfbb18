//! When a filing is due again. Time and chance come in as arguments.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::time::later;

/// The schedule of retries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// The first pause, in seconds.
    pub first_seconds: u64,
    /// The longest pause, in seconds.
    pub cap_seconds: u64,
    /// How far a pause varies to either side, as a share of it.
    pub jitter: f64,
    /// How long a filing is tried before it is given to a person, in hours.
    pub budget_hours: u64,
    /// The longest wait that a DMS may ask for, in seconds.
    pub longest_snooze_seconds: u64,
    /// How long the DMS may take until its search finds a new document, in seconds.
    pub lag_window_seconds: u64,
    /// How often a filing may be interrupted by the end of the process before it is set aside.
    pub interruption_limit: u8,
    /// Turns every permanent verdict into a hold for a person, while a new connector is being brought up.
    pub soft_mode: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first_seconds: 15,
            cap_seconds: 30 * 60,
            jitter: 0.2,
            budget_hours: 5 * 24,
            longest_snooze_seconds: 6 * 3600,
            lag_window_seconds: 120,
            interruption_limit: 3,
            soft_mode: false,
        }
    }
}

/// Pauses while somebody holds a lock: 5, 10, 20, then 30 minutes.
const LOCK_PAUSES_MINUTES: [u64; 4] = [5, 10, 20, 30];
/// How long a lock is waited for.
pub const LOCK_BUDGET: Duration = Duration::from_hours(24);
/// The pause for late indexes when a target is not found.
pub const TARGET_LAG: Duration = Duration::from_mins(5);

impl RetryPolicy {
    /// The pause before try number `tries + 1`, varied by `chance` (0.0 to 1.0).
    pub fn pause(&self, tries: u32, chance: f64) -> Duration {
        let doubled = self.first_seconds.saturating_mul(1_u64.checked_shl(tries.min(40)).unwrap_or(u64::MAX));
        let pause = doubled.min(self.cap_seconds);
        Duration::from_secs(pause).mul_f64(1.0 + self.jitter.clamp(0.0, 1.0) * (2.0 * chance - 1.0))
    }

    /// When to look at a lock again, the `looks`-th time.
    pub fn lock_pause(looks: u32) -> Duration {
        let index = usize::try_from(looks).unwrap_or(usize::MAX).min(LOCK_PAUSES_MINUTES.len() - 1);
        Duration::from_mins(LOCK_PAUSES_MINUTES[index])
    }

    /// When a DMS that asked to wait is met again: never earlier than it asked, never later than the cap.
    pub fn snooze(&self, now: Timestamp, until: Option<Timestamp>, tries: u32, chance: f64) -> Timestamp {
        let longest = later(now, Duration::from_secs(self.longest_snooze_seconds));
        let until = until.unwrap_or_else(|| later(now, self.pause(tries, chance)));
        until.clamp(now, longest)
    }

    /// How long the whole filing is tried.
    pub const fn budget(&self) -> Duration {
        Duration::from_secs(self.budget_hours * 3600)
    }

    /// How long after the end of an attempt "not found" proves nothing.
    pub const fn lag_window(&self) -> Duration {
        Duration::from_secs(self.lag_window_seconds)
    }

    /// The furthest a due time can lie ahead: what lies further is the mark of a clock that jumped back.
    pub fn furthest_due(&self, now: Timestamp) -> Timestamp {
        let pause = self.cap_seconds.max(self.longest_snooze_seconds).max(30 * 60);
        later(now, Duration::from_secs(pause).mul_f64(1.0 + self.jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_vary_within_the_jitter() {
        let policy = RetryPolicy::default();
        let middle: Vec<u64> = (0..10).map(|n| policy.pause(n, 0.5).as_secs()).collect();
        assert_eq!(middle, [15, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
        assert_eq!(policy.pause(0, 0.0), Duration::from_secs(12));
        assert_eq!(policy.pause(u32::MAX, 1.0), Duration::from_mins(36));
    }

    #[test]
    fn a_snooze_is_never_shortened_and_never_endless() {
        let policy = RetryPolicy::default();
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        for (asked, given) in [
            ("2026-11-23T09:00:30Z", "2026-11-23T09:00:30Z"),
            ("2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z"),
            ("2058-11-23T08:00:00Z", "2026-11-23T15:00:00Z"),
        ] {
            let until = policy.snooze(now, Some(asked.parse().unwrap()), 0, 0.9);
            assert_eq!(until, given.parse().unwrap(), "{asked}");
        }
        assert_eq!(policy.snooze(now, None, 0, 0.5), "2026-11-23T09:00:15Z".parse().unwrap());
    }

    #[test]
    fn locks_are_looked_at_ever_more_rarely() {
        let minutes: Vec<u64> = (0..6).map(|n| RetryPolicy::lock_pause(n).as_secs() / 60).collect();
        assert_eq!(minutes, [5, 10, 20, 30, 30, 30]);
    }
}
