//! QR codes: read by rxing, and looked for by their three squares where they cannot be read.

use std::collections::{BTreeSet, HashSet};

use rxing::common::{GlobalHistogramBinarizer, HybridBinarizer};
use rxing::multi::MultipleBarcodeReader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, Binarizer, BinaryBitmap, DecodeHints, Luma8LuminanceSource};

use super::Symbol;
use crate::pages::gray::{Gray, lossy};

/// How ink is told from paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parting {
    /// By what is around it: for shadows and uneven light.
    Around,
    /// By the whole page: for what is speckled.
    Whole,
}

/// What the QR codes of a page say.
pub(super) fn read(page: &Gray, parting: Parting) -> BTreeSet<Symbol> {
    let size = |side| u32::try_from(side).unwrap_or(0);
    let pixels = page.pixels().to_vec();
    let source = Luma8LuminanceSource::new(pixels, size(page.width()), size(page.height()));
    let Ok(source) = source else { return BTreeSet::new() };
    match parting {
        Parting::Around => read_by(HybridBinarizer::new(source)),
        Parting::Whole => read_by(GlobalHistogramBinarizer::new(source)),
    }
}

fn read_by(binarizer: impl Binarizer) -> BTreeSet<Symbol> {
    let hints = DecodeHints {
        PossibleFormats: Some(HashSet::from([BarcodeFormat::QR_CODE])),
        TryHarder: Some(true),
        ..DecodeHints::default()
    };
    let read = QrReader.decode_multiple_with_hints(&mut BinaryBitmap::new(binarizer), &hints);
    let results = read.unwrap_or_default();
    results.iter().map(|result| Symbol::Qr(result.getText().to_owned())).collect()
}

/// A square of a QR code: a dark one in a light one in a dark one.
#[derive(Debug, Clone, Copy)]
struct Square {
    x: f32,
    y: f32,
    module: f32,
    times: u32,
}

/// The most squares on a page that is read: text has none, twenty codes have sixty, screens of pictures may have thousands.
const SQUARES: usize = 60;
/// How many places are kept in mind while looking; on a page of noise the rest is not looked through.
const SEEN: usize = 1_000;

/// How a page looks before anything on it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Looks {
    /// Nothing on it is like a QR code.
    Plain,
    /// Three squares on it could be those of a code.
    LikeACode,
    /// There are so many squares on it that reading would not end: each three of them could be a code.
    Crowded,
}

/// Looks for the squares of QR codes.
pub(super) fn looks(page: &Gray) -> Looks {
    let Some(limit) = page.threshold() else { return Looks::Plain };
    let squares = squares(page, limit);
    let firm: Vec<Square> = squares.into_iter().filter(|square| square.times >= 2).collect();
    let in_all = firm.len();
    if in_all > SQUARES {
        return Looks::Crowded;
    }
    let like_a_code = (0..in_all).any(|one| {
        (0..in_all).any(|two| (two + 1..in_all).any(|three| corner(&firm[one], &firm[two], &firm[three])))
    });
    if like_a_code { Looks::LikeACode } else { Looks::Plain }
}

/// Whether three squares are those of a code with the first at its corner.
fn corner(at: &Square, one: &Square, other: &Square) -> bool {
    let module = (at.module + one.module + other.module) / 3.0;
    let alike = [at, one, other].iter().all(|square| (square.module - module).abs() <= 0.3 * module);
    let (ax, ay) = (one.x - at.x, one.y - at.y);
    let (bx, by) = (other.x - at.x, other.y - at.y);
    let (a, b) = (ax.hypot(ay), bx.hypot(by));
    let across = (ax * bx + ay * by).abs() / (a * b).max(1.0);
    // From 14 modules between the middles (version 1) to 170 (version 40).
    alike && a >= 12.0 * module && a <= 180.0 * module && (a - b).abs() <= 0.2 * a && across <= 0.2
}

fn squares(page: &Gray, limit: u8) -> Vec<Square> {
    let mut found: Vec<Square> = Vec::new();
    for y in (0..page.height()).step_by(2) {
        let row = page.row(y);
        for (middle, module) in ratios(row.iter().map(|&pixel| pixel <= limit)) {
            let x = crate::pages::gray::whole(middle);
            let reach = crate::pages::gray::whole(module * 8.0);
            let top = y.saturating_sub(reach);
            let column = (top..(y + reach).min(page.height())).map(|y| page.at(x, y) <= limit);
            let crossing = ratios(column).find(|&(place, down)| {
                (lossy(top) + place - lossy(y)).abs() <= 2.5 * module && (down - module).abs() <= 0.5 * module
            });
            let Some((place, _)) = crossing else { continue };
            let down = lossy(top) + place;
            let near = |square: &&mut Square| {
                (square.x - middle).abs() <= 2.0 * module && (square.y - down).abs() <= 2.0 * module
            };
            if let Some(square) = found.iter_mut().find(near) {
                square.times += 1;
            } else {
                found.push(Square { x: middle, y: down, module, times: 1 });
                if found.len() == SEEN {
                    return found;
                }
            }
        }
    }
    found
}

/// Where dark and light follow each other as 1 : 1 : 3 : 1 : 1, and how long 1 is.
fn ratios(dark: impl Iterator<Item = bool>) -> impl Iterator<Item = (f32, f32)> {
    let mut runs = [0_usize; 5];
    let (mut at, mut colour) = (0, false);
    let ended = dark.map(Some).chain([None]);
    ended.filter_map(move |pixel| {
        let mut hit = None;
        if pixel != Some(colour) {
            // A run has ended; five that end with a dark one may be a square's.
            if colour {
                let total: usize = runs.iter().sum();
                let module = lossy(total) / 7.0;
                let fits =
                    |run: usize, wanted: f32| (lossy(run) - wanted * module).abs() <= 0.5 * wanted * module;
                let all = [1.0, 1.0, 3.0, 1.0, 1.0];
                if module >= 1.2 && runs.iter().zip(all).all(|(&run, wanted)| run > 0 && fits(run, wanted)) {
                    hit = Some((lossy(at) - lossy(total) / 2.0, module));
                }
            }
            runs.rotate_left(1);
            runs[4] = 0;
            colour = !colour;
        }
        runs[4] += 1;
        at += 1;
        hit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(text: &str) -> usize {
        ratios(text.bytes().map(|byte| byte == b'#')).count()
    }

    #[test]
    fn squares_by_their_ratio() {
        for (text, wanted) in [
            ("..##..######..##..", 1),
            ("##..######..##", 1),
            ("..##..##..##..##..", 0),
            ("..#.###.#..", 0),
            ("..###...#########...###...", 1),
            ("", 0),
        ] {
            assert_eq!(hits(text), wanted, "{text}");
        }
    }

    #[test]
    fn three_squares_make_a_corner() {
        let square = |x, y| Square { x, y, module: 4.0, times: 3 };
        let (at, right, below) = (square(0.0, 0.0), square(80.0, 4.0), square(-4.0, 80.0));
        assert!(corner(&at, &right, &below));
        assert!(!corner(&right, &at, &below), "the corner is elsewhere");
        assert!(!corner(&at, &square(20.0, 0.0), &square(0.0, 20.0)), "too near");
        assert!(!corner(&at, &right, &Square { module: 8.0, ..below }), "another size");
    }
}
