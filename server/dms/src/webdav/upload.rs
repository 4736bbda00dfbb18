//! Putting one document in, so that at every instant a crash or a lost answer leaves either nothing with a name, or a document that
//! its mark finds.
//!
//! The order: the bytes go into a collection of the filing's own below `.postroom/tmp`, their size is compared, and they get their mark
//! there. Then a name is chosen, in sidecar mode by moving the sidecar to its place, which only one can do; the filing's pointer is
//! written; and last the document is moved to its name, over nothing. `PUT` with `If-None-Match: *` would be shorter, but is not
//! honoured everywhere, and leaves a time in which the document has its name and not yet its mark.

use std::collections::BTreeSet;

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Receipt, Trouble, Upload};
use tracing::debug;

use super::abilities::Abilities;
use super::find::here;
use super::home::Home;
use super::settings::Versions;
use super::turn::Turn;
use super::wire::{Over, done};
use super::{WebDav, errors, no_library};
use crate::names;
use crate::share::sidecar::{Pointer, Sidecar, of};
use postroom_outbound::Document;

/// So many equal names in one folder are enough.
const MOST_EQUAL_NAMES: u32 = 10_000;
/// So many names in a row that are locked mean that the folder is.
const MOST_LOCKED_NAMES: u32 = 3;

/// A document that lies aside, with its mark.
pub(super) struct Aside<'a> {
    pub(super) home: Home<'a>,
    /// Its path below `.postroom`.
    filing: String,
    nonce: String,
    pub(super) sidecar: Sidecar,
    pub(super) abilities: Abilities,
}

impl Aside<'_> {
    pub(super) fn content(&self) -> Vec<&str> {
        self.home.ours(&["tmp", &self.filing, &self.nonce])
    }
}

/// What became of a name that was tried.
enum Tried {
    Done,
    Taken,
    Locked,
}

impl WebDav {
    pub(super) async fn file(&self, upload: Upload<'_>) -> DmsResult<Receipt> {
        no_library(upload.library)?;
        self.may(upload.actor)?;
        let size = upload.content.size();
        if let Some(limit) = self.settings.largest_bytes.filter(|limit| size > *limit) {
            let trouble =
                Trouble::new(Cause::TooLarge, format!("{size} bytes where the settings allow {limit}"));
            return Err(DmsError::TooLarge { limit: Some(limit), trouble });
        }
        let (home, onto) = match upload.onto {
            Some(_) if self.settings.versions == Versions::None => {
                let detail = "documents have no versions here (versions = \"copies\" gives them some)";
                return Err(DmsError::Unsupported(Trouble::new(Cause::Unsupported, detail)));
            }
            Some(document) => Home::around(document).map(|(home, name)| (home, Some(name)))?,
            None => (Home::of(upload.container)?, None),
        };
        let (_, available) = self.open_place(home.id).await?;
        if let Some(name) = onto {
            let there = self.entry(&home.document(name), false).await?.map(|entry| entry.props.collection);
            if there == Some(true) || (there.is_none() && self.numbers(&home, name).await?.is_empty()) {
                return Err(errors::missing(&format!("{:?}", home.id_of(name))));
            }
        }
        if let Some(left) = available.filter(|left| *left < size) {
            let detail = format!("{:?} has {left} bytes left, the document has {size}", home.id);
            return Err(DmsError::from_trouble(Trouble::new(Cause::DmsFull, detail)));
        }
        let filing = upload.mark.filing().to_string();
        let result = async {
            let aside = self.lay_aside(&upload, home.clone()).await.map_err(errors::aside)?;
            match onto {
                None => self.name_it(&upload, &aside).await,
                Some(name) => self.replace(&upload, &aside, name).await,
            }
        }
        .await;
        // While the outcome is open the probe decides about what lies aside.
        if !matches!(result, Err(DmsError::UnknownOutcome(_))) {
            let tidied = self.wire.remove(&home.ours(&["tmp", &filing]), true).await;
            if let Err(error) = tidied {
                debug!(dms.service = %self.name, %error, "What lay aside could not be removed; it has no name.");
            }
        }
        result
    }

