//! Looking for a document by its mark.
//!
//! NetDocuments has a place for a mark that is proven to take one at the upload: a profile attribute. The index is asked for it first: one
//! call finds a document in a folder of any size, also one that was renamed or moved since, but late by up to `probe_lag_seconds`. What it
//! does not find is looked for in its folder's listing, which is up to date; listings do not show profile attributes, so the profile of
//! each document of that name is read whose mark is not known yet. Without such an attribute nothing can be found again, and the
//! capability is off.
//!
//! A new version bears the mark in its description, or name. Whether the list of versions shows descriptions is not documented: one
//! that shows none of them proves nothing, and is never taken for a "no".

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Found, Probe, Receipt};
use postroom_outbound::Method;

use super::places::is_document;
use super::search::term;
use super::seat::{Body, Seat};
use super::settings::{ProbeMode, VersionMark};
use super::upload::{bears, named};
use super::wire::{self, Item, entries};
use super::{errors, ids};

/// Most pages of a listing that are read where nothing else is asked.
const MOST_PAGES: usize = 5_000;

impl Seat {
    pub(super) async fn look(&self, probe: Probe<'_>) -> DmsResult<Found> {
        if let Some(document) = probe.onto {
            return self.look_among_versions(&probe, document).await;
        }
        ids::checked(probe.container, "folder or workspace")?;
        let Some(mark) = self.settings.mark() else {
            let text = "looking for documents is not available: the settings name no mark_attribute";
            return Err(errors::trouble(Cause::Unsupported, text));
        };
        let mut found = Vec::new();
        if self.settings.probe != ProbeMode::Listing {
            found = self.in_index(&probe, mark).await?;
        }
        // Several may be copies that somebody made, which carry the mark: then the one in its own folder counts.
        if found.len() != 1 && self.settings.probe != ProbeMode::Search {
            let here = self.in_listing(&probe, mark).await?;
            if found.is_empty() || here.len() == 1 {
                found = here;
            }
        }
        let mut receipts = Vec::new();
        for (id, info) in found {
            receipts.push(self.first_version(&id, probe.container, &info).await?);
        }
        Ok(match receipts.len() {
            0 => Found::No,
            1 => Found::Yes(receipts.remove(0)),
            _ => Found::Several(receipts),
        })
    }

    /// Documents of the container that bear the mark, with their info.
    async fn in_listing(&self, probe: &Probe<'_>, mark: u32) -> DmsResult<Vec<(String, Item)>> {
        let (stem, _) = named(probe.name, "", self.settings.longest_name);
        let most =
            if self.settings.probe == ProbeMode::Both { self.settings.probe_pages } else { MOST_PAGES };
        let (mut found, mut page) = (Vec::new(), None);
        for _ in 0..most {
            let (items, next) = match self.listed(probe.container, page.as_deref()).await {
                Ok(listed) => listed,
                // Nothing of ours can be seen in a container that is gone; the index may still know the document.
                Err(DmsError::NotFound(_)) => return Ok(found),
                Err(error) => return Err(error),
            };
            for item in items.into_iter().filter(is_document) {
                // What has no name in the listing could be ours as well.
                let name = item.standard().text("name");
                let ours = name.is_none_or(|name| name.trim().to_lowercase() == stem.trim().to_lowercase());
                if item.custom().is_some() || ours {
                    self.keep_if_marked(item, mark, probe, &mut found).await?;
                }
            }
            match next {
                Some(next) => page = Some(next),
                None => break,
            }
        }
        Ok(found)
    }

    /// Documents anywhere in the cabinet that bear the mark: whoever moved one since has not made it another.
    async fn in_index(&self, probe: &Probe<'_>, mark: u32) -> DmsResult<Vec<(String, Item)>> {
        let text = probe.mark.to_string();
        let Some(asked) = term(self.settings.codes.attribute + mark, &text) else { return Ok(Vec::new()) };
        let (items, _) = self.searched(probe.library, &asked, None).await?;
        let mut found = Vec::new();
        for item in items.into_iter().filter(is_document) {
            self.keep_if_marked(item, mark, probe, &mut found).await?;
        }
        Ok(found)
    }

