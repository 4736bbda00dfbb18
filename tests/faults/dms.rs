//! F15 to F18: a DMS that refuses, swallows, stalls, answers wrongly, or loses its answers; and its neighbour, which does not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use postroom_sims::imanage::{Action, Fire, Rule, Sim, SimHandle};
use postroom_tests::crowd::Crowd;
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World, outcome};

use crate::document;

/// Matters go to `dms`, which is in trouble; instructions to `dms2`, which is not.
fn to(destination: &str, number: u64) -> Upload {
    let area = if destination == "dms" { "matter_documents" } else { "instructions" };
    Upload::to(MATTER).meta("area", area).file("a.pdf", document(number))
}

async fn door_state(world: &World, name: &str) -> String {
    let summary = world.op().ok("/api/v1/summary").await;
    let door = summary["destinations"].as_array().unwrap().iter().find(|d| d["name"] == name).cloned();
    door.unwrap_or_default()["state"].as_str().unwrap_or_default().to_owned()
}

/// The address in the settings of `dms` is nobody's at first.
async fn down(what: &str, url: &str, heal: impl AsyncFnOnce() -> SimHandle) {
    let mut world = World::new("down").with_imanage(sample()).build();
    // The simulator of the builder is the healthy neighbour.
    let healthy = world.settings.imanage[0].1.clone();
    world.settings.imanage = vec![("dms".into(), url.to_owned()), ("dms2".into(), healthy)];
    world.settings.imanage_extra =
        "probe_lag_seconds = 1\nconnection = { connect_seconds = 1.0, first_byte_seconds = 2.0, idle_seconds = 2.0 }".into();
    world.write_settings();
    world.start().await;
    world.create_matters().await;
    let mut sick = Vec::new();
    for number in 0..12 {
        sick.push(world.deposit(to("dms", number)).await);
    }
    until("the breaker is open", Duration::from_mins(1), || async {
        (door_state(&world, "dms").await == "open").then_some(())
    })
    .await;
    // The neighbour is quick all the while.
    let begin = Instant::now();
    let mut well = Vec::new();
    for number in 100..120 {
        well.push(world.deposit(to("dms2", number)).await);
    }
    world.all_filed(&well).await;
    let neighbour = begin.elapsed();
    assert!(neighbour < Duration::from_secs(15), "the neighbour took {neighbour:?}");
    let begin = Instant::now();
    let sim = heal().await;
    for (id, _) in sick.iter().flat_map(|accepted| &accepted.filings) {
        world.in_state_within(id, &["filed"], Duration::from_mins(2)).await;
    }
    let recovered = begin.elapsed();
    let there = sim.control().ledger();
    assert_eq!(there.len(), sick.len(), "{what}: {} stored of {}", there.len(), sick.len());
    outcome(
        "F15",
        what,
        &format!(
            "breaker opened, neighbour filed 20 in {neighbour:.1?}, 12 of 12 filed once {recovered:.1?} after recovery"
        ),
    );
    sim.stop();
}

#[tokio::test]
async fn f15_a_dms_that_refuses_connections() {
    let port = postroom_tests::process::free_port(15);
    down("DMS refuses connections", &format!("http://127.0.0.1:{port}"), async || {
        let mut options = sample();
        options.port = port;
        Sim::start(options).unwrap()
    })
    .await;
}

#[tokio::test]
async fn f15_a_dms_that_swallows_everything() {
    let port = postroom_tests::process::free_port(16);
    let hole = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let swallow = tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(hole.accept().await);
        }
    });
    down("DMS swallows everything (black hole)", &format!("http://127.0.0.1:{port}"), async || {
        swallow.abort();
        let _ = swallow.await;
        let mut options = sample();
        options.port = port;
        Sim::start(options).unwrap()
    })
    .await;
}

#[tokio::test]
async fn f15_a_slow_dms_does_not_slow_its_neighbour() {
    let mut world =
        World::new("slow").with_imanage(sample()).with_imanage(sample()).with_concurrency(4).start().await;
    world.sim("dms").control().update_switches(|switches| switches.latency_ms = 1500);
    let mut slow = Vec::new();
    for number in 0..12 {
        slow.push(world.deposit(to("dms", number)).await);
    }
    let begin = Instant::now();
    let mut quick = Vec::new();
    for number in 100..130 {
        quick.push(world.deposit(to("dms2", number)).await);
    }
    world.all_filed(&quick).await;
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(10), "the neighbour of a slow DMS took {took:?}");
    world.sim("dms").control().update_switches(|switches| switches.latency_ms = 0);
    world.all_filed(&slow).await;
    slow.extend(quick);
    world.assert_exactly_once(&slow).await;
    outcome("F15", "DMS answers after 1.5 s per call", &format!("its neighbour filed 30 in {took:.1?}"));
}

