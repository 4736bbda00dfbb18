//! What is on a page that matters for splitting: cover sheets' barcodes, separators, nothing at all, or something like a
//! barcode that cannot be read.
//!
//! Cheap ways of looking come first. Most pages have no barcode, and nothing on them looks like one: they cost one look. A page
//! that looks as if it had one is looked at in more ways, a fixed number of them, until it is read.

mod bars;
mod blank;
mod lines;
mod patch;
mod qr;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use self::blank::BlankRule;
use self::lines::{Lines, Making};
use self::qr::{Looks, Parting};
use super::gray::{Gray, whole};
use super::payload::{Cover, CoverKey, Payload, parse};
use super::read::Scan;

/// A barcode that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// A QR code.
    Qr(String),
    /// Code 128.
    Code128(String),
    /// Code 39.
    Code39(String),
}

impl Symbol {
    /// What it says.
    pub fn text(&self) -> &str {
        match self {
            Self::Qr(text) | Self::Code128(text) | Self::Code39(text) => text,
        }
    }
}

/// Which kinds of codes are heeded. Others are foreign, whatever they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each kind is what they are")]
pub struct Kinds {
    /// QR codes.
    pub qr: bool,
    /// Code 128.
    pub code_128: bool,
    /// Code 39.
    pub code_39: bool,
    /// Patch code T.
    pub patch_t: bool,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { qr: true, code_128: true, code_39: true, patch_t: true }
    }
}

impl Kinds {
    fn heeds(self, symbol: &Symbol) -> bool {
        match symbol {
            Symbol::Qr(_) => self.qr,
            Symbol::Code128(_) => self.code_128,
            Symbol::Code39(_) => self.code_39,
        }
    }
}

/// How pages are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarkRules {
    /// What counts as blank.
    pub blank: BlankRule,
    /// Which codes are heeded.
    pub kinds: Kinds,
}

impl From<BlankRule> for MarkRules {
    fn from(blank: BlankRule) -> Self {
        Self { blank, kinds: Kinds::default() }
    }
}

/// What is on a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageMarks {
    /// The work items that verified barcodes name; more than one is a contradiction.
    pub covers: BTreeSet<Cover>,
    /// Barcodes that begin like a cover sheet's and are not one, and why.
    pub doubtful: BTreeSet<String>,
    /// Barcodes of somebody else.
    pub foreign: BTreeSet<Symbol>,
    /// Whether it is a separator.
    pub separator: bool,
    /// Whether something looks like a barcode and could not be read.
    pub unread_code: bool,
    /// Whether it is blank.
    pub blank: bool,
    /// Why the page could not be looked at, where that is so.
    pub unreadable: Option<String>,
}

impl PageMarks {
    /// A page that nobody could look at.
    pub fn unreadable(why: impl Into<String>) -> Self {
        Self { unreadable: Some(why.into()), ..Self::default() }
    }

    /// Whether nothing was found that tells anything.
    fn silent(&self) -> bool {
        self.covers.is_empty() && self.doubtful.is_empty() && self.foreign.is_empty() && !self.separator
    }
}

/// The text of barcodes on separator sheets that programs for archives print.
pub(super) const SEPARATOR_TEXT: &str = "PATCHT";
/// About how fine a page is first looked at, in dots per inch, and how fine at most.
const COARSE: f32 = 160.0;
const FINEST: f32 = 330.0;
/// The most pixels that are looked at: A2 at 300 dots per inch. There are several copies of a page while it is looked at.
const MOST: usize = 36_000_000;

/// Looks at one page.
pub fn examine(page: &Gray, key: &CoverKey, rules: impl Into<MarkRules>) -> PageMarks {
    let rules = rules.into();
    catch_unwind(AssertUnwindSafe(|| look(page, key, rules)))
        .unwrap_or_else(|_| PageMarks::unreadable("looking for barcodes failed"))
}

/// Looks at every page of a scan, as long as `go_on` says so; asked before each page. Pages that were not come to are said to be.
pub fn examine_all(
    scan: &Scan,
    key: &CoverKey,
    rules: impl Into<MarkRules>,
    mut go_on: impl FnMut() -> bool,
) -> Vec<PageMarks> {
    let rules = rules.into();
    let mut patient = true;
    let mut one = |index| {
        patient = patient && go_on();
        if !patient {
            return PageMarks::unreadable("there was no time left to look at it");
        }
        match scan.page(index) {
            Ok(page) => examine(&page, key, rules),
            Err(why) => PageMarks::unreadable(why.to_string()),
        }
    };
    (0..scan.pages()).map(&mut one).collect()
}

