//! Putting a document into a container, or a version onto a document: one call, never repeated once a byte of it has left.

use futures_util::StreamExt;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, DmsResult, Receipt, Trouble, Upload};
use postroom_domain::ids::BlobHash;
use postroom_outbound::{Call, Document, Method, Reply};
use tracing::warn;

use super::places::Kind;
use super::probe::version_number;
use super::seat::{Seat, plain_fields};
use super::settings::{Empty, ReadBack, SizeUnit, VersionMark};
use super::wire::{self, Item};
use super::{errors, ids};
use crate::names;

/// The extension of a document whose name has none; NetDocuments' clients refuse such a document.
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

/// Name and extension that a document gets. One without an extension gets the usual one of its media type, or `bin`.
pub(super) fn named(name: &str, media_type: &str, longest: usize) -> (String, String) {
    let safe = names::safe(name, longest);
    match names::split(&safe) {
        (stem, "") => (stem.to_owned(), usual_extension(media_type).to_owned()),
        (stem, extension) => (stem.to_owned(), extension.to_owned()),
    }
}

/// A file name for the part's head: the document's own where every reader of forms understands it.
fn part_name(stem: &str, extension: &str) -> String {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b" ._-,()".contains(&b));
    match (plain(stem), plain(extension)) {
        (true, true) => format!("{stem}.{extension}"),
        (false, true) => format!("document.{extension}"),
        _ => "document".to_owned(),
    }
}

fn unknown(status: Option<u16>, detail: String) -> DmsError {
    DmsError::from_trouble(Trouble { status, ..Trouble::new(Cause::AnswerLost, detail) })
}

impl Seat {
    pub(super) async fn put(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        let size = upload.content.size();
        if let Some(limit) = self.settings.largest_bytes.filter(|limit| size > *limit) {
            let text = format!("{size} bytes where the settings allow {limit}");
            return Err(DmsError::TooLarge {
                limit: Some(limit),
                trouble: Trouble::new(Cause::TooLarge, text),
            });
        }
        if size == 0 && self.settings.empty_documents == Empty::Refuse {
            return Err(errors::rejected("content", "the document is empty".to_owned()));
        }
        match upload.onto {
            Some(document) => self.put_version(&upload, document).await,
            None => self.put_new(&upload).await,
        }
    }

    async fn put_new(&self, upload: &Upload<'_>) -> DmsResult<Receipt> {
        ids::checked(upload.container, "folder or workspace")?;
        if self.kinds.of(upload.container) == Some(Kind::Search) {
            return Err(errors::rejected("folder", format!("{} is a saved search", upload.container)));
        }
        self.home().await?;
        let (stem, extension) = named(upload.name, upload.media_type, self.settings.longest_name);
        let profile = self.profile(upload).await?;
        let mut fields = vec![
            ("action", "upload".to_owned()),
            ("destination", upload.container.to_owned()),
            ("name", stem.clone()),
            ("extension", extension.clone()),
        ];
        if profile.as_array().is_some_and(|list| !list.is_empty()) {
            fields.push(("profile", profile.to_string()));
        }
        if self.settings.partial_profiling {
            fields.push(("partialProfiling", "true".to_owned()));
        }
        if self.settings.return_full {
            fields.push(("return", "full".to_owned()));
        }
        let url = self.url(&["v1", "Document"], &[])?;
        let make = |document: Document| {
            self.http.post("upload", url.clone()).fields(plain_fields(&fields), Some(document))
        };
        let doing = format!("filing into {}", upload.container);
        let reply = self.deliver(upload, &part_name(&stem, &extension), &doing, make).await?;
        let receipt = self.receipt_of(&reply, upload)?;
        self.read_back(receipt, upload).await
    }

    async fn put_version(&self, upload: &Upload<'_>, document: &str) -> DmsResult<Receipt> {
        ids::checked(document, "document")?;
        self.home().await?;
        let (stem, extension) = named(upload.name, upload.media_type, self.settings.longest_name);
        let mark = upload.mark.to_string();
        let mut query = vec![("extension", extension.as_str())];
        match self.settings.version_mark {
            VersionMark::Description => query.push(("version_description", &mark)),
            VersionMark::Name => query.push(("verName", &mark)),
            VersionMark::None => {}
        }
        query.push(("official", if self.settings.official_versions { "true" } else { "false" }));
        let url = self.url(&["v1", "Document", document, "new"], &query)?;
        let make = |content: Document| self.http.call("new_version", Method::PUT, url.clone()).plain(content);
        let doing = format!("putting a version onto {document}");
        let reply = self.deliver(upload, &part_name(&stem, &extension), &doing, make).await?;
        let status = Some(reply.status);
        let item = Item::of(wire::value(&reply)?).unwrap_or_default();
        let number = ["newVer", "latestVersionNumber", "number"].iter().find_map(|key| item.number(key));
        let Some(number) = number else {
            return Err(unknown(status, "the answer to a new version holds no number".to_owned()));
        };
        let receipt = Receipt {
            document: document.to_owned(),
            version: Some(number.to_string()),
            container: upload.container.to_owned(),
            size: self.told_size(&item),
            hash: None,
            link: Some(self.link(document)),
        };
        match self.settings.read_back {
            ReadBack::None => Ok(receipt),
            ReadBack::Profile => self.compare_version(receipt, number, upload).await,
            ReadBack::Content => self.compare_content(receipt, upload).await,
        }
    }

