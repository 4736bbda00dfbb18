//! Accounts of persons in the DMSs: who may ask for one, and the sequence by which it is found or made, once.
//!
//! The record is the lock: who makes an account has written [`AccountState::Asking`] before, and of two who try one is refused. So
//! there is no second account when two ask at the same moment, or when the process ends in the middle.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{DeskError, PAGE, People, TRIES, changed, texts};
use crate::backoff::RetryPolicy;
use crate::dms::{DmsUser, NewUser};
use crate::dms_account::{
    AccountPolicy, AccountState, Answer, Decision, Directory, DmsAccount, Situation, Timing, Trigger, decide,
    settled, split_name, stops_all,
};
use crate::event::{Happening, NewEvent, Security, Subject};
use crate::ids::{DmsAccountId, PersonId, ServiceName};
use crate::people::{Person, Status, group_of};
use crate::person::{Actor, Credential, Principal};
use crate::record::{self, Commit, Kept};
use crate::store::{StoreError, StoreResult};

mod seen;

pub use seen::AccountSeen;

/// Who asks when nobody does.
const PROGRAM: &str = "postroom";
/// What a DMS said is cut to so many characters.
const WORDS: usize = 300;

/// One destination, as to accounts of persons.
pub struct DmsAccountsAt {
    /// Its name.
    pub service: ServiceName,
    /// What is set about it.
    pub policy: AccountPolicy,
    /// Its directory.
    pub directory: Arc<dyn Directory>,
}

/// Finds and makes accounts of persons in the DMSs.
pub struct DmsAccounts {
    people: Arc<People>,
    destinations: Vec<DmsAccountsAt>,
    retry: RetryPolicy,
    started: Timestamp,
}

/// What looking after one person's account has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensured {
    /// Nothing is to be done.
    Nothing,
    /// Nothing before this time.
    Later(Timestamp),
    /// The DMS was asked, and it is settled.
    Asked,
    /// The DMS was asked and is left alone until this time: the next person would fare the same.
    Stopped(Timestamp),
}

impl DmsAccounts {
    /// Looks after accounts at these destinations. What an earlier process left in the middle is taken up.
    pub fn new(people: Arc<People>, destinations: Vec<DmsAccountsAt>, retry: RetryPolicy) -> Self {
        let started = people.now();
        Self { people, destinations, retry, started }
    }

    /// The destinations, in the order of the settings.
    pub fn destinations(&self) -> &[DmsAccountsAt] {
        &self.destinations
    }

    fn at(&self, service: &ServiceName) -> Option<&DmsAccountsAt> {
        self.destinations.iter().find(|it| it.service == *service)
    }

    /// A person's accounts at every destination.
    pub async fn of(&self, by: &Principal, id: PersonId) -> Result<Vec<AccountSeen>, DeskError> {
        let person = self.people.person(by, id).await?;
        let known = self.people.all_of::<DmsAccount>(Some(&group_of(id))).await?;
        let seen = |at: &DmsAccountsAt| {
            self.seen(at, &person, known.iter().find(|it| it.service == at.service).cloned())
        };
        Ok(self.destinations.iter().map(seen).collect())
    }

    fn seen(&self, at: &DmsAccountsAt, person: &Person, known: Option<DmsAccount>) -> AccountSeen {
        let skip = match decide(self.situation(at, person, known.as_ref(), Trigger::Request)) {
            Decision::Skip(skip) => Some(skip),
            _ => None,
        };
        AccountSeen {
            service: at.service.clone(),
            policy: at.policy.clone(),
            offers: at.directory.offers(),
            external: at.policy.is_external(&person.email),
            known,
            skip,
        }
    }

    /// Finds a person's account at a destination, or makes it, because somebody who looks after them asks for it. How it stands
    /// afterwards; that the DMS said no, or cannot be reached, is no error here.
    pub async fn request(
        &self,
        by: &Principal,
        id: PersonId,
        service: &ServiceName,
    ) -> Result<AccountSeen, DeskError> {
        let person = self.people.managed(by, id).await?;
        let at = self.at(service).ok_or(DeskError::NotFound)?;
        if person.status != Status::Active {
            return Err(DeskError::NotActive);
        }
        if at.policy.create == crate::dms_account::CreateAccounts::Never {
            return Err(DeskError::NotMadeHere(service.clone()));
        }
        self.look_after(at, person.id, Trigger::Request, &by.name).await?;
        let known = self.known(service, id).await?;
        Ok(self.seen(at, &person, known))
    }

    /// Finds or makes a person's account where that is due by itself.
    pub async fn ensure(&self, service: &ServiceName, id: PersonId) -> StoreResult<Ensured> {
        match self.at(service) {
            Some(at) => self.look_after(at, id, Trigger::Automatic, PROGRAM).await,
            None => Ok(Ensured::Nothing),
        }
    }