/// 503 for ever: the breaker opens, nothing is hammered; when it is over, all goes through with a slow start.
#[tokio::test]
async fn f16_a_fault_for_ever_opens_the_breaker() {
    let mut world = World::new("for-ever").with_imanage(sample()).start().await;
    let status = |status| Action::Status { status, headers: BTreeMap::new(), body: None };
    let mut results = Vec::new();
    let mut all = Vec::new();
    for (round, code) in [500_u16, 503, 507, 401].into_iter().enumerate() {
        world.fault(Rule::on("upload", status(code)));
        world.sim("dms").control().reset_stats();
        for number in 0..10 {
            all.push(
                world.deposit(Upload::to(MATTER).file("a.pdf", document(round as u64 * 100 + number))).await,
            );
        }
        tokio::time::sleep(Duration::from_secs(8)).await;
        let calls = world.sim("dms").control().stats().total("upload");
        let state = door_state(&world, "dms").await;
        // After a 5xx the question whether it is there is answered, so the DMS is not down and its door stays open; the
        // pauses between tries hold the rate.
        assert!(state != "ok" || code == 500 || code == 503, "{code}: the door looks open");
        assert!(calls < 100, "{code}: hammered with {calls} uploads in 8 s");
        world.no_faults();
        // Whoever lets a stopped destination go on says that it is mended.
        let op = world.op();
        let door = |what: &str| format!("/api/v1/destinations/dms/{what}");
        let _ = op.post(&door("pause"), &serde_json::json!({"reason": "being mended"})).await.expect(200);
        until("the door is paused", PATIENCE, || async {
            (door_state(&world, "dms").await == "paused").then_some(())
        })
        .await;
        let _ = op.post(&door("resume"), &serde_json::json!({})).await.expect(200);
        until(&format!("all filed after {code}"), Duration::from_mins(2), || async {
            op.filings("-state:filed").await.is_empty().then_some(())
        })
        .await;
        results.push(format!("{code}: {state}, {calls} uploads in 8 s"));
    }
    world.assert_exactly_once(&all).await;
    outcome(
        "F16",
        "an upload status for ever, then OK",
        &format!("{}; all {} filed once", results.join("; "), all.len()),
    );
}

/// Everything at once, at random, under load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_f18_a_dms_that_cuts_and_loses_at_random() {
    let mut world = World::new("random").with_imanage(sample()).with_log("warn").start().await;
    let chance = |probability, action| Rule::on("upload", action).fire(Fire::Probability(probability));
    for rule in [
        chance(0.08, Action::LoseAnswer {}),
        chance(0.04, Action::CommitThenStatus { status: 502, headers: BTreeMap::new(), body: None }),
        chance(0.04, Action::CutAnswer { after: 0 }),
        chance(0.03, Action::CutAnswer { after: 30 }),
        chance(0.03, Action::ResetAfterRead { bytes: 0 }),
        chance(0.03, Action::ResetAfterRead { bytes: 1 }),
        chance(0.03, Action::ResetAfterRead { bytes: 5_000 }),
        chance(0.03, Action::Close {}),
        chance(0.03, Action::Status { status: 503, headers: BTreeMap::new(), body: None }),
        chance(0.01, Action::ExpireTokens {}),
        Rule::on("search_documents", Action::Status { status: 500, headers: BTreeMap::new(), body: None })
            .fire(Fire::Probability(0.1)),
    ] {
        world.fault(rule);
    }
    let crowd = Crowd::start(&world.op(), 6, &["10442-0007", "10442-0012"], 20_000, 300, 18);
    let tally = crowd.finish().await;
    world.handed_in = tally.handed_in.lock().unwrap().clone();
    world.quiet(Duration::from_mins(5)).await;
    let accepted = tally.accepted();
    let verdict = world.verdict(&accepted).await;
    let stats = world.sim("dms").control().stats();
    assert!(verdict.is_clean() && verdict.filed == verdict.accepted, "{verdict:#?}");
    outcome(
        "F17/18",
        "resets, cut and lost answers at random",
        &format!(
            "{} faults over {} filings: filed {}, lost 0, duplicates 0",
            stats.faults, verdict.accepted, verdict.filed
        ),
    );
}
