//! A typed client of `/api/v1`, for the console and for tests (feature `client`).
//!
//! Nothing is repeated by itself, except following the event stream: whether a decision is sent a second time is for the
//! caller, who knows its version. The token goes to the server it was given for and nowhere else: redirects are not followed.

mod data;
mod events;
mod people;
mod places;
mod sse;
#[cfg(test)]
mod tests;
mod watching;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
pub use people::Download;
use postroom_domain::ids::{RepositoryName, WorkItemId};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, IF_MATCH};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cause::Causes;
use crate::decision::{CancelBody, DecisionKind, EditBody, HoldBody, LinkBody, ReleaseBody, RetryBody, etag};
use crate::filing::{FilingDetail, FilingItem};
use crate::intake::{IntakeAnswer, IntakeDetail, IntakeItem, IntakeMeta};
use crate::page::{FilingList, IntakeList, Page, WorkItemList};
use crate::pause::{DoorAnswer, DoorKind, PauseBody, ResumeBody};
use crate::problem::Problem;
use crate::resolve::{BindBody, BindingView, Bindings, ResolveAnswer, ResolveBody};
use crate::rules::{DryRunAnswer, DryRunBody};
use crate::sheets::SheetsBody;
use crate::summary::Summary;
use crate::work_item::{WorkItemBody, WorkItemView};
use crate::{FilingId, IntakeId};

pub use events::{EventStream, News};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call other than an upload may take.
const CALL: Duration = Duration::from_secs(20);
/// How long a call may take for which a DMS is asked.
const PATIENT: Duration = Duration::from_mins(2);
/// How long an upload may stand still.
const STILL: Duration = Duration::from_mins(1);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// Why a call did not succeed, by what the caller can do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// No answer came: try again later. What was asked may have been done.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The token is missing, wrong or expired.
    #[error("the server does not accept the token")]
    Unauthorized,
    /// The server refused, and says why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// What answers does not speak this protocol.
    #[error("the answer cannot be understood: {0}")]
    Protocol(String),
    /// The address or the token cannot be used at all.
    #[error("{0}")]
    Setup(String),
}

/// The result of a call.
pub type ClientResult<T> = Result<T, ClientError>;

