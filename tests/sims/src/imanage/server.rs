//! The running server: its threads, what they share, and the handle that stops them.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use actix_web::web;
use tokio::sync::watch;

use super::access::Caller;
use super::auth::Auth;
use super::control::Control;
use super::error::{ApiError, Result};
use super::faults::Action;
use super::options::Options;
use super::routes::Route;
use super::state::State;
use super::stats::Counters;
use super::switches::{RetryAfter, Switches};
use super::{dispatch, ids};
use crate::common::clock::Time;
use crate::common::faults::Rules;
use crate::common::params::Params;
use crate::common::secrets::Secret;
use crate::common::threads::Threads;
use crate::common::throttle::{Bucket, retry_after};

/// What all server threads and the control share.
pub(super) struct Shared {
    state: Mutex<State>,
    auth: Mutex<Auth>,
    switches: RwLock<Arc<Switches>>,
    pub(super) rules: Rules<Action>,
    pub(super) stats: Counters,
    pub(super) keep_bytes: u64,
    bucket: Mutex<Bucket>,
    time: Time,
    transactions: AtomicU64,
    release: watch::Sender<u64>,
}

impl Shared {
    fn new(options: Options) -> Self {
        let mut state = State::new(options.customer_id, &options.mark_field);
        state.sow(&options.seed, (options.clock)());
        Self {
            state: Mutex::new(state),
            auth: Mutex::new(Auth::new(options.random_seed)),
            switches: RwLock::new(Arc::new(options.switches)),
            rules: Rules::new(options.random_seed),
            stats: Counters::default(),
            keep_bytes: options.keep_bytes,
            bucket: Mutex::new(Bucket::default()),
            time: Time::new(options.clock),
            transactions: AtomicU64::new(1),
            release: watch::Sender::new(0),
        }
    }

    /// The tenant. Take this lock before the one of [`Shared::auth`].
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn auth(&self) -> MutexGuard<'_, Auth> {
        self.auth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn switches(&self) -> Arc<Switches> {
        Arc::clone(&self.switches.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_switches(&self, switches: Switches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(switches);
    }

    pub(super) fn now(&self) -> i64 {
        self.time.now()
    }

    pub(super) fn advance(&self, ms: i64) {
        self.time.advance(ms);
    }

    /// Count a token request while it waits, if it is a refresh.
    pub(super) fn refreshing(&self, form: &[u8]) -> Option<Refreshing<'_>> {
        let form = Params::from_query(std::str::from_utf8(form).unwrap_or_default());
        (form.get("grant_type") == Some("refresh_token")).then(|| {
            let grant = self.auth().bank.enter(form.get("refresh_token").unwrap_or_default());
            Refreshing { shared: self, grant }
        })
    }

    pub(super) fn transaction(&self) -> u64 {
        self.transactions.fetch_add(1, Relaxed)
    }

    /// The tenant-wide limit.
    pub(super) fn admit(&self, now: i64) -> Result<()> {
        let Some(limit) = self.switches().throttle else { return Ok(()) };
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(&limit, now).map_err(|_| ApiError::new(429, "NRC_THROTTLED", "Too many requests"))
    }

    /// `Retry-After` of the tenant-wide limit.
    pub(super) fn retry_after(&self) -> Option<String> {
        let form = self.switches().throttle.map_or(RetryAfter::None, |t| t.retry_after);
        retry_after(form, 1, self.now())
    }

    /// Wait until control releases what hangs.
    pub(super) async fn released(&self) {
        let mut releases = self.release.subscribe();
        // an error means the server is gone, which is a release too
        let _ = releases.changed().await;
    }

    pub(super) fn release(&self) {
        self.release.send_modify(|n| *n += 1);
    }

    /// Perform an action that changes the tenant. `route` is the call that set it off.
    pub(super) fn apply(&self, action: &Action, route: Option<&Route>) -> bool {
        let now = self.now();
        match action {
            Action::ExpireTokens {} => self.auth().bank.expire_access(),
            Action::RevokeTokens {} => {
                self.auth().bank.revoke_of(None, now);
            }
            Action::CloseWorkspace { workspace } => return self.close(*workspace, true),
            Action::OpenWorkspace { workspace } => return self.close(*workspace, false),
            Action::MoveFolder { folder, to } => return self.state().move_folder(*folder, *to),
            Action::RenameFolder { folder, name } => {
                let mut state = self.state();
                let Some(container) = state.containers.get_mut(folder) else { return false };
                name.clone_into(&mut container.name);
            }
            Action::RemoveFolder { folder } => return self.state().remove_folder(*folder),
            Action::LockDocument { document, user } => {
                let in_path = || route?.ids.iter().rev().find_map(|id| ids::parse(id)).map(|id| id.number);
                let Some(number) = document.or_else(in_path) else { return false };
                return self.state().lock_document(number, user, now);
            }
            _ => return false,
        }
        true
    }

    fn close(&self, workspace: u64, closed: bool) -> bool {
        self.state().containers.get_mut(&workspace).map(|c| c.closed = closed).is_some()
    }

    /// A token without the OAuth dance.
    pub(super) fn issue(&self, user: &str) -> Option<String> {
        let caller = self.as_caller(user)?;
        Some(self.auth().issue(&caller, self.now()))
    }

    pub(super) fn issue_dialog(&self, user: &str) -> Option<String> {
        let caller = self.as_caller(user)?;
        Some(self.auth().issue_dialog(&caller))
    }

    fn as_caller(&self, user: &str) -> Option<Caller> {
        let user = user.to_uppercase();
        self.state().users.contains_key(&user).then(|| Caller { user, app: "control".into() })
    }
}

/// A refresh that waits for its answer.
pub(super) struct Refreshing<'a> {
    shared: &'a Shared,
    grant: u64,
}

impl Drop for Refreshing<'_> {
    fn drop(&mut self) {
        self.shared.auth().bank.leave(self.grant);
    }
}

/// Starts servers.
#[derive(Debug)]
pub struct Sim;

impl Sim {
    /// Bind 127.0.0.1 and serve on threads of its own; works with or without a runtime around it.
    pub fn start(options: Options) -> io::Result<SimHandle> {
        let listener = TcpListener::bind(("127.0.0.1", options.port))?;
        let workers = options.workers;
        let shared = Arc::new(Shared::new(options));
        let control = Control::new(Arc::clone(&shared));
        let data = web::Data::from(shared);
        let threads = Threads::start("sim-imanage", listener, workers, move |app| {
            app.app_data(data.clone()).default_service(web::to(dispatch::handle));
        })?;
        Ok(SimHandle { control, threads })
    }
}

/// A running server; dropping it stops the server.
#[derive(Debug)]
pub struct SimHandle {
    control: Control,
    threads: Threads,
}

impl SimHandle {
    /// Base URL, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.threads.address())
    }

    /// Base URL of the control routes.
    pub fn control_url(&self) -> String {
        format!("{}/_control", self.url())
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.threads.address().port()
    }

    /// The state, in process.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Every code, token, password and client secret there ever was.
    pub fn secrets(&self) -> Vec<Secret> {
        self.control.secrets()
    }

    /// Stop and wait for the threads; open connections are cut.
    pub fn stop(mut self) {
        self.end();
    }

    /// Wait until the server ends by itself.
    pub fn wait(mut self) -> io::Result<()> {
        self.threads.wait()
    }

    fn end(&mut self) {
        let Self { control, threads } = self;
        threads.stop(|| control.release());
    }
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        self.end();
    }
}
