//! What Postroom keeps besides intakes and filings: persons, sessions, tokens, links, sign-ins under way. All of them are
//! records of one shape, so that each store implements one small table well instead of six.
//!
//! A record has an id, a version, keys that are unique among the records of its kind, groups by which it can be listed, and a body.
//! A [`Commit`] writes some and tells of it in the history, in one transaction: the audit cannot miss what happened.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Fut;
use crate::event::NewEvent;
use crate::ids::BlobHash;
use crate::spool::Blob;
use crate::store::{StoreError, StoreResult};

/// What a record is. The numbers are kept in stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// [`crate::people::Person`].
    Person = 1,
    /// [`crate::people::Session`].
    Session = 2,
    /// [`crate::people::Token`].
    Token = 3,
    /// [`crate::people::Invitation`].
    Invitation = 4,
    /// [`crate::people::Flow`].
    Flow = 5,
    /// [`crate::link::Link`].
    Link = 6,
    /// [`crate::dms_account::DmsAccount`].
    DmsAccount = 7,
    /// [`crate::places::Favourites`].
    Favourites = 8,
    /// [`crate::mailroom::Entry`].
    WorkItemEntry = 9,
    /// [`crate::mailroom::Noted`].
    Noted = 10,
    /// [`crate::mailroom::Learned`].
    Learned = 11,
    /// [`crate::mailbox::Cursor`].
    Cursor = 12,
    /// [`crate::mailbox::Fetched`].
    Fetched = 13,
    /// [`crate::mailbox::Delta`].
    Delta = 14,
    /// [`crate::scan_folder::Collected`].
    Collected = 15,
    /// [`crate::uploads::Upload`].
    Upload = 16,
    /// [`crate::data_upload::DataUpload`].
    DataUpload = 17,
    /// [`crate::ticket::Ticket`].
    Ticket = 18,
    /// [`crate::ticket::Counter`].
    Counter = 19,
    /// [`crate::bookmarks::Bookmarks`].
    Bookmarks = 20,
    /// [`crate::sending::SendIntent`].
    SendIntent = 21,
    /// [`crate::bulk::Bulk`].
    Bulk = 22,
    /// [`crate::bulk::BulkPart`].
    BulkPart = 23,
    /// [`crate::remark::Remarks`].
    Remarks = 24,
    /// [`crate::views::SavedViews`].
    SavedViews = 25,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 25] = [
        Self::Person,
        Self::Session,
        Self::Token,
        Self::Invitation,
        Self::Flow,
        Self::Link,
        Self::DmsAccount,
        Self::Favourites,
        Self::WorkItemEntry,
        Self::Noted,
        Self::Learned,
        Self::Cursor,
        Self::Fetched,
        Self::Delta,
        Self::Collected,
        Self::Upload,
        Self::DataUpload,
        Self::Ticket,
        Self::Counter,
        Self::Bookmarks,
        Self::SendIntent,
        Self::Bulk,
        Self::BulkPart,
        Self::Remarks,
        Self::SavedViews,
    ];

    /// Kinds whose records name content in the spool ([`naming`]): it stays for as long as they do.
    pub const NAMING: [Self; 2] = [Self::Upload, Self::DataUpload];

    /// The word for it in messages.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Session => "session",
            Self::Token => "token",
            Self::Invitation => "one-time link",
            Self::Flow => "sign-in under way",
            Self::Link => "link",
            Self::DmsAccount => "DMS account",
            Self::Favourites => "list of favourites",
            Self::WorkItemEntry => "work item's entry",
            Self::Noted => "letter in the ledger",
            Self::Learned => "lesson of past decisions",
            Self::Cursor => "place in a mailbox",
            Self::Fetched => "message under way",
            Self::Delta => "place in a mailbox with links",
            Self::Collected => "document of a scan folder",
            Self::Upload => "upload under way",
            Self::DataUpload => "data upload",
            Self::Ticket => "hand-over",
            Self::Counter => "counter",
            Self::Bookmarks => "list of bookmarks",
            Self::SendIntent => "choice for a letter to be sent",
            Self::Bulk => "set of filings",
            Self::BulkPart => "part of a set of filings",
            Self::Remarks => "list of remarks",
            Self::SavedViews => "list of saved views",
        }
    }
}

/// The group by which a record names content in the spool, for kinds of [`Kind::NAMING`]: sweeps and backups find it by that.
pub fn naming(blob: Blob) -> String {
    format!("{}/{:016x}", naming_hash(blob.hash), blob.size)
}

/// What every group begins with that names content of this hash.
pub fn naming_hash(hash: BlobHash) -> String {
    format!("blob/{hash}")
}