    /// Persons in the order in which they were added, after one of them; the second value is where to go on.
    pub async fn persons_after(
        &self,
        after: Option<PersonId>,
    ) -> StoreResult<(Vec<PersonId>, Option<PersonId>)> {
        let after = after.map(PersonId::as_u128);
        let page = record::page::<Person>(self.people.store.as_ref(), None, after, PAGE).await?;
        let next = page.last().filter(|_| page.len() == PAGE).map(|it| it.id);
        Ok((page.iter().filter(|it| it.status == Status::Active).map(|it| it.id).collect(), next))
    }

    async fn known(&self, service: &ServiceName, id: PersonId) -> StoreResult<Option<DmsAccount>> {
        record::by_key(self.people.store.as_ref(), &DmsAccount::key(service, id)).await
    }

    fn situation<'a>(
        &self,
        at: &'a DmsAccountsAt,
        person: &'a Person,
        known: Option<&'a DmsAccount>,
        trigger: Trigger,
    ) -> Situation<'a> {
        Situation {
            person,
            policy: &at.policy,
            offers: at.directory.offers(),
            known,
            trigger,
            now: self.people.now(),
            started: self.started,
            lag: self.lag(),
        }
    }

    const fn lag(&self) -> Duration {
        self.retry.lag_window()
    }

    async fn look_after(
        &self,
        at: &DmsAccountsAt,
        id: PersonId,
        trigger: Trigger,
        by: &str,
    ) -> StoreResult<Ensured> {
        for _ in 0..TRIES {
            let Some(person) = record::by_id::<Person>(self.people.store.as_ref(), id.as_u128()).await?
            else {
                return Ok(Ensured::Nothing);
            };
            let known = self.known(&at.service, id).await?;
            let make = match decide(self.situation(at, &person, known.as_ref(), trigger)) {
                Decision::Skip(_) | Decision::Known => return Ok(Ensured::Nothing),
                Decision::Later(until) => return Ok(Ensured::Later(until)),
                Decision::Find => false,
                Decision::Make => true,
            };
            let errand = Errand { accounts: self, at, person, known, by };
            if let Some(ensured) = errand.run(make).await? {
                return Ok(ensured);
            }
        }
        Err(StoreError::Busy)
    }
}

/// One question about one person at one destination.
struct Errand<'a> {
    accounts: &'a DmsAccounts,
    at: &'a DmsAccountsAt,
    person: Person,
    /// As it was looked at.
    known: Option<DmsAccount>,
    by: &'a str,
}

