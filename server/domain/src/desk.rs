//! The desk at the entrance: who comes in and how, what they may do once inside, and how they leave. Sequences over the
//! registry, the providers and the vault's traits; who calls them proves first who asks.
//!
//! - Each change stands in one commit with what the audit tells of it, so that neither can be without the other.
//! - Secrets that are handed out (sessions, tokens, one-time links, states of sign-ins) are 256 bits of chance; only their SHA-256 is
//!   kept.
//! - What a person may do is looked up when it is used, never remembered: a role that shrinks counts at once.
//! - Two that change the same record are told apart by its version; the slower one looks again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use secrecy::zeroize::Zeroize as _;

use crate::event::{Happening, NewEvent, Security, Subject};
use crate::ids::{IdMint, ServiceName, SiteName};
use crate::link::{LinkKeeper, LinkedService};
use crate::people::{DomainRule, Person, Session, Status};
use crate::person::{Actor, Permissions, Principal, Roles, Sites};
use crate::record::{Commit, Kept, Registry};
use crate::sealing::{Passwords, Seals};
use crate::sign_in::{BearerCheck, Provider};
use crate::store::{StoreError, StoreResult};
use crate::time::{Clock, Entropy};

mod dms_accounts;
pub mod domains;
mod errors;
mod invitations;
mod journey;
mod links;
mod matching;
mod password;
mod persons;
mod sessions;
mod texts;
mod tokens;

pub use dms_accounts::{AccountSeen, DmsAccounts, DmsAccountsAt, Ensured};
pub use errors::{DeskError, NotLetIn};
pub use invitations::NewInvitation;
pub use journey::{Begun, CameBack, Errand, Return, SettingOut};
pub use links::WatchedAccount;
pub use persons::{NewPerson, PersonChange};
pub use sessions::SignedIn;
pub use texts::{email_of, own_path};
pub use tokens::{MadeToken, NewProgram, NewToken, TokenBearer};

/// How often a sequence looks again when others change the same records, before it gives up with [`StoreError::Busy`]. Each time
/// means that another one got ahead, so under real load this is not reached.
const TRIES: usize = 32;
/// Records read at once.
const PAGE: usize = 200;
/// Uses of sessions and tokens are noted this often at most.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// A session that nobody used for so long ends.
    pub idle: Duration,
    /// A session ends after this time whatever happens.
    pub absolute: Duration,
    /// The longest life of a bearer token.
    pub token_max: Duration,
    /// The life of the token that the add-in's dialog hands back.
    pub dialog: Duration,
    /// The life of a one-time link.
    pub invitation: Duration,
    /// The time to sign in at a provider and come back.
    pub flow: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_hours(2),
            absolute: Duration::from_hours(12),
            token_max: Duration::from_hours(24 * 365),
            dialog: Duration::from_hours(12),
            invitation: Duration::from_hours(72),
            flow: Duration::from_mins(15),
        }
    }
}

/// The desk: what is done about persons, their sessions, tokens and links.
pub struct People {
    /// Where records are kept.
    pub store: Arc<dyn Registry>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Where ids come from: one mint for the whole process.
    pub mint: Arc<IdMint>,
    /// The roles that there are.
    pub roles: Roles,
    /// Who becomes a person by signing in.
    pub rules: Vec<DomainRule>,
    /// The linked services, in the order in which they are shown.
    pub services: Vec<LinkedService>,
    /// How each of them is spoken to; a service without one cannot be signed in with or linked.
    pub providers: BTreeMap<ServiceName, Arc<dyn Provider>>,
    /// Keeps links.
    pub links: Arc<dyn LinkKeeper>,
    /// Checks of tokens that clients got elsewhere.
    pub bearer: Vec<Arc<dyn BearerCheck>>,
    /// Seals what a sign-in under way has to remember.
    pub seals: Arc<dyn Seals>,
    /// Hashes and compares passwords.
    pub passwords: Arc<dyn Passwords>,
    /// How long things last.
    pub limits: SessionLimits,
    /// The address by which browsers reach this server, without a slash at its end.
    pub public_url: String,
}

