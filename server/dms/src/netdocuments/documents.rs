//! What is done with documents that are there: read, named, moved, copied, deleted.

use std::collections::BTreeMap;

use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{ByteStream, DmsError, DmsResult, Document};
use postroom_outbound::Method;
use serde_json::{Value, json};

use super::probe::version_number;
use super::seat::{Body, Seat};
use super::wire::{self, Item};
use super::{errors, ids};
use crate::names;

/// Extensions of documents that are web pages themselves, so that one in an answer is no log-in page.
const WEB_PAGES: [&str; 4] = ["html", "htm", "xhtml", "mht"];

impl Seat {
    /// The info of a document; `None` when it is gone.
    pub(super) async fn document_info(&self, id: &str) -> DmsResult<Option<Item>> {
        ids::checked(id, "document")?;
        let url = self.url(&["v1", "Document", id, "info"], &[])?;
        let reply = self.ask("document", Method::GET, url, Body::None).await?;
        if errors::is_nothing_found(&reply, &self.settings) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(errors::shape(&reply, &format!("reading document {id}"), &self.settings));
        }
        let item = Item::of(wire::value(&reply)?).unwrap_or_default();
        Ok(Some(item).filter(|it| it.inner("misc").flag("deleted") != Some(true)))
    }

    async fn known(&self, id: &str) -> DmsResult<Item> {
        let found = self.document_info(id).await?;
        found.ok_or_else(|| {
            errors::trouble(Cause::TargetNotFound, format!("document {id} is absent, or not visible"))
        })
    }

    /// What an answer tells of a document.
    pub(super) fn document_of(&self, item: &Item) -> Document {
        let standard = item.standard();
        let extension = standard.text("extension").map(|it| format!(".{it}")).unwrap_or_default();
        let held = standard.flag("checkedOutState").or_else(|| standard.flag("locked")).unwrap_or(false);
        let holder = standard.any(&["checkedOutBy", "checkedOutByName", "lockedBy"]);
        let mut fields = self.fields(&item.custom().unwrap_or_default());
        for key in ["createdBy", "modifiedBy"] {
            if let Some(value) = standard.text(key) {
                fields.insert(key.to_owned(), value);
            }
        }
        Document {
            id: standard.id().unwrap_or_default(),
            version: standard.text("officialVer"),
            name: standard.text("name").unwrap_or_default() + &extension,
            size: self.told_size(&standard),
            container: None,
            workspace: None,
            changed: standard.moment("modified"),
            locked_by: held.then(|| holder.unwrap_or_else(|| "somebody".to_owned())),
            fields,
        }
    }

    /// What is told of a document, with its workspace where that can be found out.
    pub(super) async fn told(&self, id: &str) -> DmsResult<Document> {
        let mut document = self.document_of(&self.known(id).await?);
        if !self.settings.official_versions
            && let Ok(versions) = self.versions(id).await
        {
            document.version = versions.iter().filter_map(version_number).max().map(|it| it.to_string());
            document.size = None;
        }
        document.workspace = self.workspace_of(id).await;
        Ok(document)
    }

    /// The workspace of a document. It only helps; what keeps it from being told is no failure.
    async fn workspace_of(&self, id: &str) -> Option<String> {
        let url = self.url(&["v1", "Document", id, "locations"], &[]).ok()?;
        let reply = self.ask("locations", Method::GET, url, Body::None).await.ok()?;
        let item = Item::of(wire::value(&reply).ok().filter(|_| reply.is_success())?)?;
        let inner = ids::of_url(&item.text("WorkspaceUrl")?)?;
        let (_, info) = self.info_of(&inner).await.ok()?;
        info.standard().id()
    }

    /// The bytes of a document, of the version named or the newest one.
    pub(super) async fn content(&self, id: &str, version: Option<&str>) -> DmsResult<ByteStream> {
        ids::checked(id, "document")?;
        let number = match version {
            Some(version) => Some(ids::version(version)?.to_string()),
            // Without a number NetDocuments gives the official version, which need not be the newest.
            None if !self.settings.official_versions => {
                let newest = self.versions(id).await?.iter().filter_map(version_number).max();
                newest.map(|it| it.to_string())
            }
            None => None,
        };
        let mut path = vec!["v1", "Document", id];
        path.extend(number.as_deref());
        let url = self.url(&path, &[])?;
        let mut token = self.tokens.get(&self.http).await?;
        let mut renewed = false;
        loop {
            let call = self.http.get("download", url.clone()).header("accept", "*/*");
            let answer = Self::sign(call, &token).send().await?;
            if answer.status() == 401 && !renewed {
                renewed = true;
                token = self.tokens.renew(&self.http, &token).await?;
                continue;
            }
            if !answer.is_success() {
                let reply = answer.read().await?;
                return Err(errors::shape(&reply, &format!("downloading {id}"), &self.settings));
            }
            self.tokens.proves(&token);
            if answer.says_html() {
                let extension = self.known(id).await?.standard().text("extension").unwrap_or_default();
                if !WEB_PAGES.contains(&extension.to_lowercase().as_str()) {
                    let text = format!("downloading {id}: a web page instead of the document");
                    return Err(DmsError::from_symptom(Symptom::WebPage, Sent::Nothing, text));
                }
            }
            return Ok(answer.stream());
        }
    }

    async fn change(&self, id: &str, doing: &str, body: &Value) -> DmsResult<()> {
        ids::checked(id, "document")?;
        let url = self.url(&["v1", "Document", id, "info"], &[])?;
        let reply = self.ask("update_document", Method::PUT, url, Body::Json(body)).await?;
        if reply.is_success() { Ok(()) } else { Err(errors::shape(&reply, doing, &self.settings)) }
    }

    /// Changes attributes of a profile; those that are not named stay.
    pub(super) async fn change_profile(&self, id: &str, fields: &BTreeMap<String, String>) -> DmsResult<()> {
        let mut values = Vec::new();
        for (field, value) in fields {
            let number = self.numbered(field)?;
            if Some(number) == self.settings.mark() {
                return Err(errors::rejected(field, format!("{field} holds Postroom's mark")));
            }
            values.push(json!({ "id": number, "value": value }));
        }
        if values.is_empty() {
            return Ok(());
        }
        self.change(id, &format!("changing the profile of {id}"), &json!({ "customAttributes": values }))
            .await
    }

    /// Gives a document another name. That the extension can be changed so is not documented, so it is read back.
    pub(super) async fn call_it(&self, id: &str, name: &str) -> DmsResult<Document> {
        let now = self.document_of(&self.known(id).await?);
        let safe = names::safe(name, self.settings.longest_name);
        let (stem, extension) = names::split(&safe);
        let (_, old) = names::split(&now.name);
        let mut standard = json!({ "name": stem });
        let other = !extension.is_empty() && !extension.eq_ignore_ascii_case(old);
        if other {
            standard["extension"] = json!(extension);
        }
        self.change(id, &format!("renaming {id}"), &json!({ "standardAttributes": standard })).await?;
        let told = self.told(id).await?;
        if other && !names::split(&told.name).1.eq_ignore_ascii_case(extension) {
            let text = format!("NetDocuments gave the document its new name, but kept the extension {old:?}");
            return Err(errors::rejected("name", text));
        }
        Ok(told)
    }

    async fn file(&self, document: &str, folder: &str, action: &str) -> DmsResult<()> {
        let url = self.url(&["v1", "Folder", folder], &[])?;
        let form = [("item", document), ("action", action)];
        let reply = self.ask("file", Method::POST, url, Body::Form(&form)).await?;
        if reply.is_success() {
            return Ok(());
        }
        Err(errors::shape(&reply, &format!("{action} of {document} at {folder}"), &self.settings))
    }

    /// Moves a document: into the new place first, so that it never is nowhere. Between workspaces its profile follows, because in
    /// NetDocuments the profile is what says which matter a document belongs to.
    pub(super) async fn relocate(&self, id: &str, from: &str, to: &str) -> DmsResult<Document> {
        let info = self.known(id).await?;
        ids::checked(from, "folder or workspace")?;
        let there = self.info_of(to).await?.1.custom().unwrap_or_default();
        let cabinet = info.inner("location").text("cabinet").unwrap_or_default();
        let defining = self.cabinet(&cabinet).await?.workspace;
        let own = info.custom().unwrap_or_default();
        let other: Vec<Value> = defining
            .iter()
            .filter_map(|number| Some((number, there.get(number)?)))
            .filter(|(number, value)| own.get(*number) != Some(*value))
            .map(|(number, value)| json!({ "id": number, "value": value }))
            .collect();
        if from != to {
            self.file(id, to, "file").await?;
        }
        if !other.is_empty() {
            let doing = format!("giving {id} the profile of its new workspace");
            self.change(id, &doing, &json!({ "customAttributes": other })).await?;
        }
        if from != to {
            self.file(id, from, "unfile").await?;
        }
        Ok(Document { container: Some(to.to_owned()), ..self.told(id).await? })
    }

    /// Copies a document inside of NetDocuments.
    pub(super) async fn duplicate(&self, id: &str, to: &str) -> DmsResult<Document> {
        ids::checked(id, "document")?;
        ids::checked(to, "folder or workspace")?;
        let url = self.url(&["v1", "Document"], &[])?;
        let form = [("action", "copy"), ("id", id), ("destination", to)];
        let reply = self.ask("copy", Method::POST, url, Body::Form(&form)).await?;
        if !reply.is_success() {
            return Err(errors::shape(&reply, &format!("copying {id} to {to}"), &self.settings));
        }
        let made = Item::of(wire::value(&reply)?).unwrap_or_default().standard().id();
        let made = made.ok_or_else(|| {
            let text = format!("{id} was copied, but the answer names no new document");
            errors::trouble(Cause::AnswerLost, text)
        })?;
        Ok(Document { container: Some(to.to_owned()), ..self.told(&made).await? })
    }

    /// Puts a document among the deleted items, with all its versions.
    pub(super) async fn remove(&self, id: &str) -> DmsResult<()> {
        ids::checked(id, "document")?;
        let url = self.url(&["v1", "Document", id], &[])?;
        let reply = self.ask("delete_document", Method::DELETE, url, Body::None).await?;
        if reply.is_success() {
            Ok(())
        } else {
            Err(errors::shape(&reply, &format!("deleting {id}"), &self.settings))
        }
    }
}
