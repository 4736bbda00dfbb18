//! The directories of a TIFF, as they are: for faxes, whose strips are decoded here, and for pieces, whose strips are copied
//! without being decoded at all.

use super::Unreadable;

/// Entries of a directory and values of an entry that are still plausible.
const ENTRIES: u16 = 1_000;
const VALUES: u32 = 1_000_000;

/// Tags that are looked at.
pub(crate) mod tag {
    pub(crate) const WIDTH: u16 = 256;
    pub(crate) const HEIGHT: u16 = 257;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_COUNTS: u16 = 279;
    pub(crate) const X_RESOLUTION: u16 = 282;
    pub(crate) const Y_RESOLUTION: u16 = 283;
    pub(crate) const GROUP3_OPTIONS: u16 = 292;
    pub(crate) const RESOLUTION_UNIT: u16 = 296;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_COUNTS: u16 = 325;
}

/// A TIFF that was opened.
#[derive(Debug)]
pub(crate) struct TiffFile {
    pub(crate) big_endian: bool,
    pub(crate) pages: Vec<Directory>,
}

/// What describes one page.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) entries: Vec<Entry>,
}

/// One value of a directory, in the file's own byte order.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    pub(crate) kind: u16,
    pub(crate) count: u32,
    pub(crate) data: Vec<u8>,
}

impl TiffFile {
    /// Reads the directories, one for each page.
    pub(crate) fn open(bytes: &[u8], most: usize) -> Result<Self, Unreadable> {
        let big_endian = bytes.first() == Some(&b'M');
        let reader = Reader { bytes, big_endian };
        if reader.u16(2) != Some(42) {
            return Err(Unreadable::NotSupported("BigTIFF".to_owned()));
        }
        let mut pages = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut next = reader.u32(4).unwrap_or(0);
        while next != 0 {
            if !seen.insert(next) {
                return Err(Unreadable::Broken("its pages go round in a circle".to_owned()));
            }
            if pages.len() == most {
                return Err(Unreadable::TooManyPages(pages.len() + 1));
            }
            let read = reader.directory(next);
            let (directory, after) =
                read.ok_or_else(|| Unreadable::Broken("a directory is cut off".to_owned()))?;
            pages.push(directory);
            next = after;
        }
        Ok(Self { big_endian, pages })
    }

    /// The whole numbers of one entry; none where it is missing or of another kind.
    pub(crate) fn numbers(&self, page: &Directory, tag: u16) -> Vec<u32> {
        let Some(entry) = page.entry(tag) else { return Vec::new() };
        let reader = Reader { bytes: &entry.data, big_endian: self.big_endian };
        let count = usize::try_from(entry.count).unwrap_or(0);
        match entry.kind {
            1 => entry.data.iter().take(count).map(|&byte| u32::from(byte)).collect(),
            3 => (0..count).map_while(|at| reader.u16(at * 2).map(u32::from)).collect(),
            4 => (0..count).map_while(|at| reader.u32(at * 4)).collect(),
            _ => Vec::new(),
        }
    }

    /// The first whole number of an entry.
    pub(crate) fn number(&self, page: &Directory, tag: u16) -> Option<u32> {
        self.numbers(page, tag).first().copied()
    }

    /// Dots per inch across and down.
    pub(crate) fn dots(&self, page: &Directory) -> Option<(u32, u32)> {
        let one = |tag| {
            let entry = page.entry(tag).filter(|entry| entry.kind == 5)?;
            let reader = Reader { bytes: &entry.data, big_endian: self.big_endian };
            let (over, under) = (u64::from(reader.u32(0)?), u64::from(reader.u32(4)?));
            let per_unit = (over * 100).checked_div(under)?;
            match self.number(page, tag::RESOLUTION_UNIT).unwrap_or(2) {
                2 => u32::try_from(per_unit / 100).ok(),
                3 => u32::try_from(per_unit * 254 / 10_000).ok(),
                _ => None,
            }
        };
        Some((one(tag::X_RESOLUTION)?, one(tag::Y_RESOLUTION)?))
    }

    /// Where the strips or tiles of a page are in the file, in their order.
    pub(crate) fn blocks<'b>(&self, bytes: &'b [u8], page: &Directory) -> Option<Vec<&'b [u8]>> {
        let (offsets, counts) = if page.entry(tag::TILE_OFFSETS).is_some() {
            (tag::TILE_OFFSETS, tag::TILE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_COUNTS)
        };
        let offsets = self.numbers(page, offsets);
        let mut counts = self.numbers(page, counts);
        if counts.is_empty() && offsets.len() == 1 {
            // Old fax programs leave the count of a single strip out: it goes to the end of the file.
            counts.push(u32::try_from(bytes.len()).ok()?.saturating_sub(offsets[0]));
        }
        if offsets.is_empty() || offsets.len() != counts.len() {
            return None;
        }
        let block = |(offset, count): (u32, u32)| {
            let (from, length) = (usize::try_from(offset).ok()?, usize::try_from(count).ok()?);
            bytes.get(from..from.checked_add(length)?)
        };
        offsets.into_iter().zip(counts).map(block).collect()
    }
}

impl Directory {
    pub(crate) fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}

/// Bytes that one value of a kind takes.
pub(crate) fn size_of(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 => Some(8),
        _ => None,
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    big_endian: bool,
}

impl Reader<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        let two: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let four: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    }

    /// A directory and where the next one is.
    fn directory(&self, at: u32) -> Option<(Directory, u32)> {
        let at = usize::try_from(at).ok()?;
        let many = self.u16(at)?;
        if many > ENTRIES {
            return None;
        }
        let mut entries = Vec::with_capacity(usize::from(many));
        for index in 0..usize::from(many) {
            let from = at + 2 + index * 12;
            let (tag, kind, count) = (self.u16(from)?, self.u16(from + 2)?, self.u32(from + 4)?);
            // What is of a kind that nobody knows is left out: a reader skips it, and a copy could not move it.
            let Some(size) = size_of(kind) else { continue };
            if count > VALUES {
                return None;
            }
            let length = size.checked_mul(usize::try_from(count).ok()?)?;
            let start = if length <= 4 { from + 8 } else { usize::try_from(self.u32(from + 8)?).ok()? };
            // A value that lies beyond the file is as good as missing.
            let Some(data) = self.bytes.get(start..start.checked_add(length)?) else { continue };
            entries.push(Entry { tag, kind, count, data: data.to_vec() });
        }
        let next = self.u32(at + 2 + usize::from(many) * 12).unwrap_or(0);
        Some((Directory { entries }, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_directories_are_told() {
        let circle = b"II*\0\x08\0\0\0\0\0\x08\0\0\0";
        let cases: [(&[u8], &str); 4] = [
            (circle, "circle"),
            (b"II*\0\xff\xff\0\0", "cut off"),
            (b"II+\0\x08\0\0\0", "BigTIFF"),
            (b"MM\0*\0\0\0\x08\xff\xff\0\0\0\0", "cut off"),
        ];
        for (bytes, wanted) in cases {
            let error = TiffFile::open(bytes, 10).unwrap_err().to_string();
            assert!(error.contains(wanted), "{}: {error}", bytes.escape_ascii());
        }
        assert_eq!(TiffFile::open(b"II*\0\0\0\0\0", 10).unwrap().pages.len(), 0);
    }
}
