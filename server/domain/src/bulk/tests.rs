//! What a set takes in, and what may be said to it when.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::backoff::RetryPolicy;
use crate::decide::Wish;
use crate::filing::{Progress, State};
use crate::ids::{BulkId, FilingId, SiteName};
use crate::machine::{Context, Event, step};
use crate::person::{Permission, Permissions, Principal, Role, Sites};
use crate::time::later;

fn now() -> Timestamp {
    "2026-11-27T09:00:00Z".parse().unwrap()
}

fn site(name: &str) -> SiteName {
    name.parse().unwrap()
}

fn bulk(action: Action, state: BulkState) -> Bulk {
    Bulk {
        id: BulkId::from_u128(7),
        version: 3,
        action,
        state,
        q: None,
        by: "ada".to_owned(),
        sites: BTreeSet::from([site("london")]),
        created: now(),
        told: None,
        ended: None,
        will: 2,
        lines: Lines::default(),
        counts: Counts { waiting: 2, skipped: 1, ..Counts::default() },
        unsettled: false,
    }
}

fn told() -> Told {
    let begins = later(now(), Duration::from_secs(10));
    Told { by: "ada".to_owned(), reason: "x".to_owned(), pace: Pace::Now, at: now(), begins }
}

/// Into a set comes what the machine takes, and of that nothing whose risk a person has to weigh one by one.
#[test]
fn a_set_takes_what_the_machine_takes_but_nothing_in_doubt() {
    let policy = RetryPolicy::default();
    for state in State::ALL {
        let progress = Progress { state, ..Progress::new(now()) };
        let allowed =
            |event| step(&progress, event, Context { now: now(), chance: 0.5, policy: &policy }).is_ok();
        for (action, event) in [
            (Action::Retry, Event::Retry),
            (Action::Hold, Event::Hold),
            (Action::Release, Event::Release),
            (Action::Cancel, Event::Cancel),
            (Action::FileAnyway, Event::FileAnyway),
        ] {
            let wanted = allowed(event) && !(action == Action::Retry && state == State::Undecided);
            assert_eq!(action.refusal(state).is_none(), wanted, "{action} of {state}");
        }
    }
    let table = [
        (Action::Retry, State::Undecided, Some("it may be in the DMS already: decide over it alone")),
        (Action::Retry, State::Duplicate, Some("it is a duplicate: file it anyway instead")),
        (Action::Retry, State::Running, Some("it is being worked on right now")),
        (Action::Retry, State::Held, Some("it is held: release it instead")),
        (Action::Retry, State::Failed, None),
        (Action::Hold, State::Failed, Some("it waits for a person anyway")),
        (Action::Release, State::Waiting, Some("it is not held")),
        (Action::Cancel, State::Filed, Some("it is done")),
        (Action::FileAnyway, State::Failed, Some("it is no duplicate")),
        (Action::FileAnyway, State::Duplicate, None),
    ];
    for (action, state, refusal) in table {
        assert_eq!(action.refusal(state), refusal, "{action} of {state}");
    }
    // Alone, a person may take the risk.
    assert_eq!(Wish::Retry.refusal(State::Undecided), None);
    let reasons = Action::ALL.map(|action| (action.needs_reason(), action.decision().needs_reason()));
    assert!(reasons.iter().all(|(of_set, alone)| of_set == alone), "{reasons:?}");
}

