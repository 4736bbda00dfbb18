//! Folders: making, renaming, filing into them, deleting.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::Caller;
use super::model::{Attributes, Document, Kind, Node};
use super::reply::{Fail, Reply, Result};
use super::route::Route;
use super::serve::NetDocuments;
use super::{flaws, render};
use crate::common::core::{Call, Core};

const LONGEST: usize = 254;

fn good_name(name: &str, sanitize: bool) -> Result<String> {
    let bad = |c: char| c.is_control() || r#"\/:*?"<>|"#.contains(c);
    if sanitize {
        return good_name(&name.replace(bad, "_"), false);
    }
    if name.trim().is_empty() || name.chars().count() > LONGEST || name.contains(bad) {
        return Err(Fail::parameter("name", "is empty, too long or holds characters that are not allowed"));
    }
    Ok(name.to_owned())
}

/// `POST /v1/Folder`.
pub(super) fn create(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    caller: &Caller,
) -> Result<Reply> {
    let form = &call.request.form;
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let parent = form.get("parent").ok_or_else(|| Fail::parameter("parent", "is missing"))?;
    let node = tenant.writable(caller, parent, call.switches)?;
    let (parent, cabinet, workspace) = (node.number, node.cabinet.clone(), node.workspace);
    if !matches!(node.kind, Kind::Workspace | Kind::Folder) {
        return Err(Fail::parameter("parent", "is no workspace or folder"));
    }
    let name = good_name(form.get("name").unwrap_or_default(), form.flag("sanitizeName"))?;
    let same = |it: &&Node| it.kind == Kind::Folder && it.name.to_lowercase() == name.to_lowercase();
    if node.children.iter().filter_map(|it| tenant.nodes.get(it)).any(|it| same(&it)) {
        return Err(Fail::new(400, "The container already contains a folder with this name"));
    }
    let number = tenant.take(None);
    let node = Node {
        number,
        kind: Kind::Folder,
        cabinet,
        name,
        parent: Some(parent),
        workspace,
        attributes: Attributes::default(),
        rights: BTreeMap::default(),
        read_only: false,
        deleted: false,
        created: call.now,
        children: Vec::new(),
        docs: Vec::new(),
    };
    let body = json!({ "standardAttributes": render::node_standard(&node) });
    tenant.add_node(node);
    Ok(Reply::data("ndFolder", body))
}

/// `PUT /v1/Folder/{id}/info`.
pub(super) fn update(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let body: Value =
        serde_json::from_slice(&call.request.body).map_err(|_| Fail::parameter("body", "is not JSON"))?;
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let number = tenant.writable(caller, route.id(0), call.switches)?.number;
    if let Some(name) = body.pointer("/standardAttributes/name").and_then(Value::as_str) {
        let name = good_name(name, false)?;
        if let Some(node) = tenant.nodes.get_mut(&number) {
            node.name = name;
        }
    }
    Ok(Reply::Empty)
}

/// `GET /v1/Folder/{id}/ancestry`.
pub(super) fn ancestry(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let node = tenant.seen_node(caller, route.id(0), call.switches)?;
    let above = tenant.up(node.number).skip(1);
    let entries: Vec<Value> =
        above.map(|node| render::listed(render::node_standard(node), None, call.switches)).collect();
    Ok(Reply::data("ndList", json!({ "standardList": entries })))
}

/// `POST /v1/Folder/{id}` with `action=file|unfile`.
pub(super) fn file(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let form = &call.request.form;
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let number = tenant.writable(caller, route.id(0), call.switches)?.number;
    let item = form.get("item").ok_or_else(|| Fail::parameter("item", "is missing"))?;
    let doc = tenant.changeable(caller, item, call.switches)?.number;
    let (Some(node), Some(doc)) = (tenant.nodes.get_mut(&number), tenant.docs.get_mut(&doc)) else {
        return Err(Fail::missing("container", call.switches));
    };
    match form.get("action") {
        Some("file") => put_in(node, doc),
        Some("unfile") => {
            if !doc.folders.contains(&number) {
                return Err(Fail::parameter("item", "is not in this folder"));
            }
            node.docs.retain(|it| *it != doc.number);
            doc.folders.retain(|it| *it != number);
        }
        _ => return Err(Fail::parameter("action", "is neither file nor unfile")),
    }
    Ok(Reply::Empty)
}

pub(super) fn put_in(node: &mut Node, doc: &mut Document) {
    if !doc.folders.contains(&node.number) {
        doc.folders.push(node.number);
        node.docs.push(doc.number);
    }
}

/// `DELETE /v1/Folder/{id}`.
pub(super) fn delete(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let node = tenant.writable(caller, route.id(0), call.switches)?;
    let (number, full) = (node.number, !node.docs.is_empty() || !node.children.is_empty());
    if full && !call.request.query.flag("deleteContents") && !call.request.form.flag("deleteContents") {
        return Err(Fail::new(400, "The folder is not empty"));
    }
    flaws::delete(tenant, number);
    Ok(Reply::Empty)
}
