//! Files: lists, one by one, their bytes and versions, and what moves, copies and deletes them.

use serde_json::{Value, json};

use super::body::text;
use super::desk::{Desk, Outcome};
use super::model::{Change, File, Level, Version};
use super::render::moment;
use super::sites;
use crate::common::answer::Answer;

/// The folder of `q="folderid=345"`; the quotes are part of the value.
fn folder_of_query(query: &str) -> Option<u64> {
    query.strip_prefix("\"folderid=")?.strip_suffix('"')?.parse().ok()
}

/// `GET files?q=`.
pub(super) fn list(desk: &Desk<'_>) -> Outcome {
    let folder = desk.param("q").and_then(folder_of_query);
    let folder = folder.ok_or_else(|| desk.refuse(400, 403, "q is not valid"))?;
    desk.served(folder)?;
    let ids = desk.tenant.in_folder.get(&folder).map(Vec::as_slice).unwrap_or_default();
    let mut files: Vec<&File> =
        ids.iter().filter_map(|id| desk.tenant.files.get(id)).filter(|it| !it.deleted).collect();
    let name = |file: &File| file.latest().map(|it| it.name.clone()).unwrap_or_default();
    match desk.param("ordertype").unwrap_or("name") {
        "lastModified" => files.sort_by_key(|it| it.latest().map_or(0, |it| it.at)),
        "size" => files.sort_by_key(|it| it.latest().map_or(0, |it| it.size)),
        _ => files.sort_by_key(|it| name(it)),
    }
    if desk.param("orderby") != Some("asc") {
        files.reverse();
    }
    let (offset, limit) = desk.window(100);
    let total = desk.number(files.len() as u64);
    let dms = desk.call.switches.listing_dms;
    let page: Vec<Value> =
        files.into_iter().skip(offset).take(limit).map(|file| shown(desk, file, dms)).collect();
    desk.show("files", &json!({ "filetotal": total, "file": page }))
}

/// `GET files/{id}`.
pub(super) fn one(desk: &Desk<'_>, id: u64) -> Outcome {
    let file = desk.file(id)?;
    desk.show("file", &shown(desk, file, desk.param("lastdmsinfo") == Some("true")))
}

/// A file as answers show it.
pub(super) fn shown(desk: &Desk<'_>, file: &File, dms: bool) -> Value {
    let Some(latest) = file.latest() else { return Value::Null };
    let (stem, kind) = latest.name.rsplit_once('.').unwrap_or((&latest.name, ""));
    let name = if desk.call.switches.names_with_extension { latest.name.as_str() } else { stem };
    let location = desk.tenant.folders.get(&file.folder).map(|it| desk.tenant.location(it));
    let mut shown = json!({
        "name": name, "id": desk.number(file.id), "versionid": desk.number(file.versions.len() as u64),
        "versionnote": latest.note, "type": kind, "size": desk.number(latest.size),
        "createddate": file.versions.first().map(|it| moment(it.at)), "modifieddate": moment(latest.at),
        "folderid": desk.number(file.folder), "location": location,
        "checkedoutby": file.lock.as_deref().map(|id| desk.shown_person(id)),
    });
    if dms && let Value::Object(map) = &mut shown {
        match desk.call.switches.dms_block.as_str() {
            "" => map.extend(latest.dms.iter().map(|(k, v)| (k.clone(), json!(v)))),
            block => drop(map.insert(block.to_owned(), json!(latest.dms))),
        }
    }
    shown
}

