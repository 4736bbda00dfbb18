//! The part of a long list that the console holds: filings or arrivals newest first, fetched page by page, merged in place.
//!
//! Ids fall from top to bottom, so a fetched page simply replaces what the window held between its first and last id:
//! what changed is renewed, what no longer matches goes, what is new comes in, and the cursor stays on its item. Cursors of
//! the server are opaque; the window remembers which one continues below which id.

#[cfg(test)]
mod tests;

use postroom_api::filing::FilingItem;
use postroom_api::intake::IntakeItem;
use postroom_api::page::Page;
use postroom_api::{FilingId, IntakeId};

/// How many items are asked for at once.
pub(crate) const PAGE: usize = 100;
/// How many items are held at most; what is further from the cursor goes first.
const HELD: usize = 2000;

/// Something a long list is made of.
pub(crate) trait Row: Clone {
    /// What it is known by; ids fall from top to bottom.
    type Id: Copy + Ord + std::fmt::Debug;
    /// Its id.
    fn id(&self) -> Self::Id;
    /// Goes up with each change.
    fn version(&self) -> u64;
}

impl Row for FilingItem {
    type Id = FilingId;
    fn id(&self) -> FilingId {
        self.id
    }
    fn version(&self) -> u64 {
        self.version
    }
}

impl Row for IntakeItem {
    type Id = IntakeId;
    fn id(&self) -> IntakeId {
        self.id
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// Where a page begins: at the top, or below an id, with the server's cursor for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct From<Id> {
    /// The id above it; none at the top.
    pub(crate) below: Option<Id>,
    /// The server's cursor; none at the top.
    pub(crate) cursor: Option<String>,
}

impl<Id> Default for From<Id> {
    fn default() -> Self {
        Self { below: None, cursor: None }
    }
}

/// The items held, and the cursor among them.
#[derive(Debug)]
pub(crate) struct Window<T: Row> {
    items: Vec<T>,
    /// Known places to continue from, from top to bottom; the top itself is not in it.
    bounds: Vec<(T::Id, String)>,
    /// The last of the items that were let go above the first one.
    above: Option<T::Id>,
    /// Between two pages that were fetched something may be missing: fetched next.
    gap: Option<From<T::Id>>,
    /// Where the list goes on below the last item, when it does.
    below: Option<From<T::Id>>,
    /// A first page has come.
    loaded: bool,
    /// Row of the cursor.
    row: usize,
    /// First row on the screen.
    top: usize,
}

impl<T: Row> Default for Window<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            bounds: Vec::new(),
            above: None,
            gap: None,
            below: None,
            loaded: false,
            row: 0,
            top: 0,
        }
    }
}

impl<T: Row> Window<T> {
    pub(crate) fn items(&self) -> &[T] {
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

    pub(crate) fn current(&self) -> Option<&T> {
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
    pub(crate) fn go_to(&mut self, id: T::Id, height: usize) {
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
    pub(crate) fn wanted(&self, height: usize) -> Option<From<T::Id>> {
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
    pub(crate) fn visible(&self) -> From<T::Id> {
        self.items.get(self.top).map(|item| self.place_above(item.id())).unwrap_or_default()
    }

    fn place_above(&self, below: T::Id) -> From<T::Id> {
        self.bounds
            .iter()
            .rev()
            .find(|(id, _)| *id > below)
            .map(|(id, cursor)| From { below: Some(*id), cursor: Some(cursor.clone()) })
            .unwrap_or_default()
    }

    fn find(&self, id: T::Id) -> Result<usize, usize> {
        self.items.binary_search_by(|item| id.cmp(&item.id()))
    }

    /// Puts a fetched page in. Answers how many of its items were not held before.
    pub(crate) fn merge(&mut self, from: &From<T::Id>, mut page: Page<T>, height: usize) -> usize {
        // What a decision's answer has renewed since the page was asked for is newer than the page.
        for item in &mut page.items {
            if let Some(held) = self
                .find(item.id())
                .ok()
                .map(|row| &self.items[row])
                .filter(|held| held.version() > item.version())
            {
                item.clone_from(held);
            }
        }
        let current = self.current().map(Row::id);
        let on_screen = self.row.saturating_sub(self.top);
        let last = page.items.last().map(Row::id);
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
        let known: Vec<T::Id> = self.items[starts..ends].iter().map(Row::id).collect();
        let fresh = page.items.iter().filter(|item| !known.contains(&item.id())).count();

        let reaches_end = ends == self.items.len();
        let touches = reaches_end || ends > starts || last.is_some_and(|last| Some(last) <= self.above);
        self.gap = None;
        if at_top || self.items.first().is_some_and(|first| from.below > Some(first.id())) {
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
    pub(crate) fn renew(&mut self, item: T) -> bool {
        let Ok(row) = self.find(item.id()) else { return false };
        // An answer that was overtaken by a newer one is old news.
        if self.items[row].version() <= item.version() {
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
                self.above = Some(self.items[last].id());
                self.items.drain(..=last);
                self.row -= last + 1;
                self.top = self.top.saturating_sub(last + 1);
            }
        } else {
            let keep = self.items.len() - surplus;
            let limit = self.items[keep - 1].id();
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
