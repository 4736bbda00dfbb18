//! Memory while one very large document goes in, and out into each kind of DMS.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use postroom_tests::dms::Dms;
use postroom_tests::settings::token;
use postroom_tests::wire::Wire;
use postroom_tests::world::MATTER;
use postroom_tests::{Chance, Upload, World};
use serde_json::json;

use crate::file::every_kind;
use crate::{Sizes, figure};

pub(crate) async fn run(sizes: &Sizes) {
    for dms in every_kind(0xbe2c).await {
        one(sizes, dms).await;
    }
}

async fn one(sizes: &Sizes, dms: Box<dyn Dms>) {
    let into = dms.kind();
    let mut world = World::new("bench-large").with_dms(dms).with_log("warn").start().await;
    // Warm: every thread has its stack, every connection its buffers.
    let mut small = Vec::new();
    for number in 0..20 {
        small.push(world.deposit(Upload::to(MATTER).file("a.pdf", Chance::new(number).bytes(200_000))).await);
    }
    world.all_filed(&small).await;
    let idle = world.server().resident();

    let frame = Upload::to(MATTER).file("large.pdf", b"@@".to_vec());
    let body = String::from_utf8(frame.body()).unwrap();
    let (head, tail) = body.split_once("@@").unwrap();
    let length = head.len() as u64 + sizes.large + tail.len() as u64;
    let begin = Instant::now();
    let mut wire = Wire::connect(&world.url()).await;
    let headers = [("Content-Type", frame.content_type()), ("Content-Length", length.to_string())];
    assert!(wire.post("/api/v1/intakes", &token("operator"), &headers).await);
    assert!(wire.send(head).await);
    let (pid, mut peak_in) = (world.server().pid(), idle);
    let mut chunk = Chance::new(9).bytes(1 << 20);
    let mut left = sizes.large;
    while left > 0 {
        chunk[..8].copy_from_slice(&left.to_le_bytes());
        let now = usize::try_from(left.min(chunk.len() as u64)).unwrap();
        assert!(wire.send(&chunk[..now]).await, "the server closed the connection");
        left -= now as u64;
        peak_in = peak_in.max(postroom_tests::process::resident(pid));
    }
    assert!(wire.send(tail).await);
    let answer = wire.answer(Duration::from_mins(10)).await.expect("an answer").expect(202);
    let took_in = begin.elapsed();
    let id = answer.body["filings"][0]["id"].as_str().unwrap().to_owned();
    let op = world.op();
    let (begin, mut peak_out) = (Instant::now(), idle);
    loop {
        let filing = op.filing(&id).await;
        peak_out = peak_out.max(postroom_tests::process::resident(pid));
        match filing["state"].as_str() {
            Some("filed") => break,
            Some("failed" | "undecided" | "held") => panic!("the large document was not filed: {filing:#}"),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    let took_out = begin.elapsed();
    let above = (peak_in.max(peak_out) - idle) as f64 / f64::from(1 << 20);
    let mut words = String::new();
    let _ = write!(words, "idle, {} MiB", idle >> 20);
    let more = json!({
        "document_mib": sizes.large >> 20, "idle_mib": idle >> 20, "peak_in_mib": peak_in >> 20, "peak_out_mib": peak_out >> 20,
        "in_seconds": took_in.as_secs_f64(), "out_seconds": took_out.as_secs_f64(),
    });
    figure(
        sizes,
        &format!("large_document_memory_{into}"),
        (above, "MiB"),
        &words,
        ("< 64 MiB above idle", above < 64.0),
        more,
    );
    world.kill().await;
}
