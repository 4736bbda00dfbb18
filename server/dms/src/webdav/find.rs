//! Finding a document by its mark.
//!
//! A probe first removes what its filing left aside. That is more than tidying: a call that is still on its way to give the document
//! its name finds nothing to name any more. So when the probe then says that there is no document, there will be none.

use futures_util::StreamExt;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, DmsResult, Found, Probe, Receipt, Trouble};
use postroom_domain::ids::{BlobHash, Mark};

use super::home::Home;
use super::multistatus::Entry;
use super::settings::{MarkPlace, Versions};
use super::wire::Names;
use super::{WebDav, errors};
use crate::share::sidecar::{Pointer, Sidecar, of};

impl WebDav {
    pub(super) async fn look(&self, probe: Probe<'_>) -> DmsResult<Found> {
        let (home, onto) = match probe.onto {
            Some(document) => Home::around(document).map(|(home, name)| (home, Some(name)))?,
            None => (Home::of(probe.container)?, None),
        };
        let filing = probe.mark.filing().to_string();
        self.wire.remove(&home.ours(&["tmp", &filing]), true).await?;
        if let Some(found) = self.seek(&home, onto, probe.mark).await? {
            return Ok(found);
        }
        if let Some(name) = onto
            && self.entry(&home.document(name), false).await?.is_some()
            // A replacement that the server is still busy with holds the lock.
            && let Some(lock) = self.lock(&home.document(name), probe.mark).await?
        {
            let again = self.seek(&home, onto, probe.mark).await;
            self.unlock(&home.document(name), &lock).await;
            if let Some(found) = again? {
                return Ok(found);
            }
        }
        self.forget(&home, probe.mark).await?;
        Ok(Found::No)
    }

    async fn seek(&self, home: &Home<'_>, onto: Option<&str>, mark: Mark) -> DmsResult<Option<Found>> {
        if let Some(name) = onto {
            return Ok(self.bears(home, name, mark).await?.map(Found::Yes));
        }
        if let Some(receipt) = self.pointed(home, mark).await? {
            return Ok(Some(Found::Yes(receipt)));
        }
        if self.settings.mark == MarkPlace::Sidecar {
            return Ok(None);
        }
        // Somebody may have given it another name: the property went with it.
        let Some(all) = self.inside(home.itself()).await? else { return Ok(None) };
        let text = mark.to_string();
        let mut receipts = Vec::new();
        for child in all.iter().filter(|child| child.entry.props.mark.as_deref() == Some(&text)) {
            receipts.push(self.told(home, &child.name, &child.entry).await?);
        }
        Ok(match receipts.len() {
            0 => None,
            1 => receipts.pop().map(Found::Yes),
            _ => Some(Found::Several(receipts)),
        })
    }

