//! What is done with a document that is there: its profile and name changed, moved, copied, deleted.

use std::collections::BTreeMap;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Document, Trouble};
use postroom_domain::person::Actor;
use postroom_outbound::{Method, Reply};
use serde_json::{Value, json};

use super::profile::{audit, changes, document};
use super::wire::Envelope;
use super::{Seat, errors, ids, versions};
use crate::names;

impl Seat {
    /// Changes fields of the newest version's profile.
    pub(super) async fn set_profile(&self, id: &str, fields: &BTreeMap<String, String>) -> DmsResult<()> {
        ids::document(id)?;
        // Nonsense is told before anything is asked.
        changes(&self.settings, fields, None)?;
        let (newest, item) = self.newest(id).await?;
        let body = changes(&self.settings, fields, item.text("comment").as_deref())?;
        self.patch(&newest, &body, "changing the profile of").await.map(drop)
    }

    /// Gives the newest version another name.
    pub(super) async fn rename(&self, id: &str, name: &str) -> DmsResult<Document> {
        ids::document(id)?;
        let (newest, item) = self.newest(id).await?;
        let name = names::safe(name, self.settings.longest_name);
        let (stem, extension) = names::split(&name);
        let mut body = json!({ "name": stem });
        let told = item.text("extension").unwrap_or_default();
        if !extension.is_empty() && !told.eq_ignore_ascii_case(extension) {
            body["extension"] = Value::from(extension);
        }
        let reply = self.patch(&newest, &body, "renaming").await?;
        let told = reply.json::<Envelope>().ok().and_then(|mut it| it.object());
        match told.filter(|item| item.text("name").as_deref() == Some(stem) && item.has("id")) {
            Some(item) => Ok(document(&item)),
            // An answer that does not tell the new name: the profile does.
            None => Ok(document(&self.newest(&newest).await?.1)),
        }
    }

    async fn patch(&self, id: &str, body: &Value, doing: &str) -> DmsResult<Reply> {
        let library = ids::document(id)?.library;
        let url = self.tenant().await?.url(&["libraries", library, "documents", id], &[]);
        let reply = self.ask("update_document", Method::PATCH, url, Some(body)).await?;
        self.sure(reply, id, &format!("{doing} {id}")).await
    }

    /// Moves a document, all its versions with it, from one folder to another.
    pub(super) async fn move_to(&self, actor: &Actor, id: &str, from: &str, to: &str) -> DmsResult<Document> {
        ids::document(id)?;
        let source = ids::container(from)?;
        ids::container(to)?;
        let (newest, _) = self.newest(id).await?;
        let path = ["libraries", source.library, "folders", from, "documents", newest.as_str(), "move"];
        let body = json!({
            "destination_folder_id": to,
            "update_profile": self.settings.move_updates_profile,
            "update_security": self.settings.move_updates_profile && self.settings.move_updates_security,
            "audit": audit(actor),
        });
        let url = self.tenant().await?.url(&path, &[]);
        let reply = self.ask("move_document", Method::POST, url, Some(&body)).await?;
        let reply = self.sure(reply, &newest, &format!("moving {newest} from {from} to {to}")).await?;
        in_folder(&reply, to)
    }

    /// Copies the newest version, at the path of the settings.
    pub(super) async fn copy_to(&self, actor: &Actor, id: &str, to: &str) -> DmsResult<Document> {
        let Some(path) = &self.settings.copy_path else {
            let detail = "copying documents is not available here: copy_path is not set";
            return Err(DmsError::from_trouble(Trouble::new(Cause::Unsupported, detail)));
        };
        ids::document(id)?;
        let library = ids::container(to)?.library;
        let (newest, _) = self.newest(id).await?;
        let path: Vec<String> =
            path.trim_matches('/').split('/').map(|segment| segment.replace("{id}", &newest)).collect();
        let mut segments = vec!["libraries", library];
        segments.extend(path.iter().map(String::as_str));
        let url = self.tenant().await?.url(&segments, &[]);
        let body = json!({ "destination_folder_id": to, "audit": audit(actor) });
        let reply = self.ask("copy_document", Method::POST, url, Some(&body)).await?;
        let reply = self.sure(reply, &newest, &format!("copying {newest} to {to}")).await?;
        let copy = in_folder(&reply, to)?;
        if ids::number(&copy.id) == ids::number(id) {
            let detail = format!("copying {newest}: the answer names the document itself");
            return Err(DmsError::UnknownOutcome(Trouble::new(Cause::AnswerLost, detail)));
        }
        Ok(copy)
    }

    /// Deletes a document: every version of it, the newest one last, so that what is left after an interruption still is the document.
    pub(super) async fn delete(&self, id: &str) -> DmsResult<()> {
        let all = self.versions(id).await?;
        if all.is_empty() {
            return Err(versions::absent(id));
        }
        for (version, _) in all {
            let library = ids::document(&version)?.library;
            let url = self.tenant().await?.url(&["libraries", library, "documents", &version], &[]);
            let reply = self.ask("delete_document", Method::DELETE, url, None).await?;
            // Gone already is as good.
            if !errors::is_nothing_found(&reply) {
                self.sure(reply, &version, &format!("deleting {version}")).await?;
            }
        }
        Ok(())
    }

    /// A success, or the refusal with who holds the document, where that is why.
    async fn sure(&self, reply: Reply, id: &str, doing: &str) -> DmsResult<Reply> {
        if reply.is_success() {
            return Ok(reply);
        }
        let error = errors::shape(&reply, doing, &self.settings);
        Err(self.held_by(id, error).await)
    }

    /// Which status a lock is told by is not documented: on one that could be it, the document's own profile is asked.
    pub(super) async fn held_by(&self, id: &str, error: DmsError) -> DmsError {
        let (DmsError::Forbidden(trouble) | DmsError::Conflict { trouble, .. }) = &error else {
            return error;
        };
        match self.newest(id).await.map(|(_, item)| document(&item).locked_by) {
            Ok(Some(by)) => {
                let cause = Cause::Locked;
                let trouble = Trouble { cause, ..trouble.clone() };
                DmsError::Locked { by: Some(by), trouble }
            }
            _ => error,
        }
    }
}

/// What an answer tells of a document that now lies in a folder.
fn in_folder(reply: &Reply, folder: &str) -> DmsResult<Document> {
    let item = reply.json::<Envelope>()?.object();
    let item = item.filter(|item| item.text("id").is_some_and(|id| ids::document(&id).is_ok()));
    let item = item.ok_or_else(|| DmsError::from(reply.unreadable("the answer names no document")))?;
    Ok(Document { container: Some(folder.to_owned()), ..document(&item) })
}
