//! Containers by id, what is in them, and new folders.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, ContainerKind, DmsError, DmsResult, Document, Page};
use postroom_outbound::Method;

use super::seat::{Body, Seat};
use super::settings::Listing;
use super::wire::{self, Item, entries};
use super::{errors, ids};

/// What an id of a container stands for; the id itself does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Workspace,
    Folder,
    /// A filter: shows documents of its workspace, and gives its attributes to what is put in.
    Filter,
    /// A saved search or another thing that holds no documents.
    Search,
}

impl Kind {
    /// By the extension that containers have; `None` for documents.
    pub(super) fn of(extension: &str) -> Option<Self> {
        match extension.to_lowercase().as_str() {
            "ndws" => Some(Self::Workspace),
            "ndfld" => Some(Self::Folder),
            "ndflt" => Some(Self::Filter),
            "ndsq" | "ndcs" | "nddis" => Some(Self::Search),
            _ => None,
        }
    }
}

/// Remembers kinds, so that one call is enough for a container seen before. Forgetting costs a call, no more.
#[derive(Default)]
pub(super) struct Kinds(Mutex<HashMap<String, Kind>>);

/// So many are remembered before all are forgotten.
const MOST_KINDS: usize = 50_000;
/// As clients state it; a longer one is refused by NetDocuments in any case.
const LONGEST_FOLDER_NAME: usize = 254;

impl Kinds {
    pub(super) fn of(&self, id: &str) -> Option<Kind> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    fn learn(&self, id: &str, kind: Kind) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.len() >= MOST_KINDS {
            kinds.clear();
        }
        kinds.insert(id.to_owned(), kind);
    }
}

impl Seat {
    /// What an answer tells of a container. Whether it is closed is asked for by [`Seat::with_state`].
    pub(super) fn container_of(&self, item: &Item, fallback: Kind) -> Option<Container> {
        let standard = item.standard();
        let id = standard.id()?;
        let kind = standard.any(&["extension", "type"]).map_or(Some(fallback), |it| Kind::of(&it))?;
        self.kinds.learn(&id, kind);
        let mut fields = self.fields(&item.custom().unwrap_or_default());
        if let Some(cabinet) = item.inner("location").text("cabinet") {
            fields.insert("cabinet".to_owned(), cabinet);
        }
        let archived = item.inner("misc").flag("archived").unwrap_or(false);
        Some(Container {
            name: standard.text("name").unwrap_or_default(),
            open: !archived && kind != Kind::Search,
            kind: match kind {
                Kind::Workspace => ContainerKind::Workspace,
                Kind::Folder => ContainerKind::Folder,
                Kind::Filter | Kind::Search => ContainerKind::Search,
            },
            parent: None,
            workspace: (kind == Kind::Workspace).then(|| id.clone()),
            id,
            fields,
        })
    }

    /// The info of a container, with its kind. Of a kind that is not known yet, both paths are tried.
    pub(super) async fn info_of(&self, id: &str) -> DmsResult<(Kind, Item)> {
        ids::checked(id, "folder or workspace")?;
        let paths = match self.kinds.of(id) {
            Some(Kind::Workspace) => ["Workspace", "Folder"],
            _ => ["Folder", "Workspace"],
        };
        let mut refused = None;
        for path in paths {
            let url = self.url(&["v1", path, id, "info"], &[])?;
            let reply = self.ask("container", Method::GET, url, Body::None).await?;
            if reply.is_success() {
                let item = Item::of(wire::value(&reply)?).unwrap_or_default();
                let fallback = if path == "Workspace" { Kind::Workspace } else { Kind::Folder };
                let extension = item.standard().text("extension");
                let kind = extension.map_or(Some(fallback), |it| Kind::of(&it));
                let Some(kind) = kind.filter(|_| item.inner("misc").flag("deleted") != Some(true)) else {
                    let text = format!("{id} is no container, or is deleted");
                    return Err(errors::trouble(Cause::TargetNotFound, text));
                };
                self.kinds.learn(id, kind);
                return Ok((kind, item));
            }
            let error =
                errors::shape(&reply, &format!("reading {id} (absent, or not visible)"), &self.settings);
            match error {
                // What the path of another kind answers is not documented.
                DmsError::NotFound(_) | DmsError::Rejected { .. } => refused = Some(error),
                other => return Err(other),
            }
        }
        Err(match refused {
            Some(DmsError::Rejected { trouble, .. }) => {
                errors::trouble(Cause::TargetNotFound, trouble.detail)
            }
            Some(error) => error,
            None => errors::trouble(Cause::TargetNotFound, format!("{id} is not there")),
        })
    }

    /// A container by its id.
    pub(super) async fn by_id(&self, library: &str, id: &str) -> DmsResult<Container> {
        let (kind, item) = self.info_of(id).await?;
        let found = self.container_of(&item, kind);
        let mut found =
            found.ok_or_else(|| errors::trouble(Cause::AnswerLost, format!("{id} has no id in its info")))?;
        id.clone_into(&mut found.id);
        if kind == Kind::Workspace {
            found.workspace = Some(found.id.clone());
        } else {
            (found.parent, found.workspace) = self.above(id).await;
        }
        let mut found = self.with_state(library, found).await?;
        // Keys that are closed stand at the workspace; a folder need not have them.
        if found.open
            && let Some(workspace) = found.workspace.clone().filter(|workspace| *workspace != found.id)
            && let Ok(above) = Box::pin(self.by_id(library, &workspace)).await
        {
            found.open = above.open;
        }
        Ok(found)
    }

