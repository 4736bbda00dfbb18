//! Workspaces: the folders directly below the root, with what `.postroom/workspace.json` says about them.
//!
//! The file is one flat object. `closed` (true or false) tells whether the workspace still takes documents; every other
//! key is a field by which repositories can find the workspace. No file means an open workspace without fields.

use std::collections::BTreeMap;
use std::io;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{Container, ContainerKind, DmsError, DmsResult, Trouble};
use postroom_domain::target::WorkspaceQuery;
use serde_json::Value;

use super::dir::{Dir, Kind};
use super::{fault, ids, sidecar};

/// The name of the file.
const FILE: &str = "workspace.json";

/// Whether a workspace is open, and its fields.
fn profile(workspace: &Dir) -> io::Result<(bool, BTreeMap<String, String>)> {
    let home = match workspace.sub(ids::HIDDEN) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((true, BTreeMap::new())),
        other => other?,
    };
    let values: BTreeMap<String, Value> = sidecar::load(&home, FILE)?.unwrap_or_default();
    let (mut open, mut fields) = (true, BTreeMap::new());
    for (key, value) in values {
        match value {
            Value::Bool(closed) if key == "closed" => open = !closed,
            Value::String(text) => drop(fields.insert(key, text)),
            Value::Bool(_) | Value::Number(_) => drop(fields.insert(key, value.to_string())),
            _ => {
                let text = format!("{FILE}: \"{key}\" is neither text, number nor true or false");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
    }
    Ok((open, fields))
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
    let (open, fields) = profile(&workspace_dir).map_err(|e| unreadable(workspace, &e))?;
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
        fields: if is_workspace { fields } else { BTreeMap::new() },
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
