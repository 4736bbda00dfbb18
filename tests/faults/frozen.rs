//! F13: the process stands still for a while in the middle of its uploads, then goes on.

use std::time::Duration;

use postroom_sims::imanage::{Action, Fire, Rule};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World, outcome};
use rustix::process::Signal;

#[tokio::test]
async fn f13_a_frozen_process_files_nothing_twice() {
    let mut world = World::new("frozen")
        .with_imanage(sample())
        .with_imanage_settings(
            "probe_lag_seconds = 1\nconnection = { idle_seconds = 3.0, first_byte_seconds = 3.0 }",
        )
        .start()
        .await;
    world.fault(Rule::on("upload", Action::Delay { ms: 300 }).fire(Fire::Every(2)));
    let mut all = Vec::new();
    for round in 0..4_u64 {
        for number in 0..10 {
            let upload = Upload::to(MATTER)
                .file("a.pdf", postroom_tests::Chance::new(round * 100 + number).bytes(300_000));
            all.push(world.deposit(upload).await);
        }
        // In the middle of ten uploads, for longer than any of its own time limits.
        world.server().signal(Signal::STOP);
        tokio::time::sleep(Duration::from_secs(5)).await;
        world.server().signal(Signal::CONT);
    }
    world.all_filed(&all).await;
    world.assert_exactly_once(&all).await;
    let committed = world.sim("dms").control().stats().committed;
    outcome(
        "F13",
        "SIGSTOP for 5 s, four times, under load",
        &format!("{} accepted, {committed} stored, each once", all.len()),
    );
}
