//! Sessions and bearer tokens.

use jiff::Timestamp;
use postroom_domain::ids::{PersonId, RoleName, SessionId, TokenId};
use postroom_domain::people::{Holder, Session, Token};
use postroom_domain::person::Permission;
use serde::{Deserialize, Serialize};

use crate::person::SitesBody;
use crate::secret::Secret;

/// A browser that somebody is signed in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: SessionId,
    /// How they signed in: `password`, or the name of a linked service.
    pub by: String,
    /// The browser, as it calls itself.
    pub agent: String,
    /// When they signed in.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub used: Timestamp,
    /// When it ends at the latest.
    pub ends: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl SessionView {
    /// The view of a session, as seen from another or the same one.
    pub fn of(session: &Session, asking: Option<SessionId>) -> Self {
        Self {
            id: session.id,
            by: session.by.clone(),
            agent: session.agent.clone(),
            created: session.created,
            used: session.used,
            ends: session.ends,
            current: asking == Some(session.id),
        }
    }
}

/// Sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sessions {
    /// Oldest first.
    pub items: Vec<SessionView>,
}

/// Whose sessions or tokens are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct SessionList {
    /// A person whom one looks after; oneself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>), schema(value_type = Option<String>))]
    pub person: Option<PersonId>,
}

/// Whose tokens are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct TokenList {
    /// A person whom one looks after; oneself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>), schema(value_type = Option<String>))]
    pub person: Option<PersonId>,
    /// Those of programs instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub programs: bool,
}

/// A bearer token, without what it is presented as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenView {
    /// Id.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// The program that holds it; absent for a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramView>,
    /// What it is narrowed to; absent when it allows all that its holder may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub scope: Option<Vec<Permission>>,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
}

/// What a program may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProgramView {
    /// Roles.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub roles: Vec<RoleName>,
    /// Sites.
    pub sites: SitesBody,
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        let program = match &token.holder {
            Holder::Person(_) => None,
            Holder::Program { roles, sites, .. } => {
                Some(ProgramView { roles: roles.clone(), sites: SitesBody::from(sites) })
            }
        };
        Self {
            id: token.id,
            name: token.name.clone(),
            program,
            scope: token.scope.clone(),
            made_by: token.made_by.clone(),
            created: token.created,
            expires: token.expires,
            used: token.used,
        }
    }
}

/// Tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// Oldest first.
    pub items: Vec<TokenView>,
}

/// Body of `POST /tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// What it is for; for a program its name, which the history shows.
    pub name: String,
    /// Days until it ends, at least 1; as long as this server allows when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// What it is narrowed to; all that its holder may when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub scope: Option<Vec<Permission>>,
    /// The program that it is for; oneself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramBody>,
}

/// A program that is given a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProgramBody {
    /// Roles.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub roles: Vec<RoleName>,
    /// Sites.
    pub sites: SitesBody,
}

/// A token that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeToken {
    /// `pr_` and 64 hexadecimal digits. Never shown again.
    pub secret: Secret,
    /// The token.
    pub token: TokenView,
}
