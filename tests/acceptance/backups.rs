//! Backup, verify, restore: everything comes back, and damage is told.

use std::path::{Path, PathBuf};

use postroom_tests::process::run;
use postroom_tests::world::MATTER;
use postroom_tests::{Upload, World};

use crate::document;

async fn verify(world: &World, data: &Path) -> (bool, String) {
    let (data, config) = (data.display().to_string(), world.config().display().to_string());
    let output = run("postroom", &["verify", "--data", &data, "--config", &config]).await;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

/// Every file below a folder.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[tokio::test]
async fn a_backup_brings_everything_back() {
    let mut world = World::new("backup").with_folder_dms().start().await;
    let mut all = Vec::new();
    for number in 0..10 {
        all.push(world.deposit(Upload::to(MATTER).file("a.pdf", document(number))).await);
    }
    let waiting = world.deposit(Upload::to("nobody").file("w.pdf", document(99))).await;
    world.all_filed(&all).await;
    world.stop().await;

    let data = world.data();
    let backup = world.root().join("backup");
    let (good, said) = verify(&world, &data).await;
    assert!(good, "{said}");
    let to = backup.display().to_string();
    let config = world.config().display().to_string();
    let command =
        async |arguments: &[&str]| run("postroom", &[arguments, &["--config", &config]].concat()).await;
    let output = command(&["backup", "--data", &data.display().to_string(), "--to", &to]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (good, said) = verify(&world, &backup).await;
    assert!(good, "{said}");
    // Nothing is written over.
    let output = command(&["backup", "--data", &data.display().to_string(), "--to", &to]).await;
    assert!(!output.status.success(), "a backup was written over");
    let output = command(&["restore", "--from", &to, "--data", &data.display().to_string()]).await;
    assert!(!output.status.success(), "data was written over");

    std::fs::rename(&data, world.root().join("lost")).unwrap();
    let output = command(&["restore", "--from", &to, "--data", &data.display().to_string()]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    world.start().await;
    let verdict = world.assert_exactly_once(&all).await;
    assert_eq!(verdict.filed, 10);
    let original = world.op().get(&format!("/api/v1/intakes/{}/original", waiting.intake)).await.expect(200);
    assert_eq!(original.bytes, document(99));
    // It goes on: new work, and the old keys and duplicates are still known.
    let again = world.deposit(Upload::to(MATTER).file("a.pdf", document(3))).await;
    world.in_state(again.filing(), &["duplicate"]).await;
}

#[tokio::test]
async fn verify_tells_of_damage() {
    let mut world = World::new("verify").with_folder_dms().start().await;
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.stop().await;
    let hash = &accepted.filings[0].1;
    let blob = files(&world.data().join("spool"))
        .into_iter()
        .find(|path| path.display().to_string().replace('/', "").contains(hash.as_str()))
        .expect("the document's file in the spool");
    let bytes = std::fs::read(&blob).unwrap();

    let mut flipped = bytes.clone();
    flipped[5] ^= 1;
    for (what, damage) in [("a flipped bit", Some(flipped)), ("a missing file", None)] {
        std::fs::remove_file(&blob).unwrap();
        if let Some(damage) = damage {
            std::fs::write(&blob, damage).unwrap();
        }
        let (good, said) = verify(&world, &world.data()).await;
        assert!(!good && said.contains(hash.as_str()), "{what} went unseen: {said}");
        std::fs::write(&blob, &bytes).unwrap();
    }
    let (good, said) = verify(&world, &world.data()).await;
    assert!(good, "{said}");
}
