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