    /// Brings the bytes to the server, under no name that anybody sees.
    async fn lay_aside<'a>(&self, upload: &Upload<'_>, home: Home<'a>) -> DmsResult<Aside<'a>> {
        let (filing, nonce) = (upload.mark.filing().to_string(), self.nonce());
        self.ensure(&home, &["tmp", &filing]).await?;
        let abilities = self.abilities(&home.ours(&["tmp", &filing])).await?;
        let aside = Aside { home, filing, nonce, sidecar: Sidecar::of(upload), abilities };
        let stream = upload.content.open().await.map_err(|e| {
            DmsError::from_trouble(Trouble::new(
                Cause::StoreDamage,
                format!("the stored bytes cannot be read: {e}"),
            ))
        })?;
        let size = upload.content.size();
        let document = Document {
            field: "",
            file_name: String::new(),
            media_type: upload.media_type.to_owned(),
            size,
            stream,
            gauge: upload.gauge.clone(),
        };
        let doing = format!("sending a document for {:?}", aside.home.id);
        let reply = self.wire.put(&aside.content(), document).await?;
        done(&reply, &doing).map_err(|error| match error {
            DmsError::TooLarge { trouble, .. } => {
                DmsError::TooLarge { limit: self.settings.largest_bytes, trouble }
            }
            other => other,
        })?;
        let text = upload.mark.to_string();
        if aside.abilities.property {
            let sidecar = serde_json::to_string(&aside.sidecar)
                .map_err(|e| errors::rejected("profile", e.to_string()))?;
            self.wire.set(&aside.content(), &[("mark", &text), ("sidecar", &sidecar)], None).await?;
        }
        let broken = |why: String| {
            DmsError::from_trouble(Trouble::new(
                Cause::ServerFault,
                format!("{doing}: {why}; it got no name"),
            ))
        };
        let entry = self.entry(&aside.content(), false).await?;
        let entry = entry.ok_or_else(|| broken("it is not there after a success".to_owned()))?;
        if let Some(stored) = entry.props.size.filter(|stored| *stored != size) {
            return Err(broken(format!("{stored} bytes are there, {size} were sent")));
        }
        if aside.abilities.property && entry.props.mark.as_deref() != Some(&text) {
            return Err(broken("the server did not keep its mark".to_owned()));
        }
        if (self.settings.read_back || entry.props.size.is_none())
            && self.hash_of(&aside.content()).await? != (size, aside.sidecar.hash)
        {
            return Err(broken("other bytes are there than were sent".to_owned()));
        }
        Ok(aside)
    }

    /// Gives the document its name.
    async fn name_it(&self, upload: &Upload<'_>, aside: &Aside<'_>) -> DmsResult<Receipt> {
        let mut turn = self.take_turn(&aside.home, None).await.map_err(errors::aside)?;
        let result = self.name_in_turn(upload, aside, &mut turn).await;
        self.end_turn(turn).await;
        result
    }

    async fn name_in_turn(
        &self,
        upload: &Upload<'_>,
        aside: &Aside<'_>,
        turn: &mut Turn<'_>,
    ) -> DmsResult<Receipt> {
        let home = &aside.home;
        if let Some(receipt) = self.pointed(home, upload.mark).await.map_err(errors::aside)? {
            return Err(here(receipt));
        }
        self.forget(home, upload.mark).await.map_err(errors::aside)?;
        let wanted = self.safe(upload.name);
        let (mut taken, mut locked, mut n) = (None::<BTreeSet<String>>, 0, 0);
        let name = loop {
            n += 1;
            if n > MOST_EQUAL_NAMES {
                return Err(errors::taken(&format!("{wanted:?} in {:?}, with all its numbers,", home.id)));
            }
            let name = names::numbered(&wanted, n);
            if taken.as_ref().is_some_and(|taken| taken.contains(&name)) {
                continue;
            }
            match self.try_name(upload, aside, &name, turn).await? {
                Tried::Done => break name,
                Tried::Taken => {}
                Tried::Locked => {
                    locked += 1;
                    if locked >= MOST_LOCKED_NAMES {
                        let doing = format!("naming a document in {:?}", home.id);
                        return Err(self.locked(home.itself(), &doing).await);
                    }
                }
            }
            if taken.is_none() {
                taken = Some(self.taken(home).await.map_err(errors::aside)?);
            }
        };
        let version = (self.settings.versions == Versions::Copies).then_some(1);
        let hash = self.settings.read_back.then_some(aside.sidecar.hash);
        Ok(self.receipt(home, &name, version, Some(upload.content.size()), hash))
    }

