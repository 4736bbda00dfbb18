//! PNG and JPEG: one picture, one page.

use std::io::Cursor;

use ::png::{ColorType, Decoder, Limits, Transformations, Unit};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Unreadable, luma};
use crate::pages::gray::Gray;
use crate::pages::limits::PageLimits;

pub(super) fn png(bytes: &[u8], limits: &PageLimits) -> Result<Gray, Unreadable> {
    let broken = |error: ::png::DecodingError| match error {
        ::png::DecodingError::LimitsExceeded => Unreadable::TooLarge,
        other => Unreadable::Broken(other.to_string()),
    };
    let memory = Limits { bytes: usize::try_from(limits.memory).unwrap_or(usize::MAX) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), memory);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(broken)?;
    let (width, height) = (reader.info().width, reader.info().height);
    if !limits.allow(u64::from(width), u64::from(height), 5) {
        return Err(Unreadable::TooLarge);
    }
    let dots = reader.info().pixel_dims.filter(|dims| matches!(dims.unit, Unit::Meter));
    let dots = dots.map_or(0, |dims| u32::try_from(u64::from(dims.xppu) * 254 / 10_000).unwrap_or(0));
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(Unreadable::TooLarge)?];
    let frame = reader.next_frame(&mut pixels).map_err(broken)?;
    let samples = match frame.color_type {
        ColorType::Grayscale => Samples::Gray,
        ColorType::GrayscaleAlpha => Samples::GrayAlpha,
        ColorType::Rgb | ColorType::Indexed => Samples::Rgb,
        ColorType::Rgba => Samples::Rgba,
    };
    gray(width, height, &pixels, samples).map(|page| page.at_dots(dots))
}

pub(super) fn jpeg(bytes: &[u8], limits: &PageLimits) -> Result<Gray, Unreadable> {
    let broken = |error: zune_jpeg::errors::DecodeErrors| Unreadable::Broken(error.to_string());
    let options = DecoderOptions::new_safe()
        .set_max_width(65_535)
        .set_max_height(65_535)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    let info = decoder.info().ok_or(Unreadable::Broken("no picture in it".to_owned()))?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    if !limits.allow(u64::from(width), u64::from(height), 4) {
        return Err(Unreadable::TooLarge);
    }
    let pixels = decoder.decode().map_err(broken)?;
    gray(width, height, &pixels, Samples::Rgb)
}

/// What one pixel is made of, a byte each.
#[derive(Debug, Clone, Copy)]
pub(super) enum Samples {
    /// One shade.
    Gray,
    /// One shade, and how much of it.
    GrayAlpha,
    /// Three colours.
    Rgb,
    /// Three colours, and how much of them.
    Rgba,
    /// Four inks.
    Cmyk,
}

/// Samples as a gray page. Paper is white: what is transparent shows it.
pub(super) fn gray(width: u32, height: u32, samples: &[u8], kind: Samples) -> Result<Gray, Unreadable> {
    let over = |shade: u8, alpha: u8| {
        let sum = u32::from(shade) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
        u8::try_from(sum / 255).unwrap_or(255)
    };
    let pixels = match kind {
        Samples::Gray => samples.to_vec(),
        Samples::GrayAlpha => samples.chunks_exact(2).map(|two| over(two[0], two[1])).collect(),
        Samples::Rgb => samples.chunks_exact(3).map(|three| luma(three[0], three[1], three[2])).collect(),
        Samples::Rgba => {
            samples.chunks_exact(4).map(|four| over(luma(four[0], four[1], four[2]), four[3])).collect()
        }
        Samples::Cmyk => {
            let ink = |colour: u8, black: u8| 255 - colour.saturating_add(black);
            let light =
                |four: &[u8]| luma(ink(four[0], four[3]), ink(four[1], four[3]), ink(four[2], four[3]));
            samples.chunks_exact(4).map(light).collect()
        }
    };
    let size = |side: u32| usize::try_from(side).map_err(|_| Unreadable::TooLarge);
    Gray::new(size(width)?, size(height)?, pixels)
        .ok_or_else(|| Unreadable::Broken("fewer pixels than its size says".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_become_shades() {
        let cases: [(Samples, &[u8], u8); 7] = [
            (Samples::Gray, &[7], 7),
            (Samples::GrayAlpha, &[0, 0], 255),
            (Samples::GrayAlpha, &[0, 255], 0),
            (Samples::Rgb, &[255, 255, 255], 255),
            (Samples::Rgba, &[0, 0, 0, 255], 0),
            (Samples::Cmyk, &[0, 0, 0, 255], 0),
            (Samples::Cmyk, &[0, 0, 0, 0], 255),
        ];
        for (kind, samples, wanted) in cases {
            assert_eq!(gray(1, 1, samples, kind).unwrap().pixels(), [wanted], "{kind:?} {samples:?}");
        }
        assert!(gray(2, 1, &[0], Samples::Gray).is_err());
    }
}
