//! What is known of an e-mail, read from it once, as values: who wrote to whom, which thread it belongs to, and what it carries. What reads
//! it is `inbound`; what decides by it is pure code here. Everything in it is a stranger's word.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A Message-ID in the form in which ids are compared: without angle brackets, comments and blanks. Letters stay as they are (RFC 5322
/// section 3.6.4 compares ids as they stand).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId(String);

/// Longer ids are cut here before they are compared; RFC 5322 allows no line longer than this.
const LONGEST_ID: usize = 998;

impl MessageId {
    /// Reads one id; none where nothing of it is left.
    pub fn new(text: &str) -> Option<Self> {
        let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
        let mut id: String = bare.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let end = (0..=id.len().min(LONGEST_ID)).rev().find(|at| id.is_char_boundary(*at)).unwrap_or(0);
        id.truncate(end);
        (!id.is_empty()).then_some(Self(id))
    }

    /// The id without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// Somebody, as a header names them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mailbox {
    /// The display name; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The address in small letters; empty where there is none.
    pub address: String,
}

impl Mailbox {
    /// The part behind the last `@`; empty where there is none.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// What sort of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// Somebody wrote it.
    #[default]
    Letter,
    /// A machine answers for somebody (RFC 3834): out of office and the like.
    AutoReply,
    /// It could not be delivered, or was late (RFC 3464).
    DeliveryReport,
    /// It was displayed or deleted (RFC 8098).
    ReadReceipt,
    /// To all on a list.
    List,
    /// A meeting: asked for, answered, or called off.
    Calendar,
}

/// What the receiving server found out about the sender's domain, where a server that we trust said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dmarc {
    /// Nobody that we trust has said anything.
    #[default]
    Unknown,
    /// It comes from where it says.
    Pass,
    /// It does not.
    Fail,
}

/// How its content is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Not at all.
    #[default]
    None,
    /// Signed; everybody can read it.
    Signed,
    /// Signed in a wrapper that hides the parts from who does not open it (`smime.p7m`).
    SignedWrapped,
    /// Encrypted (S/MIME or PGP): nothing of it can be searched.
    Encrypted,
}

/// One thing that it carries, as far as deciding goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The file name as it came, decoded; empty where there is none.
    pub name: String,
    /// Media type by its content where that is certain, else as told.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Shown inside the text: a picture that the HTML refers to, a logo of a signature.
    pub inline: bool,
}

/// An e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mail {
    /// Its own id.
    pub id: Option<MessageId>,
    /// What it answers.
    pub in_reply_to: Vec<MessageId>,
    /// The thread before it, oldest first.
    pub references: Vec<MessageId>,
    /// The subject, decoded; empty where there is none.
    pub subject: String,
    /// Who wrote it.
    pub from: Option<Mailbox>,
    /// Who sent it for them.
    pub sender: Option<Mailbox>,
    /// Where answers go.
    pub reply_to: Vec<Mailbox>,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// To whom besides.
    pub cc: Vec<Mailbox>,
    /// When, by the sender's own clock; none where that is missing or cannot be a time.
    pub date: Option<Timestamp>,
    /// The text, plain, cut to a length that searching bears.
    pub text: String,
    /// What it carries.
    pub carried: Vec<Carried>,
    /// What sort it is.
    pub kind: MailKind,
    /// Whether the sender's domain stands for it.
    pub dmarc: Dmarc,
    /// How it is protected.
    pub protection: Protection,
    /// What our own header on it says (`X-Postroom-Work-Item`): a reference or an id, with its proof, unchecked.
    pub marked: Option<String>,
    /// Whether it passes another message on.
    pub forwarded: bool,
    /// Which message a report or a receipt tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<MessageId>,
}

impl Mail {
    /// Everybody it names, once, in the order of headers.
    pub fn people(&self) -> Vec<&Mailbox> {
        let mut all: Vec<&Mailbox> = Vec::new();
        let named =
            (self.from.iter()).chain(&self.sender).chain(&self.reply_to).chain(&self.to).chain(&self.cc);
        for one in named.filter(|one| !one.address.is_empty()) {
            if !all.iter().any(|it| it.address == one.address) {
                all.push(one);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_without_what_surrounds_them() {
        for (text, wanted) in [
            ("<a.1@x.example>", Some("a.1@x.example")),
            (" <a.1@x.example>\r\n ", Some("a.1@x.example")),
            ("a.1@x.example", Some("a.1@x.example")),
            ("<A.1@X.example>", Some("A.1@X.example")),
            ("<a.1@\r\n x.example>", Some("a.1@x.example")),
            ("<>", None),
            ("  ", None),
        ] {
            assert_eq!(MessageId::new(text).as_ref().map(MessageId::as_str), wanted, "{text:?}");
        }
        let long = MessageId::new(&"ä".repeat(1000)).unwrap();
        assert_eq!(long.as_str().len(), 998);
    }

    #[test]
    fn everybody_is_named_once() {
        let one = |address: &str| Mailbox { name: String::new(), address: address.to_owned() };
        let mail = Mail {
            from: Some(one("a@x.example")),
            reply_to: vec![one("a@x.example")],
            to: vec![one("b@firm.example"), one("")],
            cc: vec![one("b@firm.example"), one("c@firm.example")],
            ..Mail::default()
        };
        let people: Vec<&str> = mail.people().into_iter().map(|it| it.address.as_str()).collect();
        assert_eq!(people, ["a@x.example", "b@firm.example", "c@firm.example"]);
        assert_eq!(mail.to[0].domain(), "firm.example");
    }
}
