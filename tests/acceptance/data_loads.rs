//! Tables of data on the real binary: loaded row by row, killed in the middle, and loaded again without any change.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use postroom_tests::{Answer, Api, Chance, World};
use serde_json::{Value, json};

const SETTINGS: &str = r#"
[[data_uploads]]
name = "matters"
work_type = "matter"
columns = [
  { column = "Matter", field = "reference" },
  { column = "Title", field = "title" },
  { column = "Client No", field = "client.reference" },
  { column = "Client", field = "client.name" },
  { column = "Open", field = "open" },
  { column = "Office", field = "attributes.office" },
  { column = "Fee earner", field = "participants.fee-earner.email" },
]
"#;

/// A table of so many rows; each of `bad` has no title.
fn table(rows: u64, bad: &[u64]) -> String {
    let mut text = "\u{feff}Matter;Title;Client No;Client;Open;Office;Fee earner\r\n".to_owned();
    for row in 0..rows {
        let title = if bad.contains(&row) { String::new() } else { format!("\"Matter; no. {row}\"") };
        let (client, office) = (row % 997, ["Leeds", "York"][usize::from(row % 2 == 0)]);
        write!(
            text,
            "D-{row:07};{title};C{client};Client {client};yes;{office};fe{}@firm.example\r\n",
            row % 50
        )
        .unwrap();
    }
    text
}

async fn hand_in(world: &World, text: &str) -> Answer {
    let file = reqwest::multipart::Part::bytes(text.as_bytes().to_vec()).file_name("matters.csv");
    let form = reqwest::multipart::Form::new().text("mapping", "matters").part("file", file);
    let request = world.op().http().post(format!("{}/api/v1/data-uploads", world.url()));
    Api::send(request.bearer_auth(world.op().token()).multipart(form)).await.expect("an answer")
}

