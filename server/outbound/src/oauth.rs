//! OAuth 2.0 as servers really speak it: numbers as text, missing fields, errors in several shapes, web pages.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use jiff::Timestamp;
use postroom_domain::dms::RetryAfter;
use postroom_domain::sign_in::{Grant, ProviderError};
use postroom_domain::time::later;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::Digest as _;
use url::Url;

use crate::{Failure, Outbound, Reply, Settings, SetupError};

/// How the application says its secret at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// As fields of the form.
    #[default]
    Post,
    /// As `Authorization: Basic`.
    Basic,
    /// Not at all: a public client.
    None,
}

/// The clients of a service's hosts. A secret goes to no other.
#[derive(Clone)]
pub(crate) struct Doors(HashMap<String, Outbound>);

impl Doors {
    /// One client for each host of these addresses.
    pub(crate) fn new(service: &str, at: &[&Url], settings: &Settings) -> Result<Self, SetupError> {
        let mut doors = HashMap::new();
        for url in at {
            let origin = url.origin().ascii_serialization();
            if let Entry::Vacant(free) = doors.entry(origin) {
                free.insert(Outbound::new(service, url, settings)?);
            }
        }
        Ok(Self(doors))
    }

    /// The client for an address, if it is at one of the hosts.
    pub(crate) fn at(&self, url: &Url) -> Result<&Outbound, ProviderError> {
        self.0.get(&url.origin().ascii_serialization()).ok_or_else(|| {
            let host = url.host_str().unwrap_or("?");
            ProviderError::Misconfigured(format!(
                "{host} is not one of the hosts this service may use (also_hosts)"
            ))
        })
    }
}

/// What a call that gave no answer means here.
pub(crate) fn no_answer(failure: Failure) -> ProviderError {
    match failure {
        Failure::NotAllowed(why) => ProviderError::Misconfigured(why),
        Failure::Content(why)
        | Failure::Throttled { detail: why, .. }
        | Failure::Symptom { detail: why, .. } => ProviderError::Unavailable(why),
    }
}

/// Why the token endpoint gave no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenFailure {
    /// It refused, with an OAuth code and its own words.
    Refused { code: String, words: String },
    /// It refused in words alone.
    Vague(String),
    /// It did not do its work: a fault of its own, a web page, too many calls, no connection.
    Unavailable { reason: String, wait: Option<RetryAfter> },
    /// The call cannot be made with these settings.
    Misconfigured(String),
}

impl From<TokenFailure> for ProviderError {
    fn from(failure: TokenFailure) -> Self {
        match failure {
            TokenFailure::Refused { code, words } => {
                let text = if words.is_empty() { code.clone() } else { format!("{code}: {words}") };
                match code.as_str() {
                    "invalid_grant" => Self::BadCode(text),
                    "access_denied" | "consent_required" | "interaction_required" => Self::Refused(text),
                    _ => Self::Misconfigured(text),
                }
            }
            TokenFailure::Vague(words) => Self::BadCode(words),
            TokenFailure::Unavailable { reason, .. } => Self::Unavailable(reason),
            TokenFailure::Misconfigured(why) => Self::Misconfigured(why),
        }
    }
}

/// The application as the service knows it.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<SecretString>,
    pub(crate) auth: ClientAuth,
    /// Basic credentials are sent as they are, not encoded as forms are: the DMSs' way.
    pub(crate) bare: bool,
}

/// What the token endpoint said.
pub(crate) struct Tokens {
    pub(crate) grant: Grant,
    pub(crate) id_token: Option<SecretString>,
    /// HighQ names the person here.
    pub(crate) user_email: Option<String>,
}

/// The S256 challenge of a verifier (RFC 7636).
pub(crate) fn challenge(verifier: &SecretString) -> String {
    Base64UrlUnpadded::encode_string(&sha2::Sha256::digest(verifier.expose_secret().as_bytes()))
}

