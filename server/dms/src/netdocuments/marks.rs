//! Which mark a document bears, as far as this process has seen. A mark is given with the upload and never moves to another document, so one
//! that was read once need not be read again: a folder of a thousand `scan.pdf` costs a thousand calls at the first probe only.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use postroom_domain::ids::Mark;

/// So many are remembered; then all are forgotten. An entry takes some 100 bytes.
const MOST: usize = 50_000;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Marks(Mutex<HashMap<String, String>>);

impl Marks {
    /// Notes what a document bears; an empty text where it bears none.
    pub(super) fn learn(&self, document: &str, mark: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(document.to_owned(), mark.to_owned());
    }

    /// Whether a document is known to bear another mark than this one.
    pub(super) fn is_another(&self, document: &str, mark: Mark) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(document).is_some_and(|there| !there.is_empty() && *there != mark.to_string())
    }
}
