//! A desk with everything around it: the store is a real one, the vault and the providers are played.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postroom_domain::Fut;
use postroom_domain::desk::{
    Begun, Browser, CameBack, DmsAccounts, Errand, NewPerson, NewSession, NotLetIn, People, Return,
    SessionLimits, SettingOut, SignedIn,
};
use postroom_domain::event::{Event, Happening};
use postroom_domain::ids::{IdMint, LinkId, ServiceName};
use postroom_domain::link::{
    AvailableTo, Fallback, Link, LinkError, LinkKeeper, LinkState, LinkedAccount, LinkedService, NewLink,
    Offer, Place, Sealed,
};
use postroom_domain::people::{DomainRule, PasswordHash, Person, Status};
use postroom_domain::person::{Permission, Permissions, Principal, Roles, Sites};
use postroom_domain::record::{self, Commit, Kept as _, Kind, Record, Registry};
use postroom_domain::sealing::{Passwords, SealError, Seals};
use postroom_domain::sign_in::{Arrival, BearerCheck, Claims, Departure, Grant, Provider, ProviderError};
use postroom_domain::store::{Store as _, StoreError, StoreResult};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock as _;
use postroom_store::MemoryStore;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Barrier;

use crate::directory::Directory;

/// A vault that only turns texts round, but knows their place.
struct Turned;

impl Seals for Turned {
    fn seal(&self, place: Place<'_>, secret: &SecretString) -> Result<Sealed, SealError> {
        let turned: String = secret.expose_secret().chars().rev().collect();
        Ok(Sealed(format!("{}/{}/{}|{turned}", place.table, place.id, place.field)))
    }
    fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<SecretString, SealError> {
        let wanted = format!("{}/{}/{}|", place.table, place.id, place.field);
        let turned = sealed.0.strip_prefix(&wanted).ok_or(SealError::DoesNotOpen)?;
        Ok(SecretString::from(turned.chars().rev().collect::<String>()))
    }
    fn key_of(&self, _: &Sealed) -> Option<u32> {
        Some(1)
    }
    fn current_key(&self) -> u32 {
        1
    }
    fn code(&self, purpose: &str, text: &str) -> [u8; 32] {
        let hash = postroom_domain::people::SecretHash::of(&format!("key {purpose} {text}")).0;
        *hash.parse::<postroom_domain::ids::BlobHash>().unwrap().as_bytes()
    }
}

/// A store whose every answer is old when it is heard: whoever else wants something gets it in between. What races at all races here.
struct Hesitant(Arc<MemoryStore>);

impl Registry for Hesitant {
    fn commit(&self, commit: Commit) -> Fut<'_, StoreResult<()>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.0.commit(commit).await
        })
    }
    fn record_by_id(&self, kind: Kind, id: u128) -> Fut<'_, StoreResult<Option<Record>>> {
        Box::pin(async move {
            let answer = self.0.record_by_id(kind, id).await;
            tokio::task::yield_now().await;
            answer
        })
    }
    fn record_by_key<'a>(&'a self, kind: Kind, key: &'a str) -> Fut<'a, StoreResult<Option<Record>>> {
        Box::pin(async move {
            let answer = self.0.record_by_key(kind, key).await;
            tokio::task::yield_now().await;
            answer
        })
    }
    fn records<'a>(
        &'a self,
        kind: Kind,
        group: Option<&'a str>,
        after: Option<u128>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Record>>> {
        Box::pin(async move {
            let answer = self.0.records(kind, group, after, limit).await;
            tokio::task::yield_now().await;
            answer
        })
    }
}

/// Passwords that are their own hashes; counts comparisons, and can hold so many back until all are there.
#[derive(Default)]
pub(crate) struct Plain {
    pub(crate) compared: AtomicUsize,
    /// Comparisons with a real hash.
    pub(crate) looked_at: AtomicUsize,
    pub(crate) gate: Mutex<Option<Arc<Barrier>>>,
}

