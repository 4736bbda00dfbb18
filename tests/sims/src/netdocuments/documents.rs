//! Documents: profile, content, versions, places, copies, locks, deletion.

use serde_json::{Value, json};

use super::access::{Caller, name_of};
use super::commit;
use super::folders::put_in;
use super::ids;
use super::ledger::EntryKind;
use super::model::{Attributes, Lock};
use super::render;
use super::reply::{Fail, Reply, Result};
use super::route::Route;
use super::serve::NetDocuments;
use super::switches::VersionList;
use crate::common::core::{Call, Core};

/// `GET /v1/Document/{id}/info`.
pub(super) fn info(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let doc = world.vendor.tenant.seen_doc(caller, route.id(0), call.switches)?;
    Ok(Reply::data(
        "ndProfile.DocumentInformation",
        render::doc(&world, doc, call.size_delta(), call.switches),
    ))
}

/// `PUT /v1/Document/{id}/info`.
pub(super) fn update(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let wrong = || Fail::parameter("body", "is not JSON");
    let body: Value = serde_json::from_slice(&call.request.body).map_err(|_| wrong())?;
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let doc = tenant.changeable(caller, route.id(0), call.switches)?;
    let (number, cabinet, mut all) = (doc.number, doc.cabinet.clone(), doc.attributes.clone());
    let given = match body.get("customAttributes") {
        Some(Value::Array(list)) => commit::attributes(list).ok_or_else(wrong)?,
        _ => Attributes::default(),
    };
    for (attribute, value) in &given {
        if value.is_empty() {
            all.remove(attribute)
        } else {
            all.insert(*attribute, value.clone())
        };
    }
    commit::check(tenant, &cabinet, &given, &all, call.switches.validate_lookups)?;
    let name = body.pointer("/standardAttributes/name").and_then(Value::as_str);
    let bad = |c: char| c.is_control() || r#"\/:*?"<>|"#.contains(c);
    if name.is_some_and(|name| name.trim().is_empty() || name.contains(bad)) {
        return Err(Fail::parameter("name", "is empty or holds characters that are not allowed"));
    }
    let workspace = tenant.workspace_of(&cabinet, &all);
    if let Some(doc) = tenant.docs.get_mut(&number) {
        doc.attributes = all;
        doc.workspace = workspace.or(doc.workspace);
        if let Some(name) = name {
            name.clone_into(&mut doc.name);
        }
        let extension = body.pointer("/standardAttributes/extension").and_then(Value::as_str);
        let official = doc.official;
        let version = doc.versions.iter_mut().find(|it| it.number == official);
        if let (Some(extension), Some(version), true) = (extension, version, call.switches.rename_extension) {
            extension.clone_into(&mut version.extension);
        }
        (doc.modified, doc.modified_by) = (call.now, caller.id.clone());
    }
    Ok(Reply::Empty)
}

/// `GET /v1/Document/{id}` and `…/{version}`.
pub(super) fn download(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let doc = world.vendor.tenant.seen_doc(caller, route.id(0), call.switches)?;
    let version = match route.ids.get(1) {
        None => doc.current(),
        Some(number) => number.parse().ok().and_then(|number| doc.version(number)),
    };
    let version = version.ok_or_else(|| Fail::missing("version", call.switches))?;
    let bytes = version.stored.bytes.clone();
    let bytes = bytes.ok_or_else(|| Fail::new(507, "The simulator has not kept so large a document"))?;
    Ok(Reply::Bytes { name: format!("{}.{}", doc.name, version.extension), bytes })
}

/// `GET /v1/Document/{id}/versionList`.
pub(super) fn versions(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let doc = world.vendor.tenant.seen_doc(caller, route.id(0), call.switches)?;
    let list = Value::Array(render::versions(&world, doc, call.size_delta(), call.switches));
    Ok(Reply::data(
        "docVersions",
        match call.switches.version_list {
            VersionList::Bare => list,
            VersionList::Versions => json!({ "versions": list }),
            VersionList::DocVersions => json!({ "docVersions": { "version": list } }),
        },
    ))
}

