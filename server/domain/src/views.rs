//! Views of the operators' console that a person saved: a screen with a filter, under a name.

use serde::{Deserialize, Serialize};

use crate::own::{Listed, Own};
use crate::record::Kind;

/// The console's screens.
pub const SCREENS: [&str; 9] =
    ["home", "mail", "scanning", "uploads", "filings", "causes", "persons", "destinations", "events"];

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// Its name, of at most [`SavedView::LONGEST_NAME`] characters; compared without case.
    pub name: String,
    /// One of [`SCREENS`].
    pub screen: String,
    /// The filter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub q: String,
}

impl SavedView {
    /// So many characters a name may have.
    pub const LONGEST_NAME: usize = 60;

    /// Whether it has this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }
}

impl Listed for SavedView {
    const KIND: Kind = Kind::SavedViews;
    const NOUN: &'static str = "saved views";
    const FIELD: &'static str = "views";
    const MOST: usize = 50;

    fn replaces(&self, other: &Self) -> bool {
        self.is_called(&other.name)
    }
}

/// A person's saved views.
pub type SavedViews = Own<SavedView>;
