//! Two small inverted indexes, so that probing for a mark stays fast however many documents there are.

use std::collections::HashMap;

use super::matching;

/// Positions of documents by word.
#[derive(Debug, Default)]
pub(super) struct WordIndex(HashMap<String, Vec<usize>>);

impl WordIndex {
    /// Index a text. Entries are never removed; a search checks its candidates again.
    pub(super) fn add(&mut self, text: &str, doc: usize) {
        for word in matching::words(text) {
            let posting = self.0.entry(word).or_default();
            if posting.last() != Some(&doc) {
                posting.push(doc);
            }
        }
    }

    /// Documents that may match: the shortest posting of the query's words.
    pub(super) fn candidates(&self, query: &str) -> Vec<usize> {
        let mut best: Option<&Vec<usize>> = None;
        for word in matching::words(query) {
            match self.0.get(&word) {
                None => return Vec::new(),
                Some(posting) if best.is_none_or(|b| posting.len() < b.len()) => best = Some(posting),
                Some(_) => {}
            }
        }
        let mut found = best.cloned().unwrap_or_default();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Positions of documents by a whole value, letters ignored.
#[derive(Debug, Default)]
pub(super) struct ValueIndex(HashMap<String, Vec<usize>>);

impl ValueIndex {
    pub(super) fn add(&mut self, value: &str, doc: usize) {
        let posting = self.0.entry(value.to_lowercase()).or_default();
        if posting.last() != Some(&doc) {
            posting.push(doc);
        }
    }

    pub(super) fn candidates(&self, value: &str) -> Vec<usize> {
        let mut found = self.0.get(&value.to_lowercase()).cloned().unwrap_or_default();
        found.sort_unstable();
        found.dedup();
        found
    }
}
