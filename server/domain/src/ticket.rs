//! Tickets: one hand-over of documents or of a folder, from the moment when a DMS sent somebody here until it is done.
//!
//! A ticket holds ids and nothing else that anybody said. It belongs to one person and to the session (or token) that made it, has to be
//! opened within a minute, and then lives for half an hour. What is sent with it is sent once: whoever sends again is told what came of
//! the first time.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::handed::{Handed, Purpose};
use crate::ids::{IdMint, IntakeId, ServiceName, TicketId, WorkItemId};
use crate::person::Principal;
use crate::record::{self, Commit, Kept, Kind, Registry};
use crate::store::{StoreError, StoreResult};
use crate::time::{Clock, Entropy, later};

/// How long a ticket waits to be opened.
pub const TO_OPEN: Duration = Duration::from_mins(1);
/// How long it lives once it was opened.
pub const LIFE: Duration = Duration::from_mins(30);
/// So many tickets one person has at once. A page elsewhere can make a browser ask for one as often as it likes.
const MOST: usize = 50;
/// Records that are looked at together.
const PAGE: usize = 200;
/// How often a change is tried again when another one was quicker.
const TRIES: usize = 5;

/// A document as it was when the person saw it: this version is sent, whatever comes later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The DMS's id of it.
    pub id: String,
    /// The version, where the DMS has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its file name.
    pub name: String,
    /// Its length in bytes, where it is known for this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Where it goes, decided once: what was begun is finished, and not done a second time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The work item; of a workflow, the one that is made.
    pub work_item: WorkItemId,
    /// Its reference.
    pub reference: String,
    /// Its title, for screens.
    pub title: String,
    /// The area whose repository documents go to; empty means the door's usual one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub area: String,
    /// The workflow that is started, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The intake; none where no documents came along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intake: Option<IntakeId>,
    /// Everything is done.
    #[serde(default)]
    pub done: bool,
}

/// One hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// Whose it is: [`Principal::name`].
    pub owner: String,
    /// The session or token that it was made with; nothing else opens it.
    pub holder: String,
    /// The DMS.
    pub service: ServiceName,
    /// What is wanted.
    pub purpose: Purpose,
    /// What was handed over.
    pub things: Vec<Handed>,
    /// It was opened.
    #[serde(default)]
    pub opened: bool,
    /// The documents as they were seen last.
    #[serde(default)]
    pub captured: Vec<Captured>,
    /// What was decided, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// When it was made.
    pub created: Timestamp,
    /// When its time is over.
    pub expires: Timestamp,
}

impl Ticket {
    fn group(owner: &str) -> String {
        format!("owner/{}", crate::mailroom::hashed(owner))
    }

    /// Whether it is this person's, in this session, and its time is not over.
    fn is_for(&self, by: &Principal, holder: &str, now: Timestamp) -> bool {
        self.owner == by.name && self.holder == holder && self.expires > now
    }

    /// Opened: from now on it lives for longer. Once it was, its time does not grow any more.
    fn opened(&self, now: Timestamp) -> Option<Self> {
        (!self.opened).then(|| Self { opened: true, expires: later(now, LIFE), ..self.next() })
    }

    /// To be changed.
    fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

impl Kept for Ticket {
    const KIND: Kind = Kind::Ticket;
    fn number(&self) -> u128 {
        self.id.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }
    fn groups(&self) -> Vec<String> {
        vec![Self::group(&self.owner)]
    }
}

/// The last number that was given out with a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Its record's id, of the mint.
    pub id: u128,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// What it counts: the site and the prefix.
    pub name: String,
    /// The last number.
    pub last: u64,
}

