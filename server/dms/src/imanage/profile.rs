//! The profile a document is filed with: what the target says, what Postroom adds, in the types that iManage wants.

use std::collections::BTreeMap;

use postroom_domain::dms::{DmsResult, Document, Upload};
use postroom_domain::ids::{FilingId, Mark};
use postroom_domain::person::Actor;
use serde_json::{Map, Value, json};

use super::settings::Settings;
use super::wire::Item;
use super::{errors, ids};
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

pub(super) fn is_email(media_type: &str, extension: &str) -> bool {
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
    let mut doc = fields(settings, upload.profile)?;
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
    // A version keeps what its document has; a new document gets what the settings say.
    if upload.onto.is_none() {
        if let Some(class) = class(settings, is_email(upload.media_type, extension)) {
            doc.entry("class").or_insert_with(|| Value::from(class));
        }
        if let Some(security) = &settings.default_security {
            doc.entry("default_security").or_insert_with(|| Value::from(security.as_str()));
        }
    }
    let mut profile = json!({
        "warnings_for_required_and_disabled_fields": !settings.refuse_missing_fields,
        "keep_locked": false,
        "audit": audit(upload.actor),
        "doc_profile": doc,
    });
    if upload.onto.is_none() {
        profile["inherit_profile_from_folder"] = Value::from(settings.inherit_profile);
    }
    Ok(profile)
}

/// Fields of a profile in the types that iManage wants, none of them one that only Postroom sets.
fn fields(settings: &Settings, given: &BTreeMap<String, String>) -> DmsResult<Map<String, Value>> {
    let mut doc = Map::new();
    for (field, value) in given {
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
    Ok(doc)
}

/// The changes of a profile. The mark stays before a comment that is changed, where the document has one.
pub(super) fn changes(
    settings: &Settings,
    given: &BTreeMap<String, String>,
    present: Option<&str>,
) -> DmsResult<Value> {
    let mut doc = fields(settings, given)?;
    if let Some(comment) = given.get("comment").filter(|_| settings.mark_field == "comment")
        && let Some(mark) = present.and_then(|text| text.split(['\n', '\r', ' ']).next())
        && is_mark(mark)
    {
        let marked = if comment.is_empty() { mark.to_owned() } else { format!("{mark}\n{comment}") };
        doc.insert("comment".to_owned(), Value::from(marked));
    }
    Ok(Value::Object(doc))
}

/// Whether a text is a mark of Postroom's, whichever.
fn is_mark(text: &str) -> bool {
    let filing = text.rsplit(':').next().and_then(|id| id.parse::<FilingId>().ok());
    filing.is_some_and(|filing| Mark::of(filing).to_string() == text)
}

/// What iManage's own history shows of who did it.
pub(super) fn audit(actor: &Actor) -> Value {
    let person = actor.on_behalf_of.as_deref().unwrap_or(&actor.principal);
    json!({ "comments": format!("Filed by Postroom for {person}") })
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
        container: item.text("parent_id").filter(|id| ids::container(id).is_ok()),
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
    fn the_mark_stays_before_a_changed_comment() {
        let settings: Settings =
            toml::from_str("base_url = \"https://x\"\n[auth]\ngrant = \"link\"").unwrap();
        let mark = "postroom:0192f0c1-5b7e-7000-8000-000000000001";
        let given = |comment: &str| BTreeMap::from([("comment".to_owned(), comment.to_owned())]);
        for (present, comment, wanted) in [
            (Some(mark.to_owned()), "seen", format!("{mark}\nseen")),
            (Some(format!("{mark}\nold")), "new", format!("{mark}\nnew")),
            (Some(format!("{mark}\nold")), "", mark.to_owned()),
            (Some("of somebody".to_owned()), "new", "new".to_owned()),
            (Some("postroom:no mark".to_owned()), "new", "new".to_owned()),
            (None, "new", "new".to_owned()),
        ] {
            let changed = changes(&settings, &given(comment), present.as_deref()).unwrap();
            assert_eq!(changed["comment"], wanted, "{present:?} {comment}");
        }
        for own in ["name", "extension", "size", "id", "version"] {
            assert!(changes(&settings, &BTreeMap::from([(own.to_owned(), "x".to_owned())]), None).is_err());
        }
    }

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
