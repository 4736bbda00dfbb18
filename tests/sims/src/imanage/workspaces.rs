//! Workspaces: search, profile, creation.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::doc_query::is_custom;
use super::doc_search::post_params;
use super::error::{ApiError, Result};
use super::ids;
use super::matching;
use super::model::{Container, Kind};
use super::paging::{Page, Paged};
use super::render::{parent_field, select};
use super::reply::Reply;
use super::state::State;
use super::switches::SearchShape;
use crate::common::params::Params;

/// `GET L/workspaces` and `GET /workspaces`.
pub(super) fn search(call: &Call<'_>) -> Result<Reply> {
    find(call, call.params, None)?.results(call.switches)
}

/// `POST L/workspaces/search`.
pub(super) fn search_post(call: &Call<'_>) -> Result<Reply> {
    let params = post_params(call);
    let found = find(call, &params, call.body.pointer("/profile_fields/workspace"))?;
    match call.switches.workspace_search_shape {
        SearchShape::Results => found.results(call.switches),
        SearchShape::Array => {
            found.not_empty(call.switches)?;
            Ok(found.listing())
        }
    }
}

fn find(call: &Call<'_>, params: &Params, fields: Option<&Value>) -> Result<Paged<Value>> {
    let caller = call.caller()?;
    let page = Page::from(params, call.switches)?;
    let libraries = call.libraries(params)?;
    let state = call.shared.state();
    let hits = state
        .workspaces
        .iter()
        .filter_map(|n| state.containers.get(n))
        .filter(|c| libraries.contains(&c.library) && state.can_see(caller, c.number))
        .filter(|c| matches(params, c));
    let paged = page.cut(hits, call.switches);
    Ok(paged.map(|c| select(state.container_json(c, caller, call.switches), fields)))
}

/// `name` goes by whole words and is **not** equality; customs are whole aliases, letters ignored.
fn matches(params: &Params, c: &Container) -> bool {
    params.iter().all(|(key, want)| match key {
        "name" => matching::whole_words(want, &c.name),
        "description" => matching::whole_words(want, &c.description),
        "name_or_description" => {
            matching::wildcard(want, &c.name) || matching::wildcard(want, &c.description)
        }
        "anywhere" => matching::whole_words(want, &format!("{} {}", c.name, c.description)),
        "owner" => matching::wildcard(want, &c.owner),
        "subclass" => c.subclass.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(want)),
        "include_ids" => {
            want.split(',').any(|id| ids::parse(id.trim()).is_some_and(|id| id.number == c.number))
        }
        "file_target" => {
            let mut target = c.name.clone();
            for field in ["custom1", "custom2", "custom29", "custom30"] {
                target.push(' ');
                target.push_str(c.customs.get(field).map_or("", String::as_str));
            }
            matching::whole_words(want, &target)
        }
        _ if is_custom(key) => c.customs.get(key).is_some_and(|v| v.eq_ignore_ascii_case(want)),
        _ => true,
    })
}

pub(super) fn get(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let state = call.shared.state();
    let workspace = state.workspace(caller, Some(library), call.route.id())?;
    Ok(Reply::data(state.container_json(workspace, caller, call.switches)))
}

/// `GET L/my-favorites/children`: the workspaces that the caller marked.
pub(super) fn favourites(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let page = Page::from(call.params, call.switches)?;
    let library = call.library()?;
    let state = call.shared.state();
    let marked = state.favourites.get(&caller.user).into_iter().flatten();
    let seen = marked
        .filter_map(|n| state.containers.get(n))
        .filter(|c| c.library == library && state.can_see(caller, c.workspace));
    let paged = page.cut(seen, call.switches);
    Ok(paged.map(|c| state.container_json(c, caller, call.switches)).listing())
}

/// The workspaces the caller used lately, newest first: as control said, else all the caller sees in order of creation.
pub(super) fn recent(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let page = Page::from(call.params, call.switches)?;
    let library = call.library()?;
    let state = call.shared.state();
    let used = state.recent.get(&caller.user).cloned();
    let used = used.unwrap_or_else(|| state.workspaces.iter().rev().copied().collect());
    let seen = used
        .iter()
        .filter_map(|n| state.containers.get(n))
        .filter(|c| c.library == library && state.can_see(caller, c.number));
    let paged = page.cut(seen, call.switches);
    let body: Vec<Value> =
        paged.items.iter().map(|c| state.container_json(c, caller, call.switches)).collect();
    Ok(Reply::data(json!({ "results": body })))
}

/// `POST L/workspaces`.
pub(super) fn create(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let name = text(call.body, "name").ok_or_else(|| ApiError::invalid("name", "Value is required"))?;
    if state.users.get(&caller.user).is_some_and(|u| u.is_external) {
        return Err(ApiError::new(403, "NRC_ACCESS_DENIED", "External users cannot create workspaces"));
    }
    let number = state.take_number(None);
    let mut container = Container::new(number, library, Kind::Workspace, None, number, name, call.now);
    container.owner.clone_from(&caller.user);
    update_fields(&mut container, call.body);
    check_customs(&state, library, &container)?;
    state.add_container(container);
    let made = state.containers.get(&number).ok_or_else(ApiError::no_record)?;
    Ok(Reply::Json(201, json!({ "data": state.container_json(made, caller, call.switches) })))
}

/// `PATCH L/workspaces/{id}` and `PATCH L/folders/{id}`.
pub(super) fn update(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut state = call.shared.state();
    let mut changed = state.container(caller, Some(library), call.route.id())?.clone();
    state.writable(caller, changed.workspace, call.switches)?;
    if let Some(name) = text(call.body, "name") {
        name.clone_into(&mut changed.name);
    }
    update_fields(&mut changed, call.body);
    check_customs(&state, library, &changed)?;
    changed.edited = call.now;
    let shown = state.container_json(&changed, caller, call.switches);
    state.containers.insert(changed.number, changed);
    Ok(Reply::data(shown))
}

/// Everything but the name.
pub(super) fn update_fields(container: &mut Container, body: &Value) {
    for (key, target) in [
        ("description", &mut container.description),
        ("owner", &mut container.owner),
        ("default_security", &mut container.default_security),
    ] {
        if let Some(value) = text(body, key) {
            value.clone_into(target);
        }
    }
    for (key, target) in [
        ("email", &mut container.email),
        ("class", &mut container.class),
        ("subclass", &mut container.subclass),
    ] {
        if let Some(value) = text(body, key) {
            *target = Some(value.to_owned());
        }
    }
    for source in [body, &body["profile"]] {
        let params = Params::from_json(source);
        for (key, value) in params.iter().filter(|(key, _)| is_custom(key)) {
            container.customs.insert(key.to_owned(), value.to_owned());
        }
    }
}

fn check_customs(state: &State, library: usize, container: &Container) -> Result<()> {
    for field in container.customs.keys() {
        if parent_field(field).is_some_and(|parent| !container.customs.contains_key(parent)) {
            return Err(ApiError::invalid(field, "Parent value is missing"));
        }
    }
    state.libraries[library].check_lookups(&container.customs)
}

/// A non-empty text of a JSON object.
pub(super) fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str).filter(|t| !t.is_empty())
}
