//! What the header fields say.

use postroom_domain::mail::{Dmarc, MailKind, MessageId, Protection};

use super::super::Warning;
use super::{message, multipart};

#[test]
fn people_ids_and_subjects() {
    let read = message(
        "Authentication-Results: mx.firm.example; dmarc=pass\n\
         Authentication-Results: mx.firm.example; dmarc=fail\n\
         From: =?utf-8?Q?Anna_M=C3=BCller?= <Anna@X.example>\n\
         Sender: office@x.example\n\
         Reply-To: \"Anna, again\" <anna2@x.example>\n\
         To: team: b@firm.example, C <c@firm.example>;\n\
         Cc: d@firm.example,\n  \"Müller\" <e@firm.example>\n\
         Message-ID: <1@x.example>\n\
         In-Reply-To: <0@firm.example> (yesterday's)\n\
         References: <r1@x> <r2@x>\n\t<r1@x>\n\
         Subject: =?iso-8859-1?Q?Mietvertr=E4ge?= and\n more\n\
         Date: Tue, 3 Nov 2026 10:00:00 +0100\n\
         x-postroom-work-item: M-17; proof=abc\n\
         \n\
         Text\n",
    );
    let mail = read.mail;
    let from = mail.from.unwrap();
    assert_eq!((from.name.as_str(), from.address.as_str()), ("Anna Müller", "anna@x.example"));
    assert_eq!(mail.sender.unwrap().address, "office@x.example");
    assert_eq!(mail.reply_to[0].name, "Anna, again");
    let to: Vec<&str> = mail.to.iter().map(|it| it.address.as_str()).collect();
    assert_eq!(to, ["b@firm.example", "c@firm.example"]);
    assert_eq!(mail.cc[1].name, "Müller");
    assert_eq!(mail.id, MessageId::new("1@x.example"));
    assert_eq!(mail.in_reply_to, [MessageId::new("0@firm.example").unwrap()]);
    assert_eq!(mail.references, [MessageId::new("r1@x").unwrap(), MessageId::new("r2@x").unwrap()]);
    assert_eq!(mail.subject, "Mietverträge and more");
    assert_eq!(mail.date.unwrap().to_string(), "2026-11-03T09:00:00Z");
    assert_eq!(mail.marked.as_deref(), Some("M-17; proof=abc"));
    assert_eq!(mail.dmarc, Dmarc::Pass);
    assert_eq!(mail.text.trim(), "Text");
    assert_eq!((mail.kind, mail.protection, mail.forwarded), (MailKind::Letter, Protection::None, false));
    assert_eq!(read.warnings, []);
}

#[test]
fn fields_that_are_not_as_they_should_be() {
    let with = |fields: &str| message(&format!("{fields}\n\nText\n"));
    for (fields, warning) in [
        (
            "From: a@x.example\nDate: Thu, 1 Jan 1970 00:00:00 +0000",
            Some("its date cannot be one: Thu, 1 Jan 1970 00:00:00 +0000"),
        ),
        (
            "From: a@x.example\nDate: Sat, 1 Jan 2050 00:00:00 +0000",
            Some("its date cannot be one: Sat, 1 Jan 2050 00:00:00 +0000"),
        ),
        ("From: a@x.example\nDate: yesterday", Some("its date cannot be one: yesterday")),
        ("From: a@x.example\nDate:", Some("its date cannot be one: ")),
        ("From: a@x.example", None),
        ("Subject: x", Some("it names no sender")),
        ("From:", Some("it names no sender")),
        ("From: somebody", Some("it names no sender")),
        (
            "From: a@x.example\nFrom: b@x.example",
            Some("it has the field From more than once; the first counts"),
        ),
        (
            "From: a@x.example\nContent-Type: text/plain\nContent-Type: text/html",
            Some("it has the field Content-Type more than once; the first counts"),
        ),
    ] {
        let read = with(fields);
        let said: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(said.first().map(String::as_str), warning, "{fields}: {said:?}");
        assert_eq!(read.mail.date, None, "{fields}");
    }
    for (fields, replies_to, answers) in [
        ("Reply-To: <>\nIn-Reply-To:", 0, 0),
        ("Reply-To: a@x.example\nIn-Reply-To: your message of yesterday", 1, 0),
        ("In-Reply-To: 1@x.example, 2@x.example", 0, 2),
    ] {
        let mail = with(fields).mail;
        assert_eq!((mail.reply_to.len(), mail.in_reply_to.len()), (replies_to, answers), "{fields}");
    }
    assert_eq!(with("From: a@x.example\nFrom: b@x.example").mail.from.unwrap().address, "a@x.example");
}

