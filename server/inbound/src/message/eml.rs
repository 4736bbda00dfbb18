//! An e-mail as it travels. What its parts are to it is decided here:
//!
//! * A text without a file name is the message's own text, and no part. Everything else is listed.
//! * A picture is **inline** where the HTML of its message shows it, or where it came beside that HTML (`multipart/related`) and does not
//!   call itself an attachment, and where it is small besides: logos of signatures, letterheads. A large one may be what matters.
//! * Signatures, what goes with encryption, and what reports say to machines are inline.
//! * Everything else is an attachment, whatever it calls itself: PDFs are sent inline by people who never knew that they did so.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use postroom_domain::mail::{Mail, MailKind, Protection};

use super::fields::{self, Fields};
use super::kind::{self, Seen};
use super::limits::Limits;
use super::mime::{Disposition, Shape, Told};
use super::part::Content;
use super::transfer::Encoding;
use super::tray::{Found, Tray};
use super::tree::{self, Entity, Tree};
use super::warning::{Refused, Warning};
use super::{Message, Trusted, dmarc, msg, protection, text, tnef};

/// Where a message that is read lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its bytes are those that were handed in, and parts can be told as places in them.
    pub(super) is_raw: bool,
    /// Levels above it.
    pub(super) level: usize,
    /// Messages above it.
    pub(super) depth: usize,
    /// The part that it is.
    pub(super) inside: Option<usize>,
}

/// Reads an e-mail.
pub(super) fn read(raw: &[u8], limits: &Limits, trusted: &Trusted) -> Result<Message, Refused> {
    let mut tray = Tray::new(limits);
    let place = Place { is_raw: true, level: 0, depth: 0, inside: None };
    let tree = tree::walk(raw, limits, 0)?;
    let mail = mail(raw, &tree, trusted, &mut tray);
    let mail = Reading::new(raw, &tree, place, &mut tray).parts(mail);
    Ok(tray.message(mail))
}

/// Lists what a message inside of something carries. One that cannot be opened stays closed.
pub(super) fn unpack(bytes: &[u8], place: Place, tray: &mut Tray<'_>) {
    match tree::walk(bytes, tray.limits, place.level) {
        Ok(tree) => {
            let _ = Reading::new(bytes, &tree, place, tray).parts(Mail::default());
        }
        Err(why) => {
            let name = place.inside.map(|at| tray.title(at)).unwrap_or_default();
            tray.warnings.push(Warning::Closed { name, why: why.to_string() });
        }
    }
}

/// What the header fields of the outermost message say.
fn mail(raw: &[u8], tree: &Tree, trusted: &Trusted, tray: &mut Tray<'_>) -> Mail {
    let Some(root) = tree.entities.first() else { return Mail::default() };
    let block = &raw[root.headers.clone()];
    let fields = Fields::read(&block[..block.len().min(tray.limits.headers)]);
    if fields.is_empty() {
        tray.warnings.push(Warning::NoHeaders);
    }
    let mut mail = fields.mail(tray.limits, &mut tray.warnings);
    mail.dmarc = dmarc::found(&fields, trusted);
    let outermost = || tree.entities.iter().filter(|it| it.depth == 0);
    let seen = Seen {
        delivery_status: outermost().any(|it| it.told.is_report("delivery-status")),
        disposition: outermost().any(|it| it.told.is_report("disposition-notification")),
        calendar: outermost().any(|it| it.told.is("text", "calendar")),
    };
    let answers = !mail.in_reply_to.is_empty() || !mail.references.is_empty();
    mail.kind = kind::of(&fields, &seen, &mail.subject, answers);
    let is_report = matches!(mail.kind, MailKind::DeliveryReport | MailKind::ReadReceipt);
    if is_report {
        let answered = || mail.in_reply_to.first().or(mail.references.last()).cloned();
        let told = about(raw, tree, tray.limits).or_else(answered);
        mail.about.extend(told);
    }
    let carries_message = outermost().any(|it| {
        let in_digest = it.parent.is_some_and(|at| tree.entities[at].told.is_multipart("digest"));
        it.told.shape == Shape::Message && it.parent.is_some() && !in_digest
    });
    mail.forwarded = kind::says_forwarded(&mail.subject) || (carries_message && !is_report);
    mail.protection =
        outermost().map(|it| protection::of_multipart(&it.told)).fold(Protection::None, protection::stronger);
    mail
}

/// The message that a report tells of: first by what came back of it.
fn about(raw: &[u8], tree: &Tree, limits: &Limits) -> Option<postroom_domain::mail::MessageId> {
    let within = |wanted: &dyn Fn(&Told) -> bool| {
        let mut parts = tree.entities.iter().filter(|it| it.depth == 0 && wanted(&it.told));
        parts.find_map(|it| {
            let (bytes, _) = it.told.encoding.decode(&raw[it.body.clone()]);
            kind::id_within(&bytes, limits.headers)
        })
    };
    within(&|told| {
        told.is("message", "disposition-notification")
            || told.is("message", "global-disposition-notification")
    })
    .or_else(|| within(&|told| told.shape == Shape::Message))
    .or_else(|| within(&|told| told.is("text", "rfc822-headers")))
    .or_else(|| within(&|told| told.is("message", "delivery-status")))
    .or_else(|| within(&Told::is_text))
}

