//! Reads messages: who wrote to whom, which thread they belong to, what they carry. An e-mail as it travels (RFC 5322), an Outlook file
//! (`.msg`) and a bare `winmail.dat` come out as one [`Message`].
//!
//! What arrives is a stranger's, so everything here is bounded before it is done: levels, parts, lengths of headers, bytes that
//! come out of encodings. The tree of parts is [walked](tree) by code of our own, in one pass and without recursion; mail-parser reads the
//! header fields only. It reads whole messages too, but ends the process when a tree of some ten thousand messages within each other is
//! dropped, unpacks encoded messages into such trees behind every scan that looks at the raw bytes, and searches the rest of a message
//! once for every boundary that is not there.
//!
//! Nothing is ever taken away: the raw bytes are what is filed, and what is said of them is said beside them. Nothing is read from
//! anywhere, and nothing is verified: signatures are seen, not checked.

mod dmarc;
mod eml;
mod fields;
mod kind;
mod limits;
mod mapi;
mod mime;
mod msg;
mod names;
mod part;
mod protection;
mod rtf;
mod text;
mod tnef;
mod transfer;
mod tray;
mod tree;
mod warning;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use postroom_domain::mail::Mail;

pub use limits::Limits;
pub use part::{Content, Part};
pub use warning::{NotExpanded, Refused, Warning};

/// Whose word on a sender's domain counts.
///
/// Only for what a receiving server of ours handed on: in a file that somebody uploads, every field is theirs, and nobody is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trusted {
    /// The names under which our own receiving servers write `Authentication-Results` (RFC 8601, authserv-id).
    pub servers: Vec<String>,
    /// Results without any name count too: Exchange Online writes them so, and removes those of others first. Right only where
    /// all mail comes through it.
    pub unnamed: bool,
}

/// A message, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who, what, when.
    pub mail: Mail,
    /// What it carries, in the order in which it stands there; what lies in a part comes after it.
    pub parts: Vec<Part>,
    /// What was odd.
    pub warnings: Vec<Warning>,
    /// Why `parts` is empty although there are some. The raw message is filed all the same.
    pub not_expanded: Option<NotExpanded>,
}

/// Reads a message of any of the three kinds, told apart by their first bytes.
pub fn read(raw: &[u8], limits: &Limits, trusted: &Trusted) -> Result<Message, Refused> {
    if raw.is_empty() {
        return Err(Refused::Empty);
    }
    guarded(|| {
        if msg::looks_like(raw) {
            msg::read(raw, limits, trusted)
        } else if tnef::looks_like(raw) {
            Ok(tnef::read(raw, limits))
        } else {
            eml::read(raw, limits, trusted)
        }
    })
}

/// Text that says nothing about itself, out of bytes.
pub(crate) fn guessed(bytes: &[u8]) -> String {
    text::guessed(bytes)
}

/// Plain text out of HTML.
pub(crate) fn of_html(html: &str) -> String {
    text::of_html(html, html.len())
}

/// How many levels and parts an e-mail has, by the scan that stands before everything else.
pub fn measure(raw: &[u8], limits: &Limits) -> Result<Measured, Refused> {
    let tree = tree::walk(raw, limits, 0)?;
    let levels = tree.entities.iter().map(|it| it.level).max().unwrap_or(0);
    Ok(Measured { levels, parts: tree.entities.len(), all: !tree.too_many })
}

/// The size of an e-mail's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Multiparts and messages within each other, at most.
    pub levels: usize,
    /// Parts, each multipart counted as one.
    pub parts: usize,
    /// False where counting stopped at the limit.
    pub all: bool,
}

/// A reader of foreign bytes that panics in spite of everything costs one message, which a person then files as it is.
fn guarded<T>(read: impl FnOnce() -> Result<T, Refused>) -> Result<T, Refused> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(Refused::Unreadable("its reader gave up on it".to_owned())))
}
