//! What a key can ask for, and whether it is possible at this moment.

use postroom_api::State as FilingState;
use postroom_api::decision::DecisionKind;
use postroom_api::filing::FilingItem;
use postroom_api::summary::Right;

use crate::app::{Door, Pane, Place, State};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    GoHome,
    GoFilings,
    GoCauses,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    NextPane,
    PreviousPane,
    Open,
    Back,
    Filter,
    Mark,
    ClearMarks,
    Retry,
    Hold,
    Release,
    FileAnyway,
    Cancel,
    Pause,
    Resume,
    Copy,
    Refresh,
    Freeze,
    Times,
    Help,
    Quit,
    Leave,
}

/// Whether an action is possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Availability {
    /// It is.
    On,
    /// It belongs here, but not now, because of this.
    Off(String),
    /// It does not belong here, or the role does not have it.
    Hidden,
}

use Availability::{Hidden, Off, On};

/// Whether an action is possible in the present place.
pub(crate) fn availability(state: &State, action: Action) -> Availability {
    let place = state.place();
    let on = |yes: bool| if yes { On } else { Hidden };
    match action {
        Action::GoHome => on(place != Place::Home),
        Action::GoFilings => on(place != Place::Filings || !state.filter.is_empty()),
        Action::GoCauses => on(place != Place::Causes && may(state, Right::SeeAll)),
        Action::Up
        | Action::Down
        | Action::PageUp
        | Action::PageDown
        | Action::Top
        | Action::Bottom
        | Action::Refresh
        | Action::Freeze
        | Action::Times
        | Action::Help
        | Action::Quit
        | Action::Leave => On,
        Action::NextPane | Action::PreviousPane => on(place == Place::Home || state.is_split()),
        Action::Open => match place {
            Place::Detail => Hidden,
            Place::Home if state.home.focus != Pane::Causes => nothing_here(state.door().is_none()),
            Place::Home | Place::Causes => nothing_here(state.cause().is_none()),
            Place::Filings => nothing_here(state.window.current().is_none()),
        },
        Action::Back => on(state.trail.len() > 1 || place != Place::Home),
        Action::Filter => on(place != Place::Detail),
        Action::Mark if place != Place::Filings || !may(state, Right::Decide) => Hidden,
        Action::Mark => nothing_here(state.window.current().is_none()),
        Action::ClearMarks => on(!state.marks.is_empty()),
        Action::Retry => decision(state, DecisionKind::Retry),
        Action::Hold => decision(state, DecisionKind::Hold),
        Action::Release => decision(state, DecisionKind::Release),
        Action::Cancel => decision(state, DecisionKind::Cancel),
        Action::FileAnyway => match &state.targets()[..] {
            [item] if item.state == FilingState::Duplicate && may(state, Right::Decide) => {
                blocked(state).map_or(On, Off)
            }
            _ => Hidden,
        },
        Action::Pause | Action::Resume => pause(state, action == Action::Pause),
        Action::Copy => match place {
            Place::Filings | Place::Detail => nothing_here(state.looked_at().is_none()),
            Place::Home | Place::Causes => Hidden,
        },
    }
}

fn nothing_here(nothing: bool) -> Availability {
    if nothing { Off("there is nothing under the cursor".to_owned()) } else { On }
}

/// Whether the role has a right. Nobody has any before the server has said so.
pub(crate) fn may(state: &State, right: Right) -> bool {
    state.summary.as_ref().is_some_and(|summary| summary.you.may(right))
}

/// Why nothing that changes something can be sent now.
fn blocked(state: &State) -> Option<String> {
    if state.link.is_lost() {
        return Some(
            "the server cannot be reached; nothing is sent and nothing is kept for later".to_owned(),
        );
    }
    state
        .batch
        .as_ref()
        .map(|batch| format!("another action is under way ({} of {})", batch.done(), batch.total))
}

/// Why a filing cannot have a decision when the key for it is pressed.
pub(crate) fn refusal(kind: DecisionKind, item: &FilingItem, alone: bool) -> Option<&'static str> {
    match (kind, item.state) {
        (DecisionKind::Retry, FilingState::Duplicate) => Some("it is a duplicate: D files it anyway"),
        (DecisionKind::Retry, FilingState::Undecided) if !alone => {
            Some("it may be in the DMS already: decide over it alone")
        }
        (kind, state) => kind.refusal(state),
    }
}

fn decision(state: &State, kind: DecisionKind) -> Availability {
    if !matches!(state.place(), Place::Filings | Place::Detail) || !may(state, Right::Decide) {
        return Hidden;
    }
    if let Some(reason) = blocked(state) {
        return Off(reason);
    }
    let targets = state.targets();
    match &targets[..] {
        [] => Off("there is nothing under the cursor".to_owned()),
        [item] => refusal(kind, item, true).map_or(On, |reason| Off(reason.to_owned())),
        several if several.iter().any(|item| refusal(kind, item, false).is_none()) => On,
        several => Off(format!("none of the {} marked allows it", several.len())),
    }
}

fn pause(state: &State, stop: bool) -> Availability {
    if state.place() != Place::Home || state.home.focus == Pane::Causes || !may(state, Right::Pause) {
        return Hidden;
    }
    if let Some(reason) = blocked(state) {
        return Off(reason);
    }
    match state.door() {
        None => Off("there is nothing under the cursor".to_owned()),
        Some(Door { paused: true, .. }) if stop => Off("it is paused already; P lets it go on".to_owned()),
        Some(Door { paused: false, .. }) if !stop => Off("it is not paused".to_owned()),
        Some(_) => On,
    }
}
