//! The endpoints that a browser and an application call.

use serde_json::{Value, json};

use super::claims::{self, About};
use super::flaws::Flaw;
use super::keys::OpenId;
use super::serve::{Side, issuer};
use super::switches::{AccessTokens, ClientAuth, Person};
use crate::common::answer::{Answer, with_query};
use crate::common::authorize::{self, StateEcho};
use crate::common::core::{Call, Core, Serve};
use crate::common::options::App;
use crate::common::page;
use crate::common::secrets::SecretKind;
use crate::common::token::{self, Granted, Refusal};
use crate::common::wire::RefreshTokens;

/// Microsoft Graph, for which the tenant's access tokens are when no other resource is asked for.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// `GET …/authorize`.
pub(super) fn authorize(core: &Core<OpenId>, call: &Call<'_, OpenId>, side: Side<'_>) -> Answer {
    let policy = OpenId::policy(call.switches);
    let begun = authorize::begin(core, call.request, policy, call.switches.approve_as.as_deref(), false);
    let mut request = match begun {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let echo: StateEcho = policy.state;
    let query = &call.request.query;
    if request.challenge.is_some() && query.get("code_challenge_method") != Some("S256") {
        return request.refuse(echo, "invalid_request", "code_challenge_method must be S256");
    }
    let public = core.world().app(&request.client).is_some_and(|app| app.secret.is_none());
    if request.challenge.is_none() && (public || call.switches.pkce) {
        return request.refuse(echo, "invalid_request", "code_challenge is missing");
    }
    if request.scope.is_empty() {
        return request.refuse(echo, "invalid_scope", "scope is missing");
    }
    request.more = json!({ "tenant": side.is_tenant(), "nonce": query.get("nonce") });
    authorize::authorize(core, request, call.request, call.flaws, policy)
}

/// `POST …/token`.
pub(super) fn token(core: &Core<OpenId>, call: &Call<'_, OpenId>, side: Side<'_>) -> Answer {
    match token::count(core, call, exchange(core, call, side)) {
        Ok(body) => Answer::tokens(200, &body),
        Err(refusal) => refusal.answer(call.switches.token_error),
    }
}

fn exchange(core: &Core<OpenId>, call: &Call<'_, OpenId>, side: Side<'_>) -> Result<Value, Refusal> {
    let app = client(core, call)?;
    let granted = match call.request.form.get("grant_type") {
        Some("authorization_code") => token::by_code(core, call, &app, true)?,
        Some("refresh_token") => token::by_refresh(core, call, &app)?,
        _ => return Err(Refusal::new(400, "unsupported_grant_type", "The grant type is not supported")),
    };
    if side.is_tenant() != (granted.grant.more["tenant"] == true) {
        return Err(Refusal::grant("The code or token was issued by another endpoint"));
    }
    let person = core.world().find(&granted.grant.person).cloned().unwrap_or_default();
    Ok(answer(core, call, &app, &granted, &person))
}

fn client(core: &Core<OpenId>, call: &Call<'_, OpenId>) -> Result<App, Refusal> {
    let given = call.request.credentials(true);
    let method = given.as_ref().map(|given| (given.basic, given.secret.is_some()));
    let wrong = matches!(
        (call.switches.client_auth, method),
        (ClientAuth::Post, Some((true, _))) | (ClientAuth::Basic, Some((false, true)))
    );
    if wrong {
        return Err(Refusal::new(401, "invalid_client", "The secret came in the wrong place"));
    }
    token::client(core, given)
}

/// The token answer.
fn answer(
    core: &Core<OpenId>,
    call: &Call<'_, OpenId>,
    app: &App,
    granted: &Granted,
    person: &Person,
) -> Value {
    let (switches, now) = (call.switches, call.now);
    let scope = &granted.grant.scope;
    let tenant = granted.grant.more["tenant"] == true;
    let issuer = issuer(core, switches, tenant);
    let about = About { person, client: &app.id, scope, issuer: &issuer, tenant, now };
    let access = access_token(core, call, &about, granted.id);
    let mut body = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": token::number(i64::from(switches.access_seconds), call.has(&Flaw::NumbersAsText)),
        "scope": scope.join(" "),
    });
    let asked = |wanted: &str| scope.iter().any(|s| s == wanted);
    if asked("offline_access") || !switches.offline_access {
        let form =
            if call.has(&Flaw::NoRefreshToken) { RefreshTokens::Absent } else { switches.refresh_tokens };
        if let Some(refresh) = token::refresh_token(core, granted, form, switches.rotate_refresh, now) {
            body["refresh_token"] = refresh;
        }
    }
    if asked("openid") && !call.has(&Flaw::NoIdToken) {
        // a nonce belongs to the sign-in, not to its refreshes
        let nonce = granted.grant.more["nonce"].as_str().filter(|_| granted.old.is_none());
        let mut claims = claims::identity(&about, switches, nonce, &access);
        claims::spoil(&mut claims, call.flaws, &core.base);
        let mut text =
            core.world().vendor.sign(&claims, switches.algorithm, call.flaws, app.secret.as_deref());
        if call.has(&Flaw::Garbage) {
            text = text.replace('.', "-");
        }
        core.bank().secrets.note(SecretKind::IdToken, &text);
        body["id_token"] = json!(text);
    }
    if let Some(body) = body.as_object_mut() {
        if call.has(&Flaw::NoAccessToken) {
            body.remove("access_token");
        }
        if call.has(&Flaw::NoExpiry) {
            body.remove("expires_in");
        }
    }
    body
}

