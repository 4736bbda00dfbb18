//! The ledger: what was really stored, in order. Tests compare it with what a client believes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

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
}

/// One committed document or version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Position, from 1.
    pub seq: u64,
    /// What happened.
    pub kind: EntryKind,
    /// The mark field's value if set, else the comment.
    pub mark: String,
    /// `doc_profile.comment`.
    pub comment: String,
    /// Value of [`Options::mark_field`](super::Options::mark_field).
    pub field: Option<String>,
    /// SHA-256 of what was stored, lower-case hex.
    pub sha256: String,
    /// BLAKE3 of what was stored, lower-case hex.
    pub blake3: String,
    /// Bytes stored.
    pub size: u64,
    /// Document id with version.
    pub document: String,
    /// Folder id.
    pub container: String,
    /// Workspace id.
    pub workspace: String,
    /// Library name.
    pub library: String,
    /// Name without extension.
    pub name: String,
    /// Upper-case extension.
    pub extension: String,
    /// User id.
    pub user: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// All entries with an index by mark and by folder.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    by_mark: HashMap<String, Vec<usize>>,
    by_container: HashMap<String, Vec<usize>>,
}

impl Ledger {
    /// Append; the sequence number is set here.
    pub(super) fn push(&mut self, mut entry: Entry) {
        let at = self.entries.len();
        entry.seq = at as u64 + 1;
        for mark in [Some(&entry.comment), entry.field.as_ref()].into_iter().flatten() {
            let posting = self.by_mark.entry(mark.clone()).or_default();
            if posting.last() != Some(&at) {
                posting.push(at);
            }
        }
        self.by_container.entry(entry.container.clone()).or_default().push(at);
        self.entries.push(entry);
    }

    /// Up to `limit` entries after sequence number `after`.
    pub(super) fn after(&self, after: u64, limit: usize) -> Vec<Entry> {
        let from = usize::try_from(after).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries[from..].iter().take(limit).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn by_mark(&self, mark: &str) -> Vec<Entry> {
        self.pick(self.by_mark.get(mark))
    }

    pub(super) fn in_container(&self, container: &str) -> Vec<Entry> {
        self.pick(self.by_container.get(container))
    }

    fn pick(&self, posting: Option<&Vec<usize>>) -> Vec<Entry> {
        posting.into_iter().flatten().map(|at| self.entries[*at].clone()).collect()
    }
}
