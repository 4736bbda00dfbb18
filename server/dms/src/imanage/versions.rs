//! Versions of a document: which there are, which is the newest, which bears a mark.
//!
//! An id always names a version. What is asked of "the document" is asked of its newest one, whichever version the id names.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Found, Probe, Trouble};
use postroom_outbound::Method;

use super::places::next_offset;
use super::wire::{Envelope, Item};
use super::{Seat, errors, ids};

/// Most pages of a list of versions. A server that leaves the offset out of account is noticed by what repeats.
const MOST_PAGES: usize = 100;

/// What says that a document is absent, or hidden from the account.
pub(super) fn absent(id: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(
        Cause::TargetNotFound,
        format!("document {id} is absent, or not visible"),
    ))
}

impl Seat {
    /// All versions that the account sees, with their ids; none when the document is not there.
    pub(super) async fn versions(&self, document: &str) -> DmsResult<Vec<(String, Item)>> {
        let found = self.versions_of(document).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        // The version that the id names may have been deleted, and others are left.
        match self.by_number(document).await? {
            Some(other) if other != document => self.versions_of(&other).await,
            _ => Ok(found),
        }
    }

    /// Any version of a document, from the index.
    async fn by_number(&self, document: &str) -> DmsResult<Option<String>> {
        let id = ids::document(document)?;
        let query = [("document_number", id.number), ("paging_mode", "standard"), ("limit", "20")];
        let url = self.tenant().await?.url(&["libraries", id.library, "documents"], &query);
        let (items, _) =
            self.list("search_documents", url, &format!("searching document {document}")).await?;
        let mut found = items.iter().filter_map(|item| item.text("id"));
        Ok(found.find(|id| ids::document(id).is_ok() && ids::number(id) == ids::number(document)))
    }

    async fn versions_of(&self, document: &str) -> DmsResult<Vec<(String, Item)>> {
        let library = ids::document(document)?.library;
        let tenant = self.tenant().await?;
        let (mut found, mut offset) = (Vec::<(String, Item)>::new(), 0);
        for _ in 0..MOST_PAGES {
            let (limit, from) = (self.settings.page.to_string(), offset.to_string());
            let query = [("limit", limit.as_str()), ("offset", &from), ("total", "true")];
            let url = tenant.url(&["libraries", library, "documents", document, "versions"], &query);
            let reply = self.ask("versions", Method::GET, url, None).await?;
            // Also behind the last page of a list whose length is not told.
            if errors::is_nothing_found(&reply) {
                break;
            }
            if !reply.is_success() {
                return Err(errors::shape(
                    &reply,
                    &format!("listing versions of {document}"),
                    &self.settings,
                ));
            }
            let mut envelope: Envelope = reply.json()?;
            let total = envelope.total();
            let items = envelope.items();
            let (count, before) = (items.len(), found.len());
            for item in items {
                let Some(id) = item.text("id").filter(|id| ids::document(id).is_ok()) else { continue };
                if !found.iter().any(|(known, _)| *known == id) {
                    found.push((id, item));
                }
            }
            match next_offset(offset, count, total) {
                Some(next) if found.len() > before => offset = next,
                _ => break,
            }
        }
        found.sort_by_key(|(id, _)| ids::version(id));
        Ok(found)
    }

    /// The newest version's profile.
    pub(super) async fn newest(&self, document: &str) -> DmsResult<(String, Item)> {
        let library = ids::document(document)?.library;
        let path = ["libraries", library, "documents", document];
        let url = self.tenant().await?.url(&path, &[("is_latest", "true")]);
        let reply = self.ask("document", Method::GET, url, None).await?;
        if reply.is_success() {
            let item = reply.json::<Envelope>()?.object();
            let told = item.and_then(|item| Some((item.text("id")?, item)));
            // A server that leaves the parameter out of account tells of the version that was named.
            if let Some((id, item)) = told
                && ids::document(&id).is_ok()
                && is_newest(&id, &item)
            {
                return Ok((id, item));
            }
        } else if !errors::is_nothing_found(&reply) {
            return Err(errors::shape(&reply, &format!("reading document {document}"), &self.settings));
        }
        // Also where the version named was deleted and others are left.
        self.versions(document).await?.pop().ok_or_else(|| absent(document))
    }

    /// The version of a document that bears a mark. Later ones may carry it on, so the first of them is what was filed.
    pub(super) async fn among_versions(&self, onto: &str, probe: &Probe<'_>) -> DmsResult<Found> {
        let mark = probe.mark.to_string();
        for (id, item) in self.versions(onto).await? {
            let item = if item.has(&self.settings.mark_field) {
                item
            } else {
                match self.profile(&id).await? {
                    Some(profile) => profile,
                    None => continue,
                }
            };
            if self.is_marked(&item, &mark) {
                return Ok(Found::Yes(self.receipt(&id, probe.container, &item)));
            }
        }
        Ok(Found::No)
    }
}

/// Whether a version is the newest one, as its profile tells.
fn is_newest(id: &str, item: &Item) -> bool {
    match item.number("latest_version") {
        Some(latest) => ids::version(id) == Some(latest),
        None => ["is_latest", "latest"].iter().any(|key| item.text(key).as_deref() == Some("true")),
    }
}
