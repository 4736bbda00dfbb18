//! Foreign text as text and nothing else: without what moves a terminal's cursor, or makes a line read differently from what it says.

/// Whether a character is shown as something else than itself: controls, and those that turn the direction of the text around them.
/// Line ends and tabs are among them.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text in one line: line ends and tabs become blanks, everything else that is hostile goes.
pub fn line(text: &str) -> String {
    let blank = |c: char| if matches!(c, '\n' | '\t') { ' ' } else { c };
    text.chars().map(blank).filter(|c| !is_hostile(*c)).collect()
}

/// The text in its lines, which end with `\n`: tabs stay, everything else that is hostile goes.
pub fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|c| matches!(c, '\n' | '\t') || !is_hostile(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_acts() {
        for (given, one, many) in [
            ("Käse 中", "Käse 中", "Käse 中"),
            ("a\u{1b}[2Jb\u{7}\u{0}", "a[2Jb", "a[2Jb"),
            ("a\u{9b}2Jb\u{7f}", "a2Jb", "a2Jb"),
            ("\u{202e}fdp.exe\u{2066}\u{200f}", "fdp.exe", "fdp.exe"),
            ("a\r\nb\rc\n\td", "a bc  d", "a\nb\nc\n\td"),
            ("a\u{2028}b\u{feff}", "ab", "ab"),
        ] {
            assert_eq!((line(given).as_str(), lines(given).as_str()), (one, many), "{given:?}");
        }
    }
}
