//! OpenID Connect: discovery, keys that rotate, identity tokens, Microsoft's peculiarities, and the add-in's access tokens.

mod cache;
mod jwt;

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use jsonwebtoken::Algorithm;
use postroom_domain::Fut;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::LinkedAccount;
use postroom_domain::sign_in::{Arrival, BearerCheck, Claims, Departure, Grant, Provider, ProviderError};
use postroom_domain::time::Clock;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::Digest as _;
use url::Url;

use crate::Reply;
use crate::oauth::{Client, Doors, TokenFailure, challenge, no_answer, number, short, text};
use crate::service_settings::{ServiceError, ServiceKind, ServiceSettings};
use crate::services::{Look, Renewing};
use cache::Cache;
use jwt::{Key, Said, Unsound};

/// What a provider says of itself.
#[derive(Debug, Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    revocation_endpoint: Option<Url>,
}

/// An OpenID Connect provider, Entra ID among them.
pub(crate) struct OpenId {
    service: ServiceName,
    entra: bool,
    tenants: Vec<String>,
    issuer: String,
    client: Client,
    scopes: Vec<String>,
    pkce: bool,
    email_verified: bool,
    skew: u64,
    doors: Doors,
    description: Cache<Description>,
    keys: Cache<Vec<Key>>,
    clock: Arc<dyn Clock>,
}

/// The time in an answer's `Date`.
pub(crate) fn date_of(reply: &Reply) -> Option<jiff::Timestamp> {
    httpdate::parse_http_date(reply.header("date")?).ok()?.try_into().ok()
}

fn forged(why: impl Into<String>) -> ProviderError {
    ProviderError::Forged(why.into())
}

/// Whether a tenant's name stands for many.
fn is_many(tenant: &str) -> bool {
    matches!(tenant, "common" | "organizations" | "consumers")
}

impl OpenId {
    pub(crate) fn new(settings: &ServiceSettings, clock: Arc<dyn Clock>) -> Result<Self, ServiceError> {
        let service = settings.name.clone();
        let wrong = |key, problem: &str| ServiceError::Key {
            service: service.clone(),
            key,
            problem: problem.to_owned(),
        };
        let entra = settings.kind == ServiceKind::Entra;
        let tenant = settings.tenant.clone().unwrap_or_default();
        let issuer = if entra {
            let base = settings.base_url.as_ref().map_or("https://login.microsoftonline.com", Url::as_str);
            format!("{}/{tenant}/v2.0", base.trim_end_matches('/'))
        } else {
            settings.issuer.clone().ok_or_else(|| wrong("issuer", "is missing"))?
        };
        let at: Url = issuer.parse().map_err(|_| wrong("issuer", "is not an address"))?;
        let hosts: Vec<&Url> = [&at].into_iter().chain(&settings.also_hosts).collect();
        let doors = Doors::new(service.as_str(), &hosts, &settings.connection)
            .map_err(|error| ServiceError::Connection { service: service.clone(), error })?;
        let mut tenants = settings.allowed_tenants.clone();
        if entra && tenants.is_empty() && !is_many(&tenant) {
            tenants.push(tenant);
        }
        let usual = || ["openid", "profile", "email"].map(str::to_owned).to_vec();
        Ok(Self {
            entra,
            tenants,
            issuer,
            client: Client {
                id: settings.client_id.clone(),
                secret: settings.secret()?,
                auth: settings.client_auth,
                bare: false,
            },
            scopes: settings.scopes.clone().unwrap_or_else(usual),
            pkce: settings.pkce.unwrap_or(true),
            email_verified: settings.email_verified,
            skew: settings.skew(),
            doors,
            description: Cache::default(),
            keys: Cache::default(),
            service,
            clock,
        })
    }

    pub(crate) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    async fn document(&self, operation: &'static str, url: &Url) -> Result<(Value, Reply), ProviderError> {
        let call = self.doors.at(url)?.get(operation, url.clone()).header("accept", "application/json");
        let reply = call.fetch().await.map_err(no_answer)?;
        if !reply.is_success() {
            return Err(ProviderError::Unavailable(format!("{operation}: status {}", reply.status)));
        }
        Ok((reply.json().map_err(no_answer)?, reply))
    }

