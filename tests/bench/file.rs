//! Filing into each kind of DMS against a bare loop that makes the same calls: small documents by their number, large ones by their bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use postroom_tests::client::http;
use postroom_tests::dms::{self, Dms};
use postroom_tests::world::MATTER;
use postroom_tests::{Chance, Upload, World};
use serde_json::json;

use crate::tape::{Sample, Score, Tape};
use crate::{Sizes, figure};

/// A letter.
const SMALL: usize = 20 * 1024;
/// A bundle of scans.
const LARGE: usize = 64 << 20;
const AT_ONCE: usize = 8;
/// Documents of one request.
pub(crate) const TOGETHER: u64 = 50;
/// Fewer tell nothing.
const FEWEST: u64 = 100;
/// Names are equally long, so that what is played is as long as what was taken down.
const SAMPLE_NAME: &str = "bench-0000000000";

/// Documents of one size, and what is asked about them.
struct Kind {
    figure: &'static str,
    bytes: usize,
    /// How many are filed.
    count: u64,
    /// In how many requests they are handed in.
    together: u64,
    at_once: usize,
}

/// A started world with one DMS, and the calls of one filing.
struct Bench {
    world: World,
    score: Arc<Score>,
    base: Vec<u8>,
}

/// The numbers of `count` documents that no other round has.
pub(crate) fn numbers(round: u64, count: u64) -> std::ops::Range<u64> {
    let first = round * 1_000_000;
    first..first + count
}

fn name(n: u64) -> String {
    format!("bench-{n:010}")
}

impl Bench {
    /// Files one document past the tape, and starts anew without it.
    async fn start(dms: Box<dyn Dms>, kind: &Kind) -> Self {
        let url = dms.url();
        let tape = Tape::before(&url);
        let mut world =
            World::new("bench-file").with_dms(dms).with_concurrency(kind.at_once).with_log("warn").build();
        let past = world.settings.text().replace(url.trim_end_matches('/'), &tape.url);
        std::fs::write(world.config(), past).unwrap();
        world.start().await;
        world.create_matters().await;
        let base = Chance::new(2).bytes(kind.bytes);
        // The first one is what tries a server out and finds the folder.
        let first = world.deposit(Upload::to(MATTER).file("first.pdf", Chance::new(3).bytes(1000))).await;
        world.all_filed(&[first]).await;
        tape.rewind();
        let upload = Upload::to(MATTER).file(&format!("{SAMPLE_NAME}.pdf"), base.clone());
        let accepted = world.deposit(upload).await;
        let filing = accepted.filings[0].0.clone();
        world.all_filed(&[accepted]).await;
        let sample = Sample { filing, name: SAMPLE_NAME.to_owned(), content: Bytes::from(base.clone()) };
        let score = Arc::new(tape.cut(&sample).await);
        world.stop().await;
        world.write_settings();
        world.start().await;
        Self { world, score, base }
    }

    /// Documents per second of the bare loop.
    async fn bare(&self, kind: &Kind, round: u64) -> f64 {
        let (next, begin) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let (first, count, http) = (numbers(round, 0).start, kind.count, http());
        let workers: Vec<_> = (0..kind.at_once)
            .map(|_| {
                let (next, score, http) = (Arc::clone(&next), Arc::clone(&self.score), http.clone());
                tokio::spawn(async move {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= count {
                            return;
                        }
                        let n = first + n;
                        score.play(&http, n, &name(n)).await;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        count as f64 / begin.elapsed().as_secs_f64()
    }

    /// Documents per second of the program, from a full queue to an empty one.
    async fn filed(&self, kind: &Kind, round: u64) -> f64 {
        door(&self.world, "pause").await;
        preload(&self.world, numbers(round, kind.count), &self.base, kind.together).await;
        let before = self.filings().await;
        let begin = Instant::now();
        door(&self.world, "resume").await;
        while self.filings().await < before + kind.count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        kind.count as f64 / begin.elapsed().as_secs_f64()
    }

    async fn filings(&self) -> u64 {
        self.world.op().ok("/api/v1/summary").await["filings"]["filed"].as_u64().unwrap()
    }
}

/// Hands in filings with these numbers while the destination is stopped.
pub(crate) async fn preload(world: &World, numbers: std::ops::Range<u64>, base: &[u8], together: u64) {
    let (op, end) = (world.op(), numbers.end);
    for from in numbers.step_by(usize::try_from(together).unwrap()) {
        let upload = (from..end.min(from + together)).fold(Upload::to(MATTER), |upload, n| {
            let mut bytes = base.to_vec();
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            upload.file(&format!("{}.pdf", name(n)), bytes)
        });
        let answer = op.upload(&upload).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
}

/// Stops the destination, or lets it go on.
pub(crate) async fn door(world: &World, what: &str) {
    let path = format!("/api/v1/destinations/dms/{what}");
    let body = if what == "pause" { json!({"reason": "bench"}) } else { json!({}) };
    let _ = world.op().post(&path, &body).await.expect(200);
}

async fn measure(sizes: &Sizes, dms: Box<dyn Dms>, mut kind: Kind) {
    let into = dms.kind();
    let mut bench = Bench::start(dms, &kind).await;
    if kind.bytes == SMALL {
        kind.count = (sizes.drain / bench.score.calls() as u64).max(FEWEST);
    }
    // Both once without counting: connections, caches, the processor's clock.
    let warm = Kind { count: (kind.count / 10).max(2), ..kind };
    let _ = (bench.bare(&warm, 1).await, bench.filed(&warm, 2).await);
    let before = bench.bare(&kind, 3).await;
    let filed = bench.filed(&kind, 4).await;
    let after = bench.bare(&kind, 5).await;
    let bare = f64::midpoint(before, after);
    let ratio = filed / bare;
    let mib = |rate: f64| (rate * kind.bytes as f64 / f64::from(1 << 20) * 10.0).round() / 10.0;
    let tenth = |rate: f64| (rate * 10.0).round() / 10.0;
    let more = json!({
        "filed_per_second": tenth(filed), "bare_per_second": tenth(bare), "bare_before": tenth(before),
        "bare_after": tenth(after), "filed_mib_per_second": mib(filed), "bare_mib_per_second": mib(bare),
        "documents": kind.count, "at_once": kind.at_once, "bytes": kind.bytes, "calls": bench.score.methods(),
    });
    figure(
        sizes,
        &format!("{}_{into}", kind.figure),
        (ratio, "ratio"),
        "a bare reqwest loop with the same calls, as many at once",
        (">= 0.8", ratio >= 0.8),
        more,
    );
    bench.world.kill().await;
}

/// A DMS of every kind that has a server.
pub(crate) async fn every_kind(seed: u64) -> Vec<Box<dyn Dms>> {
    let mut all = dms::vendors(seed);
    all.push(dms::Webdav::start(seed).await);
    all
}

pub(crate) async fn run(sizes: &Sizes) {
    for dms in every_kind(0xbe0c).await {
        // Names are given one after the other there, under a lock that the bare loop would stand before.
        let at_once = if dms.kind() == "webdav" { 1 } else { AT_ONCE };
        let small = Kind { figure: "file_rate", bytes: SMALL, count: 1, together: TOGETHER, at_once };
        measure(sizes, dms, small).await;
    }
    for dms in every_kind(0xbe1c).await {
        let count = if sizes.quick { 8 } else { 32 };
        let at_once = if dms.kind() == "webdav" { 1 } else { 2 };
        let large = Kind { figure: "file_bytes", bytes: LARGE, count, together: 1, at_once };
        measure(sizes, dms, large).await;
    }
}
