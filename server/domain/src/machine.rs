//! The filing machine: `(progress, event) → (progress, attempt)`, a pure function. Whoever calls it writes the result, the
//! event row and the index rows in one transaction.
//!
//! ```text
//!            ┌────────── blocked ◄──┐            held ◄─ hold ─ (waiting, blocked)
//!            ▼                      │              └─ release ─► waiting
//! (new) ► waiting ──claim──► running ──► filed
//!            ▲ ▲                │  │ └─► failed ── retry ─► waiting
//!            │ └── back-off ────┘  ▼
//!            └── not there ──── checking ──► filed       (also when it is there, and is read back before its source goes)
//!                                  └──────► undecided ── link ─► filed, send again ─► waiting
//! ```

use jiff::Timestamp;

use crate::backoff::{LOCK_BUDGET, RetryPolicy, TARGET_LAG};
use crate::cause::{Cause, Reaction};
use crate::dms::{DmsError, Receipt, RetryAfter, Trouble};
use crate::filing::{Attempt, Blocker, Outcome, Progress, State, Why};
use crate::ids::FilingId;
use crate::person::Credential;
use crate::time::{age, later};

/// What can happen to a filing.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A worker takes it. The attempt this makes is durable before the first byte is sent.
    Claim,
    /// The document is in the DMS, verified.
    Uploaded(Receipt),
    /// The document is in the DMS, by its own word; it is read back before its source is given up.
    Stored(Receipt),
    /// The DMS gave the document back, and it is what was sent: the source is given up for the link.
    ReadBack(Receipt),
    /// The DMS gave something else back: what, in words. The document and its source stay.
    ReadBackDiffers(String),
    /// An earlier save of the same linked document is not through yet: it waits for that one.
    Behind(FilingId),
    /// What it waited for is through.
    CaughtUp,
    /// The attempt ended badly.
    Refused {
        /// Why.
        error: DmsError,
        /// Bytes of the document that had left.
        bytes_sent: u64,
        /// The container it was sent to, once that was known.
        container: Option<String>,
    },
    /// The worker gave it back before anything was sent (clean stop, pause).
    Abandoned,
    /// The process ended, or the worker panicked, while it was running.
    Interrupted,
    /// The DMS has it: found by its mark.
    ProbeFound(Receipt),
    /// The DMS says that it does not have it. `lag` is how long its search may be late.
    ProbeAbsent {
        /// How long after an attempt "not found" proves nothing.
        lag: std::time::Duration,
        /// When it was asked. The answer tells of that time, however long it took to come, and to be read: a process that stood still
        /// in between knows no more than before.
        asked: Timestamp,
    },
    /// The DMS has several with the mark.
    ProbeSeveral(Vec<Receipt>),
    /// The DMS cannot be asked for marks at all.
    ProbeImpossible,
    /// The question itself failed.
    ProbeFailed(DmsError),
    /// Its destination or account is closed.
    Block(Blocker, Trouble),
    /// What closed its way is open again; due then.
    Unblock(Timestamp),
    /// A person takes it out of automatic work.
    Hold,
    /// A person gives it back.
    Release,
    /// A person wants another try (also "send again" for `undecided`: the risk of a second copy is accepted).
    Retry,
    /// A person ends it.
    Cancel,
    /// A person found the document in the DMS.
    Link(Receipt),
    /// A person files it although the same content is there.
    FileAnyway,
    /// The same content is at the same place already.
    FoundDuplicate {
        /// The filing that put it there, where it was ours.
        of: Option<FilingId>,
        /// The document that is there.
        receipt: Option<Receipt>,
    },
}

/// What the machine needs to know besides the filing.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time of day.
    pub now: Timestamp,
    /// A number in `0.0..1.0` for the jitter.
    pub chance: f64,
    /// The schedule.
    pub policy: &'a RetryPolicy,
}

