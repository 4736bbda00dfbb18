//! A fake iManage Work server: REST v2, OAuth, faults on demand and a ledger of what was really stored.
//!
//! [`Sim::start`] binds a port, runs the server on threads of its own and returns a [`SimHandle`]. The handle's
//! [`Control`] reads and changes the state in process; other processes use the same powers under `/_control`.
//!
//! What the public sources leave open is a field of [`Switches`], marked "inferred" there. The simulator takes
//! time from [`Options::clock`], so token lifetimes and the search index can be tested without sleeping.
//!
//! Paths and fields follow the connector definitions and help pages iManage publishes (docs.imanage.com and the
//! certified connector in microsoft/PowerPlatformConnectors) and open-source clients of the API.

mod access;
mod auth;
mod commit;
mod control;
mod control_http;
mod discovery;
mod dispatch;
mod doc_query;
mod doc_search;
mod documents;
mod email;
mod error;
mod faults;
mod folders;
mod history;
mod ids;
mod ledger;
mod locks;
mod lookups;
mod matching;
mod model;
mod oauth;
mod options;
mod paging;
mod people;
mod render;
mod reply;
mod response;
mod routes;
mod rules;
mod sample;
mod seed;
mod server;
mod sink;
mod state;
mod stats;
mod switches;
mod trash;
mod upload;
mod words;
mod workspaces;

pub use crate::common::secrets::{Secret, SecretKind};
pub use crate::common::token_stats::{GrantStats, TokenEvent, TokenEventKind, TokenStats};
pub use control::{Control, DocumentInfo, FolderInfo, WorkspaceInfo};
pub use faults::{Action, BodyKind, Fire, Pattern, Rule};
pub use ledger::{Entry, EntryKind};
pub use model::{Access, User};
pub use options::{ClockMs, Options};
pub use seed::{
    Seed, SeedAlias, SeedApp, SeedClass, SeedContainer, SeedDocument, SeedLibrary, SeedUser, SeedWorkspace,
};
pub use server::{Sim, SimHandle};
pub use stats::Stats;
pub use switches::{
    AuthHeader, DialogToken, EmailDuplicate, EmptySearch, ErrorBody, IdCase, RefreshTokens, RequiredFields,
    RetryAfter, Reuse, SearchShape, StateEcho, Switches, Throttle, TokenError,
};
