//! Users and groups.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::error::{ApiError, Result};
use super::matching;
use super::model::{Access, User};
use super::paging::Page;
use super::render::user_json;
use super::reply::Reply;
use crate::common::params::Params;

/// `GET /users` and `GET L/users`.
pub(super) fn users(call: &Call<'_>) -> Result<Reply> {
    let page = Page::from(call.params, call.switches)?;
    let state = call.shared.state();
    let hits = state.users.values().filter(|u| matches(call.params, u));
    let paged = page.cut(hits, call.switches);
    Ok(paged.map(|u| user_json(u, &state.libraries)).listing())
}

fn matches(params: &Params, user: &User) -> bool {
    params.iter().all(|(key, want)| match key {
        "alias" => matching::wildcard(want, &user.id),
        "email" => matching::wildcard(want, &user.email),
        "full_name" => matching::wildcard(want, &user.full_name),
        "location" => matching::wildcard(want, &user.location),
        "preferred_library" => user.preferred_library.eq_ignore_ascii_case(want),
        "allow_logon" => user.allow_logon == params.flag(key),
        "is_external" => user.is_external == params.flag(key),
        "query" => {
            let want = format!("*{want}*");
            [&user.id, &user.email, &user.full_name].into_iter().any(|field| matching::wildcard(&want, field))
        }
        _ => true,
    })
}

/// `GET /users/{uid}`.
pub(super) fn get(call: &Call<'_>) -> Result<Reply> {
    let state = call.shared.state();
    let user = state.users.get(&call.route.id().to_uppercase()).ok_or_else(ApiError::no_record)?;
    Ok(Reply::data(user_json(user, &state.libraries)))
}

/// `GET /users/{uid}/libraries`.
pub(super) fn libraries(call: &Call<'_>) -> Result<Reply> {
    let state = call.shared.state();
    let user = state.users.get(&call.route.id().to_uppercase()).ok_or_else(ApiError::no_record)?;
    Ok(Reply::data(user_json(user, &state.libraries)["libraries"].take()))
}

/// `GET L/workspaces/{id}/security` and the same below folders: the entries of the workspace. Who has none comes by its default.
pub(super) fn security(call: &Call<'_>) -> Result<Reply> {
    if !call.switches.security_lists {
        return Err(ApiError::no_record());
    }
    let caller = call.caller()?;
    let library = call.library()?;
    let state = call.shared.state();
    let asked = state.container(caller, Some(library), call.route.id())?;
    let workspace = state.containers.get(&asked.workspace).ok_or_else(ApiError::no_record)?;
    let entry = |(id, access): (&String, &Access)| {
        let name = state.users.get(id).map_or("", |user| user.full_name.as_str());
        json!({ "id": id, "name": name, "type": "user", "access_level": access.name() })
    };
    let entries: Vec<Value> = workspace.rights.iter().map(entry).collect();
    let count = entries.len();
    Ok(Reply::Json(200, json!({ "data": entries, "total_count": count })))
}

/// `GET /groups`: the simulator has none.
pub(super) fn groups() -> Reply {
    Reply::Json(200, json!({ "data": Vec::<Value>::new(), "total_count": 0 }))
}
