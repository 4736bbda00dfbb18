//! Scripted faults: which calls they hit and how often. What one does is the simulator's own.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::rng::Rng;
use super::throttle::Bucket;
use super::wildcard::wildcard;

/// A scripted fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule<A> {
    /// Set by the server.
    #[serde(default)]
    pub id: u64,
    /// Which calls.
    #[serde(rename = "match", default)]
    pub when: Pattern,
    /// Which of them.
    #[serde(default)]
    pub fire: Fire,
    /// Most times it fires.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Seed of its own chance; by default the server's, mixed with the id.
    #[serde(default)]
    pub seed: Option<u64>,
    /// What happens.
    pub action: A,
}

impl<A> Rule<A> {
    /// A rule for an operation that fires always.
    pub fn on(operation: &str, action: A) -> Self {
        let when = Pattern { op: Some(operation.to_owned()), ..Pattern::default() };
        Self { id: 0, when, fire: Fire::Always, limit: None, seed: None, action }
    }

    /// The same with another schedule.
    #[must_use]
    pub fn fire(mut self, fire: Fire) -> Self {
        self.fire = fire;
        self
    }
}

/// Calls a rule looks at; an empty pattern means all but `/_control`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pattern {
    /// Operation as in the statistics, such as `token`.
    pub op: Option<String>,
    /// HTTP method.
    pub method: Option<String>,
    /// Path with `*` for any run of characters, such as `*/folders/*/documents`.
    pub path: Option<String>,
}

/// Which of the matching calls are hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fire {
    /// Every one.
    #[default]
    Always,
    /// Only the n-th, from 1.
    Nth(u64),
    /// The first n.
    First(u64),
    /// Every n-th.
    Every(u64),
    /// By chance, 0 to 1.
    Probability(f64),
}

#[derive(Debug)]
struct Live<A> {
    rule: Rule<A>,
    matches: u64,
    fired: u64,
    rng: Rng,
    bucket: Bucket,
}

/// All rules.
#[derive(Debug)]
pub(crate) struct Rules<A> {
    /// Spares the lock while there are none.
    any: AtomicBool,
    live: Mutex<(u64, Vec<Live<A>>)>,
    seed: u64,
}

impl<A: Clone> Rules<A> {
    pub(crate) fn new(seed: u64) -> Self {
        Self { any: AtomicBool::new(false), live: Mutex::new((0, Vec::new())), seed }
    }

    pub(crate) fn add(&self, mut rule: Rule<A>) -> u64 {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.0 += 1;
        rule.id = live.0;
        let rng = Rng::new(rule.seed.unwrap_or(self.seed ^ rule.id));
        live.1.push(Live { rule, matches: 0, fired: 0, rng, bucket: Bucket::default() });
        self.any.store(true, Relaxed);
        live.0
    }

    /// Remove one rule, or all.
    pub(crate) fn remove(&self, id: Option<u64>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.1.retain(|l| id.is_some_and(|id| l.rule.id != id));
        self.any.store(!live.1.is_empty(), Relaxed);
    }

    /// The rules, each with how often it matched and fired.
    pub(crate) fn list(&self) -> Vec<(Rule<A>, u64, u64)> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.1.iter().map(|l| (l.rule.clone(), l.matches, l.fired)).collect()
    }

    /// Hand the action of each rule that hits this call to `act`, which says whether it had anything to do.
    /// Gives how many had.
    pub(crate) fn hit(
        &self,
        op: &str,
        method: &str,
        path: &str,
        mut act: impl FnMut(&A, &mut Bucket) -> bool,
    ) -> u64 {
        if !self.any.load(Relaxed) {
            return 0;
        }
        let mut fired = 0;
        for live in &mut self.live.lock().unwrap_or_else(PoisonError::into_inner).1 {
            if live.hits(op, method, path) && act(&live.rule.action, &mut live.bucket) {
                live.fired += 1;
                fired += 1;
            }
        }
        fired
    }
}

impl<A> Live<A> {
    fn hits(&mut self, op: &str, method: &str, path: &str) -> bool {
        let when = &self.rule.when;
        if when.op.as_deref().is_some_and(|o| o != op)
            || when.method.as_deref().is_some_and(|m| !m.eq_ignore_ascii_case(method))
            || when.path.as_deref().is_some_and(|p| !wildcard(p, path))
        {
            return false;
        }
        self.matches += 1;
        let due = match self.rule.fire {
            Fire::Always => true,
            Fire::Nth(n) => self.matches == n,
            Fire::First(n) => self.matches <= n,
            Fire::Every(n) => n > 0 && self.matches.is_multiple_of(n),
            Fire::Probability(p) => self.rng.chance(p),
        };
        due && self.rule.limit.is_none_or(|limit| self.fired < limit)
    }
}
