//! What tokens say.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::flaws::Flaw;
use super::keys::base64;
use super::switches::{Person, Switches};

/// Two hours, in seconds: how far off a token is that is expired or not yet valid.
const FAR: i64 = 7200;
/// Nobody's tenant.
const FOREIGN: &str = "00000000-dead-4000-8000-000000000000";

/// Everything an id token or the tenant's access token is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) person: &'a Person,
    pub(super) client: &'a str,
    pub(super) scope: &'a [String],
    pub(super) issuer: &'a str,
    /// Whether the tenant vouches, rather than the plain provider.
    pub(super) tenant: bool,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

impl About<'_> {
    /// The subject: the same for all applications at the plain provider, one for each at the tenant.
    pub(super) fn subject(&self) -> String {
        if self.tenant {
            base64(&Sha256::digest(format!("{}|{}", self.client, self.person.oid)))
        } else {
            self.person.id.clone()
        }
    }

    fn times(&self, switches: &Switches) -> (i64, i64) {
        let from = self.now.div_euclid(1000);
        (from, from + i64::from(switches.access_seconds))
    }
}

/// What is told of a person, in the id token and by the userinfo endpoint.
pub(super) fn profile(about: &About<'_>, switches: &Switches) -> Value {
    let person = about.person;
    let has = |scope: &str| about.scope.iter().any(|s| s == scope);
    let mut claims = json!({ "sub": about.subject() });
    if has("profile") {
        claims["name"] = json!(person.name);
        claims["preferred_username"] = json!(person.email);
    }
    if has("email") && !person.email.is_empty() && (switches.tenant_email || !about.tenant) {
        claims["email"] = json!(person.email);
        if let (Some(verified), false) = (person.email_verified, about.tenant) {
            claims["email_verified"] =
                if switches.verified_as_text { json!(verified.to_string()) } else { json!(verified) };
        }
    }
    claims
}

/// The claims of an id token.
pub(super) fn identity(about: &About<'_>, switches: &Switches, nonce: Option<&str>, access: &str) -> Value {
    let (from, until) = about.times(switches);
    let mut claims = if switches.claims_in_userinfo_only {
        json!({ "sub": about.subject() })
    } else {
        profile(about, switches)
    };
    claims["iss"] = json!(about.issuer);
    claims["aud"] = json!(about.client);
    claims["iat"] = json!(from);
    claims["exp"] = json!(until);
    claims["at_hash"] = json!(base64(&Sha256::digest(access)[..16]));
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    if about.tenant {
        claims["nbf"] = json!(from);
        claims["tid"] = json!(switches.tenant);
        claims["oid"] = json!(about.person.oid);
        claims["ver"] = json!("2.0");
    }
    claims
}

/// The claims of an access token. `audience` is the application it is for, `scp` what it allows there.
pub(super) fn access(about: &About<'_>, switches: &Switches, audience: &str, scp: &str, id: &str) -> Value {
    let (from, until) = about.times(switches);
    let mut claims = json!({
        "iss": about.issuer, "aud": audience, "sub": about.subject(),
        "iat": from, "exp": until, "jti": id,
    });
    if about.tenant {
        claims["nbf"] = json!(from);
        claims["azp"] = json!(about.client);
        claims["azpacr"] = json!("0");
        claims["scp"] = json!(scp);
        claims["name"] = json!(about.person.name);
        claims["preferred_username"] = json!(about.person.email);
        claims["oid"] = json!(about.person.oid);
        claims["tid"] = json!(switches.tenant);
        claims["ver"] = json!("2.0");
    } else {
        claims["client_id"] = json!(about.client);
        claims["scope"] = json!(scp);
    }
    claims
}

/// Make the claims lie.
pub(super) fn spoil(claims: &mut Value, flaws: &[Flaw], base: &str) {
    let from = claims["iat"].as_i64().unwrap_or_default();
    for flaw in flaws {
        match flaw {
            Flaw::WrongAudience => claims["aud"] = json!("another-application"),
            Flaw::TwoAudiences => claims["aud"] = json!([claims["aud"], "another-application"]),
            Flaw::WrongIssuer => claims["iss"] = json!("https://elsewhere.example"),
            Flaw::ForeignTenant => {
                claims["iss"] = json!(format!("{base}/{FOREIGN}/v2.0"));
                claims["tid"] = json!(FOREIGN);
            }
            Flaw::WrongNonce => claims["nonce"] = json!("not-the-nonce-you-sent"),
            Flaw::Expired => {
                claims["iat"] = json!(from - FAR - 60);
                claims["nbf"] = json!(from - FAR - 60);
                claims["exp"] = json!(from - FAR);
            }
            Flaw::NotYetValid => {
                claims["iat"] = json!(from + FAR);
                claims["nbf"] = json!(from + FAR);
                claims["exp"] = json!(from + 2 * FAR);
            }
            Flaw::NoNonce | Flaw::NoSubject => {
                if let Some(claims) = claims.as_object_mut() {
                    claims.remove(if *flaw == Flaw::NoNonce { "nonce" } else { "sub" });
                }
            }
            _ => {}
        }
    }
}
