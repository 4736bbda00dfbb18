//! From place to place: screens, lists, details, saved views.

use postroom_api::{FilingId, IntakeId};

use super::{Effect, Looked, Pane, State, refresh};
use crate::layout;
use crate::place::Place;
use crate::theme::Tone;
use crate::window::Window;

/// Leaves the trail behind and goes to a screen.
pub(super) fn go(state: &mut State, place: Place) -> Vec<Effect> {
    if place == Place::Filings {
        state.trail.clear();
        return open_filings(state, String::new());
    }
    if place.is_arrivals() {
        return open_arrivals(state, place, String::new());
    }
    state.trail = if place == Place::Home { vec![Place::Home] } else { vec![Place::Home, place] };
    state.looked = None;
    state.arrival = None;
    refresh::everything(state)
}

/// Opens the list of filings with a filter.
pub(super) fn open_filings(state: &mut State, filter: String) -> Vec<Effect> {
    if state.trail.is_empty() {
        state.trail.push(Place::Home);
    }
    // From one list of filings to another is no step further.
    if let Some(at) = state.trail.iter().position(|place| *place == Place::Filings) {
        state.trail.truncate(at);
    }
    state.trail.push(Place::Filings);
    state.filter = filter;
    state.list += 1;
    state.list_trouble = None;
    state.window = Window::default();
    state.marks.clear();
    state.everything = false;
    state.last_mark = None;
    state.looked = None;
    state.loading = false;
    // `more` asks for the first page.
    Vec::new()
}

/// Opens a list of arrivals with a filter.
pub(super) fn open_arrivals(state: &mut State, place: Place, filter: String) -> Vec<Effect> {
    state.trail = vec![Place::Home, place];
    state.looked = None;
    state.arrival = None;
    state.arrivals.begin(place, filter);
    refresh::beside(state)
}

/// Opens a saved view.
pub(super) fn open_view(state: &mut State, name: &str) -> Vec<Effect> {
    let found = state.views.iter().find(|view| view.name.eq_ignore_ascii_case(name)).cloned();
    let Some(view) = found else {
        state.say(Tone::Warn, format!("there is no saved view \"{name}\"; F3 lists them"));
        return Vec::new();
    };
    match Place::of(&view.screen) {
        Some(Place::Filings) => {
            state.trail.clear();
            open_filings(state, view.q)
        }
        Some(place) if place.is_arrivals() => open_arrivals(state, place, view.q),
        Some(Place::Events) => {
            state.events.filter = view.q;
            go(state, Place::Events)
        }
        Some(place) => go(state, place),
        None => {
            state.say(Tone::Warn, format!("this console has no screen \"{}\"", view.screen));
            Vec::new()
        }
    }
}

/// Opens what is under the cursor.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    match state.place() {
        Place::Home if state.home.focus != Pane::Causes => open_door(state),
        Place::Home | Place::Causes => match state.cause() {
            Some(line) => {
                let filter = line.filter.clone();
                open_filings(state, filter)
            }
            None => Vec::new(),
        },
        Place::Filings => {
            state.trail.push(Place::Filing);
            state.detail_focused = true;
            look(state)
        }
        Place::Doors => match state.account().map(|link| (link.service.clone(), link.pause.is_some())) {
            Some((service, paused)) => {
                let cause = if paused { "paused" } else { "login_needed" };
                open_filings(state, format!("dest:{service} state:blocked,failed cause:{cause}"))
            }
            None => open_door(state),
        },
        Place::Events => open_event(state),
        Place::Arrival => match state.arrival_at().map(|item| item.id) {
            Some(id) => open_filings(state, format!("intake:{id}")),
            None => Vec::new(),
        },
        Place::Filing => Vec::new(),
        _ => {
            state.trail.push(Place::Arrival);
            state.detail_focused = true;
            look(state)
        }
    }
}

fn open_door(state: &mut State) -> Vec<Effect> {
    let Some(door) = state.door() else { return Vec::new() };
    let key = if door.kind == postroom_api::pause::DoorKind::Source { "from" } else { "dest" };
    open_filings(state, format!("{key}:{} -state:filed,duplicate,cancelled", door.name))
}

/// What the event under the cursor is about.
fn open_event(state: &mut State) -> Vec<Effect> {
    let Some(subject) = state.event().map(|event| event.subject.clone()) else { return Vec::new() };
    match subject.kind.as_str() {
        "filing" => match subject.id.parse::<FilingId>() {
            Ok(id) => show_filing(state, id),
            Err(_) => Vec::new(),
        },
        "intake" => match subject.id.parse::<IntakeId>() {
            Ok(id) => show_arrival(state, id),
            Err(_) => Vec::new(),
        },
        "door" => match subject.id.split_once('/') {
            Some(("source", name)) => open_filings(state, format!("from:{name}")),
            Some(("account", name)) => {
                let service = name.split_once('/').map_or(name, |(service, _)| service);
                open_filings(state, format!("dest:{service}"))
            }
            Some((_, name)) => open_filings(state, format!("dest:{name}")),
            None => Vec::new(),
        },
        _ => {
            state.say(Tone::Plain, "there is nothing more to see of it");
            Vec::new()
        }
    }
}

fn show_filing(state: &mut State, id: FilingId) -> Vec<Effect> {
    state.trail.push(Place::Filing);
    state.detail_focused = true;
    state.looked = Some(Looked::at(id));
    refresh::asked(state, vec![Effect::Filing(id)])
}

fn show_arrival(state: &mut State, id: IntakeId) -> Vec<Effect> {
    state.trail.push(Place::Arrival);
    state.detail_focused = true;
    state.arrival = Some(Looked::at(id));
    refresh::asked(state, vec![Effect::Arrival(id)])
}

/// Shows what is under the list's cursor in the detail.
pub(super) fn look(state: &mut State) -> Vec<Effect> {
    if state.place() == Place::Arrival {
        let Some(id) = state.arrivals.window.current().map(|item| item.id) else { return Vec::new() };
        if state.arrival.as_ref().is_some_and(|looked| looked.id == id) {
            return Vec::new();
        }
        state.arrival = Some(Looked::at(id));
        return refresh::asked(state, vec![Effect::Arrival(id)]);
    }
    let Some(id) = state.window.current().map(|item| item.id) else { return Vec::new() };
    if state.looked.as_ref().is_some_and(|looked| looked.id == id) {
        return Vec::new();
    }
    state.looked = Some(Looked::at(id));
    refresh::asked(state, vec![Effect::Filing(id)])
}

/// One step back.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    let left = state.trail.pop();
    if let Some(looked) = state.looked.take_if(|_| left == Some(Place::Filing)) {
        let rows = layout::list_rows(state);
        state.window.go_to(looked.id, rows);
    }
    if let Some(looked) = state.arrival.take_if(|_| left == Some(Place::Arrival)) {
        let rows = layout::list_rows(state);
        state.arrivals.window.go_to(looked.id, rows);
    }
    if state.trail.is_empty() {
        state.trail.push(Place::Home);
    }
    refresh::everything(state)
}