impl Errand<'_> {
    /// None when somebody else got ahead: it is looked at again.
    async fn run(&self, make: bool) -> StoreResult<Option<Ensured>> {
        let actor = Actor {
            principal: self.by.to_owned(),
            on_behalf_of: Some(self.person.name.clone()),
            credential: Some(Credential::System),
        };
        if let Some((email, answer)) = self.look(&actor).await {
            return self.settle(&email, answer, self.known.as_ref()).await;
        }
        if !make {
            return self.settle(&self.person.email, Answer::NotThere, self.known.as_ref()).await;
        }
        let Some(claim) = self.claim().await? else { return Ok(None) };
        let answer = self.make(&actor).await;
        self.settle(&self.person.email, answer, Some(&claim)).await
    }

    /// Looks for an account by e-mail; none when there is none. Where one is known under another e-mail, or may have been made under
    /// it, by that one first.
    async fn look(&self, actor: &Actor) -> Option<(String, Answer)> {
        if !self.at.directory.offers().find {
            return None;
        }
        let other = |it: &&DmsAccount| it.email != self.person.email && may_exist(&it.state);
        let before = self.known.as_ref().filter(other);
        for email in before.map(|it| &it.email).into_iter().chain([&self.person.email]) {
            let answer = match self.at.directory.find(actor, email).await {
                Err(error) => Answer::NotLooked(error),
                Ok(users) => {
                    // A DMS that does not tell e-mails has compared them itself.
                    let is = |it: &DmsUser| it.email.is_empty() || it.email.to_lowercase() == *email;
                    let mut users: Vec<_> = users.into_iter().filter(is).collect();
                    match (users.len(), users.pop()) {
                        (1, Some(user)) => Answer::Found(user),
                        (0, _) | (_, None) => continue,
                        (several, _) => Answer::Several(several),
                    }
                }
            };
            return Some((email.clone(), answer));
        }
        None
    }

    async fn make(&self, actor: &Actor) -> Answer {
        let name = split_name(&self.person.display_name, &self.person.email);
        let policy = &self.at.policy;
        let user = NewUser {
            email: &self.person.email,
            given_name: &name.given,
            family_name: &name.family,
            external: policy.is_external(&self.person.email),
            invite: policy.invite,
            library: &policy.library,
        };
        match self.at.directory.make(actor, user).await {
            Ok(crate::dms::Made::New(user)) => Answer::Made(user),
            Ok(crate::dms::Made::Present(user)) => Answer::Found(user),
            Err(error) => Answer::NotMade(error),
        }
    }

    /// Says that an account is being made, before the DMS is asked to. None when somebody else says so too.
    async fn claim(&self) -> StoreResult<Option<DmsAccount>> {
        let before = self.known.as_ref().map(|it| &it.state);
        let state = AccountState::Asking {
            tries: before.map_or(0, AccountState::tries),
            words: before.map_or_else(String::new, |it| it.trouble().to_owned()),
        };
        let claim = self.next(self.known.as_ref(), &self.person.email, state);
        let commit = Commit { writes: vec![claim.put()?], events: Vec::new() };
        Ok(self.accounts.people.commits_or_exists(commit).await?.then_some(claim))
    }

    fn next(&self, before: Option<&DmsAccount>, email: &str, state: AccountState) -> DmsAccount {
        let people = &self.accounts.people;
        let new = || DmsAccount {
            id: DmsAccountId::from_u128(people.next_id()),
            version: 0,
            person: self.person.id,
            service: self.at.service.clone(),
            email: String::new(),
            state: state.clone(),
            at: people.now(),
            by: String::new(),
        };
        let mut next = changed(before.cloned().unwrap_or_else(new));
        email.clone_into(&mut next.email);
        next.state = state;
        next.at = people.now();
        self.by.clone_into(&mut next.by);
        next
    }

    /// Writes how it stands, with what the audit tells of it. What a claim led to is written whatever happened meanwhile: an account
    /// that was made must not be forgotten. Other answers are looked at again when the record changed.
    async fn settle(
        &self,
        email: &str,
        answer: Answer,
        before: Option<&DmsAccount>,
    ) -> StoreResult<Option<Ensured>> {
        let people = &self.accounts.people;
        let claimed = before.is_some_and(|it| matches!(it.state, AccountState::Asking { .. }))
            && before != self.known.as_ref();
        let stops = match &answer {
            Answer::NotLooked(error) | Answer::NotMade(error) => stops_all(error),
            _ => false,
        };
        let timing = Timing {
            now: people.now(),
            retry: &self.accounts.retry,
            chance: people.entropy.unit(),
            lag: self.accounts.lag(),
        };
        let state = cut(settled(answer, before.map(|it| &it.state), self.unsure(claimed), timing));
        let ensured = match &state {
            AccountState::Failed { again, .. } if stops => Ensured::Stopped(*again),
            AccountState::Failed { again, .. } => Ensured::Later(*again),
            _ => Ensured::Asked,
        };
        if before.is_some_and(|it| it.state == state && it.email == email) {
            return Ok(Some(ensured));
        }
        let mut before = before.cloned();
        for _ in 0..TRIES {
            let next = self.next(before.as_ref(), email, state.clone());
            let events = self.event(before.as_ref(), &next).into_iter().collect();
            let commit = Commit { writes: vec![next.put()?], events };
            if people.commits_or_exists(commit).await? {
                return Ok(Some(ensured));
            }
            if !claimed {
                return Ok(None);
            }
            before = self.accounts.known(&self.at.service, self.person.id).await?;
        }
        Err(StoreError::Busy)
    }

    /// The time from which "not there" counts, where an account may have been made by an earlier question.
    fn unsure(&self, claimed: bool) -> Option<Timestamp> {
        let known = self.known.as_ref().filter(|_| !claimed)?;
        match &known.state {
            AccountState::Failed { unsure, .. } => *unsure,
            AccountState::Asking { .. } => Some(crate::time::later(known.at, self.accounts.lag())),
            _ => None,
        }
    }

    /// What the audit tells; nothing when it would tell the same again.
    fn event(&self, before: Option<&DmsAccount>, next: &DmsAccount) -> Option<NewEvent> {
        let what = match &next.state {
            AccountState::Asking { .. } => return None,
            AccountState::Found { .. } => Security::DmsAccountFound,
            AccountState::Made { .. } => Security::DmsAccountMade,
            AccountState::NotAvailable { .. }
            | AccountState::Refused { .. }
            | AccountState::Failed { .. } => Security::DmsAccountNotMade,
        };
        let told = match next.state.user() {
            Some(user) if user.active => format!("account {}", user.id),
            Some(user) => format!("account {}, which is locked or may not log in there", user.id),
            None => next.state.trouble().to_owned(),
        };
        if before.is_some_and(|it| next.state.user().is_none() && it.state.trouble() == next.state.trouble())
        {
            return None;
        }
        let note = format!("{} at {}: {told}", self.person.name, self.at.service);
        let actor = Actor {
            principal: self.by.to_owned(),
            on_behalf_of: Some(self.person.name.clone()),
            credential: Some(Credential::System),
        };
        Some(NewEvent {
            at: next.at,
            site: Some(self.person.sites.home.clone()),
            subject: Subject::Person(self.person.id),
            happening: Happening::Security { what },
            actor,
            note,
        })
    }
}

/// Whether there is an account, or may be one.
const fn may_exist(state: &AccountState) -> bool {
    let unsure = matches!(state, AccountState::Asking { .. } | AccountState::Failed { unsure: Some(_), .. });
    unsure || state.user().is_some()
}

/// What a DMS said, as it is kept.
fn cut(mut state: AccountState) -> AccountState {
    if let AccountState::NotAvailable { words }
    | AccountState::Refused { words }
    | AccountState::Failed { words, .. } = &mut state
    {
        *words = texts::cut(words, WORDS);
    }
    state
}
