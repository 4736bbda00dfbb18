//! Folders, and single messages.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::flaws::Flaw;
use super::model::{Folder, Graph, Mailbox, Message};
use super::serve::{error, immutable, not_there};
use super::subscriptions;
use super::switches::Owner;
use crate::common::answer::Answer;
use crate::common::core::{Call, Core};
use crate::common::request::Request;

/// Folders on a page.
const PAGE: usize = 10;

fn shown(mailbox: &Mailbox, folder: &Folder) -> Value {
    let children = mailbox.folders.iter().filter(|it| it.parent.as_deref() == Some(&folder.id)).count();
    let total = mailbox.messages.values().filter(|it| it.folder == folder.id).count();
    json!({
        "id": folder.id, "displayName": folder.name, "parentFolderId": folder.parent,
        "childFolderCount": children, "totalItemCount": total, "unreadItemCount": 0, "isHidden": false,
    })
}

/// `GET …/mailFolders`, `GET …/childFolders`
pub(super) fn folders(
    core: &Core<Graph>,
    call: &Call<'_, Graph>,
    owner: &Owner,
    within: Option<&str>,
) -> Answer {
    let mut world = core.world();
    let mailbox = world.vendor.mailbox(&owner.id);
    let Some(parent) = mailbox.folder(within.unwrap_or("msgfolderroot")).map(|it| it.id.clone()) else {
        return not_there();
    };
    let all: Vec<&Folder> = mailbox.folders.iter().filter(|it| it.parent.as_ref() == Some(&parent)).collect();
    let skip: usize = call.request.query.get("$skip").and_then(|it| it.parse().ok()).unwrap_or(0);
    let top = call.request.query.get("$top").and_then(|it| it.parse().ok()).unwrap_or(PAGE).min(PAGE);
    let page: Vec<Value> = all.iter().skip(skip).take(top).map(|it| shown(mailbox, it)).collect();
    let mut body = json!({ "value": page });
    if skip + top < all.len() {
        let next = format!("{}{}?%24top={top}&%24skip={}", core.base, call.request.path, skip + top);
        body["@odata.nextLink"] = json!(next);
    }
    Answer::json(200, &body)
}

/// `GET …/mailFolders/{folder}`
pub(super) fn folder(core: &Core<Graph>, owner: &Owner, name: &str) -> Answer {
    let mut world = core.world();
    let mailbox = world.vendor.mailbox(&owner.id);
    mailbox.folder(name).map_or_else(not_there, |folder| Answer::json(200, &shown(mailbox, folder)))
}

/// `POST …/mailFolders`, `POST …/childFolders`
pub(super) fn make_folder(
    core: &Core<Graph>,
    call: &Call<'_, Graph>,
    owner: &Owner,
    within: Option<&str>,
) -> Answer {
    if !call.switches.may_write {
        return denied();
    }
    let body: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
    let Some(name) = body["displayName"].as_str().filter(|it| !it.is_empty()) else {
        return error(400, "ErrorInvalidRequest", "displayName is missing.");
    };
    let mut world = core.world();
    let mailbox = world.vendor.mailbox(&owner.id);
    let Some(parent) = mailbox.folder(within.unwrap_or("msgfolderroot")).map(|it| it.id.clone()) else {
        return not_there();
    };
    if mailbox.folders.iter().any(|it| it.parent.as_ref() == Some(&parent) && it.name == name) {
        return error(409, "ErrorFolderExists", "A folder with the specified name already exists.");
    }
    let id = mailbox.add_folder(name, Some(parent));
    mailbox.folder(&id).map_or_else(not_there, |folder| Answer::json(201, &shown(mailbox, folder)))
}

