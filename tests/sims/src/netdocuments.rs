//! A fake NetDocuments: sign-in, one repository with cabinets, lookup tables, workspaces, folders and documents, faults on demand
//! and a ledger of what was really stored.
//!
//! [`Sim::start`] with [`Options::sample`]; the web host and the API host of a region are one address here:
//! `{url}/neWeb2/OAuth.aspx`, `{url}/v1/OAuth`, `{url}/v1/…`, `{url}/v2/…`. Paths match in any letters. Answers are XML
//! unless `Accept: application/json` asks for JSON, dates are `"\/Date(…)\/"`, and numbers of the token endpoint are text.
//!
//! Applications: [`APP`] with the secret `postroom-netdocuments-secret`, by form or `Authorization: Basic`. As a service
//! account: `{APP}|{REPOSITORY}` with the same secret and `grant_type=client_credentials`; it acts as
//! [`Switches::service_account`], and without one its tokens work, but see nothing.
//!
//! The sample repository has the cabinet [`CABINET`], whose workspaces are made of client (attribute 1) and matter (attribute 2).
//! Workspace "Harrow v Teal" is `4800-0000-3650`, its folder "Correspondence" `4800-0000-3652`.
//!
//! A browser gets a page with a button for each person; `sim_person={id or e-mail}` in the query, or
//! [`Switches::approve_as`], clicks for them. Faults go on operations such as `authorize`, `token`, `upload`, `new_version`,
//! `search`, `folder_contents`, `document`; what is NetDocuments' own about them is a [`Flaw`]. Control over HTTP as in
//! [`crate::openid`], without its keys and `mint`, and with `ledger`, `holdings`, `places`, `rows`, `seed`, `do` and `token`.
//!
//! What the public sources leave open is a field of [`Switches`], marked "inferred" there. Sources: the certified
//! connector NetDocuments publishes (microsoft/PowerPlatformConnectors), support.netdocuments.com and open-source clients
//! (practiceevolve/prime-netdocuments-integration, CrossRealms/Splunk-Integration-for-NetDocuments, ankit8898/netdocuments).

mod access;
mod calls;
mod commit;
mod control;
mod documents;
mod flaws;
mod folders;
mod ids;
mod ledger;
mod listing;
mod lookups;
mod model;
mod people;
mod query;
mod render;
mod reply;
mod route;
mod sample;
mod search;
mod seed;
mod serve;
mod sink;
mod switches;
mod upload;
mod workspaces;

use std::io;

pub use crate::common::authorize::{Consent, StateEcho};
pub use crate::common::bank::{Replay, Reuse};
pub use crate::common::faults::{Fire, Pattern};
pub use crate::common::options::App;
pub use crate::common::secrets::{Secret, SecretKind};
pub use crate::common::stats::Stats;
pub use crate::common::throttle::{RetryAfter, Throttle};
pub use crate::common::token_stats::{GrantStats, TokenEvent, TokenEventKind, TokenStats};
pub use crate::common::wire::{RefreshTokens, TokenError};
pub use control::{Holding, Place};
pub use flaws::Flaw;
pub use ledger::{Entry, EntryKind};
pub use model::{Attribute, Attributes, Cabinet, Group, Kind, Rights, Row};
pub use sample::{CABINET, FREE_ATTRIBUTE};
pub use seed::{Seed, SeedDocument, SeedFolder, SeedWorkspace};
pub use serve::{APP, NetDocuments, REPOSITORY};
pub use switches::{AttributeKeys, ErrorBody, MissingRow, OneRow, Person, SizeUnit, Switches, VersionList};

/// What it starts with.
pub type Options = crate::common::options::Options<NetDocuments>;
/// A running server; dropping it stops it.
pub type SimHandle = crate::common::sim::SimHandle<NetDocuments>;
/// Access to a running server's state.
pub type Control = crate::common::control::Control<NetDocuments>;
/// What a fault does.
pub type Action = crate::common::mischief::Action<Flaw>;
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
