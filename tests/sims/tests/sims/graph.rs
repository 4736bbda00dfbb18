//! The fake Microsoft Graph.

mod mail;
mod subscriptions;
mod support;
mod tokens;
