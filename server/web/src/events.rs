//! Following the events: a stream that pulls from the store as fast as its client reads, so that a slow one costs nothing but
//! its connection.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web;
use bytes::Bytes;
use futures_util::Stream;
use postroom_api::event::EventView;
use postroom_domain::event::{Event, Happening, NewEvent, Subject};
use postroom_domain::ids::FilingId;
use postroom_domain::person::{Actor, Permission, Principal, Sites};
use postroom_domain::store::{StoreError, StoreResult};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::app::Shared;
use crate::auth::Caller;

/// Events read from the store at once.
const PORTION: usize = 200;
/// Owners of records that one stream remembers.
const REMEMBERED: usize = 1024;
/// How long a client waits before it comes back, in milliseconds.
const COME_BACK: u32 = 2000;

/// How many follow, in all and by name.
#[derive(Debug)]
pub(crate) struct Listeners {
    most: usize,
    most_each: usize,
    now: Mutex<(usize, HashMap<String, usize>)>,
}

impl Listeners {
    pub(crate) fn new(most: usize, most_each: usize) -> Self {
        Self { most, most_each, now: Mutex::default() }
    }

    /// A seat that is free again when it is dropped; none when all are taken.
    pub(crate) fn seat(self: &Arc<Self>, name: &str) -> Option<Seat> {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let own = now.1.get(name).copied().unwrap_or(0);
        if now.0 >= self.most || own >= self.most_each {
            return None;
        }
        now.0 += 1;
        now.1.insert(name.to_owned(), own + 1);
        Some(Seat { of: Arc::clone(self), name: name.to_owned() })
    }
}

/// A place among the listeners.
#[derive(Debug)]
pub(crate) struct Seat {
    of: Arc<Listeners>,
    name: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut now = self.of.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        now.0 -= 1;
        if let Some(own) = now.1.get_mut(&self.name) {
            *own -= 1;
            if *own == 0 {
                now.1.remove(&self.name);
            }
        }
    }
}

/// What a follower may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// Events of these sites, and those of none.
    sites: Sites,
    /// Only events about what this person handed in.
    only_own: Option<String>,
    /// Whether the audit's events are among them.
    audit: bool,
}

impl View {
    /// What a principal may see.
    pub(crate) fn of(principal: &Principal) -> Self {
        Self {
            sites: principal.sites.clone(),
            only_own: (!principal.may(Permission::SeeAll)).then(|| principal.name.clone()),
            audit: principal.may(Permission::ReadAudit),
        }
    }

    /// Whether an event is among it, as far as the event itself tells. What belongs to no site is the program's own, and for those who
    /// see everything of a site; but about persons, sessions, tokens and links it is for those who see all sites.
    pub(crate) fn shows(&self, event: &NewEvent) -> bool {
        let security = event.happening.is_security();
        if security && !self.audit {
            return false;
        }
        if let Happening::Bulk { sites, .. } = &event.happening {
            return sites.iter().all(|site| self.sites.has(site));
        }
        match &event.site {
            Some(site) => self.sites.has(site),
            None => !security || self.sites.all,
        }
    }
}

struct Follower {
    app: web::Data<Shared>,
    caller: Caller,
    view: View,
    /// When the caller is looked at again: what it may see can shrink, and it can be shut out, while it follows.
    look_again: Instant,
    seq: u64,
    stopping: watch::Receiver<bool>,
    heartbeat: Duration,
    last_sent: Instant,
    greeted: bool,
    /// Whether records belong to the person, by id.
    own: HashMap<u128, bool>,
    _seat: Seat,
}

/// The events after `seq` that the caller may see, then those that come, until the server stops or the caller's token or session ends.
pub(crate) fn follow(
    app: web::Data<Shared>,
    caller: Caller,
    seq: u64,
    seat: Seat,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let follower = Follower {
        stopping: app.stopping.clone(),
        heartbeat: app.limits.heartbeat,
        view: View::of(&caller.principal),
        look_again: Instant::now() + app.limits.heartbeat,
        app,
        caller,
        seq,
        last_sent: Instant::now(),
        greeted: false,
        own: HashMap::new(),
        _seat: seat,
    };
    futures_util::stream::unfold(follower, |mut follower| async move {
        let text = follower.next().await?;
        follower.last_sent = Instant::now();
        Some((Ok(Bytes::from(text)), follower))
    })
}

