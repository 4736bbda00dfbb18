//! What happened to codes and tokens: counters for quick assertions, events for exact ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counters of the token endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenStats {
    /// Calls by grant type, then by outcome: `ok`, or the OAuth error code.
    pub calls: BTreeMap<String, BTreeMap<String, u64>>,
    /// Refreshes that wait for their answer now.
    pub refreshes_in_flight: u64,
    /// Most refreshes waiting at once, of all persons together.
    pub refreshes_peak: u64,
    /// Most refreshes waiting at once for one and the same grant; more than 1 means a client raced itself.
    pub refreshes_peak_per_grant: u64,
    /// Codes handed out.
    pub codes_issued: u64,
    /// Codes turned into tokens.
    pub codes_used: u64,
    /// Codes presented a second time.
    pub codes_replayed: u64,
    /// Access tokens issued.
    pub access_issued: u64,
    /// Refresh tokens issued.
    pub refresh_issued: u64,
    /// Successful uses of refresh tokens.
    pub refresh_used: u64,
    /// Refresh tokens that stopped working: replaced, revoked or expired.
    pub refresh_revoked: u64,
    /// Refresh tokens presented after they had been replaced by a newer one.
    pub stale_refresh_uses: u64,
    /// Those of them that were accepted all the same, within the grace of the switches or because reuse is allowed:
    /// each is a client that lost the answer of its last refresh.
    pub forgiven_refresh_uses: u64,
    /// Access and refresh tokens presented after they, or their grant, had been revoked.
    pub revoked_uses: u64,
}

impl TokenStats {
    /// All calls of a grant type, whatever the outcome.
    pub fn total(&self, grant_type: &str) -> u64 {
        self.calls.get(grant_type).map_or(0, |by_outcome| by_outcome.values().sum())
    }

    /// Calls of a grant type with that outcome.
    pub fn count(&self, grant_type: &str, outcome: &str) -> u64 {
        self.calls.get(grant_type).and_then(|by_outcome| by_outcome.get(outcome)).copied().unwrap_or(0)
    }
}

/// What became of one approval, and of all tokens that came from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantStats {
    /// Number of the grant, from 1, as in [`TokenEvent::grant`].
    pub grant: u64,
    /// The person's id.
    pub person: String,
    /// The application's id.
    pub client: String,
    /// Refreshes that succeeded.
    pub refreshes: u64,
    /// Most refreshes that waited for their answer at once; more than 1 means a client raced itself.
    pub peak: u64,
    /// Refresh tokens presented after a newer one had replaced them.
    pub stale: u64,
    /// Those of them that were accepted all the same.
    pub forgiven: u64,
    /// Tokens presented after revocation.
    pub revoked_uses: u64,
    /// Everything of the grant is revoked.
    pub revoked: bool,
}

/// What happened to a code or token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEventKind {
    /// A code was handed to the browser.
    CodeIssued,
    /// A code was turned into tokens.
    CodeUsed,
    /// A code was presented again.
    CodeReplayed,
    /// An access token was issued.
    AccessIssued,
    /// An access token was accepted for the first time.
    AccessUsed,
    /// A refresh token was issued.
    RefreshIssued,
    /// A refresh token was accepted.
    RefreshUsed,
    /// A refresh token was presented after a newer one had replaced it.
    RefreshStale,
    /// A refresh token was accepted although a newer one had replaced it.
    RefreshForgiven,
    /// A refresh token was presented that is unknown, expired, revoked or another application's.
    RefreshRefused,
    /// All tokens of the grant were revoked.
    GrantRevoked,
    /// An access token was presented after its revocation.
    RevokedUsed,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenEvent {
    /// Position, from 1.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// What happened.
    pub kind: TokenEventKind,
    /// The grant it belongs to: what one approval of a person gave; 0 if none is known.
    pub grant: u64,
    /// The person's id, empty if unknown.
    pub person: String,
    /// The application's id, empty if unknown.
    pub client: String,
    /// The code or token; empty where all of a grant are meant.
    pub token: String,
}
