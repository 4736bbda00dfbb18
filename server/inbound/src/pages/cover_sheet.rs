//! Cover sheets and separators to print. A cover sheet has what it is for as a QR code and as Code 128, and in
//! words for people; a separator has patch code T and Code 128.
//!
//! Written with pdf-writer: a page of rectangles and two fonts that every PDF reader has needs nothing that lays out text, and
//! what does (krilla, printpdf) brings fonts, images and their decoders along. The codes are rxing's own, so that one crate writes
//! and reads them.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};
use rxing::oned::{Code128Writer, OneDimensionalCodeWriter};
use rxing::qrcode::common::ErrorCorrectionLevel;
use rxing::qrcode::encoder::qrcode_encoder;

use super::marks::SEPARATOR_TEXT;
use super::payload::{Cover, CoverKey, NoPayload, payload};
use crate::pages::gray::lossy;

/// What a cover sheet shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverSheet<'t> {
    /// What it is for: this is what the codes say.
    pub cover: &'t Cover,
    /// The client.
    pub client: &'t str,
    /// The title of the work item.
    pub title: &'t str,
}

/// A4, in points, and points in a millimetre.
const PAGE: (f32, f32) = (595.28, 841.89);
const MM: f32 = 72.0 / 25.4;
/// The rim, within which every printer prints.
const RIM: f32 = 20.0 * MM;
/// The side of the QR code with the paper that belongs to it.
const SQUARE: f32 = 52.0 * MM;
/// Modules of paper around a QR code and beside Code 128.
const QUIET: usize = 4;
const QUIET_BESIDE: usize = 10;
/// The height of Code 128, and its widest and narrowest module: what is narrower blurs in a fax.
const HEIGHT: f32 = 22.0 * MM;
const WIDEST: f32 = 0.5 * MM;
const NARROWEST: f32 = 0.25 * MM;
/// Lines of one text, at most.
const LINES: usize = 5;
/// What stands for a character that the font does not have.
const MISSING: u8 = 0xa4;

/// A sheet to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printed<'t> {
    /// A cover sheet.
    Cover(CoverSheet<'t>),
    /// A separator.
    Separator,
}

/// A cover sheet as a PDF of one page of A4.
pub fn cover_sheet(sheet: &CoverSheet<'_>, key: &CoverKey) -> Result<Vec<u8>, NoPayload> {
    Ok(written(vec![cover(sheet, key)?]))
}

