//! Workspaces: by id, by their keys, and each account's own lists of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::{Caller, at_node, in_cabinet, sees};
use super::model::{Attributes, Kind, Node};
use super::reply::{Fail, Reply, Result};
use super::route::Route;
use super::serve::NetDocuments;
use super::{ids, render};
use crate::common::core::{Call, Core};

/// How many workspaces the list of recent ones keeps.
const RECENT: usize = 50;

/// The info of a container, asked for by a path that names its kind, or by one for all kinds.
pub(super) fn info(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
    kind: Option<Kind>,
) -> Result<Reply> {
    let mut world = core.world();
    let node = world.vendor.tenant.seen_node(caller, route.id(0), call.switches)?;
    let other = kind.is_some_and(|kind| (kind == Kind::Workspace) != (node.kind == Kind::Workspace));
    if other && !call.switches.any_container_path {
        return Err(Fail::missing("container", call.switches));
    }
    let (number, is_workspace) = (node.number, node.kind == Kind::Workspace);
    let body = render::node(&world, caller, node, call.switches);
    if is_workspace {
        let recent = world.vendor.tenant.recent.entry(caller.id.clone()).or_default();
        recent.retain(|it| *it != number);
        recent.insert(0, number);
        recent.truncate(RECENT);
    }
    Ok(Reply::data("ndWorkspace", body))
}

/// `GET /v1/Workspace/{NG}/{key}[/{key}]/info`: gets or creates.
pub(super) fn by_keys(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let cabinet = tenant.cabinet(route.id(0)).cloned();
    let cabinet = cabinet.filter(|it| sees(in_cabinet(tenant, caller, &it.id)));
    let cabinet = cabinet.ok_or_else(|| Fail::missing("cabinet", call.switches))?;
    let (parent, key) = match (route.ids.len(), cabinet.ws_org_attr) {
        (2, 0) => ("", route.id(1)),
        (3, org) if org != 0 => (route.id(1), route.id(2)),
        _ => return Err(Fail::parameter("key", "does not fit the cabinet's workspaces")),
    };
    let gone = || Fail::new(call.switches.missing_row_status, "The key is not in the lookup table");
    let mut values = Attributes::new();
    let mut names = Vec::new();
    if cabinet.ws_org_attr != 0 {
        let row = tenant.row(cabinet.ws_org_attr, "", parent).ok_or_else(gone)?;
        values.insert(cabinet.ws_org_attr, row.key.clone());
    }
    let row = tenant.row(cabinet.ws_attr, parent, key).ok_or_else(gone)?;
    values.insert(cabinet.ws_attr, row.key.clone());
    names.push(if row.description.is_empty() { row.key.clone() } else { row.description.clone() });
    let fits = |node: &&Node| {
        node.kind == Kind::Workspace
            && !node.deleted
            && node.cabinet == cabinet.id
            && values.iter().all(|(number, value)| node.attributes.get(number) == Some(value))
    };
    let known = tenant.node_order.iter().filter_map(|it| tenant.nodes.get(it)).find(fits);
    let number = match known.map(|node| node.number) {
        Some(number) => number,
        None if call.switches.create_on_get => {
            let number = tenant.take(None);
            tenant.add_node(Node {
                number,
                kind: Kind::Workspace,
                cabinet: cabinet.id.clone(),
                name: names.concat(),
                parent: None,
                workspace: Some(number),
                attributes: values,
                rights: BTreeMap::default(),
                read_only: false,
                deleted: false,
                created: call.now,
                children: Vec::new(),
                docs: Vec::new(),
            });
            number
        }
        None => return Err(Fail::missing("workspace", call.switches)),
    };
    let node = world.vendor.tenant.seen_node(caller, &ids::digits(number), call.switches)?;
    let body = render::node(&world, caller, node, call.switches);
    Ok(Reply::data("ndWorkspace", body))
}

/// `GET /v1/User/wsRecent` and `wsFav`.
pub(super) fn shelf(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Reply {
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let list = if route.op == "recent" { &tenant.recent } else { &tenant.favourites };
    let nodes = list.get(&caller.id).into_iter().flatten().filter_map(|it| tenant.nodes.get(it));
    let seen = nodes.filter(|node| !node.deleted && sees(at_node(tenant, caller, node)));
    let entries: Vec<Value> =
        seen.map(|node| render::listed(render::node_standard(node), None, call.switches)).collect();
    Reply::data("ndList", json!({ "standardList": entries }))
}
