//! F6 and F7: flushes that fail, and flushes that take long. F8: interrupted calls.

use std::time::{Duration, Instant};

use postroom_tests::kernel::Injection;
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::MATTER;
use postroom_tests::{Accepted, Api, Upload, World, outcome};

use crate::document;

/// After a flush that failed nothing is known: the server ends, and what it acknowledged is there.
#[tokio::test]
async fn f06_a_failed_flush_ends_the_server() {
    let mut results = Vec::new();
    for (call, when, what) in [
        ("fdatasync", "when=1", "fdatasync once"),
        ("fdatasync", "when=1+", "fdatasync for ever"),
        ("fsync", "when=1", "fsync once"),
        ("fsync", "when=1+", "fsync for ever"),
        ("pwrite64", "when=1", "pwrite once"),
        ("pwrite64", "when=3+", "pwrite for ever"),
    ] {
        let mut world = World::new("flush").with_folder_dms().start().await;
        let before = world.deposit(Upload::to(MATTER).file("a.pdf", document(0))).await;
        world.all_filed(std::slice::from_ref(&before)).await;
        let log = world.root().join("strace.log");
        let rule = format!("{call}:error=EIO:{when}");
        let injection = Injection::attach(world.server().pid(), &[&rule], &log);
        let op = world.op();
        let mut accepted = vec![before];
        let mut again = Vec::new();
        let mut refused = Vec::new();
        for number in 1..=40 {
            let upload = Upload::to(MATTER).file("a.pdf", document(number)).key(&format!("k{number}"));
            world.handed_in.extend(upload.hashes());
            match op.try_upload(&upload).await {
                Ok(answer) if answer.status == 202 => accepted.push(Accepted::of(&answer)),
                Ok(answer) => {
                    refused.push(answer.status);
                    again.push(upload);
                }
                Err(_) => again.push(upload),
            }
            if world.server.as_mut().unwrap().has_ended().is_some() {
                break;
            }
        }
        let status = world.ended(Duration::from_secs(40)).await;
        let fired = injection.fired();
        drop(injection);
        assert!(fired > 0, "{what}: the fault never fired");
        let status = status.unwrap_or_else(|| {
            panic!("{what}: the server lives on after {fired} failed calls\n{}", world.log_tail())
        });
        assert!(!status.success(), "{what}: it ended as if nothing had happened");
        assert!(refused.iter().all(|status| *status >= 500), "{what}: {refused:?}");
        // What was not acknowledged is recognised when it comes again.
        world.start().await;
        for upload in again {
            accepted.push(world.deposit(upload).await);
        }
        world.all_filed(&accepted).await;
        world.assert_exactly_once(&accepted).await;
        results.push(format!("{what}: exit {}", status.code().unwrap_or(-1)));
    }
    outcome(
        "F6",
        "flush or write fails (EIO)",
        &format!("{}; nothing lost, nothing doubled on re-send", results.join(", ")),
    );
}

#[tokio::test]
async fn f07_a_slow_flush_delays_the_acknowledgement_not_the_reads() {
    let mut world = World::new("slow-flush").with_folder_dms().start().await;
    let log = world.root().join("strace.log");
    let delay = Duration::from_secs(7);
    let rules = [
        format!("fdatasync:delay_enter={}", delay.as_micros()),
        format!("fsync:delay_enter={}", delay.as_micros()),
    ];
    let injection = Injection::attach(world.server().pid(), &[&rules[0], &rules[1]], &log);
    let upload = Upload::to(MATTER).file("a.pdf", document(1));
    world.handed_in.extend(upload.hashes());
    let op = world.op();
    let sender = {
        let op = op.clone();
        tokio::spawn(async move {
            let begin = Instant::now();
            (op.upload(&upload).await, begin.elapsed())
        })
    };
    // Reads answer and readiness goes red while nothing is acknowledged.
    let mut slowest = Duration::ZERO;
    let mut red = false;
    let nobody = Api::new(&world.url(), "");
    let ready = tokio::spawn(async move { nobody.get("/readyz").await.status });
    while !sender.is_finished() {
        let begin = Instant::now();
        let _ = op.get("/api/v1/filings").await.expect(200);
        slowest = slowest.max(begin.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    red |= ready.await.unwrap() == 503;
    let (answer, took) = sender.await.unwrap();
    drop(injection);
    assert!(took >= delay, "acknowledged after {took:?}, before one flush of {delay:?} was over");
    // redb lets a read that begins while a commit flushes wait for that flush, and for no second one.
    assert!(slowest < delay + Duration::from_secs(2), "a read took {slowest:?}");
    assert!(red, "readiness stayed green while no write got through");
    let accepted = Accepted::of(&answer.expect(202));
    world.in_state_within(accepted.filing(), &["filed"], Duration::from_mins(2)).await;
    until("ready again", PATIENCE, || async {
        (Api::new(&world.url(), "").get("/readyz").await.status == 200).then_some(())
    })
    .await;
    world.assert_exactly_once(&[accepted]).await;
    outcome(
        "F7",
        "flush takes 7 s",
        &format!("acknowledged after {took:.1?}, slowest read {slowest:.2?}, readiness red"),
    );
}

#[tokio::test]
async fn f08_interrupted_calls_have_no_effect() {
    let mut world = World::new("eintr").with_imanage(postroom_tests::world::sample()).start().await;
    let log = world.root().join("strace.log");
    let rules: Vec<String> = ["pwrite64", "pread64", "fdatasync", "fsync"]
        .iter()
        .map(|call| format!("{call}:error=EINTR:when=1+2"))
        .collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let injection = Injection::attach(world.server().pid(), &rules, &log);
    let mut all = Vec::new();
    for number in 0..20 {
        all.push(world.deposit(Upload::to(MATTER).file("a.pdf", document(number))).await);
    }
    world.all_filed(&all).await;
    let fired = injection.fired();
    drop(injection);
    world.assert_exactly_once(&all).await;
    assert!(fired > 20, "only {fired} calls were interrupted");
    outcome(
        "F8",
        "EINTR storm (every second file call)",
        &format!("{fired} interrupted calls, no visible effect"),
    );
}
