//! HighQ's refusals in the words of the contract.
//!
//! An error tells a number (`ref`), a sentence (`summary`) and an address (`link`) for HighQ's support. Of the numbers only 130 (access
//! denied) is public, so the status counts, and words for what a status does not tell.

use std::collections::BTreeSet;

use jiff::Timestamp;
use postroom_domain::cause::{Cause, Symptom, classify};
use postroom_domain::dms::{DmsError, RetryAfter, Trouble};
use postroom_outbound::Reply;

use super::settings::Settings;
use super::wire;

/// Longest foreign text that is kept.
const LONGEST: usize = 300;

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// How long HighQ asks to wait: `X-Ratelimit-Reset` is a moment in epoch seconds.
fn until(reply: &Reply) -> Option<RetryAfter> {
    let reset = reply.header("x-ratelimit-reset").and_then(|text| text.trim().parse::<i64>().ok());
    let reset = reset.filter(|seconds| *seconds > 0).and_then(|seconds| Timestamp::from_second(seconds).ok());
    reset.map(RetryAfter::At).or_else(|| reply.retry_after())
}

fn trouble(reply: &Reply, doing: &str) -> (Trouble, String) {
    let said = wire::said(&reply.body);
    let (number, summary) =
        (said.text("ref").map(|it| clean(&it)), said.text("summary").map(|it| clean(&it)));
    let mut detail = format!("{doing}: status {}", reply.status);
    for part in [number.as_ref().map(|n| format!("ref {n}")), summary.clone()].into_iter().flatten() {
        detail = format!("{detail}, {part}");
    }
    if reply.is_web_page() {
        detail += ", with a web page";
    }
    let link = said.text("link").map(|it| clean(&it));
    let own = link.or_else(|| reply.header("x-request-id").map(clean));
    let request_id = match (number, own) {
        (Some(number), Some(own)) => Some(format!("ref {number} {own}")),
        (number, own) => number.map(|it| format!("ref {it}")).or(own),
    };
    let cause = classify(Symptom::Status(reply.status), reply.sent());
    (Trouble { cause, status: Some(reply.status), request_id, detail }, summary.unwrap_or_default())
}

fn finish(reply: &Reply, trouble: Trouble, summary: String, settings: Option<&Settings>) -> DmsError {
    match DmsError::from_trouble(trouble) {
        DmsError::Throttled { trouble, .. } => DmsError::Throttled { until: until(reply), trouble },
        DmsError::TooLarge { trouble, .. } => {
            DmsError::TooLarge { limit: settings.and_then(|it| it.largest_bytes), trouble }
        }
        DmsError::Rejected { trouble, message, .. } => {
            let message = if summary.is_empty() { message } else { summary };
            DmsError::Rejected { field: None, message, trouble }
        }
        DmsError::Locked { trouble, .. } => {
            let by = summary.split_once(" by ").map(|(_, who)| who.trim().to_owned());
            DmsError::Locked { by, trouble }
        }
        other => other,
    }
}

/// A refusal as a DMS error. `doing` says what was wanted and of which object.
pub(super) fn shape(reply: &Reply, doing: &str, settings: &Settings) -> DmsError {
    let (mut trouble, summary) = trouble(reply, doing);
    let words = summary.to_lowercase();
    let tells = |list: &BTreeSet<String>| list.iter().any(|word| words.contains(&word.to_lowercase()));
    if matches!(reply.status, 403 | 409 | 423) && tells(&settings.closed_words) {
        trouble.cause = Cause::TargetClosed;
    } else if matches!(reply.status, 403 | 409) && tells(&settings.locked_words) {
        trouble.cause = Cause::Locked;
    }
    finish(reply, trouble, summary, Some(settings))
}

/// A refusal whose status says all there is.
pub(super) fn plain(reply: &Reply, doing: &str) -> DmsError {
    let (trouble, summary) = trouble(reply, doing);
    finish(reply, trouble, summary, None)
}

/// Data that cannot be sent as it is.
pub(super) fn rejected(field: &str, message: String) -> DmsError {
    let trouble = Trouble::new(Cause::Rejected, message.clone());
    DmsError::Rejected { field: Some(field.to_owned()), message, trouble }
}

/// Something that is not there.
pub(super) fn missing(detail: String) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::TargetNotFound, detail))
}

/// A document may be there, but that cannot be told.
pub(super) fn unknown(detail: String) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::AnswerLost, detail))
}
