//! What a key does, once it is known to be possible.

use crossterm::event::KeyEvent;
use postroom_api::decision::DecisionKind;
use postroom_api::filing::FilingItem;
use postroom_api::pause::DoorKind;

use super::prompt::{self, Job, Prompt};
use super::update::{cause_names, detail_lines};
use super::{Effect, Looked, Pane, Place, State, decide, refresh};
use crate::action::{Action, Availability, availability};
use crate::keys;
use crate::layout;
use crate::report;
use crate::text::clean;
use crate::theme::Tone;
use crate::when::Times;
use crate::window::Window;

/// A key was pressed.
pub(super) fn pressed(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = keys::action(key);
    if action == Some(Action::Leave) {
        return vec![Effect::Quit];
    }
    let quit = action == Some(Action::Quit);
    if layout::fit(state.size) == layout::Fit::TooSmall {
        // Nothing is seen, so nothing but leaving is done.
        return if quit { vec![Effect::Quit] } else { Vec::new() };
    }
    if state.prompt.is_some() {
        return prompt::key(state, key);
    }
    state.status = None;
    if state.report.is_some() {
        overlay(state, action, |state| &mut state.report, |report| &mut report.scroll);
        return Vec::new();
    }
    if state.help.is_some() {
        overlay(state, action, |state| &mut state.help, |scroll| scroll);
        return Vec::new();
    }
    let Some(action) = action else { return Vec::new() };
    match availability(state, action) {
        Availability::On => act(state, action),
        Availability::Off(reason) => {
            state.say(Tone::Warn, format!("not now: {reason}"));
            Vec::new()
        }
        Availability::Hidden => Vec::new(),
    }
}

/// A key while something lies over the screen: it scrolls, and most others close it.
fn overlay<T>(
    state: &mut State,
    action: Option<Action>,
    slot: impl Fn(&mut State) -> &mut Option<T>,
    scroll: impl Fn(&mut T) -> &mut usize,
) {
    let page = usize::from(layout::areas(state).body.height).max(2) / 2;
    let slot = slot(state);
    let Some(open) = slot else { return };
    let at = scroll(open);
    match action {
        Some(Action::Up) => *at = at.saturating_sub(1),
        Some(Action::Down) => *at += 1,
        Some(Action::PageUp) => *at = at.saturating_sub(page),
        Some(Action::PageDown) => *at += page,
        Some(Action::Back | Action::Help | Action::Open | Action::Quit) => *slot = None,
        _ => {}
    }
}

fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::GoHome => go(state, Place::Home),
        Action::GoCauses => go(state, Place::Causes),
        Action::GoFilings => {
            state.trail.clear();
            open_filings(state, String::new())
        }
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Top | Action::Bottom => {
            moved(state, action)
        }
        Action::NextPane | Action::PreviousPane => {
            if state.place() == Place::Home {
                let at = Pane::ALL.iter().position(|pane| *pane == state.home.focus).unwrap_or(0);
                let step = if action == Action::NextPane { 1 } else { Pane::ALL.len() - 1 };
                state.home.focus = Pane::ALL[(at + step) % Pane::ALL.len()];
            } else {
                state.detail_focused = !state.detail_focused;
            }
            Vec::new()
        }
        Action::Open => open(state),
        Action::Back => back(state),
        Action::Quit if state.trail.len() > 1 => back(state),
        Action::Quit => {
            if let (Some(batch), false) = (&state.batch, state.leaving) {
                let open = batch.open.len();
                state.leaving = true;
                state.say(
                    Tone::Warn,
                    format!("{open} decisions have no answer yet; q again leaves all the same"),
                );
                return Vec::new();
            }
            vec![Effect::Quit]
        }
        Action::Leave => vec![Effect::Quit],
        Action::Filter => {
            let present = if state.place() == Place::Filings { state.filter.as_str() } else { "" };
            state.prompt = Some(Prompt::filter(present));
            Vec::new()
        }
        Action::Mark => {
            if let Some(item) = state.window.current().cloned() {
                if state.marks.remove(&item.id).is_none() {
                    state.marks.insert(item.id, item);
                }
                return moved(state, Action::Down);
            }
            Vec::new()
        }
        Action::ClearMarks => {
            state.marks.clear();
            Vec::new()
        }
        Action::Retry => decide::begin(state, DecisionKind::Retry),
        Action::Hold => decide::begin(state, DecisionKind::Hold),
        Action::Release => decide::begin(state, DecisionKind::Release),
        Action::Cancel => decide::begin(state, DecisionKind::Cancel),
        Action::FileAnyway => {
            decide::begin_anyway(state);
            Vec::new()
        }
        Action::Pause => {
            if let Some(door) = state.door() {
                let effect = match door.kind {
                    DoorKind::Source => "It takes in nothing more until it is resumed.",
                    DoorKind::Destination => "Its filings wait until it is resumed.",
                };
                let question = format!("Pause the {} {}? {effect}", door.kind.as_str(), door.name);
                state.prompt =
                    Some(Prompt::reason(question, Job::Pause { kind: door.kind, name: door.name }));
            }
            Vec::new()
        }
        Action::Resume => match state.door() {
            Some(door) => vec![Effect::Door { kind: door.kind, name: door.name, stop: None }],
            None => Vec::new(),
        },
        Action::Copy => {
            if let Some(item) = state.looked_at() {
                let row = 0;
                state.prompt = Some(Prompt::Copy { choices: copies(state, item), row });
            }
            Vec::new()
        }
        Action::Refresh => {
            state.loading = false;
            refresh::everything(state)
        }
        Action::Freeze => {
            state.frozen = if state.frozen.is_some() { None } else { Some(0) };
            Vec::new()
        }
        Action::Times => {
            state.times = match state.times {
                Times::Relative => Times::Absolute,
                Times::Absolute => Times::Relative,
            };
            Vec::new()
        }
        Action::Help => {
            state.help = Some(0);
            Vec::new()
        }
    }
}

