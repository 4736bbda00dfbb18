//! Pages of a TIFF: faxes by the fax decoder, everything else by the crate for TIFF.

use std::cmp::Ordering;
use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};

use super::flat::{Samples, gray};
use super::tiff_file::{Directory, TiffFile, tag};
use super::{Unreadable, fax};
use crate::pages::gray::Gray;
use crate::pages::limits::PageLimits;

pub(super) fn page(
    bytes: &[u8],
    file: &TiffFile,
    index: usize,
    limits: &PageLimits,
) -> Result<Gray, Unreadable> {
    let directory = file.pages.get(index).ok_or(Unreadable::NoSuchPage)?;
    let read = match fax::encoding(file, directory) {
        Some(encoding) => fax::page(bytes, file, directory, encoding, limits)?,
        None => picture(bytes, file, directory, index, limits)?,
    };
    Ok(squared(read, file.dots(directory), limits))
}

fn picture(
    bytes: &[u8],
    file: &TiffFile,
    directory: &Directory,
    index: usize,
    limits: &PageLimits,
) -> Result<Gray, Unreadable> {
    let broken = |error: tiff::TiffError| match error {
        tiff::TiffError::LimitsExceeded => Unreadable::TooLarge,
        tiff::TiffError::UnsupportedError(what) => Unreadable::NotSupported(what.to_string()),
        other => Unreadable::Broken(other.to_string()),
    };
    let mut allowed = Limits::default();
    allowed.decoding_buffer_size = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    allowed.intermediate_buffer_size = allowed.decoding_buffer_size;
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(broken)?.with_limits(allowed);
    decoder.seek_to_image(index).map_err(broken)?;
    let (width, height) = decoder.dimensions().map_err(broken)?;
    if !limits.allow(u64::from(width), u64::from(height), 6) {
        return Err(Unreadable::TooLarge);
    }
    let colours = decoder.colortype().map_err(broken)?;
    let samples = match decoder.read_image().map_err(broken)? {
        DecodingResult::U8(samples) => samples,
        DecodingResult::U16(samples) => samples.iter().map(|sample| sample.to_be_bytes()[0]).collect(),
        _ => return Err(Unreadable::NotSupported(format!("samples of {colours:?}"))),
    };
    let bits = usize::from(colours.bit_depth());
    let kind = match colours {
        ColorType::Gray(1 | 2 | 4) => {
            let across = usize::try_from(width).map_err(|_| Unreadable::TooLarge)?;
            return gray(width, height, &unpacked(&samples, across, bits), Samples::Gray);
        }
        ColorType::Gray(8 | 16) => Samples::Gray,
        ColorType::GrayA(8 | 16) => Samples::GrayAlpha,
        ColorType::RGB(8 | 16) => Samples::Rgb,
        ColorType::RGBA(8 | 16) => Samples::Rgba,
        ColorType::CMYK(8 | 16) => Samples::Cmyk,
        ColorType::YCbCr(8) if file.number(directory, tag::COMPRESSION) == Some(7) => Samples::Rgb,
        other => return Err(Unreadable::NotSupported(format!("{other:?}"))),
    };
    gray(width, height, &samples, kind)
}

/// Shades of fewer than eight bits, one to a byte. Each row begins at a byte.
fn unpacked(packed: &[u8], width: usize, bits: usize) -> Vec<u8> {
    let in_byte = 8 / bits;
    let brightest = (1_u16 << bits) - 1;
    let row = |row: &[u8]| -> Vec<u8> {
        (0..width)
            .map(|x| {
                let byte = row.get(x / in_byte).copied().unwrap_or(0);
                let shift = 8 - bits * (x % in_byte + 1);
                let shade = (u16::from(byte) >> shift) & brightest;
                u8::try_from(shade * 255 / brightest).unwrap_or(255)
            })
            .collect()
    };
    packed.chunks(width.div_ceil(in_byte).max(1)).flat_map(row).collect()
}

/// A page whose dots are not as high as wide (a fax of 204 by 98) as one whose are: squares are squares again.
fn squared(page: Gray, dots: Option<(u32, u32)>, limits: &PageLimits) -> Gray {
    let Some((across, down)) = dots.filter(|&(across, down)| across >= 50 && down >= 50) else { return page };
    let (wide, high) = (page.width(), page.height());
    // Only what a fax machine does: not what a program that writes nonsense does.
    let uneven = across.max(down) * 10 > across.min(down) * 12 && across.max(down) <= across.min(down) * 5;
    let scale = |side: usize, by: u32, over: u32| side * by as usize / over as usize;
    let (wide, high) = match across.cmp(&down) {
        Ordering::Greater => (wide, scale(high, across, down)),
        Ordering::Less => (scale(wide, down, across), high),
        Ordering::Equal => (wide, high),
    };
    let page =
        if uneven && limits.allow(wide as u64, high as u64, 2) { page.scaled(wide, high) } else { page };
    page.at_dots(across.max(down))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_become_shades() {
        let cases: [(&[u8], usize, usize, &[u8]); 3] = [
            (&[0b1010_0000, 0b0100_0000], 3, 1, &[255, 0, 255, 0, 255, 0]),
            (&[0b0001_1011], 4, 2, &[0, 85, 170, 255]),
            (&[0x0f], 2, 4, &[0, 255]),
        ];
        for (packed, width, bits, wanted) in cases {
            assert_eq!(unpacked(packed, width, bits), wanted);
        }
    }

    #[test]
    fn uneven_dots_are_made_even() {
        let page = || Gray::blank(1_728, 1_100, 255);
        for (dots, wanted) in [
            (Some((204, 98)), (1_728, 2_289)),
            (Some((204, 196)), (1_728, 1_100)),
            (Some((204, 1)), (1_728, 1_100)),
            (None, (1_728, 1_100)),
        ] {
            let page = squared(page(), dots, &PageLimits::default());
            assert_eq!((page.width(), page.height()), wanted, "{dots:?}");
        }
    }
}
