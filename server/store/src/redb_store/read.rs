//! Reads of single records and of short ranges. All are a handful of look-ups in cached pages, so they run where they are called;
//! none is held across an `await`.

use postroom_domain::audit;
use postroom_domain::event::{Event, NewEvent, Subject};
use postroom_domain::filing::{Attempt, Filing};
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

    /// Whether any row names this content.
    pub(super) fn names_content(&self, hash: &BlobHash) -> Result<bool, Stop> {
        let (low, high) = keys::span::<41>(keys::half(hash));
        Ok(self.by_content()?.range::<&[u8; 41]>(&low..=&high)?.next().transpose()?.is_some())
    }

    /// Contents that rows name, each once, in the order of their hashes, after one of them.
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
                    parse::<postroom_domain::filing::Request>(bytes, "request of a filing")
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
            found
                .push(blob.ok_or_else(|| Stop::damaged("index of contents names a record that is missing"))?);
            from = Some(keys::span::<41>(&key[..16]).1);
        }
        Ok(found)
    }
}
