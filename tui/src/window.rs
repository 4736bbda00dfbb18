//! The part of a long list that the console holds: filings newest first, fetched page by page, merged in place.
//!
//! Ids fall from top to bottom, so a fetched page simply replaces what the window held between its first and last id:
//! what changed is renewed, what no longer matches goes, what is new comes in, and the cursor stays on its item. Cursors of
//! the server are opaque; the window remembers which one continues below which id.

use postroom_api::FilingId;
use postroom_api::filing::FilingItem;
use postroom_api::page::Page;

/// How many filings are asked for at once.
pub(crate) const PAGE: usize = 100;
/// How many filings are held at most; what is further from the cursor goes first.
const HELD: usize = 2000;

/// Where a page begins: at the top, or below an id, with the server's cursor for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct From {
    /// The id above it; none at the top.
    pub(crate) below: Option<FilingId>,
    /// The server's cursor; none at the top.
    pub(crate) cursor: Option<String>,
}

/// The filings held, the cursor among them, and the marks.
#[derive(Debug, Default)]
pub(crate) struct Window {
    items: Vec<FilingItem>,
    /// Known places to continue from, from top to bottom; the top itself is not in it.
    bounds: Vec<(FilingId, String)>,
    /// The last of the items that were let go above the first one.
    above: Option<FilingId>,
    /// Between two pages that were fetched something may be missing: fetched next.
    gap: Option<From>,
    /// Where the list goes on below the last item, when it does.
    below: Option<From>,
    /// A first page has come.
    loaded: bool,
    /// Row of the cursor.
    row: usize,
    /// First row on the screen.
    top: usize,
}

impl Window {
    pub(crate) fn items(&self) -> &[FilingItem] {
        &self.items
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded
    }

    pub(crate) const fn row(&self) -> usize {
        self.row
    }

    pub(crate) const fn top(&self) -> usize {
        self.top
    }

    pub(crate) fn current(&self) -> Option<&FilingItem> {
        self.items.get(self.row)
    }

    /// Whether the list goes on below what is held.
    pub(crate) const fn more_below(&self) -> bool {
        self.below.is_some()
    }

    /// Whether items above were let go.
    pub(crate) const fn more_above(&self) -> bool {
        self.above.is_some()
    }

    /// Moves the cursor, keeping it on the screen of `height` rows.
    pub(crate) fn go(&mut self, row: usize, height: usize) {
        self.row = row.min(self.items.len().saturating_sub(1));
        self.show(height);
    }

    /// Moves the cursor to an item, if it is held.
    pub(crate) fn go_to(&mut self, id: FilingId, height: usize) {
        if let Ok(row) = self.find(id) {
            self.go(row, height);
        }
    }

    /// Brings the cursor onto a screen of `height` rows.
    pub(crate) fn show(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self.top.clamp(self.row.saturating_sub(height - 1), self.row);
        self.top = self.top.min(self.items.len().saturating_sub(height));
    }

    /// What to fetch next so that the list goes on where the cursor is.
    pub(crate) fn wanted(&self, height: usize) -> Option<From> {
        if !self.loaded {
            return Some(From::default());
        }
        if self.gap.is_some() {
            return self.gap.clone();
        }
        if let Some(above) = self.above.filter(|_| self.row < height) {
            return Some(self.place_above(above));
        }
        let near_end = self.row + 2 * height.max(1) >= self.items.len();
        self.below.clone().filter(|_| near_end)
    }

    /// Where to fetch from to renew what is on the screen.
    pub(crate) fn visible(&self) -> From {
        self.items.get(self.top).map(|item| self.place_above(item.id)).unwrap_or_default()
    }

    fn place_above(&self, below: FilingId) -> From {
        self.bounds
            .iter()
            .rev()
            .find(|(id, _)| *id > below)
            .map(|(id, cursor)| From { below: Some(*id), cursor: Some(cursor.clone()) })
            .unwrap_or_default()
    }

    fn find(&self, id: FilingId) -> Result<usize, usize> {
        self.items.binary_search_by(|item| id.cmp(&item.id))
    }

