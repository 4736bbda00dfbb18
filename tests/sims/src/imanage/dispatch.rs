//! One call from request to response: faults, token, work, and what the faults do to the answer.

use std::time::Duration;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::Value;

use super::access::Caller;
use super::error::{ApiError, Result};
use super::reply::Reply;
use super::response::{dropped, force, is_dropped, respond};
use super::routes::{Op, Route, route};
use super::rules::Plan;
use super::server::Shared;
use super::switches::{AuthHeader, Switches};
use super::upload::{self, Limits};
use super::{
    commit, control_http, discovery, doc_search, documents, folders, history, locks, lookups, oauth, people,
    rules, trash, workspaces,
};
use crate::common::params::Params;

/// Largest JSON or form body.
const MAX_BODY: usize = 2 << 20;

/// What a handler may look at.
pub(super) struct Call<'a> {
    pub(super) shared: &'a Shared,
    pub(super) switches: &'a Switches,
    pub(super) route: &'a Route,
    pub(super) query: &'a str,
    pub(super) params: &'a Params,
    pub(super) raw: &'a [u8],
    pub(super) body: &'a Value,
    pub(super) caller: Option<Caller>,
    /// Scheme and host as the client wrote them.
    pub(super) base: String,
    pub(super) now: i64,
    pub(super) plan: &'a Plan,
}

impl Call<'_> {
    pub(super) fn caller(&self) -> Result<&Caller> {
        self.caller.as_ref().ok_or_else(ApiError::unauthenticated)
    }

    /// The library of the path. Takes the state's lock, so call it before taking that.
    pub(super) fn library(&self) -> Result<usize> {
        let name = self.route.library.as_deref().unwrap_or_default();
        self.shared.state().library(name).ok_or_else(ApiError::no_record)
    }

    /// The library of the path, or those of the parameter `libraries`, or all.
    pub(super) fn libraries(&self, params: &Params) -> Result<Vec<usize>> {
        if self.route.library.is_some() {
            return Ok(vec![self.library()?]);
        }
        let state = self.shared.state();
        Ok(match params.get("libraries") {
            Some(list) => list.split(',').filter_map(|name| state.library(name.trim())).collect(),
            None => (0..state.libraries.len()).collect(),
        })
    }
}

/// Every request comes through here.
pub(super) async fn handle(req: HttpRequest, mut payload: Payload, shared: Data<Shared>) -> HttpResponse {
    if req.path().starts_with("/_control") {
        let body = read(&mut payload).await;
        return control_http::handle(&req, &body, &shared);
    }
    let route = route(req.method().as_str(), req.path());
    let now = shared.now();
    let (plan, fired) = rules::plan(&shared.rules, route.op.name(), req.method().as_str(), req.path(), now);
    (0..fired).for_each(|_| shared.stats.fault());
    // read before any fault, so that refreshes waiting at once are counted
    let form = if route.op == Op::Token { Some(read(&mut payload).await) } else { None };
    let _refreshing = form.as_deref().and_then(|form| shared.refreshing(form));
    let response = serve(&req, payload, form, &shared, &route, &plan).await;
    shared.stats.call(route.op.name(), if is_dropped(&response) { 0 } else { response.status().as_u16() });
    response
}

async fn serve(
    req: &HttpRequest,
    mut payload: Payload,
    form: Option<Bytes>,
    shared: &Shared,
    route: &Route,
    plan: &Plan,
) -> HttpResponse {
    let switches = shared.switches();
    let delay = plan.delay_ms + u64::from(switches.latency_ms);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    if plan.hang {
        shared.released().await;
    }
    if plan.close {
        return dropped(req);
    }
    if let Some(bytes) = plan.reset_after_read {
        let mut left = bytes;
        while left > 0 {
            let Some(Ok(chunk)) = payload.next().await else { break };
            left = left.saturating_sub(chunk.len() as u64);
        }
        return dropped(req);
    }
    for change in &plan.changes {
        shared.apply(change, Some(route));
    }
    if let Some(forced) = &plan.answer {
        upload::drain(&mut payload).await;
        return force(forced, &switches, shared);
    }
    let result = work(req, payload, form, shared, &switches, route, plan).await;
    let lose_uploads = switches.drop_after_commit && route.op.streams() && result.is_ok();
    if plan.lose_answer || lose_uploads {
        return dropped(req);
    }
    if let Some(forced) = &plan.after_commit {
        return force(forced, &switches, shared);
    }
    respond(req, result, &switches, shared, plan)
}

