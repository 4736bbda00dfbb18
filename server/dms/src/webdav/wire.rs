//! Calls to the server: addresses, sign-in, verbs, and the answers' statuses.

use std::path::PathBuf;

use base64ct::{Base64, Encoding};
use futures_util::StreamExt;
use postroom_domain::cause::{Cause, Sent, Symptom};
use postroom_domain::dms::{DmsError, DmsResult, Trouble};
use postroom_outbound::{Answer, Call, Document, Method, Outbound, Reply, SecretString, expose, read_secret};
use tokio::sync::RwLock;
use url::Url;

use super::errors;
use super::multistatus::{self, Entry, OURS};
use super::settings::{Auth, Destination, Settings, SetupError};

/// Hops of a listing on the same host: servers send to the address with a slash at its end.
const MOST_HOPS: usize = 3;
/// Our own small files; what is larger is not ours.
const LARGEST_FILE: usize = 1024 * 1024;

/// What is asked about a resource. Everything in one call: the calls are what costs.
const PROPS: &str = "<resourcetype/><getcontentlength/><getetag/><getlastmodified/><quota-available-bytes/>\
    <lockdiscovery/><P:mark/><P:sidecar/>";

/// How far a listing goes. All of a tree is never asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Itself,
    Children,
}

/// Whether a target that is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Nothing,
    Anything,
}

/// Where a resource is: its names from the root of the workspaces downwards.
pub(super) type Names<'a> = [&'a str];

enum SignIn {
    Nothing,
    Header(SecretString),
    File { file: PathBuf, header: RwLock<SecretString> },
}

/// The server.
pub(super) struct Wire {
    pub(super) http: Outbound,
    /// The collection that holds the workspaces; its path ends in a slash.
    root: Url,
    sign_in: SignIn,
    destination: Destination,
    largest_listing: usize,
}

pub(super) fn verb(name: &'static str) -> Method {
    // Every name is a token, so none is refused; OPTIONS would do no harm.
    Method::from_bytes(name.as_bytes()).unwrap_or(Method::OPTIONS)
}

fn bearer(token: &SecretString) -> SecretString {
    SecretString::from(format!("Bearer {}", expose(token)))
}

impl Wire {
    pub(super) fn new(name: &str, settings: &Settings) -> Result<Self, SetupError> {
        // One account is all that a WebDAV destination has.
        let http = Outbound::new(name, &settings.base_url, &settings.connection)?.for_account("");
        let mut root = settings.base_url.clone();
        if let Ok(mut path) = root.path_segments_mut() {
            path.pop_if_empty().extend(settings.workspace_path()).push("");
        }
        let sign_in = match &settings.auth {
            Auth::None => SignIn::Nothing,
            Auth::Basic { username, password, password_file } => {
                let password = read_secret("password", password.as_ref(), password_file.as_deref())?;
                if username.contains(':') {
                    let value = username.clone();
                    return Err(SetupError::Value { key: "auth.username", value, wanted: "holds a colon" });
                }
                let text = format!("{username}:{}", expose(&password));
                SignIn::Header(SecretString::from(format!(
                    "Basic {}",
                    Base64::encode_string(text.as_bytes())
                )))
            }
            Auth::Bearer { token_file } => {
                let token = read_secret("token", None, Some(token_file))?;
                SignIn::File { file: token_file.clone(), header: RwLock::new(bearer(&token)) }
            }
        };
        let (destination, largest_listing) = (settings.destination, settings.largest_listing_bytes);
        Ok(Self { http, root, sign_in, destination, largest_listing })
    }

