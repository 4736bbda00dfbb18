//! Containers by id, folders in them, and new folders.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use postroom_domain::dms::{Container, ContainerKind, DmsError, DmsResult, Page};
use postroom_outbound::Method;
use serde_json::{Value, json};

use super::wire::{Envelope, Item};
use super::{Seat, errors, ids};

/// What an id of a container stands for; the id itself does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Workspace,
    Tab,
    Folder,
    /// A saved search, which holds no documents of its own.
    Search,
}

/// Remembers kinds, so that one call is enough for a container seen before. Forgetting costs a call, no more.
#[derive(Default)]
pub(super) struct Kinds(Mutex<HashMap<String, Kind>>);

/// So many are remembered before all are forgotten.
const MOST_KINDS: usize = 50_000;
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

/// The next offset of a listing, or `None` at its end. A short page does not prove the end: servers cap pages as they like.
pub(super) fn next_offset(offset: u64, on_page: usize, total: Option<u64>) -> Option<u64> {
    let next = offset + on_page as u64;
    (on_page > 0 && total.is_none_or(|total| next < total)).then_some(next)
}

/// Where a listing goes on, as an earlier page told it.
pub(super) fn offset_of(page: Option<&str>) -> DmsResult<u64> {
    let Some(page) = page else { return Ok(0) };
    page.parse().map_err(|_| errors::rejected("page", format!("{page:?} is not a page of a listing")))
}

impl Seat {
    pub(super) fn container_of(&self, item: &Item, fallback: Kind) -> Option<Container> {
        let id = item.text("id").filter(|id| ids::container(id).is_ok())?;
        let kind = match item.text("folder_type").as_deref() {
            Some("tab") => Kind::Tab,
            Some("regular") => Kind::Folder,
            Some("search") => Kind::Search,
            _ => fallback,
        };
        self.kinds.learn(&id, kind);
        let sign = &self.settings.closed_field;
        let closed = item.text(&sign.field).is_some_and(|value| value.eq_ignore_ascii_case(&sign.value));
        let wanted = |key: &str| {
            (key.starts_with("custom") && !key.ends_with("_description"))
                || matches!(
                    key,
                    "class" | "subclass" | "owner" | "description" | "workspace_id" | "workspace_name"
                )
        };
        let fields: BTreeMap<_, _> =
            item.fields().filter(|(k, _)| wanted(k)).map(|(k, v)| (k.to_owned(), v)).collect();
        let is_workspace = kind == Kind::Workspace;
        Some(Container {
            kind: match kind {
                Kind::Workspace => ContainerKind::Workspace,
                Kind::Search => ContainerKind::Search,
                Kind::Tab | Kind::Folder => ContainerKind::Folder,
            },
            parent: item.text("parent_id").filter(|_| !is_workspace),
            workspace: if is_workspace { Some(id.clone()) } else { item.text("workspace_id") },
            name: item.text("name").unwrap_or_default(),
            open: !closed && kind != Kind::Search,
            id,
            fields,
        })
    }

    /// A container by its id. Of a kind that is not known yet, the kinds in question are tried in turn.
    pub(super) async fn by_id(&self, id: &str, kinds: &[Kind]) -> DmsResult<Container> {
        let parsed = ids::container(id)?;
        let tenant = self.tenant().await?;
        let mut missing = None;
        for kind in kinds {
            let (kind_path, what) = match kind {
                Kind::Workspace => ("workspaces", "workspace"),
                Kind::Tab | Kind::Folder | Kind::Search => ("folders", "folder"),
            };
            let url = tenant.url(&["libraries", parsed.library, kind_path, id], &[]);
            let reply = self.ask("container", Method::GET, url, None).await?;
            if reply.is_success() {
                let item = reply.json::<Envelope>()?.object();
                let found = item.and_then(|item| self.container_of(&item, *kind));
                return found.ok_or_else(|| reply.unreadable("the container has no id").into());
            }
            let error = errors::shape(
                &reply,
                &format!("reading {what} {id} (absent, or not visible)"),
                &self.settings,
            );
            match error {
                DmsError::NotFound(_) => missing = Some(error),
                other => return Err(other),
            }
        }
        Err(missing.unwrap_or_else(|| errors::rejected("container", format!("{id} is of no known kind"))))
    }

