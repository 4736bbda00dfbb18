//! What the provider can get wrong in its answers.

use serde::{Deserialize, Serialize};

/// A flaw in an answer that is otherwise well-formed. The operation it belongs to is named first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// `token`: the id token has `alg: none` and no signature.
    AlgNone,
    /// `token`: the id token is signed by HMAC, with the public key's PEM as the secret.
    HmacWithPublicKey,
    /// `token`: signed by HMAC with the client's secret, which OpenID Connect knows, but discovery does not announce.
    HmacWithClientSecret,
    /// `token`: signed with a key that is not published, under the name of one that is.
    BadSignature,
    /// `token`: the claims were changed after signing.
    Altered,
    /// `token`: signed with a key that is not published, under its own name.
    UnknownKid,
    /// `token`: the header names no key.
    NoKid,
    /// `token`: for another application.
    WrongAudience,
    /// `token`: for this application and another one, without `azp`.
    TwoAudiences,
    /// `token`: by another issuer.
    WrongIssuer,
    /// `token`: another tenant's, issuer included (Entra).
    ForeignTenant,
    /// `token`: another nonce.
    WrongNonce,
    /// `token`: no nonce.
    NoNonce,
    /// `token`: expired two hours ago.
    Expired,
    /// `token`: valid from two hours on.
    NotYetValid,
    /// `token`: no `sub`.
    NoSubject,
    /// `token`: the id token is missing.
    NoIdToken,
    /// `token`: the id token is no JWT.
    Garbage,
    /// `token`: no refresh token.
    NoRefreshToken,
    /// `token`: no access token.
    NoAccessToken,
    /// `token`: `"expires_in":"3600"`.
    NumbersAsText,
    /// `token`: no `expires_in`.
    NoExpiry,
    /// `discovery`: another issuer than the one asked.
    OtherIssuer,
    /// `discovery`: the addresses of keys and token endpoint are on another host.
    OtherHost,
    /// `discovery`: no `jwks_uri`.
    NoKeysAddress,
    /// `keys`: an empty list.
    NoKeys,
    /// `keys`: without the newest key, as from a cache.
    OldKeys,
    /// `keys`: entries without `kid`.
    KeysWithoutKid,
    /// `userinfo`: another person's.
    OtherSubject,
}
