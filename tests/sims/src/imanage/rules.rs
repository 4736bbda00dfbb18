//! The rules in force, and the plan they make for one call.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::faults::{Action, BodyKind, Fire, Rule};
use super::matching;
use super::rng::Rng;
use super::throttle::{Bucket, retry_after};

/// What the faults decided for one call.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent things that go wrong, not a state")]
pub(super) struct Plan {
    pub(super) delay_ms: u64,
    pub(super) hang: bool,
    pub(super) close: bool,
    pub(super) reset_after_read: Option<u64>,
    /// Answer instead of the work.
    pub(super) answer: Option<Forced>,
    pub(super) lose_answer: bool,
    /// Answer after the work.
    pub(super) after_commit: Option<Forced>,
    pub(super) cut_answer: Option<u64>,
    pub(super) refuse_refresh: bool,
    pub(super) wrong_id: bool,
    pub(super) truncate: Option<u64>,
    pub(super) wrong_size: i64,
    /// Changes of the tenant, before the work.
    pub(super) changes: Vec<Action>,
}

/// An answer made by a fault.
#[derive(Clone, Debug)]
pub(super) struct Forced {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<BodyKind>,
}

#[derive(Debug)]
struct Live {
    rule: Rule,
    matches: u64,
    fired: u64,
    rng: Rng,
    bucket: Bucket,
}

/// All rules.
#[derive(Debug)]
pub(super) struct Rules {
    /// Spares the lock while there are none.
    any: AtomicBool,
    live: Mutex<(u64, Vec<Live>)>,
    seed: u64,
}

impl Rules {
    pub(super) fn new(seed: u64) -> Self {
        Self { any: AtomicBool::new(false), live: Mutex::new((0, Vec::new())), seed }
    }

    pub(super) fn add(&self, mut rule: Rule) -> u64 {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.0 += 1;
        rule.id = live.0;
        let rng = Rng::new(rule.seed.unwrap_or(self.seed ^ rule.id));
        live.1.push(Live { rule, matches: 0, fired: 0, rng, bucket: Bucket::default() });
        self.any.store(true, Relaxed);
        live.0
    }

    /// Remove one rule, or all.
    pub(super) fn remove(&self, id: Option<u64>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.1.retain(|l| id.is_some_and(|id| l.rule.id != id));
        self.any.store(!live.1.is_empty(), Relaxed);
    }

    /// The rules, each with how often it matched and fired.
    pub(super) fn list(&self) -> Vec<(Rule, u64, u64)> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.1.iter().map(|l| (l.rule.clone(), l.matches, l.fired)).collect()
    }

    /// The plan for a call, and how many rules fired.
    pub(super) fn plan(&self, op: &str, method: &str, path: &str, now: i64) -> (Plan, u64) {
        let mut plan = Plan::default();
        if !self.any.load(Relaxed) {
            return (plan, 0);
        }
        let mut fired = 0;
        for live in &mut self.live.lock().unwrap_or_else(PoisonError::into_inner).1 {
            if live.hits(op, method, path) && live.act(&mut plan, now) {
                live.fired += 1;
                fired += 1;
            }
        }
        (plan, fired)
    }
}

impl Live {
    fn hits(&mut self, op: &str, method: &str, path: &str) -> bool {
        let when = &self.rule.when;
        if when.op.as_deref().is_some_and(|o| o != op)
            || when.method.as_deref().is_some_and(|m| !m.eq_ignore_ascii_case(method))
            || when.path.as_deref().is_some_and(|p| !matching::wildcard(p, path))
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

    /// Write the action into the plan; false if it had nothing to do.
    fn act(&mut self, plan: &mut Plan, now: i64) -> bool {
        let action = &self.rule.action;
        if let Some(limit) = action.throttle() {
            let Err(seconds) = self.bucket.take(&limit, now) else { return false };
            let header = retry_after(limit.retry_after, seconds, now);
            let headers = header.into_iter().map(|value| ("Retry-After".to_owned(), value)).collect();
            plan.answer = Some(Forced { status: 429, headers, body: None });
            return true;
        }
        match action {
            Action::Status { status, headers, body } => {
                plan.answer = Some(Forced { status: *status, headers: headers.clone(), body: *body });
            }
            Action::CommitThenStatus { status, headers, body } => {
                plan.after_commit = Some(Forced { status: *status, headers: headers.clone(), body: *body });
            }
            Action::Delay { ms } => plan.delay_ms += ms,
            Action::Close {} => plan.close = true,
            Action::ResetAfterRead { bytes } => plan.reset_after_read = Some(*bytes),
            Action::CutAnswer { after } => plan.cut_answer = Some(*after),
            Action::LoseAnswer {} => plan.lose_answer = true,
            Action::Hang {} => plan.hang = true,
            Action::RefuseRefresh {} => plan.refuse_refresh = true,
            Action::WrongId {} => plan.wrong_id = true,
            Action::Truncate { bytes } => plan.truncate = Some(*bytes),
            Action::WrongSize { delta } => plan.wrong_size += delta,
            other => plan.changes.push(other.clone()),
        }
        true
    }
}
