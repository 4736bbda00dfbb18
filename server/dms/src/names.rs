//! File names that every system takes, by one stated rule.
//!
//! 1. Control characters and invisible characters that change how text reads (bidirectional overrides, zero-width spaces,
//!    line separators) are dropped.
//! 2. Each of `/ \ : * ? " < > |` becomes `_`.
//! 3. Spaces at both ends and dots at the end are dropped; a leading dot gets `_` in front.
//! 4. A name that DOS reserves (`con`, `nul`, `com1` …) gets `_` after its first part.
//! 5. A name longer than the limit loses the end of its stem and keeps its extension.
//! 6. A name of which nothing is left is `document`.
//!
//! The original name stays in the filing.

/// Characters that a reader does not see and that can make a name read as another one.
const fn is_treacherous(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Whether DOS, and with it Windows, gives the first part of a name a meaning of its own.
fn is_reserved(first: &str) -> bool {
    let first = first.trim_end().to_lowercase();
    let port = |rest: &str| {
        let mut chars = rest.chars();
        matches!((chars.next(), chars.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    };
    RESERVED.contains(&first.as_str())
        || first.strip_prefix("com").is_some_and(port)
        || first.strip_prefix("lpt").is_some_and(port)
}

/// The longest text after the last dot that counts as an extension, in bytes.
const LONGEST_EXTENSION: usize = 20;

/// Stem and extension; the extension is empty where there is none, and comes without its dot.
pub fn split(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=LONGEST_EXTENSION).contains(&extension.len())
                && !extension.contains(char::is_whitespace) =>
        {
            (stem, extension)
        }
        _ => (name, ""),
    }
}

/// The longest start of `text` that has at most `limit` bytes and ends between characters.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A name by the rule of this module, at most `limit` bytes long. `limit` is at least 32.
///
/// Applying it twice changes nothing more.
pub fn safe(name: &str, limit: usize) -> String {
    let mut text: String = name
        .chars()
        .filter(|c| !is_treacherous(*c) && (!c.is_control() || *c == '\t'))
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect();
    // Each step can bring out what another one removes (a cut that ends in a space); a few rounds settle it.
    loop {
        let next = once(&text, limit);
        if next == text {
            return next;
        }
        text = next;
    }
}

fn once(text: &str, limit: usize) -> String {
    let trimmed = text.trim().trim_end_matches(['.', ' ']);
    let mut name = if trimmed.is_empty() { "document".to_owned() } else { trimmed.to_owned() };
    if name.starts_with('.') {
        name.insert(0, '_');
    }
    let first = name.find('.').unwrap_or(name.len());
    if is_reserved(&name[..first]) {
        name.insert(first, '_');
    }
    if name.len() <= limit {
        return name;
    }
    match split(&name) {
        (stem, "") => cut(stem, limit).to_owned(),
        (stem, extension) => {
            format!("{}.{extension}", cut(stem, limit - extension.len() - 1).trim_end_matches(['.', ' ']))
        }
    }
}

/// `name` as the `n`-th of several that want it: `letter.pdf`, `letter (2).pdf`, …
pub fn numbered(name: &str, n: u32) -> String {
    if n <= 1 {
        return name.to_owned();
    }
    match split(name) {
        (stem, "") => format!("{stem} ({n})"),
        (stem, extension) => format!("{stem} ({n}).{extension}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_become_safe_by_the_stated_rule() {
        let table: &[(&str, &str)] = &[
            ("Letter.pdf", "Letter.pdf"),
            ("Brief an Müller.docx", "Brief an Müller.docx"),
            ("契約書.pdf", "契約書.pdf"),
            ("🗂 bundle.pdf", "🗂 bundle.pdf"),
            ("a/b\\c:d*e?f\"g<h>i|j.pdf", "a_b_c_d_e_f_g_h_i_j.pdf"),
            ("../../etc/passwd", "_.._.._etc_passwd"),
            ("line\r\nbreak\u{0}.txt", "linebreak.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("zero\u{200b}width\u{feff}.txt", "zerowidth.txt"),
            ("CON", "CON_"),
            ("con.txt", "con_.txt"),
            ("com1.tar.gz", "com1_.tar.gz"),
            ("LPT³.pdf", "LPT³_.pdf"),
            ("console.txt", "console.txt"),
            ("trailing. . .", "trailing"),
            ("  spaced.pdf  ", "spaced.pdf"),
            (".hidden", "_.hidden"),
            (".pdf", "_.pdf"),
            ("..", "document"),
            ("", "document"),
            ("   ", "document"),
            ("\u{202e}", "document"),
            ("tab\there.txt", "tab here.txt"),
        ];
        for (given, wanted) in table {
            assert_eq!(safe(given, 200), *wanted, "{given:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension_and_never_split_a_character() {
        assert_eq!(safe(&format!("{}.docx", "x".repeat(300)), 200), format!("{}.docx", "x".repeat(195)));
        let name = safe(&format!("{}.pdf", "ü".repeat(300)), 200);
        assert_eq!((name.len(), name.ends_with("ü.pdf")), (200, true));
        assert_eq!(safe(&"y".repeat(300), 200).len(), 200);
    }

    #[test]
    fn numbers_go_before_the_extension() {
        assert_eq!(numbered("letter.pdf", 1), "letter.pdf");
        assert_eq!(numbered("letter.pdf", 2), "letter (2).pdf");
        assert_eq!(numbered("letter", 3), "letter (3)");
        assert_eq!(split("a.b c"), ("a.b c", ""));
        assert_eq!(split(".pdf"), (".pdf", ""));
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_name_that_is_left_alone(text in any::<String>(), tail in "[a-z. ]{0,12}") {
            let name = safe(&format!("{text}{tail}"), 64);
            prop_assert!(!name.is_empty() && name.len() <= 64);
            prop_assert!(!name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']));
            prop_assert!(!name.contains(['/', '\\', '\0', '\n']));
            prop_assert_eq!(safe(&name, 64), name);
        }
    }
}
