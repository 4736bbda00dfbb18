//! What the fake instance can be made to get wrong, and what can change under a call.

use serde::{Deserialize, Serialize};

use super::model::{Level, SiteStatus, Tenant};

/// What goes wrong in a call, or changes before its work.
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
    /// Answer with the id of another file.
    WrongId {},
    /// Set a site's state.
    SetStatus {
        /// Site.
        site: u64,
        /// State.
        status: SiteStatus,
    },
    /// Move a folder under another one.
    MoveFolder {
        /// Folder.
        folder: u64,
        /// New parent.
        to: u64,
    },
    /// Rename a folder.
    RenameFolder {
        /// Folder.
        folder: u64,
        /// New name.
        name: String,
    },
    /// Put a folder into the recycle bin.
    DeleteFolder {
        /// Folder.
        folder: u64,
    },
    /// Let somebody check a file out.
    Lock {
        /// File.
        file: u64,
        /// Id of a person.
        person: String,
    },
    /// Set what somebody may do at a site.
    SetLevel {
        /// Site.
        site: u64,
        /// Id of a person.
        person: String,
        /// Level.
        level: Level,
    },
}

impl Flaw {
    /// Changes the tenant; false if it is no change, or of nothing that is there.
    pub(super) fn apply(&self, tenant: &mut Tenant) -> bool {
        match self {
            Self::SetStatus { site, status } => {
                tenant.sites.get_mut(site).map(|it| it.status = *status).is_some()
            }
            Self::MoveFolder { folder, to } => move_folder(tenant, *folder, *to),
            Self::RenameFolder { folder, name } => {
                tenant.folders.get_mut(folder).map(|it| it.name.clone_from(name)).is_some()
            }
            Self::DeleteFolder { folder } => {
                tenant.folders.get_mut(folder).map(|it| it.deleted = true).is_some()
            }
            Self::Lock { file, person } => {
                tenant.files.get_mut(file).map(|it| it.lock = Some(person.clone())).is_some()
            }
            Self::SetLevel { site, person, level } => {
                let found = tenant.sites.get_mut(site);
                found.map(|it| it.rights.insert(person.clone(), *level)).is_some()
            }
            Self::ResetAfterRead { .. }
            | Self::Truncate { .. }
            | Self::WrongSize { .. }
            | Self::WrongId {} => false,
        }
    }
}

fn move_folder(tenant: &mut Tenant, folder: u64, to: u64) -> bool {
    let Some(site) = tenant.folders.get(&to).map(|it| it.site) else { return false };
    let Some(moved) = tenant.folders.get_mut(&folder) else { return false };
    let from = moved.parent.replace(to);
    moved.site = site;
    if let Some(children) = from.and_then(|from| tenant.children.get_mut(&from)) {
        children.retain(|id| *id != folder);
    }
    tenant.children.entry(to).or_default().push(folder);
    true
}
