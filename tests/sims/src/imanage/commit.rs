//! The moment an upload becomes a document: profile rules, tables, indexes and the ledger, under one lock.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::Caller;
use super::dispatch::Call;
use super::doc_query::is_custom;
use super::email;
use super::error::{ApiError, Result};
use super::history::Activity;
use super::ledger::{Entry, EntryKind};
use super::lookups::{extension_of, type_of};
use super::model::{Stored, Version};
use super::render::parent_field;
use super::reply::{Reply, envelope};
use super::state::State;
use super::switches::{EmailDuplicate, RequiredFields};
use super::workspaces::text;
use crate::common::params::Params;

/// A received upload.
pub(super) struct Received {
    pub(super) profile: Value,
    pub(super) stored: Arc<Stored>,
    pub(super) head: Vec<u8>,
}

/// `POST L/folders/{id}/documents`.
pub(super) fn create(call: &Call<'_>, received: &Received) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut guard = call.shared.state();
    let state = &mut *guard;
    let folder = state.folder(caller, Some(library), call.route.id())?;
    state.can_file(caller, folder, call.switches)?;
    let (folder, workspace) = (folder.number, folder.workspace);
    let doc_profile = &received.profile["doc_profile"];
    let inherit = received.profile["inherit_profile_from_folder"].as_bool().unwrap_or(false);
    let inherited = if inherit { state.inherited(folder) } else { Default::default() };
    let mut version = version(call, caller, doc_profile, received, 1)?;
    if let Some(class) = inherited.0.filter(|_| text(doc_profile, "class").is_none()) {
        version.class = class;
    }
    for (field, value) in inherited.1 {
        version.customs.entry(field).or_insert(value);
    }
    let warnings = rules(call, state, library, doc_profile, &version, &received.profile)?;
    if let Some(fields) = &version.email
        && let Some(identity) = email::identity(fields)
        && !state.mails.insert((workspace, identity))
        && call.switches.email_duplicate == EmailDuplicate::Conflict
    {
        return Err(ApiError::new(409, "NRC_DUPLICATE", "The email is already filed"));
    }
    let comments = audit(&received.profile);
    let at = state.add_document(library, workspace, folder, version);
    settle(call, caller, state, at, 1, EntryKind::Created, &comments);
    answer(call, caller, state, at, 1, call.switches.upload_status, &warnings)
}

/// `POST L/documents/{id}/versions`.
pub(super) fn add_version(call: &Call<'_>, received: &Received) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut guard = call.shared.state();
    let state = &mut *guard;
    let (at, _) = open(call, caller, state, library)?;
    let doc_profile = &received.profile["doc_profile"];
    let next = state.docs[at].versions.iter().map(|v| v.number).max().unwrap_or(0) + 1;
    let base = state.docs[at].latest().ok_or_else(ApiError::no_record)?.clone();
    let merged = with_defaults(doc_profile, &base);
    let mut version = version(call, caller, &merged, received, next)?;
    for (field, value) in base.customs {
        version.customs.entry(field).or_insert(value);
    }
    let warnings = rules(call, state, library, doc_profile, &version, &received.profile)?;
    state.docs[at].versions.push(version);
    release(state, at, &received.profile);
    settle(call, caller, state, at, next, EntryKind::Version, &audit(&received.profile));
    answer(call, caller, state, at, next, call.switches.upload_status, &warnings)
}

/// `PUT L/documents/{id}/file`: here `audit` and `keep_locked` sit inside `doc_profile`.
pub(super) fn replace(call: &Call<'_>, received: &Received) -> Result<Reply> {
    let caller = call.caller()?;
    let library = call.library()?;
    let mut guard = call.shared.state();
    let state = &mut *guard;
    let (at, number) = open(call, caller, state, library)?;
    let doc_profile = &received.profile["doc_profile"];
    let base = state.docs[at].version(number).ok_or_else(ApiError::no_record)?.clone();
    let mut version = version(call, caller, &with_defaults(doc_profile, &base), received, number)?;
    version.created = base.created;
    for (field, value) in base.customs {
        version.customs.entry(field).or_insert(value);
    }
    if let Some(slot) = state.docs[at].version_mut(number) {
        *slot = version;
    }
    release(state, at, doc_profile);
    settle(call, caller, state, at, number, EntryKind::Replaced, &audit(doc_profile));
    answer(call, caller, state, at, number, 200, &[])
}

/// The document of the path, if the caller may change it.
fn open(call: &Call<'_>, caller: &Caller, state: &State, library: usize) -> Result<(usize, u32)> {
    let found = state.document(caller, Some(library), call.route.id())?;
    state.writable(caller, state.docs[found.0].workspace, call.switches)?;
    state.unlocked(caller, found.0, call.switches)?;
    Ok(found)
}

/// A lock ends with the new content unless it is to be kept.
fn release(state: &mut State, at: usize, holder: &Value) {
    if !holder["keep_locked"].as_bool().unwrap_or(false) {
        state.docs[at].lock = None;
    }
}

