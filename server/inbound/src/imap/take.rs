//! Takes what is new in a folder.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::ids::CursorId;
use postroom_domain::letter::Envelope;
use postroom_domain::mailbox::{Cursor, Fetched, Skipped};
use postroom_domain::person::Actor;
use postroom_domain::reception::letters::Delivery;
use postroom_domain::record::{self, Commit, Kept as _, Write};
use postroom_domain::spool::{Blob, SpoolError};
use postroom_domain::store::{Accepted, IdempotencyKey, StoreError};
use tokio_util::sync::CancellationToken;

use super::ImapMailbox;
use super::talk::{CHUNK, Listed, Opened, Talk, Trouble};

/// Who hands in, for the audit.
const PART: &str = "imap";
/// Numbers that are asked about at a time; twice as many after each time when none of them was there.
const WIDTH: u32 = 1000;
/// A message that was tried so often is shown, and tried again only now and then.
pub(super) const TRIES: u32 = 3;
/// How often that is.
const NOW_AND_THEN: Duration = Duration::from_mins(15);

/// What is remembered from one look to the next.
#[derive(Default)]
pub(super) struct Places(HashMap<String, Place>);

/// A folder, as far as this process has seen it. Its cursor may have passed numbers without messages that the store does not know to be
/// passed yet: that costs nobody anything.
struct Place {
    cursor: Cursor,
    /// When those were last tried that were tried often.
    tried: Option<Duration>,
}

/// Why a look at a folder ended before its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// The connection is gone.
    Lost(String),
    /// The house takes nothing at present.
    House(String),
    /// Something is wrong with this folder; others go on.
    Folder(String),
    /// Somebody else wrote the cursor: it is read again.
    Again,
}

/// Why a message was not read.
enum Unread {
    /// Something is wrong with this one.
    Message(String),
    /// The connection went with it.
    Lost(String),
    /// The house takes nothing at present.
    House(String),
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Lost(why) => Self::Lost(why),
            Trouble::Refused(why) => Self::Folder(why),
        }
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Again,
            StoreError::Busy | StoreError::Closed | StoreError::Fatal(_) => Self::House(error.to_string()),
            other => Self::Folder(other.to_string()),
        }
    }
}

impl From<SpoolError> for Unread {
    fn from(error: SpoolError) -> Self {
        Self::House(error.to_string())
    }
}

impl From<Trouble> for Unread {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Lost(why) => Self::Lost(why),
            Trouble::Refused(why) => Self::Message(why),
        }
    }
}

impl Places {
    /// The messages that were tried often, by folder.
    pub(super) fn skipped(&self) -> Vec<super::SkippedMessage> {
        let mut all: Vec<_> = self
            .0
            .values()
            .flat_map(|place| place.cursor.skipped.iter().map(|it| (&place.cursor.folder, it)))
            .filter(|(_, it)| it.tries >= TRIES)
            .map(|(folder, it)| super::SkippedMessage {
                folder: folder.clone(),
                uid: it.uid,
                why: it.why.clone(),
            })
            .collect();
        all.sort_unstable_by(|a, b| (&a.folder, a.uid).cmp(&(&b.folder, b.uid)));
        all
    }
}

impl ImapMailbox {
    /// Takes what is new, a batch at most. Answers whether there is more, and the folder as it was before.
    pub(super) async fn take(
        &self,
        talk: &mut Talk,
        places: &mut Places,
        folder: &str,
        stop: &CancellationToken,
    ) -> Result<(bool, Opened), Halt> {
        let opened = talk.open(folder, false).await?;
        let mut place = match places.0.remove(folder) {
            Some(place) => place,
            None => Place { cursor: self.cursor(folder, opened.validity).await?, tried: None },
        };
        if place.cursor.validity != opened.validity {
            tracing::warn!(source.name = %self.options.source, source.folder = folder,
                "a folder is another one under the same name (its UIDVALIDITY changed); it is read from its beginning");
            place.cursor.restart(opened.validity);
        }
        let done = self.all(talk, &mut place, opened, stop).await;
        if !matches!(done, Err(Halt::Again)) {
            places.0.insert(folder.to_owned(), place);
        }
        done.map(|more| (more, opened))
    }

    async fn cursor(&self, folder: &str, validity: u32) -> Result<Cursor, Halt> {
        let (source, reception) = (&self.options.source, &self.reception);
        let known = record::by_key::<Cursor>(&*reception.store, &Cursor::key(source, folder)).await?;
        Ok(known.unwrap_or_else(|| {
            let id = reception.mint.next(&*reception.clock, &*reception.entropy);
            Cursor::new(CursorId::from_u128(id), source.clone(), folder, validity)
        }))
    }

