//! Putting a document into a folder: one call, never repeated once a byte of the document has left.

use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, DmsResult, Receipt, Trouble, Upload};
use postroom_outbound::{Document, Reply};
use serde_json::{Map, Value, json};
use tracing::warn;

use super::places::{Kind, class};
use super::settings::Settings;
use super::wire::{Envelope, Item};
use super::{Imanage, errors, ids};
use crate::names;

/// Keys of the profile that only Postroom sets.
const OWN_KEYS: [&str; 6] = ["name", "extension", "size", "id", "database", "version"];

impl Imanage {
    pub(super) async fn put(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        let folder = ids::container(upload.container)?;
        let size = upload.content.size();
        if let Some(limit) = self.settings.largest_bytes.filter(|limit| size > *limit) {
            let trouble =
                Trouble::new(Cause::TooLarge, format!("{size} bytes where the settings allow {limit}"));
            return Err(DmsError::TooLarge { limit: Some(limit), trouble });
        }
        let what = match self.kinds.of(upload.container) {
            Some(Kind::Tab) if !self.settings.file_into_tabs => Some("a tab (file_into_tabs allows it)"),
            Some(Kind::Workspace) => Some("a workspace; a folder is needed"),
            Some(Kind::Search) => Some("a saved search"),
            _ => None,
        };
        if let Some(what) = what {
            return Err(errors::rejected("folder", format!("{} is {what}", upload.container)));
        }
        let name = names::safe(upload.name, self.settings.longest_name);
        let profile = profile(&self.settings, &upload, &name)?.to_string();
        let tenant = self.tenant().await?;
        let url = tenant.url(&["libraries", folder.library, "folders", upload.container, "documents"], &[]);
        let mut token = self.tokens.get(self.http()).await?;
        let mut renewed = false;
        loop {
            let stream = upload.content.open().await.map_err(|e| {
                DmsError::from_trouble(Trouble::new(
                    Cause::StoreDamage,
                    format!("the stored bytes cannot be read: {e}"),
                ))
            })?;
            let document = Document {
                field: "file",
                file_name: part_name(&name),
                media_type: upload.media_type.to_owned(),
                size,
                stream,
                gauge: upload.gauge.clone(),
            };
            let call = self.http().post("upload", url.clone()).header("accept", "application/json");
            let call = self.sign(call, &token).document(vec![("profile", profile.clone())], document);
            let reply = call.fetch().await?;
            if reply.status == 401 {
                let untouched = upload.gauge.bytes() == 0 && reply.sent() == Sent::Nothing;
                token = self.tokens.renew(self.http(), &token).await?;
                if untouched && !renewed {
                    renewed = true;
                    continue;
                }
                // A 401 comes before anything is stored. The sign-in is fresh again, so the next try has no need of a person.
                let detail = "the sign-in ended while the document was being sent; it has been renewed";
                let trouble = Trouble { status: Some(401), ..Trouble::new(Cause::SessionGone, detail) };
                return Err(DmsError::from_trouble(trouble));
            }
            if !reply.is_success() {
                let doing = format!("filing into {} as {}", upload.container, tenant.account.id);
                return Err(errors::shape(&reply, &doing, &self.settings));
            }
            return self.receipt_of(&reply, &upload);
        }
    }

    /// What a success says, compared with what was sent.
    fn receipt_of(&self, reply: &Reply, upload: &Upload<'_>) -> DmsResult<Receipt> {
        let size = upload.content.size();
        let unknown = |why: String| {
            let detail = format!("upload: status {}, but {why}", reply.status);
            let trouble = Trouble { status: Some(reply.status), ..Trouble::new(Cause::AnswerLost, detail) };
            DmsError::from_trouble(trouble)
        };
        let mut envelope: Envelope = reply.json()?;
        if reply.sent() != Sent::Fully {
            return Err(unknown("it came before the document was sent whole".to_owned()));
        }
        for warning in &envelope.warnings {
            let field = warning.get("field").and_then(Value::as_str).unwrap_or("");
            let problem = warning.get("error").and_then(Value::as_str).unwrap_or("");
            warn!(dms.service = %self.name, imanage.field = field, imanage.warning = problem,
                filing = %upload.mark.filing(), "iManage took a document, but warns about a field.");
        }
        let item = envelope.object().ok_or_else(|| unknown("it holds no document".to_owned()))?;
        let id = item.text("id").filter(|id| ids::document(id).is_ok());
        let id = id.ok_or_else(|| unknown("it holds no document id".to_owned()))?;
        if let Some(mark) = item.text(&self.settings.mark_field)
            && !bears(&mark, &upload.mark.to_string())
        {
            return Err(unknown(format!("it names {id}, which has another mark")));
        }
        if let Some(stored) = item.number("size").filter(|stored| *stored != size) {
            let detail = format!("upload: {size} bytes were sent, {id} has {stored}");
            return Err(DmsError::from_symptom(Symptom::WrongCopy, Sent::Fully, detail));
        }
        Ok(self.receipt(&id, upload.container, &item))
    }

    /// A document as the contract tells it.
    pub(super) fn receipt(&self, id: &str, container: &str, item: &Item) -> Receipt {
        let version = ids::parse(id).and_then(|id| id.version).map(str::to_owned);
        let base = self.http().base().as_str().trim_end_matches('/');
        Receipt {
            document: id.to_owned(),
            version: version.or_else(|| item.text("version")),
            container: container.to_owned(),
            size: item.number("size"),
            hash: None,
            link: Some(self.settings.link.replace("{base}", base).replace("{id}", id)),
        }
    }
}

/// Whether the text of the mark's field bears the mark: alone, or on its first line before a comment of somebody's own.
pub(super) fn bears(text: &str, mark: &str) -> bool {
    text.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', '\r', ' ']))
}

/// A file name for the part's head: the document's own name goes into the profile.
fn part_name(name: &str) -> String {
    match names::split(name).1 {
        extension if !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            format!("document.{extension}")
        }
        _ => "document".to_owned(),
    }
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
fn profile(settings: &Settings, upload: &Upload<'_>, name: &str) -> DmsResult<Value> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_recognised_alone_and_before_a_comment() {
        let mark = "postroom:0192f0c1-5b7e-7000-8000-000000000001";
        for good in [mark.to_owned(), format!("{mark}\nfrom the client"), format!("{mark} x")] {
            assert!(bears(&good, mark), "{good}");
        }
        for bad in ["", "postroom:", &format!("{mark}2"), &format!("copy of {mark}")] {
            assert!(!bears(bad, mark), "{bad}");
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
        assert_eq!(
            (part_name("Brief an Müller.docx"), part_name("x")),
            ("document.docx".into(), "document".into())
        );
    }
}
