//! What is fetched, and when: what is on the screen, at most four times a second, and everything now and then.

use std::time::Duration;

use postroom_api::client::{ClientError, ClientResult};
use postroom_api::summary::Right;

use super::{Effect, Place, State};
use crate::layout;
use crate::theme::Tone;
use crate::window::From;

/// The shortest time between two fetches that news from the server cause.
pub(super) const PACE: Duration = Duration::from_millis(250);
/// After this long everything is fetched again even without news: it proves that the server is there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What is due now.
pub(super) fn due(state: &mut State) -> Vec<Effect> {
    let now = state.moment.since_start;
    let refresh = &state.refresh;
    let quiet = refresh.last.is_none_or(|last| now >= last + HEARTBEAT);
    let paced = refresh.last.is_none_or(|last| now >= last + PACE);
    // While the screen is frozen, the event stream tells whether the server is there.
    let still = state.frozen.is_some() && state.summary.is_some();
    if refresh.waiting > 0 || still || !(quiet || (refresh.wanted && paced)) {
        return Vec::new();
    }
    everything(state)
}

/// Fetches what is on the screen.
pub(super) fn everything(state: &mut State) -> Vec<Effect> {
    state.refresh.wanted = false;
    state.refresh.last = Some(state.moment.since_start);
    let mut effects = vec![Effect::Summary];
    // Who may see only the own filings is not asked about everybody's; the first time that is not known yet.
    let sees = state.summary.as_ref().is_none_or(|summary| summary.you.may(Right::SeeAll));
    if sees && matches!(state.place(), Place::Home | Place::Causes) {
        effects.push(Effect::Causes);
    }
    let detail = state.place() == Place::Detail;
    if state.place() == Place::Filings || state.is_split() {
        let from = state.window.visible();
        effects.push(filings(state, from));
    }
    if let Some(looked) = state.looked.as_ref().filter(|_| detail) {
        effects.push(Effect::Filing(looked.id));
    }
    asked(state, effects)
}

/// Counts calls whose answers are awaited.
pub(super) fn asked(state: &mut State, effects: Vec<Effect>) -> Vec<Effect> {
    state.refresh.waiting += effects.len();
    effects
}

fn filings(state: &mut State, from: From) -> Effect {
    state.loading = true;
    Effect::Filings { list: state.list, filter: state.filter.clone(), from }
}

/// The next page, where the cursor is near the end of what is held.
pub(super) fn more(state: &mut State) -> Vec<Effect> {
    if state.loading || !(state.place() == Place::Filings || state.is_split()) {
        return Vec::new();
    }
    match state.window.wanted(layout::list_rows(state)) {
        Some(from) => {
            let effect = filings(state, from);
            asked(state, vec![effect])
        }
        None => Vec::new(),
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
