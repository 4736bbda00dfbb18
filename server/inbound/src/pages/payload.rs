//! What a cover sheet's barcodes say.
//!
//! ```text
//! PR1.<site>.<reference>.<check>      PR1.LONDON.M--1042.7K3TQ9XA
//! ```
//!
//! The text keeps to digits, capital letters, dots and hyphens. Code 39 can print nothing more without shift characters that
//! readers take differently, and in a QR code it is as short as text can be. Everything else is written with hyphens:
//!
//! | written | means |
//! |---|---|
//! | `--` | a hyphen |
//! | `-Y` | a dot |
//! | `-Z` | from here on letters are small, until the next `-Z` |
//! | `-C3-BC` | bytes of UTF-8, two hexadecimal digits each |
//!
//! The check is made of the text before it and a secret of this Postroom. So a barcode of a courier, of another firm, or one
//! that somebody typed never names a work item, and neither does one that was misread: one in 2^40 would pass.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How the texts of this form begin.
const BEGINNING: &str = "PR1.";
/// How those of any form begin.
const FAMILY: &str = "PR";
/// Digits of the check: five bits each, without letters that look like digits.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECK: usize = 8;
/// What the secret is used for here, so that no other use of it can be passed off as a sheet.
const PURPOSE: &[u8] = b"postroom cover sheet 1\0";
/// The longest text that is made: what still fits into a code on one sheet that scanners read.
pub const LONGEST: usize = 160;

/// The secret that the checks of cover sheets are made with.
#[derive(Clone)]
pub struct CoverKey(Zeroizing<[u8; 32]>);

impl CoverKey {
    /// A key of these bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The check of a text.
    fn check(&self, text: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).ok()?;
        mac.update(PURPOSE);
        mac.update(text.as_bytes());
        let code = mac.finalize().into_bytes();
        let bits = code.iter().take(5).fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        let digit = |at: usize| char::from(DIGITS[usize::try_from(bits >> (35 - 5 * at) & 31).unwrap_or(0)]);
        Some((0..CHECK).map(digit).collect())
    }
}

impl fmt::Debug for CoverKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CoverKey(…)")
    }
}

/// What a cover sheet is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cover {
    /// The site that the reference belongs to; empty where references are the same everywhere.
    pub site: String,
    /// The reference or key of the work item.
    pub reference: String,
}

/// Why no text can be made for a cover sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPayload {
    /// A sheet names a work item.
    NoReference,
    /// It would not fit into a barcode that scanners read.
    TooLong,
}

impl fmt::Display for NoPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoReference => "a cover sheet needs the reference of a work item",
            Self::TooLong => "the reference is too long for a barcode",
        })
    }
}

impl std::error::Error for NoPayload {}

/// What a text on a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A cover sheet of this Postroom.
    Ours(Cover),
    /// It begins like one, but its check is wrong or its form is not known: of another Postroom, older or newer than its key, or
    /// made up.
    Doubtful(&'static str),
    /// Something else.
    NotOurs,
}

/// The text for a cover sheet.
pub fn payload(cover: &Cover, key: &CoverKey) -> Result<String, NoPayload> {
    if cover.reference.is_empty() {
        return Err(NoPayload::NoReference);
    }
    let text = format!("{BEGINNING}{}.{}", written(&cover.site), written(&cover.reference));
    if text.len() + 1 + CHECK > LONGEST {
        return Err(NoPayload::TooLong);
    }
    let check = key.check(&text).ok_or(NoPayload::TooLong)?;
    Ok(format!("{text}.{check}"))
}

/// What a text says that was read from a page.
pub fn parse(text: &str, key: &CoverKey) -> Payload {
    let text = text.trim();
    if !text.starts_with(BEGINNING) {
        let version =
            text.strip_prefix(FAMILY).and_then(|rest| rest.split_once('.')).map(|(version, _)| version);
        let newer = version.is_some_and(|version| {
            matches!(version.len(), 1..=3) && version.bytes().all(|byte| byte.is_ascii_digit())
        });
        let why = "it is a cover sheet of a form that is not known here";
        return if newer { Payload::Doubtful(why) } else { Payload::NotOurs };
    }
    let Some((signed, check)) = text.rsplit_once('.') else {
        return Payload::Doubtful("it begins like a cover sheet and is cut off");
    };
    let right = key.check(signed).is_some_and(|wanted| wanted == check);
    if !right {
        return Payload::Doubtful("its check characters are not those of this Postroom");
    }
    let cover = signed[BEGINNING.len()..].split_once('.').and_then(|(site, reference)| {
        Some(Cover { site: meant(site)?, reference: meant(reference).filter(|text| !text.is_empty())? })
    });
    cover.map_or(Payload::Doubtful("it does not say what it is for"), Payload::Ours)
}

