//! The HTTP door: routes, who may use them, uploads as streams, the stream of events, and the description of it all.
//!
//! Invariants of this room:
//! - no handler runs without the extractor in its signature that proves a permission, but the three that are open on purpose
//!   (health, readiness and the description);
//! - a document's bytes are durable before a row names them, and both before a 202 leaves;
//! - a cookie alone changes nothing: the browser says that a page of ours asks, and forms carry a code of ours;
//! - the socket in the data folder is told from every other door by the server that listens on it, never by what a request says;
//! - no log line holds an address's parameters, a body, a token, a code or a state;
//! - what a caller may not see does not exist for them: 404, not 403;
//! - bodies are bounded in bytes and in time, by counting what comes;
//! - no DMS is called from here, and nothing here knows which store, spool or engine it has.

mod app;
mod auth;
mod body;
mod cookies;
mod csrf;
mod events;
mod fault;
mod headers;
mod identity;
mod pages;
mod request;
mod routes;
mod serve;
mod texts;

pub use app::{App, DataTables, Limits, Outlook, RenderMetrics, Source};
pub use auth::{TokenHash, TokenTable, Tokens};
pub use identity::Identity;
pub use routes::{openapi, upload_key};
pub use serve::{ServeOptions, ServerHandle, serve, serve_local};
