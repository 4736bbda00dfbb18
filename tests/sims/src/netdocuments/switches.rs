//! Behaviour of the fake NetDocuments, and its people.

use serde::{Deserialize, Serialize};

use crate::common::authorize::{Consent, StateEcho};
use crate::common::bank::{Replay, Reuse};
use crate::common::core::Account;
use crate::common::wire::{RefreshTokens, TokenError};

/// Behaviour that can be changed while the server runs.
///
/// "Inferred" marks a guess: no public source states it, so a client must cope with every value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent switches")]
pub struct Switches {
    /// Life of a code, in seconds: about two minutes.
    pub code_seconds: u32,
    /// What a code does that is presented again (inferred).
    pub code_replay: Replay,
    /// Minutes without use after which an access token ends: 45 to 90, by scope.
    pub idle_minutes: u32,
    /// Hours after which an access token ends in any case: 24 to 48.
    pub absolute_hours: u32,
    /// Refresh tokens in answers to a code.
    pub refresh_tokens: RefreshTokens,
    /// Refresh tokens in answers to a refresh (not documented; without one the old token works on).
    pub refresh_tokens_again: RefreshTokens,
    /// Whether each use of a refresh token replaces it, where it is answered at all (not documented).
    pub rotate_refresh: bool,
    /// What a refresh token does after it was replaced (inferred).
    pub refresh_reuse: Reuse,
    /// For so long after its replacement a refresh token still works (inferred). Counted in `forgiven_refresh_uses`.
    pub refresh_grace_ms: u32,
    /// Life of a refresh token, in days (not documented).
    pub refresh_days: Option<u32>,
    /// Days without use after which a refresh token ends (not documented).
    pub refresh_idle_days: Option<u32>,
    /// Whether `expires_in` is text.
    pub numbers_as_text: bool,
    /// Whether an authorize request with a percent-encoded redirect address is refused, as one client found.
    pub refuse_encoded_redirect: bool,
    /// When a person is asked to allow the application (inferred).
    pub consent: Consent,
    /// What becomes of `state`.
    pub state: StateEcho,
    /// Person (id or e-mail) who signs in and allows everything without a page.
    pub approve_as: Option<String>,
    /// Everybody is sent back with `error=access_denied`.
    pub deny: bool,
    /// Keys of error answers of the token endpoint (inferred).
    pub token_error: TokenError,
    /// Id of the account that the repository's administrator mapped the application to; before that, service tokens
    /// work and see nothing.
    pub service_account: Option<String>,
    /// How far the server's clock is off, in milliseconds.
    pub skew_ms: i64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            code_seconds: 120,
            code_replay: Replay::Refuse,
            idle_minutes: 60,
            absolute_hours: 24,
            refresh_tokens: RefreshTokens::On,
            refresh_tokens_again: RefreshTokens::Absent,
            rotate_refresh: false,
            refresh_reuse: Reuse::Refuse,
            refresh_grace_ms: 0,
            refresh_days: None,
            refresh_idle_days: None,
            numbers_as_text: true,
            refuse_encoded_redirect: false,
            consent: Consent::Once,
            state: StateEcho::Echo,
            approve_as: None,
            deny: false,
            token_error: TokenError::Rfc,
            service_account: Some("DUCOT-POSTROOM".into()),
            skew_ms: 0,
        }
    }
}

/// Somebody who can sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// Id with the region in front.
    pub id: String,
    /// Display name.
    pub name: String,
    /// E-mail, which is the user name.
    pub email: String,
    /// Does not belong to the firm.
    pub external: bool,
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