/// The event is not allowed in this state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a filing that is {state} cannot {wish}")]
pub struct NotAllowed {
    /// Its state.
    pub state: State,
    /// What was wanted, in words.
    pub wish: &'static str,
}

/// What an event leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The filing afterwards; its version is one more.
    pub next: Progress,
    /// The attempt to write with it: begun by a claim, ended by a result.
    pub attempt: Option<AttemptChange>,
}

/// What happens to the attempt rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptChange {
    /// A new one begins.
    Begin(Attempt),
    /// The one of the present generation ends.
    End {
        /// When.
        at: Timestamp,
        /// How.
        outcome: Outcome,
        /// Bytes that had left.
        bytes_sent: u64,
    },
}

impl Step {
    /// Notes whose account the attempt that begins with this step uses.
    #[must_use]
    pub fn with_account(mut self, credential: Option<Credential>) -> Self {
        if let Some(AttemptChange::Begin(attempt)) = &mut self.attempt {
            attempt.credential = credential;
            // Where an earlier attempt may have got through, the account of this one only comes besides.
            if !attempt.probed {
                self.next.tried_as.clear();
            }
            self.next.tried_as.extend(credential);
        }
        self
    }
}

/// The machine.
pub fn step(progress: &Progress, event: Event, context: Context<'_>) -> Result<Step, NotAllowed> {
    let state = progress.state;
    let mut next = progress.clone();
    next.version += 1;
    let mut attempt = None;
    let refuse = |wish| Err(NotAllowed { state, wish });

    if is_read_back(progress) && answers_a_probe(&event) {
        return refuse("be asked after: it is known to be there");
    }
    match (state, event) {
        (State::Waiting, Event::Claim) => {
            next.state = State::Running;
            next.generation += 1;
            next.due = None;
            attempt = Some(AttemptChange::Begin(Attempt {
                generation: next.generation,
                started: context.now,
                ended: None,
                outcome: None,
                bytes_sent: 0,
                probed: progress.unsure,
                credential: None,
            }));
        }
        (_, Event::Claim) => return refuse("be taken by a worker"),

        (State::Running, Event::Uploaded(receipt)) => {
            attempt = Some(end(context.now, Outcome::Filed, receipt.size.unwrap_or(0)));
            file(&mut next, receipt, context.now);
        }
        // From here on it is known to be there: what is open is only whether its source may go.
        (State::Running, Event::Stored(receipt)) => {
            attempt = Some(end(context.now, Outcome::Filed, receipt.size.unwrap_or(0)));
            read_back(&mut next, receipt, context.now);
        }
        (State::Checking, Event::Stored(receipt)) => read_back(&mut next, receipt, context.now),
        (State::Checking, Event::ReadBack(receipt)) if progress.receipt.is_some() => {
            file(&mut next, receipt, context.now);
            next.released = Some(context.now);
        }
        (State::Checking, Event::ReadBackDiffers(what)) if progress.receipt.is_some() => {
            next.trouble = Some(Trouble::new(Cause::WrongCopy, what.clone()));
            undecide(&mut next, what);
        }
        (State::Running, Event::Refused { error, bytes_sent, container }) => {
            attempt = Some(end(context.now, Outcome::Failed(error.trouble().clone()), bytes_sent));
            next.last_end = Some(context.now);
            next.interruptions = 0;
            if container.is_some() {
                next.container = container;
            }
            react(&mut next, error, context);
        }
        (State::Running, Event::Abandoned) => {
            attempt = Some(end(context.now, Outcome::Abandoned, 0));
            wait(&mut next, context.now, progress.why);
        }
        (State::Running, Event::Interrupted) => {
            attempt = Some(end(context.now, Outcome::Interrupted, 0));
            next.last_end = Some(context.now);
            next.interruptions = next.interruptions.saturating_add(1);
            next.unsure = true;
            if next.interruptions >= context.policy.interruption_limit {
                fail(
                    &mut next,
                    Trouble::new(Cause::Poison, "the process ended while it had this document"),
                    context,
                );
            } else {
                next.state = State::Checking;
                next.due = Some(context.now);
            }
        }
        (State::Running, Event::FoundDuplicate { of, receipt }) => {
            attempt = Some(end(context.now, Outcome::Abandoned, 0));
            clear(&mut next);
            next.state = State::Duplicate;
            next.duplicate_of = of;
            next.receipt = receipt;
        }
        // A probe before sending finds the earlier attempt's document.
        (State::Running, Event::ProbeFound(receipt)) => {
            attempt = Some(end(context.now, Outcome::Filed, 0));
            file(&mut next, receipt, context.now);
        }
        (State::Checking, Event::ProbeFound(receipt)) | (State::Undecided, Event::Link(receipt)) => {
            file(&mut next, receipt, context.now);
        }
        (State::Running, Event::ProbeSeveral(receipts)) => {
            attempt = Some(end(context.now, Outcome::Abandoned, 0));
            undecide(&mut next, several(&receipts));
        }
        (State::Checking, Event::ProbeSeveral(receipts)) => undecide(&mut next, several(&receipts)),
        (State::Running, Event::ProbeImpossible) => {
            attempt = Some(end(context.now, Outcome::Abandoned, 0));
            undecide(&mut next, UNASKABLE.to_owned());
        }
        (State::Checking, Event::ProbeImpossible) => undecide(&mut next, UNASKABLE.to_owned()),
        (State::Running | State::Checking, Event::ProbeAbsent { lag, asked }) => {
            if state == State::Running {
                attempt = Some(end(context.now, Outcome::Abandoned, 0));
            }
            if proves_absence(progress, lag, asked) {
                next.unsure = false;
                not_there(&mut next, context);
            } else {
                // Late enough to be sure, early enough to be found at once when the index is quick.
                let soon =
                    later(context.now, context.policy.pause(progress.deferrals.min(3), context.chance));
                next.state = State::Checking;
                next.deferrals += 1;
                next.due = Some(soon.min(later(progress.last_end.unwrap_or(progress.since), lag)));
            }
        }
        (State::Checking, Event::ProbeFailed(error)) => {
            next.deferrals += 1;
            let row = error.trouble().cause.row();
            let verdict = is_verdict(row.reaction);
            let same = progress.cause() == Some(row.cause);
            // A verdict is counted towards giving up; anything else starts an attempt's count of its cause anew.
            next.same_cause = if !verdict {
                0
            } else if same {
                progress.same_cause + 1
            } else {
                1
            };
            next.cause_since = None;
            next.trouble = Some(error.trouble().clone());
            if verdict && next.same_cause > VERDICTS_BELIEVED {
                undecide(&mut next, format!("the DMS cannot be asked whether it is there: {}", row.short));
            } else if verdict {
                next.due = Some(later(context.now, TARGET_LAG));
            } else if age(context.now, progress.last_end.unwrap_or(progress.since)) >= context.policy.budget()
            {
                undecide(
                    &mut next,
                    "the DMS could not be asked for as long as the settings allow".to_owned(),
                );
            } else {
                next.due = Some(context.policy.snooze(
                    context.now,
                    asked_until(&error, context.now),
                    progress.deferrals,
                    context.chance,
                ));
            }
        }
        (
            _,
            Event::Uploaded(_)
            | Event::Stored(_)
            | Event::ReadBack(_)
            | Event::ReadBackDiffers(_)
            | Event::Refused { .. }
            | Event::Abandoned
            | Event::Interrupted
            | Event::FoundDuplicate { .. }
            | Event::ProbeFound(_)
            | Event::ProbeAbsent { .. }
            | Event::ProbeSeveral(_)
            | Event::ProbeImpossible
            | Event::ProbeFailed(_),
        ) => return refuse("take the result of an attempt that it does not have"),

        (State::Waiting, Event::Behind(other)) => {
            next.deferrals += 1;
            next.hint = format!("waits for {other}, an earlier save of the same document");
            // The time behind another one is not the filing's fault.
            next.since = context.now;
            let pause = context.policy.pause(progress.deferrals.min(8), context.chance);
            wait(&mut next, later(context.now, pause), Why::Behind);
        }
        (_, Event::Behind(_)) => return refuse("wait for another one"),
        (State::Waiting, Event::CaughtUp) if progress.why == Why::Behind => {
            next.hint = String::new();
            wait(&mut next, context.now, Why::Released);
        }
        (_, Event::CaughtUp) => return refuse("go on: it does not wait for another one"),

        (State::Waiting, Event::Block(blocker, trouble)) => {
            next.hint = if blocker == Blocker::Account { trouble.detail.clone() } else { String::new() };
            block(&mut next, blocker, trouble);
        }
        (_, Event::Block(..)) => return refuse("be blocked"),
        (State::Blocked, Event::Unblock(due)) => {
            next.blocker = None;
            next.hint = String::new();
            // The time behind a closed door is not the filing's fault.
            next.since = context.now;
            wait(&mut next, due.max(context.now), Why::Released);
        }
        (_, Event::Unblock(_)) => return refuse("be unblocked"),

        (State::Waiting | State::Blocked, Event::Hold) => {
            next.state = State::Held;
            next.due = None;
            next.blocker = None;
        }
        (_, Event::Hold) => return refuse("be held"),
        (State::Held, Event::Release) => {
            restart(&mut next, context.now);
            wait(&mut next, context.now, Why::Released);
        }
        (_, Event::Release) => return refuse("be released: it is not held"),
        // What is not sure still is not: the next attempt asks first. Only "send again" accepts the risk.
        (State::Failed, Event::Retry) => {
            restart(&mut next, context.now);
            wait(&mut next, context.now, Why::Retried);
        }
        (State::Undecided, Event::Retry) => {
            restart(&mut next, context.now);
            next.unsure = false;
            next.receipt = None;
            wait(&mut next, context.now, Why::Retried);
        }
        // "Retry now": the pause is cut short.
        (State::Waiting | State::Blocked, Event::Retry) => {
            next.blocker = None;
            wait(&mut next, context.now, Why::Retried);
        }
        (_, Event::Retry) => return refuse("be retried"),
        (State::Waiting | State::Blocked | State::Undecided | State::Held | State::Failed, Event::Cancel) => {
            next.state = State::Cancelled;
            next.due = None;
            next.blocker = None;
        }
        (_, Event::Cancel) => return refuse("be cancelled"),
        (_, Event::Link(_)) => return refuse("be linked: its outcome is not in doubt"),
        (State::Duplicate, Event::FileAnyway) => {
            restart(&mut next, context.now);
            next.duplicate_of = None;
            next.receipt = None;
            wait(&mut next, context.now, Why::Retried);
        }
        (_, Event::FileAnyway) => return refuse("be filed anyway: it is not a duplicate"),
    }
    Ok(Step { next, attempt })
}

