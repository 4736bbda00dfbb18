//! Takes what is new in a folder.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use postroom_domain::ids::CursorId;
use postroom_domain::letter::Envelope;
use postroom_domain::mailbox::{Cursor, Delta, Fetched};
use postroom_domain::person::Actor;
use postroom_domain::reception::letters::Delivery;
use postroom_domain::record::{self, Commit, Kept as _, Write};
use postroom_domain::spool::{Blob, SpoolError};
use postroom_domain::store::{Accepted, IdempotencyKey, StoreError};
use postroom_domain::time::age;
use tokio_util::sync::CancellationToken;

use super::GraphMailbox;
use super::content::{Unkept, keep};
use super::page::{Onward, Page};
use super::talk::{Talk, Trouble};

/// Who hands in, for the audit.
const PART: &str = "graph";
/// Messages of a mailbox that are read at once; with what else is asked meanwhile no more than the server bears.
const ABREAST: usize = 3;
/// A message that was tried so often is shown, and tried again only now and then.
pub(super) const TRIES: u32 = 3;
/// How often that is.
const NOW_AND_THEN: Duration = Duration::from_mins(15);
/// So many messages in a row that the server does not give: then it is not they that are bad.
const IN_A_ROW: u32 = 3;
/// How often it is looked what a name stands for, and a link without news is written: a server may not know old ones for ever.
const HOURLY: Duration = Duration::from_hours(1);

/// What is remembered from one look to the next.
#[derive(Default)]
pub(super) struct Places(HashMap<String, Place>);

/// A folder, as far as this process has seen it. Its link may be further than the store knows, where nothing was on the way.
struct Place {
    delta: Delta,
    /// When it was looked what the name stands for; none when that has to be done again.
    named: Option<Duration>,
    /// When the link was last written.
    kept: Duration,
    /// When those were last tried that were tried often.
    tried: Option<Duration>,
}

/// Why a look at a folder ended before its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// The server cannot be asked, or asks to wait, or does not let us in.
    Server(Trouble),
    /// The house takes nothing at present.
    House(String),
    /// Something is wrong with this folder; others go on.
    Folder(String),
    /// Somebody else wrote the place: it is read again.
    Again,
}

/// Why a message was not read.
enum Unread {
    /// Something is wrong with this one, as after so many tries.
    Message(String, u32),
    /// The server did not give it, for which it or the server may be the reason.
    Lost(String),
    /// Nothing is given at present.
    Halt(Halt),
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Gone(why) | Trouble::No(why) => Self::Folder(why),
            other => Self::Server(other),
        }
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } | StoreError::Exists(_) => Self::Again,
            StoreError::Busy | StoreError::Closed | StoreError::Fatal(_) => Self::House(error.to_string()),
            other => Self::Folder(other.to_string()),
        }
    }
}

impl From<SpoolError> for Unread {
    fn from(error: SpoolError) -> Self {
        Self::Halt(Halt::House(error.to_string()))
    }
}

impl Places {
    /// The messages that were tried often, by folder.
    pub(super) fn left(&self) -> Vec<super::LeftMessage> {
        let mut all: Vec<_> = self
            .0
            .values()
            .flat_map(|place| place.delta.left.iter().map(|it| (&place.delta.folder, it)))
            .filter(|(_, it)| it.tries >= TRIES)
            .map(|(folder, it)| super::LeftMessage {
                folder: folder.clone(),
                item: it.item.clone(),
                why: it.why.clone(),
            })
            .collect();
        all.sort_unstable_by(|a, b| (&a.folder, &a.item).cmp(&(&b.folder, &b.item)));
        all
    }

    /// What the server knows a folder by.
    pub(super) fn place(&self, folder: &str) -> Option<&str> {
        self.0.get(folder).map(|place| place.delta.place.as_str())
    }
}

impl GraphMailbox {
    /// Takes what is new, some pages at most. Answers whether there is more.
    pub(super) async fn take(
        &self,
        talk: &Talk<'_>,
        places: &mut Places,
        folder: &str,
        stop: &CancellationToken,
    ) -> Result<bool, Halt> {
        let mut place = self.place(talk, places.0.remove(folder), folder).await?;
        let done = self.pages(talk, &mut place, stop).await;
        match &done {
            Err(Halt::Again) => {}
            // Perhaps it was made anew: what the name stands for is looked up again.
            Err(Halt::Folder(_)) => {
                place.named = None;
                places.0.insert(folder.to_owned(), place);
            }
            _ => drop(places.0.insert(folder.to_owned(), place)),
        }
        done
    }

