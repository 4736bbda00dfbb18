//! Each kind of trouble, once, for ever, and what becomes of it.

use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::filing::State;

use crate::double::Fault;
use crate::world::World;

/// Where a filing ends, after how many uploads, with which cause.
type End = (State, usize, Option<Cause>);

#[tokio::test(start_paused = true)]
async fn what_happens_once_and_what_happens_for_ever() {
    use Cause::*;
    use State::{Duplicate, Failed, Filed, Held};
    // Fault; where it ends when it is met once; where when it is met each time, after how many uploads, with which cause.
    // `None`: it does not end, it waits for the destination.
    let table: &[(Fault, State, Option<End>)] = &[
        (Fault::Status(400), Failed, Some((Failed, 1, Some(Rejected)))),
        (Fault::Status(401), Filed, None),
        (Fault::Status(402), Filed, None),
        (Fault::Status(403), Filed, Some((Failed, 2, Some(NoRight)))),
        (Fault::Status(404), Filed, Some((Failed, 4, Some(TargetNotFound)))),
        (Fault::Status(409), Failed, Some((Failed, 1, Some(Conflict)))),
        (Fault::AlreadyThere, Duplicate, Some((Duplicate, 1, None))),
        (Fault::Status(412), Filed, Some((Failed, 2, Some(Changed)))),
        (Fault::Status(413), Failed, Some((Failed, 1, Some(TooLarge)))),
        (Fault::Status(415), Failed, Some((Failed, 1, Some(WrongType)))),
        (Fault::Status(422), Failed, Some((Failed, 1, Some(Rejected)))),
        (Fault::Status(423), Filed, Some((Failed, 51, Some(Locked)))),
        (Fault::Status(451), Failed, Some((Failed, 1, Some(Legal)))),
        (Fault::Status(500), Filed, None),
        (Fault::Status(501), Failed, Some((Failed, 1, Some(Unsupported)))),
        (Fault::Status(503), Filed, None),
        (Fault::Status(507), Filed, None),
        (Fault::Status(302), Filed, None),
        (Fault::Throttle(Some(20)), Filed, None),
        (Fault::Throttle(None), Filed, None),
        (Fault::Unreachable, Filed, None),
        (Fault::Certificate, Filed, None),
        (Fault::Half, Filed, None),
        (Fault::HangAtOnce, Filed, None),
        (Fault::Panic, Filed, Some((Failed, 3, Some(Poison)))),
    ];
    for (fault, once, for_ever) in table {
        let world = World::new();
        world.dms().state().script = [*fault].into();
        let ids = world.accept("scans", "dms", 1).await;
        let engine = world.start().await;
        let filing = world.settle(&ids).await.remove(0);
        assert_eq!(filing.progress.state, *once, "{fault:?} once");
        let held = world.dms().held(filing.id).len();
        assert_eq!(held, usize::from(*once == Filed), "{fault:?} once");
        engine.stop(Duration::ZERO).await;

        let mut world = World::new();
        world.policy.soft_mode = false;
        world.dms().state().always = Some(*fault);
        let ids = world.accept("scans", "dms", 1).await;
        let engine = world.start().await;
        let Some((state, uploads, cause)) = for_ever else {
            tokio::time::sleep(Duration::from_hours(8)).await;
            let state = world.filing(ids[0]).await.progress.state;
            assert!(
                matches!(state, State::Waiting | State::Blocked | State::Running | State::Checking),
                "{fault:?}: {state}"
            );
            world.dms().state().always = None;
            let filings = world.until_state(&ids, Filed).await;
            world.assert_filed_once(&filings);
            engine.stop(Duration::ZERO).await;
            continue;
        };
        let filing = world.settle(&ids).await.remove(0);
        let got = (filing.progress.state, world.dms().state().uploads.len(), filing.progress.cause());
        assert_eq!(got, (*state, *uploads, *cause), "{fault:?} for ever");
        engine.stop(Duration::ZERO).await;

        // Soft mode: no verdict is final.
        if *state == Failed {
            let mut world = World::new();
            world.policy.soft_mode = true;
            world.dms().state().always = Some(*fault);
            let ids = world.accept("scans", "dms", 1).await;
            let engine = world.start().await;
            assert_eq!(world.settle(&ids).await[0].progress.state, Held, "{fault:?} in soft mode");
            engine.stop(Duration::ZERO).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn damaged_and_missing_bytes_are_never_sent() {
    let world = World::new();
    let ids = world.accept("scans", "dms", 3).await;
    let filings = world.filings(&ids).await;
    {
        let mut documents = world.shelf.documents.lock().unwrap();
        documents.remove(&filings[0].request.blob.hash);
        documents.insert(filings[1].request.blob.hash, "something else".into());
    }
    let _engine = world.start().await;
    let filings = world.settle(&ids).await;
    let ends: Vec<_> =
        filings.iter().map(|filing| (filing.progress.state, filing.progress.cause())).collect();
    let damaged = (State::Failed, Some(Cause::StoreDamage));
    assert_eq!(ends, [damaged, damaged, (State::Filed, None)]);
    assert_eq!(world.dms().state().uploads.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_stops_the_worker_does_not_stop_the_others() {
    let world = World::new();
    let ids = world.accept("scans", "dms", 50).await;
    world.dms().state().by_filing.insert(ids[7], Fault::Panic);
    let _engine = world.start().await;
    let filings = world.settle(&ids).await;
    for filing in &filings {
        if filing.id == ids[7] {
            assert_eq!(
                (filing.progress.state, filing.progress.cause()),
                (State::Failed, Some(Cause::Poison))
            );
            assert_eq!(filing.progress.interruptions, 3);
        } else {
            assert_eq!(filing.progress.generation, 1);
            world.assert_filed_once(std::slice::from_ref(filing));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_progress_is_given_up_and_a_slow_one_is_not() {
    let world = World::new();
    world.dms().state().script = [Fault::HangAtOnce].into();
    let ids = world.accept("scans", "dms", 1).await;
    let _engine = world.start().await;
    let filings = world.until_state(&ids, State::Filed).await;
    let took = world.since(&filings[0]);
    assert!((120..150).contains(&took), "{took}");
    assert_eq!(world.store.attempts(ids[0]).await.unwrap().len(), 2);

    // A question that hangs or fails is asked again; nothing is sent meanwhile.
    let world = World::new();
    world.dms().state().script = [Fault::LostAnswer].into();
    world.dms().state().probe_fault = Some(503);
    let ids = world.accept("scans", "dms", 1).await;
    let _engine = world.start().await;
    tokio::time::sleep(Duration::from_hours(3)).await;
    assert_eq!(world.filing(ids[0]).await.progress.state, State::Checking);
    world.dms().state().probe_fault = None;
    let filings = world.until_state(&ids, State::Filed).await;
    world.assert_filed_once(&filings);
    assert_eq!(world.dms().state().uploads.len(), 1);
}
