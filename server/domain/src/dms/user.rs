//! People as a DMS knows them.

use serde::{Deserialize, Serialize};

/// The account that calls are made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The DMS's id of it.
    pub id: String,
    /// Its name, as people know it.
    pub name: String,
    /// Version or edition of the DMS, where it tells.
    pub dms_version: Option<String>,
}

/// A person's account in a DMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmsUser {
    /// The DMS's id of it.
    pub id: String,
    /// The person's name.
    pub name: String,
    /// The address it is known by; empty where the DMS does not tell.
    #[serde(default)]
    pub email: String,
    /// Whether it belongs to somebody outside of the firm.
    #[serde(default)]
    pub external: bool,
    /// Whether it can be used; `false` where it is locked or may not log in.
    pub active: bool,
}

/// An account to make.
#[derive(Debug, Clone, Copy)]
pub struct NewUser<'a> {
    /// The address that identifies the person.
    pub email: &'a str,
    /// Given name.
    pub given_name: &'a str,
    /// Family name.
    pub family_name: &'a str,
    /// Whether it belongs to somebody outside of the firm.
    pub external: bool,
    /// Whether the DMS writes to the person about it. Off unless somebody asked for it.
    pub invite: bool,
    /// The library, cabinet or site that it is given access to; empty gives none beyond what the DMS's own rules give.
    pub library: &'a str,
}

/// What became of an account that was to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// It was made.
    New(DmsUser),
    /// There was one already; it was left as it is.
    Present(DmsUser),
}

impl Made {
    /// The account, new or not.
    pub const fn user(&self) -> &DmsUser {
        match self {
            Self::New(user) | Self::Present(user) => user,
        }
    }
}
