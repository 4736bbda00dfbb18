//! Where a filing goes: decided once, when it is planned, and kept, so that a retry never changes the meaning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{RepositoryName, ServiceName};

/// How the workspace is found. All texts are final: tags were resolved when the filing was planned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceQuery {
    /// The workspace whose title equals this.
    Title(String),
    /// The workspace on which every field equals its value.
    Fields(Vec<(String, String)>),
    /// The workspace with this id.
    Pinned(String),
}

/// What to do when several workspaces match exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenAmbiguous {
    /// A person decides; the choice is remembered.
    #[default]
    Ask,
    /// The first in the DMS's order: only for general workspaces, where that is harmless.
    FirstMatch,
}

/// One place in one DMS, and what the document carries there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The linked service.
    pub service: ServiceName,
    /// The repository whose rules gave this target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<RepositoryName>,
    /// The library (iManage), cabinet (NetDocuments) or site (HighQ); empty where the DMS has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// How the workspace is found.
    pub workspace: WorkspaceQuery,
    /// Names of folders from the workspace downwards; empty files into the workspace itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folder: Vec<String>,
    /// Whether missing folders are created.
    #[serde(default)]
    pub create_folders: bool,
    /// What happens when several workspaces match.
    #[serde(default)]
    pub when_ambiguous: WhenAmbiguous,
    /// Profile attributes by the DMS's own field names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profile: BTreeMap<String, String>,
}

impl Target {
    /// A text that is equal for equal places: what "same target" means for duplicates. The profile does not count.
    pub fn fingerprint(&self) -> String {
        let place = (&self.service, &self.library, &self.workspace, &self.folder);
        // A tuple of strings always serialises; an empty text would only make duplicates less likely to be seen.
        serde_json::to_string(&place).unwrap_or_default()
    }

    /// The place in words, for lists: `"Harrow v Teal" / Correspondence`.
    pub fn in_words(&self) -> String {
        let workspace = match &self.workspace {
            WorkspaceQuery::Title(title) => format!("\"{title}\""),
            WorkspaceQuery::Fields(fields) => {
                fields.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(", ")
            }
            WorkspaceQuery::Pinned(id) => id.clone(),
        };
        self.folder.iter().fold(workspace, |words, folder| words + " / " + folder)
    }
}
