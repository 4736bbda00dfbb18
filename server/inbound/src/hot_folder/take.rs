//! One file on its way from the hot folder to the reception.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use postroom_domain::ids::IntakeId;
use postroom_domain::intake::Document;
use postroom_domain::person::Actor;
use postroom_domain::reception::{Arrival, Reception};
use postroom_domain::spool::{Blob, Spool};
use postroom_domain::store::{Accepted, IdempotencyKey, StoreError};

use super::claims::{Claim, Claims, Stage, mark_of};
use super::looks::Waiting;
use super::walk::FileMark;
use super::{HotFolderOptions, ending, naming, off_thread};

/// Bytes that are read at a time.
const CHUNK: u64 = 256 * 1024;

/// Who hands in, for the audit.
const PART: &str = "hot-folder";

/// What became of a claimed file.
pub(super) enum Outcome {
    /// It is an intake, now or since an earlier try.
    Accepted {
        /// Which one.
        intake: IntakeId,
        /// The file as it was read.
        mark: FileMark,
    },
    /// The house does not take anything at present.
    Later(String),
    /// Somebody is still writing into it, or it is not whole.
    Changing,
    /// It is not there any more.
    Gone,
    /// Its key was used for other content.
    OtherContent,
    /// Something is wrong with this one.
    Wrong(String),
}

/// What taking a file needs.
pub(super) struct Taker {
    pub(super) options: HotFolderOptions,
    pub(super) claims: Claims,
    pub(super) reception: Arc<Reception>,
    pub(super) spool: Arc<dyn Spool>,
}

impl Taker {
    /// A name that no other claim has: ids grow, also over a restart.
    pub(super) fn claim_name(&self) -> String {
        let reception = &self.reception;
        let number = reception.mint.next(reception.clock.as_ref(), reception.entropy.as_ref());
        IntakeId::from_u128(number).to_string()
    }

    /// Takes a settled file out of the hot folder.
    pub(super) async fn claim(&self, path: &Path, mark: FileMark) -> Result<(String, Claim), Waiting> {
        let (claims, from, name) = (self.claims.clone(), path.to_owned(), self.claim_name());
        let own = name.clone();
        let claimed = off_thread(move || Ok(claims.claim(&from, mark, &own))).await;
        claimed.unwrap_or_else(|error| Err(Waiting::Unreadable(error.to_string())))?;
        let now = self.reception.clock.monotonic();
        let stage = Stage::Open { not_before: now };
        Ok((name, Claim { path: path.to_owned(), stage, tries: 0, since: now }))
    }

    /// Reads a claimed file into the spool and hands it in.
    pub(super) async fn take(&self, name: &str, claim: &Claim) -> Outcome {
        match self.read(name, claim).await {
            Ok((blob, mark)) => match self.accept(name, claim, blob).await {
                Ok(intake) => {
                    self.note(name, intake, mark).await;
                    Outcome::Accepted { intake, mark }
                }
                Err(outcome) => outcome,
            },
            Err(outcome) => outcome,
        }
    }

    async fn note(&self, name: &str, intake: IntakeId, mark: FileMark) {
        let (claims, own) = (self.claims.clone(), name.to_owned());
        // Without the note the claim is handed in once more after a restart, which is recognised.
        if let Err(error) = off_thread(move || claims.note(&own, intake, mark)).await {
            tracing::warn!(source.name = %self.options.source, source.claim = name, source.error = %error,
                "which intake a file has become could not be noted beside it");
        }
    }

    /// The bytes, durable. Later than this the file may change as it likes.
    async fn read(&self, name: &str, claim: &Claim) -> Result<(Blob, FileMark), Outcome> {
        let wrong = |error: std::io::Error| Outcome::Wrong(format!("reading the file: {error}"));
        let (claims, own, path) = (self.claims.clone(), name.to_owned(), claim.path.clone());
        let opened = off_thread(move || {
            let (mut file, mark) = claims.open(&own, &path)?;
            let missing = ending::missing(&mut file, mark.size, &path)?;
            std::io::Seek::rewind(&mut file)?;
            Ok((file, mark, missing.is_none()))
        });
        let (mut file, mark) = match opened.await {
            Ok((file, mark, true)) => (file, mark),
            Ok(_) => return Err(Outcome::Changing),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Outcome::Gone),
            Err(error) => return Err(wrong(error)),
        };
        let mut draft = self.spool.draft().await.map_err(|error| later(&error))?;
        loop {
            let (next, chunk) = off_thread(move || read_chunk(file)).await.map_err(wrong)?;
            file = next;
            if chunk.is_empty() {
                break;
            }
            draft.write(chunk).await.map_err(|error| later(&error))?;
            if draft.size() > self.options.largest {
                let limit = self.options.largest;
                return Err(Outcome::Wrong(format!(
                    "the file is larger than the {limit} bytes that are taken here"
                )));
            }
        }
        let after = off_thread(move || mark_of(&file)).await.map_err(wrong)?;
        if after != mark || draft.size() != mark.size {
            return Err(Outcome::Changing);
        }
        let blob = draft.seal().await.map_err(|error| later(&error))?;
        Ok((blob, mark))
    }

    async fn accept(&self, name: &str, claim: &Claim, blob: Blob) -> Result<IntakeId, Outcome> {
        let source = &self.options.source;
        let work_item = self.work_item(&claim.path).await.map_err(|error| later(&error))?;
        let (file_name, note) = naming::file_name(&claim.path);
        let media_type = naming::media_type(&claim.path);
        let arrival = Arrival {
            site: self.options.site.clone(),
            source: source.clone(),
            submitted_by: PART.to_owned(),
            subject: String::new(),
            sender: source.to_string(),
            note,
            work_item,
            area: None,
            documents: vec![Document { file_name, media_type: media_type.to_owned(), blob }],
            key: Some(IdempotencyKey { key: format!("hot/{source}/{name}"), fingerprint: blob.hash }),
            forced: false,
            batch: self.options.batches && matches!(media_type, "application/pdf" | "image/tiff"),
            save_mode: None,
            document_key: String::new(),
        };
        match self.reception.accept(arrival, &Actor::system(PART, None)).await {
            Ok(Accepted::Fresh(intake, _)) => {
                tracing::info!(source.name = %source, source.claim = name, intake.id = %intake.id, "a file was taken in");
                Ok(intake.id)
            }
            Ok(Accepted::Again(intake)) => {
                tracing::info!(source.name = %source, source.claim = name, intake.id = %intake, "a file had been taken in before");
                Ok(intake)
            }
            Err(StoreError::KeyReused) => Err(Outcome::OtherContent),
            // After a failed commit nobody knows; the same key asks again.
            Err(error @ (StoreError::Busy | StoreError::Closed | StoreError::Fatal(_))) => Err(later(&error)),
            Err(error) => Err(Outcome::Wrong(format!("the store does not take it: {error}"))),
        }
    }

    /// The work item that the path names, if there is such a one.
    async fn work_item(&self, path: &Path) -> Result<Option<String>, StoreError> {
        for reference in naming::references(path) {
            let found = self.reception.store.work_item_by_reference(&self.options.site, &reference).await?;
            if let Some(item) = found {
                return Ok(Some(item.reference));
            }
        }
        Ok(None)
    }
}

fn later(error: &dyn std::fmt::Display) -> Outcome {
    Outcome::Later(error.to_string())
}

fn read_chunk(mut file: File) -> std::io::Result<(File, Bytes)> {
    let mut chunk = Vec::new();
    (&mut file).take(CHUNK).read_to_end(&mut chunk)?;
    Ok((file, chunk.into()))
}
