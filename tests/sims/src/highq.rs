//! A fake HighQ instance: sign-in and tokens, and sites with folders, files, iSheets, users and tasks as far as the public
//! sources tell of them.
//!
//! [`Sim::start`] with [`Options::sample`]; [`SimHandle::url`] is the instance's base, application name included
//! (`http://127.0.0.1:40123/firm`): `{base}/authorize.action`, `{base}/api/oauth2/token`, `{base}/api/{version}/…`.
//! No call that tells who one is is documented; the token answer does, with `useremail`. Numbers are text. Answers are XML
//! unless `Accept: application/json` asks for JSON, in which a list of one is no list and some strings keep CDATA marks.
//!
//! Application: [`APP`] with the secret `postroom-highq-secret`; client ids are integers, registered per instance. One
//! without redirect addresses may return anywhere. There are no scopes, and no grant for programs.
//!
//! A browser gets a page with a button for each person, then `Allow` and `Deny` once. Whoever is signed in in the browser
//! is taken silently ([`Switches::session_wins`]). `sim_person={id or e-mail}` in the query, or [`Switches::approve_as`],
//! clicks for a person.
//!
//! The sample: [`HARROW`] (`Harrow v Teal`, client 10442, matter 0007) with the folders [`CORRESPONDENCE`], `Pleadings` and a
//! smart folder [`SMART`], and a metadata iSheet; an archived site, a restricted one, two of one name, and site 12.
//!
//! Faults go on operations such as `token`, `sites`, `upload`, `files` (the statistics list them); [`Flaw`]s change the
//! instance under a call. Control over HTTP as in [`crate::openid`], without its keys and `mint`, and with `ledger`,
//! `sites`, `folders`, `sheets`, `seed`, `flaw`, `invited`, `webhook` and `notifications`.
//!
//! What the public sources leave open is a field of [`Switches`], marked "inferred" there. Sources: the developer portal
//! of Thomson Reuters and open-source clients.

mod body;
mod calls;
mod control;
mod desk;
mod files;
mod flaws;
mod folders;
mod limits;
mod model;
mod people;
mod render;
mod sample;
mod serve;
mod sheets;
mod sites;
mod switches;
mod tasks;
mod upload;

use std::io;

pub use crate::common::authorize::{Consent, StateEcho};
pub use crate::common::bank::{Replay, Reuse};
pub use crate::common::faults::{Fire, Pattern};
pub use crate::common::options::App;
pub use crate::common::post::Delivered;
pub use crate::common::secrets::{Secret, SecretKind};
pub use crate::common::stats::Stats;
pub use crate::common::token_stats::{GrantStats, TokenEvent, TokenEventKind, TokenStats};
pub use crate::common::wire::{RefreshTokens, TokenError};
pub use control::{Entry, Seed, SeedFile};
pub use flaws::Flaw;
pub use model::{Column, ColumnKind, Folder, Level, Organisation, Sheet, Site, SiteStatus, Webhook};
pub use sample::{CORRESPONDENCE, HARROW, SMART};
pub use serve::{APP, HighQ};
pub use switches::{Duplicate, Person, Switches, Throttle, UploadAnswer};

/// What it starts with.
pub type Options = crate::common::options::Options<HighQ>;
/// A running instance; dropping it stops it.
pub type SimHandle = crate::common::sim::SimHandle<HighQ>;
/// Access to a running instance's state.
pub type Control = crate::common::control::Control<HighQ>;
/// What a fault does.
pub type Action = crate::common::mischief::Action<Flaw>;
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
