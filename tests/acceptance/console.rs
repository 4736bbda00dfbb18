//! The console's real binary in a real terminal.

use std::path::PathBuf;

use postroom_sims::imanage::Action;
use postroom_tests::console::Console;
use postroom_tests::oracle::Accepted;
use postroom_tests::process::{program, run};
use postroom_tests::settings::{sha256, token};
use postroom_tests::wait::{PATIENCE, until};
use postroom_tests::world::{MATTER, sample};
use postroom_tests::{Upload, World};
use rustix::process::{Pid, Signal, kill_process};

use crate::document;

/// The matter whose workspace is closed, and its workspace.
pub(crate) const CLOSED: (&str, u64) = ("10442-0003", 3670);

/// A token file of the world, and the command line of a console with it.
pub(crate) fn command(world: &World, role: &str) -> String {
    let token_file = world.root().join(format!("token-{role}"));
    std::fs::write(&token_file, token(role)).unwrap();
    format!(
        "{} --server {} --token-file {} --config {} --save-to {}",
        program("postroom-tui").display(),
        world.url(),
        token_file.display(),
        world.root().join("console.toml").display(),
        world.root().join("saved").display(),
    )
}

async fn fail(world: &mut World, number: u64) -> Vec<Accepted> {
    let mut failed = Vec::new();
    for nth in 0..number {
        let upload = Upload::to(CLOSED.0).meta("subject", format!("Bundle {nth}"));
        failed.push(world.deposit(upload.file(&format!("bundle-{nth}.pdf"), document(100 + nth))).await);
    }
    for one in &failed {
        world.in_state(one.filing(), &["failed"]).await;
    }
    failed
}

fn open_workspace(world: &World) {
    world.sim("dms").control().apply(&Action::OpenWorkspace { workspace: CLOSED.1 });
}

/// Failed filings are seen, and one is retried, in the smallest terminal that is promised.
#[tokio::test]
async fn an_operator_sees_a_failure_and_retries_it() {
    let mut world = World::new("console").with_imanage(sample()).start().await;
    let filed = world.deposit(Upload::to(MATTER).file("letter.pdf", document(1))).await;
    world.all_filed(std::slice::from_ref(&filed)).await;
    let failed = fail(&mut world, 1).await.remove(0);
    let console = Console::start(&command(&world, "operator"), 80, 24);
    console.shows("Postroom").await;
    let home = console.shows("failed").await;
    assert!(home.lines().all(|line| line.chars().count() <= 80), "{home}");
    // Five is the list of all filings; the filter line takes the filter language.
    console.press(&["5"]);
    console.shows("letter.pdf").await;
    console.press(&["/"]);
    console.write("state:failed");
    console.press(&["Enter"]);
    let failed_only = |screen: &str| screen.contains("Bundle 0") && !screen.contains("letter.pdf");
    console.until("shows the failed one alone", failed_only).await;
    // What is under the cursor says why, who can mend it, and what comes next.
    console.shows("Who can put it right").await;

    // A note, the clipboard, the untouched original.
    console.press(&["n"]);
    console.write("asked the partner");
    console.press(&["Enter"]);
    console.shows("✔ noted").await;
    console.press(&["y", "i"]);
    console.shows("sent to the clipboard").await;
    let copied = || async { (console.clipboard().trim() == failed.filing()).then_some(()) };
    until("the clipboard has the id", PATIENCE, copied).await;
    console.press(&["o"]);
    console.shows("✔ saved as").await;
    let saved = std::fs::read_dir(world.root().join("saved")).unwrap().map(|it| it.unwrap().path());
    let saved: Vec<PathBuf> = saved.filter(|it| it.extension().is_some_and(|it| it == "pdf")).collect();
    assert_eq!(std::fs::read(&saved[0]).unwrap(), document(100));

    // Its workspace opens; the operator retries; the screen follows by itself.
    open_workspace(&world);
    console.press(&["r"]);
    console.shows("✔ retried").await;
    world.in_state(failed.filing(), &["filed"]).await;
    console.until("shows none any more", |screen| screen.contains("No filing matches")).await;
    let detail = world.op().filing(failed.filing()).await;
    assert_eq!(detail["remarks"]["notes"][0]["text"], "asked the partner");
    world.assert_exactly_once(&[filed, failed]).await;
}

