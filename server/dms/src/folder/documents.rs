//! Putting documents in and finding them by their mark.

use std::io;

use futures_util::StreamExt;
use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::dms::Dms;
use postroom_domain::dms::{DmsError, DmsResult, Document, Found, Probe, Receipt, Trouble, Upload};
use postroom_domain::ids::BlobHash;
use tokio::sync::mpsc;

use super::commit::{self, Job, Piece, Stop};
use super::sidecar::{self, Ledger, Sidecar};
use super::{Folder, descend, fault, ids, no_library, stopped, workspace};

/// Pieces of a document between the reader and the disk.
const PIECES_UNDERWAY: usize = 4;

impl Folder {
    pub(super) fn link(&self, document: &str) -> Option<String> {
        let path = std::path::absolute(self.settings.root.join(document)).ok()?;
        url::Url::from_file_path(path).ok().map(String::from)
    }

    fn receipt(&self, container: &str, document: &str, size: u64, hash: Option<BlobHash>) -> Receipt {
        let document = format!("{container}/{document}");
        let link = self.link(&document);
        Receipt { document, version: None, container: container.to_owned(), size: Some(size), hash, link }
    }

    /// What is known of a document: its sidecar, where it was filed by Postroom, and the file itself.
    pub(super) async fn profile(&self, document: String) -> DmsResult<Document> {
        self.on_root(move |root| {
            let names = ids::parse(&document)?;
            let missing = || fault::missing(&format!("{document:?}"));
            let failed = |e: io::Error| fault::error(&format!("reading the profile of {document:?}"), &e);
            let (container, name) = document.rsplit_once('/').ok_or_else(missing)?;
            let dir = descend(root, container)?.ok_or_else(missing)?;
            let file = dir.read(name).map_err(|e| match e.kind() {
                io::ErrorKind::NotFound => missing(),
                _ => failed(e),
            })?;
            let metadata = file.metadata().map_err(failed)?;
            let sidecar = match dir.sub(ids::HIDDEN) {
                Ok(home) => sidecar::load::<Sidecar>(&home, &sidecar::of(name)).map_err(failed)?,
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(e) => return Err(failed(e)),
            };
            let changed = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
            Ok(Document {
                id: document.clone(),
                name: name.to_owned(),
                size: Some(metadata.len()),
                container: Some(container.to_owned()),
                workspace: names.first().map(|name| (*name).to_owned()),
                changed,
                fields: sidecar.map(|sidecar| sidecar.profile).unwrap_or_default(),
                ..Document::default()
            })
        })
        .await
    }

    pub(super) async fn put(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        no_library(upload.library)?;
        let names: Vec<String> = ids::parse(upload.container)?.into_iter().map(str::to_owned).collect();
        let (size, hash) = (upload.content.size(), upload.content.hash());
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
            sidecar: Sidecar {
                version: 1,
                mark: upload.mark.to_string(),
                size,
                hash,
                media_type: upload.media_type.to_owned(),
                received: upload.received,
                actor: upload.actor.clone(),
                sent_as: upload.name.to_owned(),
                profile: upload.profile.clone(),
            },
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
                Ok(self.receipt(upload.container, &stored.document, stored.size, Some(stored.hash)))
            }
            Err(stop) => Err(self.shape(&upload, stop)),
        }
    }

    fn shape(&self, upload: &Upload<'_>, stop: Stop) -> DmsError {
        let place = upload.container;
        match stop {
            Stop::OtherBytes => damaged("the bytes that were read are not those of the content's hash"),
            Stop::BadDisk => DmsError::from_trouble(Trouble::new(
                Cause::ServerFault,
                format!("the disk under {place:?} gave back other bytes than were written"),
            )),
            Stop::Here { document, size } => {
                let detail = format!("this filing's document is in {place:?} already, as {document:?}");
                DmsError::Conflict {
                    existing: Some(self.receipt(place, &document, size, Some(upload.content.hash()))),
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
        let container = probe.container.to_owned();
        let filing = probe.mark.filing();
        let found = self
            .on_root(move |root| {
                let failed = |e: io::Error| fault::error(&format!("looking for a mark in {container:?}"), &e);
                let Some(dir) = descend(root, &container)? else { return Ok(None) };
                let Some(ledger) = Ledger::open(&dir).map_err(failed)? else { return Ok(None) };
                // A document being named this very moment is waited for.
                let _lock = ledger.home.lock("lock").map_err(failed)?;
                let Some((document, _)) = ledger.find(filing).map_err(failed)? else { return Ok(None) };
                let mut file = match dir.read(&document) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                    other => other.map_err(failed)?,
                };
                let (size, hash) = commit::hash(&mut file).map_err(failed)?;
                Ok(Some((document, size, hash)))
            })
            .await?;
        Ok(match found {
            Some((document, size, hash)) => {
                Found::Yes(self.receipt(probe.container, &document, size, Some(hash)))
            }
            None => Found::No,
        })
    }
}

fn damaged(detail: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::StoreDamage, detail))
}
