//! What a provider publishes, kept for a while: fresh for an hour, usable for a day when the provider is down.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use postroom_domain::sign_in::ProviderError;
use postroom_domain::time::Clock;
use tokio::sync::Mutex;

const FRESH: Duration = Duration::from_hours(1);
const USABLE: Duration = Duration::from_hours(24);
/// At most so many fetches in [`SPAN`] while there is something usable: tokens with invented key names cause no storm.
const MOST: usize = 3;
const SPAN: Duration = Duration::from_mins(1);

/// One published thing.
pub(super) struct Cache<T>(Mutex<State<T>>);

struct State<T> {
    value: Option<(Arc<T>, Duration)>,
    tries: VecDeque<Duration>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::new(State { value: None, tries: VecDeque::new() }))
    }
}

impl<T> Cache<T> {
    /// What is kept, fetched when it is old, or when `anew` is asked for. Callers at the same time share one fetch.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        anew: bool,
        fetch: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<Arc<T>, ProviderError> {
        let asked = clock.monotonic();
        let mut state = self.0.lock().await;
        let now = clock.monotonic();
        let kept = state.value.as_ref().map(|(value, at)| (Arc::clone(value), now.saturating_sub(*at)));
        let usable = kept.filter(|(_, age)| *age < USABLE);
        while state.tries.front().is_some_and(|at| now.saturating_sub(*at) >= SPAN) {
            state.tries.pop_front();
        }
        if let Some((value, age)) = &usable {
            // Somebody fetched while this caller waited.
            let just_now = now.saturating_sub(*age) > asked;
            if just_now || state.tries.len() >= MOST || (!anew && *age < FRESH) {
                return Ok(Arc::clone(value));
            }
        }
        state.tries.push_back(now);
        match (fetch.await, usable) {
            (Ok(value), _) => {
                let value = Arc::new(value);
                state.value = Some((Arc::clone(&value), now));
                Ok(value)
            }
            (Err(ProviderError::Unavailable(why)), Some((value, _))) => {
                tracing::warn!(error = %why, "A provider's keys or description cannot be fetched; the ones before are used.");
                Ok(value)
            }
            (Err(error), _) => Err(error),
        }
    }
}
