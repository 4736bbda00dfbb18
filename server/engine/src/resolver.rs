//! From a target to the container that takes the document: workspace by remembered id or exact search, then folder by folder.
//!
//! A place is never guessed: no match, or more than one, is an error that names what was looked for. What was found is kept
//! for a minute, one search serves all workers that wait for it, and whoever finds a kept answer wrong has it looked up again.

use std::sync::Arc;

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, Dms, DmsError, DmsResult, Trouble};
use postroom_domain::filing::Filing;
use postroom_domain::ids::{RepositoryName, WorkItemId};
use postroom_domain::person::Actor;
use postroom_domain::store::{Binding, Store, StoreError};
use postroom_domain::target::{Target, WhenAmbiguous, WorkspaceQuery};

use crate::accounts::account;
use crate::options::EngineOptions;
use crate::single_flight::SingleFlight;

/// A workspace, as it is looked for. The account is part of it: what one may see another may not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct WorkspaceKey {
    account: String,
    library: String,
    query: WorkspaceQuery,
    first_match: bool,
    bound: Option<(WorkItemId, RepositoryName)>,
}

/// A folder, as it is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FolderKey {
    account: String,
    library: String,
    workspace: String,
    path: Vec<String>,
    create: bool,
}

/// Where a document goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The container's id.
    pub(crate) container: String,
    /// Whether the answer, or part of it, was a remembered one: then a "not found" may be out of date.
    pub(crate) remembered: bool,
}

/// Why no place was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lost {
    /// The DMS says so, or could not be asked.
    Dms(DmsError),
    /// Our own store failed.
    Store(StoreError),
    /// The workspace is there, a folder in it is not.
    NoFolder(DmsError),
}

impl Lost {
    fn not_found(detail: String) -> Self {
        Self::Dms(DmsError::NotFound(Trouble::new(Cause::TargetNotFound, detail)))
    }
}

impl From<DmsError> for Lost {
    fn from(error: DmsError) -> Self {
        Self::Dms(error)
    }
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Several matches are enough to know that it is more than one.
const ENOUGH: usize = 5;
/// A container with more pages of folders than this is not listed to its end.
const MOST_PAGES: usize = 1_000;

/// Finds containers of one destination.
pub(crate) struct Resolver {
    dms: Arc<dyn Dms>,
    store: Arc<dyn Store>,
    workspaces: SingleFlight<WorkspaceKey, String, Lost>,
    folders: SingleFlight<FolderKey, String, Lost>,
}

impl Resolver {
    pub(crate) fn new(dms: Arc<dyn Dms>, store: Arc<dyn Store>, options: &EngineOptions) -> Self {
        let (memory, most) = (options.target_memory, options.targets_remembered);
        Self {
            dms,
            store,
            workspaces: SingleFlight::new(memory, most),
            folders: SingleFlight::new(memory, most),
        }
    }

    /// Where a filing's document goes. Folders are only created when `create` says so and the target allows it.
    pub(crate) async fn place(
        &self,
        actor: &Actor,
        filing: &Filing,
        create: bool,
        now: Timestamp,
    ) -> Result<Place, Lost> {
        let target = &filing.request.target;
        let key = workspace_key(actor, filing);
        let (workspace, kept) = self.workspaces.get(&key, self.workspace(actor, filing, &key, now)).await;
        let workspace = workspace?;
        if target.folder.is_empty() {
            if !self.dms.capabilities().files_in_workspace {
                let detail = format!(
                    "the target {} names no folder, and this DMS files only into folders",
                    target.in_words()
                );
                return Err(DmsError::Unsupported(Trouble::new(Cause::Unsupported, detail)).into());
            }
            return Ok(Place { container: workspace, remembered: kept });
        }
        let key = folder_key(actor, target, &workspace, create);
        let (folder, kept_folder) =
            self.folders.get(&key, self.folder(actor, target, &workspace, create)).await;
        Ok(Place { container: folder?, remembered: kept || kept_folder })
    }

    /// The workspace that a filing goes to. Nothing is created.
    pub(crate) async fn workspace_of(
        &self,
        actor: &Actor,
        filing: &Filing,
        now: Timestamp,
    ) -> Result<String, Lost> {
        let key = workspace_key(actor, filing);
        self.workspaces.get(&key, self.workspace(actor, filing, &key, now)).await.0
    }

    /// Forgets what is remembered of a filing's place: the DMS said that it is not there, or not ours.
    pub(crate) async fn forget(&self, actor: &Actor, filing: &Filing, now: Timestamp) {
        let key = workspace_key(actor, filing);
        // Which workspace it was is part of the folder's key; asking for it does not ask the DMS again while it is kept.
        let (workspace, _) = self.workspaces.get(&key, self.workspace(actor, filing, &key, now)).await;
        if let Ok(workspace) = workspace {
            for create in [true, false] {
                self.folders.forget(&folder_key(actor, &filing.request.target, &workspace, create));
            }
        }
        self.workspaces.forget(&key);
    }

