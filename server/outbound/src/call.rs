//! One destination, and one call to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use metrics::{counter, histogram};
use postroom_domain::cause::{Sent, Symptom};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, warn};
use url::Url;

use crate::answer::{Answer, Reply, word};
use crate::failure::{Failure, chain, symptom};
use crate::pace::{Pace, Slot, TooLong, Word};
use crate::sending::{Document, Field, Progress, closed, watched};
use crate::settings::{Limits, Settings, SetupError};
use crate::shown::Shown;

/// Most redirects on one host that a GET follows.
const MOST_HOPS: usize = 5;

/// The client of one destination.
#[derive(Clone)]
pub struct Outbound {
    service: Arc<str>,
    base: Url,
    client: reqwest::Client,
    limits: Limits,
    /// All accounts together.
    parallel: Arc<Semaphore>,
    /// The paces of the accounts that call.
    paces: Arc<Mutex<HashMap<String, Weak<Pace>>>>,
    /// The account's own; none for calls of nobody's account, such as those of a sign-in.
    pace: Option<Arc<Pace>>,
}

impl Outbound {
    /// A client for a destination. `service` is the name that logs carry; no call leaves the host of `base`.
    pub fn new(service: &str, base: &Url, settings: &Settings) -> Result<Self, SetupError> {
        let limits = settings.limits()?;
        Ok(Self {
            service: service.into(),
            client: settings.client(base, &limits)?,
            base: base.clone(),
            limits,
            parallel: Arc::new(Semaphore::new(settings.parallel)),
            paces: Arc::default(),
            pace: None,
        })
    }

    /// The same client with the pace of one account: its own rate, its own number of calls at once, its own pauses. What the server
    /// asks of one account holds up no other; together they are still no more than the destination's `parallel`. Handles with
    /// the same key share one pace. The key shows nowhere.
    #[must_use]
    pub fn for_account(&self, key: &str) -> Self {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces.get(key).and_then(Weak::upgrade).unwrap_or_else(|| {
            paces.retain(|_, pace| pace.strong_count() > 0);
            let pace = Pace::new(self.limits.parallel, self.limits.pace);
            paces.insert(key.to_owned(), Arc::downgrade(&pace));
            pace
        });
        drop(paces);
        Self { pace: Some(pace), ..self.clone() }
    }

