//! Whether a file is whole, as far as its type lets us see: many scanners pause for longer than any settle time.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Where PDF readers look for the end mark.
const PDF_TAIL: u64 = 1024;
/// The end record of a ZIP file and the longest comment after it.
const ZIP_TAIL: u64 = 22 + 65_535;

/// What is missing, or nothing for a whole file and for types that do not tell.
pub(super) fn missing<F: Read + Seek>(
    file: &mut F,
    size: u64,
    path: &Path,
) -> io::Result<Option<&'static str>> {
    let head = read_at(file, 0, size.min(1024))?;
    if promises_more_than_zeros(path) && head.iter().all(|byte| *byte == 0) {
        // Space that a program has reserved before writing.
        return Ok(Some("it begins with nothing but zeros"));
    }
    if contains(&head, b"%PDF-") {
        return pdf(file, size);
    }
    match head.get(..4) {
        Some(b"PK\x03\x04" | b"PK\x05\x06") => zip(file, size),
        Some(b"II*\0") => tiff(file, size, u16::from_le_bytes, u32::from_le_bytes),
        Some(b"MM\0*") => tiff(file, size, u16::from_be_bytes, u32::from_be_bytes),
        Some(b"%PDF") | None if has_extension(path, &["pdf"]) => {
            Ok(Some("the beginning of the PDF is missing"))
        }
        _ => Ok(None),
    }
}

/// Types that never begin with a thousand zeros; disk images and the like may.
fn promises_more_than_zeros(path: &Path) -> bool {
    has_extension(path, &["pdf", "tif", "tiff", "zip", "docx", "xlsx", "pptx", "jpg", "jpeg", "png"])
}

fn has_extension(path: &Path, wanted: &[&str]) -> bool {
    path.extension()
        .is_some_and(|extension| wanted.iter().any(|wanted| extension.eq_ignore_ascii_case(wanted)))
}

fn pdf<F: Read + Seek>(file: &mut F, size: u64) -> io::Result<Option<&'static str>> {
    let tail = read_at(file, size.saturating_sub(PDF_TAIL), size.min(PDF_TAIL))?;
    Ok((!contains(&tail, b"%%EOF")).then_some("the end mark of the PDF is missing"))
}

fn zip<F: Read + Seek>(file: &mut F, size: u64) -> io::Result<Option<&'static str>> {
    let from = size.saturating_sub(ZIP_TAIL);
    let tail = read_at(file, from, size - from)?;
    let whole = tail.windows(22).enumerate().any(|(at, record)| {
        let short = |at: usize| u64::from(u16::from_le_bytes([record[at], record[at + 1]]));
        let long = |at: usize| short(at) | (short(at + 2) << 16);
        let (length, offset, comment) = (long(12), long(16), short(20));
        // In ZIP64 the numbers stand elsewhere, and these are all ones.
        let directory = offset == 0xffff_ffff || length == 0xffff_ffff || offset + length <= from + at as u64;
        record.starts_with(b"PK\x05\x06") && directory && from + at as u64 + 22 + comment <= size
    });
    Ok((!whole).then_some("the directory of the ZIP or Office file is missing"))
}

fn tiff<F: Read + Seek>(
    file: &mut F,
    size: u64,
    short: fn([u8; 2]) -> u16,
    long: fn([u8; 4]) -> u32,
) -> io::Result<Option<&'static str>> {
    const MISSING: Option<&str> = Some("the directory of the TIFF image is missing");
    let head = read_at(file, 0, 8)?;
    let Ok(offset) = <[u8; 4]>::try_from(head.get(4..8).unwrap_or_default()) else { return Ok(MISSING) };
    let offset = u64::from(long(offset));
    if offset < 8 || offset + 2 > size {
        return Ok(MISSING);
    }
    let Ok(entries) = <[u8; 2]>::try_from(read_at(file, offset, 2)?) else { return Ok(MISSING) };
    let end = offset + 2 + 12 * u64::from(short(entries)) + 4;
    Ok(if end > size { MISSING } else { None })
}

fn read_at<F: Read + Seek>(file: &mut F, at: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn tiff_file(offset: u32, entries: u16, length: usize) -> Vec<u8> {
        let mut bytes = b"II*\0".to_vec();
        bytes.extend(offset.to_le_bytes());
        bytes.resize(length.max(8), 7);
        if offset >= 8
            && let Some(place) = bytes.get_mut(offset as usize..offset as usize + 2)
        {
            place.copy_from_slice(&entries.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn whole_and_half_files() {
        let zip_end = |offset: u32, comment: &[u8]| {
            let mut end = b"PK\x05\x06\0\0\0\0\0\0\0\0".to_vec();
            end.extend(0_u32.to_le_bytes());
            end.extend(offset.to_le_bytes());
            end.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
            [end, comment.to_vec()].concat()
        };
        let pdf = |tail: &[u8]| [b"%PDF-1.7\n".as_slice(), &[b'x'; 3000], tail].concat();
        let zip = |tail: Vec<u8>| [b"PK\x03\x04".to_vec(), vec![1; 100], tail].concat();
        let cases: Vec<(&str, Vec<u8>, bool)> = vec![
            ("a PDF", pdf(b"%%EOF\n"), true),
            ("a PDF with something after its end", pdf(&[b"%%EOF".to_vec(), vec![b' '; 900]].concat()), true),
            (
                "a PDF with its end far from the end",
                pdf(&[b"%%EOF".to_vec(), vec![b' '; 1100]].concat()),
                false,
            ),
            ("a PDF without an end", pdf(b""), false),
            ("a PDF cut in its first bytes", b"%PD".to_vec(), false),
            ("a PDF of zeros", vec![0; 5000], false),
            ("zeros", vec![0; 5000], true),
            ("a ZIP", zip(zip_end(4, b"")), true),
            ("a ZIP with a comment", zip(zip_end(4, b"hello")), true),
            (
                "a ZIP with a cut comment",
                {
                    let mut z = zip(zip_end(4, b"hello"));
                    z.pop();
                    z
                },
                false,
            ),
            ("a ZIP whose directory lies beyond", zip(zip_end(4000, b"")), false),
            ("an empty ZIP", zip_end(0, b""), true),
            ("half a ZIP", zip(Vec::new()), false),
            ("a TIFF", tiff_file(8, 2, 8 + 2 + 24 + 4), true),
            ("a TIFF with a cut directory", tiff_file(8, 2, 8 + 2 + 24 + 3), false),
            ("a TIFF whose directory comes later", tiff_file(4000, 2, 3000), false),
            ("a TIFF without an offset yet", tiff_file(0, 2, 3000), false),
            ("text", b"Dear Madam".to_vec(), true),
        ];
        for (what, bytes, whole) in cases {
            let path = Path::new(if what.starts_with("a PDF") { "a.PDF" } else { "a.dat" });
            let answer = missing(&mut Cursor::new(&bytes), bytes.len() as u64, path).unwrap();
            assert_eq!(answer.is_none(), whole, "{what}: {answer:?}");
        }
        // A wrong extension is no sign of an unfinished file.
        assert_eq!(missing(&mut Cursor::new(b"Dear Madam"), 10, Path::new("a.pdf")).unwrap(), None);
    }
}
