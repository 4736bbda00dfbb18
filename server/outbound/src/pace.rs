//! How fast one account calls one destination: not faster than the settings say, not more at once than the server bears, and not before
//! the server wants to hear of the account again. All waiting is before the first byte.
//!
//! - A bucket (GCRA) where the settings name a rate.
//! - As many calls at once as the destination allows; half of them after the server said "too many" (429, or 503 with a time), and one
//!   more again after every ten answers that did not.
//! - A pause for as long as the server asked, `Retry-After` or `X-Ratelimit-Reset`.
//!
//! Each account has its own, so that one that is throttled holds up nobody else.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use postroom_domain::dms::RetryAfter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Answers without a "too many" after which one more call at once is tried.
const GOOD_ANSWERS: u32 = 10;
/// The longest pause that a server's word makes. What it says may be nonsense; then it is asked again after this.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_hours(6);

/// Why a call is not sent now: the wait would be longer than it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong {
    /// When it is worth to come back, where that is known.
    pub(crate) until: Option<RetryAfter>,
    /// What it waits for.
    pub(crate) why: &'static str,
}

/// What an answer says about the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Nothing: it went well.
    Good,
    /// Nothing: it went wrong for another reason.
    Neither,
    /// Too many calls; come back after this time, where it is told.
    TooMany(Option<Duration>),
    /// It went well, but no more until this time has passed.
    UsedUp(Duration),
}

/// The pace of one account.
pub(crate) struct Pace {
    bucket: Option<Bucket>,
    slots: Arc<Semaphore>,
    state: Mutex<State>,
    most: usize,
}

#[derive(Debug)]
struct State {
    /// How many calls at once.
    limit: usize,
    /// Slots that are to vanish when they come back.
    owed: usize,
    good: u32,
    /// Goes up with each halving: what was sent before it does not halve again.
    era: u64,
    pause: Option<Instant>,
}

/// Leave to send one call. Held until its answer begins.
pub(crate) struct Slot {
    pace: Arc<Pace>,
    permit: Option<OwnedSemaphorePermit>,
    era: u64,
}

/// The rate of the settings, in the time of tokio, which tests move by hand.
struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioTime, NoOpMiddleware<Duration>>,
    clock: TokioTime,
    period: Duration,
    /// One waits at a time, in the order in which they came.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
}

#[derive(Debug, Clone)]
struct TokioTime(Instant);

impl Clock for TokioTime {
    type Instant = Duration;
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A rate: so many per second, so many at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    pub(crate) period: Duration,
    pub(crate) burst: NonZeroU32,
}