impl Passwords for Plain {
    fn objection(&self, password: &SecretString, _: &str) -> Option<String> {
        (password.expose_secret().len() < 4).then(|| "It is too short.".to_owned())
    }
    fn hash(&self, password: SecretString) -> Fut<'_, Result<PasswordHash, SealError>> {
        Box::pin(async move { Ok(PasswordHash(format!("hash of {}", password.expose_secret()))) })
    }
    fn matches(&self, password: SecretString, hash: Option<PasswordHash>) -> Fut<'_, bool> {
        self.compared.fetch_add(1, Ordering::Relaxed);
        self.looked_at.fetch_add(usize::from(hash.is_some()), Ordering::Relaxed);
        let gate = self.gate.lock().unwrap().clone();
        Box::pin(async move {
            if let Some(gate) = gate {
                gate.wait().await;
            }
            hash.is_some_and(|it| it.0 == format!("hash of {}", password.expose_secret()))
        })
    }
}

/// A provider that gives for a code what the test says, once, if everything that belongs to it comes along.
#[derive(Default)]
pub(crate) struct Played {
    name: Option<ServiceName>,
    pub(crate) claims: Mutex<HashMap<String, Result<Claims, ProviderError>>>,
    pub(crate) accounts: Mutex<HashMap<String, LinkedAccount>>,
    used: Mutex<HashSet<String>>,
    /// State, nonce and verifier as the last departure had them.
    pub(crate) last: Mutex<(String, String, String)>,
    pub(crate) revoked: AtomicUsize,
    /// Codes are held back until so many came.
    pub(crate) gate: Mutex<Option<Arc<Barrier>>>,
}

impl Played {
    fn take(&self, arrival: &Arrival<'_>) -> Result<String, ProviderError> {
        let code = arrival.code.expose_secret().to_owned();
        let verifier = arrival.verifier.expose_secret();
        assert_eq!((arrival.nonce.len(), verifier.len()), (64, 64));
        assert!(arrival.redirect.ends_with(&format!("/auth/callback/{}", self.service())));
        if self.used.lock().unwrap().insert(code.clone()) {
            Ok(code)
        } else {
            Err(ProviderError::BadCode("used".to_owned()))
        }
    }
}

impl Provider for Played {
    fn service(&self) -> &ServiceName {
        self.name.as_ref().unwrap()
    }
    fn departure<'a>(&'a self, departure: Departure<'a>) -> Fut<'a, Result<String, ProviderError>> {
        let Departure { state, nonce, verifier, .. } = departure;
        *self.last.lock().unwrap() =
            (state.to_owned(), nonce.to_owned(), verifier.expose_secret().to_owned());
        let link = if departure.link { "link" } else { "sign-in" };
        Box::pin(async move { Ok(format!("https://provider.example/{link}?state={state}")) })
    }
    fn claims<'a>(&'a self, arrival: Arrival<'a>) -> Fut<'a, Result<Claims, ProviderError>> {
        let gate = self.gate.lock().unwrap().clone();
        Box::pin(async move {
            let code = self.take(&arrival)?;
            if let Some(gate) = gate {
                gate.wait().await;
            }
            self.claims.lock().unwrap().get(&code).cloned().unwrap()
        })
    }
    fn grant<'a>(&'a self, arrival: Arrival<'a>) -> Fut<'a, Result<(LinkedAccount, Grant), ProviderError>> {
        let gate = self.gate.lock().unwrap().clone();
        Box::pin(async move {
            let code = self.take(&arrival)?;
            if let Some(gate) = gate {
                gate.wait().await;
            }
            let account = self.accounts.lock().unwrap()[&code].clone();
            let access = SecretString::from(format!("access of {code}"));
            let refresh = Some(SecretString::from(format!("refresh of {code}")));
            let scope = String::new();
            Ok((account, Grant { access, access_ends: None, refresh, refresh_ends: None, scope }))
        })
    }
    fn revoke<'a>(&'a self, _: &'a Grant) -> Fut<'a, Result<(), ProviderError>> {
        self.revoked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }
}

/// Keeps links as the real keeper does, as far as the desk sees: one by service and person, an account only once.
struct Keeper(Arc<World>);