    async fn keep_if_marked(
        &self,
        item: Item,
        mark: u32,
        probe: &Probe<'_>,
        found: &mut Vec<(String, Item)>,
    ) -> DmsResult<()> {
        let Some(id) = item.standard().id() else { return Ok(()) };
        if found.iter().any(|(known, _)| *known == id) || self.marks.is_another(&id, probe.mark) {
            return Ok(());
        }
        let info = match item.custom() {
            Some(_) => item,
            None => match self.document_info(&id).await? {
                Some(info) => info,
                None => return Ok(()),
            },
        };
        let there = info.custom().unwrap_or_default().remove(&mark);
        // What stands before a person's own words, as `bears` reads it.
        let own = there.as_deref().unwrap_or_default().split(['\n', '\r', ' ']).next().unwrap_or_default();
        self.marks.learn(&id, own);
        if there.is_some_and(|there| bears(&there, &probe.mark.to_string())) {
            found.push((id, info));
        }
        Ok(())
    }

    /// What was filed is the first version; the info tells the size of the official one.
    async fn first_version(&self, id: &str, container: &str, info: &Item) -> DmsResult<Receipt> {
        let standard = info.standard();
        let mut receipt = self.receipt(id, container, &standard);
        if receipt.size.is_some() && standard.number("versions").is_some_and(|count| count > 1) {
            let all = self.versions(id).await?;
            let first = all.iter().find(|version| version_number(version) == Some(1));
            receipt.size = first.and_then(|version| self.told_size(version));
        }
        Ok(receipt)
    }

    /// The versions of a document.
    pub(super) async fn versions(&self, document: &str) -> DmsResult<Vec<Item>> {
        ids::checked(document, "document")?;
        let url = self.url(&["v1", "Document", document, "versionList"], &[])?;
        let reply = self.ask("versions", Method::GET, url, Body::None).await?;
        if !reply.is_success() {
            return Err(errors::shape(
                &reply,
                &format!("listing the versions of {document}"),
                &self.settings,
            ));
        }
        Ok(entries(wire::value(&reply)?))
    }

    async fn look_among_versions(&self, probe: &Probe<'_>, document: &str) -> DmsResult<Found> {
        let mark = probe.mark.to_string();
        ids::checked(document, "document")?;
        let Some(info) = self.document_info(document).await? else { return Ok(Found::No) };
        let all = self.versions(document).await?;
        let receipt = |version: &Item, number: u64| Receipt {
            version: Some(number.to_string()),
            size: self.told_size(version),
            ..self.receipt(document, probe.container, version)
        };
        // The mark of the document itself is that of its first version.
        let own = self.settings.mark().and_then(|it| info.custom().unwrap_or_default().remove(&it));
        if own.is_some_and(|own| bears(&own, &mark)) {
            let first = all.iter().find(|version| version_number(version) == Some(1));
            return Ok(Found::Yes(receipt(first.unwrap_or(&Item::default()), 1)));
        }
        let keys: Vec<&str> = match self.settings.version_mark {
            VersionMark::Description => {
                self.settings.version_description_keys.iter().map(String::as_str).collect()
            }
            VersionMark::Name => vec!["name", "verName", "label", "versionLabel"],
            VersionMark::None => {
                let text = "looking for versions is not available: the settings keep no mark in versions";
                return Err(errors::trouble(Cause::Unsupported, text));
            }
        };
        let marked = |version: &&Item| {
            keys.iter().any(|key| version.text(key).is_some_and(|text| bears(&text, &mark)))
        };
        let found: Vec<Receipt> = all
            .iter()
            .filter(marked)
            .filter_map(|version| Some(receipt(version, version_number(version)?)))
            .collect();
        if found.is_empty() && !all.iter().any(|version| keys.iter().any(|key| version.has(key))) {
            let text = "NetDocuments' list of versions does not show where the mark would be, so it does not tell whether the \
                version arrived (see version_description_keys)";
            return Err(errors::trouble(Cause::Unsupported, text));
        }
        Ok(match found.len() {
            0 => Found::No,
            1 => found.into_iter().next().map_or(Found::No, Found::Yes),
            _ => Found::Several(found),
        })
    }
}

/// A version's number, under the keys in use.
pub(super) fn version_number(version: &Item) -> Option<u64> {
    ["number", "verNum", "version", "versionNumber", "id"].iter().find_map(|key| version.number(key))
}
