//! Where documents of a work item would go, step by step, and the workspaces that are remembered for it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom_domain::ids::{RepositoryName, ServiceName, WorkItemId};
use postroom_domain::plan::Plan;
use postroom_domain::repository::{Repository, ResolverConfig};
use postroom_domain::resolve::{FolderLook, Look, Match, Remembered};
use postroom_domain::store::Binding;
use postroom_domain::target::{SaveMode, WorkspaceQuery};
use serde::{Deserialize, Serialize};

use crate::cause::CauseView;
use crate::intake::NeedsView;

/// Body of `POST /resolve`. Nothing is made, remembered or filed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResolveBody {
    /// The work item: its reference, or its id.
    pub work_item: String,
    /// The area whose repository is looked at; `matter_documents` when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub area: String,
    /// A repository by its name instead of the one of the work type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub repository: Option<RepositoryName>,
    /// Whose documents: a person's name as the audit has it. The caller's own when not said.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// File names that are held against the repository's block list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_names: Vec<String>,
}

/// How a repository finds the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResolverView {
    /// `default`, `search`, `pinned` or `origin`.
    pub mode: String,
    /// As it stands in the settings, with its tags. `field=template` for each field of a search.
    pub template: Vec<String>,
    /// With every tag filled in.
    pub filled: Vec<String>,
}

impl ResolverView {
    /// Template and what became of it.
    pub fn of(repository: &Repository, query: Option<&WorkspaceQuery>) -> Self {
        let (mode, template) = match &repository.resolver {
            ResolverConfig::Default(title) => ("default", vec![title.source().to_owned()]),
            ResolverConfig::Search(fields) => (
                "search",
                fields.iter().map(|(field, value)| format!("{field}={}", value.source())).collect(),
            ),
            ResolverConfig::Pinned(id) => ("pinned", vec![id.clone()]),
            ResolverConfig::Origin => ("origin", Vec::new()),
        };
        let filled = match query {
            None => Vec::new(),
            Some(WorkspaceQuery::Title(text) | WorkspaceQuery::Pinned(text)) => vec![text.clone()],
            Some(WorkspaceQuery::Fields(fields)) => {
                fields.iter().map(|(field, value)| format!("{field}={value}")).collect()
            }
        };
        Self { mode: mode.to_owned(), template, filled }
    }
}

/// The repository that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepositoryView {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: RepositoryName,
    /// The work type of the tree that gave it; none for one that serves every work type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_type: Option<String>,
    /// The destination.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub destination: ServiceName,
    /// Library, cabinet or site.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub library: String,
    /// How it finds the workspace.
    pub resolver: ResolverView,
    /// What becomes of the source: `copy`, `replace_with_link` or `keep_linked`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub save_mode: SaveMode,
    /// Profile attributes, filled in.
    #[serde(default)]
    pub profile: BTreeMap<String, String>,
}

/// A workspace that was remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RememberedView {
    /// Its id.
    pub workspace: String,
    /// Who chose it, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_by: Option<String>,
    /// Whether it still holds.
    pub used: bool,
}

impl From<&Remembered> for RememberedView {
    fn from(remembered: &Remembered) -> Self {
        Self {
            workspace: remembered.workspace.clone(),
            chosen_by: remembered.chosen_by.clone(),
            used: remembered.holds,
        }
    }
}

/// A workspace that the DMS has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatchView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it takes documents.
    pub open: bool,
    /// Whether it is exactly what was looked for.
    pub exact: bool,
}

impl From<&Match> for MatchView {
    fn from(found: &Match) -> Self {
        Self { id: found.id.clone(), name: found.name.clone(), open: found.open, exact: found.exact }
    }
}

/// A folder on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FolderView {
    /// Its name.
    pub name: String,
    /// Its id, where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether it would be made.
    pub would_create: bool,
}

impl From<&FolderLook> for FolderView {
    fn from(folder: &FolderLook) -> Self {
        Self { name: folder.name.clone(), id: folder.id.clone(), would_create: folder.would_create }
    }
}

/// A file that the repository does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WithheldView {
    /// Its name.
    pub file_name: String,
    /// Why.
    pub reason: String,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Documents would be filed there.
    Files,
    /// They would not, until a person or the DMS's own time has put it right.
    Stops,
    /// There is no place at all: an arrival would go to a person.
    NeedsPerson,
}