impl LinkKeeper for Keeper {
    fn link(&self, new: NewLink) -> Fut<'_, Result<Link, LinkError>> {
        Box::pin(async move {
            let store = &self.0.store;
            let group = Link::group_of_service(&new.service);
            for other in record::page::<Link>(store.as_ref(), Some(&group), None, 100).await? {
                if other.account.id == new.account.id && other.person != new.person {
                    return Err(LinkError::Taken { account: new.account.name });
                }
            }
            let key = Link::key(&new.service, new.person);
            let before = record::by_key::<Link>(store.as_ref(), &key).await?;
            let now = self.0.clock.now();
            let link = Link {
                id: before
                    .as_ref()
                    .map_or_else(|| LinkId::from_u128(self.0.entropy.next().into()), |it| it.id),
                version: before.map_or(1, |it| it.version + 1),
                service: new.service,
                person: new.person,
                made_by: new.made_by,
                account: new.account,
                state: if new.ask { LinkState::Unconfirmed } else { LinkState::Active },
                access: Sealed(new.grant.access.expose_secret().len().to_string()),
                access_ends: None,
                refresh: None,
                refresh_ends: None,
                generation: 1,
                scope: String::new(),
                linked: now,
                renewed: now,
            };
            match store.commit(Commit { writes: vec![link.put()?], events: Vec::new() }).await {
                Ok(()) => Ok(link),
                Err(StoreError::Conflict { .. } | StoreError::Exists(_)) => Err(LinkError::Changed),
                Err(other) => Err(other.into()),
            }
        })
    }
    fn confirm<'a>(&'a self, id: LinkId, version: u64, _: &'a str) -> Fut<'a, Result<Link, LinkError>> {
        Box::pin(async move {
            let link = record::by_id::<Link>(self.0.store.as_ref(), id.as_u128()).await?;
            let mut link = link.ok_or(LinkError::NotFound)?;
            if link.version != version {
                return Err(LinkError::Changed);
            }
            link.version += 1;
            link.state = LinkState::Active;
            self.0.store.commit(Commit { writes: vec![link.put()?], events: Vec::new() }).await?;
            Ok(link)
        })
    }
    fn unlink<'a>(&'a self, id: LinkId, _: &'a str) -> Fut<'a, Result<(), LinkError>> {
        Box::pin(async move {
            let link = record::by_id::<Link>(self.0.store.as_ref(), id.as_u128()).await?;
            let link = link.ok_or(LinkError::NotFound)?;
            self.0.store.commit(Commit { writes: vec![link.remove()], events: Vec::new() }).await?;
            Ok(())
        })
    }
}

/// A check that believes the tokens it is told of.
#[derive(Default)]
pub(crate) struct Believes {
    name: Option<ServiceName>,
    pub(crate) tokens: Mutex<HashMap<String, Result<Claims, ProviderError>>>,
}

impl BearerCheck for Believes {
    fn service(&self) -> &ServiceName {
        self.name.as_ref().unwrap()
    }
    fn claims<'a>(&'a self, token: &'a SecretString) -> Fut<'a, Result<Claims, ProviderError>> {
        let found = self.tokens.lock().unwrap().get(token.expose_secret()).cloned();
        Box::pin(async move { found.unwrap_or_else(|| Err(ProviderError::Forged("signature".to_owned()))) })
    }
}

/// What the desk stands on.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: Arc<SeededEntropy>,
    pub(crate) passwords: Arc<Plain>,
    pub(crate) entra: Arc<Played>,
    pub(crate) dms: Arc<Played>,
    pub(crate) check: Arc<Believes>,
}

/// A desk and its world.
pub(crate) struct Desk {
    pub(crate) people: Arc<People>,
    /// Accounts in `dms-eu`, whose directory is `directory`, and in `dms-us`, whose directory is `us`.
    pub(crate) accounts: Arc<DmsAccounts>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) us: Arc<Directory>,
    pub(crate) world: Arc<World>,
}

impl std::ops::Deref for Desk {
    type Target = World;
    fn deref(&self) -> &World {
        &self.world
    }
}

pub(crate) fn service(name: &str) -> ServiceName {
    name.parse().unwrap()
}

pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

