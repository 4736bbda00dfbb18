//! One transaction of the writer: the tables, and what the writer keeps in memory beside them.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

use jiff::Timestamp;
use postroom_domain::audit;
use postroom_domain::event::NewEvent;
use postroom_domain::filing::{Filing, Progress, Request};
use postroom_domain::ids::{BlobHash, FilingId, IntakeId, ServiceName, SiteName, SourceName};
use postroom_domain::intake::Intake;
use postroom_domain::store::StoreError;
use redb::{Key, ReadableTable, Table, Value};

use super::counters::Counters;
use super::head::{Detail, Head, IntakeHead, Place};
use super::names::{Names, Roll};
use super::schema::Tables;
use super::{Stop, keys};

/// What the writer keeps in memory beside the tables.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) counters: Counters,
    pub(super) names: Arc<RwLock<Names>>,
    /// The number of the last event.
    pub(super) last_event: u64,
    /// Its hash: what the next one is tied to.
    pub(super) last_hash: audit::Hash,
    /// The greatest id of any record.
    pub(super) greatest_id: u128,
}

/// A transaction in progress.
pub(super) struct Batch<'t> {
    pub(super) tables: Tables<'t>,
    pub(super) ledger: &'t mut Ledger,
    /// Whether the present command has written: then it can no longer be refused.
    written: bool,
}

/// A filing on its way into the tables, with its request encoded outside the writer.
pub(super) struct Newcomer {
    pub(super) filing: Filing,
    pub(super) body: Vec<u8>,
}

impl Newcomer {
    /// Encodes the request of a filing.
    pub(super) fn new(filing: Filing) -> Result<Self, StoreError> {
        let body = json(&*filing.request)?;
        Ok(Self { filing, body })
    }
}

/// Encodes a value of ours.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Damaged(format!("cannot be written: {error}")))
}

/// Decodes a value of ours.
pub(super) fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Stop> {
    serde_json::from_slice(bytes).map_err(|error| Stop::damaged(&format!("{what}: {error}")))
}

/// Moves an index row from one key to another.
fn move_row<const N: usize>(
    table: &mut Table<'_, &'static [u8; N], ()>,
    before: Option<[u8; N]>,
    after: Option<[u8; N]>,
) -> Result<(), Stop> {
    if before == after {
        return Ok(());
    }
    if let Some(key) = before {
        table.remove(&key)?;
    }
    if let Some(key) = after {
        table.insert(&key, ())?;
    }
    Ok(())
}

/// The index keys that follow from a request.
pub(super) struct RequestKeys {
    pub(super) submitter: [u8; 24],
    pub(super) reference: Option<[u8; 24]>,
    pub(super) content: [u8; 41],
    pub(super) linked: Option<[u8; 24]>,
}

impl RequestKeys {
    pub(super) fn of(id: u128, request: &Request) -> Self {
        let id_bytes = id.to_be_bytes();
        Self {
            submitter: keys::join(&[&keys::digest(&request.submitted_by), &id_bytes]),
            reference: (!request.reference.is_empty())
                .then(|| keys::join(&[&keys::digest(&request.reference.to_lowercase()), &id_bytes])),
            content: keys::join(&[
                &content_prefix(&request.blob.hash, &request.target.fingerprint()),
                &id_bytes,
            ]),
            linked: request.linked().map(|key| keys::join(&[&keys::digest(&key), &id_bytes])),
        }
    }
}

/// What filings of the same content to the same target have in common in the index of contents.
pub(super) fn content_prefix(hash: &BlobHash, fingerprint: &str) -> [u8; 25] {
    keys::join(&[keys::half(hash), &[keys::kind::FILING], &keys::digest(fingerprint)])
}

/// The rows of an intake's documents in the index of contents, each once.
pub(super) fn intake_content_keys(intake: &Intake) -> BTreeSet<[u8; 41]> {
    let id = intake.id.as_u128().to_be_bytes();
    let key = |hash: &BlobHash| keys::join(&[keys::half(hash), &[keys::kind::INTAKE], &[0; 8], &id]);
    intake.documents.iter().map(|document| key(&document.blob.hash)).collect()
}

