//! F12: no file handles, little memory, more connections than there are seats.

use std::time::Duration;

use postroom_tests::kernel::shell;
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Accepted, Upload, World, outcome};
use tokio::net::TcpStream;

use crate::document;

#[tokio::test]
async fn f12_file_handles_run_out_and_come_back() {
    let mut world = World::new("nofile").with_imanage(sample()).under(shell("ulimit -n 96")).start().await;
    let mut all = vec![world.deposit(Upload::to(MATTER).file("a.pdf", document(0))).await];
    world.all_filed(&all).await;
    let op = world.op();
    let address = world.url().trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for _ in 0..300 {
        if let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(&address)).await
        {
            held.push(stream);
        }
    }
    let crowded = held.len();
    // Whatever it answers now, it does not lie: what it acknowledges is there afterwards.
    let mut again = Vec::new();
    for number in 1..=10 {
        let upload = Upload::to(MATTER).file("a.pdf", document(number)).key(&format!("k{number}"));
        world.handed_in.extend(upload.hashes());
        match tokio::time::timeout(Duration::from_secs(2), op.try_upload(&upload)).await {
            Ok(Ok(answer)) if answer.status == 202 => all.push(Accepted::of(&answer)),
            _ => again.push(upload),
        }
    }
    let shed = again.len();
    let lived = world.server.as_mut().unwrap().has_ended().is_none();
    drop(held);
    if lived {
        until("it answers again", PATIENCE, || async { op.try_get("/healthz").await.ok().map(|_| ()) }).await;
    } else {
        world.server = None;
        world.start().await;
    }
    for upload in again {
        all.push(world.deposit(upload).await);
    }
    world.all_filed(&all).await;
    world.assert_exactly_once(&all).await;
    assert!(lived, "running out of file handles ended the server\n{}", world.log_tail());
    outcome(
        "F12",
        "file handles run out (RLIMIT_NOFILE 96)",
        &format!("{crowded} connections held, {shed} of 10 uploads shed, recovered by itself, nothing lost"),
    );
}

#[tokio::test]
async fn f12_many_idle_connections_keep_nobody_out() {
    let mut world = World::new("crowd").with_folder_dms().start().await;
    let address = world.url().trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for _ in 0..800 {
        if let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_secs(1), TcpStream::connect(&address)).await
        {
            held.push(stream);
        }
    }
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.assert_exactly_once(&[accepted]).await;
    outcome("F12", "800 idle connections", &format!("{} held, uploads went through beside them", held.len()));
}

#[tokio::test]
async fn f12_little_memory_is_enough_for_a_large_document() {
    // Address space, not resident memory: threads reserve their stacks.
    let mut options = sample();
    options.keep_bytes = 0;
    let mut world = World::new("memory").with_imanage(options).with_log("warn").start().await;
    let before = world.server().resident();
    let accepted = world
        .deposit(Upload::to(MATTER).file("large.pdf", postroom_tests::Chance::new(3).bytes(128 << 20)))
        .await;
    let mut peak = 0;
    while world.op().filing(accepted.filing()).await["state"] != "filed" {
        peak = peak.max(world.server().resident());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let grown = peak.saturating_sub(before) >> 20;
    assert!(grown < 100, "a document of 128 MiB took {grown} MiB of memory");
    world.assert_exactly_once(&[accepted]).await;
    outcome("F12", "a document of 128 MiB", &format!("memory grew by {grown} MiB"));
}
