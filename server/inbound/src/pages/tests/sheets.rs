//! Sheets of A4 with codes on them, drawn in millimetres.

use rxing::oned::{Code39Writer, Code128Writer, OneDimensionalCodeWriter};
use rxing::qrcode::common::ErrorCorrectionLevel;
use rxing::qrcode::encoder::qrcode_encoder;

use super::{Dice, cover, key};
use crate::pages::gray::{lossy, whole};
use crate::pages::{Gray, payload};

/// What is on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Qr,
    Code128,
    Code39,
    PatchT,
    /// Barcodes of somebody else, and one of ours made with another key.
    Foreign,
    /// Text, tables and a picture.
    Text,
}

/// A sheet in the making.
pub(super) struct Sheet {
    pub(super) page: Vec<u8>,
    pub(super) width: usize,
    pub(super) height: usize,
    /// Pixels in a millimetre.
    pub(super) scale: f32,
    /// Where the code is, in millimetres: left, top, width, height.
    pub(super) code: (f32, f32, f32, f32),
}

impl Sheet {
    pub(super) fn blank(dots: u32) -> Self {
        let scale = lossy(usize::try_from(dots).unwrap()) / 25.4;
        let (width, height) = (whole(210.0 * scale), whole(297.0 * scale));
        let page = vec![255; width * height];
        Self { page, width, height, scale, code: (0.0, 0.0, 0.0, 0.0) }
    }

    /// A black rectangle; pixels that it covers in part are gray in part.
    pub(super) fn rect(&mut self, left: f32, top: f32, width: f32, height: f32) {
        let scale = self.scale;
        let (x0, x1) = (left * scale, (left + width) * scale);
        let (y0, y1) = (top * scale, (top + height) * scale);
        let cover =
            |at: usize, from: f32, to: f32| (to.min(lossy(at) + 1.0) - from.max(lossy(at))).clamp(0.0, 1.0);
        for y in whole(y0.floor())..whole(y1.ceil()).min(self.height) {
            let down = cover(y, y0, y1);
            for x in whole(x0.floor())..whole(x1.ceil()).min(self.width) {
                let darker = whole(255.0 * down * cover(x, x0, x1));
                let pixel = &mut self.page[y * self.width + x];
                *pixel = pixel.saturating_sub(u8::try_from(darker).unwrap());
            }
        }
    }

    /// Bars of one direction.
    pub(super) fn bars(&mut self, modules: &[bool], (left, top): (f32, f32), module: f32, height: f32) {
        let mut at = left;
        for run in modules.chunk_by(|one, next| one == next) {
            let width = lossy(run.len()) * module;
            if run[0] {
                self.rect(at, top, width, height);
            }
            at += width;
        }
        self.code = (left, top, at - left, height);
    }

    pub(super) fn qr(&mut self, text: &str, (left, top): (f32, f32), side: f32) {
        let code = qrcode_encoder::encode(text, ErrorCorrectionLevel::Q).unwrap();
        let matrix = code.getMatrix().as_ref().unwrap();
        let module = side / lossy(usize::try_from(matrix.getWidth()).unwrap());
        let place = |at: u32| lossy(usize::try_from(at).unwrap()) * module;
        for y in 0..matrix.getHeight() {
            for x in 0..matrix.getWidth() {
                if matrix.get(x, y) == 1 {
                    self.rect(left + place(x), top + place(y), module, module);
                }
            }
        }
        self.code = (left, top, side, side);
    }

    /// Patch code T near the upper edge, its bars across the sheet.
    pub(super) fn patch(&mut self, left: f32, top: f32) {
        let (narrow, wide) = (2.032, 5.08);
        let mut at = top;
        for bar in [narrow, wide, narrow, wide] {
            self.rect(left, at, 100.0, bar);
            at += bar + narrow;
        }
        self.code = (left, top, 100.0, at - narrow - top);
    }

    /// Something like lines of text.
    pub(super) fn text(&mut self, (left, top): (f32, f32), lines: usize, dice: &mut Dice) {
        for line in 0..lines {
            let base = top + lossy(line) * 5.0;
            let mut at = left;
            while at < 185.0 {
                let letters = 2 + dice.roll(8);
                for _ in 0..letters {
                    let wide = dice.between(1.0, 2.0);
                    self.rect(at, base - dice.between(1.6, 2.6), 0.3, 2.2);
                    self.rect(at, base - dice.between(0.3, 2.0), wide - 0.3, 0.3);
                    if dice.roll(2) == 0 {
                        self.rect(at + wide - 0.5, base - 1.8, 0.3, 1.8);
                    }
                    at += wide;
                }
                at += 1.5;
            }
        }
    }

    pub(super) fn done(self) -> Gray {
        let dots = u32::try_from(whole(self.scale * 25.4)).unwrap();
        Gray::new(self.width, self.height, self.page).unwrap().at_dots(dots)
    }
}

pub(super) fn code_128(text: &str) -> Vec<bool> {
    Code128Writer.encode_oned(text).unwrap()
}

pub(super) fn code_39(text: &str) -> Vec<bool> {
    Code39Writer.encode_oned(text).unwrap()
}

/// A sheet of this kind, for this reference.
pub(super) fn sheet(kind: Kind, reference: &str, dots: u32, dice: &mut Dice) -> Sheet {
    let mut sheet = Sheet::blank(dots);
    let text = payload(&cover(reference), &key()).unwrap();
    let place = (dice.between(20.0, 35.0), dice.between(25.0, 60.0));
    match kind {
        Kind::Qr => sheet.qr(&text, place, 40.0),
        Kind::Code128 => sheet.bars(&code_128(&text), (place.0, place.1), 0.42, 18.0),
        Kind::Code39 => sheet.bars(&code_39(&text), (15.0, place.1), 0.4, 18.0),
        Kind::PatchT => sheet.patch(place.0, 15.0),
        Kind::Foreign => {
            let other = payload(&cover(reference), &crate::pages::CoverKey::new([1; 32])).unwrap();
            match dice.roll(4) {
                0 => sheet.qr("https://example.com/parcel?id=M-1042", place, 30.0),
                1 => sheet.bars(&code_128("00340434292135100186"), place, 0.42, 18.0),
                2 => sheet.bars(&code_39("M-1042"), place, 0.42, 18.0),
                _ => sheet.qr(&other, place, 35.0),
            }
        }
        Kind::Text => {
            for line in 0..8 {
                sheet.rect(20.0, 30.0 + lossy(line) * 8.0, 160.0, 0.3);
                sheet.rect(20.0 + lossy(line) * 20.0, 30.0, 0.3, 56.0);
            }
            sheet.code = (20.0, 30.0, 160.0, 56.0);
        }
    }
    sheet.text((20.0, 120.0), 18, dice);
    sheet
}
