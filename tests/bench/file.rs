//! Filing into the simulator against a bare loop that makes the same calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use postroom_tests::client::http;
use postroom_tests::world::MATTER;
use postroom_tests::{Chance, Upload, World};
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::sim::{FOLDER, Sim};
use crate::{Sizes, figure};

const BYTES: usize = 20 * 1024;
const AT_ONCE: usize = 8;

/// The calls that a connector makes for a document, without a queue.
async fn bare(sim: &Sim, count: u64, base: &[u8]) -> f64 {
    let (client, token) = (http(), sim.token().await);
    let url = format!("{}/work/api/v2/customers/1/libraries/ACTIVE/folders/{FOLDER}/documents", sim.url);
    let from = sim.committed().await;
    let next = Arc::new(AtomicU64::new(0));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (client, token, url, next, base) = (client.clone(), token.clone(), url.clone(), Arc::clone(&next), base.to_vec());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let mut bytes = base.clone();
                    bytes[..8].copy_from_slice(&number.to_le_bytes());
                    let profile = json!({
                        "warnings_for_required_and_disabled_fields": true, "inherit_profile_from_folder": true,
                        "keep_locked": false, "audit": {"comments": "bench"},
                        "doc_profile": {"comment": format!("bare:{number}"), "name": "a", "extension": "pdf", "size": bytes.len()},
                    });
                    let form = Form::new()
                        .part("profile", Part::text(profile.to_string()).mime_str("application/json").unwrap())
                        .part("file", Part::bytes(bytes).file_name("a.pdf").mime_str("application/pdf").unwrap());
                    let answer = client.post(&url).header("X-Auth-Token", &token).multipart(form).send().await.unwrap();
                    let status = answer.status();
                    let text = answer.text().await.unwrap();
                    assert!(status.is_success(), "{status}: {text}");
                }
            })
        })
        .collect();
    let rate = sim.rate(from, count).await;
    for worker in workers {
        worker.await.unwrap();
    }
    rate
}

/// Hands in `count` filings while the destination is stopped.
pub(crate) async fn preload(world: &World, count: u64, base: &[u8], round: u64) {
    let op = world.op();
    let mut number = round << 40;
    let end = number + count;
    while number < end {
        let mut upload = Upload::to(MATTER);
        for _ in 0..50.min(end - number) {
            let mut bytes = base.to_vec();
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            upload = upload.file("a.pdf", bytes);
            number += 1;
        }
        let answer = op.upload(&upload).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
}

pub(crate) async fn door(world: &World, what: &str) {
    let path = format!("/api/v1/destinations/dms/{what}");
    let body = if what == "pause" { json!({"reason": "bench"}) } else { json!({}) };
    let _ = world.op().post(&path, &body).await.expect(200);
}

pub(crate) async fn run(sizes: &Sizes) {
    let sim = Sim::start();
    let base = Chance::new(2).bytes(BYTES);
    let mut world = World::new("bench-file")
        .with_imanage_at(&sim.url)
        .with_concurrency(AT_ONCE)
        .with_log("warn")
        .start()
        .await;
    door(&world, "pause").await;
    preload(&world, 200, &base, 1).await;
    let from = sim.committed().await;
    door(&world, "resume").await;
    sim.rate(from, 200).await;
    world.quiet(std::time::Duration::from_mins(5)).await;

    let before = bare(&sim, sizes.drain, &base).await;
    door(&world, "pause").await;
    preload(&world, sizes.drain, &base, 2).await;
    let uploads = sim.stats().await["calls"].clone();
    let from = sim.committed().await;
    door(&world, "resume").await;
    let filed = sim.rate(from, sizes.drain).await;
    world.quiet(std::time::Duration::from_mins(5)).await;
    let after = bare(&sim, sizes.drain, &base).await;
    let rate = f64::midpoint(before, after);
    let ratio = filed / rate;
    let more = json!({
        "filed_per_second": filed.round(), "bare_per_second": rate.round(), "bare_before": before.round(),
        "bare_after": after.round(), "at_once": AT_ONCE, "bytes": BYTES,
        "other_calls_before": uploads.as_object().map(|calls| calls.keys().cloned().collect::<Vec<_>>()),
    });
    figure(
        sizes,
        "file_rate",
        (ratio, "ratio"),
        "a bare reqwest loop with the same calls, 8 at once",
        (">= 0.8", ratio >= 0.8),
        more,
    );
    world.kill().await;
}
