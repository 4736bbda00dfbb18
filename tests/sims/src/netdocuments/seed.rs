//! Content of a repository as JSON, for the start and for adding more while the server runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::access::Caller;
use super::commit;
use super::folders::put_in;
use super::ids;
use super::ledger::EntryKind;
use super::model::{Attributes, Cabinet, Document, Group, Kind, Node, Rights, Row, Stored, Tenant, Version};

/// Cabinets, rows, groups and workspaces to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// Cabinets; one of the same id is replaced.
    pub cabinets: Vec<Cabinet>,
    /// Rows of lookup tables.
    pub rows: Vec<Row>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Workspaces with their folders.
    pub workspaces: Vec<SeedWorkspace>,
    /// Documents, filed by whoever is named.
    pub documents: Vec<SeedDocument>,
}

/// A workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedWorkspace {
    /// Number behind the id; a free one if none.
    pub number: Option<u64>,
    /// Cabinet; the first one if empty.
    pub cabinet: String,
    /// Name.
    pub name: String,
    /// Values of its attributes.
    pub attributes: Attributes,
    /// Rights by user or group id.
    pub rights: BTreeMap<String, Rights>,
    /// Nothing can be changed in it.
    pub read_only: bool,
    /// Folders in it.
    pub folders: Vec<SeedFolder>,
}

/// A folder, filter or saved search.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedFolder {
    /// Number behind the id; a free one if none.
    pub number: Option<u64>,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Values of attributes of its own.
    pub attributes: Attributes,
    /// Folders inside.
    pub children: Vec<SeedFolder>,
}

/// A document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDocument {
    /// Id of the container.
    pub container: String,
    /// Name without extension.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Content.
    pub text: String,
    /// Values of attributes.
    pub attributes: Attributes,
    /// User id.
    pub user: String,
}

impl Tenant {
    /// Add a seed to what is there.
    pub(super) fn sow(&mut self, seed: &Seed, now: i64) {
        for cabinet in &seed.cabinets {
            self.cabinets.retain(|it| it.id != cabinet.id);
            self.cabinets.push(cabinet.clone());
        }
        for row in &seed.rows {
            self.put_row(row.clone());
        }
        self.groups.extend(seed.groups.iter().cloned());
        for workspace in &seed.workspaces {
            self.sow_workspace(workspace, now);
        }
        for document in &seed.documents {
            self.sow_document(document, now);
        }
    }

    fn sow_workspace(&mut self, seed: &SeedWorkspace, now: i64) {
        let number = self.take(seed.number);
        let first = self.cabinets.first().map(|it| it.id.clone()).unwrap_or_default();
        let cabinet = if seed.cabinet.is_empty() { first } else { seed.cabinet.clone() };
        self.add_node(Node {
            number,
            kind: Kind::Workspace,
            cabinet: cabinet.clone(),
            name: seed.name.clone(),
            parent: None,
            workspace: Some(number),
            attributes: seed.attributes.clone(),
            rights: seed.rights.clone(),
            read_only: seed.read_only,
            deleted: false,
            created: now,
            children: Vec::new(),
            docs: Vec::new(),
        });
        for folder in &seed.folders {
            self.sow_folder(folder, &cabinet, number, number, now);
        }
    }

    fn sow_folder(&mut self, seed: &SeedFolder, cabinet: &str, workspace: u64, parent: u64, now: i64) {
        let number = self.take(seed.number);
        self.add_node(Node {
            number,
            kind: seed.kind,
            cabinet: cabinet.to_owned(),
            name: seed.name.clone(),
            parent: Some(parent),
            workspace: Some(workspace),
            attributes: seed.attributes.clone(),
            rights: BTreeMap::new(),
            read_only: false,
            deleted: false,
            created: now,
            children: Vec::new(),
            docs: Vec::new(),
        });
        for child in &seed.children {
            self.sow_folder(child, cabinet, workspace, number, now);
        }
    }

    fn sow_document(&mut self, seed: &SeedDocument, now: i64) {
        let Some(place) = ids::parse(&seed.container) else { return };
        let Some((cabinet, workspace)) = self.nodes.get(&place).map(|it| (it.cabinet.clone(), it.workspace))
        else {
            return;
        };
        let number = self.take(None);
        let bytes = bytes::Bytes::from(seed.text.clone());
        let stored = Stored {
            size: bytes.len() as u64,
            blake3: blake3::hash(&bytes).to_hex().to_string(),
            bytes: Some(bytes),
        };
        let mut attributes = self.inherited(place);
        attributes.extend(seed.attributes.clone());
        let version = Version {
            number: 1,
            name: None,
            description: String::new(),
            extension: seed.extension.clone(),
            stored: Arc::new(stored),
            user: seed.user.clone(),
            at: now,
        };
        let mut doc = Document {
            number,
            cabinet,
            name: seed.name.clone(),
            workspace,
            folders: Vec::new(),
            attributes,
            versions: vec![version],
            official: 1,
            lock: None,
            deleted: false,
            created: now,
            created_by: seed.user.clone(),
            modified: now,
            modified_by: seed.user.clone(),
        };
        if let Some(node) = self.nodes.get_mut(&place) {
            put_in(node, &mut doc);
        }
        commit::insert(self, doc);
        let caller = Caller { id: seed.user.clone(), ..Caller::default() };
        commit::note(self, number, 1, EntryKind::Created, &caller, now);
    }
}
