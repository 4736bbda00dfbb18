//! Tokens: access tokens with a sliding idle timeout, refresh tokens, one-time codes and dialog tokens.

use std::collections::HashMap;

use super::access::Caller;
use super::rng::Rng;
use super::switches::{DialogToken, Switches};

/// An authorization code lives this long.
const CODE_MS: i64 = 60_000;

#[derive(Debug)]
struct Token {
    caller: Caller,
    issued: i64,
    used: i64,
}

/// A code handed out by the authorize page.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) caller: Caller,
    pub(super) redirect_uri: String,
    at: i64,
}

/// All tokens of the tenant.
#[derive(Debug)]
pub(super) struct Auth {
    rng: Rng,
    access: HashMap<String, Token>,
    refresh: HashMap<String, Token>,
    codes: HashMap<String, Code>,
    dialogs: HashMap<String, Caller>,
}

impl Auth {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            access: HashMap::new(),
            refresh: HashMap::new(),
            codes: HashMap::new(),
            dialogs: HashMap::new(),
        }
    }

    pub(super) fn issue(&mut self, caller: &Caller, now: i64) -> String {
        let text = self.rng.token();
        self.access.insert(text.clone(), Token { caller: caller.clone(), issued: now, used: now });
        text
    }

    pub(super) fn issue_refresh(&mut self, caller: &Caller, now: i64) -> String {
        let text = self.rng.token();
        self.refresh.insert(text.clone(), Token { caller: caller.clone(), issued: now, used: now });
        text
    }

    pub(super) fn issue_code(&mut self, caller: Caller, redirect_uri: &str, now: i64) -> String {
        let text = self.rng.token();
        self.codes.insert(text.clone(), Code { caller, redirect_uri: redirect_uri.to_owned(), at: now });
        text
    }

    /// A dialog token that stands for a user.
    pub(super) fn issue_dialog(&mut self, caller: &Caller) -> String {
        let text = self.rng.token();
        self.dialogs.insert(text.clone(), caller.clone());
        text
    }

    /// Who is behind an access token; using it prolongs it.
    pub(super) fn check(&mut self, text: &str, now: i64, switches: &Switches) -> Option<Caller> {
        let token = self.access.get_mut(text)?;
        let idle = i64::from(switches.idle_minutes) * 60_000;
        let too_old = switches.absolute_seconds.is_some_and(|s| now - token.issued > i64::from(s) * 1000);
        if now - token.used > idle || too_old {
            self.access.remove(text);
            return None;
        }
        token.used = now;
        Some(token.caller.clone())
    }

    /// Who is behind a refresh token.
    pub(super) fn check_refresh(&self, text: &str, now: i64, switches: &Switches) -> Option<Caller> {
        let token = self.refresh.get(text)?;
        let life = i64::from(switches.refresh_days) * 86_400_000;
        (now - token.issued <= life).then(|| token.caller.clone())
    }

    /// A code works once.
    pub(super) fn take_code(&mut self, text: &str, now: i64) -> Option<Code> {
        self.codes.remove(text).filter(|code| now - code.at <= CODE_MS)
    }

    pub(super) fn take_dialog(&mut self, text: &str, rule: DialogToken) -> Option<Caller> {
        match rule {
            DialogToken::OneTime => self.dialogs.remove(text),
            DialogToken::Reusable => self.dialogs.get(text).cloned(),
            DialogToken::Expired => None,
        }
    }

    pub(super) fn forget_access(&mut self, text: &str) {
        self.access.remove(text);
    }

    pub(super) fn forget_refresh(&mut self, text: &str) {
        self.refresh.remove(text);
    }

    pub(super) fn expire_all(&mut self) {
        self.access.clear();
    }

    pub(super) fn revoke_all(&mut self) {
        self.access.clear();
        self.refresh.clear();
    }
}
