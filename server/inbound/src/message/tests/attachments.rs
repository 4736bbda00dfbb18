//! What counts as an attachment, and what it is called.

use super::super::{Content, Limits, NotExpanded, Trusted, Warning, read};
use super::{listed, message, multipart};

const TEXT: &str = "Content-Type: text/plain\n\nHello\n";
const PDF: &str =
    "Content-Type: application/pdf; name=lease.pdf\nContent-Disposition: inline\n\n%PDF-1.7 a\n";

fn mixed(parts: &[&str]) -> String {
    format!("From: a@x.example\nSubject: Lease\n{}", multipart("mixed", parts))
}

fn picture(fields: &str, size: usize) -> String {
    format!("Content-Type: image/png\n{fields}\n\n\u{89}PNG{}\n", "x".repeat(size))
}

#[test]
fn attachments_and_what_belongs_to_the_text() {
    let html = "Content-Type: text/html\n\n<img src=\"cid:Logo@1\">\n";
    let shown = picture("Content-ID: <logo@1>\nContent-Disposition: attachment; filename=logo.png", 10);
    let large = picture("Content-ID: <logo@1>\nContent-Disposition: inline; filename=plan.png", 100 * 1024);
    let beside = picture("Content-Disposition: inline; filename=image001.png", 10);
    let beside_but_attached = picture("Content-Disposition: attachment; filename=photo.png", 10);
    let named_text = "Content-Type: text/plain\nContent-Disposition: inline; filename=notes.txt\n\nNotes\n";
    for (text, wanted) in [
        (mixed(&[TEXT, PDF]), vec!["lease.pdf|application/pdf|attached|0"]),
        (mixed(&[TEXT, named_text]), vec!["notes.txt|text/plain|attached|0"]),
        (
            mixed(&[TEXT, "Content-Disposition: attachment\n\nNotes\n"]),
            vec!["Lease 1.txt|text/plain|attached|0"],
        ),
        (mixed(&[html, &shown]), vec!["logo.png|image/png|inline|0"]),
        (mixed(&[html, &large]), vec!["plan.png|image/png|attached|0"]),
        (mixed(&[html, &beside]), vec!["image001.png|image/png|attached|0"]),
        (mixed(&[&multipart("related", &[html, &beside])]), vec!["image001.png|image/png|inline|0"]),
        (
            mixed(&[&multipart("related", &[html, &beside_but_attached])]),
            vec!["photo.png|image/png|attached|0"],
        ),
        (mixed(&[TEXT, &shown]), vec!["logo.png|image/png|attached|0"]),
        // The message is nothing but a file.
        (format!("From: a@x.example\nSubject: Lease\n{PDF}"), vec!["lease.pdf|application/pdf|attached|0"]),
        (TEXT.to_owned(), vec![]),
    ] {
        let read = message(&text);
        assert_eq!(listed(&read), wanted, "{text}");
        assert_eq!(read.mail.carried.len(), wanted.len());
        assert_eq!(
            read.warnings.iter().filter(|it| !matches!(it, Warning::NoSender)).count(),
            0,
            "{:?}",
            read.warnings
        );
    }
}

#[test]
fn names_in_every_form_that_they_come_in() {
    for (fields, wanted) in [
        ("Content-Disposition: attachment; filename=a.pdf", "a.pdf"),
        ("Content-Disposition: attachment; filename=\"a b.pdf\"", "a b.pdf"),
        ("Content-Type: application/pdf; name=\"a.pdf\"", "a.pdf"),
        (
            "Content-Type: application/pdf; name=other.pdf\nContent-Disposition: attachment; filename=a.pdf",
            "a.pdf",
        ),
        ("Content-Disposition: attachment; filename=\"=?utf-8?B?w6QucGRm?=\"", "ä.pdf"),
        ("Content-Disposition: attachment; filename=\"=?utf-8?Q?=C3=A4?= =?utf-8?Q?b.pdf?=\"", "äb.pdf"),
        ("Content-Disposition: attachment; filename*=utf-8''%C3%A4.pdf", "ä.pdf"),
        ("Content-Disposition: attachment; filename*=iso-8859-1'de'%E4.pdf", "ä.pdf"),
        (
            "Content-Disposition: attachment;\n filename*0=\"a very \";\n filename*1=\"long name.pdf\"",
            "a very long name.pdf",
        ),
        ("Content-Disposition: attachment;\n filename*0*=utf-8''%C3%A4;\n filename*1=\"b.pdf\"", "äb.pdf"),
        ("Content-Disposition: attachment; filename=\"ä.pdf\"", "ä.pdf"),
        // What is unsafe in a name stays as it came: whoever makes a name of it decides.
        ("Content-Disposition: attachment; filename=\"../../a.pdf\"", "../../a.pdf"),
        ("Content-Disposition: attachment; filename=\"a\u{202e}fdp.exe\"", "a\u{202e}fdp.exe"),
        ("Content-Disposition: attachment; filename=\"a\u{7}.pdf\"", "a\u{7}.pdf"),
        ("Content-Disposition: attachment; filename=\"C:\\\\a.pdf\"", "C:\\a.pdf"),
        ("Content-Disposition: attachment; filename=\"\"", ""),
        ("Content-Disposition: attachment; filename=\" \"", ""),
        ("Content-Disposition: attachment", ""),
        ("Content-Disposition: attachment; filename*=utf-9''%C3%A4.pdf", "Ã¤.pdf"),
    ] {
        let read = message(&mixed(&[TEXT, &format!("{fields}\n\n%PDF-1.7\n")]));
        assert_eq!(read.parts.len(), 1, "{fields}");
        if fields.contains("utf-9") {
            assert!(!read.parts[0].name.is_empty(), "{fields}");
            continue;
        }
        assert_eq!(read.parts[0].name, wanted, "{fields}");
        let title = if wanted.is_empty() { "Lease 1.pdf" } else { wanted };
        assert_eq!(read.parts[0].title, title, "{fields}");
    }
}