struct Reading<'a, 'b, 'l> {
    raw: &'a [u8],
    tree: &'a Tree,
    place: Place,
    tray: &'b mut Tray<'l>,
    /// Where the messages of this tree lie in the list.
    laid: HashMap<usize, usize>,
    /// What the HTML of each message refers to.
    shown: HashMap<Option<usize>, HashSet<String>>,
}

impl<'a, 'b, 'l> Reading<'a, 'b, 'l> {
    fn new(raw: &'a [u8], tree: &'a Tree, place: Place, tray: &'b mut Tray<'l>) -> Self {
        Self { raw, tree, place, tray, laid: HashMap::new(), shown: HashMap::new() }
    }

    /// Lists all parts, and puts the text into the mail.
    fn parts(mut self, mut mail: Mail) -> Mail {
        if self.place.depth == 0 {
            self.tray.warnings.extend(self.tree.warnings.iter().cloned());
            self.tray.subject.clone_from(&mail.subject);
        }
        mail.text = self.texts();
        mail.protection = protection::stronger(mail.protection, protection::of_text(&mail.text));
        if self.tree.too_many {
            self.tray.too_many();
            return mail;
        }
        for (at, entity) in self.tree.entities.iter().enumerate() {
            if self.tray.is_over() {
                break;
            }
            if self.depth(entity) > self.tray.limits.expand {
                continue;
            }
            match entity.shape {
                Shape::Multipart => {}
                Shape::Message => self.message(at, entity),
                Shape::Leaf if is_own_text(entity) => {}
                Shape::Leaf => self.leaf(entity, &mut mail),
            }
        }
        mail
    }

    fn depth(&self, entity: &Entity) -> usize {
        self.place.depth + entity.depth
    }

