//! Messages as Outlook keeps them.

use std::io::{Cursor, Write};

use cfb::CompoundFile;
use postroom_domain::mail::{MailKind, Protection};

use super::super::{Refused, Warning};
use super::{listed, read_raw};

type File = CompoundFile<Cursor<Vec<u8>>>;

fn text(file: &mut File, storage: &str, id: u16, text: &str) {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes(file, storage, id, 0x1f, &units);
}

fn bytes(file: &mut File, storage: &str, id: u16, kind: u16, value: &[u8]) {
    file.create_stream(format!("{storage}__substg1.0_{id:04X}{kind:04X}")).unwrap().write_all(value).unwrap();
}

fn fixed(file: &mut File, storage: &str, head: usize, values: &[(u16, u16, i64)]) {
    let mut stream = vec![0; head];
    for (id, kind, value) in values {
        stream.extend(kind.to_le_bytes());
        stream.extend(id.to_le_bytes());
        stream.extend([0; 4]);
        stream.extend(value.to_le_bytes());
    }
    file.create_stream(format!("{storage}__properties_version1.0")).unwrap().write_all(&stream).unwrap();
}

fn attach(file: &mut File, storage: &str, number: usize, name: &str, data: Option<&[u8]>) -> String {
    let storage = format!("{storage}__attach_version1.0_#{number:08X}/");
    file.create_storage(&storage).unwrap();
    fixed(file, &storage, 8, &[]);
    text(file, &storage, 0x3707, name);
    if let Some(data) = data {
        bytes(file, &storage, 0x3701, 0x102, data);
    }
    storage
}

/// 3 November 2026, 9:00 UTC.
const SENT: i64 = (1_793_696_400 + 11_644_473_600) * 10_000_000;

fn sample(class: &str, headers: &str) -> Vec<u8> {
    let mut file = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    fixed(&mut file, "/", 32, &[(0x0039, 0x40, SENT)]);
    text(&mut file, "/", 0x001a, class);
    text(&mut file, "/", 0x0037, "Lease");
    text(&mut file, "/", 0x0042, "Anna");
    text(&mut file, "/", 0x0064, "EX");
    text(&mut file, "/", 0x0065, "/o=Firm/cn=anna");
    text(&mut file, "/", 0x5d02, "Anna@X.example");
    text(&mut file, "/", 0x1000, "Hello");
    text(&mut file, "/", 0x1035, "<1@x.example>");
    if !headers.is_empty() {
        text(&mut file, "/", 0x007d, headers);
    }
    for (number, (kind, address)) in
        [(1, "b@firm.example"), (2, "c@firm.example"), (3, "d@firm.example")].into_iter().enumerate()
    {
        let storage = format!("/__recip_version1.0_#{number:08X}/");
        file.create_storage(&storage).unwrap();
        fixed(&mut file, &storage, 8, &[(0x0c15, 0x03, kind)]);
        text(&mut file, &storage, 0x39fe, address);
    }
    file.create_storage("/__nameid_version1.0").unwrap();
    attach(&mut file, "/", 0, "a long name.pdf", Some(b"%PDF-1.7 a"));
    let inner = attach(&mut file, "/", 1, "Inner", None) + "__substg1.0_3701000D/";
    file.create_storage(&inner).unwrap();
    fixed(&mut file, &inner, 24, &[]);
    text(&mut file, &inner, 0x001a, "IPM.Note");
    text(&mut file, &inner, 0x0037, "Inner: subject");
    attach(&mut file, &inner, 0, "deep.pdf", Some(b"%PDF-1.7 deep"));
    file.flush().unwrap();
    file.into_inner().into_inner()
}

#[test]
fn a_message_as_outlook_keeps_it() {
    let raw = sample("IPM.Note", "");
    let read = read_raw(&raw).unwrap();
    let mail = &read.mail;
    assert_eq!(mail.subject, "Lease");
    let from = mail.from.as_ref().unwrap();
    assert_eq!((from.name.as_str(), from.address.as_str()), ("Anna", "anna@x.example"));
    assert_eq!((mail.to.len(), mail.cc.len()), (1, 1));
    assert_eq!(mail.date.unwrap().to_string(), "2026-11-03T09:00:00Z");
    assert_eq!(mail.id.as_ref().unwrap().as_str(), "1@x.example");
    assert_eq!(mail.text, "Hello");
    let wanted = [
        "a long name.pdf|application/pdf|attached|0",
        "Inner: subject.msg|application/vnd.ms-outlook|attached|0",
        "deep.pdf|application/pdf|attached|1",
    ];
    assert_eq!(listed(&read), wanted);
    assert_eq!(read.warnings, []);
    // What was inside is a file of its own, and the same one every time.
    assert_eq!(read_raw(&raw).unwrap(), read);
    let inner = read_raw(read.parts[1].content.of(&raw)).unwrap();
    assert_eq!(inner.mail.subject, "Inner: subject");
    assert_eq!(listed(&inner), ["deep.pdf|application/pdf|attached|0"]);
    assert_eq!(inner.warnings, [Warning::NoSender]);
}