#[test]
fn types_by_content() {
    for (fields, content, told, found, misleads) in [
        (
            "Content-Type: application/octet-stream; name=a",
            "%PDF-1.7",
            "application/octet-stream",
            Some("application/pdf"),
            false,
        ),
        ("Content-Type: application/pdf; name=a.pdf", "GIF89a", "application/pdf", Some("image/gif"), true),
        ("Content-Type: application/pdf; name=a.pdf", "words", "application/pdf", None, false),
        ("Content-Type: ; name=a\nContent-Disposition: attachment", "words", "text/plain", None, false),
        (
            "Content-Type: Application/PDF; name=a.pdf",
            "%PDF-1.7",
            "application/pdf",
            Some("application/pdf"),
            false,
        ),
    ] {
        let read = message(&mixed(&[TEXT, &format!("{fields}\n\n{content}\n")]));
        let part = &read.parts[0];
        assert_eq!((part.told.as_str(), part.found.as_deref()), (told, found), "{fields}");
        assert_eq!(read.mail.carried[0].media_type, found.unwrap_or(told));
        assert_eq!(
            read.warnings.iter().any(|it| matches!(it, Warning::OtherType { .. })),
            misleads,
            "{fields}"
        );
    }
}

#[test]
fn the_same_content_twice_is_listed_once() {
    let read = message(&mixed(&[TEXT, PDF, &PDF.replace("lease.pdf", "copy.pdf"), PDF]));
    assert_eq!(listed(&read), ["lease.pdf|application/pdf|attached|0"]);
    assert_eq!(read.parts[0].also, ["copy.pdf"]);
    let same = |name: &str| Warning::SameTwice { name: name.to_owned(), kept: "lease.pdf".to_owned() };
    assert_eq!(read.warnings, [same("copy.pdf"), same("lease.pdf")]);
}

#[test]
fn messages_inside_are_listed_with_what_they_carry() {
    let inner = format!(
        "Content-Type: message/rfc822\n\nFrom: z@x.example\nSubject: Inner\n{}",
        multipart("alternative", &[TEXT, PDF])
    );
    let encoded = "Content-Type: message/rfc822; name=b64.eml\nContent-Transfer-Encoding: base64\n\n\
                   U3ViamVjdDogRW5jb2RlZApDb250ZW50LVR5cGU6IGFwcGxpY2F0aW9uL3BkZjsgbmFtZT1iLnBkZgoKJVBERi0xLjcgYgo=\n";
    let read = message(&mixed(&[TEXT, &inner, encoded]));
    assert_eq!(
        listed(&read),
        [
            "Inner.eml|message/rfc822|attached|0",
            "lease.pdf|application/pdf|attached|1",
            "b64.eml|message/rfc822|attached|0",
            "b.pdf|application/pdf|attached|1",
        ]
    );
    let inside: Vec<Option<usize>> = read.parts.iter().map(|it| it.inside).collect();
    assert_eq!(inside, [None, Some(0), None, Some(2)]);
    // A name that was made is no name that came.
    assert_eq!((read.parts[0].name.as_str(), read.parts[2].name.as_str()), ("", "b64.eml"));
    // Only what it carries itself decides about it.
    assert_eq!(read.mail.carried.len(), 2);
    assert!(matches!(read.parts[0].content, Content::Raw(_)));
    assert!(matches!(read.parts[3].content, Content::Bytes(_)));
}

#[test]
fn what_lies_too_deep_stays_inside() {
    let mut text = format!("Subject: leaf\n{PDF}");
    for level in 0..12 {
        text = format!("Subject: level {level}\nContent-Type: message/rfc822\n\n{text}");
    }
    let read = message(&text);
    assert_eq!(read.parts.len(), 11);
    assert_eq!(read.parts.iter().map(|it| it.depth).max(), Some(10));
    assert!(read.warnings.contains(&Warning::LeftInside("level 0.eml".to_owned())), "{:?}", read.warnings);
}

#[test]
fn too_many_parts_and_bytes_leave_the_message_closed() {
    let part = "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjc=\n";
    let trusted = Trusted::default();
    for (limits, parts, wanted) in [
        (Limits { parts: 3, ..Limits::default() }, 3, Some(NotExpanded::TooManyParts(3))),
        (Limits { decoded: 15, ..Limits::default() }, 2, Some(NotExpanded::TooLarge(15))),
        (Limits { decoded: 16, ..Limits::default() }, 2, None),
    ] {
        let parts: Vec<&str> = std::iter::repeat_n(part, parts).collect();
        let read = read(mixed(&parts).as_bytes(), &limits, &trusted).unwrap();
        assert_eq!(read.not_expanded, wanted);
        assert_eq!(read.parts.is_empty(), wanted.is_some());
        assert_eq!(read.mail.subject, "Lease");
    }
}