fn audit(holder: &Value) -> String {
    holder.pointer("/audit/comments").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The profile of a new version with what the base version already says.
fn with_defaults(doc_profile: &Value, base: &Version) -> Value {
    let mut merged = doc_profile.clone();
    if let Value::Object(map) = &mut merged {
        for (key, value) in [
            ("name", &base.name),
            ("extension", &base.extension),
            ("author", &base.author),
            ("class", &base.class),
            ("comment", &base.comment),
            ("default_security", &base.default_security),
        ] {
            map.entry(key).or_insert_with(|| json!(value));
        }
    }
    merged
}

fn version(call: &Call<'_>, caller: &Caller, p: &Value, received: &Received, number: u32) -> Result<Version> {
    if !p.is_object() {
        return Err(ApiError::invalid("doc_profile", "Value is required"));
    }
    let name = text(p, "name").ok_or_else(|| ApiError::invalid("name", "Value is required"))?;
    let extension = match (text(p, "extension"), text(p, "type")) {
        (Some(extension), _) if extension.starts_with('.') => {
            return Err(ApiError::invalid("extension", "Extension must not start with a dot"));
        }
        (Some(extension), _) => extension.to_uppercase(),
        (None, Some(type_id)) => extension_of(type_id).to_owned(),
        (None, None) => return Err(ApiError::invalid("extension", "Type or extension is required")),
    };
    let type_id = text(p, "type").map_or_else(|| type_of(&extension).to_owned(), str::to_owned);
    let is_mail = type_id == "MIME" || text(p, "class").is_some_and(|c| c.eq_ignore_ascii_case("E-MAIL"));
    let params = Params::from_json(p);
    let size = received.stored.size.saturating_add_signed(call.plan.wrong_size);
    Ok(Version {
        number,
        name: name.to_owned(),
        extension,
        type_id,
        class: text(p, "class").unwrap_or(if is_mail { "E-MAIL" } else { "DOC" }).to_owned(),
        subclass: text(p, "subclass").map(str::to_owned),
        author: text(p, "author").unwrap_or(&caller.user).to_uppercase(),
        operator: caller.user.clone(),
        comment: text(p, "comment").unwrap_or_default().to_owned(),
        default_security: text(p, "default_security").unwrap_or("inherit").to_owned(),
        customs: params
            .iter()
            .filter(|(key, _)| is_custom(key))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        email: is_mail.then(|| Box::new(email::fields(p, &received.head))),
        size,
        stored: Arc::clone(&received.stored),
        created: call.now,
        edited: call.now,
        file_create_date: text(p, "file_create_date").map(str::to_owned),
        file_edit_date: text(p, "file_edit_date").map(str::to_owned),
        deleted: false,
    })
}

/// Parents of custom fields, lookups, and the class's required fields. Gives the warnings.
fn rules(
    call: &Call<'_>,
    state: &State,
    library: usize,
    sent: &Value,
    version: &Version,
    request: &Value,
) -> Result<Vec<Value>> {
    for child in ["custom2", "custom30"] {
        // the parent must be in the same request, whatever the folder passes on
        if text(sent, child).is_some()
            && parent_field(child).is_some_and(|parent| text(sent, parent).is_none())
        {
            return Err(ApiError::invalid(child, "Parent value is missing"));
        }
    }
    let library = &state.libraries[library];
    if call.switches.validate_lookups {
        library.check_lookups(&version.customs)?;
    }
    let class = library.class(&version.class).ok_or_else(|| ApiError::invalid("class", "Value not valid"))?;
    let missing: Vec<&String> = class.required.iter().filter(|f| !version.customs.contains_key(*f)).collect();
    let warn = request["warnings_for_required_and_disabled_fields"].as_bool().unwrap_or(false);
    if let Some(field) =
        missing.first().filter(|_| !warn || call.switches.required_fields == RequiredFields::Reject)
    {
        return Err(ApiError::invalid(field, "required"));
    }
    Ok(missing.into_iter().map(|f| json!({ "field": f, "error": "required" })).collect())
}

/// Indexes, history and ledger.
fn settle(
    call: &Call<'_>,
    caller: &Caller,
    state: &mut State,
    at: usize,
    number: u32,
    kind: EntryKind,
    comments: &str,
) {
    let activity = match kind {
        EntryKind::Created => Activity::NewDocument,
        EntryKind::Version => Activity::NewVersion,
        EntryKind::Replaced => Activity::Modify,
    };
    state.docs[at].record(activity, number, caller, comments, call.now);
    let doc = &state.docs[at];
    let Some(v) = doc.version(number) else { return };
    state.comments.add(&v.comment, at);
    let field = v.customs.get(&state.mark_field).cloned();
    if let Some(mark) = &field {
        state.marks.add(mark, at);
    }
    let prefix = state.prefix(doc.library, call.switches);
    state.ledger.push(Entry {
        seq: 0,
        kind,
        mark: field.clone().unwrap_or_else(|| v.comment.clone()),
        comment: v.comment.clone(),
        field,
        sha256: v.stored.sha256.clone(),
        blake3: v.stored.blake3.clone(),
        size: v.stored.size,
        document: format!("{prefix}!{}.{number}", doc.number),
        container: doc.folders.first().map(|f| format!("{prefix}!{f}")).unwrap_or_default(),
        workspace: format!("{prefix}!{}", doc.workspace),
        library: state.libraries[doc.library].name.clone(),
        name: v.name.clone(),
        extension: v.extension.clone(),
        user: caller.user.clone(),
        at: call.now,
    });
}

fn answer(
    call: &Call<'_>,
    caller: &Caller,
    state: &State,
    at: usize,
    number: u32,
    status: u16,
    warnings: &[Value],
) -> Result<Reply> {
    let doc = &state.docs[at];
    let v = doc.version(number).ok_or_else(ApiError::no_record)?;
    let mut shown = state.document_json(doc, v, caller, call.switches);
    if call.plan.wrong_id
        && let Value::Object(map) = &mut shown
    {
        let wrong = doc.number + 1_000_000;
        map.insert(
            "id".into(),
            json!(format!("{}!{wrong}.{number}", state.prefix(doc.library, call.switches))),
        );
        map.insert("document_number".into(), json!(wrong));
    }
    let mut body = envelope(shown);
    if !warnings.is_empty() {
        body.insert("warnings".into(), json!(warnings));
    }
    Ok(Reply::Json(status, Value::Object(body)))
}
