//! `winmail.dat`: what Exchange and Outlook wrap a message in that they take to be for one of theirs (MS-OXTNEF). Attachments, body and
//! embedded messages are read out of it; the file itself stays in the list.
//!
//! It is a row of attributes, each with its length; properties are rows within attributes. Every length is checked against what is
//! there, and what ends early counts as far as it goes: these files are cut and glued by gateways.

mod props;

pub(super) use props::wide;

use std::collections::HashSet;

use postroom_domain::mail::{Mail, Mailbox};

use super::eml::Place;
use super::limits::Limits;
use super::mapi::{self, Props, Value};
use super::part::Content;
use super::tray::Tray;
use super::warning::Warning;
use super::{Message, fields};

const SIGNATURE: &[u8] = b"\x78\x9f\x3e\x22";
/// The identifier of a message as an object, in front of its bytes.
const MESSAGE: &[u8] = b"\x07\x03\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";

mod attribute {
    pub(super) const FROM: u32 = 0x0000_8000;
    pub(super) const SUBJECT: u32 = 0x0001_8004;
    pub(super) const SENT: u32 = 0x0003_8005;
    pub(super) const BODY: u32 = 0x0002_800c;
    pub(super) const ATTACHMENT_DATA: u32 = 0x0006_800f;
    pub(super) const ATTACHMENT_TITLE: u32 = 0x0001_8010;
    pub(super) const ATTACHMENT_BEGINS: u32 = 0x0006_9002;
    pub(super) const PROPS: u32 = 0x0006_9003;
    pub(super) const ATTACHMENT_PROPS: u32 = 0x0006_9005;
    pub(super) const CLASS: u32 = 0x0007_8008;
    pub(super) const CODE_PAGE: u32 = 0x0006_9007;
}

/// Whether bytes begin as it does.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

/// Reads a bare `winmail.dat` as the message that it is.
pub(super) fn read(raw: &[u8], limits: &Limits) -> Message {
    let mut tray = Tray::new(limits);
    let place = Place { is_raw: false, level: 0, depth: 0, inside: None };
    let mail = unpack(raw, place, &mut tray);
    tray.message(mail)
}

/// Lists what it carries, and returns what it says of the message. `place` is where its attachments lie.
pub(super) fn unpack(bytes: &[u8], place: Place, tray: &mut Tray<'_>) -> Mail {
    let mut message = Props::default();
    let mut attachments: Vec<Attachment<'_>> = Vec::new();
    let mut sender = None;
    let mut attributes = Attributes { rest: bytes.get(6..).unwrap_or_default(), damaged: bytes.len() < 6 };
    let mut damaged = false;
    for (id, data) in attributes.by_ref() {
        match id {
            attribute::CODE_PAGE => {
                message.code_page = data.get(..4).map(word).map(i64::from).or(message.code_page);
            }
            attribute::PROPS => damaged |= !props::read(data, &mut message),
            attribute::SUBJECT => message.put(mapi::id::SUBJECT, Value::Narrow(data.to_vec())),
            attribute::CLASS => message.put(mapi::id::CLASS, Value::Narrow(data.to_vec())),
            attribute::BODY => message.put(mapi::id::BODY, Value::Narrow(data.to_vec())),
            attribute::FROM => sender = sender.or_else(|| triple(data)),
            attribute::SENT => {
                if let Some(time) = sent(data) {
                    message.put(mapi::id::SENT, Value::Time(time));
                }
            }
            attribute::ATTACHMENT_BEGINS => attachments.push(Attachment::default()),
            attribute::ATTACHMENT_DATA | attribute::ATTACHMENT_TITLE | attribute::ATTACHMENT_PROPS => {
                if attachments.is_empty() {
                    attachments.push(Attachment::default());
                }
                if let Some(last) = attachments.last_mut() {
                    damaged |= !last.put(id, data);
                }
            }
            _ => {}
        }
        if attachments.len() > tray.limits.parts {
            tray.too_many();
            break;
        }
    }
    if damaged || attributes.damaged {
        tray.warnings.push(Warning::Damaged("a winmail.dat"));
    }
    let mut mail = message.mail(tray.limits);
    mail.from = mail.from.filter(|from| !from.address.is_empty()).or(sender);
    if tray.subject.is_empty() {
        tray.subject.clone_from(&mail.subject);
    }
    let shown = message.shown(tray.limits);
    for mut attachment in attachments {
        attachment.props.code_page = message.code_page;
        if let Some(title) = attachment.title {
            attachment.props.put(mapi::id::SHORT_FILE_NAME, Value::Narrow(title.to_vec()));
        }
        lay(&attachment, &shown, place, tray);
    }
    mail
}