    fn bytes(&self, entity: &Entity) -> &'a [u8] {
        &self.raw[entity.body.clone()]
    }

    /// The part in which an entity lies.
    fn inside(&self, entity: &Entity) -> Option<usize> {
        entity.owner.map_or(self.place.inside, |owner| self.laid.get(&owner).copied())
    }

    /// A message that stands there as it is.
    fn message(&mut self, at: usize, entity: &Entity) {
        let found = Found { called: self.subject_of(at), ..self.found(entity, false) };
        let bytes = self.bytes(entity);
        let content = self.content(entity, Cow::Borrowed(bytes));
        let Some(laid) = self.tray.add(found, bytes, content) else { return };
        self.laid.insert(at, laid.at);
        if self.depth(entity) >= self.tray.limits.expand {
            self.tray.left_inside(laid.at);
        }
    }

    /// The subject of the message that stands in a part, as its file name.
    fn subject_of(&self, at: usize) -> Option<String> {
        let root = self.tree.entities.iter().find(|it| it.parent == Some(at))?;
        subject_as_name(&self.raw[root.headers.clone()], self.tray.limits)
    }

    fn leaf(&mut self, entity: &Entity, mail: &mut Mail) {
        let written = self.bytes(entity);
        let (bytes, well) = entity.told.encoding.decode(written);
        // An empty part that has no name is the space between two boundaries.
        if bytes.is_empty() && entity.told.name.is_none() {
            return;
        }
        if matches!(bytes, Cow::Owned(_)) && !self.tray.take(bytes.len()) {
            return;
        }
        let outermost = self.place.depth == 0 && entity.depth == 0;
        if outermost {
            mail.protection =
                protection::stronger(mail.protection, protection::of_leaf(&entity.told, &bytes));
        }
        let mut found = self.found(entity, self.is_inline(entity, bytes.len()));
        let is_message = entity.told.shape == Shape::Message;
        if is_message {
            let end = bytes
                .windows(2)
                .position(|it| it == b"\n\n")
                .or_else(|| bytes.windows(4).position(|it| it == b"\r\n\r\n"));
            found.called = subject_as_name(&bytes[..end.unwrap_or(bytes.len())], self.tray.limits);
        }
        if !well {
            let shown = found.name.clone().unwrap_or_else(|| found.told.clone());
            self.tray.warnings.push(Warning::BrokenEncoding(shown));
        }
        let content = self.content(entity, bytes.clone());
        let Some(laid) = self.tray.add(found, &bytes, content) else { return };
        if laid.new {
            self.open(entity, &bytes, laid.at, mail);
        }
    }

    /// Opens what holds more: a message that was encoded, an Outlook file, a `winmail.dat`.
    fn open(&mut self, entity: &Entity, bytes: &[u8], at: usize, mail: &mut Mail) {
        let depth = self.depth(entity);
        let is_message = entity.told.shape == Shape::Message;
        let is_msg = msg::looks_like(bytes) && msg::is_named(&self.tray.title(at), &entity.told.media_type());
        let within = Place { is_raw: false, level: entity.level + 1, depth: depth + 1, inside: Some(at) };
        if tnef::looks_like(bytes) {
            let held = tnef::unpack(bytes, Place { depth, ..within }, self.tray);
            if depth == 0 && mail.text.trim().is_empty() {
                text::cut(&held.text, self.tray.limits.text).clone_into(&mut mail.text);
            }
        } else if (is_message || is_msg) && depth >= self.tray.limits.expand {
            self.tray.left_inside(at);
        } else if is_message {
            unpack(bytes, within, self.tray);
        } else if is_msg {
            msg::unpack(bytes, within, self.tray);
        }
    }

    fn content(&self, entity: &Entity, bytes: Cow<'_, [u8]>) -> Content {
        match bytes {
            Cow::Borrowed(_) if self.place.is_raw => Content::Raw(entity.body.clone()),
            bytes => Content::Bytes(bytes.into_owned()),
        }
    }

    fn found(&self, entity: &Entity, inline: bool) -> Found {
        Found {
            name: entity.told.name.clone(),
            called: None,
            told: entity.told.media_type(),
            inline,
            depth: self.depth(entity),
            inside: self.inside(entity),
            content_id: entity.told.content_id.clone(),
        }
    }

    fn is_inline(&self, entity: &Entity, size: usize) -> bool {
        let told = &entity.told;
        if protection::is_machinery(told) {
            return true;
        }
        if !told.is_picture() || size > self.tray.limits.small_picture {
            return false;
        }
        let shown = self.shown.get(&entity.owner).is_some_and(|shown| {
            told.content_id.as_ref().is_some_and(|id| shown.contains(&id.to_lowercase()))
        });
        let beside = entity.parent.is_some_and(|at| self.tree.entities[at].told.is_multipart("related"));
        shown || (beside && told.disposition != Disposition::Attachment)
    }

    /// The text of the message, and what the HTML of every message refers to.
    fn texts(&mut self) -> String {
        let limits = self.tray.limits;
        let mut plain: Vec<String> = Vec::new();
        let mut from_html: Vec<String> = Vec::new();
        let (mut length, mut cut_off) = (0, false);
        for entity in self.tree.entities.iter().filter(|it| it.shape == Shape::Leaf && is_own_text(it)) {
            let outermost = self.place.depth == 0 && entity.depth == 0;
            let is_html = entity.told.is_html();
            if !outermost && !is_html {
                continue;
            }
            let written = self.bytes(entity);
            // No more of it is decoded than could be kept: three letters of an encoding stand for one byte at worst, and markup is many
            // times its text.
            let most = limits.text.saturating_mul(if is_html { 8 } else { 4 });
            let written = &written[..written.len().min(most)];
            let (bytes, well) = entity.told.encoding.decode(written);
            let (text, unknown) = text::decoded(&bytes, entity.told.charset.as_deref());
            if is_html {
                self.shown
                    .entry(entity.owner)
                    .or_default()
                    .extend(text::content_ids(&text).take(limits.parts));
            }
            if !outermost || length > limits.text {
                cut_off |= outermost;
                continue;
            }
            if !well {
                self.tray.warnings.push(Warning::BrokenEncoding(entity.told.media_type()));
            }
            self.tray.warnings.extend(unknown.map(Warning::UnknownCharset));
            let text = if is_html { text::of_html(&text, most) } else { text };
            length += text.len();
            if is_html && self.has_plain_sibling(entity) {
                from_html.push(text);
            } else {
                plain.push(text);
            }
        }
        let mut text = plain.join("\n");
        // Some programs send a plain text with nothing in it beside the HTML.
        if text.trim().is_empty() {
            text = from_html.join("\n");
        }
        if cut_off || text.len() > limits.text {
            self.tray.warnings.push(Warning::TextCut);
        }
        text::cut(&text, limits.text).to_owned()
    }

    /// Whether the same text stands there plain as well.
    fn has_plain_sibling(&self, html: &Entity) -> bool {
        let alternative = std::iter::successors(html.parent, |at| self.tree.entities[*at].parent)
            .find(|at| self.tree.entities[*at].told.is_multipart("alternative"));
        let Some(alternative) = alternative else { return false };
        self.tree.entities.iter().any(|it| {
            it.shape == Shape::Leaf
                && is_own_text(it)
                && !it.told.is_html()
                && std::iter::successors(it.parent, |at| self.tree.entities[*at].parent)
                    .any(|at| at == alternative)
        })
    }
}

/// A text that is the message's own and not a file: without a name, and not called an attachment. What has no type that could be read
/// is text; so is a multipart that has no parts.
fn is_own_text(entity: &Entity) -> bool {
    let told = &entity.told;
    let is_whole = entity.parent.is_none();
    let is_text = told.is_text() || (told.shape == Shape::Multipart && entity.shape == Shape::Leaf);
    is_text
        && (is_whole || told.name.is_none() && told.disposition != Disposition::Attachment)
        && told.encoding != Encoding::Uu
}

fn subject_as_name(block: &[u8], limits: &Limits) -> Option<String> {
    let fields = Fields::read(&block[..block.len().min(limits.part_headers.saturating_mul(4))]);
    let subject = fields.text(&mail_parser::HeaderName::Subject).filter(|subject| !subject.is_empty())?;
    Some(format!("{}.eml", fields::unfolded(text::cut(&subject, 200))))
}
