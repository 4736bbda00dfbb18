//! What must hold of every message that is read, whatever was handed in.

#![forbid(unsafe_code)]

use postroom_inbound::message::{Limits, Refused, Trusted, read};

/// Reads it and checks what is told. A panic that the reader caught is one all the same.
pub fn check(raw: &[u8]) {
    let limits = Limits::default();
    match read(raw, &limits, &Trusted { servers: vec!["mx".to_owned()], unnamed: true }) {
        Ok(message) => {
            assert!(message.parts.len() <= limits.parts && message.mail.text.len() <= limits.text);
            assert!(message.not_expanded.is_none() || message.parts.is_empty());
            for (at, part) in message.parts.iter().enumerate() {
                assert_eq!(part.content.of(raw).len() as u64, part.size);
                assert!(part.depth <= limits.expand && part.inside.is_none_or(|inside| inside < at));
                assert!(!part.title.trim().is_empty());
            }
        }
        Err(Refused::Empty) => assert!(raw.is_empty()),
        Err(why) => assert!(!why.to_string().contains("gave up"), "{why}"),
    }
}

/// The same behind the first bytes of a kind of file.
pub fn check_behind(first: &[u8], rest: &[u8]) {
    check(&[first, rest].concat());
}

/// A matter for tags to be filled in from, with values that are awkward to put anywhere.
pub fn matter() -> postroom_domain::work_item::WorkItem {
    serde_json::from_value(serde_json::json!({
        "id": "00000000-0000-0000-0000-000000000001", "reference": "0007", "title": "Harrow v Teal",
        "work_type": "matter/litigation", "site": "main", "open": true, "phase": "",
        "client": {"reference": "10442", "name": "Harrow, Pike & Co [UK] \\ .. \u{202e}"},
        "attributes": {"opened": "2026-03-04", "court": "", "tricky": "[workitem.title]", "formula": "=1+1, <b>/../"},
        "participants": [
            {"role": "fee-earner", "name": "Mina Patel", "reference": "", "email": "m.patel@firm.example"},
            {"role": "opponent", "name": "Teal Ltd", "reference": "", "email": "a@teal.example"},
            {"role": "opponent", "name": "Teal Holdings", "reference": "", "email": "b@teal.example"},
        ],
        "zone": "", "version": 1, "changed": "2026-11-23T09:00:00Z",
    }))
    .unwrap_or_else(|error| panic!("the matter: {error}"))
}
