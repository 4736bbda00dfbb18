//! F9: the stored bytes of a document are damaged or gone.

use std::path::{Path, PathBuf};

use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World, outcome};
use serde_json::json;

/// The spool's file of a content hash.
fn blob(spool: &Path, hash: &str) -> PathBuf {
    let mut folders = vec![spool.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.display().to_string().replace('/', "").contains(hash) {
                return path;
            }
        }
    }
    panic!("no file for {hash} in {}", spool.display());
}

#[tokio::test]
async fn f09_damaged_bytes_are_never_uploaded() {
    let mut world = World::new("damage").with_imanage(sample()).start().await;
    let op = world.op();
    let _ = op.post("/api/v1/destinations/dms/pause", &json!({"reason": "test"})).await.expect(200);
    let content = |number: u64| vec![u8::try_from(number).unwrap(); 100_000];
    let mut all = Vec::new();
    for number in 1..=4 {
        all.push(world.deposit(Upload::to(MATTER).file("a.pdf", content(number))).await);
    }
    let spool = world.data().join("spool");
    let flipped = blob(&spool, &all[0].filings[0].1);
    let mut bytes = std::fs::read(&flipped).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let _ = std::fs::remove_file(&flipped);
    std::fs::write(&flipped, bytes).unwrap();
    let cut = blob(&spool, &all[1].filings[0].1);
    let _ = std::fs::remove_file(&cut);
    std::fs::write(&cut, &content(2)[..50_000]).unwrap();
    std::fs::remove_file(blob(&spool, &all[2].filings[0].1)).unwrap();

    let _ = op.post("/api/v1/destinations/dms/resume", &json!({})).await.expect(200);
    world.all_filed(&all[3..]).await;
    for (accepted, what) in all.iter().zip(["a flipped bit", "half a file", "no file"]) {
        let filing = world.in_state(accepted.filing(), &["failed", "held", "undecided"]).await;
        assert_eq!(filing["cause"]["code"], "store_damage", "{what}: {filing:#}");
    }
    // The one good document is there, whole; of the others not even a part under its name.
    let ledger = world.sim("dms").control().ledger();
    assert_eq!(ledger.len(), 1, "{ledger:#?}");
    assert!(world.server.as_mut().unwrap().has_ended().is_none(), "damage of one document stopped the house");
    outcome(
        "F9",
        "blob with a flipped bit, cut, or missing",
        "failed with store_damage, never stored in the DMS; the neighbour was filed",
    );
}
