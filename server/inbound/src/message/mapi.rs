//! Properties of Outlook's messages (MS-OXPROPS), which a `winmail.dat` and a `.msg` hold in containers of their own.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use postroom_domain::mail::{Mail, MailKind, Mailbox, Protection};

use super::eml::Place;
use super::fields;
use super::limits::Limits;
use super::tray::Found;
use super::{kind, rtf, text};

/// The properties that are looked at, by their numbers.
pub(super) mod id {
    pub(crate) const CLASS: u16 = 0x001a;
    pub(crate) const SUBJECT: u16 = 0x0037;
    pub(crate) const SENT: u16 = 0x0039;
    pub(crate) const FROM_NAME: u16 = 0x0042;
    pub(crate) const FROM_TYPE: u16 = 0x0064;
    pub(crate) const FROM_ADDRESS: u16 = 0x0065;
    pub(crate) const HEADERS: u16 = 0x007d;
    pub(crate) const RECIPIENT_KIND: u16 = 0x0c15;
    pub(crate) const SENDER_NAME: u16 = 0x0c1a;
    pub(crate) const SENDER_TYPE: u16 = 0x0c1e;
    pub(crate) const SENDER_ADDRESS: u16 = 0x0c1f;
    pub(crate) const DELIVERED: u16 = 0x0e06;
    pub(crate) const BODY: u16 = 0x1000;
    pub(crate) const RTF: u16 = 0x1009;
    pub(crate) const HTML: u16 = 0x1013;
    pub(crate) const MESSAGE_ID: u16 = 0x1035;
    pub(crate) const REFERENCES: u16 = 0x1039;
    pub(crate) const IN_REPLY_TO: u16 = 0x1042;
    pub(crate) const NAME: u16 = 0x3001;
    pub(crate) const ADDRESS_TYPE: u16 = 0x3002;
    pub(crate) const ADDRESS: u16 = 0x3003;
    pub(crate) const DATA: u16 = 0x3701;
    pub(crate) const SHORT_FILE_NAME: u16 = 0x3704;
    pub(crate) const FILE_NAME: u16 = 0x3707;
    pub(crate) const MEDIA_TYPE: u16 = 0x370e;
    pub(crate) const CONTENT_ID: u16 = 0x3712;
    pub(crate) const SMTP_ADDRESS: u16 = 0x39fe;
    pub(crate) const CODE_PAGE: u16 = 0x3ffd;
    pub(crate) const INTERNET_CODE_PAGE: u16 = 0x3fde;
    pub(crate) const SENDER_SMTP: u16 = 0x5d01;
    pub(crate) const FROM_SMTP: u16 = 0x5d02;
    pub(crate) const HIDDEN: u16 = 0x7ffe;
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Whole numbers and yes or no.
    Number(i64),
    /// Tenths of microseconds since 1601.
    Time(i64),
    Text(String),
    /// Text in the code page of the message.
    Narrow(Vec<u8>),
    Bytes(Vec<u8>),
    /// Something with an inside of its own.
    Object(Vec<u8>),
}

/// The properties of a message, an attachment or a recipient.
#[derive(Debug, Default)]
pub(super) struct Props {
    values: BTreeMap<u16, Value>,
    /// The code page where the container names it.
    pub(super) code_page: Option<i64>,
}

impl Props {
    /// Keeps a value; the first of a number counts.
    pub(super) fn put(&mut self, id: u16, value: Value) {
        self.values.entry(id).or_insert(value);
    }

    pub(super) fn has(&self, id: u16) -> bool {
        self.values.contains_key(&id)
    }

