//! The text of a message, for searching: letters out of bytes in whatever character set, plain text out of HTML.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;

/// Reads bytes as text. The second value is the name of a character set that nobody knows; the text is a guess then.
pub(super) fn decoded(bytes: &[u8], charset: Option<&str>) -> (String, Option<String>) {
    let Some(label) = charset.filter(|label| !label.eq_ignore_ascii_case("us-ascii")) else {
        return (guessed(bytes), None);
    };
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding == UTF_8 => (guessed(bytes), None),
        Some(encoding) => (encoding.decode(bytes).0.into_owned(), None),
        // UTF-7 and the sets of DOS, which browsers have given up.
        None => match charset_decoder(label.as_bytes()) {
            Some(decode) => (decode(bytes), None),
            None => (guessed(bytes), Some(label.to_owned())),
        },
    }
}

/// Text that says nothing about itself, or says that it is UTF-8: where that is impossible, and not only damaged, it is Western Windows.
/// Japanese that switches by escape codes can be told by them.
pub(super) fn guessed(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let switches = ["\x1b$B", "\x1b$@", "\x1b(J"];
        if switches.iter().any(|switch| text.contains(switch)) {
            return encoding_rs::ISO_2022_JP.decode(bytes).0.into_owned();
        }
        return text.trim_start_matches('\u{feff}').to_owned();
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    let read = String::from_utf8_lossy(bytes);
    let damaged = read.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    let right = read.chars().filter(|c| !c.is_ascii()).count() - damaged;
    if right > damaged { read.into_owned() } else { WINDOWS_1252.decode(bytes).0.into_owned() }
}

/// Plain text out of HTML, of no more than so many bytes of it.
pub(super) fn of_html(html: &str, most: usize) -> String {
    html_to_text(cut(html, most))
}

/// The beginning of a text, of whole letters.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=text.len().min(most)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// What HTML refers to as parts of its message, in small letters.
pub(super) fn content_ids(html: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            let at = memchr::memchr(b':', rest.as_bytes())?;
            let (before, after) = (&rest.as_bytes()[..at], &rest[at + 1..]);
            rest = after;
            if before.len() >= 3 && before[at - 3..].eq_ignore_ascii_case(b"cid") {
                // An id is no longer than a line.
                let near = cut(after, 998);
                let end =
                    near.find(|c: char| c.is_whitespace() || "\"'<>()".contains(c)).unwrap_or(near.len());
                let id = percent_encoding::percent_decode_str(&near[..end]).decode_utf8_lossy();
                return Some(id.to_lowercase());
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_letters_whatever_they_say_about_themselves() {
        for (bytes, charset, wanted, unknown) in [
            (&b"plain"[..], None, "plain", None),
            ("Grüße".as_bytes(), None, "Grüße", None),
            (b"Gr\xfc\xdfe", None, "Grüße", None),
            (b"Gr\xfc\xdfe", Some("us-ascii"), "Grüße", None),
            (b"Gr\xfc\xdfe", Some("utf-8"), "Grüße", None),
            (b"Gr\xfc\xdfe", Some("ISO-8859-1"), "Grüße", None),
            ("Grüße, Öl und Ä\u{df}".as_bytes(), Some("x-unknown"), "Grüße, Öl und Äß", Some("x-unknown")),
            (b"\x93x\x94", Some("windows-1252"), "“x”", None),
            (b"\x83\x65\x83\x58\x83\x67", Some("shift_jis"), "テスト", None),
            (b"\x1b$B%F%9%H\x1b(B", None, "テスト", None),
            (b"\xd6\xd0\xce\xc4", Some("gb2312"), "中文", None),
            (b"\xef\xbb\xbfa", None, "a", None),
            (b"+AOQ-", Some("utf-7"), "ä", None),
            (b"", Some(""), "", Some("")),
            // Damaged UTF-8 stays UTF-8.
            (b"\xc3\xa4\xc3\xb6\xc3\xbc\xff", Some("utf-8"), "äöü\u{fffd}", None),
        ] {
            assert_eq!(
                decoded(bytes, charset),
                (wanted.to_owned(), unknown.map(str::to_owned)),
                "{charset:?}"
            );
        }
    }

    #[test]
    fn html_refers_to_parts() {
        let found: Vec<String> = content_ids(
            "<img src=\"cid:Logo@1\"><img src='CID:b%40c'> url(cid:d) acid:x cid: <a href=\"http://x\">cid:e",
        )
        .collect();
        assert_eq!(found, ["logo@1", "b@c", "d", "x", "", "e"]);
        assert_eq!(content_ids("::cid").count(), 0);
    }
}
