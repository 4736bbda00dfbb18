//! Records as the API shows them.

use serde_json::{Map, Value, json};

use super::access::Caller;
use super::ids;
use super::model::{Container, Customs, Document, Kind, Library, User, Version};
use super::state::State;
use super::switches::Switches;

/// ISO 8601 in UTC.
pub(super) fn date(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|t| t.to_string()).unwrap_or_default()
}

/// Only the wanted keys, if a list of them was sent.
pub(super) fn select(value: Value, fields: Option<&Value>) -> Value {
    let Some(Value::Array(fields)) = fields else { return value };
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter().filter(|(k, _)| fields.iter().any(|f| f.as_str() == Some(k))).collect(),
        ),
        other => other,
    }
}

impl State {
    /// A container's id as shown.
    pub(super) fn container_id(&self, container: &Container, switches: &Switches) -> String {
        format!("{}!{}", self.prefix(container.library, switches), container.number)
    }

    pub(super) fn document_id(&self, doc: &Document, version: u32, switches: &Switches) -> String {
        format!("{}!{}.{version}", self.prefix(doc.library, switches), doc.number)
    }

    pub(super) fn prefix(&self, library: usize, switches: &Switches) -> String {
        ids::prefix(&self.libraries[library].name, switches.id_case)
    }

    fn user_name(&self, id: &str) -> String {
        self.users.get(id).map(|u| u.full_name.clone()).unwrap_or_default()
    }

    /// A workspace, tab or folder.
    pub(super) fn container_json(&self, c: &Container, caller: &Caller, switches: &Switches) -> Value {
        let library = &self.libraries[c.library];
        let id = self.container_id(c, switches);
        let workspace = self.containers.get(&c.workspace);
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| {
            map.insert(key.into(), value);
        };
        put("id", json!(id));
        put("database", json!(library.name));
        put("wstype", json!(if c.kind == Kind::Workspace { "workspace" } else { "folder" }));
        put("name", json!(c.name));
        put("description", json!(c.description));
        put("owner", json!(c.owner));
        put("owner_description", json!(self.user_name(&c.owner)));
        put("default_security", json!(c.default_security));
        put("access", json!(self.access(caller, c.workspace).name()));
        put("is_external_as_normal", json!(false));
        let subfolders = c.children.iter().filter_map(|n| self.containers.get(n)).count() > 0;
        put("has_subfolders", json!(subfolders));
        put("create_date", json!(date(c.created)));
        put("edit_date", json!(date(c.edited)));
        let link = format!("iwl:dms=sim&&lib={}&&num={}&&ver=1", self.prefix(c.library, switches), c.number);
        put("iwl", json!(link));
        put("workspace_id", json!(workspace.map(|w| self.container_id(w, switches))));
        if let Some(subclass) = &c.subclass {
            put("subclass", json!(subclass));
        }
        if c.kind == Kind::Workspace {
            put("is_closed", json!(c.closed));
        } else {
            let kind = match c.kind {
                Kind::Tab => "tab",
                Kind::SearchFolder => "search",
                Kind::Folder | Kind::Workspace => "regular",
            };
            put("folder_type", json!(kind));
            put("view_type", json!(if c.email.is_some() { "email" } else { "document" }));
            put("has_documents", json!(!c.docs.is_empty()));
            put("workspace_name", json!(workspace.map(|w| &w.name)));
            let parent = c.parent.and_then(|p| self.containers.get(&p));
            put("parent_id", json!(parent.map(|p| self.container_id(p, switches))));
            if let Some(email) = &c.email {
                put("email", json!(email));
            }
        }
        put_customs(&mut map, &c.customs, library);
        Value::Object(map)
    }

