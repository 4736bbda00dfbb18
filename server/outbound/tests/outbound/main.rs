//! The client against servers that misbehave, byte by byte.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod limits;
mod links;
mod proxy;
mod sign_in;
mod world;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, Gauge, RetryAfter};
use postroom_outbound::{Document, Failure, Outbound, SecretString, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn quick() -> Settings {
    Settings {
        connect_seconds: 2.0,
        first_byte_seconds: 0.4,
        idle_seconds: 0.4,
        total_seconds: 5.0,
        proxy: Some("none".into()),
        ..Settings::default()
    }
}

fn client(port: u16, settings: &Settings) -> Outbound {
    postroom_outbound::install_crypto();
    Outbound::new("test", &format!("http://127.0.0.1:{port}/").parse().unwrap(), settings).unwrap()
}

/// Serves each connection with a script.
async fn server<F, R>(script: F) -> (u16, Arc<AtomicUsize>)
where
    F: Fn(TcpStream) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(script(stream));
        }
    });
    (port, count)
}

/// Reads the head of a request.
async fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Reads head and body of a request.
async fn whole(stream: &mut TcpStream) -> String {
    let head = head(stream).await;
    let length =
        head.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    let _ = stream.read_exact(&mut body).await;
    head + &String::from_utf8_lossy(&body)
}

/// A server that gives the same answer to all.
async fn answering(answer: impl Into<Vec<u8>>) -> u16 {
    let answer = Arc::new(answer.into());
    let script = move |mut stream: TcpStream| {
        let answer = Arc::clone(&answer);
        async move {
            whole(&mut stream).await;
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(&answer)).await;
            let _ = stream.shutdown().await;
            // Not closed with a reset while the client still reads.
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut [0])).await;
        }
    };
    server(script).await.0
}

fn document(size: u64, pieces: Vec<io::Result<Bytes>>, gauge: &Gauge) -> Document {
    Document {
        field: "file",
        file_name: "document.pdf".into(),
        media_type: "application/pdf".into(),
        size,
        stream: futures_util::stream::iter(pieces).boxed(),
        gauge: gauge.clone(),
    }
}

fn pieces(count: usize, each: usize) -> Vec<io::Result<Bytes>> {
    (0..count).map(|_| Ok(Bytes::from(vec![7; each]))).collect()
}

