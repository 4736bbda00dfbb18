//! What all threads of an OAuth simulator and its control share.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use actix_web::HttpRequest;
use actix_web::web::Payload;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

use super::answer::Answer;
use super::authorize::{AuthRequest, Policy};
use super::bank::{Bank, Limits};
use super::clock::Time;
use super::faults::Rules;
use super::mischief::Action;
use super::options::{App, Options};
use super::request::Request;
use super::secrets::{Secret, SecretKind};
use super::stats::Calls;

/// Somebody who can sign in.
pub trait Account {
    /// Id that never changes.
    fn id(&self) -> &str;
    /// Name for people.
    fn name(&self) -> &str;
    /// Mail address, empty if none.
    fn email(&self) -> &str;
    /// Whether sign-in is allowed.
    fn may_sign_in(&self) -> bool;
}

/// The types an OAuth simulator is made of.
pub trait Vendor: Clone + Debug + Send + Sync + 'static {
    /// Behaviour that can be changed while it runs.
    type Switches: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// What it can get wrong in its answers.
    type Flaw: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// Somebody who can sign in.
    type Person: Account + Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;
}

/// What an OAuth simulator does.
pub(crate) trait Serve: Vendor {
    /// Name of its threads and of its cookie.
    const NAME: &'static str;
    /// First letters of its tokens.
    const PREFIX: &'static str;
    /// Path below which it lives; empty or starting with a slash.
    const ROOT: &'static str = "";

    fn sample() -> Options<Self>;
    /// Name of the operation, for statistics and rules.
    fn operation(request: &Request) -> &'static str;
    fn answer(core: &Core<Self>, call: &Call<'_, Self>) -> Answer;
    /// A call comes in, before anything else happens to it. What is given is held until the answer is made; an answer is one that
    /// the call gets at the door.
    fn enter(_core: &Core<Self>, _request: &Request) -> Result<Box<dyn Any>, Answer> {
        Ok(Box::new(()))
    }
    /// Whether a call's body is a document, which [`Serve::receive`] reads as it comes.
    fn streams(_request: &Request) -> bool {
        false
    }
    /// Answers a call whose body is a document; none ends the connection.
    fn receive<'a>(
        _core: &'a Core<Self>,
        _call: Call<'a, Self>,
        _req: &'a HttpRequest,
        _payload: Payload,
    ) -> LocalBoxFuture<'a, Option<Answer>> {
        Box::pin(async { Some(Answer::not_found()) })
    }
    fn limits(switches: &Self::Switches) -> Limits;
    fn policy(switches: &Self::Switches) -> Policy;
    /// What it tells the browser besides code and state.
    fn along(_core: &Core<Self>, _request: &AuthRequest, _flaws: &[Self::Flaw]) -> Vec<(String, String)> {
        Vec::new()
    }
    /// How far its clock is off, in milliseconds.
    fn skew_ms(_switches: &Self::Switches) -> i64 {
        0
    }
    /// Control routes of its own.
    fn control(
        _core: &Arc<Core<Self>>,
        _method: &str,
        _path: &str,
        _body: &[u8],
    ) -> Option<Result<Value, String>> {
        None
    }
}

/// One call on its way through a handler.
pub(crate) struct Call<'a, V: Vendor> {
    pub(crate) request: &'a Request,
    pub(crate) switches: &'a V::Switches,
    pub(crate) flaws: &'a [V::Flaw],
    /// Milliseconds since 1970, by the simulator's clock.
    pub(crate) now: i64,
}

impl<V: Vendor> Call<'_, V> {
    pub(crate) fn has(&self, flaw: &V::Flaw) -> bool {
        self.flaws.contains(flaw)
    }
}

/// Records of a simulator.
#[derive(Debug)]
pub(crate) struct World<V: Vendor> {
    pub(crate) people: Vec<V::Person>,
    pub(crate) apps: Vec<App>,
    /// Person by session cookie.
    pub(crate) sessions: HashMap<String, String>,
    /// Requests whose page a person is looking at.
    pub(crate) pending: HashMap<String, AuthRequest>,
    /// Person and application that the person has allowed.
    pub(crate) consented: HashSet<(String, String)>,
    pub(crate) vendor: V,
}

impl<V: Vendor> World<V> {
    /// Somebody by id or mail address, letters ignored.
    pub(crate) fn find(&self, text: &str) -> Option<&V::Person> {
        let by_id = self.people.iter().find(|p| p.id().eq_ignore_ascii_case(text));
        by_id.or_else(|| self.people.iter().find(|p| p.email().eq_ignore_ascii_case(text)))
    }

    pub(crate) fn app(&self, id: &str) -> Option<&App> {
        self.apps.iter().find(|a| a.id == id)
    }
}

pub(crate) struct Core<V: Vendor> {
    world: Mutex<World<V>>,
    bank: Mutex<Bank>,
    switches: RwLock<Arc<V::Switches>>,
    pub(crate) rules: Rules<Action<V::Flaw>>,
    pub(crate) calls: Calls,
    pub(crate) faults: AtomicU64,
    pub(crate) time: Time,
    /// Address without a trailing slash and without [`Serve::ROOT`].
    pub(crate) base: String,
    release: watch::Sender<u64>,
}

impl<V: Serve> Core<V> {
    pub(crate) fn new(options: Options<V>, own_address: String) -> Self {
        let world = World {
            people: options.people,
            apps: options.apps,
            sessions: HashMap::new(),
            pending: HashMap::new(),
            consented: HashSet::new(),
            vendor: options.vendor,
        };
        Self {
            world: Mutex::new(world),
            bank: Mutex::new(Bank::new(V::PREFIX, options.random_seed)),
            switches: RwLock::new(Arc::new(options.switches)),
            rules: Rules::new(options.random_seed),
            calls: Calls::default(),
            faults: AtomicU64::new(0),
            time: Time::new(options.clock),
            base: options.public_url.unwrap_or(own_address),
            release: watch::Sender::new(0),
        }
    }

    /// The records. Take this lock before the one of [`Core::bank`].
    pub(crate) fn world(&self) -> MutexGuard<'_, World<V>> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bank(&self) -> MutexGuard<'_, Bank> {
        self.bank.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn switches(&self) -> Arc<V::Switches> {
        Arc::clone(&self.switches.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_switches(&self, switches: V::Switches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(switches);
    }

    /// The simulator's own idea of the time.
    pub(crate) fn now(&self) -> i64 {
        self.time.now() + V::skew_ms(&self.switches())
    }

    pub(crate) fn fault(&self, fired: u64) {
        self.faults.fetch_add(fired, Relaxed);
    }

    /// End grants of a person (id or mail address), or of everybody.
    pub(crate) fn revoke(&self, person: Option<&str>) -> usize {
        let id =
            person.map(|text| self.world().find(text).map_or_else(|| text.to_owned(), |p| p.id().to_owned()));
        self.bank().revoke_of(id.as_deref(), self.now())
    }

    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let world = self.world();
        let mut bank = self.bank();
        for secret in world.apps.iter().filter_map(|a| a.secret.as_deref()) {
            bank.secrets.note(SecretKind::ClientSecret, secret);
        }
        bank.secrets()
    }

    /// Wait until control releases what hangs.
    pub(crate) async fn released(&self) {
        let mut releases = self.release.subscribe();
        // an error means the server is gone, which is a release too
        let _ = releases.changed().await;
    }

    pub(crate) fn release(&self) {
        self.release.send_modify(|n| *n += 1);
    }
}
