//! Connectors to document management systems, a module per vendor, all of them [`postroom_domain::dms::Dms`].
//!
//! A connector translates: what Postroom asks into the vendor's words, the vendor's answers and errors into
//! [`DmsError`](postroom_domain::dms::DmsError). It keeps no queue and repeats nothing once a document's bytes were sent;
//! that is decided by the filing machine. Every connector has settings that refuse unknown keys, a `doctor` that tells an
//! operator what is wrong, and passes the suite in `tests/conformance.rs`.

#![expect(clippy::result_large_err, reason = "the error is the contract's, and only failures carry it")]

mod account;
pub mod doctor;
pub mod folder;
pub mod highq;
pub mod imanage;
pub mod lists;
pub mod names;
pub mod netdocuments;
mod share;
pub mod webdav;

use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::dms::Dms;
use postroom_domain::link_columns::LinkColumns;

use crate::doctor::Finding;

/// A connector as the binary holds it: a DMS whose connection can be looked at.
pub trait Connector: Dms {
    /// Checks everything that filings need against the live server, with the system account. Nothing is written.
    fn doctor(&self) -> Fut<'_, Vec<Finding>>;

    /// The same as a keeper of links, where it keeps some in lists of its own.
    fn link_columns(self: Arc<Self>) -> Option<Arc<dyn LinkColumns>> {
        None
    }
}
