//! A destination or an account that does not work, and its way back.

use std::time::Duration;

use postroom_domain::cause::Cause;
use postroom_domain::control::{Control, Gate};
use postroom_domain::filing::State;
use postroom_domain::link::Standing;
use postroom_domain::person::Credential;

use crate::double::Fault;
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn it_opens_tries_one_and_starts_slowly() {
    let world = World::new();
    let dms = world.dms();
    dms.state().always = Some(Fault::Unreachable);
    let ids = world.accept("scans", "dms", 300).await;
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let tried = dms.state().uploads.len();
    assert!((5..=8).contains(&tried), "{tried} were sent before it opened");
    let Gate::Closed { cause, .. } = engine.destinations()[0].gate else {
        panic!("{:?}", engine.destinations())
    };
    assert_eq!(cause, Cause::Unreachable);
    assert_eq!(world.count(&ids).await[&State::Waiting], 300, "what was claimed was given back");

    tokio::time::sleep(Duration::from_hours(2)).await;
    let trials = dms.state().uploads.len() - tried;
    assert!((10..=18).contains(&trials), "{trials} trials in two hours");

    dms.state().always = None;
    dms.state().uploads.clear();
    let filings = world.until_state(&ids, State::Filed).await;
    world.assert_filed_once(&filings);
    let under_way: Vec<usize> = dms.state().uploads.iter().map(|(_, _, under_way)| *under_way).collect();
    assert_eq!(under_way[..2], [1, 1], "one as a trial, then one");
    assert!(under_way[..4].iter().all(|n| *n <= 2), "then two: {under_way:?}");
    assert!(under_way.contains(&4), "up to four");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(engine.destinations()[0].gate, Gate::Open);
}

#[tokio::test(start_paused = true)]
async fn what_an_administrator_must_mend_blocks_and_goes_on_by_itself() {
    for fault in [Fault::Certificate, Fault::Status(302), Fault::Status(507)] {
        let world = World::new();
        world.dms().state().always = Some(fault);
        let ids = world.accept("scans", "dms", 200).await;
        let engine = world.start().await;
        tokio::time::sleep(Duration::from_mins(3)).await;
        let counts = world.count(&ids).await;
        assert!((1..=8).contains(&counts[&State::Blocked]), "{fault:?}: {counts:?}");
        assert_eq!(counts[&State::Blocked] + counts[&State::Waiting], 200, "{fault:?}: {counts:?}");
        // It survives a restart, and is tried at once then.
        engine.stop(Duration::from_secs(1)).await;
        world.dms().state().always = None;
        let _engine = world.start().await;
        let filings = world.until_state(&ids, State::Filed).await;
        world.assert_filed_once(&filings);
        assert!(world.since(&filings[0]) < 600, "{fault:?}: {}", world.since(&filings[0]));
    }
    // With nothing waiting, a blocked one is the trial.
    let world = World::new();
    world.dms().state().always = Some(Fault::Certificate);
    let ids = world.accept("scans", "dms", 3).await;
    let _engine = world.start().await;
    world.until_state(&ids, State::Blocked).await;
    tokio::time::sleep(Duration::from_mins(30)).await;
    let tried = world.dms().state().uploads.len();
    assert!((6..=12).contains(&tried), "{tried}");
    world.dms().state().always = None;
    world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
}

#[tokio::test(start_paused = true)]
async fn one_account_is_closed_and_the_others_go_on() {
    let world = World::new();
    for person in ["a.pike", "b.cole"] {
        world.links.link(person, Standing::Works);
    }
    let target = || World::target("dms");
    world.clock.attach();
    let (mut hers, mut his) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        hers.push(world.accept_as("scans", target(), Credential::Own, "a.pike").await);
        his.push(world.accept_as("scans", target(), Credential::Own, "b.cole").await);
    }
    for id in &hers {
        world.dms().state().by_filing.insert(*id, Fault::Status(401));
    }
    let _engine = world.start().await;
    let filings = world.until_state(&his, State::Filed).await;
    assert!(world.since(&filings[0]) < 30);
    world.until_state(&hers, State::Blocked).await;
    let tried = world.dms().state().uploads.len();
    assert!(tried < 60, "{tried}: not every one of hers was tried");
    world.dms().state().by_filing.clear();
    let filings = world.until_state(&hers, State::Filed).await;
    world.assert_filed_once(&filings);
    assert!(world.since(&filings[0]) < 900, "{}", world.since(&filings[0]));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_destination_is_left_alone_as_long_as_it_asks() {
    let world = World::new();
    let dms = world.dms();
    let ids = world.accept("scans", "dms", 300).await;
    let engine = world.start().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    dms.state().script = [Fault::Throttle(Some(60))].into();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(matches!(engine.destinations()[0].gate, Gate::Throttled { .. }), "{:?}", engine.destinations());
    let before = dms.state().uploads.len();
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(dms.state().uploads.len(), before, "nothing is sent meanwhile");
    dms.state().uploads.clear();
    let filings = world.until_state(&ids, State::Filed).await;
    world.assert_filed_once(&filings);
    let state = dms.state();
    let most = |range: std::ops::Range<usize>| state.uploads[range].iter().map(|(_, _, n)| *n).max().unwrap();
    assert_eq!((most(0..8), most(0..state.uploads.len())), (2, 4), "half at first, all again in the end");
    assert!(filings.iter().all(|filing| filing.progress.tries == 0), "a throttled try is not counted");
}