async fn upload(port: u16, document: Document) -> Result<postroom_outbound::Reply, Failure> {
    let client = client(port, &quick());
    let url = client.base().join("up").unwrap();
    client.post("upload", url).document(vec![("profile", r#"{"a":1}"#.into())], document).fetch().await
}

fn met(failure: &Failure) -> (Symptom, Sent) {
    match failure {
        Failure::Symptom { symptom, sent, .. } => (*symptom, *sent),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_document_goes_out_after_its_profile_with_its_length_known() {
    let (send, mut received) = tokio::sync::mpsc::channel(1);
    let script = move |mut stream: TcpStream| {
        let send = send.clone();
        async move {
            let request = whole(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n{\"data\":1}").await;
            send.send(request).await.unwrap();
        }
    };
    let (port, _) = server(script).await;
    let gauge = Gauge::default();
    let reply = upload(port, document(6, pieces(2, 3), &gauge)).await.unwrap();
    assert_eq!((reply.status, reply.sent(), gauge.bytes()), (201, Sent::Fully, 6));
    assert_eq!(reply.json::<serde_json::Value>().unwrap()["data"], 1);
    let request = received.recv().await.unwrap();
    let (profile, file) = (request.find("name=\"profile\"").unwrap(), request.find("name=\"file\"").unwrap());
    assert!(profile < file, "{request}");
    assert!(
        request.contains("filename=\"document.pdf\"") && request.contains("application/pdf"),
        "{request}"
    );
    assert!(request.to_lowercase().contains("content-length: ") && !request.contains("chunked"), "{request}");
}

#[tokio::test]
async fn an_answer_before_the_end_of_sending_is_preferred() {
    for status in [401, 413, 503] {
        let script = move |mut stream: TcpStream| async move {
            head(&mut stream).await;
            let answer = format!("HTTP/1.1 {status} No\r\ncontent-length: 2\r\nretry-after: 7\r\n\r\nno");
            let _ = stream.write_all(answer.as_bytes()).await;
            // Stops reading, as a server does that has made up its mind.
            tokio::time::sleep(Duration::from_secs(3)).await;
        };
        let (port, _) = server(script).await;
        let gauge = Gauge::default();
        let reply = upload(port, document(64 << 20, pieces(1024, 64 << 10), &gauge)).await.unwrap();
        assert_eq!((reply.status, reply.sent()), (status, Sent::Partly));
        assert_eq!(reply.retry_after(), Some(RetryAfter::Seconds(7)));
    }
}

#[tokio::test]
async fn time_runs_out_while_sending_while_waiting_and_in_the_answer() {
    // Nothing is read: sending stands still.
    let (port, _) = server(|stream: TcpStream| async move {
        tokio::time::sleep(Duration::from_secs(4)).await;
        drop(stream);
    })
    .await;
    let begun = Instant::now();
    let failure =
        upload(port, document(64 << 20, pieces(1024, 64 << 10), &Gauge::default())).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::TimedOut, Sent::Partly), "{failure}");
    assert!(begun.elapsed() < Duration::from_secs(3));
    // All is read, no answer comes: the same server takes a small document into its buffers.
    let failure = upload(port, document(3, pieces(1, 3), &Gauge::default())).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::TimedOut, Sent::Fully), "{failure}");
    assert_eq!(DmsError::from(failure).trouble().cause, Cause::AnswerLost);
    // The answer begins and never ends.
    let (port, _) = server(|mut stream: TcpStream| async move {
        whole(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
        tokio::time::sleep(Duration::from_secs(4)).await;
    })
    .await;
    let failure = upload(port, document(3, pieces(1, 3), &Gauge::default())).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::UnreadableSuccess, Sent::Fully), "{failure}");
}

#[tokio::test]
async fn a_slow_document_that_moves_is_not_cut_off() {
    let port = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let stream = futures_util::stream::unfold(0, |n| async move {
        tokio::time::sleep(Duration::from_millis(150)).await;
        (n < 6).then(|| (Ok(Bytes::from_static(b"x")), n + 1))
    });
    let gauge = Gauge::default();
    let slow = Document { stream: stream.boxed(), ..document(6, vec![], &gauge) };
    // Longer in all than the idle and first-byte limits of 0.4 seconds.
    assert_eq!(upload(port, slow).await.unwrap().status, 200);
}

#[tokio::test]
async fn our_own_damaged_bytes_break_the_request_off() {
    let (send, mut received) = tokio::sync::mpsc::channel(8);
    let script = move |mut stream: TcpStream| {
        let send = send.clone();
        async move {
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all).await;
            send.send(all).await.unwrap();
        }
    };
    let (port, _) = server(script).await;
    let broken = || Err(io::Error::other("hash differs"));
    for (size, given) in [
        (6, vec![Ok(Bytes::from_static(b"abc")), broken()]),
        (6, vec![broken()]),
        (6, pieces(1, 3)),
        (6, pieces(3, 3)),
        (0, pieces(1, 1)),
    ] {
        let failure = upload(port, document(size, given, &Gauge::default())).await.unwrap_err();
        assert!(matches!(failure, Failure::Content(_)), "{failure:?}");
        assert_eq!(DmsError::from(failure).trouble().cause, Cause::StoreDamage);
        let request = received.recv().await.unwrap();
        // The closing boundary, which would make the request whole, never comes.
        assert!(!request.ends_with(b"--\r\n"), "{}", String::from_utf8_lossy(&request));
    }
}

#[tokio::test]
async fn answers_are_read_with_a_bound_and_web_pages_are_known() {
    let small = Settings { largest_answer_bytes: 1000, ..quick() };
    // 10 MiB of zeros in 10 KiB of gzip.
    let bomb = gzip(&vec![0; 10 << 20]);
    let mut answer =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len())
            .into_bytes();
    answer.extend(bomb);
    let client_of = |port| client(port, &small);
    let bombed = client_of(answering(answer).await);
    let failure = bombed.get("get", bombed.base().clone()).fetch().await.unwrap_err();
    assert_eq!(met(&failure).0, Symptom::UnreadableSuccess, "{failure}");

    let endless = format!("HTTP/1.1 500 No\r\n\r\n{}", "x".repeat(5000));
    let endless = client_of(answering(endless).await);
    let reply = endless.get("get", endless.base().clone()).fetch().await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (500, 1000), "the status counts, its body is cut");

    for page in [
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n \n<!DOCTYPE HTML>login",
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>",
    ] {
        let client = client_of(answering(page).await);
        let reply = client.get("get", client.base().clone()).fetch().await.unwrap();
        let failure = reply.json::<serde_json::Value>().unwrap_err();
        assert_eq!(met(&failure).0, Symptom::WebPage, "{page}");
    }
    let client = client_of(answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{]").await);
    let reply = client.get("get", client.base().clone()).fetch().await.unwrap();
    assert_eq!(met(&reply.json::<serde_json::Value>().unwrap_err()).0, Symptom::UnreadableSuccess);
}

