//! Linked services, the links to them, and the one function that decides whose account a call uses.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Fut;
use crate::ids::{LinkId, PersonId, ServiceName, TeamName};
use crate::person::Credential;
use crate::record::{Kept, Kind};
use crate::store::{StoreError, StoreResult};

/// A secret as the vault sealed it: a text that opens only with the vault's keys and only at its place.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// Where a sealed secret stands. A secret that was moved to another place does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The kind of record, such as `link`.
    pub table: &'a str,
    /// Its id, as text.
    pub id: &'a str,
    /// The field.
    pub field: &'a str,
}

/// The outside account that a link stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LinkedAccount {
    /// The service's unchanging id of it.
    pub id: String,
    /// Its name, as people know it.
    #[serde(default)]
    pub name: String,
    /// Its e-mail, lower case; empty where the service does not tell.
    #[serde(default)]
    pub email: String,
}

/// Whether a link can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum LinkState {
    /// Made, but the person has still to say that the account is theirs, because its e-mail is not. Not used before.
    Unconfirmed,
    /// Works as far as is known.
    Active,
    /// The service takes its tokens no more; only linking again mends it.
    Broken {
        /// Since when.
        since: Timestamp,
        /// What the service said, for people; no secret.
        reason: String,
    },
}

/// One account's tokens for one linked service. The link that belongs to no person is the service's system account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its id. Linking again keeps it.
    pub id: LinkId,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// The linked service.
    pub service: ServiceName,
    /// Whose it is; none for the system account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The name of the person at that time ([`crate::people::Person::name`]), or of the administrator who linked the system account.
    pub made_by: String,
    /// The account on the other side.
    pub account: LinkedAccount,
    /// Whether it can be used.
    #[serde(flatten)]
    pub state: LinkState,
    /// The access token, sealed; field `access`.
    pub access: Sealed,
    /// When the service said it would stop to work, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_ends: Option<Timestamp>,
    /// The refresh token, sealed; field `refresh`. None where the service gave none: then the link ends with its access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Sealed>,
    /// When the refresh token stops to work, where the service tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_ends: Option<Timestamp>,
    /// Grows with every new access token: a refusal of an old one is told from a refusal of the present one.
    pub generation: u64,
    /// What was granted, as the service said it.
    #[serde(default)]
    pub scope: String,
    /// When it was linked, or linked again.
    pub linked: Timestamp,
    /// When its tokens were last renewed.
    pub renewed: Timestamp,
}

impl Link {
    /// The key of a person's link, or of the system account, at a service.
    pub fn key(service: &ServiceName, person: Option<PersonId>) -> String {
        match person {
            Some(person) => format!("{service}/{person}"),
            None => format!("{service}/system"),
        }
    }

    /// The door by which filing with the account is stopped and let go on: `account/service/person`, or `account/service/system`.
    pub fn door(service: &ServiceName, person: Option<PersonId>) -> String {
        format!("account/{}", Self::key(service, person))
    }

    /// The group of a service's links.
    pub fn group_of_service(service: &ServiceName) -> String {
        format!("service/{service}")
    }

    /// When it stops to work if nobody does anything, where that is known.
    pub fn ends(&self) -> Option<Timestamp> {
        if self.refresh.is_some() { self.refresh_ends } else { self.access_ends }
    }
}

impl Kept for Link {
    const KIND: Kind = Kind::Link;
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
        let mut groups = vec![Self::group_of_service(&self.service)];
        groups.extend(self.person.map(crate::people::group_of));
        groups
    }
}

/// Whether a way of signing in is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// Nobody signs in with it.
    #[default]
    Disabled,
    /// It works for those who know its address, without a button.
    Hidden,
    /// It has a button.
    Visible,
}

/// When the system account stands in for a person who has no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// Never.
    Never,
    /// Only to read, and only what the person may see there.
    ReadOnly,
    /// Only for work in the background, such as filing what was accepted.
    #[default]
    BackgroundOnly,
    /// Always, within what the person may do there.
    Always,
}

