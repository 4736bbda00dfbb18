//! A person's saved views of the console: a screen with a filter, under a name.

use postroom_domain::views::SavedView;
use serde::{Deserialize, Serialize};

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ViewItem {
    /// Its name, of at most 60 characters; compared without case.
    pub name: String,
    /// The screen: `home`, `mail`, `scanning`, `uploads`, `filings`, `causes`, `persons`, `destinations` or `events`.
    pub screen: String,
    /// The filter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub q: String,
}

impl From<SavedView> for ViewItem {
    fn from(view: SavedView) -> Self {
        Self { name: view.name, screen: view.screen, q: view.q }
    }
}

/// The answer of `GET /views`: the caller's own, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Views {
    /// The views.
    pub items: Vec<ViewItem>,
}

/// Body of `PUT /views/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ViewBody {
    /// The screen.
    pub screen: String,
    /// The filter; one that cannot be read is refused on the screens that take the filter language.
    #[serde(default)]
    pub q: String,
}