impl Pace {
    /// A pace with at most so many calls at once, and a rate where there is one.
    pub(crate) fn new(most: usize, rate: Option<Rate>) -> Arc<Self> {
        let state = State { limit: most, owed: 0, good: 0, era: 0, pause: None };
        Arc::new(Self {
            bucket: rate.and_then(Bucket::new),
            slots: Arc::new(Semaphore::new(most)),
            state: Mutex::new(state),
            most,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls at once at present.
    pub(crate) fn limit(&self) -> usize {
        self.state().limit
    }

    /// Waits until a call may be sent, at most until `by`.
    pub(crate) async fn enter(self: &Arc<Self>, by: Instant) -> Result<Slot, TooLong> {
        self.pause(by).await?;
        let full = |_| TooLong { until: None, why: "the account's other calls take all places" };
        let permit = timeout_at(by, Arc::clone(&self.slots).acquire_owned()).await.map_err(full)?;
        // The semaphore is never closed.
        let mut slot = Slot { pace: Arc::clone(self), permit: permit.ok(), era: 0 };
        if let Some(bucket) = &self.bucket {
            bucket.take(by).await?;
        }
        // Somebody may have been told to wait meanwhile.
        self.pause(by).await?;
        slot.era = self.state().era;
        Ok(slot)
    }

    async fn pause(&self, by: Instant) -> Result<(), TooLong> {
        loop {
            let Some(until) = self.state().pause.filter(|until| *until > Instant::now()) else {
                return Ok(());
            };
            if until > by {
                let why = "the server asked this account to wait";
                return Err(TooLong { until: Some(seconds(until - Instant::now())), why });
            }
            sleep_until(until).await;
        }
    }
}

impl Slot {
    /// Learns from the answer and gives the place back. Whether the number of calls at once was halved.
    pub(crate) fn learn(self, word: Word) -> bool {
        let pace = Arc::clone(&self.pace);
        let mut state = pace.state();
        let mut halved = false;
        match word {
            Word::Good | Word::UsedUp(_) => {
                state.good += 1;
                if state.good >= GOOD_ANSWERS && state.limit < pace.most {
                    state.good = 0;
                    state.limit += 1;
                    match state.owed.checked_sub(1) {
                        Some(owed) => state.owed = owed,
                        None => pace.slots.add_permits(1),
                    }
                }
            }
            Word::TooMany(_) => {
                state.good = 0;
                // Calls that were under way together are told "too many" together: that is one word, not many.
                if self.era == state.era {
                    state.era += 1;
                    let cut = state.limit - (state.limit / 2).max(1);
                    state.limit -= cut;
                    state.owed += cut - pace.slots.forget_permits(cut);
                    halved = cut > 0;
                }
            }
            Word::Neither => {}
        }
        if let Word::TooMany(Some(wait)) | Word::UsedUp(wait) = word {
            let until = Instant::now() + wait.min(LONGEST_PAUSE);
            state.pause = Some(state.pause.map_or(until, |before| before.max(until)));
        }
        drop(state);
        halved
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let mut state = self.pace.state();
        if let Some(owed) = state.owed.checked_sub(1) {
            state.owed = owed;
            permit.forget();
        }
    }
}

impl Bucket {
    fn new(rate: Rate) -> Option<Self> {
        let clock = TokioTime(Instant::now());
        let quota = Quota::with_period(rate.period)?.allow_burst(rate.burst);
        Some(Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            period: rate.period,
            turn: tokio::sync::Mutex::default(),
            waiting: AtomicU32::new(0),
        })
    }

    async fn take(&self, by: Instant) -> Result<(), TooLong> {
        let too_long = |wait| TooLong { until: Some(seconds(wait)), why: "the rate that is set for it" };
        let ahead = self.waiting.fetch_add(1, Ordering::AcqRel);
        let _counted = Counted(&self.waiting);
        // Who would stand in the line for too long does not take a place in it.
        let line = self.period.saturating_mul(ahead);
        if Instant::now() + line > by {
            return Err(too_long(line));
        }
        let _turn = timeout_at(by, self.turn.lock()).await.map_err(|_| too_long(self.period))?;
        loop {
            let Err(not_until) = self.limiter.check() else { return Ok(()) };
            let wait = not_until.wait_time_from(self.clock.now());
            let until = Instant::now() + wait;
            if until > by {
                return Err(too_long(wait));
            }
            sleep_until(until).await;
        }
    }
}

struct Counted<'a>(&'a AtomicU32);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A time in whole seconds, never shorter than it is.
fn seconds(wait: Duration) -> RetryAfter {
    RetryAfter::Seconds(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn rate(per_second: u64, burst: u32) -> Rate {
        Rate { period: Duration::from_millis(1000 / per_second), burst: NonZeroU32::new(burst).unwrap() }
    }

    async fn enter(pace: &Arc<Pace>) -> Slot {
        pace.enter(Instant::now() + LONG).await.ok().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let pace = Pace::new(100, Some(rate(2, 3)));
        let begun = Instant::now();
        let mut at = Vec::new();
        for _ in 0..6 {
            enter(&pace).await.learn(Word::Good);
            at.push(begun.elapsed().as_millis());
        }
        // Timers count whole milliseconds and never fire early.
        let wanted = [0, 0, 0, 500, 1000, 1500];
        assert!(at.iter().zip(wanted).all(|(at, wanted)| (wanted..=wanted + 3).contains(at)), "{at:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_too_long_is_not_stood_in() {
        let pace = Pace::new(100, Some(rate(1, 1)));
        let by = Instant::now() + Duration::from_secs(3);
        let all = futures_util::future::join_all((0..10).map(|_| pace.enter(by))).await;
        let sent = all.iter().filter(|it| it.is_ok()).count();
        assert_eq!(sent, 4, "at 0, 1, 2 and 3 seconds");
        for refused in all.iter().filter_map(|it| it.as_ref().err()) {
            assert!(matches!(refused.until, Some(RetryAfter::Seconds(1..=9))), "{refused:?}");
        }
        // Who gave up takes nobody's turn.
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(pace.enter(Instant::now()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_was_asked_for_is_kept_or_told() {
        let table = [
            // asked, waits at most, sent
            (Duration::from_secs(7), LONG, true),
            (Duration::ZERO, Duration::ZERO, true),
            (Duration::from_secs(31), LONG, false),
            (Duration::from_secs(1_000_000_000), LONG, false),
        ];
        for (asked, patience, sent) in table {
            let pace = Pace::new(4, None);
            enter(&pace).await.learn(Word::TooMany(Some(asked)));
            let begun = Instant::now();
            let next = pace.enter(begun + patience).await;
            assert_eq!(next.is_ok(), sent, "{asked:?}");
            let kept = asked.min(LONGEST_PAUSE);
            match next {
                Ok(_) => {
                    assert!(begun.elapsed() >= kept && begun.elapsed() < kept + Duration::from_millis(5));
                }
                Err(refused) => {
                    assert_eq!(begun.elapsed(), Duration::ZERO, "it is told at once");
                    assert_eq!(refused.until, Some(RetryAfter::Seconds(kept.as_secs())));
                    // However absurd: one day it is asked again.
                    tokio::time::advance(LONGEST_PAUSE + Duration::from_secs(1)).await;
                    assert!(pace.enter(Instant::now()).await.is_ok());
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_word_does_not_end_a_longer_pause() {
        let pace = Pace::new(4, None);
        let (one, other) = (enter(&pace).await, enter(&pace).await);
        one.learn(Word::UsedUp(Duration::from_secs(20)));
        other.learn(Word::TooMany(Some(Duration::from_secs(2))));
        let begun = Instant::now();
        let _slot = enter(&pace).await;
        assert!(begun.elapsed() >= Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_at_once_are_halved_by_each_round_and_come_back_one_by_one() {
        let pace = Pace::new(8, None);
        let mut round = Vec::new();
        for _ in 0..8 {
            round.push(enter(&pace).await);
        }
        // One round of refusals is one word.
        for slot in round {
            slot.learn(Word::TooMany(None));
        }
        assert_eq!(pace.limit(), 4);
        let running: Vec<Slot> = futures_util::future::join_all((0..4).map(|_| enter(&pace))).await;
        let fifth = pace.enter(Instant::now() + LONG).await;
        assert_eq!(fifth.err().unwrap().until, None, "four at once and no more");
        for slot in running {
            slot.learn(Word::Neither);
        }
        for limit in [2, 1, 1] {
            enter(&pace).await.learn(Word::TooMany(None));
            assert_eq!(pace.limit(), limit);
        }
        for limit in 1..=8 {
            assert_eq!(pace.limit(), limit);
            for _ in 0..GOOD_ANSWERS {
                enter(&pace).await.learn(Word::Good);
            }
        }
        assert_eq!(pace.limit(), 8, "and no more than that");
        let all: Vec<Slot> = futures_util::future::join_all((0..8).map(|_| enter(&pace))).await;
        assert!(pace.enter(Instant::now()).await.is_err(), "no slot was made twice");
        // Given up without an answer, they come back as well.
        drop(all);
        assert_eq!(futures_util::future::join_all((0..8).map(|_| enter(&pace))).await.len(), 8);
    }
}
