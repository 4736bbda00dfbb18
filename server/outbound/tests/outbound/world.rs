//! A provider of ours to play with, services over it, and a keeper over a store that fails on demand.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use postroom_domain::Fut;
use postroom_domain::ids::{IdMint, PersonId, ServiceName};
use postroom_domain::link::{Link, LinkKeeper as _, LinkListener, NewLink, Place, Sealed, Whose};
use postroom_domain::people::{Person, Status};
use postroom_domain::person::Sites;
use postroom_domain::record::{Commit, Kept, Kind, Record, Registry};
use postroom_domain::sealing::{SealError, Seals};
use postroom_domain::sign_in::{Arrival, Claims, Departure, Grant, Provider, ProviderError};
use postroom_domain::store::{StoreError, StoreResult};
use postroom_domain::testing::{ManualClock, SeededEntropy};
use postroom_domain::time::Clock;
use postroom_outbound::{SecretString, ServiceSettings, Services, TokenKeeper, expose};
use postroom_sims::openid::{Control, Options, Sim, SimHandle};
use postroom_store::MemoryStore;
use serde_json::{Value, json};

pub(crate) const BACK: &str = "http://localhost:9/auth/callback";
pub(crate) const NOW: &str = "2026-02-25T06:13:20Z";
const START: i64 = 1_772_000_000_000;
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Binds a secret to its place, readably: what is sealed where is the vault's business, that it opens only there is checked.
pub(crate) struct OpenSeals;

impl Seals for OpenSeals {
    fn seal(&self, place: Place<'_>, secret: &SecretString) -> Result<Sealed, SealError> {
        Ok(Sealed(format!("{}/{}/{}={}", place.table, place.id, place.field, expose(secret))))
    }
    fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<SecretString, SealError> {
        let front = format!("{}/{}/{}=", place.table, place.id, place.field);
        sealed.0.strip_prefix(&front).map(SecretString::from).ok_or(SealError::DoesNotOpen)
    }
    fn key_of(&self, _: &Sealed) -> Option<u32> {
        Some(1)
    }
    fn current_key(&self) -> u32 {
        1
    }
    fn code(&self, _: &str, _: &str) -> [u8; 32] {
        [0; 32]
    }
}

/// A store whose commits can be made to fail before they happen.
pub(crate) struct Frail {
    store: MemoryStore,
    pub(crate) fails: AtomicBool,
    pub(crate) happened: Mutex<Vec<String>>,
}

impl Registry for Frail {
    fn commit(&self, commit: Commit) -> Fut<'_, StoreResult<()>> {
        Box::pin(async move {
            if self.fails.load(Ordering::SeqCst) {
                return Err(StoreError::Fatal("pulled out".to_owned()));
            }
            let told: Vec<_> = commit.events.iter().map(|it| format!("{:?}", it.happening)).collect();
            self.store.commit(commit).await?;
            self.happened.lock().unwrap().extend(told);
            Ok(())
        })
    }
    fn record_by_id(&self, kind: Kind, id: u128) -> Fut<'_, StoreResult<Option<Record>>> {
        self.store.record_by_id(kind, id)
    }
    fn record_by_key<'a>(&'a self, kind: Kind, key: &'a str) -> Fut<'a, StoreResult<Option<Record>>> {
        self.store.record_by_key(kind, key)
    }
    fn records<'a>(
        &'a self,
        kind: Kind,
        group: Option<&'a str>,
        after: Option<u128>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Record>>> {
        self.store.records(kind, group, after, limit)
    }
}

#[derive(Default)]
pub(crate) struct Ear(pub(crate) AtomicUsize);

impl LinkListener for Ear {
    fn account_changed(&self, _: &ServiceName, _: Whose<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) struct World {
    pub(crate) sim: SimHandle,
    pub(crate) control: Control,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) services: Services,
    pub(crate) store: Arc<Frail>,
    pub(crate) keeper: TokenKeeper,
    pub(crate) ear: Arc<Ear>,
    pub(crate) service: ServiceName,
}

