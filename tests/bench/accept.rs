//! The door: how many intakes a second are accepted, and how long one takes. Destinations are stopped meanwhile, so that it is the door that
//! is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use postroom_tests::settings::token;
use postroom_tests::world::{MATTER, World};
use serde_json::json;

use crate::Scale;
use crate::figure::{Aim, median, p99, per_second, tell};
use crate::plain::{self, DOCUMENT};
use crate::raw::{Prepared, Raw};

async fn quiet_world() -> World {
    let world = World::new("bench-door").with_folder_dms().with_log("warn").start().await;
    let reason = json!({ "reason": "the door is measured" });
    world.op().post("/api/v1/destinations/files/pause", &reason).await.expect(200);
    world
}

/// Hands documents in for some time; how many were accepted, and how long each took.
async fn hand_in(
    world: &World,
    clients: usize,
    time: Duration,
    numbers: &Arc<AtomicU64>,
) -> (u64, Vec<Duration>) {
    let end = Instant::now() + time;
    let (url, token) = (world.url(), token("user"));
    let client = || {
        let (url, token, numbers) = (url.clone(), token.clone(), numbers.clone());
        tokio::spawn(async move {
            let mut raw = Raw::connect(&url, &token).await;
            let mut prepared = Prepared::new(MATTER, DOCUMENT);
            let mut times = Vec::new();
            while Instant::now() < end {
                let begin = Instant::now();
                raw.hand_in(&mut prepared, numbers.fetch_add(1, Ordering::Relaxed)).await;
                times.push(begin.elapsed());
            }
            times
        })
    };
    let clients: Vec<_> = (0..clients).map(|_| client()).collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.expect("a client"));
    }
    (times.len() as u64, times)
}

/// Accepted per second with 64 clients, against plain files in the same rounds.
pub(crate) async fn rate(scale: Scale) {
    let world = quiet_world().await;
    let (numbers, time) = (Arc::new(AtomicU64::new(1)), Duration::from_secs(scale.seconds));
    let (mut ratios, mut accepted_rates, mut plain_rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        let folder = world.root().join("plain");
        let before = tokio::task::spawn_blocking(move || plain::write(&folder, 64, time / 2))
            .await
            .expect("plain files");
        let begin = Instant::now();
        let (accepted, _) = hand_in(&world, 64, time, &numbers).await;
        let took = begin.elapsed();
        let folder = world.root().join("plain");
        let after = tokio::task::spawn_blocking(move || plain::write(&folder, 64, time / 2))
            .await
            .expect("plain files");
        let plain = per_second(before.0 + after.0, time);
        let accepted = per_second(accepted, took);
        ratios.push(accepted / plain);
        accepted_rates.push(accepted);
        plain_rates.push(plain);
    }
    let measured = json!({
        "accepted_per_second": median(accepted_rates).round(), "plain_per_second": median(plain_rates).round(),
        "ratios": ratios.iter().map(|r| (r * 100.0).round() / 100.0).collect::<Vec<_>>(),
    });
    let ratio = median(ratios);
    tell(
        scale,
        "accepted/s, 64 clients, 50 KiB, against plain files",
        ratio,
        "ratio",
        Aim::AtLeast(0.7),
        &measured,
    );
}

/// The 99th percentile of accepting with 8 clients, against that of one flush of the same bytes.
pub(crate) async fn latency(scale: Scale) {
    let world = quiet_world().await;
    let (numbers, time) = (Arc::new(AtomicU64::new(1)), Duration::from_secs(scale.seconds));
    let (mut ratios, mut accepts, mut flushes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        let folder = world.root().join("plain");
        let (_, one) = tokio::task::spawn_blocking(move || plain::write(&folder, 1, time / 2))
            .await
            .expect("plain files");
        let (_, accept) = hand_in(&world, 8, time, &numbers).await;
        let (accept, one) = (p99(accept), p99(one));
        ratios.push(accept / one);
        accepts.push(accept);
        flushes.push(one);
    }
    let measured =
        json!({ "accept_p99_ms": median(accepts), "flush_p99_ms": median(flushes), "ratios": ratios });
    tell(
        scale,
        "p99 of accept, 8 clients, against p99 of one flush",
        median(ratios),
        "ratio",
        Aim::AtMost(4.0),
        &measured,
    );
}
