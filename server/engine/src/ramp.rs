//! How many filings a destination is given at once: slow start after an outage, half after "too many requests", and one more
//! per ten successes until the full number is reached again.

use std::time::Duration;

/// A round trip or two: the answers to what was sent before a halving do not halve again.
const ECHO: Duration = Duration::from_secs(1);

/// The number in flight that is allowed.
#[derive(Debug)]
pub(crate) struct Ramp {
    most: usize,
    now: usize,
    successes: usize,
    doubling: bool,
    halved: Option<Duration>,
}

impl Ramp {
    /// Starts at the full number.
    pub(crate) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { most, now: most, successes: 0, doubling: false, halved: None }
    }

    /// How many at once.
    pub(crate) const fn limit(&self) -> usize {
        self.now
    }

    /// Whether the number is growing back.
    pub(crate) const fn is_growing(&self) -> bool {
        self.now < self.most
    }

    /// Slow start: 1, 2, 4, …
    pub(crate) const fn restart(&mut self) {
        self.now = 1;
        self.successes = 0;
        self.doubling = self.most > 1;
    }

    /// A filing went through.
    pub(crate) fn success(&mut self) {
        if !self.is_growing() {
            return;
        }
        self.successes += 1;
        if self.doubling && self.successes >= self.now {
            self.now = (self.now * 2).min(self.most);
            self.successes = 0;
        } else if !self.doubling && self.successes >= 10 {
            self.now += 1;
            self.successes = 0;
        }
        self.doubling &= self.is_growing();
    }

    /// The destination asked to slow down.
    pub(crate) fn throttled(&mut self, steady: Duration) {
        if self.halved.is_some_and(|at| steady < at + ECHO) {
            return;
        }
        self.halved = Some(steady);
        self.now = (self.now / 2).max(1);
        self.successes = 0;
        self.doubling = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovered_destination_is_met_with_one_two_four() {
        let mut ramp = Ramp::new(7);
        assert_eq!((ramp.limit(), ramp.is_growing()), (7, false));
        ramp.restart();
        let mut limits = vec![ramp.limit()];
        for _ in 0..8 {
            ramp.success();
            limits.push(ramp.limit());
        }
        assert_eq!(limits, [1, 2, 2, 4, 4, 4, 4, 7, 7]);
        assert!(!ramp.is_growing());
    }

    #[test]
    fn too_many_requests_halve_once_and_ten_successes_add_one() {
        let mut ramp = Ramp::new(8);
        for _ in 0..8 {
            ramp.throttled(Duration::from_secs(5));
        }
        assert_eq!(ramp.limit(), 4, "eight answers to one burst halve once");
        ramp.throttled(Duration::from_secs(7));
        ramp.throttled(Duration::from_secs(9));
        ramp.throttled(Duration::from_secs(11));
        assert_eq!(ramp.limit(), 1);
        for _ in 0..25 {
            ramp.success();
        }
        assert_eq!(ramp.limit(), 3);
    }
}
