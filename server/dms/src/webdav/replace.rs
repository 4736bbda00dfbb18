//! A new version of a document, with `versions = "copies"`.
//!
//! The new content lies aside, whole. The document is locked where the server has locks; its old content is copied to
//! `.postroom/versions/<name>/<n>` and the copy's size compared; then the new content is copied over the document, on the condition that
//! it is what was seen. It is copied and not moved, because some servers remove what is to be replaced before they look for what is to
//! be moved there.

use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, DmsResult, Receipt, Trouble, Upload};

use super::find::here;
use super::home::Home;
use super::lock::Lock;
use super::multistatus::Entry;
use super::upload::Aside;
use super::wire::{Over, done};
use super::{WebDav, errors};
use crate::share::sidecar::{Pointer, of};

/// So often a number that somebody else took is passed over.
const MOST_NUMBERS: u32 = 100;

impl WebDav {
    pub(super) async fn replace(
        &self,
        upload: &Upload<'_>,
        aside: &Aside<'_>,
        name: &str,
    ) -> DmsResult<Receipt> {
        let home = &aside.home;
        let _turn = self.turn(home.id).lock().await;
        if let Some(receipt) = self.pointed(home, upload.mark).await.map_err(errors::aside)? {
            return Err(here(receipt));
        }
        let document = home.document(name);
        if self.entry(&document, false).await.map_err(errors::aside)?.is_none() {
            return self.put_back(upload, aside, name).await;
        }
        let lock = if aside.abilities.locks {
            self.lock(&document, upload.mark).await.map_err(errors::aside)?
        } else {
            None
        };
        let result = self.replace_locked(upload, aside, name, lock.as_ref()).await;
        // With the outcome open the lock tells a probe that the server may still be busy.
        if let Some(lock) = &lock
            && !matches!(result, Err(DmsError::UnknownOutcome(_)))
        {
            self.unlock(&document, lock).await;
        }
        result
    }

    async fn replace_locked(
        &self,
        upload: &Upload<'_>,
        aside: &Aside<'_>,
        name: &str,
        lock: Option<&Lock>,
    ) -> DmsResult<Receipt> {
        let home = &aside.home;
        let document = home.document(name);
        let gone = || errors::missing(&format!("{:?}", home.id_of(name)));
        let old = self.entry(&document, false).await.map_err(errors::aside)?;
        let old = old.filter(|old| !old.props.collection).ok_or_else(gone)?;
        let number = self.keep(home, name, &old).await.map_err(errors::aside)?;
        let next = number + 1;
        if !aside.abilities.property {
            let file = of(&next.to_string());
            self.save(&home.ours(&["versions", name, &file]), &aside.sidecar).await.map_err(errors::aside)?;
        }
        let filing = upload.mark.filing().to_string();
        let pointer = home.ours(&["marks", &filing]);
        self.save(&pointer, &Pointer::to(name)).await.map_err(errors::aside)?;
        if let Some(lock) = lock {
            self.refresh(&document, lock, self.settings.lock_seconds).await.map_err(errors::aside)?;
        }
        let condition = self.condition(&document, lock, old.props.etag.as_deref());
        let doing = format!("replacing {:?}", home.id_of(name));
        let (content, condition) = (aside.content(), condition.as_deref());
        let reply = self.wire.transfer("copy", &content, &document, Over::Anything, condition).await;
        let reply = reply.map_err(errors::unanswered)?;
        match reply.status {
            201 | 204 => {}
            412 => {
                let detail = format!("{doing}: somebody changed it meanwhile");
                let trouble = Trouble { status: Some(412), ..Trouble::new(Cause::Changed, detail) };
                return Err(DmsError::from_trouble(trouble));
            }
            423 => return Err(self.locked(&document, &doing).await),
            207 => return Err(errors::inner(&reply, &doing)),
            _ => return Err(errors::naming(&reply, &doing)),
        }
        self.settle(upload, aside, name, next).await.map_err(errors::unanswered)
    }

