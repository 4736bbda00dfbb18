//! What a repository holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ids;
use super::ledger::Ledger;
use crate::common::throttle::Bucket;

/// Values by attribute number.
pub type Attributes = BTreeMap<u32, String>;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of NetDocuments' access lists")]
pub struct Rights {
    /// See it.
    pub view: bool,
    /// Change it and file into it.
    pub edit: bool,
    /// Give it to others.
    pub share: bool,
    /// Change who may.
    pub administer: bool,
    /// Kept out, whatever else is said.
    pub no_access: bool,
}

impl Rights {
    /// Everything but administration.
    pub const EDIT: Self = Self { view: true, edit: true, share: true, administer: false, no_access: false };
    /// Reading only.
    pub const VIEW: Self =
        Self { view: true, edit: false, share: false, administer: false, no_access: false };
    /// Kept out.
    pub const NONE: Self =
        Self { view: false, edit: false, share: false, administer: false, no_access: true };
}

impl Default for Rights {
    fn default() -> Self {
        Self::EDIT
    }
}

/// A profile attribute of a cabinet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attribute {
    /// Number.
    pub number: u32,
    /// Name for people.
    pub name: String,
    /// Documents must have it.
    pub required: bool,
    /// Only values of a table are taken.
    pub lookup: bool,
    /// Number of the attribute its values depend on.
    pub parent: Option<u32>,
}

/// A row of a lookup table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Row {
    /// Attribute number.
    pub attribute: u32,
    /// Key of the row above; empty where there is none.
    pub parent: String,
    /// Key.
    pub key: String,
    /// Meaning.
    pub description: String,
    /// Not to be used any more.
    pub closed: bool,
    /// On hold.
    pub hold: bool,
}

/// A cabinet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cabinet {
    /// Id, `NG-…`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Attribute that defines workspaces, with the one above it.
    pub ws_attr: u32,
    /// The attribute above; 0 where one alone defines workspaces.
    pub ws_org_attr: u32,
    /// Profile attributes.
    pub attributes: Vec<Attribute>,
    /// Rights by user or group id; persons of the firm without an entry have [`Rights::EDIT`], others none.
    pub members: BTreeMap<String, Rights>,
}

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// Id, `UG-…`.
    pub id: String,
    /// Name.
    pub name: String,
    /// For people outside of the firm.
    pub external: bool,
    /// User ids.
    pub members: BTreeSet<String>,
}

/// What a container is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `ndws`.
    Workspace,
    /// `ndfld`.
    #[default]
    Folder,
    /// `ndflt`.
    Filter,
    /// `ndsq`.
    SavedSearch,
}

impl Kind {
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Workspace => "ndws",
            Self::Folder => "ndfld",
            Self::Filter => "ndflt",
            Self::SavedSearch => "ndsq",
        }
    }

    pub(super) const fn letter(self) -> char {
        match self {
            Self::Workspace => 'W',
            Self::Folder => 'F',
            Self::Filter | Self::SavedSearch => 'S',
        }
    }
}

/// A workspace, folder, filter or saved search.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) cabinet: String,
    pub(super) name: String,
    pub(super) parent: Option<u64>,
    pub(super) workspace: Option<u64>,
    pub(super) attributes: Attributes,
    pub(super) rights: BTreeMap<String, Rights>,
    pub(super) read_only: bool,
    pub(super) deleted: bool,
    pub(super) created: i64,
    pub(super) children: Vec<u64>,
    /// Documents filed here, in order.
    pub(super) docs: Vec<u64>,
}

impl Node {
    pub(super) fn id(&self) -> String {
        ids::digits(self.number)
    }
}

/// Bytes that were received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) size: u64,
    pub(super) blake3: String,
    pub(super) bytes: Option<Bytes>,
}

/// One version of a document.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) number: u32,
    pub(super) name: Option<String>,
    pub(super) description: String,
    pub(super) extension: String,
    pub(super) stored: Arc<Stored>,
    pub(super) user: String,
    pub(super) at: i64,
}

/// Who holds a document.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    pub(super) user: String,
    pub(super) checked_out: bool,
}

/// A document.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) number: u64,
    pub(super) cabinet: String,
    pub(super) name: String,
    pub(super) workspace: Option<u64>,
    pub(super) folders: Vec<u64>,
    pub(super) attributes: Attributes,
    pub(super) versions: Vec<Version>,
    pub(super) official: u32,
    pub(super) lock: Option<Lock>,
    pub(super) deleted: bool,
    pub(super) created: i64,
    pub(super) created_by: String,
    pub(super) modified: i64,
    pub(super) modified_by: String,
}

impl Document {
    pub(super) fn id(&self) -> String {
        ids::digits(self.number)
    }

    pub(super) fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|version| version.number == number)
    }

    pub(super) fn latest(&self) -> u32 {
        self.versions.iter().map(|version| version.number).max().unwrap_or(0)
    }

    pub(super) fn current(&self) -> Option<&Version> {
        self.version(self.official).or_else(|| self.versions.last())
    }
}

