//! Starts, stops and second starts.

use std::time::Duration;

use postroom_tests::process::run;
use postroom_tests::wait::PATIENCE;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};
use rustix::process::Signal;

use crate::document;

#[tokio::test]
async fn a_clean_stop_and_a_second_start_lose_nothing() {
    let mut world = World::new("stop").with_imanage(sample()).with_concurrency(2).start().await;
    // Slow enough that the stop falls into the middle of the work.
    world.sim("dms").control().update_switches(|switches| switches.latency_ms = 50);
    let mut all = Vec::new();
    for number in 0..20 {
        all.push(world.deposit(Upload::to(MATTER).file("a.pdf", document(number))).await);
    }
    world.stop().await;
    assert!(!world.data().join("postroom.pid").exists(), "a clean stop leaves no pid file");
    world.start().await;
    world.all_filed(&all).await;
    world.assert_exactly_once(&all).await;
    // A clean stop interrupts nothing: no attempt ended by the end of the process.
    for filing in world.op().filings("").await {
        let filing = world.op().filing(filing["id"].as_str().unwrap()).await;
        assert!(!filing["attempts"].to_string().contains("interrupted"), "{filing:#}");
    }
}

#[tokio::test]
async fn a_stop_during_an_upload_ends_soon_and_goes_on_later() {
    let mut world =
        World::new("stop-hang").with_imanage(sample()).with_server("grace_seconds = 2").start().await;
    world.fault(postroom_sims::imanage::Rule::on("upload", postroom_sims::imanage::Action::Hang {}));
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    let control = world.sim("dms").control();
    postroom_tests::wait::until("the upload is under way", PATIENCE, || async {
        (control.stats().uploads_in_flight > 0 || control.stats().faults > 0).then_some(())
    })
    .await;
    let begin = std::time::Instant::now();
    world.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(15), "the stop took {:?}", begin.elapsed());
    world.no_faults();
    control.release();
    world.start().await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.assert_exactly_once(&[accepted]).await;
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut world =
        World::new("twice").with_imanage(sample()).with_server("grace_seconds = 60").start().await;
    world.fault(postroom_sims::imanage::Rule::on("upload", postroom_sims::imanage::Action::Hang {}));
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.in_state(accepted.filing(), &["running"]).await;
    world.server().signal(Signal::INT);
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.server().signal(Signal::INT);
    let status = world.ended(Duration::from_secs(5)).await.expect("the second signal ends it");
    assert!(!status.success(), "an end in the middle of work is no clean stop");
    world.no_faults();
    world.sim("dms").control().release();
    world.start().await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.assert_exactly_once(&[accepted]).await;
}

#[tokio::test]
async fn a_second_instance_is_refused_with_the_holders_pid() {
    let mut world = World::new("second").with_folder_dms().start().await;
    let port = world.settings.port;
    world.settings.port = 0;
    world.write_settings();
    let config = world.config().display().to_string();
    let second = tokio::time::timeout(PATIENCE, run("postroom", &["serve", "--config", &config, "--json"]))
        .await
        .expect("a second instance ends at once");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success());
    assert!(said.contains(&world.server().pid().to_string()), "the holder's pid is not named: {said}");
    // Commands on the data of a running server are refused as well.
    let data = world.data().display().to_string();
    for mut arguments in
        [vec!["verify", "--data", &data], vec!["backup", "--data", &data, "--to", "/tmp/never"]]
    {
        arguments.extend(["--config", &config]);
        let output = run("postroom", &arguments).await;
        assert!(!output.status.success(), "{arguments:?} ran beside the server");
    }
    // The first is unharmed.
    world.settings.port = port;
    world.write_settings();
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.stop().await;
}