pub(crate) fn service(settings: Value, clock: &Arc<ManualClock>) -> Services {
    postroom_outbound::install_crypto();
    let settings: ServiceSettings = serde_json::from_value(settings).unwrap();
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Services::new(&[settings], &clock).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| json!({}))
    }

    /// At the sample tenant of the simulated Entra ID.
    pub(crate) fn entra() -> Self {
        Self::with(|sim| {
            json!({
                "kind": "entra", "issuer": null, "base_url": sim.url(), "tenant": postroom_sims::openid::TENANT,
                "client_id": postroom_sims::openid::ENTRA_APP, "client_secret": "postroom-entra-secret",
                "addin_scope": "Filing.ReadWrite",
            })
        })
    }

    fn with(more: impl FnOnce(&SimHandle) -> Value) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        assert_eq!(clock.now().as_millisecond(), START);
        let theirs = Arc::clone(&clock);
        let sim = Sim::start(Options::sample().with_clock(move || theirs.now().as_millisecond())).unwrap();
        let mut settings = json!({
            "name": "login", "kind": "openid", "issuer": sim.issuer(), "client_id": "postroom",
            "client_secret": "postroom-openid-secret", "sign_in": "visible", "links": true,
            "keep_alive_days": 7, "connection": { "proxy": "none", "first_byte_seconds": 2.0 },
        });
        settings.as_object_mut().unwrap().extend(more(&sim).as_object().unwrap().clone());
        let services = service(settings, &clock);
        let store = Arc::new(Frail {
            store: MemoryStore::new(),
            fails: AtomicBool::new(false),
            happened: Mutex::default(),
        });
        let keeper = keeper(&store, &services, &clock);
        let ear = Arc::new(Ear::default());
        keeper.tell(Arc::<Ear>::clone(&ear));
        let service = "login".parse().unwrap();
        Self { control: sim.control(), sim, clock, services, store, keeper, ear, service }
    }

    pub(crate) fn provider(&self) -> Arc<dyn Provider> {
        self.services.providers().remove(0)
    }

    /// A keeper as after a restart.
    pub(crate) fn restarted(&self) -> TokenKeeper {
        keeper(&self.store, &self.services, &self.clock)
    }

    pub(crate) async fn code(&self, person: &str) -> SecretString {
        self.control.update_switches(|s| s.approve_as = Some(person.into()));
        let verifier = SecretString::from(VERIFIER);
        let departure = Departure {
            redirect: BACK,
            state: "s",
            nonce: "n",
            verifier: &verifier,
            hint: None,
            small: false,
            link: true,
        };
        let address = self.provider().departure(departure).await.unwrap();
        code_at(&address).await
    }

    pub(crate) async fn sign_in(&self, person: &str) -> Result<Claims, ProviderError> {
        let (code, verifier) = (self.code(person).await, SecretString::from(VERIFIER));
        let arrival = Arrival { code: &code, redirect: BACK, nonce: "n", verifier: &verifier };
        self.provider().claims(arrival).await
    }

    pub(crate) async fn person(&self, number: u128, name: &str) -> PersonId {
        let person = Person {
            id: PersonId::from_u128(number),
            version: 1,
            name: name.into(),
            display_name: name.into(),
            email: name.into(),
            status: Status::Active,
            roles: Vec::new(),
            sites: Sites::one("main".parse().unwrap()),
            teams: Vec::new(),
            identities: Vec::new(),
            password: None,
            refusals: postroom_domain::people::Refusals::default(),
            created: self.clock.now(),
            last_sign_in: None,
        };
        let commit = Commit { writes: vec![person.put().unwrap()], events: Vec::new() };
        self.store.commit(commit).await.unwrap();
        person.id
    }

    pub(crate) async fn new_link(&self, person: Option<PersonId>, account: &str) -> NewLink {
        let (code, verifier) = (self.code(account).await, SecretString::from(VERIFIER));
        let arrival = Arrival { code: &code, redirect: BACK, nonce: "n", verifier: &verifier };
        let (account, grant): (_, Grant) = self.provider().grant(arrival).await.unwrap();
        let service = self.service.clone();
        NewLink { service, person, made_by: "admin".into(), account, grant, ask: false }
    }

    /// A person with a linked account.
    pub(crate) async fn linked(&self, number: u128, account: &str) -> Link {
        let person = self.person(number, account).await;
        self.keeper.link(self.new_link(Some(person), account).await).await.unwrap()
    }

    pub(crate) async fn link(&self, link: &Link) -> Link {
        Link::read(&self.store.record_by_id(Kind::Link, link.id.as_u128()).await.unwrap().unwrap()).unwrap()
    }

    pub(crate) fn happened(&self, what: &str) -> usize {
        self.store.happened.lock().unwrap().iter().filter(|it| it.contains(what)).count()
    }
}

fn keeper(store: &Arc<Frail>, services: &Services, clock: &Arc<ManualClock>) -> TokenKeeper {
    let entropy = Arc::new(SeededEntropy::new(7));
    let (store, clock) = (Arc::<Frail>::clone(store), Arc::<ManualClock>::clone(clock));
    TokenKeeper::new(store, Arc::new(OpenSeals), services.clone(), clock, entropy, Arc::new(IdMint::after(0)))
}

/// The code that a browser comes back with.
pub(crate) async fn code_at(address: &str) -> SecretString {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let answer = client.build().unwrap().get(address).send().await.unwrap();
    let back = answer.headers().get("location").unwrap().to_str().unwrap();
    let back: reqwest::Url = back.parse().unwrap();
    let code = back.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
    code.into()
}
