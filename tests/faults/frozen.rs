//! F13: the process stands still for a while in the middle of its uploads, then goes on.

use std::time::Duration;

use postroom_sims::imanage::{Action, Fire, Rule};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World, outcome};
use rustix::process::Signal;

#[tokio::test]
async fn f13_a_frozen_process_files_nothing_twice() {
    // An index that is later than the simulator ever takes on a busy machine, and earlier than a freeze is long: what was asked before a
    // freeze and is read after it must not pass for a fresh answer.
    let mut world = World::new("frozen")
        .with_imanage(sample())
        .with_imanage_settings(
            "probe_lag_seconds = 3\nconnection = { idle_seconds = 3.0, first_byte_seconds = 3.0 }",
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
    let verdict = world.verdict(&all).await;
    for line in &verdict.duplicates {
        // What led to it is in the filing's own history.
        let id = &line[..36];
        eprintln!("{:#}", world.op().filing(id).await);
    }
    world.assert_exactly_once(&all).await;
    let committed = world.sim("dms").control().stats().committed;
    outcome(
        "F13",
        "SIGSTOP for 5 s, four times, under load",
        &format!("{} accepted, {committed} stored, each once", all.len()),
    );
}