    async fn workspace(
        &self,
        actor: &Actor,
        filing: &Filing,
        key: &WorkspaceKey,
        now: Timestamp,
    ) -> Result<String, Lost> {
        let target = &filing.request.target;
        if let Some((work_item, repository)) = &key.bound
            && let Some(binding) = self.store.binding(*work_item, repository).await?
        {
            match (self.dms.container(actor, &target.library, &binding.workspace).await, &binding.chosen_by) {
                (Ok(container), _) => return open(container).map_err(Lost::Dms),
                // A person's choice is not replaced by a search: the search was why they had to choose.
                (Err(DmsError::NotFound(trouble)), Some(person)) => {
                    let detail = format!(
                        "the workspace {} that {person} chose is not there any more: {}",
                        binding.workspace, trouble.detail
                    );
                    return Err(DmsError::NotFound(Trouble { detail, ..trouble }).into());
                }
                (Err(DmsError::NotFound(_)), None) => {
                    tracing::info!(
                        service = %target.service, dms.workspace = %binding.workspace, work_item = %work_item,
                        "The remembered workspace is not there any more; it is searched again"
                    );
                    self.store.bind(*work_item, repository, None).await?;
                }
                (Err(error), _) => return Err(error.into()),
            }
        }
        if let WorkspaceQuery::Pinned(id) = &target.workspace {
            return open(self.dms.container(actor, &target.library, id).await?).map_err(Lost::Dms);
        }
        let mut found = self.dms.find_workspaces(actor, &target.library, &target.workspace, ENOUGH).await?;
        if found.len() > 1 && target.when_ambiguous == WhenAmbiguous::Ask {
            let names: Vec<String> = found.iter().map(|c| format!("{} ({})", c.name, c.id)).collect();
            let detail =
                format!("several workspaces match {}: {}", workspace_in_words(target), names.join(", "));
            return Err(DmsError::NotFound(Trouble::new(Cause::TargetAmbiguous, detail)).into());
        }
        if found.is_empty() {
            return Err(Lost::not_found(format!("no workspace matches {}", workspace_in_words(target))));
        }
        let workspace = open(found.swap_remove(0)).map_err(Lost::Dms)?;
        if let Some((work_item, repository)) = &key.bound {
            let binding = Binding {
                work_item: *work_item,
                repository: repository.clone(),
                workspace: workspace.clone(),
                chosen_by: None,
                at: now,
            };
            self.store.bind(*work_item, repository, Some(binding)).await?;
        }
        Ok(workspace)
    }

    async fn folder(
        &self,
        actor: &Actor,
        target: &Target,
        workspace: &str,
        create: bool,
    ) -> Result<String, Lost> {
        let mut parent = workspace.to_owned();
        for (depth, name) in target.folder.iter().enumerate() {
            let path = || target.folder[..=depth].join(" / ");
            if let Some(found) = self.child(actor, target, &parent, name).await? {
                parent = found;
                continue;
            }
            let may_create = target.create_folders && self.dms.capabilities().create_folders;
            if !(create && may_create) {
                let allowed = if may_create { "" } else { ", and folders are not created for this target" };
                let detail = format!("no folder \"{}\" in the workspace {workspace}{allowed}", path());
                return Err(Lost::NoFolder(DmsError::NotFound(Trouble::new(Cause::TargetNotFound, detail))));
            }
            parent = match self.dms.create_folder(actor, &target.library, &parent, name).await {
                Ok(created) => created.id,
                // Somebody was quicker: theirs is the folder.
                Err(DmsError::Conflict { trouble, .. }) => {
                    let found = self.child(actor, target, &parent, name).await?;
                    found.ok_or_else(|| {
                        let detail = format!(
                            "the DMS says that the folder \"{}\" is there, but does not list it: {}",
                            path(),
                            trouble.detail
                        );
                        Lost::not_found(detail)
                    })?
                }
                Err(error) => return Err(error.into()),
            };
        }
        Ok(parent)
    }

    /// The folder by that name directly in a container: exactly that name, or the only one that differs just in case.
    async fn child(
        &self,
        actor: &Actor,
        target: &Target,
        parent: &str,
        name: &str,
    ) -> DmsResult<Option<String>> {
        let lower = name.to_lowercase();
        let (mut exact, mut similar) = (Vec::new(), Vec::new());
        let mut page = None;
        for _ in 0..MOST_PAGES {
            let listing = self.dms.folders(actor, &target.library, parent, page.as_deref()).await?;
            for folder in listing.items {
                if folder.name == name {
                    exact.push(folder);
                } else if folder.name.to_lowercase() == lower {
                    similar.push(folder);
                }
            }
            page = listing.next;
            if page.is_none() {
                break;
            }
        }
        let mut found = if exact.is_empty() { similar } else { exact };
        if found.len() > 1 {
            let ids: Vec<&str> = found.iter().take(ENOUGH).map(|folder| folder.id.as_str()).collect();
            let detail = format!("several folders are called \"{name}\": {}", ids.join(", "));
            return Err(DmsError::NotFound(Trouble::new(Cause::TargetAmbiguous, detail)));
        }
        found.pop().map(open).transpose()
    }
}

fn workspace_key(actor: &Actor, filing: &Filing) -> WorkspaceKey {
    let target = &filing.request.target;
    WorkspaceKey {
        account: account(actor),
        library: target.library.clone(),
        query: target.workspace.clone(),
        first_match: target.when_ambiguous == WhenAmbiguous::FirstMatch,
        bound: filing.request.work_item.zip(target.repository.clone()),
    }
}

fn folder_key(actor: &Actor, target: &Target, workspace: &str, create: bool) -> FolderKey {
    FolderKey {
        account: account(actor),
        library: target.library.clone(),
        workspace: workspace.to_owned(),
        path: target.folder.clone(),
        create: create && target.create_folders,
    }
}

fn workspace_in_words(target: &Target) -> String {
    Target { folder: Vec::new(), ..target.clone() }.in_words()
}

fn open(container: Container) -> DmsResult<String> {
    if container.open {
        return Ok(container.id);
    }
    let detail = format!("{} ({}) is closed to new documents", container.name, container.id);
    Err(DmsError::NotFound(Trouble::new(Cause::TargetClosed, detail)))
}
