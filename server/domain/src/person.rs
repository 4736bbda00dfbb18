//! Who acts: roles, permissions, sites, and the actor that every change and every DMS call carries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, RoleName, SiteName, TeamName};

/// What a person or program may do, as a named set of permissions. These four are built in; a firm adds its own
/// ([`Roles`]).
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Permission {
    /// Hand in documents and see what became of one's own; link one's own accounts.
    File = 0,
    /// See every intake and filing of one's sites.
    SeeAll = 1,
    /// Retry, hold, release, cancel, edit and link filings; assign and dismiss intakes.
    Decide = 2,
    /// Pause and resume sources and destinations.
    Pause = 3,
    /// Create and change work items.
    EditWorkItems = 4,
    /// Create, change, lock and unlock persons; end their sessions; make and revoke tokens.
    ManagePersons = 5,
    /// Link and unlink system accounts, see everybody's links.
    ManageLinks = 6,
    /// Read and export the audit.
    ReadAudit = 7,
    /// Read metrics, rotate keys, take backups, everything else about the machine itself.
    Administer = 8,
}

impl Permission {
    /// Every permission, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::File,
        Self::SeeAll,
        Self::Decide,
        Self::Pause,
        Self::EditWorkItems,
        Self::ManagePersons,
        Self::ManageLinks,
        Self::ReadAudit,
        Self::Administer,
    ];

    /// The name used in settings and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::SeeAll => "see_all",
            Self::Decide => "decide",
            Self::Pause => "pause",
            Self::EditWorkItems => "edit_work_items",
            Self::ManagePersons => "manage_persons",
            Self::ManageLinks => "manage_links",
            Self::ReadAudit => "read_audit",
            Self::Administer => "administer",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|it| it.as_str()).collect();
            format!("\"{text}\" is not a permission ({})", all.join(", "))
        })
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Permissions(u16);

impl Permissions {
    /// Nothing is allowed.
    pub const NONE: Self = Self(0);

    /// The set of these.
    pub fn of(permissions: &[Permission]) -> Self {
        permissions.iter().fold(Self::NONE, |set, it| Self(set.0 | 1 << *it as u8))
    }

    /// Whether it is in the set.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both: a token never allows more than its scope nor more than its owner may.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in it, in the order of the numbers.
    pub fn list(self) -> Vec<Permission> {
        Permission::ALL.into_iter().filter(|it| self.has(*it)).collect()
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.list()).finish()
    }
}

impl Role {
    /// All roles that are built in.
    pub const ALL: [Self; 4] = [Self::User, Self::Operator, Self::Support, Self::Admin];

