//! Outlook's own files (`.msg`, MS-OXMSG): a compound file with a storage for each attachment and recipient, and properties as streams.
//!
//! The container is opened by `cfb`; the properties are read here. A message inside is a storage inside, and comes out as a `.msg` of
//! its own, so that it can be filed and opened.

mod copy;
mod storage;

use postroom_domain::mail::{Mail, MailKind, Protection};

use super::eml::Place;
use super::fields::Fields;
use super::kind::{self, Seen};
use super::limits::Limits;
use super::mapi::{Props, id};
use super::part::Content;
use super::tray::Tray;
use super::warning::{Refused, Warning};
use super::{Message, Trusted, dmarc, protection};
use storage::{Container, Head};

/// Whether bytes begin as a compound file does. Old files of Word and Excel do so too.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
}

/// Whether a part calls itself one.
pub(super) fn is_named(name: &str, media_type: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.trim());
    extension.is_some_and(|it| it.eq_ignore_ascii_case("msg"))
        || matches!(media_type, "application/vnd.ms-outlook" | "application/msoutlook" | "application/x-msg")
}

/// Reads one.
pub(super) fn read(raw: &[u8], limits: &Limits, trusted: &Trusted) -> Result<Message, Refused> {
    let mut container = Container::open(raw).map_err(Refused::Unreadable)?;
    let props = container
        .props("/", Head::Message)
        .filter(is_message)
        .ok_or_else(|| Refused::Unreadable("it is a compound file, but no message".to_owned()))?;
    let mut tray = Tray::new(limits);
    let mut mail = mail(&props, &mut container, trusted, &mut tray);
    tray.subject.clone_from(&mail.subject);
    let place = Place { is_raw: false, level: 0, depth: 0, inside: None };
    mail.protection = attachments("/", &props, &mut container, place, &mut tray).unwrap_or(mail.protection);
    if container.damaged {
        tray.warnings.push(Warning::Damaged("the file of the message"));
    }
    Ok(tray.message(mail))
}

/// Lists what one carries that is a part of something. One that cannot be opened stays closed.
pub(super) fn unpack(bytes: &[u8], place: Place, tray: &mut Tray<'_>) {
    let why = match Container::open(bytes) {
        Ok(mut container) => match container.props("/", Head::Message).filter(is_message) {
            Some(props) => {
                let _ = attachments("/", &props, &mut container, place, tray);
                container.damaged.then(|| "it is damaged; what could be read was".to_owned())
            }
            None => Some("it is no message".to_owned()),
        },
        Err(why) => Some(why),
    };
    if let Some(why) = why {
        let name = place.inside.map(|at| tray.title(at)).unwrap_or_default();
        tray.warnings.push(Warning::Closed { name, why });
    }
}

/// A message has a class; Word's and Excel's files have no properties at all.
fn is_message(props: &Props) -> bool {
    props.has(id::CLASS) || props.has(id::SUBJECT) || props.has(id::BODY)
}

/// What its properties say, and its header fields where it kept them: those are what travelled.
fn mail(props: &Props, container: &mut Container<'_>, trusted: &Trusted, tray: &mut Tray<'_>) -> Mail {
    let limits = tray.limits;
    let told = props.mail(limits);
    let headers = props.text(id::HEADERS).unwrap_or_default();
    let block = &headers.as_bytes()[..headers.len().min(limits.headers)];
    if block.len() < headers.len() {
        tray.warnings.push(Warning::HeadersCut);
    }
    let fields = Fields::read(block);
    let mut mail = if fields.is_empty() { told.clone() } else { fields.mail(limits, &mut tray.warnings) };
    if !fields.is_empty() {
        mail.dmarc = dmarc::found(&fields, trusted);
        let answers = !mail.in_reply_to.is_empty() || !mail.references.is_empty();
        mail.kind = match told.kind {
            MailKind::Letter => kind::of(&fields, &seen(&fields), &mail.subject, answers),
            kind => kind,
        };
        mail.forwarded = kind::says_forwarded(&mail.subject) || told.forwarded;
        mail.text.clone_from(&told.text);
        mail.protection = told.protection;
        mail.id = mail.id.or(told.id);
        mail.from = mail.from.filter(|from| !from.address.is_empty()).or(told.from);
        mail.date = mail.date.or(told.date);
        if mail.subject.is_empty() {
            mail.subject = told.subject;
        }
    } else if mail.from.as_ref().is_none_or(|from| from.address.is_empty()) {
        tray.warnings.push(Warning::NoSender);
    }
    if mail.to.is_empty() && mail.cc.is_empty() {
        recipients(container, &mut mail, limits);
    }
    if matches!(mail.kind, MailKind::DeliveryReport | MailKind::ReadReceipt) {
        let about = mail.in_reply_to.first().or(mail.references.last()).cloned();
        mail.about.extend(about);
    }
    mail.protection = protection::stronger(mail.protection, protection::of_text(&mail.text));
    mail
}

