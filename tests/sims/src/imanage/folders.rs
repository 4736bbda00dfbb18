//! Folders: children, search, creation, renaming, moving.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::doc_search::post_params;
use super::error::{ApiError, Result};
use super::ids;
use super::matching;
use super::model::{Container, Kind};
use super::paging::{Page, Paged};
use super::render::select;
use super::reply::Reply;
use super::workspaces::{text, update_fields};
use crate::common::params::Params;

/// `GET L/workspaces/{id}/children` and `GET L/folders/{id}/children`: folders first, then documents.
pub(super) fn children(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let page = Page::from(call.params, call.switches)?;
    let library = call.library()?;
    let state = call.shared.state();
    let parent = state.container(caller, Some(library), call.route.id())?;
    let shown_before = call.now - i64::from(call.switches.listing_delay_ms);
    let folders = parent.children.iter().filter_map(|n| state.containers.get(n)).map(Child::Folder);
    let docs = parent.docs.iter().filter_map(|at| {
        let doc = &state.docs[*at];
        doc.latest().filter(|v| v.edited <= shown_before).map(|v| Child::Document(doc, v))
    });
    let paged = page.cut(folders.chain(docs), call.switches);
    let listing = paged.map(|child| match child {
        Child::Folder(c) => state.container_json(c, caller, call.switches),
        Child::Document(doc, v) => state.document_json(doc, v, caller, call.switches),
    });
    Ok(listing.listing())
}

enum Child<'a> {
    Folder(&'a Container),
    Document(&'a super::model::Document, &'a super::model::Version),
}

/// `GET L/folders` and `GET /folders`.
pub(super) fn search(call: &Call<'_>) -> Result<Reply> {
    find(call, call.params, None)?.results(call.switches)
}

/// `POST L/folders/search`.
pub(super) fn search_post(call: &Call<'_>) -> Result<Reply> {
    let params = post_params(call);
    find(call, &params, call.body.pointer("/profile_fields/folder"))?.results(call.switches)
}

/// With `container_id` the answer holds the container itself and all folders below it.
fn find(call: &Call<'_>, params: &Params, fields: Option<&Value>) -> Result<Paged<Value>> {
    let caller = call.caller()?;
    let page = Page::from(params, call.switches)?;
    let libraries = call.libraries(params)?;
    let state = call.shared.state();
    let numbers = match params.get("container_id") {
        Some(id) => {
            let root = state.container(caller, None, id)?;
            state.subtree(root.number)
        }
        None => state.folders.clone(),
    };
    let hits = numbers
        .iter()
        .filter_map(|n| state.containers.get(n))
        .filter(|c| libraries.contains(&c.library) && state.can_see(caller, c.workspace))
        .filter(|c| matches(params, c));
    let paged = page.cut(hits, call.switches);
    Ok(paged.map(|c| select(state.container_json(c, caller, call.switches), fields)))
}

/// Names and descriptions are whole fields and may hold `*`; `name` may be a comma list.
fn matches(params: &Params, c: &Container) -> bool {
    params.iter().all(|(key, want)| match key {
        "name" => want.split(',').any(|w| matching::wildcard(w.trim(), &c.name)),
        "description" => matching::wildcard(want, &c.description),
        "name_or_description" => {
            matching::wildcard(want, &c.name) || matching::wildcard(want, &c.description)
        }
        "owner" => matching::wildcard(want, &c.owner),
        "email" => c.email.as_deref().is_some_and(|e| matching::wildcard(want, e)),
        "include_ids" => {
            want.split(',').any(|id| ids::parse(id.trim()).is_some_and(|id| id.number == c.number))
        }
        _ => true,
    })
}

pub(super) fn get(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let state = call.shared.state();
    let folder = state.folder(caller, Some(library), call.route.id())?;
    Ok(Reply::data(state.container_json(folder, caller, call.switches)))
}

/// `POST L/workspaces/{id}/folders` and `POST L/folders/{id}/subfolders`. Names need not be unique.
pub(super) fn create(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let (parent, workspace, kind) = {
        let parent = state.container(caller, Some(library), call.route.id())?;
        (parent.number, parent.workspace, parent.kind)
    };
    state.writable(caller, workspace, call.switches)?;
    if kind == Kind::SearchFolder {
        return Err(ApiError::invalid("id", "A search folder cannot hold folders"));
    }
    let name = text(call.body, "name").ok_or_else(|| ApiError::invalid("name", "Value is required"))?;
    if name.chars().count() > 254 {
        return Err(ApiError::invalid("name", "Value too long"));
    }
    let kind = if text(call.body, "folder_type") == Some("tab") { Kind::Tab } else { Kind::Folder };
    let number = state.take_number(None);
    let mut folder = Container::new(number, library, kind, Some(parent), workspace, name, call.now);
    folder.owner.clone_from(&caller.user);
    update_fields(&mut folder, call.body);
    let shown = state.container_json(&folder, caller, call.switches);
    state.add_container(folder);
    Ok(Reply::Json(201, json!({ "data": shown })))
}

/// `DELETE L/folders/{id}`: only an empty folder (inferred).
pub(super) fn delete(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let folder = state.folder(caller, Some(library), call.route.id())?.clone();
    state.writable(caller, folder.workspace, call.switches)?;
    if !folder.children.is_empty() || !folder.docs.is_empty() {
        return Err(ApiError::new(409, "NRC_NOT_EMPTY", "The folder is not empty"));
    }
    state.containers.remove(&folder.number);
    state.folders.retain(|n| *n != folder.number);
    if let Some(parent) = folder.parent.and_then(|p| state.containers.get_mut(&p)) {
        parent.children.retain(|n| *n != folder.number);
    }
    Ok(Reply::Json(200, json!({})))
}

/// `POST L/folders/{id}/move`.
pub(super) fn move_to(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let folder = state.folder(caller, Some(library), call.route.id())?;
    let (number, workspace) = (folder.number, folder.workspace);
    let target = destination(call.body)?;
    let target = state.container(caller, None, target)?;
    let (to, to_workspace) = (target.number, target.workspace);
    state.writable(caller, workspace, call.switches)?;
    state.writable(caller, to_workspace, call.switches)?;
    if !state.move_folder(number, to) {
        return Err(ApiError::invalid("destination_folder_id", "The folder cannot be moved there"));
    }
    let moved = state.containers.get(&number).ok_or_else(ApiError::no_record)?;
    Ok(Reply::data(state.container_json(moved, caller, call.switches)))
}

/// Either of the two accepted keys.
pub(super) fn destination(body: &Value) -> Result<&str> {
    text(body, "destination_folder_id")
        .or_else(|| text(body, "destination_id"))
        .ok_or_else(|| ApiError::invalid("destination_folder_id", "Value is required"))
}

/// `GET L/folders/{id}/operations`.
pub(super) fn operations(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let state = call.shared.state();
    let folder = state.folder(caller, Some(library), call.route.id())?;
    let file = state.can_file(caller, folder, call.switches).is_ok();
    let write = state.writable(caller, folder.workspace, call.switches).is_ok();
    Ok(Reply::data(json!({
        "add_document": file, "create_subfolder": write, "delete": write, "move": write, "update": write,
    })))
}
