//! Sets of filings on the real binary: what failed by one cause is put right in one go, is killed in the middle, and is run by a script.

use postroom_sims::imanage::Action;
use postroom_tests::console::Console;
use postroom_tests::process::{program, run};
use postroom_tests::settings::token;
use postroom_tests::wait::{self, PATIENCE};
use postroom_tests::{Accepted, Upload, World};
use serde_json::{Value, json};

use crate::document;

/// A matter whose workspace is closed.
const CLOSED: &str = "10442-0003";

/// So many filings that have failed because their workspace is closed.
async fn failed(world: &mut World, count: u64) -> Accepted {
    let mut upload = Upload::to(CLOSED);
    for number in 0..count {
        upload = upload.file(&format!("{number}.pdf"), document(number));
    }
    let accepted = world.deposit(upload).await;
    for (id, _) in &accepted.filings {
        world.in_state(id, &["failed"]).await;
    }
    accepted
}

fn reopen(world: &World) {
    world.sim("dms").control().apply(&Action::OpenWorkspace { workspace: 3670 });
}

async fn freeze(world: &World, body: &Value) -> Value {
    world.op().post("/api/v1/bulk", body).await.expect(201).body
}

fn id(set: &Value) -> String {
    set["id"].as_str().unwrap().to_owned()
}

async fn over(world: &World, id: &str) -> Value {
    let (op, path) = (world.op(), format!("/api/v1/bulk/{id}"));
    wait::until("the set is over", PATIENCE, || async {
        let set = op.ok(&path).await;
        ["done", "stopped", "undone"].contains(&set["state"].as_str().unwrap()).then_some(set)
    })
    .await
}

fn counts(set: &Value) -> [u64; 4] {
    ["done", "skipped", "failed", "waiting"].map(|what| set[what].as_u64().unwrap())
}

/// How often somebody decided that a filing be tried again, which was always together with others.
async fn retries(world: &World, id: &str) -> usize {
    let filing = world.op().filing(id).await;
    let events = filing["events"].as_array().unwrap();
    let retried: Vec<&Value> = events
        .iter()
        .map(|event| &event["happening"])
        .filter(|it| it["from"] == "failed" && it["to"] == "waiting")
        .collect();
    let together = |it: &&&Value| it["words"].to_string().contains("with others in the set");
    assert_eq!(retried.iter().filter(together).count(), retried.len(), "{retried:#?}");
    retried.len()
}

