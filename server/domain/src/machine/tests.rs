//! The machine as tables: every state with every event, the retry rules as scenarios, and what holds after any history.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::cause::{CAUSES, Sent, Symptom};

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn start() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn receipt(document: &str) -> Receipt {
    Receipt {
        document: document.to_owned(),
        version: None,
        container: "folder-1".to_owned(),
        size: Some(10),
        hash: None,
        link: None,
    }
}

fn status(status: u16) -> DmsError {
    DmsError::from_symptom(Symptom::Status(status), Sent::Nothing, format!("answered {status}"))
}

fn refused(error: DmsError) -> Event {
    Event::Refused { error, bytes_sent: 0, container: Some("folder-1".to_owned()) }
}

fn lost() -> DmsError {
    DmsError::from_symptom(Symptom::TimedOut, Sent::Fully, "no answer")
}

/// One of every kind of event, by name.
fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("claim", Event::Claim),
        ("uploaded", Event::Uploaded(receipt("d-1"))),
        ("refused", refused(status(503))),
        ("abandoned", Event::Abandoned),
        ("interrupted", Event::Interrupted),
        ("found", Event::ProbeFound(receipt("d-1"))),
        ("absent", Event::ProbeAbsent { lag: Duration::ZERO, asked: Timestamp::MAX }),
        ("several", Event::ProbeSeveral(vec![receipt("d-1"), receipt("d-2")])),
        ("unaskable", Event::ProbeImpossible),
        ("unasked", Event::ProbeFailed(status(503))),
        ("block", Event::Block(Blocker::Destination, Trouble::new(Cause::BadCertificate, "expired"))),
        ("unblock", Event::Unblock(start())),
        ("hold", Event::Hold),
        ("release", Event::Release),
        ("retry", Event::Retry),
        ("cancel", Event::Cancel),
        ("link", Event::Link(receipt("d-9"))),
        ("file anyway", Event::FileAnyway),
        ("stored", Event::Stored(receipt("d-1"))),
        ("read back", Event::ReadBack(receipt("d-1"))),
        ("differs", Event::ReadBackDiffers("9 bytes, 10 were sent".to_owned())),
        ("behind", Event::Behind(FilingId::from_u128(3))),
        ("caught up", Event::CaughtUp),
        ("duplicate", Event::FoundDuplicate { of: None, receipt: Some(receipt("d-0")) }),
    ]
}

/// A filing in a state, an hour after it was accepted.
fn in_state(state: State) -> Progress {
    let mut progress = Progress::new(start());
    progress.state = state;
    progress.version = 7;
    progress.due = matches!(state, State::Waiting | State::Checking).then(start);
    progress.blocker = (state == State::Blocked).then_some(Blocker::Destination);
    progress.generation = u32::from(state != State::Waiting);
    progress.unsure = matches!(state, State::Checking | State::Undecided);
    progress.last_end = Some(start());
    progress.receipt = matches!(state, State::Filed | State::Duplicate).then(|| receipt("d-0"));
    progress
}

/// Takes a step at an offset from the start, without jitter.
fn at(progress: &Progress, seconds: u64, event: Event, policy: &RetryPolicy) -> Result<Step, NotAllowed> {
    step(progress, event, Context { now: later(start(), Duration::from_secs(seconds)), chance: 0.5, policy })
}

