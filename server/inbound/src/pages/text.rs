//! The text of a PDF's pages, as far as its fonts tell which letters their glyphs are. It is for people who want to know what a document
//! is, and for nothing that decides: a font may call its glyphs whatever it likes. Nothing is drawn, and no picture is decoded.

use hayro::hayro_interpret::font::{Glyph, GlyphRun, PositionedGlyph};
use hayro::hayro_interpret::hayro_cmap::BfString;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, TransformExt as _, interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Affine, BezPath, Point, Rect, Vec2};

use super::read::{Scan, Unreadable, caught};

/// Units of a glyph's own space in the height of its letters.
const EM: f64 = 1000.0;
/// A gap wider than this part of the letters' height parts two words.
const WORD: f64 = 0.2;
/// A letter that stands off by more than this part of the height is in another line.
const LINE: f64 = 0.5;

/// Letters that begin within so many points of the ones before stand on them.
const SAME: f64 = 0.6;

/// Text of a document, and whether there is more of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    /// The text, page after page, a blank line between them.
    pub text: String,
    /// Pages or text were left out.
    pub more: bool,
}

/// The text of the first pages, of about so many bytes; none where the scan is no PDF.
pub fn text(scan: &Scan, pages: usize, most: usize) -> Result<Option<PageText>, Unreadable> {
    let Some(pdf) = scan.as_pdf() else { return Ok(None) };
    caught(|| {
        let mut scribe =
            Scribe { text: String::new(), most, more: pdf.pages().len() > pages, pen: None, run: None };
        for page in pdf.pages().iter().take(pages) {
            if scribe.text.len() >= most {
                scribe.more = true;
                break;
            }
            scribe.page(page);
        }
        Ok(Some(PageText { text: scribe.text.trim().to_owned(), more: scribe.more }))
    })
}

/// Where the last letter stands.
struct Pen {
    ended: Point,
    height: f64,
    along: Vec2,
}

/// Takes letters down in the order in which they are drawn.
struct Scribe {
    text: String,
    most: usize,
    more: bool,
    pen: Option<Pen>,
    /// Where the letters that were drawn last began.
    run: Option<Point>,
}

impl Scribe {
    fn page(&mut self, page: &Page<'_>) {
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        (self.pen, self.run) = (None, None);
        let (width, height) = page.render_dimensions();
        let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let cache = InterpreterCache::new();
        let settings = InterpreterSettings::default();
        let start = page.initial_transform(true).to_kurbo();
        let mut context = Context::new(start, area, &cache, page.xref(), settings);
        interpret_page(page, &mut context, self);
    }

    fn letter(&mut self, glyph: &PositionedGlyph<'_>, place: Affine) {
        let Some(written) = glyph.as_unicode() else { return };
        if self.text.len() >= self.most {
            self.more = true;
            return;
        }
        let began = place * Point::ORIGIN;
        let height = ((place * Point::new(0.0, EM)) - began).hypot();
        let across = (place * Point::new(EM, 0.0)) - began;
        let width = match &**glyph {
            Glyph::Outline(glyph) => glyph.advance_width(),
            Glyph::Type3(glyph) => glyph.advance_width(),
        };
        let ended = place * Point::new(f64::from(width.unwrap_or(500.0)), 0.0);
        let length = across.hypot();
        if !(height.is_finite() && height > 0.0 && length.is_finite() && length > 0.0) {
            return;
        }
        let pen = Pen { ended, height, along: across / length };
        match self.pen.as_ref().map(|last| step(last, began)) {
            Some(Step::Line) => self.text.push('\n'),
            Some(Step::Word) if !self.text.ends_with(char::is_whitespace) => self.text.push(' '),
            _ => {}
        }
        match written {
            BfString::Char(letter) => self.text.push(letter),
            BfString::String(letters) => self.text.push_str(&letters),
        }
        self.pen = Some(pen);
    }
}

enum Step {
    Letter,
    Word,
    Line,
}

/// How a letter stands to the one before.
fn step(last: &Pen, began: Point) -> Step {
    let gap = began - last.ended;
    let (along, off) = (gap.dot(last.along), gap.cross(last.along).abs());
    if off > last.height * LINE || along < -last.height {
        Step::Line
    } else if along > last.height * WORD {
        Step::Word
    } else {
        Step::Letter
    }
}

impl<'a> Device<'a> for Scribe {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let began = run.glyphs().first().map(|glyph| props.transform * glyph.transform() * Point::ORIGIN);
        let near = |last: Point, here: Point| (here - last).hypot() < SAME;
        if self.run.zip(began).is_some_and(|(last, here)| near(last, here)) {
            // The same letters again, for an outline or a bold look.
            return;
        }
        self.run = began;
        for glyph in run.glyphs() {
            self.letter(glyph, props.transform * glyph.transform());
        }
    }
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
