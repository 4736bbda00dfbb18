//! A page as a picture for a screen: what a person looks at who has to decide over it.

use super::gray::Gray;
use super::read::{Scan, Unreadable, caught};

/// A picture is about this wide or high at most, in pixels: a page of A4 is read at that size.
const MOST: usize = 1_700;

/// A page of a scan, counted from 0, as PNG in shades of gray.
pub fn picture(scan: &Scan, index: usize) -> Result<Vec<u8>, Unreadable> {
    let page = scan.page(index)?;
    let longest = page.width().max(page.height());
    // Small print is better a little too large than not to be read.
    let small = page.smaller((longest / MOST).max(1));
    caught(|| encoded(&small).map_err(|error| Unreadable::NotSupported(error.to_string())))
}

fn encoded(page: &Gray) -> Result<Vec<u8>, png::EncodingError> {
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(page.width()), side(page.height()));
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(page.pixels())?;
    writer.finish()?;
    Ok(bytes)
}
