//! The door as a client sees it, over real connections, beside a real spool and the memory store.

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::ids::IdMint;
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::person::Actor;
use postroom_domain::plan::Rules;
use postroom_domain::query::{IntakeQuery, Window};
use postroom_domain::reception::Reception;
use postroom_domain::spool::Spool;
use postroom_domain::store::{Pause, Store};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock;
use postroom_store::{FileSpool, MemoryStore, SpoolOptions};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

const LARGEST: u64 = 100_000;

struct World {
    _data: tempfile::TempDir,
    spool: FileSpool,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    door: SmtpHandle,
}

fn mailbox(source: &str, addresses: &[&str]) -> SmtpMailbox {
    SmtpMailbox {
        source: source.parse().unwrap(),
        site: "london".parse().unwrap(),
        addresses: addresses.iter().map(|it| (*it).to_owned()).collect(),
    }
}

fn options() -> SmtpOptions {
    SmtpOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        hostname: "postroom.firm.example".to_owned(),
        mailboxes: vec![
            mailbox("post", &["post@firm.example", "briefe@firm.example"]),
            mailbox("scans", &["scans@firm.example"]),
        ],
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        largest: LARGEST,
        certificate: None,
        require_tls: false,
        connections: 10,
        idle: Duration::from_secs(20),
    }
}

impl World {
    async fn new() -> Self {
        Self::with(options(), 0).await
    }

    async fn with(options: SmtpOptions, reserve: u64) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-23T09:00:00Z"));
        let spool_options = SpoolOptions { reserve_bytes: Some(reserve), ..SpoolOptions::default() };
        let spool = FileSpool::open(data.path(), &spool_options, clock.clone()).unwrap();
        let store = Arc::new(MemoryStore::new());
        let reception = Arc::new(Reception {
            store: store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
            mint: Arc::new(IdMint::after(0)),
            rules: Arc::new(Rules::default()),
            accounts: Arc::new(postroom_domain::link::SystemOnly),
            spool: Arc::new(spool.clone()),
            opens_all: false,
            allocator: None,
        });
        let door = open(options, reception, Arc::new(spool.clone())).await.unwrap();
        Self { _data: data, spool, store, clock, door }
    }

    async fn client(&self) -> Client<TcpStream> {
        Client::new(TcpStream::connect(self.door.address()).await.unwrap()).await
    }

    async fn intakes(&self) -> Vec<Intake> {
        let window = Window { before: None, limit: 1_000 };
        let mut items = self.store.list_intakes(&IntakeQuery::default(), window).await.unwrap().items;
        items.reverse();
        items
    }

    /// What was taken in, byte for byte, with mailbox and recipients.
    async fn held(&self) -> Vec<(String, String, Vec<u8>)> {
        let mut found = Vec::new();
        for intake in self.intakes().await {
            assert_eq!(intake.state, IntakeState::Stored);
            let content = self.spool.content(intake.documents[0].blob).await.unwrap();
            let chunks: Vec<bytes::Bytes> =
                futures_util::TryStreamExt::try_collect(content.open().await.unwrap()).await.unwrap();
            let to = intake.letter.unwrap().envelope.to.join(" ");
            found.push((intake.source.to_string(), to, chunks.concat()));
        }
        found
    }
}

struct Client<S> {
    stream: S,
    heard: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// After the greeting.
    async fn new(stream: S) -> Self {
        let mut client = Self { stream, heard: Vec::new() };
        let greeting = client.answer().await;
        assert!(greeting.starts_with("220 "), "{greeting}");
        client
    }

