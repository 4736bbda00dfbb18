//! Receiving documents: a multipart form whose names are case-sensitive, its file hashed as it comes.

use std::collections::BTreeMap;

use actix_multipart::{Field, Multipart};
use actix_web::HttpRequest;
use actix_web::web::Payload;
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::json;

use super::desk::{self, Desk, Outcome, parts};
use super::files::{put, shown};
use super::flaws::Flaw;
use super::model::{Change, Stored, Version};
use super::render::{refuse, show};
use super::serve::HighQ;
use super::switches::{Duplicate, UploadAnswer};
use crate::common::answer::Answer;
use crate::common::core::{Call, Core};
use crate::common::dispatch::drain;

/// A form field longer than this is a mistake.
const MAX_FIELD: usize = 64 << 10;
const KEYS: [&str; 5] = ["dmsparentfolderid", "dmsdatabasename", "dmsdocid", "dmsversion", "dmseditdate"];

/// What came.
struct Received {
    fields: BTreeMap<String, String>,
    stored: Stored,
}

/// An upload that is being received, counted.
struct InFlight<'a>(&'a Core<HighQ>);

impl<'a> InFlight<'a> {
    fn new(core: &'a Core<HighQ>) -> Self {
        let tenant = &mut core.world().vendor.tenant;
        tenant.in_flight += 1;
        tenant.most_in_flight = tenant.most_in_flight.max(tenant.in_flight);
        Self(core)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.world().vendor.tenant.in_flight -= 1;
    }
}

/// Answers `POST files/content` and `POST files/{id}/content`.
pub(super) async fn receive(
    core: &Core<HighQ>,
    call: Call<'_, HighQ>,
    req: &HttpRequest,
    mut payload: Payload,
) -> Option<Answer> {
    for flaw in call.flaws {
        if let Flaw::ResetAfterRead { bytes } = flaw {
            let mut left = *bytes;
            while left > 0 {
                let Some(Ok(chunk)) = payload.next().await else { break };
                left = left.saturating_sub(chunk.len() as u64);
            }
            return None;
        }
    }
    let who = match desk::admit(core, &call) {
        Ok(who) => who,
        Err(answer) => {
            drain(&mut payload).await;
            return Some(answer);
        }
    };
    let _in_flight = InFlight::new(core);
    let received = match read(core, &call, req, payload).await {
        Ok(received) => received,
        Err(answer) => return Some(answer),
    };
    let outcome = desk::with(core, &call, who, |desk| commit(desk, &received));
    if call.switches.drop_after_upload && outcome.is_ok() {
        return None;
    }
    Some(outcome.unwrap_or_else(|answer| answer))
}

async fn read(
    core: &Core<HighQ>,
    call: &Call<'_, HighQ>,
    req: &HttpRequest,
    payload: Payload,
) -> Result<Received, Answer> {
    let broken = || refuse(call, 400, 400, "The form cannot be read");
    let keep = core.world().vendor.keep_bytes;
    let (mut fields, mut stored) = (BTreeMap::new(), None);
    let mut form = Multipart::new(req.headers(), payload);
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|_| broken())?;
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            stored = Some(sink(&mut field, call, keep).await?);
            continue;
        }
        let mut text = Vec::new();
        while let Some(chunk) = field.next().await {
            text.extend_from_slice(&chunk.map_err(|_| broken())?);
            if text.len() > MAX_FIELD {
                return Err(broken());
            }
        }
        fields.insert(name, String::from_utf8(text).map_err(|_| broken())?);
    }
    let stored = stored.ok_or_else(|| refuse(call, 400, 404, "file is missing"))?;
    Ok(Received { fields, stored })
}

async fn sink(field: &mut Field, call: &Call<'_, HighQ>, keep: u64) -> Result<Stored, Answer> {
    let (mut size, mut hasher, mut kept) = (0_u64, blake3::Hasher::new(), Some(Vec::new()));
    let truncate = call.flaws.iter().find_map(|flaw| match flaw {
        Flaw::Truncate { bytes } => Some(*bytes),
        _ => None,
    });
    while let Some(chunk) = field.next().await {
        let chunk = chunk.map_err(|_| refuse(call, 400, 400, "The form cannot be read"))?;
        let room = truncate.map_or(u64::MAX, |limit| limit.saturating_sub(size));
        let chunk = &chunk[..usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len())];
        hasher.update(chunk);
        size += chunk.len() as u64;
        if call.switches.max_upload_bytes.is_some_and(|max| size > max) {
            // the rest is read, so that the client gets to see the answer
            while field.next().await.is_some() {}
            return Err(refuse(call, 413, 413, "The file is too large"));
        }
        if size > keep {
            kept = None;
        } else if let Some(kept) = &mut kept {
            kept.extend_from_slice(chunk);
        }
    }
    let blake3 = hasher.finalize().to_hex().to_string();
    Ok(Stored { size, blake3, bytes: kept.map(Bytes::from) })
}

