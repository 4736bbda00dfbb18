//! Putting documents in and finding them by their mark.

use std::io;

use futures_util::StreamExt;
use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::dms::{
    Dms, DmsError, DmsResult, Document, Found, Page, Probe, Receipt, Trouble, Upload,
};
use postroom_domain::ids::{BlobHash, FilingId};
use tokio::sync::mpsc;

use super::commit::{self, Job, Piece, Stop};
use super::dir::{Dir, Kind};
use super::sidecar::{self, Bears, Ledger, Sidecar};
use super::{Folder, descend, fault, ids, no_library, stopped, workspace};

/// Pieces of a document between the reader and the disk.
const PIECES_UNDERWAY: usize = 4;

impl Folder {
    pub(super) fn link(&self, document: &str) -> Option<String> {
        let path = std::path::absolute(self.settings.root.join(document)).ok()?;
        url::Url::from_file_path(path).ok().map(String::from)
    }

    fn receipt(&self, container: &str, document: &str, version: u32, size: u64, hash: BlobHash) -> Receipt {
        let document = format!("{container}/{document}");
        let link = self.link(&document);
        Receipt {
            document,
            version: Some(version.to_string()),
            container: container.to_owned(),
            size: Some(size),
            hash: Some(hash),
            link,
        }
    }

    /// What is known of a document: its sidecar, where it was filed by Postroom, and the file itself.
    pub(super) async fn profile(&self, document: String) -> DmsResult<Document> {
        self.on_root(move |root| {
            ids::parse(&document)?;
            let (container, name) =
                document.rsplit_once('/').ok_or_else(|| fault::missing(&format!("{document:?}")))?;
            let dir = descend(root, container)?.ok_or_else(|| fault::missing(&format!("{document:?}")))?;
            let ledger = Ledger::open(&dir)
                .map_err(|e| fault::error(&format!("reading the profile of {document:?}"), &e))?;
            tell(&dir, ledger.as_ref(), container, name)
        })
        .await
    }

    /// The documents in a container, page by page.
    pub(super) async fn listed(&self, container: String, after: Option<String>) -> DmsResult<Page<Document>> {
        let size = self.settings.page.max(1);
        self.on_root(move |root| {
            let dir = descend(root, &container)?.ok_or_else(|| fault::missing(&format!("{container:?}")))?;
            let failed = |e: io::Error| fault::error(&format!("listing {container:?}"), &e);
            let ledger = Ledger::open(&dir).map_err(failed)?;
            let mut names = dir.names().map_err(failed)?;
            names.retain(|name| ids::is_plain(name) && after.as_ref().is_none_or(|after| name > after));
            let (mut items, mut next) = (Vec::new(), None);
            for name in names {
                if dir.kind(&name).map_err(failed)? != Some(Kind::File) {
                    continue;
                }
                if items.len() == size {
                    next = items.last().map(|last: &Document| last.name.clone());
                    break;
                }
                match tell(&dir, ledger.as_ref(), &container, &name) {
                    Ok(document) => items.push(document),
                    // Deleted while the listing was read.
                    Err(DmsError::NotFound(_)) => {}
                    Err(e) => return Err(e),
                }
            }
            Ok(Page { items, next })
        })
        .await
    }

    /// A document's file, of the version named or as it is now.
    pub(super) async fn opened(&self, document: String, version: Option<String>) -> DmsResult<std::fs::File> {
        self.on_root(move |root| {
            ids::parse(&document)?;
            let missing = || fault::missing(&format!("{document:?}"));
            let failed = |e: io::Error| match e.kind() {
                io::ErrorKind::NotFound => missing(),
                _ => fault::error(&format!("opening {document:?}"), &e),
            };
            let (container, name) = document.rsplit_once('/').ok_or_else(missing)?;
            let dir = descend(root, container)?.ok_or_else(missing)?;
            let Some(version) = version else { return dir.read(name).map_err(failed) };
            let number = version.parse::<u32>().ok().filter(|number| number.to_string() == version);
            let number =
                number.ok_or_else(|| fault::missing(&format!("version {version:?} of {document:?}")))?;
            let ledger = Ledger::open(&dir).map_err(failed)?;
            // Under the lock no version becomes an older one between the question and the answer.
            let _lock = ledger.as_ref().map(|ledger| ledger.home.lock("lock")).transpose().map_err(failed)?;
            if number == sidecar::current(ledger.as_ref(), name).map_err(failed)? {
                return dir.read(name).map_err(failed);
            }
            let versions = ledger.as_ref().map(|ledger| ledger.versions(name)).transpose().map_err(failed)?;
            let versions = versions.flatten().ok_or_else(missing)?;
            versions.read(&version).map_err(failed)
        })
        .await
    }

