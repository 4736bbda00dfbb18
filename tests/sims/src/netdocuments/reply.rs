//! Answers: JSON where it is asked for, XML elsewhere.

use bytes::Bytes;
use serde_json::{Value, json};

use super::serve::NetDocuments;
use super::switches::{ErrorBody, Switches};
use crate::common::answer::Answer;
use crate::common::core::Call;
use crate::common::page;
use crate::common::xml::element;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fail {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

pub(super) type Result<T> = std::result::Result<T, Fail>;

impl Fail {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), headers: Vec::new() }
    }

    /// What is absent, or hidden.
    pub(super) fn missing(what: &str, switches: &Switches) -> Self {
        Self::new(switches.missing_status, format!("The {what} was not found"))
    }

    pub(super) fn parameter(name: &str, problem: &str) -> Self {
        Self::new(400, format!("The parameter {name} {problem}"))
    }
}

/// A successful answer.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// An object or list; the name is its element in XML.
    Data(u16, &'static str, Value),
    /// 204.
    Empty,
    /// A document.
    Bytes { name: String, bytes: Bytes },
    /// A body that is ready.
    Raw(&'static str, Bytes),
}

impl Reply {
    pub(super) fn data(root: &'static str, value: Value) -> Self {
        Self::Data(200, root, value)
    }
}

/// What a refusal's body looks like.
fn error_body(fail: &Fail, form: ErrorBody) -> Value {
    let words = match fail.status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        _ => "Error",
    };
    match form {
        ErrorBody::ErrorAndMessage => json!({ "error": words, "message": fail.message }),
        ErrorBody::Message => json!({ "message": fail.message }),
        ErrorBody::Capitals => json!({ "Message": fail.message, "ErrorCode": fail.status }),
        ErrorBody::Text | ErrorBody::Html | ErrorBody::Empty => Value::Null,
    }
}

/// The response to a call.
pub(super) fn answer(call: &Call<'_, NetDocuments>, result: Result<Reply>) -> Answer {
    let json = call.request.wants_json() && !call.has(&super::flaws::Flaw::Xml {});
    match result {
        Ok(Reply::Data(status, _, value)) if json => Answer::new(status, "application/json", text(&value)),
        Ok(Reply::Data(status, root, value)) => Answer::new(status, "application/xml", xml(root, &value)),
        Ok(Reply::Empty) => Answer::new(204, "text/plain", Bytes::new()),
        Ok(Reply::Raw(kind, body)) => Answer::new(200, kind, body),
        Ok(Reply::Bytes { name, bytes }) => {
            let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' };
            let name: String = name.chars().map(plain).collect();
            Answer::new(200, "application/octet-stream", bytes)
                .header("Content-Disposition", &format!("attachment; filename=\"{name}\""))
        }
        Err(fail) => {
            let form = call.switches.error_body;
            let answer = match form {
                ErrorBody::Text => Answer::new(fail.status, "text/plain", fail.message.clone()),
                ErrorBody::Html => Answer::html(fail.status, page::message("Error", &fail.message)),
                ErrorBody::Empty => Answer::new(fail.status, "text/plain", Bytes::new()),
                _ if json => Answer::json(fail.status, &error_body(&fail, form)),
                _ => Answer::new(fail.status, "application/xml", element("error", &error_body(&fail, form))),
            };
            fail.headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value))
        }
    }
}

/// JSON, with dates as NetDocuments writes them.
fn text(value: &Value) -> String {
    value.to_string().replace("\"/Date(", "\"\\/Date(").replace(")/\"", ")\\/\"")
}

/// A list gets its element around it; entries repeat theirs.
fn xml(root: &str, value: &Value) -> String {
    match value {
        Value::Array(_) => element(root, &json!({ "item": value })),
        _ => element(root, value),
    }
}
