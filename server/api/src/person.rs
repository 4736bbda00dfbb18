//! Persons, and who is asking.

use jiff::Timestamp;
use postroom_domain::desk::{NewPerson, PersonChange};
use postroom_domain::ids::{PersonId, RoleName, ServiceName, SiteName, TeamName};
use postroom_domain::people::{Identity, Person, Status};
use postroom_domain::person::Sites;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;
use crate::summary::You;

/// The answer of `GET /me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// Who is asking, and what they may do.
    pub you: You,
    /// The person; absent for programs and for the local administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub person: Option<PersonId>,
    /// The teams: what linked services are offered to.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub teams: Vec<TeamName>,
    /// How they came in: `session`, `token` or `local`.
    pub by: String,
}

/// Sites whose records somebody sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SitesBody {
    /// The site that what they hand in belongs to.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub home: SiteName,
    /// Sites besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub also: Vec<SiteName>,
    /// Every site there is and will be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

impl From<&Sites> for SitesBody {
    fn from(sites: &Sites) -> Self {
        Self { home: sites.home.clone(), also: sites.also.iter().cloned().collect(), all: sites.all }
    }
}

impl From<SitesBody> for Sites {
    fn from(body: SitesBody) -> Self {
        Self { home: body.home, also: body.also.into_iter().collect(), all: body.all }
    }
}

/// An account of an outside system that is recognised as a person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityView {
    /// The linked service that vouches for it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub service: ServiceName,
    /// Its e-mail there when it was last seen.
    pub email: String,
    /// Since when it is recognised.
    pub since: Timestamp,
}

impl From<&Identity> for IdentityView {
    fn from(identity: &Identity) -> Self {
        Self { service: identity.service.clone(), email: identity.email.clone(), since: identity.since }
    }
}

/// A person, without anything that opens a door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonView {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: PersonId,
    /// Goes up with each change; sent back in `If-Match`.
    pub version: u64,
    /// The name that the history shows; it never changes.
    pub name: String,
    /// How they are called.
    pub display_name: String,
    /// E-mail, lower case.
    pub email: String,
    /// `pending`, `active` or `disabled`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: Status,
    /// Roles.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub roles: Vec<RoleName>,
    /// Sites.
    pub sites: SitesBody,
    /// Teams.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub teams: Vec<TeamName>,
    /// Accounts of outside systems that are recognised as theirs.
    pub identities: Vec<IdentityView>,
    /// Whether there is a password to sign in with.
    pub has_password: bool,
    /// Until when no password is looked at, after too many wrong ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Timestamp>,
    /// When they were added.
    pub created: Timestamp,
    /// When they last came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in: Option<Timestamp>,
}

impl From<&Person> for PersonView {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id,
            version: person.version,
            name: person.name.clone(),
            display_name: person.display_name.clone(),
            email: person.email.clone(),
            status: person.status,
            roles: person.roles.clone(),
            sites: SitesBody::from(&person.sites),
            teams: person.teams.clone(),
            identities: person.identities.iter().map(IdentityView::from).collect(),
            has_password: person.password.is_some(),
            locked_until: person.refusals.until,
            created: person.created,
            last_sign_in: person.last_sign_in,
        }
    }
}

/// Body of `POST /persons`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPersonBody {
    /// E-mail: they sign in with it, and it becomes the name that the history shows.
    pub email: String,
    /// How they are called; the e-mail when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// At least one role; none that allows more than who asks may do.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub roles: Vec<RoleName>,
    /// Sites; none that who asks does not see.
    pub sites: SitesBody,
    /// Teams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub teams: Vec<TeamName>,
    /// Whether they have to wait for somebody to let them in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

impl From<NewPersonBody> for NewPerson {
    fn from(body: NewPersonBody) -> Self {
        Self {
            email: body.email,
            display_name: body.display_name,
            roles: body.roles,
            sites: body.sites.into(),
            teams: body.teams,
            status: if body.pending { Status::Pending } else { Status::Active },
        }
    }
}

/// Body of `PUT /persons/{id}`: what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PersonBody {
    /// E-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `pending`, `active` or `disabled`. Who is disabled is signed out everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub status: Option<Status>,
    /// Roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub roles: Option<Vec<RoleName>>,
    /// Sites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<SitesBody>,
    /// Teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub teams: Option<Vec<TeamName>>,
    /// Services whose accounts are not recognised as theirs any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub forget: Vec<ServiceName>,
}

impl From<PersonBody> for PersonChange {
    fn from(body: PersonBody) -> Self {
        Self {
            email: body.email,
            display_name: body.display_name,
            status: body.status,
            roles: body.roles,
            sites: body.sites.map(Sites::from),
            teams: body.teams,
            forget: body.forget,
        }
    }
}

/// The address's parameters of `GET /persons`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct PersonList {
    /// Part of the name, the e-mail or how they are called; all when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub search: String,
    /// How many, 1 to 500; 50 when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A one-time link, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationView {
    /// The address to hand to the person. Whoever has it can set their password.
    pub url: Secret,
    /// When it ends.
    pub expires: Timestamp,
}
