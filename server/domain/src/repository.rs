//! A named pointer to a place in a DMS: which linked service, how the workspace is found, which folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::block_list::BlockList;
use crate::ids::{RepositoryName, ServiceName};
use crate::tag::{SyntaxError, Template, split_outside_tags};
use crate::target::{SaveMode, WhenAmbiguous};

/// The function that a repository serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Word templates.
    DocumentTemplates,
    /// CSV and Excel files to load.
    DataUploads,
    /// E-mail that arrives.
    InboundEmail,
    /// Documents of an instruction, before it is a matter.
    Instructions,
    /// Service requests.
    ServiceRequests,
    /// Scans.
    Scanning,
    /// Documents of a client, across matters.
    ClientDocuments,
    /// Documents of a matter.
    MatterDocuments,
}

impl Area {
    /// All areas.
    pub const ALL: [Self; 8] = [
        Self::DocumentTemplates,
        Self::DataUploads,
        Self::InboundEmail,
        Self::Instructions,
        Self::ServiceRequests,
        Self::Scanning,
        Self::ClientDocuments,
        Self::MatterDocuments,
    ];

    /// The name in settings and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DocumentTemplates => "document_templates",
            Self::DataUploads => "data_uploads",
            Self::InboundEmail => "inbound_email",
            Self::Instructions => "instructions",
            Self::ServiceRequests => "service_requests",
            Self::Scanning => "scanning",
            Self::ClientDocuments => "client_documents",
            Self::MatterDocuments => "matter_documents",
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Area {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|area| area.as_str() == text).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|area| area.as_str()).collect();
            format!("\"{text}\" is not an area (one of {})", all.join(", "))
        })
    }
}

/// How a repository finds the workspace of a work item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolverConfig {
    /// The workspace whose title equals the filled-in text.
    Default(Template),
    /// The workspace on which every field equals its filled-in value.
    Search(Vec<(String, Template)>),
    /// A workspace by its id.
    Pinned(String),
    /// The folder or workspace that the work item was started from.
    Origin,
}

/// Why a resolver's configuration is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolverError {
    /// A tag is malformed.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A search has no fields.
    #[error("a search needs at least one field=value")]
    NoFields,
    /// A part is not `field=value`.
    #[error("\"{0}\" is not field=value")]
    NotAField(String),
    /// A field stands twice.
    #[error("the field \"{0}\" stands twice")]
    FieldTwice(String),
    /// A value is missing: it would match every workspace.
    #[error("the field \"{0}\" has no value, which would match every workspace")]
    NoValue(String),
    /// The mode is not known.
    #[error("\"{0}\" is not a resolver mode (default, search, pinned or origin)")]
    Mode(String),
    /// A configuration where none is wanted.
    #[error("the resolver \"origin\" takes no configuration: the work item says where it was started from")]
    Unwanted,
    /// There is nothing to look for.
    #[error("the resolver's configuration is empty")]
    Empty,
}

impl ResolverConfig {
    /// Reads mode and configuration as they stand in the settings. The configuration of `search` is split on commas
    /// **before** any tag is filled in, because a client's name may hold a comma.
    pub fn parse(mode: &str, config: &str) -> Result<Self, ResolverError> {
        let config = config.trim();
        match mode {
            "origin" if config.is_empty() => return Ok(Self::Origin),
            "origin" => return Err(ResolverError::Unwanted),
            "default" | "pinned" | "search" if config.is_empty() => return Err(ResolverError::Empty),
            _ => {}
        }
        match mode {
            "default" => Ok(Self::Default(config.parse()?)),
            "pinned" => Ok(Self::Pinned(config.to_owned())),
            "search" => parse_fields(config).map(Self::Search),
            other => Err(ResolverError::Mode(other.to_owned())),
        }
    }
}

