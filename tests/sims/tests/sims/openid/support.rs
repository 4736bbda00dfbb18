//! A provider, and an application that signs people in with it.

use postroom_sims::openid::{Action, Control, ENTRA_APP, Fire, Flaw, Options, Rule, Sim, SimHandle};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::browser::{BACK, Browser, CHALLENGE, Hand, Shown, VERIFIER, client, json, text};

/// Everything an application may ask for.
pub(crate) const SCOPE: &str = "openid profile email offline_access";

pub(crate) struct World {
    pub(crate) sim: SimHandle,
    pub(crate) control: Control,
    pub(crate) hand: Hand,
    pub(crate) http: Client,
    /// Whether the tenant is used instead of the plain provider.
    pub(crate) tenant: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        let hand = Hand::new();
        let sim = Sim::start(Options::sample().with_clock(hand.clock())).unwrap();
        Self { control: sim.control(), sim, hand, http: client(), tenant: false }
    }

    pub(crate) fn issuer(&self) -> String {
        if self.tenant { self.sim.entra_issuer() } else { self.sim.issuer() }
    }

    pub(crate) fn app(&self) -> (&'static str, &'static str) {
        if self.tenant {
            (ENTRA_APP, "postroom-entra-secret")
        } else {
            ("postroom", "postroom-openid-secret")
        }
    }

    pub(crate) async fn discovery(&self) -> Value {
        let address = format!("{}/.well-known/openid-configuration", self.issuer());
        let (status, document) = json(self.http.get(address)).await;
        assert_eq!(status, 200);
        document
    }

    pub(crate) async fn keys(&self) -> Value {
        let address = text(&self.discovery().await["jwks_uri"]);
        json(self.http.get(address)).await.1
    }

    /// The address the browser is sent to; parameters named again in `more` replace the usual ones, and empty ones vanish.
    pub(crate) async fn departure(&self, more: &[(&str, &str)]) -> String {
        let endpoint = text(&self.discovery().await["authorization_endpoint"]);
        let usual = [
            ("response_type", "code"),
            ("client_id", self.app().0),
            ("redirect_uri", BACK),
            ("scope", SCOPE),
            ("state", "st/ate&1"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(key, _)| more.iter().all(|(other, _)| other != key));
        let pairs: Vec<_> = kept.chain(more.iter().copied()).filter(|(_, value)| !value.is_empty()).collect();
        reqwest::Url::parse_with_params(&endpoint, &pairs).unwrap().into()
    }

    pub(crate) async fn arrive(&self, more: &[(&str, &str)]) -> Shown {
        Browser::new(&self.http, self.sim.url()).get(&self.departure(more).await).await
    }

    /// A code for somebody.
    pub(crate) async fn code(&self, person: &str) -> String {
        let arrived = self.arrive(&[("sim_person", person)]).await;
        arrived.parameter("code").unwrap_or_else(|| panic!("no code: {arrived:?}"))
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let endpoint = text(&self.discovery().await["token_endpoint"]);
        json(self.http.post(endpoint).form(form)).await
    }

    /// Redeem a code.
    pub(crate) async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        let (id, secret) = self.app();
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("client_id", id),
            ("client_secret", secret),
        ])
        .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> (StatusCode, Value) {
        let (id, secret) = self.app();
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", id),
            ("client_secret", secret),
        ])
        .await
    }

    /// The tokens of somebody.
    pub(crate) async fn sign_in(&self, person: &str) -> Value {
        let (status, tokens) = self.redeem(&self.code(person).await).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    pub(crate) async fn userinfo(&self, access: &str) -> (StatusCode, Value) {
        let endpoint = text(&self.discovery().await["userinfo_endpoint"]);
        json(self.http.get(endpoint).bearer_auth(access)).await
    }

    /// Get the next call of an operation wrong.
    pub(crate) fn flaw(&self, operation: &str, flaw: Flaw) {
        self.control.add_fault(Rule::on(operation, Action::Flaw { flaw }).fire(Fire::First(1)));
    }
}
