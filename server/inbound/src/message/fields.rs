//! One block of header fields, read by mail-parser, and the few forms that their values have here.
//!
//! Where a field that may stand once stands twice, the first counts, whoever wrote the second.

use std::sync::LazyLock;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_parser::{HeaderName, HeaderValue, Message as Parsed, MessageParser};
use postroom_domain::mail::{Mail, Mailbox, MessageId};

use super::limits::Limits;
use super::text;
use super::warning::Warning;

/// Only what has a form of its own is parsed; ids and all other fields are looked at as they stand.
static PARSER: LazyLock<MessageParser> = LazyLock::new(|| {
    MessageParser::new()
        .with_mime_headers()
        .with_date_headers()
        .with_address_headers()
        .header_text(HeaderName::Subject)
        .default_header_raw()
});

/// Dates outside of these years are a clock that was never set, or a joke.
const YEARS: std::ops::Range<i16> = 1971..2050;

/// The fields of one block.
pub(super) struct Fields<'x> {
    parsed: Parsed<'x>,
    /// Without a colon nothing is a field, whatever the parser made of it.
    has_colon: bool,
}

impl<'x> Fields<'x> {
    /// Reads a block. Letters beyond ASCII that are no UTF-8 are taken for those that the text is said to have, or of Western Windows:
    /// old programs send them bare.
    pub(super) fn read(block: &'x [u8]) -> Self {
        let parsed = match std::str::from_utf8(block) {
            Ok(text) if !has_broken_words(text) => PARSER.parse_headers(block),
            Ok(text) => PARSER.parse_headers(joined(text).as_bytes()).map(Parsed::into_owned),
            Err(_) => {
                let text = charset(block).unwrap_or(WINDOWS_1252).decode_without_bom_handling(block).0;
                PARSER.parse_headers(joined(&text).as_bytes()).map(Parsed::into_owned)
            }
        };
        Self { parsed: parsed.unwrap_or_default(), has_colon: memchr::memchr(b':', block).is_some() }
    }

    fn all(&self) -> &[mail_parser::Header<'x>] {
        self.parsed.parts.first().map_or(&[], |part| part.headers.as_slice())
    }

    /// Whether there is none that could be one (RFC 5322, section 3.6.8).
    pub(super) fn is_empty(&self) -> bool {
        let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_graphic());
        !self.has_colon || !self.all().iter().any(|header| is_name(header.name.as_str()))
    }

    /// The first of a name that has a value.
    pub(super) fn first(&self, name: &HeaderName<'_>) -> Option<&HeaderValue<'x>> {
        let mut headers = self.all().iter().filter(|header| same(&header.name, name));
        headers.find(|header| !header.value.is_empty()).map(|header| &header.value)
    }

    fn values<'n>(&'n self, name: &'n HeaderName<'_>) -> impl Iterator<Item = &'n HeaderValue<'x>> {
        self.all().iter().filter(move |header| same(&header.name, name)).map(|header| &header.value)
    }

    /// The first value of a name as text, unfolded, without blanks around it.
    pub(super) fn text(&self, name: &HeaderName<'_>) -> Option<String> {
        self.texts(name).next()
    }

    /// Every value of a name as text.
    pub(super) fn texts<'n>(&'n self, name: &'n HeaderName<'_>) -> impl Iterator<Item = String> + 'n {
        self.values(name).map(|value| match value {
            HeaderValue::Text(text) => unfolded(text),
            HeaderValue::TextList(texts) => unfolded(&texts.join(" ")),
            _ => String::new(),
        })
    }

    /// A field that mail-parser has no name for.
    pub(super) fn other(&self, name: &'static str) -> Option<String> {
        self.text(&HeaderName::Other(name.into()))
    }

    /// The ids in a field, in their order and each once.
    pub(super) fn ids(&self, name: &HeaderName<'_>, most: usize) -> Vec<MessageId> {
        ids(&self.texts(name).collect::<Vec<_>>().join(" "), most)
    }

    /// Who stands in a field.
    pub(super) fn people(&self, name: &HeaderName<'_>, most: usize) -> Vec<Mailbox> {
        let addresses = self.values(name).filter_map(HeaderValue::as_address);
        let people = addresses.flat_map(mail_parser::Address::iter).map(|one| {
            mailbox(one.name.as_deref().unwrap_or_default(), one.address.as_deref().unwrap_or_default())
        });
        people.filter(|one| !one.address.is_empty() || !one.name.is_empty()).take(most).collect()
    }

    /// The date; what stands there where it cannot be one.
    pub(super) fn date(&self) -> Result<Option<Timestamp>, String> {
        let Some(header) = self.all().iter().find(|it| same(&it.name, &HeaderName::Date)) else {
            return Ok(None);
        };
        let bytes = self.parsed.raw_message.get(header.offset_start as usize..header.offset_end as usize);
        let text = unfolded(&String::from_utf8_lossy(bytes.unwrap_or_default()));
        let parsed = header.value.as_datetime().filter(|date| date.is_valid());
        let time = parsed.and_then(|date| Timestamp::from_second(date.to_timestamp()).ok());
        time.or_else(|| old_date(&text))
            .and_then(sane)
            .map(Some)
            .ok_or_else(|| text::cut(&text, 100).to_owned())
    }

    /// What the fields say of a message; its kind, its text and what it carries are found elsewhere.
    pub(super) fn mail(&self, limits: &Limits, warnings: &mut Vec<Warning>) -> Mail {
        for (name, shown) in [
            (HeaderName::From, "From"),
            (HeaderName::Subject, "Subject"),
            (HeaderName::Date, "Date"),
            (HeaderName::MessageId, "Message-ID"),
            (HeaderName::ContentType, "Content-Type"),
        ] {
            if self.values(&name).count() > 1 {
                warnings.push(Warning::Again(shown));
            }
        }
        let people = |name| self.people(&name, limits.people);
        let from = people(HeaderName::From).into_iter().next();
        if from.as_ref().is_none_or(|from| from.address.is_empty()) {
            warnings.push(Warning::NoSender);
        }
        let date = self.date().unwrap_or_else(|text| {
            warnings.push(Warning::OddDate(text));
            None
        });
        Mail {
            id: self.ids(&HeaderName::MessageId, 1).pop(),
            in_reply_to: self.ids(&HeaderName::InReplyTo, limits.people),
            references: self.ids(&HeaderName::References, limits.people),
            subject: self.text(&HeaderName::Subject).unwrap_or_default(),
            from,
            sender: people(HeaderName::Sender).into_iter().next(),
            reply_to: people(HeaderName::ReplyTo),
            to: people(HeaderName::To),
            cc: people(HeaderName::Cc),
            date,
            marked: self.other("X-Postroom-Work-Item").filter(|text| !text.is_empty()),
            ..Mail::default()
        }
    }
}

