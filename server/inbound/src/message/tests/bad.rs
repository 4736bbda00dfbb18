//! What nobody should send: each ends in a stated way, and soon.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use super::super::{Limits, NotExpanded, Refused, Warning, measure};
use super::{message, multipart, read_raw};

/// Runs it on a stack as small as threads have it; ends the test where it takes long. The bound is for a slow machine without optimisation.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let started = Instant::now();
    let thread = thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap();
    thread.join().unwrap();
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_hundred_thousand_levels() {
    let messages = || "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    let multiparts = || {
        (0..100_000).fold(String::new(), |mut text, at| {
            let _ = write!(text, "Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n");
            text
        })
    };
    let digests = || {
        (0..100_000).fold(String::new(), |mut text, at| {
            let _ = write!(text, "Content-Type: multipart/digest; boundary=b{at}\r\n\r\n--b{at}\r\n\r\n");
            text
        })
    };
    for raw in [messages(), multiparts(), digests()] {
        on_a_small_stack(move || assert_eq!(read_raw(raw.as_bytes()), Err(Refused::TooDeep(50))));
    }
}

#[test]
fn fifty_levels_are_read_and_one_more_is_not() {
    let nested =
        |levels: usize| "Content-Type: message/rfc822\r\n\r\n".repeat(levels) + "Subject: x\r\n\r\nHello";
    assert!(read_raw(nested(50).as_bytes()).is_ok());
    assert_eq!(read_raw(nested(51).as_bytes()), Err(Refused::TooDeep(50)));
    assert_eq!(measure(nested(50).as_bytes(), &Limits::default()).unwrap().levels, 50);
}

/// An encoding hides the levels from a scan of the raw bytes; the message stays, and what is encoded stays closed.
#[test]
fn a_hundred_thousand_levels_in_an_encoding() {
    on_a_small_stack(|| {
        let inner = "Content-Type: message/rfc822=0A=0A".repeat(100_000);
        let raw = format!(
            "From: a@x.example\nContent-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{inner}"
        );
        let read = read_raw(raw.as_bytes()).unwrap();
        assert_eq!(read.parts.len(), 1);
        assert!(read.warnings.iter().any(|it| matches!(it, Warning::Closed { .. })), "{:?}", read.warnings);
    });
    // Encoded in each other: the inner ones are opened as deep as messages are.
    on_a_small_stack(|| {
        let mut raw = "Subject: leaf\n\nHello\n".to_owned();
        for _ in 0..60 {
            raw = format!(
                "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{}",
                raw.replace('=', "=3D")
            );
        }
        let read = read_raw(raw.as_bytes()).unwrap();
        assert_eq!(read.parts.len(), 11);
    });
}

#[test]
fn two_hundred_thousand_parts() {
    on_a_small_stack(|| {
        let raw = format!(
            "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n{}",
            "--b\n\nx\n".repeat(200_000)
        );
        let read = read_raw(raw.as_bytes()).unwrap();
        assert_eq!(read.not_expanded, Some(NotExpanded::TooManyParts(1000)));
        assert_eq!(read.mail.subject, "x");
    });
    // Multiparts whose boundaries never come, side by side: each is a text.
    on_a_small_stack(|| {
        let parts = (0..900).fold(String::new(), |mut text, at| {
            let _ = write!(text, "--b\nContent-Type: multipart/mixed; boundary=none{at}\n\nx\n");
            text
        });
        let raw = format!(
            "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n{parts}{}",
            "y\n".repeat(2_000_000)
        );
        assert!(read_raw(raw.as_bytes()).is_ok());
    });
}

