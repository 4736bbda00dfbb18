//! Lists of targets that come from a firm's own databases.

use std::collections::BTreeMap;

use postroom_domain::ids::ListName;
use postroom_domain::lists::{ListOffered, ListRow, ListRows};
use serde::{Deserialize, Serialize};

/// A list, as it is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListView {
    /// Its name in the settings.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: ListName,
    /// As people call it.
    pub title: String,
    /// What may be asked for, as parameters of the address.
    pub parameters: Vec<String>,
}

impl From<ListOffered> for ListView {
    fn from(list: ListOffered) -> Self {
        Self { name: list.name, title: list.title, parameters: list.parameters }
    }
}

/// The lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListsView {
    /// In the order of the settings.
    pub items: Vec<ListView>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowView {
    /// What tells it from the others.
    pub key: String,
    /// As people know it.
    pub title: String,
    /// A second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// The DMS's id of its workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Further values, by the names of the settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl From<ListRow> for RowView {
    fn from(row: ListRow) -> Self {
        let ListRow { key, title, subtitle, workspace, fields } = row;
        Self { key, title, subtitle, workspace, fields }
    }
}

/// What a list answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowsView {
    /// In the order of the source.
    pub items: Vec<RowView>,
    /// Whether there are more than are shown: ask for less.
    pub more: bool,
}

impl From<ListRows> for RowsView {
    fn from(rows: ListRows) -> Self {
        Self { items: rows.rows.into_iter().map(RowView::from).collect(), more: rows.more }
    }
}
