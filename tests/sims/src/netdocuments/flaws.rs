//! What the fake repository can be made to get wrong, and what can change under a call.

use serde::{Deserialize, Serialize};

use super::ids;
use super::model::{Lock, Rights, Tenant};

/// What goes wrong in a call, or changes before its work. Containers and documents are named by id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Flaw {
    /// Read so many bytes of an upload, then end the connection.
    ResetAfterRead {
        /// Bytes.
        bytes: u64,
    },
    /// Keep only the first bytes of an upload.
    Truncate {
        /// Bytes.
        bytes: u64,
    },
    /// Report a size that differs from what is stored.
    WrongSize {
        /// Added to the size.
        delta: i64,
    },
    /// Answer an upload with the id of another document.
    WrongId {},
    /// Answer in XML although JSON was asked for.
    Xml {},
    /// Make a workspace read-only, or open it again.
    ReadOnly {
        /// Workspace.
        workspace: String,
        /// Whether it is.
        on: bool,
    },
    /// Close a row of a lookup table, or open it again.
    CloseRow {
        /// Attribute number.
        attribute: u32,
        /// Key of the row above; empty if none.
        #[serde(default)]
        parent: String,
        /// Key.
        key: String,
        /// Whether it is closed.
        closed: bool,
    },
    /// Move a folder under another container.
    MoveFolder {
        /// Folder.
        folder: String,
        /// New parent.
        to: String,
    },
    /// Rename a folder or workspace.
    RenameFolder {
        /// Folder.
        folder: String,
        /// New name.
        name: String,
    },
    /// Delete a folder with all that is in it.
    DeleteFolder {
        /// Folder.
        folder: String,
    },
    /// Let a user check a document out, or give it back.
    Lock {
        /// Document.
        document: String,
        /// User id; none gives it back.
        user: Option<String>,
    },
    /// Set what somebody may do at a container.
    SetRights {
        /// Container.
        container: String,
        /// User or group id.
        principal: String,
        /// Rights.
        rights: Rights,
    },
}

impl Flaw {
    /// Changes the tenant; false if it is no change, or of nothing that is there.
    pub(super) fn apply(&self, tenant: &mut Tenant) -> bool {
        match self {
            Self::ReadOnly { workspace, on } => with(tenant, workspace, |node| node.read_only = *on),
            Self::CloseRow { attribute, parent, key, closed } => {
                let Some(mut row) = tenant.row(*attribute, parent, key).cloned() else { return false };
                row.closed = *closed;
                tenant.put_row(row);
                true
            }
            Self::MoveFolder { folder, to } => move_folder(tenant, folder, to),
            Self::RenameFolder { folder, name } => with(tenant, folder, |node| node.name.clone_from(name)),
            Self::DeleteFolder { folder } => ids::parse(folder).is_some_and(|it| delete(tenant, it)),
            Self::Lock { document, user } => {
                let found = ids::parse(document).and_then(|it| tenant.docs.get_mut(&it));
                let lock = user.clone().map(|user| Lock { user, checked_out: true });
                found.map(|it| it.lock = lock).is_some()
            }
            Self::SetRights { container, principal, rights } => with(tenant, container, |node| {
                node.rights.insert(principal.clone(), *rights);
            }),
            Self::ResetAfterRead { .. }
            | Self::Truncate { .. }
            | Self::WrongSize { .. }
            | Self::WrongId {}
            | Self::Xml {} => false,
        }
    }
}

fn with(tenant: &mut Tenant, id: &str, change: impl FnOnce(&mut super::model::Node)) -> bool {
    ids::parse(id).and_then(|number| tenant.nodes.get_mut(&number)).map(change).is_some()
}

/// Takes a container out of sight, with the documents that lie nowhere else.
pub(super) fn delete(tenant: &mut Tenant, root: u64) -> bool {
    let Some(node) = tenant.nodes.get_mut(&root) else { return false };
    node.deleted = true;
    let (parent, children, docs) = (node.parent, node.children.clone(), node.docs.clone());
    if let Some(parent) = parent.and_then(|it| tenant.nodes.get_mut(&it)) {
        parent.children.retain(|it| *it != root);
    }
    for doc in docs {
        if let Some(doc) = tenant.docs.get_mut(&doc) {
            doc.folders.retain(|it| *it != root);
            doc.deleted |= doc.folders.is_empty();
        }
    }
    for child in children {
        delete(tenant, child);
    }
    true
}

fn move_folder(tenant: &mut Tenant, folder: &str, to: &str) -> bool {
    let (Some(folder), Some(to)) = (ids::parse(folder), ids::parse(to)) else { return false };
    if tenant.up(to).any(|node| node.number == folder) {
        return false;
    }
    let Some(workspace) = tenant.nodes.get(&to).map(|it| it.workspace) else { return false };
    let Some(moved) = tenant.nodes.get_mut(&folder) else { return false };
    let from = moved.parent.replace(to);
    moved.workspace = workspace;
    if let Some(parent) = from.and_then(|it| tenant.nodes.get_mut(&it)) {
        parent.children.retain(|it| *it != folder);
    }
    if let Some(parent) = tenant.nodes.get_mut(&to) {
        parent.children.push(folder);
    }
    true
}