/// What becomes of work in the background for a person without a link, when the DMS gives no certain answer about what they may do
/// there themself. For what a person is shown there is no such choice: doubt refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnsure {
    /// It is refused: the system account crosses no wall, also where it only may be one.
    #[default]
    Refuse,
    /// It is filed: nobody is shown anything by it. For a DMS that cannot tell what a person may do.
    File,
}

/// A team that a service is available to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvailableTo {
    /// The team; `everyone` is all.
    pub team: TeamName,
    /// Whether its members have to link their account.
    #[serde(default)]
    pub required: bool,
}

/// One configured connection to a DMS, mail system or identity provider, as far as people and links are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedService {
    /// Its name; the same as the destination's, where it is one.
    pub name: ServiceName,
    /// How screens call it: `iManage Work`.
    pub title: String,
    /// Which kind, such as `imanage`, `openid`, `entra`.
    pub kind: String,
    /// Whether people sign in to Postroom with it.
    pub sign_in: Offer,
    /// Whether people (and administrators for the system account) link accounts of it.
    pub links: bool,
    /// When the system account stands in.
    pub fallback: Fallback,
    /// What doubt about a person's own rights does to that.
    pub when_unsure: WhenUnsure,
    /// Who may link; empty means everybody, optional.
    pub available_to: Vec<AvailableTo>,
    /// An idle link is refreshed this long after its last renewal; none never.
    pub keep_alive: Option<Duration>,
    /// A link that ends within this time is warned about.
    pub warn_before: Duration,
}

impl LinkedService {
    /// Whether members of these teams may link, and if so whether they have to.
    pub fn asked_of(&self, teams: &[TeamName]) -> Option<bool> {
        if !self.links {
            return None;
        }
        if self.available_to.is_empty() {
            return Some(false);
        }
        let theirs = |it: &&AvailableTo| it.team.as_str() == "everyone" || teams.contains(&it.team);
        self.available_to.iter().filter(theirs).map(|it| it.required).reduce(|one, other| one || other)
    }
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A person waits and is shown something.
    InteractiveRead,
    /// A person waits and something is changed.
    InteractiveWrite,
    /// Nobody is shown anything: filing what was accepted.
    Background,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is none.
    None,
    /// It can be used.
    Works,
    /// It cannot: it is broken, or waits for its owner's word.
    Broken,
}

/// What the person themself may do at the place in question, as the DMS says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    /// As much as the call needs.
    Allowed,
    /// Not as much: an ethical wall, or no access.
    Denied,
    /// The DMS gave no certain answer.
    Unknown,
}

/// What [`whose_account`] looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Whether there is a person at all: doors and programs have no account of their own.
    pub person: bool,
    /// What the call is for.
    pub operation: Operation,
    /// The person's link.
    pub own: Standing,
    /// Whether the person's team has to link.
    pub required: bool,
    /// Whether the destination knows accounts of persons at all (a local folder does not).
    pub links: bool,
    /// The policy of the service.
    pub fallback: Fallback,
    /// The policy of the service for doubt.
    pub when_unsure: WhenUnsure,
    /// The system account.
    pub system: Standing,
    /// What the person may do there; none when nobody has asked yet.
    pub rights: Option<Rights>,
}

/// Why no account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The person's link is broken: they link again.
    LinkBroken,
    /// The person's team has to link, and they have not.
    LinkRequired,
    /// The policy does not let the system account stand in here: the person links.
    LinkNeeded,
    /// There is no system account: an administrator links one.
    NoSystemAccount,
    /// The system account's link is broken: an administrator links again.
    SystemLinkBroken,
    /// The person may not do it there.
    Denied,
    /// What the person may do there could not be found out, so the system account does not stand in.
    Unsure,
}

impl Refusal {
    /// In plain words, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::LinkBroken => "the link to the account does not work any more; link it again",
            Self::LinkRequired => "this team has to link its own accounts, and this person has not yet",
            Self::LinkNeeded => "the system account may not stand in for this; link the own account",
            Self::NoSystemAccount => "no system account is linked; an administrator links one",
            Self::SystemLinkBroken => {
                "the system account's link does not work any more; an administrator links it again"
            }
            Self::Denied => "the person may not do this there",
            Self::Unsure => "whether the person may do this there could not be found out",
        }
    }
}

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// This account.
    Use(Credential),
    /// First find out what the person themself may do there, then ask again.
    AskRights,
    /// None.
    Refuse(Refusal),
}

