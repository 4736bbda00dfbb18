//! A mailbox at Microsoft 365, read through Microsoft Graph by the application itself: nobody signs in.
//!
//! ```text
//! ask what changed in the folder since the link (delta) → pass what is known by its id → read the others into the spool, hand them in
//!     → when the whole page is taken, gone or left, the next link is written
//! ask what became of what was taken → what is through is marked, and moved or deleted where that is wanted
//! wait until the next look; a change notification makes it come sooner
//! ```
//!
//! The links are the truth, and looking is by the clock; notifications are believed in nothing but that looking may be worth it. A message
//! is known by the id that it keeps wherever in the mailbox it goes ([`Fetched`](postroom_domain::mailbox::Fetched)), so that a page that
//! comes again, a link that is too old and a folder that is read from its beginning bring nothing in twice, and nothing is read twice.
//!
//! A message that cannot be taken is left and kept in mind by the [`Delta`](postroom_domain::mailbox::Delta): it is tried again, shown after
//! three times, and nobody waits for it. What the house refuses (no room, the store is busy) and what the server refuses as a whole stop a
//! look, and then the link stays.
//!
#![doc = include_str!("graph/pilot.md")]

mod app;
mod check;
mod clean;
mod content;
mod folders;
mod page;
mod people;
mod rounds;
mod sent;
mod subscriptions;
mod take;
mod talk;

use std::sync::Arc;
use std::time::Duration;

use postroom_domain::ids::{SiteName, SourceName};
use postroom_domain::mailbox::MailNotice;
use postroom_domain::reception::Reception;
use postroom_domain::spool::Spool;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use self::app::{GraphApp, GraphAppOptions, GraphSetupError};
pub use self::people::{GraphPost, PeoplesMailboxes};
pub use self::sent::{SentHandle, SentOptions, look_after_sent};
use self::subscriptions::Subscriptions;

/// For how long a stop waits for what is being taken.
const GRACE: Duration = Duration::from_mins(2);

/// What happens to a message once its intake is settled or dismissed, besides being marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphAfter {
    /// It stays.
    Stay,
    /// It goes into another folder, which is made if it is not there. One that a person moved meanwhile stays where it is.
    Move(String),
    /// It is deleted. One that a person moved meanwhile stays.
    Delete,
}

/// How messages that are through are marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// The category of those of which something is filed.
    pub category: Option<String>,
    /// The extended property that holds which intake a message was, such as `String {…} Name PostroomFiled`.
    pub property: Option<String>,
}

/// Where and for how long change notifications are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notifications {
    /// There are none, for this reason.
    Off(String),
    /// They come to this address.
    At {
        /// The address, as Microsoft reaches it.
        url: Url,
        /// For how long a subscription is asked for each time.
        life: Duration,
    },
}

/// When what failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphPatience {
    /// After the first failure; each further one doubles it.
    pub first_pause: Duration,
    /// The longest pause between tries, and the pause after a refusal, which nothing but a person ends.
    pub longest_pause: Duration,
    /// The shortest time between two looks, however much news there is.
    pub breath: Duration,
}

impl Default for GraphPatience {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_mins(5),
            breath: Duration::from_millis(500),
        }
    }
}

/// How a mailbox is read.
#[derive(Debug, Clone)]
pub struct GraphOptions {
    /// The source's name.
    pub source: SourceName,
    /// The site its letters belong to.
    pub site: SiteName,
    /// Its address, which stands on the outside of its letters.
    pub mailbox: String,
    /// What Microsoft knows it by: the address, or the object id of its user.
    pub user: String,
    /// The folders that are read: well-known names (`inbox`), ids, or names as people see them, `/` between a folder and the one in it.
    pub folders: Vec<String>,
    /// How what is through is marked.
    pub marks: Marks,
    /// What happens to it besides.
    pub after: GraphAfter,
    /// How often all is looked through, news or not.
    pub poll: Duration,
    /// How often folders are read from their beginning, in case a link has lost something.
    pub sweep: Duration,
    /// What makes looks come sooner.
    pub notifications: Notifications,
    /// How many pages of a folder are taken before the next one has its turn.
    pub pages: usize,
    /// The largest message that is taken, in bytes.
    pub largest: u64,
    /// When what failed is tried again.
    pub patience: GraphPatience,
}

