//! Users and groups.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::error::{ApiError, Result};
use super::matching;
use super::model::{Access, User};
use super::paging::Page;
use super::render::user_json;
use super::reply::Reply;
use super::workspaces::text;
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

/// `POST /users`: administrators only. An id that is there gives its user unchanged, unless the request wants an error.
pub(super) fn create(call: &Call<'_>) -> Result<Reply> {
    if !call.switches.create_users {
        return Err(ApiError::new(404, "NRC_NOT_FOUND", "No such resource"));
    }
    let caller = call.caller()?;
    let mut state = call.shared.state();
    if !state.users.get(&caller.user).is_some_and(|u| u.is_admin) {
        return Err(ApiError::new(403, "NRC_ACCESS_DENIED", "Administrators only"));
    }
    let wanted = |key: &str| text(call.body, key).ok_or_else(|| ApiError::invalid(key, "Value is required"));
    let (id, full_name, email) = (wanted("id")?.to_uppercase(), wanted("full_name")?, wanted("email")?);
    if let Some(known) = state.users.get(&id) {
        if call.body["ignore_if_user_already_exists"].as_bool() == Some(false) {
            return Err(ApiError::new(409, "NRC_DUPLICATE", "The user exists"));
        }
        return Ok(Reply::data(created(user_json(known, &state.libraries), false)));
    }
    let library = text(call.body, "preferred_library").and_then(|name| state.library(name)).unwrap_or(0);
    let user = User {
        id: id.clone(),
        full_name: full_name.to_owned(),
        email: email.to_owned(),
        password: text(call.body, "password").map(str::to_owned),
        allow_logon: true,
        is_external: call.body["is_external"].as_bool().unwrap_or(false),
        is_admin: false,
        is_locked: false,
        failed_logins: 0,
        location: String::new(),
        preferred_library: state.libraries.get(library).map(|l| l.name.clone()).unwrap_or_default(),
    };
    let shown = created(user_json(&user, &state.libraries), true);
    state.users.insert(id, user);
    Ok(Reply::Json(201, json!({ "data": shown })))
}

fn created(mut user: Value, new: bool) -> Value {
    user["user_created"] = json!(new);
    user
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
