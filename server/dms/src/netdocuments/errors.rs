//! NetDocuments' refusals in the words of the contract. That refusals carry an object is documented, its keys are not.

use std::collections::BTreeSet;

use postroom_domain::cause::{Cause, Symptom, classify};
use postroom_domain::dms::{DmsError, Trouble};
use postroom_outbound::Reply;
use serde_json::Value;

use super::settings::Settings;
use super::wire::Item;
use super::xml;

/// Longest foreign text that is kept.
const LONGEST: usize = 300;

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// OAuth's error code, where it looks like one.
    pub(super) code: Option<String>,
    /// For people: the best text there is.
    pub(super) message: Option<String>,
}

fn clean(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

/// Reads an error body: JSON, XML or text. A web page says nothing.
pub(super) fn said(reply: &Reply) -> Said {
    if reply.is_web_page() { Said::default() } else { of_body(&reply.body) }
}

fn of_body(body: &[u8]) -> Said {
    let value = serde_json::from_slice::<Value>(body).ok().or_else(|| xml::read(body));
    let item = match value {
        Some(Value::Object(map)) => Item::of(Value::Object(map)).unwrap_or_default(),
        Some(Value::String(text)) => {
            return Said { code: None, message: Some(clean(&text)).filter(|it| !it.is_empty()) };
        }
        _ => {
            let text = clean(&String::from_utf8_lossy(body));
            return Said { code: None, message: Some(text).filter(|text| !text.is_empty()) };
        }
    };
    let nested = item.inner("error");
    let code = item.text("error").filter(|code| !code.contains(' ') && code.len() <= 60);
    let texts = ["error_description", "message", "errorMessage", "description", "detail", "error"];
    let message = item.any(&texts).or_else(|| nested.any(&texts));
    // An object without any known key is kept as it came.
    let message = message.or_else(|| Some(String::from_utf8_lossy(body).into_owned()));
    Said {
        code: code.as_deref().map(clean),
        message: message.as_deref().map(clean).filter(|it| !it.is_empty()),
    }
}

fn line(doing: &str, reply: &Reply, said: &Said) -> String {
    let mut line = format!("{doing}: status {}", reply.status);
    if let Some(message) = &said.message {
        line = format!("{line}, {message}");
    }
    if reply.is_web_page() {
        line += ", with a web page";
    }
    line
}

/// A refusal as a DMS error. `doing` says what was wanted and of which object.
pub(super) fn shape(reply: &Reply, doing: &str, settings: &Settings) -> DmsError {
    let said = said(reply);
    let words = said.message.as_deref().unwrap_or("").to_lowercase();
    let tells = |list: &BTreeSet<String>| list.iter().any(|word| words.contains(&word.to_lowercase()));
    let mut cause = classify(Symptom::Status(reply.status), reply.sent());
    match reply.status {
        400 | 409 if tells(&settings.duplicate_words) => cause = Cause::Conflict,
        400 | 403 | 409 | 423 if tells(&settings.closed_words) => cause = Cause::TargetClosed,
        400 | 403 | 409 if tells(&settings.locked_words) => cause = Cause::Locked,
        400 if tells(&settings.missing_words) => cause = Cause::TargetNotFound,
        _ => {}
    }
    finish(reply, cause, line(doing, reply, &said), &said, settings.largest_bytes)
}

/// A refusal whose status says all there is.
pub(super) fn plain(reply: &Reply, doing: &str) -> DmsError {
    let said = said(reply);
    let cause = classify(Symptom::Status(reply.status), reply.sent());
    finish(reply, cause, line(doing, reply, &said), &said, None)
}

fn finish(reply: &Reply, cause: Cause, detail: String, said: &Said, limit: Option<u64>) -> DmsError {
    let request_id = reply.header("x-request-id").map(clean);
    let trouble = Trouble { cause, status: Some(reply.status), request_id, detail };
    match DmsError::from_trouble(trouble) {
        DmsError::Throttled { trouble, .. } => DmsError::Throttled { until: reply.retry_after(), trouble },
        DmsError::TooLarge { trouble, .. } => DmsError::TooLarge { limit, trouble },
        DmsError::Rejected { trouble, message, .. } => {
            DmsError::Rejected { field: None, message: said.message.clone().unwrap_or(message), trouble }
        }
        DmsError::Locked { trouble, .. } => {
            let by = said.message.as_deref().and_then(|text| text.rsplit_once(" by "));
            DmsError::Locked { by: by.map(|(_, who)| who.trim_end_matches('.').trim().to_owned()), trouble }
        }
        other => other,
    }
}

/// Whether a refusal only means that nothing is there.
pub(super) fn is_nothing_found(reply: &Reply, settings: &Settings) -> bool {
    match reply.status {
        404 | 410 => !reply.is_web_page(),
        400 => shape(reply, "", settings).trouble().cause == Cause::TargetNotFound,
        _ => false,
    }
}

/// A target or its data that cannot be sent as it is.
pub(super) fn rejected(field: &str, message: String) -> DmsError {
    let trouble = Trouble::new(Cause::Rejected, message.clone());
    DmsError::Rejected { field: Some(field.to_owned()), message, trouble }
}

/// Trouble with a cause and a text.
pub(super) fn trouble(cause: Cause, detail: impl Into<String>) -> DmsError {
    DmsError::from_trouble(Trouble::new(cause, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_error_body_is_read() {
        let some = |text: &str| Some(text.to_owned());
        for (body, code, message) in [
            (r#"{"error":"Bad Request","message":"no such folder"}"#, None, some("no such folder")),
            (
                r#"{"error":"invalid_grant","error_description":"expired"}"#,
                some("invalid_grant"),
                some("expired"),
            ),
            (r#"{"Message":"no","ErrorCode":400}"#, None, some("no")),
            (r#"{"error":{"message":"inside"}}"#, None, some("inside")),
            ("<error><message>not &amp; here</message></error>", None, some("not & here")),
            ("<error>plain</error>", None, some("plain")),
            ("just\n text", None, some("just text")),
            (r#"{"odd":1}"#, None, some(r#"{"odd":1}"#)),
            ("", None, None),
        ] {
            assert_eq!(of_body(body.as_bytes()), Said { code, message }, "{body}");
        }
    }
}
