//! The DMSs' own sign-ins: iManage, NetDocuments, HighQ.

use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::ids::ServiceName;
use postroom_domain::link::LinkedAccount;
use postroom_domain::sign_in::{Arrival, Claims, Departure, Grant, Provider, ProviderError};
use postroom_domain::time::Clock;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::oauth::{Client, ClientAuth, Doors, TokenFailure, Tokens, challenge, no_answer, short};
use crate::service_settings::{ServiceError, ServiceKind, ServiceSettings};
use crate::services::{Look, Renewing};

/// A DMS that people sign in to and link accounts of.
pub(crate) struct Vendor {
    service: ServiceName,
    kind: ServiceKind,
    client: Client,
    application: Client,
    doors: Doors,
    base: Url,
    authorize: Url,
    token: Url,
    scopes: Vec<String>,
    separator: String,
    pkce: bool,
    email_verified: bool,
    clock: Arc<dyn Clock>,
}

/// An address below another one.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url.set_query(None);
    url
}

impl Vendor {
    pub(crate) fn new(settings: &ServiceSettings, clock: Arc<dyn Clock>) -> Result<Self, ServiceError> {
        let (service, kind) = (settings.name.clone(), settings.kind);
        let missing =
            |key| ServiceError::Key { service: service.clone(), key, problem: "is missing".to_owned() };
        let base = settings.base_url.clone().ok_or_else(|| missing("base_url"))?;
        let (authorize, token, scopes) = match kind {
            ServiceKind::Netdocuments => {
                let web = settings.web_url.as_ref().or(settings.authorize_url.as_ref());
                let web = web.ok_or_else(|| missing("web_url"))?;
                (below(web, "neWeb2/OAuth.aspx"), below(&base, "v1/OAuth"), &["read", "edit", "organize"][..])
            }
            ServiceKind::Highq => {
                (below(&base, "authorize.action"), below(&base, "api/oauth2/token"), &[][..])
            }
            _ => (below(&base, "auth/oauth2/authorize"), below(&base, "auth/oauth2/token"), &["user"][..]),
        };
        let token = settings.token_url.clone().unwrap_or(token);
        let hosts: Vec<&Url> = [&base, &token].into_iter().chain(&settings.also_hosts).collect();
        let doors = Doors::new(service.as_str(), &hosts, &settings.connection)
            .map_err(|error| ServiceError::Connection { service: service.clone(), error })?;
        let usual = if kind == ServiceKind::Netdocuments { "," } else { " " };
        let client = Client {
            id: settings.client_id.clone(),
            secret: settings.secret()?,
            auth: settings.client_auth,
            bare: true,
        };
        let mut application = client.clone();
        if let (ServiceKind::Netdocuments, Some(repository)) = (kind, &settings.repository) {
            application.id = format!("{}|{repository}", client.id);
            application.auth = ClientAuth::Basic;
        }
        Ok(Self {
            service,
            kind,
            client,
            application,
            doors,
            base,
            authorize: settings.authorize_url.clone().unwrap_or(authorize),
            token,
            scopes: settings
                .scopes
                .clone()
                .unwrap_or_else(|| scopes.iter().map(|&it| it.to_owned()).collect()),
            separator: settings.scope_separator.clone().unwrap_or_else(|| usual.to_owned()),
            pkce: settings.pkce.unwrap_or(false),
            email_verified: settings.email_verified,
            clock,
        })
    }

    pub(crate) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    fn address(&self, departure: &Departure<'_>) -> String {
        let mut url = self.authorize.clone();
        {
            let mut query = url.query_pairs_mut();
            if departure.small && self.kind == ServiceKind::Netdocuments {
                query.append_pair("smallDisplay", "Y");
            }
            query.append_pair("response_type", "code").append_pair("client_id", &self.client.id);
            query.append_pair("redirect_uri", departure.redirect).append_pair("state", departure.state);
            if !self.scopes.is_empty() {
                query.append_pair("scope", &self.scopes.join(&self.separator));
            }
            if self.pkce {
                query.append_pair("code_challenge", &challenge(departure.verifier));
                query.append_pair("code_challenge_method", "S256");
            }
        }
        url.into()
    }

