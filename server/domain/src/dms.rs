//! What Postroom needs of a document management system. A connector is small; what its DMS cannot do is a capability
//! that is off, and screens hide it.
//!
//! Rules for connectors:
//! - no call is repeated inside a connector after a document's bytes were sent, except a refresh of the sign-in before the
//!   first byte: repeating is decided by the filing machine;
//! - an upload carries the [`Mark`]; [`Dms::probe`] finds it again;
//! - errors say what the caller can do ([`DmsError`]); the text for logs never holds tokens or content.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_core::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::cause::{Cause, Sent, Symptom, classify};
use crate::ids::{BlobHash, Mark};
use crate::link::Rights;
use crate::person::Actor;
use crate::target::WorkspaceQuery;

/// Document bytes on their way.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Something that was sent can be counted: how much of the document the connection has taken.
///
/// Shared between the worker, which watches progress, and the connector's body stream, which reports it.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Reports that so many more bytes have left.
    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Bytes that have left so far.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// How much that is of a document. A document of 0 bytes counts as sent once anything was asked (`started`).
    pub fn sent(&self, size: u64, started: bool) -> Sent {
        match self.bytes() {
            _ if !started => Sent::Nothing,
            n if n >= size => Sent::Fully,
            0 => Sent::Nothing,
            _ => Sent::Partly,
        }
    }
}

/// The bytes of one document; each try opens them anew.
pub trait Content: Send + Sync {
    /// Length in bytes.
    fn size(&self) -> u64;
    /// BLAKE3 of the bytes.
    fn hash(&self) -> BlobHash;
    /// A stream from the first byte. Reading checks the hash: damaged bytes end the stream with an error before its last chunk.
    fn open(&self) -> Fut<'_, std::io::Result<ByteStream>>;
}

/// What a DMS offers. `false` means that the screen does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one flag per capability is what they are")]
pub struct Capabilities {
    /// A document can be found again by its mark.
    pub probe: bool,
    /// How long after an upload a probe may still miss it, in seconds.
    pub probe_lag_seconds: u64,
    /// Workspaces can be found by fields.
    pub search_by_fields: bool,
    /// Documents may lie in a workspace without a folder.
    pub files_in_workspace: bool,
    /// Folders can be created.
    pub create_folders: bool,
    /// Documents have versions.
    pub versions: bool,
    /// The largest document, in bytes, where known.
    pub largest: Option<u64>,
    /// The rights of a person can be asked for with the system account ([`Dms::rights`]).
    #[serde(default)]
    pub rights: bool,
    /// Whether the DMS knows accounts of persons at all.
    #[serde(default)]
    pub persons: bool,
}

/// The account that calls are made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The DMS's id of it.
    pub id: String,
    /// Its name, as people know it.
    pub name: String,
    /// Version or edition of the DMS, where it tells.
    pub dms_version: Option<String>,
}

/// A place in a DMS that holds documents: a workspace or a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The DMS's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether documents may be put in.
    pub open: bool,
    /// Its fields, by the DMS's own names, as far as the answer had them.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How to ask for the next one.
    pub next: Option<String>,
}

/// What the DMS holds after an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The document's id in the DMS.
    pub document: String,
    /// Its version there, where the DMS has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The container it lies in.
    pub container: String,
    /// Size the DMS reports, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// BLAKE3 of the bytes as the DMS holds them, where that was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<BlobHash>,
    /// Where a person can open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// One document to put into a container.
pub struct Upload<'a> {
    /// Who does it.
    pub actor: &'a Actor,
    /// Library, cabinet or site; empty where the DMS has none.
    pub library: &'a str,
    /// The container's id.
    pub container: &'a str,
    /// The file name with its extension, already safe for this DMS.
    pub name: &'a str,
    /// Media type.
    pub media_type: &'a str,
    /// Profile attributes by the DMS's own field names.
    pub profile: &'a BTreeMap<String, String>,
    /// When the document was received.
    pub received: Timestamp,
    /// What it carries so that it can be found again.
    pub mark: Mark,
    /// The bytes.
    pub content: &'a dyn Content,
    /// Where the connector reports what it has sent.
    pub gauge: &'a Gauge,
}

