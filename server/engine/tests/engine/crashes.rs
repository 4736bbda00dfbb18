//! The engine dropped at any moment, as a killed process would be, and started again.

use std::time::Duration;

use postroom_domain::filing::State;
use postroom_domain::machine::{Context, Event, step};
use postroom_domain::person::Actor;
use postroom_domain::store::FilingChange;
use postroom_domain::time::{Clock, Entropy};

use crate::double::Fault;
use crate::world::World;

/// Runs for a while in a runtime of its own, then drops everything where it stands.
fn run_and_crash(world: &World, run: impl AsyncFnOnce()) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        run().await;
        world.clock.detach();
    });
    drop(runtime);
}

#[test]
fn whatever_the_moment_of_the_crash_everything_is_filed_once() {
    for seed in 0..200 {
        let world = World::seeded(seed);
        {
            let double = world.dms();
            let mut state = double.state();
            state.index_lag = Duration::from_secs(30);
            state.capabilities.probe_lag_seconds = 40;
            state.takes = Duration::from_millis(300);
            state.chance =
                Some((10, vec![Fault::LostAnswer, Fault::LostDocument, Fault::Status(503), Fault::Half]));
        }
        let mut ids = Vec::new();
        for round in 0..6 {
            run_and_crash(&world, async || {
                let _engine = world.start().await;
                if round < 4 {
                    ids.extend(world.accept("scans", "dms", 5).await);
                }
                let millis = u64::from(world.entropy.unit() < 0.7) * 2_000 + 60_000 * u64::from(round == 4);
                let pause =
                    Duration::from_millis(millis).mul_f64(world.entropy.unit()) + Duration::from_micros(1);
                tokio::time::sleep(pause).await;
            });
        }
        run_and_crash(&world, async || {
            let _engine = world.start().await;
            let filings = world.settle(&ids).await;
            for filing in &filings {
                // Six crashes may well cut the same filing off three times; then it is set aside, and says so.
                if filing.progress.state == State::Failed {
                    assert!(filing.progress.interruptions >= 3, "seed {seed}: {:#?}", filing.progress);
                    assert!(world.dms().held(filing.id).len() <= 1, "seed {seed}");
                } else {
                    world.assert_filed_once(std::slice::from_ref(filing));
                }
            }
            // A person's retry asks first, and so ends well too.
            for filing in filings.iter().filter(|filing| filing.progress.state == State::Failed) {
                change(&world, filing.id, Event::Retry).await;
            }
            world.assert_filed_once(&world.until_state(&ids, State::Filed).await);
            assert_eq!(
                world.dms().state().ledger.len(),
                ids.len(),
                "seed {seed}: nothing else is in the DMS"
            );
            assert_eq!(world.store.self_check().await.unwrap().wrong, Vec::<String>::new(), "seed {seed}");
        });
    }
}

async fn change(world: &World, id: postroom_domain::ids::FilingId, event: Event) {
    let filing = world.filing(id).await;
    let at = world.clock.now();
    let context = Context { now: at, chance: 0.5, policy: &world.policy };
    let step = step(&filing.progress, event, context).unwrap();
    let change = FilingChange {
        id,
        expect: filing.progress.version,
        next: step.next,
        attempt: step.attempt,
        request: None,
        actor: Actor::person("tester"),
        note: String::new(),
        at,
        also: Vec::new(),
        bulk: None,
    };
    world.store.change_filings(vec![change]).await.unwrap().remove(0).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_late_result_of_an_older_attempt_changes_nothing() {
    let world = World::new();
    world.dms().state().takes = Duration::from_secs(10);
    let ids = world.accept("scans", "dms", 1).await;
    let _engine = world.start().await;
    world.until_state(&ids, State::Running).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    // Somebody else takes the attempt for dead while its bytes are on their way.
    change(&world, ids[0], Event::Interrupted).await;
    let before = world.filing(ids[0]).await.progress;
    assert_eq!(before.state, State::Checking);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let filings = world.until_state(&ids, State::Filed).await;
    let attempts = world.store.attempts(ids[0]).await.unwrap();
    assert_eq!(
        attempts[0].outcome,
        Some(postroom_domain::filing::Outcome::Interrupted),
        "the late result did not replace it"
    );
    // The DMS said "not there" while the first copy was on its way, with no lag stated: this is what leases are long for.
    assert!(world.dms().held(filings[0].id).len() <= 2);
}