impl Kept for Counter {
    const KIND: Kind = Kind::Counter;
    fn number(&self) -> u128 {
        self.id
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        vec![self.name.clone()]
    }
    fn groups(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a ticket is made of.
#[derive(Debug, Clone)]
pub struct NewTicket {
    /// The DMS.
    pub service: ServiceName,
    /// What is wanted.
    pub purpose: Purpose,
    /// What was handed over; at least one thing.
    pub things: Vec<Handed>,
}

/// What tickets are kept with.
#[derive(Clone, Copy)]
pub struct Tickets<'a> {
    /// Where they are kept.
    pub registry: &'a dyn Registry,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Chance.
    pub entropy: &'a dyn Entropy,
    /// Where ids come from.
    pub mint: &'a IdMint,
}

impl Tickets<'_> {
    /// Makes one. A person who has too many loses the oldest that nothing was sent with.
    pub async fn make(&self, by: &Principal, holder: &str, new: NewTicket) -> StoreResult<Ticket> {
        let now = self.clock.now();
        let ticket = Ticket {
            id: TicketId::from_u128(self.mint.next(self.clock, self.entropy)),
            version: 1,
            owner: by.name.clone(),
            holder: holder.to_owned(),
            service: new.service,
            purpose: new.purpose,
            things: new.things,
            opened: false,
            captured: Vec::new(),
            order: None,
            created: now,
            expires: later(now, TO_OPEN),
        };
        let mut writes = vec![ticket.put()?];
        let own: Vec<Ticket> =
            record::page(self.registry, Some(&Ticket::group(&by.name)), None, MOST + PAGE).await?;
        let too_many = (own.len() + 1).saturating_sub(MOST);
        writes.extend(own.iter().filter(|it| it.order.is_none()).take(too_many).map(Kept::remove));
        match self.registry.commit(Commit { writes, events: Vec::new() }).await {
            // One of the old ones went or changed meanwhile; there is room for one more until the next time.
            Err(StoreError::Conflict { .. }) => {
                let commit = Commit { writes: vec![ticket.put()?], events: Vec::new() };
                self.registry.commit(commit).await?;
            }
            done => done?,
        }
        Ok(ticket)
    }

    /// One's own ticket; none when there is none, it is somebody else's, of another session, or its time is over.
    pub async fn find(&self, by: &Principal, holder: &str, id: TicketId) -> StoreResult<Option<Ticket>> {
        let found: Option<Ticket> = record::by_id(self.registry, id.as_u128()).await?;
        Ok(found.filter(|it| it.is_for(by, holder, self.clock.now())))
    }

    /// The same, opened.
    pub async fn open(&self, by: &Principal, holder: &str, id: TicketId) -> StoreResult<Option<Ticket>> {
        for _ in 0..TRIES {
            let Some(ticket) = self.find(by, holder, id).await? else { return Ok(None) };
            let Some(opened) = ticket.opened(self.clock.now()) else { return Ok(Some(ticket)) };
            match self.write(&opened).await {
                Err(StoreError::Conflict { .. }) => {}
                done => return done.map(|()| Some(opened)),
            }
        }
        Err(StoreError::Busy)
    }

    /// Keeps which versions were seen. Once it is decided where they go, nothing changes any more.
    pub async fn capture(&self, ticket: Ticket, captured: Vec<Captured>) -> StoreResult<Ticket> {
        let mut ticket = ticket;
        for _ in 0..TRIES {
            if ticket.order.is_some() || ticket.captured == captured {
                return Ok(ticket);
            }
            let next = Ticket { captured: captured.clone(), ..ticket.next() };
            match self.write(&next).await {
                Err(StoreError::Conflict { .. }) => {
                    ticket = self.again(ticket.id).await?;
                }
                done => return done.map(|()| next),
            }
        }
        Err(StoreError::Busy)
    }

    /// Decides where it goes, once: what was decided before stands, and is the answer.
    pub async fn decide(&self, ticket: &Ticket, order: Order) -> StoreResult<Ticket> {
        let mut ticket = ticket.clone();
        for _ in 0..TRIES {
            if ticket.order.is_some() {
                return Ok(ticket);
            }
            let next = Ticket { order: Some(order.clone()), ..ticket.next() };
            match self.write(&next).await {
                Err(StoreError::Conflict { .. }) => ticket = self.again(ticket.id).await?,
                done => return done.map(|()| next),
            }
        }
        Err(StoreError::Busy)
    }

    /// Everything is done; with which intake.
    pub async fn finish(&self, ticket: &Ticket, intake: Option<IntakeId>) -> StoreResult<Ticket> {
        let mut ticket = ticket.clone();
        for _ in 0..TRIES {
            let Some(order) = ticket.order.clone().filter(|order| !order.done) else { return Ok(ticket) };
            let next = Ticket { order: Some(Order { intake, done: true, ..order }), ..ticket.next() };
            match self.write(&next).await {
                Err(StoreError::Conflict { .. }) => ticket = self.again(ticket.id).await?,
                done => return done.map(|()| next),
            }
        }
        Err(StoreError::Busy)
    }

