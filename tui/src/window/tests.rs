use std::collections::BTreeMap;

use super::*;
use crate::planted;

/// A server with filings of these numbers; the cursor is the number in decimal.
fn page(all: &BTreeMap<u128, u64>, from: &From<FilingId>, limit: usize) -> Page<FilingItem> {
    let before = from.cursor.as_deref().map_or(u128::MAX, |cursor| cursor.parse().unwrap());
    let found: Vec<_> = all.range(..before).rev().take(limit + 1).collect();
    let more = found.len() > limit;
    let items: Vec<FilingItem> = found
        .into_iter()
        .take(limit)
        .map(|(id, version)| FilingItem { version: *version, ..planted::filing(*id) })
        .collect();
    let next = more.then(|| items.last().unwrap().id.as_u128().to_string());
    Page { items, next }
}

fn numbers(window: &Window<FilingItem>) -> Vec<u128> {
    window.items.iter().map(|item| item.id.as_u128()).collect()
}

#[test]
fn pages_join_and_renewals_keep_the_cursor_on_its_item() {
    let mut all: BTreeMap<u128, u64> = (1..=10).map(|id| (id, 1)).collect();
    let mut window = Window::<FilingItem>::default();
    let fetch = |window: &mut Window<FilingItem>, all: &BTreeMap<u128, u64>, from: From<FilingId>| {
        let page = page(all, &from, 4);
        window.merge(&from, page, 3)
    };
    let first = window.wanted(3).unwrap();
    fetch(&mut window, &all, first);
    assert_eq!(numbers(&window), [10, 9, 8, 7]);
    let more = window.wanted(3).unwrap();
    fetch(&mut window, &all, more);
    assert_eq!(numbers(&window), [10, 9, 8, 7, 6, 5, 4, 3]);
    window.go(5, 3);
    assert_eq!((window.current().unwrap().id.as_u128(), window.row() - window.top()), (5, 2));

    // Two arrive, 6 no longer matches, 4 changed.
    all.extend([(11, 1), (12, 1)]);
    all.remove(&6);
    all.insert(4, 2);
    let visible = window.visible();
    assert_eq!(visible.below, None);
    assert_eq!(fetch(&mut window, &all, visible), 2);
    assert_eq!(numbers(&window), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
    assert_eq!((window.current().unwrap().id.as_u128(), window.row() - window.top()), (5, 2));
    let visible = window.visible();
    assert_eq!(visible.below.map(FilingId::as_u128), Some(9));
    fetch(&mut window, &all, visible);
    assert_eq!(numbers(&window), [12, 11, 10, 9, 8, 7, 5, 4, 3]);
    assert_eq!((window.current().unwrap().id.as_u128(), window.items[7].version), (5, 2));

    // The item under the cursor goes: the next older one takes its place.
    all.remove(&5);
    let visible = window.visible();
    fetch(&mut window, &all, visible);
    assert_eq!(window.current().unwrap().id.as_u128(), 4);
    let more = window.wanted(3).unwrap();
    fetch(&mut window, &all, more);
    assert_eq!(numbers(&window), [12, 11, 10, 9, 8, 7, 4, 3, 2, 1]);
    assert_eq!((window.wanted(3), window.more_below()), (None, false));

    // Everything goes.
    window.merge(&From::default(), Page { items: vec![], next: None }, 3);
    assert_eq!((numbers(&window).len(), window.row(), window.current()), (0, 0, None));
}

#[test]
fn a_gap_after_a_long_absence_is_filled() {
    let mut all: BTreeMap<u128, u64> = (1..=300).map(|id| (id, 1)).collect();
    let mut window = Window::<FilingItem>::default();
    window.merge(&From::default(), page(&all, &From::default(), PAGE), 20);
    window.go(7, 20);
    all.extend((301..=750).map(|id| (id, 1)));
    let mut from = Some(window.visible());
    let mut fetches = 0;
    while let Some(place) = from {
        window.merge(&place, page(&all, &place, PAGE), 20);
        fetches += 1;
        from = window.wanted(20);
    }
    assert_eq!(fetches, 5);
    assert_eq!(window.current().unwrap().id.as_u128(), 293);
    assert!(numbers(&window).windows(2).all(|pair| pair[0] == pair[1] + 1), "a gap");
}

#[test]
fn a_long_list_is_walked_with_bounded_memory_both_ways() {
    let all: BTreeMap<u128, u64> = (1..=9000).map(|id| (id, 1)).collect();
    let mut window = Window::<FilingItem>::default();
    let settle = |window: &mut Window<FilingItem>| {
        for _ in 0..10 {
            let Some(from) = window.wanted(20) else { break };
            let page = page(&all, &from, PAGE);
            window.merge(&from, page, 20);
        }
        assert!(window.items.len() <= HELD + PAGE);
        assert!(numbers(window).windows(2).all(|pair| pair[0] == pair[1] + 1), "a gap");
    };
    settle(&mut window);
    let mut seen: u128 = 9000;
    for _ in 0..2000 {
        let row = window.row() + 7;
        window.go(row, 20);
        settle(&mut window);
        let now = window.current().unwrap().id.as_u128();
        assert!(seen - now <= 7);
        seen = now;
    }
    assert_eq!((seen, window.more_above()), (1, true));
    for _ in 0..2000 {
        let row = window.row().saturating_sub(7);
        window.go(row, 20);
        settle(&mut window);
    }
    assert_eq!((window.current().unwrap().id.as_u128(), window.more_above()), (9000, false));
}