/// Stored blocks would not shrink, so this writes real runs: one literal zero and its repetitions in fixed Huffman codes.
fn gzip(zeros: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(1, 1);
    bits.put(0b01, 2);
    bits.code(0x30, 8); // literal 0
    let mut left = zeros.len() - 1;
    while left >= 258 {
        bits.code(0b1100_0101, 8); // length 258
        bits.code(0, 5); // distance 1
        left -= 258;
    }
    for _ in 0..left {
        bits.code(0x30, 8);
    }
    bits.code(0, 7);
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(bits.finish());
    out.extend([0; 8]); // a wrong checksum comes too late to matter
    out
}

#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for i in 0..count {
            if self.used.is_multiple_of(8) {
                self.out.push(0);
            }
            *self.out.last_mut().unwrap() |= u8::try_from((value >> i) & 1).unwrap() << (self.used % 8);
            self.used += 1;
        }
    }
    /// Huffman codes go in from their highest bit.
    fn code(&mut self, value: u32, count: u32) {
        (0..count).rev().for_each(|i| self.put((value >> i) & 1, 1));
    }
    fn finish(self) -> Vec<u8> {
        self.out
    }
}

#[tokio::test]
async fn redirects_are_followed_for_get_on_the_same_host_only() {
    let script = |mut stream: TcpStream| async move {
        let request = whole(&mut stream).await;
        let token = request.to_lowercase().contains("x-auth-token: secret");
        let answer = if request.contains("/here") {
            "HTTP/1.1 302 Found\r\nlocation: /there?x=1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                .to_owned()
        } else if request.contains("/away") {
            "HTTP/1.1 302 Found\r\nlocation: http://localhost:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
        } else if request.contains("/round") {
            "HTTP/1.1 302 Found\r\nlocation: /round\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                .to_owned()
        } else {
            let body = format!("{{\"token\":{token}}}");
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        };
        let _ = stream.write_all(answer.as_bytes()).await;
    };
    let (port, count) = server(script).await;
    let client = client(port, &quick());
    let url = |path: &str| client.base().join(path).unwrap();
    let token = SecretString::from("secret");
    let reply = client.get("get", url("here")).secret_header("x-auth-token", &token).fetch().await.unwrap();
    assert_eq!(reply.json::<serde_json::Value>().unwrap()["token"], true);
    assert_eq!(client.get("get", url("away")).fetch().await.unwrap().status, 302);
    assert_eq!(client.post("post", url("here")).form(&[]).fetch().await.unwrap().status, 302);
    count.store(0, Ordering::SeqCst);
    assert_eq!(client.get("get", url("round")).fetch().await.unwrap().status, 302);
    assert_eq!(count.load(Ordering::SeqCst), 6);
    let elsewhere = client.get("get", "http://localhost:1/".parse().unwrap()).fetch().await.unwrap_err();
    assert!(matches!(elsewhere, Failure::NotAllowed(_)), "{elsewhere:?}");
}

#[tokio::test]
async fn no_connection_and_bad_certificates_say_that_nothing_was_sent() {
    // A port that nothing listens on.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let failure = upload(port, document(0, vec![], &Gauge::default())).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::NoConnection, Sent::Nothing), "{failure}");

    postroom_outbound::install_crypto();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let script = move |stream: TcpStream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut buffer = [0; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
                let _ = stream.shutdown().await;
            }
        }
    };
    let (port, _) = server(script).await;
    let get = |host: &str, settings: Settings| {
        let base = format!("https://{host}:{port}/").parse().unwrap();
        async move {
            let client = Outbound::new("test", &base, &settings).unwrap();
            client.get("get", base).fetch().await
        }
    };
    let failure = get("localhost", quick()).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::BadCertificate, Sent::Nothing), "{failure}");
    // With the certificate trusted the right name works, another one does not.
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let trusting = Settings { ca_file: Some(ca), ..quick() };
    assert_eq!(get("localhost", trusting.clone()).await.unwrap().status, 200);
    let failure = get("127.0.0.1", trusting).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::BadCertificate, Sent::Nothing), "{failure}");
    // Plain text where TLS is wanted.
    let (plain, _) = server(|mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 No\r\n\r\n").await;
    })
    .await;
    let base = format!("https://localhost:{plain}/").parse().unwrap();
    let client = Outbound::new("test", &base, &quick()).unwrap();
    let failure = client.get("get", base).fetch().await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::NoConnection, Sent::Nothing), "{failure}");
}

