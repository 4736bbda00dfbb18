//! Tokens: access tokens with a sliding idle timeout, refresh tokens, one-time codes and dialog tokens.

use std::collections::HashMap;

use super::access::Caller;
use super::switches::{DialogToken, Switches};
use crate::common::bank::{Bank, Grant, Limits, Redeemed, Replay};
use crate::common::secrets::SecretKind;

/// An authorization code lives this long.
const CODE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// All tokens of the tenant.
#[derive(Debug)]
pub(super) struct Auth {
    pub(super) bank: Bank,
    dialogs: HashMap<String, Caller>,
}

impl Auth {
    pub(super) fn new(seed: u64) -> Self {
        Self { bank: Bank::new("im", seed), dialogs: HashMap::new() }
    }

    /// What a user lets an application do.
    pub(super) fn grant(&mut self, caller: &Caller) -> u64 {
        self.bank.grant(as_grant(caller))
    }

    /// An access token for a grant of its own.
    pub(super) fn issue(&mut self, caller: &Caller, now: i64) -> String {
        let grant = self.grant(caller);
        self.bank.access(grant, now)
    }

    pub(super) fn issue_code(&mut self, caller: &Caller, redirect_uri: &str, now: i64) -> String {
        self.bank.code(as_grant(caller), redirect_uri, None, now)
    }

    /// A dialog token that stands for a user.
    pub(super) fn issue_dialog(&mut self, caller: &Caller) -> String {
        let text = self.bank.text("dt");
        self.bank.secrets.note(SecretKind::DialogToken, &text);
        self.dialogs.insert(text.clone(), caller.clone());
        text
    }

    /// Who is behind an access token; using it prolongs it.
    pub(super) fn check(&mut self, text: &str, now: i64, switches: &Switches) -> Option<Caller> {
        self.bank.check(text, now, &limits(switches)).map(|grant| as_caller(&grant))
    }

    /// Grant and user behind a refresh token. `app` is the client that asks, if it says so.
    pub(super) fn use_refresh(
        &mut self,
        text: &str,
        app: Option<&str>,
        now: i64,
        switches: &Switches,
    ) -> Option<(u64, Caller)> {
        let id = self.bank.use_refresh(text, app, now, &limits(switches)).ok()?;
        Some((id, as_caller(self.bank.granted(id)?)))
    }

    /// A code works once.
    pub(super) fn take_code(
        &mut self,
        text: &str,
        now: i64,
        switches: &Switches,
    ) -> Option<(Redeemed, Caller)> {
        let code = self.bank.redeem(text, now, &limits(switches)).ok()?;
        let caller = as_caller(&code.grant);
        Some((code, caller))
    }

    pub(super) fn take_dialog(&mut self, text: &str, rule: DialogToken) -> Option<Caller> {
        match rule {
            DialogToken::OneTime => self.dialogs.remove(text),
            DialogToken::Reusable => self.dialogs.get(text).cloned(),
            DialogToken::Expired => None,
        }
    }
}

fn as_grant(caller: &Caller) -> Grant {
    Grant { person: caller.user.clone(), client: caller.app.clone(), ..Grant::default() }
}

fn as_caller(grant: &Grant) -> Caller {
    Caller { user: grant.person.clone(), app: grant.client.clone() }
}

fn limits(switches: &Switches) -> Limits {
    Limits {
        code_ms: CODE_MS,
        replay: Replay::Refuse,
        access_idle_ms: Some(i64::from(switches.idle_minutes) * 60_000),
        access_life_ms: switches.absolute_seconds.map(|s| i64::from(s) * 1000),
        refresh_life_ms: Some(i64::from(switches.refresh_days) * DAY_MS),
        refresh_idle_ms: switches.refresh_idle_days.map(|days| i64::from(days) * DAY_MS),
        reuse: switches.refresh_reuse,
        grace_ms: i64::from(switches.refresh_grace_ms),
    }
}
