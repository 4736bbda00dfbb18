//! An SMTP door: scanners, forwarding rules and mail servers deliver here.
//!
//! A letter is acknowledged (250) when its bytes and its row are durable, and not before. Whoever lost our answer sends the same bytes
//! again and is told that they are here; nothing is taken twice. The bytes are kept as they came: no header is added.
//!
//! What is refused at the door is refused with a code that lets the other side do the right thing: 452 and 451 come back later, 550 and
//! 552 never work. Nobody relays through it: recipients are the mailboxes of the settings, and nothing else.

mod check;
mod data;
mod lines;
mod peers;
mod session;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postroom_domain::ids::{SiteName, SourceName};
use postroom_domain::reception::Reception;
use postroom_domain::spool::Spool;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

pub use self::check::check;
pub use self::peers::{Network, NotANetwork};
use self::session::Session;
pub use self::tls::{Certificate, CertificateError};

/// Connections of one machine at once; a scanner needs one.
const PER_PEER: usize = 20;

/// A mailbox: where letters to some addresses belong.
#[derive(Debug, Clone)]
pub struct SmtpMailbox {
    /// The source's name.
    pub source: SourceName,
    /// The site its letters belong to.
    pub site: SiteName,
    /// The addresses it has, in small letters.
    pub addresses: Vec<String>,
}

/// How the door behaves.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The name it greets with.
    pub hostname: String,
    /// Its mailboxes.
    pub mailboxes: Vec<SmtpMailbox>,
    /// Who may connect; nobody else is let in.
    pub networks: Vec<Network>,
    /// The largest letter, in bytes.
    pub largest: u64,
    /// For STARTTLS; none offers none.
    pub certificate: Option<Certificate>,
    /// Whether letters are taken only over TLS.
    pub require_tls: bool,
    /// Connections at once.
    pub connections: usize,
    /// For how long a silent client is waited for.
    pub idle: Duration,
}

/// How the door is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SmtpStatus {
    /// Open connections.
    pub connections: usize,
    /// Letters taken since the start.
    pub taken: u64,
    /// Letters and connections refused since the start.
    pub refused: u64,
    /// Why nothing is taken at present: no room, the store is busy.
    pub refusing: Option<String>,
}

/// What all connections share.
struct Shared {
    options: SmtpOptions,
    /// The mailbox of each address.
    addresses: HashMap<String, usize>,
    reception: Arc<Reception>,
    spool: Arc<dyn Spool>,
    taken: AtomicU64,
    refused: AtomicU64,
    refusing: Mutex<Option<String>>,
    peers: Mutex<HashMap<IpAddr, usize>>,
    connections: AtomicUsize,
    /// Cancelled when no further letter is begun.
    stop: CancellationToken,
}

impl Shared {
    fn mailbox(&self, address: &str) -> Option<&SmtpMailbox> {
        self.addresses.get(&address.to_lowercase()).and_then(|number| self.options.mailboxes.get(*number))
    }

    fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn set_refusing(&self, why: Option<String>) {
        *self.refusing.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

/// A running door.
pub struct SmtpHandle {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl SmtpHandle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its mailboxes.
    pub fn mailboxes(&self) -> &[SmtpMailbox] {
        &self.shared.options.mailboxes
    }

    /// How it is doing.
    pub fn status(&self) -> SmtpStatus {
        SmtpStatus {
            connections: self.shared.connections.load(Ordering::Relaxed),
            taken: self.shared.taken.load(Ordering::Relaxed),
            refused: self.shared.refused.load(Ordering::Relaxed),
            refusing: self.shared.refusing.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Lets nobody in any more, waits for letters that are under way, at most for the grace, and returns.
    pub async fn stop(mut self, grace: Duration) {
        self.shared.stop.cancel();
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            // Whoever is cut off has no answer, and sends again.
            self.task.abort();
            tracing::warn!(
                "letters were still under way when the SMTP door closed; their senders send them again"
            );
        }
    }
}

/// Opens the door.
pub async fn open(
    options: SmtpOptions,
    reception: Arc<Reception>,
    spool: Arc<dyn Spool>,
) -> std::io::Result<SmtpHandle> {
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let all = options.mailboxes.iter().enumerate();
    let addresses =
        all.flat_map(|(number, it)| it.addresses.iter().map(move |own| (own.to_lowercase(), number)));
    let shared = Arc::new(Shared {
        addresses: addresses.collect(),
        options,
        reception,
        spool,
        taken: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        refusing: Mutex::default(),
        peers: Mutex::default(),
        connections: AtomicUsize::new(0),
        stop: CancellationToken::new(),
    });
    let task = tokio::spawn(listen(listener, shared.clone()));
    Ok(SmtpHandle { shared, address, task })
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => break,
            Some(ended) = sessions.join_next(), if !sessions.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(source.error = %error, "a session of the SMTP door ended by itself; others go on");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let shared = shared.clone();
                    sessions.spawn(async move { greet(stream, peer, &shared).await });
                }
                Err(error) => {
                    // Too many open files, mostly: it passes when others end.
                    tracing::warn!(source.error = %error, "the SMTP door could not take a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    while sessions.join_next().await.is_some() {}
}

/// One more connection, counted down again however it ends.
struct Guest<'a> {
    shared: &'a Shared,
    peer: IpAddr,
}

impl<'a> Guest<'a> {
    /// None when there are too many already.
    fn new(shared: &'a Shared, peer: IpAddr) -> Option<Self> {
        let mut peers = shared.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let own = peers.get(&peer).copied().unwrap_or(0);
        let all = shared.connections.load(Ordering::Relaxed);
        if own >= PER_PEER || all >= shared.options.connections {
            return None;
        }
        peers.insert(peer, own + 1);
        shared.connections.fetch_add(1, Ordering::Relaxed);
        Some(Self { shared, peer })
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let mut peers = self.shared.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = peers.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                peers.remove(&self.peer);
            }
        }
        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn greet(stream: TcpStream, peer: SocketAddr, shared: &Shared) {
    let ip = peer.ip().to_canonical();
    let _nodelay = stream.set_nodelay(true);
    if !shared.options.networks.iter().any(|network| network.contains(ip)) {
        shared.refuse();
        tracing::warn!(smtp.peer = %ip, "a machine that is not among the networks of the SMTP door was turned away");
        session::turn_away(stream, "554 5.7.1 this machine may not deliver here").await;
        return;
    }
    let Some(_guest) = Guest::new(shared, ip) else {
        shared.refuse();
        session::turn_away(stream, "421 4.7.0 too many connections, come back later").await;
        return;
    };
    Session::new(shared, ip).run(stream).await;
}
