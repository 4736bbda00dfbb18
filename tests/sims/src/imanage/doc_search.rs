//! Document searches and the documents of a folder.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::doc_query::DocQuery;
use super::error::Result;
use super::paging::{Page, Paged};
use super::render::select;
use super::reply::Reply;
use crate::common::params::Params;

/// `GET L/documents` and `GET /documents`.
pub(super) fn search(call: &Call<'_>) -> Result<Reply> {
    let page = Page::from(call.params, call.switches)?;
    find(call, call.params, page, None)?.results(call.switches)
}

/// `POST L/documents/search`: an array with `overflow`.
pub(super) fn search_post(call: &Call<'_>) -> Result<Reply> {
    let params = post_params(call);
    let page = Page::from(&params, call.switches)?;
    let fields = call.body.pointer("/profile_fields/document");
    let found = find(call, &params, page, fields)?;
    found.not_empty(call.switches)?;
    Ok(Reply::Json(200, json!({ "data": found.items, "overflow": found.more })))
}

/// Filters and paging of a JSON search as one set of parameters.
pub(super) fn post_params(call: &Call<'_>) -> Params {
    let mut params = Params::from_json(&call.body["filters"]);
    for key in ["limit", "offset", "total", "paging_mode", "cursor"] {
        if let Some(value) = Params::from_json(call.body).get(key) {
            params.set(key, value);
        }
    }
    params
}

fn find(call: &Call<'_>, params: &Params, page: Page, fields: Option<&Value>) -> Result<Paged<Value>> {
    let caller = call.caller()?;
    let libraries = call.libraries(params)?;
    let query = DocQuery::new(params, page.cursor_mode, call)?;
    let state = call.shared.state();
    let hits = query.candidates(&state).into_iter().flat_map(|at| {
        let doc = &state.docs[at];
        let seen = libraries.contains(&doc.library) && state.can_see(caller, doc.workspace);
        doc.versions.iter().filter(move |v| seen && !v.deleted).map(move |v| (doc, v))
    });
    let paged = page.cut(hits.filter(|(doc, v)| query.matches(&state, doc, v)), call.switches);
    Ok(paged.map(|(doc, v)| select(state.document_json(doc, v, caller, call.switches), fields)))
}

/// `GET L/folders/{id}/documents`: the newest version of each, in order of filing.
pub(super) fn folder_documents(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let page = Page::from(call.params, call.switches)?;
    let library = call.library()?;
    let state = call.shared.state();
    let folder = state.folder(caller, Some(library), call.route.id())?;
    let shown_before = call.now - i64::from(call.switches.listing_delay_ms);
    let docs = folder.docs.iter().filter_map(|at| {
        let doc = &state.docs[*at];
        doc.latest().filter(|v| v.edited <= shown_before).map(|v| (doc, v))
    });
    let paged = page.cut(docs, call.switches);
    Ok(paged.map(|(doc, v)| state.document_json(doc, v, caller, call.switches)).listing())
}
