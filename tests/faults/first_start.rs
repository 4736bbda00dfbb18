//! F4: the very first start is killed at each of its system calls; the next start just works.

use postroom_tests::outcome::sized;
use postroom_tests::process::NotReady;
use postroom_tests::world::MATTER;
use postroom_tests::{Upload, World, kernel, outcome};

use crate::document;

#[tokio::test]
async fn f04_first_start_killed_at_every_call() {
    let deepest = sized("POSTROOM_FIRST_STARTS", 5);
    let (mut kills, mut starts) = (0, 0);
    for call in [
        "mkdir",
        "openat",
        "pwrite64",
        "write",
        "ftruncate",
        "fdatasync",
        "fsync",
        "renameat2",
        "rename",
        "unlink",
    ] {
        for at in 1..=deepest {
            let mut world = World::new("first").with_folder_dms().build();
            let log = world.root().join("strace.log");
            world.prefix = kernel::inject(&[&format!("{call}:signal=KILL:when={at}")], &log);
            // The dynamic loader opens files too; those before our own code are no fault of ours.
            match world.try_start().await {
                Ok(()) => world.kill().await,
                Err(NotReady::Ended(_)) => kills += 1,
                Err(NotReady::Silent) => panic!("a traced start said nothing"),
            }
            let clean = world.server.is_some();
            world.prefix = Vec::new();
            world.start().await;
            starts += 1;
            if at == 1 || at == deepest {
                world.create_matters().await;
                let accepted = world.deposit(Upload::to(MATTER).file("a.pdf", document(at))).await;
                world.all_filed(std::slice::from_ref(&accepted)).await;
                world.assert_exactly_once(&[accepted]).await;
            }
            if clean {
                break;
            }
        }
    }
    assert!(kills > 10, "only {kills} starts were killed: is strace at work?");
    outcome(
        "F4",
        "first start interrupted",
        &format!("{kills} kills in first starts, {starts} of {starts} next starts came up"),
    );
}
