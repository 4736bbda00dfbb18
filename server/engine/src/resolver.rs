//! From a target to the container that takes the document: workspace by remembered id or exact search, then folder by folder.
//!
//! A place is never guessed: no match, or more than one, is an error that names what was looked for. What was found is kept
//! for a minute, one search serves all workers that wait for it, and whoever finds a kept answer wrong has it looked up again.

use std::sync::Arc;

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, ContainerKind, Dms, DmsError, DmsResult, Trouble};
use postroom_domain::event::{Happening, NewEvent, Subject};
use postroom_domain::filing::Filing;
use postroom_domain::ids::{RepositoryName, WorkItemId};
use postroom_domain::person::Actor;
use postroom_domain::resolve::{
    self, Bound, Chosen, FolderLook, Look, LookAt, Looked, Match, Remembered, Stop,
};
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
    creates: bool,
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

/// The workspace, or the folder that a work item was started from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Workspace {
    id: String,
    /// Some DMSs take documents in folders only.
    is_workspace: bool,
}

impl Workspace {
    /// What a search found is a workspace, whatever the connector says of it.
    fn of(container: &Container, searched: bool) -> Self {
        Self { id: container.id.clone(), is_workspace: searched || container.kind != ContainerKind::Folder }
    }
}

/// How a workspace was looked for, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) binding: Option<Binding>,
    /// The remembered workspace that does not hold any more.
    pub(crate) stale: Option<String>,
    /// The DMS was asked by title or fields.
    pub(crate) searched: bool,
    pub(crate) found: Option<Vec<Match>>,
    pub(crate) would_create: bool,
    pub(crate) workspace: Result<Container, Stop>,
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
    workspaces: SingleFlight<WorkspaceKey, Workspace, Lost>,
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
        let key = workspace_key(actor, filing, create);
        let (workspace, kept) = self.workspaces.get(&key, self.workspace(actor, filing, &key, now)).await;
        let Workspace { id: workspace, is_workspace } = workspace?;
        if target.folder.is_empty() {
            if is_workspace && !self.dms.capabilities().files_in_workspace {
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
        let key = workspace_key(actor, filing, false);
        self.workspaces
            .get(&key, self.workspace(actor, filing, &key, now))
            .await
            .0
            .map(|workspace| workspace.id)
    }

    /// Forgets what is remembered of a filing's place: the DMS said that it is not there, or not ours.
    pub(crate) async fn forget(&self, actor: &Actor, filing: &Filing, now: Timestamp) {
        let key = workspace_key(actor, filing, true);
        // Which workspace it was is part of the folder's key; asking for it does not ask the DMS again while it is kept.
        let (workspace, _) = self.workspaces.get(&key, self.workspace(actor, filing, &key, now)).await;
        if let Ok(workspace) = workspace {
            for create in [true, false] {
                self.folders.forget(&folder_key(actor, &filing.request.target, &workspace.id, create));
            }
        }
        for create in [true, false] {
            self.workspaces.forget(&workspace_key(actor, filing, create));
        }
    }

    async fn workspace(
        &self,
        actor: &Actor,
        filing: &Filing,
        key: &WorkspaceKey,
        now: Timestamp,
    ) -> Result<Workspace, Lost> {
        let target = &filing.request.target;
        let mut trace = Vec::new();
        let found = self.find(actor, target, key.bound.as_ref(), key.creates, &mut trace).await;
        tracing::debug!(filing.id = %filing.id, service = %target.service, ?trace, "A workspace was looked for");
        let found = found?;
        let workspace = found.workspace.map_err(|stop| Lost::Dms(stop.into()))?;
        if let (Some((work_item, repository)), true) = (&key.bound, found.searched) {
            let told =
                found.stale.as_ref().map(|stale| rebound(actor, filing, *work_item, stale, &workspace, now));
            let binding = Binding {
                work_item: *work_item,
                repository: repository.clone(),
                workspace: workspace.id.clone(),
                chosen_by: None,
                at: now,
            };
            self.store.bind(*work_item, repository, Some(binding), told).await?;
        }
        Ok(Workspace::of(&workspace, found.searched))
    }

    /// The workspace of a target: the remembered one where it holds, else the one that a search finds, else, with `create`, a new one.
    pub(crate) async fn find(
        &self,
        actor: &Actor,
        target: &Target,
        bound: Option<&(WorkItemId, RepositoryName)>,
        create: bool,
        trace: &mut Vec<String>,
    ) -> Result<Search, Lost> {
        let binding = match bound {
            Some((work_item, repository)) => self.store.binding(*work_item, repository).await?,
            None => None,
        };
        let looked = match &binding {
            None => None,
            Some(binding) => {
                Some(match self.dms.container(actor, &target.library, &binding.workspace).await {
                    Ok(container) => Looked::There(container),
                    // Not there, or hidden from this account: the same, as far as filing goes.
                    Err(DmsError::NotFound(trouble) | DmsError::Forbidden(trouble)) => {
                        Looked::Gone(trouble.detail)
                    }
                    Err(error) => return Err(error.into()),
                })
            }
        };
        let search = |workspace| Search {
            binding: binding.clone(),
            stale: None,
            searched: false,
            found: None,
            would_create: false,
            workspace,
        };
        let stale = match resolve::by_binding(binding.as_ref(), looked, trace) {
            Bound::Use(container) => return Ok(search(Ok(container))),
            Bound::Stop(stop) => return Ok(search(Err(stop))),
            Bound::Search { stale } => stale,
        };
        if let WorkspaceQuery::Pinned(id) = &target.workspace {
            let container = self.dms.container(actor, &target.library, id).await?;
            trace.push(format!("the place with the id {id} is {}", container.name));
            return Ok(search(resolve::usable(container)));
        }
        let found = self.dms.find_workspaces(actor, &target.library, &target.workspace, ENOUGH).await?;
        let matches = found.iter().map(|container| Match::of(&target.workspace, container)).collect();
        let creates = self.dms.capabilities().create_workspaces;
        let chosen = resolve::by_search(target, found, stale.as_deref(), creates, trace);
        let would_create = chosen == Chosen::Create;
        let workspace = match chosen {
            Chosen::Use(container) => Ok(container),
            Chosen::Stop(stop) => Err(stop),
            Chosen::Create => match &target.workspace {
                WorkspaceQuery::Fields(fields) if create => {
                    let made = self.dms.create_workspace(actor, &target.library, fields).await?;
                    tracing::info!(service = %target.service, dms.workspace = %made.id, "A workspace was made");
                    resolve::usable(made)
                }
                _ => {
                    let words = resolve::in_words(target);
                    let detail =
                        format!("no workspace matches {words} yet; it is made when a document is filed");
                    Err(Stop { cause: Cause::TargetNotFound, detail })
                }
            },
        };
        Ok(Search { binding, stale, searched: true, found: Some(matches), would_create, workspace })
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
        Ok(found.pop().map(resolve::usable).transpose()?.map(|folder| folder.id))
    }

    /// Looks at a place: what filing there would do, without making or remembering anything.
    pub(crate) async fn look(&self, actor: &Actor, at: &LookAt) -> Look {
        let target = &at.target;
        let mut look = Look { account: Some(account(actor)), ..Look::default() };
        let bound = at.work_item.zip(target.repository.clone());
        let search = match self.find(actor, target, bound.as_ref(), false, &mut look.trace).await {
            Ok(search) => search,
            Err(lost) => return look.lost(lost),
        };
        look.remembered = search.binding.as_ref().map(|binding| Remembered {
            workspace: binding.workspace.clone(),
            chosen_by: binding.chosen_by.clone(),
            holds: search.workspace.as_ref().is_ok_and(|found| found.id == binding.workspace),
        });
        look.found = search.found;
        look.would_create = search.would_create;
        let workspace = match search.workspace {
            Ok(container) => Some(container),
            Err(_) if search.would_create => None,
            Err(stop) => return look.lost(Lost::Dms(stop.into())),
        };
        look.workspace = workspace.as_ref().map(|found| Match::of(&target.workspace, found));
        if let Err(lost) = self.look_at_folders(actor, target, workspace.as_ref(), &mut look).await {
            return look.lost(lost);
        }
        look
    }

    async fn look_at_folders(
        &self,
        actor: &Actor,
        target: &Target,
        workspace: Option<&Container>,
        look: &mut Look,
    ) -> Result<(), Lost> {
        let capabilities = self.dms.capabilities();
        let searched = look.found.is_some();
        let bare = workspace.is_none_or(|found| Workspace::of(found, searched).is_workspace);
        if target.folder.is_empty() && bare && !capabilities.files_in_workspace {
            let detail = format!(
                "the target {} names no folder, and this DMS files only into folders",
                target.in_words()
            );
            return Err(DmsError::Unsupported(Trouble::new(Cause::Unsupported, detail)).into());
        }
        let mut parent = workspace.map(|found| found.id.clone());
        for name in &target.folder {
            let id = match &parent {
                Some(parent) => self.child(actor, target, parent, name).await?,
                None => None,
            };
            let would_create = id.is_none();
            look.trace.push(match &id {
                Some(id) => format!("the folder \"{name}\" is {id}"),
                None => format!("there is no folder \"{name}\""),
            });
            look.folders.push(FolderLook { name: name.clone(), id: id.clone(), would_create });
            if would_create && !(target.create_folders && capabilities.create_folders) {
                let detail = format!("no folder \"{name}\", and folders are not created for this target");
                return Err(Lost::NoFolder(DmsError::NotFound(Trouble::new(Cause::TargetNotFound, detail))));
            }
            parent = id;
        }
        Ok(())
    }
}