#[test]
fn dates_in_every_form_that_can_be_one() {
    for (date, wanted) in [
        ("Tue, 3 Nov 2026 10:00:00 +0100", Some("2026-11-03T09:00:00Z")),
        ("3 Nov 2026 10:00 +0100", Some("2026-11-03T09:00:00Z")),
        ("Wed, 20 Dec 95 19:59 CST", Some("1995-12-21T01:59:00Z")),
        ("Wed, 15 Feb 1995 09:38:18", Some("1995-02-15T09:38:18Z")),
        ("Tue, 3 Nov 2026\n 10:00:00 +0100 (a comment)", Some("2026-11-03T09:00:00Z")),
        ("Thu, 31 Dec 1970 23:59:59 +0000", None),
        ("Fri, 31 Dec 2049 23:59:59 +0000", Some("2049-12-31T23:59:59Z")),
        ("Tue, 30 Jun 3609 15:33:50 +0600", None),
        ("Tue, 3 Nov 2026 25:00:00 +0100", None),
        ("99999999999999999999", None),
    ] {
        let read = message(&format!("From: a@x.example\nDate: {date}\n\nText\n"));
        assert_eq!(read.mail.date.map(|it| it.to_string()).as_deref(), wanted, "{date}");
        assert_eq!(read.warnings.is_empty(), wanted.is_some(), "{date}");
    }
}

#[test]
fn letters_beyond_ascii_without_a_word_about_them() {
    let read =
        super::read_raw(b"From: M\xfcller <a@x.example>\r\nSubject: Gr\xfc\xdfe\r\n\r\nGr\xfc\xdfe").unwrap();
    assert_eq!(read.mail.subject, "Grüße");
    assert_eq!(read.mail.from.unwrap().name, "Müller");
    assert_eq!(read.mail.text, "Grüße");
    let said = b"Subject: \x83\x65\x83\x58\x83\x67\r\nContent-Type: text/plain; charset=\"Shift_JIS\"\r\n\r\n\x83\x65";
    let read = super::read_raw(said).unwrap();
    assert_eq!((read.mail.subject.as_str(), read.mail.text.as_str()), ("テスト", "テ"));
}

#[test]
fn reports_and_receipts_tell_which_message_they_mean() {
    let status = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; b@x.example\nAction: failed\n";
    let text = "Content-Type: text/plain\n\nIt could not be delivered.\n";
    let headers =
        "Content-Type: text/rfc822-headers\n\nFrom: a@firm.example\nMessage-ID: <sent@firm.example>\n";
    let returned =
        "Content-Type: message/rfc822\n\nFrom: a@firm.example\nMessage-ID:\n <sent@firm.example>\n\nHello\n";
    let receipt = "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;b@x\nOriginal-Message-ID: <sent@firm.example>\n";
    let from = "From: MAILER-DAEMON@mx.example\nAuto-Submitted: auto-replied\n";
    for (text, kind, about) in [
        (
            multipart("report; report-type=delivery-status", &[text, status, returned]),
            MailKind::DeliveryReport,
            Some("sent@firm.example"),
        ),
        (
            multipart("report; report-type=delivery-status", &[text, status, headers]),
            MailKind::DeliveryReport,
            Some("sent@firm.example"),
        ),
        (multipart("report", &[text, status]), MailKind::DeliveryReport, None),
        (
            multipart("report; report-type=disposition-notification", &[text, receipt]),
            MailKind::ReadReceipt,
            Some("sent@firm.example"),
        ),
        (
            format!(
                "In-Reply-To: <sent@firm.example>\n{}",
                multipart("report; report-type=\"Delivery-Status\"", &[text])
            ),
            MailKind::DeliveryReport,
            Some("sent@firm.example"),
        ),
        (
            "Return-Path: <>\n\nYour message could not be delivered.\nMessage-ID: <sent@firm.example>\n"
                .to_owned(),
            MailKind::DeliveryReport,
            Some("sent@firm.example"),
        ),
        ("\nI am away.\n".to_owned(), MailKind::AutoReply, None),
    ] {
        let read = message(&format!("{from}{text}"));
        assert_eq!(read.mail.kind, kind, "{text}");
        assert_eq!(read.mail.about.first().map(MessageId::as_str), about, "{text}");
        assert!(!read.mail.forwarded, "{text}");
    }
}

#[test]
fn meetings_lists_and_what_is_passed_on() {
    let calendar =
        "Content-Type: text/calendar; method=REQUEST; charset=utf-8\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n";
    let plain = "Content-Type: text/plain\n\nCome.\n";
    let inner = "Content-Type: message/rfc822\n\nFrom: z@x.example\nSubject: Inner\n\nHello\n";
    for (text, kind, forwarded) in [
        (multipart("alternative", &[plain, calendar]), MailKind::Calendar, false),
        (multipart("mixed", &[plain, inner]), MailKind::Letter, true),
        (format!("Subject: WG: Akte\n{}", "\nText\n"), MailKind::Letter, true),
        (
            format!(
                "List-Id: <news.x.example>\n{}",
                multipart("digest", &["\nFrom: z@x.example\n\nHello\n"])
            ),
            MailKind::List,
            false,
        ),
    ] {
        let read = message(&format!("From: a@x.example\n{text}"));
        assert_eq!((read.mail.kind, read.mail.forwarded), (kind, forwarded), "{text}");
    }
}

