//! Errors as the server reports them; the switch decides what the body looks like.

use serde_json::{Value, json};

use super::switches::{ErrorBody, Switches};
use crate::common::params::NotANumber;
use crate::common::wire::error_body;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    /// `NRC_…`; only two codes are public.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) field: Option<String>,
    /// OAuth endpoints have a form of their own.
    pub(super) oauth: bool,
}

pub(super) type Result<T> = std::result::Result<T, ApiError>;

impl ApiError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, oauth: false }
    }

    /// Absent, or not visible to this user.
    pub(super) fn no_record() -> Self {
        Self::new(404, "NRC_NO_RECORD", "No record found")
    }

    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(400, "NRC_INVALID_PARAM", message) }
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(401, "NRC_UNAUTHENTICATED", "X-Auth-Token is invalid or missing")
    }

    pub(super) fn oauth(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { oauth: true, ..Self::new(status, code, message) }
    }

    /// Content type and body.
    pub(super) fn body(&self, switches: &Switches, transaction: u64) -> (&'static str, String) {
        if self.oauth && switches.error_body == ErrorBody::Full {
            let body = error_body(switches.token_error, self.code, &self.message);
            return ("application/json", body.to_string());
        }
        let kind = switches.error_body;
        render(kind, self.status, self.code, &self.message, self.field.as_deref(), switches, transaction)
    }
}

impl From<NotANumber> for ApiError {
    fn from(found: NotANumber) -> Self {
        Self::invalid(&found.name, "Value not a number")
    }
}

/// An error body of the wanted kind.
pub(super) fn render(
    kind: ErrorBody,
    status: u16,
    code: &str,
    message: &str,
    field: Option<&str>,
    switches: &Switches,
    transaction: u64,
) -> (&'static str, String) {
    match kind {
        ErrorBody::Full => {
            let mut error = json!({
                "code": code, "code_message": message, "dms_version": switches.dms_version,
                "transaction": format!("{transaction:016x}"),
            });
            if let (Some(field), Value::Object(map)) = (field, &mut error) {
                let line = json!({ "code": code, "code_message": message, "field": field });
                map.insert("messages".into(), json!([line]));
            }
            ("application/json", json!({ "error": error }).to_string())
        }
        ErrorBody::Message => ("application/json", json!({ "error": { "message": message } }).to_string()),
        ErrorBody::Html => (
            "text/html",
            format!("<html><head><title>{status}</title></head><body><h1>{status} Error</h1></body></html>"),
        ),
        ErrorBody::Empty => ("text/plain", String::new()),
    }
}
