//! Links and their tokens: sealed in the registry, renewed early and once at a time.
//!
//! The order that nothing is lost by: a new refresh token is committed before the access token that came with it is handed out. A
//! renewal runs on a task of its own, so that a caller who goes away does not take the answer with them. Only `invalid_grant` (or the
//! lack of a refresh token) breaks a link; what may pass is tried again later, and a link that was made anew meanwhile always wins.

mod accounts;
mod idle;
mod links;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::Fut;
use postroom_domain::dms::RetryAfter;
use postroom_domain::event::{Happening, NewEvent, Security, Subject};
use postroom_domain::ids::{IdMint, PersonId, ServiceName};
use postroom_domain::link::{
    Access, AccessError, AccessTokens, Link, LinkListener, LinkState, Place, Sealed, Whose,
};
use postroom_domain::people::Person;
use postroom_domain::person::Actor;
use postroom_domain::record::{Commit, Kept as _, Registry, by_id, by_key};
use postroom_domain::sealing::{SealError, Seals};
use postroom_domain::sign_in::Grant;
use postroom_domain::store::{StoreError, StoreResult};
use postroom_domain::time::{Clock, Entropy, later};
use secrecy::SecretString;
use tracing::{info, warn};

use crate::oauth::TokenFailure;
use crate::service_settings::SystemAccount;
use crate::services::{Service, Services};

pub use idle::Round;

/// Tokens are renewed so long before they end.
const EARLY: Duration = Duration::from_mins(5);
/// A service that was not available is not asked again before.
const REST: Duration = Duration::from_secs(5);
/// A service that asks for more patience than this is asked again all the same.
const LONGEST_REST: Duration = Duration::from_hours(1);
/// A token refused right after it was renewed is not renewed again before: a service that refuses all tokens causes no storm.
const BETWEEN_REFUSALS: Duration = Duration::from_mins(1);
/// How often a commit is tried again when the store is busy.
const COMMIT_TRIES: u32 = 5;

/// The keeper of links and their tokens: `LinkKeeper`, `Accounts` and `AccessTokens` in one. Cheap to clone.
#[derive(Clone)]
pub struct TokenKeeper(Arc<Inner>);

struct Inner {
    registry: Arc<dyn Registry>,
    seals: Arc<dyn Seals>,
    services: Services,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    mint: Arc<IdMint>,
    listener: OnceLock<Arc<dyn LinkListener>>,
    /// One renewal at a time for each link and each application.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Two persons cannot link the same outside account at the same time.
    linking: tokio::sync::Mutex<()>,
    /// Until when a link's service is not asked again, and why.
    resting: Mutex<HashMap<u128, (Timestamp, String)>>,
    /// Renewed tokens that the store has not taken yet: the refresh token they replace, sealed, and they.
    unsaved: Mutex<HashMap<u128, (Sealed, Grant)>>,
    /// Tokens of applications, never kept on disk.
    own: Mutex<HashMap<ServiceName, OwnToken>>,
    /// Links whose end was warned about, with that end.
    warned: Mutex<HashMap<u128, Timestamp>>,
}

/// A token of an application, when it ends, and when it was fetched.
type OwnToken = (Access, Option<Timestamp>, Timestamp);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a link's secret stands.
fn place<'a>(id: &'a str, field: &'a str) -> Place<'a> {
    Place { table: "link", id, field }
}

impl TokenKeeper {
    /// Over a store. `mint` is the process's one mint of ids.
    pub fn new(
        registry: Arc<dyn Registry>,
        seals: Arc<dyn Seals>,
        services: Services,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        mint: Arc<IdMint>,
    ) -> Self {
        Self(Arc::new(Inner {
            registry,
            seals,
            services,
            clock,
            entropy,
            mint,
            listener: OnceLock::new(),
            turns: Mutex::default(),
            linking: tokio::sync::Mutex::default(),
            resting: Mutex::default(),
            unsaved: Mutex::default(),
            own: Mutex::default(),
            warned: Mutex::default(),
        }))
    }

    /// Who is told when a link came to work or ceased to: the engine, which is made after the keeper. Only the first one is taken.
    pub fn tell(&self, listener: Arc<dyn LinkListener>) {
        let _ = self.0.listener.set(listener);
    }
}

