//! Searching a cabinet. What was just filed is missing for a while.

use super::access::{Caller, at_document, at_node, in_cabinet, name_of, sees};
use super::listing::{self, Listed};
use super::model::{Attributes, Tenant};
use super::query::{self, Facts};
use super::reply::{Fail, Reply, Result};
use super::route::Route;
use super::serve::NetDocuments;
use crate::common::core::{Call, Core};

/// Default and largest page.
const PAGE: usize = 100;
const MOST: usize = 500;

/// The meaning of an attribute's value.
fn described(tenant: &Tenant, cabinet: &str, values: &Attributes, number: u32) -> Option<String> {
    let value = values.get(&number)?;
    let parent = tenant.attribute(cabinet, number).and_then(|it| it.parent);
    let parent = parent.and_then(|it| values.get(&it)).map(String::as_str).unwrap_or_default();
    Some(tenant.row(number, parent, value).map_or_else(String::new, |row| row.description.clone()))
}

fn all_words(tenant: &Tenant, cabinet: &str, values: &Attributes) -> String {
    values.iter().fold(String::new(), |text, (number, value)| {
        text + value + " " + &described(tenant, cabinet, values, *number).unwrap_or_default() + " "
    })
}

/// `GET /v1/Search/{NG}` and `GET /v2/Search`.
pub(super) fn find(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    route: &Route,
    caller: &Caller,
) -> Result<Reply> {
    let asked = call.request.query.get("q").unwrap_or_default();
    let query = query::parse(asked).ok_or_else(|| Fail::parameter("q", "cannot be read"))?;
    let world = core.world();
    let tenant = &world.vendor.tenant;
    let named = call.request.query.get("cabinets").unwrap_or_else(|| route.id(0)).to_owned();
    let mut cabinets = Vec::new();
    for id in named.split(',') {
        let found = tenant.cabinet(id).filter(|it| sees(in_cabinet(tenant, caller, &it.id)));
        cabinets.push(found.ok_or_else(|| Fail::missing("cabinet", call.switches))?.id.clone());
    }
    let old = |at: i64| at.saturating_add(i64::from(call.switches.index_delay_ms)) <= call.now;
    let mut all: Vec<Listed> = Vec::new();
    for node in tenant.node_order.iter().filter_map(|it| tenant.nodes.get(it)) {
        if node.deleted || !old(node.created) || !cabinets.contains(&node.cabinet) {
            continue;
        }
        let inherited = tenant.inherited(node.number);
        let facts = Facts {
            name: &node.name,
            extension: node.kind.extension(),
            created_by: "",
            values: &|number| inherited.get(&number).cloned(),
            all: &all_words(tenant, &node.cabinet, &inherited),
        };
        if query.matches(&facts) && sees(at_node(tenant, caller, node)) {
            all.push(Listed::Node(node.number));
        }
    }
    for doc in tenant.doc_order.iter().filter_map(|it| tenant.docs.get(it)) {
        if doc.deleted || !old(doc.modified) || !cabinets.contains(&doc.cabinet) {
            continue;
        }
        let facts = Facts {
            name: &doc.name,
            extension: doc.current().map(|it| it.extension.as_str()).unwrap_or_default(),
            created_by: &name_of(&world, &doc.created_by),
            values: &|number| doc.attributes.get(&number).cloned(),
            all: &all_words(tenant, &doc.cabinet, &doc.attributes),
        };
        if query.matches(&facts) && sees(at_document(tenant, caller, doc)) {
            all.push(Listed::Doc(doc.number));
        }
    }
    listing::page(core, call, &world, &all, PAGE, MOST)
}
