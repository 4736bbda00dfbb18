//! The client beside scanners that say what a script says: hostile, broken, slow.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use postroom_domain::dms::ByteStream;
use postroom_domain::screening::{Screening, Unscreened, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use super::{Address, Clamd, ClamdOptions, Patience};

/// What a scanner does with a connection.
#[derive(Debug, Clone)]
enum Act {
    /// Takes the whole stream, then says this and hangs up.
    Say(Vec<u8>),
    /// Takes so many bytes, then says this and hangs up.
    SayAfter(usize, Vec<u8>),
    /// Takes the whole stream and says nothing.
    Silence,
    /// Takes nothing at all.
    Stuck,
    /// Takes so many bytes and hangs up.
    HangUpAfter(usize),
}

fn patience() -> Patience {
    let short = Duration::from_millis(300);
    Patience { connect: short, idle: short, answer: short, total: Duration::from_secs(2) }
}

fn client(address: Address, largest: u64) -> Clamd {
    Clamd::new(ClamdOptions { address, largest, patience: patience(), at_once: 2 })
}

/// Reads a stream as clamd does: pieces with their lengths in front until one of length 0; what came, without the lengths.
async fn take(line: &mut TcpStream) -> Vec<u8> {
    let mut command = [0; 10];
    line.read_exact(&mut command).await.unwrap();
    assert_eq!(&command, b"zINSTREAM\0");
    let mut all = Vec::new();
    loop {
        let length = line.read_u32().await.unwrap() as usize;
        if length == 0 {
            return all;
        }
        assert!(length <= 64 * 1024, "pieces are small");
        let at = all.len();
        all.resize(at + length, 0);
        line.read_exact(&mut all[at..]).await.unwrap();
    }
}

/// A scanner for one connection; what it took comes back.
async fn scripted(act: Act) -> (Address, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap().to_string());
    let task = tokio::spawn(async move {
        let (mut line, _) = listener.accept().await.unwrap();
        let mut some = async |count: usize| {
            let mut taken = vec![0; count];
            line.read_exact(&mut taken).await.unwrap();
        };
        match act {
            Act::Say(answer) => {
                let taken = take(&mut line).await;
                let _ = line.write_all(&answer).await;
                taken
            }
            Act::SayAfter(count, answer) => {
                some(count).await;
                let _ = line.write_all(&answer).await;
                // Whoever hangs up with unread bytes resets the connection; the answer has to arrive before.
                let mut rest = Vec::new();
                let _ = line.read_to_end(&mut rest).await;
                Vec::new()
            }
            Act::Silence => {
                let taken = take(&mut line).await;
                let _ = line.read_u8().await;
                taken
            }
            Act::Stuck => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Vec::new()
            }
            Act::HangUpAfter(count) => {
                some(count).await;
                Vec::new()
            }
        }
    });
    (address, task)
}

fn stream(chunks: Vec<std::io::Result<Bytes>>) -> ByteStream {
    Box::pin(futures_util::stream::iter(chunks))
}

fn bytes(count: usize) -> ByteStream {
    let chunk = Bytes::from(vec![7; 100_000]);
    let chunks =
        (0..count.div_ceil(chunk.len())).map(|n| Ok(chunk.slice(..chunk.len().min(count - n * chunk.len()))));
    stream(chunks.collect())
}

#[tokio::test]
async fn a_document_goes_by_in_pieces_and_the_verdict_comes_back() {
    let (address, scanner) = scripted(Act::Say(b"stream: OK\0".to_vec())).await;
    let clamd = client(address, 1_000_000);
    let content =
        stream(vec![Ok(Bytes::from_static(b"abc")), Ok(Bytes::new()), Ok(Bytes::from(vec![1; 200_000]))]);
    assert_eq!(Screening::screen(&clamd, content, None).await, Ok(Verdict::Clean));
    let taken = scanner.await.unwrap();
    assert_eq!((taken.len(), &taken[..4]), (200_003, b"abc\x01".as_slice()));
}

#[tokio::test]
async fn a_scanner_that_misbehaves_gives_no_verdict() {
    let say = |text: &[u8]| Act::Say(text.to_vec());
    let megabyte = vec![b'x'; 1_000_000];
    // What it does with 300 kB, and a word that tells why there is no verdict.
    let table = [
        (say(b"stream: OK"), "hung up"),
        (say(b""), "hung up"),
        (say(b"stream: O"), "hung up"),
        (say(b"stream: OK\n"), "hung up"),
        (say(b"\0stream: OK\0"), "no sense"),
        (say(b"nonsense\0"), "no sense"),
        (say(b"stream: Error reading ERROR\0"), "reports an error"),
        (Act::Say(megabyte.clone()), "does not end"),
        (Act::SayAfter(1000, megabyte), "does not end"),
        (Act::Silence, "no answer within"),
        (Act::HangUpAfter(10), "broke off"),
        (Act::HangUpAfter(70_000), "broke off"),
    ];
    for (act, wanted) in table {
        let (address, _scanner) = scripted(act.clone()).await;
        let said = Screening::screen(&client(address, 1_000_000), bytes(300_000), Some(300_000)).await;
        let Err(Unscreened::BrokeOff(why)) = &said else { panic!("{act:?}: {said:?}") };
        assert!(why.contains(wanted), "{act:?}: {why}");
        assert!(why.len() < 300, "{why}");
    }
}

#[tokio::test]
async fn nobody_is_believed_who_calls_clean_what_they_have_not_seen() {
    let (address, _scanner) = scripted(Act::SayAfter(1000, b"stream: OK\0".to_vec())).await;
    // More than the buffers between the two take.
    let said = Screening::screen(&client(address, 1 << 30), bytes(64 << 20), None).await;
    let early = "the scanner called it clean before it had all of it".to_owned();
    assert_eq!(said, Err(Unscreened::BrokeOff(early)));
    let (address, _scanner) = scripted(Act::SayAfter(1000, b"stream: A FOUND\0".to_vec())).await;
    let said = Screening::screen(&client(address, 1 << 30), bytes(64 << 20), None).await;
    assert_eq!(said, Ok(Verdict::Infected { name: "A".to_owned() }));
}