#[test]
fn the_machine_is_this_table() {
    use State::{Blocked, Cancelled, Checking, Duplicate, Failed, Filed, Held, Running, Undecided, Waiting};
    let allowed: &[(State, &[(&str, State)])] = &[
        (
            Waiting,
            &[
                ("claim", Running),
                ("block", Blocked),
                ("hold", Held),
                ("retry", Waiting),
                ("cancel", Cancelled),
                ("behind", Waiting),
            ],
        ),
        (Blocked, &[("unblock", Waiting), ("hold", Held), ("retry", Waiting), ("cancel", Cancelled)]),
        (
            Running,
            &[
                ("uploaded", Filed),
                ("refused", Waiting),
                ("abandoned", Waiting),
                ("interrupted", Checking),
                ("found", Filed),
                ("absent", Waiting),
                ("several", Undecided),
                ("unaskable", Undecided),
                ("duplicate", Duplicate),
                ("stored", Checking),
            ],
        ),
        (
            Checking,
            &[
                ("found", Filed),
                ("absent", Waiting),
                ("several", Undecided),
                ("unaskable", Undecided),
                ("unasked", Checking),
                ("stored", Checking),
            ],
        ),
        (Undecided, &[("retry", Waiting), ("cancel", Cancelled), ("link", Filed)]),
        (Held, &[("release", Waiting), ("cancel", Cancelled)]),
        (Failed, &[("retry", Waiting), ("cancel", Cancelled)]),
        (Filed, &[]),
        (Duplicate, &[("file anyway", Waiting)]),
        (Cancelled, &[]),
    ];
    assert_eq!(allowed.len(), State::ALL.len());
    let policy = RetryPolicy::default();
    for (state, row) in allowed {
        let before = in_state(*state);
        for (name, event) in events() {
            let wanted = row.iter().find(|(event, _)| *event == name).map(|(_, to)| *to);
            match (at(&before, HOUR, event, &policy), wanted) {
                (Ok(step), Some(to)) => {
                    assert_eq!(step.next.state, to, "{state} × {name}");
                    check(&before, name, &step);
                }
                (Err(no), None) => assert_eq!(no.state, *state, "{state} × {name}"),
                (got, wanted) => panic!("{state} × {name}: {got:?}, wanted {wanted:?}"),
            }
        }
    }
}

/// What holds after every allowed step.
fn check(before: &Progress, name: &str, step: &Step) {
    let next = &step.next;
    let context = || format!("{name}: {before:?} → {next:?}");
    assert_eq!(next.version, before.version + 1, "{}", context());
    assert_eq!(next.generation, before.generation + u32::from(name == "claim"), "{}", context());
    match next.state {
        State::Waiting | State::Checking => assert!(next.due.is_some(), "{}", context()),
        _ => assert_eq!(next.due, None, "{}", context()),
    }
    assert_eq!(next.state == State::Blocked, next.blocker.is_some(), "{}", context());
    if next.state == State::Filed {
        assert!(next.receipt.is_some() && next.trouble.is_none() && !next.unsure, "{}", context());
    }
    // Either it is not known whether it is there, or it is known and read back.
    if next.state == State::Checking {
        assert_ne!(next.unsure, next.receipt.is_some(), "{}", context());
    }
    assert!(next.released.is_none() || next.state == State::Filed && name == "read back", "{}", context());
    // What is known to be there is never sent again but by a person who says so.
    if is_read_back(before) {
        assert!(matches!(next.state, State::Checking | State::Filed | State::Undecided), "{}", context());
        assert!(next.receipt.is_some(), "{}", context());
    }
    // What may be in the DMS unknown to us is only settled by knowing, or by a person who takes the risk.
    if before.unsure && !next.unsure {
        let sent_again = before.state == State::Undecided && name == "retry";
        assert!(
            next.state == State::Filed || matches!(name, "absent" | "stored") || sent_again,
            "{}",
            context()
        );
    }
    // An attempt begins with a claim, and ends with the running state.
    match &step.attempt {
        Some(AttemptChange::Begin(attempt)) => {
            assert_eq!(
                (name, attempt.generation, attempt.outcome.as_ref()),
                ("claim", next.generation, None)
            );
            assert_eq!(attempt.probed, before.unsure);
        }
        Some(AttemptChange::End { .. }) => assert_eq!(before.state, State::Running, "{}", context()),
        None => assert_ne!(before.state, State::Running, "{}", context()),
    }
}

