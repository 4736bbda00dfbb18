//! Uploads that outlive a broken connection and a restart: bytes are kept piece by piece, each durable before it is acknowledged, and
//! become one intake when the last has come.
//!
//! A piece is content in the spool like any other, so it is sealed like any other, and the record of its upload names it: no sweep takes
//! it. It begins with [`PREFIX`] bytes of its own, so that no document that somebody else hands in is ever the same content: what an upload
//! leaves behind can be removed at once.
//!
//! The order that loses nothing: piece sealed, record committed, offset told. When the last byte has come, the pieces are put together,
//! the whole is sealed, the intake is accepted under the upload's key, the record says so, the pieces go. Whatever ends in between is
//! repeated ([`Uploads::sweep`]) with the same key, and so is not done twice.

mod append;
mod kind;
mod pieces;
mod upload;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub use self::append::Append;
pub use self::pieces::{PIECE, PREFIX, Piece};
pub use self::upload::{About, Refused, Upload, UploadState};
use crate::dms::Content;
use crate::ids::{IntakeId, SourceName, UploadId};
use crate::intake::Document;
use crate::person::{Actor, Principal};
use crate::reception::{Arrival, Reception};
use crate::record::{self, Commit, Kept as _};
use crate::spool::{Draft, Spool, SpoolError};
use crate::store::{Accepted, IdempotencyKey, StoreError};
use crate::time::later;

/// Records that are looked at together.
const PAGE: usize = 200;

/// How much is kept of what is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadLimits {
    /// The largest document, in bytes.
    pub document: u64,
    /// Unfinished uploads of one person at once.
    pub each: usize,
    /// All unfinished uploads of one person together, in bytes as announced.
    pub each_bytes: u64,
    /// How long an upload is kept after its last byte came, and known after it was complete.
    pub life: Duration,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self { document: 4 << 30, each: 50, each_bytes: 32 << 30, life: Duration::from_hours(72) }
    }
}

/// Why an upload does not go on, by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// There is none, it is somebody else's, or its time is over.
    #[error("there is no such upload")]
    NotFound,
    /// Somebody else is writing to it: come back.
    #[error("another request is writing to this upload")]
    InUse,
    /// The bytes belong elsewhere: ask where, and go on from there.
    #[error("the upload goes on at {at}")]
    Offset {
        /// Where.
        at: u64,
    },
    /// More bytes came than were announced.
    #[error("more bytes came than the {length} that were announced")]
    TooMuch {
        /// The announced length.
        length: u64,
    },
    /// One document may not be as large.
    #[error("a document may have at most {limit} bytes")]
    TooLarge {
        /// The most.
        limit: u64,
    },
    /// The person has too many unfinished uploads.
    #[error("{0}")]
    TooMany(String),
    /// It cannot become a document any more.
    #[error("{}", .0.why)]
    Refused(Refused),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spool did not take it.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// An upload that is to begin.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// The door.
    pub source: SourceName,
    /// How many bytes will come.
    pub length: u64,
    /// What it is.
    pub about: About,
    /// The caller's promise that it will say the same again, scoped to the caller.
    pub key: Option<String>,
}

/// What was done at a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads whose time was over.
    pub expired: u64,
    /// Complete ones that became intakes only now.
    pub completed: u64,
}

/// Makes the key under which the finished document is taken in: the caller's own or one of the upload's, with what is compared when it
/// is used again. The door does, which knows how its other requests are compared.
pub type MakeKey = dyn Fn(&Upload, &Document) -> IdempotencyKey + Send + Sync;

/// The keeper of uploads under way.
pub struct Uploads {
    /// Where documents are taken in; its store, clock and spool are ours too.
    pub reception: Arc<Reception>,
    /// How much is kept.
    pub limits: UploadLimits,
    /// The keys of finished documents.
    pub key_of: Box<MakeKey>,
    /// Uploads that a request is writing to.
    writing: Arc<Mutex<HashSet<UploadId>>>,
}

