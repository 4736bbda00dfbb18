//! Putting a document into a folder: one call, never repeated once a byte of the document has left.

use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, DmsResult, Receipt, Trouble, Upload};
use postroom_outbound::{Document, Reply};
use serde_json::Value;
use tracing::warn;

use super::places::Kind;
use super::profile::profile;
use super::wire::{Envelope, Item};
use super::{Seat, errors, ids};
use crate::names;

impl Seat {
    pub(super) async fn put(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        let size = upload.content.size();
        if let Some(limit) = self.settings.largest_bytes.filter(|limit| size > *limit) {
            let trouble =
                Trouble::new(Cause::TooLarge, format!("{size} bytes where the settings allow {limit}"));
            return Err(DmsError::TooLarge { limit: Some(limit), trouble });
        }
        let (path, operation) = match upload.onto {
            None => {
                let folder = ids::container(upload.container)?;
                self.takes_documents(upload.container)?;
                (["libraries", folder.library, "folders", upload.container, "documents"], "upload")
            }
            Some(onto) => {
                let library = ids::document(onto)?.library;
                (["libraries", library, "documents", onto, "versions"], "new_version")
            }
        };
        let name = names::safe(upload.name, self.settings.longest_name);
        let profile = profile(&self.settings, &upload, &name)?.to_string();
        let tenant = self.tenant().await?;
        let url = tenant.url(&path, &[]);
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
            let call = self.http().post(operation, url.clone()).header("accept", "application/json");
            let call = self.sign(call, &token).document(vec![("profile", profile.clone())], document);
            let reply = call.fetch().await?;
            if reply.status == 401 {
                let untouched = upload.gauge.bytes() == 0 && reply.sent() == Sent::Nothing;
                let ran_out = self.tokens.is_proven(&token);
                token = self.tokens.renew(self.http(), &token).await?;
                if !ran_out {
                    // A sign-in that never worked has not run out; another one of its kind would be refused as well.
                    return Err(errors::shape(&reply, "filing with a fresh sign-in", &self.settings));
                }
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
                let place = upload.onto.unwrap_or(upload.container);
                let doing = format!("filing into {place} as {}", tenant.account.id);
                let error = errors::shape(&reply, &doing, &self.settings);
                return Err(self.explained(error, &upload).await);
            }
            self.tokens.proves(&token);
            let receipt = self.receipt_of(&reply, &upload)?;
            if self.settings.read_back {
                self.compare(&receipt, &upload).await?;
            }
            return Ok(receipt);
        }
    }

    /// Whether a container of a kind that is known takes documents.
    fn takes_documents(&self, container: &str) -> DmsResult<()> {
        let what = match self.kinds.of(container) {
            Some(Kind::Tab) if !self.settings.file_into_tabs => "a tab (file_into_tabs allows it)",
            Some(Kind::Workspace) => "a workspace; a folder is needed",
            Some(Kind::Search) => "a saved search",
            _ => return Ok(()),
        };
        Err(errors::rejected("folder", format!("{container} is {what}")))
    }

    /// A refusal with what can be found out about it: who holds the document, or which e-mail is there already.
    async fn explained(&self, error: DmsError, upload: &Upload<'_>) -> DmsError {
        match upload.onto {
            Some(onto) => self.held_by(onto, error).await,
            None => self.duplicate_of(upload, error).await,
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
        if reply.sent() != Sent::Fully && !reply.is_web_page() {
            return Err(unknown("it came before the document was sent whole".to_owned()));
        }
        let mut envelope: Envelope = reply.json()?;
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
        if let (Some(number), Some(parsed)) = (item.text("document_number"), ids::parse(&id))
            && number != parsed.number
        {
            return Err(unknown(format!("it names {id} and document number {number}")));
        }
        if let Some(onto) = upload.onto.filter(|onto| ids::number(onto) != ids::number(&id)) {
            return Err(unknown(format!("it names {id}, which is no version of {onto}")));
        }
        if let Some(stored) = item.number("size").filter(|stored| *stored != size) {
            let detail = format!("upload: {size} bytes were sent, {id} has {stored}");
            return Err(DmsError::from_symptom(Symptom::WrongCopy, Sent::Fully, detail));
        }
        Ok(self.receipt(&id, upload.container, &item))
    }

    /// Reads the new document's profile back. Whatever keeps it from being compared leaves the outcome unknown.
    async fn compare(&self, receipt: &Receipt, upload: &Upload<'_>) -> DmsResult<()> {
        let unknown = |why: String| {
            let detail = format!("upload: {} was read back, but {why}", receipt.document);
            DmsError::from_trouble(Trouble::new(Cause::AnswerLost, detail))
        };
        let profile = match self.profile(&receipt.document).await {
            Ok(Some(profile)) => profile,
            Ok(None) => return Err(unknown("it is not there".to_owned())),
            Err(e) => return Err(unknown(e.to_string())),
        };
        let marked = profile.text(&self.settings.mark_field);
        if !marked.is_some_and(|text| bears(&text, &upload.mark.to_string())) {
            return Err(unknown("it has another mark".to_owned()));
        }
        let (sent, stored) = (upload.content.size(), profile.number("size"));
        if let Some(stored) = stored.filter(|stored| *stored != sent) {
            let detail = format!("upload: {sent} bytes were sent, {} has {stored}", receipt.document);
            return Err(DmsError::from_symptom(Symptom::WrongCopy, Sent::Fully, detail));
        }
        Ok(())
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
    fn the_part_has_a_plain_name() {
        for (name, part) in
            [("Brief an Müller.docx", "document.docx"), ("x", "document"), ("x.dö", "document")]
        {
            assert_eq!(part_name(name), part);
        }
    }
}
