//! A person's account at a destination, as people and clients are told of it.

use crate::dms::DmsUser;
use crate::dms_account::{AccountPolicy, AccountState, DmsAccount, Offers, Skip};
use crate::ids::ServiceName;

/// A person's account at a destination, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSeen {
    /// The destination.
    pub service: ServiceName,
    /// What is set about it.
    pub policy: AccountPolicy,
    /// What it offers.
    pub offers: Offers,
    /// Whether the person becomes an external user there.
    pub external: bool,
    /// What is known.
    pub known: Option<DmsAccount>,
    /// Why nothing is asked now, not even when somebody asks for it.
    pub skip: Option<Skip>,
}

impl AccountSeen {
    /// Whether the account can be used; none where there is none.
    pub fn usable(&self) -> Option<bool> {
        self.known.as_ref().and_then(|it| it.state.user()).map(|it| it.active)
    }

    /// How it stands, in plain words.
    pub fn words(&self) -> String {
        let nothing = || match self.skip {
            Some(skip) => skip.words().to_owned(),
            None if self.offers.make => {
                format!("nobody looked yet; one is made {}", self.policy.create.words())
            }
            None => "nobody looked yet; one can be found here, but not made".to_owned(),
        };
        let Some(known) = &self.known else { return nothing() };
        match &known.state {
            AccountState::Found { user } => described("there was one already", user),
            AccountState::Made { user } => described("it was made", user),
            AccountState::Asking { .. } => "the DMS is being asked".to_owned(),
            AccountState::NotAvailable { words } if words.starts_with("not available") => words.clone(),
            AccountState::NotAvailable { words } => format!("not available here: {words}"),
            AccountState::Refused { words } => format!("refused: {words}"),
            AccountState::Failed { words, .. } => format!("it did not work, and is tried again: {words}"),
        }
    }
}

fn described(how: &str, user: &DmsUser) -> String {
    let external = if user.external { ", as an external user" } else { "" };
    let locked = if user.active {
        ""
    } else {
        "; it is locked or may not log in there, which only those who run the DMS change"
    };
    format!("{how}: {} ({}){external}{locked}", user.name, user.id)
}
