//! Where a filing goes: decided once, when it is planned, and kept, so that a retry never changes the meaning.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

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

/// What becomes of the document that Postroom keeps, once it is in the DMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaveMode {
    /// Both stay; they know nothing of each other.
    #[default]
    Copy,
    /// The source is given up for a link, after the DMS gave the document back and it was the same, byte by byte.
    ReplaceWithLink,
    /// Both stay and belong together: what is saved again becomes a version of the document in the DMS.
    KeepLinked,
}

impl SaveMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Copy, Self::ReplaceWithLink, Self::KeepLinked];

    /// The name in settings and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::ReplaceWithLink => "replace_with_link",
            Self::KeepLinked => "keep_linked",
        }
    }
}

impl fmt::Display for SaveMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SaveMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|mode| mode.as_str()).collect();
            format!("\"{text}\" is not a save mode (one of {})", all.join(", "))
        })
    }
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
    /// Whether a workspace that the fields name is made when there is none, where the DMS can do that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_workspace: bool,
    /// What becomes of the source.
    #[serde(default)]
    pub save_mode: SaveMode,
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