/// Whether a filing is in the DMS, and only its source waits for the DMS to give it back.
pub const fn is_read_back(progress: &Progress) -> bool {
    matches!(progress.state, State::Checking) && progress.receipt.is_some()
}

const fn answers_a_probe(event: &Event) -> bool {
    matches!(
        event,
        Event::Stored(_)
            | Event::ProbeFound(_)
            | Event::ProbeAbsent { .. }
            | Event::ProbeSeveral(_)
            | Event::ProbeImpossible
    )
}

const UNASKABLE: &str = "this DMS cannot be asked for a mark";

/// How often a question may come back with the same verdict before a person is asked instead.
const VERDICTS_BELIEVED: u32 = 3;

/// Whether asking again is of little use: the answer will not change by itself.
const fn is_verdict(reaction: Reaction) -> bool {
    matches!(reaction, Reaction::OnceMore | Reaction::FindTargetAgain | Reaction::Settle | Reaction::Fail)
}

fn several(receipts: &[Receipt]) -> String {
    let ids: Vec<&str> = receipts.iter().take(5).map(|receipt| receipt.document.as_str()).collect();
    format!("{} documents carry this filing's mark: {}", receipts.len(), ids.join(", "))
}

const fn end(at: Timestamp, outcome: Outcome, bytes_sent: u64) -> AttemptChange {
    AttemptChange::End { at, outcome, bytes_sent }
}

