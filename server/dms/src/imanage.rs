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
//! Sources: iManage's certified connectors in `microsoft/PowerPlatformConnectors`, docs.imanage.com, and open-source clients
//! (`integrica-io/iManCloudCore` and others).

mod auth;
mod doctor;
mod errors;
mod ids;
mod places;
mod probe;
mod profile;
mod rights;
mod search;
mod settings;
mod tenant;
mod upload;
mod wire;

use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsError, DmsResult, Document, Found, Page, Probe,
    Receipt, Thing, Trouble, Upload,
};
use postroom_domain::ids::ServiceName;
use postroom_domain::link::{AccessTokens, Rights};
use postroom_domain::person::Actor;
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::time::Clock;
use postroom_outbound::{Call, Method, Outbound, Reply};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use self::places::{Kind, Kinds};
pub use self::settings::{
    Auth, AuthHeader, ClosedField, Paging, ProbeMode, SearchForm, Settings, SetupError,
};
use self::tenant::Tenant;
use crate::account::{Seats, Token, Tokens, below};
use crate::doctor::Finding;
use crate::{Connector, names};

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
            http: http.clone(),
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

    async fn fetch_document(&self, document: &str) -> DmsResult<ByteStream> {
        let id = ids::document(document)?;
        let path = ["libraries", id.library, "documents", document, "download"];
        let url = self.tenant().await?.url(&path, &[("activity", "export")]);
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

impl Dms for Imanage {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            probe: true,
            probe_lag_seconds: self.settings.probe_lag_seconds,
            search_by_fields: true,
            files_in_workspace: false,
            create_folders: true,
            rights: self.settings.person_rights,
            persons: true,
            largest: self.settings.largest_bytes,
            ..Capabilities::default()
        }
    }

    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        Box::pin(async move {
            let tenant = Arc::new(self.seats.system().discover().await?);
            let account = tenant.account.clone();
            *self.seats.system().tenant.lock().await = Some(tenant);
            if account.id == "unknown" {
                let detail = "the server does not tell who is signed in";
                return Err(DmsError::from_trouble(Trouble::new(Cause::LoginNeeded, detail)));
            }
            Ok(account)
        })
    }

    fn find_workspaces<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(async move { self.seat(actor).await?.search(library, query, limit).await })
    }

    fn container<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            let seat = self.seat(actor).await?;
            match seat.kinds.of(id) {
                Some(kind) => seat.by_id(id, &[kind]).await,
                None => seat.by_id(id, &[Kind::Workspace, Kind::Folder]).await,
            }
        })
    }

    fn folders<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(async move { self.seat(actor).await?.children(container, page).await })
    }

    fn create_folder<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move { self.seat(actor).await?.make_folder(parent, name).await })
    }

    fn safe_name(&self, name: &str) -> String {
        names::safe(name, self.settings.longest_name)
    }

    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        Box::pin(async move { self.seat(upload.actor).await?.put(upload).await })
    }

    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        Box::pin(async move { self.seat(probe.actor).await?.look(probe).await })
    }

    fn download<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
        version: Option<&'a str>,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(
            async move { self.seat(actor).await?.fetch_document(&ids::of_version(document, version)?).await },
        )
    }

    fn document<'a>(
        &'a self,
        actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<Document>> {
        Box::pin(async move {
            let found = self.seat(actor).await?.profile(document).await?;
            found.as_ref().map(profile::document).ok_or_else(|| {
                let detail = format!("document {document} is absent, or not visible");
                DmsError::from_trouble(Trouble::new(Cause::TargetNotFound, detail))
            })
        })
    }

    fn permalink(&self, thing: Thing<'_>) -> Option<String> {
        let (kind, id) = match thing {
            Thing::Document(id) => ("d", id),
            Thing::Workspace(id) => ("w", id),
            Thing::Folder(id) => ("f", id),
        };
        Some(below(self.http.base(), &format!("work/link/{kind}/{id}")).to_string())
    }

    fn rights<'a>(
        &'a self,
        actor: &'a Actor,
        library: &'a str,
        container: &'a str,
        person: &'a str,
    ) -> Fut<'a, DmsResult<Rights>> {
        Box::pin(async move { self.seat(actor).await?.rights_of(library, container, person).await })
    }
}
