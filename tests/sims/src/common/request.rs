//! A request, read whole.

use actix_web::HttpRequest;
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::params::Params;

/// What a handler may look at.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// As it came, percent signs and all.
    pub(crate) raw_query: String,
    pub(crate) query: Params,
    /// Parameters of a form body.
    pub(crate) form: Params,
    /// As it came; empty where the simulator reads it as a stream.
    pub(crate) body: Bytes,
    headers: Vec<(String, String)>,
}

/// How a client says who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    /// `Authorization: Basic` rather than form fields.
    pub(crate) basic: bool,
}

impl Request {
    pub(crate) fn new(req: &HttpRequest, body: &Bytes) -> Self {
        let headers = req.headers().iter();
        let headers = headers
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        let raw_query = req.query_string().to_owned();
        Self {
            method: req.method().as_str().to_owned(),
            path: req.path().to_owned(),
            query: Params::from_query(&raw_query),
            raw_query,
            form: Params::from_query(std::str::from_utf8(body).unwrap_or_default()),
            headers: headers.collect(),
            body: body.clone(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("cookie"));
        cookies
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("Authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Whether the client asks for JSON by name.
    pub(crate) fn wants_json(&self) -> bool {
        self.header("Accept").is_some_and(|accept| accept.contains("application/json"))
    }

    /// Client id and secret, from the header or the form. Parts of the header are form-encoded first
    /// (RFC 6749 section 2.3.1) if `encoded`.
    pub(crate) fn credentials(&self, encoded: bool) -> Option<Credentials> {
        let field = |name: &str| self.form.get(name).map(str::to_owned);
        if let Some(header) = self.header("Authorization") {
            let bytes = Base64::decode_vec(header.strip_prefix("Basic ")?.trim()).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let (id, secret) = text.split_once(':')?;
            let part = |text: &str| if encoded { form_decode(text) } else { Some(text.to_owned()) };
            return Some(Credentials { id: part(id)?, secret: Some(part(secret)?), basic: true });
        }
        Some(Credentials { id: field("client_id")?, secret: field("client_secret"), basic: false })
    }
}

fn form_decode(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