/// Whether "not found" means that it is not there: an index may be late by `lag` after the last attempt ended, and what counts is when
/// it was asked, not when the answer was read.
pub fn proves_absence(progress: &Progress, lag: std::time::Duration, asked: Timestamp) -> bool {
    asked >= later(progress.last_end.unwrap_or(progress.since), lag)
}

/// The document is not in the DMS: it is sent again, within the budget, and not in a tight circle when its answers keep
/// getting lost.
fn not_there(next: &mut Progress, context: Context<'_>) {
    if next.interruptions > 0 {
        // Our own end cut the attempt off: the DMS is not to blame, and nothing is gained by waiting.
        return wait(next, context.now, Why::NotThere);
    }
    if age(context.now, next.since) >= context.policy.budget() {
        let trouble = next
            .trouble
            .clone()
            .unwrap_or_else(|| Trouble::new(Cause::TooOld, "its answers kept getting lost"));
        return fail(next, trouble, context);
    }
    let pause = context.policy.pause(next.same_cause.saturating_sub(1), context.chance);
    let due = later(next.last_end.unwrap_or(context.now), pause).max(context.now);
    wait(next, due, Why::NotThere);
}

/// Takes away what belongs to waiting and failing. What is not sure still is not.
fn clear(next: &mut Progress) {
    next.due = None;
    next.trouble = None;
    next.blocker = None;
    next.hint = String::new();
    next.same_cause = 0;
    next.cause_since = None;
}

