//! Codes, access tokens and refresh tokens, and what became of each.
//!
//! What one approval of a person gives is a *grant*; codes and tokens belong to one, and revoking it ends them all.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rng::Rng;
use super::secrets::{Secret, SecretKind, Secrets};
use super::token_stats::{GrantStats, TokenEvent, TokenEventKind, TokenStats};

/// What happens when a refresh token is presented that a newer one has replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reuse {
    /// Refused, and everything of the grant is revoked: somebody else may have the token.
    #[default]
    Revoke,
    /// Refused; newer tokens go on working.
    Refuse,
    /// Accepted as if nothing had happened.
    Accept,
}

/// What happens when a code is presented again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// Refused, and the tokens it gave are revoked (RFC 6749 section 4.1.2 recommends it).
    #[default]
    Revoke,
    /// Refused; the tokens it gave go on working.
    Refuse,
    /// Accepted.
    Accept,
}

/// Life of codes and tokens; `None` never ends it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) code_ms: i64,
    pub(crate) replay: Replay,
    pub(crate) access_idle_ms: Option<i64>,
    pub(crate) access_life_ms: Option<i64>,
    pub(crate) refresh_life_ms: Option<i64>,
    pub(crate) refresh_idle_ms: Option<i64>,
    pub(crate) reuse: Reuse,
    /// For so long after its replacement an old refresh token still counts as the new one.
    pub(crate) grace_ms: i64,
}

/// What a person approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) person: String,
    pub(crate) client: String,
    pub(crate) scope: Vec<String>,
    /// What else the simulator wants to find again at the token endpoint.
    pub(crate) more: Value,
}

/// A code that was redeemed.
#[derive(Clone, Debug)]
pub(crate) struct Redeemed {
    pub(crate) id: u64,
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
}

/// Why a code or refresh token is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dead {
    Unknown,
    Expired,
    /// Used before; for a refresh token: replaced.
    Used,
    Revoked,
    /// Issued to another application.
    Foreign,
}

#[derive(Debug)]
struct Code {
    grant: u64,
    redirect_uri: String,
    challenge: Option<String>,
    at: i64,
    used: bool,
}

#[derive(Debug)]
struct Token {
    grant: u64,
    issued: i64,
    used: i64,
    /// Its first use is an event; one for every call would fill the memory in a long run.
    seen: bool,
    /// When a newer one took its place; refresh tokens only.
    replaced: Option<i64>,
    /// Revoked by itself, apart from its grant.
    revoked: bool,
}

impl Token {
    fn new(grant: u64, now: i64) -> Self {
        Self { grant, issued: now, used: now, seen: false, replaced: None, revoked: false }
    }
}

#[derive(Debug)]
struct Entry {
    grant: Grant,
    revoked: bool,
    in_flight: u64,
    stats: GrantStats,
}

/// All codes and tokens of a simulator.
#[derive(Debug)]
pub(crate) struct Bank {
    /// First letters of everything issued, so that a stray token tells where it is from.
    prefix: &'static str,
    rng: Rng,
    grants: HashMap<u64, Entry>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Token>,
    refresh: HashMap<String, Token>,
    pub(crate) secrets: Secrets,
    stats: TokenStats,
    events: Vec<TokenEvent>,
}

