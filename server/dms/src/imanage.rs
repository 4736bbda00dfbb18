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
//! grant = "password"               # or "refresh_token" with refresh_token_file
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
mod search;
mod settings;
mod tenant;
mod upload;
mod wire;

use std::sync::Arc;

use postroom_domain::Fut;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{
    Account, ByteStream, Capabilities, Container, Dms, DmsError, DmsResult, Found, Page, Probe, Receipt,
    Upload,
};
use postroom_domain::person::Actor;
use postroom_domain::target::WorkspaceQuery;
use postroom_domain::time::Clock;
use postroom_outbound::{Call, Method, Outbound, Reply};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use self::auth::{Token, Tokens};
use self::places::{Kind, Kinds};
pub use self::settings::{
    Auth, AuthHeader, ClosedField, Paging, ProbeMode, SearchForm, Settings, SetupError,
};
use self::tenant::Tenant;
use crate::names;

/// The connector of one iManage destination, with one account.
pub struct Imanage {
    name: String,
    settings: Settings,
    http: Outbound,
    tokens: Tokens,
    tenant: Mutex<Option<Arc<Tenant>>>,
    kinds: Kinds,
}

impl Imanage {
    /// A connector. Nothing is sent yet; secrets in files are read now.
    pub fn new(name: &str, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        settings.check()?;
        Ok(Self {
            name: name.to_owned(),
            http: Outbound::new(name, &settings.base_url, &settings.connection)?,
            tokens: Tokens::new(&settings, clock)?,
            settings,
            tenant: Mutex::new(None),
            kinds: Kinds::default(),
        })
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

impl Dms for Imanage {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            probe: true,
            probe_lag_seconds: self.settings.probe_lag_seconds,
            search_by_fields: true,
            files_in_workspace: false,
            create_folders: true,
            versions: true,
            rights: false,
            persons: true,
            largest: self.settings.largest_bytes,
        }
    }

    fn whoami(&self) -> Fut<'_, DmsResult<Account>> {
        Box::pin(async move {
            let tenant = Arc::new(self.discover().await?);
            let account = tenant.account.clone();
            *self.tenant.lock().await = Some(tenant);
            if account.id == "unknown" {
                let detail = "the server does not tell who is signed in";
                return Err(DmsError::from_trouble(postroom_domain::dms::Trouble::new(
                    Cause::LoginNeeded,
                    detail,
                )));
            }
            Ok(account)
        })
    }

    fn find_workspaces<'a>(
        &'a self,
        _actor: &'a Actor,
        library: &'a str,
        query: &'a WorkspaceQuery,
        limit: usize,
    ) -> Fut<'a, DmsResult<Vec<Container>>> {
        Box::pin(self.search(library, query, limit))
    }

    fn container<'a>(
        &'a self,
        _actor: &'a Actor,
        _library: &'a str,
        id: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(async move {
            match self.kinds.of(id) {
                Some(kind) => self.by_id(id, &[kind]).await,
                None => self.by_id(id, &[Kind::Workspace, Kind::Folder]).await,
            }
        })
    }

    fn folders<'a>(
        &'a self,
        _actor: &'a Actor,
        _library: &'a str,
        container: &'a str,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<Container>>> {
        Box::pin(self.children(container, page))
    }

    fn create_folder<'a>(
        &'a self,
        _actor: &'a Actor,
        _library: &'a str,
        parent: &'a str,
        name: &'a str,
    ) -> Fut<'a, DmsResult<Container>> {
        Box::pin(self.make_folder(parent, name))
    }

    fn safe_name(&self, name: &str) -> String {
        names::safe(name, self.settings.longest_name)
    }

    fn upload<'a>(&'a self, upload: Upload<'a>) -> Fut<'a, DmsResult<Receipt>> {
        Box::pin(self.put(upload))
    }

    fn probe<'a>(&'a self, probe: Probe<'a>) -> Fut<'a, DmsResult<Found>> {
        Box::pin(self.look(probe))
    }

    fn download<'a>(
        &'a self,
        _actor: &'a Actor,
        _library: &'a str,
        document: &'a str,
    ) -> Fut<'a, DmsResult<ByteStream>> {
        Box::pin(self.fetch_document(document))
    }
}