#[tokio::test]
async fn resets_and_nonsense_are_told_apart_by_what_had_been_sent() {
    let reset = |after: usize| {
        server(move |mut stream: TcpStream| async move {
            let mut buffer = vec![0; 64 << 10];
            let mut seen = 0;
            while seen < after {
                match stream.read(&mut buffer).await {
                    Ok(n) if n > 0 => seen += n,
                    _ => break,
                }
            }
            // Unread bytes turn the close into a reset.
        })
    };
    let (port, count) = reset(1).await;
    let failure =
        upload(port, document(64 << 20, pieces(1024, 64 << 10), &Gauge::default())).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::Reset, Sent::Partly), "{failure}");
    assert_eq!(DmsError::from(failure).trouble().cause, Cause::Interrupted);
    assert_eq!(count.load(Ordering::SeqCst), 1, "nothing is repeated");
    let (port, _) = reset(32 << 20).await;
    let failure =
        upload(port, document(64 << 20, pieces(1024, 64 << 10), &Gauge::default())).await.unwrap_err();
    assert_eq!(met(&failure), (Symptom::Reset, Sent::Partly), "{failure}");
    let (port, _) = server(|mut stream: TcpStream| async move {
        whole(&mut stream).await;
    })
    .await;
    for size in [0, 3] {
        let failure =
            upload(port, document(size as u64, pieces(usize::from(size > 0), size), &Gauge::default()));
        let failure = failure.await.unwrap_err();
        assert_eq!(met(&failure), (Symptom::Reset, Sent::Fully), "{failure}");
    }
    let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    let large = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(10 << 20));
    let headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}".to_owned();
    let nonsense =
        ["no HTTP at all\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "", "\0\0\0"]
            .map(str::to_owned);
    for nonsense in nonsense.into_iter().chain([many, large, headers, short]) {
        let shown: String = nonsense.chars().take(60).collect();
        let port = answering(nonsense).await;
        let failure = upload(port, document(3, pieces(1, 3), &Gauge::default())).await.unwrap_err();
        assert_eq!(DmsError::from(failure).trouble().cause, Cause::AnswerLost, "{shown:?}");
    }
}

#[tokio::test]
async fn no_more_calls_at_once_than_allowed_and_nothing_secret_in_errors() {
    let running = Arc::new(AtomicUsize::new(0));
    let peak = Arc::new(AtomicUsize::new(0));
    let (r, p) = (Arc::clone(&running), Arc::clone(&peak));
    let script = move |mut stream: TcpStream| {
        let (running, peak) = (Arc::clone(&r), Arc::clone(&p));
        async move {
            whole(&mut stream).await;
            peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(30)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                .await;
        }
    };
    let (port, _) = server(script).await;
    let client = client(port, &Settings { parallel: 3, ..quick() });
    let calls = (0..12).map(|_| client.get("get", client.base().clone()).fetch());
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(peak.load(Ordering::SeqCst), 3);

    let away = Outbound::new("test", &"http://127.0.0.1:9/".parse().unwrap(), &quick()).unwrap();
    let url = "http://127.0.0.1:9/path?token=hush".parse().unwrap();
    let failure =
        away.get("get", url).secret_header("x-auth-token", &"hush".into()).fetch().await.unwrap_err();
    assert!(!format!("{failure} {failure:?}").contains("hush"), "{failure:?}");
}

#[test]
fn settings_that_cannot_work_are_refused_by_key() {
    postroom_outbound::install_crypto();
    let try_with = |base: &str, settings: Settings| {
        Outbound::new("test", &base.parse().unwrap(), &settings)
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default()
    };
    let good = "https://dms.example/";
    for (base, settings, key) in [
        ("ftp://dms.example/", quick(), "base_url"),
        ("https://me:pw@dms.example/", quick(), "base_url"),
        (good, Settings { idle_seconds: 0.0, ..quick() }, "idle_seconds"),
        (good, Settings { connect_seconds: f64::NAN, ..quick() }, "connect_seconds"),
        (good, Settings { parallel: 0, ..quick() }, "parallel"),
        (good, Settings { per_second: Some(0.0), ..quick() }, "per_second"),
        (good, Settings { per_second: Some(f64::INFINITY), ..quick() }, "per_second"),
        (good, Settings { per_second: Some(1.0), burst: Some(0), ..quick() }, "burst"),
        (good, Settings { burst: Some(3), ..quick() }, "burst"),
        (good, Settings { longest_wait_seconds: 0.0, ..quick() }, "longest_wait_seconds"),
        (good, Settings { proxy: Some("http://u:p@proxy:1".into()), ..quick() }, "proxy_password"),
        (good, Settings { ca_file: Some("/nonexistent.pem".into()), ..quick() }, "ca_file"),
        (good, Settings { ca_file: Some("/dev/null".into()), ..quick() }, "ca_file"),
    ] {
        let text = try_with(base, settings);
        assert!(text.contains(key) && !text.contains(":pw@"), "{key}: {text}");
    }
    assert_eq!(try_with(good, quick()), "");
}