    /// The destination's address.
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// Begins a call. `operation` is its name in logs.
    pub fn call(&self, operation: &'static str, method: Method, url: Url) -> Call<'_> {
        Call {
            outbound: self,
            operation,
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::None,
            refused: None,
            expected: &[],
        }
    }

    /// Begins a GET.
    pub fn get(&self, operation: &'static str, url: Url) -> Call<'_> {
        self.call(operation, Method::GET, url)
    }

    /// Begins a POST.
    pub fn post(&self, operation: &'static str, url: Url) -> Call<'_> {
        self.call(operation, Method::POST, url)
    }
}

enum Body {
    None,
    Ready(reqwest::Body),
    Document { parts: Vec<(&'static str, String)>, document: Document },
    Fields { fields: Vec<Field>, document: Option<Document> },
    Plain(Document),
}

impl Outbound {
    /// Waits until the call may be sent, as long as a wait may be. The account's own wait comes first: who is held up by its own
    /// account takes no place from others.
    async fn leave(
        &self,
        operation: &'static str,
        begun: Instant,
    ) -> Result<(Option<Slot>, OwnedSemaphorePermit), Failure> {
        let by = begun + self.limits.wait;
        let slot = match &self.pace {
            None => None,
            Some(pace) => Some(pace.enter(by).await.map_err(|wait| self.refuse(operation, wait))?),
        };
        let full = |_| self.refuse(operation, TooLong { until: None, why: "other calls take all places" });
        let permit = timeout_at(by, Arc::clone(&self.parallel).acquire_owned()).await.map_err(full)?;
        let permit = permit.map_err(|_| Failure::NotAllowed("the client is closed".to_owned()))?;
        let waited = begun.elapsed();
        if !waited.is_zero() {
            histogram!("postroom_outbound_wait_seconds", "service" => self.service.to_string())
                .record(waited.as_secs_f64());
        }
        Ok((slot, permit))
    }

    fn refuse(&self, operation: &'static str, TooLong { until, why }: TooLong) -> Failure {
        counter!("postroom_outbound_not_sent_total", "service" => self.service.to_string()).increment(1);
        warn!(dms.service = %self.service, dms.operation = operation, wait = ?until, why,
            "A call was not sent: its account has to wait for longer than a call may.");
        Failure::Throttled { until, detail: format!("{operation}: not sent, the wait is too long: {why}") }
    }

    fn learn(&self, slot: Slot, word: Word) {
        if let Word::TooMany(wait) = word {
            counter!("postroom_outbound_throttled_total", "service" => self.service.to_string()).increment(1);
            let halved = slot.learn(word);
            let seconds = wait.map(|wait| wait.as_secs());
            let limit = self.pace.as_ref().map(|pace| pace.limit());
            warn!(dms.service = %self.service, wait_seconds = seconds, limit, halved,
                "The DMS says that an account calls too often.");
        } else {
            slot.learn(word);
        }
    }
}

/// A call that is being put together.
#[must_use = "a call does nothing until it is sent"]
pub struct Call<'o> {
    outbound: &'o Outbound,
    operation: &'static str,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body,
    refused: Option<String>,
    expected: &'static [u16],
}

impl Call<'_> {
    /// Says which refusals are ordinary answers to this call, such as 404 where it is asked whether something is there. They are no
    /// warnings in the log.
    pub const fn expecting(mut self, statuses: &'static [u16]) -> Self {
        self.expected = statuses;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => drop(self.headers.insert(HeaderName::from_static(name), value)),
            Err(_) => {
                self.refused = Some(format!("{name} cannot be sent: its value holds line ends or the like"));
            }
        }
        self
    }

    /// Adds a header whose value never shows.
    pub fn secret_header(self, name: &'static str, value: &SecretString) -> Self {
        self.secret_text_header(name, value.expose_secret())
    }

    /// Adds `Authorization: Bearer …`.
    pub fn bearer(self, token: &SecretString) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        self.secret_text_header("authorization", value.expose_secret())
    }

    fn secret_text_header(mut self, name: &'static str, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(HeaderName::from_static(name), value);
            }
            Err(_) => {
                self.refused = Some(format!("{name} cannot be sent: the token holds line ends or the like"));
            }
        }
        self
    }

    /// A body of JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(text) => self.body = Body::Ready(text.into()),
            Err(e) => self.refused = Some(format!("the request cannot be written as JSON: {e}")),
        }
        self.header("content-type", "application/json")
    }

    /// A body as forms send it.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body = Body::Ready(text.into());
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// A body of text, such as XML.
    pub fn text(mut self, media_type: &str, text: impl Into<String>) -> Self {
        self.body = Body::Ready(text.into().into());
        self.header("content-type", media_type)
    }

    /// The document alone as the body, streamed with its length known. Its field and file name are not sent.
    pub fn plain(mut self, document: Document) -> Self {
        self.body = Body::Plain(document);
        self
    }

    /// A multipart body of form fields and, after them, a document, streamed with its length known.
    pub fn fields(mut self, fields: Vec<Field>, document: Option<Document>) -> Self {
        self.body = Body::Fields { fields, document };
        self
    }

    /// A multipart body: JSON parts first, then the document, streamed with its length known.
    pub fn document(mut self, parts: Vec<(&'static str, String)>, document: Document) -> Self {
        self.body = Body::Document { parts, document };
        self
    }

    /// Sends the call and reads the answer.
    pub async fn fetch(self) -> Result<Reply, Failure> {
        self.send().await?.read().await
    }

    /// Sends the call; the answer's body is still to come.
    pub async fn send(mut self) -> Result<Answer, Failure> {
        if let Some(why) = self.refused.take() {
            return Err(Failure::NotAllowed(why));
        }
        let Self { outbound, operation, .. } = self;
        self.within(&outbound.base)?;
        let begun = Instant::now();
        let (mut slot, permit) = outbound.leave(operation, begun).await?;
        let mut hops = 0;
        loop {
            self.within(&outbound.base)?;
            let (method, url) = (self.method.clone(), self.url.clone());
            let (answer, progress, deadline) = self.once().await;
            let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let path = url.path();
            let response = match answer {
                Ok(response) => response,
                Err(failure) => {
                    warn!(dms.service = %outbound.service, dms.operation = operation, http.method = %method,
                        http.path = path, http.ms = ms, error = %failure, "A call to the DMS got no answer.");
                    return Err(failure);
                }
            };
            let status = response.status();
            if let Some(slot) = slot.take() {
                outbound.learn(slot, word(status.as_u16(), response.headers()));
            }
            let request =
                response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or("");
            let refused = status.is_client_error() || status.is_server_error();
            if refused && !self.expected.contains(&status.as_u16()) {
                warn!(dms.service = %outbound.service, dms.operation = operation, http.method = %method,
                    http.path = path, http.status = status.as_u16(), http.ms = ms, http.request_id = request,
                    "The DMS refused a call.");
            } else {
                debug!(dms.service = %outbound.service, dms.operation = operation, http.method = %method,
                    http.path = path, http.status = status.as_u16(), http.ms = ms, http.request_id = request,
                    "The DMS answered a call.");
            }
            if method == Method::GET
                && hops < MOST_HOPS
                && let Some(next) = redirect(&response, &url)
            {
                hops += 1;
                self.url = next;
                continue;
            }
            return Ok(Answer { response, operation, progress, limits: outbound.limits, deadline, permit });
        }
    }

    /// Tokens and documents go nowhere else.
    fn within(&self, base: &Url) -> Result<(), Failure> {
        if self.url.origin() == base.origin() {
            return Ok(());
        }
        let detail = format!("{} is not on {}, so nothing is sent there", Shown(&self.url), Shown(base));
        Err(Failure::NotAllowed(detail))
    }

    async fn once(&mut self) -> (Result<reqwest::Response, Failure>, Arc<Progress>, Instant) {
        let mut request = self.outbound.client.request(self.method.clone(), self.url.clone());
        request = request.headers(self.headers.clone());
        let mut size = 0;
        let progress = match std::mem::replace(&mut self.body, Body::None) {
            Body::None => Progress::new(None),
            Body::Ready(body) => {
                request = request.body(body);
                Progress::new(None)
            }
            Body::Document { parts, document } => {
                size = document.size;
                let progress = Progress::new(Some((document.gauge.clone(), size)));
                request = request.multipart(multipart(parts, document, &progress));
                progress
            }
            Body::Fields { fields, document } => {
                let (form, progress) = form_of(fields, document, &mut size);
                request = request.multipart(form);
                progress
            }
            Body::Plain(document) => {
                size = document.size;
                let progress = Progress::new(Some((document.gauge.clone(), size)));
                match plain(request, document, &progress).await {
                    Ok(ready) => request = ready,
                    Err(failure) => return (Err(failure), progress, Instant::now()),
                }
                progress
            }
        };
        let limits = self.outbound.limits;
        let deadline = Instant::now() + limits.total(size);
        let result = tokio::select! {
            // A real answer counts even when time has just run out.
            biased;
            answer = request.send() => answer.map_err(|e| self.shape(e, &progress)),
            why = expiry(&progress, &limits, deadline) => Err(Failure::Symptom {
                symptom: Symptom::TimedOut,
                sent: progress.sent(),
                detail: format!("{}: {why}", self.operation),
            }),
        };
        (result, progress, deadline)
    }

    fn shape(&self, error: reqwest::Error, progress: &Progress) -> Failure {
        if let Some(why) = progress.broken() {
            return Failure::Content(why);
        }
        if error.is_builder() {
            return Failure::NotAllowed(format!("{}: {}", self.operation, chain(&error.without_url())));
        }
        let symptom = symptom(&error);
        let sent = match symptom {
            // Without a connection not one byte went out, whatever was waiting in buffers.
            Symptom::NoConnection | Symptom::BadCertificate => Sent::Nothing,
            _ => progress.sent(),
        };
        Failure::Symptom {
            symptom,
            sent,
            detail: format!("{}: {}", self.operation, chain(&error.without_url())),
        }
    }
}