/// What the type of the whole says; the parts themselves are gone.
fn seen(fields: &Fields<'_>) -> Seen {
    let told = super::mime::Told::read(fields, false);
    Seen {
        delivery_status: told.is_report("delivery-status"),
        disposition: told.is_report("disposition-notification"),
        calendar: told.is("text", "calendar"),
    }
}

fn recipients(container: &mut Container<'_>, mail: &mut Mail, limits: &Limits) {
    for path in container.children("/", "__recip_version1.0_").into_iter().take(limits.people) {
        let Some(props) = container.props(&path, Head::Part) else { continue };
        let Some(one) = props.recipient() else { continue };
        match props.number(id::RECIPIENT_KIND) {
            Some(1) | None => mail.to.push(one),
            Some(2) => mail.cc.push(one),
            // Those of whom nobody else is to know.
            Some(_) => {}
        }
    }
}

/// Lists the attachments of the message at a path; how they protect the message, where they do.
fn attachments(
    path: &str,
    message: &Props,
    container: &mut Container<'_>,
    place: Place,
    tray: &mut Tray<'_>,
) -> Option<Protection> {
    let shown = message.shown(tray.limits);
    let mut protects = None;
    for path in container.children(path, "__attach_version1.0_") {
        if tray.is_over() {
            break;
        }
        let Some(mut props) = container.props(&path, Head::Part) else { continue };
        props.code_page = message.code_page.or_else(|| message.number(id::CODE_PAGE));
        let object = format!("{path}/__substg1.0_3701000D");
        let inner = container.props(&object, Head::Inner).filter(is_message);
        let bytes = if container.is_storage(&object) {
            copy::out_of(container, &object, inner.is_some(), tray.limits.decoded)
        } else {
            props.bytes(id::DATA).map(<[u8]>::to_vec)
        };
        // A link to a file somewhere has no content.
        let Some(bytes) = bytes else { continue };
        if !tray.take(bytes.len()) {
            break;
        }
        let mut found = props.found(&shown, bytes.len(), place, tray.limits);
        if inner.is_some() {
            "application/vnd.ms-outlook".clone_into(&mut found.told);
            // The name of a storage is no file name.
            let subject = inner.as_ref().and_then(|it| it.text(id::SUBJECT)).or(found.name.take());
            found.called = subject.map(|it| format!("{}.msg", super::fields::unfolded(&it)));
        }
        if message.text(id::CLASS).is_some_and(|it| it.to_ascii_lowercase().starts_with("ipm.note.smime")) {
            protects = protection::of_cms(&bytes).or(protects);
        }
        let Some(laid) = tray.add(found, &bytes, Content::Bytes(bytes.clone())) else { break };
        let Some(inner) = inner.filter(|_| laid.new) else { continue };
        if place.depth < tray.limits.expand {
            let within = Place { depth: place.depth + 1, inside: Some(laid.at), ..place };
            let _ = attachments(&object, &inner, container, within, tray);
        } else {
            tray.left_inside(laid.at);
        }
    }
    protects
}