    /// One answer, all of its lines; empty at the end of the connection.
    async fn answer(&mut self) -> String {
        let reading = async {
            loop {
                let text = String::from_utf8_lossy(&self.heard).into_owned();
                let last = text.split_inclusive("\r\n").scan(0, |at, line| {
                    *at += line.len();
                    Some((*at, line.to_owned()))
                });
                let whole = |line: &str| line.ends_with("\r\n") && line.as_bytes().get(3) == Some(&b' ');
                if let Some((end, _)) = last.into_iter().find(|(_, line)| whole(line)) {
                    let answer = text[..end].trim_end().to_owned();
                    self.heard.drain(..end);
                    return answer;
                }
                let mut chunk = [0; 4096];
                match self.stream.read(&mut chunk).await {
                    Ok(read) if read > 0 => self.heard.extend_from_slice(&chunk[..read]),
                    _ => return String::new(),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reading).await.expect("an answer in time")
    }

    async fn ask(&mut self, command: &str) -> String {
        self.send(format!("{command}\r\n").as_bytes()).await;
        self.answer().await
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Announces and sends a letter; the last answer.
    async fn deliver(&mut self, to: &[&str], content: &[u8]) -> String {
        self.ask("EHLO scanner.firm.example").await;
        let mail = self.ask("MAIL FROM:<scanner@firm.example>").await;
        assert!(mail.starts_with("250"), "{mail}");
        for to in to {
            let answer = self.ask(&format!("RCPT TO:<{to}>")).await;
            assert!(answer.starts_with("250"), "{to}: {answer}");
        }
        let data = self.ask("DATA").await;
        assert!(data.starts_with("354"), "{data}");
        self.send(content).await;
        self.send(b"\r\n.\r\n").await;
        self.answer().await
    }
}

#[tokio::test]
async fn every_command_has_its_answer() {
    let world = World::new().await;
    // What is said one after the other on a connection, and how each answer begins.
    let table: &[&[(&str, &str)]] = &[
        &[("NOOP", "250"), ("HELP", "214"), ("VRFY post", "252"), ("QUIT", "221"), ("", "")],
        &[
            ("MAIL FROM:<a@x.example>", "503 5.5.1 EHLO"),
            ("DATA", "503"),
            ("RCPT TO:<post@firm.example>", "503"),
        ],
        &[
            ("HELO scanner", "250 postroom.firm.example"),
            ("MAIL FROM:<>", "250"),
            ("RSET", "250"),
            ("DATA", "503"),
        ],
        &[(
            "EHLO a",
            "250-postroom.firm.example\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 ENHANCED",
        )],
        &[
            ("EHLO a", "250"),
            ("MAIL FROM:<a@x.example> SIZE=100001", "552 5.3.4"),
            ("MAIL FROM:<a@x.example> SIZE=100000", "250"),
        ],
        &[
            ("EHLO a", "250"),
            ("MAIL FROM:<a@x.example>", "250"),
            ("MAIL FROM:<b@x.example>", "503"),
            ("DATA", "554"),
        ],
        &[
            ("EHLO a", "250"),
            ("MAIL FROM:<a@x.example>", "250"),
            ("RCPT TO:<nobody@firm.example>", "550 5.1.1"),
            ("RCPT TO:<post@elsewhere.example>", "550 5.1.1"),
            ("RCPT TO:<POST@Firm.example>", "250"),
            ("DATA", "354"),
        ],
        &[("EHLO a", "250"), ("MAIL FROM:<jörg@x.example> SMTPUTF8", "250")],
        &[
            ("EHLO a", "250"),
            ("STARTTLS", "502"),
            ("AUTH PLAIN AGEAYg==", "502"),
            ("BOGUS", "500"),
            ("MAIL FROM:what", "50"),
        ],
    ];
    for dialogue in table {
        let mut client = world.client().await;
        for (command, wanted) in *dialogue {
            let answer = if command.is_empty() { client.answer().await } else { client.ask(command).await };
            assert!(answer.starts_with(wanted), "{dialogue:?}\n{command}: {answer}");
        }
    }
    assert_eq!(world.intakes().await, []);
}

#[tokio::test]
async fn a_letter_is_kept_byte_for_byte_and_once() {
    let world = World::new().await;
    let letters: Vec<Vec<u8>> = vec![
        b"Subject: plain\r\n\r\nHello".to_vec(),
        b"Subject: dots\r\n\r\n.one\r\n..two\r\n...\r\n".to_vec(),
        b".begins with a dot\r\n".to_vec(),
        b"Subject: bare line feeds\n\nHello\n.\nnot the end\n.\r\nnor this\r\n.\nnor that".to_vec(),
        b"Subject: carriage returns\r\r\n\r.\r\n\r\r.\r".to_vec(),
        [b"Subject: 8 bit \xe4\xf6\xfc\r\n\r\n".as_slice(), &[0, 1, 2, 255, 0]].concat(),
        [b"Subject: large\r\n\r\n".as_slice(), &b"x".repeat(90_000)].concat(),
    ];
    let mut client = world.client().await;
    for (number, letter) in letters.iter().enumerate() {
        // As a client puts dots where a line begins with one (RFC 5321, section 4.5.2).
        let mut sent = Vec::new();
        for (at, byte) in letter.iter().enumerate() {
            if *byte == b'.' && (at == 0 || letter[..at].ends_with(b"\r\n")) {
                sent.push(b'.');
            }
            sent.push(*byte);
        }
        let answer = client.deliver(&["post@firm.example"], &sent).await;
        assert!(answer.starts_with("250 2.0.0 it is here as "), "{number}: {answer}");
        // Its answer may have been lost: the same once more is the same letter.
        let again = client.deliver(&["post@firm.example"], &sent).await;
        assert_eq!(again, answer, "{number}");
    }
    let held: Vec<Vec<u8>> = world.held().await.into_iter().map(|(.., bytes)| bytes).collect();
    let wanted: Vec<Vec<u8>> = letters.iter().map(|it| [it.as_slice(), b"\r\n"].concat()).collect();
    assert_eq!(held, wanted);
    assert_eq!(world.door.status().taken, 14);
}

#[tokio::test]
async fn a_letter_to_two_mailboxes_is_in_both() {
    let world = World::new().await;
    let mut client = world.client().await;
    let to = ["post@firm.example", "briefe@firm.example", "scans@firm.example"];
    let answer = client.deliver(&to, b"Subject: for all\r\n").await;
    assert!(answer.starts_with("250"), "{answer}");
    let held: Vec<(String, String)> =
        world.held().await.into_iter().map(|(source, to, _)| (source, to)).collect();
    let wanted = [("post", "post@firm.example briefe@firm.example"), ("scans", "scans@firm.example")];
    assert_eq!(held, wanted.map(|(source, to)| (source.to_owned(), to.to_owned())));
}

#[tokio::test]
async fn what_cannot_be_taken_is_said_and_costs_nobody_else_anything() {
    let world = World::new().await;
    // Larger than announced: it is read to its end, refused, and the connection goes on.
    let mut client = world.client().await;
    let answer = client.deliver(&["post@firm.example"], &b"x".repeat(200_000)).await;
    assert!(answer.starts_with("552 5.3.4"), "{answer}");
    assert!(client.deliver(&["post@firm.example"], b"small").await.starts_with("250"));
    // Without end the connection is cut.
    client.ask("MAIL FROM:<a@x.example>").await;
    client.ask("RCPT TO:<post@firm.example>").await;
    client.ask("DATA").await;
    let endless = b"y".repeat(1 << 20);
    let _cut = client.stream.write_all(&endless).await;
    assert_eq!(client.answer().await, "");
    // Half a letter is none.
    let mut client = world.client().await;
    client.ask("EHLO a").await;
    client.ask("MAIL FROM:<a@x.example>").await;
    client.ask("RCPT TO:<post@firm.example>").await;
    client.ask("DATA").await;
    client.send(b"Subject: half\r\n\r\n.").await;
    drop(client);
    // A mailbox that is stopped takes nothing; the others do.
    let pause = Pause {
        door: "source/post".to_owned(),
        site: None,
        by: "ada".to_owned(),
        reason: "moving".to_owned(),
        since: world.clock.now(),
        until: None,
    };
    world.store.pause(pause).await.unwrap();
    let mut client = world.client().await;
    client.ask("EHLO a").await;
    client.ask("MAIL FROM:<a@x.example>").await;
    let answer = client.ask("RCPT TO:<post@firm.example>").await;
    assert!(answer.starts_with("451 4.3.2"), "{answer}");
    assert!(client.ask("RCPT TO:<scans@firm.example>").await.starts_with("250"));
    world.store.resume("source/post", &Actor::person("ada"), world.clock.now()).await.unwrap();
    // Twenty mistakes end a connection.
    let mut client = world.client().await;
    let mut said = String::new();
    for _ in 0..20 {
        said = client.ask("GET / HTTP/1.1").await;
    }
    assert!(said.starts_with("421 4.7.0"), "{said}");
    assert_eq!(client.answer().await, "");
    let held: Vec<Vec<u8>> = world.held().await.into_iter().map(|(.., bytes)| bytes).collect();
    assert_eq!(held, [b"small\r\n".to_vec()]);
}

#[tokio::test]
async fn without_room_the_sender_is_told_to_come_back() {
    let world = World::with(options(), u64::MAX / 4).await;
    let mut client = world.client().await;
    client.ask("EHLO a").await;
    let answer = client.ask("MAIL FROM:<a@x.example>").await;
    assert!(answer.starts_with("452 4.3.1"), "{answer}");
    assert!(world.door.status().refusing.is_some());
}

#[tokio::test]
async fn strangers_and_crowds_are_turned_away() {
    let foreign =
        World::with(SmtpOptions { networks: vec!["192.0.2.0/24".parse().unwrap()], ..options() }, 0).await;
    let mut client =
        Client { stream: TcpStream::connect(foreign.door.address()).await.unwrap(), heard: Vec::new() };
    assert!(client.answer().await.starts_with("554 5.7.1"));
    let world = World::with(SmtpOptions { connections: 2, ..options() }, 0).await;
    let both = [world.client().await, world.client().await];
    let mut third =
        Client { stream: TcpStream::connect(world.door.address()).await.unwrap(), heard: Vec::new() };
    assert!(third.answer().await.starts_with("421 4.7.0"));
    for mut client in both {
        client.ask("QUIT").await;
        // Its place is free when the connection is closed.
        assert_eq!(client.answer().await, "");
    }
    while world.door.status().connections > 0 {
        tokio::task::yield_now().await;
    }
    world.client().await;
}

#[tokio::test]
async fn whoever_is_silent_is_let_go() {
    let world = World::with(SmtpOptions { idle: Duration::from_millis(50), ..options() }, 0).await;
    let mut client = world.client().await;
    assert!(client.answer().await.starts_with("421 4.4.2"));
}

#[tokio::test]
async fn a_letter_under_way_is_waited_for_when_the_door_closes() {
    let world = World::new().await;
    let (mut idle, mut busy) = (world.client().await, world.client().await);
    busy.ask("EHLO a").await;
    busy.ask("MAIL FROM:<a@x.example>").await;
    busy.ask("RCPT TO:<post@firm.example>").await;
    busy.ask("DATA").await;
    busy.send(b"Subject: late\r\n").await;
    let World { door, store, _data, .. } = world;
    let address = door.address();
    let closing = tokio::spawn(door.stop(Duration::from_secs(20)));
    assert!(idle.answer().await.starts_with("421 4.3.2"));
    busy.send(b"\r\n.\r\n").await;
    assert!(busy.answer().await.starts_with("250"));
    closing.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    let window = Window { before: None, limit: 10 };
    assert_eq!(store.list_intakes(&IntakeQuery::default(), window).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn letters_come_over_tls_where_it_is_wanted() {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["postroom.firm.example".to_owned()]).unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let certificate = Certificate::read(&chain, &key).unwrap();
    let wanted = SmtpOptions { certificate: Some(certificate), require_tls: true, ..options() };
    let world = World::with(wanted, 0).await;
    let mut client = world.client().await;
    assert!(client.ask("EHLO a").await.contains("STARTTLS"));
    assert!(client.ask("MAIL FROM:<a@x.example>").await.starts_with("530"));
    assert!(client.ask("STARTTLS").await.starts_with("220"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = "postroom.firm.example".try_into().unwrap();
    let mut client =
        Client { stream: connector.connect(name, client.stream).await.unwrap(), heard: Vec::new() };
    assert!(!client.ask("EHLO a").await.contains("STARTTLS"));
    let answer = client.deliver(&["post@firm.example"], b"Subject: sealed\r\n").await;
    assert!(answer.starts_with("250"), "{answer}");
    // What was slipped in before the handshake is not heard after it.
    let mut client = world.client().await;
    client.ask("EHLO a").await;
    client.send(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n").await;
    assert_eq!(client.answer().await, "");
    // Wrong files are named.
    let error = Certificate::read(&key, &key).unwrap_err().to_string();
    assert!(error.contains("key.pem"), "{error}");
}