    async fn discover(&self) -> Result<(Description, Option<jiff::Timestamp>), ProviderError> {
        let text = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let url: Url =
            text.parse().map_err(|_| ProviderError::Misconfigured("issuer is no address".to_owned()))?;
        let (document, reply) = self.document("discovery", &url).await?;
        let it: Description = serde_json::from_value(document).map_err(|e| {
            ProviderError::Misconfigured(format!("the provider's description of itself cannot be used: {e}"))
        })?;
        let template = self.entra && it.issuer.contains("{tenantid}");
        if it.issuer != self.issuer && !template {
            return Err(forged(
                "the provider's description names another issuer than the one in the settings",
            ));
        }
        // A secret or a code goes to no host that the settings do not name, and keys come from no other.
        for url in [&it.token_endpoint, &it.jwks_uri] {
            self.doors.at(url)?;
        }
        Ok((it, date_of(&reply)))
    }

    async fn described(&self) -> Result<Arc<Description>, ProviderError> {
        let fetch = async { Ok(self.discover().await?.0) };
        self.description.get(self.clock.as_ref(), false, fetch).await
    }

    async fn fetch_keys(&self) -> Result<Vec<Key>, ProviderError> {
        let it = self.described().await?;
        let (document, _) = self.document("keys", &it.jwks_uri).await?;
        let keys = Key::all(&document);
        if keys.is_empty() {
            return Err(ProviderError::Unavailable(
                "the provider publishes no key that can be used".to_owned(),
            ));
        }
        Ok(keys)
    }

    /// What a token says, once its signature is found right; keys are looked for once more when it names an unknown one.
    async fn signed(&self, token: &SecretString) -> Result<(Algorithm, Said), ProviderError> {
        let mut again = false;
        loop {
            let keys = self.keys.get(self.clock.as_ref(), again, self.fetch_keys()).await?;
            match jwt::verify(token.expose_secret(), &keys) {
                Ok(it) => return Ok(it),
                Err(Unsound::Forged(why)) => return Err(forged(why)),
                Err(Unsound::UnknownKey) if again => {
                    return Err(forged("the token names a key that is not published"));
                }
                Err(Unsound::UnknownKey) => again = true,
            }
        }
    }