/// Everything but people, applications and tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Tenant {
    pub(super) repository: String,
    pub(super) repository_name: String,
    pub(super) cabinets: Vec<Cabinet>,
    pub(super) rows: Vec<Row>,
    /// Position of a row by attribute, parent and key, in small letters.
    by_key: HashMap<(u32, String, String), usize>,
    pub(super) groups: Vec<Group>,
    pub(super) nodes: HashMap<u64, Node>,
    pub(super) node_order: Vec<u64>,
    pub(super) docs: HashMap<u64, Document>,
    pub(super) doc_order: Vec<u64>,
    /// Workspaces used lately and marked, by user id, newest first.
    pub(super) recent: BTreeMap<String, Vec<u64>>,
    pub(super) favourites: BTreeMap<String, Vec<u64>>,
    pub(super) ledger: Ledger,
    pub(super) activity: Vec<Activity>,
    pub(super) bucket: Bucket,
    pub(super) keep_bytes: u64,
    next: u64,
}

/// A line of the repository's log.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) name: &'static str,
    pub(super) user: String,
    pub(super) document: String,
    pub(super) title: String,
    pub(super) at: i64,
}

impl Tenant {
    /// A number that is not used yet, or the wanted one.
    pub(super) fn take(&mut self, wanted: Option<u64>) -> u64 {
        let free = |n: &u64| !self.nodes.contains_key(n) && !self.docs.contains_key(n);
        if let Some(number) = wanted.filter(free) {
            self.next = self.next.max(number);
            return number;
        }
        self.next = self.next.max(1_000_000) + 1;
        self.next
    }

    pub(super) fn cabinet(&self, id: &str) -> Option<&Cabinet> {
        self.cabinets.iter().find(|cabinet| cabinet.id.eq_ignore_ascii_case(id))
    }

    pub(super) fn attribute(&self, cabinet: &str, number: u32) -> Option<&Attribute> {
        self.cabinet(cabinet)?.attributes.iter().find(|it| it.number == number)
    }

    pub(super) fn row(&self, attribute: u32, parent: &str, key: &str) -> Option<&Row> {
        let key = (attribute, parent.to_lowercase(), key.to_lowercase());
        self.by_key.get(&key).map(|at| &self.rows[*at])
    }

    /// Adds a row, or replaces the one of that key; true if it is new.
    pub(super) fn put_row(&mut self, row: Row) -> bool {
        let key = (row.attribute, row.parent.to_lowercase(), row.key.to_lowercase());
        if let Some(at) = self.by_key.get(&key) {
            self.rows[*at] = row;
            return false;
        }
        self.by_key.insert(key, self.rows.len());
        self.rows.push(row);
        true
    }

    pub(super) fn remove_row(&mut self, attribute: u32, parent: &str, key: &str) -> bool {
        let found = self.by_key.remove(&(attribute, parent.to_lowercase(), key.to_lowercase()));
        let Some(at) = found else { return false };
        self.rows.remove(at);
        for other in self.by_key.values_mut().filter(|other| **other > at) {
            *other -= 1;
        }
        true
    }

    pub(super) fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.get(&ids::parse(id)?).filter(|node| !node.deleted)
    }

    pub(super) fn doc(&self, id: &str) -> Option<&Document> {
        self.docs.get(&ids::parse(id)?)
    }

    pub(super) fn add_node(&mut self, node: Node) {
        if let Some(parent) = node.parent.and_then(|it| self.nodes.get_mut(&it)) {
            parent.children.push(node.number);
        }
        self.node_order.push(node.number);
        self.nodes.insert(node.number, node);
    }

    /// The node and what it lies in, from below.
    pub(super) fn up(&self, from: u64) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.nodes.get(&from), |node| self.nodes.get(&node.parent?))
    }

    /// Attributes that a container passes on: the nearest value going up.
    pub(super) fn inherited(&self, from: u64) -> Attributes {
        let mut all = Attributes::new();
        for node in self.up(from) {
            for (number, value) in &node.attributes {
                all.entry(*number).or_insert_with(|| value.clone());
            }
        }
        all
    }

    /// The workspace whose attributes have these values.
    pub(super) fn workspace_of(&self, cabinet: &str, values: &Attributes) -> Option<u64> {
        let cabinet = self.cabinet(cabinet)?;
        let numbers = [cabinet.ws_org_attr, cabinet.ws_attr];
        let keys = || numbers.iter().filter(|it| **it != 0);
        let fits = |node: &&Node| {
            node.kind == Kind::Workspace
                && !node.deleted
                && node.cabinet == cabinet.id
                && keys().all(|it| node.attributes.get(it).is_some_and(|own| values.get(it) == Some(own)))
                && keys().next().is_some()
        };
        let nodes = self.node_order.iter().filter_map(|it| self.nodes.get(it));
        nodes.into_iter().find(fits).map(|node| node.number)
    }

    /// Whether the values of a workspace's attributes are closed, or the workspace itself.
    pub(super) fn closed(&self, node: u64) -> bool {
        if self.up(node).any(|it| it.read_only) {
            return true;
        }
        let Some(cabinet) = self.nodes.get(&node).and_then(|it| self.cabinet(&it.cabinet)) else {
            return false;
        };
        let values = self.inherited(node);
        let value = |number: u32| values.get(&number).map(String::as_str).unwrap_or_default();
        let above = self.row(cabinet.ws_org_attr, "", value(cabinet.ws_org_attr));
        let parent = if cabinet.ws_org_attr == 0 { "" } else { value(cabinet.ws_org_attr) };
        let own = self.row(cabinet.ws_attr, parent, value(cabinet.ws_attr));
        [above, own].into_iter().flatten().any(|row| row.closed)
    }
}
