//! The ledger: what was really stored, in order. Tests compare it with what a client believes.

use serde::{Deserialize, Serialize};

use super::model::Attributes;

/// What an entry records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A new document.
    Created,
    /// A new version.
    Version,
    /// The content of a version was replaced.
    Replaced,
    /// A document was copied.
    Copied,
}

/// One committed document or version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Position, from 1.
    pub seq: u64,
    /// What happened.
    pub kind: EntryKind,
    /// Document id in twelve digits.
    pub document: String,
    /// Version number.
    pub version: u32,
    /// Name without extension.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Bytes stored.
    pub size: u64,
    /// BLAKE3 of what was stored, lower-case hex.
    pub blake3: String,
    /// Profile attributes of the document at that moment.
    pub attributes: Attributes,
    /// Description of the version.
    pub description: String,
    /// Folder or workspace it was filed into, in twelve digits; empty if none.
    pub container: String,
    /// Workspace, in twelve digits; empty if none.
    pub workspace: String,
    /// Cabinet.
    pub cabinet: String,
    /// User id.
    pub user: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// All entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Vec<Entry>);

impl Ledger {
    /// Append; the sequence number is set here.
    pub(super) fn push(&mut self, mut entry: Entry) {
        entry.seq = self.0.len() as u64 + 1;
        self.0.push(entry);
    }

    /// Up to `limit` entries after sequence number `after`.
    pub(super) fn after(&self, after: u64, limit: usize) -> Vec<Entry> {
        let from = usize::try_from(after).unwrap_or(usize::MAX).min(self.0.len());
        self.0[from..].iter().take(limit).cloned().collect()
    }
}