trait EndsLost {
    fn lost(self, lost: Lost) -> Self;
}

impl EndsLost for Look {
    fn lost(mut self, lost: Lost) -> Self {
        let trouble = match lost {
            Lost::Dms(error) | Lost::NoFolder(error) => error.trouble().clone(),
            Lost::Store(error) => Trouble::new(Cause::OwnFault, error.to_string()),
        };
        self.trace.push(trouble.detail.clone());
        self.trouble = Some(trouble);
        self
    }
}

/// What the history keeps when a work item's documents go to another workspace from now on.
fn rebound(
    actor: &Actor,
    filing: &Filing,
    work_item: WorkItemId,
    stale: &str,
    found: &Container,
    now: Timestamp,
) -> NewEvent {
    let note = format!(
        "the remembered workspace {stale} is not there any more; {} ({}) answers to every field and is used from now on",
        found.name, found.id
    );
    tracing::warn!(service = %filing.request.target.service, work_item = %work_item, "{note}");
    NewEvent {
        at: now,
        site: Some(filing.site.clone()),
        subject: Subject::WorkItem(work_item),
        happening: Happening::Alert,
        actor: actor.clone(),
        note,
    }
}

/// With `create`, a workspace that is not there is made, where the target wants that.
fn workspace_key(actor: &Actor, filing: &Filing, create: bool) -> WorkspaceKey {
    let target = &filing.request.target;
    WorkspaceKey {
        account: account(actor),
        library: target.library.clone(),
        query: target.workspace.clone(),
        first_match: target.when_ambiguous == WhenAmbiguous::FirstMatch,
        creates: create && target.create_workspace,
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