impl Bank {
    pub(crate) fn new(prefix: &'static str, seed: u64) -> Self {
        Self {
            prefix,
            rng: Rng::new(seed),
            grants: HashMap::new(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            secrets: Secrets::default(),
            stats: TokenStats::default(),
            events: Vec::new(),
        }
    }

    /// A text nobody has seen, such as `nd-at-5f…`.
    pub(crate) fn text(&mut self, kind: &str) -> String {
        format!("{}-{kind}-{}", self.prefix, self.rng.token())
    }

    /// Random digits for ids that are no secret.
    pub(crate) fn random(&mut self) -> String {
        self.rng.token()
    }

    fn event(&mut self, kind: TokenEventKind, grant: u64, token: &str, at: i64) {
        let entry = self.grants.get(&grant);
        let (person, client) =
            entry.map(|e| (e.grant.person.clone(), e.grant.client.clone())).unwrap_or_default();
        let seq = self.events.len() as u64 + 1;
        self.events.push(TokenEvent { seq, at, kind, grant, person, client, token: token.to_owned() });
    }

    /// The grant a refresh token belongs to.
    pub(crate) fn grant_of_refresh(&self, text: &str) -> Option<u64> {
        self.refresh.get(text).map(|token| token.grant)
    }

    /// Note an approval.
    pub(crate) fn grant(&mut self, grant: Grant) -> u64 {
        let id = self.grants.len() as u64 + 1;
        let (person, client) = (grant.person.clone(), grant.client.clone());
        let stats = GrantStats { grant: id, person, client, ..GrantStats::default() };
        self.grants.insert(id, Entry { grant, revoked: false, in_flight: 0, stats });
        id
    }

    pub(crate) fn granted(&self, id: u64) -> Option<&Grant> {
        self.grants.get(&id).map(|e| &e.grant)
    }

    pub(crate) fn code(
        &mut self,
        grant: Grant,
        redirect_uri: &str,
        challenge: Option<&str>,
        now: i64,
    ) -> String {
        let grant = self.grant(grant);
        let text = self.text("code");
        let code = Code {
            grant,
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.map(str::to_owned),
            at: now,
            used: false,
        };
        self.codes.insert(text.clone(), code);
        self.secrets.note(SecretKind::Code, &text);
        self.stats.codes_issued += 1;
        self.event(TokenEventKind::CodeIssued, grant, &text, now);
        text
    }

    /// Use a code. It is used up even if the caller then refuses for reasons of its own.
    pub(crate) fn redeem(&mut self, text: &str, now: i64, limits: &Limits) -> Result<Redeemed, Dead> {
        let code = self.codes.get_mut(text).ok_or(Dead::Unknown)?;
        let (id, again) = (code.grant, code.used);
        if again {
            self.stats.codes_replayed += 1;
            self.event(TokenEventKind::CodeReplayed, id, text, now);
            match limits.replay {
                Replay::Accept => {}
                Replay::Refuse => return Err(Dead::Used),
                Replay::Revoke => {
                    self.revoke(id, now);
                    return Err(Dead::Used);
                }
            }
        }
        let (Some(code), Some(entry)) = (self.codes.get_mut(text), self.grants.get(&id)) else {
            return Err(Dead::Unknown);
        };
        code.used = true;
        if entry.revoked {
            return Err(Dead::Revoked);
        }
        if now - code.at > limits.code_ms {
            return Err(Dead::Expired);
        }
        let redeemed = Redeemed {
            id,
            grant: entry.grant.clone(),
            redirect_uri: code.redirect_uri.clone(),
            challenge: code.challenge.clone(),
        };
        self.stats.codes_used += 1;
        self.event(TokenEventKind::CodeUsed, id, text, now);
        Ok(redeemed)
    }

    /// An access token of the bank's own making.
    pub(crate) fn access(&mut self, grant: u64, now: i64) -> String {
        let text = self.text("at");
        self.keep_access(grant, &text, now);
        text
    }

    /// An access token made elsewhere.
    pub(crate) fn keep_access(&mut self, grant: u64, text: &str, now: i64) {
        self.access.insert(text.to_owned(), Token::new(grant, now));
        self.secrets.note(SecretKind::AccessToken, text);
        self.stats.access_issued += 1;
        self.event(TokenEventKind::AccessIssued, grant, text, now);
    }

    pub(crate) fn refresh(&mut self, grant: u64, now: i64) -> String {
        let text = self.text("rt");
        self.refresh.insert(text.clone(), Token::new(grant, now));
        self.secrets.note(SecretKind::RefreshToken, &text);
        self.stats.refresh_issued += 1;
        self.event(TokenEventKind::RefreshIssued, grant, &text, now);
        text
    }

    /// Who is behind an access token; using it prolongs it.
    pub(crate) fn check(&mut self, text: &str, now: i64, limits: &Limits) -> Option<Grant> {
        let token = self.access.get_mut(text)?;
        let id = token.grant;
        if token.revoked || self.grants.get(&id).is_none_or(|e| e.revoked) {
            self.late(id);
            self.event(TokenEventKind::RevokedUsed, id, text, now);
            return None;
        }
        let idle = limits.access_idle_ms.is_some_and(|ms| now - token.used > ms);
        let old = limits.access_life_ms.is_some_and(|ms| now - token.issued > ms);
        if idle || old {
            self.access.remove(text);
            return None;
        }
        token.used = now;
        let first = !std::mem::replace(&mut token.seen, true);
        let found = self.grants.get(&id)?.grant.clone();
        if first {
            self.event(TokenEventKind::AccessUsed, id, text, now);
        }
        Some(found)
    }

    /// Use a refresh token; gives the grant. The caller decides whether it is replaced.
    pub(crate) fn use_refresh(
        &mut self,
        text: &str,
        client: Option<&str>,
        now: i64,
        limits: &Limits,
    ) -> Result<u64, Dead> {
        let outcome = self.judge_refresh(text, client, now, limits);
        let id = self.refresh.get(text).map_or(0, |t| t.grant);
        match outcome {
            Ok(_) => {
                let token = self.refresh.get_mut(text);
                let forgiven = token.is_some_and(|token| {
                    token.used = now;
                    token.replaced.is_some()
                });
                self.stats.refresh_used += 1;
                self.stats.forgiven_refresh_uses += u64::from(forgiven);
                if let Some(entry) = self.grants.get_mut(&id) {
                    entry.stats.refreshes += 1;
                    entry.stats.forgiven += u64::from(forgiven);
                }
                let kind =
                    if forgiven { TokenEventKind::RefreshForgiven } else { TokenEventKind::RefreshUsed };
                self.event(kind, id, text, now);
            }
            Err(Dead::Used) => {
                self.event(TokenEventKind::RefreshStale, id, text, now);
                if limits.reuse == Reuse::Revoke {
                    self.revoke(id, now);
                }
            }
            Err(Dead::Expired) => {
                self.refresh.remove(text);
                self.stats.refresh_revoked += 1;
                self.event(TokenEventKind::RefreshRefused, id, text, now);
            }
            Err(dead @ (Dead::Unknown | Dead::Revoked | Dead::Foreign)) => {
                if dead == Dead::Revoked {
                    self.late(id);
                }
                self.event(TokenEventKind::RefreshRefused, id, text, now);
            }
        }
        outcome
    }

    fn judge_refresh(
        &mut self,
        text: &str,
        client: Option<&str>,
        now: i64,
        limits: &Limits,
    ) -> Result<u64, Dead> {
        let token = self.refresh.get(text).ok_or(Dead::Unknown)?;
        let entry = self.grants.get_mut(&token.grant).ok_or(Dead::Unknown)?;
        if client.is_some_and(|client| client != entry.grant.client) {
            return Err(Dead::Foreign);
        }
        if let Some(at) = token.replaced {
            // counted even if forgiven: the client used what it had been told to forget
            self.stats.stale_refresh_uses += 1;
            entry.stats.stale += 1;
            if limits.reuse != Reuse::Accept && now - at >= limits.grace_ms {
                return Err(if entry.revoked { Dead::Revoked } else { Dead::Used });
            }
        }
        if entry.revoked || token.revoked {
            return Err(Dead::Revoked);
        }
        let old = limits.refresh_life_ms.is_some_and(|ms| now - token.issued > ms);
        let idle = limits.refresh_idle_ms.is_some_and(|ms| now - token.used > ms);
        if old || idle { Err(Dead::Expired) } else { Ok(token.grant) }
    }

    /// Put a new refresh token in the place of an old one.
    pub(crate) fn rotate(&mut self, old: &str, now: i64) -> Option<String> {
        let token = self.refresh.get_mut(old)?;
        let grant = token.grant;
        // the grace counts from the first replacement
        if token.replaced.is_none() {
            token.replaced = Some(now);
            self.stats.refresh_revoked += 1;
        }
        Some(self.refresh(grant, now))
    }

    /// End all tokens of a grant.
    pub(crate) fn revoke(&mut self, grant: u64, now: i64) {
        let Some(entry) = self.grants.get_mut(&grant).filter(|e| !e.revoked) else { return };
        entry.revoked = true;
        let live = self.refresh.values().filter(|t| t.grant == grant && t.replaced.is_none()).count();
        self.stats.refresh_revoked += live as u64;
        self.event(TokenEventKind::GrantRevoked, grant, "", now);
    }

    /// End all grants of a person, or of everybody; gives how many there were.
    pub(crate) fn revoke_of(&mut self, person: Option<&str>, now: i64) -> usize {
        let mut mine: Vec<u64> = self
            .grants
            .iter()
            .filter(|(_, e)| !e.revoked && person.is_none_or(|p| e.grant.person == p))
            .map(|(id, _)| *id)
            .collect();
        mine.sort_unstable();
        for id in &mine {
            self.revoke(*id, now);
        }
        mine.len()
    }

    /// Forget all access tokens; refresh tokens stay.
    pub(crate) fn expire_access(&mut self) {
        self.access.clear();
    }

    pub(crate) fn forget_access(&mut self, text: &str) {
        if let Some(token) = self.access.get_mut(text) {
            token.revoked = true;
        }
    }

    pub(crate) fn forget_refresh(&mut self, text: &str) {
        let Some(token) = self.refresh.get_mut(text) else { return };
        if !std::mem::replace(&mut token.revoked, true) && token.replaced.is_none() {
            self.stats.refresh_revoked += 1;
        }
    }

    /// Count a token that came after its revocation.
    fn late(&mut self, grant: u64) {
        self.stats.revoked_uses += 1;
        if let Some(entry) = self.grants.get_mut(&grant) {
            entry.stats.revoked_uses += 1;
        }
    }

    /// What became of each grant, in their order.
    pub(crate) fn grants(&self) -> Vec<GrantStats> {
        let mut all: Vec<_> =
            self.grants.values().map(|e| GrantStats { revoked: e.revoked, ..e.stats.clone() }).collect();
        all.sort_by_key(|g| g.grant);
        all
    }

    /// A token call begins; gives the grant of its refresh token, for [`Bank::leave`].
    pub(crate) fn enter(&mut self, refresh_token: &str) -> u64 {
        self.stats.refreshes_in_flight += 1;
        self.stats.refreshes_peak = self.stats.refreshes_peak.max(self.stats.refreshes_in_flight);
        let id = self.refresh.get(refresh_token).map_or(0, |t| t.grant);
        if let Some(entry) = self.grants.get_mut(&id) {
            entry.in_flight += 1;
            entry.stats.peak = entry.stats.peak.max(entry.in_flight);
            self.stats.refreshes_peak_per_grant = self.stats.refreshes_peak_per_grant.max(entry.in_flight);
        }
        id
    }

    /// The call that [`Bank::enter`] counted is over.
    pub(crate) fn leave(&mut self, grant: u64) {
        self.stats.refreshes_in_flight = self.stats.refreshes_in_flight.saturating_sub(1);
        if let Some(entry) = self.grants.get_mut(&grant) {
            entry.in_flight = entry.in_flight.saturating_sub(1);
        }
    }

    /// Count a call of the token endpoint.
    pub(crate) fn count(&mut self, grant_type: &str, outcome: &str) {
        let calls = self.stats.calls.entry(grant_type.to_owned()).or_default();
        *calls.entry(outcome.to_owned()).or_default() += 1;
    }

    pub(crate) fn stats(&self) -> TokenStats {
        self.stats.clone()
    }

    /// Set the counters back; the events stay.
    pub(crate) fn reset_stats(&mut self) {
        let in_flight = self.stats.refreshes_in_flight;
        self.stats =
            TokenStats { refreshes_in_flight: in_flight, refreshes_peak: in_flight, ..TokenStats::default() };
    }

    pub(crate) fn events(&self) -> Vec<TokenEvent> {
        self.events.clone()
    }

    pub(crate) fn secrets(&self) -> Vec<Secret> {
        self.secrets.list()
    }
}
