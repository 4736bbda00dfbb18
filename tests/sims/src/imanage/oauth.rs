//! The OAuth endpoints and the legacy session login.

use serde_json::{Map, Value, json};

use super::access::Caller;
use super::dispatch::Call;
use super::error::{ApiError, Result};
use super::reply::Reply;
use super::state::State;
use super::switches::{RefreshTokens, StateEcho, Switches};
use crate::common::params::Params;
use crate::common::token::number;

/// `GET /auth/oauth2/authorize`: with `login_hint` (or `user`, `sim_person`, or the switch `approve_as`) the browser is
/// sent straight back with a code, without it a page lets a person choose whom to sign in as, or cancel.
pub(super) fn authorize(call: &Call<'_>) -> Result<Reply> {
    let bad = |message: &str| ApiError::new(400, "NRC_INVALID_PARAM", message);
    let state = call.shared.state();
    let client = call.params.get("client_id").unwrap_or_default();
    let app =
        state.apps.iter().find(|a| a.id == client && a.enabled).ok_or_else(|| bad("Unknown client_id"))?;
    let redirect = call.params.get("redirect_uri").unwrap_or_default();
    if !app.redirect_uris.iter().any(|registered| redirect_matches(registered, redirect)) {
        return Err(bad("Invalid redirect URL"));
    }
    let switches = call.switches;
    let named = ["login_hint", "user", "sim_person"].iter().find_map(|name| call.params.get(name));
    let cancelled = switches.deny || call.params.get("cancel").is_some();
    let who = named.or(switches.approve_as.as_deref());
    if who.is_none() && !cancelled {
        return Ok(Reply::Html(chooser(&state, call.query)));
    }
    let user = who.filter(|_| !cancelled).and_then(|who| find_user(&state, who));
    let outcome = match user {
        Some(user) if state.users.get(&user).is_some_and(|u| u.allow_logon && !u.is_locked) => {
            let caller = Caller { user, app: app.id.clone() };
            format!("code={}", call.shared.auth().issue_code(&caller, redirect, call.now))
        }
        _ => "error=access_denied".to_owned(),
    };
    let joint = if redirect.contains('?') { '&' } else { '?' };
    let mut target = format!("{redirect}{joint}{outcome}");
    let echo = match switches.state {
        StateEcho::Echo => call.params.get("state"),
        StateEcho::Drop => None,
        StateEcho::Wrong => Some("not-the-state-you-sent"),
    };
    if let Some(echo) = echo {
        target.push_str("&state=");
        target.extend(percent_encoding::utf8_percent_encode(echo, percent_encoding::NON_ALPHANUMERIC));
    }
    Ok(Reply::Redirect(target))
}

fn redirect_matches(registered: &str, given: &str) -> bool {
    registered.strip_suffix('*').map_or(registered == given, |prefix| given.starts_with(prefix))
}

fn chooser(state: &State, query: &str) -> String {
    let query = query.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><title>Sign in (simulated iManage Work)</title>\
         <h1>Sign in to the simulated iManage Work</h1><ul>",
    );
    for user in state.users.values().filter(|u| u.allow_logon) {
        let name = user.full_name.replace('&', "&amp;").replace('<', "&lt;");
        page.push_str("<li><a href=\"?");
        page.push_str(&query);
        page.push_str("&amp;login_hint=");
        page.push_str(&user.id);
        page.push_str("\">");
        page.push_str(&name);
        page.push_str("</a></li>");
    }
    page.push_str("</ul><p><a href=\"?");
    page.push_str(&query);
    page.push_str("&amp;cancel=1\">Cancel</a></p></html>");
    page
}

/// A user by id or mail address, letters ignored.
pub(super) fn find_user(state: &State, text: &str) -> Option<String> {
    state
        .users
        .values()
        .find(|u| u.id.eq_ignore_ascii_case(text) || u.email.eq_ignore_ascii_case(text))
        .map(|u| u.id.clone())
}

/// `POST /auth/oauth2/token`.
pub(super) fn token(call: &Call<'_>) -> Result<Reply> {
    let form = Params::from_query(std::str::from_utf8(call.raw).unwrap_or_default());
    let grant = form.get("grant_type").unwrap_or_default();
    let result = exchange(call, &form, grant);
    call.shared.auth().bank.count(grant, result.as_ref().err().map_or("ok", |e| e.code));
    result
}