fn lay(attachment: &Attachment<'_>, shown: &HashSet<String>, place: Place, tray: &mut Tray<'_>) {
    let props = &attachment.props;
    let object = props.object(mapi::id::DATA);
    let data = attachment.data.filter(|data| !data.is_empty()).or_else(|| props.bytes(mapi::id::DATA));
    // An object begins with its kind.
    let message = object.and_then(|object| object.strip_prefix(MESSAGE));
    let bytes = data.filter(|_| message.is_none()).or(message).or(object).unwrap_or_default();
    if !tray.take(bytes.len()) {
        return;
    }
    let mut found = props.found(shown, bytes.len(), place, tray.limits);
    let holds_message = looks_like(bytes);
    if holds_message && message.is_some() {
        "application/vnd.ms-tnef".clone_into(&mut found.told);
        found.called = found.name.take().map(|name| format!("{name}.dat"));
    }
    let laid = tray.add(found, bytes, Content::Bytes(bytes.to_vec()));
    if let Some(laid) = laid.filter(|laid| laid.new && holds_message) {
        if place.depth < tray.limits.expand {
            let within = Place { depth: place.depth + 1, inside: Some(laid.at), ..place };
            let _ = unpack(bytes, within, tray);
        } else {
            tray.left_inside(laid.at);
        }
    }
}

#[derive(Default)]
struct Attachment<'a> {
    title: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
    props: Props,
}

impl<'a> Attachment<'a> {
    /// False where its properties are damaged.
    fn put(&mut self, id: u32, data: &'a [u8]) -> bool {
        match id {
            attribute::ATTACHMENT_DATA => self.data = self.data.or(Some(data)),
            attribute::ATTACHMENT_TITLE => self.title = self.title.or(Some(data)),
            _ => return props::read(data, &mut self.props),
        }
        true
    }
}

/// The row of attributes. It ends at the first that cannot be one.
struct Attributes<'a> {
    rest: &'a [u8],
    damaged: bool,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.damaged {
            return None;
        }
        let (level, head) = self.rest.split_first()?;
        let lengths = head.get(..8).filter(|_| matches!(level, 1 | 2));
        let Some(lengths) = lengths else {
            self.damaged = true;
            return None;
        };
        let (id, length) = (word(&lengths[..4]), usize::try_from(word(&lengths[4..])).unwrap_or(usize::MAX));
        let data = &head[8..];
        // Two bytes of checksum follow, which nobody agrees on.
        self.rest = length.checked_add(2).and_then(|end| data.get(end..)).unwrap_or_default();
        self.damaged = length > data.len();
        Some((id, &data[..length.min(data.len())]))
    }
}

/// Four bytes as a number; there are four.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |all, byte| (all << 8) | u32::from(*byte))
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(*bytes.get(at)?) | usize::from(*bytes.get(at + 1)?) << 8)
}

/// Who sent it, in the oldest form: four lengths, a name, an address with its kind in front.
fn triple(data: &[u8]) -> Option<Mailbox> {
    let (name, address) = (short(data, 4)?, short(data, 6)?);
    let text = |from: usize, length: usize| {
        let bytes = data.get(from..from.checked_add(length)?)?;
        Some(String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned())
    };
    let (name, address) = (text(8, name)?, text(8 + name, address)?);
    let (kind, address) = address.split_once(':')?;
    let address = if kind.eq_ignore_ascii_case("SMTP") { address } else { "" };
    Some(fields::mailbox(&name, address)).filter(|one| *one != Mailbox::default())
}

/// When it was sent, in the oldest form: seven numbers, taken for UTC.
fn sent(data: &[u8]) -> Option<i64> {
    let part = |at: usize| short(data, 2 * at).and_then(|it| i8::try_from(it).ok());
    let year = i16::try_from(short(data, 0)?).ok()?;
    let date = jiff::civil::DateTime::new(year, part(1)?, part(2)?, part(3)?, part(4)?, part(5)?, 0).ok()?;
    let time = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some((time.as_second() + 11_644_473_600) * 10_000_000)
}
