//! Patch code T, the separator that scanners' makers sell pads of. rxing does not know patch codes.
//!
//! Four bars, narrow, wide, narrow, wide (0.08 and 0.20 inch), with narrow spaces between them, at least two inches long. Seen
//! from the other side that is patch code 3, a separator too, so the two need not be told apart. The other four (1, 2, 4 and 6)
//! steer scanners and part nothing.

use super::lines::{Lines, STEP};
use crate::pages::gray::lossy;

/// A narrow bar or space, in millimetres, and how far copying and scaling may change it.
const NARROW: (f32, f32) = (1.3, 3.0);
/// The shortest bars that count, in lines across them: three quarters of two inches.
const LENGTH: usize = 30;
/// The lengths of its bars and spaces, in narrow ones.
const T: [f32; 7] = [1.0, 1.0, 2.5, 1.0, 1.0, 1.0, 2.5];
const UNITS: f32 = 10.0;
/// How far a length may be off, in narrow ones.
const OFF: f32 = 0.45;
/// Paper on either side, in narrow ones.
const QUIET: f32 = 1.6;
/// How far a bar may run aside from one line to the next, in millimetres.
const DRIFT: f32 = 0.35;
/// Lines that may be missing in between: a scratch, a stamp.
const GAP: usize = 2;

/// Whether there is a patch code T across these lines.
pub(super) fn found(lines: &Lines) -> bool {
    // Where bars of it have been seen, in how many lines, and in which one last.
    let mut open: Vec<(f32, usize, usize)> = Vec::new();
    for (number, line) in lines.rows.iter().enumerate() {
        open.retain(|&(_, _, last)| number - last <= GAP + 1);
        let runs: Vec<f32> = line.runs().map(|run| lossy(run) / lines.per_mm).collect();
        let mut at = 0.0;
        for (index, &run) in runs.iter().enumerate() {
            // Every other run is ink; the code begins with one.
            if index % 2 == 1
                && let Some(seven) = runs.get(index..index + 7)
                && let Some(middle) = matches(seven, runs[index - 1], runs.get(index + 7).copied())
            {
                let place = at + middle;
                let known = open
                    .iter_mut()
                    .find(|(before, _, last)| (*before - place).abs() <= DRIFT * lossy(number - *last));
                match known {
                    Some(known) => {
                        *known = (place, known.1 + 1, number);
                        if known.1 >= LENGTH {
                            return true;
                        }
                    }
                    None => open.push((place, 1, number)),
                }
            }
            at += run;
        }
    }
    false
}

/// Whether seven runs are those of the code; where its middle is behind the first.
fn matches(seven: &[f32], before: f32, after: Option<f32>) -> Option<f32> {
    let total: f32 = seven.iter().sum();
    let narrow = total / UNITS;
    if narrow < NARROW.0 || narrow > NARROW.1 || before < QUIET * narrow || after? < QUIET * narrow {
        return None;
    }
    let fits = |wanted: &[f32; 7], backwards: bool| {
        (0..7).all(|at| {
            let wanted = wanted[if backwards { 6 - at } else { at }];
            (seven[at] / narrow - wanted).abs() <= OFF * wanted.clamp(1.0, 1.6)
        })
    };
    (fits(&T, false) || fits(&T, true)).then_some(total / 2.0)
}

/// Lines across two inches are enough for [`LENGTH`].
const _: () = assert!(STEP * 30.0 < 2.0 * 25.4);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::marks::lines::Line;

    /// Lines of bars and spaces in millimetres, beginning and ending with paper.
    fn lines(runs: &[f32], many: usize) -> Lines {
        let per_mm = 20.0;
        let mut at = 0.0;
        let mut ends: Vec<usize> = runs
            .iter()
            .map(|run| {
                at += run * per_mm;
                crate::pages::gray::whole(at)
            })
            .collect();
        let length = ends.pop().unwrap();
        Lines { rows: vec![Line { changes: ends, length }; many], per_mm }
    }

    #[test]
    fn only_t_from_either_side() {
        let (n, w) = (2.03, 5.08);
        let code = |bars: [f32; 4]| [10.0, bars[0], n, bars[1], n, bars[2], n, bars[3], 10.0];
        let cases = [
            ("T", code([n, w, n, w]), 40, true),
            ("3, which is T from the other side", code([w, n, w, n]), 40, true),
            ("1", code([w, w, n, n]), 40, false),
            ("2", code([w, n, n, w]), 40, false),
            ("4", code([n, w, w, n]), 40, false),
            ("6", code([n, n, w, w]), 40, false),
            ("too short", code([n, w, n, w]), 20, false),
            ("no paper before it", [1.0, n, n, w, n, n, n, w, 10.0], 40, false),
            ("half as large", [10.0, 1.0, 1.0, 2.5, 1.0, 1.0, 1.0, 2.5, 10.0], 40, false),
        ];
        for (name, runs, many, wanted) in cases {
            assert_eq!(found(&lines(&runs, many)), wanted, "{name}");
        }
    }
}
