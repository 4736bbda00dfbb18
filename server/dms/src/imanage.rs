//! iManage Work, cloud and on-premises from 10.2, by its REST API (version 2).
//!
//! The public sources leave much open (error codes, paging of some lists, what a closed workspace answers); such points are
//! settings, and answers are read tolerantly. What is certain: an upload is not idempotent, so it is one call that is never
//! repeated here; searches are fuzzy, so their results are compared again; the index lags, so a probe reads the folder first.
//!
//! ```toml
//! base_url = "https://cloudimanage.com"
//! library = "ACTIVE"
//! mark_field = "comment"           # or custom13 to custom16
//! probe = "both"                   # listing, search, both
//!
//! [auth]
//! grant = "password"               # or "refresh_token" with refresh_token_file, or "link": an administrator links it
//! client_id = "postroom"
//! client_secret_file = "/run/secrets/imanage-client"
//! username = "POSTROOM"
//! password_file = "/run/secrets/imanage-password"
//!
//! [connection]
//! parallel = 8
//! ca_file = "/etc/postroom/firm-ca.pem"
//! ```
//!
//! Ids of documents name a version, as iManage's do. What is asked of a document is asked of its newest version.
//!
//! Sources: iManage's certified connectors in `microsoft/PowerPlatformConnectors`, docs.imanage.com, and open-source clients
//! (`integrica-io/iManCloudCore` and others).
#![doc = include_str!("imanage/pilot.md")]

mod auth;
mod change;
mod dms;
mod doctor;
mod email;
mod errors;
mod ids;
mod listing;
mod people;
mod places;
mod probe;
mod profile;
mod rights;
mod search;
mod settings;
mod tenant;
mod upload;
mod versions;
mod wire;
mod words;

use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::cause::{Sent, Symptom};
use postroom_domain::dms::{ByteStream, DmsError, DmsResult};
use postroom_domain::ids::ServiceName;
use postroom_domain::link::AccessTokens;
use postroom_domain::person::Actor;
use postroom_domain::time::Clock;
use postroom_outbound::{Call, Method, Outbound, Reply};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use self::places::Kinds;
pub use self::settings::{
    Auth, AuthHeader, ClosedField, Paging, ProbeMode, SearchForm, Settings, SetupError, UserIds, WordSearch,
};
use self::tenant::Tenant;
use crate::Connector;
use crate::account::{Seats, Token, Tokens};
use crate::doctor::Finding;

/// The connector of one iManage destination. Each account has its own seat: what one may see, another does not.
pub struct Imanage {
    settings: Arc<Settings>,
    http: Outbound,
    seats: Seats<Seat>,
}

/// One account at the server, with all that was learned with it.
struct Seat {
    name: String,
    settings: Arc<Settings>,
    http: Outbound,
    tokens: Tokens,
    tenant: Mutex<Option<Arc<Tenant>>>,
    kinds: Kinds,
}

impl Imanage {
    /// A connector with the system account of the settings. Nothing is sent yet; secrets in files are read now.
    pub fn new(name: &str, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        settings.check()?;
        let http = Outbound::new(name, &settings.base_url, &settings.connection)?;
        let system = auth::own_account(&settings, clock)?;
        let settings = Arc::new(settings);
        let (of, at, named) = (Arc::clone(&settings), http.clone(), name.to_owned());
        let seats = Seats::new(name, system, move |tokens| Seat::new(&named, &of, &at, tokens));
        Ok(Self { settings, http, seats })
    }

    /// The same with linked accounts: persons' own ones, and the system account where the settings say `grant = "link"`.
    #[must_use]
    pub fn with_links(mut self, service: ServiceName, tokens: Arc<dyn AccessTokens>) -> Self {
        self.seats.link(service, tokens, matches!(self.settings.auth, Auth::Link));
        self
    }

    async fn seat(&self, actor: &Actor) -> DmsResult<Arc<Seat>> {
        self.seats.of(actor).await
    }
}

impl Seat {
    fn new(name: &str, settings: &Arc<Settings>, http: &Outbound, tokens: Tokens) -> Self {
        Self {
            name: name.to_owned(),
            settings: Arc::clone(settings),
            http: http.for_account(tokens.account()),
            tokens,
            tenant: Mutex::new(None),
            kinds: Kinds::default(),
        }
    }