/// The document as the whole body. Its end is read before its last bytes are given away: with the length known a connection asks for
/// no more than that, and would never hear that the stored bytes turned out to be damaged.
async fn plain(
    request: reqwest::RequestBuilder,
    document: Document,
    progress: &Arc<Progress>,
) -> Result<reqwest::RequestBuilder, Failure> {
    let Document { media_type, size, stream, gauge, .. } = document;
    let media_type = HeaderValue::from_str(&media_type);
    let media_type = media_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut stream = Box::pin(closed(watched(stream, size, gauge, Arc::clone(progress)), size));
    let body = if size == 0 {
        // Nobody asks for the first piece of a body without length.
        if let Some(Err(e)) = stream.next().await {
            return Err(Failure::Content(e.to_string()));
        }
        reqwest::Body::from("")
    } else {
        reqwest::Body::wrap_stream(stream)
    };
    let headers =
        HeaderMap::from_iter([(CONTENT_TYPE, media_type), (CONTENT_LENGTH, HeaderValue::from(size))]);
    Ok(request.headers(headers).body(body))
}

/// A form of fields, and perhaps a document.
fn form_of(
    fields: Vec<Field>,
    document: Option<Document>,
    size: &mut u64,
) -> (reqwest::multipart::Form, Arc<Progress>) {
    let mut form = reqwest::multipart::Form::new();
    for Field { name, value, is_json } in fields {
        let part = reqwest::multipart::Part::text(value.clone());
        let part = if is_json { part.mime_str("application/json").ok() } else { Some(part) };
        form = form.part(name, part.unwrap_or_else(|| reqwest::multipart::Part::text(value)));
    }
    let Some(document) = document else { return (form, Progress::new(None)) };
    *size = document.size;
    let progress = Progress::new(Some((document.gauge.clone(), document.size)));
    (with_document(form, document, &progress), progress)
}

