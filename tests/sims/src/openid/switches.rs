//! Behaviour of the provider, and its people.

use serde::{Deserialize, Serialize};

use crate::common::authorize::{Consent, StateEcho};
use crate::common::bank::{Replay, Reuse};
use crate::common::core::Account;
use crate::common::wire::{RefreshTokens, TokenError};

/// How id tokens are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// RSA with SHA-256.
    #[default]
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
}

/// Form of the plain provider's access tokens. The tenant's are always JWTs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokens {
    /// Random text.
    #[default]
    Opaque,
    /// Signed claims.
    Jwt,
}

/// How an application says its secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// As it likes.
    #[default]
    Both,
    /// Form fields only (`client_secret_post`).
    Post,
    /// `Authorization: Basic` only (`client_secret_basic`).
    Basic,
}

/// Behaviour that can be changed while the provider runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent switches")]
pub struct Switches {
    /// Id of the tenant.
    pub tenant: String,
    /// Signature of tokens.
    pub algorithm: Algorithm,
    /// Form of the plain provider's access tokens.
    pub access_tokens: AccessTokens,
    /// Whether a request without PKCE (S256) is refused. A public client's always is.
    pub pkce: bool,
    /// How an application says its secret.
    pub client_auth: ClientAuth,
    /// Life of a code, in seconds.
    pub code_seconds: u32,
    /// What a code does that is presented again.
    pub code_replay: Replay,
    /// Life of access and id tokens, in seconds.
    pub access_seconds: u32,
    /// Life of a refresh token, in days.
    pub refresh_days: u32,
    /// Days without use after which a refresh token ends.
    pub refresh_idle_days: Option<u32>,
    /// Whether there are refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// Whether they are given only for the scope `offline_access`.
    pub offline_access: bool,
    /// Whether each use of a refresh token replaces it.
    pub rotate_refresh: bool,
    /// What a refresh token does after it was replaced. Entra ID lets it work on: [`Reuse::Accept`].
    pub refresh_reuse: Reuse,
    /// For so long after its replacement a refresh token still works. Counted in `forgiven_refresh_uses`.
    pub refresh_grace_ms: u32,
    /// When a person is asked to allow the application.
    pub consent: Consent,
    /// Person (id or e-mail) who signs in and allows everything without a page.
    pub approve_as: Option<String>,
    /// Whether `login_hint` signs in without a page, as a session elsewhere would.
    pub hint_signs_in: bool,
    /// Everybody is sent back with `error=access_denied`.
    pub deny: bool,
    /// What becomes of `state`.
    pub state: StateEcho,
    /// Whether the way back names the issuer (RFC 9207).
    pub iss_parameter: bool,
    /// Whether `email_verified` is text, as some providers have it.
    pub verified_as_text: bool,
    /// Whether the tenant's id tokens carry `email` (an optional claim there).
    pub tenant_email: bool,
    /// Whether the id token leaves profile and e-mail to the userinfo endpoint.
    pub claims_in_userinfo_only: bool,
    /// Keys of error answers of the token endpoint.
    pub token_error: TokenError,
    /// How far the provider's clock is off, in milliseconds.
    pub skew_ms: i64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            tenant: super::TENANT.into(),
            algorithm: Algorithm::Rs256,
            access_tokens: AccessTokens::Opaque,
            pkce: true,
            client_auth: ClientAuth::Both,
            code_seconds: 60,
            code_replay: Replay::Revoke,
            access_seconds: 3600,
            refresh_days: 90,
            refresh_idle_days: None,
            refresh_tokens: RefreshTokens::On,
            offline_access: true,
            rotate_refresh: true,
            refresh_reuse: Reuse::Revoke,
            refresh_grace_ms: 0,
            consent: Consent::Once,
            approve_as: None,
            hint_signs_in: false,
            deny: false,
            state: StateEcho::Echo,
            iss_parameter: false,
            verified_as_text: false,
            tenant_email: true,
            claims_in_userinfo_only: false,
            token_error: TokenError::Rfc,
            skew_ms: 0,
        }
    }
}

/// Somebody who can sign in. A changed e-mail is `Control::update_person`; an e-mail that another subject takes over is
/// `Control::put_person` with a new id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// Subject; never changes.
    pub id: String,
    /// Object id in the tenant.
    pub oid: String,
    /// Name.
    pub name: String,
    /// E-mail; the claim is left out if empty.
    pub email: String,
    /// Whether the plain provider vouches for the e-mail; `None` leaves the claim out.
    pub email_verified: Option<bool>,
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