/// One attempt in a scenario: what it met, and what follows from it.
struct Met {
    error: DmsError,
    state: State,
    /// Seconds from the end of the attempt until it is due.
    due: Option<u64>,
    tries: u32,
    deferrals: u32,
}

fn met(error: DmsError, state: State, due: Option<u64>, (tries, deferrals): (u32, u32)) -> Met {
    Met { error, state, due, tries, deferrals }
}

/// Plays attempts one after the other, each when it is due; what is to be checked is not there.
fn play(name: &str, policy: &RetryPolicy, scenario: Vec<Met>) -> Progress {
    let mut progress = Progress::new(start());
    let mut now = start();
    for (i, met) in scenario.into_iter().enumerate() {
        let context = Context { now, chance: 0.5, policy };
        progress = step(&progress, Event::Claim, context).unwrap().next;
        progress = step(&progress, refused(met.error), context).unwrap().next;
        let due = progress.due.map(|due| age(due, now).as_secs());
        let got = (progress.state, due, progress.tries, progress.deferrals);
        assert_eq!(got, (met.state, met.due, met.tries, met.deferrals), "{name}, attempt {}", i + 1);
        now = progress.due.unwrap_or(now);
        if progress.state == State::Checking {
            let context = Context { now, chance: 0.5, policy };
            progress =
                step(&progress, Event::ProbeAbsent { lag: Duration::ZERO, asked: Timestamp::MAX }, context)
                    .unwrap()
                    .next;
            now = progress.due.unwrap_or(now);
        }
    }
    progress
}

#[test]
fn the_retry_rules_hold_row_by_row() {
    use State::{Blocked, Checking, Duplicate, Failed, Held, Waiting};
    let policy = RetryPolicy::default();
    let throttled = |until| DmsError::Throttled { until, trouble: Trouble::new(Cause::Throttled, "429") };
    let unreachable = || DmsError::from_symptom(Symptom::NoConnection, Sent::Nothing, "refused");

    play(
        "unreachable is not counted",
        &policy,
        vec![
            met(unreachable(), Waiting, Some(15), (0, 1)),
            met(unreachable(), Waiting, Some(30), (0, 2)),
            met(unreachable(), Waiting, Some(60), (0, 3)),
        ],
    );
    play(
        "a fault of the server is counted",
        &policy,
        vec![met(status(503), Waiting, Some(15), (1, 0)), met(status(500), Waiting, Some(30), (2, 0))],
    );
    play(
        "no right: once more, then a person",
        &policy,
        vec![met(status(403), Waiting, Some(15), (1, 0)), met(status(403), Failed, None, (2, 0))],
    );
    play(
        "changed meanwhile: once more, then a person",
        &policy,
        vec![met(status(412), Waiting, Some(15), (1, 0)), met(status(412), Failed, None, (2, 0))],
    );
    play(
        "target not found: at once, twice after five minutes, then a person",
        &policy,
        vec![
            met(status(404), Waiting, Some(0), (1, 0)),
            met(status(404), Waiting, Some(5 * MINUTE), (2, 0)),
            met(status(404), Waiting, Some(5 * MINUTE), (3, 0)),
            met(status(404), Failed, None, (4, 0)),
        ],
    );
    play(
        "another cause in between begins anew",
        &policy,
        vec![
            met(status(403), Waiting, Some(15), (1, 0)),
            met(status(503), Waiting, Some(30), (2, 0)),
            met(status(403), Waiting, Some(15), (3, 0)),
            met(status(403), Failed, None, (4, 0)),
        ],
    );
    play(
        "throttled: as long as asked, not counted, within the cap",
        &policy,
        vec![
            met(throttled(Some(RetryAfter::Seconds(7))), Waiting, Some(7), (0, 1)),
            met(throttled(Some(RetryAfter::Seconds(0))), Waiting, Some(0), (0, 2)),
            met(throttled(Some(RetryAfter::Seconds(1_000_000_000))), Waiting, Some(6 * HOUR), (0, 3)),
            met(throttled(Some(RetryAfter::Seconds(u64::MAX))), Waiting, Some(6 * HOUR), (0, 4)),
            met(throttled(None), Waiting, Some(4 * MINUTE), (0, 5)),
        ],
    );
    let answers_lost = play(
        "a lost answer: asked, then again with growing pauses",
        &policy,
        vec![
            met(lost(), Checking, Some(0), (1, 0)),
            met(lost(), Checking, Some(0), (2, 0)),
            met(lost(), Checking, Some(0), (3, 0)),
        ],
    );
    assert_eq!((answers_lost.why, answers_lost.unsure), (Why::NotThere, false));
    assert_eq!(age(answers_lost.due.unwrap(), answers_lost.last_end.unwrap()).as_secs(), 60);
    for (name, error, blocker) in [
        (
            "certificate",
            DmsError::from_symptom(Symptom::BadCertificate, Sent::Nothing, ""),
            Blocker::Destination,
        ),
        ("log-in page", DmsError::from_symptom(Symptom::WebPage, Sent::Nothing, ""), Blocker::Destination),
        ("redirect", status(302), Blocker::Destination),
        ("full", status(507), Blocker::Destination),
        ("sign-in", status(401), Blocker::Account),
        ("quota", status(402), Blocker::Account),
    ] {
        let blocked = play(name, &policy, vec![met(error, Blocked, None, (0, 1))]);
        assert_eq!(blocked.blocker, Some(blocker), "{name}");
    }
    for code in [400, 405, 406, 409, 411, 413, 414, 415, 418, 422, 431, 451, 501, 505] {
        play(&format!("{code}"), &policy, vec![met(status(code), Failed, None, (1, 0))]);
    }
    let existing =
        DmsError::Conflict { existing: Some(receipt("d-3")), trouble: Trouble::new(Cause::Conflict, "409") };
    let duplicate = play("it is there already", &policy, vec![met(existing, Duplicate, None, (1, 0))]);
    assert_eq!(duplicate.receipt, Some(receipt("d-3")));

    let soft = RetryPolicy { soft_mode: true, ..RetryPolicy::default() };
    play("soft mode holds", &soft, vec![met(status(422), Held, None, (1, 0))]);
    play(
        "soft mode holds what failed twice",
        &soft,
        vec![met(status(403), Waiting, Some(15), (1, 0)), met(status(403), Held, None, (2, 0))],
    );
}

