//! Sessions: begun, recognised, listed, ended.

use secrecy::{ExposeSecret as _, SecretString};

use super::{AGENT, Browser, DeskError, NOTED_EVERY, NewSession, PAGE, People, TRIES, changed, texts};
use crate::event::{NewEvent, Security, Subject};
use crate::ids::{PersonId, ServiceName, SessionId};
use crate::people::{Flow, Invitation, Person, SecretHash, Session, Status, Token, group_of};
use crate::person::{Permission, Principal};
use crate::record::{self, Commit, Kept, Write};
use crate::store::{StoreError, StoreResult};
use crate::time::{age, later};

/// A session that is good, with whose it is.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The person.
    pub person: Person,
    /// What they may do and see now.
    pub principal: Principal,
}

impl People {
    /// The session behind a cookie: none when there is none, it has ended, or the person may not come in. That it was used is noted
    /// once a minute at most.
    pub async fn session(&self, secret: &str) -> StoreResult<Option<SignedIn>> {
        let store = self.store.as_ref();
        let Some(mut session) = record::by_key::<Session>(store, &SecretHash::of(secret).0).await? else {
            return Ok(None);
        };
        if self.is_over(&session) {
            return Ok(None);
        }
        let Some(person) = record::by_id::<Person>(store, session.person.as_u128()).await? else {
            return Ok(None);
        };
        if person.status != Status::Active {
            return Ok(None);
        }
        let now = self.now();
        if age(now, session.used) >= NOTED_EVERY {
            let used = changed(Session { used: now, ..session.clone() });
            if self.commits(Commit { writes: vec![used.put()?], events: Vec::new() }).await? {
                session = used;
            } else {
                // Another request noted it, or the session was ended this very moment: look again.
                let again = record::by_id::<Session>(store, session.id.as_u128()).await?;
                let Some(again) = again.filter(|it| it.secret == session.secret) else { return Ok(None) };
                session = again;
            }
        }
        let principal = self.principal(&person);
        Ok(Some(SignedIn { session, person, principal }))
    }

    fn is_over(&self, session: &Session) -> bool {
        let now = self.now();
        now >= session.ends || age(now, session.used) >= self.limits.idle
    }

    /// A person's sessions that are good, oldest first.
    pub async fn sessions(&self, by: &Principal) -> StoreResult<Vec<Session>> {
        let Some(person) = by.person else { return Ok(Vec::new()) };
        let mut sessions = self.all_of::<Session>(Some(&group_of(person))).await?;
        sessions.retain(|it| !self.is_over(it));
        Ok(sessions)
    }

    /// The good sessions of somebody whom an administrator looks after.
    pub async fn sessions_of(&self, by: &Principal, person: &Person) -> Result<Vec<Session>, DeskError> {
        self.may_manage(by, person)?;
        let mut sessions = self.all_of::<Session>(Some(&group_of(person.id))).await?;
        sessions.retain(|it| !self.is_over(it));
        Ok(sessions)
    }

    /// Leaves: ends the session behind a cookie. It is no mistake when it has ended already.
    pub async fn sign_out(&self, secret: &str) -> StoreResult<()> {
        for _ in 0..TRIES {
            let found = record::by_key::<Session>(self.store.as_ref(), &SecretHash::of(secret).0).await?;
            let Some(session) = found else { return Ok(()) };
            let person = record::by_id::<Person>(self.store.as_ref(), session.person.as_u128()).await?;
            let name = person.as_ref().map_or("?", |it| it.name.as_str());
            let site = person.as_ref().map(|it| &it.sites.home);
            let event =
                self.event(Security::SignedOut, Subject::Session(session.id), site, name, String::new());
            if self.commits(Commit { writes: vec![session.remove()], events: vec![event] }).await? {
                return Ok(());
            }
        }
        Err(StoreError::Busy)
    }

