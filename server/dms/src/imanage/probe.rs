//! Looking for a document by its mark: in the index, which finds it in a folder of any size but may be late, and in the folder's
//! listing, which is up to date.

use postroom_domain::dms::{DmsResult, Found, Probe, Receipt};
use postroom_outbound::Method;

use super::places::next_offset;
use super::settings::ProbeMode;
use super::upload::bears;
use super::wire::{Envelope, Item};
use super::{Seat, errors, ids};

impl Seat {
    pub(super) async fn look(&self, probe: Probe<'_>) -> DmsResult<Found> {
        if let Some(onto) = probe.onto {
            return self.among_versions(onto, &probe).await;
        }
        ids::container(probe.container)?;
        let mut found = Vec::new();
        // One call usually tells, in a folder of any size; the listing helps while the index is late.
        if self.settings.probe != ProbeMode::Listing {
            found = self.in_index(&probe).await?;
        }
        if found.is_empty() && self.settings.probe != ProbeMode::Search {
            found = self.in_listing(&probe).await?;
        }
        let mut receipts = Vec::new();
        for (id, item) in one_per_document(found) {
            receipts.push(self.first_version(&id, &probe, item).await?);
        }
        Ok(match receipts.len() {
            0 => Found::No,
            1 => Found::Yes(receipts.remove(0)),
            _ => Found::Several(receipts),
        })
    }

    /// Documents with the mark in the folder's listing. Of a long one both ends are read: which end is new is not documented.
    async fn in_listing(&self, probe: &Probe<'_>) -> DmsResult<Vec<(String, Item)>> {
        let (mark, half) = (probe.mark.to_string(), self.settings.probe_pages / 2);
        let mut found = Vec::new();
        let (mut offset, mut read, mut jumped) = (0, 0, false);
        loop {
            let Some((items, total)) = self.listed(probe, offset).await? else { return Ok(found) };
            read += 1;
            let count = items.len();
            for item in items {
                self.keep_if_marked(item, &mark, probe, &mut found).await?;
            }
            let Some(next) = next_offset(offset, count, total) else { return Ok(found) };
            offset = next;
            if read >= self.settings.probe_pages {
                return Ok(found);
            }
            if read == half && !jumped {
                jumped = true;
                let rest = (self.settings.probe_pages - read) * count;
                offset = offset.max(total.unwrap_or(0).saturating_sub(rest as u64));
            }
        }
    }

    /// One page of a folder's documents; `None` when iManage says by 404 that there are none.
    async fn listed(&self, probe: &Probe<'_>, offset: u64) -> DmsResult<Option<(Vec<Item>, Option<u64>)>> {
        let folder = ids::container(probe.container)?;
        let (limit, from) = (self.settings.page.to_string(), offset.to_string());
        let query = [("limit", limit.as_str()), ("offset", &from), ("total", "true")];
        let path = ["libraries", folder.library, "folders", probe.container, "documents"];
        let url = self.tenant().await?.url(&path, &query);
        let reply = self.ask("list_documents", Method::GET, url, None).await?;
        if !reply.is_success() {
            let error =
                errors::shape(&reply, &format!("listing documents of {}", probe.container), &self.settings);
            // "No record" may mean an empty folder or a vanished one. In both, nothing of ours can be seen there; whether
            // the folder still exists shows when something is sent to it.
            return if errors::is_nothing_found(&reply) { Ok(None) } else { Err(error) };
        }
        let mut envelope: Envelope = reply.json()?;
        let total = envelope.total();
        Ok(Some((envelope.items(), total)))
    }

