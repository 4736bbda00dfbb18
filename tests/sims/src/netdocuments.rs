//! A fake NetDocuments: sign-in, tokens, and who one is. Documents come later.
//!
//! [`Sim::start`] with [`Options::sample`]; the web host and the API host of a region are one address here:
//! `{url}/neWeb2/OAuth.aspx`, `{url}/v1/OAuth`, `{url}/v1/User/info`, `{url}/v1/User/cabinets`. Paths match in any
//! letters. Answers are XML unless `Accept: application/json` asks for JSON, and numbers are text.
//!
//! Applications: [`APP`] with the secret `postroom-netdocuments-secret`, by form or `Authorization: Basic`. As a service
//! account: `{APP}|{REPOSITORY}` with the same secret and `grant_type=client_credentials`; it acts as
//! [`Switches::service_account`], and without one its tokens work, but see nothing.
//!
//! A browser gets a page with a button for each person; `sim_person={id or e-mail}` in the query, or
//! [`Switches::approve_as`], clicks for them. Faults go on `authorize`, `page`, `token`, `user_info`, `cabinets`.
//! Control over HTTP as in [`crate::openid`], without its keys and `mint`.
//!
//! What the public sources leave open is a field of [`Switches`], marked "inferred" there. Sources: the certified
//! connector NetDocuments publishes (microsoft/PowerPlatformConnectors) and open-source clients.

mod calls;
mod serve;
mod switches;

use std::io;

pub use crate::common::authorize::{Consent, StateEcho};
pub use crate::common::bank::{Replay, Reuse};
pub use crate::common::faults::{Fire, Pattern};
pub use crate::common::mischief::NoFlaw;
pub use crate::common::options::App;
pub use crate::common::secrets::{Secret, SecretKind};
pub use crate::common::stats::Stats;
pub use crate::common::token_stats::{GrantStats, TokenEvent, TokenEventKind, TokenStats};
pub use crate::common::wire::{RefreshTokens, TokenError};
pub use serve::{APP, NetDocuments, REPOSITORY};
pub use switches::{Person, Switches};

/// What it starts with.
pub type Options = crate::common::options::Options<NetDocuments>;
/// A running server; dropping it stops it.
pub type SimHandle = crate::common::sim::SimHandle<NetDocuments>;
/// Access to a running server's state.
pub type Control = crate::common::control::Control<NetDocuments>;
/// What a fault does.
pub type Action = crate::common::mischief::Action<NoFlaw>;
/// A scripted fault.
pub type Rule = crate::common::faults::Rule<Action>;

/// Starts servers.
#[derive(Debug)]
pub struct Sim;

impl Sim {
    /// Bind 127.0.0.1 and serve on threads of its own; works with or without a runtime around it.
    pub fn start(options: Options) -> io::Result<SimHandle> {
        crate::common::sim::start(options)
    }
}
