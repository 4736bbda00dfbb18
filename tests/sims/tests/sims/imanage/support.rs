//! A simulator with a clock moved by hand, and a client signed in to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use postroom_sims::imanage::{Control, Options, Sim, SimHandle, Switches};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

/// Emails of "Harrow v Teal".
pub(crate) const EMAILS: &str = "ACTIVE!3653";

/// The moment every test starts at.
pub(crate) const START: i64 = 1_772_000_000_000;

pub(crate) struct World {
    pub(crate) sim: SimHandle,
    pub(crate) control: Control,
    pub(crate) client: Client,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) token: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Switches)) -> Self {
        // every test asks for it; only the first is heard
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(AtomicI64::new(START));
        let hand = Arc::clone(&clock);
        let mut options = Options::sample().with_clock(move || hand.load(Ordering::Relaxed));
        options.keep_bytes = 4096;
        change(&mut options.switches);
        let sim = Sim::start(options).unwrap();
        let control = sim.control();
        let token = control.issue_token("POSTROOM").unwrap();
        Self { control, client: Client::builder().no_proxy().build().unwrap(), clock, token, sim }
    }

    pub(crate) fn advance(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    /// The same world seen by another user.
    pub(crate) fn become_user(&mut self, user: &str) {
        self.token = self.control.issue_token(user).unwrap();
    }

    pub(crate) fn library(&self, rest: &str) -> String {
        format!("{}/work/api/v2/customers/1/libraries/ACTIVE/{rest}", self.sim.url())
    }

    pub(crate) async fn get(&self, rest: &str) -> (StatusCode, Value) {
        body(self.client.get(self.library(rest)).header("X-Auth-Token", &self.token).send().await.unwrap())
            .await
    }

    pub(crate) async fn post(&self, rest: &str, json: Value) -> (StatusCode, Value) {
        let request = self.client.post(self.library(rest)).header("X-Auth-Token", &self.token).json(&json);
        body(request.send().await.unwrap()).await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.sim.url());
        body(self.client.post(url).form(fields).send().await.unwrap()).await
    }

    pub(crate) async fn send(&self, folder: &str, form: Form) -> reqwest::Result<Response> {
        let url = self.library(&format!("folders/{folder}/documents"));
        self.client.post(url).header("X-Auth-Token", &self.token).multipart(form).send().await
    }

    /// Upload a small text with a mark in its comment.
    pub(crate) async fn file(&self, mark: &str) -> (StatusCode, Value) {
        body(self.send(EMAILS, upload(mark, b"hello")).await.unwrap()).await
    }
}

pub(crate) async fn body(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
}

pub(crate) fn profile(mark: &str) -> Value {
    json!({
        "warnings_for_required_and_disabled_fields": true, "inherit_profile_from_folder": true,
        "doc_profile": { "name": format!("Letter {mark}"), "extension": "txt", "comment": mark },
    })
}

pub(crate) fn upload(mark: &str, bytes: &[u8]) -> Form {
    parts(&profile(mark), bytes)
}

pub(crate) fn parts(profile: &Value, bytes: &[u8]) -> Form {
    let profile = Part::text(profile.to_string()).mime_str("application/json").unwrap();
    Form::new().part("profile", profile).part("file", Part::bytes(bytes.to_vec()).file_name("a.txt"))
}