    /// The document of a filing, where the filing's pointer leads to it.
    pub(super) async fn pointed(&self, home: &Home<'_>, mark: Mark) -> DmsResult<Option<Receipt>> {
        let filing = mark.filing().to_string();
        let pointer = self.load::<Pointer>(&home.ours(&["marks", &filing])).await?;
        let Some(pointer) = pointer else { return Ok(None) };
        for name in pointer.names() {
            if let Some(receipt) = self.bears(home, &name, mark).await? {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    /// The document of that name, or an older version of it, if it bears the mark.
    async fn bears(&self, home: &Home<'_>, name: &str, mark: Mark) -> DmsResult<Option<Receipt>> {
        let text = mark.to_string();
        let entry = self.entry(&home.document(name), false).await?.filter(|entry| !entry.props.collection);
        if let Some(entry) = &entry {
            if entry.props.mark.as_deref() == Some(&text) {
                return self.told(home, name, entry).await.map(Some);
            }
            if entry.props.mark.is_none()
                && let Some(sidecar) = self.sidecar(home, name).await?.filter(|sidecar| sidecar.mark == text)
            {
                let (as_filed, hash) = self.compared(&home.document(name), entry, &sidecar).await?;
                // A replacement may have come to the document and not yet to its sidecar: then the mark is an older version's.
                if !as_filed
                    && self.settings.versions == Versions::Copies
                    && let Some(older) = self.older(home, name, None, &text).await?
                {
                    return Ok(Some(older));
                }
                let version = self.current(home, name).await?;
                return Ok(Some(self.receipt(home, name, version, entry.props.size, hash)));
            }
        }
        if self.settings.versions == Versions::None {
            Ok(None)
        } else {
            self.older(home, name, entry, &text).await
        }
    }

    async fn older(
        &self,
        home: &Home<'_>,
        name: &str,
        now: Option<Entry>,
        mark: &str,
    ) -> DmsResult<Option<Receipt>> {
        let all = self.inside(&home.ours(&["versions", name])).await?.unwrap_or_default();
        let numbers = all.iter().filter_map(|child| Some((child.name.parse::<u32>().ok()?, &child.entry)));
        for (number, entry) in numbers {
            if entry.props.mark.as_deref() == Some(mark) {
                return Ok(Some(self.receipt(home, name, Some(number), entry.props.size, None)));
            }
        }
        let sidecars = all.iter().filter_map(|child| child.name.strip_suffix(".json")?.parse::<u32>().ok());
        for number in sidecars {
            let (content, file) = (number.to_string(), of(&number.to_string()));
            let sidecar = self.load::<Sidecar>(&home.ours(&["versions", name, &file])).await?;
            let Some(sidecar) = sidecar.filter(|sidecar| sidecar.mark == mark) else { continue };
            if let Some(child) = all.iter().find(|child| child.name == content) {
                return Ok(Some(self.receipt(home, name, Some(number), child.entry.props.size, None)));
            }
            // The new content may or may not have taken the old one's place; only the content itself tells.
            if let Some(entry) = &now
                && entry.props.size.is_none_or(|size| size == sidecar.size)
                && self.hash_of(&home.document(name)).await? == (sidecar.size, sidecar.hash)
            {
                self.save(&home.ours(&[&of(name)]), &sidecar).await?;
                let hash = self.settings.read_back.then_some(sidecar.hash);
                return Ok(Some(self.receipt(home, name, Some(number), Some(sidecar.size), hash)));
            }
        }
        Ok(None)
    }

    async fn told(&self, home: &Home<'_>, name: &str, entry: &Entry) -> DmsResult<Receipt> {
        let hash =
            if self.settings.read_back { Some(self.hash_of(&home.document(name)).await?.1) } else { None };
        Ok(self.receipt(home, name, self.current(home, name).await?, entry.props.size, hash))
    }

    /// A sidecar beside a document does not prove that the document is the one it tells of: the content is compared. A hash is told
    /// when the settings want it, and when it is not the one it should be.
    async fn compared(
        &self,
        names: &Names<'_>,
        entry: &Entry,
        sidecar: &Sidecar,
    ) -> DmsResult<(bool, Option<BlobHash>)> {
        if entry.props.size.is_some_and(|size| size != sidecar.size) {
            return Ok((false, None));
        }
        let (_, hash) = self.hash_of(names).await?;
        let as_filed = hash == sidecar.hash;
        Ok((as_filed, (self.settings.read_back || !as_filed).then_some(hash)))
    }

    /// Size and hash of what lies at a place.
    pub(super) async fn hash_of(&self, names: &Names<'_>) -> DmsResult<(u64, BlobHash)> {
        let doing = format!("reading {:?} back", names.join("/"));
        let answer = self.wire.content(names).await?;
        if answer.status() != 200 {
            return Err(errors::shape(&answer.read().await?, &doing));
        }
        let (mut stream, mut hasher, mut size) = (answer.stream(), blake3::Hasher::new(), 0);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|e| {
                DmsError::from_symptom(Symptom::Reset, Sent::Nothing, format!("{doing}: it broke off: {e}"))
            })?;
            hasher.update(&chunk);
            size += chunk.len() as u64;
        }
        Ok((size, BlobHash::new(*hasher.finalize().as_bytes())))
    }

    /// Removes what a filing without a document left: the name it had reserved is free again.
    pub(super) async fn forget(&self, home: &Home<'_>, mark: Mark) -> DmsResult<()> {
        let filing = mark.filing().to_string();
        let file = home.ours(&["marks", &filing]);
        let Some(pointer) = self.load::<Pointer>(&file).await? else { return Ok(()) };
        for name in pointer.names() {
            let ours =
                self.sidecar(home, &name).await?.is_some_and(|sidecar| sidecar.mark == mark.to_string());
            if ours && self.entry(&home.document(&name), false).await?.is_none() {
                self.wire.remove(&home.ours(&[&of(&name)]), false).await?;
            }
        }
        self.wire.remove(&file, false).await
    }
}

/// This filing's document is there already.
pub(super) fn here(receipt: Receipt) -> DmsError {
    let detail = format!("this filing's document is there already, as {:?}", receipt.document);
    DmsError::Conflict { existing: Some(receipt), trouble: Trouble::new(Cause::Conflict, detail) }
}
