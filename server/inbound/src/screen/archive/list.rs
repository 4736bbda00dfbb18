//! The list at the end of a ZIP file: which files lie in it, and where.

use std::io;

use rawzip::{ReaderAt, ZipLocator};

use super::forward::Tail;

/// The largest entry of a list: its fixed part, and three lengths of 16 bits.
const LARGEST_ENTRY: usize = 46 + 3 * 0xffff;

/// A file in an archive, as the list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name, as text.
    pub(super) name: String,
    /// Where its local header begins.
    pub(super) offset: u64,
    /// Bytes in the archive.
    pub(super) packed: u64,
    /// Bytes that are said to come out.
    pub(super) declared: u64,
    /// How it is packed.
    pub(super) method: u16,
    /// The check sum of what comes out.
    pub(super) crc: u32,
    /// Whether it is encrypted.
    pub(super) encrypted: bool,
}

/// A list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// All of it, by place, and where the list itself begins. Folders are left out.
    All(Vec<Entry>, u64),
    /// More than are wanted.
    TooMany,
    /// Files share a place.
    Overlapping,
}

impl ReaderAt for &Tail {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let before = || io::Error::other("its list of files is too long");
        let at = offset.checked_sub(self.begin).ok_or_else(before)?;
        let from = usize::try_from(at).map_err(io::Error::other)?;
        let there = self.bytes.get(from..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        Ok(count)
    }
}

/// Reads the list of an archive of this size, up to so many files; why it cannot be read, in words.
pub(super) fn read(tail: &Tail, size: u64, most: usize) -> Result<Listed, String> {
    let damaged = |error: rawzip::Error| format!("its list of files cannot be read ({error})");
    let mut buffer = vec![0; LARGEST_ENTRY];
    let archive =
        ZipLocator::new().locate_in_reader(tail, &mut buffer, size).map_err(|(_, error)| damaged(error))?;
    // A list that is longer than what was kept of the archive's end has more files than anybody wants.
    if archive.entries_hint() > most as u64 || archive.directory_offset() < tail.begin {
        return Ok(Listed::TooMany);
    }
    let list_begins = archive.directory_offset();
    let mut list = archive.entries(&mut buffer);
    let (mut entries, mut seen) = (Vec::new(), 0_usize);
    while let Some(entry) = list.next_entry().map_err(damaged)? {
        seen += 1;
        if seen > most {
            return Ok(Listed::TooMany);
        }
        let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        let packed = entry.compressed_size_hint();
        if entry.is_dir() && packed == 0 {
            continue;
        }
        entries.push(Entry {
            name,
            offset: entry.local_header_offset(),
            packed,
            declared: entry.uncompressed_size_hint(),
            method: entry.compression_method().as_u16(),
            crc: entry.crc32(),
            encrypted: entry.flags().is_encrypted() || entry.flags().is_masked(),
        });
    }
    entries.sort_by_key(|entry| entry.offset);
    let overlap = entries.windows(2).any(|two| two[0].offset.saturating_add(two[0].packed) >= two[1].offset);
    Ok(if overlap { Listed::Overlapping } else { Listed::All(entries, list_begins) })
}
