//! What sort of message it is, and which message a report tells of.

use mail_parser::HeaderName;
use postroom_domain::mail::{MailKind, MessageId};

use super::fields::{self, Fields};

/// Words in front of a subject by which mail programs say that they pass a message on.
const FORWARD: &[&str] = &[
    "fw",
    "fwd",
    "wg",
    "tr",
    "rv",
    "enc",
    "doorst",
    "vb",
    "vs",
    "vl",
    "vá",
    "pd",
    "rif",
    "i",
    "fs",
    "trs",
    "továbbítás",
    "ilt",
    "i̇lt",
    "ilet",
    "прд",
    "пересл",
    "πρθ",
    "redir",
    "redirect",
    "res env",
    "転送",
    "转发",
    "轉寄",
    "전달",
    "הועבר",
    "إعادة توجيه",
];

/// Words with which automatic answers begin.
const AUTOMATIC: &[&str] = &[
    "automatic reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto:",
    "out of office",
    "out of the office",
    "automatische antwort",
    "abwesenheit",
    "abwesend",
    "réponse automatique",
    "absence",
    "absent",
    "respuesta automática",
    "fuera de",
    "risposta automatica",
    "automatisch antwoord",
    "afwezig",
    "resposta automática",
    "autosvar",
    "automatiskt svar",
    "automaattinen",
    "odpowiedź automatyczna",
    "автоматический ответ",
    "自動応答",
    "自动答复",
];

/// Whether a subject says that a message is passed on: its first word in front of a colon, after what gateways put in brackets.
pub(super) fn says_forwarded(subject: &str) -> bool {
    let mut rest = subject.trim_start();
    while let Some(bracketed) = rest.strip_prefix('[') {
        // Netscape put all of it in brackets.
        if begins_forwarded(bracketed) {
            return true;
        }
        let Some((_, after)) = bracketed.split_once(']') else { return false };
        rest = after.trim_start();
    }
    begins_forwarded(rest)
}

fn begins_forwarded(rest: &str) -> bool {
    let Some((word, _)) = rest.split_once([':', '：']) else { return false };
    // Some programs count: `Fwd[2]`, `FW (2)`.
    let word = word.split(['[', '(']).next().unwrap_or_default().trim();
    // A single letter is the word only as the program writes it.
    if word == "i" {
        return false;
    }
    let word = word.to_lowercase();
    FORWARD.contains(&word.as_str())
}

/// What the parts say that decides.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) delivery_status: bool,
    pub(super) disposition: bool,
    pub(super) calendar: bool,
}

/// The kind of a message that answers something or does not.
pub(super) fn of(fields: &Fields<'_>, seen: &Seen, subject: &str, answers: bool) -> MailKind {
    let null_path = fields.text(&HeaderName::ReturnPath).is_some_and(|path| path.trim() == "<>");
    if seen.disposition {
        MailKind::ReadReceipt
    } else if seen.delivery_status || (null_path && from_a_mailer(fields)) {
        MailKind::DeliveryReport
    } else if seen.calendar {
        MailKind::Calendar
    } else if is_automatic(fields, subject, answers, null_path) {
        MailKind::AutoReply
    } else if fields.first(&HeaderName::ListId).is_some() || small(fields, "Precedence") == "list" {
        MailKind::List
    } else {
        MailKind::Letter
    }
}

fn small(fields: &Fields<'_>, name: &'static str) -> String {
    fields.other(name).unwrap_or_default().to_ascii_lowercase()
}

/// A mail server writes: in its older forms a report has no part for machines.
fn from_a_mailer(fields: &Fields<'_>) -> bool {
    let from = fields.people(&HeaderName::From, 1);
    from.first()
        .and_then(|it| it.address.split('@').next())
        .is_some_and(|name| matches!(name, "mailer-daemon" | "postmaster"))
}

/// One sure sign is enough. Of the others, which notices by machines carry too (a court's among them, which somebody must read), two
/// are wanted on an answer, or one under a subject that says so.
fn is_automatic(fields: &Fields<'_>, subject: &str, answers: bool, null_path: bool) -> bool {
    let submitted = small(fields, "Auto-Submitted");
    let submitted = submitted.split(';').next().unwrap_or_default().trim();
    let precedence = small(fields, "Precedence");
    let is_there = |name| fields.other(name).is_some_and(|text| !text.is_empty());
    if submitted == "auto-replied"
        || precedence == "auto_reply"
        || small(fields, "X-Precedence") == "auto_reply"
        || is_there("X-Autoreply")
        || is_there("X-Autorespond")
        || is_there("X-Autoresponder")
    {
        return true;
    }
    let signs = [
        submitted == "auto-generated" || submitted == "auto-notified",
        is_there("X-Auto-Response-Suppress"),
        matches!(precedence.as_str(), "bulk" | "junk"),
        null_path,
    ];
    let signs = signs.into_iter().filter(|sign| *sign).count();
    let subject = subject.trim_start().to_lowercase();
    let says_so = AUTOMATIC.iter().any(|word| subject.starts_with(word));
    (signs >= 2 && answers) || (signs >= 1 && says_so)
}

