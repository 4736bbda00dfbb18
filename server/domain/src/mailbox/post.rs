//! Letters that are fetched out of people's own mailboxes, because the person who has one open asks for it.

use crate::Fut;
use crate::spool::{Blob, SpoolError};

/// A letter in a mailbox. The id of its place is the quicker way; where it is missing or out of date, the letter's own id finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterAt<'a> {
    /// The mailbox's address.
    pub mailbox: &'a str,
    /// The id of its place there; empty where it is not known.
    pub item: &'a str,
    /// Its Message-ID without brackets; empty where it has none.
    pub message: &'a str,
}

/// Why a letter was not fetched, by what can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is not in the mailbox, or not any more.
    #[error("the message is not in the mailbox {0}, or not any more")]
    Gone(String),
    /// Nothing is read from that mailbox: by the settings, or by the mail server's word.
    #[error("the mailbox {mailbox} is not read here: {why}")]
    Closed {
        /// The mailbox.
        mailbox: String,
        /// Why, in words.
        why: String,
    },
    /// It is larger than what is taken.
    #[error("the message is larger than the {0} bytes that are taken at most")]
    TooLarge(u64),
    /// The mail server asks to wait, or cannot be asked.
    #[error("the mail server cannot be asked now: {why}")]
    Later {
        /// Why, in words.
        why: String,
        /// For how many seconds, where known.
        seconds: Option<u64>,
    },
    /// The bytes could not be kept.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// Whoever can read people's mailboxes.
pub trait FetchesLetters: Send + Sync {
    /// Whether letters of a mailbox are fetched for a person with an address and some teams. What the program may read, nobody may read
    /// through it who has no business there.
    fn reads(&self, mailbox: &str, email: &str, teams: &[String]) -> bool;

    /// A letter's bytes, durable in the spool.
    fn fetch<'a>(&'a self, letter: LetterAt<'a>) -> Fut<'a, Result<Blob, FetchError>>;
}
