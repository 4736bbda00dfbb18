//! What an OAuth simulator starts with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::clock::{ClockMs, system_clock};
use super::core::{Serve, Vendor};

/// A registered application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct App {
    /// Client id.
    pub id: String,
    /// Client secret; none for a public client, which must use PKCE.
    pub secret: Option<String>,
    /// Redirect URLs; a trailing `*` accepts every continuation, which no real server does.
    pub redirect_uris: Vec<String>,
    /// Switched off by the administrator.
    pub disabled: bool,
}

impl App {
    /// Whether the browser may be sent there.
    pub(crate) fn may_return_to(&self, address: &str) -> bool {
        let fits = |registered: &String| match registered.strip_suffix('*') {
            Some(start) => address.starts_with(start),
            None => registered == address,
        };
        self.redirect_uris.iter().any(fits)
    }
}

/// Redirect URLs of the sample applications: this machine, and Postroom at its documented address.
pub(crate) fn sample_redirects() -> Vec<String> {
    [
        "http://127.0.0.1:*",
        "http://localhost:*",
        "https://localhost:*",
        "https://127.0.0.1:*",
        "https://postroom.example/*",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Settings fixed at the start.
#[derive(Clone)]
pub struct Options<V: Vendor> {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Server threads.
    pub workers: usize,
    /// Address the simulator is known by, without a trailing slash; its own if none.
    pub public_url: Option<String>,
    /// Time.
    pub clock: ClockMs,
    /// Seed of codes and tokens and of faults that fire by chance.
    pub random_seed: u64,
    /// Who can sign in; can be changed later.
    pub people: Vec<V::Person>,
    /// Registered applications; can be changed later.
    pub apps: Vec<App>,
    /// Behaviour; can be changed later.
    pub switches: V::Switches,
    /// What else the simulator holds.
    pub vendor: V,
}

impl<V: Vendor> Options<V> {
    pub(crate) fn of(people: Vec<V::Person>, apps: Vec<App>, vendor: V) -> Self {
        Self {
            port: 0,
            workers: 2,
            public_url: None,
            clock: system_clock(),
            random_seed: 0x1A2B_3C4D,
            people,
            apps,
            switches: V::Switches::default(),
            vendor,
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with other switches.
    #[must_use]
    pub fn with_switches(mut self, switches: V::Switches) -> Self {
        self.switches = switches;
        self
    }
}

#[expect(private_bounds, reason = "only this crate makes simulators")]
impl<V: Serve> Options<V> {
    /// The sample firm.
    pub fn sample() -> Self {
        V::sample()
    }
}