/// The content that a group names; none when it is a group of another sort.
pub fn named(group: &str) -> Option<Blob> {
    let (hash, size) = group.strip_prefix("blob/")?.split_once('/')?;
    Some(Blob { hash: hash.parse().ok()?, size: u64::from_str_radix(size, 16).ok()? })
}

/// A record as stores keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: Kind,
    /// Its id; ids of one mint grow in the order of creation.
    pub id: u128,
    /// 1 when it is new; one more with every change.
    pub version: u64,
    /// Texts of which no two records of the kind have the same one. At most 512 bytes each.
    pub keys: Vec<String>,
    /// Texts by which it is listed with others. At most 512 bytes each.
    pub groups: Vec<String>,
    /// The rest, as JSON. Secrets in it are sealed.
    pub body: Vec<u8>,
}

/// One change of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Creates it (version 1), or replaces the version before.
    Put(Record),
    /// Removes it, if it still has this version.
    Remove {
        /// What it is.
        kind: Kind,
        /// Which one.
        id: u128,
        /// The version that was looked at.
        version: u64,
    },
}

/// Changes that happen together or not at all, with what the history tells of them.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The changes, at most one of each record.
    pub writes: Vec<Write>,
    /// The history's entries. Nothing that matters for security is written without one.
    pub events: Vec<NewEvent>,
}

/// The keeper of records. Every [`crate::store::Store`] is one too; its promises hold here.
pub trait Registry: Send + Sync {
    /// Carries out a commit. [`StoreError::Conflict`] when a record has another version than the one it was computed from (also when
    /// a new one exists already, or one to remove is gone); [`StoreError::Exists`] when another record has one of the keys.
    fn commit(&self, commit: Commit) -> Fut<'_, StoreResult<()>>;

    /// A record by its id.
    fn record_by_id(&self, kind: Kind, id: u128) -> Fut<'_, StoreResult<Option<Record>>>;

    /// The record that has a key.
    fn record_by_key<'a>(&'a self, kind: Kind, key: &'a str) -> Fut<'a, StoreResult<Option<Record>>>;

    /// Records of a kind by growing id, those of a group if one is given, after an id, at most `limit`.
    fn records<'a>(
        &'a self,
        kind: Kind,
        group: Option<&'a str>,
        after: Option<u128>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Record>>>;
}

/// A value that is kept as a record.
pub trait Kept: Serialize + DeserializeOwned {
    /// What it is.
    const KIND: Kind;
    /// Its id.
    fn number(&self) -> u128;
    /// Its version.
    fn version(&self) -> u64;
    /// Takes the version of the record that it was read from: bodies are written before their version is known to have won.
    fn set_version(&mut self, version: u64);
    /// See [`Record::keys`].
    fn keys(&self) -> Vec<String>;
    /// See [`Record::groups`].
    fn groups(&self) -> Vec<String>;

    /// The change that creates it (version 1) or replaces the version before.
    fn put(&self) -> StoreResult<Write> {
        let body = serde_json::to_vec(self)
            .map_err(|error| StoreError::Damaged(format!("{}: {error}", Self::KIND.noun())))?;
        Ok(Write::Put(Record {
            kind: Self::KIND,
            id: self.number(),
            version: self.version(),
            keys: self.keys(),
            groups: self.groups(),
            body,
        }))
    }

    /// The change that removes it.
    fn remove(&self) -> Write {
        Write::Remove { kind: Self::KIND, id: self.number(), version: self.version() }
    }

    /// Reads it from its record.
    fn read(record: &Record) -> StoreResult<Self> {
        let mut value: Self = serde_json::from_slice(&record.body)
            .map_err(|error| StoreError::Damaged(format!("{}: {error}", Self::KIND.noun())))?;
        value.set_version(record.version);
        Ok(value)
    }
}

/// A value by its id.
pub async fn by_id<T: Kept>(registry: &dyn Registry, id: u128) -> StoreResult<Option<T>> {
    registry.record_by_id(T::KIND, id).await?.as_ref().map(T::read).transpose()
}

/// The value that has a key.
pub async fn by_key<T: Kept>(registry: &dyn Registry, key: &str) -> StoreResult<Option<T>> {
    registry.record_by_key(T::KIND, key).await?.as_ref().map(T::read).transpose()
}

/// Values by growing id, a page at a time.
pub async fn page<T: Kept>(
    registry: &dyn Registry,
    group: Option<&str>,
    after: Option<u128>,
    limit: usize,
) -> StoreResult<Vec<T>> {
    registry.records(T::KIND, group, after, limit).await?.iter().map(T::read).collect()
}