/// Forty that failed for one reason: found by it, looked at, retried in one go, watched until they are filed.
#[tokio::test]
async fn forty_are_put_right_in_one_go() {
    let mut world = World::new("console-forty").with_imanage(sample()).start().await;
    let failed = fail(&mut world, 40).await;
    open_workspace(&world);
    let console = Console::start(&command(&world, "support"), 120, 40);
    console.press(&["6"]);
    console.until("groups them", |screen| screen.contains("40 the workspace")).await;
    // Cancelled by mistake, and taken back: nothing is touched.
    console.press(&["X"]);
    console.shows("40 will be cancelled").await;
    console.write("by mistake");
    console.press(&["Enter", "Right", "Enter"]);
    console.shows("u takes it back").await;
    console.press(&["u"]);
    console.shows("taken back: nothing was cancelled").await;
    // Retried for good. One that comes meanwhile is not of the set.
    console.press(&["r"]);
    console.shows("40 will be retried").await;
    console.press(&["Enter"]);
    console.shows("40 will be retried in").await;
    console.until("is through", |screen| screen.contains("✔ 40 retried")).await;
    world.all_filed(&failed).await;
    console.until("has no group any more", |screen| screen.contains("nothing has failed")).await;
    world.assert_exactly_once(&failed).await;
    let sets = world.op().ok("/api/v1/bulk").await;
    let states: Vec<&str> =
        sets["items"].as_array().unwrap().iter().filter_map(|it| it["state"].as_str()).collect();
    assert_eq!(states, ["done", "undone"]);
}

/// Who may only look is told so, and no key of theirs asks the server for a change.
#[tokio::test]
async fn a_viewer_looks_and_changes_nothing() {
    let viewer = sha256(&token("viewer"));
    let settings = format!(
        "[[roles]]\nname = \"viewer\"\npermissions = [\"file\", \"see_all\"]\n\n\
         [[tokens]]\nname = \"viewer\"\nrole = \"viewer\"\nsite = \"main\"\nsha256 = \"{viewer}\"\n"
    );
    let mut world =
        World::new("console-viewer").with_imanage(sample()).with_settings(&settings).start().await;
    let failed = fail(&mut world, 2).await;
    let before = world.op().ok("/api/v1/summary").await["last_event"].clone();
    let mut versions = Vec::new();
    for one in &failed {
        versions.push(world.op().filing(one.filing()).await["version"].clone());
    }
    let console = Console::start(&command(&world, "viewer"), 100, 30);
    console.shows("READ ONLY").await;
    console.press(&["5"]);
    console.shows("Bundle 1").await;
    for key in ["Space", "*", "r", "R", "h", "H", "X", "D", "e", "l", "n", "a", "p", "P"] {
        // Back by the arrow: Esc and a key right behind it are one key with Alt to a terminal.
        console.press(&[key, "x", "Enter", "Left", "5"]);
        console.shows("Bundle 1").await;
    }
    for place in ["1", "2", "3", "4", "6", "7", "8", "9"] {
        console.press(&[place, "p", "x", "Enter", "Left"]);
    }
    console.press(&["1"]);
    console.shows("SOURCES").await;
    assert_eq!(world.op().ok("/api/v1/summary").await["last_event"], before, "something happened");
    for (one, version) in failed.iter().zip(versions) {
        assert_eq!(world.op().filing(one.filing()).await["version"], version, "it was touched");
    }
}

