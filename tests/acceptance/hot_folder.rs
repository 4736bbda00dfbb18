//! The second door: a folder that scanners drop files into.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::MATTER;
use postroom_tests::{Accepted, World};

use crate::document;

#[tokio::test]
async fn what_is_dropped_is_taken_in_whole_and_once() {
    let world = World::new("hot").with_folder_dms().with_hot_folder().start().await;
    let place = world.settings.hot().join(MATTER);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("scan1.pdf"), document(1)).unwrap();
    // A slow scanner: the file grows for longer than it may rest.
    let mut slow = fs::File::create(place.join("slow.pdf")).unwrap();
    let mut whole = Vec::new();
    for part in 0..6 {
        let piece = document(100 + part);
        slow.write_all(&piece).unwrap();
        whole.extend(piece);
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    drop(slow);
    // In the root of the folder no work item is named: a person decides.
    fs::write(world.settings.hot().join("nobody.pdf"), document(2)).unwrap();
    // What is no file is left alone.
    fs::create_dir(place.join("a-folder.pdf")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.join("link.pdf")).unwrap();
    fs::write(place.join("empty.pdf"), b"").unwrap();

    let op = world.op();
    until("three intakes", PATIENCE, || async {
        let page = op.ok("/api/v1/intakes").await;
        (page["items"].as_array()?.len() == 3).then_some(())
    })
    .await;
    world.quiet(PATIENCE).await;
    let hashes: Vec<String> = world.deposits().into_iter().map(|deposit| deposit.hash).collect();
    let mut wanted = [document(1), whole].map(|bytes| blake3::hash(&bytes).to_hex().to_string());
    wanted.sort();
    let mut there = hashes.clone();
    there.sort();
    assert_eq!(there, wanted, "half a document was filed, or not all");
    let page = op.ok("/api/v1/intakes?state=needs_person").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page:#}");
    until("the drop folder holds only what was not taken", PATIENCE, || async {
        let taken = ["scan1.pdf", "slow.pdf"].iter().all(|name| !place.join(name).exists());
        taken.then_some(())
    })
    .await;
    for kept in ["a-folder.pdf", "link.pdf", "empty.pdf"] {
        assert!(place.join(kept).symlink_metadata().is_ok(), "{kept} was taken away");
    }
    let filings: Vec<Accepted> = op
        .filings("from:scans")
        .await
        .iter()
        .map(|filing| Accepted {
            intake: filing["intake"].as_str().unwrap().into(),
            filings: vec![(filing["id"].as_str().unwrap().into(), filing["hash"].as_str().unwrap().into())],
            again: false,
        })
        .collect();
    assert_eq!(filings.len(), 2);
}

#[tokio::test]
async fn what_was_dropped_before_the_start_or_during_a_pause_is_found() {
    let mut world = World::new("hot-later").with_folder_dms().with_hot_folder().start().await;
    let place = world.settings.hot().join(MATTER);
    fs::create_dir_all(&place).unwrap();
    let op = world.op();
    op.post("/api/v1/sources/scans/pause", &serde_json::json!({"reason": "the scanner is being cleaned"}))
        .await
        .expect(200);
    fs::write(place.join("a.pdf"), document(1)).unwrap();
    world.stop().await;
    fs::write(place.join("b.pdf"), document(2)).unwrap();
    world.start().await;
    // Longer than the folder needs to see and to trust them: the pause wins, also over the restart.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.op().ok("/api/v1/intakes").await["items"].as_array().unwrap().len(), 0);
    assert!(place.join("a.pdf").exists() && place.join("b.pdf").exists());
    op.post("/api/v1/sources/scans/resume", &serde_json::json!({})).await.expect(200);
    until("both are in the DMS", PATIENCE, || async { (world.deposits().len() == 2).then_some(()) }).await;
}
