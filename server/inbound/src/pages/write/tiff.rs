//! Pages of a TIFF as a TIFF: directories and strips are moved, and their places written anew.

use super::CannotWrite;
use crate::pages::read::tiff_file::{Directory, Entry, TiffFile, size_of, tag};

/// Places of further directories: their contents would be left behind.
const LEFT_BEHIND: [u16; 3] = [34_665, 34_853, 40_965];
/// Lists of free space in the file.
const FREE: [u16; 2] = [288, 289];
/// Pictures within pictures, and JPEG as it was before it was part of TIFF: tables lie where only the first program knew.
const TIED: [u16; 8] = [330, 512, 513, 514, 515, 519, 520, 521];

pub(super) fn piece(bytes: &[u8], file: &TiffFile, pages: &[usize]) -> Result<Vec<u8>, CannotWrite> {
    let tied = |what: &str| CannotWrite::TiedTogether(what.to_owned());
    let mut out = Writer { bytes: Vec::new(), big_endian: file.big_endian };
    out.bytes.extend_from_slice(if file.big_endian { b"MM" } else { b"II" });
    out.u16(42);
    let mut link = out.bytes.len();
    out.u32(0);
    for &page in pages {
        let directory = file.pages.get(page).ok_or(CannotWrite::NoSuchPages)?;
        if directory.entries.iter().any(|entry| TIED.contains(&entry.tag) || entry.kind == 13) {
            return Err(tied("a page has pictures within its picture"));
        }
        let blocks = file.blocks(bytes, directory).ok_or_else(|| tied("a strip lies outside of the file"))?;
        let (offsets, counts) = out.blocks(&blocks)?;
        let entries = entries(directory, &out, &offsets, &counts);
        let at = out.directory(&entries)?;
        out.patch(link, at)?;
        link = out.bytes.len() - 4;
    }
    same(bytes, file, pages, &out.bytes)?;
    Ok(out.bytes)
}

/// The entries of a directory with the strips at their new places, in the order of their tags.
fn entries(directory: &Directory, out: &Writer, offsets: &[u32], counts: &[u32]) -> Vec<Entry> {
    let list = |tag, numbers: &[u32]| Entry {
        tag,
        kind: 4,
        count: u32::try_from(numbers.len()).unwrap_or(0),
        data: numbers.iter().flat_map(|&number| out.of_u32(number)).collect(),
    };
    let tiled = directory.entry(tag::TILE_OFFSETS).is_some();
    let mut entries: Vec<Entry> = directory
        .entries
        .iter()
        .filter(|entry| !LEFT_BEHIND.contains(&entry.tag) && !FREE.contains(&entry.tag))
        .filter(|entry| {
            let places = [tag::STRIP_OFFSETS, tag::STRIP_COUNTS, tag::TILE_OFFSETS, tag::TILE_COUNTS];
            !places.contains(&entry.tag)
        })
        .map(|entry| Entry { data: entry.data.clone(), ..*entry })
        .collect();
    let (at, length) =
        if tiled { (tag::TILE_OFFSETS, tag::TILE_COUNTS) } else { (tag::STRIP_OFFSETS, tag::STRIP_COUNTS) };
    entries.extend([list(at, offsets), list(length, counts)]);
    entries.sort_by_key(|entry| entry.tag);
    entries.dedup_by_key(|entry| entry.tag);
    entries
}

/// Reads the piece again: every strip has to be what it was.
fn same(bytes: &[u8], file: &TiffFile, pages: &[usize], piece: &[u8]) -> Result<(), CannotWrite> {
    let differs = |what: &str| CannotWrite::NotTheSame(what.to_owned());
    let written = TiffFile::open(piece, pages.len()).map_err(|why| differs(&why.to_string()))?;
    if written.pages.len() != pages.len() {
        return Err(differs("another number of pages"));
    }
    for (directory, &page) in written.pages.iter().zip(pages) {
        let original = file.pages.get(page).ok_or(CannotWrite::NoSuchPages)?;
        if written.blocks(piece, directory) != file.blocks(bytes, original) {
            return Err(differs("a strip has changed"));
        }
    }
    Ok(())
}

struct Writer {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Writer {
    fn of_u32(&self, number: u32) -> [u8; 4] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u16(&mut self, number: u16) {
        let two = if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
        self.bytes.extend_from_slice(&two);
    }

    fn u32(&mut self, number: u32) {
        let four = self.of_u32(number);
        self.bytes.extend_from_slice(&four);
    }

    /// Where the next thing is written: TIFF wants even places.
    fn here(&mut self) -> Result<u32, CannotWrite> {
        if self.bytes.len() % 2 == 1 {
            self.bytes.push(0);
        }
        let full = || CannotWrite::TiedTogether("it is too large for a TIFF".to_owned());
        u32::try_from(self.bytes.len()).map_err(|_| full())
    }

    fn blocks(&mut self, blocks: &[&[u8]]) -> Result<(Vec<u32>, Vec<u32>), CannotWrite> {
        let (mut offsets, mut counts) = (Vec::new(), Vec::new());
        for block in blocks {
            offsets.push(self.here()?);
            counts.push(u32::try_from(block.len()).unwrap_or(u32::MAX));
            self.bytes.extend_from_slice(block);
        }
        Ok((offsets, counts))
    }

    /// Writes a directory, with what is longer than its entries before it; its last four bytes are the place of the next one.
    fn directory(&mut self, entries: &[Entry]) -> Result<u32, CannotWrite> {
        let mut values = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut value = [0; 4];
            if entry.data.len() <= 4 {
                value[..entry.data.len()].copy_from_slice(&entry.data);
            } else {
                let place = self.here()?;
                value = self.of_u32(place);
                self.bytes.extend_from_slice(&entry.data);
            }
            values.push(value);
        }
        let at = self.here()?;
        self.u16(u16::try_from(entries.len()).unwrap_or(u16::MAX));
        for (entry, value) in entries.iter().zip(values) {
            debug_assert!(size_of(entry.kind).is_some(), "kinds that nobody knows were left out on reading");
            self.u16(entry.tag);
            self.u16(entry.kind);
            self.u32(entry.count);
            self.bytes.extend_from_slice(&value);
        }
        self.u32(0);
        Ok(at)
    }

    fn patch(&mut self, at: usize, number: u32) -> Result<(), CannotWrite> {
        let four = self.of_u32(number);
        let place = self.bytes.get_mut(at..at + 4);
        place.ok_or(CannotWrite::NoSuchPages)?.copy_from_slice(&four);
        Ok(())
    }
}