/// The browser that somebody signs in with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Browser<'a> {
    /// As it calls itself.
    pub agent: &'a str,
    /// The session's secret that it still has from before: that session ends.
    pub session: Option<&'a str>,
}

/// A session that has just begun.
#[derive(Debug)]
pub struct NewSession {
    /// What the browser keeps as a cookie. Never shown again.
    pub secret: SecretString,
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub person: Person,
}

/// A session's browser name is cut to so many characters.
const AGENT: usize = 120;

impl People {
    /// Who a person is, as to what they may do and see now.
    pub fn principal(&self, person: &Person) -> Principal {
        let active = person.status == Status::Active;
        Principal {
            name: person.name.clone(),
            person: Some(person.id),
            roles: person.roles.clone(),
            permissions: if active { self.roles.permissions(&person.roles) } else { Permissions::NONE },
            sites: person.sites.clone(),
            teams: person.teams.clone(),
        }
    }

    /// Who comes through the socket in the data folder: only who may read and write that folder gets there, and they could change
    /// everything anyway.
    pub fn local_administrator(home: SiteName) -> Principal {
        Principal {
            name: "local administrator".to_owned(),
            person: None,
            roles: vec![crate::person::Role::Admin.name()],
            permissions: Permissions::of(&crate::person::Permission::ALL),
            sites: Sites::all(home),
            teams: Vec::new(),
        }
    }

    /// A new secret for a browser that nobody is signed in in yet: ties its forms, and its journeys to providers, to it.
    pub fn browser_secret(&self) -> SecretString {
        self.new_secret("")
    }

    /// The settings of a linked service.
    pub fn service(&self, name: &ServiceName) -> Option<&LinkedService> {
        self.services.iter().find(|it| it.name == *name)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn next_id(&self) -> u128 {
        self.mint.next(self.clock.as_ref(), self.entropy.as_ref())
    }

    /// 256 bits of chance as 64 hexadecimal digits, with something in front.
    fn new_secret(&self, front: &str) -> SecretString {
        use std::fmt::Write as _;
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        let mut text = String::with_capacity(front.len() + 64);
        text.push_str(front);
        for byte in bytes {
            // Writing to a text does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        bytes.zeroize();
        SecretString::from(text)
    }

    fn event(
        &self,
        what: Security,
        subject: Subject,
        site: Option<&SiteName>,
        actor: &str,
        note: impl Into<String>,
    ) -> NewEvent {
        NewEvent {
            at: self.now(),
            site: site.cloned(),
            subject,
            happening: Happening::Security { what },
            actor: Actor::person(actor),
            note: note.into(),
        }
    }

    /// The note names the person where somebody else does it: ids say nothing to who reads the history.
    fn about(&self, what: Security, person: &Person, actor: &str, note: impl Into<String>) -> NewEvent {
        let note = note.into();
        let note = match (person.name == actor, note.is_empty()) {
            (true, _) => note,
            (false, true) => person.name.clone(),
            (false, false) => format!("{}: {note}", person.name),
        };
        self.event(what, Subject::Person(person.id), Some(&person.sites.home), actor, note)
    }

    /// All records of a group. Groups here are what belongs to one person, or all programs' tokens: tens, not thousands.
    async fn all_of<T: Kept>(&self, group: Option<&str>) -> StoreResult<Vec<T>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = crate::record::page::<T>(self.store.as_ref(), group, after, PAGE).await?;
            let full = page.len() == PAGE;
            after = page.last().map(Kept::number);
            all.extend(page);
            if !full {
                return Ok(all);
            }
        }
    }

    /// Commits; false when a record had changed meanwhile, so that it is to be looked at again.
    async fn commits(&self, commit: Commit) -> StoreResult<bool> {
        match self.store.commit(commit).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Writes an event that belongs to no change.
    async fn tell(&self, event: NewEvent) -> StoreResult<()> {
        self.store.commit(Commit { writes: Vec::new(), events: vec![event] }).await
    }
}

/// The next version of a record.
fn changed<T: Kept>(mut value: T) -> T {
    let version = value.version() + 1;
    value.set_version(version);
    value
}

#[cfg(test)]
mod tests;
