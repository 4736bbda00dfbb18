//! `GET /healthz` and `GET /readyz`.

use serde::{Deserialize, Serialize};

/// Alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// Always `ok`: there is no answer otherwise.
    pub status: String,
    /// The server's version.
    pub version: String,
}

/// One thing that must work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// `store`, `spool`, `engine`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// What is wrong, or how it is.
    #[serde(default)]
    pub detail: String,
    /// How long the proof took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<u64>,
}

/// Ready, or why not (then with status 503).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ready {
    /// Whether everything works.
    pub ready: bool,
    /// Each thing.
    pub checks: Vec<Check>,
}
