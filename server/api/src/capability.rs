//! What will not work, why, and who can mend it.

use postroom_domain::capability::{Finding, Level};
use postroom_domain::cause::Fixer;
use serde::{Deserialize, Serialize};

/// The address's parameters of `GET /capabilities`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct CapabilityList {
    /// Also ask the services themselves, which takes a while.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FindingView {
    /// What it is about: `service`, `link` and so on.
    pub about: String,
    /// Which one.
    pub subject: String,
    /// `good`, `warning` or `bad`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub level: Level,
    /// What was found, in plain words.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub advice: String,
    /// Who can.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub fixer: Fixer,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        let Finding { about, subject, level, detail, advice, fixer } = finding;
        Self { about, subject, level, detail, advice, fixer }
    }
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Capabilities {
    /// What was looked at.
    pub items: Vec<FindingView>,
}
