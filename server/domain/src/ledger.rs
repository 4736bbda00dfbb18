//! How a message is recognised that was seen before: the same mail in three mailboxes, handed in again after a lost answer, or sent to us
//! directly and in copy.
//!
//! The Message-ID alone will not do: some mail has none, and nothing keeps two messages from having the same. So a key also holds what
//! of headers and content stays the same on every way, whatever relays add. A doubt is never decided against a message: what only looks
//! alike is two messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::BlobHash;
use crate::mail::{Mail, Mailbox, MessageId};

/// What a message is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LedgerKey {
    /// Its id, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Its date by its own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// Hash over sender, recipients and subject, normalised.
    pub headers: BlobHash,
    /// Hash over text and attachments, normalised.
    pub content: BlobHash,
}

/// What two messages have to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sameness {
    /// The same message, once more.
    Same,
    /// The same message, whose headers something on the way has changed: a list, or a gateway that writes into subjects.
    Rewritten,
    /// The same id for another message. Both are filed.
    IdTaken,
    /// Another message with the same words between the same people: sent twice, or a short answer that is given twice. A rule may link
    /// them; neither is dropped.
    Copy,
    /// Nothing.
    Other,
}

impl Sameness {
    /// Whether the second of them is nothing new.
    pub const fn is_same(self) -> bool {
        matches!(self, Self::Same | Self::Rewritten)
    }
}

impl LedgerKey {
    /// The key of a message. `contents` are the hashes of its decoded parts beside the plain text, in any order: an attachment of the
    /// same name and size may still be another one. Where the text was cut, the hash of the whole text belongs to them.
    pub fn of(mail: &Mail, contents: &[BlobHash]) -> Self {
        let mut headers = Print::new("headers");
        headers.add(mail.from.as_ref().map_or("", |from| from.address.as_str()).to_lowercase().as_bytes());
        // Relays sort recipients anew, and each mailbox may get another order.
        let mut to: Vec<String> = mail.to.iter().chain(&mail.cc).map(address).collect();
        to.sort_unstable();
        to.dedup();
        headers.list(&to);
        headers.add(spaced(&mail.subject).as_bytes());

        let mut content = Print::new("content");
        content.add(spaced(&mail.text).as_bytes());
        let mut carried: Vec<String> =
            mail.carried.iter().map(|it| format!("{} {}", it.size, spaced(&it.name))).collect();
        carried.sort_unstable();
        content.list(&carried);
        let mut contents: Vec<String> = contents.iter().map(ToString::to_string).collect();
        contents.sort_unstable();
        content.list(&contents);
        Self { id: mail.id.clone(), date: mail.date, headers: headers.end(), content: content.end() }
    }

    /// The keys under which a store finds those that may be the same: one for the id, one for headers and content. What is found under
    /// either is compared.
    pub fn lookups(&self) -> Vec<String> {
        let by_id =
            self.id.as_ref().map(|id| format!("id/{}", blake3::hash(id.as_str().as_bytes()).to_hex()));
        let mut print = Print::new("message");
        print.add(self.headers.as_bytes());
        print.add(self.content.as_bytes());
        by_id.into_iter().chain([format!("print/{}", print.end())]).collect()
    }

    /// What this message has to do with an earlier one.
    pub fn compare(&self, earlier: &Self) -> Sameness {
        let (headers, content) = (self.headers == earlier.headers, self.content == earlier.content);
        match (&self.id, &earlier.id) {
            (Some(a), Some(b)) if a == b => match (headers, content) {
                (true, true) => Sameness::Same,
                (false, true) => Sameness::Rewritten,
                (_, false) => Sameness::IdTaken,
            },
            _ if !(headers && content) => Sameness::Other,
            (Some(_), Some(_)) => Sameness::Copy,
            // Without an id the date has to be there and the same: two short answers are two messages.
            _ if self.date.is_some() && self.date == earlier.date => Sameness::Same,
            _ => Sameness::Copy,
        }
    }
}

fn address(one: &Mailbox) -> String {
    one.address.to_lowercase()
}

/// A text with one blank where there are several: folding and the flow of lines are no difference.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A hash over fields: each with its length, so that nothing moves from one to the next.
struct Print(blake3::Hasher);

