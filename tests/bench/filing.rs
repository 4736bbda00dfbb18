//! Filing into the fake iManage, against a bare loop that makes the same upload calls with the same concurrency and keeps nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use postroom_tests::client::http;
use postroom_tests::settings::token;
use postroom_tests::world::{MATTER, World, sample};
use serde_json::json;

use crate::Scale;
use crate::figure::{Aim, median, per_second, tell};
use crate::plain::DOCUMENT;
use crate::raw::{Prepared, Raw};

const WORKERS: usize = 8;
/// Correspondence of the matter "Harrow v Teal" in the sample firm.
const FOLDER: &str = "ACTIVE!3652";

/// Filed per second out of a backlog, against the bare loop in the same rounds.
pub(crate) async fn rate(scale: Scale) {
    let world = World::new("bench-filing")
        .with_imanage(sample())
        .with_log("warn")
        .with_concurrency(WORKERS)
        .start()
        .await;
    let reason = json!({ "reason": "a backlog is built" });
    let (mut ratios, mut filed_rates, mut bare_rates) = (Vec::new(), Vec::new(), Vec::new());
    let mut number = 1;
    for _ in 0..scale.rounds {
        let bare = bare(&world, scale.filings).await;
        world.op().post("/api/v1/destinations/dms/pause", &reason).await.expect(200);
        hand_in(&world, scale.filings, number).await;
        number += scale.filings as u64;
        let goal = committed(&world) + scale.filings as u64;
        world.op().post("/api/v1/destinations/dms/resume", &json!({})).await.expect(200);
        let begin = Instant::now();
        until_committed(&world, goal).await;
        let filed = per_second(scale.filings as u64, begin.elapsed());
        ratios.push(filed / bare);
        filed_rates.push(filed);
        bare_rates.push(bare);
        world.quiet(Duration::from_mins(1)).await;
    }
    let measured = json!({
        "filed_per_second": median(filed_rates).round(), "bare_per_second": median(bare_rates).round(),
        "ratios": ratios.iter().map(|r| (r * 100.0).round() / 100.0).collect::<Vec<_>>(),
    });
    tell(
        scale,
        "filed/s into the fake iManage, against a bare loop",
        median(ratios),
        "ratio",
        Aim::AtLeast(0.8),
        &measured,
    );
}

/// Documents in the fake iManage.
pub(crate) fn committed(world: &World) -> u64 {
    world.sim("dms").control().stats().committed
}

/// Waits until the fake iManage has so many.
pub(crate) async fn until_committed(world: &World, goal: u64) {
    let end = Instant::now() + Duration::from_mins(10);
    while committed(world) < goal {
        assert!(Instant::now() < end, "only {} of {goal} were filed\n{}", committed(world), world.log_tail());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn hand_in(world: &World, count: usize, first: u64) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for _ in 0..16 {
        let (url, token, next) = (world.url(), token("user"), next.clone());
        clients.push(tokio::spawn(async move {
            let mut raw = Raw::connect(&url, &token).await;
            let mut prepared = Prepared::new(MATTER, DOCUMENT);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                raw.hand_in(&mut prepared, first + number as u64).await;
            }
        }));
    }
    for client in clients {
        client.await.expect("a client");
    }
}

/// The same calls without a queue: uploads per second.
async fn bare(world: &World, count: usize) -> f64 {
    let sim = world.sim("dms");
    let access = sim.control().issue_token("POSTROOM").expect("a token");
    let url = format!("{}/work/api/v2/customers/1/libraries/ACTIVE/folders/{FOLDER}/documents", sim.url());
    let (http, next) = (http(), Arc::new(AtomicUsize::new(0)));
    let begin = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (http, next, access, url) = (http.clone(), next.clone(), access.clone(), url.clone());
        workers.push(tokio::spawn(async move {
            let mut bytes = vec![b'x'; DOCUMENT];
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                bytes[..8].copy_from_slice(&number.to_le_bytes());
                let profile = json!({
                    "warnings_for_required_and_disabled_fields": true, "inherit_profile_from_folder": true, "keep_locked": false,
                    "doc_profile": { "name": "letter", "extension": "pdf", "size": DOCUMENT, "comment": format!("bare:{number}") },
                });
                let profile = reqwest::multipart::Part::text(profile.to_string()).mime_str("application/json").expect("a type");
                let file = reqwest::multipart::Part::bytes(bytes.clone()).file_name("letter.pdf");
                let form = reqwest::multipart::Form::new().part("profile", profile).part("file", file);
                let answer = http.post(&url).header("X-Auth-Token", &access).multipart(form).send().await.expect("an answer");
                assert_eq!(answer.status(), 201, "the bare loop's upload");
                answer.bytes().await.expect("the answer's body");
            }
        }));
    }
    for worker in workers {
        worker.await.expect("a worker");
    }
    per_second(count as u64, begin.elapsed())
}
