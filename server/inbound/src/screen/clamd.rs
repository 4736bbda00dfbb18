//! A client for clamd, by its socket of either kind: `PING`, `VERSION`, `INSTREAM`.
//!
//! The code is ours although there is a kept crate (clamav-client): that one reads an answer only after everything was sent, so that the
//! word "too large" is lost with the connection, reads it without a bound, and waits for ever. A scanner that hangs must not hold the
//! line, and one that says half a sentence has said nothing.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use futures_util::StreamExt as _;
use postroom_domain::Fut;
use postroom_domain::dms::ByteStream;
use postroom_domain::screening::{Screening, Unscreened, Verdict, shown};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::answer::{LONGEST, verdict};

/// The largest piece that is sent at a time. clamd writes pieces to its own file as they come.
const PIECE: usize = 64 * 1024;

/// Where a scanner listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A name or number of a machine with a port.
    Tcp(String),
}

/// What is no address of a scanner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is neither unix:/path/to/socket nor tcp:host:port")]
pub struct NotAnAddress(String);

impl FromStr for Address {
    type Err = NotAnAddress;
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = || NotAnAddress(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(wrong()) };
        }
        let machine = text.strip_prefix("tcp:").ok_or_else(wrong)?;
        let (host, port) = machine.rsplit_once(':').ok_or_else(wrong)?;
        let good = !host.is_empty() && !host.contains(char::is_whitespace);
        match port.parse::<u16>() {
            Ok(1..) if good => Ok(Self::Tcp(machine.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(machine) => write!(f, "tcp:{machine}"),
        }
    }
}

/// For how long a scanner is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection, and for a word about itself.
    pub connect: Duration,
    /// For it to take another piece.
    pub idle: Duration,
    /// For its verdict once it has everything.
    pub answer: Duration,
    /// For all of it.
    pub total: Duration,
}

/// How a scanner is reached.
#[derive(Debug, Clone)]
pub struct ClamdOptions {
    /// Where it listens.
    pub address: Address,
    /// The most bytes that it is sent of one document; clamd's own limits must not be below.
    pub largest: u64,
    /// For how long it is waited for.
    pub patience: Patience,
    /// Documents that it has at the same time.
    pub at_once: usize,
}

/// A scanner.
#[derive(Debug)]
pub struct Clamd {
    options: ClamdOptions,
    turns: Semaphore,
}

/// A connection of either kind.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Why sending ended before its end.
enum Unsent {
    /// The document's own bytes cannot be read.
    Content(String),
    /// More than the scanner is sent.
    TooLarge,
    /// The scanner takes nothing for too long.
    Idle,
    /// The connection is gone; an answer may still lie in it.
    Gone(String),
}

impl Clamd {
    /// A client; nothing is connected yet.
    pub fn new(options: ClamdOptions) -> Self {
        let turns = Semaphore::new(options.at_once.max(1));
        Self { options, turns }
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.options.address
    }

    /// Whether it answers at all.
    pub async fn ping(&self) -> Result<(), Unscreened> {
        match self.ask(b"zPING\0").await?.as_str() {
            "PONG" => Ok(()),
            other => Err(self.unavailable(&format!("it answers \"{}\"", shown(other)))),
        }
    }

    async fn ask(&self, command: &[u8]) -> Result<String, Unscreened> {
        let patience = self.options.patience.connect;
        let asking = async {
            let mut line = self.connect().await?;
            line.write_all(command).await.map_err(|error| self.unavailable(&error))?;
            let answer = read_answer(&mut line).await.map_err(|why| self.unavailable(&why))?;
            String::from_utf8(answer).map_err(|_| self.unavailable(&"its answer makes no sense"))
        };
        timeout(patience, asking).await.unwrap_or_else(|_| Err(self.unavailable(&silence(patience))))
    }