    pub(super) async fn put(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        no_library(upload.library)?;
        let (container, onto) = match upload.onto {
            Some(document) => {
                ids::parse(document)?;
                let missing = || fault::missing(&format!("{document:?}"));
                document
                    .rsplit_once('/')
                    .map(|(container, name)| (container, Some(name)))
                    .ok_or_else(missing)?
            }
            None => (upload.container, None),
        };
        let names: Vec<String> = ids::parse(container)?.into_iter().map(str::to_owned).collect();
        let size = upload.content.size();
        if let Some(limit) = self.settings.largest_bytes.filter(|limit| size > *limit) {
            let trouble =
                Trouble::new(Cause::TooLarge, format!("{size} bytes where the settings allow {limit}"));
            return Err(DmsError::TooLarge { limit: Some(limit), trouble });
        }
        let place = names.clone();
        self.on_root(move |root| {
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            let found = workspace::container(root, &place)?;
            if found.open {
                return Ok(());
            }
            let detail = format!("workspace {:?} is closed", place[0]);
            Err(DmsError::from_trouble(Trouble::new(Cause::TargetClosed, detail)))
        })
        .await?;
        let mut stream = upload.content.open().await.map_err(|e| damaged(&e.to_string()))?;
        let job = Job {
            root: self.settings.root.clone(),
            container: names,
            filing: upload.mark.filing(),
            name: self.safe_name(upload.name),
            onto: onto.map(str::to_owned),
            sidecar: Sidecar::of(&upload),
            read_back: self.settings.read_back,
            seam: self.seam.clone(),
        };
        let (pieces, mut taken) = mpsc::channel(PIECES_UNDERWAY);
        let writer = tokio::task::spawn_blocking(move || job.run(&mut taken));
        let mut trouble = None;
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(bytes) => {
                    let length = bytes.len() as u64;
                    if pieces.send(Piece::Bytes(bytes)).await.is_err() {
                        break; // the writer has stopped and tells why below
                    }
                    upload.gauge.add(length);
                }
                Err(e) => {
                    trouble = Some(damaged(&e.to_string()));
                    break;
                }
            }
        }
        if trouble.is_none() {
            let _ = pieces.send(Piece::End).await;
        }
        // Without the end, the closed channel makes the writer give up: half a document never gets a name.
        drop(pieces);
        let done = writer.await.map_err(|e| stopped(&e))?;
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        match done {
            Ok(stored) => {
                Ok(self.receipt(container, &stored.document, stored.version, stored.size, stored.hash))
            }
            Err(stop) => Err(self.shape(&upload, container, stop)),
        }
    }

    fn shape(&self, upload: &Upload<'_>, place: &str, stop: Stop) -> DmsError {
        match stop {
            Stop::OtherBytes => damaged("the bytes that were read are not those of the content's hash"),
            Stop::BadDisk => DmsError::from_trouble(Trouble::new(
                Cause::ServerFault,
                format!("the disk under {place:?} gave back other bytes than were written"),
            )),
            Stop::Here { document, version, size } => {
                let detail = format!("this filing's document is in {place:?} already, as {document:?}");
                DmsError::Conflict {
                    existing: Some(self.receipt(place, &document, version, size, upload.content.hash())),
                    trouble: Trouble::new(Cause::Conflict, detail),
                }
            }
            Stop::Before { doing, error } => fault::error(&format!("{doing} in {place:?}"), &error),
            Stop::After { error } => DmsError::from_trouble(Trouble::new(
                Cause::AnswerLost,
                format!(
                    "the document has its name in {place:?}, but the folder could not be flushed: {error}"
                ),
            )),
            Stop::Abandoned | Stop::Killed => DmsError::from_trouble(Trouble::new(
                Cause::Interrupted,
                format!("the document was not written whole into {place:?}"),
            )),
        }
    }

    pub(super) async fn look(&self, probe: Probe<'_>) -> DmsResult<Found> {
        no_library(probe.library)?;
        let container = match probe.onto {
            Some(document) => document.rsplit_once('/').map_or(document, |(container, _)| container),
            None => probe.container,
        };
        let onto = probe.onto.and_then(|document| document.rsplit_once('/')).map(|(_, name)| name.to_owned());
        let (filing, place) = (probe.mark.filing(), container.to_owned());
        let found = self
            .on_root(move |root| {
                let failed = |e: io::Error| fault::error(&format!("looking for a mark in {place:?}"), &e);
                let Some(dir) = descend(root, &place)? else { return Ok(None) };
                let Some(ledger) = Ledger::open(&dir).map_err(failed)? else { return Ok(None) };
                // A document being named this very moment is waited for.
                let _lock = ledger.home.lock("lock").map_err(failed)?;
                seek(&dir, &ledger, filing, onto.as_deref()).map_err(failed)
            })
            .await?;
        Ok(match found {
            Some(Seen { document, version, size, hash }) => {
                Found::Yes(self.receipt(container, &document, version, size, hash))
            }
            None => Found::No,
        })
    }
}