/// Looking for a document by its mark.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// Library, cabinet or site.
    pub library: &'a str,
    /// The container it was sent to.
    pub container: &'a str,
    /// The name it was sent under.
    pub name: &'a str,
    /// The mark it carries.
    pub mark: Mark,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The document is there.
    Yes(Receipt),
    /// More than one carries the mark: somebody copied it, or it was filed twice.
    Several(Vec<Receipt>),
    /// It is not there, as far as the DMS can tell at this moment.
    No,
}

/// How long a DMS asks to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryAfter {
    /// From now, in seconds.
    Seconds(u64),
    /// Until a time of day.
    At(Timestamp),
}

/// What is known about a failed call, for the attempt's record and for logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it comes down to.
    pub cause: Cause,
    /// HTTP status, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The DMS's own error code or id of the request, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// For logs and the technical part of the detail: one line, no tokens, no content.
    pub detail: String,
}

impl Trouble {
    /// Trouble with a cause and a line for the log.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, status: None, request_id: None, detail: detail.into() }
    }
}

/// Why a DMS call failed, by what the caller can do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DmsError {
    /// Wait as long as asked.
    #[error("throttled: {}", trouble.detail)]
    Throttled {
        /// How long the DMS asks to wait.
        until: Option<RetryAfter>,
        /// What is known.
        trouble: Trouble,
    },
    /// It did not work and surely left nothing behind: try again later.
    #[error("unavailable: {}", .0.detail)]
    Unavailable(Trouble),
    /// The document may be there: ask before sending again.
    #[error("outcome unknown: {}", .0.detail)]
    UnknownOutcome(Trouble),
    /// The account must sign in again.
    #[error("login needed: {}", .0.detail)]
    NeedsLogin(Trouble),
    /// The account may not.
    #[error("forbidden: {}", .0.detail)]
    Forbidden(Trouble),
    /// The object is not there, or hidden.
    #[error("not found: {}", .0.detail)]
    NotFound(Trouble),
    /// Something is there already.
    #[error("conflict: {}", trouble.detail)]
    Conflict {
        /// The document that is there, where the DMS says which.
        existing: Option<Receipt>,
        /// What is known.
        trouble: Trouble,
    },
    /// Somebody holds a lock.
    #[error("locked: {}", trouble.detail)]
    Locked {
        /// Who, where the DMS says.
        by: Option<String>,
        /// What is known.
        trouble: Trouble,
    },
    /// Larger than the DMS takes.
    #[error("too large: {}", trouble.detail)]
    TooLarge {
        /// The limit in bytes, where known.
        limit: Option<u64>,
        /// What is known.
        trouble: Trouble,
    },
    /// A field is not accepted.
    #[error("rejected: {}", trouble.detail)]
    Rejected {
        /// Which one, where the DMS says.
        field: Option<String>,
        /// What the DMS says about it, for people.
        message: String,
        /// What is known.
        trouble: Trouble,
    },
    /// The settings are wrong; other filings to this destination will fail the same way.
    #[error("misconfigured: {}", .0.detail)]
    Misconfigured(Trouble),
    /// This DMS cannot do it.
    #[error("unsupported: {}", .0.detail)]
    Unsupported(Trouble),
    /// Our own stored bytes could not be read as they were written.
    #[error("stored bytes damaged: {}", .0.detail)]
    Damaged(Trouble),
}

impl DmsError {
    /// Shapes a raw symptom by the classification.
    pub fn from_symptom(symptom: Symptom, sent: Sent, detail: impl Into<String>) -> Self {
        let mut trouble = Trouble::new(classify(symptom, sent), detail);
        if let Symptom::Status(status) = symptom {
            trouble.status = Some(status);
        }
        Self::from_trouble(trouble)
    }

