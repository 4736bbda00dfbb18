//! What can be asked for by key, name or mouse, and whether it is possible at this moment.

use postroom_api::decision::DecisionKind;
use postroom_api::filing::FilingItem;
use postroom_api::summary::Right;
use postroom_api::{IntakeState, State as FilingState};

use crate::app::{Door, Live, Pane, Scope, State};
use crate::place::Place;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    GoHome,
    GoMail,
    GoScanning,
    GoUploads,
    GoFilings,
    GoCauses,
    GoPersons,
    GoDoors,
    GoEvents,
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
    MarkRange,
    MarkAll,
    ClearMarks,
    Retry,
    RetryNow,
    Edit,
    Assign,
    Hold,
    Release,
    ReleaseArrival,
    Link,
    FileAnyway,
    Cancel,
    Dismiss,
    Take,
    Note,
    Undo,
    Stop,
    Pause,
    Resume,
    Trace,
    Preview,
    Original,
    Copy,
    Export,
    Views,
    SaveView,
    Palette,
    Refresh,
    Freeze,
    Sort,
    Times,
    Wide,
    Mouse,
    Settings,
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

impl Action {
    /// The screen it goes to.
    pub(crate) const fn screen(self) -> Option<Place> {
        Some(match self {
            Self::GoHome => Place::Home,
            Self::GoMail => Place::Mail,
            Self::GoScanning => Place::Scanning,
            Self::GoUploads => Place::Uploads,
            Self::GoFilings => Place::Filings,
            Self::GoCauses => Place::Causes,
            Self::GoPersons => Place::Persons,
            Self::GoDoors => Place::Doors,
            Self::GoEvents => Place::Events,
            _ => return None,
        })
    }
}

/// Whether an action is possible in the present place.
pub(crate) fn availability(state: &State, action: Action) -> Availability {
    let place = state.place();
    if let Some(screen) = action.screen() {
        return on(screen != place || (screen == Place::Filings && !state.filter.is_empty()));
    }
    match action {
        Action::Open => open(state),
        Action::NextPane | Action::PreviousPane => {
            on(matches!(place, Place::Home | Place::Doors) || state.is_split())
        }
        Action::Back => on(state.trail.len() > 1 || place != Place::Home),
        Action::Filter => on(place.has_filter()),
        Action::Mark | Action::MarkRange => mark(state, action),
        Action::MarkAll => mark_all(state),
        Action::ClearMarks => on(place == Place::Filings && (!state.marks.is_empty() || state.everything)),
        Action::Retry | Action::RetryNow => decision(state, DecisionKind::Retry),
        Action::Hold => decision(state, DecisionKind::Hold),
        Action::Release => decision(state, DecisionKind::Release),
        Action::Cancel => decision(state, DecisionKind::Cancel),
        Action::FileAnyway => file_anyway(state),
        Action::Edit | Action::Link => single(state, action),
        Action::Assign | Action::ReleaseArrival | Action::Dismiss => arrival(state, action),
        Action::Take | Action::Note => remark(state),
        Action::Undo => on(state.bulk.as_ref().is_some_and(Live::can_undo) && may(state, Right::Decide)),
        Action::Stop => on(state.bulk.as_ref().is_some_and(Live::runs) && may(state, Right::Decide)),
        Action::Pause | Action::Resume => pause(state, action == Action::Pause),
        Action::Trace | Action::Preview | Action::Original => {
            if matches!(place, Place::Filings | Place::Filing | Place::Arrival) || place.is_arrivals() {
                here(state.intake_at().is_some())
            } else {
                Hidden
            }
        }
        Action::Copy => {
            if matches!(place, Place::Filings | Place::Filing | Place::Arrival) || place.is_arrivals() {
                here(state.looked_at().is_some() || state.arrival_at().is_some())
            } else {
                Hidden
            }
        }
        Action::Export => on(place == Place::Filings),
        // A viewer's console sends nothing but questions.
        Action::SaveView => on(!place.is_detail() && !state.is_read_only()),
        Action::Sort => {
            on(matches!(place, Place::Causes) || (place == Place::Home && state.home.focus == Pane::Causes))
        }
        Action::Wide => on(place == Place::Filings || place.is_arrivals()),
        _ => On,
    }
}

const fn on(yes: bool) -> Availability {
    if yes { On } else { Hidden }
}

fn here(something: bool) -> Availability {
    if something { On } else { Off("there is nothing under the cursor".to_owned()) }
}

fn open(state: &State) -> Availability {
    match state.place() {
        Place::Filing => Hidden,
        Place::Home if state.home.focus != Pane::Causes => here(state.door().is_some()),
        Place::Home | Place::Causes => here(state.cause().is_some()),
        Place::Filings => here(state.window.current().is_some()),
        Place::Mail | Place::Scanning | Place::Uploads | Place::Persons => here(state.arrival_at().is_some()),
        Place::Arrival => here(state.arrival_at().is_some_and(|item| item.filings > 0)),
        Place::Doors => here(state.door().is_some() || state.account().is_some()),
        Place::Events => here(state.event().is_some()),
    }
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
    state.changing.as_ref().map(|what| format!("another action is under way ({what})"))
}