pub(crate) fn browser(agent: &str) -> Browser<'_> {
    Browser { agent, session: None }
}

/// Claims with an e-mail that is vouched for, by the issuer of `entra`.
pub(crate) fn claims(subject: &str, email: &str) -> Claims {
    Claims {
        issuer: "https://login.example/tenant".to_owned(),
        subject: subject.to_owned(),
        email: Some(email.to_owned()),
        email_verified: true,
        name: Some("Somebody".to_owned()),
    }
}

impl Desk {
    /// A desk in London and Leeds: `entra` to sign in with, `dms` to link; those of `harrow.example` become persons at once, those of
    /// `teal.example` wait.
    pub(crate) fn new() -> Self {
        let played = |name: &str| Arc::new(Played { name: Some(service(name)), ..Played::default() });
        let world = Arc::new(World {
            store: Arc::new(MemoryStore::new()),
            clock: Arc::new(ManualClock::at("2026-11-24T09:00:00Z")),
            entropy: Arc::new(SeededEntropy::new(3)),
            passwords: Arc::new(Plain::default()),
            entra: played("entra"),
            dms: played("dms"),
            check: Arc::new(Believes { name: Some(service("entra")), ..Believes::default() }),
        });
        let mut roles = Roles::default();
        let desk = Permissions::of(&[Permission::File, Permission::ManagePersons]);
        assert!(roles.define("desk".parse().unwrap(), desk));
        let rule = |domain: &str, status| DomainRule {
            domain: domain.to_owned(),
            sub_domains: false,
            site: "london".parse().unwrap(),
            role: "user".parse().unwrap(),
            status,
        };
        let linked = |name: &str, sign_in, links| LinkedService {
            name: service(name),
            title: name.to_uppercase(),
            kind: "openid".to_owned(),
            sign_in,
            links,
            fallback: Fallback::BackgroundOnly,
            when_unsure: postroom_domain::link::WhenUnsure::default(),
            available_to: Vec::new(),
            keep_alive: None,
            warn_before: Duration::ZERO,
        };
        let mut dms = linked("dms", Offer::Disabled, true);
        let team = |team: &str, required| AvailableTo { team: team.parse().unwrap(), required };
        dms.available_to = vec![team("everyone", false), team("litigation", true)];
        let providers: BTreeMap<ServiceName, Arc<dyn Provider>> = BTreeMap::from([
            (service("entra"), world.entra.clone() as Arc<dyn Provider>),
            (service("dms"), world.dms.clone() as Arc<dyn Provider>),
        ]);
        let people = Arc::new(People {
            store: Arc::new(Hesitant(world.store.clone())),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
            mint: Arc::new(IdMint::after(0)),
            roles,
            rules: vec![
                rule("harrow.example", Status::Active),
                rule("teal.example", Status::Pending),
                rule("gmail.com", Status::Active),
            ],
            services: vec![linked("entra", Offer::Visible, false), dms],
            providers,
            links: Arc::new(Keeper(world.clone())),
            bearer: vec![world.check.clone()],
            seals: Arc::new(Turned),
            passwords: world.passwords.clone(),
            limits: SessionLimits::default(),
            public_url: "https://postroom.example".to_owned(),
        });
        let (directory, us) = (Directory::new(true, true), Directory::new(true, false));
        let accounts = crate::directory::accounts(&people, &directory, &us);
        Self { people, accounts, directory, us, world }
    }

    /// Everything, everywhere.
    #[expect(clippy::unused_self, reason = "whoever asks the desk takes its administrator from it")]
    pub(crate) fn root(&self) -> Principal {
        People::local_administrator("london".parse().unwrap())
    }

    /// A person of a site, as the local administrator adds them.
    pub(crate) async fn add(&self, email: &str, role: &str, site: &str, status: Status) -> Person {
        let new = NewPerson {
            email: email.to_owned(),
            display_name: String::new(),
            roles: vec![role.parse().unwrap()],
            sites: Sites::one(site.parse().unwrap()),
            teams: Vec::new(),
            status,
        };
        self.people.add_person(&self.root(), new).await.unwrap()
    }