fn parse_fields(config: &str) -> Result<Vec<(String, Template)>, ResolverError> {
    let mut fields: Vec<(String, Template)> = Vec::new();
    for part in split_outside_tags(config, ',').into_iter().filter(|part| !part.trim().is_empty()) {
        let (field, value) =
            part.split_once('=').ok_or_else(|| ResolverError::NotAField(part.trim().to_owned()))?;
        let (field, value) = (field.trim(), value.trim());
        if field.is_empty() || field.contains(['[', '"']) {
            return Err(ResolverError::NotAField(part.trim().to_owned()));
        }
        if value.is_empty() {
            return Err(ResolverError::NoValue(field.to_owned()));
        }
        if fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(field)) {
            return Err(ResolverError::FieldTwice(field.to_owned()));
        }
        fields.push((field.to_owned(), value.parse()?));
    }
    if fields.is_empty() { Err(ResolverError::NoFields) } else { Ok(fields) }
}

/// A repository, with its templates parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its name.
    pub name: RepositoryName,
    /// What it serves.
    pub area: Area,
    /// The work type it serves, with all below that have none of their own; none serves all.
    pub work_type: Option<String>,
    /// The linked service.
    pub service: ServiceName,
    /// Library, cabinet or site; empty where the DMS has none.
    pub library: String,
    /// How the workspace is found.
    pub resolver: ResolverConfig,
    /// Folder names from the workspace downwards.
    pub folder: Vec<Template>,
    /// Whether missing folders are created.
    pub create_folders: bool,
    /// Profile attributes by the DMS's own field names.
    pub profile: BTreeMap<String, Template>,
    /// What happens when several workspaces match.
    pub when_ambiguous: WhenAmbiguous,
    /// Whether a workspace is made when the fields name none, where the DMS can do that.
    pub create_workspace: bool,
    /// Profile attributes that must have a value before anything is sent; those that need not are left out where they have none.
    /// `None`: all of them must.
    pub required: Option<BTreeSet<String>>,
    /// Kinds of files that are not filed here.
    pub blocked: BlockList,
    /// What becomes of the source.
    pub save_mode: SaveMode,
    /// What happens to content that is there already.
    pub duplicate: DuplicateRule,
}

/// What happens when the same content is at the same place already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateRule {
    /// It is not filed again; the one that is there is named.
    #[default]
    Skip,
    /// It is filed once more.
    File,
}

impl Repository {
    /// What is wrong with it whatever the work item: the key of the settings, and the problem.
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        let mut note = |key: &str, problem: String| wrong.push((key.to_owned(), problem));
        let general = matches!(self.area, Area::DocumentTemplates | Area::InboundEmail);
        if self.when_ambiguous == WhenAmbiguous::FirstMatch && !general {
            let problem = format!(
                "first_match is for general workspaces only (areas {} and {}): in {} it would file into a stranger's matter",
                Area::DocumentTemplates,
                Area::InboundEmail,
                self.area
            );
            note("when_ambiguous", problem);
        }
        if self.create_workspace && !matches!(self.resolver, ResolverConfig::Search(_)) {
            note(
                "create_workspace",
                "needs the resolver \"search\": its fields name the workspace".to_owned(),
            );
        }
        match &self.resolver {
            ResolverConfig::Default(title) => {
                title.mistakes().into_iter().for_each(|it| note("resolver_config", it));
            }
            ResolverConfig::Search(fields) => {
                for (field, value) in fields {
                    value
                        .mistakes()
                        .into_iter()
                        .for_each(|it| note("resolver_config", format!("{field}: {it}")));
                }
            }
            ResolverConfig::Pinned(_) | ResolverConfig::Origin => {}
        }
        for name in &self.folder {
            name.mistakes().into_iter().for_each(|it| note("folder", it));
        }
        for (field, value) in &self.profile {
            value.mistakes().into_iter().for_each(|it| note(&format!("profile.{field}"), it));
        }
        for field in self.required.iter().flatten().filter(|field| !self.profile.contains_key(*field)) {
            note("required", format!("\"{field}\" has no value in the profile: set profile.{field}"));
        }
        wrong
    }

    /// Whether a profile attribute must have a value.
    pub fn requires(&self, field: &str) -> bool {
        self.required.as_ref().is_none_or(|required| required.contains(field))
    }
}

/// Splits a folder path on slashes before any tag is filled in: a value with a slash makes no further folder.
pub fn parse_folder_path(path: &str) -> Result<Vec<Template>, SyntaxError> {
    split_outside_tags(path, '/')
        .into_iter()
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::parse)
        .collect()
}
