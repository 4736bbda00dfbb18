//! Accepting against writing the same bytes to plain files.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use postroom_tests::settings::token;
use postroom_tests::world::MATTER;
use postroom_tests::{Chance, World};
use serde_json::json;

use crate::raw::{Prepared, Raw};
use crate::{Sizes, figure, p99};

const BYTES: usize = 50 * 1024;

/// A document that is like no other.
fn document(base: &[u8], client: usize, number: u64) -> Vec<u8> {
    let mut bytes = base.to_vec();
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes[8..16].copy_from_slice(&(client as u64).to_le_bytes());
    bytes
}

/// Writes and flushes files from that many threads; files per second.
fn plain(folder: &Path, base: &[u8], threads: usize, time: Duration) -> f64 {
    let begin = Instant::now();
    let files: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let mut count = 0;
                    while begin.elapsed() < time {
                        write(&folder.join(format!("{thread}-{count}")), &document(base, thread, count));
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    files as f64 / begin.elapsed().as_secs_f64()
}

fn write(path: &Path, bytes: &[u8]) {
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
}

/// Uploads from that many clients; the time of each.
async fn uploads(world: &World, clients: usize, round: u64, time: Duration) -> (f64, Vec<Duration>) {
    let begin = Instant::now();
    let tasks: Vec<_> = (0..clients as u64)
        .map(|client| {
            let (url, token) = (world.url(), token("operator"));
            tokio::spawn(async move {
                let mut raw = Raw::connect(&url, &token).await;
                let mut prepared = Prepared::new(MATTER, BYTES);
                let mut times = Vec::new();
                while begin.elapsed() < time {
                    let number = (round << 48) + (client << 32) + times.len() as u64;
                    let one = Instant::now();
                    raw.hand_in(&mut prepared, number).await;
                    times.push(one.elapsed());
                }
                times
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    (all.len() as f64 / begin.elapsed().as_secs_f64(), all)
}

pub(crate) async fn run(sizes: &Sizes) {
    let mut world = World::new("bench-accept").with_folder_dms().with_log("warn").start().await;
    let op = world.op();
    // Only the door is measured: nothing is filed meanwhile.
    let _ = op.post("/api/v1/destinations/files/pause", &json!({"reason": "bench"})).await.expect(200);
    let base = Chance::new(1).bytes(BYTES);
    let files = world.root().join("plain");
    std::fs::create_dir_all(&files).unwrap();
    let time = Duration::from_secs(sizes.seconds);

    // Plain files before and after, because disks change their mind.
    uploads(&world, 8, 0, Duration::from_millis(500)).await;
    let before = plain(&files, &base, 64, time);
    let (accepted, _) = uploads(&world, 64, 1, time).await;
    let after = plain(&files, &base, 64, time);
    let plain_rate = f64::midpoint(before, after);
    let ratio = accepted / plain_rate;
    let more = json!({
        "accepted_per_second": accepted.round(), "plain_files_per_second": plain_rate.round(),
        "plain_before": before.round(), "plain_after": after.round(), "clients": 64, "bytes": BYTES,
    });
    figure(
        sizes,
        "accept_rate",
        (ratio, "ratio"),
        "write and fsync of plain files, 64 at once",
        (">= 0.7", ratio >= 0.7),
        more,
    );

    let (_, times) = uploads(&world, 8, 2, time).await;
    let mut flushes = Vec::new();
    for number in 0..sizes.samples {
        let bytes = document(&base, 99, number as u64);
        let begin = Instant::now();
        write(&files.join("one"), &bytes);
        flushes.push(begin.elapsed());
    }
    let (accept, flush) = (p99(times.clone()), p99(flushes.clone()));
    let ratio = accept.as_secs_f64() / flush.as_secs_f64();
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1000.0
    };
    let more = json!({
        "accept_p99_ms": accept.as_secs_f64() * 1000.0, "fsync_p99_ms": flush.as_secs_f64() * 1000.0,
        "accept_p50_ms": median(times), "fsync_p50_ms": median(flushes), "clients": 8, "bytes": BYTES,
    });
    figure(
        sizes,
        "accept_p99",
        (ratio, "ratio"),
        "p99 of one write and fsync of the same bytes",
        ("<= 4", ratio <= 4.0),
        more,
    );
    world.kill().await;
}