#[test]
fn a_lock_is_polled_for_a_day_from_when_it_was_met() {
    let policy = RetryPolicy::default();
    // Four days of other troubles do not shorten the waiting for a lock.
    let mut progress = Progress::new(start());
    let mut now = later(start(), Duration::from_secs(4 * DAY));
    let locked_from = now;
    let locked =
        || DmsError::Locked { by: Some("A. Pike".to_owned()), trouble: Trouble::new(Cause::Locked, "423") };
    let mut pauses = Vec::new();
    loop {
        let context = Context { now, chance: 0.9, policy: &policy };
        progress = step(&progress, Event::Claim, context).unwrap().next;
        progress = step(&progress, refused(locked()), context).unwrap().next;
        assert_eq!(progress.hint, "locked by A. Pike");
        let Some(due) = progress.due else { break };
        assert_eq!((progress.state, progress.why, progress.tries), (State::Waiting, Why::Locked, 0));
        pauses.push(age(due, now).as_secs() / MINUTE);
        now = due;
    }
    assert_eq!(progress.state, State::Failed);
    assert_eq!(pauses[..6], [5, 10, 20, 30, 30, 30]);
    let waited = age(now, locked_from).as_secs();
    assert!((DAY..DAY + 30 * MINUTE).contains(&waited), "{waited}");
}

