//! The plan that the rules in force make for one call.

use std::collections::BTreeMap;

use super::faults::{Action, BodyKind};
use crate::common::faults::Rules;
use crate::common::throttle::{Bucket, retry_after};

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

/// The plan for a call, and how many rules fired.
pub(super) fn plan(rules: &Rules<Action>, op: &str, method: &str, path: &str, now: i64) -> (Plan, u64) {
    let mut plan = Plan::default();
    let fired = rules.hit(op, method, path, |action, bucket| plan.note(action, bucket, now));
    (plan, fired)
}

impl Plan {
    /// Write the action in; false if it had nothing to do.
    fn note(&mut self, action: &Action, bucket: &mut Bucket, now: i64) -> bool {
        if let Some(limit) = action.throttle() {
            let Err(seconds) = bucket.take(&limit, now) else { return false };
            let header = retry_after(limit.retry_after, seconds, now);
            let headers = header.into_iter().map(|value| ("Retry-After".to_owned(), value)).collect();
            self.answer = Some(Forced { status: 429, headers, body: None });
            return true;
        }
        match action {
            Action::Status { status, headers, body } => {
                self.answer = Some(Forced { status: *status, headers: headers.clone(), body: *body });
            }
            Action::CommitThenStatus { status, headers, body } => {
                self.after_commit = Some(Forced { status: *status, headers: headers.clone(), body: *body });
            }
            Action::Delay { ms } => self.delay_ms += ms,
            Action::Close {} => self.close = true,
            Action::ResetAfterRead { bytes } => self.reset_after_read = Some(*bytes),
            Action::CutAnswer { after } => self.cut_answer = Some(*after),
            Action::LoseAnswer {} => self.lose_answer = true,
            Action::Hang {} => self.hang = true,
            Action::RefuseRefresh {} => self.refuse_refresh = true,
            Action::WrongId {} => self.wrong_id = true,
            Action::Truncate { bytes } => self.truncate = Some(*bytes),
            Action::WrongSize { delta } => self.wrong_size += delta,
            other => self.changes.push(other.clone()),
        }
        true
    }
}
