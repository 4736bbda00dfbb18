//! The API as a client sees it: statuses, headers and JSON, nothing hidden.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::upload::Upload;

/// What the server said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null when it is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the check is the point, the answer is read only by some"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The problem's code, empty when the body is no problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A client with one token.
#[derive(Clone)]
pub struct Api {
    base: String,
    token: String,
    http: reqwest::Client,
}

/// Why there is no answer.
pub type NoAnswer = reqwest::Error;

/// A client that knows no proxy and reuses its connections.
pub fn http() -> reqwest::Client {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(2)).build().expect("an HTTP client")
}

impl Api {
    /// A client of a server (`http://host:port`).
    pub fn new(base: &str, token: &str) -> Self {
        Self::over(http(), base, token)
    }

    /// The same over a client that exists.
    pub fn over(http: reqwest::Client, base: &str, token: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), token: token.to_owned(), http }
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The client beneath.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    /// Sends and reads the answer whole.
    pub async fn send(request: reqwest::RequestBuilder) -> Result<Answer, NoAnswer> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let bytes = response.bytes().await?.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body, bytes })
    }

    /// `GET`, where no answer is an answer too.
    pub async fn try_get(&self, path: &str) -> Result<Answer, NoAnswer> {
        Self::send(self.request(Method::GET, path)).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap_or_else(|e| panic!("GET {path}: {e:?}"))
    }

    /// `GET` that must be answered with 200.
    pub async fn ok(&self, path: &str) -> Value {
        self.get(path).await.expect(200).body
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, body, None).await
    }

    /// A call with a JSON body and, where given, `If-Match`.
    pub async fn call(&self, method: Method, path: &str, body: &Value, version: Option<u64>) -> Answer {
        let mut request = self.request(method.clone(), path).json(body);
        if let Some(version) = version {
            request = request.header("If-Match", format!("\"{version}\""));
        }
        Self::send(request).await.unwrap_or_else(|e| panic!("{method} {path}: {e:?}"))
    }

    /// Hands documents in; no answer is an answer too.
    pub async fn try_upload(&self, upload: &Upload) -> Result<Answer, NoAnswer> {
        let mut request =
            self.request(Method::POST, "/api/v1/intakes").header("Content-Type", upload.content_type());
        if let Some(key) = &upload.key {
            request = request.header("Idempotency-Key", key);
        }
        Self::send(request.body(upload.body())).await
    }

    /// Hands documents in.
    pub async fn upload(&self, upload: &Upload) -> Answer {
        self.try_upload(upload).await.unwrap_or_else(|e| panic!("POST /api/v1/intakes: {e:?}"))
    }

    /// One filing with its attempts and events.
    pub async fn filing(&self, id: &str) -> Value {
        self.ok(&format!("/api/v1/filings/{id}")).await
    }

    /// One intake with its filings.
    pub async fn intake(&self, id: &str) -> Value {
        self.ok(&format!("/api/v1/intakes/{id}")).await
    }

    /// A decision over a filing, for the version it has now.
    pub async fn decide(&self, id: &str, decision: &str, body: &Value) -> Answer {
        let version = self.filing(id).await["version"].as_u64();
        self.call(Method::POST, &format!("/api/v1/filings/{id}/{decision}"), body, version).await
    }

    /// All filings a filter finds, page by page.
    pub async fn filings(&self, filter: &str) -> Vec<Value> {
        let filter: String = percent(filter);
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.ok(&format!("/api/v1/filings?limit=500&q={filter}{cursor}")).await;
            all.extend(page["items"].as_array().into_iter().flatten().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={}", percent(next)),
                None => return all,
            }
        }
    }
}

/// A text as a query value.
pub fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
