//! Where things stand on the screen: pure arithmetic, shared by drawing, moving and the mouse.

use ratatui::layout::{Constraint, Layout, Position, Rect};

use crate::action::Action;
use crate::app::{Pane, Prompt, State};
use crate::place::Place;
use crate::view;

/// How much fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// One line that says so.
    TooSmall,
    /// One list at a time.
    ListOnly,
    /// Everything.
    Full,
}

/// The smallest window that is worked in.
pub(crate) const SMALLEST: (u16, u16) = (60, 15);

/// How much fits into a window.
pub(crate) const fn fit((width, height): (u16, u16)) -> Fit {
    if width < SMALLEST.0 || height < SMALLEST.1 {
        Fit::TooSmall
    } else if width < 80 || height < 24 {
        Fit::ListOnly
    } else {
        Fit::Full
    }
}

/// Whether list and detail fit side by side.
pub(crate) const fn can_split((width, height): (u16, u16)) -> bool {
    width >= 120 && height >= 24
}

/// Whether the ages of what waits fit beside the rest of the home screen.
pub(crate) const fn has_ages((width, height): (u16, u16)) -> bool {
    width >= 100 && height >= 36
}

/// The parts of the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Areas {
    pub(crate) header: Rect,
    pub(crate) banner: Rect,
    pub(crate) body: Rect,
    pub(crate) prompt: Rect,
    pub(crate) status: Rect,
    pub(crate) keys: Rect,
}

/// How many offers of the command line are seen.
pub(crate) const OFFERS: usize = 7;

/// The parts of the screen.
pub(crate) fn areas(state: &State) -> Areas {
    let banner = u16::from(crate::view::has_banner(state));
    let prompt = match &state.prompt {
        // A form lies over the body.
        None | Some(Prompt::Form(_)) => 0,
        Some(Prompt::Filter { .. }) => 4,
        Some(Prompt::Command { .. }) => 2 + u16::try_from(OFFERS).unwrap_or(7),
        Some(Prompt::Menu(menu)) => {
            u16::try_from(menu.choices.len()).unwrap_or(u16::MAX).saturating_add(1).min(12)
        }
    };
    let [header, banner, body, prompt, status, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(banner),
        Constraint::Min(0),
        Constraint::Length(prompt),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(Rect::new(0, 0, state.size.0, state.size.1));
    Areas { header, banner, body, prompt, status, keys }
}

/// Where the list stands.
pub(crate) fn list(state: &State) -> Rect {
    let body = areas(state).body;
    if state.is_split() { Rect { width: body.width / 2, ..body } } else { body }
}

/// Where the detail stands, without its border.
pub(crate) fn detail(state: &State) -> Rect {
    let body = areas(state).body;
    if state.is_split() {
        let left = body.width / 2;
        Rect { x: body.x + left + 2, width: body.width.saturating_sub(left + 2), ..body }
    } else {
        body
    }
}

/// The lines of the tables that were uploaded, below the list of uploads.
pub(crate) fn tables_height(state: &State, list: Rect) -> u16 {
    let tables = state.tables.as_ref().map_or(0, Vec::len);
    if state.list_place() != Place::Uploads || tables == 0 || list.height < 14 {
        return 0;
    }
    u16::try_from(tables + 2).unwrap_or(u16::MAX).min(list.height / 3)
}

/// The lines below a list that say what is under the cursor: only where nothing else does.
pub(crate) fn footer_height(state: &State) -> u16 {
    if fit(state.size) == Fit::Full && !state.is_split() { 5 } else { 0 }
}

/// How many items fit into the list: title and heading take two lines.
pub(crate) fn list_rows(state: &State) -> usize {
    let place = state.place();
    if matches!(place, Place::Filings | Place::Filing | Place::Arrival) || place.is_arrivals() {
        let list = list(state);
        let below = tables_height(state, list) + footer_height(state);
        let height = list.height.saturating_sub(2 + below);
        usize::from(height).max(1)
    } else {
        usize::from(areas(state).body.height).max(1)
    }
}

/// What is under the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hit {
    /// A row of the list.
    Row(usize),
    /// A row of a pane of the home screen.
    Pane(Pane, usize),
    /// A key of the key bar.
    Key(Action),
}

/// What is under the mouse, if anything.
pub(crate) fn hit(state: &State, column: u16, row: u16) -> Option<Hit> {
    let at = Position { x: column, y: row };
    let areas = areas(state);
    if areas.keys.contains(at) {
        return view::key_at(state, areas.keys, column).map(Hit::Key);
    }
    let line = |area: Rect, head: u16| {
        (area.contains(at) && row >= area.y + head).then(|| usize::from(row - area.y - head))
    };
    match state.list_place() {
        Place::Home => view::home_panes(state, areas.body)
            .into_iter()
            .find_map(|(pane, area, top)| line(area, 1).map(|line| Hit::Pane(pane, top + line))),
        Place::Filings => line(list(state), 2).map(|line| Hit::Row(state.window.top() + line)),
        Place::Causes => line(areas.body, 1).map(Hit::Row),
        Place::Events => line(areas.body, 2).map(|line| Hit::Row(view::events_top(state) + line)),
        place if place.is_arrivals() => {
            line(list(state), 2).map(|line| Hit::Row(state.arrivals.window.top() + line))
        }
        _ => None,
    }
}