fn exchange(call: &Call<'_>, form: &Params, grant: &str) -> Result<Reply> {
    let mut state = call.shared.state();
    let app = client(&state, form, grant == "refresh_token")?;
    let invalid = |message: &str| ApiError::oauth(400, "invalid_grant", message);
    let new = |caller: Caller| (call.shared.auth().grant(&caller), caller, None);
    let (id, caller, old_refresh) = match grant {
        "authorization_code" => {
            let code =
                form.get("code").and_then(|c| call.shared.auth().take_code(c, call.now, call.switches));
            let (code, caller) = code.ok_or_else(|| invalid("The code is invalid or expired"))?;
            if Some(code.redirect_uri.as_str()) != form.get("redirect_uri")
                || app.as_ref() != Some(&caller.app)
            {
                return Err(invalid("redirect_uri or client does not match the code"));
            }
            (code.id, caller, None)
        }
        "refresh_token" => {
            let text = form.get("refresh_token").unwrap_or_default();
            let known = if call.plan.refuse_refresh {
                None
            } else {
                call.shared.auth().use_refresh(text, app.as_deref(), call.now, call.switches)
            };
            let (id, caller) = known.ok_or_else(|| invalid("The refresh token is invalid"))?;
            (id, caller, Some(text.to_owned()))
        }
        "password" => {
            let user = sign_in(&mut state, form, "username", call.switches)
                .ok_or_else(|| invalid("Wrong user name or password"))?;
            new(Caller { user, app: app.unwrap_or_default() })
        }
        "client_credentials" if call.switches.client_credentials => {
            let id = app.unwrap_or_default();
            let user = state.apps.iter().find(|a| a.id == id).and_then(|a| a.service_user.clone());
            new(Caller { user: user.ok_or_else(|| invalid("No service account is linked"))?, app: id })
        }
        _ => return Err(ApiError::oauth(400, "unsupported_grant_type", "The grant type is not supported")),
    };
    if !state.users.get(&caller.user).is_some_and(|u| u.allow_logon && !u.is_locked) {
        return Err(invalid("The user may not sign in"));
    }
    drop(state);
    Ok(Reply::Json(200, answer(call, id, old_refresh)))
}

/// Check the client; a refresh may leave it out.
fn client(state: &State, form: &Params, optional: bool) -> Result<Option<String>> {
    let Some(id) = form.get("client_id") else {
        let missing = ApiError::oauth(401, "invalid_client", "client_id is missing");
        return if optional { Ok(None) } else { Err(missing) };
    };
    let secret = form.get("client_secret").unwrap_or_default();
    let known = state.apps.iter().any(|a| a.id == id && a.secret == secret && a.enabled);
    if known {
        Ok(Some(id.to_owned()))
    } else {
        Err(ApiError::oauth(401, "invalid_client", "Unknown client or secret"))
    }
}

/// Check a password; counts failures and locks the user if the switch says so.
fn sign_in(state: &mut State, form: &Params, key: &str, switches: &Switches) -> Option<String> {
    let id = find_user(state, form.get(key)?)?;
    let user = state.users.get_mut(&id)?;
    let good = user.password.is_some() && user.password.as_deref() == form.get("password");
    if good && !user.is_locked {
        user.failed_logins = 0;
        return user.allow_logon.then_some(id);
    }
    user.failed_logins += 1;
    if switches.lockout_after > 0 && user.failed_logins >= switches.lockout_after {
        user.is_locked = true;
    }
    None
}

fn answer(call: &Call<'_>, grant: u64, old_refresh: Option<String>) -> Value {
    let switches = call.switches;
    let idle = switches.idle_minutes.saturating_mul(60);
    let mut auth = call.shared.auth();
    let mut body = Map::new();
    body.insert("access_token".into(), json!(auth.bank.access(grant, call.now)));
    body.insert("token_type".into(), json!("Bearer"));
    let life = i64::from(switches.absolute_seconds.map_or(idle, |a| a.min(idle)));
    body.insert("expires_in".into(), number(life, switches.numbers_as_text));
    body.insert("scope".into(), json!("user"));
    match switches.refresh_tokens {
        RefreshTokens::Absent => {}
        RefreshTokens::Null => {
            body.insert("refresh_token".into(), Value::Null);
        }
        RefreshTokens::On => {
            let refresh = match old_refresh {
                Some(old) if !switches.rotate_refresh => old,
                Some(old) => auth.bank.rotate(&old, call.now).unwrap_or(old),
                None => auth.bank.refresh(grant, call.now),
            };
            body.insert("refresh_token".into(), json!(refresh));
        }
    }
    Value::Object(body)
}

/// `POST /auth/oauth2/revoke-token`, form field `access_token`.
pub(super) fn revoke(call: &Call<'_>) -> Reply {
    let form = Params::from_query(std::str::from_utf8(call.raw).unwrap_or_default());
    let mut auth = call.shared.auth();
    if let Some(text) = form.get("access_token") {
        auth.bank.forget_access(text);
    }
    if let Some(text) = form.get("refresh_token") {
        auth.bank.forget_refresh(text);
    }
    Reply::Json(200, json!({}))
}

/// `PUT /api/v1/session/login`, the login of old on-premises servers.
pub(super) fn legacy_login(call: &Call<'_>) -> Result<Reply> {
    if !call.switches.session_login {
        return Err(ApiError::new(404, "NRC_NOT_FOUND", "No such resource"));
    }
    let form = Params::from_json(call.body);
    let mut state = call.shared.state();
    let user = sign_in(&mut state, &form, "user_id", call.switches)
        .ok_or_else(|| ApiError::new(401, "NRC_UNAUTHENTICATED", "Wrong user id or password"))?;
    let token = call.shared.auth().issue(&Caller { user, app: "legacy".into() }, call.now);
    Ok(Reply::Json(200, json!({ "X-Auth-Token": token, "customer_id": state.customer_id })))
}

/// `GET …/dialog-tokens/{token}`.
pub(super) fn dialog_token(call: &Call<'_>) -> Result<Reply> {
    let mut auth = call.shared.auth();
    let caller =
        auth.take_dialog(call.route.id(), call.switches.dialog_token).ok_or_else(ApiError::no_record)?;
    Ok(Reply::data(json!({ "access_token": auth.issue(&caller, call.now) })))
}
