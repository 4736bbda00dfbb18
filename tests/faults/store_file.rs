//! F10: the store's file is damaged, empty, gone, or somebody else's. F11: a second instance.

use std::time::Duration;

use postroom_tests::process::{NotReady, run};
use postroom_tests::world::MATTER;
use postroom_tests::{Upload, World, outcome};

use crate::document;

#[tokio::test]
async fn f10_a_damaged_store_is_refused_by_name() {
    let mut world = World::new("store-file").with_folder_dms().start().await;
    let mut all = Vec::new();
    for number in 0..20 {
        all.push(world.deposit(Upload::to(MATTER).file("a.pdf", document(number))).await);
    }
    world.all_filed(&all).await;
    world.stop().await;
    let store = world.data().join("store.redb");
    let good = std::fs::read(&store).unwrap();
    let mut magic = good.clone();
    magic[..8].copy_from_slice(b"notredb!");
    let mut noise = good.clone();
    for byte in noise.iter_mut().skip(4096) {
        *byte ^= 0x5a;
    }
    // What, content (none: the file is gone).
    let table: Vec<(&str, Option<Vec<u8>>)> = vec![
        ("empty", Some(Vec::new())),
        ("cut to 100 bytes", Some(good[..100].to_vec())),
        ("cut in half", Some(good[..good.len() / 2].to_vec())),
        ("another magic", Some(magic)),
        ("all zero", Some(vec![0; good.len()])),
        ("noise behind the head", Some(noise)),
        ("a text file", Some(b"hello\n".repeat(1000))),
        ("gone, with documents in the spool", None),
    ];
    let mut wrong = Vec::new();
    for (what, content) in &table {
        match content {
            Some(bytes) => std::fs::write(&store, bytes).unwrap(),
            None => std::fs::remove_file(&store).unwrap(),
        }
        let _ = std::fs::remove_file(world.root().join("server.log"));
        match world.try_start().await {
            Err(NotReady::Ended(status)) => {
                let said = world.log_tail();
                let said_so = said.contains("store.redb");
                if status.success() || !said_so || said.contains("panicked") {
                    wrong.push(format!("{what}: {status}: {said}"));
                }
            }
            Err(NotReady::Silent) => wrong.push(format!("{what}: it hangs")),
            Ok(()) => {
                let filings = world.op().ok("/api/v1/summary").await["filings"]["filed"].as_u64();
                wrong.push(format!("{what}: it started, with {filings:?} filings"));
                world.kill().await;
            }
        }
        if let Some(bytes) = content {
            // What was there is evidence: nobody wrote over it.
            let now = std::fs::read(&store).unwrap_or_default();
            if now != *bytes {
                wrong.push(format!("{what}: the file was changed"));
            }
        }
    }
    // With the right file all is well.
    std::fs::write(&store, &good).unwrap();
    world.start().await;
    world.assert_exactly_once(&all).await;
    world.stop().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    outcome(
        "F10",
        "store file damaged, empty, gone, foreign",
        &format!("{} of {} refused by name, evidence untouched", table.len(), table.len()),
    );
}

#[tokio::test]
async fn f11_ten_second_instances_are_refused() {
    let mut world = World::new("instances").with_folder_dms().start().await;
    let pid = world.server().pid().to_string();
    // On another port, so that the folder is what they meet.
    let other = world.root().join("other.toml");
    let port = world.settings.port;
    std::fs::write(&other, world.settings.text().replace(&format!("127.0.0.1:{port}"), "127.0.0.1:0"))
        .unwrap();
    let config = other.display().to_string();
    let arguments = ["serve", "--config", config.as_str()];
    let begin = std::time::Instant::now();
    let others = (0..10).map(|_| run("postroom", &arguments));
    for other in futures_util::future::join_all(others).await {
        let said = String::from_utf8_lossy(&other.stderr).into_owned();
        assert!(!other.status.success() && said.contains(&pid), "{said}");
    }
    assert!(begin.elapsed() < Duration::from_secs(30));
    let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.assert_exactly_once(std::slice::from_ref(&accepted)).await;
    // The lock of a killed holder is no lock.
    world.kill().await;
    world.start().await;
    world.assert_exactly_once(&[accepted]).await;
    outcome(
        "F11",
        "second instance on one data folder",
        "10 of 10 refused with the holder's pid; the first unharmed; a killed holder's lock is free",
    );
}