/// A text in the characters that barcodes have.
fn written(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut small = false;
    for letter in text.chars() {
        match letter {
            'A'..='Z' | 'a'..='z' => {
                if small != letter.is_ascii_lowercase() {
                    small = !small;
                    out.push_str("-Z");
                }
                out.push(letter.to_ascii_uppercase());
            }
            '0'..='9' => out.push(letter),
            '-' => out.push_str("--"),
            '.' => out.push_str("-Y"),
            other => {
                for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                    out.push('-');
                    out.push(hex_digit(byte >> 4));
                    out.push(hex_digit(byte & 15));
                }
            }
        }
    }
    out
}

/// The text that was written so; none where it was not written by [`written`].
fn meant(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut small = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'A'..=b'Z' => out.push(if small { byte.to_ascii_lowercase() } else { byte }),
            b'0'..=b'9' => out.push(byte),
            b'-' => match bytes.next()? {
                b'-' => out.push(b'-'),
                b'Y' => out.push(b'.'),
                b'Z' => small = !small,
                high => {
                    let low = bytes.next()?;
                    out.push(value_of(high)? << 4 | value_of(low)?);
                }
            },
            _ => return None,
        }
    }
    String::from_utf8(out).ok()
}

fn hex_digit(value: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(value & 15)])
}

fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> CoverKey {
        CoverKey::new([7; 32])
    }

    fn cover(site: &str, reference: &str) -> Cover {
        Cover { site: site.to_owned(), reference: reference.to_owned() }
    }

    #[test]
    fn texts_keep_to_what_barcodes_have() {
        for (site, reference, wanted) in [
            ("", "M-1042", "PR1..M--1042."),
            ("LON", "1.2", "PR1.LON.1-Y2."),
            ("london", "Acme/7", "PR1.-ZLONDON.A-ZCME-2F7."),
            ("", "Müller 3", "PR1..M-C3-BC-ZLLER-203."),
        ] {
            let cover = cover(site, reference);
            let text = payload(&cover, &key()).unwrap();
            assert_eq!(&text[..text.len() - CHECK], wanted);
            assert!(
                text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'.' | b'-')),
                "{text}"
            );
            assert_eq!(parse(&text, &key()), Payload::Ours(cover));
        }
    }

    #[test]
    fn what_is_not_a_sheet_of_ours() {
        let good = payload(&cover("LON", "M-1042"), &key()).unwrap();
        let other_key = payload(&cover("LON", "M-1042"), &CoverKey::new([8; 32])).unwrap();
        let changed = good.replace("1042", "1043");
        let cut = &good[..good.len() - 1];
        let cases = [
            ("", true),
            ("M-1042", true),
            ("https://example.com/PR1.A.B.C", true),
            ("PRICE.10", true),
            ("PR.1", true),
            ("pr1.LON.M--1042.00000000", true),
            ("PR1.", false),
            ("PR1.LON.M--1042", false),
            ("PR2.ANYTHING", false),
            (other_key.as_str(), false),
            (changed.as_str(), false),
            (cut, false),
        ];
        for (text, not_ours) in cases {
            match parse(text, &key()) {
                Payload::NotOurs => assert!(not_ours, "{text}"),
                Payload::Doubtful(_) => assert!(!not_ours, "{text}"),
                Payload::Ours(cover) => panic!("{text} names {cover:?}"),
            }
        }
    }

    #[test]
    fn site_and_reference_cannot_be_mixed_up() {
        let one = payload(&cover("A", "B.C"), &key()).unwrap();
        let other = payload(&cover("A.B", "C"), &key()).unwrap();
        assert_ne!(one[..one.len() - CHECK], other[..other.len() - CHECK]);
    }

    #[test]
    fn too_long_and_empty() {
        assert_eq!(payload(&cover("", ""), &key()), Err(NoPayload::NoReference));
        assert_eq!(payload(&cover("", &"X".repeat(200)), &key()), Err(NoPayload::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(site in "\\PC{0,8}", reference in "\\PC{1,20}") {
            let cover = Cover { site, reference };
            if let Ok(text) = payload(&cover, &key()) {
                prop_assert_eq!(parse(&text, &key()), Payload::Ours(cover));
            }
        }

        #[test]
        fn nothing_else_is_a_sheet(text in "(PR1\\.)?[A-Z0-9.-]{0,40}") {
            prop_assert!(!matches!(parse(&text, &key()), Payload::Ours(_)));
        }
    }
}