    async fn exchange(&self, arrival: &Arrival<'_>) -> Result<Tokens, ProviderError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", arrival.code.expose_secret()),
            ("redirect_uri", arrival.redirect),
        ];
        if self.pkce {
            form.push(("code_verifier", arrival.verifier.expose_secret()));
        }
        Ok(self.client.ask(self.doors.at(&self.token)?, &self.token, &form, self.clock.now()).await?)
    }

    /// The account behind fresh tokens, as the service tells it.
    async fn account(&self, tokens: &Tokens) -> Result<LinkedAccount, ProviderError> {
        let account = match self.kind {
            ServiceKind::Highq => {
                let email = tokens.user_email.as_deref().unwrap_or_default().trim().to_lowercase();
                LinkedAccount { id: email.clone(), name: email.clone(), email }
            }
            ServiceKind::Netdocuments => {
                let who = self.ask(below(&self.base, "v1/User/info"), &tokens.grant.access).await?;
                account_of(&who, "displayName")
            }
            _ => {
                let who = self.ask(below(&self.base, "api"), &tokens.grant.access).await?;
                let data = who.get("data").unwrap_or(&who);
                account_of(data.get("user").unwrap_or(&Value::Null), "name")
            }
        };
        if account.id.is_empty() {
            let why = "the service gave tokens, but does not say whose they are";
            return Err(ProviderError::Misconfigured(why.to_owned()));
        }
        Ok(account)
    }

    async fn ask(&self, url: Url, access: &SecretString) -> Result<Value, ProviderError> {
        let call = self.doors.at(&url)?.get("who", url).header("accept", "application/json");
        let call = match self.kind {
            ServiceKind::Imanage => call.secret_header("x-auth-token", access),
            _ => call.bearer(access),
        };
        let reply = call.fetch().await.map_err(no_answer)?;
        if !reply.is_success() {
            let status = reply.status;
            return Err(ProviderError::Unavailable(format!(
                "asked whose tokens these are, it answered {status}"
            )));
        }
        reply.json().map_err(no_answer)
    }
}

fn account_of(who: &Value, name: &str) -> LinkedAccount {
    let text = |key: &str| match who.get(key) {
        Some(Value::String(text)) => short(text.trim()),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    LinkedAccount { id: text("id"), name: text(name), email: text("email").to_lowercase() }
}

impl Provider for Vendor {
    fn service(&self) -> &ServiceName {
        &self.service
    }

    fn departure<'a>(&'a self, departure: Departure<'a>) -> Fut<'a, Result<String, ProviderError>> {
        Box::pin(async move { Ok(self.address(&departure)) })
    }

    fn claims<'a>(&'a self, arrival: Arrival<'a>) -> Fut<'a, Result<Claims, ProviderError>> {
        Box::pin(async move {
            let account = self.account(&self.exchange(&arrival).await?).await?;
            let told = |text: String| Some(text).filter(|it| !it.is_empty());
            Ok(Claims {
                issuer: self.base.as_str().trim_end_matches('/').to_owned(),
                subject: account.id,
                email_verified: self.email_verified && !account.email.is_empty(),
                email: told(account.email),
                name: told(account.name),
            })
        })
    }

    fn grant<'a>(&'a self, arrival: Arrival<'a>) -> Fut<'a, Result<(LinkedAccount, Grant), ProviderError>> {
        Box::pin(async move {
            let tokens = self.exchange(&arrival).await?;
            Ok((self.account(&tokens).await?, tokens.grant))
        })
    }

    fn revoke<'a>(&'a self, grant: &'a Grant) -> Fut<'a, Result<(), ProviderError>> {
        Box::pin(async move {
            if self.kind != ServiceKind::Imanage {
                return Ok(());
            }
            let url = below(&self.base, "auth/oauth2/revoke-token");
            let call = self.doors.at(&url)?.post("revoke", url);
            let reply = call.form(&[("access_token", grant.access.expose_secret())]).fetch().await;
            let reply = reply.map_err(no_answer)?;
            let status = reply.status;
            if reply.is_success() {
                Ok(())
            } else {
                Err(ProviderError::Unavailable(format!("status {status}")))
            }
        })
    }
}

impl Renewing for Vendor {
    fn renew<'a>(&'a self, refresh: &'a SecretString) -> Fut<'a, Result<Grant, TokenFailure>> {
        Box::pin(async move {
            let door = self.doors.at(&self.token).map_err(|e| TokenFailure::Misconfigured(e.to_string()))?;
            let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
            Ok(self.client.ask(door, &self.token, &form, self.clock.now()).await?.grant)
        })
    }

    fn own_grant(&self) -> Fut<'_, Result<Grant, TokenFailure>> {
        Box::pin(async move {
            let door = self.doors.at(&self.token).map_err(|e| TokenFailure::Misconfigured(e.to_string()))?;
            let scope = if self.kind == ServiceKind::Netdocuments {
                "full".to_owned()
            } else {
                self.scopes.join(&self.separator)
            };
            let form = [("grant_type", "client_credentials"), ("scope", scope.as_str())];
            Ok(self.application.ask(door, &self.token, &form, self.clock.now()).await?.grant)
        })
    }

    fn look(&self) -> Fut<'_, Vec<Look>> {
        Box::pin(async move {
            let outcome = match self.doors.at(&self.base) {
                Err(e) => Err(e),
                Ok(door) => match door.get("look", self.base.clone()).fetch().await {
                    // Any answer shows that it is there; what the bare address answers is not known.
                    Ok(reply) => Ok(crate::oidc::date_of(&reply)),
                    Err(e) => Err(no_answer(e)),
                },
            };
            vec![Look { subject: "address", outcome }]
        })
    }
}
