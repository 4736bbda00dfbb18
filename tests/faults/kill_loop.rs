//! F1 and F2: SIGKILL at random moments and at exact system calls, while clients hand documents in and a simulator loses
//! one answer in twenty. Sizes: `POSTROOM_KILLS`, `POSTROOM_CUTS`, `POSTROOM_FILINGS`; seed: `POSTROOM_SEED`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use postroom_sims::imanage::{Action, Fire, Rule};
use postroom_tests::crowd::Crowd;
use postroom_tests::kernel::{self, Injection};
use postroom_tests::outcome::sized;
use postroom_tests::process::NotReady;
use postroom_tests::world::sample;
use postroom_tests::{Chance, World, outcome};
use serde_json::json;

/// Where a kill can hit: writes of store and spool, flushes, growth, names, and answers to clients and the DMS.
/// With the most calls of one thread that a second of work brings.
const CALLS: &[(&str, u64)] = &[
    ("pwrite64", 60),
    ("write", 30),
    ("fdatasync", 30),
    ("fsync", 12),
    ("ftruncate", 2),
    ("renameat2,renameat,rename,linkat,link", 8),
    ("unlinkat,unlink", 3),
    ("openat", 20),
    ("sendto", 20),
    ("writev", 20),
    ("recvfrom", 30),
];

const MATTERS: &[&str] = &["10442-0007", "10442-0012", "10517-0001", "10630-0009"];