/// The character set that a block names for the text after it.
fn charset(block: &[u8]) -> Option<&'static Encoding> {
    let at = block.windows(8).position(|it| it.eq_ignore_ascii_case(b"charset="))? + 8;
    let label = block[at..]
        .trim_ascii_start()
        .split(|byte| b"\"'; \r\n\t".contains(byte))
        .find(|it| !it.is_empty())?;
    Encoding::for_label(label).filter(|it| *it != UTF_8)
}

/// Whether encoded words stand beside each other.
fn has_broken_words(text: &str) -> bool {
    text.split("?=")
        .skip(1)
        .any(|after| after.starts_with(char::is_whitespace) && after.trim_start().starts_with("=?"))
}

/// Blanks between encoded words are none (RFC 2047, section 6.2), which the parser knows of fields and not of file names.
fn joined(text: &str) -> String {
    let mut pieces = text.split("?=");
    let mut joined = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        joined.push_str("?=");
        let bare = piece.trim_start();
        joined.push_str(if bare.starts_with("=?") { bare } else { piece });
    }
    joined
}

/// Names are compared without regard to capitals; mail-parser knows some names and keeps the others as they stand.
fn same(one: &HeaderName<'_>, other: &HeaderName<'_>) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

/// One line without the breaks of folding; other control characters are blanks.
pub(super) fn unfolded(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut breaks = false;
    for letter in text.trim().chars() {
        match letter {
            '\r' | '\n' => breaks = true,
            ' ' | '\t' if breaks => {}
            letter => {
                if breaks {
                    line.push(' ');
                }
                breaks = false;
                line.push(if letter.is_control() { ' ' } else { letter });
            }
        }
    }
    line.trim_end().to_owned()
}

/// Somebody, tidied: no address has blanks or capitals that count.
pub(super) fn mailbox(name: &str, address: &str) -> Mailbox {
    let address: String = address.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let address = address.trim_matches(['<', '>', '\'', '"']).to_lowercase();
    let name = unfolded(name);
    // Some programs write the address where the name should be, and nothing else.
    if address.is_empty() && name.contains('@') && !name.contains(' ') {
        return Mailbox { address: name.to_lowercase(), name: String::new() };
    }
    Mailbox { name, address }
}

/// The ids in a text: what stands in angle brackets, or where nothing does, words with an `@`.
pub(super) fn ids(text: &str, most: usize) -> Vec<MessageId> {
    let mut found: Vec<MessageId> = Vec::new();
    let bracketed: Vec<&str> =
        text.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0)).collect();
    let words: Vec<&str> = if bracketed.is_empty() {
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| word.contains('@')).collect()
    } else {
        bracketed
    };
    let mut seen = std::collections::HashSet::new();
    for id in words.into_iter().filter_map(MessageId::new) {
        if found.len() >= most {
            break;
        }
        if seen.insert(id.clone()) {
            found.push(id);
        }
    }
    found
}

/// Dates as they were written before 2001: zones by name, no seconds, two digits of the year. Without a zone it is taken for UTC.
fn old_date(text: &str) -> Option<Timestamp> {
    let read = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp());
    let text = text::cut(text, 100);
    read(text).or_else(|| read(&format!("{text} +0000")))
}

/// A time in a year in which somebody could have written.
pub(super) fn sane(time: Timestamp) -> Option<Timestamp> {
    YEARS.contains(&time.to_zoned(TimeZone::UTC).year()).then_some(time)
}
