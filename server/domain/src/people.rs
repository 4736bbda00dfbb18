//! Persons, and how Postroom recognises them: sessions, bearer tokens, one-time links, sign-ins under way.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, RoleName, ServiceName, SessionId, SiteName, TeamName, TokenId};
use crate::link::{Place, Sealed};
use crate::person::{Permission, Sites};
use crate::record::{Kept, Kind};

/// Whether a person may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Known, but an administrator has to let them in first.
    Pending,
    /// May come in.
    Active,
    /// May not come in any more. Their records stay.
    Disabled,
}

/// A human's account in one outside system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The linked service that vouches for it.
    pub service: ServiceName,
    /// Who issued it: the `iss` of OpenID Connect, or the address of the DMS.
    pub issuer: String,
    /// The issuer's unchanging id of the human: `sub`, or `tid/oid` at Microsoft, or the DMS's user id.
    pub subject: String,
    /// The e-mail at the last sign-in: for screens, never for matching once the identity is known.
    #[serde(default)]
    pub email: String,
    /// When it was first seen.
    pub since: Timestamp,
}

/// A password's hash as a PHC text (`$argon2id$…`). Shows nothing of itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Refused passwords since the last one that was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refusals {
    /// How many.
    pub count: u32,
    /// Until then no password is looked at, right or wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A human in Postroom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Its id.
    pub id: PersonId,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// The name that "submitted by", audit and screens keep: the e-mail at the time when the person was made, and unchanging from
    /// then on, so that a changed e-mail orphans nothing. Lower case, unique.
    pub name: String,
    /// How they are called.
    pub display_name: String,
    /// The present e-mail, lower case; unique among persons that are not disabled.
    pub email: String,
    /// Whether they may come in.
    pub status: Status,
    /// What they may do.
    pub roles: Vec<RoleName>,
    /// Whose records they see.
    pub sites: Sites,
    /// Teams that linked services are available to.
    #[serde(default)]
    pub teams: Vec<TeamName>,
    /// Their accounts elsewhere.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// Their password, where they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordHash>,
    /// Refused passwords.
    #[serde(default)]
    pub refusals: Refusals,
    /// When the person was made.
    pub created: Timestamp,
    /// The last sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in: Option<Timestamp>,
}

/// SHA-256 of a secret that somebody else holds (session, token, one-time link, state of a sign-in): what is kept and looked up, so
/// that no list of them is of use to a thief. As 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(pub String);

impl SecretHash {
    /// The hash of a secret as it is presented.
    pub fn of(secret: &str) -> Self {
        use sha2::Digest as _;
        let digest: [u8; 32] = sha2::Sha256::digest(secret.as_bytes()).into();
        Self(crate::ids::BlobHash::new(digest).to_string())
    }
}

/// One sign-in of a person in one browser or device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id: what lists show and what is ended by.
    pub id: SessionId,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// Hash of the cookie's secret.
    pub secret: SecretHash,
    /// Whose it is.
    pub person: PersonId,
    /// How they signed in: `password`, `one-time link`, or the linked service's name.
    pub by: String,
    /// The browser, as it calls itself, cut to 120 characters: for the list of sessions.
    #[serde(default)]
    pub agent: String,
    /// Since when.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub used: Timestamp,
    /// It ends here whatever happens.
    pub ends: Timestamp,
    /// Linked services that were asked for since this sign-in: a required link is asked for once, not on each page.
    #[serde(default)]
    pub asked: Vec<ServiceName>,
}

/// A bearer token of a program, of a script, or of the add-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// Hash of the token.
    pub secret: SecretHash,
    /// What it is for, in its maker's words.
    pub name: String,
    /// Whose it is, or what it is.
    pub holder: Holder,
    /// What it may do at most; none means all that the holder may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<Permission>>,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub created: Timestamp,
    /// When it stops to work.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
}

/// Who a bearer token stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A person: what they may do and see at the time of use counts, and it ends with them.
    Person(PersonId),
    /// A program with a name of its own.
    Program {
        /// The name that audit and "submitted by" show.
        name: String,
        /// What it may do.
        roles: Vec<RoleName>,
        /// Whose records it sees.
        sites: Sites,
    },
}

/// A link for one use, with which a person sets a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its number.
    pub id: u128,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// Hash of the secret in the link.
    pub secret: SecretHash,
    /// Whom it lets in.
    pub person: PersonId,
    /// Who made it.
    pub made_by: String,
    /// When it stops to work.
    pub expires: Timestamp,
}

