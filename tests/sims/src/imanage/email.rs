//! Mail fields and the duplicate rule: subject, sent date and message id, all three, within the workspace.

use serde_json::Value;

use super::model::EmailFields;
use super::workspaces::text;

/// The mail fields of an upload, from `doc_profile` first, then from the headers of an `.eml` file.
pub(super) fn fields(profile: &Value, head: &[u8]) -> EmailFields {
    let head = String::from_utf8_lossy(head);
    let pick = |key: &str, header: &str| {
        text(profile, key).map(str::to_owned).or_else(|| header_value(&head, header)).unwrap_or_default()
    };
    EmailFields {
        subject: pick("subject", "subject"),
        from: pick("from", "from"),
        to: pick("to", "to"),
        cc: pick("cc", "cc"),
        sent_date: pick("sent_date", "date"),
        received_date: pick("received_date", "x-received-date"),
        message_id: pick("message_id", "message-id"),
    }
}

/// What makes two mails the same; `None` when one of the three is unknown.
pub(super) fn identity(email: &EmailFields) -> Option<String> {
    let parts = [&email.subject, &email.sent_date, &email.message_id];
    parts.iter().all(|p| !p.is_empty()).then(|| parts.map(|p| p.to_lowercase()).join("\n"))
}

fn header_value(head: &str, name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in head.lines() {
        if line.is_empty() {
            break;
        }
        match &mut value {
            Some(value) if line.starts_with([' ', '\t']) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            Some(_) => break,
            None => {
                let found = line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name));
                value = found.map(|(_, text)| text.trim().to_owned());
            }
        }
    }
    value
}
