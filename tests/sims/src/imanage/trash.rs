//! The trash bin: deleted versions, restored or purged one by one.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::error::{ApiError, Result};
use super::ids;
use super::model::{Document, Version};
use super::paging::Page;
use super::reply::Reply;

/// `GET L/trash-bin/documents`, of one number if `document_number` says so.
pub(super) fn list(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let page = Page::from(call.params, call.switches)?;
    let library = call.library()?;
    let wanted = call.params.number("document_number")?.map(|n| n as u64);
    let state = call.shared.state();
    let docs = state.docs.iter().filter(|doc| {
        doc.library == library
            && wanted.is_none_or(|n| n == doc.number)
            && state.can_see(caller, doc.workspace)
    });
    let versions = docs.flat_map(|doc| doc.versions.iter().filter(|v| v.deleted).map(move |v| (doc, v)));
    let paged = page.cut(versions, call.switches);
    Ok(paged.map(|(doc, v)| state.document_json(doc, v, caller, call.switches)).listing())
}

/// `POST L/trash-bin/documents/{id}/restore`: into `folder_ids`, where the document lies nowhere any more.
pub(super) fn restore(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut guard = call.shared.state();
    let state = &mut *guard;
    let (at, number) = deleted(&state.docs, call.route.id())?;
    state.writable(caller, state.docs[at].workspace, call.switches)?;
    let mut folders = Vec::new();
    for id in call.body["folder_ids"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let folder = state.folder(caller, Some(library), id)?;
        state.can_file(caller, folder, call.switches)?;
        folders.push(folder.number);
    }
    if state.docs[at].folders.is_empty() {
        if folders.is_empty() {
            return Err(ApiError::invalid("folder_ids", "Value is required"));
        }
        for folder in &folders {
            if let Some(folder) = state.containers.get_mut(folder) {
                folder.docs.push(at);
            }
        }
        state.docs[at].folders = folders;
    }
    if let Some(v) = state.docs[at].versions.iter_mut().find(|v| v.number == number) {
        v.deleted = false;
    }
    let doc = &state.docs[at];
    let v = doc.version(number).ok_or_else(ApiError::no_record)?;
    Ok(Reply::data(state.document_json(doc, v, caller, call.switches)))
}

/// `DELETE L/trash-bin/documents/{id}`.
pub(super) fn purge(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let mut state = call.shared.state();
    let (at, number) = deleted(&state.docs, call.route.id())?;
    state.writable(caller, state.docs[at].workspace, call.switches)?;
    state.docs[at].versions.retain(|v| v.number != number);
    Ok(Reply::Json(200, json!({})))
}

/// Position and number of a version that lies in the trash.
fn deleted(docs: &[Document], id: &str) -> Result<(usize, u32)> {
    let id = ids::parse(id).ok_or_else(|| ApiError::invalid("id", "Bad id"))?;
    let at = docs.iter().position(|doc| doc.number == id.number).ok_or_else(ApiError::no_record)?;
    let is_it = |v: &&Version| v.deleted && id.version.is_none_or(|n| n == v.number);
    docs[at].versions.iter().find(is_it).map(|v| (at, v.number)).ok_or_else(ApiError::no_record)
}