/// Whose account a call uses. The only place where that is decided.
///
/// A broken link is never stood in for: its owner's work waits until it is linked again, and everybody else's goes on. The system
/// account never shows a person what they may not see themself, and never acts for one who is denied.
pub const fn whose_account(question: Question) -> Decision {
    let system = match question.system {
        Standing::Works => Decision::Use(Credential::System),
        Standing::Broken => Decision::Refuse(Refusal::SystemLinkBroken),
        Standing::None => Decision::Refuse(Refusal::NoSystemAccount),
    };
    if !question.person || !question.links {
        return system;
    }
    match question.own {
        Standing::Works => return Decision::Use(Credential::Own),
        Standing::Broken => return Decision::Refuse(Refusal::LinkBroken),
        Standing::None => {}
    }
    if question.required {
        return Decision::Refuse(Refusal::LinkRequired);
    }
    let stands_in = match (question.fallback, question.operation) {
        (Fallback::Always, _)
        | (Fallback::ReadOnly, Operation::InteractiveRead)
        | (Fallback::BackgroundOnly, Operation::Background) => true,
        (Fallback::Never | Fallback::ReadOnly | Fallback::BackgroundOnly, _) => false,
    };
    if !stands_in {
        return Decision::Refuse(Refusal::LinkNeeded);
    }
    if !matches!(system, Decision::Use(_)) {
        return system;
    }
    match (question.rights, question.operation, question.when_unsure) {
        (None, ..) => Decision::AskRights,
        (Some(Rights::Denied), ..) => Decision::Refuse(Refusal::Denied),
        (Some(Rights::Allowed), ..) | (Some(Rights::Unknown), Operation::Background, WhenUnsure::File) => {
            system
        }
        (Some(Rights::Unknown), ..) => Decision::Refuse(Refusal::Unsure),
    }
}

/// Why a link was not made, confirmed or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no such link, or not for this person.
    #[error("there is no such link")]
    NotFound,
    /// Somebody else changed it meanwhile, such as a second browser: look again.
    #[error("the link changed meanwhile")]
    Changed,
    /// The service is not one that accounts are linked of.
    #[error("accounts of {0} are not linked here")]
    NotOffered(ServiceName),
    /// The outside account is linked to another person already.
    #[error("the account {account} is linked to another person already")]
    Taken {
        /// The outside account's name.
        account: String,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be linked.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// At which service.
    pub service: ServiceName,
    /// Whose it becomes; none for the system account.
    pub person: Option<PersonId>,
    /// Who does it ([`crate::people::Person::name`]).
    pub made_by: String,
    /// The outside account, as the service told it.
    pub account: LinkedAccount,
    /// Its tokens.
    pub grant: crate::sign_in::Grant,
    /// The account is to be confirmed before it is used: its e-mail is not the person's, or it becomes the system account.
    pub ask: bool,
}

/// The keeper of links: seals their tokens, renews them, and tells when one broke.
pub trait LinkKeeper: Send + Sync {
    /// Links an account, in place of the one before.
    fn link(&self, new: NewLink) -> Fut<'_, Result<Link, LinkError>>;
    /// The owner says that the account is the right one.
    fn confirm<'a>(&'a self, link: LinkId, version: u64, by: &'a str) -> Fut<'a, Result<Link, LinkError>>;
    /// Removes a link, and tells the service as far as it has a way.
    fn unlink<'a>(&'a self, link: LinkId, by: &'a str) -> Fut<'a, Result<(), LinkError>>;
}

/// What is known of a person's and the system's account at a service: [`Question`] without what the call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountsAt {
    /// Who it is; none for doors and programs.
    pub person: Option<PersonId>,
    /// As in [`Question::own`].
    pub own: Standing,
    /// As in [`Question::required`].
    pub required: bool,
    /// As in [`Question::links`].
    pub links: bool,
    /// As in [`Question::fallback`].
    pub fallback: Fallback,
    /// As in [`Question::when_unsure`].
    pub when_unsure: WhenUnsure,
    /// As in [`Question::system`].
    pub system: Standing,
}

