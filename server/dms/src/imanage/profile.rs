//! The profile a document is filed with: what the target says, what Postroom adds, in the types that iManage wants.

use postroom_domain::dms::{DmsResult, Document, Upload};
use serde_json::{Map, Value, json};

use super::errors;
use super::settings::Settings;
use super::wire::Item;
use crate::names;

/// Keys of the profile that only Postroom sets.
const OWN_KEYS: [&str; 6] = ["name", "extension", "size", "id", "database", "version"];

/// Which class a document gets, if the settings say one.
fn class(settings: &Settings, is_email: bool) -> Option<&str> {
    let email = settings.email_class.as_deref().filter(|_| is_email);
    email.or(settings.class.as_deref())
}

/// The extension of a document whose name has none; iManage wants one.
fn usual_extension(media_type: &str) -> &'static str {
    match media_type.split(';').next().unwrap_or_default().trim() {
        "application/pdf" => "pdf",
        "message/rfc822" => "eml",
        "application/vnd.ms-outlook" => "msg",
        "text/plain" => "txt",
        "text/html" => "html",
        "text/csv" => "csv",
        "image/tiff" => "tif",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "application/zip" => "zip",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        _ => "bin",
    }
}

fn is_email(media_type: &str, extension: &str) -> bool {
    matches!(
        media_type.split(';').next().unwrap_or_default().trim(),
        "message/rfc822" | "application/vnd.ms-outlook"
    ) || extension.eq_ignore_ascii_case("eml")
        || extension.eq_ignore_ascii_case("msg")
}

/// A value of a field in the type that iManage wants.
fn typed(field: &str, value: &str) -> DmsResult<Value> {
    match field.strip_prefix("custom").and_then(|n| n.parse::<u8>().ok()) {
        Some(17..=20) => match value.parse::<serde_json::Number>() {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => Err(errors::rejected(field, format!("{field} takes a number, and {value:?} is none"))),
        },
        Some(25..=28) => match value {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => {
                Err(errors::rejected(field, format!("{field} takes true or false, and {value:?} is neither")))
            }
        },
        _ => Ok(Value::from(value)),
    }
}

/// The `profile` part.
pub(super) fn profile(settings: &Settings, upload: &Upload<'_>, name: &str) -> DmsResult<Value> {
    let (stem, extension) = match names::split(name) {
        (stem, "") => (stem, usual_extension(upload.media_type)),
        found => found,
    };
    let mut doc = Map::new();
    for (field, value) in upload.profile {
        if OWN_KEYS.contains(&field.as_str()) || (*field == settings.mark_field && field != "comment") {
            return Err(errors::rejected(field, format!("{field} is set by Postroom itself")));
        }
        doc.insert(field.clone(), typed(field, value)?);
    }
    for (child, parent) in [("custom2", "custom1"), ("custom30", "custom29")] {
        if doc.contains_key(child) && !doc.contains_key(parent) {
            return Err(errors::rejected(
                child,
                format!("{child} is set, but {parent}, which it belongs to, is not"),
            ));
        }
    }
    let mark = upload.mark.to_string();
    let marked = match upload.profile.get(&settings.mark_field) {
        Some(comment) if !comment.is_empty() => format!("{mark}\n{comment}"),
        _ => mark,
    };
    doc.insert(settings.mark_field.clone(), Value::from(marked));
    doc.insert("name".to_owned(), Value::from(stem));
    doc.insert("extension".to_owned(), Value::from(extension));
    doc.insert("size".to_owned(), Value::from(upload.content.size()));
    let received = Value::from(upload.received.to_string());
    for field in ["file_create_date", "file_edit_date"] {
        doc.entry(field).or_insert_with(|| received.clone());
    }
    if let Some(class) = class(settings, is_email(upload.media_type, extension)) {
        doc.entry("class").or_insert_with(|| Value::from(class));
    }
    if let Some(security) = &settings.default_security {
        doc.entry("default_security").or_insert_with(|| Value::from(security.as_str()));
    }
    let person = upload.actor.on_behalf_of.as_deref().unwrap_or(&upload.actor.principal);
    Ok(json!({
        "warnings_for_required_and_disabled_fields": true,
        "inherit_profile_from_folder": settings.inherit_profile,
        "keep_locked": false,
        "audit": { "comments": format!("Filed by Postroom for {person}") },
        "doc_profile": doc,
    }))
}

/// What an answer tells of a document.
pub(super) fn document(item: &Item) -> Document {
    let (name, extension) = (item.text("name").unwrap_or_default(), item.text("extension"));
    let extension = extension.filter(|it| !it.is_empty()).map(|it| format!(".{}", it.to_lowercase()));
    let locked = ["is_checked_out", "is_in_use", "in_use"];
    let locked = locked.iter().any(|field| item.text(field).as_deref() == Some("true"));
    let holder = ["in_use_by_description", "in_use_by"].iter().find_map(|field| item.text(field));
    Document {
        id: item.text("id").unwrap_or_default(),
        version: item.text("version"),
        name: name + &extension.unwrap_or_default(),
        size: item.number("size"),
        container: None,
        workspace: item.text("workspace_id"),
        changed: item.text("edit_date").and_then(|at| at.parse().ok()),
        locked_by: locked.then(|| holder.unwrap_or_else(|| "somebody".to_owned())),
        fields: item.fields().map(|(key, value)| (key.to_owned(), value)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use postroom_domain::dms::DmsError;

    use super::*;

    #[test]
    fn values_get_the_type_of_their_field() {
        assert_eq!(typed("custom17", "7.5").unwrap(), json!(7.5));
        assert_eq!(typed("custom25", "true").unwrap(), json!(true));
        assert_eq!(typed("custom1", "0007").unwrap(), json!("0007"));
        assert!(
            matches!(typed("custom18", "x"), Err(DmsError::Rejected { field: Some(f), .. }) if f == "custom18")
        );
        assert!(typed("custom26", "yes").is_err());
    }
}