#[test]
fn protection_is_seen_and_never_taken_off() {
    let signature = "Content-Type: application/pkcs7-signature; name=smime.p7s\nContent-Transfer-Encoding: base64\n\nAAAA\n";
    let plain = "Content-Type: text/plain\n\nHello\n";
    // The beginnings of signed and of enveloped data in DER.
    let signed = "MIIBBgkqhkiG9w0BBwKg";
    let enveloped = "MIIBBgkqhkiG9w0BBwOg";
    let cms = |kind: &str, content: &str| {
        format!(
            "Content-Type: application/pkcs7-mime{kind}; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n{content}\n"
        )
    };
    let version = "Content-Type: application/pgp-encrypted\n\nVersion: 1\n";
    let armour =
        "Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----\n";
    let around = |inner: &str| multipart("mixed", &[inner, "\nA list's own lines\n"]);
    let in_signed = multipart("signed; protocol=x", &[plain, signature]);
    for (text, wanted) in [
        (in_signed.clone(), Protection::Signed),
        (around(&in_signed), Protection::Signed),
        (cms("; smime-type=signed-data", signed), Protection::SignedWrapped),
        (cms("", signed), Protection::SignedWrapped),
        (cms("; smime-type=enveloped-data", enveloped), Protection::Encrypted),
        (cms("", enveloped), Protection::Encrypted),
        // The content is right.
        (cms("; smime-type=signed-data", enveloped), Protection::Encrypted),
        (cms("; smime-type=enveloped-data", signed), Protection::SignedWrapped),
        (cms("; smime-type=signed-data", "AAAA"), Protection::SignedWrapped),
        (cms("", "AAAA"), Protection::Encrypted),
        (cms("; smime-type=certs-only", "AAAA"), Protection::None),
        (
            multipart("encrypted; protocol=\"application/pgp-encrypted\"", &[version, armour]),
            Protection::Encrypted,
        ),
        (
            "\n-----BEGIN PGP MESSAGE-----\n\nhQ\n-----END PGP MESSAGE-----\n".to_owned(),
            Protection::Encrypted,
        ),
        ("\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\nHello\n".to_owned(), Protection::Signed),
        ("\nHe wrote -----BEGIN PGP MESSAGE----- to me\n".to_owned(), Protection::None),
        (plain.to_owned(), Protection::None),
    ] {
        let read = message(&format!("From: a@x.example\n{text}"));
        assert_eq!(read.mail.protection, wanted, "{text}");
    }
    // What protects is listed, and a signature is no document.
    let read = message(&in_signed);
    assert_eq!(super::listed(&read), ["smime.p7s|application/pkcs7-signature|inline|0"]);
    let read = message(&cms("", enveloped));
    assert_eq!(super::listed(&read), ["smime.p7m|application/pkcs7-mime|attached|0"]);
}

#[test]
fn the_text_is_the_messages_own() {
    let plain = "Content-Type: text/plain; charset=utf-8\n\nPlain\n";
    let empty = "Content-Type: text/plain\n\n \n";
    let html =
        "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>Hyper=\n text</p>\n";
    let file = "Content-Type: text/plain; name=a.txt\n\nFile\n";
    let more = "\nMore\n";
    for (text, wanted) in [
        (multipart("alternative", &[plain, html]), "Plain"),
        (multipart("alternative", &[empty, html]), "Hyper text"),
        (html.to_owned(), "Hyper text"),
        (multipart("mixed", &[plain, file, more]), "Plain\n\nMore"),
        (multipart("mixed", &[&multipart("alternative", &[plain, html]), file]), "Plain"),
        (plain.replace("text/plain", "text"), "Plain"),
        ("Content-Type: multipart/mixed\n\nNo parts\n".to_owned(), "No parts"),
        ("Content-Type: multipart/mixed; boundary=x\n\nNo parts\n".to_owned(), "No parts"),
    ] {
        let read = message(&format!("From: a@x.example\n{text}"));
        assert_eq!(read.mail.text.replace("\r\n", "\n").trim(), wanted, "{text}");
    }
    let long = message(&format!("From: a@x.example\n\n{}", "ä".repeat(1024 * 1024)));
    assert_eq!(long.mail.text.len(), 1024 * 1024);
    assert_eq!(long.warnings, [Warning::TextCut]);
    let unknown = message("From: a@x.example\nContent-Type: text/plain; charset=x-none\n\nText\n");
    assert_eq!(unknown.warnings, [Warning::UnknownCharset("x-none".to_owned())]);
}
