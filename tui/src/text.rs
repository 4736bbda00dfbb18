//! Text that others wrote, made safe for the terminal: subjects and file names are an attack surface.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The longest text that is looked at; no place on the screen shows more.
const LONGEST: usize = 4000;
/// How many marks may sit on one letter.
const MARKS: usize = 2;

/// Takes out what commands the terminal or turns the reading order: C0, C1, bidirectional and zero-width characters. Line
/// ends and tabs become spaces. Heaps of combining marks are thinned.
pub(crate) fn clean(text: &str) -> String {
    let mut marks = 0;
    text.chars()
        .take(LONGEST)
        .filter_map(|c| match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
            c if c.is_control() => None,
            // Zero width, joiners, bidi marks and isolates, soft hyphen, byte order mark, variation selectors, tags.
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}' => None,
            c => Some(c),
        })
        .filter(|c| {
            marks = if c.width() == Some(0) { marks + 1 } else { 0 };
            marks <= MARKS
        })
        .collect()
}

/// A text as a sentence: a capital in front, a full stop behind.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let end = if text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), chars.as_str())
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Cleans a text and cuts it to so many columns, with `…` where something is missing. Never splits a wide character.
pub(crate) fn clip(text: &str, columns: usize) -> String {
    let text = clean(text);
    if text.width() <= columns {
        return text;
    }
    if columns == 0 {
        return String::new();
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns - 1 {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}

/// Cleans a text and breaks it into lines of at most so many columns, at spaces where possible.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(text).split(' ').filter(|word| !word.is_empty()) {
        let gap = usize::from(!line.is_empty());
        if line.width() + gap + word.width() <= columns {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut used = 0;
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A number in at most four columns: `999`, `1.2k`, `12k`, `3.4M`.
pub(crate) fn count(number: u64) -> String {
    match number {
        0..=999 => number.to_string(),
        1_000..=9_999 => format!("{}.{}k", number / 1000, number % 1000 / 100),
        10_000..=999_999 => format!("{}k", number / 1000),
        1_000_000..=9_999_999 => format!("{}.{}M", number / 1_000_000, number % 1_000_000 / 100_000),
        _ => format!("{}M", number / 1_000_000),
    }
}

/// A number in full, with thin groups: `1 042 117`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A size in bytes, readable.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_text_is_harmless() {
        for (given, shown) in [
            ("plain", "plain"),
            ("a\x1b[31mred\x1b[0m", "a[31mred[0m"),
            ("\x1b]52;c;aGk=\x07", "]52;c;aGk="),
            ("\u{9b}2J", "2J"),
            ("line\r\none\ttwo", "line  one two"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\u{200b}b\u{feff}c\u{2066}d", "abcd"),
            ("e\u{301}", "e\u{301}"),
            ("e\u{301}\u{301}\u{301}\u{301}x", "e\u{301}\u{301}x"),
            ("👩\u{200d}👩", "👩👩"),
        ] {
            assert_eq!(clean(given), shown, "{given:?}");
        }
    }

    #[test]
    fn texts_are_cut_at_columns_not_characters() {
        for (given, columns, shown) in [
            ("subject", 7, "subject"),
            ("subject", 6, "subje…"),
            ("subject", 1, "…"),
            ("subject", 0, ""),
            ("件名件名", 8, "件名件名"),
            ("件名件名", 7, "件名件…"),
            ("件名件名", 6, "件名…"),
            ("", 3, ""),
        ] {
            assert_eq!(clip(given, columns), shown, "{given} in {columns}");
        }
        assert_eq!(wrap("the quick brown fox", 9), ["the quick", "brown fox"]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn numbers_stay_narrow() {
        for (number, shown) in
            [(0, "0"), (999, "999"), (1000, "1.0k"), (9_999, "9.9k"), (812_345, "812k"), (1_042_117, "1.0M")]
        {
            assert_eq!(count(number), shown);
        }
        assert_eq!(grouped(1_042_117), "1 042 117");
        assert_eq!(
            [0, 1023, 1024, 51_200, 3_500_000, 1 << 51].map(size),
            ["0 B", "1023 B", "1.0 KiB", "50.0 KiB", "3.3 MiB", "2048.0 TiB"].map(str::to_owned)
        );
    }

    proptest! {
        #[test]
        fn nothing_gets_wider_than_asked(given in any::<String>(), columns in 0_usize..40) {
            prop_assert!(clip(&given, columns).width() <= columns.max(1));
            prop_assert!(!clean(&given).chars().any(char::is_control));
            for line in wrap(&given, columns) {
                prop_assert!(line.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() <= columns.max(2));
            }
        }
    }
}