fn multipart(
    parts: Vec<(&'static str, String)>,
    document: Document,
    progress: &Arc<Progress>,
) -> reqwest::multipart::Form {
    let mut form = reqwest::multipart::Form::new();
    for (name, json) in parts {
        let part = reqwest::multipart::Part::text(json.clone());
        // The type is a constant that parses; the other arm only spares an unwrap.
        let part = part.mime_str("application/json").unwrap_or_else(|_| reqwest::multipart::Part::text(json));
        form = form.part(name, part);
    }
    with_document(form, document, progress)
}

fn with_document(
    form: reqwest::multipart::Form,
    document: Document,
    progress: &Arc<Progress>,
) -> reqwest::multipart::Form {
    let Document { field, file_name, media_type, size, stream, gauge } = document;
    // A type that cannot be sent would be noticed only after the stream is gone, so it is tried on an empty part.
    let sendable = reqwest::multipart::Part::text("").mime_str(&media_type).is_ok();
    let media_type = if sendable { media_type.as_str() } else { "application/octet-stream" };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(media_type) {
        headers.insert(reqwest::header::CONTENT_TYPE, value);
    }
    let body = reqwest::Body::wrap_stream(watched(stream, size, gauge, Arc::clone(progress)));
    let part = reqwest::multipart::Part::stream_with_length(body, size).file_name(file_name).headers(headers);
    form.part(field, part)
}

/// Ends when time has run out, and says which time.
async fn expiry(progress: &Progress, limits: &Limits, deadline: Instant) -> &'static str {
    loop {
        let (moved, all_out) = progress.last();
        let limit = if all_out { limits.first_byte } else { limits.idle };
        // Before anything has moved, the time to connect runs, which has a limit of its own.
        let next = moved + limit + if progress.has_moved() { Duration::ZERO } else { limits.connect };
        let now = Instant::now();
        if now >= deadline {
            return "the whole call took too long";
        }
        if now >= next {
            return if all_out { "no answer came" } else { "sending stood still" };
        }
        sleep_until(next.min(deadline).min(now + limit)).await;
    }
}

/// Where a GET goes on, if that is on the same host.
fn redirect(response: &reqwest::Response, from: &Url) -> Option<Url> {
    let moved = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !moved.contains(&response.status()) {
        return None;
    }
    let to = from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
    (to.origin() == from.origin()).then_some(to)
}