    pub(super) fn number(&self, id: u16) -> Option<i64> {
        match self.values.get(&id)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn bytes(&self, id: u16) -> Option<&[u8]> {
        match self.values.get(&id)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn object(&self, id: u16) -> Option<&[u8]> {
        match self.values.get(&id)? {
            Value::Object(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn time(&self, id: u16) -> Option<Timestamp> {
        /// Seconds from 1601 to 1970.
        const EPOCH: i64 = 11_644_473_600;
        let Value::Time(time) = self.values.get(&id)? else { return None };
        let second = time.div_euclid(10_000_000) - EPOCH;
        Timestamp::from_second(second).ok().and_then(fields::sane)
    }

    /// A text without what ends it in memory; none where it is empty.
    pub(super) fn text(&self, id: u16) -> Option<String> {
        let text = match self.values.get(&id)? {
            Value::Text(text) => text.clone(),
            Value::Narrow(bytes) => narrow(bytes, self.code_page.or_else(|| self.number(id::CODE_PAGE))),
            Value::Bytes(bytes) if id == id::HTML => narrow(bytes, self.number(id::INTERNET_CODE_PAGE)),
            _ => return None,
        };
        Some(text.trim_end_matches('\0').to_owned()).filter(|text| !text.is_empty())
    }

    fn line(&self, id: u16) -> Option<String> {
        self.text(id).map(|text| fields::unfolded(&text)).filter(|text| !text.is_empty())
    }

    /// Somebody: by the SMTP address, where there is one; else by the address that is one. Addresses inside of Exchange mean nothing outside.
    fn somebody(&self, name: u16, smtp: u16, kind: u16, address: u16) -> Option<Mailbox> {
        let is_smtp = |text: &String| text.contains('@') && !text.starts_with('/');
        let by_kind = || {
            let smtp = self.line(kind).is_none_or(|kind| kind.eq_ignore_ascii_case("SMTP"));
            self.line(address).filter(|text| smtp && is_smtp(text))
        };
        let name = self.line(name).unwrap_or_default();
        let address = self.line(smtp).filter(is_smtp).or_else(by_kind).unwrap_or_default();
        let one = fields::mailbox(&name, &address);
        (one != Mailbox::default()).then_some(one)
    }

    /// A recipient.
    pub(super) fn recipient(&self) -> Option<Mailbox> {
        self.somebody(id::NAME, id::SMTP_ADDRESS, id::ADDRESS_TYPE, id::ADDRESS)
    }

    /// What these properties say of a message.
    pub(super) fn mail(&self, limits: &Limits) -> Mail {
        let ids = |id| self.text(id).map(|text| fields::ids(&text, limits.people)).unwrap_or_default();
        let from = self.somebody(id::FROM_NAME, id::FROM_SMTP, id::FROM_TYPE, id::FROM_ADDRESS);
        let sender = self.somebody(id::SENDER_NAME, id::SENDER_SMTP, id::SENDER_TYPE, id::SENDER_ADDRESS);
        let subject = self.line(id::SUBJECT).unwrap_or_default();
        let class = self.line(id::CLASS).unwrap_or_default().to_ascii_lowercase();
        Mail {
            id: ids(id::MESSAGE_ID).into_iter().next(),
            in_reply_to: ids(id::IN_REPLY_TO),
            references: ids(id::REFERENCES),
            forwarded: kind::says_forwarded(&subject),
            subject,
            sender: sender
                .clone()
                .filter(|sender| from.as_ref().is_some_and(|from| from.address != sender.address)),
            from: from.or(sender),
            date: self.time(id::SENT).or_else(|| self.time(id::DELIVERED)),
            text: text::cut(&self.body(limits), limits.text).to_owned(),
            kind: kind_of(&class),
            protection: protection_of(&class),
            ..Mail::default()
        }
    }

    /// The text, in the first form that has one.
    fn body(&self, limits: &Limits) -> String {
        let most = limits.text.saturating_mul(8);
        let filled = |text: &String| !text.trim().is_empty();
        (self.text(id::BODY).filter(filled))
            .or_else(|| self.text(id::HTML).map(|html| text::of_html(&html, most)).filter(filled))
            .or_else(|| {
                self.bytes(id::RTF).and_then(|packed| rtf::unpacked(packed, most)).map(|it| rtf::text(&it))
            })
            .unwrap_or_default()
    }

    /// What the HTML refers to.
    pub(super) fn shown(&self, limits: &Limits) -> HashSet<String> {
        let html = self.text(id::HTML).unwrap_or_default();
        text::content_ids(text::cut(&html, limits.text.saturating_mul(8))).take(limits.parts).collect()
    }

    /// The file name of an attachment: the long one, the short one, or what it is shown as.
    pub(super) fn file_name(&self) -> Option<String> {
        [id::FILE_NAME, id::SHORT_FILE_NAME, id::NAME].into_iter().find_map(|id| self.line(id))
    }

    /// An attachment, as it is laid down. A small picture is inline where the text shows it or where Outlook hides it.
    pub(super) fn found(&self, shown: &HashSet<String>, size: usize, place: Place, limits: &Limits) -> Found {
        let content_id = self.line(id::CONTENT_ID).map(|id| id.trim_matches(['<', '>']).to_owned());
        let name = self.file_name();
        let told = self.line(id::MEDIA_TYPE).map(|told| told.to_ascii_lowercase());
        let told =
            told.filter(|told| told.contains('/')).unwrap_or_else(|| "application/octet-stream".to_owned());
        let extension =
            name.as_deref().and_then(|name| name.rsplit_once('.')).map(|it| it.1.to_ascii_lowercase());
        let picture = told.starts_with("image/")
            || extension
                .is_some_and(|it| ["png", "jpg", "jpeg", "gif", "bmp", "emz", "wmz"].contains(&it.as_str()));
        let is_shown = content_id.as_ref().is_some_and(|id| shown.contains(&id.to_lowercase()));
        let hidden = self.number(id::HIDDEN).is_some_and(|it| it != 0);
        Found {
            name,
            called: None,
            told,
            inline: picture && size <= limits.small_picture && (is_shown || hidden),
            depth: place.depth,
            inside: place.inside,
            content_id,
        }
    }
}

/// Text in a code page.
fn narrow(bytes: &[u8], code_page: Option<i64>) -> String {
    let label = code_page.map(charset);
    text::decoded(bytes, label.as_deref()).0
}

fn kind_of(class: &str) -> MailKind {
    // The first names are those of Microsoft Mail, which a winmail.dat still uses.
    if class == "ipm.microsoft mail.read receipt" {
        MailKind::ReadReceipt
    } else if class == "ipm.microsoft mail.non-delivery" {
        MailKind::DeliveryReport
    } else if class.starts_with("report.") {
        let receipt = matches!(class.rsplit('.').next(), Some("ipnrn" | "ipnnrn"));
        if receipt { MailKind::ReadReceipt } else { MailKind::DeliveryReport }
    } else if class.contains(".schedule.meeting") || class.starts_with("ipm.appointment") {
        MailKind::Calendar
    } else if class.starts_with("ipm.note.rules.") && class.contains("template") {
        MailKind::AutoReply
    } else {
        MailKind::Letter
    }
}

fn protection_of(class: &str) -> Protection {
    if class.starts_with("ipm.note.smime.multipartsigned") {
        Protection::Signed
    } else if class.starts_with("ipm.note.smime") || class.starts_with("ipm.note.secure") {
        Protection::Encrypted
    } else {
        Protection::None
    }
}

/// The name of a code page of Windows as a character set.
pub(super) fn charset(code_page: i64) -> String {
    match code_page {
        65001 => "utf-8".to_owned(),
        1200 => "utf-16le".to_owned(),
        20127 => "us-ascii".to_owned(),
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        10000 => "macintosh".to_owned(),
        20866 => "koi8-r".to_owned(),
        21866 => "koi8-u".to_owned(),
        51932 => "euc-jp".to_owned(),
        54936 => "gb18030".to_owned(),
        50220..=50222 => "iso-2022-jp".to_owned(),
        28591..=28606 => format!("iso-8859-{}", code_page - 28590),
        874 | 1250..=1258 => format!("windows-{code_page}"),
        other => format!("cp{other}"),
    }
}