async fn work(
    req: &HttpRequest,
    mut payload: Payload,
    form: Option<Bytes>,
    shared: &Shared,
    switches: &Switches,
    route: &Route,
    plan: &Plan,
) -> Result<Reply> {
    let now = shared.now();
    let admitted = shared.admit(now).and_then(|()| {
        let caller = token(req, switches).and_then(|text| shared.auth().check(&text, now, switches));
        let caller = caller.filter(|c| shared.state().users.get(&c.user).is_some_and(|u| u.allow_logon));
        if caller.is_none()
            && (!route.op.is_open() || (route.op == Op::Discovery && !switches.anonymous_discovery))
        {
            return Err(ApiError::unauthenticated());
        }
        let customer = route.customer.as_ref().is_none_or(|c| c.parse() == Ok(shared.state().customer_id));
        if customer { Ok(caller) } else { Err(ApiError::no_record()) }
    });
    let caller = match admitted {
        Ok(caller) => caller,
        Err(error) => {
            upload::drain(&mut payload).await;
            return Err(error);
        }
    };
    let base = base(req);
    let query = req.query_string();
    let params = Params::from_query(query);
    let mut call = Call {
        shared,
        switches,
        route,
        query,
        params: &params,
        raw: &[],
        body: &Value::Null,
        caller,
        base,
        now,
        plan,
    };
    if route.op.streams() {
        let _in_flight = shared.stats.upload();
        let limits =
            Limits { keep: shared.keep_bytes, max: switches.max_upload_bytes, truncate: plan.truncate };
        let received = upload::receive(req, payload, limits).await?;
        call.now = shared.now();
        return match route.op {
            Op::Upload => commit::create(&call, &received),
            Op::NewVersion => commit::add_version(&call, &received),
            _ => commit::replace(&call, &received),
        };
    }
    let raw = match form {
        Some(form) => form,
        None => read(&mut payload).await,
    };
    let is_json = route.op != Op::Token && route.op != Op::Revoke && !raw.is_empty();
    let body = if is_json {
        serde_json::from_slice(&raw).map_err(|_| ApiError::invalid("body", "Body is not JSON"))?
    } else {
        Value::Null
    };
    call.raw = &raw;
    call.body = &body;
    answer(&call)
}

fn answer(call: &Call<'_>) -> Result<Reply> {
    match call.route.op {
        Op::Discovery => Ok(discovery::api(call)),
        Op::Authorize => oauth::authorize(call),
        Op::Token => oauth::token(call),
        Op::Revoke => Ok(oauth::revoke(call)),
        Op::Logout => {
            // the session of the browser; tokens are untouched
            Ok(Reply::Html("<!doctype html><title>Signed out</title><p>Signed out.".to_owned()))
        }
        Op::LegacyLogin => oauth::legacy_login(call),
        Op::DialogToken => oauth::dialog_token(call),
        Op::Ping => Ok(Reply::data(Value::Object(serde_json::Map::new()))),
        Op::Features => Ok(discovery::features()),
        Op::Libraries => Ok(discovery::libraries(call)),
        Op::LibraryOperations => discovery::library_operations(call),
        Op::SearchWorkspaces => workspaces::search(call),
        Op::SearchWorkspacesPost => workspaces::search_post(call),
        Op::CreateWorkspace => workspaces::create(call),
        Op::GetWorkspace => workspaces::get(call),
        Op::UpdateWorkspace | Op::UpdateFolder => workspaces::update(call),
        Op::RecentWorkspaces => workspaces::recent(call),
        Op::Favourites => workspaces::favourites(call),
        Op::WorkspaceChildren | Op::FolderChildren => folders::children(call),
        Op::CreateFolder | Op::CreateSubfolder => folders::create(call),
        Op::SearchFolders => folders::search(call),
        Op::SearchFoldersPost => folders::search_post(call),
        Op::GetFolder => folders::get(call),
        Op::DeleteFolder => folders::delete(call),
        Op::MoveFolder => folders::move_to(call),
        Op::FolderOperations => folders::operations(call),
        Op::FolderDocuments => doc_search::folder_documents(call),
        Op::SearchDocuments => doc_search::search(call),
        Op::SearchDocumentsPost => doc_search::search_post(call),
        Op::GetDocument => documents::get(call),
        Op::UpdateDocument => documents::update(call),
        Op::DeleteDocument => documents::delete(call),
        Op::Download => documents::download(call),
        Op::Versions => documents::versions(call),
        Op::MoveDocument => documents::move_to(call),
        Op::CopyDocument => documents::copy(call),
        Op::Trash => trash::list(call),
        Op::Restore => trash::restore(call),
        Op::Purge => trash::purge(call),
        Op::DocumentOperations => documents::operations(call),
        Op::NameValuePairs => Ok(documents::name_value_pairs()),
        Op::Checkout => locks::checkout(call),
        Op::Lock => locks::lock(call),
        Op::Unlock => locks::unlock(call),
        Op::CheckedOut => locks::checked_out(call),
        Op::History => history::list(call),
        Op::Users => people::users(call),
        Op::CreateUser => people::create(call),
        Op::GetUser => people::get(call),
        Op::UserLibraries => people::libraries(call),
        Op::Groups => Ok(people::groups()),
        Op::Security => people::security(call),
        Op::Classes => lookups::classes(call),
        Op::Types => lookups::types(call),
        Op::CustomSearch => lookups::search(call),
        Op::GetCustom => lookups::get(call),
        Op::CreateCustom => lookups::create(call),
        Op::Upload | Op::NewVersion | Op::ReplaceFile | Op::Unknown => {
            Err(ApiError::new(404, "NRC_NOT_FOUND", "No such resource"))
        }
    }
}

/// Scheme and host as the client wrote them.
fn base(req: &HttpRequest) -> String {
    let connection = req.connection_info();
    format!("{}://{}", connection.scheme(), connection.host())
}

/// The access token, from the headers the switch allows.
fn token(req: &HttpRequest, switches: &Switches) -> Option<String> {
    let header = |name: &str| req.headers().get(name).and_then(|v| v.to_str().ok());
    let own = header("X-Auth-Token").filter(|_| switches.auth_header != AuthHeader::Bearer);
    let bearer = header("Authorization").and_then(|v| v.strip_prefix("Bearer "));
    own.or(bearer.filter(|_| switches.auth_header != AuthHeader::XAuthToken)).map(str::to_owned)
}

async fn read(payload: &mut Payload) -> Bytes {
    let mut body = BytesMut::new();
    while let Some(Ok(chunk)) = payload.next().await {
        if body.len() + chunk.len() > MAX_BODY {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}
