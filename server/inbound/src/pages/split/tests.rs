//! Batches as strings of letters, and the documents they become.

use proptest::prelude::*;

use super::*;

/// A letter for each page: `p` a page, `b` blank, `T` a separator, `1` to `3` a cover sheet for that work item (9: for one that is
/// not known), `?` a code that cannot be read, `x` two that contradict, `d` a doubtful one, `u` a page that cannot be looked at,
/// `f` a page with a barcode of somebody else.
fn pages(batch: &str) -> Vec<PageMarks> {
    let cover = |digit: char| Cover { site: String::new(), reference: format!("M-{digit}") };
    let page = |letter| match letter {
        'b' => PageMarks { blank: true, ..PageMarks::default() },
        'T' => PageMarks { separator: true, ..PageMarks::default() },
        '1' | '2' | '3' | '9' => PageMarks { covers: [cover(letter)].into(), ..PageMarks::default() },
        '?' => PageMarks { unread_code: true, ..PageMarks::default() },
        'x' => PageMarks { covers: [cover('1'), cover('2')].into(), ..PageMarks::default() },
        'd' => PageMarks { doubtful: ["its check is wrong".to_owned()].into(), ..PageMarks::default() },
        'u' => PageMarks::unreadable("damaged"),
        'f' => PageMarks {
            foreign: [crate::pages::Symbol::Code128("PARCEL 7".to_owned())].into(),
            ..PageMarks::default()
        },
        _ => PageMarks::default(),
    };
    batch.chars().map(page).collect()
}

fn known(cover: &Cover) -> Option<String> {
    (cover.reference != "M-9").then(|| cover.reference.clone())
}

/// The documents as text: pages, whose they are (`!` where a person has to say), then the pages with problems.
fn shown(batch: &str, rules: SplitRules) -> String {
    let plan = plan(&pages(batch), &rules, known);
    let list = |pages: &[usize]| pages.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let piece = |piece: &Piece| {
        let owner = piece.work_item_key.as_deref().unwrap_or(if piece.needs_person { "!" } else { "-" });
        format!("{}:{owner}", list(&piece.pages))
    };
    let pieces: Vec<String> = plan.pieces.iter().map(piece).collect();
    let problems: Vec<usize> = plan.problems.iter().map(|problem| problem.page).collect();
    format!("{} | {}", pieces.join(" "), list(&problems)).trim().to_owned()
}

#[test]
fn batches_become_documents() {
    let usual = SplitRules::default();
    for (batch, wanted) in [
        // no sheet at all: one document, as it came
        ("ppp", "0,1,2:- |"),
        ("pbp", "0,1,2:- |"),
        ("f", "0:- |"),
        // cover sheets
        ("1pp", "1,2:M-1 |"),
        ("1p2pp", "1:M-1 3,4:M-2 |"),
        ("p1p", "0:- 2:M-1 |"),
        ("1p1p", "1:M-1 3:M-1 |"),
        ("1bp", "2:M-1 |"),
        ("1pb2bpb", "1,2:M-1 5,6:M-2 |"),
        // separators: last page, doubled, with blank backs
        ("pTp", "0:- 2:- |"),
        ("TpT", "1:- |"),
        ("pTTp", "0:- 3:- |"),
        ("pTbTbp", "0:- 5:- |"),
        ("pbTb", "0,1:- |"),
        ("1pTp2pTp", "1:M-1 3:M-1 5:M-2 7:M-2 |"),
        ("1Tp", "2:M-1 |"),
        ("TTT", "|"),
        ("bbb", "|"),
        // what a person has to look at
        ("?pp", "0,1,2:! | 0"),
        ("1p?pp", "1:M-1 2,3,4:! | 2"),
        ("1p?p2p", "1:M-1 2,3:! 5:M-2 | 2"),
        ("1px", "1:M-1 2:! | 2"),
        ("9p1p", "0,1:! 3:M-1 | 0"),
        ("dp", "0,1:! | 0"),
        ("1pup", "1:M-1 2,3:! | 2"),
        ("1p?pTp", "1:M-1 2,3:! 5:! | 2"),
        // sheets behind their documents
        ("p1p2", "0:- 2:M-1 | 3"),
        ("1", "| 0"),
        ("12p", "2:M-2 | 0"),
        ("1b2p", "3:M-2 | 0"),
        ("1T2p", "3:M-2 | 0"),
    ] {
        assert_eq!(shown(batch, usual), wanted, "{batch}");
    }
}

