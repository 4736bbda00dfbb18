//! Resident memory while one large document comes in and goes out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use postroom_tests::process::{program, resident};
use postroom_tests::settings::token;
use postroom_tests::upload::Upload;
use postroom_tests::wire::Wire;
use postroom_tests::world::{MATTER, World};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::Scale;
use crate::figure::{Aim, mib, tell};

/// The most that the process holds above idle. The fake iManage is a process of its own and keeps no bytes.
pub(crate) async fn large_document(scale: Scale) {
    let mut sim = tokio::process::Command::new(program("sim-imanage"))
        .args(["--json", "--keep-bytes", "0"])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the fake iManage starts");
    let mut line = String::new();
    BufReader::new(sim.stdout.take().expect("its output"))
        .read_line(&mut line)
        .await
        .expect("its first line");
    let ready: Value = serde_json::from_str(&line).expect("a line of JSON");
    let url = ready["url"].as_str().expect("its address");
    let mut world =
        World::new("bench-memory").with_imanage_at(url).with_log("warn").with_concurrency(4).start().await;
    // Warm: every path has been used once.
    let small = world.deposit(Upload::to(MATTER).file("small.pdf", "small")).await;
    world.in_state(small.filing(), &["filed"]).await;
    let pid = world.server().pid();
    let idle = resident(pid);

    let (peak, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let watcher = std::thread::spawn({
        let (peak, done) = (peak.clone(), done.clone());
        move || {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(resident(pid), Ordering::Relaxed);
                std::thread::park_timeout(Duration::from_millis(10));
            }
        }
    });
    let filing = send_large(&world, scale.large).await;
    let into = peak.swap(0, Ordering::Relaxed);
    world.in_state_within(&filing, &["filed"], Duration::from_mins(10)).await;
    done.store(true, Ordering::Relaxed);
    watcher.join().expect("the watcher");
    let out = peak.load(Ordering::Relaxed);
    let measured = json!({
        "idle_mib": mib(idle).round(), "coming_in_mib": mib(into).round(), "going_out_mib": mib(out).round(),
        "document_mib": mib(scale.large),
    });
    let above = mib(into.max(out).saturating_sub(idle));
    tell(
        scale,
        "resident memory above idle, one large document in and out",
        above,
        "MiB",
        Aim::AtMost(64.0),
        &measured,
    );
}

/// Uploads that many bytes without holding them; the filing's id.
async fn send_large(world: &World, size: u64) -> String {
    let marker = "LARGE-DOCUMENT";
    let upload = Upload::to(MATTER).file("large.pdf", marker);
    let body = String::from_utf8(upload.body()).expect("a body of text");
    let (before, after) = body.split_once(marker).expect("the document is in its body");
    let length = before.len() as u64 + size + after.len() as u64;
    let mut wire = Wire::connect(&world.url()).await;
    let headers = [("Content-Type", upload.content_type()), ("Content-Length", length.to_string())];
    assert!(wire.post("/api/v1/intakes", &token("user"), &headers).await, "the head of the large upload");
    assert!(wire.send(before).await, "the beginning of the large upload");
    let chunk = vec![b'x'; 1 << 20];
    let mut left = size;
    while left > 0 {
        let now = usize::try_from(left.min(chunk.len() as u64)).expect("a chunk");
        assert!(wire.send(&chunk[..now]).await, "{left} bytes before the end of the large upload");
        left -= now as u64;
    }
    assert!(wire.send(after).await, "the end of the large upload");
    let answer =
        wire.answer(Duration::from_mins(5)).await.expect("an answer to the large upload").expect(202);
    let body: Value = answer.body.clone();
    body["filings"][0]["id"].as_str().expect("the filing's id").to_owned()
}