#[test]
fn header_fields_without_end() {
    for raw in [
        format!("Subject: {}", "x".repeat(4_000_000)),
        format!("Subject: x\n{}", "X: y\n".repeat(1_000_000)),
        format!("To: {}", "a@x.example, ".repeat(300_000)),
        format!("To: {}", "(".repeat(1_000_000)),
        format!("To: {}", "<".repeat(1_000_000)),
        format!("References: {}", "<a@x> ".repeat(500_000)),
        format!("Subject: {}", "=?utf-8?Q?=41?= ".repeat(200_000)),
        format!("Content-Type: text/plain; {}", "a*=utf-8'x'y;".repeat(100_000)),
        format!("Content-Type: text/plain; {}", "a*0=b;".repeat(200_000)),
        format!("Content-Type: multipart/mixed; boundary=\"{}\"\n\n", "b".repeat(1_000_000)),
        format!("Date: {}", "9".repeat(1_000_000)),
        format!("Authentication-Results: mx.firm.example; {}", "dmarc=pass;(".repeat(100_000)),
    ] {
        on_a_small_stack(move || {
            let read = read_raw(raw.as_bytes()).unwrap();
            assert!(read.warnings.contains(&Warning::HeadersCut), "{}", &raw[..40]);
            assert!(read.mail.to.len() <= 1000 && read.mail.references.len() <= 1000);
        });
    }
}

#[test]
fn many_parts_with_long_header_fields() {
    on_a_small_stack(|| {
        let attributes = "a*=utf-8'x'y;".repeat(2000);
        let part = format!("--b\nContent-Type: text/plain; {attributes}\n\nx\n");
        let raw = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", part.repeat(900));
        assert!(read_raw(raw.as_bytes()).unwrap().warnings.contains(&Warning::HeadersCut));
    });
    on_a_small_stack(|| {
        let html = format!("Content-Type: text/html\n\n{}", "cid:".repeat(2_000_000));
        assert!(read_raw(html.as_bytes()).is_ok());
        let tags = format!("Content-Type: text/html\n\n{}", "<".repeat(4_000_000));
        assert!(read_raw(tags.as_bytes()).is_ok());
        let entities = format!("Content-Type: text/html\n\n{}", "&".repeat(4_000_000));
        assert!(read_raw(entities.as_bytes()).is_ok());
    });
}

#[test]
fn garbage_is_a_message_with_warnings() {
    let whole = multipart("mixed", &["\nHello\n", "Content-Type: application/pdf\n\n%PDF\n"]);
    for (raw, wanted) in [
        (b"\0".to_vec(), Warning::NoHeaders),
        (b"\n\n\n".to_vec(), Warning::NoHeaders),
        (b"no fields here".to_vec(), Warning::NoHeaders),
        (vec![0xff; 10_000], Warning::NoHeaders),
        (b"From a@x.example Mon\nSubject: mbox\n\nHello".to_vec(), Warning::NoSender),
        (b"Content-Type: multipart/mixed\n\nx".to_vec(), Warning::NoBoundary),
        (b"Content-Type: multipart/mixed; boundary=\n\nx".to_vec(), Warning::NoBoundary),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--c\n\nx".to_vec(), Warning::NoBoundary),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b".to_vec(), Warning::CutOff),
        (whole.as_bytes()[..whole.len() - 12].to_vec(), Warning::CutOff),
        (
            b"Content-Transfer-Encoding: base64\n\n!!!".to_vec(),
            Warning::BrokenEncoding("text/plain".to_owned()),
        ),
        (
            b"Content-Transfer-Encoding: quoted-printable\n\n=XY=".to_vec(),
            Warning::BrokenEncoding("text/plain".to_owned()),
        ),
    ] {
        let read = read_raw(&raw).unwrap();
        assert!(read.warnings.contains(&wanted), "{:?}: {:?}", String::from_utf8_lossy(&raw), read.warnings);
        for warning in &read.warnings {
            assert!(!warning.to_string().is_empty());
        }
    }
    assert_eq!(read_raw(b""), Err(Refused::Empty));
}

#[test]
fn a_part_whose_end_is_missing_costs_only_itself() {
    let inner = "Content-Type: multipart/alternative; boundary=inner\n\n--inner\n\nHello\n";
    let read = message(&format!(
        "From: a@x.example\n{}",
        multipart("mixed", &[inner, "Content-Type: application/pdf; name=a.pdf\n\n%PDF\n"])
    ));
    assert_eq!(super::listed(&read), ["a.pdf|application/pdf|attached|0"]);
    assert_eq!(read.mail.text.trim(), "Hello");
}
