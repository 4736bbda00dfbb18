//! Lock, unlock, check-out and the list of checked-out documents.

use serde_json::json;

use super::dispatch::Call;
use super::documents::file;
use super::error::{ApiError, Result};
use super::model::Lock;
use super::paging::Page;
use super::reply::Reply;
use super::workspaces::text;

/// `POST L/documents/{id}/lock`.
pub(super) fn lock(call: &Call<'_>) -> Result<Reply> {
    let (at, version) = take(call, false)?;
    let caller = call.caller()?;
    let state = call.shared.state();
    let v = state.docs[at].version(version).ok_or_else(ApiError::no_record)?;
    Ok(Reply::data(state.document_json(&state.docs[at], v, caller, call.switches)))
}

/// `POST L/documents/{id}/checkout`: the answer is the file.
pub(super) fn checkout(call: &Call<'_>) -> Result<Reply> {
    let (at, version) = take(call, true)?;
    let state = call.shared.state();
    file(state.docs[at].version(version).ok_or_else(ApiError::no_record)?)
}

fn take(call: &Call<'_>, checked_out: bool) -> Result<(usize, u32)> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let (at, version) = state.document(caller, Some(library), call.route.id())?;
    state.writable(caller, state.docs[at].workspace, call.switches)?;
    state.unlocked(caller, at, call.switches)?;
    state.docs[at].lock = Some(Lock {
        user: caller.user.clone(),
        comment: text(call.body, "comments").unwrap_or_default().to_owned(),
        due_date: text(call.body, "due_date").map(str::to_owned),
        checked_out,
        at: call.now,
    });
    Ok((at, version))
}

/// `DELETE L/documents/{id}/lock`.
pub(super) fn unlock(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let (at, _) = state.document(caller, Some(library), call.route.id())?;
    state.unlocked(caller, at, call.switches)?;
    state.docs[at].lock = None;
    Ok(Reply::Json(200, json!({})))
}

/// `GET /documents/checked-out`.
pub(super) fn checked_out(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let page = Page::from(call.params, call.switches)?;
    let state = call.shared.state();
    let held = state
        .docs
        .iter()
        .filter(|d| d.lock.as_ref().is_some_and(|l| l.checked_out) && state.can_see(caller, d.workspace))
        .filter_map(|d| d.latest().map(|v| (d, v)));
    let paged = page.cut(held, call.switches);
    Ok(paged.map(|(doc, v)| state.document_json(doc, v, caller, call.switches)).listing())
}