    async fn connect(&self) -> Result<Box<dyn Line>, Unscreened> {
        let patience = self.options.patience.connect;
        let connecting = async {
            Ok(match &self.options.address {
                Address::Unix(path) => Box::new(UnixStream::connect(path).await?) as Box<dyn Line>,
                Address::Tcp(machine) => Box::new(TcpStream::connect(machine).await?),
            })
        };
        match timeout(patience, connecting).await {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(error)) => {
                let error: std::io::Error = error;
                Err(self.unavailable(&error))
            }
            Err(_) => Err(self.unavailable(&silence(patience))),
        }
    }

    fn unavailable(&self, why: &dyn fmt::Display) -> Unscreened {
        Unscreened::Unavailable(format!("{}: {why}", self.options.address))
    }

    async fn screen(&self, content: ByteStream, size: Option<u64>) -> Result<Verdict, Unscreened> {
        if size.is_some_and(|size| size > self.options.largest) {
            return Ok(self.too_large());
        }
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        let line = self.connect().await?;
        let total = self.options.patience.total;
        let late =
            || Unscreened::BrokeOff(format!("the scanner gave no verdict within {} s", total.as_secs()));
        timeout(total, self.instream(line, content)).await.unwrap_or_else(|_| Err(late()))
    }

    fn too_large(&self) -> Verdict {
        Verdict::NotScanned {
            why: format!("it is larger than the {} bytes that the scanner is sent", self.options.largest),
        }
    }

    /// Sends the document in pieces. The scanner may say something before it has everything: that it takes no more.
    async fn instream(&self, line: Box<dyn Line>, content: ByteStream) -> Result<Verdict, Unscreened> {
        let (mut reading, writing) = tokio::io::split(line);
        let mut answer = std::pin::pin!(read_answer(&mut reading));
        let sending = self.send(writing, content);
        let sent = tokio::select! {
            biased;
            early = &mut answer => return read(early).and_then(believable),
            sent = sending => sent,
        };
        match sent {
            Err(Unsent::Content(why)) => return Err(Unscreened::Content(why)),
            Err(Unsent::TooLarge) => return Ok(self.too_large()),
            Err(Unsent::Idle) => {
                let seconds = self.options.patience.idle.as_secs();
                return Err(Unscreened::BrokeOff(format!("the scanner took nothing for {seconds} s")));
            }
            Err(Unsent::Gone(why)) => {
                // What it said before it hung up counts, if it said something.
                let last = timeout(self.options.patience.idle, answer).await;
                let lost = || Err(Unscreened::BrokeOff(format!("the scanner broke off: {why}")));
                return match last {
                    Ok(Ok(line)) => read(Ok(line)).and_then(believable),
                    _ => lost(),
                };
            }
            Ok(()) => {}
        }
        let patience = self.options.patience.answer;
        match timeout(patience, answer).await {
            Ok(line) => read(line),
            Err(_) => {
                Err(Unscreened::BrokeOff(format!("the scanner gave no verdict: {}", silence(patience))))
            }
        }
    }

    async fn send<W: AsyncWrite + Unpin>(&self, mut to: W, mut content: ByteStream) -> Result<(), Unsent> {
        self.write(&mut to, b"zINSTREAM\0").await?;
        let mut sent = 0_u64;
        while let Some(chunk) = content.next().await {
            // Without the end mark nothing that was sent is taken for a whole document.
            let chunk = chunk.map_err(|error| Unsent::Content(error.to_string()))?;
            sent += chunk.len() as u64;
            if sent > self.options.largest {
                return Err(Unsent::TooLarge);
            }
            for piece in chunk.chunks(PIECE) {
                let length = u32::try_from(piece.len()).unwrap_or(0);
                self.write(&mut to, &length.to_be_bytes()).await?;
                self.write(&mut to, piece).await?;
            }
        }
        self.write(&mut to, &0_u32.to_be_bytes()).await
    }

    async fn write<W: AsyncWrite + Unpin>(&self, to: &mut W, bytes: &[u8]) -> Result<(), Unsent> {
        match timeout(self.options.patience.idle, to.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Unsent::Gone(error.to_string())),
            Err(_) => Err(Unsent::Idle),
        }
    }
}

impl Screening for Clamd {
    fn screen(&self, content: ByteStream, size: Option<u64>) -> Fut<'_, Result<Verdict, Unscreened>> {
        Box::pin(Self::screen(self, content, size))
    }

    fn version(&self) -> Fut<'_, Result<String, Unscreened>> {
        Box::pin(async move {
            let version = self.ask(b"zVERSION\0").await?;
            if version.starts_with("ClamAV ") {
                return Ok(version);
            }
            Err(self.unavailable(&format!("it says of itself \"{}\"", shown(&version))))
        })
    }
}

/// One answer, up to its end mark, which is not part of it. What lacks the mark may be half a word.
async fn read_answer<R: AsyncRead + Unpin>(from: &mut R) -> Result<Vec<u8>, String> {
    let (mut answer, mut piece) = (Vec::new(), [0; 512]);
    loop {
        let count = from.read(&mut piece).await.map_err(|error| error.to_string())?;
        if count == 0 {
            return Err("it hung up without an answer".to_owned());
        }
        let new = &piece[..count];
        if let Some(end) = new.iter().position(|byte| *byte == 0) {
            answer.extend_from_slice(&new[..end]);
        } else {
            answer.extend_from_slice(new);
        }
        if answer.len() > LONGEST {
            return Err("its answer does not end".to_owned());
        }
        if new.contains(&0) {
            return Ok(answer);
        }
    }
}

fn read(answer: Result<Vec<u8>, String>) -> Result<Verdict, Unscreened> {
    let line = answer.map_err(|why| Unscreened::BrokeOff(format!("the scanner broke off: {why}")))?;
    verdict(&line).map_err(Unscreened::BrokeOff)
}

/// Nobody can call a document clean before they have all of it.
fn believable(verdict: Verdict) -> Result<Verdict, Unscreened> {
    match verdict {
        Verdict::Clean => {
            Err(Unscreened::BrokeOff("the scanner called it clean before it had all of it".to_owned()))
        }
        other => Ok(other),
    }
}

fn silence(patience: Duration) -> String {
    format!("no answer within {} s", patience.as_secs())
}