#[test]
fn the_budget_is_five_days() {
    let policy = RetryPolicy::default();
    for (name, error) in [("back-off", status(503)), ("throttled", status(429))] {
        let mut progress = Progress::new(start());
        let mut now = start();
        let mut attempts = 0;
        while progress.state == State::Waiting {
            let context = Context { now, chance: 0.5, policy: &policy };
            progress = step(&progress, Event::Claim, context).unwrap().next;
            progress = step(&progress, refused(error.clone()), context).unwrap().next;
            now = progress.due.unwrap_or(now);
            attempts += 1;
        }
        assert_eq!(progress.state, State::Failed, "{name}");
        assert_eq!(progress.cause(), Some(error.trouble().cause), "{name}: failed with its last cause");
        let days = age(now, start()).as_secs_f64() / 86_400.0;
        assert!((5.0..5.03).contains(&days), "{name}: {days}");
        assert!((240..260).contains(&attempts), "{name}: {attempts}");
        // A person's retry opens a new budget.
        let context = Context { now, chance: 0.5, policy: &policy };
        let again = step(&progress, Event::Retry, context).unwrap().next;
        assert_eq!(
            (again.since, again.tries, again.deferrals, again.why),
            (now, 0, 0, Why::Retried),
            "{name}"
        );
    }
    // Answers that keep getting lost end too.
    let mut progress = Progress::new(start());
    let mut now = start();
    while !matches!(progress.state, State::Failed) {
        let event = match progress.state {
            State::Waiting => Event::Claim,
            State::Running => refused(lost()),
            _ => Event::ProbeAbsent { lag: Duration::from_mins(2), asked: now },
        };
        progress = step(&progress, event, Context { now, chance: 0.5, policy: &policy }).unwrap().next;
        now = progress.due.unwrap_or(now);
    }
    assert_eq!(progress.cause(), Some(Cause::AnswerLost));
    // Time behind a closed door does not count.
    let blocked = Progress { since: start(), ..in_state(State::Blocked) };
    let open =
        at(&blocked, 9 * DAY, Event::Unblock(later(start(), Duration::from_secs(9 * DAY + 60))), &policy)
            .unwrap();
    let running = at(&open.next, 9 * DAY + 60, Event::Claim, &policy).unwrap();
    let after = at(&running.next, 9 * DAY + 61, refused(status(503)), &policy).unwrap();
    assert_eq!(after.next.state, State::Waiting);
}

#[test]
fn three_interruptions_in_a_row_set_a_filing_aside() {
    let policy = RetryPolicy::default();
    let mut progress = Progress::new(start());
    let absent = || Event::ProbeAbsent { lag: Duration::ZERO, asked: Timestamp::MAX };
    for (interruptions, state) in [(1, State::Checking), (2, State::Checking), (3, State::Failed)] {
        progress = at(&progress, 10, Event::Claim, &policy).unwrap().next;
        progress = at(&progress, 10, Event::Interrupted, &policy).unwrap().next;
        assert_eq!((progress.state, progress.interruptions, progress.unsure), (state, interruptions, true));
        if state == State::Checking {
            progress = at(&progress, 10, absent(), &policy).unwrap().next;
            // It is not the DMS's fault: no pause.
            assert_eq!((progress.due, progress.tries), (Some(later(start(), Duration::from_secs(10))), 0));
        }
    }
    assert_eq!(progress.cause(), Some(Cause::Poison));
    // A person's retry asks first: the third attempt may have got through.
    let again = at(&progress, 20, Event::Retry, &policy).unwrap().next;
    assert!(again.unsure);
    let claim = at(&again, 20, Event::Claim, &policy).unwrap();
    assert!(matches!(claim.attempt, Some(AttemptChange::Begin(ref attempt)) if attempt.probed));
    // "Not found" proves nothing yet: it goes to be asked again, not to be sent.
    let soon = at(&claim.next, 21, absent_for(21), &policy).unwrap();
    assert_eq!((soon.next.state, soon.next.unsure), (State::Checking, true));
    assert_eq!(soon.next.due, Some(later(start(), Duration::from_secs(21 + 15))));

    // An attempt in between that ended by itself starts the count anew.
    let mut progress = Progress::new(start());
    for event in [
        Event::Interrupted,
        refused(status(503)),
        Event::Interrupted,
        refused(status(503)),
        Event::Interrupted,
    ] {
        progress = at(&progress, 10, Event::Claim, &policy).unwrap().next;
        progress = at(&progress, 10, event, &policy).unwrap().next;
        if progress.state == State::Checking {
            progress = at(&progress, 10, absent(), &policy).unwrap().next;
        }
    }
    assert_eq!((progress.state, progress.interruptions), (State::Waiting, 1));
}