    /// What was discovered, asked for once; the first callers wait for one answer.
    async fn tenant(&self) -> DmsResult<Arc<Tenant>> {
        let mut known = self.tenant.lock().await;
        if let Some(tenant) = &*known {
            return Ok(Arc::clone(tenant));
        }
        let tenant = Arc::new(self.discover().await?);
        *known = Some(Arc::clone(&tenant));
        Ok(tenant)
    }

    fn sign<'c>(&self, call: Call<'c>, token: &Token) -> Call<'c> {
        match self.settings.auth_header {
            AuthHeader::XAuthToken => call.secret_header("x-auth-token", &token.value),
            AuthHeader::Bearer => call.bearer(&token.value),
            AuthHeader::Both => call.secret_header("x-auth-token", &token.value).bearer(&token.value),
        }
    }

    /// Asks something that carries no document; a sign-in that has ended is renewed once.
    async fn ask(
        &self,
        operation: &'static str,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> DmsResult<Reply> {
        let mut token = self.tokens.get(&self.http).await?;
        let mut renewed = false;
        loop {
            let call =
                self.http.call(operation, method.clone(), url.clone()).header("accept", "application/json");
            let mut call = self.sign(call, &token);
            if let Some(body) = body {
                call = call.json(body);
            }
            let reply = call.fetch().await?;
            if reply.status == 401 && !renewed {
                renewed = true;
                token = self.tokens.renew(&self.http, &token).await?;
                continue;
            }
            // Discovery may answer anybody, so it proves nothing.
            if reply.is_success() && operation != "discovery" {
                self.tokens.proves(&token);
            }
            return Ok(reply);
        }
    }

    /// The bytes of the newest version, or of the one that is named.
    async fn fetch_document(&self, document: &str, version: Option<&str>) -> DmsResult<ByteStream> {
        if version.is_some() {
            return self.fetch(&ids::of_version(document, version)?, &[("activity", "export")]).await;
        }
        match self.fetch(document, &[("activity", "export"), ("latest", "true")]).await {
            // The version that the id names may have been deleted, and others are left.
            Err(DmsError::NotFound(_)) => {
                let (newest, _) = self.newest(document).await?;
                self.fetch(&newest, &[("activity", "export")]).await
            }
            other => other,
        }
    }

    async fn fetch(&self, document: &str, query: &[(&str, &str)]) -> DmsResult<ByteStream> {
        let id = ids::document(document)?;
        let path = ["libraries", id.library, "documents", document, "download"];
        let url = self.tenant().await?.url(&path, query);
        let mut token = self.tokens.get(&self.http).await?;
        let mut renewed = false;
        loop {
            let call = self.http.get("download", url.clone()).header("accept", "*/*");
            let answer = self.sign(call, &token).send().await?;
            if answer.status() == 401 && !renewed {
                renewed = true;
                token = self.tokens.renew(&self.http, &token).await?;
                continue;
            }
            if !answer.is_success() {
                let reply = answer.read().await?;
                return Err(errors::shape(&reply, &format!("downloading {document}"), &self.settings));
            }
            if answer.says_html() && !self.is_web_document(document).await? {
                let detail = format!("downloading {document}: a web page instead of the document");
                return Err(DmsError::from_symptom(Symptom::WebPage, Sent::Nothing, detail));
            }
            return Ok(answer.stream());
        }
    }

    /// Whether a document is itself a web page, so that one in an answer is no log-in page.
    async fn is_web_document(&self, document: &str) -> DmsResult<bool> {
        let id = ids::document(document)?;
        let url = self.tenant().await?.url(&["libraries", id.library, "documents", document], &[]);
        let reply = self.ask("document", Method::GET, url, None).await?;
        if !reply.is_success() {
            return Err(errors::shape(&reply, &format!("reading document {document}"), &self.settings));
        }
        let extension = reply.json::<wire::Envelope>()?.object().and_then(|item| item.text("extension"));
        Ok(extension.is_some_and(|e| ["html", "htm", "xhtml", "mht"].contains(&e.to_lowercase().as_str())))
    }
}

impl Connector for Imanage {
    fn doctor(&self) -> Fut<'_, Vec<Finding>> {
        Box::pin(async { self.seats.system().doctor().await })
    }
}
