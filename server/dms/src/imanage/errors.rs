//! iManage's refusals in the words of the contract.

use postroom_domain::cause::{Cause, Symptom, classify};
use postroom_domain::dms::{DmsError, Trouble};
use postroom_outbound::Reply;
use serde_json::Value;

use super::settings::Settings;

/// What an error body says; every part may be missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// `NRC_…`, or OAuth's error code.
    pub(super) code: Option<String>,
    /// For people.
    pub(super) message: Option<String>,
    /// The field that is not accepted.
    pub(super) field: Option<String>,
    /// For iManage's support.
    pub(super) transaction: Option<String>,
}

/// Longest foreign text that is kept.
const LONGEST: usize = 300;

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Reads an error body of any of the known forms; what is no JSON says nothing.
pub(super) fn said(body: &[u8]) -> Said {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Said::default() };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(clean);
    let error = value.get("error").unwrap_or(&value);
    if let Value::String(code) = error {
        let message = text(&value, "error_description").or_else(|| text(&value, "message"));
        return Said { code: Some(clean(code)), message, ..Said::default() };
    }
    let line = error.get("messages").and_then(|lines| lines.get(0)).unwrap_or(&Value::Null);
    Said {
        code: text(error, "code").or_else(|| text(line, "code")),
        message: text(line, "code_message")
            .or_else(|| text(error, "code_message"))
            .or_else(|| text(error, "message"))
            .or_else(|| text(error, "error_description")),
        field: text(line, "field").or_else(|| text(error, "field")),
        transaction: text(error, "transaction"),
    }
}

/// What `said` adds to the line for logs.
fn line(doing: &str, reply: &Reply, said: &Said) -> String {
    let mut line = format!("{doing}: status {}", reply.status);
    for part in [&said.code, &said.message].into_iter().flatten() {
        line = format!("{line}, {part}");
    }
    if let Some(field) = &said.field {
        line = format!("{line} (field {field})");
    }
    if reply.is_web_page() {
        line += ", with a web page";
    }
    line
}

/// The id for support: code and transaction, as far as they were told.
fn support_id(reply: &Reply, said: &Said) -> Option<String> {
    let own = said.transaction.clone().or_else(|| reply.header("x-request-id").map(clean));
    match (&said.code, own) {
        (Some(code), Some(id)) => Some(format!("{code} {id}")),
        (code, id) => code.clone().or(id),
    }
}

/// A refusal as a DMS error. `doing` says what was wanted and of which object.
pub(super) fn shape(reply: &Reply, doing: &str, settings: &Settings) -> DmsError {
    let said = said(&reply.body);
    let words = format!("{} {}", said.code.as_deref().unwrap_or(""), said.message.as_deref().unwrap_or(""))
        .to_lowercase();
    let tells = |list: &std::collections::BTreeSet<String>| {
        list.iter().any(|word| words.contains(&word.to_lowercase()))
    };
    let mut cause = classify(Symptom::Status(reply.status), reply.sent());
    if matches!(reply.status, 403 | 409 | 423) && tells(&settings.closed_words) {
        cause = Cause::TargetClosed;
    } else if matches!(reply.status, 403 | 409) && tells(&settings.locked_words) {
        cause = Cause::Locked;
    }
    let trouble = Trouble {
        cause,
        status: Some(reply.status),
        request_id: support_id(reply, &said),
        detail: line(doing, reply, &said),
    };
    match DmsError::from_trouble(trouble) {
        DmsError::Throttled { trouble, .. } => DmsError::Throttled { until: reply.retry_after(), trouble },
        DmsError::TooLarge { trouble, .. } => DmsError::TooLarge { limit: settings.largest_bytes, trouble },
        DmsError::Rejected { trouble, message, .. } => {
            DmsError::Rejected { field: said.field, message: said.message.unwrap_or(message), trouble }
        }
        DmsError::Locked { trouble, .. } => {
            let by = said
                .message
                .as_deref()
                .and_then(|m| m.split_once(" by "))
                .map(|(_, who)| who.trim().to_owned());
            DmsError::Locked { by, trouble }
        }
        other => other,
    }
}

/// A refusal whose status says all there is.
pub(super) fn plain(reply: &Reply, doing: &str) -> DmsError {
    let said = said(&reply.body);
    let trouble = Trouble {
        cause: classify(Symptom::Status(reply.status), reply.sent()),
        status: Some(reply.status),
        request_id: support_id(reply, &said),
        detail: line(doing, reply, &said),
    };
    match DmsError::from_trouble(trouble) {
        DmsError::Throttled { trouble, .. } => DmsError::Throttled { until: reply.retry_after(), trouble },
        other => other,
    }
}

/// Whether a refusal only means that nothing was found.
pub(super) fn is_nothing_found(reply: &Reply) -> bool {
    reply.status == 404 && !reply.is_web_page()
}

/// A target or its data that cannot be sent as it is.
pub(super) fn rejected(field: &str, message: String) -> DmsError {
    let trouble = Trouble::new(Cause::Rejected, message.clone());
    DmsError::Rejected { field: Some(field.to_owned()), message, trouble }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_error_body_is_read() {
        let full = br#"{"error":{"code":"NRC_INVALID_PARAM","code_message":"Bad","transaction":"9c1e",
            "messages":[{"code":"NRC_INVALID_PARAM","code_message":"Value not valid","field":"custom2"}]}}"#;
        let some = |text: &str| Some(text.to_owned());
        let table: [(&[u8], Said); 6] = [
            (
                full,
                Said {
                    code: some("NRC_INVALID_PARAM"),
                    message: some("Value not valid"),
                    field: some("custom2"),
                    transaction: some("9c1e"),
                },
            ),
            (
                br#"{"error":{"message":"X-Auth-Token is invalid or missing"}}"#,
                Said { message: some("X-Auth-Token is invalid or missing"), ..Said::default() },
            ),
            (
                br#"{"error":"invalid_grant","error_description":"expired"}"#,
                Said { code: some("invalid_grant"), message: some("expired"), ..Said::default() },
            ),
            (br#"{"message":"no"}"#, Said { message: some("no"), ..Said::default() }),
            (b"<html>", Said::default()),
            (b"", Said::default()),
        ];
        for (body, wanted) in table {
            assert_eq!(said(body), wanted, "{}", String::from_utf8_lossy(body));
        }
    }
}
