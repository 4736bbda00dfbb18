//! A server, and an application that asks it.

use postroom_sims::graph::{APP, Control, Options, SECRET, Sim, SimHandle, TENANT};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::browser::{Hand, client, text};

pub(crate) const POST: &str = "post@firm.example";

pub(crate) struct World {
    pub(crate) sim: SimHandle,
    pub(crate) control: Control,
    pub(crate) hand: Hand,
    pub(crate) http: Client,
    pub(crate) token: String,
}

/// A message of that subject.
pub(crate) fn mime(subject: &str) -> Vec<u8> {
    format!("Subject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\nhello\r\n").into_bytes()
}

/// The path of a message.
pub(crate) fn at(item: &str) -> String {
    format!("users/{POST}/messages/{}", item.replace('%', "%25").replace('/', "%2F"))
}

impl World {
    pub(crate) async fn new() -> Self {
        let hand = Hand::new();
        let sim = Sim::start(Options::sample().with_clock(hand.clock())).unwrap();
        let mut this = Self { control: sim.control(), sim, hand, http: client(), token: String::new() };
        let (status, tokens) = this.ask_token(TENANT, APP, SECRET, None).await;
        assert_eq!((status, &tokens["token_type"]), (200, &json!("Bearer")), "{tokens}");
        assert!(tokens["refresh_token"].is_null());
        this.token = text(&tokens["access_token"]);
        this
    }

    pub(crate) async fn ask_token(
        &self,
        tenant: &str,
        id: &str,
        secret: &str,
        scope: Option<&str>,
    ) -> (u16, Value) {
        let usual = format!("{}/.default", self.sim.url());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
            ("scope", scope.unwrap_or(&usual)),
        ];
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.sim.url());
        let answer = self.http.post(url).form(&form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A call, at a path below the version or a whole link.
    pub(crate) async fn send(&self, method: Method, at: &str, body: Option<&Value>) -> Response {
        let url =
            if at.starts_with("http") { at.to_owned() } else { format!("{}/v1.0/{at}", self.sim.url()) };
        let request = self.http.request(method, url).bearer_auth(&self.token);
        let request = request.header("Prefer", "IdType=\"ImmutableId\"");
        let request = if let Some(body) = body { request.json(body) } else { request };
        request.send().await.unwrap()
    }

    pub(crate) async fn ask(&self, method: Method, at: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.send(method, at, body).await;
        let status = answer.status().as_u16();
        let said = answer.text().await.unwrap();
        (status, serde_json::from_str(&said).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, at: &str) -> (u16, Value) {
        self.ask(Method::GET, at, None).await
    }

    /// The code of a refusal.
    pub(crate) async fn refusal(&self, method: Method, at: &str, body: Option<&Value>) -> (u16, String) {
        let (status, said) = self.ask(method, at, body).await;
        (status, said["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// All pages from a link on: the ids with whether they were removed, and the link to go on from.
    pub(crate) async fn changes(&self, from: &str) -> (Vec<(String, bool)>, String, usize) {
        let (mut at, mut all, mut pages) = (from.to_owned(), Vec::new(), 0);
        loop {
            let (status, page) = self.get(&at).await;
            assert_eq!(status, 200, "{page}");
            pages += 1;
            let entries = page["value"].as_array().unwrap();
            all.extend(entries.iter().map(|it| (text(&it["id"]), !it["@removed"].is_null())));
            match page["@odata.nextLink"].as_str() {
                Some(next) => next.clone_into(&mut at),
                None => return (all, text(&page["@odata.deltaLink"]), pages),
            }
        }
    }
}