    /// Shapes trouble by its cause. Details that only some shapes have (limit, field, lock holder) stay empty; the
    /// connector fills them in.
    pub fn from_trouble(trouble: Trouble) -> Self {
        match trouble.cause {
            Cause::Throttled => Self::Throttled { until: None, trouble },
            Cause::AnswerLost | Cause::WrongCopy => Self::UnknownOutcome(trouble),
            Cause::LoginNeeded | Cause::LinkBroken | Cause::Quota => Self::NeedsLogin(trouble),
            Cause::NoRight => Self::Forbidden(trouble),
            Cause::TargetNotFound | Cause::TargetClosed | Cause::TargetAmbiguous => Self::NotFound(trouble),
            Cause::Conflict | Cause::Changed => Self::Conflict { existing: None, trouble },
            Cause::Locked => Self::Locked { by: None, trouble },
            Cause::TooLarge => Self::TooLarge { limit: None, trouble },
            Cause::Rejected | Cause::WrongType | Cause::Legal => {
                Self::Rejected { field: None, message: trouble.detail.clone(), trouble }
            }
            Cause::BadCertificate
            | Cause::LoginPage
            | Cause::Redirected
            | Cause::Misconfigured
            | Cause::DmsFull => Self::Misconfigured(trouble),
            Cause::Unsupported => Self::Unsupported(trouble),
            Cause::StoreDamage | Cause::OwnFault => Self::Damaged(trouble),
            Cause::Unreachable
            | Cause::Interrupted
            | Cause::SessionGone
            | Cause::ServerFault
            | Cause::Poison
            | Cause::TooOld => Self::Unavailable(trouble),
        }
    }

    /// What is known about the failure.
    pub const fn trouble(&self) -> &Trouble {
        match self {
            Self::Unavailable(trouble)
            | Self::UnknownOutcome(trouble)
            | Self::NeedsLogin(trouble)
            | Self::Forbidden(trouble)
            | Self::NotFound(trouble)
            | Self::Misconfigured(trouble)
            | Self::Unsupported(trouble)
            | Self::Damaged(trouble)
            | Self::Throttled { trouble, .. }
            | Self::Conflict { trouble, .. }
            | Self::Locked { trouble, .. }
            | Self::TooLarge { trouble, .. }
            | Self::Rejected { trouble, .. } => trouble,
        }
    }
}

/// The result of a DMS call.
pub type DmsResult<T> = Result<T, DmsError>;

/// One connection to one DMS.
pub trait Dms: Send + Sync {
    /// What it offers.
    fn capabilities(&self) -> Capabilities;

    /// Connects and tells who we are there.
    fn whoami(&self) -> Fut<'_, DmsResult<Account>>;

    /// Workspaces that match **exactly**: the connector compares again after the DMS's fuzzy search. At most `limit`.
    fn find_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>>;

    /// A workspace or folder by its id, to check that a remembered place still is what it was.
    fn container<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>>;

    /// The folders directly in a container, page by page.
    fn folders<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>>;

    /// Creates a folder. [`DmsError::Conflict`] when one by that name is there already.
    fn create_folder<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>>;

    /// A file name as this DMS takes it, by its stated rule; the original name stays in the filing.
    fn safe_name(&self, name: &str) -> String;

    /// Puts a new document into a container.
    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>>;

    /// Looks for a document by its mark.
    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>>;

    /// Whether a person may put documents into a container, asked with the account of `actor`. `person` is the name or e-mail of
    /// the person. A DMS that gives no certain answer says [`Rights::Unknown`]; so does one that has no persons.
    fn rights<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        person: &'a str,
    ) -> Fut<'a, DmsResult<Rights>> {
        let _ = (actor, library, container, person);
        Box::pin(async { Ok(Rights::Unknown) })
    }

    /// The bytes of a document.
    fn download<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<ByteStream>>;
}
