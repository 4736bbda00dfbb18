//! Uploads: good ones whole and once, bad ones not at all.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use futures_util::future::join_all;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::store::Store;
use postroom_web::Limits;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::world::{World, read_answer, small, text};

const META: &str =
    "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n{\"work_item\": \"0007.0001\"}\r\n";

/// What is wrong, the body, the length told, status, code and words of the answer.
type BadUpload = (&'static str, String, Option<usize>, u16, &'static str, &'static str);

/// Who sends which meta and files, and the status of the answer.
type Sent<'a> = (&'a str, Value, [(&'a str, &'a [u8]); 2], u16);

fn file(name: &str, content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{content}\r\n")
}

/// A whole request with this body; `length` instead of the right one, if given.
fn request(body: &str, length: Option<usize>) -> Vec<u8> {
    let mut head = "POST /api/v1/intakes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-user\r\n\
                    Content-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n"
        .to_owned();
    write!(head, "Content-Length: {}\r\n\r\n{body}", length.unwrap_or(body.len())).unwrap();
    head.into_bytes()
}

/// Status and body of a raw answer.
fn read(answer: &str) -> (u16, Value) {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_uploads_are_told_what_is_wrong_and_leave_nothing() {
    let world = World::new().await;
    let good = format!("{META}{}--b--\r\n", file("a.pdf", "content"));
    let meta = |json: &str| {
        let head = "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n";
        format!("{head}{json}\r\n{}--b--\r\n", file("a.pdf", "content"))
    };
    let many: String = (0..6).map(|i| file(&format!("{i}.pdf"), "x")).collect();
    let large = "x".repeat(100_001);
    let table: Vec<BadUpload> = vec![
        ("empty body", String::new(), None, 400, "bad_upload", "ended before"),
        ("no multipart", "hello".into(), None, 400, "bad_upload", "ended before"),
        ("no parts", "--b--\r\n".into(), None, 400, "bad_upload", "no parts"),
        ("meta alone", format!("{META}--b--\r\n"), None, 400, "bad_upload", "no part \"file\""),
        (
            "file first",
            format!("{}{META}--b--\r\n", file("a.pdf", "x")),
            None,
            400,
            "bad_upload",
            "first part is \"file\"",
        ),
        (
            "file alone",
            format!("{}--b--\r\n", file("a.pdf", "x")),
            None,
            400,
            "bad_upload",
            "must be \"meta\"",
        ),
        (
            "two metas",
            format!("{META}{}{META}--b--\r\n", file("a.pdf", "x")),
            None,
            400,
            "bad_upload",
            "twice",
        ),
        (
            "other part",
            format!("{META}{}--b--\r\n", file("a", "x").replace("\"file\"", "\"fiel\"")),
            None,
            400,
            "unknown_field",
            "\"fiel\"",
        ),
        (
            "empty file",
            format!("{META}{}{}--b--\r\n", file("a.pdf", "x"), file("b.pdf", "")),
            None,
            400,
            "empty_document",
            "Part 2, \"b.pdf\"",
        ),
        (
            "unknown field",
            meta("{\"work_itme\": \"1\"}"),
            None,
            400,
            "unknown_field",
            "Did you mean \"work_item\"",
        ),
        ("meta no JSON", meta("work_item=1"), None, 400, "bad_body", "expected value"),
        ("meta wrong type", meta("{\"work_item\": 7}"), None, 400, "bad_value", "invalid type"),
        (
            "meta too large",
            meta(&format!("{{\"note\": \"{}\"}}", "x".repeat(2000))),
            None,
            413,
            "too_large",
            "1024",
        ),
        (
            "note too long",
            meta(&format!("{{\"note\": \"{}\"}}", "x".repeat(201))),
            None,
            400,
            "bad_value",
            "note: is longer than 200",
        ),
        ("unknown area", meta("{\"area\": \"cellar\"}"), None, 400, "bad_value", "\"cellar\" is not an area"),
        ("unknown source", meta("{\"source\": \"nowhere\"}"), None, 400, "bad_value", "upload, portal"),
        (
            "no upload source",
            meta("{\"source\": \"scans\"}"),
            None,
            400,
            "bad_value",
            "not a source that takes uploads",
        ),
        ("too many parts", format!("{META}{many}--b--\r\n"), None, 413, "too_many_parts", "at most 5"),
        (
            "too large",
            format!("{META}{}--b--\r\n", file("big.pdf", &large)),
            None,
            413,
            "too_large",
            "\"big.pdf\" has more than 100000",
        ),
        ("told too large", good.clone(), Some(300_001), 413, "too_large", "300000"),
        (
            "long name",
            format!("{META}{}--b--\r\n", file(&"n".repeat(101), "x")),
            None,
            400,
            "bad_value",
            "longer than 100 bytes",
        ),
        (
            "encoded",
            format!(
                "{META}{}--b--\r\n",
                file("a", "x").replace("\r\n\r\nx", "\r\nContent-Transfer-Encoding: base64\r\n\r\neA==")
            ),
            None,
            400,
            "bad_upload",
            "encoded",
        ),
        (
            "truncated in the file",
            good[..good.len() - 20].to_owned(),
            None,
            400,
            "bad_upload",
            "ended before",
        ),
        (
            "truncated at the boundary",
            good[..good.len() - 4].to_owned(),
            None,
            400,
            "bad_upload",
            "ended before",
        ),
        ("length too short", good.clone(), Some(good.len() - 12), 400, "bad_upload", "ended before"),
        ("length too long", good.clone(), Some(good.len() + 10), 400, "bad_upload", "ended before"),
        (
            "rubbish after the end",
            format!("{good}{}", "x".repeat(70_000)),
            None,
            400,
            "bad_upload",
            "goes on",
        ),
    ];
    for (case, body, length, status, code, words) in table {
        let answer = world.raw(&request(&body, length), true).await;
        let (got, problem) = read(&answer);
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{case}: {answer}");
        assert!(text(&problem["detail"]).contains(words), "{case}: {}", problem["detail"]);
        world.assert_untouched(case).await;
    }
    // The good one, so that the table is known to fail for its reasons.
    let (status, body) = read(&world.raw(&request(&good, None), true).await);
    assert_eq!((status, text(&body["filings"][0]["file_name"])), (202, "a.pdf".to_owned()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_wrong_are_told_before_the_body_is_read() {
    let world = World::new().await;
    let long = "k".repeat(201);
    let table: &[(&str, &str, u16, &str)] = &[
        ("Content-Type: application/json", "", 415, "wrong_media_type"),
        ("X-Nothing: 1", "", 415, "wrong_media_type"),
        ("Content-Type: multipart/form-data", "", 400, "bad_upload"),
        ("Content-Type: multipart/form-data; boundary=b", "Idempotency-Key: a b", 400, "bad_value"),
        ("Content-Type: multipart/form-data; boundary=b", "Idempotency-Key: ", 400, "bad_value"),
        ("Content-Type: multipart/form-data; boundary=b", &long, 400, "bad_value"),
        (
            "Content-Type: multipart/form-data; boundary=b",
            "Idempotency-Key: a\r\nIdempotency-Key: b",
            400,
            "bad_value",
        ),
    ];
    for (kind, key, status, code) in table {
        let key = if key.starts_with('k') { format!("Idempotency-Key: {key}") } else { (*key).to_owned() };
        let key = if key.is_empty() { "X-Other: 1".to_owned() } else { key };
        let head = format!(
            "POST /api/v1/intakes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-of-user\r\n{kind}\r\n{key}\r\n\
             Connection: close\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = world.raw(head.as_bytes(), false).await;
        let (got, problem) = read(&answer);
        assert_eq!((got, problem["code"].as_str()), (*status, Some(*code)), "{kind} {key}: {answer}");
    }
    world.assert_untouched("headers").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_stall_or_leave_hold_nothing() {
    let world = World::new().await;
    let good = format!("{META}{}--b--\r\n", file("a.pdf", &"x".repeat(50_000)));
    let whole = request(&good, None);
    let head = whole.len() - good.len();
    for sent in [head, head + 20, head + META.len() + 30, head + META.len() + 20_000, whole.len() - 3] {
        // It stands still: told so after the idle time.
        let answer = world.raw(&whole[..sent], false).await;
        let (status, problem) = read(&answer);
        assert_eq!((status, problem["code"].as_str()), (408, Some("stalled")), "{sent} bytes: {answer}");
        world.assert_untouched("stalled").await;
        // It goes away.
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(&whole[..sent]).await.unwrap();
        drop(stream);
        world.assert_untouched("gone").await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_but_steady_is_taken() {
    let world = World::new().await;
    let good = format!("{META}{}--b--\r\n", file("a.pdf", "slow and steady"));
    let whole = request(&good, None);
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    for piece in whole.chunks(40) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let answer = read_answer(&mut stream).await;
    assert_eq!(read(&answer).0, 202, "{answer}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_parts_are_bounded() {
    let world = World::with(Limits { document: 1000, ..Limits::default() }, 0).await;
    let mut body = META.to_owned();
    for i in 0..10_000 {
        body += &file(&format!("{i}.pdf"), "x");
    }
    body += "--b--\r\n";
    let answer = world.raw(&request(&body, None), false).await;
    let (status, problem) = read(&answer);
    assert_eq!((status, problem["code"].as_str()), (413, Some("too_many_parts")), "{answer}");
    assert!(text(&problem["detail"]).contains("1000"), "{problem}");
    world.assert_untouched("ten thousand parts").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_kept_as_they_came_and_given_back_safely() {
    let world = World::new().await;
    let names =
        ["../../etc/passwd", "C:\\scans\\a.pdf", "naïve 中 \u{202e}fdp.exe", "CON", ".hidden", "a\tb"];
    for name in names {
        let body = format!("{META}{}--b--\r\n", file(name, name));
        let (status, answer) = read(&world.raw(&request(&body, None), false).await);
        assert_eq!(status, 202, "{name}: {answer}");
        assert_eq!(answer["intake"]["documents"][0]["file_name"], name);
        let id = text(&answer["intake"]["id"]);
        let original = world.get("user", &format!("/api/v1/intakes/{id}/original")).await;
        assert_eq!(original.body, json!(name), "{name}");
        let disposition = original.header("content-disposition").to_owned();
        assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
        assert!(!disposition.contains(['/', '\\', '\u{202e}', '\r']), "{disposition}");
    }
    // No name, or an empty one: named by its number.
    let nameless = file("", "1") + &file("", "2").replace("; filename=\"\"", "");
    let (status, answer) =
        read(&world.raw(&request(&format!("{META}{nameless}--b--\r\n"), None), false).await);
    assert_eq!(status, 202, "{answer}");
    assert_eq!(answer["filings"][0]["file_name"], "document-1");
    assert_eq!(answer["filings"][1]["file_name"], "document-2");
    assert_eq!(answer["filings"][1]["media_type"], "application/octet-stream");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_durable_named_and_on_its_way() {
    let world = World::new().await;
    let big: Vec<u8> = (0..90_000_u32).flat_map(u32::to_le_bytes).take(99_000).collect();
    let meta = json!({"work_item": "0007.0001", "subject": "Draft", "note": "please", "source": "portal"});
    let answer = world.hand_in("user", &meta, &[("a.pdf", b"first"), ("b.pdf", &big)], None).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = text(&answer.body["intake"]["id"]);
    assert_eq!(answer.header("location"), format!("/api/v1/intakes/{id}"));
    assert_eq!(answer.header("idempotent-replayed"), "");
    assert_eq!(answer.body["again"], false);
    let mut shown = answer.body.clone();
    for (i, filing) in shown["filings"].as_array_mut().unwrap().iter_mut().enumerate() {
        filing["id"] = json!(format!("filing-{i}"));
        filing["intake"] = json!("intake");
    }
    shown["intake"]["id"] = json!("intake");
    insta::assert_json_snapshot!(shown);
    for (number, content) in
        [("", b"first".to_vec()), ("?document=1", b"first".to_vec()), ("?document=2", big)]
    {
        let path = format!("/api/v1/intakes/{id}/original{number}");
        let response = world.request("user", reqwest::Method::GET, &path).send().await.unwrap();
        assert_eq!(response.content_length(), Some(content.len() as u64));
        assert_eq!(response.headers()["content-type"], "application/pdf");
        assert_eq!(response.headers()["content-security-policy"], "sandbox; default-src 'none'");
        assert_eq!(response.bytes().await.unwrap(), content, "{number}");
    }
    for number in ["0", "3"] {
        let path = format!("/api/v1/intakes/{id}/original?document={number}");
        world.get("user", &path).await.assert_problem(404, "not_found", number);
    }
    // The same content to the same place again: linked to the first, not filed twice.
    let twice = world.hand_in("user", &json!({"work_item": "0007.0001"}), &[("c.pdf", b"first")], None).await;
    assert_eq!(twice.body["filings"][0]["state"], "duplicate");
    assert_eq!(twice.body["filings"][0]["duplicate_of"], answer.body["filings"][0]["id"]);
    let anyway = json!({"work_item": "0007.0001", "file_anyway": true});
    let anyway = world.hand_in("user", &anyway, &[("c.pdf", b"first")], None).await;
    assert_eq!(anyway.body["filings"][0]["state"], "waiting");
    // An unknown work item is kept for a person.
    let unknown = world.hand_in("user", &json!({"work_item": "9999"}), &[("d.pdf", b"where")], None).await;
    assert_eq!(unknown.status, 202);
    assert_eq!(unknown.body["intake"]["state"], "needs_person");
    assert_eq!(unknown.body["intake"]["needs"]["code"], "unknown_work_item");
    assert_eq!(unknown.body["filings"], json!([]));
    assert_eq!(world.control.woken.load(std::sync::atomic::Ordering::Relaxed), 4);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_taken_in_once() {
    let world = World::new().await;
    let meta = json!({"work_item": "0007.0001", "subject": "Draft"});
    let files: [(&str, &[u8]); 2] = [("a.pdf", b"first"), ("b.pdf", b"second")];
    for round in 0..20 {
        let key = format!("key-{round}");
        let all = join_all((0..8).map(|_| world.hand_in("user", &meta, &files, Some(&key)))).await;
        let ids: BTreeSet<String> = all.iter().map(|answer| text(&answer.body["intake"]["id"])).collect();
        assert_eq!(ids.len(), 1, "{key}");
        assert!(all.iter().all(|answer| answer.status == 202), "{key}");
        let fresh = all.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count();
        assert_eq!(fresh, 1, "{key}");
        assert_eq!(all.iter().filter(|answer| answer.body["again"] == true).count(), 7, "{key}");
    }
    // Other content under the same key, in each of its parts; another caller's key is another key.
    let table: [Sent<'_>; 6] = [
        ("user", meta.clone(), [("a.pdf", b"first"), ("b.pdf", b"other")], 409),
        ("user", meta.clone(), [("a.pdf", b"first"), ("c.pdf", b"second")], 409),
        ("user", meta.clone(), [("b.pdf", b"second"), ("a.pdf", b"first")], 409),
        ("user", json!({"work_item": "0007.0001", "subject": "Other"}), files, 409),
        ("user2", meta.clone(), files, 202),
        ("user", meta.clone(), files, 202),
    ];
    for (who, meta, files, status) in table {
        let answer = world.hand_in(who, &meta, &files, Some("key-0")).await;
        assert_eq!(answer.status, status, "{who} {meta} {}", answer.body);
        if status == 409 {
            answer.assert_problem(409, "key_reused", who);
        }
    }
    let window = Window { before: None, limit: 100 };
    let intakes = world.store.list_intakes(&IntakeQuery::default(), window).await.unwrap();
    assert_eq!(intakes.items.len(), 21);
    world.assert_no_drafts("keys").await;
    world.stop().await;
}

/// Limits under which an upload may stand still for a while.
fn patient() -> Limits {
    Limits { document: 10_000_000, request: 10_000_000, body_idle: Duration::from_secs(20), ..small() }
}

/// An upload that is too long to be kept in memory while it comes.
fn long_upload() -> Vec<u8> {
    let body = format!("{META}{}--b--\r\n", file("a.pdf", &"x".repeat(700_000)));
    request(&body, None)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_and_a_crowd_are_asked_to_come_back() {
    let world = World::with(small(), u64::MAX / 4).await;
    let answer = world.hand_in("user", &json!({}), &[("a.pdf", b"a")], None).await;
    answer.assert_problem(503, "no_room", "no room");
    assert_eq!(answer.header("retry-after"), "60");
    let ready = world.get("", "/readyz").await;
    assert_eq!((ready.status, &ready.body["checks"][1]["ok"]), (503, &json!(false)), "{}", ready.body);
    world.assert_untouched("no room").await;
    world.stop().await;

    let world = World::with(Limits { uploads: 2, ..patient() }, 0).await;
    let whole = long_upload();
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(&whole[..whole.len() - 10]).await.unwrap();
        open.push(stream);
    }
    world.drafts_are(2).await;
    let refused = world.hand_in("user", &json!({}), &[("b.pdf", b"b")], None).await;
    refused.assert_problem(503, "busy", "a crowd");
    assert_eq!(refused.header("retry-after"), "1");
    for mut stream in open {
        stream.write_all(&whole[whole.len() - 10..]).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert_eq!(read(&answer).0, 202, "{answer}");
    }
    assert_eq!(world.hand_in("user", &json!({}), &[("b.pdf", b"b")], None).await.status, 202);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_uploads_under_way_end() {
    let mut world = World::with(patient(), 0).await;
    let whole = long_upload();
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(&whole[..whole.len() - 10]).await.unwrap();
    world.drafts_are(1).await;
    let server = world.server.take().unwrap();
    let stopping = tokio::spawn(server.stop());
    stream.write_all(&whole[whole.len() - 10..]).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert_eq!(read(&answer).0, 202, "{answer}");
    stopping.await.unwrap().unwrap();
    assert!(TcpStream::connect(world.address).await.is_err());
}
