//! `keyring.json` in the data folder: read before anything else is touched, and changed by one process only, the one that holds the
//! spool's lock.
//!
//! Every change is written aside, flushed, given the name and made durable with its folder, before anything is sealed with it.

mod desk;
mod file;
mod init;
mod pass;
#[cfg(test)]
mod tests;

pub(crate) use desk::{DeskOptions, DeskParts, KeyDesk};
pub(crate) use file::{KeyringFile, OpenKeyringError, keyring_summary, open_keyring};
pub(crate) use init::{InitError, NewCredentials, init_credentials};
