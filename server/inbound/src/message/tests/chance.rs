//! Random bytes, and messages with random damage: nothing panics, and what is told of a part is so.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::{Limits, Trusted, read};
use super::{multipart, winmail};

const LIMITS: Limits = Limits {
    levels: 10,
    expand: 3,
    parts: 20,
    headers: 500,
    part_headers: 200,
    text: 1000,
    decoded: 4000,
    people: 5,
    small_picture: 100,
};

fn seed() -> Vec<u8> {
    let inner = "Content-Type: message/rfc822\n\nSubject: =?utf-8?Q?=41?=\nDate: Tue, 3 Nov 2026 10:00:00 +0100\n\nHello\n";
    let encoded =
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKSGVsbG8K\n";
    let html = "Content-Type: text/html; charset=shift_jis\nContent-Transfer-Encoding: quoted-printable\n\n<img src=3D'cid:a'>=83=65\n";
    let file = "Content-Type: image/png; name*0*=utf-8''%41; name*1=b\nContent-ID: <a>\nContent-Disposition: inline\n\n\u{89}PNG\n";
    let parts = [inner, encoded, &multipart("related", &[html, file])];
    let head = "From: \"A\" <a@x.example>\nTo: g: b@y.example, c@y.example;\nReferences: <a@b> <c@d>\nAuthentication-Results: x; dmarc=pass\n";
    format!("{head}{}", multipart("mixed", &parts)).into_bytes()
}

fn check(raw: &[u8]) -> Result<(), TestCaseError> {
    let Ok(message) = read(raw, &LIMITS, &Trusted::default()) else { return Ok(()) };
    prop_assert!(message.parts.len() <= LIMITS.parts);
    prop_assert!(message.mail.text.len() <= LIMITS.text);
    prop_assert!(message.not_expanded.is_none() || message.parts.is_empty());
    for (at, part) in message.parts.iter().enumerate() {
        let bytes = part.content.of(raw);
        prop_assert_eq!(bytes.len() as u64, part.size);
        prop_assert_eq!(*blake3::hash(bytes).as_bytes(), part.hash);
        prop_assert!(!part.title.trim().is_empty());
        prop_assert!(part.depth <= LIMITS.expand);
        prop_assert!(part.inside.is_none_or(|inside| inside < at), "{:?}", message.parts);
    }
    prop_assert_eq!(read(raw, &LIMITS, &Trusted::default()).ok(), Some(message));
    Ok(())
}

/// Copies, cuts and flips: what gateways and fuzzers do.
fn damaged(seed: &[u8], damage: Vec<(u8, usize, usize, u8)>) -> Vec<u8> {
    let mut raw = seed.to_vec();
    for (kind, at, length, byte) in damage {
        if raw.is_empty() {
            break;
        }
        let at = at % raw.len();
        let end = (at + length % 64).min(raw.len());
        match kind % 4 {
            0 => raw[at] = byte,
            1 => drop(raw.drain(at..end)),
            2 => {
                let copy = raw[at..end].to_vec();
                raw.splice(at..at, copy);
            }
            _ => raw.insert(at, byte),
        }
    }
    raw
}

fn damage() -> impl Strategy<Value = Vec<(u8, usize, usize, u8)>> {
    prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>(), any::<u8>()), 1..12)
}

/// Made once: packing takes longer than reading.
static WINMAIL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let inner = winmail::file(&[winmail::attachment(b"b\0", b"y", &[])]);
    let packed = compressed_rtf::compress_rtf("{\\rtf1 x}").unwrap();
    let props = [winmail::wide(0x37, "Subject"), winmail::long(0x1009, 0x102, &packed)];
    let inside = [winmail::wide(0x3707, "long"), winmail::embedded(&inner)];
    let parts = [
        winmail::code_page(1252),
        winmail::message_props(&props),
        winmail::attachment(b"a\0", b"x", &inside),
    ];
    winmail::file(&parts)
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(raw in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&raw)?;
    }

    #[test]
    fn random_fields(raw in "(From|To|Subject|Date|References|Content-Type|Content-Disposition)?:?[ -~äß\r\n\t]{0,200}") {
        check(raw.as_bytes())?;
    }

    #[test]
    fn damaged_messages(damage in damage()) {
        check(&damaged(&seed(), damage))?;
    }

    #[test]
    fn damaged_winmail(damage in damage()) {
        check(&damaged(&WINMAIL, damage))?;
    }
}