async fn audit(world: &World) -> Vec<Value> {
    world.api("admin").ok("/api/v1/audit?kind=bulk&limit=500").await["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_failed_by_one_cause_is_put_right_in_one_go() {
    let mut world = World::new("bulk")
        .with_imanage(postroom_tests::world::sample())
        .with_limits("undo_bulk_seconds = 1")
        .start()
        .await;
    let accepted = failed(&mut world, 40).await;
    reopen(&world);
    let set = freeze(&world, &json!({"action": "retry", "q": "cause:target_closed dest:dms"})).await;
    assert_eq!((&set["total"], &set["will"]), (&json!(40), &json!(40)), "{set:#}");
    assert_eq!(set["scope"], "all 40 that match cause:target_closed dest:dms");
    assert_eq!(
        (&set["by_cause"][0]["name"], &set["by_cause"][0]["count"]),
        (&json!("target_closed"), &json!(40))
    );
    let run = format!("/api/v1/bulk/{}/run", id(&set));
    let told =
        world.op().post(&run, &json!({"reason": "the workspace is open again"})).await.expect(200).body;
    assert_eq!(told["state"], "about_to_run", "{told:#}");
    world.op().post(&run, &json!({})).await.expect(409);
    let set = over(&world, &id(&set)).await;
    assert_eq!((&set["state"], counts(&set)), (&json!("done"), [40, 0, 0, 0]), "{set:#}");
    world.all_filed(std::slice::from_ref(&accepted)).await;
    world.assert_exactly_once(&[accepted]).await;
    let audit = audit(&world).await;
    let words: Vec<&str> = audit.iter().map(|event| event["happening"]["words"].as_str().unwrap()).collect();
    assert_eq!(
        words,
        [
            "40 filings are to be retried together",
            "through: 40 filings retried, 0 left as they are, 0 failed, 0 not touched"
        ]
    );
    assert_eq!(
        (&audit[0]["actor"]["name"], &audit[0]["note"]),
        (&json!("operator"), &json!("the workspace is open again"))
    );
    world.stop().await;
}

#[tokio::test]
async fn killed_in_the_middle_each_is_decided_once() {
    let mut world = World::new("bulk-kill")
        .with_imanage(postroom_tests::world::sample())
        .with_limits("undo_bulk_seconds = 0")
        .start()
        .await;
    let accepted = failed(&mut world, 60).await;
    reopen(&world);
    let set = freeze(&world, &json!({"action": "retry", "q": "state:failed"})).await;
    let (id, op) = (id(&set), world.op());
    op.post(&format!("/api/v1/bulk/{id}/run"), &json!({"pace": "600/min"})).await.expect(200);
    for done in [5, 25] {
        wait::until("some are done", PATIENCE, || async {
            (op.ok(&format!("/api/v1/bulk/{id}")).await["done"].as_u64().unwrap() >= done).then_some(())
        })
        .await;
        world.kill().await;
        world.start().await;
    }
    let set = over(&world, &id).await;
    assert_eq!((&set["state"], counts(&set)), (&json!("done"), [60, 0, 0, 0]), "{set:#}");
    world.all_filed(std::slice::from_ref(&accepted)).await;
    for (filing, _) in &accepted.filings {
        assert_eq!(retries(&world, filing).await, 1, "{:#}", op.filing(filing).await);
    }
    assert_eq!(audit(&world).await.len(), 2, "told once, ended once");
    world.assert_exactly_once(&[accepted]).await;
    world.stop().await;
}

#[tokio::test]
async fn a_script_runs_a_set() {
    let mut world = World::new("bulk-cli")
        .with_imanage(postroom_tests::world::sample())
        .with_limits("undo_bulk_seconds = 1")
        .start()
        .await;
    let accepted = failed(&mut world, 5).await;
    let token_file = world.root().join("token");
    std::fs::write(&token_file, token("operator")).unwrap();
    let (url, token_file) = (world.url(), token_file.display().to_string());
    let postroom = async |arguments: &[&str]| {
        let common = ["--server", &url, "--token-file", &token_file];
        let output = run("postroom", &[&arguments[..1], &common[..], &arguments[1..]].concat()).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let lines =
        |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    // A look changes nothing, and where nobody can be asked nothing is done.
    let filter = ["filings", "retry", "--filter", "cause:target_closed"];
    let (good, out, err) = postroom(&[&filter[..], &["--dry-run"]].concat()).await;
    assert!(
        good && out.contains("all 5 that match cause:target_closed")
            && out.contains("5 of 5 will be retried"),
        "{out}{err}"
    );
    let (good, out, err) = postroom(&filter).await;
    assert!(
        !good && out.contains("by cause: 5") && err.contains("--yes") && err.contains("--dry-run"),
        "{out}{err}"
    );
    for arguments in [
        &["filings", "retry", "--yes", &accepted.filings[0].0][..],
        &["filings", "retry", "--filter", "state:failed", "--pace", "fast"],
        &["filings", "retry", "--filter", "", "--yes"],
        &["filings", "cancel", "--filter", "state:failed", "--yes"],
        &["filings", "hold", "--filter", "state:failed", "--yes"],
    ] {
        let (good, out, err) = postroom(arguments).await;
        assert!(!good && !err.is_empty(), "{arguments:?}: {out}{err}");
    }
    for (filing, _) in &accepted.filings {
        assert_eq!(world.op().filing(filing).await["state"], "failed");
    }
    reopen(&world);
    let more = ["--yes", "--pace", "6000/min", "--reason", "open again"];
    let (good, out, err) = postroom(&[&["filings", "--json"], &filter[1..], &more[..]].concat()).await;
    assert!(good && err.contains("postroom bulk undo"), "{out}{err}");
    let told = lines(&out);
    let last = told.last().unwrap();
    assert_eq!((&last["state"], counts(last)), (&json!("done"), [5, 0, 0, 0]), "{out}");
    world.all_filed(std::slice::from_ref(&accepted)).await;
    // Filed ones cannot be retried: told as they are, with the reason.
    let (good, out, err) = postroom(&["filings", "retry", "--filter", "state:filed,failed", "--yes"]).await;
    assert!(
        !good && out.contains("not: 5 it is in the DMS already") && err.contains("none of them"),
        "{out}{err}"
    );

    let id = id(last);
    let (good, out, err) = postroom(&["bulk", "list", "--json"]).await;
    assert!(good && lines(&out).iter().any(|set| set["id"] == id.as_str()), "{out}{err}");
    let (good, out, err) = postroom(&["bulk", "items", &id, "--json", "--outcome", "done"]).await;
    assert!(good && lines(&out).len() == 5, "{out}{err}");
    let (good, out, err) = postroom(&["bulk", "show", &id]).await;
    assert!(good && out.contains("retry") && out.contains("done"), "{out}{err}");
    for what in ["stop", "undo"] {
        let (good, out, err) = postroom(&["bulk", what, &id]).await;
        assert!(!good && err.contains("set that is done"), "{what}: {out}{err}");
    }
    world.assert_exactly_once(&[accepted]).await;
    world.stop().await;
}

/// A person is asked, by a number where there are many; who leaves with Ctrl-C stops nothing.
#[tokio::test]
async fn a_person_is_asked_and_may_leave() {
    let mut world = World::new("bulk-asks")
        .with_imanage(postroom_tests::world::sample())
        .with_limits("undo_bulk_seconds = 0")
        .start()
        .await;
    let accepted = failed(&mut world, 20).await;
    reopen(&world);
    let token_file = world.root().join("token");
    std::fs::write(&token_file, token("operator")).unwrap();
    let command = |more: &str| {
        format!(
            "trap : INT; {} filings retry --filter state:failed {more} --server {} --token-file {}; echo left with $?; sleep 600",
            program("postroom").display(),
            world.url(),
            token_file.display()
        )
    };
    let console = Console::start(&command("--pace limit"), 160, 40);
    console.shows("Are 20 filings to be retried? (y to go on)").await;
    console.write("n");
    console.press(&["Enter"]);
    console.shows("left with 1").await;
    assert!(console.screen().contains("Nothing was done."), "{}", console.screen());
    drop(console);
    let sets = world.op().ok("/api/v1/bulk").await;
    assert_eq!((&sets["items"][0]["state"], &sets["items"][1]), (&json!("frozen"), &Value::Null), "{sets:#}");

    let console = Console::start(&command("--pace 120/min"), 160, 40);
    console.shows("(y to go on)").await;
    console.write("y");
    console.press(&["Enter"]);
    console.shows("running: ").await;
    console.press(&["C-c"]);
    let screen = console.shows("left with 130").await;
    let live = world.op().ok("/api/v1/bulk?live=true").await;
    let id = id(&live["items"][0]);
    let hint = format!("It goes on without you. To stop it: postroom bulk stop {id}");
    assert!(screen.contains(&hint), "{screen}");
    assert_eq!(live["items"][0]["state"], "running", "{live:#}");
    world.op().post(&format!("/api/v1/bulk/{id}/stop"), &json!({})).await.expect(200);
    let words = wait::until("the stop is told", PATIENCE, || async {
        let words: Vec<String> =
            audit(&world).await.iter().map(|it| it["happening"]["words"].to_string()).collect();
        (words.len() == 3).then_some(words)
    })
    .await;
    assert!(words[1].contains("stopped") && words[2].contains("through"), "{words:?}");
    let set = world.op().ok(&format!("/api/v1/bulk/{id}")).await;
    let [done, skipped, failed, waiting] = counts(&set);
    assert!(done > 0 && waiting > 0 && done + waiting == 20 && skipped + failed == 0, "{set:#}");
    let mut tried = 0;
    for (filing, _) in &accepted.filings {
        tried += retries(&world, filing).await as u64;
    }
    assert_eq!(tried, done, "what is waiting was not touched");
    world.stop().await;
}
