//! Fair picking for one destination: one deferred for each new, round the sources, and nothing that costs more when more is
//! waiting. A queue is read a handful at a time, from its front.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use postroom_domain::filing::Lane;
use postroom_domain::ids::{FilingId, ServiceName, SourceName};
use postroom_domain::store::{QueueHead, Ready, Store, StoreResult};

use crate::watcher::Snapshot;

/// How many entries of a queue are read at once.
const HANDFUL: usize = 64;

/// What is to be picked.
pub(crate) struct Wish {
    /// To be sent.
    pub(crate) work: usize,
    /// To be asked about.
    pub(crate) checks: usize,
    /// Both together.
    pub(crate) together: usize,
    pub(crate) now: Timestamp,
    /// What is due later than this was put there by a clock that has jumped back since: it counts as due.
    pub(crate) furthest: Timestamp,
}

/// What was picked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Picked {
    pub(crate) work: Vec<FilingId>,
    pub(crate) checks: Vec<FilingId>,
}

#[derive(Debug)]
struct Queue {
    source: SourceName,
    /// When its first entry is due, as far as known. None: it had nothing due when it was last read.
    first_due: Option<Timestamp>,
    handful: VecDeque<FilingId>,
}

/// The queues of one lane, gone round in turn.
#[derive(Debug, Default)]
struct Ring {
    queues: Vec<Queue>,
    next: usize,
}

/// The memory of one destination's queues.
pub(crate) struct Picker {
    store: Arc<dyn Store>,
    service: ServiceName,
    new: Ring,
    deferred: Ring,
    checking: Ring,
    deferred_next: bool,
    /// The time of the last pick: what was due then has been looked at.
    looked: Timestamp,
}

impl Picker {
    pub(crate) fn new(store: Arc<dyn Store>, service: ServiceName) -> Self {
        let ring = Ring::default;
        Self {
            store,
            service,
            new: ring(),
            deferred: ring(),
            checking: ring(),
            deferred_next: false,
            looked: Timestamp::MIN,
        }
    }

    /// Takes in what the watcher saw.
    pub(crate) fn update(&mut self, snapshot: &Snapshot) {
        let heads: Vec<&QueueHead> =
            snapshot.queues.iter().filter(|head| head.service == self.service).collect();
        for (lane, ring) in [
            (Lane::New, &mut self.new),
            (Lane::Deferred, &mut self.deferred),
            (Lane::Checking, &mut self.checking),
        ] {
            ring.update(heads.iter().copied().filter(|head| head.lane == lane));
        }
    }

    /// When the next entry is due that the last pick could not see. It may be past already: it came due while that pick was under
    /// way.
    pub(crate) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let rings = [&self.new, &self.deferred, &self.checking];
        rings
            .into_iter()
            .flat_map(|ring| &ring.queues)
            .filter_map(|queue| queue.first_due)
            .filter(|due| *due > self.looked.min(now))
            .min()
    }

    /// Picks what is due, is not in `taken` and does not come from a stopped source.
    pub(crate) async fn pick(
        &mut self,
        wish: &Wish,
        snapshot: &Snapshot,
        taken: &HashSet<FilingId>,
    ) -> StoreResult<Picked> {
        self.looked = wish.now;
        let mut taken = taken.clone();
        let mut picked = Picked::default();
        let fetch = Fetch { store: &*self.store, service: &self.service, wish, snapshot };
        while picked.checks.len() < wish.checks.min(wish.together) {
            let Some(id) = self.checking.take(Lane::Checking, &fetch, &taken).await? else { break };
            taken.insert(id);
            picked.checks.push(id);
        }
        while picked.work.len() < wish.work && picked.work.len() + picked.checks.len() < wish.together {
            let mut id = None;
            for _ in 0..2 {
                let (lane, ring) = if self.deferred_next {
                    (Lane::Deferred, &mut self.deferred)
                } else {
                    (Lane::New, &mut self.new)
                };
                self.deferred_next = !self.deferred_next;
                id = ring.take(lane, &fetch, &taken).await?;
                if id.is_some() {
                    break;
                }
            }
            let Some(id) = id else { break };
            taken.insert(id);
            picked.work.push(id);
        }
        Ok(picked)
    }
}

