//! What a DMS can do.

use serde::{Deserialize, Serialize};

/// What a DMS offers. `false` means that the screen does not show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one flag per capability is what they are")]
pub struct Capabilities {
    /// A document can be found again by its mark.
    pub probe: bool,
    /// How long after an upload a probe may still miss it, in seconds.
    pub probe_lag_seconds: u64,
    /// Workspaces can be found by fields.
    pub search_by_fields: bool,
    /// Documents may lie in a workspace without a folder.
    pub files_in_workspace: bool,
    /// Folders can be created.
    pub create_folders: bool,
    /// Documents have versions.
    pub versions: bool,
    /// The largest document, in bytes, where known.
    pub largest: Option<u64>,
    /// The rights of a person can be asked for with the system account ([`Dms::rights`](super::Dms::rights)).
    #[serde(default)]
    pub rights: bool,
    /// Whether the DMS knows accounts of persons at all.
    #[serde(default)]
    pub persons: bool,
    /// A workspace can be made for fields that name it ([`Dms::create_workspace`](super::Dms::create_workspace)).
    #[serde(default)]
    pub create_workspaces: bool,
    /// Libraries, cabinets or sites can be listed.
    #[serde(default)]
    pub libraries: bool,
    /// Workspaces can be searched by words, for people who choose.
    #[serde(default)]
    pub search_workspaces: bool,
    /// Accounts have a list of workspaces used lately.
    #[serde(default)]
    pub recent: bool,
    /// Accounts have a list of workspaces they marked.
    #[serde(default)]
    pub favourites: bool,
    /// The values of profile fields can be searched.
    #[serde(default)]
    pub lookups: bool,
    /// The documents in a folder can be listed.
    #[serde(default)]
    pub list_documents: bool,
    /// The profile of a document can be changed.
    #[serde(default)]
    pub set_profile: bool,
    /// A document can be given another name.
    #[serde(default)]
    pub rename: bool,
    /// A document can be moved to another folder.
    #[serde(default)]
    pub move_documents: bool,
    /// A document can be copied without its bytes passing through here.
    #[serde(default)]
    pub copy_documents: bool,
    /// A document can be deleted.
    #[serde(default)]
    pub delete_documents: bool,
    /// Accounts of persons can be looked up.
    #[serde(default)]
    pub find_users: bool,
    /// Accounts of persons can be made.
    #[serde(default)]
    pub create_users: bool,
}

impl Capabilities {
    /// Every flag with its name, in the order in which tables show them.
    pub const fn flags(&self) -> [(&'static str, bool); 21] {
        [
            ("probe", self.probe),
            ("search_by_fields", self.search_by_fields),
            ("files_in_workspace", self.files_in_workspace),
            ("create_folders", self.create_folders),
            ("versions", self.versions),
            ("rights", self.rights),
            ("persons", self.persons),
            ("create_workspaces", self.create_workspaces),
            ("libraries", self.libraries),
            ("search_workspaces", self.search_workspaces),
            ("recent", self.recent),
            ("favourites", self.favourites),
            ("lookups", self.lookups),
            ("list_documents", self.list_documents),
            ("set_profile", self.set_profile),
            ("rename", self.rename),
            ("move_documents", self.move_documents),
            ("copy_documents", self.copy_documents),
            ("delete_documents", self.delete_documents),
            ("find_users", self.find_users),
            ("create_users", self.create_users),
        ]
    }
}