/// "Not there", asked so many seconds after the start, by an index that is late by two minutes.
fn absent_for(seconds: u64) -> Event {
    Event::ProbeAbsent { lag: Duration::from_mins(2), asked: later(start(), Duration::from_secs(seconds)) }
}

/// Asked in time and answered late: the process stood still, or the DMS took its time. The answer is as old as the question.
#[test]
fn a_late_answer_proves_no_more_than_an_early_one() {
    let policy = RetryPolicy::default();
    let claimed = at(&Progress::new(start()), 0, Event::Claim, &policy).unwrap().next;
    let lost = at(&claimed, 0, refused(lost()), &policy).unwrap().next;
    let late = at(&lost, 600, absent_for(119), &policy).unwrap().next;
    assert_eq!((late.state, late.unsure), (State::Checking, true));
    let sure = at(&late, 700, absent_for(690), &policy).unwrap().next;
    assert_eq!((sure.state, sure.unsure), (State::Waiting, false));
}

#[test]
fn absence_is_believed_only_after_the_lag() {
    let policy = RetryPolicy::default();
    let mut progress = at(&Progress::new(start()), 0, Event::Claim, &policy).unwrap().next;
    progress = at(&progress, 0, refused(lost()), &policy).unwrap().next;
    let mut asked = Vec::new();
    let mut now = 0;
    while progress.state == State::Checking {
        now = age(progress.due.unwrap(), start()).as_secs();
        asked.push(now);
        progress = at(&progress, now, absent_for(now), &policy).unwrap().next;
    }
    assert_eq!(asked, [0, 15, 45, 105, 120]);
    assert_eq!(
        (progress.state, progress.why, progress.unsure, progress.tries),
        (State::Waiting, Why::NotThere, false, 1)
    );
    assert_eq!(now, 120);
}

#[test]
fn what_is_unsure_stays_so_through_a_persons_hands() {
    let policy = RetryPolicy::default();
    let unsure = |state| Progress { unsure: true, ..in_state(state) };
    for (state, events) in [
        (State::Failed, vec![Event::Retry]),
        (State::Waiting, vec![Event::Hold, Event::Release]),
        (State::Blocked, vec![Event::Hold, Event::Release]),
        (State::Held, vec![Event::Release, Event::Claim, Event::Abandoned]),
        (State::Duplicate, vec![Event::FileAnyway]),
    ] {
        let mut progress = unsure(state);
        for event in events {
            progress = at(&progress, 10, event, &policy).unwrap().next;
        }
        assert!(progress.unsure, "{state}");
        let claimed = at(&progress, 10, Event::Claim, &policy).unwrap();
        assert!(
            matches!(claimed.attempt, Some(AttemptChange::Begin(ref attempt)) if attempt.probed),
            "{state}"
        );
    }
    // "Send again" is the one way out without knowing.
    assert!(!at(&unsure(State::Undecided), 10, Event::Retry, &policy).unwrap().next.unsure);
    // An unknown outcome is asked about whatever cause the connector gives it.
    let running = in_state(State::Running);
    let odd = DmsError::UnknownOutcome(Trouble::new(Cause::ServerFault, "503 after the last byte"));
    let after = at(&running, 10, refused(odd), &policy).unwrap().next;
    assert_eq!((after.state, after.unsure), (State::Checking, true));
}