impl Follower {
    /// What is sent next; none at the end.
    async fn next(&mut self) -> Option<String> {
        if !self.greeted {
            self.greeted = true;
            // The headers leave with the first bytes; the number lets a client that saw nothing come back to the right place.
            return Some(format!("retry: {COME_BACK}\nid: {}\n\n", self.seq));
        }
        loop {
            if *self.stopping.borrow() || !self.is_let_in().await {
                return None;
            }
            let (last, text) = match self.portion().await {
                Ok(portion) => portion,
                Err(StoreError::Closed) => return None,
                Err(error) => {
                    tracing::warn!(error = %error, "a stream of events ends because they cannot be read");
                    return None;
                }
            };
            if last > self.seq {
                self.seq = last;
                if !text.is_empty() {
                    return Some(text);
                }
                if self.last_sent.elapsed() < self.heartbeat {
                    continue;
                }
                return Some(self.sign_of_life());
            }
            let patience = self.heartbeat.saturating_sub(self.last_sent.elapsed());
            tokio::select! {
                beyond = self.app.store.wait_beyond(self.seq, patience) => {
                    if beyond <= self.seq && self.last_sent.elapsed() >= self.heartbeat {
                        return Some(self.sign_of_life());
                    }
                }
                _ = self.stopping.changed() => return None,
            }
        }
    }

    /// Whether the caller still is who it was, looked at once in a heartbeat. Who may see less, or more, comes back and is told anew.
    async fn is_let_in(&mut self) -> bool {
        if Instant::now() < self.look_again {
            return true;
        }
        self.look_again = Instant::now() + self.heartbeat;
        match self.caller.again(&self.app.identity.people).await {
            Ok(Some(principal)) => View::of(&principal) == self.view && principal.may(Permission::File),
            Ok(None) | Err(StoreError::Closed) => false,
            Err(error) => {
                tracing::warn!(error = %error, "a stream of events ends because its caller cannot be looked up");
                false
            }
        }
    }

    /// A comment, with the number: who comes back need not look through what was not for them.
    fn sign_of_life(&self) -> String {
        format!(": still here\nid: {}\n\n", self.seq)
    }

    /// The next events as text, as far as the view allows them, and the number of the last one looked at.
    async fn portion(&mut self) -> StoreResult<(u64, String)> {
        let events = self.app.store.events_after(self.seq, PORTION).await?;
        let last = events.last().map_or(self.seq, |event| event.seq);
        self.learn_owners(&events).await?;
        let mut text = String::new();
        for event in events.iter().filter(|event| self.sees(event)) {
            let Ok(json) = serde_json::to_string(&EventView::from(event)) else { continue };
            // Writing to a string does not fail.
            let _ = write!(text, "id: {}\nevent: change\ndata: {json}\n\n", event.seq);
        }
        Ok((last, text))
    }

    fn sees(&self, event: &Event) -> bool {
        if !self.view.shows(&event.event) {
            return false;
        }
        self.view.only_own.is_none()
            || match &event.event.subject {
                Subject::Intake(id) => self.own.get(&id.as_u128()).copied().unwrap_or(false),
                Subject::Filing(id) => self.own.get(&id.as_u128()).copied().unwrap_or(false),
                Subject::Bulk(_) => self.is_own_set(&event.event.actor),
                _ => false,
            }
    }

    /// Whether a set's news are this person's doing: their own sets they see.
    fn is_own_set(&self, actor: &Actor) -> bool {
        let name = self.view.only_own.as_deref();
        name.is_some_and(|name| actor.account_owner() == name)
    }

    async fn learn_owners(&mut self, events: &[Event]) -> StoreResult<()> {
        let Some(name) = self.view.only_own.clone() else { return Ok(()) };
        if self.own.len() > REMEMBERED {
            self.own.clear();
        }
        let mut filings: Vec<FilingId> = Vec::new();
        for event in events {
            match event.event.subject {
                Subject::Filing(id) if !self.own.contains_key(&id.as_u128()) => filings.push(id),
                Subject::Intake(id) if !self.own.contains_key(&id.as_u128()) => {
                    let intake = self.app.store.intake(id).await?;
                    self.own.insert(id.as_u128(), intake.is_some_and(|intake| intake.submitted_by == name));
                }
                _ => {}
            }
        }
        for filing in self.app.store.filings_by_id(&filings).await? {
            self.own.insert(filing.id.as_u128(), filing.request.submitted_by == name);
        }
        Ok(())
    }
}
