//! Uploads that are wrong: one answer each, nothing taken in, nothing left behind, and the next upload is served.

use std::time::{Duration, Instant};

use postroom_tests::settings::token;
use postroom_tests::wire::Wire;
use postroom_tests::world::MATTER;
use postroom_tests::{Upload, World};

use crate::document;

const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a body as it is, with its true length, and returns the answer.
async fn send(world: &World, content_type: &str, body: &[u8]) -> postroom_tests::Answer {
    let mut wire = Wire::connect(&world.url()).await;
    let headers = [("Content-Type", content_type.to_owned()), ("Content-Length", body.len().to_string())];
    wire.post("/api/v1/intakes", &token("user"), &headers).await;
    // A server that has seen enough may close before it has read all.
    wire.send(body).await;
    wire.answer(PATIENCE).await.expect("an answer")
}

async fn intakes(world: &World) -> usize {
    world.op().ok("/api/v1/intakes?limit=500").await["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn wrong_uploads_are_refused_by_name() {
    let world = World::new("bad-uploads")
        .with_folder_dms()
        .with_limits("largest_document_bytes = 2000000\ndocuments_per_intake = 100")
        .start()
        .await;
    let good = Upload::to(MATTER).file("a.pdf", document(1));
    let kind = good.content_type();
    let text = |upload: &Upload| upload.body();
    let replace =
        |from: &str, to: &str| String::from_utf8(text(&good)).unwrap().replacen(from, to, 1).into_bytes();
    let mut many = Upload::to(MATTER);
    for number in 0..10_000 {
        many = many.file("a.pdf", document(number));
    }
    let half = {
        let body = text(&good);
        body[..body.len() / 2].to_vec()
    };

    // What, content type, body, status, code, and a text the answer must hold.
    let table: Vec<(&str, &str, Vec<u8>, u16, &str, &str)> = vec![
        ("no body", &kind, Vec::new(), 400, "bad_upload", ""),
        ("not multipart", "application/json", b"{}".to_vec(), 415, "wrong_media_type", ""),
        ("no boundary", "multipart/form-data", text(&good), 400, "bad_upload", "boundary"),
        ("another boundary", "multipart/form-data; boundary=other", text(&good), 400, "bad_upload", ""),
        ("no end mark", &kind, good.open(), 400, "bad_upload", ""),
        ("cut in half", &kind, half, 400, "bad_upload", ""),
        ("no file", &kind, Upload::to(MATTER).body(), 400, "bad_upload", "file"),
        ("an empty file", &kind, Upload::to(MATTER).file("e.pdf", []).body(), 400, "empty_document", "e.pdf"),
        (
            "an empty file among others",
            &kind,
            Upload::to(MATTER).file("a.pdf", document(1)).file("e.pdf", []).body(),
            400,
            "empty_document",
            "e.pdf",
        ),
        ("meta is no JSON", &kind, replace("{\"work_item\"", "{work_item"), 400, "bad_body", ""),
        (
            "unknown field",
            &kind,
            Upload::to("").meta("workitem", "x").file("a.pdf", document(1)).body(),
            400,
            "unknown_field",
            "work_item",
        ),
        (
            "wrong type of a field",
            &kind,
            Upload::to("").meta("work_item", 7).file("a.pdf", document(1)).body(),
            400,
            "bad_value",
            "",
        ),
        ("an unknown part", &kind, replace("name=\"file\"", "name=\"flie\""), 400, "unknown_field", "flie"),
        (
            "a source that is no name",
            &kind,
            Upload::to("").meta("source", "No Such").file("a.pdf", document(1)).body(),
            400,
            "bad_value",
            "",
        ),
        (
            "too large",
            &kind,
            Upload::to(MATTER).file("big.pdf", vec![b'x'; 2_000_001]).body(),
            413,
            "too_large",
            "2000000",
        ),
        ("10,000 parts", &kind, many.body(), 413, "too_many_parts", "100"),
    ];
    let mut wrong = Vec::new();
    for (what, content_type, body, status, code, holds) in table {
        let answer = send(&world, content_type, &body).await;
        let text = answer.text();
        if answer.status != status || answer.code() != code || !text.contains(holds) {
            wrong.push(format!("{what}: wanted {status} {code} {holds:?}, got {} {text}", answer.status));
        }
        if answer.body["title"].as_str().unwrap_or_default().is_empty() {
            wrong.push(format!("{what}: no problem body: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(intakes(&world).await, 0, "something was taken in");

    // The limit itself is still inside.
    world.op().upload(&Upload::to(MATTER).file("max.pdf", vec![b'x'; 2_000_000])).await.expect(202);
}

#[tokio::test]
async fn broken_connections_leave_nothing_and_stop_nobody() {
    let mut world =
        World::new("broken").with_folder_dms().with_limits("upload_idle_seconds = 2").start().await;
    let upload = Upload::to(MATTER).file("a.pdf", vec![7; 200_000]);
    let body = upload.body();
    let headers =
        |length: usize| [("Content-Type", upload.content_type()), ("Content-Length", length.to_string())];

    // Breaks at every tenth of the way, each with the same key; then one that goes through.
    for tenth in 0..10 {
        let mut wire = Wire::connect(&world.url()).await;
        wire.post("/api/v1/intakes", &token("user"), &headers(body.len())).await;
        wire.send(&body[..body.len() * tenth / 10]).await;
        wire.end().await;
        let answer = wire.answer(PATIENCE).await;
        assert!(answer.is_none_or(|answer| answer.status >= 400), "half an upload was accepted");
    }
    // A length that is too short cuts the body off.
    let mut wire = Wire::connect(&world.url()).await;
    wire.post("/api/v1/intakes", &token("user"), &headers(body.len() - 100)).await;
    wire.send(&body).await;
    let answer = wire.answer(PATIENCE).await.expect("an answer");
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(intakes(&world).await, 0);

    // Fifty clients that stall at once do not keep others out, and are sent away.
    let begin = Instant::now();
    let mut stalled = Vec::new();
    for _ in 0..50 {
        let mut wire = Wire::connect(&world.url()).await;
        wire.post("/api/v1/intakes", &token("user"), &headers(body.len())).await;
        wire.send(&body[..body.len() / 3]).await;
        stalled.push(wire);
    }
    let accepted = world.deposit(upload.clone()).await;
    world.all_filed(std::slice::from_ref(&accepted)).await;
    for wire in &mut stalled {
        let answer = wire.answer(PATIENCE).await;
        assert!(answer.is_none_or(|answer| answer.status == 408), "a stalled upload was accepted");
    }
    assert!(begin.elapsed() < PATIENCE, "stalled clients were kept for {:?}", begin.elapsed());
    assert_eq!(intakes(&world).await, 1);
    world.assert_exactly_once(&[accepted]).await;
}

#[tokio::test]
async fn hostile_names_stay_inside_the_workspace() {
    let mut world = World::new("names").with_folder_dms().start().await;
    let long = format!("{}.pdf", "x".repeat(300));
    let names = [
        "../../../etc/passwd",
        "..",
        ".",
        "/etc/shadow",
        "C:\\Windows\\system.ini",
        "CON.pdf",
        "nul",
        ".hidden",
        ".postroom",
        "a<b>c:d\"e|f?g*h.pdf",
        "trailing dots...",
        "trailing space .pdf ",
        "\u{202e}fdp.exe",
        "tab\there.pdf",
        "Zahlungsbefehl für Müller & Söhne 📎.pdf",
        "e\u{301}.pdf",
        "\u{e9}.pdf",
        &long,
    ];
    let mut all = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let accepted = world.deposit(Upload::to(MATTER).file(name, document(number as u64))).await;
        let filing = world.op().filing(accepted.filing()).await;
        assert_eq!(filing["file_name"], *name, "the name as it came is kept");
        all.push(accepted);
    }
    world.all_filed(&all).await;
    world.assert_exactly_once(&all).await;
    for deposit in world.deposits() {
        assert_eq!(deposit.place, format!("{MATTER}/Correspondence"), "{deposit:?}");
        let bad = |c: char| c.is_control() || "<>:\"/\\|?*".contains(c) || c == '\u{202e}';
        assert!(!deposit.name.contains(bad) && deposit.name.len() <= 255, "{deposit:?}");
    }
    // Nothing outside the DMS's root but what was there.
    let outside: Vec<_> = std::fs::read_dir(world.root()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let known = ["dms", "data", "postroom.toml", "server.log", "passphrase", "private-key.pem"];
    assert!(outside.iter().all(|name| known.iter().any(|n| name == n)), "{outside:?}");
}
