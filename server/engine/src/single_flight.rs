//! Answers that many ask for at once: one asks, the others wait for the same answer, and it is remembered for a while.
//! Failures are shared with those who waited, and not remembered.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

struct Slot<V, E> {
    rounds: AtomicU64,
    answer: tokio::sync::Mutex<Option<(Instant, Result<V, E>)>>,
}

/// Remembered answers by key.
pub(crate) struct SingleFlight<K, V, E> {
    slots: Mutex<HashMap<K, Arc<Slot<V, E>>>>,
    memory: Duration,
    most: usize,
}

impl<K: Hash + Eq + Clone, V: Clone, E: Clone> SingleFlight<K, V, E> {
    pub(crate) fn new(memory: Duration, most: usize) -> Self {
        Self { slots: Mutex::new(HashMap::new()), memory, most: most.max(1) }
    }

    /// The answer, and whether it was remembered.
    pub(crate) async fn get(&self, key: &K, ask: impl Future<Output = Result<V, E>>) -> (Result<V, E>, bool) {
        let slot = self.slot(key);
        let round = slot.rounds.load(Ordering::Acquire);
        let mut answer = slot.answer.lock().await;
        if let Some((at, known)) = answer.as_ref() {
            // A failure counts only for those who were waiting while it was found.
            let waited = slot.rounds.load(Ordering::Acquire) > round;
            if waited || (known.is_ok() && at.elapsed() < self.memory) {
                return (known.clone(), known.is_ok() && !waited);
            }
        }
        let found = ask.await;
        *answer = Some((Instant::now(), found.clone()));
        slot.rounds.fetch_add(1, Ordering::AcqRel);
        (found, false)
    }

    /// Forgets an answer that turned out to be wrong.
    pub(crate) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    fn slot(&self, key: &K) -> Arc<Slot<V, E>> {
        let mut slots = self.lock();
        if let Some(slot) = slots.get(key) {
            return slot.clone();
        }
        if slots.len() >= self.most {
            // Kept: what is being asked right now, and what is fresh. If everything is fresh, all but that goes.
            let memory = self.memory;
            let idle_or = |slot: &Slot<V, E>, keep_fresh: bool| match slot.answer.try_lock() {
                Ok(answer) => {
                    keep_fresh
                        && answer.as_ref().is_some_and(|(at, known)| known.is_ok() && at.elapsed() < memory)
                }
                Err(_) => true,
            };
            slots.retain(|_, slot| idle_or(slot, true));
            if slots.len() >= self.most {
                slots.retain(|_, slot| idle_or(slot, false));
            }
        }
        let slot = Arc::new(Slot { rounds: AtomicU64::new(0), answer: tokio::sync::Mutex::new(None) });
        slots.insert(key.clone(), slot.clone());
        slot
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Arc<Slot<V, E>>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_asks_and_all_learn() {
        let asked = AtomicUsize::new(0);
        let flights = SingleFlight::<u8, usize, usize>::new(Duration::from_mins(1), 4);
        let ask = |fails: bool| {
            let asked = &asked;
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let n = asked.fetch_add(1, Ordering::AcqRel);
                if fails { Err(n) } else { Ok(n) }
            }
        };
        let (a, b, c) =
            tokio::join!(flights.get(&1, ask(true)), flights.get(&1, ask(true)), flights.get(&1, ask(true)));
        assert_eq!([a, b, c], [(Err(0), false), (Err(0), false), (Err(0), false)], "a failure is shared");
        assert_eq!(flights.get(&1, ask(false)).await, (Ok(1), false), "and not remembered");
        assert_eq!(flights.get(&1, ask(false)).await, (Ok(1), true));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(flights.get(&1, ask(false)).await, (Ok(2), false), "remembered for a minute");
        flights.forget(&1);
        assert_eq!(flights.get(&1, ask(false)).await, (Ok(3), false));
        for key in 2..40 {
            flights.get(&key, ask(false)).await.0.unwrap();
            assert!(flights.lock().len() <= 4);
        }
    }
}
