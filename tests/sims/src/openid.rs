//! A fake OpenID Connect provider, which is also a fake Microsoft Entra ID: sign-in and consent pages, keys that
//! rotate, tokens that lie on demand.
//!
//! ```no_run
//! use postroom_sims::openid::{Action, Fire, Flaw, Options, Rule, Sim};
//!
//! let sim = Sim::start(Options::sample())?;
//! let (issuer, control) = (sim.issuer(), sim.control());
//! control.update_switches(|s| s.approve_as = Some("m.patel@firm.example".into()));
//! control.add_fault(Rule::on("token", Action::Flaw { flaw: Flaw::AlgNone }).fire(Fire::First(1)));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! **Two providers in one.** [`SimHandle::issuer`] is a plain provider: `/authorize`, `/token`, `/keys`, `/userinfo`,
//! `/logout`, `/revoke`. [`SimHandle::entra_issuer`] has the addresses, claims and access tokens of Entra ID's version
//! 2.0 endpoint: `{base}/{tid}/v2.0`, claims `tid`, `oid`, `preferred_username` and a `sub` that differs per
//! application, no `email_verified`, access tokens that are JWTs. `common`, `organizations` and `consumers` are taken
//! for the tenant; their discovery names the issuer with `{tenantid}` in it, as Microsoft's does.
//!
//! **Who signs in.** A browser gets a page with a button `{name} ({email})` for each person, then one with `Allow` and
//! `Deny`. `login_hint` puts its person first. Without a browser: `sim_person={id or e-mail}` in the query of the
//! authorize address, or [`Switches::approve_as`], clicks through both.
//!
//! **What goes wrong.** Behaviour that lasts is in [`Switches`]; what a call does wrong is a [`Rule`] on one of the
//! operations `discovery`, `keys`, `authorize`, `page` (the posts of the pages), `token`, `userinfo`, `end_session`,
//! `revoke`: any [`Action`] (HTML instead of JSON, a status, a delay, a lost answer …), or [`Action::Flaw`] for a
//! [`Flaw`] of its own. Keys: [`Control::rotate_keys`], [`Control::retire_keys`].
//!
//! **Control over HTTP** (JSON, below [`SimHandle::control_url`]): `GET stats`, `POST stats/reset`, `GET tokens`
//! (events), `GET grants`, `GET secrets`, `GET|PATCH switches`, `GET|POST|DELETE faults`, `GET|POST people`,
//! `GET|POST apps`, `GET|POST clock` (`{"advance_ms":…}`), `POST expire`, `POST revoke` (`{"person":…}`),
//! `POST release`, `POST keys/rotate`, `POST keys/retire`, `POST mint` ([`Mint`] → `{"access_token":…}`).
//!
//! **Sample applications** ([`Options::sample`]): `postroom` with the secret `postroom-openid-secret`,
//! [`ENTRA_APP`] with `postroom-entra-secret`, [`ADDIN_APP`] without one. Sources: OpenID Connect Core and Discovery,
//! RFC 6749, 7636, 9207, and Microsoft's identity platform reference.

mod claims;
mod control;
mod discovery;
mod endpoints;
mod flaws;
mod keys;
mod sample;
mod serve;
mod switches;

use std::io;

pub use crate::common::authorize::{Consent, StateEcho};
pub use crate::common::bank::{Replay, Reuse};
pub use crate::common::faults::{Fire, Pattern};
pub use crate::common::options::App;
pub use crate::common::secrets::{Secret, SecretKind};
pub use crate::common::stats::Stats;
pub use crate::common::token_stats::{GrantStats, TokenEvent, TokenEventKind, TokenStats};
pub use crate::common::wire::{RefreshTokens, TokenError};
pub use control::Mint;
pub use flaws::Flaw;
pub use keys::OpenId;
pub use sample::{ADDIN_APP, ENTRA_APP, TENANT};
pub use switches::{AccessTokens, Algorithm, ClientAuth, Person, Switches};

/// What it starts with.
pub type Options = crate::common::options::Options<OpenId>;
/// A running provider; dropping it stops the server.
pub type SimHandle = crate::common::sim::SimHandle<OpenId>;
/// Access to a running provider's state.
pub type Control = crate::common::control::Control<OpenId>;
/// What a fault does.
pub type Action = crate::common::mischief::Action<Flaw>;
/// A scripted fault.
pub type Rule = crate::common::faults::Rule<Action>;

/// Starts providers.
#[derive(Debug)]
pub struct Sim;

impl Sim {
    /// Bind 127.0.0.1 and serve on threads of its own; works with or without a runtime around it.
    pub fn start(options: Options) -> io::Result<SimHandle> {
        crate::common::sim::start(options)
    }
}

impl SimHandle {
    /// Issuer of the plain provider: the base address itself.
    pub fn issuer(&self) -> String {
        self.url().to_owned()
    }

    /// Issuer of the tenant, as in Entra ID's version 2.0 tokens.
    pub fn entra_issuer(&self) -> String {
        format!("{}/{}/v2.0", self.url(), self.control().switches().tenant)
    }
}
