//! The cursor: rows, pages, ends, panes, and the mouse.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::update::{cause_names, detail_lines};
use super::{Effect, Pane, State, go};
use crate::action::{Action, Availability, availability};
use crate::layout::{self, Hit};
use crate::place::Place;
use crate::window::Window;

/// Where the cursor goes from a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Move {
    Up(usize),
    Down(usize),
    Page(bool),
    Top,
    Bottom,
    /// To a row.
    Row(usize),
}

impl Move {
    const fn of(action: Action) -> Self {
        match action {
            Action::Up => Self::Up(1),
            Action::Down => Self::Down(1),
            Action::PageUp => Self::Page(false),
            Action::PageDown => Self::Page(true),
            Action::Top => Self::Top,
            _ => Self::Bottom,
        }
    }

    const fn from(self, row: usize, page: usize, last: usize) -> usize {
        match self {
            Self::Up(step) => row.saturating_sub(step),
            Self::Down(step) => row + step,
            Self::Page(false) => row.saturating_sub(page),
            Self::Page(true) => row + page,
            Self::Top => 0,
            Self::Bottom => last,
            Self::Row(row) => row,
        }
    }
}

/// A key that moves the cursor.
pub(super) fn moved(state: &mut State, action: Action) -> Vec<Effect> {
    go_by(state, Move::of(action))
}

fn go_by(state: &mut State, step: Move) -> Vec<Effect> {
    let page = usize::from(layout::areas(state).body.height).saturating_sub(3).max(1);
    match state.place() {
        Place::Home if state.home.focus != Pane::Causes => doors(state, step, page),
        Place::Doors => doors(state, step, page),
        Place::Home | Place::Causes => {
            let names = cause_names(state);
            state.cause_at.go(step.from(state.cause_at.row(), page, names.len()), &names);
            Vec::new()
        }
        Place::Events => {
            let row = state.events.row();
            state.events.go(step.from(row, page, usize::MAX));
            Vec::new()
        }
        Place::Filing | Place::Arrival if !state.on_list() => {
            scroll(state, step, page);
            Vec::new()
        }
        Place::Filings | Place::Filing => {
            if matches!(step, Move::Top) && state.window.more_above() {
                state.list += 1;
                state.window = Window::default();
                state.loading = false;
                return Vec::new();
            }
            let rows = layout::list_rows(state).max(1);
            state.window.go(step.from(state.window.row(), rows, state.window.items().len()), rows);
            if state.place() == Place::Filing { go::look(state) } else { Vec::new() }
        }
        _ => {
            if matches!(step, Move::Top) && state.arrivals.window.more_above() {
                state.arrivals.restart();
                return Vec::new();
            }
            let rows = layout::list_rows(state).max(1);
            let window = &mut state.arrivals.window;
            window.go(step.from(window.row(), rows, window.items().len()), rows);
            if state.place() == Place::Arrival { go::look(state) } else { Vec::new() }
        }
    }
}

fn doors(state: &mut State, step: Move, page: usize) -> Vec<Effect> {
    if state.place() == Place::Doors && state.doors.on_accounts {
        let names = account_names(state);
        let row = step.from(state.doors.accounts.row(), page, names.len());
        state.doors.accounts.go(row, &names);
        return Vec::new();
    }
    let Some(summary) = &state.summary else { return Vec::new() };
    let sources = state.place() == Place::Home && state.home.focus == Pane::Sources;
    let (picked, names): (_, Vec<String>) = if sources {
        (&mut state.home.sources, summary.sources.iter().map(|line| line.name.to_string()).collect())
    } else {
        let names = summary.destinations.iter().map(|line| line.name.to_string()).collect();
        (&mut state.home.destinations, names)
    };
    picked.go(step.from(picked.row(), page, names.len()), &names);
    Vec::new()
}

/// The accounts, by what they are known by.
pub(super) fn account_names(state: &State) -> Vec<String> {
    state.doors.links.iter().flatten().map(|link| link.id.to_string()).collect()
}

fn scroll(state: &mut State, step: Move, page: usize) {
    let last = detail_lines(state).unwrap_or(0);
    let slot = match state.place() {
        Place::Filing => state.looked.as_mut().map(|looked| &mut looked.scroll),
        _ => state.arrival.as_mut().map(|looked| &mut looked.scroll),
    };
    if let Some(at) = slot {
        *at = step.from(*at, page, last);
    }
}

/// The next pane, or the one before.
pub(super) fn pane(state: &mut State, forward: bool) -> Vec<Effect> {
    match state.place() {
        Place::Home => {
            let at = Pane::ALL.iter().position(|pane| *pane == state.home.focus).unwrap_or(0);
            let step = if forward { 1 } else { Pane::ALL.len() - 1 };
            state.home.focus = Pane::ALL[(at + step) % Pane::ALL.len()];
        }
        Place::Doors => state.doors.on_accounts = !state.doors.on_accounts,
        _ => state.detail_focused = !state.detail_focused,
    }
    Vec::new()
}

/// The mouse: the wheel moves, a click chooses, a second one on the same row opens, one on a key of the key bar presses it.
pub(super) fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    if state.prompt.is_some() || layout::fit(state.size) == layout::Fit::TooSmall {
        return Vec::new();
    }
    let wheel = match event.kind {
        MouseEventKind::ScrollUp => Some(Action::Up),
        MouseEventKind::ScrollDown => Some(Action::Down),
        _ => None,
    };
    if let (Some(action), Some(over)) = (wheel, &mut state.over) {
        over.scroll = if action == Action::Up { over.scroll.saturating_sub(3) } else { over.scroll + 3 };
        return Vec::new();
    }
    if let Some(action) = wheel {
        return go_by(state, if action == Action::Up { Move::Up(3) } else { Move::Down(3) });
    }
    if event.kind != MouseEventKind::Down(MouseButton::Left) || state.over.is_some() {
        return Vec::new();
    }
    match layout::hit(state, event.column, event.row) {
        Some(Hit::Row(row)) => click(state, row),
        Some(Hit::Pane(pane, row)) => {
            let there = state.home.focus == pane;
            state.home.focus = pane;
            if there { click(state, row) } else { go_by(state, Move::Row(row)) }
        }
        Some(Hit::Key(action)) if availability(state, action) == Availability::On => {
            super::act::act(state, action)
        }
        _ => Vec::new(),
    }
}

fn click(state: &mut State, row: usize) -> Vec<Effect> {
    let before = cursor(state);
    if state.place().is_detail() {
        state.detail_focused = false;
    }
    let effects = go_by(state, Move::Row(row));
    if before == cursor(state)
        && !state.place().is_detail()
        && availability(state, Action::Open) == Availability::On
    {
        return go::open(state);
    }
    effects
}

fn cursor(state: &State) -> usize {
    match state.list_place() {
        Place::Home if state.home.focus == Pane::Sources => state.home.sources.row(),
        Place::Home if state.home.focus == Pane::Destinations => state.home.destinations.row(),
        Place::Home | Place::Causes => state.cause_at.row(),
        Place::Doors if state.doors.on_accounts => state.doors.accounts.row(),
        Place::Doors => state.home.destinations.row(),
        Place::Events => state.events.row(),
        Place::Filings | Place::Filing => state.window.row(),
        _ => state.arrivals.window.row(),
    }
}
