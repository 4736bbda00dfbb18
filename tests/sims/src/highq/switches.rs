//! Behaviour of the fake HighQ, and its people.

use serde::{Deserialize, Serialize};

use crate::common::authorize::{Consent, StateEcho};
use crate::common::bank::{Replay, Reuse};
use crate::common::core::Account;
use crate::common::wire::{RefreshTokens, TokenError};

/// Behaviour that can be changed while the instance runs.
///
/// "Inferred" marks a guess: no public source states it, so a client must cope with every value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent switches")]
pub struct Switches {
    /// Life of a code, in minutes.
    pub code_minutes: u32,
    /// What a code does that is presented again; it is refused, more is not documented.
    pub code_replay: Replay,
    /// Life of an access token, in seconds; set per registration.
    pub access_seconds: u32,
    /// Minutes without use after which an access token ends (inferred; normally none).
    pub idle_minutes: Option<u32>,
    /// Life of a refresh token, in days; set per registration.
    pub refresh_days: u32,
    /// Days without use after which a refresh token ends (inferred; normally none).
    pub refresh_idle_days: Option<u32>,
    /// Whether there are refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// Whether each refresh gives a new pair.
    pub rotate_refresh: bool,
    /// What a refresh token does after it was replaced (inferred).
    pub refresh_reuse: Reuse,
    /// For so long after its replacement a refresh token still works (inferred). Counted in `forgiven_refresh_uses`.
    pub refresh_grace_ms: u32,
    /// Whether numbers in token answers are text.
    pub numbers_as_text: bool,
    /// Whether token answers name the person.
    pub user_email: bool,
    /// The allow/deny screen of the registration.
    pub consent: Consent,
    /// Whether the session of the browser decides, whoever the person meant to be.
    pub session_wins: bool,
    /// What becomes of `state` (clients send it; it is not documented).
    pub state: StateEcho,
    /// Person (id or e-mail) who signs in and allows everything without a page.
    pub approve_as: Option<String>,
    /// Everybody is sent back with `error=access_denied`.
    pub deny: bool,
    /// Keys of error answers of the token endpoint (inferred).
    pub token_error: TokenError,
    /// How far the instance's clock is off, in milliseconds.
    pub skew_ms: i64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            code_minutes: 30,
            code_replay: Replay::Refuse,
            access_seconds: 18_000,
            idle_minutes: None,
            refresh_days: 365,
            refresh_idle_days: None,
            refresh_tokens: RefreshTokens::On,
            rotate_refresh: true,
            refresh_reuse: Reuse::Refuse,
            refresh_grace_ms: 0,
            numbers_as_text: true,
            user_email: true,
            consent: Consent::Once,
            session_wins: true,
            state: StateEcho::Echo,
            approve_as: None,
            deny: false,
            token_error: TokenError::Rfc,
            skew_ms: 0,
        }
    }
}

/// Somebody who can sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// Number, as text.
    pub id: String,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Not allowed to sign in.
    pub disabled: bool,
}

impl Account for Person {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn email(&self) -> &str {
        &self.email
    }

    fn may_sign_in(&self) -> bool {
        !self.disabled
    }
}
