//! F5: the disk is full, in several places.

use std::time::Duration;

use postroom_tests::kernel::{SmallDisk, shell};
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Chance, Upload, World, outcome};

use crate::document;

/// The door closes while there is room for the queue to drain, and opens again by itself.
#[tokio::test]
async fn f05_the_door_closes_before_the_disk_is_full() {
    let mut world = World::new("door").with_imanage(sample()).with_reserve(8 << 20).build();
    let disk = SmallDisk::over(&world.data(), "64m");
    world.prefix = disk.prefix();
    world.start().await;
    world.create_matters().await;
    let op = world.op();
    // Work that waits while the disk fills.
    let _ =
        op.post("/api/v1/destinations/dms/pause", &serde_json::json!({"reason": "test"})).await.expect(200);
    let mut all = Vec::new();
    for number in 0..5 {
        all.push(world.deposit(Upload::to(MATTER).file("a.pdf", document(number))).await);
    }
    disk.fill(6 << 20);
    let refused = Upload::to(MATTER).file("a.pdf", document(100)).key("again");
    let answer = until("the door closes", PATIENCE, || async {
        let answer = op.upload(&refused).await;
        (answer.status != 202).then_some(answer)
    })
    .await;
    assert_eq!((answer.status, answer.code()), (503, "no_room"), "{}", answer.text());
    assert!(answer.header("retry-after").is_some(), "no Retry-After: {:?}", answer.headers);
    // The queue drains while the door is closed.
    let _ = op.post("/api/v1/destinations/dms/resume", &serde_json::json!({})).await.expect(200);
    world.all_filed(&all).await;
    disk.free();
    until("the door opens by itself", PATIENCE, || async {
        (op.upload(&refused).await.status == 202).then_some(())
    })
    .await;
    let accepted = world.deposit(refused).await;
    all.push(accepted);
    world.all_filed(&all).await;
    world.assert_exactly_once(&all).await;
    world.stop().await;
    outcome(
        "F5",
        "free space below the reserve",
        "503 no_room with Retry-After, the queue drained, opened by itself",
    );
}

/// The reserve is too small, and the disk really is full.
#[tokio::test]
async fn f05_a_full_disk_loses_nothing() {
    let mut world = World::new("full").with_imanage(sample()).with_reserve(1).build();
    let disk = SmallDisk::over(&world.data(), "64m");
    world.prefix = disk.prefix();
    world.start().await;
    world.create_matters().await;
    let op = world.op();
    let mut chance = Chance::new(5);
    let mut accepted = Vec::new();
    for _ in 0..5 {
        accepted.push(world.deposit(Upload::to(MATTER).file("a.pdf", chance.bytes(10_000))).await);
    }
    disk.fill(300_000);
    let (mut again, mut statuses) = (Vec::new(), Vec::new());
    for number in 0..30 {
        let upload = Upload::to(MATTER).file("a.pdf", chance.bytes(60_000)).key(&format!("k{number}"));
        world.handed_in.extend(upload.hashes());
        match op.try_upload(&upload).await {
            Ok(answer) if answer.status == 202 => accepted.push(Accepted::of(&answer)),
            Ok(answer) => {
                statuses.push(answer.status);
                again.push(upload);
            }
            Err(_) => again.push(upload),
        }
        if world.server.as_mut().unwrap().has_ended().is_some() {
            break;
        }
    }
    assert!(!again.is_empty(), "the disk was never full");
    assert!(statuses.iter().all(|status| *status >= 500), "{statuses:?}");
    let ended = world.ended(Duration::from_secs(40)).await;
    if let Some(status) = ended {
        assert!(!status.success(), "it ended as if nothing had happened");
    }
    // While the disk is still full a start tells so or works; it never makes anything worse.
    if ended.is_some() && world.try_start().await.is_ok() {
        world.kill().await;
    }
    disk.free();
    if world.server.is_none() {
        world.start().await;
    }
    for upload in again {
        accepted.push(world.deposit(upload).await);
    }
    world.all_filed(&accepted).await;
    world.assert_exactly_once(&accepted).await;
    world.stop().await;
    let how = ended.map_or_else(
        || "refused and lived on".to_owned(),
        |status| format!("fail-stop, exit {}", status.code().unwrap_or(-1)),
    );
    outcome(
        "F5",
        "disk really full (ENOSPC)",
        &format!("{how}; after space returned all {} acknowledged are filed once", accepted.len()),
    );
}

/// No file may grow beyond a limit: the store's file meets it in the middle of its life.
#[tokio::test]
async fn f05_a_file_size_limit_loses_nothing() {
    let mut world = World::new("fsize").with_folder_dms().start().await;
    let mut accepted = vec![world.deposit(Upload::to(MATTER).file("a.pdf", document(0))).await];
    world.all_filed(&accepted).await;
    world.stop().await;
    let size = std::fs::metadata(world.data().join("store.redb")).unwrap().len();
    world.prefix = shell(&format!("trap '' XFSZ; ulimit -f {}", size / 1024 + 64));
    world.start().await;
    let op = world.op();
    let mut again = Vec::new();
    for number in 1..=4000 {
        let upload = Upload::to(MATTER)
            .meta("note", "n".repeat(2000))
            .file("a.pdf", document(number))
            .key(&format!("k{number}"));
        world.handed_in.extend(upload.hashes());
        match op.try_upload(&upload).await {
            Ok(answer) if answer.status == 202 => accepted.push(Accepted::of(&answer)),
            Ok(answer) => {
                assert!(answer.status >= 500, "{}", answer.text());
                again.push(upload);
            }
            Err(_) => again.push(upload),
        }
        if world.server.as_mut().unwrap().has_ended().is_some() || again.len() > 5 {
            break;
        }
    }
    assert!(!again.is_empty(), "the limit was never met: the store has {size} bytes");
    let status = world.ended(Duration::from_secs(40)).await.expect("a store that failed ends the server");
    assert!(!status.success());
    world.prefix = Vec::new();
    world.start().await;
    for upload in again {
        accepted.push(world.deposit(upload).await);
    }
    world.quiet(Duration::from_mins(2)).await;
    world.assert_exactly_once(&accepted).await;
    outcome(
        "F5",
        "store cannot grow (RLIMIT_FSIZE)",
        &format!(
            "fail-stop, exit {}; all {} acknowledged are filed once",
            status.code().unwrap_or(-1),
            accepted.len()
        ),
    );
}

/// A log on a full disk is never the cause of death.
#[tokio::test]
async fn f05_a_full_log_stops_nothing() {
    let mut world = World::new("log").with_folder_dms().build();
    let text = world.settings.text().replace("[log]\n", "[log]\nfile = \"/dev/full\"\n");
    std::fs::write(world.config(), text).unwrap();
    world.start().await;
    world.create_matters().await;
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.assert_exactly_once(&[accepted]).await;
    world.stop().await;
    outcome("F5", "log on a full disk (/dev/full)", "no effect");
}