/// The id of the message that a report tells of, out of what it carries: of the returned message or its header fields, of a receipt, or,
/// in the end, of the text.
pub(super) fn id_within(bytes: &[u8], most: usize) -> Option<MessageId> {
    let block = &bytes[..bytes.len().min(most)];
    // Reports have several blocks of fields, with empty lines between them.
    let lines = block.split(|byte| *byte == b'\n').skip_while(|line| {
        let line = line.trim_ascii_start();
        !["Message-ID:", "Original-Message-ID:", "X-Original-Message-ID:"].iter().any(|name| {
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        })
    });
    // The id may stand on the line after the name.
    let text: Vec<u8> = lines.take(2).collect::<Vec<_>>().join(&b' ');
    let text = String::from_utf8_lossy(&text);
    let (_, value) = text.split_once(':')?;
    fields::ids(value, 1).pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_says_that_a_message_is_passed_on() {
        for (subject, wanted) in [
            ("Fwd: Lease", true),
            ("FW: Lease", true),
            ("WG: Mietvertrag", true),
            ("TR : Bail", true),
            ("RV: Contrato", true),
            ("ENC: Contrato", true),
            ("VS: Sopimus", true),
            ("I: Contratto", true),
            ("i: think", false),
            ("[EXTERNAL] Fw: Lease", true),
            ("[EXT][x] Fwd[2]: Lease", true),
            ("FW (2): Lease", true),
            ("转发：合同", true),
            ("RE: FW: Lease", false),
            ("Forwarding agents: rates", false),
            ("Lease", false),
            ("", false),
            ("[", false),
            ("[Fwd: Lease]", true),
            ("[Re: [Fwd: Lease]]", false),
        ] {
            assert_eq!(says_forwarded(subject), wanted, "{subject}");
        }
    }

    #[test]
    fn kinds_by_their_fields() {
        let bare = Seen::default();
        let receipt = Seen { disposition: true, ..Seen::default() };
        let report = Seen { delivery_status: true, ..Seen::default() };
        let meeting = Seen { calendar: true, ..Seen::default() };
        for (block, seen, answers, wanted) in [
            ("From: a@x.example\n", &bare, true, MailKind::Letter),
            ("Auto-Submitted: auto-replied\n", &bare, false, MailKind::AutoReply),
            ("auto-submitted: Auto-Replied; owner-email=\"a\"\n", &bare, false, MailKind::AutoReply),
            ("Auto-Submitted: no\n", &bare, true, MailKind::Letter),
            // A court's machine tells of a hearing.
            ("Auto-Submitted: auto-generated\nPrecedence: bulk\n", &bare, false, MailKind::Letter),
            (
                "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n",
                &bare,
                true,
                MailKind::AutoReply,
            ),
            ("X-Auto-Response-Suppress: All\n", &bare, true, MailKind::Letter),
            (
                "X-Auto-Response-Suppress: All\nSubject: Automatic reply: Lease\n",
                &bare,
                false,
                MailKind::AutoReply,
            ),
            ("Subject: Automatic reply: Lease\n", &bare, true, MailKind::Letter),
            ("Return-Path: <>\nSubject: Abwesenheitsnotiz\n", &bare, false, MailKind::AutoReply),
            ("Precedence: auto_reply\n", &bare, false, MailKind::AutoReply),
            ("X-Autoreply: yes\n", &bare, false, MailKind::AutoReply),
            ("Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\n", &bare, false, MailKind::DeliveryReport),
            ("From: MAILER-DAEMON@mx.example\n", &bare, false, MailKind::Letter),
            ("List-Id: <news.x.example>\n", &bare, false, MailKind::List),
            (
                "List-ID: News <news.x.example>\nAuto-Submitted: auto-replied\n",
                &bare,
                false,
                MailKind::AutoReply,
            ),
            ("Precedence: list\n", &bare, false, MailKind::List),
            ("Auto-Submitted: auto-replied\n", &receipt, false, MailKind::ReadReceipt),
            ("Auto-Submitted: auto-replied\n", &report, false, MailKind::DeliveryReport),
            ("List-Id: <a.b>\n", &meeting, false, MailKind::Calendar),
        ] {
            let fields = Fields::read(block.as_bytes());
            let subject = fields.text(&HeaderName::Subject).unwrap_or_default();
            assert_eq!(of(&fields, seen, &subject, answers), wanted, "{block}");
        }
    }

    #[test]
    fn reports_tell_of_a_message() {
        for (text, wanted) in [
            ("Reporting-MTA: dns; x\n\nOriginal-Message-ID: <a@x>\n", Some("a@x")),
            ("From: a\nmessage-id: <a@x>\nTo: b\n", Some("a@x")),
            ("Message-ID:\n <a@x>\n", Some("a@x")),
            ("Message-ID:\n", None),
            ("In-Reply-To: <a@x>\n", None),
            ("", None),
        ] {
            assert_eq!(id_within(text.as_bytes(), 1000).as_ref().map(MessageId::as_str), wanted, "{text:?}");
        }
    }
}
