//! Pages of a PDF, drawn: cover sheets that were never printed are vectors, and scans are pictures with a page around them.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hayro::hayro_interpret::{InterpreterSettings, InterpreterWarning};
use hayro::hayro_syntax::object::{Dict, Name, ObjectIdentifier, Stream};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{LoadPdfError, Pdf};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};

use super::{Unreadable, luma};
use crate::pages::gray::{Gray, lossy, whole};
use crate::pages::limits::PageLimits;

/// Points in an inch.
const POINTS: f32 = 72.0;
/// Pages so large that they could only be drawn coarser than this are not drawn: no barcode would be left.
const COARSEST: f32 = 72.0;
/// The renderer counts a side in 16 bits.
const LONGEST: f32 = 65_000.0;
/// Red, green, blue and alpha, twice: while drawing, and as the result.
const BYTES_EACH: u64 = 8;
/// How deep pictures in forms are looked for, and how many objects in all.
const DEPTH: usize = 8;
const OBJECTS: usize = 10_000;

pub(super) fn open(bytes: &Arc<Vec<u8>>) -> Result<Pdf, Unreadable> {
    let pdf = Pdf::new(Arc::clone(bytes)).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Unreadable::Encrypted,
        LoadPdfError::Invalid => Unreadable::Broken("it is not a PDF that can be read".to_owned()),
    })?;
    // A page that the reader skips could be a cover sheet, and would be in no piece.
    match stated(&pdf) {
        Some(stated) if stated != pdf.pages().len() => {
            let found = pdf.pages().len();
            Err(Unreadable::Broken(format!("it says that it has {stated} pages, and {found} can be found")))
        }
        _ => Ok(pdf),
    }
}

/// How many pages the page tree says that it has.
fn stated(pdf: &Pdf) -> Option<usize> {
    let catalogue = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id())?;
    let tree = catalogue.get::<Dict<'_>>(b"Pages".as_slice())?;
    tree.get::<u32>(b"Count".as_slice()).and_then(|count| usize::try_from(count).ok())
}

pub(super) fn page(pdf: &Pdf, index: usize, limits: &PageLimits) -> Result<Gray, Unreadable> {
    let page = pdf.pages().get(index).ok_or(Unreadable::NoSuchPage)?;
    pictures_within(page, limits)?;
    let dots = resolution(page.render_dimensions(), limits).ok_or(Unreadable::TooLarge)?;

    let lost = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&lost);
    let settings = InterpreterSettings {
        warning_sink: Arc::new(move |warning| {
            if matches!(warning, InterpreterWarning::ImageDecodeFailure) {
                noted.store(true, Ordering::Relaxed);
            }
        }),
        ..InterpreterSettings::default()
    };
    let scale = dots / POINTS;
    let drawn = render(
        page,
        &RenderCache::new(),
        &settings,
        &RenderSettings::default(),
        &PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE },
    );
    if lost.load(Ordering::Relaxed) {
        // The page looks blank where that picture is, and could be the cover sheet.
        return Err(Unreadable::NotSupported("a picture on the page cannot be decoded".to_owned()));
    }
    let pixels = drawn.data().iter().map(|pixel| luma(pixel.r, pixel.g, pixel.b)).collect();
    let (width, height) = (usize::from(drawn.width()), usize::from(drawn.height()));
    let gray = Gray::new(width, height, pixels).ok_or(Unreadable::TooLarge)?;
    Ok(gray.at_dots(u32::try_from(whole(dots)).unwrap_or(0)))
}

/// At how many dots per inch a page of this size, in points, is drawn.
fn resolution((width, height): (f32, f32), limits: &PageLimits) -> Option<f32> {
    let sides = width.is_finite() && height.is_finite() && width >= 1.0 && height >= 1.0;
    if !sides {
        return None;
    }
    let mut dots = lossy(usize::try_from(limits.dots).ok()?).max(COARSEST);
    for _ in 0..64 {
        let (across, down) = (width * dots / POINTS, height * dots / POINTS);
        let fits = across <= LONGEST
            && down <= LONGEST
            && limits.allow(whole(across) as u64, whole(down) as u64, BYTES_EACH);
        if fits {
            return Some(dots);
        }
        dots *= 0.9;
        if dots < COARSEST {
            return None;
        }
    }
    None
}

/// Whether every picture that the page may draw is within the limits, before any of them is decoded.
fn pictures_within(page: &Page<'_>, limits: &PageLimits) -> Result<(), Unreadable> {
    let mut seen = HashSet::new();
    let mut open: Vec<(Dict<'_>, usize)> = vec![(page.resources().x_objects.clone(), 0)];
    while let Some((objects, depth)) = open.pop() {
        for name in objects.keys() {
            let Some(stream) = objects.get::<Stream<'_>>(name.as_ref() as &[u8]) else { continue };
            if !seen.insert(identity(&stream)) {
                continue;
            }
            if seen.len() > OBJECTS {
                return Err(Unreadable::TooLarge);
            }
            let about = stream.dict();
            let side = |key: &str| u64::from(about.get::<u32>(key.as_bytes()).unwrap_or(0));
            let kind = about.get::<Name<'_>>(b"Subtype".as_slice());
            if kind.as_ref().is_some_and(|kind| kind.as_ref() as &[u8] == b"Image") {
                let (width, height) = (side("Width"), side("Height"));
                if width > 0 && height > 0 && !limits.allow(width, height, 4) {
                    return Err(Unreadable::TooLarge);
                }
                if let Some((width, height)) = own_size(&stream.raw_data())
                    && !limits.allow(width, height, 4)
                {
                    return Err(Unreadable::TooLarge);
                }
            } else if depth < DEPTH
                && let Some(inner) = about
                    .get::<Dict<'_>>(b"Resources".as_slice())
                    .and_then(|resources| resources.get::<Dict<'_>>(b"XObject".as_slice()))
            {
                open.push((inner, depth + 1));
            }
        }
    }
    Ok(())
}

fn identity(stream: &Stream<'_>) -> ObjectIdentifier {
    stream.obj_id()
}

/// The size that a JPEG 2000 picture itself states: its decoder goes by that and not by the page.
fn own_size(data: &[u8]) -> Option<(u64, u64)> {
    let start = data.get(..data.len().min(4_096))?;
    let at = start.windows(4).position(|four| four == [0xff, 0x4f, 0xff, 0x51])?;
    // SIZ: marker, length (2), capabilities (2), then the right and lower edge (4 each).
    let number = |from: usize| {
        let four = data.get(at + from..at + from + 4)?;
        Some(u64::from(u32::from_be_bytes([four[0], four[1], four[2], four[3]])))
    };
    Some((number(8)?, number(12)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_drawn_as_fine_as_the_limits_allow() {
        let limits = PageLimits { pages: 1, pixels: 10_000_000, memory: 1 << 30, dots: 300 };
        let a4 = resolution((595.0, 842.0), &limits).unwrap();
        assert!((a4 - 300.0).abs() < 0.1, "{a4}");
        let a2 = resolution((1_190.0, 1_684.0), &limits).unwrap();
        assert!((100.0..200.0).contains(&a2), "{a2}");
        for size in [(28_346.0, 28_346.0), (0.0, 10.0), (f32::NAN, 10.0), (f32::INFINITY, 10.0)] {
            assert_eq!(resolution(size, &limits), None, "{size:?}");
        }
    }
}