impl AccountsAt {
    /// The question about one call.
    pub const fn question(self, operation: Operation, rights: Option<Rights>) -> Question {
        let Self { person, own, required, links, fallback, when_unsure, system } = self;
        Question {
            person: person.is_some(),
            operation,
            own,
            required,
            links,
            fallback,
            when_unsure,
            system,
            rights,
        }
    }

    /// Whose account a credential stands for; none for the system account.
    pub const fn owner(self, credential: Credential) -> Option<PersonId> {
        match credential {
            Credential::Own => self.person,
            Credential::System => None,
        }
    }
}

/// Whoever knows whose accounts are linked.
pub trait Accounts: Send + Sync {
    /// What is known at a service. `name` is [`crate::people::Person::name`], or the name of a door or program.
    fn at<'a>(&'a self, service: &'a ServiceName, name: &'a str) -> Fut<'a, StoreResult<AccountsAt>>;

    /// Whose account files a document, decided when the filing is planned: [`Credential::Own`] when the person has a link of any
    /// state at the service, or would have to; [`Credential::System`] otherwise.
    fn files_as<'a>(&'a self, service: &'a ServiceName, name: &'a str) -> Fut<'a, StoreResult<Credential>> {
        Box::pin(async move {
            let at = self.at(service, name).await?;
            let own = at.person.is_some() && at.links && (at.own != Standing::None || at.required);
            Ok(if own { Credential::Own } else { Credential::System })
        })
    }
}

/// Everything is filed with the system account: where nobody can link.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemOnly;

impl Accounts for SystemOnly {
    fn at<'a>(&'a self, _: &'a ServiceName, _: &'a str) -> Fut<'a, StoreResult<AccountsAt>> {
        Box::pin(async {
            Ok(AccountsAt {
                person: None,
                own: Standing::None,
                required: false,
                links: false,
                fallback: Fallback::Always,
                when_unsure: WhenUnsure::File,
                system: Standing::Works,
            })
        })
    }
}

/// Whose link a token is wanted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose<'a> {
    /// The service's system account.
    System,
    /// The person with this name ([`crate::people::Person::name`]).
    Own(&'a str),
}

/// An access token as a call carries it.
#[derive(Debug, Clone)]
pub struct Access {
    /// The token.
    pub token: secrecy::SecretString,
    /// Which one of its link it is ([`Link::generation`]).
    pub generation: u64,
}

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// No account is linked.
    #[error("no account is linked")]
    NoLink,
    /// The link does not work any more, or waits for its owner's word: only a person mends it.
    #[error("the link does not work: {0}")]
    Broken(String),
    /// The service could not be asked now: later it may work. Nothing was lost.
    #[error("a new token cannot be had now: {reason}")]
    Unavailable {
        /// What went wrong, for logs; no secret.
        reason: String,
        /// When to ask again at the earliest, where the service said so.
        until: Option<Timestamp>,
    },
    /// The link's secrets do not open with the keys there are.
    #[error(transparent)]
    Sealed(#[from] crate::sealing::SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hands out access tokens, renewed early enough and once at a time for each link.
pub trait AccessTokens: Send + Sync {
    /// One that is good for at least a while.
    fn access<'a>(
        &'a self,
        service: &'a ServiceName,
        whose: Whose<'a>,
    ) -> Fut<'a, Result<Access, AccessError>>;

    /// One that is newer than a generation that the service refused (HTTP 401).
    fn after_refusal<'a>(
        &'a self,
        service: &'a ServiceName,
        whose: Whose<'a>,
        generation: u64,
    ) -> Fut<'a, Result<Access, AccessError>>;
}

/// Is told when a link came to work or ceased to: blocked filings of that account are looked at again.
pub trait LinkListener: Send + Sync {
    /// The account of a service changed its standing.
    fn account_changed(&self, service: &ServiceName, whose: Whose<'_>);
}

#[cfg(test)]
mod tests;
