//! Places: libraries, workspaces, folders, and lists of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A library (iManage), cabinet (NetDocuments) or site (HighQ): the uppermost division of a DMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// The DMS's id of it, as settings name it.
    pub id: String,
    /// Its name, as people know it.
    pub name: String,
    /// Its fields, by the DMS's own names: what a firm needs to know of it when it sets Postroom up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// What a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerKind {
    /// A workspace: what belongs to one matter. HighQ's sites are that too.
    Workspace,
    /// A folder, or a tab.
    #[default]
    Folder,
    /// Something that looks like a folder and keeps no documents of its own: a saved search, filter or smart folder.
    Search,
}

/// A place in a DMS that holds documents: a workspace or a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The DMS's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether documents may be put in.
    pub open: bool,
    /// What it is.
    #[serde(default)]
    pub kind: ContainerKind,
    /// The container it lies in, where the answer told; a workspace has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The workspace it belongs to, where the answer told; a workspace's own id for a workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
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

/// A list of workspaces that the DMS keeps for each account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shelf {
    /// What the account used lately.
    Recent,
    /// What the account marked.
    Favourites,
}

/// One row of a DMS's own list of values, such as its clients, or the matters of one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupRow {
    /// The value that profiles hold.
    pub key: String,
    /// What it means, for people.
    #[serde(default)]
    pub description: String,
    /// Whether new documents may still use it.
    pub open: bool,
}

/// What is asked of a list of values.
#[derive(Debug, Clone, Copy)]
pub struct LookupQuery<'a> {
    /// The profile field, by the DMS's own name.
    pub field: &'a str,
    /// The value of the field above, where this one depends on it: the client whose matters are wanted.
    pub parent: Option<&'a str>,
    /// What key or description begin with or hold; empty lists all.
    pub text: &'a str,
}
