//! Faxes in TIFF: groups 3 and 4, as scanners and fax gateways write them.

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode};

use super::Unreadable;
use super::tiff_file::{Directory, TiffFile, tag};
use crate::pages::gray::Gray;
use crate::pages::limits::PageLimits;

/// How a page is packed, where that is a fax.
pub(super) fn encoding(file: &TiffFile, page: &Directory) -> Option<EncodingMode> {
    match file.number(page, tag::COMPRESSION)? {
        3 if file.number(page, tag::GROUP3_OPTIONS).unwrap_or(0) & 1 == 1 => Some(EncodingMode::Group3_2D),
        2 | 3 => Some(EncodingMode::Group3_1D),
        4 => Some(EncodingMode::Group4),
        _ => None,
    }
}

pub(super) fn page(
    bytes: &[u8],
    file: &TiffFile,
    page: &Directory,
    encoding: EncodingMode,
    limits: &PageLimits,
) -> Result<Gray, Unreadable> {
    let missing = || Unreadable::Broken("a directory lacks what every page has".to_owned());
    let columns = file.number(page, tag::WIDTH).ok_or_else(missing)?;
    let rows = file.number(page, tag::HEIGHT).ok_or_else(missing)?;
    if !limits.allow(u64::from(columns), u64::from(rows), 2) {
        return Err(Unreadable::TooLarge);
    }
    let in_strip = file.number(page, tag::ROWS_PER_STRIP).unwrap_or(rows).clamp(1, rows);
    let compression = file.number(page, tag::COMPRESSION);
    let backwards = file.number(page, tag::FILL_ORDER) == Some(2);
    // 0 says that nothing is white: the usual way for faxes. Where it is missing, that is meant.
    let black_is = if file.number(page, tag::PHOTOMETRIC) == Some(1) { 255 } else { 0 };
    let size = |side: u32| usize::try_from(side).map_err(|_| Unreadable::TooLarge);
    let mut rows_of = Rows { width: size(columns)?, black: black_is, pixels: Vec::new() };
    let whole = size(columns)? * size(rows)?;
    rows_of.pixels.reserve(whole);

    let mut left = rows;
    for strip in file.blocks(bytes, page).ok_or_else(missing)? {
        let settings = DecodeSettings {
            columns,
            rows: in_strip.min(left),
            end_of_block: compression != Some(2),
            end_of_line: compression == Some(3),
            rows_are_byte_aligned: compression == Some(2),
            encoding,
            strict: false,
        };
        let turned: Vec<u8>;
        let data = if backwards {
            turned = strip.iter().map(|byte| byte.reverse_bits()).collect();
            &turned
        } else {
            strip
        };
        let before = rows_of.pixels.len();
        // What is damaged from some row on is kept up to there, as fax machines do; a page without any row is not.
        let _rest = hayro_ccitt::decode(data, &mut rows_of, &mut DecoderContext::new(settings));
        let wanted = size(settings.rows)? * size(columns)?;
        rows_of.pixels.truncate(before + wanted);
        if rows_of.pixels.len() < before + wanted {
            return Err(Unreadable::Broken("a strip of the fax ends too early".to_owned()));
        }
        left -= settings.rows;
        if left == 0 {
            break;
        }
    }
    Gray::new(size(columns)?, size(rows)?, rows_of.pixels)
        .ok_or_else(|| Unreadable::Broken("fewer rows than its size says".to_owned()))
}

struct Rows {
    width: usize,
    black: u8,
    pixels: Vec<u8>,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        let start = self.pixels.len();
        self.pixels.resize(start + self.width, 255 - self.black);
        let row = &mut self.pixels[start..];
        for run in changes.chunks(2) {
            let place = |change: Option<&u32>| {
                change
                    .and_then(|&change| usize::try_from(change).ok())
                    .map_or(row.len(), |at| at.min(row.len()))
            };
            let (from, to) = (place(run.first()), place(run.get(1)));
            row[from..to.max(from)].fill(self.black);
        }
    }
}