/// What a sign-in under way is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Somebody wants to come in.
    SignIn,
    /// A person links their account.
    Link(PersonId),
    /// An administrator links the system account.
    LinkSystem(PersonId),
}

/// A sign-in or linking that has been sent to a provider and not come back yet. Used once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Its number.
    pub id: u128,
    /// See [`Kept::version`].
    #[serde(skip)]
    pub version: u64,
    /// Hash of the `state` that the provider sends back.
    pub state: SecretHash,
    /// Hash of the cookie of the browser that began it: another browser cannot end it.
    pub browser: SecretHash,
    /// At which linked service.
    pub service: ServiceName,
    /// What it is for.
    pub purpose: Purpose,
    /// The verifier of PKCE and the nonce, sealed.
    pub secrets: Sealed,
    /// Where the browser goes afterwards: a path of ours.
    pub then: String,
    /// It began in the dialog of the add-in, which wants a token back.
    #[serde(default)]
    pub dialog: bool,
    /// When it stops to work.
    pub expires: Timestamp,
}

impl Flow {
    /// Its number as text: the id of [`Flow::place`].
    pub fn place_id(&self) -> String {
        uuid::Uuid::from_u128(self.id).to_string()
    }

    /// Where [`Flow::secrets`] stands.
    pub const fn place(place_id: &str) -> Place<'_> {
        Place { table: "flow", id: place_id, field: "secrets" }
    }
}

/// A rule that makes persons of those who sign in with an e-mail of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainRule {
    /// The domain, such as `harrow.example`.
    pub domain: String,
    /// Whether its sub-domains count too.
    #[serde(default)]
    pub sub_domains: bool,
    /// The new person's site.
    pub site: SiteName,
    /// The new person's role.
    pub role: RoleName,
    /// Whether they may come in at once.
    pub status: Status,
}

macro_rules! kept {
    ($type:ident, $kind:ident, $number:expr, $keys:expr, $groups:expr) => {
        impl Kept for $type {
            const KIND: Kind = Kind::$kind;
            fn number(&self) -> u128 {
                $number(self)
            }
            fn version(&self) -> u64 {
                self.version
            }
            fn set_version(&mut self, version: u64) {
                self.version = version;
            }
            fn keys(&self) -> Vec<String> {
                $keys(self)
            }
            fn groups(&self) -> Vec<String> {
                $groups(self)
            }
        }
    };
}

/// The group of what belongs to a person.
pub fn group_of(person: PersonId) -> String {
    format!("person/{person}")
}

impl Person {
    /// The key of a name.
    pub fn name_key(name: &str) -> String {
        format!("name/{}", name.to_lowercase())
    }

    /// The key of an e-mail.
    pub fn email_key(email: &str) -> String {
        format!("email/{}", email.to_lowercase())
    }

    /// The key of an identity. Issuers and subjects are hashed, because they may be long; the length in front keeps two pairs apart
    /// that read the same when put together.
    pub fn identity_key(issuer: &str, subject: &str) -> String {
        let told = format!("{}:{issuer}:{subject}", issuer.len());
        format!("identity/{}", SecretHash::of(&told).0)
    }

    fn all_keys(&self) -> Vec<String> {
        let mut keys = vec![Self::name_key(&self.name)];
        if self.status != Status::Disabled && !self.email.is_empty() {
            keys.push(Self::email_key(&self.email));
        }
        keys.extend(self.identities.iter().map(|it| Self::identity_key(&it.issuer, &it.subject)));
        keys
    }
}

kept!(
    Person,
    Person,
    |it: &Person| it.id.as_u128(),
    Person::all_keys,
    // Also of those who are disabled and have no key of it: who was shut out is found by the e-mail.
    |it: &Person| vec![Person::email_key(&it.email)]
);
kept!(
    Session,
    Session,
    |it: &Session| it.id.as_u128(),
    |it: &Session| vec![it.secret.0.clone()],
    |it: &Session| vec![group_of(it.person)]
);
kept!(Token, Token, |it: &Token| it.id.as_u128(), |it: &Token| vec![it.secret.0.clone()], |it: &Token| {
    match &it.holder {
        Holder::Person(person) => vec![group_of(*person)],
        Holder::Program { .. } => vec!["programs".to_owned()],
    }
});
kept!(
    Invitation,
    Invitation,
    |it: &Invitation| it.id,
    |it: &Invitation| vec![it.secret.0.clone()],
    |it: &Invitation| vec![group_of(it.person)]
);
kept!(Flow, Flow, |it: &Flow| it.id, |it: &Flow| vec![it.state.0.clone()], |_: &Flow| Vec::new());
