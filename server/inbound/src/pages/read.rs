//! Reading the pages of a scan: PDF, TIFF, PNG and JPEG, each within the limits, each page by itself.
//!
//! What was scanned is foreign, and the readers are many: each call of one is caught when it panics, and what cannot be read
//! says in words why. Nothing here changes what was scanned.

mod fax;
mod flat;
mod pdf;
mod tiff;
pub(crate) mod tiff_file;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::gray::Gray;
use super::limits::PageLimits;

/// Why a scan or a page of it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Neither PDF nor TIFF, PNG or JPEG.
    NotAScan,
    /// It asks for a password.
    Encrypted,
    /// More pages than one batch may have.
    TooManyPages(usize),
    /// More pixels or memory than a page may take.
    TooLarge,
    /// It has no such page.
    NoSuchPage,
    /// A kind of picture that cannot be read here.
    NotSupported(String),
    /// It is damaged.
    Broken(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAScan => f.write_str("it is neither PDF nor TIFF, PNG or JPEG"),
            Self::Encrypted => f.write_str("it asks for a password"),
            Self::TooManyPages(pages) => write!(f, "it has {pages} pages, more than are looked at"),
            Self::TooLarge => f.write_str("it has more pixels than are looked at"),
            Self::NoSuchPage => f.write_str("it has no such page"),
            Self::NotSupported(what) => write!(f, "it cannot be read here: {what}"),
            Self::Broken(what) => write!(f, "it is damaged: {what}"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// What kind of file a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanKind {
    /// PDF.
    Pdf,
    /// TIFF, of one page or several.
    Tiff,
    /// PNG: one page.
    Png,
    /// JPEG: one page.
    Jpeg,
}

impl ScanKind {
    /// What these bytes are, by how they begin; a PDF may have a little before it.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            _ => bytes
                .get(..bytes.len().min(1_024))?
                .windows(5)
                .any(|five| five == b"%PDF-")
                .then_some(Self::Pdf),
        }
    }

    /// The media type of what is written of it: a piece of a scan is of the scan's kind.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Tiff => "image/tiff",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// A scan that was opened.
pub struct Scan {
    bytes: Arc<Vec<u8>>,
    limits: PageLimits,
    inner: Inner,
}

enum Inner {
    Pdf(Box<hayro::hayro_syntax::Pdf>),
    Tiff(tiff_file::TiffFile),
    Flat(ScanKind),
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("kind", &self.kind())
            .field("pages", &self.pages())
            .finish_non_exhaustive()
    }
}

impl Scan {
    /// Opens a scan and counts its pages; no page is read yet.
    pub fn open(bytes: Arc<Vec<u8>>, limits: PageLimits) -> Result<Self, Unreadable> {
        let inner = match ScanKind::of(&bytes).ok_or(Unreadable::NotAScan)? {
            ScanKind::Pdf => Inner::Pdf(Box::new(caught(|| pdf::open(&bytes))?)),
            ScanKind::Tiff => Inner::Tiff(tiff_file::TiffFile::open(&bytes, limits.pages)?),
            flat => Inner::Flat(flat),
        };
        let scan = Self { bytes, limits, inner };
        match scan.pages() {
            0 => Err(Unreadable::Broken("it has no pages".to_owned())),
            pages if pages > limits.pages => Err(Unreadable::TooManyPages(pages)),
            _ => Ok(scan),
        }
    }

    /// What kind of file it is.
    pub fn kind(&self) -> ScanKind {
        match &self.inner {
            Inner::Pdf(_) => ScanKind::Pdf,
            Inner::Tiff(_) => ScanKind::Tiff,
            Inner::Flat(kind) => *kind,
        }
    }

    /// How many pages it has.
    pub fn pages(&self) -> usize {
        match &self.inner {
            Inner::Pdf(pdf) => pdf.pages().len(),
            Inner::Tiff(file) => file.pages.len(),
            Inner::Flat(_) => 1,
        }
    }

    /// One page, counted from 0.
    pub fn page(&self, index: usize) -> Result<Gray, Unreadable> {
        if index >= self.pages() {
            return Err(Unreadable::NoSuchPage);
        }
        caught(|| match &self.inner {
            Inner::Pdf(pdf) => pdf::page(pdf, index, &self.limits),
            Inner::Tiff(file) => tiff::page(&self.bytes, file, index, &self.limits),
            Inner::Flat(ScanKind::Png) => flat::png(&self.bytes, &self.limits),
            Inner::Flat(_) => flat::jpeg(&self.bytes, &self.limits),
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn as_pdf(&self) -> Option<&hayro::hayro_syntax::Pdf> {
        match &self.inner {
            Inner::Pdf(pdf) => Some(pdf),
            _ => None,
        }
    }

    pub(crate) fn as_tiff(&self) -> Option<&tiff_file::TiffFile> {
        match &self.inner {
            Inner::Tiff(file) => Some(file),
            _ => None,
        }
    }
}

/// A page as it looks from afar: enough to see whether anything is missing on it.
pub(crate) fn drawn(pdf: &hayro::hayro_syntax::Pdf, index: usize) -> Result<Gray, Unreadable> {
    caught(|| pdf::page(pdf, index, &PageLimits { dots: 72, ..PageLimits::default() }))
}

/// Runs a reader of foreign input; its panic is a damaged file.
pub(crate) fn caught<T>(read: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(Unreadable::Broken("the reader gave up on it".to_owned())))
}

/// How light a colour looks, as television weighs it.
pub(crate) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue);
    u8::try_from(sum / 256).unwrap_or(255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_their_first_bytes() {
        let cases: [(&[u8], Option<ScanKind>); 9] = [
            (b"%PDF-1.4\n", Some(ScanKind::Pdf)),
            (b"\xef\xbb\xbf junk %PDF-1.7", Some(ScanKind::Pdf)),
            (b"II*\0\x08\0\0\0", Some(ScanKind::Tiff)),
            (b"MM\0*\0\0\0\x08", Some(ScanKind::Tiff)),
            (b"\x89PNG\r\n\x1a\n", Some(ScanKind::Png)),
            (b"\xff\xd8\xff\xe0", Some(ScanKind::Jpeg)),
            (b"", None),
            (b"PK\x03\x04", None),
            (b"%PDF", None),
        ];
        for (bytes, wanted) in cases {
            assert_eq!(ScanKind::of(bytes), wanted, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_panic_is_a_damaged_file() {
        let broken = caught::<()>(|| std::panic::resume_unwind(Box::new("gave up")));
        assert!(matches!(broken, Err(Unreadable::Broken(_))));
    }
}