enum Kill {
    /// At a moment.
    Random,
    /// On a call of a thread.
    Cut,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_loop() {
    let (kills, cuts) = (sized("POSTROOM_KILLS", 40), sized("POSTROOM_CUTS", 20));
    let filings = sized("POSTROOM_FILINGS", 400);
    let seed = sized("POSTROOM_SEED", 20_261_123);
    let mut chance = Chance::new(seed);
    let mut options = sample();
    options.keep_bytes = 0;
    let mut world = World::new("kills")
        .with_imanage(options)
        .with_seed(seed)
        .with_log("warn")
        // A filing may be met by more kills in a row than would ever happen by chance; that limit has its own test.
        .with_retry("first_seconds = 1\ncap_seconds = 1\nlag_window_seconds = 1\ninterruption_limit = 255")
        .start()
        .await;
    world.fault(Rule::on("upload", Action::LoseAnswer {}).fire(Fire::Probability(0.05)));

    // Rounds in an order that chance gives.
    let mut plan: Vec<Kill> = (0..kills).map(|_| Kill::Random).collect();
    for _ in 0..cuts {
        let place = usize::try_from(chance.below(plan.len() as u64 + 1)).unwrap();
        plan.insert(place, Kill::Cut);
    }
    // Filings are spread over the rounds, so that every kill meets work at every stage, and no backlog grows that outlasts
    // the kills.
    let crowd = Crowd::start(&world.op(), 8, MATTERS, 20_000, u64::MAX, seed);
    let rounds = plan.len() as u64;
    let begin = Instant::now();
    let (mut random, mut exact, mut missed, mut starting) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut by_call: BTreeMap<&str, u64> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    let log = world.root().join("strace.log");
    plan.reverse();
    while let Some(kill) = plan.pop() {
        let done = rounds.saturating_sub(plan.len() as u64);
        crowd.tally.allow(filings * done / rounds.max(1) + 8);
        match kill {
            Kill::Random => {
                let moment = Duration::from_micros(chance.between(500, 700_000));
                let patience = Duration::from_micros(chance.between(1_000, 250_000));
                tokio::time::sleep(moment).await;
                world.kill().await;
                random += 1;
                // One in five is killed again while it starts or recovers.
                if chance.below(5) == 0 && random < kills {
                    let mut launch = world.launch();
                    launch.patience = patience;
                    match postroom_tests::Server::start(&launch).await {
                        Ok(server) => drop(server.kill().await),
                        Err(NotReady::Silent) => starting += 1,
                        Err(NotReady::Ended(status)) => panic!("a start ended by itself with {status}"),
                    }
                    random += 1;
                }
            }
            Kill::Cut => {
                let (call, most) = CALLS[usize::try_from(chance.below(CALLS.len() as u64)).unwrap()];
                let at = chance.between(1, most);
                let names: Vec<String> =
                    call.split(',').map(|call| format!("{call}:signal=KILL:when={at}")).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                // Half of them from the first instruction on, half in the middle of the work.
                let died = if chance.below(2) == 0 {
                    world.kill().await;
                    world.prefix = kernel::inject(&names, &log);
                    let started = world.try_start().await;
                    world.prefix = Vec::new();
                    match started {
                        Ok(()) => world.ended(Duration::from_secs(2)).await.is_some(),
                        Err(NotReady::Ended(_)) => true,
                        Err(NotReady::Silent) => panic!("a traced start said nothing"),
                    }
                } else {
                    let injection = Injection::attach(world.server().pid(), &names, &log);
                    let died = world.ended(Duration::from_secs(2)).await.is_some();
                    drop(injection);
                    died
                };
                if died {
                    exact += 1;
                    *by_call.entry(call.split(',').next().unwrap()).or_default() += 1;
                } else {
                    // The call never came that often: an ordinary kill instead, counted as neither, and another cut.
                    missed += 1;
                    assert!(missed < 20 + 3 * cuts, "calls are hardly ever met: is strace at work?");
                    plan.push(Kill::Cut);
                    world.kill().await;
                }
            }
        }
        world.start().await;
        slowest = slowest.max(world.server().took);
        if plan.len().is_multiple_of(50) {
            let accepted = crowd.tally.filings.load(Ordering::Relaxed);
            println!(
                "{random} random and {exact} exact kills so far, {accepted} filings accepted, {} rounds left",
                plan.len()
            );
        }
    }
    crowd.tally.allow(u64::MAX);
    while crowd.tally.filings.load(Ordering::Relaxed) < filings {
        assert!(crowd.tally.strange.lock().unwrap().is_empty(), "{:?}", crowd.tally.strange.lock().unwrap());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    crowd.tally.stop();
    let tally = crowd.finish().await;
    assert!(tally.strange.lock().unwrap().is_empty(), "{:?}", tally.strange.lock().unwrap());
    world.handed_in = tally.handed_in.lock().unwrap().clone();
    world.quiet(Duration::from_mins(10) + Duration::from_millis(50 * filings)).await;

    let accepted = tally.accepted();
    let verdict = world.verdict(&accepted).await;
    let summary = json!({
        "test": "kill_loop", "seed": seed, "kills_random": random, "of_these_during_start": starting, "kills_exact": exact,
        "exact_by_call": by_call, "exact_not_reached": missed, "accepted": verdict.accepted, "filed": verdict.filed,
        "lost": verdict.lost.len(), "duplicates": verdict.duplicates.len(), "damaged": verdict.damaged.len(),
        "strangers": verdict.strangers.len(), "with_person": verdict.with_person.len(),
        "requests_repeated": tally.repeated.load(Ordering::Relaxed),
        "acknowledged_on_resend": tally.replayed.load(Ordering::Relaxed),
        "ledger": world.sim("dms").control().ledger().len(),
        "answers_lost": world.sim("dms").control().stats().faults,
        "slowest_start_ms": slowest.as_millis(), "seconds": begin.elapsed().as_secs(),
    });
    println!("{summary}");
    let result = format!(
        "{random} random and {exact} exact kills: accepted {}, filed {}, lost {}, duplicates {}, slowest start {slowest:.1?}",
        verdict.accepted,
        verdict.filed,
        verdict.lost.len(),
        verdict.duplicates.len()
    );
    outcome("F1/F2", "kill -9 at random moments and exact calls", &result);
    assert!(verdict.is_clean() && verdict.filed == verdict.accepted, "seed {seed}: {verdict:#?}");
    // The store agrees with itself after all that.
    world.stop().await;
    let data = world.data().display().to_string();
    let config = world.config().display().to_string();
    let output =
        postroom_tests::process::run("postroom", &["verify", "--data", &data, "--config", &config]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
