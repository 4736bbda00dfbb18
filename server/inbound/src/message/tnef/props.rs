//! The row of properties in an attribute (MS-OXTNEF, section 2.1.3.4): a count, then type, number, name where it has one, and value.

use super::super::mapi::{Props, Value};

/// Puts what can be read into the properties; false where the row is damaged before its end.
pub(super) fn read(data: &[u8], into: &mut Props) -> bool {
    let mut row = Row(data);
    let Some(count) = row.word() else { return false };
    (0..count).all(|_| row.prop(into).is_some())
}

/// A value, or one of a type that nobody asks for.
enum Read {
    Value(Value),
    Passed,
}

/// What is left of a row.
struct Row<'a>(&'a [u8]);

impl<'a> Row<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn word(&mut self) -> Option<u32> {
        self.bytes(4).map(super::word)
    }

    fn length(&mut self) -> Option<usize> {
        self.word().and_then(|it| usize::try_from(it).ok())
    }

    /// Bytes with their length in front, filled up to a multiple of four. The last may lack the filling.
    fn filled(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let bytes = self.bytes(length)?;
        let filling = (4 - length % 4) % 4;
        self.0 = self.0.get(filling..).unwrap_or_default();
        Some(bytes)
    }

    fn prop(&mut self, into: &mut Props) -> Option<()> {
        let tag = self.word()?;
        let (kind, id) = (u16::try_from(tag & 0xffff).ok()?, u16::try_from(tag >> 16).ok()?);
        let mut named = false;
        if id >= 0x8000 {
            named = true;
            self.bytes(16)?;
            if self.word()? == 0 {
                self.word()?;
            } else {
                self.filled()?;
            }
        }
        let several = kind & 0x1000 != 0;
        let kind = kind & 0x0fff;
        let long = matches!(kind, 0x1e | 0x1f | 0x0d | 0x102);
        // Several of nothing would be counted up to four thousand million without a byte being read.
        if several && matches!(kind, 0x00 | 0x01) {
            return None;
        }
        let count = if several || long { self.length()? } else { 1 };
        for which in 0..count {
            let value = if long { self.long(kind)? } else { self.fixed(kind)? };
            // The numbers of named properties mean something else in every file.
            if which == 0 && !named {
                match value {
                    Read::Value(value) => into.put(id, value),
                    Read::Passed => {}
                }
            }
        }
        Some(())
    }

    /// A value that says its length.
    fn long(&mut self, kind: u16) -> Option<Read> {
        let bytes = self.filled()?;
        Some(Read::Value(match kind {
            0x1e => Value::Narrow(bytes.to_vec()),
            0x1f => Value::Text(wide(bytes)),
            0x0d => Value::Object(bytes.to_vec()),
            _ => Value::Bytes(bytes.to_vec()),
        }))
    }

    /// A value of a length that its type says. A type that nobody knows ends the row: nothing says where the next one begins.
    fn fixed(&mut self, kind: u16) -> Option<Read> {
        Some(match kind {
            0x00 | 0x01 => Read::Passed,
            0x02 | 0x0b => self.word().map(|it| Read::Value(Value::Number(i64::from(it & 0xffff))))?,
            0x03 | 0x0a => self.word().map(|it| Read::Value(Value::Number(i64::from(it.cast_signed()))))?,
            0x04 => self.bytes(4).map(|_| Read::Passed)?,
            0x40 => self
                .bytes(8)
                .and_then(|it| it.try_into().ok())
                .map(|it| Read::Value(Value::Time(i64::from_le_bytes(it))))?,
            0x05 | 0x06 | 0x07 | 0x14 => self.bytes(8).map(|_| Read::Passed)?,
            0x48 => self.bytes(16).map(|_| Read::Passed)?,
            _ => return None,
        })
    }
}

/// Text in UTF-16.
pub(in crate::message) fn wide(bytes: &[u8]) -> String {
    let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(bytes);
    text.trim_end_matches('\0').to_owned()
}