    async fn place(&self, talk: &Talk<'_>, known: Option<Place>, folder: &str) -> Result<Place, Halt> {
        let (clock, now) = (&self.reception.clock, self.reception.clock.now());
        let tick = clock.monotonic();
        let fresh = |place: &Place| place.named.is_some_and(|named| tick.saturating_sub(named) < HOURLY);
        let known = match known {
            Some(place) if fresh(&place) => return Ok(self.swept(place)),
            other => other,
        };
        let id = talk.folder(folder).await?;
        let mut place = match known {
            Some(place) => place,
            None => Place { delta: self.delta(folder, &id).await?, named: None, kept: tick, tried: None },
        };
        place.named = Some(tick);
        if place.delta.place != id {
            tracing::warn!(source.name = %self.options.source, source.folder = folder,
                "a folder is another one under the same name; it is read from its beginning");
            place.delta.restart(&id, now);
        }
        Ok(self.swept(place))
    }

    /// Now and then a folder is read from its beginning.
    fn swept(&self, mut place: Place) -> Place {
        let now = self.reception.clock.now();
        if !place.delta.link.is_empty() && age(now, place.delta.begun) >= self.options.sweep {
            let id = place.delta.place.clone();
            place.delta.restart(&id, now);
        }
        place
    }

    async fn delta(&self, folder: &str, place: &str) -> Result<Delta, Halt> {
        let (source, reception) = (&self.options.source, &self.reception);
        let known = record::by_key::<Delta>(&*reception.store, &Delta::key(source, folder)).await?;
        Ok(known.unwrap_or_else(|| {
            let id = reception.mint.next(&*reception.clock, &*reception.entropy);
            Delta::new(CursorId::from_u128(id), source.clone(), folder, place, reception.clock.now())
        }))
    }

    async fn pages(
        &self,
        talk: &Talk<'_>,
        place: &mut Place,
        stop: &CancellationToken,
    ) -> Result<bool, Halt> {
        let mut ended = false;
        for _ in 0..self.options.pages.max(1) {
            if stop.is_cancelled() || self.paused().await {
                return Ok(false);
            }
            let Some(page) = self.page(talk, place).await? else { continue };
            self.all(talk, place, &page, stop).await?;
            if stop.is_cancelled() {
                return Ok(false);
            }
            ended = self.go_on(place, page).await?;
            if ended {
                break;
            }
        }
        self.once_more(talk, place, stop).await?;
        Ok(!ended)
    }

