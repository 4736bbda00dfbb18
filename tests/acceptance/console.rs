//! The console's real binary in a real terminal.

use postroom_tests::console::Console;
use postroom_tests::process::program;
use postroom_tests::settings::token;
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};

use crate::document;

/// Failed filings are seen, and one is retried, in the smallest terminal that is promised.
#[tokio::test]
async fn an_operator_sees_a_failure_and_retries_it() {
    let mut world = World::new("console").with_imanage(sample()).start().await;
    let filed = world.deposit(Upload::to(MATTER).file("letter.pdf", document(1))).await;
    let failed = world
        .deposit(
            Upload::to("10442-0003").meta("subject", "Completion bundle").file("bundle.pdf", document(2)),
        )
        .await;
    world.all_filed(std::slice::from_ref(&filed)).await;
    world.in_state(failed.filing(), &["failed"]).await;
    let token_file = world.root().join("token");
    std::fs::write(&token_file, token("operator")).unwrap();
    let command = format!(
        "{} --server {} --token-file {}",
        program("postroom-tui").display(),
        world.url(),
        token_file.display()
    );
    let console = Console::start(&command, 80, 24);
    console.shows("Postroom").await;
    let home = console.shows("failed").await;
    assert!(home.lines().all(|line| line.chars().count() <= 80), "{home}");
    // Five is the list of all filings; the filter line takes the filter language.
    console.press(&["5"]);
    console.shows("letter.pdf").await;
    console.press(&["/"]);
    console.write("state:failed");
    console.press(&["Enter"]);
    let failed_only = |screen: &str| screen.contains("Completion bundle") && !screen.contains("letter.pdf");
    console.until("shows the failed one alone", failed_only).await;

    // Its workspace opens; the operator retries; the screen follows by itself.
    world.sim("dms").control().apply(&postroom_sims::imanage::Action::OpenWorkspace { workspace: 3670 });
    console.press(&["r"]);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    // Where the console asks, Enter says yes.
    if console.screen().to_lowercase().contains("enter") {
        console.press(&["Enter"]);
    }
    world.in_state(failed.filing(), &["filed"]).await;
    world.assert_exactly_once(&[filed, failed]).await;
}
