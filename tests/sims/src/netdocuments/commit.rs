//! The moment an upload becomes a document or a version: profile rules, records and the ledger, under one lock.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::Caller;
use super::flaws::Flaw;
use super::folders::put_in;
use super::ledger::{Entry, EntryKind};
use super::model::{Activity, Attributes, Document, Kind, Stored, Tenant, Version};
use super::reply::{Fail, Reply, Result};
use super::serve::NetDocuments;
use super::switches::Switches;
use super::upload::Form;
use super::{ids, render};
use crate::common::core::{Call, Core};
use crate::common::params::Params;

/// The profile of a form: attribute numbers with values.
pub(super) fn profile(text: Option<&str>) -> Result<Attributes> {
    let Some(text) = text else { return Ok(Attributes::new()) };
    let wrong = || Fail::parameter("profile", "is not a list of attributes");
    let Ok(Value::Array(list)) = serde_json::from_str(text) else { return Err(wrong()) };
    attributes(&list).ok_or_else(wrong)
}

pub(super) fn attributes(list: &[Value]) -> Option<Attributes> {
    list.iter()
        .map(|entry| {
            let id = entry.get("id")?;
            let number = id.as_u64().or_else(|| id.as_str()?.parse().ok())?;
            Some((u32::try_from(number).ok()?, entry.get("value")?.as_str()?.to_owned()))
        })
        .collect()
}

