//! Custom lookups, classes and types.

use serde_json::{Value, json};

use super::dispatch::Call;
use super::error::{ApiError, Result};
use super::matching;
use super::model::{Alias, Customs, Library};
use super::paging::Page;
use super::render::parent_field;
use super::reply::Reply;
use super::workspaces::text;

/// Types with their usual extension.
const TYPES: [(&str, &str, &str); 9] = [
    ("WORDX", "DOCX", "Word"),
    ("WORD", "DOC", "Word 97-2003"),
    ("ACROBAT", "PDF", "PDF"),
    ("PPTX", "PPTX", "PowerPoint"),
    ("EXCELX", "XLSX", "Excel"),
    ("MIME", "MSG", "Email"),
    ("MIME", "EML", "Email"),
    ("ANSI", "TXT", "Text"),
    ("TIFF", "TIF", "Scan"),
];

/// The type a server picks for an extension.
pub(super) fn type_of(extension: &str) -> &'static str {
    TYPES.iter().find(|(_, e, _)| e.eq_ignore_ascii_case(extension)).map_or("OTHER", |(id, ..)| id)
}

/// The extension a server picks for a type.
pub(super) fn extension_of(type_id: &str) -> &'static str {
    TYPES.iter().find(|(id, ..)| id.eq_ignore_ascii_case(type_id)).map_or("", |(_, e, _)| e)
}

/// `custom1` to `custom12`, `custom29` and `custom30` take an alias.
pub(super) fn is_lookup(field: &str) -> bool {
    let number = field.strip_prefix("custom").and_then(|n| n.parse::<u8>().ok());
    number.is_some_and(|n| matches!(n, 1..=12 | 29 | 30))
}

impl Library {
    /// Whether every alias exists.
    pub(super) fn check_lookups(&self, customs: &Customs) -> Result<()> {
        for (field, value) in customs.iter().filter(|(field, _)| is_lookup(field)) {
            let parent = parent_field(field).and_then(|p| customs.get(p)).map_or("", String::as_str);
            if self.alias(field, parent, value).is_none() {
                return Err(ApiError::invalid(field, "Value not valid"));
            }
        }
        Ok(())
    }
}

fn alias_json(alias: &Alias) -> Value {
    let parent = alias.parent.as_ref().map(|p| json!({ "id": p }));
    json!({
        "id": alias.id, "description": alias.description, "enabled": alias.enabled, "hipaa": false,
        "parent": parent,
    })
}

/// `GET L/customs/{field}/search`; `query` may hold `*`, else it matches the start of alias or description.
pub(super) fn search(call: &Call<'_>) -> Result<Reply> {
    let library = call.library()?;
    let page = Page::from(call.params, call.switches)?;
    let state = call.shared.state();
    let query = call.params.get("query").or_else(|| call.params.get("alias"));
    let pattern = query.map(|q| if q.contains('*') { q.to_owned() } else { format!("{q}*") });
    let parent = call.params.get("parent_alias");
    let hits = state.libraries[library]
        .lookups
        .iter()
        .filter(|((field, ..), _)| field == call.route.id())
        .map(|(_, alias)| alias)
        .filter(|a| parent.is_none_or(|p| a.parent.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(p))))
        .filter(|a| {
            pattern
                .as_deref()
                .is_none_or(|p| matching::wildcard(p, &a.id) || matching::wildcard(p, &a.description))
        });
    page.cut(hits, call.switches).map(alias_json).results(call.switches)
}

/// `GET L/customs/{field}/{alias}`.
pub(super) fn get(call: &Call<'_>) -> Result<Reply> {
    let library = call.library()?;
    let state = call.shared.state();
    let parent = call.params.get("parent_alias").unwrap_or_default();
    let alias = state.libraries[library].alias(call.route.id(), parent, call.route.second());
    Ok(Reply::data(alias_json(alias.ok_or_else(ApiError::no_record)?)))
}

/// `POST L/customs/{field}`: administrators only.
pub(super) fn create(call: &Call<'_>) -> Result<Reply> {
    let library = call.library()?;
    let caller = call.caller()?;
    let mut state = call.shared.state();
    if !state.users.get(&caller.user).is_some_and(|u| u.is_admin) {
        return Err(ApiError::new(403, "NRC_ACCESS_DENIED", "Administrators only"));
    }
    let id = text(call.body, "id").ok_or_else(|| ApiError::invalid("id", "Value is required"))?;
    let parent =
        text(call.body, "parent").or_else(|| call.body.pointer("/parent/id").and_then(Value::as_str));
    let alias = Alias {
        id: id.to_owned(),
        description: text(call.body, "description").unwrap_or_default().to_owned(),
        parent: parent.map(str::to_owned),
        enabled: call.body["enabled"].as_bool().unwrap_or(true),
    };
    let shown = alias_json(&alias);
    state.libraries[library].add_alias(call.route.id(), alias);
    Ok(Reply::Json(201, json!({ "data": shown })))
}

/// `GET L/classes`.
pub(super) fn classes(call: &Call<'_>) -> Result<Reply> {
    let library = call.library()?;
    let state = call.shared.state();
    let list: Vec<Value> = state.libraries[library]
        .classes
        .iter()
        .map(|c| json!({ "id": c.id, "description": c.description, "required_fields": c.required }))
        .collect();
    Ok(Reply::data(Value::Array(list)))
}

/// `GET L/types`.
pub(super) fn types(call: &Call<'_>) -> Result<Reply> {
    call.library()?;
    let list: Vec<Value> = TYPES
        .iter()
        .map(|(id, extension, description)| {
            json!({ "id": id, "description": description, "dms_extension": extension, "app_extension": extension })
        })
        .collect();
    Ok(Reply::data(Value::Array(list)))
}