async fn ended(world: &World, id: &str, patience: Duration) -> Value {
    let begin = Instant::now();
    loop {
        let shown = world.op().ok(&format!("/api/v1/data-uploads/{id}")).await;
        let state = shown["state"].as_str().unwrap();
        if state != "loading" && state != "checking" {
            return shown;
        }
        assert!(begin.elapsed() < patience, "it does not end: {shown:#}\n{}", world.log_tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn run(world: &World, id: &str, what: &str) -> Value {
    world.op().post(&format!("/api/v1/data-uploads/{id}/{what}"), &json!({})).await.expect(202);
    ended(world, id, Duration::from_mins(10)).await
}

fn counts(shown: &Value, pass: &str) -> [u64; 4] {
    ["created", "updated", "unchanged", "rejected"]
        .map(|name| shown[pass]["counts"][name].as_u64().unwrap_or(0))
}

async fn result(world: &World, id: &str) -> String {
    world.op().get(&format!("/api/v1/data-uploads/{id}/result.csv")).await.expect(200).text()
}

/// Loads a table with kills in the middle; what it took, and how often it was killed.
async fn loads_through_kills(rows: u64, kills: u64, patience: Duration) -> (World, Duration, u64) {
    let mut world =
        World::new("data").with_folder_dms().with_log("warn").with_settings(SETTINGS).start().await;
    let bad = [rows / 2];
    let text = table(rows, &bad);
    let staged = hand_in(&world, &text).await.expect(201).body;
    let id = staged["id"].as_str().unwrap().to_owned();
    assert_eq!((&staged["state"], &staged["format"]), (&json!("staged"), &json!("CSV, UTF-8, semicolons")));
    let begin = Instant::now();
    world.op().post(&format!("/api/v1/data-uploads/{id}/run"), &json!({})).await.expect(202);
    let mut chance = Chance::new(5);
    let mut killed = 0;
    while killed < kills {
        tokio::time::sleep(Duration::from_millis(chance.between(50, 900))).await;
        let shown = world.op().ok(&format!("/api/v1/data-uploads/{id}")).await;
        if shown["state"] != "loading" {
            break;
        }
        world.kill().await;
        world.start().await;
        killed += 1;
    }
    let shown = ended(&world, &id, patience).await;
    let took = begin.elapsed();
    assert_eq!(
        (&shown["state"], counts(&shown, "load")),
        (&json!("loaded"), [rows - 1, 0, 0, 1]),
        "{shown:#}"
    );
    // A result for each row, in order, once.
    let lines = result(&world, &id).await;
    let numbers: Vec<u64> =
        lines.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (2..rows + 2).collect::<Vec<_>>());
    let rejected = world.op().ok(&format!("/api/v1/data-uploads/{id}/rows?result=rejected")).await;
    let only = &rejected["items"][0];
    assert_eq!((&only["row"], &only["column"]), (&json!(rows / 2 + 2), &json!("Title")), "{rejected:#}");
    // No row was saved twice: every work item has the version it was made with.
    let mut cursor = String::new();
    let mut seen = 0;
    loop {
        let page = world.op().ok(&format!("/api/v1/work-items?limit=500{cursor}")).await;
        for item in page["items"].as_array().unwrap() {
            if item["reference"].as_str().unwrap().starts_with("D-") {
                assert_eq!(item["version"], 1, "{item:#}");
                seen += 1;
            }
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, rows - 1);
    (world, took, killed)
}

#[tokio::test]
async fn killed_in_the_middle_a_table_goes_on_and_again_changes_nothing() {
    let (mut world, took, killed) = loads_through_kills(20_000, 5, Duration::from_mins(5)).await;
    println!("20000 rows with {killed} kills: {took:?}");
    // The same file again: first looked at, then loaded.
    let id =
        hand_in(&world, &table(20_000, &[10_000])).await.expect(201).body["id"].as_str().unwrap().to_owned();
    assert_eq!(counts(&run(&world, &id, "dry-run").await, "check"), [0, 0, 19_999, 1]);
    assert_eq!(counts(&run(&world, &id, "run").await, "load"), [0, 0, 19_999, 1]);
    // What is unloaded is the same as what is there; with the matters of the world besides.
    let unloaded = world.op().get("/api/v1/data-uploads/export?mapping=matters").await.expect(200).text();
    let id = hand_in(&world, &unloaded).await.expect(201).body["id"].as_str().unwrap().to_owned();
    let shown = run(&world, &id, "run").await;
    assert_eq!(counts(&shown, "load")[..2], [0, 0], "{shown:#}");
    assert_eq!(counts(&shown, "load")[3], 0, "{shown:#}");
    // Work items of a table have their luggage tags.
    let found = world.op().ok("/api/v1/work-items?search=D-0000001").await;
    let item =
        world.op().ok(&format!("/api/v1/work-items/{}", found["items"][0]["id"].as_str().unwrap())).await;
    assert!(item["luggage_tag"].as_str().unwrap().starts_with("[PR-"), "{item:#}");
    world.stop().await;
}

/// By hand: `cargo nextest run -p postroom-tests --run-ignored only -E 'test(a_million_rows)' --no-capture`; `POSTROOM_ROWS`.
#[tokio::test]
#[ignore = "takes many minutes"]
async fn a_million_rows() {
    let rows = postroom_tests::outcome::sized("POSTROOM_ROWS", 1_000_000);
    let (mut world, took, killed) = loads_through_kills(rows, 3, Duration::from_hours(2)).await;
    let resident = world.server().resident() >> 20;
    println!("{rows} rows with {killed} kills: {took:?}; {resident} MiB resident");
    let id =
        hand_in(&world, &table(rows, &[rows / 2])).await.expect(201).body["id"].as_str().unwrap().to_owned();
    let begin = Instant::now();
    assert_eq!(counts(&run(&world, &id, "run").await, "load"), [0, 0, rows - 1, 1]);
    println!("again: {:?}; {} MiB resident", begin.elapsed(), world.server().resident() >> 20);
    world.stop().await;
}

#[tokio::test]
async fn a_table_is_loaded_from_the_command_line() {
    let mut world = World::new("data-cli").with_folder_dms().with_settings(SETTINGS).start().await;
    let file = world.root().join("matters.csv");
    std::fs::write(&file, table(30, &[7])).unwrap();
    let config = world.config().display().to_string();
    let file = file.display().to_string();
    let load = async |more: &[&str]| {
        let arguments =
            [&["data", "load", &file, "--mapping", "matters", "--config", &config, "--json"], more].concat();
        let output = postroom_tests::process::run("postroom", &arguments).await;
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code(), told)
    };
    // A rejected row is an exit status of its own, so that a script notices.
    let (status, told) = load(&["--dry-run"]).await;
    assert_eq!((status, counts(&told, "check")), (Some(1), [29, 0, 0, 1]), "{told:#}");
    let (status, told) = load(&[]).await;
    assert_eq!((status, counts(&told, "load")), (Some(1), [29, 0, 0, 1]), "{told:#}");
    let (_, told) = load(&[]).await;
    assert_eq!(counts(&told, "load"), [0, 0, 29, 1], "{told:#}");
    world.stop().await;
}