struct Fetch<'a> {
    store: &'a dyn Store,
    service: &'a ServiceName,
    wish: &'a Wish,
    snapshot: &'a Snapshot,
}

impl Ring {
    fn update<'a>(&mut self, heads: impl Iterator<Item = &'a QueueHead>) {
        for queue in &mut self.queues {
            queue.first_due = None;
        }
        for head in heads {
            match self.queues.iter_mut().find(|queue| queue.source == head.source) {
                Some(queue) => queue.first_due = Some(head.first_due),
                None => self.queues.push(Queue {
                    source: head.source.clone(),
                    first_due: Some(head.first_due),
                    handful: VecDeque::new(),
                }),
            }
        }
        // The turn goes on with the same source.
        let turn = self.queues.get(self.next).map(|queue| queue.source.clone());
        self.queues.retain(|queue| queue.first_due.is_some() || !queue.handful.is_empty());
        let place = turn.and_then(|turn| self.queues.iter().position(|queue| queue.source == turn));
        self.next = place.unwrap_or(0);
    }

    async fn take(
        &mut self,
        lane: Lane,
        fetch: &Fetch<'_>,
        taken: &HashSet<FilingId>,
    ) -> StoreResult<Option<FilingId>> {
        let count = self.queues.len();
        for step in 0..count {
            let place = (self.next + step) % count;
            let queue = &mut self.queues[place];
            if fetch.snapshot.stops_source(&queue.source, fetch.wish.now) {
                continue;
            }
            if let Some(id) = queue.take(lane, fetch, taken).await? {
                self.next = (place + 1) % count;
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

impl Queue {
    async fn take(
        &mut self,
        lane: Lane,
        fetch: &Fetch<'_>,
        taken: &HashSet<FilingId>,
    ) -> StoreResult<Option<FilingId>> {
        loop {
            while let Some(id) = self.handful.pop_front() {
                if !taken.contains(&id) {
                    return Ok(Some(id));
                }
            }
            let Some(first_due) = self.first_due else { return Ok(None) };
            let Wish { now, furthest, .. } = *fetch.wish;
            let until = if first_due <= now {
                now
            } else if first_due > furthest {
                Timestamp::MAX
            } else {
                return Ok(None);
            };
            // Those under way may still stand at the front.
            let limit = HANDFUL + taken.len();
            let ready: Vec<Ready> =
                fetch.store.ready(fetch.service, &self.source, lane, until, limit).await?;
            let due = |entry: &&Ready| entry.due <= now || entry.due > furthest;
            let (in_hand, free): (Vec<_>, Vec<_>) =
                ready.iter().filter(due).map(|entry| entry.id).partition(|id| taken.contains(id));
            self.handful.extend(free);
            // One that is due but still in the desk's hands is remembered: its result may be written already, and the desk
            // looks again when it hears so.
            if ready.len() < limit && in_hand.is_empty() {
                self.first_due = None;
            }
            if self.handful.is_empty() {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use postroom_store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn what_comes_due_while_a_pick_is_under_way_is_not_slept_over() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (begun, due, ended) =
            (at("2026-11-23T09:00:00.000Z"), at("2026-11-23T09:00:00.002Z"), at("2026-11-23T09:00:00.005Z"));
        let head = |lane| QueueHead {
            service: "dms".parse().unwrap(),
            source: "upload".parse().unwrap(),
            lane,
            first_due: due,
        };
        let snapshot = Snapshot { queues: vec![head(Lane::Checking)], ..Snapshot::default() };
        let mut picker = Picker::new(Arc::new(MemoryStore::new()), "dms".parse().unwrap());
        picker.update(&snapshot);
        let wish = Wish { work: 1, checks: 1, together: 2, now: begun, furthest: Timestamp::MAX };
        let got = picker.pick(&wish, &snapshot, &HashSet::new()).await.unwrap();
        assert_eq!(got, Picked::default());
        assert_eq!(picker.next_due(ended), Some(due));
        // What a pick has seen and left (a stopped source, one still in hand) does not wake anybody.
        let snapshot = Snapshot { queues: vec![head(Lane::Checking)], ..Snapshot::default() };
        let wish = Wish { now: ended, ..wish };
        picker.pick(&wish, &snapshot, &HashSet::new()).await.unwrap();
        assert_eq!(picker.next_due(ended), None);
    }
}