    async fn all(
        &self,
        talk: &mut Talk,
        place: &mut Place,
        opened: Opened,
        stop: &CancellationToken,
    ) -> Result<bool, Halt> {
        let mut left = self.options.batch.max(1);
        let last = opened.next.map(|next| next.saturating_sub(1));
        let mut width = WIDTH;
        while let Some(from) = place.cursor.highest.checked_add(1) {
            if last.is_some_and(|last| from > last) || opened.exists == 0 {
                break;
            }
            let to = last.map(|last| last.min(from.saturating_add(width - 1)));
            let listed = talk.list(from, to).await?;
            width = if listed.is_empty() { width.saturating_mul(2) } else { WIDTH };
            for listed in listed {
                if stop.is_cancelled() || left == 0 {
                    return Ok(true);
                }
                left -= 1;
                self.one(talk, &mut place.cursor, listed).await?;
            }
            // All that is there up to here is known now: new messages have greater numbers.
            let Some(to) = to else { break };
            place.cursor.highest = to;
        }
        self.once_more(talk, place, stop).await?;
        Ok(false)
    }

    /// Tries again what was skipped: at each look, and after some tries only now and then.
    async fn once_more(
        &self,
        talk: &mut Talk,
        place: &mut Place,
        stop: &CancellationToken,
    ) -> Result<(), Halt> {
        let now = self.reception.clock.monotonic();
        let often = place.tried.is_none_or(|tried| now.saturating_sub(tried) >= NOW_AND_THEN);
        if often {
            place.tried = Some(now);
        }
        let cursor = &mut place.cursor;
        let due: Vec<u32> =
            cursor.skipped.iter().filter(|it| often || it.tries < TRIES).map(|it| it.uid).collect();
        if due.is_empty() {
            return Ok(());
        }
        let there = talk.there(&due).await?;
        let mut next = cursor.clone();
        next.skipped.retain(|it| !due.contains(&it.uid) || there.iter().any(|listed| listed.uid == it.uid));
        if next.skipped.len() < cursor.skipped.len() {
            self.keep(cursor, next).await?;
        }
        for listed in there {
            if stop.is_cancelled() {
                break;
            }
            self.one(talk, cursor, listed).await?;
        }
        Ok(())
    }

    /// Takes one message, or passes it.
    async fn one(&self, talk: &mut Talk, cursor: &mut Cursor, listed: Listed) -> Result<(), Halt> {
        let Listed { uid, size, arrived } = listed;
        let largest = self.options.largest;
        if size > largest {
            let why = format!("it has {size} bytes, and at most {largest} are taken");
            return self.pass_by(cursor, uid, &why, TRIES).await;
        }
        if let Err(error) = self.spool.door(size) {
            return Err(Halt::House(error.to_string()));
        }
        match self.read(talk, uid, size).await {
            Ok(Some(blob)) => self.hand_in(cursor, uid, blob, arrived).await,
            Ok(None) => {
                // Gone: somebody was quicker. What it leaves in the cursor goes with the next change of it.
                cursor.pass(uid);
                Ok(())
            }
            Err(Unread::House(why)) => Err(Halt::House(why)),
            Err(Unread::Message(why)) => self.pass_by(cursor, uid, &why, 1).await,
            Err(Unread::Lost(why)) => {
                // It may be this message that ends connections. The others must not wait behind it.
                self.pass_by(cursor, uid, &why, 1).await?;
                Err(Halt::Lost(why))
            }
        }
    }

    /// Reads a message into the spool, part by part. `Some` means durable; none that it is not there any more.
    async fn read(&self, talk: &mut Talk, uid: u32, size: u64) -> Result<Option<Blob>, Unread> {
        let mut draft = self.spool.draft().await?;
        loop {
            let Ok(from) = u32::try_from(draft.size()) else {
                return Err(Unread::Message("it is larger than the protocol can say".to_owned()));
            };
            let part = match talk.part(uid, from).await {
                Ok(part) => part,
                Err(Trouble::Refused(why)) => {
                    let there = !talk.there(&[uid]).await?.is_empty();
                    return if there { Err(Unread::Message(why)) } else { Ok(None) };
                }
                Err(lost) => return Err(lost.into()),
            };
            let Some(part) = part else {
                if talk.there(&[uid]).await?.is_empty() {
                    return Ok(None);
                }
                if from == 0 {
                    return Err(Unread::Message("the server does not give its content".to_owned()));
                }
                break;
            };
            let length = part.len();
            if length > 0 {
                draft.write(part).await?;
            }
            if draft.size() > self.options.largest {
                let largest = self.options.largest;
                return Err(Unread::Message(format!(
                    "it is larger than the server said, and at most {largest} bytes are taken"
                )));
            }
            // Sizes are estimates at some servers: where the bytes end before or after, the server is asked for what comes then.
            let whole = length < CHUNK as usize && draft.size() == size;
            if whole || length == 0 {
                break;
            }
        }
        if draft.size() == 0 && size > 0 {
            return Err(Unread::Message("the server gives no content although it tells a size".to_owned()));
        }
        Ok(Some(draft.seal().await?))
    }

