//! The characters of a tag, and what people and programs make of them: Crockford's base 32 has no `I`, `L`, `O`, `U`, and what looks like
//! one of its characters is read as that.

use std::fmt;

/// The characters, by their values.
pub(super) const SYMBOLS: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M',
    'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// Bits of a character.
pub(super) const BITS: usize = 5;

/// Writes a number in so many characters.
pub(super) fn write(f: &mut fmt::Formatter<'_>, number: u32, characters: usize) -> fmt::Result {
    use fmt::Write as _;
    (0..characters).rev().try_for_each(|at| {
        let value = (number >> (BITS * at)) as usize % SYMBOLS.len();
        f.write_char(SYMBOLS[value])
    })
}

/// The value of a character, look-alikes included; none where it is none of ours.
pub(super) fn value(c: char) -> Option<u8> {
    let c = folded(c);
    let at = SYMBOLS.iter().position(|symbol| *symbol == c)?;
    u8::try_from(at).ok()
}

/// A character as those are compared: large, and each look-alike as the one that it is taken for. Cyrillic and Greek letters come from
/// keyboards that somebody forgot to switch, wide ones from East Asian input.
pub(super) fn folded(c: char) -> char {
    let plain = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    match plain.to_ascii_uppercase() {
        'O' | 'О' | 'о' | 'Ο' | 'ο' => '0',
        'I' | 'L' | '|' | 'І' | 'і' | 'Ι' | 'ι' => '1',
        'U' | 'υ' => 'V',
        'А' | 'а' | 'Α' | 'α' => 'A',
        'В' | 'в' | 'Β' => 'B',
        'Е' | 'е' | 'Ε' => 'E',
        'Ј' | 'ј' => 'J',
        'К' | 'к' | 'Κ' | 'κ' => 'K',
        'М' | 'м' | 'Μ' => 'M',
        'Н' | 'н' | 'Η' => 'H',
        'Ν' => 'N',
        'Р' | 'р' | 'Ρ' | 'ρ' => 'P',
        'С' | 'с' => 'C',
        'Ѕ' | 'ѕ' => 'S',
        'Т' | 'т' | 'Τ' | 'τ' => 'T',
        'Х' | 'х' | 'Χ' | 'χ' => 'X',
        'Υ' => 'Y',
        'Ζ' => 'Z',
        c => c,
    }
}

/// Whether it stands for the hyphen between a tag's parts: word processors make dashes of hyphens.
pub(super) const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

/// Whether a tag may begin with it.
pub(super) const fn opens(c: char) -> bool {
    matches!(c, '[' | '(' | '{' | '\u{ff3b}' | '\u{ff08}' | '\u{3010}' | '\u{3014}')
}

/// Whether a tag may end with it.
pub(super) const fn closes(c: char) -> bool {
    matches!(c, ']' | ')' | '}' | '\u{ff3d}' | '\u{ff09}' | '\u{3011}' | '\u{3015}')
}

/// Whether it may stand anywhere in a tag without a meaning: what folding of lines leaves behind, and what cannot be seen.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
