//! Whether a page is blank: the backs of sheets that were scanned on both sides. Dust, the other side shining through and holes
//! at the rim are nothing; a single figure is something.

use crate::pages::gray::{Gray, lossy, whole};
use crate::pages::marks::lines::INCH;

/// What a rule counts as blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlankRule {
    /// Millimetres at the rim that are not looked at: shadows, holes, staples.
    pub rim: u16,
    /// How much darker than the paper ink is, of 255.
    pub darker: u8,
    /// Of a field of 2.5 by 2.5 millimetres, the thousandths that have to be inked before it counts.
    pub inked: u16,
    /// How many such fields a blank page may have.
    pub fields: u16,
}

impl Default for BlankRule {
    /// Strict: one figure in small print makes a page.
    fn default() -> Self {
        Self { rim: 10, darker: 64, inked: 40, fields: 0 }
    }
}

/// A side of a field, in millimetres.
const FIELD: f32 = 2.5;
/// Paper that is darker than this is no paper: a page that was scanned black is not blank.
const PAPER: u8 = 96;

pub(super) fn is_blank(page: &Gray, rule: BlankRule) -> bool {
    let dots = page.dots_per_inch();
    let side = whole(FIELD * dots / INCH).max(2);
    let rim = whole(lossy(usize::from(rule.rim)) * dots / INCH).min(page.width().min(page.height()) / 4);
    let paper = median(page);
    if paper < PAPER {
        return false;
    }
    let limit = paper.saturating_sub(rule.darker);
    let least = (side * side * usize::from(rule.inked) / 1_000).max(1);
    let (right, bottom) = (page.width() - rim, page.height() - rim);
    let mut fields = 0;
    for top in (rim..bottom).step_by(side) {
        let mut inked = vec![0_usize; (right - rim).div_ceil(side)];
        for y in top..(top + side).min(bottom) {
            for (field, pixels) in inked.iter_mut().zip(page.row(y)[rim..right].chunks(side)) {
                *field += pixels.iter().filter(|&&pixel| pixel < limit).count();
            }
        }
        fields += inked.iter().filter(|&&field| field >= least).count();
        if fields > usize::from(rule.fields) {
            return false;
        }
    }
    true
}

fn median(page: &Gray) -> u8 {
    let mut counts = [0_usize; 256];
    page.pixels().iter().for_each(|&pixel| counts[usize::from(pixel)] += 1);
    let half = page.pixels().len() / 2;
    let mut below = 0;
    (0..=255)
        .zip(counts)
        .find_map(|(shade, count)| {
            below += count;
            (below > half).then_some(shade)
        })
        .unwrap_or(255)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sheet of A4 at 150 dots per inch with one rectangle, in millimetres.
    fn sheet(paper: u8, ink: u8, (left, top, width, height): (f32, f32, f32, f32)) -> Gray {
        let mut page = Gray::blank(1_240, 1_754, paper).at_dots(150);
        let pixels = |mm: f32| whole(mm * 150.0 / INCH);
        for y in pixels(top)..pixels(top + height) {
            for x in pixels(left)..pixels(left + width) {
                page.set(x, y, ink);
            }
        }
        page
    }

    #[test]
    fn dust_is_nothing_and_a_figure_is_something() {
        let cases = [
            ("nothing", sheet(255, 255, (0.0, 0.0, 0.0, 0.0)), true),
            ("gray paper", sheet(170, 170, (0.0, 0.0, 0.0, 0.0)), true),
            ("a speck", sheet(255, 0, (100.0, 100.0, 0.3, 0.3)), true),
            ("a hole at the rim", sheet(255, 0, (3.0, 100.0, 6.0, 6.0)), true),
            ("what shines through", sheet(250, 215, (50.0, 50.0, 90.0, 40.0)), true),
            ("the figure 1", sheet(255, 0, (105.0, 280.0, 0.5, 2.5)), false),
            ("a line of text", sheet(255, 30, (30.0, 100.0, 100.0, 2.0)), false),
            ("pale pencil", sheet(255, 170, (30.0, 100.0, 100.0, 1.0)), false),
            ("scanned black", sheet(10, 10, (0.0, 0.0, 0.0, 0.0)), false),
        ];
        for (name, page, wanted) in cases {
            assert_eq!(is_blank(&page, BlankRule::default()), wanted, "{name}");
        }
    }
}
