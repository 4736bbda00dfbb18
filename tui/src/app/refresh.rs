//! What is fetched, and when: what is on the screen, at most four times a second, and everything now and then.

use std::time::Duration;

use postroom_api::client::{ClientError, ClientResult};
use postroom_api::summary::Right;

use super::{Effect, State, arrivals, bulk};
use crate::action::may;
use crate::layout;
use crate::place::Place;
use crate::theme::Tone;
use crate::window::{From, Row};

/// The shortest time between two fetches that news from the server cause.
pub(super) const PACE: Duration = Duration::from_millis(250);
/// After this long everything is fetched again even without news: it proves that the server is there.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often what is asked for everybody's sake is fetched at most: ages and accounts.
const SLOWLY: Duration = Duration::from_secs(5);

/// What is due now.
pub(super) fn due(state: &mut State) -> Vec<Effect> {
    let now = state.moment.since_start;
    let refresh = &state.refresh;
    let quiet = refresh.last.is_none_or(|last| now >= last + HEARTBEAT);
    let paced = refresh.last.is_none_or(|last| now >= last + PACE);
    // While the screen is frozen, the event stream tells whether the server is there.
    let still = state.frozen.is_some() && state.summary.is_some();
    if refresh.waiting > 0 {
        return Vec::new();
    }
    let followed = followed(state);
    if still {
        // A set that runs is followed all the same: it can be stopped.
        let effects = followed.into_iter().collect::<Vec<_>>();
        state.refresh.last = if effects.is_empty() { state.refresh.last } else { Some(now) };
        return asked(state, effects);
    }
    if !(quiet || followed.is_some() || (refresh.wanted && paced)) {
        return Vec::new();
    }
    everything(state)
}

/// How far the set that runs is, when it is time to ask.
fn followed(state: &State) -> Option<Effect> {
    let live = state.bulk.as_ref().filter(|live| live.runs())?;
    let due = state.refresh.last.is_none_or(|last| state.moment.since_start >= last + bulk::ASKED);
    due.then_some(Effect::Bulk(live.view.id))
}

/// Fetches what is on the screen.
pub(super) fn everything(state: &mut State) -> Vec<Effect> {
    state.refresh.wanted = false;
    state.refresh.last = Some(state.moment.since_start);
    let mut effects = vec![Effect::Summary];
    // Who may see only the own filings is not asked about everybody's; the first time that is not known yet.
    let sees = state.summary.is_none() || may(state, Right::SeeAll);
    let place = state.place();
    if sees && matches!(place, Place::Home | Place::Causes) {
        effects.push(Effect::Causes);
    }
    if place == Place::Filings || (place == Place::Filing && state.is_split()) {
        let from = state.window.visible();
        effects.push(filings(state, from));
    }
    let list = state.list_place();
    if place.is_arrivals() || (place == Place::Arrival && list.is_arrivals() && state.is_split()) {
        let from = state.arrivals.window.visible();
        effects.extend(arrivals_page(state, from));
    }
    if let Some(looked) = state.looked.as_ref().filter(|_| place == Place::Filing) {
        effects.push(Effect::Filing(looked.id));
    }
    if let Some(looked) = state.arrival.as_ref().filter(|_| place == Place::Arrival) {
        effects.push(Effect::Arrival(looked.id));
    }
    if let Some(live) = state.bulk.as_ref().filter(|live| live.runs()) {
        effects.push(Effect::Bulk(live.view.id));
    }
    let mut effects = asked(state, effects);
    effects.extend(beside(state));
    effects
}

/// What stands beside the lists of a screen, fetched less often.
pub(super) fn beside(state: &mut State) -> Vec<Effect> {
    let now = state.moment.since_start;
    let place = state.place();
    let fresh = state.refresh.beside.is_some_and(|(shown, at)| shown == place && now < at + SLOWLY);
    if fresh || state.summary.is_none() {
        return Vec::new();
    }
    let mut effects = Vec::new();
    let sees = may(state, Right::SeeAll);
    if sees && (place == Place::Doors || (place == Place::Home && layout::has_ages(state.size))) {
        effects.push(Effect::Ages);
    }
    if sees && place == Place::Doors {
        effects.push(Effect::Links);
    }
    if place == Place::Uploads && may(state, Right::EditWorkItems) {
        effects.push(Effect::Tables);
    }
    state.refresh.beside = Some((place, now));
    asked(state, effects)
}

/// Counts calls whose answers are awaited.
pub(super) fn asked(state: &mut State, effects: Vec<Effect>) -> Vec<Effect> {
    state.refresh.waiting += effects.len();
    effects
}

fn filings(state: &mut State, from: From<postroom_api::FilingId>) -> Effect {
    state.loading = true;
    Effect::Filings { list: state.list, filter: state.filter.clone(), from }
}

fn arrivals_page(state: &mut State, from: From<postroom_api::IntakeId>) -> Option<Effect> {
    let sources = &state.summary.as_ref()?.sources;
    let list = &mut state.arrivals;
    match arrivals::query(list.place, &list.filter, sources) {
        Some(query) => {
            list.loading = true;
            list.trouble = None;
            Some(Effect::Arrivals { list: list.list, query: Box::new(query), from })
        }
        None => {
            list.trouble = Some("there is no source of this kind; the settings name them".to_owned());
            None
        }
    }
}

/// The next page, where the cursor is near the end of what is held.
pub(super) fn more(state: &mut State) -> Vec<Effect> {
    let rows = layout::list_rows(state);
    let split = state.is_split();
    match state.place() {
        Place::Filings | Place::Filing if !state.loading && (split || state.place() == Place::Filings) => {
            let Some(from) = state.window.wanted(rows) else { return Vec::new() };
            let effect = filings(state, from);
            asked(state, vec![effect])
        }
        place
            if !state.arrivals.loading
                && state.arrivals.trouble.is_none()
                && (place.is_arrivals() || (place == Place::Arrival && split)) =>
        {
            let Some(from) = state.arrivals.window.wanted(rows) else { return Vec::new() };
            let effects = arrivals_page(state, from).into_iter().collect();
            asked(state, effects)
        }
        _ => Vec::new(),
    }
}

/// Puts an answered page of a list in. Answers whether there was one.
pub(super) fn merge<T: Row>(
    window: &mut crate::window::Window<T>,
    from: &From<T::Id>,
    page: Option<postroom_api::page::Page<T>>,
    rows: usize,
) -> bool {
    match page {
        Some(page) => {
            window.merge(from, page, rows);
            true
        }
        None => false,
    }
}

/// Takes note of an answer: whether the server is there. Answers what it brought, if anything.
pub(super) fn noted<T>(state: &mut State, result: ClientResult<T>) -> Option<T> {
    state.refresh.waiting = state.refresh.waiting.saturating_sub(1);
    match result {
        Ok(value) => {
            state.link.answered = Some(state.moment.since_start);
            state.link.trouble = None;
            Some(value)
        }
        Err(ClientError::Problem(problem)) => {
            state.link.answered = Some(state.moment.since_start);
            state.link.trouble = None;
            state.say(Tone::Bad, format!("✖ {problem}"));
            None
        }
        Err(error) => {
            state.link.trouble = Some(error);
            None
        }
    }
}