fn look(page: &Gray, key: &CoverKey, rules: MarkRules) -> PageMarks {
    let MarkRules { blank, kinds } = rules;
    let mut fine = page.smaller(steps(page.dots_per_inch(), FINEST));
    while fine.pixels().len() > MOST {
        fine = fine.smaller(2);
    }
    let coarse = fine.smaller(steps(fine.dots_per_inch(), COARSE));
    let mut marks = PageMarks { blank: blank::is_blank(&coarse, blank), ..PageMarks::default() };
    let turned = fine.turned();

    // One look at everything.
    let (down, across) = (Lines::of(&fine, Making::USUAL), Lines::of(&turned, Making::USUAL));
    marks.separator = kinds.patch_t && (patch::found(&down) || patch::found(&across));
    let mut bars = believed(bars::read(&down), bars::read(&across), key);
    let clean = coarse.despeckled();
    let looks = qr::looks(&coarse).max(qr::looks(&clean));
    let mut squares = match looks {
        Looks::Crowded => BTreeSet::new(),
        Looks::Plain | Looks::LikeACode => qr::read(&coarse, Parting::Around),
    };
    sort(&mut marks, &bars, key, kinds);
    sort(&mut marks, &squares, key, kinds);

    // More looks, where something is there and has not been read.
    let looks_like_bars = bars::suspected(&down) || bars::suspected(&across);
    if looks == Looks::LikeACode && squares.is_empty() {
        squares = more_squares(&fine, &coarse, &clean);
        sort(&mut marks, &squares, key, kinds);
    }
    // A verified sheet needs no second witness.
    if looks_like_bars && bars.is_empty() && marks.covers.is_empty() {
        bars = more_bars(&fine, key);
        sort(&mut marks, &bars, key, kinds);
    }
    let unread = (looks_like_bars && bars.is_empty()) || (looks != Looks::Plain && squares.is_empty());
    marks.unread_code = unread && marks.covers.is_empty();
    marks.blank = marks.blank && marks.silent() && !marks.unread_code;
    marks
}

/// By how much a page of `dots` is made smaller to be about `wanted`.
fn steps(dots: f32, wanted: f32) -> usize {
    whole((dots / wanted).floor()).max(1)
}

fn more_squares(fine: &Gray, coarse: &Gray, clean: &Gray) -> BTreeSet<Symbol> {
    let looks: [&dyn Fn() -> BTreeSet<Symbol>; 7] = [
        &|| qr::read(coarse, Parting::Whole),
        &|| qr::read(fine, Parting::Around),
        &|| qr::read(clean, Parting::Around),
        &|| qr::read(&fine.smaller(3), Parting::Around),
        &|| qr::read(&fine.despeckled(), Parting::Around),
        &|| qr::read(&fine.despeckled(), Parting::Whole),
        &|| qr::read(&clean.despeckled(), Parting::Whole),
    ];
    looks.iter().map(|look| look()).find(|found| !found.is_empty()).unwrap_or_default()
}

fn more_bars(fine: &Gray, key: &CoverKey) -> BTreeSet<Symbol> {
    let both = |page: &Gray, making| {
        let across = bars::read(&Lines::of(&page.turned(), making));
        believed(bars::read(&Lines::of(page, making)), across, key)
    };
    let making = |step, band, share| Making { step, band, share };
    // Thinner lines for what is askew or torn, thicker ones for what is speckled; darker and lighter for what is blurred.
    let looks: [&dyn Fn() -> BTreeSet<Symbol>; 6] = [
        &|| both(fine, making(0.6, 0.25, 128)),
        &|| both(fine, making(1.2, 1.2, 128)),
        &|| both(fine, making(0.9, 0.6, 104)),
        &|| both(fine, making(0.9, 0.6, 152)),
        &|| both(&fine.despeckled(), making(0.9, 0.6, 128)),
        &|| both(&fine.despeckled(), making(0.6, 1.2, 140)),
    ];
    looks.iter().map(|look| look()).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The readings that are no accidents: a verified sheet, what Code 128's own check vouches for in two lines, and what Code 39, which
/// has none, says in three.
fn believed(down: bars::Readings, across: bars::Readings, key: &CoverKey) -> BTreeSet<Symbol> {
    let mut all: BTreeMap<Symbol, usize> = down;
    for (symbol, times) in across {
        *all.entry(symbol).or_default() += times;
    }
    let firm = |symbol: &Symbol, times: usize| match symbol {
        Symbol::Code39(text) => times >= 3 && text.trim().len() >= 3,
        Symbol::Qr(text) | Symbol::Code128(text) => times >= 2 && text.len() >= 2,
    };
    let verified = |symbol: &Symbol| matches!(parse(symbol.text(), key), Payload::Ours(_));
    all.into_iter()
        .filter(|(symbol, times)| firm(symbol, *times) || verified(symbol))
        .map(|(symbol, _)| symbol)
        .collect()
}

/// Puts each symbol where it belongs.
fn sort(marks: &mut PageMarks, symbols: &BTreeSet<Symbol>, key: &CoverKey, kinds: Kinds) {
    for symbol in symbols {
        if !kinds.heeds(symbol) {
            marks.foreign.insert(symbol.clone());
            continue;
        }
        let text = symbol.text().trim();
        match parse(text, key) {
            Payload::Ours(cover) => {
                marks.covers.insert(cover);
            }
            Payload::Doubtful(why) => {
                marks.doubtful.insert(format!("{why} (\"{}\")", shortened(text)));
            }
            Payload::NotOurs if text == SEPARATOR_TEXT => marks.separator = true,
            Payload::NotOurs => {
                marks.foreign.insert(symbol.clone());
            }
        }
    }
}

/// A text as it can be shown: foreign barcodes may be long.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut short: String =
        text.chars().take(SHOWN).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().count() > SHOWN {
        short.push('…');
    }
    short
}
