//! Who acts: roles, permissions and the actor that every change and every DMS call carries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::SiteName;

/// What a person or program may do, as a named set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Files documents and sees the own ones.
    User,
    /// Watches everything, decides over filings and pauses doors and destinations.
    Operator,
    /// Sees everything and may put filings right, but not stop doors.
    Support,
    /// Everything.
    Admin,
}

/// One thing that may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Hand in documents and see what became of one's own.
    File,
    /// See every intake and filing of the site.
    SeeAll,
    /// Retry, hold, release, cancel, edit and link filings; assign and dismiss intakes.
    Decide,
    /// Pause and resume sources and destinations.
    Pause,
    /// Create and change work items.
    EditWorkItems,
    /// Read metrics, take backups, everything else about the machine itself.
    Administer,
}

impl Role {
    /// All roles that are built in.
    pub const ALL: [Self; 4] = [Self::User, Self::Operator, Self::Support, Self::Admin];

    /// What the role allows.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Administer, Decide, EditWorkItems, File, Pause, SeeAll};
        match self {
            Self::User => &[File],
            Self::Support => &[File, SeeAll, Decide],
            Self::Operator => &[File, SeeAll, Decide, Pause, EditWorkItems],
            Self::Admin => &[File, SeeAll, Decide, Pause, EditWorkItems, Administer],
        }
    }

    /// Whether the role allows it.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }

    /// The name used in settings and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("\"{text}\" is not a role (user, operator, support or admin)"))
    }
}

/// Who a request comes from, once its token has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name that audit and screens show.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The site whose records it sees.
    pub site: SiteName,
}

/// Whose account a DMS call uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// The person's own link.
    Own,
    /// The service's system account.
    System,
}

/// Who does something: the principal, on whose behalf, and with which credential. The audit keeps all three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The acting person or part of the program (`engine`, `hot-folder`).
    pub principal: String,
    /// The person for whom it is done, where that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Whose account is used towards the DMS, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
}

impl Actor {
    /// A person acting for themself inside Postroom.
    pub fn person(name: &str) -> Self {
        Self { principal: name.to_owned(), on_behalf_of: None, credential: None }
    }

    /// A part of the program, for somebody, with the system account.
    pub fn system(part: &str, on_behalf_of: Option<&str>) -> Self {
        Self {
            principal: part.to_owned(),
            on_behalf_of: on_behalf_of.map(str::to_owned),
            credential: Some(Credential::System),
        }
    }
}
