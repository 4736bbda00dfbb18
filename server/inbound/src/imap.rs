//! A mailbox elsewhere, read by IMAP.
//!
//! ```text
//! look at the folder → for each new number: ask its size, read it into the spool, hand it in → cursor and intake are one transaction
//! ask what became of what was taken → what is through is flagged, moved or deleted, and forgotten
//! wait for news (IDLE), at most until the next look
//! ```
//!
//! The full look is the truth; IDLE only makes it come sooner. A message is known by its folder's validity and its number in it
//! ([`Cursor`](postroom_domain::mailbox::Cursor)), never by its flags, which people and their programs change. Nothing about a message is
//! changed before its intake is settled or dismissed, and nothing ever about one that is not ours.
//!
//! A message that cannot be taken is passed and kept in mind by the cursor: it is tried again, shown after three times, and nobody waits
//! for it. Only what the house refuses (no room, the store is busy) stops a look, and then nothing is passed.

mod check;
mod clean;
mod connect;
mod literals;
mod names;
mod rounds;
mod security;
mod sign_in;
mod take;
mod talk;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::ids::{SiteName, SourceName};
use postroom_domain::reception::Reception;
use postroom_domain::spool::Spool;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::security::Tls;
pub use self::security::{Security, Trust, TrustError};
pub use self::sign_in::{MailboxTokens, SignIn};

/// The keyword of messages that are through and stay where they are.
pub const FILED: &str = "$PostroomFiled";
/// For how long a stop waits for what is being taken.
const GRACE: Duration = Duration::from_mins(2);

/// What happens to a message once its intake is settled or dismissed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// It stays, with the keyword [`FILED`] where the server lets keywords be made.
    Flag,
    /// It goes into another folder, which is made if it is not there.
    Move(String),
    /// It is removed.
    Delete,
}

/// For how long the server is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImapPatience {
    /// For a connection, for TLS, for the greeting: each.
    pub connect: Duration,
    /// For the whole answer to one command; a message is asked for in parts of half a mebibyte.
    pub answer: Duration,
    /// After the first failure; each further one doubles it.
    pub first_pause: Duration,
    /// The longest pause between tries, and the shortest after a refused sign-in, so that the account is not locked.
    pub longest_pause: Duration,
}

impl Default for ImapPatience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            answer: Duration::from_mins(1),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_mins(5),
        }
    }
}

/// How a mailbox is read.
#[derive(Debug, Clone)]
pub struct ImapOptions {
    /// The source's name.
    pub source: SourceName,
    /// The site its letters belong to.
    pub site: SiteName,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whose mailbox it is, as the server knows them.
    pub user: String,
    /// How we prove that it may be read.
    pub sign_in: SignIn,
    /// The folders that are read, as people write them; news is waited for in the first one.
    pub folders: Vec<String>,
    /// What happens to a message that is through.
    pub after: After,
    /// How often all is looked through.
    pub poll: Duration,
    /// Whether news is waited for in between.
    pub idle: bool,
    /// How many messages of a folder are taken before the next one has its turn.
    pub batch: usize,
    /// The largest message that is taken, in bytes.
    pub largest: u64,
    /// For how long the server is waited for.
    pub patience: ImapPatience,
}

/// Why a mailbox cannot be read as it is wanted.
#[derive(Debug, thiserror::Error)]
pub enum ImapSetupError {
    /// There is nothing to read.
    #[error("no folder is named")]
    NoFolders,
    /// What was filed would come in again.
    #[error("{0:?} is read and cannot be where messages go once they are filed")]
    Circle(String),
    /// The connection cannot be protected.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// A message that lies in the mailbox and was tried in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedMessage {
    /// Its folder.
    pub folder: String,
    /// Its number there.
    pub uid: u32,
    /// Why it was not taken, in words.
    pub why: String,
}

/// How a mailbox is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImapStatus {
    /// Why the mailbox cannot be read, while that is so.
    pub unreachable: Option<String>,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// Why nothing is taken at present although messages are there: no room, the store is busy.
    pub refusing: Option<String>,
    /// What is wrong with single folders, in words.
    pub troubles: Vec<String>,
    /// Messages that cannot be taken and are where they were.
    pub skipped: Vec<SkippedMessage>,
    /// Messages taken since the start.
    pub taken: u64,
    /// Messages since the start that were flagged, moved or removed because they are through, or that were gone by then.
    pub cleaned: u64,
    /// Looks through all folders since the start.
    pub looks: u64,
    /// Whether news is being waited for at this moment.
    pub idling: bool,
}

/// A mailbox.
pub struct ImapMailbox {
    options: ImapOptions,
    tls: Option<Tls>,
    reception: Arc<Reception>,
    spool: Arc<dyn Spool>,
    status: watch::Sender<ImapStatus>,
}

/// A mailbox that is being read.
pub struct ImapHandle {
    mailbox: Arc<ImapMailbox>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl ImapHandle {
    /// How it is doing.
    pub fn status(&self) -> ImapStatus {
        self.mailbox.status.borrow().clone()
    }

    /// The same for whoever waits for a change of it.
    pub fn watch(&self) -> watch::Receiver<ImapStatus> {
        self.mailbox.status.subscribe()
    }

    /// The source's name.
    pub fn source(&self) -> &SourceName {
        &self.mailbox.options.source
    }

    /// Takes no further message, finishes the one that is being taken, and returns.
    pub async fn stop(mut self) {
        self.stop.cancel();
        match tokio::time::timeout(GRACE, &mut self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(source.name = %self.source(), source.error = %error,
                    "a mailbox's reader ended by itself; its messages are where they were");
            }
            Err(_) => {
                // Whatever it was is taken after the next start: nothing was passed.
                self.task.abort();
                tracing::warn!(source.name = %self.source(), "a message was still being read when its mailbox was stopped");
            }
        }
    }
}

impl ImapMailbox {
    /// A mailbox whose letters are handed in at the reception.
    pub fn new(
        options: ImapOptions,
        reception: Arc<Reception>,
        spool: Arc<dyn Spool>,
    ) -> Result<Self, ImapSetupError> {
        if options.folders.is_empty() {
            return Err(ImapSetupError::NoFolders);
        }
        if let After::Move(to) = &options.after
            && options.folders.iter().any(|folder| same_folder(folder, to))
        {
            return Err(ImapSetupError::Circle(to.clone()));
        }
        let tls = match &options.security {
            Security::Tls(trust) | Security::StartTls(trust) => Some(Tls::new(trust, &options.host)?),
            Security::Plain => None,
        };
        Ok(Self { options, tls, reception, spool, status: watch::Sender::new(ImapStatus::default()) })
    }

    /// Lets it be read until it is stopped.
    pub fn start(self) -> ImapHandle {
        let (mailbox, stop) = (Arc::new(self), CancellationToken::new());
        let task = tokio::spawn({
            let (mailbox, stop) = (mailbox.clone(), stop.clone());
            async move { mailbox.run(&stop).await }
        });
        ImapHandle { mailbox, stop, task }
    }
}

/// INBOX is one folder, however it is written; all others are as they are written.
fn same_folder(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case("INBOX") && other.eq_ignore_ascii_case("INBOX"))
}
