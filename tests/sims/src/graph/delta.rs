//! What changed in a folder, page by page.

use serde_json::{Value, json};

use super::flaws::Flaw;
use super::messages::view;
use super::model::{Change, Graph, Link};
use super::serve::{error, immutable, not_there, page_size};
use super::switches::Owner;
use crate::common::answer::Answer;
use crate::common::core::{Call, Core};

/// Options that may stand in the first call.
const OPTIONS: [&str; 6] = ["$select", "$top", "$expand", "$filter", "$orderby", "changeType"];

/// `GET …/messages/delta`
pub(super) fn answer(core: &Core<Graph>, call: &Call<'_, Graph>, owner: &Owner, folder: &str) -> Answer {
    let query = &call.request.query;
    let token = query.get("$skiptoken").or_else(|| query.get("$deltatoken"));
    let mut world = core.world();
    let Some(place) = world.vendor.mailbox(&owner.id).folder(folder).map(|it| it.id.clone()) else {
        return not_there();
    };
    let link = match token {
        Some(token) => {
            if OPTIONS.iter().any(|it| query.get(it).is_some()) {
                return error(
                    400,
                    "ErrorInvalidUrlQuery",
                    "Query options may only be specified in the first call.",
                );
            }
            let life = i64::from(call.switches.link_seconds) * 1000;
            let known = world.vendor.links.get(token).filter(|it| call.now - it.made <= life);
            let Some(link) = known.filter(|it| it.user == owner.id && it.folder == place) else {
                let text = "The sync state generation is not found; continue with a full synchronization.";
                return error(410, "SyncStateNotFound", text);
            };
            link.clone()
        }
        None => Link {
            user: owner.id.clone(),
            folder: place.clone(),
            select: query.get("$select").unwrap_or_default().to_owned(),
            rest: None,
            since: 0,
            made: call.now,
        },
    };
    let mailbox = world.vendor.mailbox(&owner.id);
    let upto = if link.rest.is_some() { link.since } else { mailbox.seq };
    let first = link.since == 0 && token.is_none();
    let all = link.rest.clone().unwrap_or_else(|| {
        let changes = mailbox.changes(&place, link.since);
        // A first look shows what is there, not what was.
        changes.into_iter().filter(|it| !(first && it.removed)).collect()
    });
    let size = page_size(call.request).unwrap_or(usize::MAX).min(call.switches.page).max(1);
    let size = if call.has(&Flaw::EmptyPage) { 0 } else { size.min(all.len()) };
    let (page, rest) = all.split_at(size);
    let entries: Vec<Value> =
        page.iter().filter_map(|it| entry(mailbox, *it, immutable(call.request), &link.select)).collect();
    let more = !rest.is_empty() || call.has(&Flaw::EmptyPage);
    let rest = more.then(|| rest.to_vec());
    let next = Link { rest, since: upto, made: call.now, ..link };
    let name = core.bank().random();
    world.vendor.links.insert(name.clone(), next);
    let kind = if more { "skiptoken" } else { "deltatoken" };
    let at = format!("{}/v1.0/users('{}')/mailFolders('{place}')/messages/delta", core.base, owner.id);
    let mut link = format!("{at}?${kind}={name}");
    if call.has(&Flaw::ForeignLink) {
        link = link.replace(&core.base, "http://127.0.0.2:9");
    }
    if let (true, Some(token)) = (call.has(&Flaw::SameLink), token) {
        link = format!("{at}?$skiptoken={token}");
    }
    Answer::json(200, &body(call, entries, &link, more || call.has(&Flaw::SameLink)))
}

fn body(call: &Call<'_, Graph>, mut entries: Vec<Value>, link: &str, more: bool) -> Value {
    if call.has(&Flaw::Twice) {
        entries.extend(entries.clone());
    }
    if call.has(&Flaw::Nonsense) {
        entries.insert(0, json!({"subject": "nobody"}));
        entries.push(json!(7));
    }
    let mut body = json!({"@odata.context": "$metadata#Collection(message)", "value": entries});
    if !call.has(&Flaw::NoLink) {
        body[if more { "@odata.nextLink" } else { "@odata.deltaLink" }] = json!(link);
    }
    body
}

fn entry(mailbox: &super::model::Mailbox, change: Change, immutable: bool, select: &str) -> Option<Value> {
    if change.removed {
        let message = mailbox.any(change.number)?;
        let id = message.id(immutable);
        return Some(
            json!({"@odata.type": "#microsoft.graph.message", "id": id, "@removed": {"reason": "deleted"}}),
        );
    }
    // It may have gone since the first page.
    let message = mailbox.any(change.number)?;
    let mut shown = view(message, immutable, select);
    shown["@odata.type"] = json!("#microsoft.graph.message");
    Some(shown)
}
