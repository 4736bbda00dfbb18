//! What lies over the screen until it is closed: the help, a text, what was left out of a set.

use crossterm::event::{KeyCode, KeyEvent};
use postroom_api::bulk::BulkItem;
use tui_input::Input;

use super::State;
use super::form::type_in;
use crate::action::Action;
use crate::layout;
use crate::theme::Tone;
use crate::view;

/// What is shown.
#[derive(Debug)]
pub(crate) enum Body {
    /// What works in this place.
    Help,
    /// Lines, wrapped to the screen.
    Text(Vec<(String, Tone)>),
    /// Filings of a set to which it was not done; `more` when there are others.
    Losers {
        /// Which.
        items: Vec<BulkItem>,
        /// There are more.
        more: bool,
    },
}

/// What lies over the screen.
#[derive(Debug)]
pub(crate) struct Over {
    /// What it is.
    pub(crate) title: String,
    /// What is shown.
    pub(crate) body: Body,
    /// The first line that is seen.
    pub(crate) scroll: usize,
    /// What is looked for in it.
    pub(crate) find: Option<Input>,
}

impl Over {
    /// Something to look at.
    pub(crate) fn new(title: impl Into<String>, body: Body) -> Self {
        Self { title: title.into(), body, scroll: 0, find: None }
    }

    /// Something that has been asked for.
    pub(crate) fn waiting(title: impl Into<String>) -> Self {
        Self::new(title, Body::Text(vec![("…".to_owned(), Tone::Faint)]))
    }

    /// Whether it has not come yet.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(&self.body, Body::Text(lines) if lines.len() == 1 && lines[0].0 == "…")
    }

    /// What is looked for, in small letters; empty for everything.
    pub(crate) fn wanted(&self) -> String {
        self.find.as_ref().map(|find| find.value().trim().to_lowercase()).unwrap_or_default()
    }
}

/// A key while something lies over the screen: it scrolls, searches, marks or closes.
pub(super) fn key(state: &mut State, key: KeyEvent, actions: &[Action]) {
    let page = usize::from(layout::areas(state).body.height).max(2) / 2;
    let (lines, height) = view::over_extent(state);
    let last = lines.saturating_sub(height);
    let Some(over) = &mut state.over else { return };
    if let Some(find) = over.find.as_mut().filter(|_| !matches!(key.code, KeyCode::Up | KeyCode::Down)) {
        match key.code {
            KeyCode::Esc => over.find = None,
            KeyCode::Enter => state.over = None,
            _ => {
                type_in(find, key);
                over.scroll = 0;
            }
        }
        return;
    }
    let has = |action: Action| actions.contains(&action);
    if has(Action::Up) {
        over.scroll = over.scroll.saturating_sub(1);
    } else if has(Action::Down) {
        over.scroll = (over.scroll + 1).min(last);
    } else if has(Action::PageUp) {
        over.scroll = over.scroll.saturating_sub(page);
    } else if has(Action::PageDown) {
        over.scroll = (over.scroll + page).min(last);
    } else if has(Action::Top) {
        over.scroll = 0;
    } else if has(Action::Bottom) {
        over.scroll = last;
    } else if has(Action::Filter) && matches!(over.body, Body::Help) {
        over.find = Some(Input::default());
    } else if has(Action::MarkAll) {
        mark_losers(state);
    } else if has(Action::Back) || has(Action::Help) || has(Action::Open) || has(Action::Quit) {
        state.over = None;
    }
}

/// Shows those that were left out as a list, to be decided over again.
fn mark_losers(state: &mut State) {
    let Some(Over { body: Body::Losers { items, .. }, .. }) = &state.over else { return };
    let ids: Vec<String> = items.iter().take(40).map(|item| item.id.to_string()).collect();
    let left = items.len().saturating_sub(ids.len());
    if ids.is_empty() {
        return;
    }
    state.over = None;
    super::go::open_filings(state, format!("id:{}", ids.join(",")));
    if left > 0 {
        state.say(Tone::Warn, format!("the first 40; {left} more were left out too"));
    }
}
