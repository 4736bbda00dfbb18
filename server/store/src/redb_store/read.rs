//! Reads of single records and of short ranges. All are a handful of look-ups in cached pages, so they run where they are called;
//! none is held across an `await`.

use postroom_domain::audit;
use postroom_domain::event::{Event, NewEvent, Subject};
use postroom_domain::filing::{Attempt, Filing, Request};
use postroom_domain::ids::{BlobHash, FilingId, IntakeId};
use postroom_domain::intake::Intake;
use postroom_domain::spool::Blob;
use postroom_domain::store::Chained;

use super::batch::{parse, row};
use super::head::{Detail, Head, IntakeHead};
use super::merge::{From, stream};
use super::names::Names;
use super::schema::Shelf;
use super::{Stop, keys};
use crate::rules;

impl Shelf {
    /// A filing's head.
    pub(super) fn head(&self, id: u128) -> Result<Option<Head>, Stop> {
        row(&self.heads()?, &id.to_be_bytes(), Head::decode)
    }

    /// The filing that belongs to a head.
    pub(super) fn filing_of(&self, names: &Names, id: u128, head: &Head) -> Result<Filing, Stop> {
        let key = id.to_be_bytes();
        let request =
            row(&self.bodies()?, &key, |bytes| parse(bytes, "request of a filing"))?.ok_or_else(|| {
                Stop::damaged(&format!("filing {} without its request", FilingId::from_u128(id)))
            })?;
        let detail = if head.has_detail {
            row(&self.details()?, &key, |bytes| parse(bytes, "detail of a filing"))?.ok_or_else(|| {
                Stop::damaged(&format!("filing {} without its detail", FilingId::from_u128(id)))
            })?
        } else {
            Detail::default()
        };
        Ok(Filing {
            id: FilingId::from_u128(id),
            intake: IntakeId::from_u128(head.intake),
            site: names.sites.name(head.site)?,
            source: names.sources.name(head.source)?,
            received: head.received,
            request: std::sync::Arc::new(request),
            progress: head.progress(detail),
        })
    }

    /// One filing.
    pub(super) fn filing(&self, names: &Names, id: u128) -> Result<Option<Filing>, Stop> {
        self.head(id)?.map(|head| self.filing_of(names, id, &head)).transpose()
    }

    /// A filing's attempts, first to last.
    pub(super) fn attempts_of(&self, id: u128) -> Result<Vec<Attempt>, Stop> {
        let (low, high) = keys::span::<20>(&id.to_be_bytes());
        self.attempts()?
            .range::<&[u8; 20]>(&low..=&high)?
            .map(|row| parse(row?.1.value(), "attempt"))
            .collect()
    }

    /// The intake that belongs to a head.
    pub(super) fn intake_of(&self, id: u128, head: &IntakeHead) -> Result<Intake, Stop> {
        let intake: Option<Intake> =
            row(&self.intake_bodies()?, &id.to_be_bytes(), |bytes| parse(bytes, "intake"))?;
        let intake = intake
            .ok_or_else(|| Stop::damaged(&format!("intake {} without its body", IntakeId::from_u128(id))))?;
        Ok(Intake {
            state: head.state,
            version: head.version,
            filings: head.filings,
            open_filings: head.open_filings,
            ..intake
        })
    }

    /// One intake.
    pub(super) fn intake(&self, id: u128) -> Result<Option<Intake>, Stop> {
        let head = row(&self.intake_heads()?, &id.to_be_bytes(), IntakeHead::decode)?;
        head.map(|head| self.intake_of(id, &head)).transpose()
    }

    /// An intake's filings, first to last.
    pub(super) fn filings_of_intake(&self, names: &Names, id: u128) -> Result<Vec<Filing>, Stop> {
        let mut filings = Vec::new();
        for filing in stream(&self.intake_filings()?, &id.to_be_bytes(), From::After(None))? {
            filings.extend(self.filing(names, filing?)?);
        }
        Ok(filings)
    }

    /// Events after a number.
    pub(super) fn events_beyond(&self, seq: u64, limit: usize) -> Result<Vec<Event>, Stop> {
        let Some(first) = seq.checked_add(1) else { return Ok(Vec::new()) };
        self.events()?
            .range(first..)?
            .take(limit)
            .map(|row| {
                let (seq, event) = row?;
                Ok(Event { seq: seq.value(), event: parse(event.value(), "event")? })
            })
            .collect()
    }

    /// Events after a number as they are kept, with their hashes. One whose hash is missing has zeros, which no event's hash is.
    pub(super) fn links_beyond(&self, seq: u64, limit: usize) -> Result<Vec<Chained>, Stop> {
        let Some(first) = seq.checked_add(1) else { return Ok(Vec::new()) };
        let hashes = self.event_hashes()?;
        self.events()?
            .range(first..)?
            .take(limit)
            .map(|link| {
                let (seq, written) = link?;
                let seq = seq.value();
                let hash = row(&hashes, seq, |hash| Ok(*hash))?.unwrap_or(audit::START);
                Ok(Chained { seq, written: written.value().to_vec(), hash })
            })
            .collect()
    }