    /// What the role allows.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Decide, EditWorkItems, File, Pause, SeeAll};
        match self {
            Self::User => &[File],
            Self::Support => &[File, SeeAll, Decide],
            Self::Operator => &[File, SeeAll, Decide, Pause, EditWorkItems],
            Self::Admin => &Permission::ALL,
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

    /// The role's name among those of the firm's own.
    #[expect(clippy::expect_used, reason = "the four texts are role names, which a test holds")]
    pub fn name(self) -> RoleName {
        self.as_str().parse().expect("a role name")
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

/// The roles that there are: the four built in, and those of the firm's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(BTreeMap<RoleName, Permissions>);

impl Default for Roles {
    fn default() -> Self {
        Self(Role::ALL.into_iter().map(|role| (role.name(), Permissions::of(role.permissions()))).collect())
    }
}

impl Roles {
    /// Adds a role of the firm's own. False, and nothing changes, when the name is taken.
    pub fn define(&mut self, name: RoleName, permissions: Permissions) -> bool {
        let free = !self.0.contains_key(&name);
        if free {
            self.0.insert(name, permissions);
        }
        free
    }

    /// What a role allows; none when there is no such role.
    pub fn get(&self, name: &RoleName) -> Option<Permissions> {
        self.0.get(name).copied()
    }

    /// What all of these together allow. A role that is not there any more allows nothing.
    pub fn permissions(&self, names: &[RoleName]) -> Permissions {
        names.iter().filter_map(|name| self.get(name)).fold(Permissions::NONE, Permissions::and)
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &RoleName> {
        self.0.keys()
    }
}

/// The sites whose records a person or program sees. What belongs to another one does not exist for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sites {
    /// The site that what it hands in belongs to, unless it names another of its own.
    pub home: SiteName,
    /// Sites besides.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<SiteName>,
    /// Every site there is and will be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

impl Sites {
    /// One site only.
    pub const fn one(home: SiteName) -> Self {
        Self { home, also: BTreeSet::new(), all: false }
    }

    /// Every site.
    pub const fn all(home: SiteName) -> Self {
        Self { home, also: BTreeSet::new(), all: true }
    }

    /// Whether records of the site are seen.
    pub fn has(&self, site: &SiteName) -> bool {
        self.all || self.home == *site || self.also.contains(site)
    }

    /// The same, for queries.
    pub fn scope(&self) -> Scope {
        if self.all {
            return Scope::All;
        }
        Scope::Only(self.also.iter().chain([&self.home]).cloned().collect())
    }
}

/// Which sites' records a query may find.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// All records, also those that belong to no site: for the program itself.
    #[default]
    All,
    /// Records of these sites.
    Only(BTreeSet<SiteName>),
}

impl Scope {
    /// One site.
    pub fn one(site: SiteName) -> Self {
        Self::Only(BTreeSet::from([site]))
    }

    /// Whether records of the site may be found.
    pub fn has(&self, site: &SiteName) -> bool {
        match self {
            Self::All => true,
            Self::Only(sites) => sites.contains(site),
        }
    }

    /// Whether there is no limit.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }
}

/// Who a request comes from, once its token or session has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name that audit and screens show, and that "submitted by" keeps. A person's never changes
    /// ([`crate::people::Person::name`]).
    pub name: String,
    /// The person, where it is one: programs have none.
    pub person: Option<PersonId>,
    /// Its roles, for screens; what counts is `permissions`.
    pub roles: Vec<RoleName>,
    /// What it may do.
    pub permissions: Permissions,
    /// The sites whose records it sees.
    pub sites: Sites,
    /// The teams it is in: what linked services are available to.
    pub teams: Vec<TeamName>,
}

impl Principal {
    /// A program or local account with one built-in role and one site.
    pub fn program(name: &str, role: Role, site: SiteName) -> Self {
        Self {
            name: name.to_owned(),
            person: None,
            roles: vec![role.name()],
            permissions: Permissions::of(role.permissions()),
            sites: Sites::one(site),
            teams: Vec::new(),
        }
    }

    /// Whether it may.
    pub const fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }
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

    /// The person whose own account a call with [`Credential::Own`] uses.
    pub fn account_owner(&self) -> &str {
        self.on_behalf_of.as_deref().unwrap_or(&self.principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_have_names_and_a_firms_own_cannot_replace_them() {
        let mut roles = Roles::default();
        for role in Role::ALL {
            let set = roles.get(&role.name()).unwrap();
            assert_eq!(set.list(), role.permissions());
        }
        assert!(!roles.define(Role::User.name(), Permissions::of(&Permission::ALL)));
        assert!(!roles.get(&Role::User.name()).unwrap().has(Permission::Administer));
        let scan: RoleName = "scan-desk".parse().unwrap();
        let allowed = Permissions::of(&[Permission::File, Permission::Pause]);
        assert!(roles.define(scan.clone(), allowed));
        assert_eq!(roles.permissions(&[scan, "gone".parse().unwrap()]), allowed);
        assert_eq!(roles.permissions(&[]), Permissions::NONE);
    }

    #[test]
    fn permissions_are_named_once() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
        assert!("administer ".parse::<Permission>().is_err());
        let file = Permissions::of(&[Permission::File, Permission::Decide]);
        assert_eq!(
            file.within(Permissions::of(&[Permission::File, Permission::Pause])).list(),
            [Permission::File]
        );
    }

    #[test]
    fn sites_see_their_own() {
        let site = |name: &str| name.parse::<SiteName>().unwrap();
        let sites = Sites { also: BTreeSet::from([site("leeds")]), ..Sites::one(site("main")) };
        for (name, seen) in [("main", true), ("leeds", true), ("york", false)] {
            assert_eq!(sites.has(&site(name)), seen, "{name}");
            assert_eq!(sites.scope().has(&site(name)), seen, "{name}");
            assert!(Sites::all(site("main")).scope().has(&site(name)));
        }
    }
}
