//! What a container holds, page by page.

use serde_json::{Map, Value, json};

use super::access::{Caller, at_document, at_node, sees};
use super::model::Kind;
use super::reply::{Fail, Reply, Result};
use super::route::Route;
use super::serve::NetDocuments;
use super::switches::Switches;
use super::{ids, render};
use crate::common::core::{Call, Core, World};

/// An entry of a list, before it is shown.
#[derive(Clone, Copy)]
pub(super) enum Listed {
    Node(u64),
    Doc(u64),
}

impl Listed {
    fn show(self, world: &World<NetDocuments>, full: bool, delta: i64, switches: &Switches) -> Option<Value> {
        let tenant = &world.vendor.tenant;
        match self {
            Self::Node(number) => {
                let node = tenant.nodes.get(&number)?;
                let custom = switches.list_custom_attributes.then_some(&node.attributes);
                Some(if full {
                    render::listed(render::node_standard(node), custom, switches)
                } else {
                    render::bare(&ids::env(node.kind, number), node.kind.extension())
                })
            }
            Self::Doc(number) => {
                let doc = tenant.docs.get(&number)?;
                let custom = switches.list_custom_attributes.then_some(&doc.attributes);
                Some(if full {
                    render::listed(render::doc_standard(world, doc, delta, switches), custom, switches)
                } else {
                    render::bare(&ids::env_of_document(number), "doc")
                })
            }
        }
    }
}

/// One page: `$select` decides between ids and attributes, and a further page is a URL in `next`.
pub(super) fn page(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    world: &World<NetDocuments>,
    all: &[Listed],
    default: usize,
    most: usize,
) -> Result<Reply> {
    let query = &call.request.query;
    let number = |name: &str| query.number(name).map_err(|_| Fail::parameter(name, "is not a number"));
    let top = match number("$top")?.or(number("top")?) {
        Some(0) => return Err(Fail::parameter("top", "is 0")),
        Some(top) => top.min(most),
        None if default == 0 => usize::MAX,
        None => default,
    };
    let token = query.get("$skiptoken").or(query.get("skiptoken"));
    let skip = match token {
        Some(token) => token.strip_prefix("t-").and_then(|it| it.parse().ok()),
        None => Some(number("skip")?.unwrap_or(0)),
    };
    let skip: usize = skip.ok_or_else(|| Fail::parameter("skiptoken", "is not one of ours"))?;
    let selected = query.get("$select").or(query.get("select")).is_some();
    let total = all.len();
    let shown = all.iter().skip(skip).take(top);
    let entries: Vec<Value> =
        shown.filter_map(|it| it.show(world, selected, call.size_delta(), call.switches)).collect();
    let next = skip + entries.len();
    let list = match entries.len() {
        1 if call.switches.single_bare => entries.into_iter().next().unwrap_or_default(),
        _ => Value::Array(entries),
    };
    let mut body = Map::new();
    if selected && !call.request.wants_json() {
        body.insert("standardList".into(), json!({ "ndProfile.DocumentStat": list }));
    } else {
        body.insert(if selected { "standardList" } else { "list" }.into(), list);
    }
    if next < total {
        let kept = call.request.raw_query.split('&').filter(|pair| {
            !pair.is_empty()
                && !pair
                    .to_ascii_lowercase()
                    .replace("%24", "$")
                    .trim_start_matches('$')
                    .starts_with("skiptoken=")
        });
        let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
        pairs.push(format!("$skiptoken=t-{next}"));
        let host = if call.switches.relative_next { "" } else { core.base.as_str() };
        body.insert("next".into(), json!(format!("{host}{}?{}", call.request.path, pairs.join("&"))));
    }
    Ok(Reply::data("ndList", Value::Object(body)))
}

/// `GET /v1/Folder/{id}`, `GET /v1/Workspace/{id}`, `GET /v2/container/{id}`.
pub(super) fn contents(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let node = tenant.seen_node(caller, route.id(0), call.switches)?;
    let kind = match route.op {
        "workspace_contents" => Some(Kind::Workspace),
        "folder_contents" => Some(Kind::Folder),
        _ => None,
    };
    let other = kind.is_some_and(|kind| (kind == Kind::Workspace) != (node.kind == Kind::Workspace));
    if other && !call.switches.any_container_path {
        return Err(Fail::missing("container", call.switches));
    }
    if route.op == "container_contents" && call.request.query.get("select").is_none() {
        return Err(Fail::parameter("select", "is missing"));
    }
    let nodes = node.children.iter().filter_map(|it| tenant.nodes.get(it));
    let nodes = nodes.filter(|it| !it.deleted && sees(at_node(tenant, caller, it)));
    let docs = node.docs.iter().filter_map(|it| tenant.docs.get(it));
    let docs = docs.filter(|it| !it.deleted && sees(at_document(tenant, caller, it)));
    let mut all: Vec<Listed> = nodes.map(|it| Listed::Node(it.number)).collect();
    all.extend(docs.map(|it| Listed::Doc(it.number)));
    page(core, call, &world, &all, call.switches.list_page, 500)
}

/// `GET /v1/Cabinet/{NG}/folders`: folders outside of workspaces.
pub(super) fn cabinet_folders(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let cabinet = tenant.cabinet(route.id(0)).ok_or_else(|| Fail::missing("cabinet", call.switches))?;
    let top = tenant.node_order.iter().filter_map(|it| tenant.nodes.get(it)).filter(|it| {
        it.parent.is_none() && it.kind == Kind::Folder && it.cabinet == cabinet.id && !it.deleted
    });
    let seen = top.filter(|it| sees(at_node(tenant, caller, it)));
    let all: Vec<Listed> = seen.map(|it| Listed::Node(it.number)).collect();
    page(core, call, &world, &all, call.switches.list_page, 500)
}