    /// The next page; none when it begins anew, because the server does not know its own link any more.
    async fn page(&self, talk: &Talk<'_>, place: &mut Place) -> Result<Option<Page>, Halt> {
        match talk.changes(&place.delta.place, &place.delta.link).await {
            Ok(page) => {
                if matches!(&page.onward, Onward::Next(next) if *next == place.delta.link) {
                    return Err(Halt::Server(Trouble::Lost(
                        "Microsoft Graph gives one page for ever".to_owned(),
                    )));
                }
                if place.delta.link.is_empty() {
                    self.status.send_modify(|status| status.begun += 1);
                }
                Ok(Some(page))
            }
            Err(Trouble::Stale) if !place.delta.link.is_empty() => {
                tracing::warn!(source.name = %self.options.source, source.folder = place.delta.folder,
                    "Microsoft Graph does not know how far a folder was read; it is read from its beginning");
                let id = place.delta.place.clone();
                place.delta.restart(&id, self.reception.clock.now());
                Ok(None)
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    /// Behind a page of which everything is taken, gone or left. Answers whether it was the last.
    async fn go_on(&self, place: &mut Place, page: Page) -> Result<bool, Halt> {
        let tick = self.reception.clock.monotonic();
        let (link, ended) = match page.onward {
            Onward::Next(link) => (link, false),
            Onward::End(link) => (link, true),
        };
        // Where nothing was on the way, the store need not know how far that was: the link before leads here too.
        let quiet =
            page.entries.is_empty() && ended && !place.delta.link.is_empty() && place.delta.version > 0;
        if quiet && tick.saturating_sub(place.kept) < HOURLY {
            place.delta.link = link;
            return Ok(true);
        }
        let mut next = place.delta.clone();
        next.link = link;
        self.keep(&mut place.delta, next).await?;
        place.kept = tick;
        Ok(ended)
    }

    /// Takes what of a page is not known yet: some are read at once, and handed in one after the other, the earliest first.
    async fn all(
        &self,
        talk: &Talk<'_>,
        place: &mut Place,
        page: &Page,
        stop: &CancellationToken,
    ) -> Result<(), Halt> {
        let delta = &mut place.delta;
        let mut wanted = Vec::new();
        for entry in &page.entries {
            if entry.removed {
                // What left the folder may still be taken where it went; here nobody waits for it.
                delta.pass(&entry.item);
            } else if self.knows(&entry.item).await? {
                delta.pass(&entry.item);
            } else if delta.left(&entry.item).is_none_or(|left| left.tries < TRIES)
                && !self.is_draft(talk, &entry.item, entry.draft).await?
            {
                wanted.push((entry.item.as_str(), entry.arrived));
            }
        }
        let reads: Vec<_> = wanted.iter().map(|(item, _)| self.read(talk, item)).collect();
        let mut reads = stream::iter(reads).buffered(ABREAST).zip(stream::iter(wanted));
        let mut in_a_row = 0;
        while let Some((read, known)) = reads.next().await {
            self.one(delta, known, read, &mut in_a_row).await?;
            if stop.is_cancelled() {
                break;
            }
        }
        Ok(())
    }

    /// What somebody still writes is no letter yet.
    async fn is_draft(&self, talk: &Talk<'_>, item: &str, said: Option<bool>) -> Result<bool, Halt> {
        if let Some(said) = said {
            return Ok(said);
        }
        match talk.message(item, "id,isDraft").await {
            Ok(message) => Ok(message["isDraft"].as_bool().unwrap_or(false)),
            Err(Trouble::Gone(_)) => Ok(true),
            Err(Trouble::No(_)) => Ok(false),
            Err(trouble) => Err(trouble.into()),
        }
    }

    async fn knows(&self, item: &str) -> Result<bool, Halt> {
        let key = Fetched::key(&self.options.source, item);
        Ok(record::by_key::<Fetched>(&*self.reception.store, &key).await?.is_some())
    }

    /// Tries again what was left: at each look, and after some tries only now and then.
    async fn once_more(
        &self,
        talk: &Talk<'_>,
        place: &mut Place,
        stop: &CancellationToken,
    ) -> Result<(), Halt> {
        let now = self.reception.clock.monotonic();
        let often = place.tried.is_none_or(|tried| now.saturating_sub(tried) >= NOW_AND_THEN);
        if often {
            place.tried = Some(now);
        }
        let delta = &mut place.delta;
        let due = delta.left.iter().filter(|it| often || it.tries < TRIES);
        let due: Vec<(String, Option<Timestamp>)> = due.map(|it| (it.item.clone(), it.arrived)).collect();
        let mut in_a_row = 0;
        for (item, arrived) in &due {
            if stop.is_cancelled() {
                return Ok(());
            }
            let read = if self.knows(item).await? { Ok(None) } else { self.read(talk, item).await };
            self.one(delta, (item, *arrived), read, &mut in_a_row).await?;
        }
        if due.iter().any(|(item, _)| delta.left(item).is_none()) {
            let next = delta.clone();
            self.keep(delta, next).await?;
        }
        Ok(())
    }

    /// Hands one message in, or leaves it. With its id comes when it came into the mailbox.
    async fn one(
        &self,
        delta: &mut Delta,
        known: (&str, Option<Timestamp>),
        read: Result<Option<Blob>, Unread>,
        in_a_row: &mut u32,
    ) -> Result<(), Halt> {
        *in_a_row = if matches!(read, Err(Unread::Lost(_))) { *in_a_row + 1 } else { 0 };
        match read {
            Ok(Some(blob)) => self.hand_in(delta, known, blob).await,
            Ok(None) => {
                // Gone: somebody was quicker.
                delta.pass(known.0);
                Ok(())
            }
            Err(Unread::Message(why, tries)) => self.leave(delta, known, &why, tries).await,
            Err(Unread::Lost(why)) => {
                self.leave(delta, known, &why, 1).await?;
                if *in_a_row >= IN_A_ROW { Err(Halt::Server(Trouble::Lost(why))) } else { Ok(()) }
            }
            Err(Unread::Halt(halt)) => Err(halt),
        }
    }

    /// Reads a message into the spool, piece by piece. `Some` means durable; none that it is not there any more.
    async fn read(&self, talk: &Talk<'_>, item: &str) -> Result<Option<Blob>, Unread> {
        let largest = self.options.largest;
        self.spool.door(0)?;
        let answer = match talk.content(item).await {
            Ok(answer) => answer,
            Err(Trouble::Gone(_)) => return Ok(None),
            Err(Trouble::Lost(why)) => return Err(Unread::Lost(why)),
            Err(Trouble::No(why)) => return Err(Unread::Message(why, 1)),
            Err(trouble) => return Err(Unread::Halt(Halt::Server(trouble))),
        };
        match keep(&*self.spool, answer, largest).await {
            Ok(blob) => Ok(Some(blob)),
            Err(Unkept::TooLarge(why)) => Err(Unread::Message(why, TRIES)),
            Err(Unkept::Empty) => Err(Unread::Message("the server gives no content".to_owned(), 1)),
            Err(Unkept::Lost(why)) => Err(Unread::Lost(why)),
            Err(Unkept::Spool(error)) => Err(error.into()),
        }
    }

    /// The letter and what it is known by are one transaction. The link follows when the whole page is through.
    async fn hand_in(
        &self,
        delta: &mut Delta,
        known: (&str, Option<Timestamp>),
        blob: Blob,
    ) -> Result<(), Halt> {
        let (item, arrived) = known;
        let (source, folder) = (&self.options.source, &delta.folder);
        let intake = self.reception.next_letter();
        let fetched = Fetched::identified(intake, source.clone(), folder, item);
        let mut delivery = Delivery {
            site: self.options.site.clone(),
            source: source.clone(),
            submitted_by: PART.to_owned(),
            envelope: Envelope { from: String::new(), to: vec![self.options.mailbox.clone()], arrived },
            blob,
            key: IdempotencyKey { key: Fetched::key(source, item), fingerprint: blob.hash },
            records: vec![fetched.put()?],
        };
        let actor = Actor::system(PART, None);
        let mut answer = self.reception.deliver_as(intake, delivery.clone(), &actor).await;
        if answer == Err(StoreError::KeyReused) {
            // The same message with other bytes: the server writes it anew each time. What it is now is kept as well.
            delivery.key.key = format!("{}/{}", delivery.key.key, blob.hash);
            answer = self.reception.deliver_as(intake, delivery, &actor).await;
        }
        match answer {
            Ok(Accepted::Fresh(intake, _)) => {
                tracing::info!(source.name = %source, source.folder = folder, intake.id = %intake.id, "a message was taken in");
                self.status.send_modify(|status| status.taken += 1);
            }
            Ok(Accepted::Again(earlier)) => {
                tracing::info!(source.name = %source, source.folder = folder, intake.id = %earlier, "a message had been taken in before");
                self.note_again(Fetched { intake: earlier, ..fetched }).await?;
            }
            Err(error) => match Halt::from(error) {
                Halt::Folder(why) => return self.leave(delta, known, &why, 1).await,
                halt => return Err(halt),
            },
        }
        delta.pass(item);
        Ok(())
    }

    /// What is here already is to be cleaned up like everything else.
    async fn note_again(&self, fetched: Fetched) -> Result<(), Halt> {
        let store = &self.reception.store;
        if record::by_id::<Fetched>(&**store, fetched.intake.as_u128()).await?.is_none() {
            store.commit(Commit { writes: vec![fetched.put()?], events: Vec::new() }).await?;
        }
        Ok(())
    }

    /// Leaves a message untaken, and keeps it in mind.
    async fn leave(
        &self,
        delta: &mut Delta,
        (item, arrived): (&str, Option<Timestamp>),
        why: &str,
        tries: u32,
    ) -> Result<(), Halt> {
        if delta.left(item).is_some_and(|known| known.tries >= TRIES && known.why == why) {
            return Ok(());
        }
        let mut next = delta.clone();
        if !next.leave(item, arrived, why, tries) {
            return Err(Halt::Folder(format!(
                "{} messages cannot be taken already, and the next one neither ({why}): a person has to look at the folder",
                Cursor::MOST_SKIPPED
            )));
        }
        tracing::warn!(source.name = %self.options.source, source.folder = delta.folder, source.error = why,
            "a message could not be taken; it is where it was and is tried again");
        self.keep(delta, next).await
    }

    /// Writes a change of the place.
    async fn keep(&self, delta: &mut Delta, mut next: Delta) -> Result<(), Halt> {
        next.version += 1;
        let writes: Vec<Write> = vec![next.put()?];
        self.reception.store.commit(Commit { writes, events: Vec::new() }).await?;
        *delta = next;
        Ok(())
    }
}