/// The server goes and comes back: that is said, nothing is sent meanwhile, and filter and cursor stay.
#[tokio::test]
async fn a_lost_server_is_told_and_comes_back() {
    let mut world = World::new("console-lost").with_imanage(sample()).start().await;
    fail(&mut world, 3).await;
    let console = Console::start(&command(&world, "operator"), 100, 30);
    console.shows("live").await;
    console.press(&["5"]);
    console.shows("Bundle 2").await;
    console.press(&["/"]);
    console.write("state:failed");
    console.press(&["Enter"]);
    let filtered = |screen: &str| screen.contains("Filings: state:failed") && screen.contains("1 of 3");
    console.until("shows the failed ones", filtered).await;
    console.press(&["Down"]);
    console.shows("2 of 3").await;
    world.kill().await;
    console.shows("NO CONNECTION").await;
    console.press(&["r"]);
    console.shows("cannot be reached").await;
    console.shows("Bundle 1").await;
    world.start().await;
    let back = console.until("is live again", |screen| screen.contains("live ·")).await;
    assert!(back.contains("2 of 3") && back.contains("Filings: state:failed"), "{back}");
    assert!(!back.contains("NO CONNECTION"), "{back}");
}

/// Every end gives the terminal back as it was: leaving, signals, a stop, a panic.
#[tokio::test]
async fn the_terminal_is_given_back_at_every_end() {
    let world = World::new("console-ends").with_folder_dms().start().await;
    let console = Console::start("env PS1='ready$ ' bash --norc --noprofile", 100, 30);
    console.shows("ready$").await;
    let stty = || {
        let file = world.root().join("stty");
        let _ = std::fs::remove_file(&file);
        console.write(&format!("stty -a > {}\n", file.display()));
        file
    };
    let terminal = async || {
        let file = stty();
        let text = || std::fs::read_to_string(&file).unwrap_or_default();
        let told = || async { text().contains("echoke").then_some(()) };
        until("stty answers", PATIENCE, told).await;
        let modes = console.knows("#{alternate_on} #{mouse_any_flag} #{cursor_flag} #{keypad_cursor_flag}");
        (text(), modes)
    };
    let before = terminal().await;
    let pid_file = world.root().join("pid");
    let line = format!(
        "(echo $BASHPID > {}; exec env RUST_BACKTRACE=0 POSTROOM_TUI_F12_PANICS=1 {})\n",
        pid_file.display(),
        command(&world, "operator")
    );
    for end in ["q", "C-c", "TERM", "HUP", "INT", "F12", "TSTP"] {
        let _ = std::fs::remove_file(&pid_file);
        console.write(&line);
        console.shows("SOURCES").await;
        assert_eq!(console.knows("#{alternate_on} #{mouse_any_flag}"), "1 1", "{end}");
        let pid: i32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
        let kill = |signal| kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        match end {
            "TERM" => kill(Signal::TERM),
            "HUP" => kill(Signal::HUP),
            "INT" => kill(Signal::INT),
            "TSTP" => kill(Signal::TSTP),
            key => console.press(&[key]),
        }
        console
            .until("gives the shell back", |screen| !screen.contains("SOURCES") && screen.contains("ready$"))
            .await;
        assert_eq!(terminal().await, before, "after {end}");
        if end == "F12" {
            console.shows("F12 was pressed").await;
        }
        if end == "TSTP" {
            // It goes on where it was, and the second end is an orderly one.
            console.write("fg\n");
            console.shows("SOURCES").await;
            console.press(&["q"]);
            console.until("gives the shell back", |screen| !screen.contains("SOURCES")).await;
            assert_eq!(terminal().await, before, "after CONT");
        }
        console.write("clear\n");
        console.until("is clear", |screen| !screen.contains("POSTROOM_TUI")).await;
    }
}

/// A window that is closed takes its console with it: nothing is left behind that turns in circles.
#[tokio::test]
async fn a_console_whose_terminal_is_gone_ends() {
    let world = World::new("console-gone").with_folder_dms().start().await;
    for round in 0..5 {
        let pid_file = world.root().join(format!("pid-{round}"));
        let line = format!("echo $$ > {}; exec {}", pid_file.display(), command(&world, "operator"));
        let console = Console::start(&line, 100, 30);
        console.shows("SOURCES").await;
        let pid = std::fs::read_to_string(&pid_file).unwrap().trim().to_owned();
        drop(console);
        let gone = || async { (!std::path::Path::new("/proc").join(&pid).exists()).then_some(()) };
        until("the console has ended", PATIENCE, gone).await;
    }
}

