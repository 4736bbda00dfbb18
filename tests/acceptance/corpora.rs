//! Letters and documents from the real world: each one ends in a stated state, none stops its neighbours, and what a person files of it lies
//! in the DMS byte for byte. Without `POSTROOM_CORPORA` a handful of odd ones that stand here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postroom_tests::Upload;
use postroom_tests::wait::until;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::post::{Post, hash};

const MATTER: &str = "40001-0001";

/// What came of the files of one kind.
#[derive(Default)]
struct Row {
    seen: usize,
    filed: usize,
    needs_person: usize,
    quarantined: usize,
    /// Known from another file: the same letter.
    again: usize,
    errors: usize,
    /// Of those that were filed, by a person or not, the original is in the DMS byte for byte.
    identical: usize,
}

struct Sample {
    kind: &'static str,
    name: String,
    bytes: Vec<u8>,
}

#[tokio::test]
async fn each_file_ends_in_a_stated_state_and_is_filed_as_it_came() {
    let samples = samples();
    let mut post = Post::with("corpora", "").await;
    post.matter(MATTER).await;
    let mut rows: BTreeMap<&'static str, Row> = BTreeMap::new();
    let mut sent: Vec<(&Sample, String)> = Vec::new();
    for sample in &samples {
        let row = rows.entry(sample.kind).or_default();
        row.seen += 1;
        let intake = if sample.kind == "mail" {
            deliver(post.port, &sample.bytes).await
        } else {
            let upload = Upload::to(MATTER).file(&sample.name, sample.bytes.clone());
            let answer = post.op().upload(&upload).await;
            match answer.status {
                202 => Ok(answer.body["intake"]["id"].as_str().unwrap().to_owned()),
                _ => Err(answer.text()),
            }
        };
        match intake {
            Ok(intake) => sent.push((sample, intake)),
            Err(why) => {
                println!("refused: {} {}: {why}", sample.kind, sample.name);
                row.errors += 1;
            }
        }
    }
    until("everything is opened", Duration::from_mins(3), || async {
        let waiting = post.op().ok("/api/v1/intakes?state=stored").await;
        waiting["items"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    // What needs a person gets one: each is given to the matter.
    let mut met = BTreeSet::new();
    for (sample, id) in &sent {
        let row = rows.entry(sample.kind).or_default();
        if !met.insert(id) {
            // Only the ends of its lines differed: the door knew it.
            row.again += 1;
            continue;
        }
        let intake = post.op().intake(id).await;
        match intake["state"].as_str().unwrap() {
            "needs_person" if intake["needs"]["code"] == "seen_before" => row.again += 1,
            "needs_person" => row.needs_person += 1,
            "quarantined" => row.quarantined += 1,
            _ => row.filed += 1,
        }
        if matches!(intake["state"].as_str(), Some("needs_person" | "quarantined")) {
            let path = format!("/api/v1/intakes/{id}/assign");
            let body = json!({"work_item": MATTER, "reason": "looked at"});
            post.op().call(Method::POST, &path, &body, intake["version"].as_u64()).await.expect(200);
        }
    }
    post.world.quiet(Duration::from_mins(3)).await;
    let held: BTreeSet<String> = post.world.deposits().into_iter().map(|deposit| deposit.hash).collect();
    for (sample, id) in &sent {
        let row = rows.entry(sample.kind).or_default();
        if held.contains(&hash(&as_sent(sample))) {
            row.identical += 1;
        } else {
            println!("not in the DMS as it came: {} {}", sample.kind, sample.name);
        }
        let intake = post.op().intake(id).await;
        assert!(
            matches!(intake["state"].as_str(), Some("settled" | "split")),
            "{}: {:#}",
            sample.name,
            shown(&intake)
        );
    }
    println!("{}", table(&rows));
    for (kind, row) in &rows {
        assert_eq!((row.errors, row.identical), (0, row.seen), "{kind}: see above");
    }
    // Whoever comes after all that is served as ever.
    let last = post.op().upload(&Upload::to(MATTER).file("last.pdf", crate::document(1))).await.expect(202);
    let last = last.body["filings"][0]["id"].as_str().unwrap().to_owned();
    post.world.in_state(&last, &["filed"]).await;
    post.world.stop().await;
}

/// An intake without its longest parts.
fn shown(intake: &Value) -> Value {
    json!({"state": intake["state"], "needs": intake["needs"], "filings": intake["filing_items"]})
}

fn table(rows: &BTreeMap<&'static str, Row>) -> String {
    let mut text = String::from("kind  seen filed needs_person quarantined again errors identical\n");
    for (kind, row) in rows {
        let _ = writeln!(
            text,
            "{kind:<5} {:>4} {:>5} {:>12} {:>11} {:>5} {:>6} {:>9}",
            row.seen, row.filed, row.needs_person, row.quarantined, row.again, row.errors, row.identical
        );
    }
    text
}

/// The bytes as they go over the line: SMTP ends every line of a letter with CR LF.
fn as_sent(sample: &Sample) -> Vec<u8> {
    if sample.kind != "mail" {
        return sample.bytes.clone();
    }
    let mut out = Vec::with_capacity(sample.bytes.len() + 1024);
    for line in sample.bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Delivers a letter; the id of its intake. A client of its own, for no other sends bytes that are no good mail as they are.
async fn deliver(port: u16, bytes: &[u8]) -> Result<String, String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut stream = BufReader::new(stream);
    let mut data = Vec::new();
    let sample = Sample { kind: "mail", name: String::new(), bytes: bytes.to_vec() };
    for line in as_sent(&sample).split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            data.push(b'.');
        }
        data.extend_from_slice(line);
    }
    data.extend_from_slice(b".\r\n");
    let mut answer = said(&mut stream).await;
    let commands: [&[u8]; 5] = [
        b"EHLO corpora.example\r\n",
        b"MAIL FROM:<corpora@elsewhere.example>\r\n",
        b"RCPT TO:<post@firm.example>\r\n",
        b"DATA\r\n",
        &data,
    ];
    for command in commands {
        stream.get_mut().write_all(command).await.unwrap();
        answer = said(&mut stream).await;
        if !answer.starts_with(['2', '3']) {
            return Err(answer);
        }
    }
    Ok(answer.trim().rsplit(' ').next().unwrap_or_default().to_owned())
}

/// The last line of an answer.
async fn said(stream: &mut BufReader<TcpStream>) -> String {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            return line;
        }
    }
}