    /// Looks the new version up in the document's list of versions. Whatever keeps it from being found leaves the outcome unknown.
    async fn compare_version(
        &self,
        receipt: Receipt,
        number: u64,
        upload: &Upload<'_>,
    ) -> DmsResult<Receipt> {
        let doing = format!("upload: version {number} of {}", receipt.document);
        let all = self.versions(&receipt.document).await;
        let all = all.map_err(|error| unknown(None, format!("{doing} cannot be read back: {error}")))?;
        let ours = all.iter().find(|version| version_number(version) == Some(number));
        let ours = ours.ok_or_else(|| unknown(None, format!("{doing} is not in the list of versions")))?;
        let (sent, told) = (upload.content.size(), self.told_size(ours));
        if let Some(told) = told.filter(|told| *told != sent) {
            let text = format!("{doing}: {sent} bytes were sent, it has {told}");
            return Err(DmsError::from_symptom(Symptom::WrongCopy, Sent::Fully, text));
        }
        Ok(Receipt { size: told, ..receipt })
    }

    /// Sends the document. A sign-in that has ended is renewed; the call is made again only if not one byte had left.
    async fn deliver<'s>(
        &'s self,
        upload: &Upload<'_>,
        file_name: &str,
        doing: &str,
        make: impl Fn(Document) -> Call<'s>,
    ) -> DmsResult<Reply> {
        let mut token = self.tokens.get(&self.http).await?;
        let mut renewed = false;
        loop {
            let stream = upload.content.open().await.map_err(|e| {
                errors::trouble(Cause::StoreDamage, format!("the stored bytes cannot be read: {e}"))
            })?;
            let document = Document {
                field: "file",
                file_name: file_name.to_owned(),
                media_type: upload.media_type.to_owned(),
                size: upload.content.size(),
                stream,
                gauge: upload.gauge.clone(),
            };
            let call = Self::sign(make(document).header("accept", "application/json"), &token);
            let reply = call.fetch().await?;
            if reply.status == 401 {
                let untouched = upload.gauge.bytes() == 0 && reply.sent() == Sent::Nothing;
                let ran_out = self.tokens.is_proven(&token);
                token = self.tokens.renew(&self.http, &token).await?;
                if !ran_out {
                    // A sign-in that never worked has not run out; another one of its kind would be refused as well.
                    return Err(errors::shape(
                        &reply,
                        &format!("{doing} with a fresh sign-in"),
                        &self.settings,
                    ));
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
                return Err(errors::shape(&reply, doing, &self.settings));
            }
            self.tokens.proves(&token);
            if reply.sent() != Sent::Fully && !reply.is_web_page() {
                let text = format!(
                    "{doing}: status {}, but it came before the document was sent whole",
                    reply.status
                );
                return Err(unknown(Some(reply.status), text));
            }
            return Ok(reply);
        }
    }

    /// What a success says, compared with what was sent.
    fn receipt_of(&self, reply: &Reply, upload: &Upload<'_>) -> DmsResult<Receipt> {
        let lost =
            |why: String| unknown(Some(reply.status), format!("upload: status {}, but {why}", reply.status));
        let item = Item::of(wire::value(reply)?).unwrap_or_default();
        let standard = item.standard();
        let id = standard.id().ok_or_else(|| lost("it holds no document id".to_owned()))?;
        if let (Some(mark), Some(values)) = (self.settings.mark(), item.custom()) {
            match values.get(&mark) {
                Some(there) if bears(there, &upload.mark.to_string()) => {
                    self.marks.learn(&id, &upload.mark.to_string());
                }
                Some(_) => return Err(lost(format!("it names {id}, which has another mark"))),
                None => warn!(dms.service = %self.name, filing = %upload.mark.filing(),
                    "NetDocuments took a document, but its answer does not show the mark that it was sent with."),
            }
        }
        if let Some(told) = self.told_size(&standard).filter(|told| *told != upload.content.size()) {
            let text = format!("upload: {} bytes were sent, {id} has {told}", upload.content.size());
            return Err(DmsError::from_symptom(Symptom::WrongCopy, Sent::Fully, text));
        }
        Ok(self.receipt(&id, upload.container, &standard))
    }

    /// The size in bytes, where the settings say that this is what is told.
    pub(super) fn told_size(&self, item: &Item) -> Option<u64> {
        match self.settings.size_unit {
            SizeUnit::Bytes => item.number("size"),
            SizeUnit::Unknown => None,
        }
    }

    /// The receipt of a new document, whose only version is the first.
    pub(super) fn receipt(&self, id: &str, container: &str, standard: &Item) -> Receipt {
        Receipt {
            document: id.to_owned(),
            version: Some("1".to_owned()),
            container: container.to_owned(),
            size: self.told_size(standard),
            hash: None,
            link: Some(self.link(id)),
        }
    }

    async fn read_back(&self, receipt: Receipt, upload: &Upload<'_>) -> DmsResult<Receipt> {
        match self.settings.read_back {
            ReadBack::None => Ok(receipt),
            ReadBack::Profile => {
                let lost = |why: &str| {
                    unknown(None, format!("upload: {} was read back, but {why}", receipt.document))
                };
                let info = match self.document_info(&receipt.document).await {
                    Ok(Some(info)) => info,
                    Ok(None) => return Err(lost("it is not there")),
                    Err(e) => return Err(lost(&e.to_string())),
                };
                let Some(mark) = self.settings.mark() else { return Ok(receipt) };
                let there = info.custom().unwrap_or_default().remove(&mark).unwrap_or_default();
                if bears(&there, &upload.mark.to_string()) {
                    Ok(receipt)
                } else {
                    Err(lost("it has another mark"))
                }
            }
            ReadBack::Content => self.compare_content(receipt, upload).await,
        }
    }

    /// Downloads what was stored and hashes it. Whatever keeps it from being compared leaves the outcome unknown.
    async fn compare_content(&self, receipt: Receipt, upload: &Upload<'_>) -> DmsResult<Receipt> {
        let lost =
            |why: String| unknown(None, format!("upload: {} was read back, but {why}", receipt.document));
        let stream = self.content(&receipt.document, receipt.version.as_deref()).await;
        let mut stream = stream.map_err(|e| lost(e.to_string()))?;
        let (mut hasher, mut size) = (blake3::Hasher::new(), 0_u64);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|e| lost(e.to_string()))?;
            hasher.update(&chunk);
            size += chunk.len() as u64;
        }
        let hash = BlobHash::new(*hasher.finalize().as_bytes());
        if hash != upload.content.hash() {
            let text =
                format!("upload: {} holds {size} bytes that are not those that were sent", receipt.document);
            return Err(DmsError::from_symptom(Symptom::WrongCopy, Sent::Fully, text));
        }
        Ok(Receipt { hash: Some(hash), size: Some(size), ..receipt })
    }
}

