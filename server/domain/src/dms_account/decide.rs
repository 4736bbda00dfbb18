//! Whether a DMS is asked about a person's account now, and how. The only place where that is decided.

use std::time::Duration;

use jiff::Timestamp;

use super::{AccountPolicy, AccountState, CreateAccounts, DmsAccount, Offers};
use crate::desk::domains;
use crate::people::{Person, Status};
use crate::time::later;

/// What this DMS cannot do is asked again after this time: it may have been set up otherwise.
const NOT_AVAILABLE: Duration = Duration::from_hours(24);
/// A question that this process asked is given up after this time: longer than every time-out of a connector together.
const ABANDONED: Duration = Duration::from_mins(15);

/// Why a person's account is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The person may come in, or time has passed.
    Automatic,
    /// Somebody asks for it.
    Request,
}

/// What [`decide`] looks at.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The person.
    pub person: &'a Person,
    /// What is set.
    pub policy: &'a AccountPolicy,
    /// What the DMS offers.
    pub offers: Offers,
    /// What is known.
    pub known: Option<&'a DmsAccount>,
    /// Why it is looked at.
    pub trigger: Trigger,
    /// The time.
    pub now: Timestamp,
    /// When this process began: what was being asked before was interrupted.
    pub started: Timestamp,
    /// How long the DMS may take until it finds an account that it has just made.
    pub lag: Duration,
}

/// Why nothing is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The settings say that none is made here.
    Never,
    /// The settings say that one is made only when somebody asks for it.
    OnRequest,
    /// The person may not come in.
    NotActive,
    /// The person has no e-mail to look for.
    NoEmail,
    /// Anybody gets such an e-mail, so a person has to ask for the account.
    FreeMail,
    /// The DMS neither finds nor makes accounts.
    NotOffered,
    /// The DMS said no: a person has to look, and ask again.
    Refused,
}

impl Skip {
    /// In plain words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Never => "accounts are not made here: the settings say so (create = \"never\")",
            Self::OnRequest => "an account is made here when somebody asks for it",
            Self::NotActive => "the person is not active",
            Self::NoEmail => "the person has no e-mail",
            Self::FreeMail => "anybody gets such an e-mail: somebody has to ask for the account",
            Self::NotOffered => "not available here: this DMS neither finds nor makes accounts of persons",
            Self::Refused => "somebody has to look, and ask again",
        }
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Skip(Skip),
    /// Nothing: there is an account.
    Known,
    /// Nothing before this time.
    Later(Timestamp),
    /// It is looked for, and not made: one is known, or may be there although it is not found yet, or none can be made here.
    Find,
    /// It is looked for, and made if it is not there.
    Make,
}

/// Whether the DMS is asked, and how.
pub fn decide(it: Situation<'_>) -> Decision {
    if let Some(skip) = skipped(&it) {
        return Decision::Skip(skip);
    }
    let asked = it.trigger == Trigger::Request;
    let make = if it.offers.make { Decision::Make } else { Decision::Find };
    let Some(known) = it.known else { return make };
    let other_email = known.email != it.person.email;
    match &known.state {
        AccountState::Found { .. } | AccountState::Made { .. } => {
            if asked && it.offers.find {
                Decision::Find
            } else {
                Decision::Known
            }
        }
        AccountState::NotAvailable { .. } => {
            let again = later(known.at, NOT_AVAILABLE);
            if asked || other_email || it.now >= again { make } else { Decision::Later(again) }
        }
        AccountState::Refused { .. } if asked || other_email => make,
        AccountState::Refused { .. } => Decision::Skip(Skip::Refused),
        AccountState::Asking { .. } => {
            let given_up = later(known.at, ABANDONED);
            if known.at >= it.started && it.now < given_up {
                return Decision::Later(given_up);
            }
            let proven = later(known.at, it.lag);
            failed(&it, proven, Some(proven), make)
        }
        AccountState::Failed { again, unsure, .. } => {
            let again = if other_email && unsure.is_none() { it.now } else { *again };
            failed(&it, again, *unsure, make)
        }
    }
}

fn failed(it: &Situation<'_>, again: Timestamp, unsure: Option<Timestamp>, make: Decision) -> Decision {
    match (it.trigger, unsure.filter(|proven| it.now < *proven)) {
        (Trigger::Automatic, _) if it.now < again => Decision::Later(again),
        (_, None) => make,
        (_, Some(_)) if it.offers.find => Decision::Find,
        (_, Some(proven)) => Decision::Later(proven),
    }
}

fn skipped(it: &Situation<'_>) -> Option<Skip> {
    let automatic = it.trigger == Trigger::Automatic;
    let domain = it.person.email.rsplit_once('@').map(|(_, domain)| domain);
    match (it.policy.create, domain) {
        (CreateAccounts::Never, _) => Some(Skip::Never),
        (CreateAccounts::OnRequest, _) if automatic => Some(Skip::OnRequest),
        _ if it.person.status != Status::Active => Some(Skip::NotActive),
        (_, None) => Some(Skip::NoEmail),
        _ if !it.offers.find && !it.offers.make => Some(Skip::NotOffered),
        (_, Some(domain)) if automatic && domains::is_free_mail(domain) => Some(Skip::FreeMail),
        _ => None,
    }
}
