//! A clock that follows tokio's: with time paused, a night of retries takes no time. The time of day can be made to jump.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use postroom_domain::time::Clock;
use tokio::time::Instant;

pub(crate) struct TokioClock(Mutex<State>);

struct State {
    begin: Timestamp,
    shift: SignedDuration,
    /// Time that passed in runtimes that have ended.
    before: Duration,
    attached: Option<Instant>,
}

impl TokioClock {
    pub(crate) fn at(text: &str) -> Self {
        let begin = text.parse().unwrap();
        Self(Mutex::new(State { begin, shift: SignedDuration::ZERO, before: Duration::ZERO, attached: None }))
    }

    /// Follows the runtime this is called in, from now on.
    pub(crate) fn attach(&self) {
        let mut state = self.0.lock().unwrap();
        state.attached.get_or_insert_with(Instant::now);
    }

    /// Keeps the time when that runtime is about to end.
    pub(crate) fn detach(&self) {
        let mut state = self.0.lock().unwrap();
        if let Some(attached) = state.attached.take() {
            state.before += attached.elapsed();
        }
    }

    /// Lets the time of day jump.
    pub(crate) fn jump(&self, by: SignedDuration) {
        self.0.lock().unwrap().shift += by;
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let steady = SignedDuration::try_from(self.monotonic()).unwrap();
        let state = self.0.lock().unwrap();
        state.begin + state.shift + steady
    }

    fn monotonic(&self) -> Duration {
        let state = self.0.lock().unwrap();
        state.before + state.attached.map_or(Duration::ZERO, |attached| attached.elapsed())
    }
}
