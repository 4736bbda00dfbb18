//! A million filings that wait: does the pace hold, how quick is a start after a kill, how quick are lists?

use std::path::Path;
use std::time::{Duration, Instant};

use postroom_tests::process::program;
use postroom_tests::world::{World, sample};
use serde_json::{Value, json};

use crate::Scale;
use crate::figure::{Aim, median, mib, per_second, tell};
use crate::filing::{committed, until_committed};
use crate::plain::DOCUMENT;

/// A world whose store holds so many waiting filings, built by the store's own loader.
async fn loaded(filings: u64) -> World {
    let world =
        World::new("bench-backlog").with_imanage(sample()).with_log("warn").with_concurrency(8).build();
    let content = world.root().join("letter.pdf");
    std::fs::write(&content, vec![b'x'; DOCUMENT]).expect("the document");
    load(&world.data(), filings, &content).await;
    world
}

async fn load(data: &Path, filings: u64, content: &Path) {
    let output = tokio::process::Command::new(program("examples/load"))
        .args(["--data", &data.display().to_string(), "--filings", &filings.to_string()])
        .args(["--content", &content.display().to_string(), "--fields", "custom1=10442,custom2=0007"])
        .args(["--folder", "Documents/Correspondence", "--service", "dms"])
        .output()
        .await
        .expect("the loader runs (cargo build --release -p postroom-store --example load)");
    assert!(output.status.success(), "the loader failed: {}", String::from_utf8_lossy(&output.stderr));
}

/// All figures of the large backlog.
pub(crate) async fn all(scale: Scale) {
    let mut small = Vec::new();
    for _ in 0..scale.rounds {
        small.push(pace(&mut loaded(1000).await, 900).await);
    }
    let mut world = loaded(scale.backlog).await;
    let mut large = Vec::new();
    // The first start is after a clean close; it warms nothing that the next ones would not.
    for round in 0..scale.rounds {
        large.push(pace(&mut world, 900).await);
        if round + 1 < scale.rounds {
            world.kill().await;
        }
    }
    let (small, large) = (median(small), median(large));
    let measured = json!({
        "with_1000_per_second": small.round(), "with_backlog_per_second": large.round(), "backlog": scale.backlog,
    });
    tell(
        scale,
        "filed/s with a large backlog, against one of 1,000",
        large / small,
        "ratio",
        Aim::AtLeast(0.9),
        &measured,
    );
    start_after_kill(scale, &mut world).await;
    lists(scale, &world).await;
}

/// Starts the server (killed before, or never run) and measures how fast it files the first so many.
async fn pace(world: &mut World, filings: u64) -> f64 {
    let before = committed(world);
    world.start().await;
    // The first ones pay for connection, sign-in and resolution.
    until_committed(world, before + 50).await;
    let (begin, from) = (Instant::now(), committed(world));
    until_committed(world, from + filings).await;
    per_second(committed(world) - from, begin.elapsed())
}

/// Kill −9 while it is filing, then the time until it is ready, and its memory then.
async fn start_after_kill(scale: Scale, world: &mut World) {
    let (mut times, mut residents) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        until_committed(world, committed(world) + 200).await;
        world.kill().await;
        let begin = Instant::now();
        world.start().await;
        world.op().ok("/readyz").await;
        times.push(begin.elapsed().as_secs_f64());
        residents.push(mib(world.server().resident()));
    }
    let measured = json!({ "backlog": scale.backlog, "seconds": times, "resident_mib": residents });
    tell(scale, "start after kill −9 with a large backlog", median(times), "s", Aim::AtMost(5.0), &measured);
    tell(scale, "resident memory then", median(residents), "MiB", Aim::AtMost(200.0), &measured);
}

/// The first page and filtered pages over HTTP, while it is filing.
async fn lists(scale: Scale, world: &World) {
    let op = world.op();
    let queries = [
        ("first page", ""),
        ("state", "state:waiting"),
        ("state and destination", "state:filed%20dest:dms"),
        ("reference", "ref:M-000007"),
        ("text in every tenth", "%22draft%2077%22"),
        ("text in none", "%22nowhere%20to%20be%20found%22"),
    ];
    let mut worst = serde_json::Map::new();
    let mut slowest: f64 = 0.0;
    for (name, query) in queries {
        let mut times = Vec::new();
        for _ in 0..20 {
            let begin = Instant::now();
            let page: Value = op.ok(&format!("/api/v1/filings?limit=50&q={query}")).await;
            assert!(page["items"].is_array(), "a page");
            times.push(begin.elapsed().as_secs_f64() * 1000.0);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let median = median(times);
        slowest = slowest.max(median);
        worst.insert(name.to_owned(), json!((median * 10.0).round() / 10.0));
    }
    let measured = json!({ "median_ms": worst, "backlog": scale.backlog, "while": "filing" });
    tell(scale, "slowest of the first page and filtered pages", slowest, "ms", Aim::AtMost(50.0), &measured);
}
