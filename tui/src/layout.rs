//! Where things stand on the screen: pure arithmetic, shared by drawing and moving.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::app::{Place, Prompt, State};

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

/// The parts of the screen.
pub(crate) fn areas(state: &State) -> Areas {
    let banner = u16::from(crate::view::has_banner(state));
    let prompt = match &state.prompt {
        None => 0,
        Some(Prompt::Filter { .. }) => 4,
        Some(Prompt::Reason { .. }) => 5,
        Some(Prompt::Copy { choices, .. }) => u16::try_from(choices.len()).unwrap_or(5) + 1,
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

/// Where the list of filings stands.
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

/// How many filings fit into the list: title and heading take two lines.
pub(crate) fn list_rows(state: &State) -> usize {
    if matches!(state.place(), Place::Filings | Place::Detail) {
        usize::from(list(state).height.saturating_sub(2)).max(1)
    } else {
        usize::from(areas(state).body.height).max(1)
    }
}