    /// The latest events about one thing, first to last.
    pub(super) fn latest_about(&self, subject: &Subject, limit: usize) -> Result<Vec<Event>, Stop> {
        let (low, high) = keys::span::<25>(&keys::subject(subject));
        let events = self.events()?;
        let mut found = Vec::new();
        for about in self.events_about()?.range::<&[u8; 25]>(&low..=&high)?.rev().take(limit) {
            let mut seq = [0; 8];
            seq.copy_from_slice(&about?.0.value()[17..]);
            let seq = u64::from_be_bytes(seq);
            let event = row(&events, seq, |bytes| parse::<NewEvent>(bytes, "event"))?;
            let event = event.ok_or_else(|| Stop::damaged(&format!("event {seq} is missing")))?;
            found.push(Event { seq, event });
        }
        found.reverse();
        Ok(found)
    }

    /// Whether any row needs this content.
    pub(super) fn names_content(&self, hash: &BlobHash) -> Result<bool, Stop> {
        let (low, high) = keys::span::<41>(keys::half(hash));
        for row in self.by_content()?.range::<&[u8; 41]>(&low..=&high)? {
            let key = *row?.0.value();
            let id = keys::id_of(&key);
            let needed = if key[16] == keys::kind::FILING {
                !self.is_released(id)?
            } else {
                self.intake_needs(id, hash)?
            };
            if needed {
                return Ok(true);
            }
        }
        self.record_names(*hash)
    }

    /// Whether a filing's source was given up for a link. One whose row is missing or cannot be read keeps its content.
    fn is_released(&self, id: u128) -> Result<bool, Stop> {
        let head = self.head(id)?.filter(|head| head.has_detail);
        let detail = match head {
            Some(_) => row(&self.details()?, &id.to_be_bytes(), |bytes| {
                parse::<Detail>(bytes, "detail of a filing")
            })?,
            None => None,
        };
        Ok(detail.is_some_and(|detail| detail.released.is_some()))
    }

    /// Whether an intake needs a content of its documents: not when it has filings of it and the source of each was given up.
    fn intake_needs(&self, id: u128, hash: &BlobHash) -> Result<bool, Stop> {
        let mut released = Vec::new();
        for filing in stream(&self.intake_filings()?, &id.to_be_bytes(), From::After(None))? {
            let filing = filing?;
            let request =
                row(&self.bodies()?, &filing.to_be_bytes(), |bytes| parse::<Request>(bytes, "request"))?;
            if request.is_none_or(|request| request.blob.hash == *hash) {
                released.push(self.is_released(filing)?);
            }
        }
        Ok(rules::intake_needs(&released))
    }

    /// All saves of one linked document, first to last.
    pub(super) fn saves_of(&self, names: &Names, key: &str) -> Result<Vec<Filing>, Stop> {
        let mut saves = Vec::new();
        for id in stream(&self.linked()?, &keys::digest(key), From::After(None))? {
            let filing = self.filing(names, id?)?;
            saves.extend(filing.filter(|filing| filing.request.linked().as_deref() == Some(key)));
        }
        saves.sort_by_key(|filing| filing.id);
        Ok(saves)
    }

    /// Contents that rows need, each once, in the order of their hashes, after one of them.
    pub(super) fn contents_after(&self, after: Option<BlobHash>, limit: usize) -> Result<Vec<Blob>, Stop> {
        use std::ops::Bound;
        let index = self.by_content()?;
        let mut from = after.map(|hash| keys::span::<41>(keys::half(&hash)).1);
        let mut found = Vec::new();
        while found.len() < limit {
            let low = from.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let bounds: (Bound<&[u8; 41]>, Bound<&[u8; 41]>) = (low, Bound::Unbounded);
            let Some(row) = index.range::<&[u8; 41]>(bounds)?.next() else { break };
            let key = *row?.0.value();
            let id = keys::id_of(&key);
            let blob = if key[16] == keys::kind::FILING {
                let request = super::batch::row(&self.bodies()?, &id.to_be_bytes(), |bytes| {
                    parse::<Request>(bytes, "request of a filing")
                })?;
                request.map(|request| request.blob)
            } else {
                let intake = self.intake(id)?;
                let documents = intake.map(|intake| intake.documents).unwrap_or_default();
                documents
                    .into_iter()
                    .map(|document| document.blob)
                    .find(|blob| keys::half(&blob.hash) == &key[..16])
            };
            let blob =
                blob.ok_or_else(|| Stop::damaged("index of contents names a record that is missing"))?;
            // What was given up for a link may be gone from the spool.
            if self.names_content(&blob.hash)? {
                found.push(blob);
            }
            from = Some(keys::span::<41>(&key[..16]).1);
        }
        Ok(found)
    }
}