#[test]
fn what_cannot_be_asked_for_five_days_is_for_a_person() {
    let policy = RetryPolicy::default();
    let mut progress = Progress { last_end: Some(start()), ..in_state(State::Checking) };
    let mut now = start();
    while progress.state == State::Checking {
        let context = Context { now, chance: 0.5, policy: &policy };
        progress = step(&progress, Event::ProbeFailed(status(503)), context).unwrap().next;
        now = progress.due.unwrap_or(now);
    }
    assert_eq!((progress.state, progress.unsure), (State::Undecided, true));
    assert!(age(now, start()) >= policy.budget());
}

#[test]
fn a_place_that_cannot_be_asked_is_soon_for_a_person() {
    let policy = RetryPolicy::default();
    let mut progress = Progress { last_end: Some(start()), ..in_state(State::Checking) };
    let mut pauses = Vec::new();
    let mut now = start();
    while progress.state == State::Checking {
        let context = Context { now, chance: 0.5, policy: &policy };
        progress = step(&progress, Event::ProbeFailed(status(404)), context).unwrap().next;
        pauses.extend(progress.due.map(|due| age(due, now).as_secs()));
        now = progress.due.unwrap_or(now);
    }
    assert_eq!((progress.state, progress.unsure), (State::Undecided, true));
    assert_eq!(pauses, [300, 300, 300]);
}

/// The source is given up only after the DMS gave the document back; whatever comes in between, nothing is sent again.
#[test]
fn a_source_is_given_up_only_for_what_was_read_back() {
    let policy = RetryPolicy::default();
    let claimed = at(&Progress::new(start()), 0, Event::Claim, &policy).unwrap().next;
    let stored = at(&claimed, 5, Event::Stored(receipt("d-1")), &policy).unwrap();
    assert!(matches!(stored.attempt, Some(AttemptChange::End { outcome: Outcome::Filed, .. })));
    let stored = stored.next;
    assert!(is_read_back(&stored));
    assert_eq!(
        (stored.due, stored.unsure, stored.released),
        (Some(later(start(), Duration::from_secs(5))), false, None)
    );
    // The DMS cannot give it back now: it is asked again, and the source stays.
    let later_on = at(&stored, 10, Event::ProbeFailed(status(503)), &policy).unwrap().next;
    assert!(is_read_back(&later_on) && later_on.due > stored.due);
    for event in [
        Event::ProbeAbsent { lag: Duration::ZERO, asked: Timestamp::MAX },
        Event::ProbeFound(receipt("d-2")),
        Event::ProbeSeveral(vec![]),
        Event::ProbeImpossible,
        Event::Stored(receipt("d-2")),
        Event::Interrupted,
        Event::Claim,
        Event::Retry,
        Event::Cancel,
    ] {
        at(&later_on, 20, event, &policy).unwrap_err();
    }
    let filed = at(&later_on, 30, Event::ReadBack(receipt("d-1")), &policy).unwrap().next;
    assert_eq!((filed.state, filed.released), (State::Filed, Some(later(start(), Duration::from_secs(30)))));
    // Something else came back: the document stays, the source stays, and a person reads why.
    let differs = at(&later_on, 30, Event::ReadBackDiffers("9 bytes".to_owned()), &policy).unwrap().next;
    assert_eq!(
        (differs.state, differs.cause(), differs.released),
        (State::Undecided, Some(Cause::WrongCopy), None)
    );
    assert_eq!((differs.hint.as_str(), &differs.receipt), ("9 bytes", &Some(receipt("d-1"))));
    let linked = at(&differs, 40, Event::Link(receipt("d-1")), &policy).unwrap().next;
    assert_eq!(
        (linked.state, linked.released),
        (State::Filed, None),
        "a person's word does not give the source up"
    );
    let again = at(&differs, 40, Event::Retry, &policy).unwrap().next;
    assert_eq!((again.state, &again.receipt), (State::Waiting, &None));
    // One whose presence is in doubt is not read back.
    at(&in_state(State::Checking), 10, Event::ReadBack(receipt("d-1")), &policy).unwrap_err();
    at(&in_state(State::Checking), 10, Event::ReadBackDiffers(String::new()), &policy).unwrap_err();
}