    /// After the content is in its place: the sidecar follows, and the size is compared.
    async fn settle(
        &self,
        upload: &Upload<'_>,
        aside: &Aside<'_>,
        name: &str,
        number: u32,
    ) -> DmsResult<Receipt> {
        let (home, size) = (&aside.home, upload.content.size());
        if !aside.abilities.property {
            self.save(&home.ours(&[&of(name)]), &aside.sidecar).await?;
        }
        let entry = self.entry(&home.document(name), false).await?;
        let stored = entry.and_then(|entry| entry.props.size);
        if let Some(stored) = stored.filter(|stored| *stored != size) {
            let detail = format!("replacing: {size} bytes were sent, {:?} has {stored}", home.id_of(name));
            return Err(DmsError::from_symptom(Symptom::WrongCopy, Sent::Fully, detail));
        }
        let hash = self.settings.read_back.then_some(aside.sidecar.hash);
        Ok(self.receipt(home, name, Some(number), Some(size), hash))
    }

    /// Keeps the present content as an older version. Its number is told.
    pub(super) async fn keep(&self, home: &Home<'_>, name: &str, old: &Entry) -> DmsResult<u32> {
        self.ensure(home, &["versions"]).await?;
        self.ensure(home, &["versions", name]).await?;
        let sidecar = self.sidecar(home, name).await?;
        let first = self.numbers(home, name).await?.last().map_or(1, |newest| newest + 1);
        for number in first..first.saturating_add(MOST_NUMBERS) {
            let (content, file) = (number.to_string(), of(&number.to_string()));
            // First the sidecar: one that an attempt before left here told of a content that never came.
            let file = home.ours(&["versions", name, &file]);
            match &sidecar {
                Some(sidecar) => self.save(&file, sidecar).await?,
                None => self.wire.remove(&file, false).await?,
            }
            let copy = home.ours(&["versions", name, &content]);
            let reply = self.wire.transfer("copy", &home.document(name), &copy, Over::Nothing, None).await?;
            if matches!(reply.status, 412 | 423) {
                continue;
            }
            done(&reply, &format!("keeping version {number} of {:?}", home.id_of(name)))?;
            let kept = self.entry(&copy, false).await?.and_then(|entry| entry.props.size);
            if kept != old.props.size {
                let detail =
                    format!("the copy of version {number} of {:?} has another size", home.id_of(name));
                return Err(DmsError::from_trouble(Trouble::new(Cause::ServerFault, detail)));
            }
            return Ok(number);
        }
        Err(errors::taken(&format!("every number of a version of {:?}", home.id_of(name))))
    }

    /// The document is away, although an older version was kept: a replacement broke off inside of the server. The new content takes
    /// the name; it replaces nothing.
    async fn put_back(&self, upload: &Upload<'_>, aside: &Aside<'_>, name: &str) -> DmsResult<Receipt> {
        let home = &aside.home;
        let newest = self.numbers(home, name).await.map_err(errors::aside)?.last().copied();
        let Some(newest) = newest else { return Err(errors::missing(&format!("{:?}", home.id_of(name)))) };
        let next = newest + 1;
        if !aside.abilities.property {
            let file = of(&next.to_string());
            self.save(&home.ours(&["versions", name, &file]), &aside.sidecar).await.map_err(errors::aside)?;
        }
        let filing = upload.mark.filing().to_string();
        self.save(&home.ours(&["marks", &filing]), &Pointer::to(name)).await.map_err(errors::aside)?;
        let doing = format!("naming {:?}", home.id_of(name));
        let reply =
            self.wire.transfer("move", &aside.content(), &home.document(name), Over::Nothing, None).await;
        let reply = reply.map_err(errors::unanswered)?;
        match reply.status {
            201 | 204 => self.settle(upload, aside, name, next).await.map_err(errors::unanswered),
            412 => Err(errors::taken(&format!("{:?}", home.id_of(name)))),
            423 => Err(self.locked(&home.document(name), &doing).await),
            _ => Err(errors::naming(&reply, &doing)),
        }
    }
}