/// One document to hand in.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The file name.
    pub file_name: String,
    /// Media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// A connection to one server with one token. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    /// None for the socket in the data folder, where who may open it is trusted.
    token: Option<HeaderValue>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the server at an address such as `http://127.0.0.1:8440`. Does not connect yet.
    pub fn new(server: &str, token: &str) -> ClientResult<Self> {
        // Somebody else in the process may have installed it: then it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong =
            |why: &str| ClientError::Setup(format!("\"{server}\" is not the address of a server: {why}"));
        let mut base = Url::parse(server.trim()).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(wrong("it begins with http:// or https://"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(ClientError::Setup("the address must not hold a name or password".to_owned()));
        }
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut token = HeaderValue::try_from(format!("Bearer {}", token.trim()))
            .map_err(|_| ClientError::Setup("the token holds characters that no token has".to_owned()))?;
        token.set_sensitive(true);

        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(STILL)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("postroom-api/", env!("CARGO_PKG_VERSION")));
        let here = base.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
        if here {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| ClientError::Setup(plain(&error)))?;
        Ok(Self { http, base, token: Some(token) })
    }

    /// A client for the server that listens on the socket in a data folder: who may open that is the local administrator.
    pub fn local(socket: &std::path::Path) -> ClientResult<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .unix_socket(socket)
            .no_proxy()
            .read_timeout(STILL)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("postroom-api/", env!("CARGO_PKG_VERSION")));
        let http = builder.build().map_err(|error| ClientError::Setup(plain(&error)))?;
        let base = Url::parse("http://localhost/").map_err(|error| ClientError::Setup(error.to_string()))?;
        Ok(Self { http, base, token: None })
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, token.clone()),
            None => request,
        }
    }

    async fn send<T: DeserializeOwned>(request: RequestBuilder) -> ClientResult<T> {
        let response = request.send().await.map_err(|error| of_reqwest(&error))?;
        read(response).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &impl Serialize) -> ClientResult<T> {
        Self::send(self.request(Method::GET, path).query(query).timeout(CALL)).await
    }

    /// Totals, sources, destinations, and who is asking.
    pub async fn summary(&self) -> ClientResult<Summary> {
        self.get(&["summary"], &[(); 0]).await
    }

    /// Open filings by cause and destination.
    pub async fn causes(&self) -> ClientResult<Causes> {
        self.get(&["causes"], &[(); 0]).await
    }

    /// A page of filings.
    pub async fn filings(&self, list: &FilingList) -> ClientResult<Page<FilingItem>> {
        self.get(&["filings"], list).await
    }

    /// One filing with attempts and events.
    pub async fn filing(&self, id: FilingId) -> ClientResult<FilingDetail> {
        self.get(&["filings", &id.to_string()], &[(); 0]).await
    }

    /// A decision about a filing in the version that was looked at; the filing as it is afterwards.
    async fn decide(
        &self,
        kind: DecisionKind,
        id: FilingId,
        version: u64,
        body: &impl Serialize,
    ) -> ClientResult<FilingItem> {
        let request = self
            .request(Method::POST, &["filings", &id.to_string(), kind.as_str()])
            .header(IF_MATCH, etag(version))
            .json(body)
            .timeout(CALL);
        let decided: crate::decision::Decided = Self::send(request).await?;
        Ok(decided.filing)
    }

    /// Another try. For an `undecided` filing: send again; for a `duplicate`: file anyway.
    pub async fn retry(&self, id: FilingId, version: u64, body: &RetryBody) -> ClientResult<FilingItem> {
        self.decide(DecisionKind::Retry, id, version, body).await
    }

    /// Takes it out of automatic work.
    pub async fn hold(&self, id: FilingId, version: u64, body: &HoldBody) -> ClientResult<FilingItem> {
        self.decide(DecisionKind::Hold, id, version, body).await
    }

    /// Gives it back.
    pub async fn release(&self, id: FilingId, version: u64, body: &ReleaseBody) -> ClientResult<FilingItem> {
        self.decide(DecisionKind::Release, id, version, body).await
    }

    /// Ends it.
    pub async fn cancel(&self, id: FilingId, version: u64, body: &CancelBody) -> ClientResult<FilingItem> {
        self.decide(DecisionKind::Cancel, id, version, body).await
    }

    /// Changes where or under which name it goes.
    pub async fn edit(&self, id: FilingId, version: u64, body: &EditBody) -> ClientResult<FilingItem> {
        self.decide(DecisionKind::Edit, id, version, body).await
    }

    /// Links an `undecided` filing to its document in the DMS.
    pub async fn link(&self, id: FilingId, version: u64, body: &LinkBody) -> ClientResult<FilingItem> {
        self.decide(DecisionKind::Link, id, version, body).await
    }

    /// A page of intakes.
    pub async fn intakes(&self, list: &IntakeList) -> ClientResult<Page<IntakeItem>> {
        self.get(&["intakes"], list).await
    }

    /// One intake with its trace, filings and events.
    pub async fn intake(&self, id: IntakeId) -> ClientResult<IntakeDetail> {
        self.get(&["intakes", &id.to_string()], &[(); 0]).await
    }

    /// Hands documents in. With the same `key` it may be called again after [`ClientError::Unreachable`] without making
    /// a second intake.
    pub async fn hand_in(
        &self,
        meta: &IntakeMeta,
        files: Vec<Upload>,
        key: &str,
    ) -> ClientResult<IntakeAnswer> {
        let meta = serde_json::to_string(meta).map_err(|error| ClientError::Setup(error.to_string()))?;
        let part = |part: reqwest::multipart::Part, media: &str| {
            part.mime_str(media).map_err(|_| ClientError::Setup(format!("\"{media}\" is not a media type")))
        };
        let mut form = reqwest::multipart::Form::new()
            .part("meta", part(reqwest::multipart::Part::text(meta), "application/json")?);
        for file in files {
            let media = file.media_type;
            let length = file.bytes.len() as u64;
            let body =
                reqwest::multipart::Part::stream_with_length(file.bytes, length).file_name(file.file_name);
            form = form.part("file", part(body, &media)?);
        }
        Self::send(self.request(Method::POST, &["intakes"]).header("idempotency-key", key).multipart(form))
            .await
    }

    /// Stops a source, destination or account.
    pub async fn pause(&self, kind: DoorKind, name: &str, body: &PauseBody) -> ClientResult<DoorAnswer> {
        Self::send(self.at_door(kind, name, "pause").json(body).timeout(CALL)).await
    }

    /// Lets a source, destination or account go on.
    pub async fn resume(&self, kind: DoorKind, name: &str, body: &ResumeBody) -> ClientResult<DoorAnswer> {
        Self::send(self.at_door(kind, name, "resume").json(body).timeout(CALL)).await
    }

    /// An account's name has two parts, and each is one of the address.
    fn at_door(&self, kind: DoorKind, name: &str, what: &str) -> RequestBuilder {
        let (first, second) = match (kind, name.split_once('/')) {
            (DoorKind::Account, Some((service, whose))) => (service, Some(whose)),
            _ => (name, None),
        };
        let parts = [Some(kind.path()), Some(first), second, Some(what)];
        self.request(Method::POST, &parts.into_iter().flatten().collect::<Vec<_>>())
    }

    /// A page of work items.
    pub async fn work_items(&self, list: &WorkItemList) -> ClientResult<Page<WorkItemView>> {
        self.get(&["work-items"], list).await
    }

    /// Creates a work item.
    pub async fn create_work_item(&self, body: &WorkItemBody) -> ClientResult<WorkItemView> {
        Self::send(self.request(Method::POST, &["work-items"]).json(body).timeout(CALL)).await
    }

    /// Where documents of a work item would go. Nothing is made, remembered or filed.
    pub async fn try_rules(&self, body: &DryRunBody) -> ClientResult<DryRunAnswer> {
        Self::send(self.request(Method::POST, &["rules", "dry-run"]).json(body).timeout(PATIENT)).await
    }

    /// Tells where documents of a work item would go.
    pub async fn resolve(&self, body: &ResolveBody) -> ClientResult<ResolveAnswer> {
        Self::send(self.request(Method::POST, &["resolve"]).json(body).timeout(PATIENT)).await
    }

    /// Cover sheets and separators as a PDF.
    pub async fn cover_sheets(&self, body: &SheetsBody) -> ClientResult<Vec<u8>> {
        let request = self.request(Method::POST, &["cover-sheets"]).json(body).timeout(CALL);
        let response = request.send().await.map_err(|error| of_reqwest(&error))?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let pdf = response.bytes().await.map_err(|error| of_reqwest(&error))?;
        if pdf.starts_with(b"%PDF-") {
            Ok(pdf.to_vec())
        } else {
            Err(ClientError::Protocol("it is no PDF".to_owned()))
        }
    }

    /// The workspaces that are remembered for a work item.
    pub async fn bindings(&self, work_item: WorkItemId) -> ClientResult<Bindings> {
        self.get(&["work-items", &work_item.to_string(), "bindings"], &[(); 0]).await
    }

    /// A person says which workspace a work item's documents go to.
    pub async fn bind(
        &self,
        work_item: WorkItemId,
        repository: &RepositoryName,
        body: &BindBody,
    ) -> ClientResult<BindingView> {
        let path = ["work-items", &work_item.to_string(), "bindings", repository.as_str()];
        Self::send(self.request(Method::PUT, &path).json(body).timeout(CALL)).await
    }

    /// Follows the events after a number (from now on when none is given), for ever: it reconnects by itself.
    pub fn events(&self, after: Option<u64>) -> EventStream {
        EventStream::new(self.clone(), after)
    }

    fn open_events(&self, after: Option<u64>) -> RequestBuilder {
        let request = self.request(Method::GET, &["events"]).header(ACCEPT, "text/event-stream");
        match after {
            Some(seq) => request.header("last-event-id", seq.to_string()),
            None => request,
        }
    }
}

