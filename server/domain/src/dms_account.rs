//! Accounts of persons in the DMSs: found by e-mail, or made. What is known of them, what is set about them, and what is decided.
//!
//! - Nothing is made without asking first: [`Directory::make`] follows a look-up by e-mail that found nobody, and looks again itself.
//! - Before a DMS is asked to make an account, the record says so ([`AccountState::Asking`]); whose answer is lost is looked for by
//!   e-mail before anything else is asked, and "not there" counts only when the DMS had time to know.
//! - An account that is there is left as it is, also one that is locked: that is told, and changed by those who run the DMS.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::desk::domains;
use crate::dms::{DmsResult, DmsUser, Made, NewUser};
use crate::ids::{DmsAccountId, PersonId, ServiceName};
use crate::people::group_of;
use crate::person::Actor;
use crate::record::{Kept, Kind};

mod decide;
mod names;
mod outcome;

pub use decide::{Decision, Situation, Skip, Trigger, decide};
pub use names::{Name, split_name};
pub use outcome::{Answer, Timing, settled, stops_all, words};

/// When an account is made for a person who has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreateAccounts {
    /// Never: those who run the DMS make it.
    #[default]
    Never,
    /// When somebody who looks after persons asks for it.
    OnRequest,
    /// As soon as the person may come in, and when asked for.
    Automatic,
}

impl CreateAccounts {
    /// The word in settings and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::OnRequest => "on_request",
            Self::Automatic => "automatic",
        }
    }

    /// In plain words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::OnRequest => "on request",
            Self::Automatic => "automatically",
        }
    }
}

/// `[destinations.accounts]`: what is set about accounts of persons in a DMS.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountPolicy {
    /// When one is made.
    pub create: CreateAccounts,
    /// Persons with an e-mail of these domains, or of one below them, are made as external users.
    pub external_domains: Vec<String>,
    /// Whether the DMS writes to the person about it.
    pub invite: bool,
    /// The library, cabinet or site that a new account is given access to; empty leaves that to the DMS and the connector.
    pub library: String,
}

impl AccountPolicy {
    /// Whether somebody with this e-mail becomes an external user. Domains below one that is named count as well: too few rights are
    /// put right later, too many are not taken back.
    pub fn is_external(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
        self.external_domains.iter().any(|external| {
            domain.strip_suffix(external.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    /// What is wrong with it, each with the key, in plain words.
    pub fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for domain in &self.external_domains {
            let key = "accounts.external_domains";
            if !domains::is_domain(domain) {
                wrong.push(format!(
                    "{key}: \"{domain}\" is not a domain such as client.example, in lower case"
                ));
            } else if self.create == CreateAccounts::Automatic && domains::is_free_mail(domain) {
                wrong.push(format!(
                    "{key}: anybody gets an e-mail of {domain}: accounts for such persons are made on request only"
                ));
            }
        }
        if self.library.trim() != self.library || self.library.chars().any(char::is_control) {
            wrong.push("accounts.library: no blanks at its ends, and no control characters".to_owned());
        }
        wrong
    }
}

/// What a DMS offers about accounts of persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// They can be looked up by e-mail.
    pub find: bool,
    /// They can be made.
    pub make: bool,
}

/// The directory of one DMS: its accounts of persons, asked with the system account.
pub trait Directory: Send + Sync {
    /// What it offers.
    fn offers(&self) -> Offers;

    /// Accounts with an e-mail; it equals, without case.
    fn find<'a>(&'a self, actor: &'a Actor, email: &'a str) -> Fut<'a, DmsResult<Vec<DmsUser>>>;

    /// Makes an account, or finds the one that is there and leaves it as it is.
    fn make<'a>(&'a self, actor: &'a Actor, user: NewUser<'a>) -> Fut<'a, DmsResult<Made>>;
}

/// How it stands with a person's account in a DMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum AccountState {
    /// The DMS is being asked to make it, or the process ended while it was.
    Asking {
        /// How often it failed before.
        tries: u32,
        /// What was told of the failure before.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        words: String,
    },
    /// There is one; it was there already.
    Found {
        /// The account as the DMS told it.
        user: DmsUser,
    },
    /// There is one; it was made for the person.
    Made {
        /// The account as the DMS told it.
        user: DmsUser,
    },
    /// This DMS, as it is set up, cannot do it.
    NotAvailable {
        /// In its words.
        words: String,
    },
    /// It said no, or gave an answer that only people can make out.
    Refused {
        /// In its words.
        words: String,
    },
    /// It did not work, and is tried again.
    Failed {
        /// Why, for people.
        words: String,
        /// When it is tried again at the earliest.
        again: Timestamp,
        /// How often it failed.
        tries: u32,
        /// The DMS may have made it all the same. From this time on it counts when it says that there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unsure: Option<Timestamp>,
    },
}

impl AccountState {
    /// The name in answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Asking { .. } => "asking",
            Self::Found { .. } => "found",
            Self::Made { .. } => "made",
            Self::NotAvailable { .. } => "not_available",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
        }
    }

    /// The account, where one is known.
    pub const fn user(&self) -> Option<&DmsUser> {
        match self {
            Self::Found { user } | Self::Made { user } => Some(user),
            _ => None,
        }
    }

    /// What was told of why there is none; empty where there is one.
    pub fn trouble(&self) -> &str {
        match self {
            Self::Found { .. } | Self::Made { .. } => "",
            Self::Asking { words, .. }
            | Self::NotAvailable { words }
            | Self::Refused { words }
            | Self::Failed { words, .. } => words,
        }
    }

    /// How often it failed.
    pub const fn tries(&self) -> u32 {
        match self {
            Self::Asking { tries, .. } | Self::Failed { tries, .. } => *tries,
            _ => 0,
        }
    }
}

/// What is known of a person's account in one DMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmsAccount {
    /// Its id.
    pub id: DmsAccountId,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// Whose it is.
    pub person: PersonId,
    /// At which destination.
    pub service: ServiceName,
    /// The e-mail that was asked for.
    pub email: String,
    /// How it stands.
    #[serde(flatten)]
    pub state: AccountState,
    /// Since when.
    pub at: Timestamp,
    /// Who asked for it ([`crate::people::Person::name`]), or the program itself.
    pub by: String,
}

impl DmsAccount {
    /// The key of a person's account at a destination.
    pub fn key(service: &ServiceName, person: PersonId) -> String {
        format!("{service}/{person}")
    }
}

impl Kept for DmsAccount {
    const KIND: Kind = Kind::DmsAccount;
    fn number(&self) -> u128 {
        self.id.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        vec![Self::key(&self.service, self.person)]
    }
    fn groups(&self) -> Vec<String> {
        vec![group_of(self.person), format!("service/{}", self.service)]
    }
}

#[cfg(test)]
mod tests;
