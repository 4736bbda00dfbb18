//! A browser that clicks, and a clock moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::Value;

/// The moment every test starts at.
pub(crate) const START: i64 = 1_772_000_000_000;
/// Where applications are sent back to.
pub(crate) const BACK: &str = "http://localhost:9/auth/callback";
/// A verifier and the challenge that belongs to it (RFC 7636 appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// See [`VERIFIER`].
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A clock moved by hand.
#[derive(Clone)]
pub(crate) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub(crate) fn clock(&self) -> impl Fn() -> i64 + Send + Sync + 'static {
        let hand = self.clone();
        move || hand.0.load(Ordering::Relaxed)
    }

    pub(crate) fn minutes(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60_000, Ordering::Relaxed);
    }
}

/// A browser that follows nothing and keeps one cookie.
pub(crate) struct Browser {
    client: Client,
    base: String,
    cookie: String,
}

/// What it shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Page(u16, String),
    /// Sent away, with the address.
    Away(String),
}

impl Shown {
    /// A parameter of the address it was sent to.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let Self::Away(address) = self else { return None };
        let address = reqwest::Url::parse(address).unwrap();
        address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn page(&self) -> &str {
        let Self::Page(_, page) = self else { panic!("no page: {self:?}") };
        page
    }
}

impl Browser {
    /// `client` is one made by [`client`].
    pub(crate) fn new(client: &Client, base: &str) -> Self {
        Self { client: client.clone(), base: origin(base), cookie: String::new() }
    }

    pub(crate) async fn get(&mut self, address: &str) -> Shown {
        let request = self.client.get(address).header("Cookie", &self.cookie);
        self.show(request.send().await.unwrap()).await
    }

    /// Click a button of the form on the page.
    pub(crate) async fn click(&mut self, page: &str, name: &str, value: &str) -> Shown {
        assert!(page.contains(&format!("name=\"{name}\" value=\"{value}\"")), "no such button: {page}");
        let action = page.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        let request = self.client.post(format!("{}{action}", self.base)).header("Cookie", &self.cookie);
        self.show(request.form(&[(name, value)]).send().await.unwrap()).await
    }

    async fn show(&mut self, answer: reqwest::Response) -> Shown {
        if let Some(cookie) = answer.headers().get("set-cookie") {
            cookie.to_str().unwrap().split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        if let Some(to) = answer.headers().get("location") {
            return Shown::Away(to.to_str().unwrap().to_owned());
        }
        Shown::Page(answer.status().as_u16(), answer.text().await.unwrap())
    }
}

pub(crate) fn client() -> Client {
    // every test asks for it; only the first is heard
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

fn origin(base: &str) -> String {
    base.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// Status and JSON of an answer.
pub(crate) async fn json(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
