//! Code 128 and Code 39: each line across a page is shown to rxing's readers, so that all codes on a page are found and not
//! only the first. And what looks like bars without being readable is told, for a person to look at.

use std::collections::BTreeMap;

use rxing::DecodeHints;
use rxing::common::BitArray;
use rxing::oned::{Code39Reader, Code128Reader, OneDReader};

use super::Symbol;
use super::lines::{Line, Lines};
use crate::pages::gray::whole;

/// A line with fewer changes has no code worth reading: the shortest has three characters and its ends.
const CHANGES: usize = 24;
/// Codes in one line.
const IN_LINE: usize = 4;
/// The widest bar or space of a code, in millimetres.
const WIDEST: f32 = 2.6;
/// Bars and spaces in a row that look like a code.
const RUNS: usize = 40;
/// In how many lines, one after another, they have to look the same: text changes from line to line.
const ALIKE: usize = 5;
/// The share of a line, of 100, that has to be as in the line before.
const SAME: usize = 88;

/// What was read, and in how many lines. Code 39 has no check of its own: a text that was seen once may be an accident.
pub(super) type Readings = BTreeMap<Symbol, usize>;

/// What the codes across these lines say.
pub(super) fn read(lines: &Lines) -> Readings {
    let mut found = Readings::new();
    for line in &lines.rows {
        if line.changes.len() >= CHANGES {
            read_line(line, &mut found);
        }
    }
    found
}

fn read_line(line: &Line, found: &mut Readings) {
    let hints = DecodeHints::default();
    let (mut code_128, mut code_39) = (Code128Reader, Code39Reader::with_all_config(false, false));
    for backwards in [false, true] {
        for code in [Code::C128, Code::C39] {
            let mut from = 0;
            for _ in 0..IN_LINE {
                let Some(row) = bits(line, from, backwards) else { break };
                let read = match code {
                    Code::C128 => code_128.decode_row(0, &row, &hints),
                    Code::C39 => code_39.decode_row(0, &row, &hints),
                };
                let Ok(result) = read else { break };
                let end = result.getPoints().iter().map(|point| whole(point.x)).max().unwrap_or(0);
                let text = result.getText().to_owned();
                let symbol = match code {
                    Code::C128 => Symbol::Code128(text),
                    Code::C39 => Symbol::Code39(text),
                };
                *found.entry(symbol).or_default() += 1;
                if end == 0 {
                    break;
                }
                from += end;
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Code {
    C128,
    C39,
}

/// A line from some place on as rxing wants it; none where nothing is left.
fn bits(line: &Line, from: usize, backwards: bool) -> Option<BitArray> {
    let length = line.length.checked_sub(from).filter(|&length| length > 0)?;
    let mut row = BitArray::with_size(length);
    let turned = |at: usize| if backwards { line.length - at } else { at };
    for run in line.changes.chunks(2) {
        let (one, other) = (turned(*run.first()?), turned(run.get(1).copied().unwrap_or(line.length)));
        let (start, end) = (one.min(other).max(from), one.max(other));
        // One by one: rxing's own way of setting a range overflows at the ends of words.
        (start..end).for_each(|at| row.set(at - from));
    }
    Some(row)
}

/// Whether something across these lines looks like a barcode: many bars and spaces of a barcode's widths, and the same in line
/// after line.
pub(super) fn suspected(lines: &Lines) -> bool {
    let widest = whole(WIDEST * lines.per_mm);
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    for pair in lines.rows.windows(2) {
        let (line, next) = (&pair[0], &pair[1]);
        let mut still = Vec::new();
        for (from, to) in stretches(line, widest) {
            if alike(line, next, from, to) * 100 < SAME * (to - from) {
                continue;
            }
            let known = open.iter().filter(|&&(left, right, _)| left < to && from < right);
            let times = known.map(|&(_, _, times)| times).max().unwrap_or(0) + 1;
            if times >= ALIKE {
                return true;
            }
            still.push((from, to, times));
        }
        open = still;
    }
    false
}

/// Where bars and spaces of a barcode's widths follow one another.
fn stretches(line: &Line, widest: usize) -> Vec<(usize, usize)> {
    let narrow = |two: &usize, one: &usize| one - two <= widest;
    line.changes
        .chunk_by(narrow)
        .filter(|chunk| chunk.len() > RUNS)
        .filter_map(|chunk| Some((*chunk.first()?, *chunk.last()?)))
        .collect()
}

/// How many elements of a stretch are the same in two lines, slid a little against each other for what is not straight.
fn alike(line: &Line, next: &Line, from: usize, to: usize) -> usize {
    let slides = [0_isize, 2, -2, 4, -4];
    let same = |slide: isize| {
        let agrees = |&at: &usize| line.inked(at) == next.inked(at.saturating_add_signed(slide));
        (from..to).step_by(2).filter(agrees).count() * 2
    };
    slides.into_iter().map(same).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_bits() {
        let line = Line { changes: vec![2, 4, 7], length: 9 };
        let shown = |from, backwards| {
            let row = bits(&line, from, backwards)?;
            Some((0..line.length - from).map(|at| if row.get(at) { '#' } else { '.' }).collect::<String>())
        };
        assert_eq!(shown(0, false).unwrap(), "..##...##");
        assert_eq!(shown(0, true).unwrap(), "##...##..");
        assert_eq!(shown(3, false).unwrap(), "#...##");
        assert_eq!(shown(9, false), None);
    }

    /// Bars of one or two elements, by a rule that lines share or not.
    fn hatched(many: usize, same: bool) -> Lines {
        let row = |number: usize| {
            let mut at = 100;
            let changes = (0..120_usize)
                .map(|bar| {
                    let seed = if same { bar } else { bar * 7 + number * 13 };
                    at += 4 + (((seed * 2_654_435_761) >> 7) & 3) * 4;
                    at
                })
                .collect();
            Line { changes, length: 4_000 }
        };
        Lines { rows: (0..many).map(row).collect(), per_mm: 20.0 }
    }

    #[test]
    fn bars_are_the_same_in_line_after_line() {
        for (many, same, wanted) in [(12, true, true), (4, true, false), (12, false, false)] {
            assert_eq!(suspected(&hatched(many, same)), wanted, "{many} lines, the same: {same}");
        }
    }
}