/// The window changes its size all the time while news come in: nothing breaks, and the end is orderly.
#[tokio::test]
async fn a_resize_storm_under_load_is_survived() {
    let mut world = World::new("console-storm").with_folder_dms().start().await;
    let console = Console::start(&command(&world, "operator"), 100, 30);
    console.shows("SOURCES").await;
    let mut chance = postroom_tests::Chance::new(11);
    for round in 0..60_u64 {
        let upload = Upload::to(MATTER).file(&format!("{round}.pdf"), document(500 + round));
        world.deposit(upload).await;
        let (columns, rows) = (chance.between(1, 250), chance.between(1, 80));
        console.resize(u16::try_from(columns).unwrap(), u16::try_from(rows).unwrap());
        let keys = ["1", "2", "5", "6", "7", "8", "9", "Enter", "Escape", "Down", "?", "r", "t", "w"];
        console.press(&[keys[usize::try_from(round).unwrap() % keys.len()]]);
    }
    console.resize(100, 30);
    console.press(&["Escape"]);
    console.press(&["Escape"]);
    console
        .until("takes keys", |screen| {
            console.press(&["Left", "1"]);
            screen.contains("SOURCES")
        })
        .await;
}

/// Line by line: the same commands, told as lines, for screen readers and scripts.
#[tokio::test]
async fn without_a_screen_the_same_is_done_line_by_line() {
    let mut world = World::new("console-plain").with_imanage(sample()).start().await;
    let failed = fail(&mut world, 1).await.remove(0);
    open_workspace(&world);
    let script = world.root().join("script");
    std::fs::write(
        &script,
        "filings\nfilter state:failed\nnote\nby line\nretry\nfilter state:fialed\nquit\n",
    )
    .unwrap();
    let shell = format!("{} --plain < {}", command(&world, "operator"), script.display());
    let output = tokio::process::Command::new("sh").arg("-c").arg(&shell).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for said in ["1 failed", "Bundle 0", "A note on", "✔ noted", "✔ retried", "✖ at 7:"] {
        assert!(text.contains(said), "{said} is missing in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "it commands a terminal:\n{text}");
    world.in_state(failed.filing(), &["filed"]).await;
    let notes = world.op().filing(failed.filing()).await["remarks"]["notes"].clone();
    assert_eq!(notes[0]["text"], "by line");
}

/// Everything that the console does by key has a name on its own command line, and a subcommand for scripts.
#[tokio::test]
async fn every_action_is_a_subcommand_too() {
    let table = run("postroom-tui", &["--list-actions"]).await;
    let table = String::from_utf8(table.stdout).unwrap();
    let mut seen = 0;
    for line in table.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let cli = row["cli"].as_str().unwrap();
        if cli.is_empty() {
            continue;
        }
        let words: Vec<&str> = cli.split(' ').chain(["--help"]).collect();
        let help = run("postroom", &words).await;
        let text = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(help.status.success() && text.contains(&format!("postroom {cli}")), "{row}: {text}");
        seen += 1;
    }
    assert!(seen > 25, "{table}");
}

/// What is wrong on the command line is told before the terminal is touched.
#[tokio::test]
async fn mistakes_are_told_before_the_screen_is_taken() {
    let folder = std::env::temp_dir().join(format!("postroom-console-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (config, token_file) = (folder.join("console.toml"), folder.join("token"));
    std::fs::write(&token_file, "x").unwrap();
    for (settings, says) in [
        ("theme = \"pink\"", "unknown variant `pink`"),
        ("[keys]\nretri = [\"z\"]", "there is no command \"retri\""),
        ("[keys]\nretry = [\"F99\"]", "\"F99\" is no key"),
        ("colour = 1", "unknown field `colour`"),
    ] {
        std::fs::write(&config, settings).unwrap();
        let (config, token_file) = (config.display().to_string(), token_file.display().to_string());
        let output = run("postroom-tui", &["--config", &config, "--token-file", &token_file]).await;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(says), "{settings}: {text}");
        assert!(output.stdout.is_empty(), "{settings}");
    }
    let none = run("postroom-tui", &["--token-file", "/nowhere/token"]).await;
    assert!(String::from_utf8_lossy(&none.stderr).contains("/nowhere/token"));
    std::fs::remove_dir_all(&folder).unwrap();
}
