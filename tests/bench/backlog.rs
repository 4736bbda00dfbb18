//! A million filings: rate, start, memory, lists.

use std::time::{Duration, Instant};

use postroom_tests::process::{NotReady, Server};
use postroom_tests::{Chance, World};
use serde_json::json;

use crate::file::{TOGETHER, door, numbers, preload};
use crate::sim::Sim;
use crate::{Sizes, figure};

/// Rounds of a drain whose median counts.
const ROUNDS: u64 = 5;
/// Filings of one drain.
const PORTION: u64 = 1_000;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Fills a store with the store's own loader.
fn load(world: &World, filings: u64) {
    let content = world.root().join("content.pdf");
    std::fs::write(&content, Chance::new(4).bytes(2_000)).unwrap();
    let status = crate::example("load")
        .args(["--filings", &filings.to_string(), "--data"])
        .arg(world.data())
        .args(["--fields", "custom1=10442,custom2=0007", "--folder", "Documents/Correspondence", "--content"])
        .arg(&content)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "the loader failed");
}

async fn lists(world: &World, path: &str, samples: usize) -> Duration {
    let op = world.op();
    let mut times = Vec::new();
    for _ in 0..samples {
        let begin = Instant::now();
        op.ok(path).await;
        times.push(begin.elapsed());
    }
    crate::p99(times)
}

pub(crate) async fn run(sizes: &Sizes) {
    let sim = Sim::start();
    let mut world = World::new("bench-backlog").with_imanage_at(&sim.url).with_log("warn").start().await;
    let base = Chance::new(3).bytes(2_000);

    // A backlog of a thousand, drained several times.
    door(&world, "pause").await;
    preload(&world, numbers(9, 200), &base, TOGETHER).await;
    door(&world, "resume").await;
    world.quiet(Duration::from_mins(5)).await;
    let mut small = Vec::new();
    for round in 0..ROUNDS {
        door(&world, "pause").await;
        preload(&world, numbers(10 + round, PORTION), &base, TOGETHER).await;
        let from = sim.committed().await;
        door(&world, "resume").await;
        small.push(sim.rate(from, PORTION).await);
        world.quiet(Duration::from_mins(5)).await;
    }
    // The pause survives the restarts below.
    door(&world, "pause").await;
    world.stop().await;

    eprintln!("loading {} filings", sizes.backlog);
    load(&world, sizes.backlog);
    world.start().await;
    let filings = world.op().ok("/api/v1/summary").await["filings"]["waiting"].as_u64().unwrap_or_default();
    let blocked = world.op().ok("/api/v1/summary").await["filings"]["blocked"].as_u64().unwrap_or_default();
    assert!(
        filings + blocked >= sizes.backlog,
        "{filings} waiting and {blocked} blocked of {}",
        sizes.backlog
    );

    // Killed in the middle of changes; then the start.
    let writer = {
        let op = world.op();
        tokio::spawn(async move {
            let mut number = 0_u64;
            while op
                .try_upload(
                    &postroom_tests::Upload::to("nobody").file("x.pdf", number.to_le_bytes().to_vec()),
                )
                .await
                .is_ok()
            {
                number += 1;
            }
        })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.kill().await;
    let _ = writer.await;
    let mut launch = world.launch();
    launch.patience = Duration::from_mins(5);
    let server = match Server::start(&launch).await {
        Ok(server) => server,
        Err(NotReady::Ended(status)) => panic!("it ended with {status}: {}", world.log_tail()),
        Err(NotReady::Silent) => panic!("not ready within {:?}", launch.patience),
    };
    let (took, resident) = (server.took.as_secs_f64(), server.resident());
    world.server = Some(server);
    let count = json!({"filings": filings + blocked});
    figure(sizes, "start_after_kill", (took, "s"), "absolute", ("< 5 s", took < 5.0), count.clone());
    let mib = resident as f64 / f64::from(1 << 20);
    figure(sizes, "start_memory", (mib, "MiB"), "absolute", ("< 200 MiB", mib < 200.0), count);

    for (name, path) in [
        ("list_first_page", "/api/v1/filings?limit=50"),
        ("list_by_state", "/api/v1/filings?limit=50&q=state%3Awaiting%2Cblocked"),
        ("list_filtered", "/api/v1/filings?limit=50&q=dest%3Adms%20-state%3Afiled%20age%3E1s"),
        ("summary", "/api/v1/summary"),
        ("causes", "/api/v1/causes"),
    ] {
        let time = lists(&world, path, 50).await.as_secs_f64() * 1000.0;
        figure(
            sizes,
            name,
            (time, "ms (p99 of 50)"),
            "absolute",
            ("< 50 ms", time < 50.0),
            json!({"path": path}),
        );
    }

    crate::console::run(sizes, &world).await;

    // The same drains with the large backlog behind them.
    let mut large = Vec::new();
    let from = sim.committed().await;
    door(&world, "resume").await;
    sim.rate(from, PORTION).await;
    for _ in 0..ROUNDS {
        let from = sim.committed().await;
        large.push(sim.rate(from, PORTION).await);
    }
    let resident = world.server().resident();
    let (small, large) = (median(small), median(large));
    let ratio = large / small;
    let more = json!({
        "large_per_second": large.round(), "small_per_second": small.round(), "backlog": filings + blocked,
        "resident_mib": resident >> 20,
    });
    figure(
        sizes,
        "backlog_rate",
        (ratio, "ratio"),
        "the same with a backlog of 1,000",
        (">= 0.9", ratio >= 0.9),
        more,
    );
    world.kill().await;
}
