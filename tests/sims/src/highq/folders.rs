//! Folders: one, those in another one, and new ones.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::body::text;
use super::desk::{Desk, Outcome};
use super::model::{Folder, Level};
use super::render::moment;
use crate::common::answer::Answer;

/// `GET folders/{id}`.
pub(super) fn one(desk: &Desk<'_>, id: u64) -> Outcome {
    let folder = desk.folder(id)?;
    desk.show("folder", &shown(desk, folder))
}

/// `GET folders/{id}/isheetRecordID`.
pub(super) fn record_id(desk: &Desk<'_>, id: u64) -> Outcome {
    if !desk.call.switches.folder_records {
        return Err(Answer::not_found());
    }
    let record = desk.folder(id)?.record.ok_or_else(|| desk.missing("Record"))?;
    desk.show("isheetrecord", &json!({ "isheetRecordID": record.to_string() }))
}

fn shown(desk: &Desk<'_>, folder: &Folder) -> Value {
    let level = desk.tenant.level(&desk.who, folder);
    let may = |wanted: Level| if level >= wanted { "1" } else { "0" };
    json!({
        "id": desk.number(folder.id), "name": folder.name, "siteid": desk.number(folder.site),
        "parentFolderID": folder.parent.map(|id| desk.number(id)),
        "permission": {
            "view": may(Level::View), "edit": may(Level::Update), "delete": may(Level::Admin),
            "addEditAllFiles": may(Level::Update), "viewAllFiles": may(Level::View), "admin": may(Level::Admin),
        },
        "accessInherited": if folder.inherited { "1" } else { "0" },
        "description": folder.description, "location": desk.tenant.location(folder),
        "createddate": moment(folder.created), "modifieddate": moment(folder.created),
        "dms": folder.dms, "createdby": desk.shown_person(&folder.user),
    })
}

/// `GET folders/{id}/items`: folders only.
pub(super) fn list(desk: &Desk<'_>, id: u64) -> Outcome {
    desk.folder(id)?;
    let ids = desk.tenant.children.get(&id).map(Vec::as_slice).unwrap_or_default();
    let folders = ids.iter().filter_map(|id| desk.tenant.folders.get(id));
    let mut folders: Vec<&Folder> =
        folders.filter(|it| !it.deleted && desk.tenant.level(&desk.who, it) > Level::None).collect();
    folders.sort_by(|a, b| match desk.param("ordertype").unwrap_or("name") {
        "lastModified" => a.created.cmp(&b.created),
        "author" => a.user.cmp(&b.user),
        _ => a.name.cmp(&b.name),
    });
    if desk.param("orderby") == Some("desc") {
        folders.reverse();
    }
    let (offset, limit) = desk.window(100);
    let page: Vec<Value> = folders.into_iter().skip(offset).take(limit).map(|it| brief(desk, it)).collect();
    desk.show("folders", &json!({ "folder": page }))
}

/// A folder as lists show it: its permission is one word.
fn brief(desk: &Desk<'_>, folder: &Folder) -> Value {
    let word = match desk.tenant.level(&desk.who, folder) {
        _ if folder.smart => "VIEW",
        Level::None | Level::View => "VIEW",
        Level::Update => "UPDATE",
        Level::Admin => "ADMIN",
    };
    let below = desk.tenant.children.get(&folder.id).map_or(0, Vec::len) as u64;
    json!({
        "id": desk.number(folder.id), "name": folder.name, "permission": word,
        "child": desk.number(below), "foldertype": if folder.smart { "SMART" } else { "" },
    })
}

/// `POST folders?parentfolderid=`.
pub(super) fn create(desk: &mut Desk<'_>) -> Outcome {
    let parent = desk.numeric("parentfolderid").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let sent = desk.xml()?;
    let above = desk.writable(parent)?;
    let (site, name) = (above.site, text(&sent["name"]));
    if name.is_empty() || name.chars().count() > 200 {
        return Err(desk.refuse(400, 401, "The name is not valid"));
    }
    let taken = |id: &u64| {
        let folder = desk.tenant.folders.get(id).filter(|it| !it.deleted);
        folder.is_some_and(|it| it.name.to_lowercase().cmp(&name.to_lowercase()) == Ordering::Equal)
    };
    let taken = desk.tenant.children.get(&parent).is_some_and(|ids| ids.iter().any(taken));
    if taken && !desk.call.switches.duplicate_folders {
        return Err(desk.refuse(409, 402, "A folder of that name exists"));
    }
    let dms = sent["dms"].as_object().map(|map| map.iter().map(|(k, v)| (k.clone(), text(v))));
    let folder = Folder {
        id: desk.tenant.id(),
        site,
        parent: Some(parent),
        name,
        description: text(&sent["description"]),
        smart: false,
        inherited: text(&sent["accessInherited"]) == "1",
        rights: BTreeMap::new(),
        dms: dms.map(Iterator::collect).unwrap_or_default(),
        user: desk.who.clone(),
        created: desk.call.now,
        deleted: false,
        record: None,
    };
    let answer = shown(desk, &folder);
    desk.tenant.put_folder(folder);
    if !desk.call.switches.late_records {
        desk.tenant.make_records();
    }
    desk.show("folder", &answer)
}