impl Print {
    fn new(what: &str) -> Self {
        let mut print = Self(blake3::Hasher::new());
        print.add(what.as_bytes());
        print
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn list(&mut self, all: &[String]) {
        self.0.update(&(all.len() as u64).to_be_bytes());
        for one in all {
            self.add(one.as_bytes());
        }
    }

    fn end(self) -> BlobHash {
        BlobHash::new(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Carried;

    fn people(addresses: &[&str]) -> Vec<Mailbox> {
        addresses.iter().map(|it| Mailbox { name: String::new(), address: (*it).to_owned() }).collect()
    }

    fn mail() -> Mail {
        Mail {
            id: MessageId::new("<1@x.example>"),
            from: people(&["anna@x.example"]).pop(),
            to: people(&["a@firm.example", "b@firm.example"]),
            subject: "Lease of Unit 4".into(),
            text: "Dear Fay,\r\nhere it is.".into(),
            date: "2026-11-23T09:00:00Z".parse().ok(),
            carried: vec![Carried {
                name: "lease.pdf".into(),
                media_type: "application/pdf".into(),
                size: 9,
                inline: false,
            }],
            ..Mail::default()
        }
    }

    #[test]
    fn messages_are_recognised() {
        use Sameness::{Copy, IdTaken, Other, Rewritten, Same};
        let new_id = MessageId::new("<2@x.example>");
        let none = || Mail { id: None, ..mail() };
        let table: Vec<(&str, Mail, Mail, Sameness)> = vec![
            ("itself", mail(), mail(), Same),
            (
                "folded and flowed otherwise",
                mail(),
                Mail {
                    subject: "Lease of\r\n Unit 4".into(),
                    text: "Dear Fay, here it\nis. ".into(),
                    ..mail()
                },
                Same,
            ),
            (
                "recipients in another order",
                mail(),
                Mail {
                    to: people(&["B@firm.example"]),
                    cc: people(&["a@firm.example", "b@firm.example"]),
                    ..mail()
                },
                Same,
            ),
            (
                "names of people do not count",
                mail(),
                Mail {
                    from: Some(Mailbox { name: "Anna".into(), address: "Anna@x.example".into() }),
                    ..mail()
                },
                Same,
            ),
            (
                "a gateway wrote into the subject",
                mail(),
                Mail { subject: "[EXTERN] Lease of Unit 4".into(), ..mail() },
                Rewritten,
            ),
            ("the id with other words", mail(), Mail { text: "Pay here".into(), ..mail() }, IdTaken),
            ("the id with another attachment", mail(), Mail { carried: Vec::new(), ..mail() }, IdTaken),
            (
                "the id with all else different",
                mail(),
                Mail { subject: "x".into(), text: "y".into(), ..mail() },
                IdTaken,
            ),
            ("sent again with a new id", mail(), Mail { id: new_id.clone(), ..mail() }, Copy),
            ("another message", mail(), Mail { id: new_id, text: "x".into(), ..mail() }, Other),
            ("no id, all the same", none(), none(), Same),
            ("no id on one of them", mail(), none(), Same),
            ("no id, sent later", none(), Mail { date: "2026-11-24T09:00:00Z".parse().ok(), ..none() }, Copy),
            ("no id, no date", Mail { date: None, ..none() }, Mail { date: None, ..none() }, Copy),
            ("no id, other words", none(), Mail { text: "x".into(), ..none() }, Other),
            ("no id, another sender", none(), Mail { from: None, ..none() }, Other),
        ];
        for (what, a, b, wanted) in table {
            let (a, b) = (LedgerKey::of(&a, &[]), LedgerKey::of(&b, &[]));
            assert_eq!((a.compare(&b), b.compare(&a)), (wanted, wanted), "{what}");
            let found = a.lookups().iter().any(|key| b.lookups().contains(key));
            assert_eq!(found, wanted != Other, "{what}: what has to be compared is found");
            assert_eq!(wanted.is_same(), matches!(wanted, Same | Rewritten));
        }
    }

    #[test]
    fn nothing_moves_from_one_field_to_the_next() {
        let carried = |names: &[&str]| {
            let one = |name: &&str| Carried {
                name: (*name).into(),
                media_type: String::new(),
                size: 1,
                inline: false,
            };
            LedgerKey::of(&Mail { carried: names.iter().map(one).collect(), ..Mail::default() }, &[])
        };
        assert_ne!(carried(&["a", "b"]), carried(&["a 1 b"]));
        assert_eq!(carried(&["a", "b"]), carried(&["b", "a"]));
        assert_ne!(carried(&["a", "a"]), carried(&["a"]));
        let of = |contents: &[u8]| {
            let hashes: Vec<BlobHash> = contents.iter().map(|byte| BlobHash::new([*byte; 32])).collect();
            LedgerKey::of(&mail(), &hashes)
        };
        assert_eq!(of(&[1, 2]), of(&[2, 1]));
        assert_eq!(
            of(&[1, 2]).compare(&of(&[1, 3])),
            Sameness::IdTaken,
            "the same name and size, other bytes"
        );
        let text = serde_json::to_string(&carried(&["a"])).unwrap();
        assert_eq!(serde_json::from_str::<LedgerKey>(&text).unwrap(), carried(&["a"]));
    }
}