    async fn hand_in(
        &self,
        cursor: &mut Cursor,
        uid: u32,
        blob: Blob,
        arrived: Option<Timestamp>,
    ) -> Result<(), Halt> {
        let options = &self.options;
        let (source, folder) = (&options.source, cursor.folder.clone());
        let mut next = cursor.clone();
        next.pass(uid);
        next.version += 1;
        let intake = self.reception.next_letter();
        let fetched = Fetched::numbered(intake, source.clone(), &folder, next.validity, uid);
        let to = Some(options.user.clone()).filter(|user| user.contains('@'));
        let key = format!("imap/{source}/{folder}/{}/{uid}", next.validity);
        let mut delivery = Delivery {
            site: options.site.clone(),
            source: source.clone(),
            submitted_by: PART.to_owned(),
            envelope: Envelope { from: String::new(), to: to.into_iter().collect(), arrived },
            blob,
            key: IdempotencyKey { key, fingerprint: blob.hash },
            records: vec![next.put()?, fetched.put()?],
        };
        let actor = Actor::system(PART, None);
        let mut answer = self.reception.deliver_as(intake, delivery.clone(), &actor).await;
        if answer == Err(StoreError::KeyReused) {
            // The same number with other bytes: some servers write messages anew each time. What it is now is kept as well.
            delivery.key.key = format!("{}/{}", delivery.key.key, blob.hash);
            answer = self.reception.deliver_as(intake, delivery, &actor).await;
        }
        match answer {
            Ok(Accepted::Fresh(intake, _)) => {
                tracing::info!(source.name = %source, source.folder = folder, source.uid = uid, intake.id = %intake.id, "a message was taken in");
                *cursor = next;
            }
            Ok(Accepted::Again(earlier)) => {
                tracing::info!(source.name = %source, source.folder = folder, source.uid = uid, intake.id = %earlier, "a message had been taken in before");
                self.note_again(&next, Fetched { intake: earlier, ..fetched }).await?;
                *cursor = next;
                return Ok(());
            }
            Err(error) => match Halt::from(error) {
                Halt::Folder(why) => return self.pass_by(cursor, uid, &why, 1).await,
                halt => return Err(halt),
            },
        }
        self.status.send_modify(|status| status.taken += 1);
        Ok(())
    }

    /// The cursor moves by itself over what is here already, which is to be cleaned up like everything else.
    async fn note_again(&self, next: &Cursor, fetched: Fetched) -> Result<(), Halt> {
        let store = &self.reception.store;
        let mut writes = vec![next.put()?];
        if record::by_id::<Fetched>(&**store, fetched.intake.as_u128()).await?.is_none() {
            writes.push(fetched.put()?);
        }
        store.commit(Commit { writes, events: Vec::new() }).await?;
        Ok(())
    }

    /// Passes a message that stays untaken, and keeps it in mind.
    async fn pass_by(&self, cursor: &mut Cursor, uid: u32, why: &str, tries: u32) -> Result<(), Halt> {
        let known = |it: &Skipped| it.uid == uid && it.tries >= TRIES && it.why == why;
        if cursor.skipped.iter().any(known) {
            return Ok(());
        }
        let mut next = cursor.clone();
        if !next.skip(uid, why, tries) {
            return Err(Halt::Folder(format!(
                "{} messages cannot be taken already, and the next one neither ({why}): a person has to look at the folder",
                Cursor::MOST_SKIPPED
            )));
        }
        tracing::warn!(source.name = %self.options.source, source.folder = cursor.folder, source.uid = uid, source.error = why,
            "a message could not be taken; it is where it was and is tried again");
        self.keep(cursor, next).await
    }

    /// Writes a change of the cursor.
    async fn keep(&self, cursor: &mut Cursor, mut next: Cursor) -> Result<(), Halt> {
        next.version += 1;
        let writes: Vec<Write> = vec![next.put()?];
        self.reception.store.commit(Commit { writes, events: Vec::new() }).await?;
        *cursor = next;
        Ok(())
    }
}
