//! Everything about one filing as plain text, for a ticket or an e-mail.

use std::fmt::Write as _;

use postroom_api::filing::FilingItem;
use postroom_api::intake::IntakeItem;

use crate::app::State;
use crate::text::{clean, size};
use crate::when;

fn put(text: &mut String, name: &str, value: &str) {
    if !value.trim().is_empty() {
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{name:<12} {}", clean(value));
    }
}

/// The report of an arrival; with its rules and history where they are loaded.
pub(crate) fn of_arrival(state: &State, item: &IntakeItem) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| put(&mut text, name, value);
    line("Arrival", &item.id.to_string());
    line("State", item.state.as_str());
    if let Some(needs) = &item.needs {
        line("Needs", &format!("{} ({})", needs.text, needs.code));
    }
    line("Subject", &item.subject);
    line("From", &format!("{} by {}", item.sender, item.source));
    line("Received", &when::full(item.received, &state.zone));
    line("Work item", &item.work_item_given);
    for document in &item.documents {
        line("Document", &format!("{}, {}, {}", document.file_name, size(document.size), document.hash));
    }
    line("Filings", &format!("{} ({} open)", item.filings, item.open_filings));
    let detail = state.arrival.as_ref().and_then(|looked| looked.detail.as_ref());
    if let Some(detail) = detail.filter(|detail| detail.item.id == item.id) {
        for (number, step) in detail.trace.iter().enumerate() {
            line(&format!("Rule {}", number + 1), step);
        }
        for event in &detail.events {
            let when = when::full(event.at, &state.zone);
            line("Event", &format!("{when} {} ({}) {}", event.happening.words, event.actor.name, event.note));
        }
    }
    text
}

/// The report of a filing; with its attempts and history where they are loaded.
pub(crate) fn of(state: &State, item: &FilingItem) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| put(&mut text, name, value);
    line("Filing", &item.id.to_string());
    line("State", item.state.as_str());
    if let Some(cause) = &item.cause {
        line("Cause", &format!("{} ({})", cause.sentence, cause.code));
        line("Hint", &cause.hint);
        let status = cause.technical.status.map(|status| status.to_string()).unwrap_or_default();
        let request = cause.technical.request_id.clone().unwrap_or_default();
        line("Technical", [status, request, cause.technical.detail.clone()].join(" ").trim());
    }
    line("Next", &item.next_step);
    line("Subject", &item.subject);
    line("File", &format!("{}, {}, {}", item.file_name, size(item.size), item.media_type));
    line("BLAKE3", &item.hash.to_string());
    line("From", &format!("{} by {}", item.sender, item.source));
    line("Received", &when::full(item.received, &state.zone));
    line("Target", &format!("{} {}", item.destination, item.target));
    line("Reference", &item.reference);
    if let Some(receipt) = &item.receipt {
        line("In the DMS", &receipt.document);
        line("Link", receipt.link.as_deref().unwrap_or_default());
    }
    let detail = state.looked.as_ref().and_then(|looked| looked.detail.as_ref());
    if let Some(detail) = detail.filter(|detail| detail.item.id == item.id) {
        for attempt in &detail.attempts {
            let cause = attempt.cause.as_ref().map(|cause| cause.short.as_str()).unwrap_or_default();
            let when = when::full(attempt.started, &state.zone);
            line(&format!("Attempt {}", attempt.number), &format!("{when} {} {cause}", attempt.outcome));
        }
        for event in &detail.events {
            let when = when::full(event.at, &state.zone);
            line("Event", &format!("{when} {} ({}) {}", event.happening.words, event.actor.name, event.note));
        }
    }
    text
}
