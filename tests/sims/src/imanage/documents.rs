//! Documents: profile, change, deletion, download, versions, move.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::doc_query::is_custom;
use super::error::{ApiError, Result};
use super::folders::destination;
use super::history::Activity;
use super::model::Version;
use super::reply::Reply;
use super::workspaces::text;
use crate::common::params::Params;

/// `GET L/documents/{id}`.
pub(super) fn get(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let state = call.shared.state();
    let (at, version) = state.document(caller, Some(library), call.route.id())?;
    let doc = &state.docs[at];
    let latest = call.switches.knows_is_latest && call.params.flag("is_latest");
    let wanted = if latest { doc.latest() } else { doc.version(version) };
    let v = wanted.ok_or_else(ApiError::no_record)?;
    let mut shown = state.document_json(doc, v, caller, call.switches);
    if call.params.flag("include_operations")
        && let Value::Object(map) = &mut shown
    {
        map.insert("operations".into(), rights(call, &state, at));
    }
    Ok(Reply::data(shown))
}

fn rights(call: &Call<'_>, state: &super::state::State, at: usize) -> Value {
    let write = call.caller().is_ok_and(|caller| {
        state.writable(caller, state.docs[at].workspace, call.switches).is_ok()
            && state.unlocked(caller, at, call.switches).is_ok()
    });
    let mut map = serde_json::Map::new();
    for key in [
        "copy",
        "create_new_version",
        "delete",
        "lock",
        "move",
        "replace",
        "set_security",
        "unlock",
        "update",
    ] {
        map.insert(key.into(), json!(write));
    }
    for key in ["archive", "declare", "freeze", "relate", "restore", "undeclare", "unfreeze"] {
        map.insert(key.into(), json!(false));
    }
    Value::Object(map)
}

/// `GET L/documents/{id}/operations`.
pub(super) fn operations(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let state = call.shared.state();
    let (at, _) = state.document(caller, Some(library), call.route.id())?;
    Ok(Reply::data(rights(call, &state, at)))
}

/// `PATCH L/documents/{id}`: the changed fields, bare or inside `doc_profile`.
pub(super) fn update(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut guard = call.shared.state();
    let state = &mut *guard;
    let (at, version) = state.document(caller, Some(library), call.route.id())?;
    state.writable(caller, state.docs[at].workspace, call.switches)?;
    state.unlocked(caller, at, call.switches)?;
    let body = call.body.get("doc_profile").unwrap_or(call.body);
    let params = Params::from_json(body);
    if params.get("custom2").is_some() && params.get("custom1").is_none() {
        return Err(ApiError::invalid("custom2", "Parent value is missing"));
    }
    let v = state.docs[at].version_mut(version).ok_or_else(ApiError::no_record)?;
    let mut customs = v.customs.clone();
    customs.extend(
        params.iter().filter(|(k, _)| is_custom(k)).map(|(k, value)| (k.to_owned(), value.to_owned())),
    );
    if call.switches.validate_lookups {
        state.libraries[library].check_lookups(&customs)?;
    }
    v.customs = customs;
    for (key, target) in [
        ("name", &mut v.name),
        ("extension", &mut v.extension),
        ("comment", &mut v.comment),
        ("author", &mut v.author),
        ("class", &mut v.class),
        ("default_security", &mut v.default_security),
    ] {
        if let Some(value) = text(body, key) {
            value.clone_into(target);
        }
    }
    v.extension = v.extension.to_uppercase();
    v.edited = call.now;
    state.comments.add(&v.comment, at);
    if let Some(mark) = v.customs.get(&state.mark_field) {
        state.marks.add(mark, at);
    }
    state.docs[at].record(Activity::Modify, version, caller, "", call.now);
    let doc = &state.docs[at];
    let v = doc.version(version).ok_or_else(ApiError::no_record)?;
    Ok(Reply::data(state.document_json(doc, v, caller, call.switches)))
}

/// `DELETE L/documents/{id}`: that version only.
pub(super) fn delete(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let (at, version) = state.document(caller, Some(library), call.route.id())?;
    state.writable(caller, state.docs[at].workspace, call.switches)?;
    state.unlocked(caller, at, call.switches)?;
    if let Some(v) = state.docs[at].version_mut(version) {
        v.deleted = true;
    }
    if state.docs[at].latest().is_none() {
        for folder in std::mem::take(&mut state.docs[at].folders) {
            if let Some(folder) = state.containers.get_mut(&folder) {
                folder.docs.retain(|d| *d != at);
            }
        }
    }
    Ok(Reply::Json(200, json!({})))
}

