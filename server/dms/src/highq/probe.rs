//! Looking for a document by its mark, which is the `dmsdocid` of its newest version and stands in the note of each.
//!
//! HighQ has no search for it, so the folder is listed. Whether listings show the keys is not documented; where they do not, files of
//! the wanted name are read one by one.

use postroom_domain::dms::{DmsError, DmsResult, Found, Probe};

use super::files::{full_name, version};
use super::seat::Seat;
use super::wire::Item;
use super::{errors, ids};
use crate::names;

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) folder: u64,
    pub(super) name: &'a str,
    pub(super) mark: &'a str,
    /// The file whose versions are looked through.
    pub(super) onto: Option<u64>,
}

impl Seat {
    /// Looks for a mark in a container.
    pub(super) async fn look(&self, container: &str, wanted: Wanted<'_>) -> DmsResult<Found> {
        let site = self.site_of(wanted.folder).await?;
        let mut receipts = Vec::new();
        for (id, item) in match wanted.onto {
            Some(file) => self.in_versions_of(file, wanted.mark).await?.into_iter().collect(),
            None => self.in_folder(wanted).await?,
        } {
            let mut receipt = self.receipt(id, container, site, wanted.folder, &item);
            if let (None, Some(version)) = (receipt.size, &receipt.version) {
                receipt.size = self.length_of(id, version).await?;
            }
            receipts.push(receipt);
        }
        Ok(match receipts.len() {
            0 => Found::No,
            1 => Found::Yes(receipts.remove(0)),
            _ => Found::Several(receipts),
        })
    }

    /// Looks for the document of a probe.
    pub(super) async fn look_for(&self, probe: Probe<'_>) -> DmsResult<Found> {
        let place = ids::place(probe.container)?;
        let onto = probe.onto.map(ids::file).transpose()?;
        let folder = self.folder_of(place).await?;
        let (mark, name) = (probe.mark.to_string(), names::safe(probe.name, self.settings.longest_name));
        self.look(probe.container, Wanted { folder, name: &name, mark: &mark, onto }).await
    }

    async fn in_versions_of(&self, file: u64, mark: &str) -> DmsResult<Option<(u64, Item)>> {
        let item = match self.file(file).await {
            Ok(item) => item,
            Err(DmsError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        if item.anywhere("dmsdocid").as_deref() == Some(mark) {
            return Ok(Some((file, item)));
        }
        Ok(self.version_with(file, mark).await?.map(|version| (file, version)))
    }

    /// The version of a file whose note bears the mark: its keys were replaced by a newer version's.
    async fn version_with(&self, file: u64, mark: &str) -> DmsResult<Option<Item>> {
        if self.settings.note(mark).is_none_or(|note| !note.contains(mark)) {
            return Ok(None);
        }
        let path = ["files", &file.to_string(), "versions"];
        let url = self.url(self.settings.versions.file_versions, &path, &[("limit", "-1")]);
        let item = match self.get("versions", url, &format!("listing versions of file {file}")).await {
            Ok(item) => item,
            // Instances before version 12 of the API do not have the list.
            Err(error) if matches!(error.trouble().status, Some(400 | 404 | 405 | 501)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let bears = |it: &Item| {
            ["notes", "note", "versionnote"]
                .iter()
                .any(|key| it.text(key).is_some_and(|note| bears(&note, mark)))
        };
        Ok(item.entries("version").into_iter().find(bears))
    }

    /// All files of a folder. The pages of a long one are not of one moment, so it is read at once unless the settings say otherwise.
    pub(super) async fn whole_folder(&self, folder: u64) -> DmsResult<Vec<Item>> {
        let limit = self.settings.probe_page;
        let (mut all, total) = self.files(folder, limit, 0).await?;
        // Also a server that caps what it gives at once is read to its end.
        let mut known = all.len() as u64;
        while let Some(total) = total
            && known < total
        {
            let (more, _) = self.files(folder, limit, known).await?;
            if more.is_empty() {
                return Err(errors::unknown(format!(
                    "folder {folder} has {total} files, but only {known} of them are told"
                )));
            }
            known += more.len() as u64;
            all.extend(more);
        }
        Ok(all)
    }

    /// Files of a folder that bear the mark.
    async fn in_folder(&self, wanted: Wanted<'_>) -> DmsResult<Vec<(u64, Item)>> {
        let mut found: Vec<(u64, Item)> = Vec::new();
        let mut unsure: Vec<(u64, Item)> = Vec::new();
        for item in self.whole_folder(wanted.folder).await? {
            let Some(id) = item.number("id") else { continue };
            match item.anywhere("dmsdocid") {
                Some(told) if told == wanted.mark => found.push((id, item)),
                Some(_) if version(&item).as_deref() == Some("1") => {}
                None if self.settings.listing_has_marks && version(&item).as_deref() == Some("1") => {}
                _ if resembles(&full_name(&item), wanted.name) => unsure.push((id, item)),
                _ => {}
            }
        }
        if unsure.len() > self.settings.probe_reads {
            let detail = format!(
                "folder {} has {} files like {:?} that do not show their marks; no more than {} are read (probe_reads)",
                wanted.folder,
                unsure.len(),
                wanted.name,
                self.settings.probe_reads
            );
            return Err(errors::unknown(detail));
        }
        for (id, item) in unsure {
            if let Some(ours) = self.in_file(id, &item, wanted.mark).await? {
                found.push((id, ours));
            }
        }
        found.sort_by_key(|(id, _)| *id);
        found.dedup_by_key(|(id, _)| *id);
        Ok(found)
    }

    /// A listed file that does not show the mark, looked at more closely.
    async fn in_file(&self, id: u64, listed: &Item, mark: &str) -> DmsResult<Option<Item>> {
        let mut item = listed.clone();
        if listed.anywhere("dmsdocid").is_none() {
            item = match self.file(id).await {
                Ok(item) => item,
                Err(DmsError::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
            if item.anywhere("dmsdocid").as_deref() == Some(mark) {
                return Ok(Some(item));
            }
        }
        if version(&item).as_deref() == Some("1") { Ok(None) } else { self.version_with(id, mark).await }
    }
}

/// Whether a version's note bears the mark, and not one that only begins like it.
fn bears(note: &str, mark: &str) -> bool {
    let ends = |rest: &str| rest.chars().next().is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
    note.match_indices(mark).any(|(at, _)| ends(&note[at + mark.len()..]))
}

/// Whether a file's name could be what HighQ made of the one that was sent: the same, or numbered.
fn resembles(name: &str, sent: &str) -> bool {
    let ((stem, end), (sent_stem, sent_end)) = (names::split(name), names::split(sent));
    end.eq_ignore_ascii_case(sent_end) && stem.to_lowercase().starts_with(&sent_stem.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_names_are_compared_with_care() {
        let mark = "postroom:0192f0c1-5b7e-7000-8000-000000000001";
        for good in [mark.to_owned(), format!("Filed, {mark}."), format!("{mark}2 {mark}")] {
            assert!(bears(&good, mark), "{good}");
        }
        for bad in ["", "postroom:", &format!("{mark}2"), &format!("{mark}-1")] {
            assert!(!bears(bad, mark), "{bad}");
        }
        for like in ["letter.pdf", "Letter.PDF", "letter (2).pdf", "letter_1.pdf"] {
            assert!(resembles(like, "letter.pdf"), "{like}");
        }
        for other in ["lette.pdf", "letter.docx", "a letter.pdf", "letter"] {
            assert!(!resembles(other, "letter.pdf"), "{other}");
        }
    }
}