/// Whether values may be in a profile.
pub(super) fn check(
    tenant: &Tenant,
    cabinet: &str,
    given: &Attributes,
    all: &Attributes,
    lookups: bool,
) -> Result<()> {
    for (number, value) in given {
        let bad = |why: &str| Fail::new(400, format!("Attribute {number}: {why}"));
        let attribute = tenant.attribute(cabinet, *number).ok_or_else(|| bad("is not there"))?;
        if !attribute.lookup || !lookups || value.is_empty() {
            continue;
        }
        let parent = attribute.parent.and_then(|it| all.get(&it)).map(String::as_str).unwrap_or_default();
        match tenant.row(*number, parent, value) {
            None => return Err(bad("the value is not in the lookup table")),
            Some(row) if row.closed => return Err(bad("the value is closed")),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Name and extension: of the fields, or of the file.
fn named(form: &Form) -> (String, String) {
    let file = form.file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    let name = form.fields.get("name").unwrap_or(stem).to_owned();
    let extension = form.fields.get("extension").unwrap_or(extension).trim_start_matches('.');
    (name, extension.to_owned())
}

/// Where an upload goes: its cabinet, container and workspace.
type Destination = (String, Option<u64>, Option<u64>);

fn destination(tenant: &Tenant, caller: &Caller, form: &Form, switches: &Switches) -> Result<Destination> {
    if let Some(id) = form.fields.get("destination") {
        let node = tenant.writable(caller, id, switches)?;
        if node.kind == Kind::SavedSearch {
            return Err(Fail::parameter("destination", "is a saved search"));
        }
        return Ok((node.cabinet.clone(), Some(node.number), node.workspace));
    }
    let cabinet = form.fields.get("cabinet").ok_or_else(|| Fail::parameter("destination", "is missing"))?;
    let found = tenant.cabinet(cabinet).ok_or_else(|| Fail::missing("cabinet", switches))?;
    if !super::access::in_cabinet(tenant, caller, &found.id).edit {
        return Err(Fail::new(403, "You do not have rights to change this"));
    }
    Ok((found.id.clone(), None, None))
}

/// `POST /v1/Document`, `action=upload`.
pub(super) fn create(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    caller: &Caller,
    form: &Form,
    stored: Arc<Stored>,
) -> Result<Reply> {
    let switches = call.switches;
    if form.fields.get("action").is_some_and(|action| action != "upload") {
        return Err(Fail::parameter("action", "is not known"));
    }
    let (name, extension) = named(form);
    let bad = |c: char| c.is_control() || r#"\/:*?"<>|"#.contains(c);
    if name.trim().is_empty() || name.contains(bad) {
        return Err(Fail::parameter("name", "is empty or holds characters that are not allowed"));
    }
    if extension.is_empty() && switches.refuse_no_extension {
        return Err(Fail::parameter("extension", "is missing"));
    }
    if stored.size == 0 && switches.refuse_empty {
        return Err(Fail::parameter("file", "is empty"));
    }
    let given = profile(form.fields.get("profile"))?;
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let (cabinet, place, workspace) = destination(tenant, caller, form, switches)?;
    let mut all = place.map(|it| tenant.inherited(it)).unwrap_or_default();
    let definition = tenant.cabinet(&cabinet).cloned().unwrap_or_default();
    for (number, value) in &given {
        let of_workspace = *number == definition.ws_attr || *number == definition.ws_org_attr;
        if of_workspace && all.get(number).is_some_and(|there| there != value) {
            return Err(Fail::new(400, format!("Attribute {number} is set by the workspace")));
        }
        all.insert(*number, value.clone());
    }
    check(tenant, &cabinet, &given, &all, switches.validate_lookups)?;
    let needed = definition.attributes.iter().filter(|it| it.required);
    let missing = needed.into_iter().find(|it| all.get(&it.number).is_none_or(String::is_empty));
    if let Some(missing) = missing
        && switches.require_attributes
        && !form.fields.flag("partialProfiling")
    {
        return Err(Fail::new(400, format!("The required attribute {} is missing", missing.name)));
    }
    // without a destination the profile places it
    let workspace = workspace.or_else(|| tenant.workspace_of(&cabinet, &all));
    let number = tenant.take(None);
    let mut doc = Document {
        number,
        cabinet,
        name,
        workspace,
        folders: Vec::new(),
        attributes: all,
        versions: vec![Version {
            number: 1,
            name: None,
            description: String::new(),
            extension,
            stored,
            user: caller.id.clone(),
            at: call.now,
        }],
        official: 1,
        lock: None,
        deleted: false,
        created: call.now,
        created_by: caller.id.clone(),
        modified: call.now,
        modified_by: caller.id.clone(),
    };
    if let Some(node) = place.and_then(|it| tenant.nodes.get_mut(&it)) {
        put_in(node, &mut doc);
    }
    insert(tenant, doc);
    note(tenant, number, 1, EntryKind::Created, caller, call.now);
    let shown = if call.has(&Flaw::WrongId {}) {
        tenant.doc_order.first().copied().filter(|it| *it != number).unwrap_or(number + 1)
    } else {
        number
    };
    let full = form.fields.get("return").is_some_and(|it| it.eq_ignore_ascii_case("full"));
    let status = switches.upload_status;
    let Some(doc) = world.vendor.tenant.docs.get(&number) else {
        return Err(Fail::new(500, "The document is gone"));
    };
    let mut body = if full {
        render::doc(&world, doc, call.size_delta(), switches)
    } else if switches.short_upload_answer {
        json!({ "id": doc.id() })
    } else {
        let extension = doc.current().map(|it| it.extension.clone());
        json!({
            "id": doc.id(), "envId": ids::env_of_document(number), "name": doc.name, "extension": extension,
        })
    };
    if shown != number {
        let id = json!(ids::digits(shown));
        if full { body["standardAttributes"]["id"] = id } else { body["id"] = id }
    }
    let element = "ndProfile.DocumentStat";
    Ok(Reply::Data(status, element, body))
}

pub(super) fn insert(tenant: &mut Tenant, doc: Document) {
    tenant.doc_order.push(doc.number);
    tenant.docs.insert(doc.number, doc);
}

/// Writes a version into the ledger and the log.
pub(super) fn note(tenant: &mut Tenant, doc: u64, version: u32, kind: EntryKind, caller: &Caller, now: i64) {
    let Some(doc) = tenant.docs.get(&doc) else { return };
    let Some(stored) = doc.version(version) else { return };
    let place = doc.folders.first().or(doc.workspace.as_ref());
    let entry = Entry {
        seq: 0,
        kind,
        document: doc.id(),
        version,
        name: doc.name.clone(),
        extension: stored.extension.clone(),
        size: stored.stored.size,
        blake3: stored.stored.blake3.clone(),
        attributes: doc.attributes.clone(),
        description: stored.description.clone(),
        container: place.map(|it| ids::digits(*it)).unwrap_or_default(),
        workspace: doc.workspace.map(ids::digits).unwrap_or_default(),
        cabinet: doc.cabinet.clone(),
        user: caller.id.clone(),
        at: now,
    };
    let name = match kind {
        EntryKind::Created => "Added",
        EntryKind::Version => "New version",
        EntryKind::Replaced => "Edited",
        EntryKind::Copied => "Copied",
    };
    let activity =
        Activity { name, user: caller.id.clone(), document: doc.id(), title: doc.name.clone(), at: now };
    tenant.activity.push(activity);
    tenant.ledger.push(entry);
}

/// `PUT /v1/Document/{id}/new`, and a check-in.
pub(super) fn version(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    caller: &Caller,
    id: &str,
    given: &Params,
    stored: Arc<Stored>,
) -> Result<Reply> {
    if stored.size == 0 && call.switches.refuse_empty {
        return Err(Fail::parameter("file", "is empty"));
    }
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let number = tenant.changeable(caller, id, call.switches)?.number;
    let Some(doc) = tenant.docs.get_mut(&number) else {
        return Err(Fail::missing("document", call.switches));
    };
    let next = doc.latest() + 1;
    let old = doc.current().map(|it| it.extension.clone()).unwrap_or_default();
    doc.versions.push(Version {
        number: next,
        name: given.get("verName").map(str::to_owned),
        description: given.get("version_description").unwrap_or_default().to_owned(),
        extension: given.get("extension").map_or(old, str::to_owned),
        stored,
        user: caller.id.clone(),
        at: call.now,
    });
    if given.flag("official") {
        doc.official = next;
    }
    (doc.modified, doc.modified_by) = (call.now, caller.id.clone());
    let (official, count) = (doc.official, u32::try_from(doc.versions.len()).unwrap_or(u32::MAX));
    note(tenant, number, next, EntryKind::Version, caller, call.now);
    let text = call.switches.version_numbers_as_text;
    let shown = |number: u32| render::number(number, text);
    let body = json!({
        "latestVersionNumber": shown(next), "newVer": shown(next), "newVersionLabel": next.to_string(),
        "officialVer": shown(official), "officialVerName": official.to_string(), "versions": shown(count),
    });
    Ok(Reply::Data(call.switches.upload_status, "ndProfile.DocVersionInfo", body))
}

/// `PUT /v1/Document/{id}`: the content of the official version.
pub(super) fn replace(
    core: &Core<NetDocuments>,
    call: &Call<'_, NetDocuments>,
    caller: &Caller,
    id: &str,
    stored: Arc<Stored>,
) -> Result<Reply> {
    let mut world = core.world();
    let tenant = &mut world.vendor.tenant;
    let number = tenant.changeable(caller, id, call.switches)?.number;
    let Some(doc) = tenant.docs.get_mut(&number) else {
        return Err(Fail::missing("document", call.switches));
    };
    let official = doc.official;
    if let Some(version) = doc.versions.iter_mut().find(|it| it.number == official) {
        version.stored = stored;
    }
    (doc.modified, doc.modified_by) = (call.now, caller.id.clone());
    note(tenant, number, official, EntryKind::Replaced, caller, call.now);
    Ok(Reply::Empty)
}