impl Client {
    /// Asks a token endpoint. `now` is the time before the call, so that tokens end early rather than late.
    pub(crate) async fn ask(
        &self,
        door: &Outbound,
        url: &Url,
        form: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Tokens, TokenFailure> {
        let mut form = form.to_vec();
        let mut call = door.post("token", url.clone()).header("accept", "application/json");
        match (self.auth, &self.secret) {
            (ClientAuth::Basic, Some(secret)) => {
                call = call.secret_header("authorization", &self.basic(secret));
            }
            (ClientAuth::Post, Some(secret)) => {
                form.extend([("client_id", self.id.as_str()), ("client_secret", secret.expose_secret())]);
            }
            _ => form.push(("client_id", &self.id)),
        }
        match call.form(&form).fetch().await {
            Ok(reply) => read(&reply, now),
            Err(Failure::NotAllowed(why)) => Err(TokenFailure::Misconfigured(why)),
            Err(Failure::Throttled { until, detail }) => {
                Err(TokenFailure::Unavailable { reason: detail, wait: until })
            }
            Err(e) => Err(TokenFailure::Unavailable { reason: e.to_string(), wait: None }),
        }
    }

    /// Each half is encoded as forms are (RFC 6749, 2.3.1), where the service does not want it bare.
    fn basic(&self, secret: &SecretString) -> SecretString {
        let encode = |text: &str| {
            if self.bare {
                text.to_owned()
            } else {
                url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
            }
        };
        let pair = SecretString::from(format!("{}:{}", encode(&self.id), encode(secret.expose_secret())));
        format!("Basic {}", Base64::encode_string(pair.expose_secret().as_bytes())).into()
    }
}

fn read(reply: &Reply, now: Timestamp) -> Result<Tokens, TokenFailure> {
    let unavailable = |reason: String| TokenFailure::Unavailable { reason, wait: reply.retry_after() };
    let status = reply.status;
    if reply.is_web_page() {
        return Err(unavailable(format!("the token endpoint answered {status} with a web page")));
    }
    if status == 429 || status == 408 || status >= 500 {
        return Err(unavailable(format!("the token endpoint answered {status}")));
    }
    let said = fields(&reply.body);
    if reply.is_success()
        && let Some(access) = text(&said, "access_token")
    {
        return Ok(tokens(&said, access, now));
    }
    let words = ["error_description", "message"].iter().find_map(|key| text(&said, key)).unwrap_or_default();
    let words = short(&words);
    match text(&said, "error") {
        Some(code) if is_code(&code) => Err(TokenFailure::Refused { code, words }),
        _ if reply.is_success() || said.is_empty() => {
            Err(unavailable(format!("the token endpoint answered {status} without tokens")))
        }
        Some(other) => Err(TokenFailure::Vague(short(&other))),
        None if !words.is_empty() => Err(TokenFailure::Vague(words)),
        None => Err(unavailable(format!("the token endpoint answered {status} without saying why"))),
    }
}

fn tokens(said: &Map<String, Value>, access: String, now: Timestamp) -> Tokens {
    let ends = |key: &str| Some(later(now, Duration::from_secs(number(said.get(key)?)?)));
    let scope = match said.get("scope") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => text(said, "scope").unwrap_or_default(),
    };
    let grant = Grant {
        access: access.into(),
        access_ends: ends("expires_in"),
        refresh: text(said, "refresh_token").map(SecretString::from),
        refresh_ends: ends("refresh_token_expires_in").or_else(|| ends("refresh_expires_in")),
        scope,
    };
    let id_token = text(said, "id_token").map(SecretString::from);
    Tokens { grant, id_token, user_email: text(said, "useremail") }
}

/// The fields of an answer in JSON, or as forms are encoded; none when it is neither.
fn fields(body: &[u8]) -> Map<String, Value> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(map)) => map,
        Ok(_) => Map::new(),
        Err(_) => {
            let pairs = url::form_urlencoded::parse(body);
            let known =
                |key: &str| matches!(key, "error" | "error_description" | "access_token" | "expires_in");
            pairs
                .filter(|(key, _)| known(key))
                .map(|(key, value)| (key.into(), value.into_owned().into()))
                .collect()
        }
    }
}

/// A text that is there and not empty.
pub(crate) fn text(said: &Map<String, Value>, key: &str) -> Option<String> {
    said.get(key)?.as_str().filter(|it| !it.trim().is_empty()).map(str::to_owned)
}

/// A number, also as text; fractions are cut.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) => n.as_u64(),
        Value::String(text) => text.trim().split('.').next()?.parse().ok(),
        _ => None,
    }
}

/// Whether a text looks like one of OAuth's codes and not like a sentence.
fn is_code(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Somebody else's words, short enough for a log line and on one line.
pub(crate) fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn answers_are_read_tolerantly() {
        let now = Timestamp::UNIX_EPOCH;
        let read = |body: &str| {
            let said = fields(body.as_bytes());
            let access = text(&said, "access_token")?;
            let it = tokens(&said, access, now).grant;
            Some((it.access_ends.map(Timestamp::as_second), it.refresh.is_some(), it.scope))
        };
        let table = [
            (
                r#"{"access_token":"a","expires_in":"3600","refresh_token":"r","scope":"x y"}"#,
                Some((Some(3600), true, "x y")),
            ),
            (r#"{"access_token":"a","expires_in":1800,"refresh_token":null}"#, Some((Some(1800), false, ""))),
            (
                r#"{"access_token":"a","expires_in":"soon","refresh_token":"","scope":["x","y"]}"#,
                Some((None, false, "x y")),
            ),
            ("access_token=a&expires_in=60", Some((Some(60), false, ""))),
            (r#"{"access_token":""}"#, None),
            ("[]", None),
            ("nonsense", None),
        ];
        for (body, wanted) in table {
            assert_eq!(
                read(body),
                wanted.map(|(ends, refresh, scope)| (ends, refresh, scope.to_owned())),
                "{body}"
            );
        }
    }
}
