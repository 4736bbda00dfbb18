//! Workspaces: the folders directly below the root, with what [`Profile`] says about them.

use std::io;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, ContainerKind, DmsError, DmsResult, Page, Trouble};
use postroom_domain::target::WorkspaceQuery;

use super::dir::{Dir, Kind};
use super::{fault, ids, sidecar};
use crate::share::profile::{FILE, Profile};

/// Whether a workspace is open, and its fields.
fn profile(workspace: &Dir) -> io::Result<Profile> {
    let home = match workspace.sub(ids::HIDDEN) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Profile::default()),
        other => other?,
    };
    let values = sidecar::load(&home, FILE)?.unwrap_or_default();
    Profile::read(values).map_err(|text| io::Error::new(io::ErrorKind::InvalidData, text))
}

/// A workspace whose profile cannot be read is never guessed about.
fn unreadable(name: &str, error: &io::Error) -> DmsError {
    if error.kind() == io::ErrorKind::InvalidData {
        let detail = format!("the profile of workspace {name:?} cannot be read: {error}");
        return DmsError::from_trouble(Trouble::new(Cause::Rejected, detail));
    }
    fault::error(&format!("reading the profile of workspace {name:?}"), error)
}

/// A container by its names; blocks.
pub(super) fn container(root: &Dir, names: &[&str]) -> DmsResult<Container> {
    let id = names.join("/");
    let here = |e: &io::Error| match e.kind() {
        io::ErrorKind::NotFound => fault::missing(&format!("{id:?}")),
        _ => fault::error(&format!("opening {id:?}"), e),
    };
    let Some((workspace, below)) = names.split_first() else {
        return Err(fault::missing("a container without a name"));
    };
    let workspace_dir = root.sub(workspace).map_err(|e| here(&e))?;
    let Profile { open, fields } = profile(&workspace_dir).map_err(|e| unreadable(workspace, &e))?;
    let mut dir = workspace_dir;
    for name in below {
        dir = dir.sub(name).map_err(|e| here(&e))?;
    }
    let name = names[names.len() - 1].to_owned();
    let is_workspace = below.is_empty();
    Ok(Container {
        id,
        name,
        open,
        kind: if is_workspace { ContainerKind::Workspace } else { ContainerKind::Folder },
        parent: (!is_workspace).then(|| names[..names.len() - 1].join("/")),
        workspace: Some((*workspace).to_owned()),
        fields: if is_workspace { fields } else { std::collections::BTreeMap::new() },
    })
}

/// Workspaces that match exactly; blocks.
pub(super) fn find(root: &Dir, query: &WorkspaceQuery, limit: usize) -> DmsResult<Vec<Container>> {
    let by_name = |name: &str| match container(root, &[name]) {
        Err(DmsError::NotFound(_)) => Ok(Vec::new()),
        other => other.map(|found| vec![found]),
    };
    match query {
        WorkspaceQuery::Title(name) | WorkspaceQuery::Pinned(name) if ids::is_plain(name) => by_name(name),
        // A title with a slash cannot be a folder's name here, so nothing has it.
        WorkspaceQuery::Title(_) | WorkspaceQuery::Pinned(_) => Ok(Vec::new()),
        WorkspaceQuery::Fields(wanted) if wanted.is_empty() => Ok(Vec::new()),
        WorkspaceQuery::Fields(wanted) => {
            let mut found = Vec::new();
            for name in folders(root).map_err(|e| fault::error("listing the root", &e))? {
                if found.len() == limit {
                    break;
                }
                match container(root, &[&name]) {
                    Ok(workspace) if wanted.iter().all(|(k, v)| workspace.fields.get(k) == Some(v)) => {
                        found.push(workspace);
                    }
                    Ok(_) | Err(DmsError::NotFound(_)) => {}
                    Err(e) => return Err(e),
                }
            }
            Ok(found)
        }
    }
}

/// Workspaces of which the name or a field holds every word, page by page; blocks.
pub(super) fn search(root: &Dir, text: &str, after: Option<&str>, size: usize) -> DmsResult<Page<Container>> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let holds = |workspace: &Container| {
        let all: Vec<&str> =
            std::iter::once(&workspace.name).chain(workspace.fields.values()).map(String::as_str).collect();
        let all = all.join("\n").to_lowercase();
        words.iter().all(|word| all.contains(word))
    };
    let (mut items, mut next) = (Vec::<Container>::new(), None);
    for name in folders(root).map_err(|e| fault::error("listing the root", &e))? {
        if after.is_some_and(|after| name.as_str() <= after) {
            continue;
        }
        match container(root, &[&name]) {
            Ok(workspace) if holds(&workspace) => {
                if items.len() == size {
                    next = items.last().map(|last| last.name.clone());
                    break;
                }
                items.push(workspace);
            }
            Ok(_) | Err(DmsError::NotFound(_)) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(Page { items, next })
}

/// The visible folders in a folder, sorted; blocks.
pub(super) fn folders(dir: &Dir) -> io::Result<Vec<String>> {
    let mut names = dir.names()?;
    names.retain(|name| ids::is_plain(name));
    let mut folders = Vec::with_capacity(names.len());
    for name in names {
        if dir.kind(&name)? == Some(Kind::Folder) {
            folders.push(name);
        }
    }
    Ok(folders)
}
