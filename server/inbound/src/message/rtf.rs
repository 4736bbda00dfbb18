//! Text in RTF, as Outlook keeps it: packed (MS-OXRTFCP), and sometimes HTML in disguise (MS-OXRTFEX). Only words come out; nothing is shown.

use std::panic::catch_unwind;

use super::mapi;
use super::text;

/// Groups within each other that are kept apart; what lies deeper is treated as what it lies in.
const DEEPEST: usize = 100;

/// Unpacks, where the lengths that it names can be true: the crate believes them and would ask for all the memory there is.
pub(super) fn unpacked(packed: &[u8], most: usize) -> Option<String> {
    let word = |at: usize| packed.get(at..at + 4).and_then(|it| it.try_into().ok()).map(u32::from_le_bytes);
    let whole = usize::try_from(word(0)?).ok()?.checked_add(4)?;
    let plain = usize::try_from(word(4)?).ok()?;
    // Two bytes stand for 17 at most.
    let possible = packed.len().saturating_mul(9);
    if whole < 16
        || whole > packed.len()
        || plain > possible
        || plain > most.max(1024 * 1024)
        || possible > 256 * 1024 * 1024
    {
        return None;
    }
    if word(8)? == 0x414c_454d && plain + 16 > whole {
        return None;
    }
    let packed = &packed[..whole];
    catch_unwind(|| compressed_rtf::decompress_rtf(packed).ok()).ok().flatten()
}

/// Which part of the text a group belongs to.
#[derive(Clone, Copy)]
struct Group {
    /// Fonts, colours, pictures and what else is no text.
    skipped: bool,
    /// An HTML tag in disguise.
    tag: bool,
    /// What only readers of RTF see where HTML is in disguise.
    rtf_only: bool,
    /// Letters after `\u` that stand for it in old readers.
    stand_in: usize,
}

/// The words of a text in RTF.
pub(super) fn text(rtf: &str) -> String {
    Reader::new(rtf).read()
}

struct Reader {
    /// One byte for each letter of RTF.
    bytes: Vec<u8>,
    at: usize,
    groups: Vec<Group>,
    /// Groups opened beyond the deepest that is kept apart.
    beyond: usize,
    text: String,
    /// Letters in the code page, until they are read together: some have two bytes.
    narrow: Vec<u8>,
    charset: String,
    /// Letters that stand for the last one by `\u`.
    to_skip: usize,
    tag: Vec<u8>,
}

impl Reader {
    fn new(rtf: &str) -> Self {
        let bytes = rtf.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect();
        let group = Group { skipped: false, tag: false, rtf_only: false, stand_in: 1 };
        Self {
            bytes,
            at: 0,
            groups: vec![group],
            beyond: 0,
            text: String::new(),
            narrow: Vec::new(),
            charset: "windows-1252".to_owned(),
            to_skip: 0,
            tag: Vec::new(),
        }
    }

    fn read(mut self) -> String {
        while let Some(byte) = self.next() {
            match byte {
                b'{' => self.open(),
                b'}' => self.close(),
                b'\\' => self.control(),
                b'\r' | b'\n' => {}
                byte => self.letter(byte),
            }
        }
        self.flush();
        self.text
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte
    }

    fn group(&mut self) -> &mut Group {
        let last = self.groups.len() - 1; // there is always one
        &mut self.groups[last]
    }

    fn open(&mut self) {
        if self.groups.len() < DEEPEST {
            let group = *self.group();
            self.groups.push(group);
        } else {
            self.beyond += 1;
        }
        self.to_skip = 0;
    }

