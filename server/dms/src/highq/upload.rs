//! Putting a document into a folder, or a version onto a file: one call, never repeated once a byte of the document has left. What
//! follows it are questions.
//!
//! What HighQ answers to an upload is not public. The answer is read for an id; whether that is our document is proved by the mark
//! (`dmsdocid`), in the answer itself or in the file's own; where there is no id the folder is looked through for the mark.

use std::collections::HashSet;
use std::sync::PoisonError;

use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, DmsResult, Found, Receipt, Trouble, Upload};
use postroom_outbound::{Document, Field, Reply};
use tracing::warn;
use url::Url;

use super::files::{full_name, version};
use super::probe::Wanted;
use super::seat::Seat;
use super::settings::EqualNames;
use super::wire::{self, Item};
use super::{errors, ids, links};
use crate::names;

/// Where a document goes, all of it known before its first byte leaves.
struct Way {
    folder: u64,
    site: u64,
    onto: Option<u64>,
    name: String,
}

/// So many files of one name are told apart in a folder.
const MOST_OF_ONE_NAME: u32 = 10_000;

/// A name that is being sent; no other upload of this account takes it meanwhile.
struct Reserved<'a>(&'a Seat, (u64, String));

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.0.sending.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Seat {
    pub(super) async fn put(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        let place = ids::place(upload.container)?;
        let onto = upload.onto.map(ids::file).transpose()?;
        let size = upload.content.size();
        if let Some(limit) = self.settings.largest_bytes.filter(|limit| size > *limit) {
            let trouble =
                Trouble::new(Cause::TooLarge, format!("{size} bytes where the settings allow {limit}"));
            return Err(DmsError::TooLarge { limit: Some(limit), trouble });
        }
        let folder = self.folder_of(place).await?;
        let site = self.site_of(folder).await?;
        let record = self.profile(site, upload.profile).await?;
        let mut name = names::safe(upload.name, self.settings.longest_name);
        let mut _reserved = None;
        if onto.is_none() && self.settings.equal_names == EqualNames::Number {
            let held = self.free_name(folder, &name).await?;
            name.clone_from(&held.1.1);
            _reserved = Some(held);
        }
        let way = Way { folder, site, onto, name };
        let reply = self.send(&upload, &way).await?;
        let receipt = self.receipt_of(&reply, &upload, &way).await?;
        if let (Some(columns), Ok(id)) = (record, ids::file(&receipt.document))
            && let Err(error) = self.write_record(site, id, &columns).await
        {
            // The document is there and found again; its profile can be set later, sending it again would double it.
            warn!(dms.service = %self.name, filing = %upload.mark.filing(), highq.file = id, error = %error,
                "A document was filed, but its profile could not be set.");
        }
        Ok(receipt)
    }

    /// The first of `letter.pdf`, `letter (2).pdf`, … that the folder does not have and no other upload is about to take.
    async fn free_name(&self, folder: u64, name: &str) -> DmsResult<Reserved<'_>> {
        // One after the other: whoever was sending before the folder was read may be in it or not, and nobody begins meanwhile.
        let _alone = self.making.lock().await;
        let before = self.sending.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let items = self.whole_folder(folder).await?;
        let taken: HashSet<String> = items.iter().map(|item| full_name(item).to_lowercase()).collect();
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        for n in 1..=MOST_OF_ONE_NAME {
            let key = (folder, names::safe(&names::numbered(name, n), self.settings.longest_name));
            let free = !taken.contains(&key.1.to_lowercase()) && !before.contains(&key);
            if free && sending.insert(key.clone()) {
                return Ok(Reserved(self, key));
            }
        }
        Err(errors::rejected("name", format!("folder {folder} has too many files of the name {name:?}")))
    }

    fn upload_url(&self, way: &Way) -> Url {
        let source = self.settings.source_client.as_str();
        let mut query: Vec<(&str, &str)> = Vec::new();
        let folder = way.folder.to_string();
        let id = way.onto.map(|id| id.to_string());
        if id.is_none() {
            query.push(("parentfolderid", &folder));
            match self.settings.override_duplicate {
                Some(true) => query.push(("overrideduplicate", "true")),
                Some(false) => query.push(("overrideduplicate", "false")),
                None => {}
            }
        }
        if !source.is_empty() {
            query.push(("sourceclient", source));
        }
        match &id {
            Some(id) => self.url(self.settings.versions.files, &["files", id, "content"], &query),
            None => self.url(self.settings.versions.files, &["files", "content"], &query),
        }
    }

    /// The form's fields; their names are case-sensitive.
    fn form(&self, upload: &Upload<'_>, way: &Way) -> Vec<Field> {
        let mark = upload.mark.to_string();
        let mut form = vec![
            ("filename", way.name.clone()),
            ("notification", self.settings.notification.to_string()),
            ("dmsdatabasename", self.settings.database_name.clone()),
            ("dmseditdate", upload.received.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()),
        ];
        form.extend(self.settings.note(&mark).map(|note| ("versionnote", note)));
        form.push(("dmsdocid", mark));
        form.into_iter().map(|(name, value)| Field { name, value, is_json: false }).collect()
    }

    async fn send(&self, upload: &Upload<'_>, way: &Way) -> DmsResult<Reply> {
        let url = self.upload_url(way);
        let mut token = self.tokens.get(&self.http).await?;
        let mut renewed = false;
        loop {
            let stream = upload.content.open().await.map_err(|e| {
                let detail = format!("the stored bytes cannot be read: {e}");
                DmsError::from_trouble(Trouble::new(Cause::StoreDamage, detail))
            })?;
            let document = Document {
                field: "file",
                file_name: part_name(&way.name),
                media_type: upload.media_type.to_owned(),
                size: upload.content.size(),
                stream,
                gauge: upload.gauge.clone(),
            };
            let call = self.sign(self.http.post("upload", url.clone()), &token);
            let reply = call.fields(self.form(upload, way), Some(document)).fetch().await?;
            if reply.status == self.settings.expired_status {
                let untouched = upload.gauge.bytes() == 0 && reply.sent() == Sent::Nothing;
                let ran_out = self.tokens.is_proven(&token);
                token = self.tokens.renew(&self.http, &token).await?;
                if !ran_out {
                    // A sign-in that never worked has not run out; another one of its kind would be refused as well.
                    return Err(self.refusal(&reply, "filing with a fresh sign-in"));
                }
                if untouched && !renewed {
                    renewed = true;
                    continue;
                }
                // The refusal comes before anything is stored. The sign-in is fresh again, so the next try has no need of a person.
                let detail = "the sign-in ended while the document was being sent; it has been renewed";
                let trouble =
                    Trouble { status: Some(reply.status), ..Trouble::new(Cause::SessionGone, detail) };
                return Err(DmsError::from_trouble(trouble));
            }
            if !reply.is_success() {
                let error = self.refusal(&reply, &format!("filing into {}", upload.container));
                return Err(self.explained(error, way.folder).await);
            }
            self.tokens.proves(&token);
            return Ok(reply);
        }
    }

    /// What a success comes down to.
    async fn receipt_of(&self, reply: &Reply, upload: &Upload<'_>, way: &Way) -> DmsResult<Receipt> {
        let unknown = |why: &str| {
            let trouble = Trouble {
                status: Some(reply.status),
                ..Trouble::new(Cause::AnswerLost, format!("upload: status {}, but {why}", reply.status))
            };
            DmsError::from_trouble(trouble)
        };
        if reply.is_web_page() {
            wire::read(reply)?;
        }
        if reply.sent() != Sent::Fully {
            return Err(unknown("it came before the document was sent whole"));
        }
        let mark = upload.mark.to_string();
        let item = wire::read(reply).unwrap_or_default().unwrapped("file");
        let told = item.anywhere("dmsdocid");
        if told.as_ref().is_some_and(|told| *told != mark) {
            return Err(unknown("it shows another mark"));
        }
        let id = id_in(&item);
        if let Some(id) = id
            && told.is_some()
            && !self.settings.read_back
        {
            return self.checked(id, upload, way, &item);
        }
        if let Some(id) = id {
            match self.file(id).await {
                Ok(info) if info.anywhere("dmsdocid").as_deref() == Some(&mark) => {
                    return self.checked(id, upload, way, &info);
                }
                Ok(_) | Err(DmsError::NotFound(_)) => {}
                Err(error) => return Err(unknown(&format!("file {id} cannot be read back: {error}"))),
            }
        }
        let wanted = Wanted { folder: way.folder, name: &way.name, mark: &mark, onto: way.onto };
        match self.look(upload.container, wanted).await {
            Ok(Found::Yes(receipt)) => {
                let (sent, stored) = (upload.content.size(), receipt.size);
                same_size(&receipt.document, sent, stored)?;
                Ok(receipt)
            }
            Ok(Found::No) => Err(unknown("no file with the mark is there")),
            Ok(Found::Several(_)) => Err(unknown("several files with the mark are there")),
            Err(error) => Err(unknown(&format!("the folder cannot be looked through: {error}"))),
        }
    }

    /// The receipt of a file whose answer shows the mark, or did before.
    fn checked(&self, id: u64, upload: &Upload<'_>, way: &Way, item: &Item) -> DmsResult<Receipt> {
        same_size(&id.to_string(), upload.content.size(), item.number("size"))?;
        if way.onto.is_some_and(|onto| onto != id) {
            let detail = format!("upload: a version was sent, but it became file {id}");
            return Err(errors::unknown(detail));
        }
        if way.onto.is_none() && item.number("versionid").is_some_and(|n| n > 1) {
            warn!(dms.service = %self.name, filing = %upload.mark.filing(), highq.file = id,
                "HighQ may have made a new document a version of one that has its name; see equal_names.");
        }
        Ok(self.receipt(id, upload.container, way.site, way.folder, item))
    }

    /// A file as the contract tells it.
    pub(super) fn receipt(&self, id: u64, container: &str, site: u64, folder: u64, item: &Item) -> Receipt {
        self.places.learn_file(id, site, folder);
        Receipt {
            document: id.to_string(),
            version: version(item),
            container: container.to_owned(),
            size: item.number("size"),
            hash: None,
            link: Some(links::file(self.http.base(), site, folder, id)),
        }
    }
}

fn same_size(id: &str, sent: u64, stored: Option<u64>) -> DmsResult<()> {
    match stored.filter(|stored| *stored != sent) {
        Some(stored) => {
            let detail = format!("upload: {sent} bytes were sent, file {id} has {stored}");
            Err(DmsError::from_symptom(Symptom::WrongCopy, Sent::Fully, detail))
        }
        None => Ok(()),
    }
}

/// The id that an answer names. Its key is not documented, so the likely ones are tried.
pub(super) fn id_in(item: &Item) -> Option<u64> {
    let keys = ["id", "fileid", "docid", "documentid", "fileID", "documentID"];
    keys.iter().find_map(|key| item.number(key)).or_else(|| {
        let inner = ["document", "file", "files", "data"].iter().find_map(|key| item.inner(key));
        inner.and_then(|inner| keys.iter().find_map(|key| inner.number(key)))
    })
}

/// A file name for the part's head: the document's own name is a field of the form.
fn part_name(name: &str) -> String {
    match names::split(name).1 {
        extension if !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            format!("document.{extension}")
        }
        _ => "document".to_owned(),
    }
}
