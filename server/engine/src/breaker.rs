//! A breaker: after failures in a row nothing is sent for a while, then one filing is tried, and only when that went through
//! the rest follows. Pure: time and chance are arguments.

use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::ids::FilingId;
use postroom_domain::time::later;

use crate::options::BreakerSettings;

/// A moment on both clocks: pauses are measured on the one that never jumps, and shown on the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// The time of day.
    pub(crate) wall: Timestamp,
    /// Time since some fixed moment.
    pub(crate) steady: Duration,
}

/// What may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// As much as there is room for.
    All,
    /// One filing, as a trial.
    One,
    /// Nothing.
    None,
}

/// Why and until when a breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) cause: Cause,
    pub(crate) since: Timestamp,
    pub(crate) retest: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Duration },
    HalfOpen { trying: bool },
}

/// The breaker of a destination or of one account there.
#[derive(Debug)]
pub(crate) struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    in_a_row: u32,
    first: Option<FilingId>,
    over_several: bool,
    pause: Duration,
    opening: Option<Opening>,
}

impl Breaker {
    pub(crate) const fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            phase: Phase::Closed,
            in_a_row: 0,
            first: None,
            over_several: false,
            pause: Duration::ZERO,
            opening: None,
        }
    }

    /// What may pass now. The end of the pause turns it half open.
    pub(crate) fn pass(&mut self, now: Moment) -> Pass {
        if let Phase::Open { until } = self.phase
            && now.steady >= until
        {
            self.phase = Phase::HalfOpen { trying: false };
        }
        match self.phase {
            Phase::Closed => Pass::All,
            Phase::HalfOpen { trying: false } => Pass::One,
            Phase::HalfOpen { trying: true } | Phase::Open { .. } => Pass::None,
        }
    }

    /// A filing sets off; half open, it is the trial.
    pub(crate) const fn begin(&mut self) {
        if let Phase::HalfOpen { trying } = &mut self.phase {
            *trying = true;
        }
    }

    /// A filing came back without telling anything about the other side.
    pub(crate) const fn says_nothing(&mut self) {
        if let Phase::HalfOpen { trying } = &mut self.phase {
            *trying = false;
        }
    }

    /// The other side answered sensibly. True when this closes the breaker.
    pub(crate) fn works(&mut self) -> bool {
        self.in_a_row = 0;
        self.first = None;
        self.over_several = false;
        // An answer that was under way when it opened says nothing about now.
        if !matches!(self.phase, Phase::HalfOpen { .. }) {
            return false;
        }
        self.phase = Phase::Closed;
        self.pause = Duration::ZERO;
        self.opening = None;
        true
    }

    /// One more failure. True when this opens the breaker, also when it opens again.
    pub(crate) fn failed(
        &mut self,
        id: FilingId,
        cause: Cause,
        at_once: bool,
        now: Moment,
        chance: f64,
    ) -> bool {
        match self.phase {
            Phase::Open { .. } => return false,
            Phase::HalfOpen { .. } => {}
            Phase::Closed => {
                self.in_a_row += 1;
                self.over_several |= self.first.is_some_and(|first| first != id);
                self.first = self.first.or(Some(id));
                if !at_once && (self.in_a_row < self.settings.failures || !self.over_several) {
                    return false;
                }
            }
        }
        self.pause = if at_once {
            self.settings.retest
        } else if self.pause.is_zero() {
            self.settings.first_pause
        } else {
            (self.pause * 2).min(self.settings.longest_pause)
        };
        // Several nodes must not all come back at the same moment.
        let pause = self.pause.mul_f64(0.8 + 0.4 * chance);
        self.phase = Phase::Open { until: now.steady + pause };
        let since = self.opening.map_or(now.wall, |opening| opening.since);
        self.opening = Some(Opening { cause, since, retest: later(now.wall, pause) });
        true
    }

    /// Lets one filing try without waiting for the end of the pause: somebody says that it is mended, or nobody knows.
    pub(crate) const fn try_now(&mut self) {
        self.phase = Phase::HalfOpen { trying: false };
    }

    /// Why it is open or half open.
    pub(crate) const fn opening(&self) -> Option<Opening> {
        self.opening
    }

    /// Whether it is closed: everything passes.
    pub(crate) const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Whether it is open: nothing passes.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    /// When the pause ends.
    pub(crate) const fn opens_a_crack(&self) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } => Some(until),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let steady = Duration::from_secs(seconds);
        Moment { wall: later(start, steady), steady }
    }

    fn filing(number: u128) -> FilingId {
        FilingId::from_u128(number)
    }

    #[test]
    fn it_opens_after_five_in_a_row_over_two_filings() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for n in 0..20 {
            assert!(
                !breaker.failed(filing(1), Cause::ServerFault, false, at(n), 0.5),
                "one filing alone never opens it"
            );
        }
        assert!(breaker.failed(filing(2), Cause::ServerFault, false, at(20), 0.5));
        assert_eq!(breaker.pass(at(49)), Pass::None);

        let mut breaker = Breaker::new(BreakerSettings::default());
        for n in 0..4 {
            assert!(!breaker.failed(filing(n), Cause::ServerFault, false, at(0), 0.5));
        }
        assert!(!breaker.works(), "it was not open");
        for n in 0..4 {
            assert!(
                !breaker.failed(filing(n), Cause::ServerFault, false, at(0), 0.5),
                "a success in between counts anew"
            );
        }
        assert!(breaker.failed(filing(4), Cause::ServerFault, false, at(0), 0.5));
    }

    #[test]
    fn one_filing_is_tried_after_pauses_that_double() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        for n in 0..5 {
            breaker.failed(filing(n), Cause::Unreachable, false, at(0), 0.5);
        }
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let until = breaker.opens_a_crack().unwrap().as_secs();
            pauses.push(until - now);
            assert_eq!(breaker.pass(at(until - 1)), Pass::None);
            assert_eq!(breaker.pass(at(until)), Pass::One);
            breaker.begin();
            assert_eq!(breaker.pass(at(until)), Pass::None, "one at a time");
            breaker.says_nothing();
            assert_eq!(breaker.pass(at(until)), Pass::One, "a trial that told nothing is repeated");
            breaker.begin();
            assert!(breaker.failed(filing(9), Cause::Unreachable, false, at(until), 0.5));
            now = until;
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(breaker.opening().map(|opening| opening.since), Some(at(0).wall));
        let until = breaker.opens_a_crack().unwrap().as_secs();
        assert!(!breaker.works(), "an answer from before it opened does not close it");
        assert_eq!(breaker.pass(at(until)), Pass::One);
        assert!(breaker.works());
        assert_eq!((breaker.pass(at(until)), breaker.opening()), (Pass::All, None));
    }

    #[test]
    fn what_a_person_must_mend_opens_it_at_once() {
        let mut breaker = Breaker::new(BreakerSettings::default());
        assert!(breaker.failed(filing(1), Cause::BadCertificate, true, at(0), 0.5));
        assert_eq!((breaker.pass(at(299)), breaker.pass(at(300))), (Pass::None, Pass::One));
    }
}