fn denied() -> Answer {
    error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// A message with the properties that are wanted; none named means all.
pub(super) fn view(message: &Message, immutable: bool, select: &str) -> Value {
    let id = message.id(immutable);
    let whole = json!({
        "subject": message.field("Subject"), "internetMessageId": message.field("Message-ID"),
        "receivedDateTime": time(message.received), "sentDateTime": time(message.received),
        "internetMessageHeaders": message.headers(), "createdDateTime": time(message.received),
        "changeKey": format!("CQAA{}", message.seq), "hasAttachments": false, "parentFolderId": message.folder,
        "isRead": message.is_read, "isDraft": message.is_draft, "categories": message.categories,
        "importance": "normal", "bodyPreview": "",
        "from": {"emailAddress": {"name": "", "address": message.field("From")}},
    });
    let mut shown = Map::new();
    shown.insert("@odata.etag".to_owned(), json!(format!("W/\"CQAA{}\"", message.seq)));
    shown.insert("id".to_owned(), json!(id));
    if let Value::Object(whole) = whole {
        let wanted = |key: &String| select.is_empty() || select.split(',').any(|it| it.trim() == key);
        shown.extend(whole.into_iter().filter(|(key, _)| wanted(key)));
    }
    Value::Object(shown)
}

/// `GET …/mailFolders/{folder}/messages`, of which `$filter=sentDateTime ge …`, `$orderby=sentDateTime desc` and `$top` are understood.
pub(super) fn list(core: &Core<Graph>, call: &Call<'_, Graph>, owner: &Owner, name: &str) -> Answer {
    let query = &call.request.query;
    let since = query.get("$filter").map(|filter| {
        let at = filter.strip_prefix("sentDateTime ge ")?;
        at.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
    });
    let ordered = query.get("$orderby").is_none_or(|it| it == "sentDateTime desc");
    let (Some(since), true) = (since.unwrap_or(Some(0)), ordered) else {
        return error(
            400,
            "ErrorInvalidUrlQueryFilter",
            "The query filter contains one or more invalid nodes.",
        );
    };
    let mut world = core.world();
    let mailbox = world.vendor.mailbox(&owner.id);
    let Some(folder) = mailbox.folder(name).map(|it| it.id.clone()) else { return not_there() };
    let mut all: Vec<&Message> =
        mailbox.messages.values().filter(|it| it.folder == folder && it.received >= since).collect();
    all.sort_by_key(|it| std::cmp::Reverse((it.received, it.number)));
    let number = |name: &str| query.get(name).and_then(|it| it.parse::<usize>().ok());
    let (skip, top) = (number("$skip").unwrap_or(0), number("$top").unwrap_or(PAGE).clamp(1, 1000));
    let select = query.get("$select").unwrap_or_default();
    let page = all.iter().skip(skip).take(top).map(|it| view(it, immutable(call.request), select));
    let mut body = json!({ "value": page.collect::<Vec<_>>() });
    if skip + top < all.len() {
        let mut next = format!("{}{}?%24top={top}&%24skip={}", core.base, call.request.path, skip + top);
        for name in ["$filter", "$orderby", "$select"] {
            if let Some(value) = query.get(name) {
                next.extend(["&%24", &name[1..], "="]);
                next.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
            }
        }
        body["@odata.nextLink"] = json!(next);
    }
    Answer::json(200, &body)
}

/// `GET …/messages?$filter=internetMessageId eq '<…>'`
pub(super) fn find(core: &Core<Graph>, call: &Call<'_, Graph>, owner: &Owner) -> Answer {
    let filter = call.request.query.get("$filter").unwrap_or_default();
    let Some(wanted) = filter.strip_prefix("internetMessageId eq '").and_then(|it| it.strip_suffix('\''))
    else {
        return error(
            400,
            "ErrorInvalidUrlQueryFilter",
            "The query filter contains one or more invalid nodes.",
        );
    };
    let wanted = wanted.replace("''", "'");
    let mut world = core.world();
    let select = call.request.query.get("$select").unwrap_or_default();
    let all = world.vendor.mailbox(&owner.id).messages.values();
    let found = all.filter(|it| it.field("Message-ID") == wanted);
    let list: Vec<Value> = found.map(|it| view(it, immutable(call.request), select)).collect();
    Answer::json(200, &json!({ "value": list }))
}

/// Everything about one message.
pub(super) fn answer(
    core: &Core<Graph>,
    call: &Call<'_, Graph>,
    owner: &Owner,
    item: &str,
    rest: &[&str],
) -> Answer {
    if !item.starts_with("AA") || item.len() < 20 {
        return error(400, "ErrorInvalidIdMalformed", "Id is malformed.");
    }
    let (request, method) = (call.request, call.request.method.as_str());
    let mut world = core.world();
    let mailbox = world.vendor.mailbox(&owner.id);
    let Some(number) = mailbox.by_id(item) else { return not_there() };
    let writes = method != "GET";
    if writes && !call.switches.may_write {
        return denied();
    }
    match (method, rest) {
        ("GET", []) => shown_whole(mailbox, number, request),
        ("GET", ["$value"]) => {
            let mime = mailbox.any(number).map(|it| it.mime.clone()).unwrap_or_default();
            Answer::new(200, "text/plain", if call.has(&Flaw::Empty) { bytes::Bytes::new() } else { mime })
        }
        ("PATCH", []) => {
            let outcome = patch(mailbox, number, &request.body);
            if let Err(answer) = outcome {
                return answer;
            }
            let answer = shown_whole(mailbox, number, request);
            drop(world);
            subscriptions::tell(core, owner, number, "updated", call.now);
            answer
        }
        ("DELETE", []) => {
            let bin = mailbox.folder("deleteditems").map(|it| it.id.clone());
            mailbox.relocate(number, bin.as_deref());
            Answer::new(204, "text/plain", "")
        }
        ("POST", ["move"]) => {
            let Some(to) = target(mailbox, &request.body) else { return not_there() };
            mailbox.relocate(number, Some(&to));
            let answer = moved(mailbox, number, request);
            drop(world);
            subscriptions::tell(core, owner, number, "created", call.now);
            answer
        }
        ("POST", ["copy"]) => {
            let Some(to) = target(mailbox, &request.body) else { return not_there() };
            let mime = mailbox.any(number).map(|it| it.mime.clone()).unwrap_or_default();
            let copy = mailbox.add(&to, &mime, call.now);
            let answer = moved(mailbox, copy, request);
            drop(world);
            subscriptions::tell(core, owner, copy, "created", call.now);
            answer
        }
        _ => error(405, "ErrorInvalidRequest", "The method is not allowed."),
    }
}

fn moved(mailbox: &Mailbox, number: u64, request: &Request) -> Answer {
    let message = mailbox.messages.get(&number);
    message.map_or_else(not_there, |it| Answer::json(201, &view(it, immutable(request), "")))
}

fn target(mailbox: &Mailbox, body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    mailbox.folder(body["destinationId"].as_str()?).map(|it| it.id.clone())
}

fn shown_whole(mailbox: &Mailbox, number: u64, request: &Request) -> Answer {
    let Some(message) = mailbox.messages.get(&number) else { return not_there() };
    let mut shown = view(message, immutable(request), request.query.get("$select").unwrap_or_default());
    let expand = request.query.get("$expand").unwrap_or_default();
    let wanted: BTreeMap<&String, &String> =
        message.properties.iter().filter(|(id, _)| expand.contains(&format!("'{id}'"))).collect();
    if !wanted.is_empty() {
        let list: Vec<Value> = wanted.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
        shown["singleValueExtendedProperties"] = json!(list);
    }
    Answer::json(200, &shown)
}

/// Changes what may be changed of a message that was sent.
fn patch(mailbox: &mut Mailbox, number: u64, body: &[u8]) -> Result<(), Answer> {
    let Ok(Value::Object(change)) = serde_json::from_slice::<Value>(body) else {
        return Err(error(400, "BadRequest", "Unable to read JSON request payload."));
    };
    let known = ["isRead", "categories", "singleValueExtendedProperties", "flag", "importance"];
    if change.keys().any(|key| !known.contains(&key.as_str())) {
        return Err(error(400, "ErrorInvalidPropertySet", "The property cannot be changed after sending."));
    }
    let texts = |list: &Value| {
        list.as_array().map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    };
    let mut properties = Vec::new();
    for property in
        change.get("singleValueExtendedProperties").and_then(Value::as_array).into_iter().flatten()
    {
        let (Some(id), Some(value)) = (property["id"].as_str(), property["value"].as_str()) else {
            return Err(error(400, "ErrorInvalidRequest", "A property needs an id and a value."));
        };
        let form = id.starts_with("String {") && id.contains("} Name ");
        if !form {
            return Err(error(400, "ErrorInvalidExtendedPropertyId", "The property id is not valid."));
        }
        properties.push((id.to_owned(), value.to_owned()));
    }
    mailbox.touch(number, |message| {
        if let Some(read) = change.get("isRead").and_then(Value::as_bool) {
            message.is_read = read;
        }
        if let Some(categories) = change.get("categories").and_then(texts) {
            message.categories = categories;
        }
        message.properties.extend(properties);
    });
    Ok(())
}