    /// The next number with a prefix, which nobody else is given.
    pub async fn count(&self, name: &str) -> StoreResult<u64> {
        loop {
            let known: Option<Counter> = record::by_key(self.registry, name).await?;
            let next = match known {
                Some(known) => Counter { last: known.last + 1, version: known.version + 1, ..known },
                None => Counter {
                    id: self.mint.next(self.clock, self.entropy),
                    version: 1,
                    name: name.to_owned(),
                    last: 1,
                },
            };
            let commit = Commit { writes: vec![next.put()?], events: Vec::new() };
            match self.registry.commit(commit).await {
                // Each time this happens, somebody else got a number.
                Err(StoreError::Conflict { .. } | StoreError::Exists(_)) => {}
                done => return done.map(|()| next.last),
            }
        }
    }

    /// Removes those whose time is over. How many.
    pub async fn sweep(&self) -> StoreResult<u64> {
        let (mut after, mut gone) = (None, 0);
        loop {
            let page: Vec<Ticket> = record::page(self.registry, None, after, PAGE).await?;
            let now = self.clock.now();
            for ticket in page.iter().filter(|it| it.expires <= now) {
                let commit = Commit { writes: vec![ticket.remove()], events: Vec::new() };
                match self.registry.commit(commit).await {
                    Err(StoreError::Conflict { .. }) => {}
                    done => {
                        done?;
                        gone += 1;
                    }
                }
            }
            after = page.last().map(|ticket| ticket.id.as_u128());
            if page.len() < PAGE {
                return Ok(gone);
            }
        }
    }

    async fn write(&self, ticket: &Ticket) -> StoreResult<()> {
        self.registry.commit(Commit { writes: vec![ticket.put()?], events: Vec::new() }).await
    }

    async fn again(&self, id: TicketId) -> StoreResult<Ticket> {
        let found: Option<Ticket> = record::by_id(self.registry, id.as_u128()).await?;
        found.ok_or(StoreError::Conflict { found: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SiteName;
    use crate::person::Role;

    fn ticket() -> Ticket {
        let made: Timestamp = "2026-11-27T09:00:00Z".parse().unwrap();
        Ticket {
            id: TicketId::from_u128(7),
            version: 1,
            owner: "mina".to_owned(),
            holder: "session/1".to_owned(),
            service: "dms".parse().unwrap(),
            purpose: Purpose::SendTo,
            things: Vec::new(),
            opened: false,
            captured: Vec::new(),
            order: None,
            created: made,
            expires: later(made, TO_OPEN),
        }
    }

    #[test]
    fn a_ticket_is_for_one_person_in_one_session_for_a_time() {
        let site: SiteName = "main".parse().unwrap();
        let mina = Principal::program("mina", Role::User, site.clone());
        let tao = Principal::program("tao", Role::User, site);
        let at = |seconds| later("2026-11-27T09:00:00Z".parse().unwrap(), Duration::from_secs(seconds));
        let new = ticket();
        let opened = new.opened(at(59)).unwrap();
        let table = [
            (&new, &mina, "session/1", 59, true),
            (&new, &mina, "session/1", 60, false),
            (&new, &mina, "session/2", 0, false),
            (&new, &mina, "", 0, false),
            (&new, &tao, "session/1", 0, false),
            (&opened, &mina, "session/1", 59 + 1799, true),
            (&opened, &mina, "session/1", 59 + 1800, false),
            (&opened, &tao, "session/1", 100, false),
        ];
        for (ticket, by, holder, seconds, wanted) in table {
            assert_eq!(ticket.is_for(by, holder, at(seconds)), wanted, "{} {holder} {seconds}", by.name);
        }
        assert_eq!(opened.version, 2);
        assert_eq!(opened.opened(at(100)), None, "looking again does not make it live longer");
    }

    #[test]
    fn it_is_kept_whole() {
        let order = Order {
            work_item: WorkItemId::from_u128(1),
            reference: "SR-000001".to_owned(),
            title: "A request".to_owned(),
            area: String::new(),
            workflow: Some("requests".to_owned()),
            intake: None,
            done: false,
        };
        let captured = Captured {
            id: "A!1.1".to_owned(),
            version: Some("1".to_owned()),
            name: "a.pdf".to_owned(),
            size: None,
        };
        let whole = Ticket { order: Some(order), captured: vec![captured], opened: true, ..ticket() };
        let read = match whole.put().unwrap() {
            record::Write::Put(record) => Ticket::read(&record).unwrap(),
            other @ record::Write::Remove { .. } => panic!("{other:?}"),
        };
        assert_eq!(read, whole);
    }
}