#[test]
fn a_document_that_is_gone_before_it_was_read_back_is_soon_for_a_person() {
    let policy = RetryPolicy::default();
    let mut progress = at(&in_state(State::Running), 0, Event::Stored(receipt("d-1")), &policy).unwrap().next;
    let mut asked = 0;
    while progress.state == State::Checking {
        progress = at(&progress, 300 * asked, Event::ProbeFailed(status(404)), &policy).unwrap().next;
        asked += 1;
    }
    assert_eq!((asked, progress.state, progress.released), (4, State::Undecided, None));
}

#[test]
fn one_that_waits_behind_another_uses_up_nothing_and_goes_on_at_once() {
    let policy = RetryPolicy::default();
    let mut progress = Progress::new(start());
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let now = age(progress.due.unwrap(), start()).as_secs();
        progress = at(&progress, now, Event::Behind(FilingId::from_u128(3)), &policy).unwrap().next;
        pauses.push(age(progress.due.unwrap(), start()).as_secs() - now);
    }
    assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
    assert_eq!((progress.why, progress.tries, progress.generation), (Why::Behind, 0, 0));
    assert!(progress.hint.contains("earlier save"));
    let free = at(&progress, DAY, Event::CaughtUp, &policy).unwrap().next;
    assert_eq!(
        (free.due, free.why, free.hint.as_str()),
        (Some(later(start(), Duration::from_secs(DAY))), Why::Released, "")
    );
    at(&free, DAY, Event::CaughtUp, &policy).unwrap_err();
}

fn any_event() -> impl Strategy<Value = (&'static str, Event)> {
    let causes: Vec<Cause> = CAUSES.iter().map(|row| row.cause).collect();
    prop_oneof![
        // The ways of a worker, more often than a person's.
        4 => Just(("claim", Event::Claim)),
        4 => proptest::sample::select(causes.clone())
            .prop_map(|cause| ("refused", refused(DmsError::from_trouble(Trouble::new(cause, "seeded"))))),
        2 => proptest::sample::select(causes)
            .prop_map(|cause| ("unasked", Event::ProbeFailed(DmsError::from_trouble(Trouble::new(cause, "seeded"))))),
        2 => (0_u64..300).prop_map(|lag| ("absent", Event::ProbeAbsent { lag: Duration::from_secs(lag), asked: Timestamp::MAX })),
        8 => proptest::sample::select(events()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// After any history: what `check` says, no panic, counters that only a new budget takes back.
    #[test]
    fn any_history_keeps_the_promises(
        history in proptest::collection::vec((any_event(), 0_u64..200_000, 0.0_f64..1.0), 1..60),
        soft_mode: bool,
    ) {
        let policy = RetryPolicy { soft_mode, ..RetryPolicy::default() };
        let mut progress = Progress::new(start());
        let mut now = start();
        for ((name, event), seconds, chance) in history {
            now = later(now, Duration::from_secs(seconds));
            let Ok(step) = step(&progress, event, Context { now, chance, policy: &policy }) else { continue };
            check(&progress, name, &step);
            let next = step.next;
            prop_assert!(next.due.is_none_or(|due| due <= policy.furthest_due(now).max(now)));
            prop_assert!(!(soft_mode && next.state == State::Failed));
            if next.state == State::Duplicate {
                prop_assert!(next.receipt.is_some() || next.duplicate_of.is_some());
            }
            let restarted = next.since != progress.since;
            prop_assert!(restarted || (next.tries >= progress.tries && next.deferrals >= progress.deferrals));
            progress = next;
        }
    }
}