fn file(next: &mut Progress, receipt: Receipt, now: Timestamp) {
    clear(next);
    next.unsure = false;
    next.state = State::Filed;
    next.interruptions = 0;
    next.last_end = Some(now);
    next.container = Some(receipt.container.clone());
    next.receipt = Some(receipt);
}

/// The document is in the DMS and nothing of it is in doubt, but its source is kept until the DMS has given it back.
fn read_back(next: &mut Progress, receipt: Receipt, now: Timestamp) {
    clear(next);
    next.unsure = false;
    next.state = State::Checking;
    next.due = Some(now);
    next.interruptions = 0;
    next.last_end = Some(now);
    next.container = Some(receipt.container.clone());
    next.receipt = Some(receipt);
}

fn wait(next: &mut Progress, due: Timestamp, why: Why) {
    next.state = State::Waiting;
    next.due = Some(due);
    next.why = why;
}

fn block(next: &mut Progress, blocker: Blocker, trouble: Trouble) {
    next.state = State::Blocked;
    next.due = None;
    next.blocker = Some(blocker);
    next.trouble = Some(trouble);
}

fn undecide(next: &mut Progress, hint: String) {
    next.state = State::Undecided;
    next.due = None;
    next.hint = hint;
}

/// A person's decision opens a new budget.
fn restart(next: &mut Progress, now: Timestamp) {
    next.tries = 0;
    next.deferrals = 0;
    next.same_cause = 0;
    next.cause_since = None;
    next.interruptions = 0;
    next.since = now;
    next.hint = String::new();
}

fn fail(next: &mut Progress, trouble: Trouble, context: Context<'_>) {
    // Soft mode: while a connector is brought up, no verdict is final.
    next.state = if context.policy.soft_mode { State::Held } else { State::Failed };
    next.due = None;
    next.trouble = Some(trouble);
}