/// The right to write to one upload. Given back when it is dropped.
pub struct Turn {
    id: UploadId,
    writing: Arc<Mutex<HashSet<UploadId>>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Uploads {
    /// A keeper with nobody writing yet.
    pub fn new(reception: Arc<Reception>, limits: UploadLimits, key_of: Box<MakeKey>) -> Self {
        Self { reception, limits, key_of, writing: Arc::default() }
    }

    fn now(&self) -> Timestamp {
        self.reception.clock.now()
    }

    fn spool(&self) -> &dyn Spool {
        &*self.reception.spool
    }

    /// Begins an upload; true when the key was used before for the same, and this is what it began then.
    pub async fn begin(&self, by: &Principal, new: NewUpload) -> Result<(Upload, bool), UploadError> {
        if new.length > self.limits.document {
            return Err(UploadError::TooLarge { limit: self.limits.document });
        }
        if let Some(known) = self.known(by, &new).await? {
            return Ok((known, true));
        }
        self.spool().door(new.length)?;
        self.admit(&by.name, new.length).await?;
        let reception = &self.reception;
        let now = self.now();
        let upload = Upload {
            id: UploadId::from_u128(reception.mint.next(&*reception.clock, &*reception.entropy)),
            version: 1,
            owner: by.name.clone(),
            site: by.sites.home.clone(),
            source: new.source.clone(),
            length: new.length,
            about: new.about.clone(),
            key: new.key.clone(),
            pieces: Vec::new(),
            state: UploadState::Coming,
            created: now,
            expires: later(now, self.limits.life),
        };
        match self.write(&upload).await {
            // The same request at the same moment was first.
            Err(StoreError::Exists(_)) => match self.known(by, &new).await? {
                Some(known) => Ok((known, true)),
                None => Err(StoreError::Busy.into()),
            },
            done => done.map(|()| (upload, false)).map_err(UploadError::from),
        }
    }

    async fn known(&self, by: &Principal, new: &NewUpload) -> Result<Option<Upload>, UploadError> {
        let Some(key) = &new.key else { return Ok(None) };
        let known: Option<Upload> = record::by_key(&*self.reception.store, &Upload::by_key(key)).await?;
        let Some(known) = known else { return Ok(None) };
        if known.owner != by.name || !known.is_same(new) {
            return Err(StoreError::KeyReused.into());
        }
        if known.expires <= self.now() {
            self.forget(known).await?;
            return Ok(None);
        }
        Ok(Some(known))
    }

    /// Whether the person may begin one more.
    async fn admit(&self, owner: &str, length: u64) -> Result<(), UploadError> {
        let (mut count, mut bytes, mut after) = (0, length, None);
        loop {
            let page: Vec<Upload> =
                record::page(&*self.reception.store, Some(&Upload::of(owner)), after, PAGE).await?;
            after = page.last().map(|upload| upload.id.as_u128());
            for upload in page.iter().filter(|upload| upload.is_coming() && upload.expires > self.now()) {
                count += 1;
                bytes = bytes.saturating_add(upload.length);
            }
            if page.len() < PAGE {
                break;
            }
        }
        let why = if count >= self.limits.each {
            format!("{count} uploads are unfinished already, which is the most that one person may have")
        } else if bytes > self.limits.each_bytes {
            format!("unfinished uploads may have {} bytes together for one person", self.limits.each_bytes)
        } else {
            return Ok(());
        };
        Err(UploadError::TooMany(why))
    }

    /// One of a person's own uploads as it is now.
    pub async fn find(&self, by: &Principal, id: UploadId) -> Result<Upload, UploadError> {
        let found: Option<Upload> = record::by_id(&*self.reception.store, id.as_u128()).await?;
        let own = |upload: &Upload| upload.owner == by.name && by.sites.has(&upload.site);
        found.filter(own).filter(|upload| upload.expires > self.now()).ok_or(UploadError::NotFound)
    }

    /// The right to write to an upload, while nobody else does.
    fn turn(&self, id: UploadId) -> Option<Turn> {
        let free = self.writing.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        free.then(|| Turn { id, writing: Arc::clone(&self.writing) })
    }

    /// Begins to take bytes at an offset. `announced` is how many will come, where that is known; `held` keeps them apart until
    /// [`Append::keep`], so that they can be given up as a whole.
    pub async fn append(
        self: &Arc<Self>,
        by: &Principal,
        id: UploadId,
        at: u64,
        announced: Option<u64>,
        held: bool,
    ) -> Result<Append, UploadError> {
        // The turn first: what is read before it may be old.
        let known = self.find(by, id).await?;
        let turn = self.turn(known.id).ok_or(UploadError::InUse)?;
        let upload = self.find(by, id).await?;
        if let UploadState::Refused(refused) = &upload.state {
            return Err(UploadError::Refused(refused.clone()));
        }
        if upload.offset() != at {
            return Err(UploadError::Offset { at: upload.offset() });
        }
        if announced.is_some_and(|bytes| at.saturating_add(bytes) > upload.length) {
            return Err(UploadError::TooMuch { length: upload.length });
        }
        self.spool().door(announced.unwrap_or(upload.length - at))?;
        Ok(Append::new(Arc::clone(self), turn, upload, held))
    }

    /// Gives an upload up, or forgets one that is through. What became of it stays.
    pub async fn end(&self, by: &Principal, id: UploadId) -> Result<(), UploadError> {
        let upload = self.find(by, id).await?;
        let _turn = self.turn(upload.id).ok_or(UploadError::InUse)?;
        self.forget(self.find(by, id).await?).await
    }

    /// Takes a complete upload in as an intake, if that has not been done. Nothing is lost when it fails or is cut off: the next sweep
    /// does it again, with the same key.
    pub async fn complete(&self, turn: Turn, upload: Upload) -> Result<Upload, UploadError> {
        let _turn = turn;
        if !upload.is_coming() || upload.offset() < upload.length {
            return Ok(upload);
        }
        let state = match self.taken_in(&upload).await {
            Ok(intake) => UploadState::Done { intake },
            Err(UploadError::Refused(refused)) => UploadState::Refused(refused),
            Err(other) => return Err(other),
        };
        let over = upload.pieces.clone();
        let done = Upload {
            state,
            pieces: Vec::new(),
            version: upload.version + 1,
            expires: later(self.now(), self.limits.life),
            ..upload
        };
        self.write(&done).await?;
        self.remove(&over).await;
        Ok(done)
    }

    async fn taken_in(&self, upload: &Upload) -> Result<IntakeId, UploadError> {
        let (document, remarks) = self.put_together(upload).await?;
        let key = (self.key_of)(upload, &document);
        let about = &upload.about;
        let arrival = Arrival {
            site: upload.site.clone(),
            source: upload.source.clone(),
            submitted_by: upload.owner.clone(),
            subject: about.subject.clone(),
            sender: upload.owner.clone(),
            note: about.note.clone(),
            work_item: Some(about.work_item.clone()).filter(|given| !given.is_empty()),
            area: Some(about.area.clone()).filter(|area| !area.is_empty()),
            documents: vec![document],
            key: Some(key),
            forced: about.forced,
            batch: false,
            save_mode: None,
            document_key: String::new(),
            remarks,
        };
        match self.reception.accept(arrival, &Actor::person(&upload.owner)).await {
            Ok(Accepted::Fresh(intake, _)) => Ok(intake.id),
            Ok(Accepted::Again(id)) => Ok(id),
            Err(StoreError::KeyReused) => Err(UploadError::Refused(Refused::key_reused())),
            Err(other) => Err(other.into()),
        }
    }

    /// The pieces as one document, with what was noticed on the way.
    async fn put_together(&self, upload: &Upload) -> Result<(Document, Vec<String>), UploadError> {
        let mut draft = self.spool().draft().await?;
        let mut head = Vec::new();
        for piece in &upload.pieces {
            self.copy(piece, draft.as_mut(), &mut head).await?;
        }
        if draft.size() != upload.length {
            let (has, wanted) = (draft.size(), upload.length);
            return Err(UploadError::Refused(Refused::damaged(&format!(
                "{has} bytes where {wanted} belong"
            ))));
        }
        let blob = draft.seal().await?;
        let about = &upload.about;
        let (media_type, lie) = kind::look(&about.file_name, &about.media_type, &head);
        let document = Document { file_name: about.file_name.clone(), media_type, blob };
        Ok((document, lie.into_iter().collect()))
    }

    /// Copies the bytes of a piece, without its prefix.
    async fn copy(
        &self,
        piece: &Piece,
        draft: &mut dyn Draft,
        head: &mut Vec<u8>,
    ) -> Result<(), UploadError> {
        let content: Arc<dyn Content> = match self.spool().content(piece.blob).await {
            Ok(content) => content,
            Err(error @ (SpoolError::Missing(_) | SpoolError::Damaged(_))) => {
                return Err(UploadError::Refused(Refused::damaged(&error.to_string())));
            }
            Err(other) => return Err(other.into()),
        };
        let damaged = |error: std::io::Error| UploadError::Refused(Refused::damaged(&error.to_string()));
        let mut stream = content.open().await.map_err(damaged)?;
        let mut before = PREFIX;
        while let Some(bytes) = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await {
            let mut bytes = bytes.map_err(damaged)?;
            let skipped = bytes.split_to(before.min(bytes.len()));
            before -= skipped.len();
            let wanted = crate::block_list::HEAD.saturating_sub(head.len()).min(bytes.len());
            head.extend_from_slice(&bytes[..wanted]);
            draft.write(bytes).await?;
        }
        Ok(())
    }

    /// Removes uploads whose time is over, and takes in those that were cut off at their end.
    pub async fn sweep(&self) -> Result<Swept, UploadError> {
        let (mut swept, mut after) = (Swept::default(), None);
        loop {
            let page: Vec<Upload> = record::page(&*self.reception.store, None, after, PAGE).await?;
            after = page.last().map(|upload| upload.id.as_u128());
            for upload in &page {
                self.sweep_one(upload.id, &mut swept).await?;
            }
            if page.len() < PAGE {
                return Ok(swept);
            }
        }
    }

    async fn sweep_one(&self, id: UploadId, swept: &mut Swept) -> Result<(), UploadError> {
        let Some(turn) = self.turn(id) else { return Ok(()) };
        let Some(upload): Option<Upload> = record::by_id(&*self.reception.store, id.as_u128()).await? else {
            return Ok(());
        };
        if upload.is_coming() && upload.offset() == upload.length {
            // Also when its time is over: its bytes have all come.
            self.complete(turn, upload).await?;
            swept.completed += 1;
        } else if upload.expires <= self.now() {
            self.forget(upload).await?;
            swept.expired += 1;
        }
        Ok(())
    }

    async fn forget(&self, upload: Upload) -> Result<(), UploadError> {
        let commit = Commit { writes: vec![upload.remove()], events: Vec::new() };
        self.reception.store.commit(commit).await?;
        self.remove(&upload.pieces).await;
        Ok(())
    }

    async fn write(&self, upload: &Upload) -> Result<(), StoreError> {
        let commit = Commit { writes: vec![upload.put()?], events: Vec::new() };
        self.reception.store.commit(commit).await
    }

    /// Removes pieces that no record names any more. Nobody else names them ([`PREFIX`]), so there is nothing to wait for; what cannot be
    /// removed now is left to the sweep of the spool.
    async fn remove(&self, pieces: &[Piece]) {
        for piece in pieces {
            let _left_to_the_sweep = self.spool().remove(piece.blob, Duration::ZERO).await;
        }
    }
}
