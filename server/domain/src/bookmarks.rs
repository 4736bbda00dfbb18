//! The work items that a person marked, to have them at hand.

use serde::{Deserialize, Serialize};

use crate::ids::WorkItemId;
use crate::own::{Listed, Own};
use crate::record::Kind;

/// A work item that a person marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bookmark(pub WorkItemId);

impl Listed for Bookmark {
    const KIND: Kind = Kind::Bookmarks;
    const NOUN: &'static str = "bookmarks";
    const FIELD: &'static str = "items";
    const MOST: usize = 200;
}

/// A person's bookmarks.
pub type Bookmarks = Own<Bookmark>;
