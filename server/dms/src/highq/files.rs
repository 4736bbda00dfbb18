//! Files: listed, looked at, read, moved, copied, deleted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{ByteStream, DmsError, DmsResult, Document, Page, Trouble};
use postroom_outbound::{Answer, Method};

use super::seat::{Body, Seat};
use super::wire::{self, Item};
use super::{errors, ids};

/// A file's name with its extension. HighQ tells the type beside the name, which may have it too or not.
pub(super) fn full_name(item: &Item) -> String {
    let name = item.text("name").unwrap_or_default();
    let kind = item.text("type").or_else(|| item.text("extension")).unwrap_or_default();
    let kind = kind.trim_start_matches('.');
    let has = name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case(kind));
    if kind.is_empty() || has || kind.contains(char::is_whitespace) { name } else { format!("{name}.{kind}") }
}

/// A moment as HighQ writes it, in UTC: `26 May 2014 06:34`.
fn moment(text: &str) -> Option<Timestamp> {
    let at = jiff::civil::DateTime::strptime("%d %b %Y %H:%M", text.trim()).ok()?;
    at.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// The version that an answer about a file tells of.
pub(super) fn version(item: &Item) -> Option<String> {
    item.text("versionid").or_else(|| item.text("number"))
}

impl Seat {
    /// A file's own answer, with the integrator's keys.
    pub(super) async fn file(&self, id: u64) -> DmsResult<Item> {
        let path = ["files", &id.to_string()];
        let url = self.url(self.settings.versions.files, &path, &[("lastdmsinfo", "true")]);
        let item = self.get("file", url, &format!("reading file {id} (absent, or not visible)")).await?;
        let item = item.unwrapped("file");
        match item.number("id") {
            Some(told) if told != id => {
                Err(errors::missing(format!("the answer about file {id} is about {told}")))
            }
            _ => Ok(item),
        }
    }

    fn document_of(&self, id: u64, item: &Item) -> Document {
        let folder = item.number("folderid").or_else(|| self.places.of_file(id).map(|(_, folder)| folder));
        let site = folder.and_then(|folder| self.places.site_of(folder));
        if let (Some(folder), Some(site)) = (folder, site) {
            self.places.learn_file(id, site, folder);
        }
        let root = site.and_then(|site| self.places.root_of(site));
        let lock = self.settings.lock_field.as_str();
        let holder = item.inner(lock).map(|it| {
            let names = [it.text("firstname"), it.text("lastname")];
            let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
            if name.is_empty() { it.text("email").unwrap_or_else(|| "somebody".to_owned()) } else { name }
        });
        let keys = ["dmsdocid", "dmsdatabasename", "dmsversion", "dmseditdate", "versionnote", "location"];
        let field = |key: &str| Some((key.to_owned(), item.anywhere(key)?));
        Document {
            id: id.to_string(),
            version: version(item),
            name: full_name(item),
            size: item.number("size"),
            container: folder.map(|folder| match site {
                Some(site) if root == Some(folder) => ids::site_id(site),
                _ => ids::folder_id(folder),
            }),
            workspace: site.map(ids::site_id),
            changed: item.text("modifieddate").and_then(|text| moment(&text)),
            locked_by: holder.or_else(|| item.text(lock)),
            fields: keys.into_iter().filter_map(field).collect::<BTreeMap<_, _>>(),
        }
    }

    /// What HighQ tells of a file, with its record where the settings want that.
    pub(super) async fn document(&self, id: &str) -> DmsResult<Document> {
        let number = ids::file(id)?;
        let item = self.file(number).await?;
        if let Some(folder) = item.number("folderid") {
            // Only so that the workspace can be told.
            self.site_of(folder).await?;
        }
        let mut document = self.document_of(number, &item);
        if self.settings.metadata.on && self.settings.metadata.read {
            document.fields.extend(self.record(number).await?);
        }
        Ok(document)
    }

    /// The files of a folder. The quotes are part of the parameter's value.
    pub(super) async fn files(
        &self,
        folder: u64,
        limit: i64,
        offset: u64,
    ) -> DmsResult<(Vec<Item>, Option<u64>)> {
        let (q, limit, offset) = (format!("\"folderid={folder}\""), limit.to_string(), offset.to_string());
        let query = [
            ("q", q.as_str()),
            ("limit", &limit),
            ("offset", &offset),
            ("orderby", "asc"),
            ("ordertype", "name"),
        ];
        let url = self.url(self.settings.versions.files, &["files"], &query);
        match self.get("files", url, &format!("listing files of folder {folder}")).await {
            Ok(item) => Ok((item.entries("file"), item.anywhere("filetotal").and_then(|n| n.parse().ok()))),
            Err(error) => Err(self.explained(error, folder).await),
        }
    }

    /// Documents in a container, one page.
    pub(super) async fn documents(&self, container: &str, page: Option<&str>) -> DmsResult<Page<Document>> {
        let folder = self.folder_of(ids::place(container)?).await?;
        let offset = page.and_then(|text| text.parse().ok()).unwrap_or(0_u64);
        let site = self.site_of(folder).await?;
        let limit = i64::try_from(self.settings.page).unwrap_or(100);
        let (items, total) = self.files(folder, limit, offset).await?;
        let next = offset + items.len() as u64;
        let more = match total {
            Some(total) => next < total,
            None => !(self.settings.short_page_ends && items.len() < self.settings.page),
        };
        let more = more && !items.is_empty();
        let mut found = Vec::new();
        for item in items {
            if let Some(id) = item.number("id") {
                self.places.learn_file(id, site, folder);
                found.push(self.document_of(id, &item));
            }
        }
        Ok(Page { items: found, next: more.then(|| next.to_string()) })
    }

    /// The bytes of a file, as they were uploaded, of its newest version or the one named.
    pub(super) async fn fetch(&self, document: &str, version: Option<&str>) -> DmsResult<ByteStream> {
        Ok(self.content(ids::file(document)?, version).await?.stream())
    }

    /// The length of a version, which no other answer tells. Its bytes are not read.
    pub(super) async fn length_of(&self, id: u64, version: &str) -> DmsResult<Option<u64>> {
        if self.settings.version_parameter.is_empty() {
            return Ok(None);
        }
        Ok(self.content(id, Some(version)).await?.length())
    }

    async fn content(&self, id: u64, version: Option<&str>) -> DmsResult<Answer> {
        let key = self.settings.version_parameter.as_str();
        let mut query = vec![("original", "true")];
        match version {
            Some(_) if key.is_empty() => {
                let detail = "the settings name no parameter for a version (version_parameter)";
                return Err(DmsError::from_trouble(Trouble::new(Cause::Unsupported, detail)));
            }
            Some(version) => query.push((key, version)),
            None => {}
        }
        let path = ["files", &id.to_string(), "content"];
        let url = self.url(self.settings.versions.files, &path, &query);
        let mut token = self.tokens.get(&self.http).await?;
        let mut renewed = false;
        loop {
            // Packed on the way it would not tell its length.
            let call = self.http.get("download", url.clone()).header("accept", "*/*");
            let answer = call.header("accept-encoding", "identity").bearer(&token.value).send().await?;
            if answer.status() == self.settings.expired_status && !renewed {
                renewed = true;
                token = self.tokens.renew(&self.http, &token).await?;
                continue;
            }
            if !answer.is_success() {
                let reply = answer.read().await?;
                let error = self.refusal(&reply, &format!("downloading file {id}"));
                return Err(match self.places.of_file(id) {
                    Some((_, folder)) => self.explained(error, folder).await,
                    None => error,
                });
            }
            self.tokens.proves(&token);
            // A document comes with its name; a log-in page does not.
            if answer.says_html() && answer.header("content-disposition").is_none() {
                let detail = format!("downloading file {id}: a web page instead of the document");
                return Err(DmsError::from_symptom(Symptom::WebPage, Sent::Nothing, detail));
            }
            return Ok(answer);
        }
    }

    /// Moves a file. It keeps its id.
    pub(super) async fn carry(&self, document: &str, to: &str) -> DmsResult<Document> {
        let id = ids::file(document)?;
        let target = self.folder_of(ids::place(to)?).await?;
        self.site_of(target).await?;
        let url = self.parent_url(id, target);
        let reply = self.ask("move_file", Method::PUT, url, Body::None).await?;
        if !reply.is_success() {
            let error = self.refusal(&reply, &format!("moving file {id} to {to}"));
            return Err(self.explained(error, target).await);
        }
        self.places.forget_file(id);
        self.document(document).await
    }

    /// Copies a file's newest version.
    pub(super) async fn duplicate(&self, document: &str, to: &str) -> DmsResult<Document> {
        let id = ids::file(document)?;
        let target = self.folder_of(ids::place(to)?).await?;
        self.site_of(target).await?;
        let before = self.ids_in(target).await?;
        let url = self.parent_url(id, target);
        let reply = self.ask("copy_file", Method::POST, url, Body::None).await?;
        if !reply.is_success() {
            let error = self.refusal(&reply, &format!("copying file {id} to {to}"));
            return Err(self.explained(error, target).await);
        }
        let told = wire::read(&reply).ok().and_then(|item| super::upload::id_in(&item));
        if let Some(copy) = told.filter(|told| *told != id && !before.contains(told)) {
            return self.document(&copy.to_string()).await;
        }
        // What the answer holds is not documented, so the new file is found by not having been there.
        let after = self.ids_in(target).await?;
        let mut new = after.into_iter().filter(|id| !before.contains(id));
        match (new.next(), new.next()) {
            (Some(copy), None) => self.document(&copy.to_string()).await,
            _ => {
                let detail = format!("file {id} was copied, but which one is the copy is not told");
                Err(errors::unknown(detail))
            }
        }
    }

    async fn ids_in(&self, folder: u64) -> DmsResult<std::collections::HashSet<u64>> {
        let items = self.whole_folder(folder).await?;
        Ok(items.iter().filter_map(|item| item.number("id")).collect())
    }

    fn parent_url(&self, id: u64, target: u64) -> url::Url {
        let path = ["files", &id.to_string(), "parent"];
        self.url(self.settings.versions.files, &path, &[("targetfolderid", &target.to_string())])
    }

    /// Deletes a file, into the recycle bin. HighQ says "done" too when it was there already.
    pub(super) async fn remove(&self, document: &str) -> DmsResult<()> {
        let id = ids::file(document)?;
        let url = self.url(self.settings.versions.files, &["files", &id.to_string()], &[]);
        let reply = self.ask("delete_file", Method::DELETE, url, Body::None).await?;
        if !reply.is_success() {
            return Err(self.refusal(&reply, &format!("deleting file {id}")));
        }
        if reply.is_web_page() {
            let detail = format!("deleting file {id}: a web page instead of an answer");
            return Err(DmsError::from_symptom(Symptom::WebPage, Sent::Nothing, detail));
        }
        self.places.forget_file(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc() {
        assert_eq!(moment("26 May 2014 06:34"), Some("2014-05-26T06:34:00Z".parse().unwrap()));
        assert_eq!((moment("14 Mar 2014"), moment("soon")), (None, None));
    }
}