    /// Keeps a document that bears the mark. A listing that leaves the field out is helped by the document's own profile,
    /// read for those that have the name and could be ours.
    async fn keep_if_marked(
        &self,
        item: Item,
        mark: &str,
        probe: &Probe<'_>,
        found: &mut Vec<(String, Item)>,
    ) -> DmsResult<()> {
        let Some(id) = item.text("id").filter(|id| ids::document(id).is_ok()) else { return Ok(()) };
        if self.is_marked(&item, mark) {
            found.push((id, item));
            return Ok(());
        }
        let ours = crate::names::safe(probe.name, self.settings.longest_name);
        if item.text("name").as_deref() != Some(crate::names::split(&ours).0) {
            return Ok(());
        }
        if !item.has(&self.settings.mark_field)
            && let Some(profile) = self.profile(&id).await?
            && self.is_marked(&profile, mark)
        {
            found.push((id, profile));
        } else if let Some(first) = first_id(&id)
            && let Some(profile) = self.profile(&first).await?
            && self.is_marked(&profile, mark)
        {
            // Listings tell the newest version, and a version that came later has another mark.
            found.push((first, profile));
        }
        Ok(())
    }

    /// Whether what an answer tells of a document bears the mark.
    pub(super) fn is_marked(&self, item: &Item, mark: &str) -> bool {
        item.text(&self.settings.mark_field).is_some_and(|text| bears(&text, mark))
    }

    /// Documents with the mark in the index. Only `standard` paging searches comments.
    async fn in_index(&self, probe: &Probe<'_>) -> DmsResult<Vec<(String, Item)>> {
        let folder = ids::container(probe.container)?;
        let mark = probe.mark.to_string();
        let field = match self.settings.mark_field.as_str() {
            "comment" => "comments",
            field => field,
        };
        let query = [
            (field, mark.as_str()),
            ("container_id", probe.container),
            ("paging_mode", "standard"),
            ("limit", "20"),
        ];
        let url = self.tenant().await?.url(&["libraries", folder.library, "documents"], &query);
        let reply = self.ask("search_documents", Method::GET, url, None).await?;
        if errors::is_nothing_found(&reply) {
            return Ok(Vec::new());
        }
        if !reply.is_success() {
            return Err(errors::shape(&reply, "searching documents by their mark", &self.settings));
        }
        let mut found = Vec::new();
        // The search is by words, so what it finds is compared again.
        for item in reply.json::<Envelope>()?.items() {
            self.keep_if_marked(item, &mark, probe, &mut found).await?;
        }
        Ok(found)
    }

    /// The profile of a document; `None` when it is gone.
    pub(super) async fn profile(&self, id: &str) -> DmsResult<Option<Item>> {
        let parsed = ids::document(id)?;
        let url = self.tenant().await?.url(&["libraries", parsed.library, "documents", id], &[]);
        let reply = self.ask("document", Method::GET, url, None).await?;
        if errors::is_nothing_found(&reply) {
            return Ok(None);
        }
        if !reply.is_success() {
            return Err(errors::shape(&reply, &format!("reading document {id}"), &self.settings));
        }
        Ok(reply.json::<Envelope>()?.object())
    }

    /// A version that somebody made later carries the mark on; what was filed is the first, and its size is what has to be compared.
    async fn first_version(&self, id: &str, probe: &Probe<'_>, item: Item) -> DmsResult<Receipt> {
        let Some(first) = first_id(id) else { return Ok(self.receipt(id, probe.container, &item)) };
        Ok(match self.profile(&first).await? {
            Some(profile) if self.is_marked(&profile, &probe.mark.to_string()) => {
                self.receipt(&first, probe.container, &profile)
            }
            _ => self.receipt(id, probe.container, &item),
        })
    }
}

/// The id of the first version of a document, unless the id is that.
fn first_id(id: &str) -> Option<String> {
    let parsed = ids::parse(id).filter(|parsed| parsed.version != Some("1"))?;
    Some(format!("{}!{}.1", parsed.library, parsed.number))
}

/// Versions of a document carry its mark on; they are one document.
fn one_per_document(found: Vec<(String, Item)>) -> Vec<(String, Item)> {
    let mut kept: Vec<(String, Item)> = Vec::new();
    for (id, item) in found {
        let version = |id: &str| ids::version(id).unwrap_or(u64::MAX);
        match kept.iter_mut().find(|(other, _)| ids::number(other) == ids::number(&id)) {
            Some(known) if version(&id) < version(&known.0) => *known = (id, item),
            Some(_) => {}
            None => kept.push((id, item)),
        }
    }
    kept
}