/// `GET files/{id}/content`.
pub(super) fn download(desk: &Desk<'_>, id: u64) -> Outcome {
    let file = desk.file(id)?;
    let key = desk.call.switches.version_parameter.as_str();
    let wanted = if key.is_empty() { None } else { desk.numeric(key) };
    let version = match wanted {
        Some(n) => usize::try_from(n - 1).ok().and_then(|at| file.versions.get(at)),
        None => file.latest(),
    };
    let version = version.ok_or_else(|| desk.missing("Version"))?;
    let Some(bytes) = &version.stored.bytes else {
        return Err(desk.refuse(500, 500, "The simulator did not keep this file"));
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' };
    let name: String = version.name.chars().map(plain).collect();
    let answer = Answer::new(200, "application/octet-stream", bytes.clone());
    Ok(answer.header("Content-Disposition", &format!("attachment; filename=\"{name}\"")))
}

/// `GET files/{id}/versions`.
pub(super) fn versions(desk: &Desk<'_>, id: u64) -> Outcome {
    let file = desk.file(id)?;
    let (offset, limit) = desk.window(25);
    let list = file.versions.iter().enumerate().rev().skip(offset).take(limit).map(|(at, version)| {
        json!({
            "number": desk.number(at as u64 + 1), "createddate": moment(version.at),
            "author": desk.shown_person(&version.user), "notes": version.note,
            "extension": version.name.rsplit_once('.').map(|it| it.1),
        })
    });
    desk.show("versions", &json!({ "version": list.collect::<Vec<_>>() }))
}

/// `PUT files/{id}/parent?targetfolderid=`.
pub(super) fn move_to(desk: &mut Desk<'_>, id: u64) -> Outcome {
    let to = desk.numeric("targetfolderid").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    carry(desk, id, to)?;
    let file = desk.file(id)?;
    desk.show("file", &shown(desk, file, false))
}

/// `PUT files/move?targetfolder=`.
pub(super) fn move_several(desk: &mut Desk<'_>) -> Outcome {
    let to = desk.numeric("targetfolder").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let list = text(&desk.body()?["fileidCSV"]);
    for id in list.split(',').filter_map(|id| id.trim().parse().ok()) {
        carry(desk, id, to)?;
    }
    desk.show("files", &json!({}))
}

fn carry(desk: &mut Desk<'_>, id: u64, to: u64) -> Result<(), Answer> {
    let from = desk.changeable(id)?.folder;
    desk.writable(to)?;
    if let Some(list) = desk.tenant.in_folder.get_mut(&from) {
        list.retain(|file| *file != id);
    }
    desk.tenant.in_folder.entry(to).or_default().push(id);
    if let Some(file) = desk.tenant.files.get_mut(&id) {
        file.folder = to;
    }
    Ok(())
}

/// `POST files/{id}/parent?targetfolderid=`: the newest version only.
pub(super) fn copy(desk: &mut Desk<'_>, id: u64) -> Outcome {
    let to = desk.numeric("targetfolderid").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let latest = desk.file(id)?.latest().cloned();
    let mut version = latest.ok_or_else(|| desk.missing("File"))?;
    desk.writable(to)?;
    if !desk.call.switches.copies_keep_dms {
        version.dms.clear();
    }
    version.user.clone_from(&desk.who);
    version.at = desk.call.now;
    let copy = put(desk, to, version);
    let answer = match desk.tenant.files.get(&copy) {
        Some(file) if desk.call.switches.copy_answer => shown(desk, file, false),
        _ => json!({ "message": "Copied" }),
    };
    desk.show("file", &answer)
}

/// `DELETE files/{id}`: into the recycle bin; a success also where it is there already.
pub(super) fn delete(desk: &mut Desk<'_>, id: u64) -> Outcome {
    let known = desk.tenant.files.get(&id).ok_or_else(|| desk.missing("File"))?;
    if !known.deleted {
        let folder = desk.changeable(id)?.folder;
        let folder = desk.folder(folder)?;
        if desk.tenant.level(&desk.who, folder) < Level::Update {
            return Err(desk.denied());
        }
        if let Some(file) = desk.tenant.files.get_mut(&id) {
            file.deleted = true;
        }
    }
    desk.show("file", &json!({ "message": "Deleted" }))
}

/// Puts a new file into a folder, and its record into the site's metadata sheet. Gives its id.
pub(super) fn put(desk: &mut Desk<'_>, folder: u64, version: Version) -> u64 {
    let id = desk.tenant.id();
    let site = desk.tenant.folders.get(&folder).map_or(0, |it| it.site);
    let client = version.client.clone();
    let file = File { id, folder, versions: vec![version], lock: None, deleted: false, record: None };
    desk.tenant.files.insert(id, file);
    if !desk.call.switches.late_records {
        desk.tenant.make_records();
    }
    desk.tenant.in_folder.entry(folder).or_default().push(id);
    desk.tenant.changes.push(Change { site, kind: "ADDED", file: id, client });
    desk.tenant.tell_of_file(id, "ACTIVITY_DOCUMENT_ADDED");
    id
}

/// `GET changes?siteid=&syncpositionid=`.
pub(super) fn changes(desk: &Desk<'_>) -> Outcome {
    let site = sites::of_parameter(desk)?;
    let from = desk.numeric("syncpositionid").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let all = &desk.tenant.changes;
    let shown = all
        .iter()
        .skip(from)
        .filter(|it| it.site == site)
        .map(|it| json!({ "type": it.kind, "fileid": desk.number(it.file), "sourceclient": it.client }));
    let shown: Vec<Value> = shown.collect();
    desk.show("changes", &json!({ "syncpositionid": desk.number(all.len() as u64), "change": shown }))
}