#[test]
fn rules_change_the_plan() {
    let usual = SplitRules::default();
    let keep = SplitRules { sheets: SheetRule::Keep, ..usual };
    let drop = SplitRules { blanks: BlankPages::Drop, ..usual };
    let at_end = SplitRules { blanks: BlankPages::DropAtEnd, ..usual };
    let nobody = SplitRules { behind_separator: BehindSeparator::Nobody, ..usual };
    for (batch, rules, wanted) in [
        ("1pp2p", keep, "0,1,2:M-1 3,4:M-2 |"),
        ("1bp", keep, "0,1,2:M-1 |"),
        ("1", keep, "| 0"),
        ("1b2p", keep, "2,3:M-2 | 0"),
        ("pbpb", drop, "0,2:- |"),
        ("pbpb", at_end, "0,1,2:- |"),
        ("pbTbpbb", at_end, "0:- 4:- |"),
        ("1pTp", nobody, "1:M-1 3:- |"),
        ("1p?Tp", nobody, "1:M-1 2:! 4:! | 2"),
    ] {
        assert_eq!(shown(batch, rules), wanted, "{batch} {rules:?}");
    }
}

#[test]
fn the_trace_says_what_was_seen() {
    let plan = plan(&pages("1p?"), &SplitRules::default(), known);
    let wanted = "Page 1: cover sheet for M-1.\nPage 2: page.\nPage 3: something like a barcode is there and cannot be read.";
    assert_eq!(plan.trace.join("\n"), wanted);
    assert!(plan.needs_person() && !plan.is_whole());
    assert!(super::plan(&pages("pp"), &SplitRules::default(), known).is_whole());
}

proptest! {
    #[test]
    fn each_page_is_somewhere_once(
        batch in "[pbT129?xduf]{0,24}",
        keep in any::<bool>(),
        blanks in prop::sample::select(vec![BlankPages::Keep, BlankPages::DropAtEnd, BlankPages::Drop]),
        nobody in any::<bool>(),
    ) {
        let rules = SplitRules {
            sheets: if keep { SheetRule::Keep } else { SheetRule::Drop },
            blanks,
            behind_separator: if nobody { BehindSeparator::Nobody } else { BehindSeparator::SameWorkItem },
        };
        let marks = pages(&batch);
        let plan = plan(&marks, &rules, known);
        let mut all: Vec<usize> = plan.pieces.iter().flat_map(|piece| piece.pages.clone()).collect();
        all.extend(plan.left_out.iter().map(|left| left.page));
        all.sort_unstable();
        prop_assert_eq!(all, (0..marks.len()).collect::<Vec<_>>());
        for piece in &plan.pieces {
            prop_assert!(piece.pages.is_sorted());
            prop_assert!(!piece.pages.iter().all(|&page| marks[page].blank), "an empty document");
            prop_assert!(!(piece.needs_person && piece.work_item_key.is_some()));
            // The last sheet before a piece's first page is the one it names, with nothing doubtful in between.
            if let Some(key) = &piece.work_item_key {
                let sheets = marks[..=piece.pages[0]].iter().rev().find(|marks| !matches!(what(marks), Is::Blank | Is::Content | Is::Separator));
                let Some(Is::Sheet(cover)) = sheets.map(what) else { panic!("{batch}: no sheet before {piece:?}") };
                prop_assert_eq!(&cover.reference, key);
            }
        }
        prop_assert_eq!(plan.trace.len(), marks.len());
    }
}