/// Answer of `POST /resolve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResolveAnswer {
    /// What came of it.
    pub verdict: Verdict,
    /// The repository, where one serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<RepositoryView>,
    /// Why an arrival would go to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<NeedsView>,
    /// Whose account looked: `system`, or `own/` and the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The workspace that was remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<RememberedView>,
    /// How many workspaces a search found, where one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<usize>,
    /// How many of them are exactly what was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<usize>,
    /// Those, with their names, for callers who may decide where documents go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<MatchView>,
    /// The workspace that documents would go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<MatchView>,
    /// The workspace would be made first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub would_create: bool,
    /// The folders from the workspace downwards.
    #[serde(default)]
    pub folders: Vec<FolderView>,
    /// Why documents would not be filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseView>,
    /// Files of the question that would be withheld.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<WithheldView>,
    /// Every step with its answer, in order.
    pub trace: Vec<String>,
}

impl ResolveAnswer {
    /// What planning alone tells: the repository, and why there is no place.
    pub fn planned(repository: Option<RepositoryView>, needs: Option<NeedsView>, trace: Vec<String>) -> Self {
        let verdict = if needs.is_some() { Verdict::NeedsPerson } else { Verdict::Stops };
        Self {
            verdict,
            repository,
            needs,
            account: None,
            remembered: None,
            found: None,
            exact: None,
            matches: Vec::new(),
            workspace: None,
            would_create: false,
            folders: Vec::new(),
            cause: None,
            withheld: Vec::new(),
            trace,
        }
    }

    /// With what a look at the DMS brought. `names`: whether the caller may see what workspaces are called.
    #[must_use]
    pub fn looked(mut self, look: &Look, names: bool) -> Self {
        self.verdict = if look.trouble.is_none() { Verdict::Files } else { Verdict::Stops };
        self.account.clone_from(&look.account);
        self.remembered = look.remembered.as_ref().map(RememberedView::from);
        self.found = look.found.as_ref().map(Vec::len);
        self.exact = look.found.as_ref().map(|found| found.iter().filter(|found| found.exact).count());
        self.would_create = look.would_create;
        self.folders = look.folders.iter().map(FolderView::from).collect();
        self.cause = look
            .trouble
            .as_ref()
            .map(|trouble| if names { CauseView::of_trouble(trouble) } else { CauseView::of(trouble.cause) });
        if names {
            self.matches = look.found.iter().flatten().map(MatchView::from).collect();
            self.workspace = look.workspace.as_ref().map(MatchView::from);
            self.trace.extend(look.trace.iter().cloned());
        } else {
            self.remembered = self.remembered.map(|it| RememberedView { workspace: String::new(), ..it });
        }
        self
    }

    /// With the files of the question that the repository does not take, by their names alone.
    #[must_use]
    pub fn held_against(mut self, plan: &Plan, file_names: &[String]) -> Self {
        let blocked = |name: &String| {
            let reason = plan.blocked.blocks(name, &[])?.to_string();
            Some(WithheldView { file_name: name.clone(), reason })
        };
        self.withheld = file_names.iter().filter_map(blocked).collect();
        self
    }
}

/// A workspace that is remembered for a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BindingView {
    /// The work item.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
    pub work_item: WorkItemId,
    /// The repository.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub repository: RepositoryName,
    /// The workspace's id in the DMS.
    pub workspace: String,
    /// Who chose it; none when a search found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_by: Option<String>,
    /// Since when.
    pub at: Timestamp,
}

impl From<&Binding> for BindingView {
    fn from(binding: &Binding) -> Self {
        Self {
            work_item: binding.work_item,
            repository: binding.repository.clone(),
            workspace: binding.workspace.clone(),
            chosen_by: binding.chosen_by.clone(),
            at: binding.at,
        }
    }
}

/// The workspaces that are remembered for a work item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bindings {
    /// One for each repository that has one, in the order of the settings.
    pub items: Vec<BindingView>,
}

/// Body of `PUT /work-items/{id}/bindings/{repository}`: a person says which workspace it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BindBody {
    /// The workspace's id in the DMS.
    pub workspace: String,
    /// Why; must not be blank, and is kept in the history.
    pub reason: String,
}
