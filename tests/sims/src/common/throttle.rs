//! A token bucket and the `Retry-After` that goes with its refusals.

use serde::{Deserialize, Serialize};

/// Form of the `Retry-After` header on 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// Seconds.
    Seconds,
    /// An HTTP date.
    Date,
    /// No header.
    None,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throttle {
    /// Calls refilled per second.
    pub per_second: f64,
    /// Calls that may come at once.
    pub burst: f64,
    /// What the 429 says about when to come back.
    pub retry_after: RetryAfter,
}

/// State of one bucket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bucket {
    level: f64,
    /// `None` until the first call fills it.
    at: Option<i64>,
}

impl Bucket {
    /// Take one call; else the seconds until one is free.
    pub(crate) fn take(&mut self, limit: &Throttle, now: i64) -> Result<(), u32> {
        let passed = self.at.map_or(0, |at| now.saturating_sub(at).max(0));
        let refill = f64::from(u32::try_from(passed).unwrap_or(u32::MAX)) / 1000.0 * limit.per_second;
        self.level = if self.at.is_none() { limit.burst } else { (self.level + refill).min(limit.burst) };
        self.at = Some(now);
        if self.level >= 1.0 {
            self.level -= 1.0;
            return Ok(());
        }
        let wait = ((1.0 - self.level) / limit.per_second.max(0.001)).ceil().clamp(1.0, 3600.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=3600")]
        let seconds = wait as u32;
        Err(seconds)
    }
}

/// The header's value.
pub(crate) fn retry_after(form: RetryAfter, seconds: u32, now: i64) -> Option<String> {
    match form {
        RetryAfter::None => None,
        RetryAfter::Seconds => Some(seconds.to_string()),
        RetryAfter::Date => {
            let at = jiff::Timestamp::from_millisecond(now + i64::from(seconds) * 1000).ok()?;
            Some(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let limit = Throttle { per_second: 2.0, burst: 2.0, retry_after: RetryAfter::Seconds };
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(&limit, 0), Ok(()));
        assert_eq!(bucket.take(&limit, 0), Ok(()));
        assert_eq!(bucket.take(&limit, 0), Err(1));
        assert_eq!(bucket.take(&limit, 500), Ok(()));
        assert_eq!(retry_after(RetryAfter::Date, 1, 0).as_deref(), Some("Thu, 01 Jan 1970 00:00:01 GMT"));
    }
}