/// A row by its key, decoded.
pub(super) fn row<K: Key + 'static, V: Value + 'static, T>(
    table: &impl ReadableTable<K, V>,
    key: K::SelfType<'_>,
    decode: impl FnOnce(V::SelfType<'_>) -> Result<T, Stop>,
) -> Result<Option<T>, Stop> {
    table.get(key)?.map(|guard| decode(guard.value())).transpose()
}

impl<'t> Batch<'t> {
    pub(super) const fn new(tables: Tables<'t>, ledger: &'t mut Ledger) -> Self {
        Self { tables, ledger, written: false }
    }

    /// Runs one command. Refusals leave the transaction as it was: a command looks first and writes then, and one that breaks
    /// that rule breaks the transaction.
    pub(super) fn command<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        self.written = false;
        let result = work(self);
        match result {
            Err(Stop::Refused(error)) if self.written => {
                Err(Stop::Broken(format!("a change was refused half-way: {error}")))
            }
            result => result,
        }
    }

    /// Marks the end of one of several changes in a command: the next one may be refused again.
    pub(super) const fn next_change(&mut self) {
        self.written = false;
    }

    /// From here on, the command may not be refused.
    pub(super) const fn writing(&mut self) {
        self.written = true;
    }

    /// The numbers of a filing's names, given out now where they are new.
    pub(super) fn place(
        &mut self,
        site: &SiteName,
        service: &ServiceName,
        source: &SourceName,
    ) -> Result<Place, Stop> {
        let names = Arc::clone(&self.ledger.names);
        let mut names = names.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Place {
            site: number(&mut self.tables, &mut names.sites, site, site.as_str())?,
            service: number(&mut self.tables, &mut names.services, service, service.as_str())?,
            source: number(&mut self.tables, &mut names.sources, source, source.as_str())?,
        })
    }

    /// The number of a site.
    pub(super) fn site_number(&mut self, site: &SiteName) -> Result<u16, Stop> {
        let names = Arc::clone(&self.ledger.names);
        let mut names = names.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        number(&mut self.tables, &mut names.sites, site, site.as_str())
    }

    /// The numbers of an intake's names.
    pub(super) fn intake_place(&mut self, site: &SiteName, source: &SourceName) -> Result<(u16, u16), Stop> {
        let names = Arc::clone(&self.ledger.names);
        let mut names = names.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok((
            number(&mut self.tables, &mut names.sites, site, site.as_str())?,
            number(&mut self.tables, &mut names.sources, source, source.as_str())?,
        ))
    }

    /// The number of a destination.
    pub(super) fn service(&mut self, service: &ServiceName) -> Result<u16, Stop> {
        let names = Arc::clone(&self.ledger.names);
        let mut names = names.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        number(&mut self.tables, &mut names.services, service, service.as_str())
    }

    /// The name of a site by its number.
    pub(super) fn site(&self, number: u16) -> Result<SiteName, Stop> {
        self.ledger.names.read().unwrap_or_else(std::sync::PoisonError::into_inner).sites.name(number)
    }

    /// A filing's head and the rest of its progress.
    pub(super) fn filing(&mut self, id: u128) -> Result<Option<(Head, Progress)>, Stop> {
        let key = id.to_be_bytes();
        let Some(head) = row(self.tables.heads()?, &key, Head::decode)? else { return Ok(None) };
        let detail = if head.has_detail {
            row(self.tables.details()?, &key, |bytes| parse(bytes, "detail of a filing"))?
                .ok_or_else(|| Stop::damaged("filing without its detail"))?
        } else {
            Detail::default()
        };
        Ok(Some((head, head.progress(detail))))
    }

    /// A filing's request.
    pub(super) fn request(&mut self, id: u128) -> Result<Request, Stop> {
        row(self.tables.bodies()?, &id.to_be_bytes(), |bytes| parse(bytes, "request of a filing"))?
            .ok_or_else(|| Stop::damaged("filing without its request"))
    }

    /// An intake's head.
    pub(super) fn intake(&mut self, id: u128) -> Result<Option<IntakeHead>, Stop> {
        row(self.tables.intake_heads()?, &id.to_be_bytes(), IntakeHead::decode)
    }

    /// The first filing of the same content to the same target that claims the place, with its receipt.
    pub(super) fn first_claim(&mut self, request: &Request) -> Result<Option<(FilingId, Progress)>, Stop> {
        let fingerprint = request.target.fingerprint();
        let (low, high) = keys::span::<41>(&content_prefix(&request.blob.hash, &fingerprint));
        let mut after = low;
        // One row at a time: the first one decides, but for cancelled filings before it.
        loop {
            let found = self.tables.by_content()?.range::<&[u8; 41]>(&after..=&high)?.next().transpose()?;
            let Some(key) = found.map(|(key, _)| *key.value()) else { return Ok(None) };
            let id = keys::id_of(&key);
            if let Some((head, progress)) = self.filing(id)?
                && head.state.claims_place()
            {
                let other = self.request(id)?;
                if other.withheld.is_empty()
                    && other.blob.hash == request.blob.hash
                    && other.target.fingerprint() == fingerprint
                {
                    return Ok(Some((FilingId::from_u128(id), progress)));
                }
            }
            let Some(next) = id.checked_add(1) else { return Ok(None) };
            after = keys::join(&[&key[..25], &next.to_be_bytes()]);
        }
    }

    /// The last save of a linked document that claims the place, with its request.
    pub(super) fn last_save(&mut self, key: &str) -> Result<Option<(FilingId, Progress, Request)>, Stop> {
        let (low, mut high) = keys::span::<24>(&keys::digest(key));
        loop {
            let found = self.tables.linked()?.range::<&[u8; 24]>(&low..=&high)?.next_back().transpose()?;
            let Some(row) = found.map(|(row, _)| *row.value()) else { return Ok(None) };
            let id = keys::id_of(&row);
            if let Some((head, progress)) = self.filing(id)?
                && head.state.claims_place()
            {
                let other = self.request(id)?;
                if other.withheld.is_empty() && other.linked().as_deref() == Some(key) {
                    return Ok(Some((FilingId::from_u128(id), progress, other)));
                }
            }
            let Some(before) = id.checked_sub(1) else { return Ok(None) };
            high = keys::join(&[&row[..8], &before.to_be_bytes()]);
        }
    }

    /// Writes a new filing with its index rows.
    pub(super) fn insert_filing(&mut self, new: &Newcomer) -> Result<(), Stop> {
        self.writing();
        let filing = &new.filing;
        let id = filing.id.as_u128();
        let key = id.to_be_bytes();
        let request = &filing.request;
        let place = self.place(&filing.site, &request.target.service, &filing.source)?;
        self.tables.bodies()?.insert(&key, new.body.as_slice())?;
        let request_keys = RequestKeys::of(id, request);
        self.tables.by_submitter()?.insert(&request_keys.submitter, ())?;
        if let Some(reference) = request_keys.reference {
            self.tables.by_reference()?.insert(&reference, ())?;
        }
        self.tables.by_content()?.insert(&request_keys.content, ())?;
        if let Some(linked) = request_keys.linked {
            self.tables.linked()?.insert(&linked, ())?;
        }
        let intake = filing.intake.as_u128();
        self.tables.intake_filings()?.insert(&keys::join(&[&intake.to_be_bytes(), &key]), ())?;
        let (head, detail) = Head::split(place, intake, filing.received, &filing.progress);
        self.put_head(id, None, &head, &detail, Some(filing.received))?;
        self.ledger.greatest_id = self.ledger.greatest_id.max(id);
        Ok(())
    }

    /// Writes a filing's head and detail, and moves the index rows and counters that follow from them.
    pub(super) fn put_head(
        &mut self,
        id: u128,
        before: Option<&Head>,
        after: &Head,
        detail: &Detail,
        met: Option<Timestamp>,
    ) -> Result<(), Stop> {
        self.writing();
        let key = id.to_be_bytes();
        self.tables.heads()?.insert(&key, after.encode().as_slice())?;
        if after.has_detail {
            self.tables.details()?.insert(&key, json(detail)?.as_slice())?;
        } else if before.is_some_and(|head| head.has_detail) {
            self.tables.details()?.remove(&key)?;
        }
        move_row(self.tables.by_state()?, before.map(|head| head.state_key(id)), Some(after.state_key(id)))?;
        let (old, new) = (before.and_then(|head| head.ready_key(id)), after.ready_key(id));
        if old != new {
            move_row(self.tables.ready()?, old, new)?;
        }
        let (old, new) = (before.and_then(|head| head.cause_key(id)), after.cause_key(id));
        if old != new {
            move_row(self.tables.by_cause()?, old, new)?;
        }
        let (old, new) = (before.and_then(|head| head.under_way_key(id)), after.under_way_key(id));
        if old != new {
            move_row(self.tables.under_way()?, old, new)?;
        }
        self.ledger.counters.filing(before, Some(after), met);
        Ok(())
    }

    /// Replaces a filing's request.
    pub(super) fn put_request(
        &mut self,
        id: u128,
        before: &Request,
        after: &Request,
        body: &[u8],
    ) -> Result<(), Stop> {
        self.writing();
        self.tables.bodies()?.insert(&id.to_be_bytes(), body)?;
        let (old, new) = (RequestKeys::of(id, before), RequestKeys::of(id, after));
        move_row(self.tables.by_submitter()?, Some(old.submitter), Some(new.submitter))?;
        move_row(self.tables.by_reference()?, old.reference, new.reference)?;
        if old.linked != new.linked {
            move_row(self.tables.linked()?, old.linked, new.linked)?;
        }
        move_row(self.tables.by_content()?, Some(old.content), Some(new.content))
    }

    /// Writes an intake's head and moves its index rows and counters.
    pub(super) fn put_intake_head(
        &mut self,
        id: u128,
        before: Option<&IntakeHead>,
        after: &IntakeHead,
    ) -> Result<(), Stop> {
        self.writing();
        self.tables.intake_heads()?.insert(&id.to_be_bytes(), after.encode().as_slice())?;
        let (old, new) = (before.map(|head| head.state_key(id)), Some(after.state_key(id)));
        move_row(self.tables.intakes_by_state()?, old, new)?;
        let (old, new) = (before.map(|head| head.source_key(id)), Some(after.source_key(id)));
        move_row(self.tables.intakes_by_source()?, old, new)?;
        self.ledger.counters.intake(before, Some(after));
        Ok(())
    }

    /// Writes what of an intake is not in its head.
    pub(super) fn put_intake_body(
        &mut self,
        before: Option<&Intake>,
        after: &Intake,
        body: &[u8],
    ) -> Result<(), Stop> {
        self.writing();
        let id = after.id.as_u128();
        self.tables.intake_bodies()?.insert(&id.to_be_bytes(), body)?;
        let submitter =
            |intake: &Intake| keys::join(&[&keys::digest(&intake.submitted_by), &id.to_be_bytes()]);
        move_row(self.tables.intakes_by_submitter()?, before.map(submitter), Some(submitter(after)))?;
        let (old, new) = (before.map(intake_content_keys).unwrap_or_default(), intake_content_keys(after));
        for key in old.difference(&new) {
            self.tables.by_content()?.remove(key)?;
        }
        for key in new.difference(&old) {
            self.tables.by_content()?.insert(key, ())?;
        }
        self.ledger.greatest_id = self.ledger.greatest_id.max(id);
        Ok(())
    }

    /// An intake's body, with the fields of its head as they were written with it.
    pub(super) fn intake_body(&mut self, id: IntakeId) -> Result<Intake, Stop> {
        row(self.tables.intake_bodies()?, &id.as_u128().to_be_bytes(), |bytes| parse(bytes, "intake"))?
            .ok_or_else(|| Stop::damaged("intake without its body"))
    }

    /// Appends an event and tells its number.
    pub(super) fn event(&mut self, event: &NewEvent) -> Result<u64, Stop> {
        self.writing();
        let number = self.ledger.last_event + 1;
        let written = json(event)?;
        let hash = audit::link(&self.ledger.last_hash, number, &written);
        self.tables.events()?.insert(number, written.as_slice())?;
        self.tables.event_hashes()?.insert(number, &hash)?;
        let about = keys::join(&[&keys::subject(&event.subject), &number.to_be_bytes()]);
        self.tables.events_about()?.insert(&about, ())?;
        (self.ledger.last_event, self.ledger.last_hash) = (number, hash);
        Ok(number)
    }
}

/// The number of a name, given out now when it is new.
pub(super) fn number<T: Clone + std::hash::Hash + Eq + TryFrom<String>>(
    tables: &mut Tables<'_>,
    roll: &mut Roll<T>,
    name: &T,
    text: &str,
) -> Result<u16, Stop> {
    if let Some(number) = roll.number(name) {
        return Ok(number);
    }
    let number =
        roll.next().ok_or_else(|| Stop::Broken("all 65,536 numbers for names are used".to_owned()))?;
    tables.names()?.insert(&keys::join(&[&[roll.kind()], &number.to_be_bytes()]), text)?;
    roll.add(name.clone());
    Ok(number)
}
