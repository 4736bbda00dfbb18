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
pub(crate) use file::{KEYRING_FILES, KeyringFile, keyring_summary, open_keyring, read_keyring};
pub(crate) use init::{NewCredentials, init_credentials};
pub(crate) use pass::open_secrets;
