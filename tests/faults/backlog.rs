//! F36: a large backlog while the DMS is down: memory stays flat, lists stay quick, new scans do not wait behind it.
//! Size: `POSTROOM_BACKLOG`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use postroom_sims::imanage::{Action, Rule};
use postroom_tests::crowd::Crowd;
use postroom_tests::outcome::sized;
use postroom_tests::wait::until;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{World, outcome};

use crate::document;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f36_backlog_drains_and_new_scans_come_first() {
    let size = sized("POSTROOM_BACKLOG", 1_500);
    let mut options = sample();
    options.keep_bytes = 0;
    let mut world =
        World::new("backlog").with_imanage(options).with_hot_folder().with_log("warn").start().await;
    let idle = world.server().resident();
    world.fault(Rule::on("upload", Action::Status { status: 503, headers: BTreeMap::new(), body: None }));
    let crowd = Crowd::start(&world.op(), 16, &[MATTER, "10442-0012", "10517-0001"], 1_000, size, 36);
    let tally = crowd.finish().await;
    world.handed_in = tally.handed_in.lock().unwrap().clone();
    let op = world.op();

    // The slowest of ten lists with the whole backlog behind them.
    let mut list = Duration::ZERO;
    for path in [
        "/api/v1/filings?limit=50",
        "/api/v1/filings?limit=50&q=ref%3A10442-0012",
        "/api/v1/summary",
        "/api/v1/causes",
    ] {
        for _ in 0..5 {
            let begin = Instant::now();
            op.ok(path).await;
            list = list.max(begin.elapsed());
        }
    }
    // Stopped over the restart, so that the scan is behind all of them before anything moves.
    let reason = serde_json::json!({ "reason": "the DMS is down" });
    let _ = op.post("/api/v1/destinations/dms/pause", &reason).await.expect(200);
    world.kill().await;
    world.start().await;
    let restart = world.server().took;
    let drop = world.settings.hot().join("10630-0009");
    std::fs::create_dir_all(&drop).unwrap();
    std::fs::write(drop.join("urgent.pdf"), document(1)).unwrap();
    until("the scan is accepted", Duration::from_mins(1), || async {
        let op = world.op();
        (op.filings("from:scans").await.len() == 1).then_some(())
    })
    .await;
    world.no_faults();
    let begin = Instant::now();
    let _ = world.op().post("/api/v1/destinations/dms/resume", &serde_json::json!({})).await.expect(200);
    let hash = blake3::hash(&document(1)).to_hex().to_string();
    let control = world.sim("dms").control();
    // From when it is taken in: until then the folder makes sure that nobody writes to it any more.
    until("the scan is taken in", Duration::from_mins(1), || async {
        let intakes = op.ok("/api/v1/intakes?source=scans").await;
        (!intakes["items"].as_array()?.is_empty()).then_some(())
    })
    .await;
    let before = control.ledger().len();
    let place = until("the scan is in the DMS", Duration::from_mins(5), || async {
        let ledger = control.ledger();
        ledger.iter().position(|entry| entry.blake3 == hash)
    })
    .await;
    let behind = place.saturating_sub(before);
    let scan = begin.elapsed();
    world.quiet(Duration::from_mins(30)).await;
    let drained = begin.elapsed();
    let peak = world.server().resident();
    let accepted = tally.accepted();
    world.handed_in.insert(hash);
    let verdict = world.verdict(&accepted).await;
    assert!(verdict.is_clean() && verdict.filed == verdict.accepted, "{verdict:#?}");
    let count = tally.filings.load(Ordering::Relaxed);
    assert!(behind < 200, "{behind} of {count} went before the scan");
    assert!(list < Duration::from_secs(1), "a list took {list:?}");
    outcome(
        "F36",
        &format!("backlog of {count}, DMS down, then up"),
        &format!(
            "slowest list {list:.0?}, restart {restart:.1?}, {behind} went before a new scan, which took {scan:.1?}, drained in \
             {drained:.0?}, memory {} → {} MiB",
            idle >> 20,
            peak >> 20
        ),
    );
}