fn commit(desk: &mut Desk<'_>, received: &Received) -> Outcome {
    let path = desk.call.request.path.clone();
    let of = parts(&path).and_then(|parts| parts.get(1).and_then(|id| id.parse::<u64>().ok()));
    let name = received.fields.get("filename").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| desk.refuse(400, 405, "filename is missing"))?.clone();
    let delta: i64 = desk
        .call
        .flaws
        .iter()
        .map(|flaw| if let Flaw::WrongSize { delta } = flaw { *delta } else { 0 })
        .sum();
    let keys = KEYS.iter().filter_map(|key| Some(((*key).to_owned(), received.fields.get(*key)?.clone())));
    let version = Version {
        name,
        size: received.stored.size.saturating_add_signed(delta),
        stored: received.stored.clone(),
        note: received.fields.get("versionnote").cloned().unwrap_or_default(),
        dms: keys.collect(),
        user: desk.who.clone(),
        client: desk.param("sourceclient").unwrap_or_default().to_owned(),
        at: desk.call.now,
    };
    let id = match of {
        Some(id) => {
            desk.changeable(id)?;
            add_version(desk, id, version)
        }
        None => new_file(desk, version)?,
    };
    answer(desk, id)
}

fn add_version(desk: &mut Desk<'_>, id: u64, version: Version) -> u64 {
    let client = version.client.clone();
    let mut folder = 0;
    if let Some(file) = desk.tenant.files.get_mut(&id) {
        file.versions.push(version);
        folder = file.folder;
    }
    let site = desk.tenant.folders.get(&folder).map_or(0, |it| it.site);
    desk.tenant.changes.push(Change { site, kind: "VERSION", file: id, client });
    desk.tenant.tell_of_file(id, "ACTIVITY_VERSION_UPLOADED");
    id
}

fn new_file(desk: &mut Desk<'_>, mut version: Version) -> Result<u64, Answer> {
    let folder = desk.numeric("parentfolderid").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    desk.writable(folder)?;
    let same = |name: &str| {
        let ids = desk.tenant.in_folder.get(&folder)?;
        let mut files = ids.iter().filter_map(|id| desk.tenant.files.get(id)).filter(|it| !it.deleted);
        files.find(|it| it.latest().is_some_and(|it| it.name == name)).map(|it| it.id)
    };
    let switches = desk.call.switches;
    let wish = if desk.call.request.query.flag("overrideduplicate") {
        switches.override_duplicate
    } else {
        switches.duplicate
    };
    if let Some(twin) = same(&version.name) {
        match wish {
            Duplicate::Keep => {}
            Duplicate::Refuse => return Err(desk.refuse(409, 406, "A file of that name exists")),
            Duplicate::Version => {
                desk.changeable(twin)?;
                return Ok(add_version(desk, twin, version));
            }
            Duplicate::Number => {
                let (stem, end) = version.name.rsplit_once('.').unwrap_or((&version.name, ""));
                let dot = if end.is_empty() { "" } else { "." };
                let free =
                    (2..100_000).map(|n| format!("{stem} ({n}){dot}{end}")).find(|it| same(it).is_none());
                version.name = free.unwrap_or_default();
            }
        }
    }
    Ok(put(desk, folder, version))
}

fn answer(desk: &Desk<'_>, id: u64) -> Outcome {
    let switches = desk.call.switches;
    let file = desk.tenant.files.get(&id).ok_or_else(|| desk.missing("File"))?;
    let mut file = shown(desk, file, true);
    let wrong = desk.call.flaws.iter().any(|flaw| matches!(flaw, Flaw::WrongId {}));
    let id = if wrong { id + 1_000_000 } else { id };
    file["id"] = desk.number(id);
    let body = match switches.upload_answer {
        UploadAnswer::File => file,
        UploadAnswer::Wrapped => json!({ "file": file }),
        UploadAnswer::DocumentId => json!({ "documentid": desk.number(id) }),
        UploadAnswer::Message => json!({ "message": "The file was uploaded" }),
        UploadAnswer::Empty => return Ok(Answer::new(switches.upload_status, "text/plain", "")),
    };
    Ok(show(desk.call, switches.upload_status, "file", &body))
}