#[tokio::test]
async fn a_scanner_that_takes_nothing_is_left() {
    let (address, scanner) = scripted(Act::Stuck).await;
    // More than the buffers between the two take.
    let said = Screening::screen(&client(address, 1 << 30), bytes(64 << 20), None).await;
    assert_eq!(said, Err(Unscreened::BrokeOff("the scanner took nothing for 0 s".to_owned())));
    scanner.abort();
}

#[tokio::test]
async fn what_the_scanner_does_not_take_is_not_scanned_and_is_not_sent_in_vain() {
    let large = b"INSTREAM size limit exceeded. ERROR\0".to_vec();
    let (address, _scanner) = scripted(Act::SayAfter(100_000, large)).await;
    let said = Screening::screen(&client(address, 1 << 30), bytes(20 << 20), None).await.unwrap();
    assert!(matches!(&said, Verdict::NotScanned { why } if why.contains("StreamMaxLength")), "{said:?}");
    // Nobody listens there: it is known before.
    let nowhere = || Address::Tcp("127.0.0.1:1".to_owned());
    let said = Screening::screen(&client(nowhere(), 1000), bytes(1001), Some(1001)).await.unwrap();
    assert!(matches!(&said, Verdict::NotScanned { why } if why.contains("1000 bytes")), "{said:?}");
    // What says nothing of its size is counted.
    let (address, _scanner) = scripted(Act::Silence).await;
    let said = Screening::screen(&client(address, 200_000), bytes(300_000), None).await.unwrap();
    assert!(matches!(&said, Verdict::NotScanned { .. }), "{said:?}");
}

#[tokio::test]
async fn half_a_document_is_never_taken_for_a_whole_one() {
    let (address, scanner) = scripted(Act::Say(b"stream: OK\0".to_vec())).await;
    let damaged = vec![Ok(Bytes::from_static(b"abc")), Err(std::io::Error::other("damaged"))];
    let said = Screening::screen(&client(address, 1000), stream(damaged), None).await;
    assert_eq!(said, Err(Unscreened::Content("damaged".to_owned())));
    // The scanner never saw the end mark.
    assert!(scanner.await.unwrap_err().is_panic());
}

#[tokio::test]
async fn a_scanner_that_is_not_there_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("clamd.ctl");
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = nobody.local_addr().unwrap();
    drop(nobody);
    for address in [Address::Unix(socket.clone()), Address::Tcp(gone.to_string())] {
        let clamd = client(address.clone(), 1000);
        let said = Screening::screen(&clamd, bytes(10), Some(10)).await;
        assert!(matches!(said, Err(Unscreened::Unavailable(_))), "{address}: {said:?}");
        assert!(matches!(clamd.ping().await, Err(Unscreened::Unavailable(_))), "{address}");
        assert!(matches!(clamd.version().await, Err(Unscreened::Unavailable(_))), "{address}");
    }
    // Somebody listens, and says nothing or something else.
    let listener = UnixListener::bind(&socket).unwrap();
    let answers = tokio::spawn(async move {
        let mut open = Vec::new();
        for answer in [b"PONG\0".as_slice(), b"ClamAV 1.4.3\0", b"220 smtp\r\n\0", b"220 smtp\r\n\0", b""] {
            let (mut line, _) = listener.accept().await.unwrap();
            line.write_all(answer).await.unwrap();
            open.push(line);
        }
        open
    });
    let clamd = client(Address::Unix(socket), 1000);
    assert_eq!(clamd.ping().await, Ok(()));
    assert_eq!(clamd.version().await.as_deref(), Ok("ClamAV 1.4.3"));
    assert!(matches!(clamd.ping().await, Err(Unscreened::Unavailable(_))));
    assert!(matches!(clamd.version().await, Err(Unscreened::Unavailable(_))));
    assert!(matches!(clamd.ping().await, Err(Unscreened::Unavailable(why)) if why.contains("no answer")));
    drop(answers.await);
}

#[tokio::test]
async fn no_more_documents_than_wanted_are_with_the_scanner() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap().to_string());
    let clamd = Arc::new(client(address, 1000));
    let asked: Vec<_> = (0..5)
        .map(|_| {
            let clamd = clamd.clone();
            tokio::spawn(async move { Screening::screen(&*clamd, bytes(10), Some(10)).await })
        })
        .collect();
    let mut open = Vec::new();
    for _ in 0..2 {
        open.push(listener.accept().await.unwrap().0);
    }
    let third = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(third.is_err(), "a third connection while two are open");
    for task in asked {
        task.abort();
    }
}

#[test]
fn addresses_are_of_two_kinds() {
    for (text, good) in [
        ("unix:/run/clamav/clamd.ctl", true),
        ("tcp:127.0.0.1:3310", true),
        ("tcp:scanner.firm.example:3310", true),
        ("tcp:[::1]:3310", true),
        ("unix:clamd.ctl", false),
        ("unix:", false),
        ("/run/clamav/clamd.ctl", false),
        ("tcp:127.0.0.1", false),
        ("tcp::3310", false),
        ("tcp:a b:3310", false),
        ("tcp:a:0", false),
        ("tcp:a:99999", false),
        ("", false),
    ] {
        let read = text.parse::<Address>();
        assert_eq!(read.is_ok(), good, "{text}: {read:?}");
        if let Ok(address) = read {
            assert_eq!(address.to_string(), text);
        }
    }
}
