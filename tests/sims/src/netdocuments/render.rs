//! Records as answers show them.

use serde_json::{Map, Value, json};

use super::access::{Caller, at_node, name_of};
use super::ids;
use super::model::{Attributes, Document, Node, Rights};
use super::serve::NetDocuments;
use super::switches::{SizeUnit, Switches};
use crate::common::core::World;

pub(super) fn date(ms: i64) -> String {
    format!("/Date({ms})/")
}

fn attributes(all: &Attributes) -> Value {
    all.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect()
}

/// A size as the server tells it.
pub(super) fn size(bytes: u64, delta: i64, unit: SizeUnit) -> Value {
    let bytes = bytes.saturating_add_signed(delta);
    match unit {
        SizeUnit::Kilobytes => json!(bytes.div_ceil(1024)),
        SizeUnit::Bytes => json!(bytes),
        SizeUnit::Absent => Value::Null,
    }
}

fn clean(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// `standardAttributes` of a container.
pub(super) fn node_standard(node: &Node) -> Value {
    let env = ids::env(node.kind, node.number);
    json!({
        "id": node.id(), "envId": env, "url": env.replace(':', "/"), "name": node.name,
        "extension": node.kind.extension(), "created": date(node.created), "modified": date(node.created),
    })
}

fn permissions(rights: &std::collections::BTreeMap<String, Rights>) -> Value {
    rights
        .iter()
        .map(|(principal, r)| {
            json!({
                "principal": principal, "view": r.view, "edit": r.edit, "share": r.share,
                "administer": r.administer, "noAccess": r.no_access, "cabDefault": false,
            })
        })
        .collect()
}

/// The info of a container.
pub(super) fn node(world: &World<NetDocuments>, caller: &Caller, node: &Node, switches: &Switches) -> Value {
    let tenant = &world.vendor.tenant;
    let all = if switches.folders_show_attributes || node.parent.is_none() {
        tenant.inherited(node.number)
    } else {
        Attributes::new()
    };
    // the nearest list going up is the one in force
    let rights = tenant.up(node.number).find(|it| !it.rights.is_empty()).map(|it| it.rights.clone());
    let rights = rights
        .unwrap_or_else(|| tenant.cabinet(&node.cabinet).map(|it| it.members.clone()).unwrap_or_default());
    let mut body = json!({
        "standardAttributes": node_standard(node),
        "customAttributes": attributes(&all),
        "location": { "account": tenant.repository, "cabinet": node.cabinet },
        "misc": {
            "archived": tenant.closed(node.number) && switches.archived_flag, "deleted": node.deleted,
            "favorite": tenant.favourites.get(&caller.id).is_some_and(|it| it.contains(&node.number)),
        },
    });
    if switches.show_permissions && at_node(tenant, caller, node).view {
        body["permissions"] = permissions(&rights);
    }
    body
}

/// `standardAttributes` of a document.
pub(super) fn doc_standard(
    world: &World<NetDocuments>,
    doc: &Document,
    delta: i64,
    switches: &Switches,
) -> Value {
    let env = ids::env_of_document(doc.number);
    let current = doc.current();
    let bytes = current.map_or(0, |version| version.stored.size);
    let holder = doc.lock.as_ref().filter(|lock| lock.checked_out).map(|lock| name_of(world, &lock.user));
    clean(json!({
        "id": doc.id(), "envId": env, "url": env.replace(':', "/"), "name": doc.name,
        "extension": current.map(|version| version.extension.clone()),
        "created": date(doc.created), "createdBy": name_of(world, &doc.created_by),
        "createdByGuid": doc.created_by, "modified": date(doc.modified),
        "modifiedBy": name_of(world, &doc.modified_by), "modifiedByGuid": doc.modified_by,
        "size": size(bytes, delta, switches.size_unit), "officialVer": doc.official,
        "versions": doc.versions.len(), "syncMod": 0, "aclStatus": "thawed",
        "checkedOutState": holder.is_some(), "checkedOutBy": holder,
    }))
}

/// The info of a document.
pub(super) fn doc(world: &World<NetDocuments>, doc: &Document, delta: i64, switches: &Switches) -> Value {
    let tenant = &world.vendor.tenant;
    json!({
        "standardAttributes": doc_standard(world, doc, delta, switches),
        "customAttributes": attributes(&doc.attributes),
        "location": { "account": tenant.repository, "cabinet": doc.cabinet },
        "misc": {
            "approved": false, "archived": false, "deleted": doc.deleted, "echo": true, "external": false,
            "favorite": false, "signed": false,
        },
        "permissions": [],
    })
}

/// An entry of a listing.
pub(super) fn listed(standard: Value, custom: Option<&Attributes>, switches: &Switches) -> Value {
    let mut entry = if switches.nested_lists { json!({ "standardAttributes": standard }) } else { standard };
    if let Some(custom) = custom {
        entry["customAttributes"] = attributes(custom);
    }
    entry
}

/// An entry of a listing without `$select`.
pub(super) fn bare(env: &str, kind: &str) -> Value {
    json!({ "envId": env, "type": kind })
}

/// A number, or its text.
pub(super) fn number(value: u32, as_text: bool) -> Value {
    if as_text { json!(value.to_string()) } else { json!(value) }
}

/// The versions of a document.
pub(super) fn versions(
    world: &World<NetDocuments>,
    doc: &Document,
    delta: i64,
    switches: &Switches,
) -> Vec<Value> {
    let text = switches.version_numbers_as_text;
    doc.versions
        .iter()
        .map(|version| {
            let label = version.name.clone().unwrap_or_else(|| version.number.to_string());
            let mut entry = Map::new();
            entry.insert("number".into(), number(version.number, text));
            entry.insert("name".into(), json!(label));
            entry.insert("extension".into(), json!(version.extension));
            entry.insert("official".into(), json!(version.number == doc.official));
            entry.insert("created".into(), json!(date(version.at)));
            entry.insert("createdBy".into(), json!(name_of(world, &version.user)));
            entry.insert("size".into(), size(version.stored.size, delta, switches.size_unit));
            if !switches.version_description_field.is_empty() {
                entry.insert(switches.version_description_field.clone(), json!(version.description));
            }
            clean(Value::Object(entry))
        })
        .collect()
}
