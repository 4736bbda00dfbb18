//! Access tokens of applications, and whom they let in where.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::model::Graph;
use super::serve::error;
use crate::common::answer::Answer;
use crate::common::bank::Grant;
use crate::common::core::{Call, Core, Serve as _};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `POST /{tenant}/oauth2/v2.0/token`
pub(super) fn token(core: &Core<Graph>, call: &Call<'_, Graph>, tenant: &str) -> Answer {
    let outcome = granted(core, call, tenant);
    let kind = call.request.form.get("grant_type").unwrap_or("none");
    core.bank().count(kind, outcome.as_ref().err().map_or("ok", |(_, code, _, _)| code));
    match outcome {
        Ok(access) => {
            let life = call.switches.access_seconds;
            let body = json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": access});
            Answer::tokens(200, &body)
        }
        Err((status, code, number, text)) => {
            let body = json!({
                "error": code, "error_description": format!("AADSTS{number}: {text} Trace ID: 1a2b Correlation ID: 3c4d"),
                "error_codes": [number], "timestamp": "2026-03-02 09:14:55Z", "trace_id": "1a2b", "correlation_id": "3c4d",
            });
            Answer::tokens(status, &body)
        }
    }
}

type Refused = (u16, &'static str, u32, &'static str);

fn granted(core: &Core<Graph>, call: &Call<'_, Graph>, tenant: &str) -> Result<String, Refused> {
    let form = &call.request.form;
    if !tenant.eq_ignore_ascii_case(&call.switches.tenant) {
        return Err((400, "invalid_request", 90_002, "Tenant not found."));
    }
    if form.get("grant_type") != Some("client_credentials") {
        return Err((400, "unsupported_grant_type", 70_003, "The grant type is not supported."));
    }
    let given = call.request.credentials(true);
    let id = given.as_ref().map_or("", |given| given.id.as_str()).to_owned();
    let world = core.world();
    let Some(app) = world.app(&id).cloned() else {
        return Err((400, "unauthorized_client", 700_016, "Application was not found in the directory."));
    };
    if app.disabled {
        return Err((401, "unauthorized_client", 7_000_112, "Application is disabled."));
    }
    let key = world.vendor.keys.get(&id).cloned();
    drop(world);
    if let Some(assertion) = form.get("client_assertion") {
        let endpoint = format!("{}{}", core.base, call.request.path);
        let kind = form.get("client_assertion_type") == Some(ASSERTION);
        if !kind || !key.is_some_and(|key| proves(assertion, &id, &endpoint, &key, call.now)) {
            return Err((401, "invalid_client", 700_027, "Client assertion failed signature validation."));
        }
    } else if given.and_then(|given| given.secret) != app.secret {
        return Err((401, "invalid_client", 7_000_215, "Invalid client secret provided."));
    }
    if form.get("scope") != Some(format!("{}/.default", core.base).as_str()) {
        return Err((400, "invalid_scope", 70_011, "The scope is not valid."));
    }
    let mut bank = core.bank();
    let grant = Grant { person: "the application".to_owned(), client: id, ..Grant::default() };
    let grant = bank.grant(grant);
    Ok(bank.access(grant, call.now))
}

/// Whether a signed proof holds.
fn proves(assertion: &str, id: &str, endpoint: &str, (print, key): &(String, Vec<u8>), now: i64) -> bool {
    let holds = || {
        let (signed, signature) = assertion.rsplit_once('.')?;
        let (head, said) = signed.split_once('.')?;
        let part = |it: &str| -> Option<Value> {
            serde_json::from_slice(&Base64UrlUnpadded::decode_vec(it).ok()?).ok()
        };
        let (head, said) = (part(head)?, part(said)?);
        let signature = Base64UrlUnpadded::decode_vec(signature).ok()?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        key.verify(signed.as_bytes(), &signature).ok()?;
        let named = head["alg"] == "RS256" && head["x5t#S256"] == print.as_str();
        let own =
            said["iss"] == id && said["sub"] == id && said["aud"] == endpoint && said["jti"].is_string();
        let timely = said["exp"].as_i64()? * 1000 > now && said["nbf"].as_i64()? * 1000 <= now + 300_000;
        Some(named && own && timely)
    };
    holds().unwrap_or(false)
}

/// Whether the caller's token holds; the application's id.
pub(super) fn caller(core: &Core<Graph>, call: &Call<'_, Graph>) -> Result<String, Answer> {
    let refused =
        || error(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.");
    let token = call.request.bearer().ok_or_else(refused)?;
    let grant = core.bank().check(token, call.now, &Graph::limits(call.switches));
    let app = grant.ok_or_else(refused)?.client;
    if call.switches.consent {
        Ok(app)
    } else {
        Err(error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."))
    }
}