/// Sheets as a PDF, a page of A4 for each. The error names the first that cannot be printed, by its place.
pub fn print(sheets: &[Printed<'_>], key: &CoverKey) -> Result<Vec<u8>, (usize, NoPayload)> {
    let page = |(number, sheet): (usize, &Printed<'_>)| match sheet {
        Printed::Cover(sheet) => cover(sheet, key).map_err(|why| (number, why)),
        Printed::Separator => Ok(separator()),
    };
    Ok(written(sheets.iter().enumerate().map(page).collect::<Result<_, _>>()?))
}

fn cover(sheet: &CoverSheet<'_>, key: &CoverKey) -> Result<Content, NoPayload> {
    let text = payload(sheet.cover, key)?;
    let mut content = Content::new();
    let mut top = PAGE.1 - RIM;
    square(&mut content, &text, PAGE.0 - RIM - SQUARE, top - SQUARE)?;

    let beside = PAGE.0 - 2.0 * RIM - SQUARE - 8.0 * MM;
    let mut page = Page { content, missing: false };
    page.line(BOLD, 20.0, RIM, top - 20.0, "Cover sheet");
    page.lines(PLAIN, 11.0, RIM, top - 44.0, beside, HOW_TO);
    top -= SQUARE + 8.0 * MM;

    if bars(&mut page.content, &text, top - HEIGHT) {
        top -= HEIGHT;
    }
    top -= 6.0 * MM;
    page.line(PLAIN, 8.0, RIM, top, &text);
    top -= 16.0 * MM;
    let width = PAGE.0 - 2.0 * RIM;
    let texts = [
        ("Reference", sheet.cover.reference.as_str()),
        ("Site", &sheet.cover.site),
        ("Client", sheet.client),
        ("Title", sheet.title),
    ];
    for (label, text) in texts {
        if text.is_empty() {
            continue;
        }
        page.line(PLAIN, 9.0, RIM, top, label);
        top = page.lines(BOLD, 16.0, RIM, top - 18.0, width, text) - 8.0 * MM;
    }
    if page.missing {
        page.line(PLAIN, 9.0, RIM, RIM, "\u{a4} stands for a character that this sheet cannot print.");
    }
    Ok(page.content)
}

/// Patch code T at both ends, so that it does not matter how it is put in, and the text that other programs print on their separators.
fn separator() -> Content {
    let mut page = Page { content: Content::new(), missing: false };
    let long = PAGE.0 - 2.0 * RIM;
    let thick: f32 = PATCH_T.iter().sum::<f32>() + 3.0 * PATCH_T[0];
    for top in [PAGE.1 - RIM, RIM + thick] {
        let mut at = top;
        for bar in PATCH_T {
            page.content.rect(RIM, at - bar, long, bar);
            at -= bar + PATCH_T[0];
        }
        page.content.fill_nonzero();
    }
    let mut top = PAGE.1 - RIM - thick - 30.0 * MM;
    page.line(BOLD, 20.0, RIM, top, "Separator");
    top = page.lines(PLAIN, 11.0, RIM, top - 24.0, long, BETWEEN);
    bars(&mut page.content, SEPARATOR_TEXT, top - 15.0 * MM - HEIGHT);
    page.content
}

const HOW_TO: &str = "Put this sheet in front of the document and scan both together: one sheet for each document. Do not write on the codes.";

const BETWEEN: &str =
    "Put this sheet between two documents of the same matter. It can be used again and again.";

/// The bars of patch code T, which are parted by spaces as wide as the first.
const PATCH_T: [f32; 4] = [0.08 * 72.0, 0.2 * 72.0, 0.08 * 72.0, 0.2 * 72.0];

/// The two fonts, by the names that the page has for them.
const PLAIN: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

struct Page {
    content: Content,
    /// Whether a character could not be shown.
    missing: bool,
}

impl Page {
    fn line(&mut self, font: Name<'_>, size: f32, left: f32, base: f32, text: &str) {
        let bytes: Vec<u8> = text.chars().map(shown).collect();
        self.missing |= text.chars().any(|letter| letter != '\u{a4}' && shown(letter) == MISSING);
        self.content.begin_text().set_font(font, size).next_line(left, base).show(Str(&bytes)).end_text();
    }

    /// A text in as many lines as it needs; the base of the last one.
    fn lines(&mut self, font: Name<'_>, size: f32, left: f32, base: f32, width: f32, text: &str) -> f32 {
        let lines = broken(text, width / size);
        let mut at = base;
        for (number, line) in lines.iter().enumerate() {
            at = base - size * 1.25 * lossy(number);
            self.line(font, size, left, at, line);
        }
        at
    }
}

/// A text in lines of at most this width, in ems.
fn broken(text: &str, width: f32) -> Vec<String> {
    let wide = |text: &str| text.chars().map(ems).sum::<f32>();
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        // A word that is longer than a line is cut where the line ends.
        for letter in [" "].into_iter().chain(word.split_inclusive(|_| true)) {
            let line = lines.last().map(String::as_str).unwrap_or_default();
            let rest = if letter == " " { wide(word).min(width * 0.6) } else { 0.0 };
            if wide(line) + wide(letter) + rest > width {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut()
                && !(letter == " " && line.is_empty())
            {
                line.push_str(letter);
            }
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            last.pop();
            last.push('…');
        }
    }
    lines
}

/// How wide a letter of Helvetica Bold is at most, in ems.
fn ems(letter: char) -> f32 {
    match letter {
        'W' | 'M' | 'm' | '@' | '%' | '…' | '—' | 'Œ' | 'Æ' | 'œ' | 'æ' => 1.0,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.34,
        'A'..='Z' | 'w' | '&' | 'À'..='Þ' => 0.78,
        _ => 0.62,
    }
}

/// The byte for a character in the encoding that the fonts have (Windows-1252), or the one that stands for those it lacks.
fn shown(letter: char) -> u8 {
    const ABOVE: [(char, u8); 27] = [
        ('€', 0x80),
        ('‚', 0x82),
        ('ƒ', 0x83),
        ('„', 0x84),
        ('…', 0x85),
        ('†', 0x86),
        ('‡', 0x87),
        ('ˆ', 0x88),
        ('‰', 0x89),
        ('Š', 0x8a),
        ('‹', 0x8b),
        ('Œ', 0x8c),
        ('Ž', 0x8e),
        ('‘', 0x91),
        ('’', 0x92),
        ('“', 0x93),
        ('”', 0x94),
        ('•', 0x95),
        ('–', 0x96),
        ('—', 0x97),
        ('˜', 0x98),
        ('™', 0x99),
        ('š', 0x9a),
        ('›', 0x9b),
        ('œ', 0x9c),
        ('ž', 0x9e),
        ('Ÿ', 0x9f),
    ];
    match letter {
        // No break, and the hyphen that shows only at an end of a line.
        '\u{a0}' | '\u{202f}' => b' ',
        '\u{ad}' => b'-',
        ' '..='~' | '\u{a1}'..='\u{ff}' => u8::try_from(letter).unwrap_or(MISSING),
        other => ABOVE.iter().find(|(known, _)| *known == other).map_or(MISSING, |(_, byte)| *byte),
    }
}

/// A QR code with its lower left corner there.
fn square(content: &mut Content, text: &str, left: f32, bottom: f32) -> Result<(), NoPayload> {
    // A quarter of it may be torn off, dirty or stamped upon.
    let code = qrcode_encoder::encode(text, ErrorCorrectionLevel::Q).map_err(|_| NoPayload::TooLong)?;
    let matrix = code.getMatrix().as_ref().ok_or(NoPayload::TooLong)?;
    let side = matrix.getWidth();
    let count = usize::try_from(side).map_err(|_| NoPayload::TooLong)?;
    let module = SQUARE / lossy(count + 2 * QUIET);
    for y in 0..side {
        for x in 0..side {
            if matrix.get(x, y) == 1 {
                let place = |at: u32| usize::try_from(at).unwrap_or(0) + QUIET;
                let up = count + 2 * QUIET - 1 - place(y);
                // A hair larger, so that no reader draws a white line between two.
                let side = module * 1.01;
                content.rect(left + lossy(place(x)) * module, bottom + lossy(up) * module, side, side);
            }
        }
    }
    content.fill_nonzero();
    Ok(())
}

/// Code 128 across the page, where it fits.
fn bars(content: &mut Content, text: &str, bottom: f32) -> bool {
    let Ok(modules) = Code128Writer.encode_oned(text) else { return false };
    let module = ((PAGE.0 - 2.0 * RIM) / lossy(modules.len() + 2 * QUIET_BESIDE)).min(WIDEST);
    if module < NARROWEST {
        return false;
    }
    let mut at = RIM + lossy(QUIET_BESIDE) * module;
    for run in modules.chunk_by(|one, next| one == next) {
        let width = lossy(run.len()) * module;
        if run.first() == Some(&true) {
            content.rect(at, bottom, width, HEIGHT);
        }
        at += width;
    }
    content.fill_nonzero();
    true
}

fn written(contents: Vec<Content>) -> Vec<u8> {
    let [catalogue, tree, plain, bold] = [1, 2, 3, 4].map(Ref::new);
    let mut next = Ref::new(5);
    let pages: Vec<(Ref, Ref, Content)> =
        contents.into_iter().map(|content| (next.bump(), next.bump(), content)).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalogue).pages(tree);
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(pages.iter().map(|(page, ..)| *page)).count(count);
    for (page, stream, _) in &pages {
        let mut sheet = pdf.page(*page);
        sheet.parent(tree).media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).contents(*stream);
        sheet.resources().fonts().pair(PLAIN, plain).pair(BOLD, bold);
        sheet.finish();
    }
    for (font, name) in [(plain, Name(b"Helvetica")), (bold, Name(b"Helvetica-Bold"))] {
        pdf.type1_font(font).base_font(name).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (_, stream, content) in pages {
        pdf.stream(stream, &content.finish());
    }
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_lacks_is_seen_to_be_missing() {
        for (text, wanted) in [
            ("Müller – \"Größe\" €", b"M\xfcller \x96 \"Gr\xf6\xdfe\" \x80".as_slice()),
            ("Łódź", b"\xa4\xf3d\xa4"),
            ("契約", b"\xa4\xa4"),
            ("a\u{202e}b\u{0}c", b"a\xa4b\xa4c"),
            ("no\u{a0}break", b"no break"),
        ] {
            assert_eq!(text.chars().map(shown).collect::<Vec<_>>(), wanted, "{text}");
        }
    }

    #[test]
    fn long_texts_are_broken_and_cut() {
        assert_eq!(broken("one two", 50.0), ["one two"]);
        assert_eq!(broken("", 50.0), [""]);
        let lines = broken(&"word ".repeat(200), 20.0);
        assert_eq!(lines.len(), LINES);
        assert!(lines[LINES - 1].ends_with('…'));
        assert!(broken(&"X".repeat(100), 10.0).iter().all(|line| line.chars().count() <= 13));
    }
}
