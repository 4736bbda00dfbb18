//! Control from the same process: look into an OAuth simulator, change it, break it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::Value;

use super::core::{Account, Core, Serve, Vendor};
use super::faults::Rule;
use super::mischief::Action;
use super::options::App;
use super::secrets::Secret;
use super::stats::Stats;
use super::token_stats::{GrantStats, TokenEvent};

/// Access to a running simulator's state. Cheap to clone.
pub struct Control<V: Vendor> {
    pub(crate) core: Arc<Core<V>>,
}

impl<V: Vendor> Clone for Control<V> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<V: Vendor> fmt::Debug for Control<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

#[expect(private_bounds, reason = "only this crate makes simulators")]
impl<V: Serve> Control<V> {
    /// The switches in force.
    pub fn switches(&self) -> V::Switches {
        V::Switches::clone(&self.core.switches())
    }

    /// Replace all switches.
    pub fn set_switches(&self, switches: V::Switches) {
        self.core.set_switches(switches);
    }

    /// Change some switches.
    pub fn update_switches(&self, change: impl FnOnce(&mut V::Switches)) {
        let mut switches = self.switches();
        change(&mut switches);
        self.set_switches(switches);
    }

    /// Change the switches named in a JSON object.
    pub fn patch_switches(&self, patch: &Value) -> Result<(), serde_json::Error> {
        let mut whole = serde_json::to_value(self.switches())?;
        if let (Value::Object(whole), Value::Object(patch)) = (&mut whole, patch) {
            whole.extend(patch.clone());
        }
        self.set_switches(serde_json::from_value(whole)?);
        Ok(())
    }

    /// Everybody who can sign in, or once could.
    pub fn people(&self) -> Vec<V::Person> {
        self.core.world().people.clone()
    }

    /// Add somebody, or replace the one with that id.
    pub fn put_person(&self, person: V::Person) {
        let mut world = self.core.world();
        match world.people.iter_mut().find(|p| p.id() == person.id()) {
            Some(known) => *known = person,
            None => world.people.push(person),
        }
    }

    /// Change somebody, found by id or mail address; false if there is nobody.
    pub fn update_person(&self, who: &str, change: impl FnOnce(&mut V::Person)) -> bool {
        let mut world = self.core.world();
        let Some(id) = world.find(who).map(|p| p.id().to_owned()) else { return false };
        world.people.iter_mut().find(|p| p.id() == id).map(change).is_some()
    }

    /// Registered applications.
    pub fn apps(&self) -> Vec<App> {
        self.core.world().apps.clone()
    }

    /// Register an application, or change the one with that id. Its old secret stays among the secrets.
    pub fn put_app(&self, app: App) {
        // notes the secrets of now
        self.core.secrets();
        let mut world = self.core.world();
        world.apps.retain(|a| a.id != app.id);
        world.apps.push(app);
    }

    /// Add a fault; gives its id.
    pub fn add_fault(&self, rule: Rule<Action<V::Flaw>>) -> u64 {
        self.core.rules.add(rule)
    }

    /// The faults, each with how often it matched and fired.
    #[expect(clippy::type_complexity, reason = "a rule and two counts, as the iManage simulator gives them")]
    pub fn faults(&self) -> Vec<(Rule<Action<V::Flaw>>, u64, u64)> {
        self.core.rules.list()
    }

    /// Remove one fault.
    pub fn remove_fault(&self, id: u64) {
        self.core.rules.remove(Some(id));
    }

    /// Remove all faults.
    pub fn clear_faults(&self) {
        self.core.rules.remove(None);
    }

    /// Let everything that hangs continue.
    pub fn release(&self) {
        self.core.release();
    }

    /// Milliseconds since 1970 by the simulator's clock.
    pub fn now(&self) -> i64 {
        self.core.now()
    }

    /// Move the simulator's time on; a negative number moves it back.
    pub fn advance(&self, ms: i64) {
        self.core.time.advance(ms);
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        Stats {
            calls: self.core.calls.read(),
            faults: self.core.faults.load(Relaxed),
            tokens: self.core.bank().stats(),
        }
    }

    /// Set the counters back.
    pub fn reset_stats(&self) {
        self.core.calls.reset();
        self.core.faults.store(0, Relaxed);
        self.core.bank().reset_stats();
    }

    /// What happened to codes and tokens, in order.
    pub fn token_events(&self) -> Vec<TokenEvent> {
        self.core.bank().events()
    }

    /// What became of each approval: refreshes, most at once, tokens presented after revocation.
    pub fn grants(&self) -> Vec<GrantStats> {
        self.core.bank().grants()
    }

    /// Every code, token and client secret there ever was.
    pub fn secrets(&self) -> Vec<Secret> {
        self.core.secrets()
    }

    /// Let all access tokens expire; refresh tokens stay.
    pub fn expire_access_tokens(&self) {
        self.core.bank().expire_access();
    }

    /// End everything that a person (id or mail address) has granted; gives how many grants that were.
    pub fn revoke(&self, person: &str) -> usize {
        self.core.revoke(Some(person))
    }

    /// End everybody's grants.
    pub fn revoke_all(&self) -> usize {
        self.core.revoke(None)
    }
}
