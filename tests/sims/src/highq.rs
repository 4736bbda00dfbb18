//! A fake HighQ instance: sign-in, tokens, and who one is. Sites' content comes later.
//!
//! [`Sim::start`] with [`Options::sample`]; [`SimHandle::url`] is the instance's base, application name included
//! (`http://127.0.0.1:40123/firm`): `{base}/authorize.action`, `{base}/api/oauth2/token`, `{base}/api/{version}/sites`.
//! No call that tells who one is is documented; the token answer does, with `useremail`, and `sites` proves that a token
//! works. Numbers are text. Answers of the API are XML unless `Accept: application/json` asks for JSON.
//!
//! Application: [`APP`] with the secret `postroom-highq-secret`; client ids are integers, registered per instance. One
//! without redirect addresses may return anywhere. There are no scopes, and no grant for programs.
//!
//! A browser gets a page with a button for each person, then `Allow` and `Deny` once. Whoever is signed in in the browser
//! is taken silently ([`Switches::session_wins`]). `sim_person={id or e-mail}` in the query, or [`Switches::approve_as`],
//! clicks for a person. Faults go on `authorize`, `page`, `token`, `sites`. Control over HTTP as in [`crate::openid`],
//! without its keys and `mint`.
//!
//! What the public sources leave open is a field of [`Switches`], marked "inferred" there. Sources: the developer portal
//! of Thomson Reuters and open-source clients.

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
pub use serve::{APP, HighQ};
pub use switches::{Person, Switches};

/// What it starts with.
pub type Options = crate::common::options::Options<HighQ>;
/// A running instance; dropping it stops it.
pub type SimHandle = crate::common::sim::SimHandle<HighQ>;
/// Access to a running instance's state.
pub type Control = crate::common::control::Control<HighQ>;
/// What a fault does.
pub type Action = crate::common::mischief::Action<NoFlaw>;
/// A scripted fault.
pub type Rule = crate::common::faults::Rule<Action>;

/// Starts instances.
#[derive(Debug)]
pub struct Sim;

impl Sim {
    /// Bind 127.0.0.1 and serve on threads of its own; works with or without a runtime around it.
    pub fn start(options: Options) -> io::Result<SimHandle> {
        crate::common::sim::start(options)
    }
}
