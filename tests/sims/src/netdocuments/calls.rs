//! Signing in: the page, and tokens for codes, refresh tokens and applications.

use serde_json::{Value, json};

use super::serve::NetDocuments;
use crate::common::answer::Answer;
use crate::common::authorize;
use crate::common::bank::Grant;
use crate::common::core::{Call, Core, Serve};
use crate::common::token::{self, Granted, Refusal};
use crate::common::xml::element;

/// What an application may ask for.
const SCOPES: [&str; 8] =
    ["read", "edit", "organize", "lookup", "delete_doc", "delete_container", "admin", "full"];

/// `GET /neWeb2/OAuth.aspx`.
pub(super) fn authorize(core: &Core<NetDocuments>, call: &Call<'_, NetDocuments>) -> Answer {
    let policy = NetDocuments::policy(call.switches);
    let raw = call.request.raw_query.split('&').find_map(|pair| pair.strip_prefix("redirect_uri="));
    if call.switches.refuse_encoded_redirect && raw.is_some_and(|uri| uri.contains('%')) {
        return Answer::html(
            400,
            crate::common::page::message(policy.title, "The redirect address is not valid."),
        );
    }
    let approve_as = call.switches.approve_as.as_deref();
    match authorize::begin(core, call.request, policy, approve_as, false) {
        Err(answer) => answer,
        Ok(request) if !scopes_are_good(&request.scope) => {
            request.refuse(policy.state, "invalid_scope", "Unknown or missing scope")
        }
        Ok(request) => authorize::authorize(core, request, call.request, call.flaws, policy),
    }
}

fn scopes_are_good(scope: &[String]) -> bool {
    !scope.is_empty() && scope.iter().all(|s| SCOPES.contains(&s.as_str()))
}

/// `POST /v1/OAuth`.
pub(super) fn token(core: &Core<NetDocuments>, call: &Call<'_, NetDocuments>) -> Answer {
    match token::count(core, call, exchange(core, call)) {
        Ok(body) if call.request.wants_json() => Answer::tokens(200, &body),
        Ok(body) => xml(200, "OAuthToken", &body).header("Cache-Control", "no-store"),
        Err(refusal) => refusal.answer(call.switches.token_error),
    }
}

fn exchange(core: &Core<NetDocuments>, call: &Call<'_, NetDocuments>) -> Result<Value, Refusal> {
    let grant_type = call.request.form.get("grant_type").unwrap_or_default();
    // ids hold a bar, which clients send as it is: parts of the header are not form-encoded
    let mut given = call.request.credentials(false);
    let mut repository = None;
    if grant_type == "client_credentials"
        && let Some(given) = &mut given
        && let Some((id, rest)) = given.id.clone().split_once('|')
    {
        repository = Some(rest.to_owned());
        id.clone_into(&mut given.id);
    }
    let app = token::client(core, given)?;
    let switches = call.switches;
    let (granted, form) = match grant_type {
        "authorization_code" => (token::by_code(core, call, &app, true)?, Some(switches.refresh_tokens)),
        "refresh_token" => (token::by_refresh(core, call, &app)?, Some(switches.refresh_tokens_again)),
        "client_credentials" => {
            let own = core.world().vendor.tenant.repository.clone();
            if repository.as_deref() != Some(own.as_str()) {
                return Err(Refusal::new(
                    401,
                    "invalid_client",
                    "The client id names no repository of this region",
                ));
            }
            let scope = call.request.form.get("scope").unwrap_or_default();
            let scope: Vec<String> = scope.split([' ', ',']).map(str::to_owned).collect();
            if !scopes_are_good(&scope) {
                return Err(Refusal::new(400, "invalid_scope", "Unknown or missing scope"));
            }
            let person = switches.service_account.clone().unwrap_or_default();
            let grant = Grant { person, client: app.id.clone(), scope, more: Value::Null };
            let id = core.bank().grant(grant.clone());
            (Granted { id, grant, old: None }, None)
        }
        _ => return Err(Refusal::new(400, "unsupported_grant_type", "The grant type is not supported")),
    };
    let access = core.bank().access(granted.id, call.now);
    let mut body = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": token::number(i64::from(switches.idle_minutes) * 60, switches.numbers_as_text),
    });
    let refresh =
        form.and_then(|form| token::refresh_token(core, &granted, form, switches.rotate_refresh, call.now));
    if let Some(refresh) = refresh {
        body["refresh_token"] = refresh;
    }
    Ok(body)
}

fn xml(status: u16, root: &str, body: &Value) -> Answer {
    Answer::new(status, "application/xml", element(root, body))
}
