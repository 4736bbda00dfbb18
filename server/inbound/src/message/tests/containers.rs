//! Messages in `winmail.dat`.

use postroom_domain::mail::Mail;

use super::super::{Message, Warning};
use super::winmail::{attachment, code_page, embedded, file, long, message_props, wide};
use super::{listed, read_raw};

fn sample() -> Vec<u8> {
    let inner =
        file(&[message_props(&[wide(0x0037, "Inner")]), attachment(b"deep.pdf\0", b"%PDF-1.7 deep", &[])]);
    let html = b"<p>Gr\xfc\xdfe <img src='cid:logo@1'></p>";
    file(&[
        code_page(1252),
        message_props(&[
            wide(0x0037, "Lease"),
            wide(0x0042, "Anna"),
            wide(0x5d02, "Anna@X.example"),
            wide(0x1035, "<1@x.example>"),
            long(0x1013, 0x102, html),
        ]),
        attachment(b"SHORTN~1.PDF\0", b"%PDF-1.7 a", &[wide(0x3707, "a long name.pdf")]),
        attachment(b"Gr\xfc\xdfe.txt\0", b"words", &[]),
        attachment(b"logo.png\0", b"\x89PNG\r\n\x1a\n", &[wide(0x3712, "<logo@1>")]),
        attachment(b"inner\0", b"", &[embedded(&inner)]),
        attachment(b"data.bin\0", b"", &[long(0x3701, 0x102, b"binary")]),
    ])
}

fn check(read: &Message, depth: usize, before: usize) {
    let lines: Vec<String> = listed(read).split_off(before);
    let wanted = [
        format!("a long name.pdf|application/pdf|attached|{depth}"),
        format!("Grüße.txt|application/octet-stream|attached|{depth}"),
        format!("logo.png|image/png|inline|{depth}"),
        format!("inner.dat|application/vnd.ms-tnef|attached|{depth}"),
        format!("deep.pdf|application/pdf|attached|{}", depth + 1),
        format!("data.bin|application/octet-stream|attached|{depth}"),
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn a_winmail_dat_alone_is_a_message() {
    let read = read_raw(&sample()).unwrap();
    check(&read, 0, 0);
    let Mail { subject, from, id, text, .. } = read.mail;
    assert_eq!(subject, "Lease");
    assert_eq!(from.unwrap().address, "anna@x.example");
    assert_eq!(id.unwrap().as_str(), "1@x.example");
    assert_eq!(text.trim(), "Grüße");
    assert_eq!(read.warnings, []);
}

#[test]
fn what_a_winmail_dat_in_a_message_carries_is_the_messages() {
    let mut raw =
        b"From: a@x.example\r\nSubject: Outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n"
            .to_vec();
    raw.extend(sample());
    raw.extend(b"\r\n--b--\r\n");
    let read = read_raw(&raw).unwrap();
    assert_eq!(listed(&read)[0], "winmail.dat|application/ms-tnef|attached|0");
    check(&read, 0, 1);
    assert_eq!(read.parts[1].inside, Some(0));
    assert_eq!(read.mail.subject, "Outer");
    assert_eq!(read.mail.text.trim(), "Grüße");
    assert_eq!(read.warnings, []);
}

#[test]
fn messages_embedded_in_each_other_stay_inside_at_last() {
    let mut inner = file(&[attachment(b"deep.pdf\0", b"%PDF-1.7", &[])]);
    for _ in 0..200 {
        inner = file(&[attachment(b"inner\0", b"", &[embedded(&inner)])]);
    }
    let read = read_raw(&inner).unwrap();
    assert_eq!(read.parts.len(), 11);
    assert!(read.warnings.iter().any(|it| matches!(it, Warning::LeftInside(_))));
}

#[test]
fn what_is_cut_or_lies_counts_as_far_as_it_goes() {
    let whole = sample();
    for end in 0..whole.len() {
        let _ = read_raw(&whole[..end]);
    }
    let cut = read_raw(&whole[..whole.len() - 30]).unwrap();
    assert!(cut.parts.len() >= 5);
    assert!(cut.warnings.contains(&Warning::Damaged("a winmail.dat")));
    let garbage = read_raw(&[whole.clone(), b"garbage".to_vec()].concat()).unwrap();
    assert_eq!(garbage.parts.len(), 6);
    // Four thousand million values of no length, which would take no bytes and a while.
    let nothing = [[0x01, 0x10, 0x37, 0].to_vec(), vec![0xff; 4]].concat();
    let read = read_raw(&file(&[message_props(&[nothing])])).unwrap();
    assert_eq!(read.warnings, [Warning::Damaged("a winmail.dat")]);
    // Every length and count, made as large as can be.
    for at in 6..whole.len() - 4 {
        let mut lying = whole.clone();
        lying[at..at + 4].copy_from_slice(&[0xff; 4]);
        let _ = read_raw(&lying);
    }
}