/// Random text, or signed claims.
fn access_token(core: &Core<OpenId>, call: &Call<'_, OpenId>, about: &About<'_>, grant: u64) -> String {
    if !about.tenant && call.switches.access_tokens == AccessTokens::Opaque {
        return core.bank().access(grant, call.now);
    }
    // `api://{client id}/{scope}` asks for a token for that application
    let own = about.scope.iter().find_map(|s| s.strip_prefix("api://")?.split_once('/'));
    let (audience, scp) = match own {
        Some((audience, scp)) => (audience, scp.to_owned()),
        None if about.tenant => (GRAPH, about.scope.join(" ")),
        None => (about.client, about.scope.join(" ")),
    };
    let id = core.bank().random();
    let claims = claims::access(about, call.switches, audience, &scp, &id);
    let text = core.world().vendor.sign(&claims, call.switches.algorithm, &[], None);
    core.bank().keep_access(grant, &text, call.now);
    text
}

/// `GET …/userinfo`.
pub(super) fn userinfo(core: &Core<OpenId>, call: &Call<'_, OpenId>) -> Answer {
    let limits = OpenId::limits(call.switches);
    let grant = call.request.bearer().and_then(|text| core.bank().check(text, call.now, &limits));
    let person = grant.as_ref().and_then(|grant| core.world().find(&grant.person).cloned());
    let (Some(grant), Some(person)) = (grant, person.filter(|p| !p.disabled)) else {
        let body = json!({ "error": "invalid_token", "error_description": "The access token is not valid" });
        return Answer::json(401, &body).header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    };
    let tenant = grant.more["tenant"] == true;
    let (client, scope, now) = (grant.client.as_str(), grant.scope.as_slice(), call.now);
    let about = About { person: &person, client, scope, issuer: "", tenant, now };
    let mut claims = claims::profile(&about, call.switches);
    if call.has(&Flaw::OtherSubject) {
        claims["sub"] = json!("somebody-else");
    }
    Answer::json(200, &claims)
}

/// `GET …/logout`: ends the browser's session.
pub(super) fn end_session(core: &Core<OpenId>, call: &Call<'_, OpenId>) -> Answer {
    let query = &call.request.query;
    let mut world = core.world();
    if let Some(cookie) = call.request.cookie(OpenId::NAME) {
        world.sessions.remove(cookie);
    }
    let cleared = format!("{}=; Path=/; Max-Age=0", OpenId::NAME);
    let back = query.get("post_logout_redirect_uri");
    let back = back.filter(|uri| world.apps.iter().any(|app| app.may_return_to(uri)));
    let answer = match (back, query.get("state")) {
        (Some(uri), Some(state)) => Answer::redirect(&with_query(uri, &[("state", state)])),
        (Some(uri), None) => Answer::redirect(uri),
        (None, _) => Answer::html(200, page::message("Signed out", "You are signed out.")),
    };
    answer.header("Set-Cookie", &cleared)
}

/// `POST /revoke` (RFC 7009): a refresh token ends its whole grant.
pub(super) fn revoke(core: &Core<OpenId>, call: &Call<'_, OpenId>) -> Answer {
    if let Err(refusal) = client(core, call) {
        return refusal.answer(call.switches.token_error);
    }
    let token = call.request.form.get("token").unwrap_or_default();
    let mut bank = core.bank();
    bank.forget_access(token);
    if let Some(grant) = bank.grant_of_refresh(token) {
        bank.revoke(grant, call.now);
    }
    Answer::json(200, &json!({}))
}