    /// Names in a container that documents have, or had once and something of ours still tells of.
    async fn taken(&self, home: &Home<'_>) -> DmsResult<BTreeSet<String>> {
        let documents = self.inside(home.itself()).await?.unwrap_or_default();
        let sidecars = self.inside(&home.ours(&[])).await?.unwrap_or_default();
        let reserved = sidecars.into_iter().filter_map(|it| it.name.strip_suffix(".json").map(str::to_owned));
        Ok(documents.into_iter().map(|it| it.name).chain(reserved).collect())
    }

    async fn try_name(
        &self,
        upload: &Upload<'_>,
        aside: &Aside<'_>,
        name: &str,
        turn: &mut Turn<'_>,
    ) -> DmsResult<Tried> {
        let home = &aside.home;
        let file = of(name);
        if self.settings.versions == Versions::Copies
            && self.entry(&home.ours(&["versions", name]), true).await.map_err(errors::aside)?.is_some()
        {
            // Older versions of another document would become this one's.
            return Ok(Tried::Taken);
        }
        if !aside.abilities.property {
            match self.reserve(aside, &file).await.map_err(errors::aside)? {
                Tried::Done => {}
                other => return Ok(other),
            }
        }
        let filing = upload.mark.filing().to_string();
        let pointer = home.ours(&["marks", &filing]);
        self.save(&pointer, &Pointer::to(name)).await.map_err(errors::aside)?;
        self.keep_turn(turn).await?;
        let doing = format!("naming {name:?} in {:?}", home.id);
        let reply =
            self.wire.transfer("move", &aside.content(), &home.document(name), Over::Nothing, None).await;
        let reply = reply.map_err(errors::unanswered)?;
        let tried = match reply.status {
            201 | 204 => return Ok(Tried::Done),
            412 => Tried::Taken,
            423 => Tried::Locked,
            207 => return Err(errors::inner(&reply, &doing)),
            200 | 202 | 203 | 205 | 206 => {
                let detail = format!("{doing}: status {}, which says nothing", reply.status);
                return Err(DmsError::from_trouble(Trouble::new(Cause::AnswerLost, detail)));
            }
            _ => return Err(errors::naming(&reply, &doing)),
        };
        if !aside.abilities.property {
            // The name was reserved by us, and somebody put a file there by hand.
            self.wire.remove(&home.ours(&[&file]), false).await.map_err(errors::aside)?;
        }
        Ok(tried)
    }

    /// Puts the sidecar where it belongs, over nothing: of all who want a name one gets it.
    async fn reserve(&self, aside: &Aside<'_>, file: &str) -> DmsResult<Tried> {
        let (home, own) = (&aside.home, of(&aside.nonce));
        let waiting = home.ours(&["tmp", &aside.filing, &own]);
        self.save(&waiting, &aside.sidecar).await?;
        let reply = self.wire.transfer("move", &waiting, &home.ours(&[file]), Over::Nothing, None).await?;
        match reply.status {
            412 => Ok(Tried::Taken),
            423 => Ok(Tried::Locked),
            _ => done(&reply, &format!("placing {file:?} in {:?}", home.id)).map(|()| Tried::Done),
        }
    }
}