/// Until when the DMS asks to be left alone, where it says so.
pub fn asked_until(error: &DmsError, now: Timestamp) -> Option<Timestamp> {
    match error {
        DmsError::Throttled { until: Some(RetryAfter::Seconds(seconds)), .. } => {
            Some(later(now, std::time::Duration::from_secs(*seconds)))
        }
        DmsError::Throttled { until: Some(RetryAfter::At(at)), .. } => Some(*at),
        _ => None,
    }
}

/// What the person who mends it needs to read besides the cause.
fn hint(error: &DmsError) -> String {
    match error {
        DmsError::Locked { by: Some(by), .. } => format!("locked by {by}"),
        DmsError::TooLarge { limit: Some(limit), .. } => format!("the limit is {limit} bytes"),
        DmsError::Rejected { field: Some(field), message, .. } => format!("{field}: {message}"),
        DmsError::Rejected { field: None, message, .. } => message.clone(),
        DmsError::Conflict { existing: Some(receipt), .. } => format!("it is there as {}", receipt.document),
        _ => String::new(),
    }
}

/// The reaction to a failed attempt, by the table of causes.
fn react(next: &mut Progress, error: DmsError, context: Context<'_>) {
    let row = error.trouble().cause.row();
    let same = next.cause() == Some(row.cause);
    next.same_cause = if same { next.same_cause + 1 } else { 1 };
    let cause_since = next.cause_since.filter(|_| same).unwrap_or(context.now);
    next.cause_since = Some(cause_since);
    if row.counted {
        next.tries += 1;
    } else {
        next.deferrals += 1;
    }
    next.hint = hint(&error);
    let until = asked_until(&error, context.now);
    let trouble = error.trouble().clone();
    next.trouble = Some(trouble.clone());

    // A connector that does not know the outcome is believed whatever cause it names: sending again could double it.
    let unknown = matches!(error, DmsError::UnknownOutcome(_));
    match if unknown { Reaction::Check } else { row.reaction } {
        Reaction::Check => {
            next.unsure = true;
            next.state = State::Checking;
            next.due = Some(context.now);
        }
        Reaction::BackOff | Reaction::Snooze => {
            if age(context.now, next.since) >= context.policy.budget() {
                return fail(next, trouble, context);
            }
            let tries = if row.counted { next.tries } else { next.deferrals };
            let why = if row.reaction == Reaction::Snooze { Why::Throttled } else { Why::BackOff };
            let pause = context.policy.snooze(context.now, until, tries.saturating_sub(1), context.chance);
            wait(next, pause, why);
        }
        Reaction::PollLock => {
            // The waiting began when it was first met locked, however long it had been tried before.
            if age(context.now, cause_since) >= LOCK_BUDGET {
                return fail(next, trouble, context);
            }
            wait(next, later(context.now, RetryPolicy::lock_pause(next.same_cause - 1)), Why::Locked);
        }
        Reaction::OnceMore => {
            if next.same_cause > 1 {
                return fail(next, trouble, context);
            }
            wait(next, later(context.now, context.policy.pause(0, context.chance)), Why::BackOff);
        }
        Reaction::FindTargetAgain => {
            // At once with a fresh resolution, then twice after a pause for late indexes.
            match next.same_cause {
                1 => wait(next, context.now, Why::TargetLag),
                2 | 3 => wait(next, later(context.now, TARGET_LAG), Why::TargetLag),
                _ => fail(next, trouble, context),
            }
        }
        Reaction::Settle => match error {
            DmsError::Conflict { existing: Some(receipt), .. } => {
                clear(next);
                next.state = State::Duplicate;
                next.receipt = Some(receipt);
            }
            _ => fail(next, trouble, context),
        },
        Reaction::BlockDestination => block(next, Blocker::Destination, trouble),
        Reaction::BlockAccount => block(next, Blocker::Account, trouble),
        Reaction::Fail => fail(next, trouble, context),
        // The process is about to stop itself; the document waits as it did.
        Reaction::Stop => wait(next, context.now, Why::Released),
    }
}

#[cfg(test)]
mod tests;