fn samples() -> Vec<Sample> {
    let Some(corpora) = std::env::var_os("POSTROOM_CORPORA").map(PathBuf::from) else { return odd_ones() };
    let mut all = Vec::new();
    for kind in ["mail", "msg", "tnef", "pdf", "docx"] {
        let mut files = Vec::new();
        walk(&corpora.join(kind), &mut files);
        files.sort();
        assert!(!files.is_empty(), "{} has no {kind}", corpora.display());
        all.extend(files.into_iter().map(|path| Sample {
            kind,
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            bytes: std::fs::read(&path).unwrap(),
        }));
    }
    // Two files of the same bytes are one document.
    let mut seen = BTreeSet::new();
    all.retain(|sample| !sample.bytes.is_empty() && seen.insert(hash(&sample.bytes)));
    all
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Letters that are none, or hardly.
fn odd_ones() -> Vec<Sample> {
    let letters: [(&str, &[u8]); 8] = [
        ("no header", b"\n\nonly text\n"),
        ("no end", b"Subject: cut off"),
        ("no boundary", b"Content-Type: multipart/mixed\n\n--x\n\na\n"),
        ("wrong charset", b"Subject: =?x-none?B?////?=\nContent-Type: text/plain; charset=x-none\n\n\xff\xfe\x00\n"),
        ("reply to nobody", b"From: a@b.example\nReply-To: <>\nIn-Reply-To: \nDate: never\n\nx\n"),
        ("two types", b"Content-Type: text/plain\nContent-Type: text/html\n\n<b>x</b>\n"),
        ("dots", b"Subject: dots\n\n.\n..\n...\n.x\n"),
        ("a broken winmail", b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+IgAA\n"),
    ];
    let documents: [(&str, &[u8]); 3] = [
        ("broken.pdf", b"%PDF-1.7\n%"),
        ("broken.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        ("..docx", b"PK\x03\x04"),
    ];
    let letter =
        |(name, bytes): (&str, &[u8])| Sample { kind: "mail", name: name.into(), bytes: bytes.into() };
    let document =
        |(name, bytes): (&str, &[u8])| Sample { kind: "file", name: name.into(), bytes: bytes.into() };
    letters.map(letter).into_iter().chain(documents.map(document)).collect()
}