/// `GET /v1/Document/{id}/locations`.
pub(super) fn locations(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let doc = tenant.seen_doc(caller, route.id(0), call.switches)?;
    let workspace = doc.workspace.and_then(|it| tenant.nodes.get(&it));
    let url = |number: u64| ids::env(super::model::Kind::Workspace, number).replace(':', "/");
    let list: Vec<Value> =
        workspace.iter().map(|it| json!({ "wsName": it.name, "wsUrl": url(it.number) })).collect();
    let mut body = json!({ "workspaceList": list });
    if let Some(workspace) = workspace {
        body["WorkspaceName"] = json!(workspace.name);
        body["WorkspaceUrl"] = json!(url(workspace.number));
    }
    Ok(Reply::data("locations", body))
}

/// `GET /v1/Document/{id}/history`.
pub(super) fn history(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let id = tenant.seen_doc(caller, route.id(0), call.switches)?.id();
    let lines = tenant.activity.iter().filter(|it| it.document == id);
    let entry = |it: &super::model::Activity| json!({ "name": it.name, "user": name_of(&world, &it.user), "date": render::date(it.at) });
    Ok(Reply::data("history", lines.map(entry).collect()))
}

/// `DELETE /v1/Document/{id}`.
pub(super) fn delete(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let number = tenant.changeable(caller, route.id(0), call.switches)?.number;
    if let Some(doc) = tenant.docs.get_mut(&number) {
        doc.deleted = true;
    }
    let for_good = call.request.query.flag("permanent") || call.request.form.flag("permanent");
    if for_good {
        tenant.docs.remove(&number);
        tenant.doc_order.retain(|it| *it != number);
    }
    Ok(if call.switches.delete_status == 204 { Reply::Empty } else { Reply::data("result", json!({})) })
}

/// `POST /v1/Document` with an action that carries no bytes, or the action as the path's end.
pub(super) fn action(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let form = &call.request.form;
    let action = form.get("action").or(route.ids.first().map(String::as_str)).unwrap_or_default();
    let id = form.get("id").ok_or_else(|| Fail::parameter("id", "is missing"))?;
    match action.to_ascii_lowercase().as_str() {
        "copy" => copy(core, call, caller, id),
        "checkout" => hold(core, call, caller, id, true),
        "lock" => hold(core, call, caller, id, false),
        "unlock" => release(core, call, caller, id),
        _ => Err(Fail::parameter("action", "is not known")),
    }
}

fn copy(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    caller: &Caller,
    id: &str,
) -> Result<Reply> {
    let form = &call.request.form;
    let to = form.get("destination").ok_or_else(|| Fail::parameter("destination", "is missing"))?;
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let mut copy = tenant.seen_doc(caller, id, call.switches)?.clone();
    let node = tenant.writable(caller, to, call.switches)?;
    let (place, workspace) = (node.number, node.workspace);
    copy.number = tenant.take(None);
    (copy.workspace, copy.folders, copy.lock) = (workspace, Vec::new(), None);
    copy.attributes.extend(tenant.inherited(place));
    if let Some(name) = form.get("name") {
        name.clone_into(&mut copy.name);
    }
    if let Some(mut current) = copy.current().cloned() {
        current.number = 1;
        (copy.versions, copy.official) = (vec![current], 1);
    }
    (copy.created, copy.created_by) = (call.now, caller.id.clone());
    (copy.modified, copy.modified_by) = (call.now, caller.id.clone());
    let number = copy.number;
    if let Some(node) = tenant.nodes.get_mut(&place) {
        put_in(node, &mut copy);
    }
    let extension = copy.current().map(|it| it.extension.clone());
    let body = json!({
        "id": copy.id(), "envId": ids::env_of_document(number), "name": copy.name, "extension": extension,
    });
    commit::insert(tenant, copy);
    commit::note(tenant, number, 1, EntryKind::Copied, caller, call.now);
    Ok(Reply::data("ndProfile.DocumentStat", body))
}

/// Checks a document out, or locks it.
pub(super) fn hold(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    caller: &Caller,
    id: &str,
    out: bool,
) -> Result<Reply> {
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let number = tenant.changeable(caller, id, call.switches)?.number;
    if let Some(doc) = tenant.docs.get_mut(&number) {
        doc.lock = Some(Lock { user: caller.id.clone(), checked_out: out });
    }
    Ok(Reply::data("result", json!({})))
}

/// Gives a document back.
pub(super) fn release(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    caller: &Caller,
    id: &str,
) -> Result<Reply> {
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let number = tenant.changeable(caller, id, call.switches)?.number;
    if let Some(doc) = tenant.docs.get_mut(&number) {
        doc.lock = None;
    }
    Ok(Reply::Empty)
}