impl AccessTokens for TokenKeeper {
    fn access<'a>(
        &'a self,
        service: &'a ServiceName,
        whose: Whose<'a>,
    ) -> Fut<'a, Result<Access, AccessError>> {
        Box::pin(self.0.token(service, whose, None))
    }

    fn after_refusal<'a>(
        &'a self,
        service: &'a ServiceName,
        whose: Whose<'a>,
        generation: u64,
    ) -> Fut<'a, Result<Access, AccessError>> {
        Box::pin(self.0.token(service, whose, Some(generation)))
    }
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn turn(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = locked(&self.turns);
        if turns.len() > 1024 {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(key.to_owned()).or_default())
    }

    async fn link_of(&self, service: &ServiceName, whose: Whose<'_>) -> Result<Link, AccessError> {
        let registry = self.registry.as_ref();
        let person = match whose {
            Whose::System => None,
            Whose::Own(name) => {
                let person = by_key::<Person>(registry, &Person::name_key(name)).await?;
                Some(person.ok_or(AccessError::NoLink)?.id)
            }
        };
        by_key(registry, &Link::key(service, person)).await?.ok_or(AccessError::NoLink)
    }

    async fn token(
        self: &Arc<Self>,
        service: &ServiceName,
        whose: Whose<'_>,
        refused: Option<u64>,
    ) -> Result<Access, AccessError> {
        let known = self.services.get(service).cloned().ok_or(AccessError::NoLink)?;
        let application = known.system_account == SystemAccount::Application;
        let inner = Arc::clone(self);
        if application && whose == Whose::System {
            return joined(tokio::spawn(async move { inner.own_token(&known, refused).await })).await;
        }
        let link = self.link_of(service, whose).await?;
        match self.usable(&link, refused)? {
            Some(access) => Ok(access),
            None => {
                joined(tokio::spawn(async move { inner.renew(&known, link.id.as_u128(), refused).await }))
                    .await
            }
        }
    }

    /// The link's present token, unless it has to be renewed.
    fn usable(&self, link: &Link, refused: Option<u64>) -> Result<Option<Access>, AccessError> {
        match &link.state {
            LinkState::Active => {}
            LinkState::Unconfirmed => {
                return Err(AccessError::Broken("it waits for its owner's word".to_owned()));
            }
            LinkState::Broken { reason, .. } => return Err(AccessError::Broken(reason.clone())),
        }
        let margin = if link.refresh.is_some() { early(link) } else { Duration::ZERO };
        let lasts = link.access_ends.is_none_or(|ends| later(self.now(), margin) < ends);
        if refused.is_some_and(|generation| generation >= link.generation) || !lasts {
            return Ok(None);
        }
        self.opened(link).map(Some)
    }

    fn opened(&self, link: &Link) -> Result<Access, AccessError> {
        let token = self.seals.open(place(&link.id.to_string(), "access"), &link.access)?;
        Ok(Access { token, generation: link.generation })
    }

    /// Renews a link's tokens, unless somebody else did while this caller waited.
    async fn renew(&self, service: &Service, id: u128, refused: Option<u64>) -> Result<Access, AccessError> {
        let turn = self.turn(&format!("link/{id}"));
        let _turn = turn.lock().await;
        let mut link = self.read(id).await?;
        if let Some(access) = self.usable(&link, refused)? {
            return Ok(access);
        }
        let refused_now = refused.is_some_and(|generation| generation >= link.generation);
        let Some(sealed) = link.refresh.clone() else {
            let why = "the service gave no token to renew it with, and the one there was has ended";
            return self.broken(service, link, why).await;
        };
        let unsaved = locked(&self.unsaved).get(&id).cloned().filter(|(of, _)| *of == sealed);
        let grant = if let Some((_, grant)) = unsaved {
            grant
        } else {
            if refused_now && later(link.renewed, BETWEEN_REFUSALS) > self.now() && link.renewed > link.linked
            {
                let reason = "the service refuses a token that it gave a moment ago".to_owned();
                return Err(AccessError::Unavailable {
                    reason,
                    until: Some(later(link.renewed, BETWEEN_REFUSALS)),
                });
            }
            self.rested(id, &link, refused_now)?;
            let refresh = self.seals.open(place(&link.id.to_string(), "refresh"), &sealed)?;
            match service.renewing.renew(&refresh).await {
                Ok(grant) => grant,
                Err(TokenFailure::Refused { code, words }) if code == "invalid_grant" => {
                    let why = if words.is_empty() { code } else { words };
                    return self.broken(service, link, &why).await;
                }
                Err(TokenFailure::Vague(words)) if service.vague_ends => {
                    return self.broken(service, link, &words).await;
                }
                Err(failure) => return self.put_off(id, &link, failure, refused_now),
            }
        };
        locked(&self.unsaved).insert(id, (sealed.clone(), grant.clone()));
        locked(&self.resting).remove(&id);
        // Until the store has the new refresh token, the access token that came with it is not used.
        loop {
            let next = self.renewed(&link, &grant)?;
            match self.keep(&next, Security::LinkRenewed, "").await {
                Ok(()) => {
                    locked(&self.unsaved).remove(&id);
                    return self.opened(&next);
                }
                Err(StoreError::Conflict { .. }) => link = self.read(id).await?,
                Err(error) => return Err(error.into()),
            }
            if link.refresh.as_ref() != Some(&sealed) {
                // Linked anew meanwhile: that link wins, and what was fetched for the old one is dropped.
                locked(&self.unsaved).remove(&id);
                return self.usable(&link, None)?.ok_or(AccessError::Unavailable {
                    reason: "the account was linked anew at this moment".to_owned(),
                    until: None,
                });
            }
        }
    }

    async fn read(&self, id: u128) -> Result<Link, AccessError> {
        by_id(self.registry.as_ref(), id).await?.ok_or(AccessError::NoLink)
    }

    /// The link with new tokens. An answer without a refresh token keeps the old one.
    fn renewed(&self, link: &Link, grant: &Grant) -> Result<Link, AccessError> {
        let mut next = link.clone();
        self.fill(&mut next, grant)?;
        next.renewed = self.now();
        next.version += 1;
        Ok(next)
    }

    fn fill(&self, link: &mut Link, grant: &Grant) -> Result<(), SealError> {
        let id = link.id.to_string();
        link.access = self.seals.seal(place(&id, "access"), &grant.access)?;
        link.access_ends = grant.access_ends;
        link.generation += 1;
        if let Some(refresh) = &grant.refresh {
            link.refresh = Some(self.seals.seal(place(&id, "refresh"), refresh)?);
            link.refresh_ends = grant.refresh_ends;
        } else if grant.refresh_ends.is_some() {
            link.refresh_ends = grant.refresh_ends;
        }
        if !grant.scope.is_empty() {
            link.scope.clone_from(&grant.scope);
        }
        Ok(())
    }

    /// Whether the service may be asked again.
    fn rested(&self, id: u128, link: &Link, refused: bool) -> Result<(), AccessError> {
        let resting = locked(&self.resting).get(&id).cloned().filter(|(until, _)| *until > self.now());
        match resting {
            Some((until, reason)) if refused || self.ended(link) => {
                Err(AccessError::Unavailable { reason, until: Some(until) })
            }
            _ => Ok(()),
        }
    }

    fn ended(&self, link: &Link) -> bool {
        link.access_ends.is_some_and(|ends| ends <= self.now())
    }

    /// A renewal that did not work for now. A token that still lasts is used meanwhile.
    fn put_off(
        &self,
        id: u128,
        link: &Link,
        failure: TokenFailure,
        refused: bool,
    ) -> Result<Access, AccessError> {
        let (reason, wait) = match failure {
            TokenFailure::Unavailable { reason, wait } => (reason, wait),
            TokenFailure::Refused { code, words } => (format!("{code} {words}").trim().to_owned(), None),
            TokenFailure::Vague(words) | TokenFailure::Misconfigured(words) => (words, None),
        };
        let now = self.now();
        let until = match wait {
            Some(RetryAfter::Seconds(seconds)) => later(now, Duration::from_secs(seconds)),
            Some(RetryAfter::At(at)) => at,
            None => later(now, REST),
        };
        let until = until.clamp(now, later(now, LONGEST_REST));
        warn!(link.id = %link.id, dms.service = %link.service, error = %reason, "A link's tokens cannot be renewed now.");
        locked(&self.resting).insert(id, (until, reason.clone()));
        if refused || self.ended(link) {
            return Err(AccessError::Unavailable { reason, until: Some(until) });
        }
        self.opened(link)
    }

    /// The service takes the tokens no more. A link that changed meanwhile is left alone.
    async fn broken(&self, service: &Service, mut link: Link, why: &str) -> Result<Access, AccessError> {
        let tried = link.refresh.clone();
        let reason = crate::oauth::short(why);
        loop {
            let mut next = link.clone();
            next.state = LinkState::Broken { since: self.now(), reason: reason.clone() };
            next.version += 1;
            match self.keep(&next, Security::LinkBroken, &reason).await {
                Ok(()) => {
                    warn!(link.id = %link.id, dms.service = %service.linked.name, reason, "A link is broken.");
                    self.changed(&next).await;
                    return Err(AccessError::Broken(reason));
                }
                Err(StoreError::Conflict { .. }) => link = self.read(link.id.as_u128()).await?,
                Err(error) => return Err(error.into()),
            }
            if link.refresh != tried || link.state != LinkState::Active {
                return self.usable(&link, None)?.ok_or(AccessError::Unavailable {
                    reason: "the account was linked anew at this moment".to_owned(),
                    until: None,
                });
            }
        }
    }

    /// Commits a link with its event; a busy store is asked again a few times.
    async fn keep(&self, link: &Link, what: Security, note: &str) -> StoreResult<()> {
        let event = self.event(link, what, &Actor::system("links", None), note).await?;
        let mut rest = Duration::from_millis(20);
        for _ in 0..COMMIT_TRIES {
            let commit = Commit { writes: vec![link.put()?], events: vec![event.clone()] };
            match self.registry.commit(commit).await {
                Err(StoreError::Busy) => tokio::time::sleep(rest).await,
                other => return other,
            }
            rest *= 2;
        }
        Err(StoreError::Busy)
    }

    async fn person(&self, id: Option<PersonId>) -> StoreResult<Option<Person>> {
        match id {
            Some(id) => by_id(self.registry.as_ref(), id.as_u128()).await,
            None => Ok(None),
        }
    }

    async fn event(&self, link: &Link, what: Security, actor: &Actor, note: &str) -> StoreResult<NewEvent> {
        let site = self.person(link.person).await?.map(|it| it.sites.home);
        let whose = if link.person.is_some() { "" } else { "system account " };
        let mut text = format!("{}: {whose}{}", link.service, link.account.name);
        if !note.is_empty() {
            text = format!("{text}: {note}");
        }
        let (subject, happening) = (Subject::Link(link.id), Happening::Security { what });
        Ok(NewEvent { at: self.now(), site, subject, happening, actor: actor.clone(), note: text })
    }

    /// Tells the listener, after the commit.
    async fn changed(&self, link: &Link) {
        let Some(listener) = self.listener.get() else { return };
        match (link.person, self.person(link.person).await) {
            (None, _) => listener.account_changed(&link.service, Whose::System),
            (Some(_), Ok(Some(person))) => listener.account_changed(&link.service, Whose::Own(&person.name)),
            (Some(_), Ok(None)) => {}
            (Some(_), Err(error)) => {
                // What is blocked is looked at again by the engine's own rounds.
                warn!(link.id = %link.id, error = %error, "Nobody could be told that a link changed.");
            }
        }
    }

    /// A token of the application itself.
    async fn own_token(&self, service: &Service, refused: Option<u64>) -> Result<Access, AccessError> {
        let name = &service.linked.name;
        let turn = self.turn(&format!("application/{name}"));
        let _turn = turn.lock().await;
        let now = self.now();
        let kept = locked(&self.own).get(name).cloned();
        let mut generation = 1;
        if let Some((access, ends, fetched)) = kept {
            let refused = refused.is_some_and(|refused| refused >= access.generation);
            if !refused && ends.is_none_or(|ends| later(now, EARLY) < ends) {
                return Ok(access);
            }
            if refused && later(fetched, BETWEEN_REFUSALS) > now {
                let reason = "the service refuses a token that it gave a moment ago".to_owned();
                return Err(AccessError::Unavailable {
                    reason,
                    until: Some(later(fetched, BETWEEN_REFUSALS)),
                });
            }
            generation = access.generation + 1;
        }
        let grant = service.renewing.own_grant().await.map_err(|failure| match failure {
            TokenFailure::Unavailable { reason, .. } => AccessError::Unavailable { reason, until: None },
            other => AccessError::Broken(postroom_domain::sign_in::ProviderError::from(other).to_string()),
        })?;
        info!(dms.service = %name, "The application signed in with an account of its own.");
        let access = Access { token: grant.access, generation };
        locked(&self.own).insert(name.clone(), (access.clone(), grant.access_ends, now));
        Ok(access)
    }

    /// The tokens of a link, opened, for telling the service that they are over.
    fn grant_of(&self, link: &Link) -> Result<Grant, SealError> {
        let id = link.id.to_string();
        let refresh: Option<SecretString> =
            link.refresh.as_ref().map(|it| self.seals.open(place(&id, "refresh"), it)).transpose()?;
        Ok(Grant {
            access: self.seals.open(place(&id, "access"), &link.access)?,
            access_ends: link.access_ends,
            refresh,
            refresh_ends: link.refresh_ends,
            scope: link.scope.clone(),
        })
    }
}

/// How long before its end a link's token is renewed: a fifth of its life where that is short.
fn early(link: &Link) -> Duration {
    let since = if link.renewed > link.linked { link.renewed } else { link.linked };
    let life = link.access_ends.map_or(EARLY, |ends| postroom_domain::time::age(ends, since));
    EARLY.min(life / 5)
}

async fn joined(task: tokio::task::JoinHandle<Result<Access, AccessError>>) -> Result<Access, AccessError> {
    match task.await {
        Ok(result) => result,
        Err(error) => {
            let reason = format!("the renewal ended early: {error}");
            Err(AccessError::Unavailable { reason, until: None })
        }
    }
}
