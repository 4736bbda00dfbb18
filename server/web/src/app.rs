//! What the routes work with, handed in by the binary.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use postroom_api::health::Check;
use postroom_domain::backoff::RetryPolicy;
use postroom_domain::bulk::RunsBulks;
use postroom_domain::control::Control;
use postroom_domain::data_upload::{Loads, Mapping, Tables};
use postroom_domain::ids::{ServiceName, SourceName};
use postroom_domain::lists::TargetLists;
use postroom_domain::mailbox::FetchesLetters;
use postroom_domain::mailroom::{Mailroom, ReadsLetters};
use postroom_domain::places::Places;
use postroom_domain::preview::Previews;
use postroom_domain::reception::Reception;
use postroom_domain::send_to::SendTo;
use postroom_domain::sheets::Sheets;
use postroom_domain::spool::Spool;
use postroom_domain::store::Store;
use postroom_domain::time::{Clock, Entropy};
use postroom_domain::uploads::Uploads;
use tokio::sync::{Semaphore, watch};

use crate::auth::Tokens;
use crate::auth::guesses::Guesses;
use crate::events::Listeners;
use crate::identity::Identity;

/// A door as the summary shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: SourceName,
    /// What it is, in a word or two: `upload`, `hot folder`.
    pub kind: String,
    /// Whether `POST /intakes` may come through it.
    pub uploads: bool,
}

/// How much is taken at once. Bytes are counted as they come; what a request says of itself is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest document, in bytes.
    pub document: u64,
    /// All documents of one request together, in bytes.
    pub request: u64,
    /// The most documents of one request.
    pub documents: usize,
    /// The largest `meta`, in bytes.
    pub meta: usize,
    /// The longest file name, in bytes.
    pub file_name: usize,
    /// The longest text in `meta` (subject, note), in bytes.
    pub text: usize,
    /// The largest JSON body, in bytes.
    pub json: u64,
    /// Uploads under way at once; more are asked to come back. Each may hold some 300 KiB of memory.
    pub uploads: usize,
    /// How long a body may stand still.
    pub body_idle: Duration,
    /// How long a body may take altogether.
    pub body_total: Duration,
    /// Followers of the events at once.
    pub listeners: usize,
    /// Followers of the events at once with one name.
    pub listeners_each: usize,
    /// The time between signs of life on a stream without events.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document: 4 << 30,
            request: 8 << 30,
            documents: 1000,
            meta: 64 << 10,
            file_name: 1024,
            text: 4096,
            json: 256 << 10,
            uploads: 256,
            body_idle: Duration::from_secs(30),
            body_total: Duration::from_hours(4),
            listeners: 256,
            listeners_each: 16,
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// Where Outlook, Word and Excel run in a browser. Microsoft publishes no list; these were seen in use.
pub const OFFICE_HOSTS: [&str; 7] = [
    "https://outlook.office.com",
    "https://outlook.office365.com",
    "https://outlook.cloud.microsoft",
    "https://outlook.live.com",
    "https://*.officeapps.live.com",
    "https://*.cloud.microsoft",
    "https://*.sharepoint.com",
];

/// Renders the metrics of the process in Prometheus's text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// How tables of data are read and loaded.
#[derive(Clone)]
pub struct DataTables {
    /// Reads files.
    pub tables: Arc<dyn Tables>,
    /// Loads them in the background.
    pub loads: Arc<dyn Loads>,
    /// The mappings of the settings.
    pub mappings: Arc<[Mapping]>,
}

/// How letters are taken that people hand in out of their mail program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The door that they come through.
    pub source: SourceName,
    /// For how long what was handed in may be taken back; nothing of it is filed before.
    pub undo: Duration,
    /// The category that filed letters get in their mailbox; empty for none.
    pub category: String,
}

/// What the routes work with.
#[derive(Clone)]
pub struct App {
    /// Where rows are kept.
    pub store: Arc<dyn Store>,
    /// Where bytes are kept.
    pub spool: Arc<dyn Spool>,
    /// Where intakes are taken in and decided over.
    pub reception: Arc<Reception>,
    /// Uploads that come piece by piece.
    pub resumable: Arc<Uploads>,
    /// Tables of data that become work items.
    pub data: DataTables,
    /// Runs sets of filings in the background.
    pub bulk: Arc<dyn RunsBulks>,
    /// Where work items have their luggage tags, and letters are opened.
    pub mailroom: Arc<Mailroom>,
    /// Reads letters that rules are tried on.
    pub letters: Arc<dyn ReadsLetters>,
    /// How letters are handed in out of mail programs.
    pub outlook: Outlook,
    /// Who fetches letters out of people's mailboxes; nobody where they have to be handed in.
    pub post: Option<Arc<dyn FetchesLetters>>,
    /// The engine, as far as others see it.
    pub control: Arc<dyn Control>,
    /// Places in DMSs, for people who choose.
    pub places: Arc<dyn Places>,
    /// What DMSs hand over.
    pub send_to: Arc<dyn SendTo>,
    /// Origins of DMSs whose pages may show the hand-over in a frame.
    pub frames: Vec<String>,
    /// Pages as pictures, and cover sheets to print.
    pub sheets: Arc<dyn Sheets>,
    /// What is in documents, as text.
    pub previews: Arc<dyn Previews>,
    /// Lists of targets from elsewhere.
    pub lists: Arc<dyn TargetLists>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for the ids of requests.
    pub entropy: Arc<dyn Entropy>,
    /// Who stands behind a token of the settings.
    pub tokens: Arc<dyn Tokens>,
    /// Persons, their links, and the keys.
    pub identity: Identity,
    /// The schedule that a person's decision starts anew.
    pub policy: RetryPolicy,
    /// The doors. The first that takes uploads is the usual one.
    pub sources: Vec<Source>,
    /// What each destination is: `imanage`, `folder`.
    pub destination_kinds: BTreeMap<ServiceName, String>,
    /// How much is taken at once.
    pub limits: Limits,
    /// Who may show the add-in's pages in a frame, as `frame-ancestors` names them; nobody else may show any page.
    pub frame_hosts: Vec<String>,
    /// The name of the installation.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// Renders the metrics.
    pub metrics: RenderMetrics,
}

/// An [`App`] with what its requests share.
pub(crate) struct Shared {
    pub(crate) app: App,
    /// Wrong tokens by address.
    pub(crate) guesses: Guesses,
    /// Wrong passwords and the like by address.
    pub(crate) tries: Guesses,
    pub(crate) uploads: Semaphore,
    /// One upload is begun at a time, so that what a person has unfinished is counted rightly.
    pub(crate) beginning: tokio::sync::Mutex<()>,
    pub(crate) listeners: Arc<Listeners>,
    /// True once the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// Requests being answered.
    pub(crate) open: AtomicUsize,
    /// The last proof of a write, and when it was made: readiness is open to all, so it must not cost a write each time.
    pub(crate) proof: tokio::sync::Mutex<Option<(Duration, Check)>>,
    /// Open filings by age, as they were counted a moment ago.
    pub(crate) ages: crate::routes::ages::Counted,
    /// The description, written once.
    pub(crate) openapi: bytes::Bytes,
    /// Addresses and methods, for the answer to a wrong method.
    pub(crate) table: crate::routes::Table,
}

impl std::ops::Deref for Shared {
    type Target = App;
    fn deref(&self) -> &App {
        &self.app
    }
}
