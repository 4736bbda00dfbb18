//! What scanners, feeders, printers and people do to a sheet.

use super::Dice;
use super::sheets::Sheet;
use crate::pages::Gray;
use crate::pages::gray::{lossy, whole};

/// What has happened to a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Damage {
    None,
    Turned(u8),
    /// Degrees, in tenths.
    Askew(i8),
    Salted,
    Blurred,
    Speckled,
    Torn,
    Pale,
    Stretched,
    /// So that nobody can read it, and anybody sees that it is a code.
    Ruined,
}

pub(super) const ALL: [Damage; 14] = [
    Damage::None,
    Damage::Turned(1),
    Damage::Turned(2),
    Damage::Turned(3),
    Damage::Askew(10),
    Damage::Askew(30),
    Damage::Askew(-30),
    Damage::Salted,
    Damage::Blurred,
    Damage::Speckled,
    Damage::Torn,
    Damage::Pale,
    Damage::Stretched,
    Damage::Ruined,
];

impl Damage {
    /// Nothing but the way in which it was put in.
    pub(super) fn harmless(self) -> bool {
        matches!(self, Self::None | Self::Turned(_))
    }
}

pub(super) fn damaged(mut sheet: Sheet, damage: Damage, dice: &mut Dice) -> Gray {
    match damage {
        Damage::None => {}
        Damage::Turned(quarters) => {
            let page = sheet.done();
            return (0..quarters).fold(page, |page, _| page.turned());
        }
        Damage::Askew(tenths) => return askew(&sheet.done(), f32::from(tenths) / 10.0),
        Damage::Salted => {
            let share = dice.roll(2) + 2;
            for pixel in &mut sheet.page {
                if dice.roll(100) < share {
                    *pixel = if dice.roll(2) == 0 { 0 } else { 255 };
                }
            }
        }
        Damage::Blurred => {
            let radius = (sheet.scale * 0.12).max(0.6);
            return blurred(&sheet.done(), whole(radius).max(1));
        }
        Damage::Speckled => {
            for _ in 0..400 {
                let (x, y) = (dice.between(5.0, 200.0), dice.between(5.0, 290.0));
                let side = dice.between(0.2, 0.7);
                sheet.rect(x, y, side, side);
            }
        }
        Damage::Torn => torn(&mut sheet, dice),
        Damage::Ruined => ruin(&mut sheet),
        Damage::Pale => {
            let (dark, light) = (110 + dice.roll(30), 190 + dice.roll(30));
            for pixel in &mut sheet.page {
                let shade = dark + (light - dark) * u64::from(*pixel) / 255 + dice.roll(9);
                *pixel = u8::try_from(shade).unwrap();
            }
        }
        Damage::Stretched => {
            let page = sheet.done();
            let across = dice.between(0.93, 1.0);
            let dots = page.dots_per_inch();
            let (wide, high) = (whole(lossy(page.width()) * across), page.height());
            return page.scaled(wide, high).at_dots(u32::try_from(whole(dots)).unwrap());
        }
    }
    sheet.done()
}

/// A piece of the code is gone: a corner of a square that does not hold one of its three, a part of the height of bars.
fn torn(sheet: &mut Sheet, dice: &mut Dice) {
    let (left, top, width, height) = sheet.code;
    let lost = if width < 1.5 * height {
        let part = dice.between(0.15, 0.3);
        (left + width * (1.0 - part), top + height * (1.0 - part), width * part, height * part)
    } else {
        (left, top, width * 0.6, height * dice.between(0.3, 0.6))
    };
    let scale = sheet.scale;
    for y in whole(lost.1 * scale)..whole((lost.1 + lost.3) * scale).min(sheet.height) {
        let ragged = whole(dice.between(0.0, 2.0) * scale);
        let from = whole(lost.0 * scale).saturating_sub(ragged);
        for x in from..whole((lost.0 + lost.2) * scale).min(sheet.width) {
            sheet.page[y * sheet.width + x] = 250;
        }
    }
}

/// The middle of a square is pasted over; gaps go through all of the bars.
pub(super) fn ruin(sheet: &mut Sheet) {
    let (left, top, width, height) = sheet.code;
    let scale = sheet.scale;
    let paste = |sheet: &mut Sheet, from: f32, wide: f32, down: f32, high: f32| {
        for y in whole(down * scale)..whole((down + high) * scale).min(sheet.height) {
            for x in whole(from * scale)..whole((from + wide) * scale).min(sheet.width) {
                sheet.page[y * sheet.width + x] = 255;
            }
        }
    };
    if width < 1.5 * height {
        paste(sheet, left + width * 0.3, width * 0.7, top + height * 0.32, height * 0.34);
        paste(sheet, left + width * 0.32, width * 0.3, top, height);
    } else {
        for gap in 0..3_u8 {
            paste(sheet, left + width * (0.2 + 0.27 * f32::from(gap)), 1.5, top, height);
        }
    }
}

fn askew(page: &Gray, degrees: f32) -> Gray {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (middle_x, middle_y) = (lossy(page.width()) / 2.0, lossy(page.height()) / 2.0);
    let mut out = Gray::blank(page.width(), page.height(), 255);
    for y in 0..page.height() {
        for x in 0..page.width() {
            let (dx, dy) = (lossy(x) - middle_x, lossy(y) - middle_y);
            let (from_x, from_y) = (middle_x + dx * cos + dy * sin, middle_y - dx * sin + dy * cos);
            if from_x < 0.0 || from_y < 0.0 {
                continue;
            }
            let (left, top) = (whole(from_x.floor()), whole(from_y.floor()));
            let (along, down) = (from_x.fract(), from_y.fract());
            let at = |x, y| f32::from(page.at(x, y));
            let upper = at(left, top) * (1.0 - along) + at(left + 1, top) * along;
            let lower = at(left, top + 1) * (1.0 - along) + at(left + 1, top + 1) * along;
            let shade = whole(upper * (1.0 - down) + lower * down);
            out.set(x, y, u8::try_from(shade.min(255)).unwrap());
        }
    }
    out.at_dots(u32::try_from(whole(page.dots_per_inch())).unwrap())
}

/// The average of what is around, twice.
fn blurred(page: &Gray, radius: usize) -> Gray {
    let dots = u32::try_from(whole(page.dots_per_inch())).unwrap();
    let once = |page: &Gray| {
        let mut out = page.clone();
        for y in 0..page.height() {
            let row = page.row(y);
            for x in radius..page.width() - radius {
                let sum: usize = row[x - radius..=x + radius].iter().map(|&pixel| usize::from(pixel)).sum();
                out.set(x, y, u8::try_from(sum / (2 * radius + 1)).unwrap());
            }
        }
        out.turned()
    };
    let twice = once(&once(page));
    twice.turned().turned().at_dots(dots)
}