    fn close(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
        } else if self.groups.len() > 1 {
            let ended = self.groups.pop();
            if ended.is_some_and(|it| it.tag) && !self.group().tag {
                self.end_tag();
            }
        }
        self.to_skip = 0;
    }

    /// Tags that begin a line begin one here.
    fn end_tag(&mut self) {
        let tag = std::mem::take(&mut self.tag).to_ascii_lowercase();
        let begins = |name: &[u8]| tag.windows(name.len()).any(|it| it == name);
        if [&b"<br"[..], b"</p", b"</div", b"</tr", b"</li", b"</h"].into_iter().any(begins) {
            self.push('\n');
        }
    }

    fn letter(&mut self, byte: u8) {
        if self.to_skip > 0 {
            self.to_skip -= 1;
            return;
        }
        let Group { skipped, tag, rtf_only, .. } = *self.group();
        if tag {
            if self.tag.len() < 64 {
                self.tag.push(byte);
            }
        } else if !skipped && !rtf_only {
            self.narrow.push(byte);
        }
    }

    fn push(&mut self, letter: char) {
        let Group { skipped, tag, rtf_only, .. } = *self.group();
        if !skipped && !tag && !rtf_only {
            self.flush();
            self.text.push(letter);
        }
    }

    fn flush(&mut self) {
        if !self.narrow.is_empty() {
            self.text.push_str(&text::decoded(&self.narrow, Some(&self.charset)).0);
            self.narrow.clear();
        }
    }

    fn control(&mut self) {
        let Some(first) = self.next() else { return };
        if !first.is_ascii_alphabetic() {
            match first {
                b'\'' => {
                    let digits = self.bytes.get(self.at..self.at + 2).unwrap_or_default();
                    let code =
                        std::str::from_utf8(digits).ok().and_then(|it| u8::from_str_radix(it, 16).ok());
                    self.at += 2;
                    if let Some(code) = code {
                        self.letter(code);
                    }
                }
                b'*' => {
                    let is_tag = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\htmltag"));
                    self.group().skipped |= !is_tag;
                }
                b'~' => self.push('\u{a0}'),
                b'\\' | b'{' | b'}' => self.letter(first),
                b'\n' | b'\r' => self.push('\n'),
                _ => {}
            }
            return;
        }
        let word = self.run_of(|byte| byte.is_ascii_alphabetic(), 32, self.at - 1);
        let negative = self.bytes.get(self.at) == Some(&b'-');
        if negative {
            self.at += 1;
        }
        let digits = self.run_of(|byte| byte.is_ascii_digit(), 10, self.at);
        let number = std::str::from_utf8(&digits).ok().and_then(|it| it.parse::<i64>().ok());
        let number = number.map(|it| if negative { -it } else { it });
        if self.bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        self.word(&word, number);
    }

    fn run_of(&mut self, is: impl Fn(u8) -> bool, most: usize, from: usize) -> Vec<u8> {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let length = rest.iter().take(most).take_while(|byte| is(**byte)).count();
        self.at = from + length;
        rest[..length].to_vec()
    }

    fn word(&mut self, word: &[u8], number: Option<i64>) {
        match word {
            b"par" | b"line" | b"sect" | b"page" | b"row" => self.push('\n'),
            b"tab" | b"cell" => self.push('\t'),
            b"emdash" => self.push('—'),
            b"endash" => self.push('–'),
            b"lquote" => self.push('‘'),
            b"rquote" => self.push('’'),
            b"ldblquote" => self.push('“'),
            b"rdblquote" => self.push('”'),
            b"bullet" => self.push('•'),
            b"ansicpg" => {
                self.flush();
                self.charset = mapi::charset(number.unwrap_or(1252));
            }
            b"uc" => {
                self.group().stand_in = number.and_then(|it| usize::try_from(it).ok()).unwrap_or(1).min(16);
            }
            b"u" => {
                let code = number.map(|it| if it < 0 { it + 0x1_0000 } else { it });
                let letter = code.and_then(|it| u32::try_from(it).ok()).and_then(char::from_u32);
                self.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
                self.to_skip = self.group().stand_in;
            }
            b"htmltag" => self.group().tag = true,
            b"htmlrtf" => {
                self.flush();
                self.group().rtf_only = number != Some(0);
            }
            b"fonttbl" | b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"header" | b"footer"
            | b"object" | b"listtable" | b"listoverridetable" | b"themedata" | b"datastore" => {
                self.group().skipped = true;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_rtf() {
        for (rtf, wanted) in [
            (r"{\rtf1\ansi\ansicpg1252\pard hello world}", "hello world"),
            (r"{\rtf1{\fonttbl{\f0 Arial;}}a\par b\tab c}", "a\nb\tc"),
            (r"{\rtf1\ansicpg1252 Gr\'fc\'dfe}", "Grüße"),
            (r"{\rtf1\ansicpg1251 \'ef\'f0}", "пр"),
            (r"{\rtf1\ansicpg932 \'83\'65}", "テ"),
            (r"{\rtf1\uc1 \u8364?5 \u-3913?}", "€5 \u{f0b7}"),
            (r"{\rtf1{\*\generator Riched20;}x}", "x"),
            (r"{\rtf1\fromhtml1{\*\htmltag64 <p>}a\htmlrtf\par\htmlrtf0{\*\htmltag72 </p>}b}", "a\nb"),
            (r"a \{b\} \\c", "a {b} \\c"),
            (r"}}}}x", "x"),
            (r"\", ""),
            (r"\'", ""),
            (r"\'4", ""),
            ("", ""),
        ] {
            assert_eq!(text(rtf), wanted, "{rtf}");
        }
        assert_eq!(text(&format!("{}deep{}", "{".repeat(100_000), "}".repeat(100_000))), "deep");
    }

    #[test]
    fn packed_text_is_unpacked_where_its_lengths_can_be_true() {
        let packed = compressed_rtf::compress_rtf(r"{\rtf1 hello hello hello}").unwrap();
        assert_eq!(unpacked(&packed, 1000).as_deref(), Some(r"{\rtf1 hello hello hello}"));
        let trailing = [packed.clone(), vec![0; 8]].concat();
        assert!(unpacked(&trailing, 1000).is_some());
        let plain = compressed_rtf::encode_rtf(r"{\rtf1 x}").unwrap();
        assert_eq!(unpacked(&plain, 1000).as_deref(), Some(r"{\rtf1 x}"));
        for cut in 0..packed.len() {
            assert_eq!(unpacked(&packed[..cut], 1000), None, "{cut}");
        }
        for at in [0, 4, 8] {
            for value in [0_u32, 1, 11, 12, 1000, 0x7fff_ffff, u32::MAX] {
                for whole in [&packed, &plain] {
                    let mut broken = whole.clone();
                    broken[at..at + 4].copy_from_slice(&value.to_le_bytes());
                    let _ = unpacked(&broken, 1000);
                }
            }
        }
    }
}
