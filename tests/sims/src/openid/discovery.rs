//! The provider's description of itself (OpenID Connect Discovery 1.0).

use serde_json::json;

use super::flaws::Flaw;
use super::keys::OpenId;
use super::serve::{Side, issuer};
use super::switches::ClientAuth;
use crate::common::answer::Answer;
use crate::common::core::{Call, Core};

pub(super) fn document(core: &Core<OpenId>, call: &Call<'_, OpenId>, side: Side<'_>) -> Answer {
    let base = &core.base;
    let issuer = match side {
        // the names that stand for all tenants have no issuer of their own
        Side::Tenant(name) if !name.eq_ignore_ascii_case(&call.switches.tenant) => {
            format!("{base}/{{tenantid}}/v2.0")
        }
        _ => issuer(core, call.switches, side.is_tenant()),
    };
    let at = |plain: &str, tenant: &str| match side {
        Side::Plain => format!("{base}/{plain}"),
        Side::Tenant(name) => format!("{base}/{name}/{tenant}"),
    };
    let (mut token, mut keys) = (at("token", "oauth2/v2.0/token"), at("keys", "discovery/v2.0/keys"));
    if call.has(&Flaw::OtherHost) {
        "http://elsewhere.invalid/token".clone_into(&mut token);
        "http://elsewhere.invalid/keys".clone_into(&mut keys);
    }
    let auth = match call.switches.client_auth {
        ClientAuth::Both => json!(["client_secret_post", "client_secret_basic"]),
        ClientAuth::Post => json!(["client_secret_post"]),
        ClientAuth::Basic => json!(["client_secret_basic"]),
    };
    let userinfo =
        if side.is_tenant() { format!("{base}/oidc/userinfo") } else { format!("{base}/userinfo") };
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize", "oauth2/v2.0/authorize"),
        "token_endpoint": token,
        "jwks_uri": keys,
        "userinfo_endpoint": userinfo,
        "end_session_endpoint": at("logout", "oauth2/v2.0/logout"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": [if side.is_tenant() { "pairwise" } else { "public" }],
        "id_token_signing_alg_values_supported": [call.switches.algorithm],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": auth,
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "name", "email"],
        "authorization_response_iss_parameter_supported": call.switches.iss_parameter,
    });
    if !side.is_tenant() {
        document["revocation_endpoint"] = json!(format!("{base}/revoke"));
    }
    if call.has(&Flaw::OtherIssuer) {
        document["issuer"] = json!("https://elsewhere.example");
    }
    if call.has(&Flaw::NoKeysAddress)
        && let Some(document) = document.as_object_mut()
    {
        document.remove("jwks_uri");
    }
    Answer::json(200, &document)
}
