//! Refusals in the words of the contract.

use postroom_domain::cause::{Cause, Sent, Symptom, classify};
use postroom_domain::dms::{DmsError, Trouble};
use postroom_outbound::Reply;

use super::multistatus;

/// A refusal of a call that names nothing: whatever was sent lies aside, so the outcome is known.
pub(super) fn shape(reply: &Reply, doing: &str) -> DmsError {
    shaped(reply, reply.status, Sent::Nothing, doing)
}

/// A refusal of the call that gives a document its name: a fault may have come after the deed.
pub(super) fn naming(reply: &Reply, doing: &str) -> DmsError {
    shaped(reply, reply.status, Sent::Fully, doing)
}

fn shaped(reply: &Reply, status: u16, sent: Sent, doing: &str) -> DmsError {
    let mut detail = format!("{doing}: status {status}");
    if reply.is_web_page() && (200..400).contains(&status) {
        detail += ", with a web page";
    }
    let mut cause = classify(Symptom::Status(status), sent);
    if cause == Cause::Conflict {
        // RFC 4918 says 409 where the collection above is missing.
        cause = Cause::TargetNotFound;
    }
    // A server that says how long to wait is busy, not broken. What it did before is as open as with any fault.
    if status == 503 && sent != Sent::Fully && reply.retry_after().is_some() {
        cause = Cause::Throttled;
    }
    let request_id = reply.header("x-request-id").map(|id| id.chars().take(100).collect());
    with_wait(Trouble { cause, status: Some(status), request_id, detail }, reply)
}

fn with_wait(trouble: Trouble, reply: &Reply) -> DmsError {
    match DmsError::from_trouble(trouble) {
        DmsError::Throttled { trouble, .. } => DmsError::Throttled { until: reply.retry_after(), trouble },
        other => other,
    }
}

/// What failed inside of an answer that as a whole says 207.
pub(super) fn inner(reply: &Reply, doing: &str) -> DmsError {
    let status = match multistatus::read(&reply.body) {
        Ok(entries) => {
            let all = entries
                .iter()
                .flat_map(|entry| entry.status.into_iter().chain(entry.refused.iter().copied()));
            // 424 only says that something else failed.
            let mut failed: Vec<u16> = all.filter(|status| *status >= 300).collect();
            failed.sort_unstable_by_key(|status| *status == 424);
            failed.first().copied()
        }
        Err(_) => None,
    };
    match status {
        Some(status) => shaped(reply, status, Sent::Nothing, doing),
        None => {
            let detail = format!("{doing}: status 207 that tells of nothing");
            DmsError::from_symptom(Symptom::UnreadableSuccess, Sent::Fully, detail)
        }
    }
}

/// A status inside of an answer.
pub(super) fn by_status(status: u16, doing: &str) -> DmsError {
    DmsError::from_symptom(Symptom::Status(status), Sent::Nothing, format!("{doing}: status {status}"))
}

/// A failure while the document still lay aside. Nothing has a name, so nothing can have been stored under one.
pub(super) fn aside(error: DmsError) -> DmsError {
    let mut trouble = error.trouble().clone();
    if trouble.cause != Cause::AnswerLost {
        return error;
    }
    trouble.cause = match trouble.status {
        Some(_) => Cause::ServerFault,
        None => Cause::Interrupted,
    };
    DmsError::from_trouble(trouble)
}

/// A failure of the call that names a document, when no answer to it came.
pub(super) fn unanswered(error: DmsError) -> DmsError {
    let mut trouble = error.trouble().clone();
    match trouble.cause {
        // The bytes of the document itself are not on this call, so the client counts nothing as sent.
        Cause::Interrupted | Cause::ServerFault => {
            trouble.cause = Cause::AnswerLost;
            DmsError::from_trouble(trouble)
        }
        _ => error,
    }
}

/// Something that is not there.
pub(super) fn missing(what: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::TargetNotFound, format!("{what} is not there")))
}

/// A target or its data that cannot be sent as it is.
pub(super) fn rejected(field: &str, message: String) -> DmsError {
    let trouble = Trouble::new(Cause::Rejected, message.clone());
    DmsError::Rejected { field: Some(field.to_owned()), message, trouble }
}

/// A name that something has already.
pub(super) fn taken(what: &str) -> DmsError {
    DmsError::from_trouble(Trouble::new(Cause::Conflict, format!("{what} is there already")))
}
