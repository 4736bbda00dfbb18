//! `[people]` and `[[roles]]`: how long people stay signed in, who is made a person by signing in, and the firm's own roles.

use std::collections::HashSet;
use std::time::Duration;

use postroom_domain::desk::SessionLimits;
use postroom_domain::ids::RoleName;
use postroom_domain::people::DomainRule;
use postroom_domain::person::{Permission, Permissions, Roles};
use serde::Deserialize;
use toml::Spanned;

/// `[people]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct People {
    /// A session that nobody used for so long ends, in minutes.
    pub(crate) session_idle_minutes: u64,
    /// A session ends after this time whatever happens, in hours.
    pub(crate) session_hours: u64,
    /// The longest life of a bearer token, in days.
    pub(crate) token_days: u64,
    /// The life of the token that the add-in's dialog hands back, in hours.
    pub(crate) dialog_token_hours: u64,
    /// The life of a one-time link, in hours.
    pub(crate) invitation_hours: u64,
    /// The time to sign in at a provider and come back, in minutes.
    pub(crate) sign_in_minutes: u64,
    /// Who becomes a person by signing in.
    pub(crate) domain_rules: Vec<DomainRule>,
}

impl Default for People {
    fn default() -> Self {
        Self {
            session_idle_minutes: 120,
            session_hours: 12,
            token_days: 365,
            dialog_token_hours: 12,
            invitation_hours: 72,
            sign_in_minutes: 15,
            domain_rules: Vec::new(),
        }
    }
}

/// `[[roles]]`: a role of the firm's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleSettings {
    /// Its name.
    pub(crate) name: RoleName,
    /// What it allows.
    pub(crate) permissions: Vec<Permission>,
}

impl People {
    /// How long things last.
    pub(crate) const fn limits(&self) -> SessionLimits {
        SessionLimits {
            idle: minutes(self.session_idle_minutes),
            absolute: hours(self.session_hours),
            token_max: days(self.token_days),
            dialog: hours(self.dialog_token_hours),
            invitation: hours(self.invitation_hours),
            flow: minutes(self.sign_in_minutes),
        }
    }

    /// Every number with its name and the range that makes sense.
    pub(super) fn mistakes(&self, roles: &Roles) -> Vec<String> {
        let mut wrong = Vec::new();
        let ranges = [
            ("session_idle_minutes", self.session_idle_minutes, 1, 60 * 24 * 7),
            ("session_hours", self.session_hours, 1, 24 * 31),
            ("token_days", self.token_days, 1, 3650),
            ("dialog_token_hours", self.dialog_token_hours, 1, 24 * 31),
            ("invitation_hours", self.invitation_hours, 1, 24 * 31),
            ("sign_in_minutes", self.sign_in_minutes, 1, 60),
        ];
        for (key, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                wrong.push(format!("people.{key}: {least} to {most}"));
            }
        }
        for rule in &self.domain_rules {
            let key = format!("people.domain_rules \"{}\"", rule.domain);
            if roles.get(&rule.role).is_none() {
                let near = super::report::nearest(rule.role.as_str(), roles.names().map(RoleName::as_str));
                wrong.push(format!("{key}: role: there is no role \"{}\"{near}", rule.role));
            }
            if let Err(problem) = postroom_domain::desk::domains::check(&rule.domain) {
                wrong.push(format!("{key}: {problem}"));
            }
        }
        wrong
    }
}

/// A number of minutes.
const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(60))
}

/// A number of hours.
const fn hours(count: u64) -> Duration {
    minutes(count.saturating_mul(60))
}

/// A number of days.
const fn days(count: u64) -> Duration {
    hours(count.saturating_mul(24))
}

/// The built-in roles and the firm's own, with what is wrong about these.
pub(super) fn roles(settings: &[Spanned<RoleSettings>]) -> (Roles, Vec<(usize, String)>) {
    let mut roles = Roles::default();
    let mut wrong = Vec::new();
    for role in settings {
        let (at, it) = (role.span().start, role.get_ref());
        let key = format!("roles \"{}\"", it.name);
        if it.permissions.is_empty() {
            wrong.push((at, format!("{key}: permissions: name at least one")));
        }
        let distinct: HashSet<_> = it.permissions.iter().collect();
        if distinct.len() < it.permissions.len() {
            wrong.push((at, format!("{key}: permissions: one stands twice")));
        }
        if !roles.define(it.name.clone(), Permissions::of(&it.permissions)) {
            wrong.push((at, format!("{key}: the name is taken")));
        }
    }
    (roles, wrong)
}