/// An error of the transport in one line, without the address (it stands elsewhere on the screen).
fn plain(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn of_reqwest(error: &reqwest::Error) -> ClientError {
    if error.is_builder() {
        ClientError::Setup(plain(error))
    } else if error.is_timeout() {
        ClientError::Unreachable("it does not answer in time".to_owned())
    } else {
        ClientError::Unreachable(plain(error))
    }
}

/// The error behind an answer that is not a success.
async fn refusal(response: Response) -> ClientError {
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED {
        return ClientError::Unauthorized;
    }
    let body = match bytes(response).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => ClientError::Problem(Box::new(problem)),
        Err(_) if matches!(status.as_u16(), 502..=504) => {
            ClientError::Unreachable(format!("something in between answers {status}"))
        }
        Err(_) if status.is_redirection() => {
            ClientError::Protocol(format!("{status}: the address points elsewhere; give the final one"))
        }
        Err(_) => {
            ClientError::Protocol(format!("{status} without a reason; is this the address of Postroom?"))
        }
    }
}

async fn bytes(mut response: Response) -> ClientResult<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| of_reqwest(&error))? {
        if body.len() + chunk.len() > LONGEST {
            return Err(ClientError::Protocol(format!("it is longer than {LONGEST} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn read<T: DeserializeOwned>(response: Response) -> ClientResult<T> {
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let body = bytes(response).await?;
    serde_json::from_slice(&body).map_err(|error| ClientError::Protocol(error.to_string()))
}