    /// The address of a resource; names are encoded, so that none leads elsewhere.
    pub(super) fn url(&self, names: &Names<'_>) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(names);
        }
        url
    }

    /// The address of a collection.
    pub(super) fn collection(&self, names: &Names<'_>) -> Url {
        let mut url = self.url(names);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("");
        }
        url
    }

    /// An address as headers carry it.
    pub(super) fn target(&self, url: &Url) -> String {
        match self.destination {
            Destination::Absolute => url.to_string(),
            Destination::Path => url.path().to_owned(),
        }
    }

    async fn signed<'c>(&self, call: Call<'c>) -> Call<'c> {
        match &self.sign_in {
            SignIn::Nothing => call,
            SignIn::Header(header) => call.secret_header("authorization", header),
            SignIn::File { header, .. } => call.secret_header("authorization", &*header.read().await),
        }
    }

    /// Reads a token that somebody renewed. Whether it is another one than before.
    async fn renewed(&self) -> bool {
        let SignIn::File { file, header } = &self.sign_in else { return false };
        let file = file.clone();
        let read = tokio::task::spawn_blocking(move || read_secret("token", None, Some(&file))).await;
        let Ok(Ok(token)) = read else { return false };
        let new = bearer(&token);
        let mut header = header.write().await;
        let other = expose(&header) != expose(&new);
        *header = new;
        other
    }

    /// A call without a document. A token that is refused is read again once.
    async fn open(
        &self,
        operation: &'static str,
        method: Method,
        mut url: Url,
        headers: &[(&'static str, &str)],
        xml: Option<&str>,
    ) -> DmsResult<Answer> {
        let (mut renewed, mut hops) = (false, 0);
        loop {
            let mut call =
                self.http.call(operation, method.clone(), url.clone()).expecting(ordinary(operation));
            for (name, value) in headers {
                call = call.header(name, value);
            }
            if let Some(xml) = xml {
                call = call.text("application/xml; charset=utf-8", xml);
            }
            let answer = self.signed(call).await.send().await?;
            if answer.status() == 401 && !renewed && self.renewed().await {
                renewed = true;
                continue;
            }
            if operation == "propfind"
                && hops < MOST_HOPS
                && let Some(next) = moved(&answer, &url)
            {
                hops += 1;
                url = next;
                continue;
            }
            return Ok(answer);
        }
    }

    pub(super) async fn ask(
        &self,
        operation: &'static str,
        method: Method,
        url: Url,
        headers: &[(&'static str, &str)],
        xml: Option<&str>,
    ) -> DmsResult<Reply> {
        Ok(self.open(operation, method, url, headers, xml).await?.read().await?)
    }

    /// What the server tells of a resource or of what is directly in it; none when it is not there.
    pub(super) async fn list(&self, url: Url, depth: Depth) -> DmsResult<Option<Vec<Entry>>> {
        let xml = format!(
            r#"<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:" xmlns:P="{OURS}"><prop>{PROPS}</prop></propfind>"#
        );
        let depth = if depth == Depth::Itself { "0" } else { "1" };
        let doing = format!("listing {}", url.path());
        let answer = self.open("propfind", verb("PROPFIND"), url, &[("depth", depth)], Some(&xml)).await?;
        match answer.status() {
            207 => {}
            404 | 410 => return Ok(None),
            200..=299 => {
                let symptom = if answer.says_html() { Symptom::WebPage } else { Symptom::UnreadableSuccess };
                let detail = format!("{doing}: status {} where 207 was expected", answer.status());
                return Err(DmsError::from_symptom(symptom, Sent::Nothing, detail));
            }
            _ => return Err(errors::shape(&answer.read().await?, &doing)),
        }
        let body = self.whole(answer, &doing, self.largest_listing).await?;
        match multistatus::read(&body) {
            Ok(entries) => Ok(Some(entries)),
            Err(e) => {
                let detail = format!("{doing}: status 207, but {e}");
                Err(DmsError::from_symptom(Symptom::UnreadableSuccess, Sent::Nothing, detail))
            }
        }
    }

    /// Reads an answer with a bound of our own.
    async fn whole(&self, answer: Answer, doing: &str, limit: usize) -> DmsResult<Vec<u8>> {
        let failed =
            |symptom, why: String| DmsError::from_symptom(symptom, Sent::Nothing, format!("{doing}: {why}"));
        let (mut body, length, mut stream) = (Vec::new(), answer.length(), answer.stream());
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|e| failed(Symptom::Reset, format!("the answer broke off: {e}")))?;
            if body.len() + chunk.len() > limit {
                let why = format!("the answer has more than {limit} bytes");
                let trouble =
                    Trouble::new(Cause::Misconfigured, format!("{doing}: {why} (largest_listing_bytes)"));
                return Err(DmsError::from_trouble(trouble));
            }
            body.extend_from_slice(&chunk);
        }
        if length.is_some_and(|length| length != body.len() as u64) {
            return Err(failed(Symptom::Reset, "the answer ended early".to_owned()));
        }
        Ok(body)
    }

    /// One of our own small files; none when it is not there.
    pub(super) async fn file(&self, names: &Names<'_>) -> DmsResult<Option<Vec<u8>>> {
        let url = self.url(names);
        let doing = format!("reading {}", url.path());
        let answer = self.open("read", Method::GET, url, &[], None).await?;
        match answer.status() {
            200 if answer.says_html() => {
                let detail = format!("{doing}: a web page instead of the file");
                Err(DmsError::from_symptom(Symptom::WebPage, Sent::Nothing, detail))
            }
            200 => self.whole(answer, &doing, LARGEST_FILE).await.map(Some),
            404 | 410 => Ok(None),
            _ => Err(errors::shape(&answer.read().await?, &doing)),
        }
    }

    /// Opens a document to read.
    pub(super) async fn content(&self, names: &Names<'_>) -> DmsResult<Answer> {
        self.open("download", Method::GET, self.url(names), &[("accept", "*/*")], None).await
    }

    /// Puts a small file of our own, over one that is there.
    pub(super) async fn write(&self, names: &Names<'_>, text: &[u8]) -> DmsResult<()> {
        let url = self.url(names);
        let doing = format!("writing {}", url.path());
        let text = String::from_utf8_lossy(text).into_owned();
        let call = self.http.call("write", Method::PUT, url).text("application/json", text);
        let reply = self.signed(call).await.fetch().await?;
        done(&reply, &doing)
    }

    /// Puts a document's bytes.
    pub(super) async fn put(&self, names: &Names<'_>, document: Document) -> DmsResult<Reply> {
        let call = self.http.call("upload", Method::PUT, self.url(names)).plain(document);
        Ok(self.signed(call).await.fetch().await?)
    }

    /// Makes a collection. Whether it was made: a server may also say so of one that is there.
    pub(super) async fn make(&self, names: &Names<'_>) -> DmsResult<Reply> {
        self.ask("mkcol", verb("MKCOL"), self.collection(names), &[], None).await
    }

    /// Removes a document or collection; a missing one is as good as removed.
    ///
    /// That the server removes things at all was tried out before, so a 405 is a fault that passes: Go's WebDAV library, and rclone with it,
    /// gives that answer to whatever goes wrong in removing, as when an upload that broke off still has its file open (known:
    /// `handleDelete` in golang.org/x/net/webdav).
    pub(super) async fn remove(&self, names: &Names<'_>, collection: bool) -> DmsResult<()> {
        let url = if collection { self.collection(names) } else { self.url(names) };
        let doing = format!("removing {}", url.path());
        let reply = self.ask("delete", Method::DELETE, url, &[], None).await?;
        match reply.status {
            404 | 410 => Ok(()),
            405 => {
                let trouble = Trouble::new(Cause::ServerFault, format!("{doing}: status 405"));
                Err(DmsError::from_trouble(Trouble { status: Some(405), ..trouble }))
            }
            _ => done(&reply, &doing),
        }
    }

    /// Moves or copies inside the server; what came of it is the caller's to read.
    pub(super) async fn transfer(
        &self,
        operation: &'static str,
        from: &Names<'_>,
        to: &Names<'_>,
        over: Over,
        condition: Option<&str>,
    ) -> DmsResult<Reply> {
        let target = self.target(&self.url(to));
        let overwrite = if over == Over::Nothing { "F" } else { "T" };
        let mut headers = vec![("destination", target.as_str()), ("overwrite", overwrite)];
        headers.extend(condition.map(|condition| ("if", condition)));
        let method = if operation == "move" { verb("MOVE") } else { verb("COPY") };
        self.ask(operation, method, self.url(from), &headers, None).await
    }

    /// Sets properties of our own. Whether the server says that it keeps them.
    pub(super) async fn set(
        &self,
        names: &Names<'_>,
        values: &[(&str, &str)],
        condition: Option<&str>,
    ) -> DmsResult<bool> {
        let element = |(name, value): &(&str, &str)| {
            format!("<P:{name}>{}</P:{name}>", quick_xml::escape::escape(*value))
        };
        let props = values.iter().map(element).collect::<Vec<_>>().concat();
        let xml = format!(
            r#"<?xml version="1.0" encoding="utf-8"?><propertyupdate xmlns="DAV:" xmlns:P="{OURS}"><set><prop>{props}</prop></set></propertyupdate>"#
        );
        let url = self.url(names);
        let doing = format!("setting properties of {}", url.path());
        let headers: Vec<_> = condition.map(|condition| ("if", condition)).into_iter().collect();
        let reply = self.ask("proppatch", verb("PROPPATCH"), url, &headers, Some(&xml)).await?;
        match reply.status {
            207 => {
                let entries = multistatus::read(&reply.body).map_err(|e| {
                    let detail = format!("{doing}: status 207, but {e}");
                    DmsError::from_symptom(Symptom::UnreadableSuccess, Sent::Nothing, detail)
                })?;
                let inner: Vec<u16> = entries
                    .iter()
                    .flat_map(|e| e.refused.iter().copied().chain(e.status))
                    .filter(|s| *s >= 300)
                    .collect();
                // A server in trouble has not said that it keeps no properties.
                match inner.iter().find(|status| matches!(**status, 423 | 424 | 429 | 500 | 502..=599)) {
                    Some(status) if *status != 424 || inner.iter().all(|s| *s == 424) => {
                        Err(errors::by_status(*status, &doing))
                    }
                    _ => Ok(inner.is_empty()),
                }
            }
            200 | 204 if !reply.is_web_page() => Ok(true),
            403 | 405 | 409 | 415 | 422 | 501 => Ok(false),
            _ => Err(errors::shape(&reply, &doing)),
        }
    }
}

/// Refusals that are nothing but the answer to what was asked.
fn ordinary(operation: &str) -> &'static [u16] {
    match operation {
        // Is it there?
        "propfind" | "read" | "delete" => &[404, 410],
        // It is there already, or what it belongs into is not yet.
        "mkcol" => &[405, 409],
        // The name is taken.
        "move" | "copy" => &[412],
        // The server has no locks, or somebody else has this one.
        "lock" => &[405, 409, 423, 501],
        _ => &[],
    }
}

/// Whether a call that changes something was done: a success that is not a page to sign in at. Servers do answer 201 and 204 with pages.
pub(super) fn done(reply: &Reply, doing: &str) -> DmsResult<()> {
    match reply.status {
        200 if reply.is_web_page() => {
            let detail = format!("{doing}: status 200 with a web page");
            Err(DmsError::from_symptom(Symptom::WebPage, Sent::Nothing, detail))
        }
        200 | 201 | 204 => Ok(()),
        207 => Err(errors::inner(reply, doing)),
        _ => Err(errors::shape(reply, doing)),
    }
}

/// Where a listing goes on, if that is on the same host.
fn moved(answer: &Answer, from: &Url) -> Option<Url> {
    if !matches!(answer.status(), 301 | 302 | 307 | 308) {
        return None;
    }
    let to = from.join(answer.header("location")?).ok()?;
    let same =
        to.origin() == from.origin() && to.path().trim_end_matches('/') == from.path().trim_end_matches('/');
    same.then_some(to)
}