    fn judge_times(&self, said: &Said) -> Result<(), ProviderError> {
        let now = u64::try_from(self.clock.now().as_second()).unwrap_or(0);
        let at = |key: &str| match said.get(key) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .or_else(|| {
                    value.as_f64().filter(|it| *it >= 0.0).and_then(|_| number(&value.to_string().into()))
                })
                .map(Some)
                .ok_or_else(|| forged(format!("the token's {key} is no time"))),
        };
        let ends = at("exp")?.ok_or_else(|| forged("the token does not say when it ends"))?;
        if ends.saturating_add(self.skew) <= now {
            return Err(forged("the token has expired"));
        }
        for key in ["nbf", "iat"] {
            if at(key)?.is_some_and(|begins| begins > now + self.skew) {
                return Err(forged("the token is not valid yet; compare the clocks"));
            }
        }
        Ok(())
    }

    /// The tenant of an Entra token and its issuer, both judged.
    fn judge_issuer(&self, said: &Said, described: &str) -> Result<(), ProviderError> {
        let issuer = text(said, "iss").ok_or_else(|| forged("the token does not say who issued it"))?;
        if !self.entra {
            let right = issuer == self.issuer;
            return if right { Ok(()) } else { Err(forged("the token is from another issuer")) };
        }
        let tenant = text(said, "tid").ok_or_else(|| forged("the token names no tenant"))?;
        if !self.tenants.iter().any(|it| it.eq_ignore_ascii_case(&tenant)) {
            return Err(forged("the token is from a tenant that is not allowed"));
        }
        if issuer != described.replace("{tenantid}", &tenant) {
            return Err(forged("the token is from another issuer"));
        }
        Ok(())
    }

    /// The claims of an identity token that is to be believed.
    async fn judged(
        &self,
        token: &SecretString,
        nonce: &str,
        access: &SecretString,
    ) -> Result<Said, ProviderError> {
        let (algorithm, said) = self.signed(token).await?;
        self.judge_issuer(&said, &self.described().await?.issuer)?;
        self.judge_times(&said)?;
        let for_us = match said.get("aud") {
            Some(Value::String(one)) => *one == self.client.id,
            Some(Value::Array(all)) => {
                let has = all.iter().any(|it| it.as_str() == Some(&self.client.id));
                has && (all.len() == 1 || said.contains_key("azp"))
            }
            _ => false,
        };
        if !for_us || said.get("azp").is_some_and(|it| it.as_str() != Some(&self.client.id)) {
            return Err(forged("the token is for another application"));
        }
        if text(&said, "nonce").as_deref() != Some(nonce) {
            return Err(forged("the token belongs to another sign-in"));
        }
        if let Some(hash) = said.get("at_hash")
            && hash.as_str() != Some(&half_hash(algorithm, access.expose_secret()))
        {
            return Err(forged("the token belongs to another access token"));
        }
        Ok(said)
    }

    fn subject(&self, said: &Said) -> Result<String, ProviderError> {
        let part = |key: &str| text(said, key).ok_or_else(|| forged(format!("the token has no {key}")));
        if self.entra { Ok(format!("{}/{}", part("tid")?, part("oid")?)) } else { part("sub") }
    }

    fn to_claims(&self, said: &Said) -> Result<Claims, ProviderError> {
        let is_yes = |value: &Value| match value {
            Value::Bool(it) => *it,
            Value::Number(it) => it.as_u64() == Some(1),
            Value::String(it) => it.eq_ignore_ascii_case("true") || it == "1",
            _ => false,
        };
        let address =
            |key: &str| text(said, key).filter(|it| it.contains('@')).map(|it| it.trim().to_lowercase());
        let told = address("email");
        let vouched = match said.get(if self.entra { "xms_edov" } else { "email_verified" }) {
            Some(value) => is_yes(value),
            None => self.email_verified,
        };
        let email_verified = vouched && told.is_some();
        let email = told.or_else(|| if self.entra { address("preferred_username") } else { None });
        Ok(Claims {
            // A tenant's own issuer, also where the settings name one that stands for many.
            issuer: text(said, "iss").unwrap_or_default(),
            subject: self.subject(said)?,
            email,
            email_verified,
            name: text(said, "name").map(|it| short(&it)),
        })
    }

    async fn arrived(&self, arrival: &Arrival<'_>) -> Result<(Claims, Grant), ProviderError> {
        let it = self.described().await?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", arrival.code.expose_secret()),
            ("redirect_uri", arrival.redirect),
        ];
        if self.pkce {
            form.push(("code_verifier", arrival.verifier.expose_secret()));
        }
        let door = self.doors.at(&it.token_endpoint)?;
        let tokens = self.client.ask(door, &it.token_endpoint, &form, self.clock.now()).await?;
        let token = tokens.id_token.ok_or_else(|| forged("the provider sent no identity token"))?;
        let mut said = self.judged(&token, arrival.nonce, &tokens.grant.access).await?;
        if text(&said, "email").is_none()
            && let Some(at) = it.userinfo_endpoint.as_ref().filter(|at| self.doors.at(at).is_ok())
        {
            self.complete(&mut said, at, &tokens.grant.access).await?;
        }
        Ok((self.to_claims(&said)?, tokens.grant))
    }

    /// Adds what only the userinfo endpoint tells.
    async fn complete(&self, said: &mut Said, at: &Url, access: &SecretString) -> Result<(), ProviderError> {
        let call = self.doors.at(at)?.get("userinfo", at.clone()).header("accept", "application/json");
        let reply = call.bearer(access).fetch().await.map_err(no_answer)?;
        if !reply.is_success() {
            return Err(ProviderError::Unavailable(format!("userinfo: status {}", reply.status)));
        }
        let more: Said = reply.json().map_err(no_answer)?;
        if text(&more, "sub") != text(said, "sub") {
            return Err(forged("userinfo speaks of somebody else"));
        }
        for key in ["email", "email_verified", "name"] {
            if let Some(value) = more.get(key)
                && !said.contains_key(key)
            {
                said.insert(key.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}

/// The left half of the access token's hash (OpenID Connect Core, 3.1.3.6).
fn half_hash(algorithm: Algorithm, access: &str) -> String {
    let bytes = access.as_bytes();
    let hash = match algorithm {
        Algorithm::RS512 | Algorithm::PS512 => sha2::Sha512::digest(bytes).to_vec(),
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => sha2::Sha384::digest(bytes).to_vec(),
        _ => sha2::Sha256::digest(bytes).to_vec(),
    };
    Base64UrlUnpadded::encode_string(&hash[..hash.len() / 2])
}

impl Provider for OpenId {
    fn service(&self) -> &ServiceName {
        &self.service
    }

    fn departure<'a>(&'a self, departure: Departure<'a>) -> Fut<'a, Result<String, ProviderError>> {
        Box::pin(async move {
            let mut url = self.described().await?.authorization_endpoint.clone();
            let mut scopes = self.scopes.clone();
            for (wanted, always) in [("openid", true), ("offline_access", departure.link)] {
                if always && !scopes.iter().any(|it| it == wanted) {
                    scopes.push(wanted.to_owned());
                }
            }
            {
                let mut query = url.query_pairs_mut();
                query.append_pair("response_type", "code").append_pair("client_id", &self.client.id);
                query.append_pair("redirect_uri", departure.redirect).append_pair("scope", &scopes.join(" "));
                query.append_pair("state", departure.state).append_pair("nonce", departure.nonce);
                if self.pkce {
                    query.append_pair("code_challenge", &challenge(departure.verifier));
                    query.append_pair("code_challenge_method", "S256");
                }
                if let Some(hint) = departure.hint {
                    query.append_pair("login_hint", hint);
                }
                if departure.small && !self.entra {
                    query.append_pair("display", "popup");
                }
            }
            Ok(url.into())
        })
    }

    fn claims<'a>(&'a self, arrival: Arrival<'a>) -> Fut<'a, Result<Claims, ProviderError>> {
        Box::pin(async move { Ok(self.arrived(&arrival).await?.0) })
    }

    fn grant<'a>(&'a self, arrival: Arrival<'a>) -> Fut<'a, Result<(LinkedAccount, Grant), ProviderError>> {
        Box::pin(async move {
            let (claims, grant) = self.arrived(&arrival).await?;
            let name = claims.name.unwrap_or_default();
            let account = LinkedAccount { id: claims.subject, name, email: claims.email.unwrap_or_default() };
            Ok((account, grant))
        })
    }

    fn revoke<'a>(&'a self, grant: &'a Grant) -> Fut<'a, Result<(), ProviderError>> {
        Box::pin(async move {
            let it = self.described().await?;
            let Some(at) = &it.revocation_endpoint else { return Ok(()) };
            let token = grant.refresh.as_ref().unwrap_or(&grant.access);
            let form = [("token", token.expose_secret())];
            match self.client.ask(self.doors.at(at)?, at, &form, self.clock.now()).await {
                Err(TokenFailure::Refused { code, .. }) => Err(ProviderError::Refused(code)),
                Err(TokenFailure::Misconfigured(why)) => Err(ProviderError::Misconfigured(why)),
                // A success carries no tokens.
                _ => Ok(()),
            }
        })
    }
}

impl Renewing for OpenId {
    fn renew<'a>(&'a self, refresh: &'a SecretString) -> Fut<'a, Result<Grant, TokenFailure>> {
        Box::pin(async move {
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
            self.ask_for(&form).await
        })
    }

    fn own_grant(&self) -> Fut<'_, Result<Grant, TokenFailure>> {
        Box::pin(async move {
            let scope = self.scopes.join(" ");
            self.ask_for(&[("grant_type", "client_credentials"), ("scope", &scope)]).await
        })
    }

    fn look(&self) -> Fut<'_, Vec<Look>> {
        Box::pin(async move {
            let discovery = self.discover().await.map(|(_, date)| date);
            let keys = self.fetch_keys().await.map(|_| None);
            vec![Look { subject: "discovery", outcome: discovery }, Look { subject: "keys", outcome: keys }]
        })
    }
}

impl OpenId {
    async fn ask_for(&self, form: &[(&str, &str)]) -> Result<Grant, TokenFailure> {
        let as_failure = |e: ProviderError| match e {
            ProviderError::Unavailable(reason) => TokenFailure::Unavailable { reason, wait: None },
            other => TokenFailure::Misconfigured(other.to_string()),
        };
        let it = self.described().await.map_err(as_failure)?;
        let door = self.doors.at(&it.token_endpoint).map_err(as_failure)?;
        Ok(self.client.ask(door, &it.token_endpoint, form, self.clock.now()).await?.grant)
    }
}

/// Checks the access tokens that the add-in gets for us by nested app authentication.
pub(crate) struct AddinCheck {
    provider: Arc<OpenId>,
    scope: String,
}

impl AddinCheck {
    pub(crate) const fn new(provider: Arc<OpenId>, scope: String) -> Self {
        Self { provider, scope }
    }
}

impl BearerCheck for AddinCheck {
    fn service(&self) -> &ServiceName {
        &self.provider.service
    }

    fn claims<'a>(&'a self, token: &'a SecretString) -> Fut<'a, Result<Claims, ProviderError>> {
        Box::pin(async move {
            let (_, said) = self.provider.signed(token).await?;
            self.provider.judge_issuer(&said, &self.provider.described().await?.issuer)?;
            self.provider.judge_times(&said)?;
            let audience = text(&said, "aud").unwrap_or_default();
            if audience.strip_prefix("api://").unwrap_or(&audience) != self.provider.client.id {
                return Err(forged("the token is for another application"));
            }
            // An identity token of ours has no scope; a program's token carries roles instead.
            let scopes = text(&said, "scp").unwrap_or_default();
            if !scopes.split(' ').any(|it| it == self.scope) || text(&said, "idtyp").as_deref() == Some("app")
            {
                return Err(forged("the token does not carry the scope that is asked for"));
            }
            self.provider.to_claims(&said)
        })
    }
}
