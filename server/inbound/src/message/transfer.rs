//! Transfer encodings (RFC 2045, section 6), read with what is wrong in them: what can be decoded is, and what cannot is said. A
//! strict decoder would lose an attachment over one letter that a gateway put into it.

use std::borrow::Cow;

/// How the bytes of a part are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Encoding {
    /// As they are: `7bit`, `8bit`, `binary` and whatever nobody knows.
    #[default]
    Plain,
    Base64,
    QuotedPrintable,
    /// Older than MIME, and still sent.
    Uu,
}

impl Encoding {
    /// By the name in the field, which some programs decorate.
    pub(super) fn named(name: &str) -> Self {
        let word = name.split(|c: char| c == ';' || c == '(' || c.is_whitespace()).find(|it| !it.is_empty());
        match word.unwrap_or_default().trim_matches('"').to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "quoted-printable" => Self::QuotedPrintable,
            "uuencode" | "x-uuencode" | "x-uue" | "uue" => Self::Uu,
            _ => Self::Plain,
        }
    }

    /// The bytes, and whether all was well with their encoding. Never more bytes than went in.
    pub(super) fn decode(self, written: &[u8]) -> (Cow<'_, [u8]>, bool) {
        match self {
            Self::Plain => (Cow::Borrowed(written), true),
            Self::Base64 => own(base64(written)),
            Self::QuotedPrintable => own(quoted_printable(written)),
            Self::Uu => {
                uu(written).map_or((Cow::Borrowed(written), false), |bytes| (Cow::Owned(bytes), true))
            }
        }
    }
}

fn own((bytes, well): (Vec<u8>, bool)) -> (Cow<'static, [u8]>, bool) {
    (Cow::Owned(bytes), well)
}

/// Letters outside of the alphabet are passed over (RFC 2045, section 6.8); padding in the middle, as where two were glued together,
/// ends a group and not the content.
fn base64(written: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(written.len() / 4 * 3 + 3);
    let (mut group, mut count, mut well) = (0_u32, 0_u32, true);
    for letter in written {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                flush(group, count, &mut bytes);
                (group, count) = (0, 0);
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => {
                well = false;
                continue;
            }
        };
        group = (group << 6) | u32::from(value);
        count += 1;
        if count == 4 {
            bytes.extend_from_slice(&group.to_be_bytes()[1..]);
            (group, count) = (0, 0);
        }
    }
    well &= count != 1;
    flush(group, count, &mut bytes);
    (bytes, well)
}

/// The whole bytes of a group that is not full.
fn flush(group: u32, count: u32, bytes: &mut Vec<u8>) {
    if count >= 2 {
        let whole = (group << (6 * (4 - count))).to_be_bytes();
        bytes.extend_from_slice(&whole[1..count as usize]);
    }
}

fn quoted_printable(written: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(written.len());
    let mut well = true;
    for line in written.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        let end = if line.ends_with(b"\r\n") {
            &b"\r\n"[..]
        } else if line.ends_with(b"\n") {
            &b"\n"[..]
        } else {
            &b""[..]
        };
        // Blanks at the end of a line were added on the way; one in front of nothing is the text's own.
        let text = if end.is_empty() { line } else { text };
        let (text, goes_on) = text.strip_suffix(b"=").map_or((text, false), |text| (text, true));
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let code =
                text.get(at + 1..at + 3).and_then(|digits| Some(hex(digits[0])? << 4 | hex(digits[1])?));
            match code {
                Some(code) if *byte == b'=' => {
                    bytes.push(code);
                    at += 3;
                }
                _ => {
                    well &= *byte != b'=';
                    bytes.push(*byte);
                    at += 1;
                }
            }
        }
        if !goes_on {
            bytes.extend_from_slice(end);
        }
    }
    (bytes, well)
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// From the line `begin …` to `end`; nothing where there is no such line.
fn uu(written: &[u8]) -> Option<Vec<u8>> {
    let mut lines = written.split(|byte| *byte == b'\n').skip_while(|line| !line.starts_with(b"begin "));
    lines.next()?;
    let mut bytes = Vec::new();
    for line in lines {
        let line = line.trim_ascii_end();
        if line == b"end" {
            break;
        }
        let Some((length, letters)) = line.split_first() else { continue };
        let length = usize::from(length.wrapping_sub(32) & 63);
        let start = bytes.len();
        for group in letters.chunks(4) {
            let value =
                group.iter().fold(0_u32, |all, letter| (all << 6) | u32::from(letter.wrapping_sub(32) & 63));
            let value = value << (6 * (4 - group.len()));
            bytes.extend_from_slice(&value.to_be_bytes()[1..]);
        }
        bytes.truncate(start + length);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_read_with_what_is_wrong_in_them() {
        use Encoding::{Base64, Plain, QuotedPrintable, Uu};
        let cases: [(Encoding, &[u8], &[u8], bool); 19] = [
            (Plain, b"as it is", b"as it is", true),
            (Base64, b"SGVsbG8=", b"Hello", true),
            (Base64, b"SGVs\r\nbG8=\r\n", b"Hello", true),
            (Base64, b"SGVsbG8", b"Hello", true),
            (Base64, b"SGVs!bG8=", b"Hello", false),
            (Base64, b"SGk=SGVsbG8=", b"HiHello", true),
            (Base64, b"SGVsb", b"Hel", false),
            (Base64, b"", b"", true),
            (Base64, b"====", b"", true),
            (QuotedPrintable, b"a=20b", b"a b", true),
            (QuotedPrintable, b"a=\r\nb", b"ab", true),
            (QuotedPrintable, b"a= \r\nb", b"ab", true),
            (QuotedPrintable, b"a \t\r\nb\r\n", b"a\r\nb\r\n", true),
            (QuotedPrintable, b"caf=e9", b"caf\xe9", true),
            (QuotedPrintable, b"1=2 = junk=", b"1=2 = junk", false),
            (QuotedPrintable, b"=4", b"=4", false),
            (Uu, b"begin 644 a.txt\n%2&5L;&\\\n`\nend\n", b"Hello", true),
            (Uu, b"intro\nbegin 644 a.txt\n%2&5L;&\\\n", b"Hello", true),
            (Uu, b"no beginning", b"no beginning", false),
        ];
        for (encoding, written, wanted, well) in cases {
            let (bytes, was_well) = encoding.decode(written);
            let shown = String::from_utf8_lossy(written);
            assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(wanted), "{shown:?}");
            assert_eq!(was_well, well, "{shown:?}");
        }
    }

    #[test]
    fn encodings_are_known_by_decorated_names() {
        for (name, wanted) in [
            ("base64", Encoding::Base64),
            (" BASE64 ", Encoding::Base64),
            ("base64; charset=utf-8", Encoding::Base64),
            ("\"quoted-printable\"", Encoding::QuotedPrintable),
            ("quoted-printable (of course)", Encoding::QuotedPrintable),
            ("x-uuencode", Encoding::Uu),
            ("7-bit", Encoding::Plain),
            ("", Encoding::Plain),
        ] {
            assert_eq!(Encoding::named(name), wanted, "{name:?}");
        }
    }
}
