//! Lines across a page, as bars and spaces. Barcodes and patch codes are bars across one direction, so a line through them says
//! everything; a band of rows averaged into one line forgets noise and keeps bars.

use crate::pages::gray::{Gray, lossy, whole};

/// Millimetres in an inch.
pub(super) const INCH: f32 = 25.4;
/// How far lines are apart.
pub(super) const STEP: f32 = 1.2;
/// How high the band is that makes one line.
const BAND: f32 = 0.6;
/// The least difference between paper and ink.
const CONTRAST: u8 = 32;
/// How many millimetres to either side say what is dark and light.
const AROUND: usize = 3;
/// Lines are made this fine, so that a bar of two pixels has a width and not just a number of pixels.
const FINE: f32 = 600.0;

/// How lines are made of a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Making {
    /// Millimetres between lines.
    pub(super) step: f32,
    /// Millimetres that are averaged into one.
    pub(super) band: f32,
    /// Where between ink (0) and paper (256) a pixel stops being ink.
    pub(super) share: u16,
}

impl Making {
    /// As lines are made first.
    pub(super) const USUAL: Self = Self { step: STEP, band: BAND, share: 128 };
}

/// The lines of one page in one direction.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) rows: Vec<Line>,
    /// Elements of a line in one millimetre.
    pub(super) per_mm: f32,
}

/// One line: where it changes between paper and ink. It begins with paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) changes: Vec<usize>,
    pub(super) length: usize,
}

impl Line {
    /// The lengths of paper and ink in turn, beginning with paper, which may be 0 long.
    pub(super) fn runs(&self) -> impl Iterator<Item = usize> {
        let ends = self.changes.iter().copied().chain([self.length]);
        ends.scan(0, |from, to| {
            let run = to - *from;
            *from = to;
            Some(run)
        })
    }

    /// Whether there is ink at a place.
    pub(super) fn inked(&self, at: usize) -> bool {
        self.changes.partition_point(|&change| change <= at) % 2 == 1
    }
}

impl Lines {
    pub(super) fn of(page: &Gray, making: Making) -> Self {
        let dots = page.dots_per_inch();
        let finer = whole(FINE / dots).clamp(1, 4);
        let per_mm = dots / INCH * lossy(finer);
        let step = whole(making.step * dots / INCH).max(1);
        let band = whole(making.band * dots / INCH).clamp(1, step.max(1));
        let block = whole(per_mm).max(4);
        let mut sums = vec![0_u32; page.width()];
        let mut rows = Vec::new();
        for top in (0..page.height().saturating_sub(band - 1)).step_by(step) {
            sums.fill(0);
            for y in top..top + band {
                for (sum, &pixel) in sums.iter_mut().zip(page.row(y)) {
                    *sum += u32::from(pixel);
                }
            }
            let parts = u32::try_from(band).unwrap_or(1);
            let shades: Vec<u8> = sums.iter().map(|sum| u8::try_from(sum / parts).unwrap_or(255)).collect();
            rows.push(parted(&stretched(&shades, finer), block, making.share));
        }
        Self { rows, per_mm }
    }
}

/// A line with `finer` elements for each, the shades between running from one to the next.
fn stretched(shades: &[u8], finer: usize) -> Vec<u8> {
    if finer == 1 {
        return shades.to_vec();
    }
    let mut out = Vec::with_capacity(shades.len() * finer);
    for (at, &shade) in shades.iter().enumerate() {
        let next = shades.get(at + 1).copied().unwrap_or(shade);
        for part in 0..finer {
            let sum = usize::from(shade) * (finer - part) + usize::from(next) * part;
            out.push(u8::try_from(sum / finer).unwrap_or(255));
        }
    }
    out
}

/// Parts ink from paper by what is darkest and lightest around: shadows and pale print are told from paper all the same.
fn parted(shades: &[u8], block: usize, share: u16) -> Line {
    let bounds: Vec<(u8, u8)> = shades
        .chunks(block)
        .map(|chunk| (chunk.iter().copied().min().unwrap_or(255), chunk.iter().copied().max().unwrap_or(255)))
        .collect();
    let mut changes = Vec::new();
    let mut ink = false;
    for (index, chunk) in shades.chunks(block).enumerate() {
        let around = &bounds[index.saturating_sub(AROUND)..(index + AROUND + 1).min(bounds.len())];
        let darkest = around.iter().map(|bound| bound.0).min().unwrap_or(255);
        let lightest = around.iter().map(|bound| bound.1).max().unwrap_or(255);
        let between = u16::from(lightest - darkest);
        // Without contrast it is paper, or all ink where it is dark.
        let limit = if lightest - darkest < CONTRAST {
            64
        } else {
            darkest + u8::try_from(between * share / 256).unwrap_or(0)
        };
        for (at, &shade) in chunk.iter().enumerate() {
            if (shade < limit) != ink {
                ink = !ink;
                changes.push(index * block + at);
            }
        }
    }
    Line { changes, length: shades.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_where_it_changes() {
        let line = Line { changes: vec![2, 5, 9], length: 12 };
        assert_eq!(line.runs().collect::<Vec<_>>(), [2, 3, 4, 3]);
        let ink: String = (0..12).map(|at| if line.inked(at) { '#' } else { '.' }).collect();
        assert_eq!(ink, "..###....###");
    }

    #[test]
    fn pale_print_is_told_from_paper() {
        for (dark, light) in [(0, 255), (150, 200), (20, 90), (200, 240)] {
            let shades: Vec<u8> = (0..60).map(|at| if at / 6 % 2 == 1 { dark } else { light }).collect();
            assert_eq!(parted(&shades, 8, 128).changes.len(), 9, "{dark} on {light}");
        }
        assert!(parted(&[250; 40], 8, 128).changes.is_empty());
    }
}
