//! Uploads piece by piece on the real binary: killed and broken off wherever it may be, they go on and become one intake.

use std::time::Duration;

use postroom_tests::settings::token;
use postroom_tests::wire::Wire;
use postroom_tests::world::MATTER;
use postroom_tests::{Accepted, Answer, Api, Chance, World, wait};
use reqwest::Method;

const PIECES: &str = "application/offset+octet-stream";

/// `filename letter.pdf,work_item 10442-0007`, in Base64.
fn metadata() -> String {
    assert_eq!(MATTER, "10442-0007");
    "filename bGV0dGVyLnBkZg==,work_item MTA0NDItMDAwNw==".to_owned()
}

async fn ask(
    world: &World,
    method: Method,
    path: &str,
    headers: &[(&str, String)],
    body: Vec<u8>,
) -> Option<Answer> {
    let mut request = world
        .op()
        .http()
        .request(method, format!("{}{path}", world.url()))
        .bearer_auth(token("operator"))
        .header("tus-resumable", "1.0.0")
        .body(body);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    Api::send(request).await.ok()
}

async fn begin(world: &World, length: usize, key: &str) -> String {
    let headers = [
        ("upload-length", length.to_string()),
        ("upload-metadata", metadata()),
        ("idempotency-key", key.to_owned()),
    ];
    let answer = ask(world, Method::POST, "/api/v1/uploads", &headers, Vec::new()).await.expect("an answer");
    answer.expect(201).header("location").expect("where it is").to_owned()
}

async fn offset(world: &World, at: &str) -> (usize, Option<String>) {
    let answer = ask(world, Method::HEAD, at, &[], Vec::new()).await.expect("an answer").expect(200);
    let offset = answer.header("upload-offset").and_then(|text| text.parse().ok()).expect("an offset");
    (offset, answer.header("upload-intake").map(str::to_owned))
}

/// Sends from an offset on; no answer is an answer too.
async fn send(world: &World, at: &str, bytes: &[u8], from: usize, to: usize) -> Option<Answer> {
    let headers = [("content-type", PIECES.to_owned()), ("upload-offset", from.to_string())];
    ask(world, Method::PATCH, at, &headers, bytes[from..to].to_vec()).await
}

/// Breaks off with that many bytes under way.
async fn break_off(world: &World, at: &str, bytes: &[u8], from: usize, to: usize) {
    let mut wire = Wire::connect(&world.url()).await;
    let head = format!(
        "PATCH {at} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\nContent-Type: {PIECES}\r\n\
         Upload-Offset: {from}\r\nContent-Length: {}\r\n\r\n",
        token("operator"),
        bytes.len() - from
    );
    wire.send(head.as_bytes()).await;
    wire.send(&bytes[from..to]).await;
    wire.end().await;
}

#[tokio::test]
async fn killed_at_99_percent_it_goes_on_and_is_filed_once() {
    let mut world = World::new("resumable").with_folder_dms().start().await;
    // Three pieces of 16 MiB, and some.
    let bytes = Chance::new(7).bytes(50 << 20);
    let hash = blake3::hash(&bytes).to_hex().to_string();
    world.handed_in.insert(hash.clone());
    let at = begin(&world, bytes.len(), "k-1").await;
    // 99 percent come, and the connection breaks; then the server is killed.
    let most = bytes.len() / 100 * 99;
    break_off(&world, &at, &bytes, 0, most).await;
    let (there, place) = (&world, &at);
    // What still lay in the buffer of the broken connection is lost with it; that is some kilobytes.
    let kept = wait::until("what came is durable", wait::PATIENCE, || async move {
        let (durable, _) = offset(there, place).await;
        (durable > most - (1 << 20)).then_some(durable)
    })
    .await;
    world.kill().await;
    world.start().await;
    assert_eq!(offset(&world, &at).await, (kept, None));
    // Nothing of it can be read on the disk.
    let needle = &bytes[1000..1064];
    for entry in walk(&world.data().join("spool")) {
        let content = std::fs::read(&entry).unwrap();
        assert!(memchr::memmem::find(&content, needle).is_none(), "{} is readable", entry.display());
    }
    // The rest in two pieces, with kills at moments that chance gives: in the middle of a piece, and while it is taken in.
    let mut chance = Chance::new(11);
    let mut kills = 0;
    let intake = loop {
        let (from, intake) = offset(&world, &at).await;
        if let Some(intake) = intake {
            break intake;
        }
        if from == bytes.len() {
            // All has come, and whoever was killed at it left it to the next start.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        if kills < 6 {
            let delay = Duration::from_millis(chance.below(400));
            let patch = send(&world, &at, &bytes, from, bytes.len());
            let died = tokio::time::timeout(delay, patch).await.is_err();
            world.kill().await;
            world.start().await;
            kills += u32::from(died) + 1;
        } else {
            drop(send(&world, &at, &bytes, from, bytes.len()).await);
        }
    };
    // The same key, begun again by who lost everything: it is the same upload.
    assert_eq!(begin(&world, bytes.len(), "k-1").await, at);
    let shown = world.op().intake(&intake).await;
    let filing = shown["filing_items"][0]["id"].as_str().expect("a filing").to_owned();
    world.in_state_within(&filing, &["filed"], Duration::from_mins(2)).await;
    assert_eq!(world.op().ok("/api/v1/intakes").await["items"].as_array().unwrap().len(), 1);
    let accepted = Accepted { intake, filings: vec![(filing, hash)], again: false };
    world.assert_exactly_once(&[accepted]).await;
    world.stop().await;
    // Pieces are gone, and the store agrees with its documents.
    let (data, config) = (world.data().display().to_string(), world.config().display().to_string());
    let output =
        postroom_tests::process::run("postroom", &["verify", "--data", &data, "--config", &config]).await;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.contains("1 documents"), "{told}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}