    /// The kind of a container, asked for when it is not remembered.
    pub(super) async fn kind(&self, id: &str) -> DmsResult<Kind> {
        if let Some(kind) = self.kinds.of(id) {
            return Ok(kind);
        }
        self.by_id(id, &[Kind::Folder, Kind::Workspace]).await?;
        Ok(self.kinds.of(id).unwrap_or(Kind::Folder))
    }

    /// One page of the folders directly in a container.
    pub(super) async fn children(&self, container: &str, page: Option<&str>) -> DmsResult<Page<Container>> {
        let parsed = ids::container(container)?;
        let kind_path = if self.kind(container).await? == Kind::Workspace { "workspaces" } else { "folders" };
        let offset = offset_of(page)?;
        let (limit, from) = (self.settings.page.to_string(), offset.to_string());
        let query = [("limit", limit.as_str()), ("offset", &from), ("total", "true")];
        let url = self
            .tenant()
            .await?
            .url(&["libraries", parsed.library, kind_path, container, "children"], &query);
        let reply = self.ask("children", Method::GET, url, None).await?;
        if !reply.is_success() {
            return Err(errors::shape(&reply, &format!("listing folders of {container}"), &self.settings));
        }
        let mut envelope: Envelope = reply.json()?;
        let total = envelope.total();
        let items = envelope.items();
        let next = next_offset(offset, items.len(), total).map(|next| next.to_string());
        let folders = items.iter().filter(|item| item.is_folder());
        // Saved searches look like folders but hold nothing.
        let folders = folders.filter_map(|item| self.container_of(item, Kind::Folder)).filter(|c| c.open);
        Ok(Page { items: folders.collect(), next })
    }

    /// Creates a folder in a workspace, tab or folder.
    pub(super) async fn make_folder(&self, parent: &str, name: &str) -> DmsResult<Container> {
        let parsed = ids::container(parent)?;
        if name.trim().is_empty()
            || name.chars().count() > LONGEST_FOLDER_NAME
            || name.contains(char::is_control)
        {
            let message = format!(
                "{name:?} cannot be the name of a folder: it is empty, too long or holds control characters"
            );
            return Err(errors::rejected("folder", message));
        }
        let path = match self.kind(parent).await? {
            Kind::Workspace => ["libraries", parsed.library, "workspaces", parent, "folders"],
            _ => ["libraries", parsed.library, "folders", parent, "subfolders"],
        };
        let mut body = json!({ "name": name });
        if let Some(security) = &self.settings.default_security {
            body["default_security"] = Value::from(security.as_str());
        }
        let url = self.tenant().await?.url(&path, &[]);
        let reply = self.ask("create_folder", Method::POST, url, Some(&body)).await?;
        if !reply.is_success() {
            return Err(errors::shape(
                &reply,
                &format!("creating folder {name:?} in {parent}"),
                &self.settings,
            ));
        }
        let item = reply.json::<Envelope>()?.object();
        let found = item.and_then(|item| self.container_of(&item, Kind::Folder));
        let mut found = found.ok_or_else(|| DmsError::from(reply.unreadable("the new folder has no id")))?;
        if found.name.is_empty() {
            name.clone_into(&mut found.name);
        }
        Ok(found)
    }
}

/// As iManage's own connector states it.
const LONGEST_FOLDER_NAME: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_end_when_the_count_says_so_or_a_page_is_empty() {
        assert_eq!(next_offset(0, 50, Some(120)), Some(50));
        assert_eq!(next_offset(100, 20, Some(120)), None);
        assert_eq!(next_offset(0, 10, None), Some(10), "a short page does not prove the end");
        assert_eq!(next_offset(10, 0, None), None);
        assert_eq!(next_offset(10, 0, Some(100)), None, "nothing more comes although more was promised");
    }
}
