//! The token endpoint: who asks, and what a code or a refresh token is good for.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::bank::{Dead, Grant};
use super::core::{Account, Call, Core, Serve};
use super::options::App;
use super::request::Credentials;
use super::wire::{RefreshTokens, TokenError, error_body};

/// Why there are no tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// OAuth error code.
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, text: &str) -> Self {
        Self { status, code, text: text.to_owned() }
    }

    pub(crate) fn grant(text: &str) -> Self {
        Self::new(400, "invalid_grant", text)
    }

    pub(crate) fn answer(&self, form: TokenError) -> Answer {
        Answer::tokens(self.status, &error_body(form, self.code, &self.text))
    }
}

/// An approval that may have tokens.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    /// Number of the grant.
    pub(crate) id: u64,
    pub(crate) grant: Grant,
    /// The refresh token that was used.
    pub(crate) old: Option<String>,
}

/// Which application asks.
pub(crate) fn client<V: Serve>(core: &Core<V>, given: Option<Credentials>) -> Result<App, Refusal> {
    let refuse = |text: &str| Refusal::new(401, "invalid_client", text);
    let given = given.ok_or_else(|| refuse("Who is asking? client_id is missing"))?;
    let world = core.world();
    let app = world.app(&given.id).filter(|app| !app.disabled).ok_or_else(|| refuse("Unknown client"))?;
    if app.secret.is_some() && app.secret != given.secret {
        return Err(refuse("Wrong client secret"));
    }
    Ok(app.clone())
}

/// What a code is good for. `again` demands that the redirect address is repeated.
pub(crate) fn by_code<V: Serve>(
    core: &Core<V>,
    call: &Call<'_, V>,
    app: &App,
    again: bool,
) -> Result<Granted, Refusal> {
    let form = &call.request.form;
    let given = form.get("code").ok_or_else(|| Refusal::new(400, "invalid_request", "code is missing"))?;
    let redeemed = core.bank().redeem(given, call.now, &V::limits(call.switches)).map_err(|dead| {
        Refusal::grant(match dead {
            Dead::Expired => "The code has expired",
            Dead::Used => "The code was used before",
            Dead::Unknown | Dead::Revoked | Dead::Foreign => "The code is not valid",
        })
    })?;
    if redeemed.grant.client != app.id {
        return Err(Refusal::grant("The code was issued to another client"));
    }
    let redirect = form.get("redirect_uri");
    if (again || redirect.is_some()) && redirect != Some(redeemed.redirect_uri.as_str()) {
        return Err(Refusal::grant("redirect_uri is not the one the code was sent to"));
    }
    let verifier = form.get("code_verifier");
    if redeemed.challenge.as_deref() != verifier.map(challenge).as_deref() {
        return Err(Refusal::grant("code_verifier does not fit code_challenge"));
    }
    may(core, Granted { id: redeemed.id, grant: redeemed.grant, old: None })
}

/// What a refresh token is good for.
pub(crate) fn by_refresh<V: Serve>(
    core: &Core<V>,
    call: &Call<'_, V>,
    app: &App,
) -> Result<Granted, Refusal> {
    let old = call.request.form.get("refresh_token");
    let old = old.ok_or_else(|| Refusal::new(400, "invalid_request", "refresh_token is missing"))?;
    let mut bank = core.bank();
    let used = bank.use_refresh(old, Some(&app.id), call.now, &V::limits(call.switches));
    let id = used.map_err(|dead| {
        Refusal::grant(match dead {
            Dead::Expired => "The refresh token has expired",
            Dead::Used => "The refresh token was used before",
            Dead::Unknown | Dead::Revoked | Dead::Foreign => "The refresh token is not valid",
        })
    })?;
    let grant = bank.granted(id).cloned().unwrap_or_default();
    drop(bank);
    may(core, Granted { id, grant, old: Some(old.to_owned()) })
}

fn may<V: Serve>(core: &Core<V>, granted: Granted) -> Result<Granted, Refusal> {
    let world = core.world();
    let known = world.people.iter().any(|p| p.id() == granted.grant.person && p.may_sign_in());
    if known { Ok(granted) } else { Err(Refusal::grant("The account may not sign in")) }
}

/// The value of `refresh_token` in the answer; none leaves the key out.
pub(crate) fn refresh_token<V: Serve>(
    core: &Core<V>,
    granted: &Granted,
    form: RefreshTokens,
    rotate: bool,
    now: i64,
) -> Option<Value> {
    match form {
        RefreshTokens::Absent => None,
        RefreshTokens::Null => Some(Value::Null),
        RefreshTokens::On => {
            let mut bank = core.bank();
            Some(json!(match &granted.old {
                Some(old) if rotate => bank.rotate(old, now).unwrap_or_else(|| old.clone()),
                Some(old) => old.clone(),
                None => bank.refresh(granted.id, now),
            }))
        }
    }
}

/// Count the call and give its answer back.
pub(crate) fn count<V: Serve, T>(
    core: &Core<V>,
    call: &Call<'_, V>,
    outcome: Result<T, Refusal>,
) -> Result<T, Refusal> {
    let grant_type = call.request.form.get("grant_type").unwrap_or("none");
    core.bank().count(grant_type, outcome.as_ref().err().map_or("ok", |refusal| refusal.code));
    outcome
}

/// A number, or the text of it where a server has no better manners.
pub(crate) fn number(number: i64, as_text: bool) -> Value {
    if as_text { json!(number.to_string()) } else { json!(number) }
}

/// The challenge that belongs to a PKCE verifier (RFC 7636, method S256).
pub(crate) fn challenge(verifier: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_challenge_of_the_specification() {
        // RFC 7636 appendix B
        assert_eq!(
            super::challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
