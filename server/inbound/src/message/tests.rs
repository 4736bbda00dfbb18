//! Tables of hand-made messages, one table for each rule.

mod attachments;
mod bad;
mod chance;
mod containers;
mod corpora;
mod headers;
mod outlook;
mod winmail;

use super::{Limits, Message, Part, Refused, Trusted, read};

/// Reads with the usual limits, trusting `mx.firm.example`.
fn read_raw(raw: &[u8]) -> Result<Message, Refused> {
    let trusted = Trusted { servers: vec!["mx.firm.example".to_owned()], unnamed: false };
    read(raw, &Limits::default(), &trusted)
}

/// Reads what must be readable; line ends as they travel.
fn message(text: &str) -> Message {
    let raw = text.replace('\n', "\r\n");
    let read_message = read_raw(raw.as_bytes()).unwrap();
    for part in &read_message.parts {
        assert_eq!(part.content.of(raw.as_bytes()).len() as u64, part.size, "{}", part.title);
    }
    read_message
}

/// `title|media type|inline|depth` of each part.
fn listed(message: &Message) -> Vec<String> {
    let line = |part: &Part| {
        let inline = if part.inline { "inline" } else { "attached" };
        format!("{}|{}|{inline}|{}", part.title, part.media_type(), part.depth)
    };
    message.parts.iter().map(line).collect()
}

/// A multipart of so many parts.
fn multipart(kind: &str, parts: &[&str]) -> String {
    let boundary = kind.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let head = format!("Content-Type: multipart/{kind}; boundary={boundary}\n\n");
    let parts: Vec<String> = parts.iter().map(|part| format!("--{boundary}\n{part}\n")).collect();
    head + &parts.concat() + &format!("--{boundary}--\n")
}