/// A document that bears a mark, as it lies there.
struct Seen {
    document: String,
    version: u32,
    size: u64,
    hash: BlobHash,
}

/// The document of a filing; one whose content is what was filed comes before one that was changed since. Blocks.
fn seek(dir: &Dir, ledger: &Ledger, filing: FilingId, onto: Option<&str>) -> io::Result<Option<Seen>> {
    let mut changed = None;
    for place in ledger.find(filing)? {
        let document = place.document;
        if onto.is_some_and(|onto| onto != document) {
            continue;
        }
        let opened = match place.bears {
            Bears::Now | Bears::Perhaps(_) => dir.read(&document),
            Bears::Older(number) => match ledger.versions(&document)? {
                Some(versions) => versions.read(&number.to_string()),
                None => continue,
            },
        };
        let mut file = match opened {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let (size, hash) = commit::hash(&mut file)?;
        let as_filed = (size, hash) == (place.sidecar.size, place.sidecar.hash);
        let version = match place.bears {
            Bears::Now => sidecar::current(Some(ledger), &document)?,
            Bears::Older(number) => number,
            Bears::Perhaps(_) if !as_filed => continue,
            Bears::Perhaps(number) => {
                // The process that replaced it ended before the sidecar could follow.
                let aside = format!("{filing}.settle");
                ledger.tmp.remove(&aside)?;
                sidecar::write(&ledger.tmp, &aside, &place.sidecar)?;
                ledger.tmp.replace(&aside, &ledger.home, &sidecar::of(&document))?;
                ledger.home.flush()?;
                number
            }
        };
        let seen = Seen { document, version, size, hash };
        if as_filed {
            return Ok(Some(seen));
        }
        changed.get_or_insert(seen);
    }
    Ok(changed)
}

/// What is told of one file; blocks.
pub(super) fn tell(dir: &Dir, ledger: Option<&Ledger>, container: &str, name: &str) -> DmsResult<Document> {
    let id = format!("{container}/{name}");
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => fault::missing(&format!("{id:?}")),
        _ => fault::error(&format!("reading the profile of {id:?}"), &e),
    };
    let metadata = dir.read(name).and_then(|file| file.metadata()).map_err(failed)?;
    let sidecar = match ledger {
        Some(ledger) => sidecar::load::<Sidecar>(&ledger.home, &sidecar::of(name)).map_err(failed)?,
        None => None,
    };
    let changed = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
    Ok(Document {
        version: Some(sidecar::current(ledger, name).map_err(failed)?.to_string()),
        name: name.to_owned(),
        size: Some(metadata.len()),
        container: Some(container.to_owned()),
        workspace: container.split('/').next().map(str::to_owned),
        changed,
        locked_by: None,
        fields: sidecar.map(|sidecar| sidecar.profile).unwrap_or_default(),
        id,
    })
}

fn damaged(detail: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::StoreDamage, detail))
}
