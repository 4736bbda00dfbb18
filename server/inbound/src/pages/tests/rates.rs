//! How many sheets are read, by kind, fineness and damage. What counts is that none is read wrong.

use std::collections::BTreeMap;

use super::damage::{ALL, Damage, damaged};
use super::sheets::{Kind, sheet};
use super::{Dice, cover, key};
use crate::pages::{BlankRule, PageMarks, examine};

const KINDS: [Kind; 6] = [Kind::Qr, Kind::Code128, Kind::Code39, Kind::PatchT, Kind::Foreign, Kind::Text];
const DOTS: [u32; 4] = [150, 200, 300, 600];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// As it should be.
    Right,
    /// A person is asked.
    Person,
    /// Nothing was noticed.
    Missed,
    /// A work item that it is not for, or a separator that is none.
    Wrong,
}

fn ending(kind: Kind, reference: &str, marks: &PageMarks) -> Ending {
    let wanted = cover(reference);
    let ours = matches!(kind, Kind::Qr | Kind::Code128 | Kind::Code39);
    let asked = marks.unread_code || !marks.doubtful.is_empty() || marks.unreadable.is_some();
    if marks.covers.iter().any(|cover| !ours || *cover != wanted) || (marks.separator && kind != Kind::PatchT)
    {
        return Ending::Wrong;
    }
    let right = match kind {
        Kind::Qr | Kind::Code128 | Kind::Code39 => !marks.covers.is_empty() && marks.doubtful.is_empty(),
        Kind::PatchT => marks.separator,
        Kind::Foreign => !marks.foreign.is_empty() || !marks.doubtful.is_empty(),
        Kind::Text => !asked && !marks.blank,
    };
    match (right, asked) {
        (true, _) => Ending::Right,
        (false, true) => Ending::Person,
        (false, false) => Ending::Missed,
    }
}

/// Sheets in all: `POSTROOM_PAGES=500` for the whole table.
fn many() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how much a test does, not a setting")]
    let asked = std::env::var("POSTROOM_PAGES").ok();
    asked.and_then(|number| number.parse().ok()).unwrap_or(72)
}

#[test]
fn no_sheet_is_read_wrong() {
    let many = many();
    let mut table: BTreeMap<(Kind, u32), [usize; 4]> = BTreeMap::new();
    let mut by_damage: BTreeMap<Damage, [usize; 4]> = BTreeMap::new();
    let mut told = Vec::new();
    let all = KINDS.len() * DOTS.len() * ALL.len();
    for number in 0..many {
        // Steps that share no factor with the number of combinations: each part of the run has all of them.
        let place = number * 185 % all;
        let kind = KINDS[place % KINDS.len()];
        let damage = ALL[place / KINDS.len() % ALL.len()];
        let dots = DOTS[place / KINDS.len() / ALL.len()];
        let mut dice = Dice::new(u64::try_from(number).unwrap());
        let reference = format!("M-{}", 1_000 + dice.roll(9_000));
        let page = damaged(sheet(kind, &reference, dots, &mut dice), damage, &mut dice);
        let marks = examine(&page, &key(), BlankRule::default());
        let ending = ending(kind, &reference, &marks);
        let column = ending as usize;
        table.entry((kind, dots)).or_default()[column] += 1;
        by_damage.entry(damage).or_default()[column] += 1;
        if ending != Ending::Right {
            told.push(format!("{number}: {kind:?} at {dots}, {damage:?}: {ending:?} {marks:?}"));
        }
        assert_ne!(ending, Ending::Wrong, "{number}: {kind:?} at {dots}, {damage:?}: {marks:?}");
        if damage.harmless() {
            assert_eq!(ending, Ending::Right, "{number}: {kind:?} at {dots}, {damage:?}: {marks:?}");
        }
    }
    println!("{:<22}{:>7}{:>8}{:>8}{:>7}", "", "right", "person", "missed", "wrong");
    let line = |name: String, row: &[usize; 4]| {
        println!("{name:<22}{:>7}{:>8}{:>8}{:>7}", row[0], row[1], row[2], row[3]);
    };
    for ((kind, dots), row) in &table {
        line(format!("{kind:?} {dots} dpi"), row);
    }
    for (damage, row) in &by_damage {
        line(format!("{damage:?}"), row);
    }
    for what in told {
        println!("{what}");
    }
    let right: usize = table.values().map(|row| row[0]).sum();
    let missed: usize = table.values().map(|row| row[2]).sum();
    // The ruined ones are for a person; hardly any may go unnoticed.
    assert!(right * 100 >= many * 80 && missed * 100 <= many * 2, "{right} right, {missed} missed of {many}");
}