    /// An account at `dms` that is linked already: a person's, or the system account.
    pub(crate) async fn linked(&self, number: u128, person: Option<&Person>, state: LinkState) -> Link {
        let name = person.map_or_else(|| "svc".to_owned(), |person| person.name.clone());
        let now = self.clock.now();
        let link = Link {
            id: LinkId::from_u128(number),
            version: 1,
            service: service("dms"),
            person: person.map(|person| person.id),
            made_by: name.clone(),
            account: LinkedAccount { id: name.clone(), name, email: String::new() },
            state,
            access: Sealed(String::new()),
            access_ends: None,
            refresh: None,
            refresh_ends: None,
            generation: 1,
            scope: String::new(),
            linked: now,
            renewed: now,
        };
        let commit = Commit { writes: vec![link.put().unwrap()], events: Vec::new() };
        self.store.commit(commit).await.unwrap();
        link
    }

    /// An active one with a password, in with it.
    pub(crate) async fn member(&self, email: &str, role: &str, site: &str) -> NewSession {
        let person = self.add(email, role, site, Status::Active).await;
        let invitation = self.people.invite(&self.root(), person.id).await.unwrap();
        let url = invitation.url.expose_secret();
        let key = url.strip_prefix("https://postroom.example/auth/invitation/").unwrap();
        self.people.accept_invitation(key, secret("right"), browser("first")).await.unwrap()
    }

    /// Who is behind a session.
    pub(crate) async fn who(&self, session: &NewSession) -> SignedIn {
        self.people.session(session.secret.expose_secret()).await.unwrap().unwrap()
    }

    /// Sends a browser to a provider; what it keeps, and the state.
    pub(crate) async fn leave(&self, name: &str, errand: Errand<'_>, then: &str) -> (Begun, String) {
        let out = SettingOut { then, ..SettingOut::default() };
        let begun = self.people.begin(&service(name), errand, out).await.unwrap();
        let state = begun.location.rsplit_once("state=").unwrap().1.to_owned();
        (begun, state)
    }

    /// To the identity provider and back with these claims.
    pub(crate) async fn round(&self, code: &str, claims: Claims) -> Result<NewSession, NotLetIn> {
        self.entra.claims.lock().unwrap().insert(code.to_owned(), Ok(claims));
        let (begun, state) = self.leave("entra", Errand::SignIn, "/").await;
        match self.back("entra", &begun, &state, code, None).await? {
            CameBack::SignedIn { session, .. } => Ok(session),
            CameBack::Linked { .. } => panic!("it was a sign-in"),
        }
    }

    /// Comes back with a code.
    pub(crate) async fn back(
        &self,
        name: &str,
        begun: &Begun,
        state: &str,
        code: &str,
        signed_in: Option<&SignedIn>,
    ) -> Result<CameBack, NotLetIn> {
        let code = secret(code);
        let back = Return {
            state,
            code: Ok(&code),
            browser_secret: Some(begun.browser_secret.expose_secret()),
            browser: browser("Firefox"),
            signed_in,
        };
        self.people.come_back(&service(name), back).await
    }

    /// What the history tells after a number, in words: what happened, of whom, and the note.
    pub(crate) async fn told(&self, after: usize) -> Vec<String> {
        let line = |event: Event| match event.event.happening {
            Happening::Security { what } => {
                format!("{}: {} [{}]", event.event.actor.principal, what.words(), event.event.note)
            }
            other => format!("{other:?}"),
        };
        let events = self.store.events_after(0, 10_000).await.unwrap();
        events.into_iter().skip(after).map(line).collect()
    }

    /// How much has been told.
    pub(crate) async fn count(&self) -> usize {
        self.told(0).await.len()
    }

    /// A person as kept.
    pub(crate) async fn person(&self, person: &Person) -> Person {
        record::by_id(self.store.as_ref(), person.id.as_u128()).await.unwrap().unwrap()
    }

    /// All persons' names.
    pub(crate) async fn names(&self) -> Vec<String> {
        let all = record::page::<Person>(self.store.as_ref(), None, None, 1000).await.unwrap();
        all.into_iter().map(|it| it.name).collect()
    }
}