/// Whether the text of the mark's attribute bears the mark: alone, or before something of somebody's own.
pub(super) fn bears(text: &str, mark: &str) -> bool {
    text.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', '\r', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_gets_a_name_and_an_extension() {
        for (name, kind, wanted, part) in [
            ("Letter.pdf", "application/pdf", ("Letter", "pdf"), "Letter.pdf"),
            ("Brief an Müller.docx", "x/y", ("Brief an Müller", "docx"), "document.docx"),
            ("no extension", "application/pdf", ("no extension", "pdf"), "no extension.pdf"),
            ("scan", "x/y", ("scan", "bin"), "scan.bin"),
            ("", "message/rfc822", ("document", "eml"), "document.eml"),
            ("x.dö", "x/y", ("x", "dö"), "document"),
        ] {
            let (stem, extension) = named(name, kind, 200);
            assert_eq!((stem.as_str(), extension.as_str()), wanted, "{name}");
            assert_eq!(part_name(&stem, &extension), part, "{name}");
        }
    }

    #[test]
    fn a_mark_is_recognised_alone_and_before_a_comment() {
        let mark = "postroom:0192f0c1-5b7e-7000-8000-000000000001";
        assert!(bears(mark, mark) && bears(&format!("{mark} x"), mark));
        assert!(
            !bears("", mark) && !bears(&format!("{mark}2"), mark) && !bears(&format!("copy of {mark}"), mark)
        );
    }
}