    /// Puts a fetched page in. Answers how many of its items were not held before.
    pub(crate) fn merge(&mut self, from: &From, mut page: Page<FilingItem>, height: usize) -> usize {
        // What a decision's answer has renewed since the page was asked for is newer than the page.
        for item in &mut page.items {
            if let Some(held) =
                self.find(item.id).ok().map(|row| &self.items[row]).filter(|held| held.version > item.version)
            {
                item.clone_from(held);
            }
        }
        let current = self.current().map(|item| item.id);
        let on_screen = self.row.saturating_sub(self.top);
        let last = page.items.last().map(|item| item.id);
        let at_top = from.cursor.is_none();
        let starts = match from.below {
            Some(id) => self.find(id).map_or_else(|row| row, |row| row + 1),
            None if at_top => 0,
            // The server stopped looking before it found anything: this goes on behind all that is held.
            None => self.items.len(),
        };
        let ends = match (&page.next, last) {
            (None, _) => self.items.len(),
            (Some(_), Some(last)) => self.find(last).map_or_else(|row| row, |row| row + 1),
            (Some(_), None) => starts,
        };
        let ends = ends.max(starts);
        let known: Vec<FilingId> = self.items[starts..ends].iter().map(|item| item.id).collect();
        let fresh = page.items.iter().filter(|item| !known.contains(&item.id)).count();

        let reaches_end = ends == self.items.len();
        let touches = reaches_end || ends > starts || last.is_some_and(|last| Some(last) <= self.above);
        self.gap = None;
        if at_top || self.items.first().is_some_and(|first| from.below > Some(first.id)) {
            self.above = from.below;
        }
        match (page.next, last.or(from.below)) {
            (None, _) => self.below = None,
            (Some(cursor), Some(id)) => {
                let place = self.bounds.partition_point(|(bound, _)| *bound > id);
                if self.bounds.get(place).is_none_or(|(bound, _)| *bound != id) {
                    self.bounds.insert(place, (id, cursor.clone()));
                }
                let here = From { below: Some(id), cursor: Some(cursor) };
                if reaches_end {
                    self.below = Some(here);
                } else if !touches && self.items.len() < HELD {
                    self.gap = Some(here);
                } else if !touches {
                    // Too much happened in between to keep both ends.
                    self.items.truncate(ends);
                    self.below = Some(here);
                }
            }
            (Some(cursor), None) => self.below = Some(From { below: None, cursor: Some(cursor) }),
        }
        self.items.splice(starts..ends, page.items);
        self.loaded = true;

        if let Some(id) = current {
            // Gone: the next older one takes its place.
            self.row = self.find(id).unwrap_or_else(|row| row);
        }
        self.row = self.row.min(self.items.len().saturating_sub(1));
        // The item stays on its line of the screen, unless the list begins on the screen and there is room.
        if self.top > 0 {
            self.top = self.row.saturating_sub(on_screen);
        }
        self.let_go();
        self.show(height);
        fresh
    }

    /// Renews one item where it stands. False when it is not held.
    pub(crate) fn renew(&mut self, item: FilingItem) -> bool {
        let Ok(row) = self.find(item.id) else { return false };
        // An answer that was overtaken by a newer one is old news.
        if self.items[row].version <= item.version {
            self.items[row] = item;
        }
        true
    }

    fn let_go(&mut self) {
        let surplus = self.items.len().saturating_sub(HELD);
        if surplus == 0 {
            return;
        }
        // Cut at a known place, so that the list can be taken up there again.
        if self.row > self.items.len() / 2 {
            let places = self.bounds.iter().rev().filter_map(|(id, _)| self.find(*id).ok());
            if let Some(last) = places.into_iter().find(|row| *row < surplus + PAGE && row + PAGE < self.row)
            {
                self.above = Some(self.items[last].id);
                self.items.drain(..=last);
                self.row -= last + 1;
                self.top = self.top.saturating_sub(last + 1);
            }
        } else {
            let keep = self.items.len() - surplus;
            let limit = self.items[keep - 1].id;
            if let Some((id, cursor)) = self.bounds.iter().rev().find(|(id, _)| *id >= limit).cloned() {
                let rows = self.find(id).map_or_else(|row| row, |row| row + 1);
                if rows > self.row {
                    self.items.truncate(rows);
                    self.below = Some(From { below: Some(id), cursor: Some(cursor) });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::planted;

    /// A server with filings of these numbers; the cursor is the number in decimal.
    fn page(all: &BTreeMap<u128, u64>, from: &From, limit: usize) -> Page<FilingItem> {
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

    fn numbers(window: &Window) -> Vec<u128> {
        window.items.iter().map(|item| item.id.as_u128()).collect()
    }

    #[test]
    fn pages_join_and_renewals_keep_the_cursor_on_its_item() {
        let mut all: BTreeMap<u128, u64> = (1..=10).map(|id| (id, 1)).collect();
        let mut window = Window::default();
        let fetch = |window: &mut Window, all: &BTreeMap<u128, u64>, from: From| {
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
        let mut window = Window::default();
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
        let mut window = Window::default();
        let settle = |window: &mut Window| {
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
}