    /// The container right above a folder, and the workspace that it belongs to. They only help; what keeps them from being told is no
    /// failure.
    async fn above(&self, id: &str) -> (Option<String>, Option<String>) {
        let Ok(url) = self.url(&["v1", "Folder", id, "ancestry"], &[]) else { return (None, None) };
        let Ok(reply) = self.ask("ancestry", Method::GET, url, Body::None).await else { return (None, None) };
        if !reply.is_success() {
            return (None, None);
        }
        let Ok(answer) = wire::value(&reply) else { return (None, None) };
        let mut above: Vec<Container> =
            entries(answer).iter().filter_map(|item| self.container_of(item, Kind::Folder)).collect();
        // Which end comes first is not documented; the workspace is the uppermost.
        if above.first().is_some_and(|it| it.kind == ContainerKind::Workspace) {
            above.reverse();
        }
        let workspace = above.iter().find(|it| it.kind == ContainerKind::Workspace).map(|it| it.id.clone());
        (above.into_iter().next().map(|it| it.id), workspace)
    }

    /// The folders directly in a container, page by page. Filters and saved searches are left out.
    pub(super) async fn children(&self, id: &str, page: Option<&str>) -> DmsResult<Page<Container>> {
        let (items, next) = self.listed(id, page).await?;
        let mut folders = Vec::new();
        for item in items {
            if item.standard().text("name").is_none() && is_kind(&item, Kind::Folder) {
                // A listing of ids only: each has to be read.
                if let Some(id) = item.id() {
                    folders.extend(self.container_of(&self.info_of(&id).await?.1, Kind::Folder));
                }
                continue;
            }
            if is_kind(&item, Kind::Folder) {
                folders.extend(self.container_of(&item, Kind::Folder));
            }
        }
        let folders = folders.into_iter().filter(|it| it.kind == ContainerKind::Folder);
        Ok(Page { items: folders.map(|it| Container { parent: Some(id.to_owned()), ..it }).collect(), next })
    }

    /// The documents directly in a container, page by page.
    pub(super) async fn documents_in(&self, id: &str, page: Option<&str>) -> DmsResult<Page<Document>> {
        let (items, next) = self.listed(id, page).await?;
        let mut documents = Vec::new();
        for item in items.into_iter().filter(is_document) {
            let Some(document) = item.standard().id() else { continue };
            let item = if item.standard().text("name").is_none() {
                match self.document_info(&document).await? {
                    Some(info) => info,
                    None => continue,
                }
            } else {
                item
            };
            documents.push(Document { container: Some(id.to_owned()), ..self.document_of(&item) });
        }
        Ok(Page { items: documents, next })
    }

    /// One page of what a container holds, and how to ask for the next one.
    pub(super) async fn listed(
        &self,
        id: &str,
        page: Option<&str>,
    ) -> DmsResult<(Vec<Item>, Option<String>)> {
        ids::checked(id, "folder or workspace")?;
        let url = match self.settings.listing {
            Listing::V1 => {
                let kind = match self.kinds.of(id) {
                    Some(kind) => kind,
                    None => self.info_of(id).await?.0,
                };
                let path = if kind == Kind::Workspace { "Workspace" } else { "Folder" };
                self.page_url(&["v1", path, id], &[("$select", "standardAttributes")], page)?
            }
            Listing::V2 => {
                let top = self.settings.page.to_string();
                let query = [("select", "standardAttributes"), ("top", top.as_str())];
                self.page_url(&["v2", "container", id], &query, page)?
            }
        };
        let value = self.value("contents", url, &format!("listing {id}")).await?;
        let next = wire::next(&value);
        if next.is_some() && next.as_deref() == page {
            return Ok((entries(value), None));
        }
        Ok((entries(value), next))
    }

    /// Creates a folder in a workspace or folder.
    pub(super) async fn make_folder(&self, parent: &str, name: &str) -> DmsResult<Container> {
        ids::checked(parent, "folder or workspace")?;
        if name.trim().is_empty()
            || name.chars().count() > LONGEST_FOLDER_NAME
            || name.contains(char::is_control)
        {
            let text = format!(
                "{name:?} cannot be the name of a folder: it is empty, too long or holds control characters"
            );
            return Err(errors::rejected("folder", text));
        }
        let url = self.url(&["v1", "Folder"], &[])?;
        let form = [("name", name), ("parent", parent)];
        let reply = self.ask("create_folder", Method::POST, url, Body::Form(&form)).await?;
        if !reply.is_success() {
            let error =
                errors::shape(&reply, &format!("creating folder {name:?} in {parent}"), &self.settings);
            return Err(match error {
                DmsError::Rejected { message, trouble, .. } => {
                    DmsError::Rejected { field: Some("folder".to_owned()), message, trouble }
                }
                other => other,
            });
        }
        let item = Item::of(wire::value(&reply)?).unwrap_or_default();
        let found = self.container_of(&item, Kind::Folder);
        let mut found = found.ok_or_else(|| DmsError::from(reply.unreadable("the new folder has no id")))?;
        if found.name.is_empty() {
            name.clone_into(&mut found.name);
        }
        found.parent = Some(parent.to_owned());
        Ok(found)
    }
}

fn kind_of(item: &Item) -> Option<Kind> {
    item.standard().any(&["extension", "type"]).and_then(|it| Kind::of(&it))
}

fn is_kind(item: &Item, kind: Kind) -> bool {
    kind_of(item) == Some(kind)
}

pub(super) fn is_document(item: &Item) -> bool {
    kind_of(item).is_none()
}
