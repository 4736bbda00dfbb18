//! Looks for announcements of literals in what a server says (`{400000000}` at the end of a line). The parser makes room for all of a literal
//! as soon as it is announced; so it must not hear of one that is larger than what was asked for.

/// The start of an answer that tells whether it can have literals.
const START: usize = 10;

/// Where we are in what a server says.
#[derive(Debug, Default)]
pub(super) struct Literals {
    /// What is left of the present literal.
    left: u64,
    /// How the present answer begins, in small letters.
    start: Vec<u8>,
    /// The number in braces that was just read.
    count: Option<u64>,
    /// How far its end has come: `}`, CR.
    ending: u8,
}

impl Literals {
    /// Follows what is said. `Err` is the size of a literal that is larger than what is allowed.
    pub(super) fn follow(&mut self, mut said: &[u8], allowed: u64) -> Result<(), u64> {
        loop {
            let inside = usize::try_from(self.left).unwrap_or(usize::MAX).min(said.len());
            self.left -= inside as u64;
            let Some((byte, rest)) = said.get(inside..).and_then(<[u8]>::split_first) else { return Ok(()) };
            said = rest;
            if let Some(announced) = self.byte(*byte) {
                if announced > allowed {
                    return Err(announced);
                }
                self.left = announced;
            }
        }
    }

    /// One byte outside of literals; the size of a literal that begins after it.
    fn byte(&mut self, byte: u8) -> Option<u64> {
        if self.start.len() < START {
            self.start.push(byte.to_ascii_lowercase());
        }
        match (byte, self.count, self.ending) {
            (b'{', ..) => (self.count, self.ending) = (Some(0), 0),
            (b'0'..=b'9', Some(count), 0) => {
                self.count = Some(count.saturating_mul(10).saturating_add(u64::from(byte - b'0')));
            }
            (b'}', Some(_), 0) => self.ending = 1,
            (b'\r', Some(_), 1) => self.ending = 2,
            (b'\n', count, ending) => {
                (self.count, self.ending) = (None, 0);
                if let (Some(count), 2, true) = (count, ending, self.has_literals()) {
                    return Some(count);
                }
                self.start.clear();
            }
            _ => (self.count, self.ending) = (None, 0),
        }
        None
    }

    /// Texts for people end where their line ends, whatever stands there.
    fn has_literals(&self) -> bool {
        let texts: [&[u8]; 5] = [b"* ok ", b"* no ", b"* bad ", b"* bye ", b"* preauth "];
        self.start.starts_with(b"* ") && !texts.iter().any(|text| self.start.starts_with(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literals_that_are_too_large_are_found_however_they_come() {
        let table: [(&str, Result<(), u64>); 10] = [
            ("* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\na OK done\r\n", Ok(())),
            ("* 1 FETCH (UID 1 BODY[] {101}\r\n", Err(101)),
            ("* 1 FETCH (BODY[1] {3}\r\nabc BODY[2] {999}\r\n", Err(999)),
            // What a message says is its own.
            ("* 1 FETCH (BODY[] {11}\r\nx\r\n{999}\r\ny)\r\na OK\r\n", Ok(())),
            ("* LIST () \"/\" {102}\r\n", Err(102)),
            ("* OK Hello {999}\r\n* 2 FETCH (BODY[] {103}\r\n", Err(103)),
            // A text must not hide one.
            ("a OK {50}\r\n* 2 FETCH (BODY[] {104}\r\n", Err(104)),
            ("* 1 FETCH (BODY[] {99999999999999999999999}\r\n", Err(u64::MAX)),
            ("* 1 FETCH (BODY[] \"{999}\")\r\n", Ok(())),
            ("* 1 FETCH (FLAGS ({999} x))\r\n* 1 FETCH (FLAGS ({9}\n", Ok(())),
        ];
        for (said, wanted) in table {
            let mut at_once = Literals::default();
            assert_eq!(at_once.follow(said.as_bytes(), 100), wanted, "{said}");
            let mut bit_by_bit = Literals::default();
            let found = said.bytes().try_for_each(|byte| bit_by_bit.follow(&[byte], 100));
            assert_eq!(found, wanted, "{said}");
        }
    }
}