#[test]
fn what_may_be_said_to_a_set_hangs_on_its_state() {
    use BulkState as S;
    // State, then what it becomes by run, begin, undo, stop.
    let table = [
        (S::Frozen, [Some(S::AboutToRun), None, None, None]),
        (S::AboutToRun, [None, Some(S::Running), Some(S::Undone), Some(S::Stopped)]),
        (S::Running, [None, None, None, Some(S::Stopped)]),
        (S::Done, [None; 4]),
        (S::Stopped, [None; 4]),
        (S::Undone, [None; 4]),
    ];
    for (state, wanted) in table {
        let before = bulk(Action::Retry, state);
        let acts: [fn(&mut Bulk) -> Result<(), NotNow>; 4] =
            [|it| it.run(told()), Bulk::begin, |it| it.undo(now()), |it| it.stop(now())];
        for (act, wanted) in acts.into_iter().zip(wanted) {
            let mut after = before.clone();
            let answer = act(&mut after);
            match wanted {
                Some(wanted) => {
                    assert_eq!((answer, after.state, after.version), (Ok(()), wanted, 4), "{state}");
                    assert_eq!(after.ended.is_some(), wanted.is_over(), "{state} → {wanted}");
                }
                None => {
                    assert_eq!(answer.unwrap_err().state, state);
                    assert_eq!(after, before, "what is refused changes nothing");
                }
            }
        }
    }
    // Stopped while it ran, it is looked at once more; before it ran there is nothing to find.
    let mut stopped = bulk(Action::Retry, S::Running);
    stopped.stop(now()).unwrap();
    assert!(stopped.is_working());
    stopped.end(later(now(), Duration::from_secs(1)));
    assert_eq!((stopped.state, stopped.ended, stopped.is_working()), (S::Stopped, Some(now()), false));
    let mut early = bulk(Action::Retry, S::AboutToRun);
    early.stop(now()).unwrap();
    assert!(!early.is_working());
}

#[test]
fn a_pace_spreads_evenly_and_the_first_goes_at_once() {
    let seconds = Duration::from_secs;
    for (pace, since, allowed) in [
        (Pace::PerMinute(10), 0, 1),
        (Pace::PerMinute(10), 5, 1),
        (Pace::PerMinute(10), 6, 2),
        (Pace::PerMinute(10), 60, 11),
        (Pace::PerMinute(6000), 1, 101),
        (Pace::Now, 0, u64::MAX),
    ] {
        assert_eq!(pace.allows(seconds(since)), allowed, "{pace:?} after {since} s");
    }
    for number in [1, 7, 10, 60, 999, FASTEST] {
        let pace = Pace::PerMinute(number);
        for handed in 1..200 {
            assert!(pace.allows(pace.next(handed)) > handed, "{number}/min after {handed}");
        }
    }
}

#[test]
fn counts_move_with_their_rows() {
    use RowOutcome as O;
    let row = |outcome| Row {
        id: FilingId::from_u128(1),
        version: 1,
        state: State::Failed,
        destination: "dms-eu".parse().unwrap(),
        outcome,
        why: String::new(),
    };
    let before = Counts::of(&[O::Waiting, O::Waiting, O::Skipped].map(row));
    let after = Counts::of(&[O::Done, O::Failed, O::Skipped].map(row));
    let whole = Counts { done: 5, skipped: 2, failed: 0, waiting: 9 };
    assert_eq!(whole.moved(before, after), Counts { done: 6, skipped: 2, failed: 1, waiting: 7 });
    assert_eq!(whole.moved(before, after).total(), whole.total());
}

#[test]
fn a_set_is_seen_by_its_maker_and_by_who_sees_all_of_it() {
    let two = Bulk {
        sites: BTreeSet::from([site("london"), site("paris")]),
        ..bulk(Action::Hold, BulkState::Frozen)
    };
    let who = |name: &str, all: bool, sites: &[&str]| {
        let mut who = Principal::program(name, Role::Operator, site(sites[0]));
        who.sites =
            Sites { also: sites.iter().map(|name| site(name)).collect(), ..Sites::one(site(sites[0])) };
        if !all {
            who.permissions = Permissions::of(&[Permission::File, Permission::Decide]);
        }
        who
    };
    for (who, seen) in [
        (who("ada", false, &["london", "paris"]), true),
        (who("bob", true, &["london", "paris"]), true),
        (who("bob", true, &["london"]), false),
        // Who sees only what is theirs sees nobody else's set, and who lost a site none with its filings.
        (who("bob", false, &["london", "paris"]), false),
        (who("ada", true, &["paris"]), false),
    ] {
        assert_eq!(two.is_seen_by(&who), seen, "{who:?}");
    }
}