    /// Ends one session: one's own, or that of somebody whom an administrator looks after.
    pub async fn end_session(&self, by: &Principal, id: SessionId) -> Result<(), DeskError> {
        let store = self.store.as_ref();
        for _ in 0..TRIES {
            let session = record::by_id::<Session>(store, id.as_u128()).await?.ok_or(DeskError::NotFound)?;
            let person = record::by_id::<Person>(store, session.person.as_u128()).await?;
            let person = person.ok_or(DeskError::NotFound)?;
            if by.person != Some(person.id) {
                if !by.may(Permission::ManagePersons) || !by.sites.has(&person.sites.home) {
                    return Err(DeskError::NotFound);
                }
                self.may_manage(by, &person)?;
            }
            let event = self.session_ended(&session, &person, &by.name, "");
            if self.commits(Commit { writes: vec![session.remove()], events: vec![event] }).await? {
                return Ok(());
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Ends all sessions of a person but one; tells how many there were.
    pub async fn end_sessions(
        &self,
        by: &Principal,
        person: &Person,
        but: Option<SessionId>,
    ) -> Result<usize, DeskError> {
        if by.person != Some(person.id) {
            self.may_manage(by, person)?;
        }
        for _ in 0..TRIES {
            let (writes, events) = self.ending_all(person, but, &by.name, "all at once").await?;
            let count = writes.len();
            if count == 0 || self.commits(Commit { writes, events }).await? {
                return Ok(count);
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Linked services that a person's team has to link, that they have not, and that were not asked for since this sign-in. They
    /// count as asked for from now on.
    pub async fn to_be_linked(&self, signed_in: &SignedIn) -> StoreResult<Vec<ServiceName>> {
        let person = &signed_in.person;
        let mut missing = Vec::new();
        for service in &self.services {
            if service.asked_of(&person.teams) != Some(true)
                || signed_in.session.asked.contains(&service.name)
            {
                continue;
            }
            let key = crate::link::Link::key(&service.name, Some(person.id));
            if record::by_key::<crate::link::Link>(self.store.as_ref(), &key).await?.is_none() {
                missing.push(service.name.clone());
            }
        }
        if missing.is_empty() {
            return Ok(missing);
        }
        let mut asked = changed(signed_in.session.clone());
        asked.asked.extend(missing.iter().cloned());
        // When another request of the session was first, that one asks.
        let first = self.commits(Commit { writes: vec![asked.put()?], events: Vec::new() }).await?;
        Ok(if first { missing } else { Vec::new() })
    }

    /// A new session of a person, and what is to be written for it; the one that the browser had goes.
    pub(super) async fn beginning(
        &self,
        person: &Person,
        by: &str,
        browser: Browser<'_>,
    ) -> StoreResult<(SecretString, Session, Vec<Write>, Vec<NewEvent>)> {
        let now = self.now();
        let secret = self.new_secret("");
        let session = Session {
            id: SessionId::from_u128(self.next_id()),
            version: 1,
            secret: SecretHash::of(secret.expose_secret()),
            person: person.id,
            by: by.to_owned(),
            agent: texts::cut(browser.agent, AGENT),
            created: now,
            used: now,
            ends: later(now, self.limits.absolute),
            asked: Vec::new(),
        };
        let mut writes = vec![session.put()?];
        let mut events = vec![self.event(
            Security::SignedIn,
            Subject::Session(session.id),
            Some(&person.sites.home),
            &person.name,
            format!("by {by}"),
        )];
        if let Some(old) = browser.session {
            let old = record::by_key::<Session>(self.store.as_ref(), &SecretHash::of(old).0).await?;
            if let Some(old) = old {
                writes.push(old.remove());
                let note = "signed in anew in the same browser";
                events.push(self.session_ended(&old, person, &person.name, note));
            }
        }
        Ok((secret, session, writes, events))
    }

    pub(super) fn begun(secret: SecretString, session: Session, person: Person) -> NewSession {
        NewSession { secret, session, person }
    }

    /// What ends all sessions of a person but one.
    pub(super) async fn ending_all(
        &self,
        person: &Person,
        but: Option<SessionId>,
        by: &str,
        note: &str,
    ) -> StoreResult<(Vec<Write>, Vec<NewEvent>)> {
        let mut sessions = self.all_of::<Session>(Some(&group_of(person.id))).await?;
        sessions.retain(|it| Some(it.id) != but);
        let events = sessions.iter().map(|it| self.session_ended(it, person, by, note)).collect();
        Ok((sessions.iter().map(Kept::remove).collect(), events))
    }

    fn session_ended(&self, session: &Session, person: &Person, by: &str, note: &str) -> NewEvent {
        let subject = Subject::Session(session.id);
        self.event(Security::SessionEnded, subject, Some(&person.sites.home), by, note)
    }

    /// Removes what is over: sessions, tokens, one-time links and sign-ins under way. What it removes does not work any more anyway;
    /// tells how many there were. Meant for every few minutes.
    pub async fn sweep(&self) -> StoreResult<usize> {
        let now = self.now();
        let sessions = self.sweep_of::<Session>(
            |it| self.is_over(it),
            Security::SessionEnded,
            |it| Subject::Session(it.id),
        );
        let mut gone = sessions.await?;
        let tokens = self.sweep_of::<Token>(
            |it| now >= it.expires,
            Security::TokenRevoked,
            |it| Subject::Token(it.id),
        );
        gone += tokens.await?;
        gone += self.sweep_silently::<Invitation>(|it| now >= it.expires).await?;
        gone += self.sweep_silently::<Flow>(|it| now >= it.expires).await?;
        Ok(gone)
    }

    async fn sweep_of<T: Kept>(
        &self,
        over: impl Fn(&T) -> bool,
        what: Security,
        subject: impl Fn(&T) -> Subject,
    ) -> StoreResult<usize> {
        let event = |it: &T| Some(self.event(what, subject(it), None, "postroom", "its time was over"));
        self.swept(over, event).await
    }

    async fn sweep_silently<T: Kept>(&self, over: impl Fn(&T) -> bool) -> StoreResult<usize> {
        self.swept(over, |_: &T| None).await
    }

    async fn swept<T: Kept>(
        &self,
        over: impl Fn(&T) -> bool,
        event: impl Fn(&T) -> Option<NewEvent>,
    ) -> StoreResult<usize> {
        let (mut gone, mut after) = (0, None);
        loop {
            let page = record::page::<T>(self.store.as_ref(), None, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(gone) };
            after = Some(last.number());
            for it in page.iter().filter(|it| over(it)) {
                let commit = Commit { writes: vec![it.remove()], events: event(it).into_iter().collect() };
                // Who lost against a use or another hand leaves it to the next sweep.
                gone += usize::from(self.commits(commit).await?);
            }
        }
    }
}

impl People {
    /// A session's principal as it is now, by the session's id: for what goes on for long after its cookie was shown.
    pub async fn session_again(&self, id: SessionId) -> StoreResult<Option<Principal>> {
        match record::by_id::<Session>(self.store.as_ref(), id.as_u128()).await? {
            Some(session) if !self.is_over(&session) => self.person_again(session.person).await,
            _ => Ok(None),
        }
    }

    /// A person's principal as it is now; none when they may not come in.
    pub async fn person_again(&self, id: PersonId) -> StoreResult<Option<Principal>> {
        let person = record::by_id::<Person>(self.store.as_ref(), id.as_u128()).await?;
        Ok(person.filter(|it| it.status == Status::Active).map(|it| self.principal(&it)))
    }
}
