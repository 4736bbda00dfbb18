//! Answers, before they become HTTP responses.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What a query needs to have encoded. Secrets keep their spelling, so that a search for one finds it in addresses too.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An answer of a simulator.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// An answer of the token endpoint, which nobody may store (RFC 6749 section 5.1).
    pub(crate) fn tokens(status: u16, value: &Value) -> Self {
        Self::json(status, value).header("Cache-Control", "no-store")
    }

    pub(crate) fn html(status: u16, page: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", page)
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::new(302, "text/plain", Bytes::new()).header("Location", to)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "text/plain", "Not found\n")
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Add parameters to an address that may have some.
pub(crate) fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let mut whole = address.to_owned();
    for (key, value) in pairs {
        whole.push(if whole.contains('?') { '&' } else { '?' });
        whole.push_str(key);
        whole.push('=');
        whole.extend(utf8_percent_encode(value, QUERY));
    }
    whole
}