#[test]
fn fields_that_travelled_come_first() {
    let headers = "From: Real <real@x.example>\r\nTo: team@firm.example\r\nSubject: Lease\r\nIn-Reply-To: <0@firm.example>\r\n\
        Authentication-Results: mx.firm.example; dmarc=fail\r\nMessage-ID: <2@x.example>\r\nAuto-Submitted: auto-replied\r\n\r\n";
    let mail = read_raw(&sample("IPM.Note", headers)).unwrap().mail;
    assert_eq!(mail.from.unwrap().address, "real@x.example");
    assert_eq!(mail.to[0].address, "team@firm.example");
    assert_eq!((mail.to.len(), mail.cc.len()), (1, 0));
    assert_eq!(mail.id.unwrap().as_str(), "2@x.example");
    assert_eq!(mail.in_reply_to.len(), 1);
    assert_eq!(mail.dmarc, postroom_domain::mail::Dmarc::Fail);
    assert_eq!(mail.kind, MailKind::AutoReply);
    assert_eq!(mail.text, "Hello");
    // The date is in the properties only.
    assert!(mail.date.is_some());
}

#[test]
fn classes_tell_what_it_is() {
    for (class, kind, protection) in [
        ("IPM.Note", MailKind::Letter, Protection::None),
        ("REPORT.IPM.Note.NDR", MailKind::DeliveryReport, Protection::None),
        ("REPORT.IPM.Note.IPNRN", MailKind::ReadReceipt, Protection::None),
        ("IPM.Schedule.Meeting.Request", MailKind::Calendar, Protection::None),
        ("IPM.Note.Rules.OofTemplate.Microsoft", MailKind::AutoReply, Protection::None),
        ("IPM.Note.SMIME", MailKind::Letter, Protection::Encrypted),
        ("IPM.Note.SMIME.MultipartSigned", MailKind::Letter, Protection::Signed),
    ] {
        let mail = read_raw(&sample(class, "")).unwrap().mail;
        assert_eq!((mail.kind, mail.protection), (kind, protection), "{class}");
    }
}

#[test]
fn broken_files_are_files() {
    let whole = sample("IPM.Note", "");
    let mut other = CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    other.create_stream("/WordDocument").unwrap().write_all(b"words").unwrap();
    other.flush().unwrap();
    for raw in [
        whole[..8].to_vec(),
        whole[..512].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        other.into_inner().into_inner(),
    ] {
        let why = read_raw(&raw).unwrap_err();
        assert!(matches!(why, Refused::Unreadable(_)) && why.as_file(), "{why}");
        // Inside of a message it stays a part, closed.
        let mut eml =
            b"From: a@x.example\r\nContent-Type: application/vnd.ms-outlook; name=a.msg\r\n\r\n".to_vec();
        eml.extend(&raw);
        let read = read_raw(&eml).unwrap();
        assert_eq!(read.parts.len(), 1);
        assert!(read.warnings.iter().any(|it| matches!(it, Warning::Closed { .. })), "{:?}", read.warnings);
    }
    for at in (0..whole.len() - 4).step_by(37) {
        let mut lying = whole.clone();
        lying[at..at + 4].copy_from_slice(&[0xff; 4]);
        let _ = read_raw(&lying);
    }
}

#[test]
fn an_outlook_file_in_a_message_is_opened() {
    let mut eml = b"From: a@x.example\r\nContent-Type: application/octet-stream; name=a.msg\r\n\r\n".to_vec();
    eml.extend(sample("IPM.Note", ""));
    let depths: Vec<usize> = read_raw(&eml).unwrap().parts.iter().map(|it| it.depth).collect();
    assert_eq!(depths, [0, 1, 1, 2]);
}