fn mark(state: &State, action: Action) -> Availability {
    if state.place() != Place::Filings || !may(state, Right::Decide) {
        return Hidden;
    }
    if state.everything {
        return Off("all that match are marked; - takes that away".to_owned());
    }
    if action == Action::MarkRange && state.last_mark.is_none() {
        return Off("mark one first: the range goes from there to here".to_owned());
    }
    here(state.window.current().is_some())
}

fn mark_all(state: &State) -> Availability {
    if state.place() != Place::Filings || !may(state, Right::Decide) {
        Hidden
    } else if state.everything {
        Off("all that match are meant already".to_owned())
    } else if state.filter.is_empty() {
        Off("without a filter that would be every filing there is; / sets one".to_owned())
    } else {
        here(state.window.current().is_some())
    }
}

/// Why a filing cannot have a decision when the key for it is pressed.
pub(crate) fn refusal(kind: DecisionKind, item: &FilingItem) -> Option<&'static str> {
    match (kind, item.state) {
        (DecisionKind::Retry, FilingState::Duplicate) => Some("it is a duplicate: D files it anyway"),
        (kind, state) => kind.refusal(state),
    }
}

fn decision(state: &State, kind: DecisionKind) -> Availability {
    let scope = state.scope();
    let belongs = matches!(state.place(), Place::Filings | Place::Filing | Place::Causes)
        || (state.place() == Place::Home && state.home.focus == Pane::Causes);
    if !belongs || !may(state, Right::Decide) {
        return Hidden;
    }
    if let Some(reason) = blocked(state) {
        return Off(reason);
    }
    match scope {
        Scope::Nothing => here(false),
        Scope::One(item) => refusal(kind, &item).map_or(On, |reason| Off(reason.to_owned())),
        // The server says of each whether it can, before anything is done.
        Scope::Marked(items) if items.iter().all(|item| refusal(kind, item).is_some()) => {
            Off(format!("none of the {} marked allows it", items.len()))
        }
        Scope::Marked(_) | Scope::Matching(_) => On,
    }
}

fn file_anyway(state: &State) -> Availability {
    if !matches!(state.place(), Place::Filings | Place::Filing) || !may(state, Right::Decide) {
        return Hidden;
    }
    let duplicate = |item: &FilingItem| item.state == FilingState::Duplicate;
    let yes = match state.scope() {
        Scope::One(item) => duplicate(&item),
        Scope::Marked(items) => items.iter().any(duplicate),
        Scope::Matching(_) | Scope::Nothing => false,
    };
    if yes { blocked(state).map_or(On, Off) } else { Hidden }
}

fn single(state: &State, action: Action) -> Availability {
    if !matches!(state.place(), Place::Filings | Place::Filing) || !may(state, Right::Decide) {
        return Hidden;
    }
    let kind = if action == Action::Edit { DecisionKind::Edit } else { DecisionKind::Link };
    if let Some(reason) = blocked(state) {
        return Off(reason);
    }
    match state.looked_at() {
        None => here(false),
        Some(item) => kind.refusal(item.state).map_or(On, |reason| Off(reason.to_owned())),
    }
}

fn arrival(state: &State, action: Action) -> Availability {
    if !(state.place().is_arrivals() || state.place() == Place::Arrival) || !may(state, Right::Decide) {
        return Hidden;
    }
    let Some(item) = state.arrival_at() else { return here(false) };
    let quarantined = item.state == IntakeState::Quarantined;
    if action == Action::ReleaseArrival && !quarantined {
        return Hidden;
    }
    if action == Action::ReleaseArrival && !item.may_be_released() {
        return Off("nobody could read it, so nobody can vouch for it; e files it as it is".to_owned());
    }
    if let Some(reason) = blocked(state) {
        return Off(reason);
    }
    if quarantined || item.state == IntakeState::NeedsPerson {
        On
    } else {
        Off(format!("it is {}: nobody has to decide over it", crate::theme::arrival_word(item.state)))
    }
}

fn remark(state: &State) -> Availability {
    let place = state.place();
    let belongs = matches!(place, Place::Filings | Place::Filing | Place::Arrival) || place.is_arrivals();
    if !belongs || !may(state, Right::Decide) {
        return Hidden;
    }
    blocked(state).map_or_else(|| here(state.looked_at().is_some() || state.arrival_at().is_some()), Off)
}

fn pause(state: &State, stop: bool) -> Availability {
    let place = state.place();
    let belongs = match place {
        Place::Home => state.home.focus != Pane::Causes,
        Place::Doors => true,
        place => place.is_arrivals(),
    };
    if !belongs || !may(state, Right::Pause) {
        return Hidden;
    }
    if let Some(reason) = blocked(state) {
        return Off(reason);
    }
    match state.door() {
        None => here(false),
        Some(Door { paused: true, .. }) if stop => Off("it is paused already; P lets it go on".to_owned()),
        Some(Door { paused: false, .. }) if !stop => Off("it is not paused".to_owned()),
        Some(_) => On,
    }
}