fn copies(state: &State, item: &FilingItem) -> Vec<(char, &'static str, String)> {
    let mut choices = vec![('i', "the filing's id", item.id.to_string())];
    if let Some(link) = item.receipt.as_ref().and_then(|receipt| receipt.link.as_ref()) {
        choices.push(('l', "the link to the document", clean(link)));
    }
    if let Some(cause) = &item.cause {
        choices.push(('c', "the cause", clean(&format!("{} {}", cause.sentence, cause.technical.detail))));
    }
    choices.push(('s', "the subject", clean(&item.subject)));
    choices.push(('r', "the whole report", report::of(state, item)));
    choices
}

/// Leaves the trail behind and goes to a screen.
fn go(state: &mut State, place: Place) -> Vec<Effect> {
    state.trail = if place == Place::Home { vec![Place::Home] } else { vec![Place::Home, place] };
    state.looked = None;
    refresh::everything(state)
}

/// Opens the list with a filter.
pub(super) fn open_filings(state: &mut State, filter: String) -> Vec<Effect> {
    if state.trail.is_empty() {
        state.trail.push(Place::Home);
    }
    if state.place() != Place::Filings {
        state.trail.push(Place::Filings);
    }
    state.filter = filter;
    state.list += 1;
    state.list_trouble = None;
    state.window = Window::default();
    state.marks.clear();
    state.looked = None;
    state.loading = false;
    // `more` asks for the first page.
    Vec::new()
}

fn open(state: &mut State) -> Vec<Effect> {
    match state.place() {
        Place::Home if state.home.focus != Pane::Causes => match state.door() {
            Some(door) => {
                let key = if door.kind == DoorKind::Source { "from" } else { "dest" };
                open_filings(state, format!("{key}:{} -state:filed,duplicate,cancelled", door.name))
            }
            None => Vec::new(),
        },
        Place::Home | Place::Causes => match state.cause() {
            Some(line) => {
                let filter = line.filter.clone();
                open_filings(state, filter)
            }
            None => Vec::new(),
        },
        Place::Filings => {
            state.trail.push(Place::Detail);
            state.detail_focused = true;
            look(state)
        }
        Place::Detail => Vec::new(),
    }
}

/// Shows the filing under the list's cursor in the detail.
fn look(state: &mut State) -> Vec<Effect> {
    let Some(item) = state.window.current() else { return Vec::new() };
    let id = item.id;
    if state.looked.as_ref().is_some_and(|looked| looked.id == id) {
        return Vec::new();
    }
    state.looked = Some(Looked { id, detail: None, trouble: None, scroll: 0 });
    refresh::asked(state, vec![Effect::Filing(id)])
}

fn back(state: &mut State) -> Vec<Effect> {
    let left = state.trail.pop();
    if let Some(looked) = state.looked.take_if(|_| left == Some(Place::Detail)) {
        let rows = layout::list_rows(state);
        state.window.go_to(looked.id, rows);
    }
    if state.trail.is_empty() {
        state.trail.push(Place::Home);
    }
    refresh::everything(state)
}

fn moved(state: &mut State, action: Action) -> Vec<Effect> {
    let step = |row: usize, page: usize, last: usize| match action {
        Action::Up => row.saturating_sub(1),
        Action::Down => row + 1,
        Action::PageUp => row.saturating_sub(page),
        Action::PageDown => row + page,
        Action::Top => 0,
        _ => last,
    };
    let page = usize::from(layout::areas(state).body.height).saturating_sub(3).max(1);
    match state.place() {
        Place::Home if state.home.focus != Pane::Causes => {
            let Some(summary) = &state.summary else { return Vec::new() };
            let (picked, names): (_, Vec<String>) = if state.home.focus == Pane::Sources {
                (&mut state.home.sources, summary.sources.iter().map(|line| line.name.to_string()).collect())
            } else {
                let names = summary.destinations.iter().map(|line| line.name.to_string()).collect();
                (&mut state.home.destinations, names)
            };
            picked.go(step(picked.row(), page, names.len()), &names);
            Vec::new()
        }
        Place::Home | Place::Causes => {
            let names = cause_names(state);
            state.cause_at.go(step(state.cause_at.row(), page, names.len()), &names);
            Vec::new()
        }
        Place::Detail if !state.is_split() || state.detail_focused => {
            let last = detail_lines(state).unwrap_or(0);
            if let Some(looked) = &mut state.looked {
                looked.scroll = step(looked.scroll, page, last);
            }
            Vec::new()
        }
        Place::Filings | Place::Detail => {
            if action == Action::Top && state.window.more_above() {
                state.list += 1;
                state.window = Window::default();
                state.loading = false;
                return Vec::new();
            }
            let rows = layout::list_rows(state);
            let row = step(state.window.row(), rows.max(1), state.window.items().len());
            state.window.go(row, rows);
            if state.place() == Place::Detail { look(state) } else { Vec::new() }
        }
    }
}