    /// A version of a document.
    pub(super) fn document_json(
        &self,
        doc: &Document,
        v: &Version,
        caller: &Caller,
        switches: &Switches,
    ) -> Value {
        let library = &self.libraries[doc.library];
        let workspace = self.containers.get(&doc.workspace);
        let latest = doc.latest().map(|l| l.number);
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| {
            map.insert(key.into(), value);
        };
        put("id", json!(self.document_id(doc, v.number, switches)));
        put("database", json!(library.name));
        put("document_number", json!(doc.number));
        put("version", json!(v.number));
        put("wstype", json!(if v.email.is_some() { "email" } else { "document" }));
        put("content_type", json!("D"));
        put("name", json!(v.name));
        put("extension", json!(v.extension));
        put("type", json!(v.type_id));
        put("class", json!(v.class));
        put("size", json!(v.size));
        put("author", json!(v.author));
        put("author_description", json!(self.user_name(&v.author)));
        put("operator", json!(v.operator));
        put("operator_description", json!(self.user_name(&v.operator)));
        put("last_user", json!(v.operator));
        put("comment", json!(v.comment));
        put("checksum", json!(format!("SHA256:{}", v.stored.sha256.to_uppercase())));
        put("default_security", json!(v.default_security));
        put("access", json!(self.access(caller, doc.workspace).name()));
        put("create_date", json!(date(v.created)));
        put("edit_date", json!(date(v.edited)));
        put("file_create_date", json!(v.file_create_date.clone().unwrap_or_else(|| date(v.created))));
        put("file_edit_date", json!(v.file_edit_date.clone().unwrap_or_else(|| date(v.created))));
        put("is_latest", json!(latest == Some(v.number)));
        put("latest_version", json!(latest));
        put("is_hipaa", json!(false));
        put("is_declared", json!(false));
        put("is_checked_out", json!(doc.lock.as_ref().is_some_and(|l| l.checked_out)));
        put("is_in_use", json!(doc.lock.is_some()));
        let link = format!(
            "iwl:dms=sim&&lib={}&&num={}&&ver={}",
            self.prefix(doc.library, switches),
            doc.number,
            v.number
        );
        put("iwl", json!(link));
        put("workspace_id", json!(workspace.map(|w| self.container_id(w, switches))));
        put("workspace_name", json!(workspace.map(|w| &w.name)));
        if let Some(subclass) = &v.subclass {
            put("subclass", json!(subclass));
        }
        if let Some(lock) = &doc.lock {
            put("in_use_by", json!(lock.user));
            put("in_use_by_description", json!(self.user_name(&lock.user)));
            put("checkout_date", json!(date(lock.at)));
            put("checkout_comment", json!(lock.comment));
            put("checkout_due_date", json!(lock.due_date));
        }
        if let Some(email) = &v.email {
            put("subject", json!(email.subject));
            put("from", json!(email.from));
            put("to", json!(email.to));
            put("cc", json!(email.cc));
            put("sent_date", json!(email.sent_date));
            put("received_date", json!(email.received_date));
        }
        put_customs(&mut map, &v.customs, library);
        Value::Object(map)
    }
}

fn put_customs(map: &mut Map<String, Value>, customs: &Customs, library: &Library) {
    for (field, value) in customs {
        let parent = parent_field(field).and_then(|p| customs.get(p)).map_or("", String::as_str);
        if let Some(alias) = library.alias(field, parent, value) {
            map.insert(format!("{field}_description"), json!(alias.description));
        }
        map.insert(field.clone(), json!(value));
    }
}

/// `custom2` hangs below `custom1`, `custom30` below `custom29`.
pub(super) fn parent_field(field: &str) -> Option<&'static str> {
    match field {
        "custom2" => Some("custom1"),
        "custom30" => Some("custom29"),
        _ => None,
    }
}

pub(super) fn user_json(user: &User, libraries: &[Library]) -> Value {
    let libraries: Vec<Value> = libraries
        .iter()
        .enumerate()
        .map(|(at, l)| {
            json!({ "id": l.name, "library_id": at + 1, "preferred": l.name == user.preferred_library })
        })
        .collect();
    json!({
        "id": user.id, "user_id_ex": user.id.to_lowercase(), "full_name": user.full_name, "email": user.email,
        "allow_logon": user.allow_logon, "is_external": user.is_external, "is_locked": user.is_locked,
        "failed_logins": user.failed_logins, "preferred_library": user.preferred_library,
        "location": user.location, "user_nos": if user.password.is_some() { 2 } else { 6 },
        "has_password": user.password.is_some(), "libraries": libraries,
    })
}