/// A message that lies in the mailbox and was tried in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftMessage {
    /// Its folder.
    pub folder: String,
    /// Its id.
    pub item: String,
    /// Why it was not taken, in words.
    pub why: String,
}

/// How a mailbox is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphStatus {
    /// Why the mailbox cannot be read, while that is so.
    pub unreachable: Option<String>,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// Why nothing is taken at present although messages are there: no room, the store is busy, Microsoft asks to wait.
    pub refusing: Option<String>,
    /// What is wrong with single folders, in words.
    pub troubles: Vec<String>,
    /// Messages that cannot be taken and are where they were.
    pub left: Vec<LeftMessage>,
    /// Why looks come by the clock alone; none while notifications come.
    pub by_the_clock: Option<String>,
    /// Messages taken since the start.
    pub taken: u64,
    /// Messages since the start that were marked, moved or deleted because they are through, or that were gone by then.
    pub cleaned: u64,
    /// Looks through all folders since the start.
    pub looks: u64,
    /// Folders that were read from their beginning since the start.
    pub begun: u64,
    /// Looks since the start that a notification called for.
    pub woken: u64,
}

/// A mailbox.
pub struct GraphMailbox {
    options: GraphOptions,
    app: Arc<GraphApp>,
    reception: Arc<Reception>,
    spool: Arc<dyn Spool>,
    status: watch::Sender<GraphStatus>,
    /// Something may be new.
    news: Notify,
    subscriptions: Subscriptions,
}

/// A mailbox that is being read.
pub struct GraphHandle {
    mailbox: Arc<GraphMailbox>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl GraphHandle {
    /// How it is doing.
    pub fn status(&self) -> GraphStatus {
        self.mailbox.status.borrow().clone()
    }

    /// The same for whoever waits for a change of it.
    pub fn watch(&self) -> watch::Receiver<GraphStatus> {
        self.mailbox.status.subscribe()
    }

    /// The source's name.
    pub fn source(&self) -> &SourceName {
        &self.mailbox.options.source
    }

    /// How often all is looked through.
    pub fn poll(&self) -> Duration {
        self.mailbox.options.poll
    }

    /// Word that something is new. False when it was not for this mailbox, as far as its secret tells.
    pub fn notice(&self, notice: &MailNotice) -> bool {
        let ours = self.mailbox.subscriptions.hear(notice);
        if ours {
            self.mailbox.news.notify_one();
        }
        ours
    }

    /// Takes no further message, ends what is being read, and returns.
    pub async fn stop(mut self) {
        self.stop.cancel();
        match tokio::time::timeout(GRACE, &mut self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(source.name = %self.source(), source.error = %error,
                    "a mailbox's reader ended by itself; its messages are where they were");
            }
            Err(_) => {
                // Whatever it was is taken after the next start: the link did not move.
                self.task.abort();
                tracing::warn!(source.name = %self.source(), "a message was still being read when its mailbox was stopped");
            }
        }
    }
}

impl GraphMailbox {
    /// A mailbox whose letters are handed in at the reception.
    pub fn new(
        options: GraphOptions,
        app: Arc<GraphApp>,
        reception: Arc<Reception>,
        spool: Arc<dyn Spool>,
    ) -> Result<Self, GraphSetupError> {
        if options.folders.is_empty() {
            return Err(GraphSetupError::NoFolders);
        }
        if let GraphAfter::Move(to) = &options.after
            && options.folders.iter().any(|folder| folders::same(folder, to))
        {
            return Err(GraphSetupError::Circle(to.clone()));
        }
        let subscriptions = Subscriptions::new(&*reception.entropy);
        let status = watch::Sender::new(GraphStatus::default());
        Ok(Self { options, app, reception, spool, status, news: Notify::new(), subscriptions })
    }

    /// Lets it be read until it is stopped.
    pub fn start(self) -> GraphHandle {
        let (mailbox, stop) = (Arc::new(self), CancellationToken::new());
        let task = tokio::spawn({
            let (mailbox, stop) = (mailbox.clone(), stop.clone());
            async move { mailbox.run(&stop).await }
        });
        GraphHandle { mailbox, stop, task }
    }
}