/// `GET L/documents/{id}/download`: recorded as a view unless `activity=export`.
pub(super) fn download(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let (at, version) = state.document(caller, Some(library), call.route.id())?;
    let doc = &state.docs[at];
    let wanted = if call.params.flag("latest") { doc.latest() } else { doc.version(version) };
    let v = wanted.ok_or_else(ApiError::no_record)?;
    let number = v.number;
    let reply = file(v)?;
    let export = call.params.get("activity").is_some_and(|a| a.eq_ignore_ascii_case("export"));
    let activity = if export { Activity::Export } else { Activity::View };
    state.docs[at].record(activity, number, caller, "", call.now);
    Ok(reply)
}

/// The bytes of a version, or the simulator's refusal when they were too many to keep.
pub(super) fn file(v: &super::model::Version) -> Result<Reply> {
    let bytes = v.stored.bytes.clone();
    let bytes =
        bytes.ok_or_else(|| ApiError::new(507, "SIM_NOT_KEPT", "The simulator kept only the hash"))?;
    Ok(Reply::Bytes { name: format!("{}.{}", v.name, v.extension.to_lowercase()), bytes })
}

/// `GET L/documents/{id}/versions`, newest first.
pub(super) fn versions(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let page = super::paging::Page::from(call.params, call.switches)?;
    let library = call.library()?;
    let state = call.shared.state();
    let (at, _) = state.document(caller, Some(library), call.route.id())?;
    let doc = &state.docs[at];
    let paged = page.cut(doc.versions.iter().rev().filter(|v| !v.deleted), call.switches);
    Ok(paged.map(|v| state.document_json(doc, v, caller, call.switches)).listing())
}

/// `POST L/folders/{folder}/documents/{id}/move`: the source folder must hold the document.
pub(super) fn move_to(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let source = state.folder(caller, Some(library), call.route.id())?.number;
    let (at, version) = state.document(caller, Some(library), call.route.second())?;
    if !state.docs[at].folders.contains(&source) {
        return Err(ApiError::no_record());
    }
    let target = state.folder(caller, Some(library), destination(call.body)?)?;
    state.can_file(caller, target, call.switches)?;
    let (to, workspace) = (target.number, target.workspace);
    state.writable(caller, state.docs[at].workspace, call.switches)?;
    state.unlocked(caller, at, call.switches)?;
    if let Some(folder) = state.containers.get_mut(&source) {
        folder.docs.retain(|d| *d != at);
    }
    if let Some(folder) = state.containers.get_mut(&to) {
        folder.docs.push(at);
    }
    let inherited = call.body["update_profile"].as_bool().unwrap_or(false).then(|| state.inherited(to).1);
    let doc = &mut state.docs[at];
    doc.folders.retain(|f| *f != source);
    doc.folders.push(to);
    doc.workspace = workspace;
    for v in &mut doc.versions {
        v.customs.extend(inherited.clone().unwrap_or_default());
    }
    let doc = &state.docs[at];
    let v = doc.version(version).ok_or_else(ApiError::no_record)?;
    Ok(Reply::data(state.document_json(doc, v, caller, call.switches)))
}

/// `POST L/documents/{id}/copy`: a new document of the version's content and profile.
pub(super) fn copy(call: &Call<'_>) -> Result<Reply> {
    if !call.switches.copy_documents {
        return Err(ApiError::new(404, "NRC_NOT_FOUND", "No such resource"));
    }
    let caller = call.caller()?;
    let library = call.library()?;
    let mut guard = call.shared.state();
    let state = &mut *guard;
    let (at, number) = state.document(caller, Some(library), call.route.id())?;
    let target = state.folder(caller, Some(library), destination(call.body)?)?;
    state.can_file(caller, target, call.switches)?;
    let (folder, workspace) = (target.number, target.workspace);
    let version = state.docs[at].version(number).ok_or_else(ApiError::no_record)?.clone();
    let version = Version { number: 1, created: call.now, edited: call.now, ..version };
    let at = state.add_document(library, workspace, folder, version);
    state.docs[at].record(Activity::NewDocument, 1, caller, "", call.now);
    let doc = &state.docs[at];
    let v = doc.version(1).ok_or_else(ApiError::no_record)?;
    Ok(Reply::Json(201, json!({ "data": state.document_json(doc, v, caller, call.switches) })))
}

/// `GET L/{kind}/{id}/name-value-pairs`: the simulator stores none.
pub(super) fn name_value_pairs() -> Reply {
    Reply::data(json!({}))
}
