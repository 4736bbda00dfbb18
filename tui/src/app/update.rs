//! The one function that changes the state.

use crossterm::event::KeyEventKind;
use postroom_api::IntakeId;
use postroom_api::client::{ClientError, ClientResult, News};
use postroom_api::intake::IntakeDetail;
use postroom_api::problem::Code;

use super::change;
use super::events::BEFORE;
use super::over::{Body, Over};
use super::{
    Effect, Message, Moment, Reply, Sort, State, act, bulk, command, moves, prompt, refresh, remark,
};
use crate::layout;
use crate::place::Place;
use crate::text::clean;
use crate::theme::Tone;
use crate::view;

/// Changes the state by a message; answers what is to be done elsewhere.
pub(crate) fn update(state: &mut State, message: Message, moment: Moment) -> Vec<Effect> {
    state.moment = moment;
    let mut effects = match message {
        Message::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
        Message::Key(key) => act::pressed(state, key),
        Message::Paste(text) => {
            prompt::paste(state, &text);
            Vec::new()
        }
        Message::Mouse(event) => moves::mouse(state, event),
        Message::Command(line) => command::run(state, &line, 0),
        Message::Resize(width, height) => {
            state.size = (width, height);
            Vec::new()
        }
        Message::Tick => {
            if state.status.as_ref().is_some_and(|status| status.until <= moment.since_start) {
                state.status = None;
            }
            Vec::new()
        }
        Message::Stream(news) => stream(state, news),
        Message::Reply(reply) => answered(state, reply),
    };
    settle(state);
    effects.extend(refresh::due(state));
    effects.extend(refresh::more(state));
    effects
}

/// Brings cursors and scrolls back onto what there is, after whatever happened.
fn settle(state: &mut State) {
    let rows = layout::list_rows(state);
    state.window.show(rows);
    state.arrivals.window.show(rows);
    if let Some(lines) = detail_lines(state) {
        let last = lines.saturating_sub(usize::from(layout::detail(state).height));
        if let Some(looked) = &mut state.looked {
            looked.scroll = looked.scroll.min(last);
        }
        if let Some(looked) = &mut state.arrival {
            looked.scroll = looked.scroll.min(last);
        }
    }
    if state.over.is_some() {
        let (lines, height) = view::over_extent(state);
        if let Some(over) = &mut state.over {
            over.scroll = over.scroll.min(lines.saturating_sub(height));
        }
    }
}

pub(super) fn detail_lines(state: &State) -> Option<usize> {
    state.place().is_detail().then(|| view::detail_lines(state, layout::detail(state).width).len())
}

fn stream(state: &mut State, news: News) -> Vec<Effect> {
    match news {
        News::Connected => {
            state.link.live = true;
            state.link.again = None;
            // Whatever happened meanwhile.
            state.refresh.wanted = true;
        }
        News::Event(event) => {
            state.refresh.wanted = true;
            if let Some(changes) = &mut state.frozen {
                *changes += 1;
            }
            state.events.push(*event);
        }
        News::Lost { error, pause } => {
            state.link.live = false;
            state.link.again = Some(state.moment.since_start + pause);
            // Not every server that has no stream is lost: ask it.
            if state.link.trouble.is_none() && state.refresh.waiting == 0 {
                return refresh::asked(state, vec![Effect::Summary]);
            }
            tracing::info!("the event stream is lost: {error}");
        }
    }
    Vec::new()
}

/// The first totals: from here on events are followed, and what was begun elsewhere is looked for.
fn first(state: &mut State, last_event: u64) -> Vec<Effect> {
    if std::mem::replace(&mut state.refresh.following, true) {
        return Vec::new();
    }
    let mut effects = vec![Effect::Views];
    if !state.is_read_only() {
        effects.push(Effect::LiveBulks);
    }
    let mut effects = refresh::asked(state, effects);
    effects.push(Effect::Follow(last_event.saturating_sub(BEFORE)));
    effects.extend(refresh::beside(state));
    effects
}

fn summary(state: &mut State, result: ClientResult<Box<postroom_api::summary::Summary>>) -> Vec<Effect> {
    let Some(summary) = refresh::noted(state, result) else { return Vec::new() };
    state.clock_ahead = summary.now.duration_since(state.moment.at);
    let sources: Vec<String> = summary.sources.iter().map(|line| line.name.to_string()).collect();
    let destinations: Vec<String> = summary.destinations.iter().map(|line| line.name.to_string()).collect();
    state.home.sources.settle(&sources);
    state.home.destinations.settle(&destinations);
    let last = summary.last_event;
    state.summary = Some(summary);
    first(state, last)
}

/// An answer that the role may be refused without anybody having to hear of it.
fn quietly<T>(state: &mut State, result: ClientResult<T>) -> Result<Option<T>, String> {
    match result {
        Err(ClientError::Problem(problem)) => {
            state.refresh.waiting = state.refresh.waiting.saturating_sub(1);
            Err(if problem.is(Code::Forbidden) {
                "your role does not see this".to_owned()
            } else {
                problem.to_string()
            })
        }
        other => Ok(refresh::noted(state, other)),
    }
}

fn answered(state: &mut State, reply: Reply) -> Vec<Effect> {
    match reply {
        Reply::Summary(result) => return summary(state, result),
        Reply::Changed(change, result) => return change::answered(state, &change, result),
        Reply::Frozen(result) => bulk::frozen(state, result),
        Reply::Bulk(result) => {
            if let Ok(Some(view)) = quietly(state, result) {
                return bulk::noted(state, *view);
            }
        }
        Reply::LiveBulks(result) => {
            if let Ok(Some(mut views)) = quietly(state, result)
                && !views.is_empty()
                && state.bulk.is_none()
            {
                return bulk::noted(state, views.swap_remove(0));
            }
        }
        Reply::Losers(result) => {
            if let Ok(Some((items, more))) = quietly(state, result) {
                bulk::losers(state, items, more);
            }
        }
        Reply::Copied(Ok(besides)) => {
            state.say(Tone::Plain, format!("sent to the clipboard of your terminal (OSC 52){besides}"));
        }
        Reply::Copied(Err(error)) => state.say(Tone::Bad, format!("✖ not copied: {error}")),
        Reply::Saved(Ok(path)) => state.say(Tone::Good, format!("✔ saved as {path}")),
        Reply::Saved(Err(error)) => state.say(Tone::Bad, format!("✖ not saved: {error}")),
        Reply::Kept(Ok(())) => {}
        Reply::Kept(Err(error)) => {
            state.say(Tone::Warn, format!("the settings hold until you leave; {error}"));
        }
        other => lists(state, other),
    }
    Vec::new()
}

fn lists(state: &mut State, reply: Reply) {
    match reply {
        Reply::Causes(result) => {
            if let Ok(Some(causes)) = quietly(state, result) {
                state.causes = Some(causes);
                sort_causes(state);
            }
        }
        Reply::Ages(result) => {
            if let Ok(Some(ages)) = quietly(state, result) {
                state.doors.ages = Some(ages);
            }
        }
        Reply::Links(result) => match quietly(state, result) {
            Ok(Some(mut links)) => {
                // What is broken first, then what is paused, then what ends first.
                links.sort_by_key(|link| {
                    (link.broken_since.is_none(), link.pause.is_none(), link.ends.is_none(), link.ends)
                });
                state.doors.links = Some(links);
                state.doors.trouble.clear();
                let names = moves::account_names(state);
                state.doors.accounts.settle(&names);
            }
            Ok(None) => {}
            Err(why) => state.doors.trouble = why,
        },
        Reply::Tables(result) => {
            if let Ok(Some(tables)) = quietly(state, result) {
                state.tables = Some(tables);
            }
        }
        Reply::Views(result) => {
            if let Ok(Some(views)) = quietly(state, result) {
                state.views = views;
            }
        }
        Reply::Preview(result) => match quietly(state, result) {
            Ok(Some(preview)) => state.over = Some(act::inside(&preview)),
            Ok(None) => {}
            Err(why) => state.over = Some(Over::new("Inside", Body::Text(vec![(why, Tone::Bad)]))),
        },
        Reply::Filings { list, from, result } => filings(state, list, &from, result),
        Reply::Arrivals { list, from, result } => arrivals(state, list, &from, result),
        Reply::Filing(id, result) => {
            let trouble = result.as_ref().err().map(|error| clean(&error.to_string()));
            let answer = refresh::noted(state, result);
            if let Some(looked) = state.looked.as_mut().filter(|looked| looked.id == id) {
                looked.trouble = trouble;
                if let Some(detail) = answer {
                    state.window.renew(detail.item.clone());
                    looked.detail = Some(detail);
                }
            }
        }
        Reply::Arrival(id, result) => arrival(state, id, result),
        _ => {}
    }
}

fn filings(
    state: &mut State,
    list: u64,
    from: &crate::window::From<postroom_api::FilingId>,
    result: ClientResult<postroom_api::page::Page<postroom_api::filing::FilingItem>>,
) {
    if list != state.list {
        state.refresh.waiting = state.refresh.waiting.saturating_sub(1);
        return;
    }
    state.list_trouble = result.as_ref().err().map(|error| clean(&error.to_string()));
    let page = refresh::noted(state, result);
    let rows = layout::list_rows(state);
    // Asking again at once after a failure would ask for ever: the next refresh does.
    state.loading = !refresh::merge(&mut state.window, from, page, rows);
    for item in state.window.items() {
        if let Some(mark) = state.marks.get_mut(&item.id) {
            mark.clone_from(item);
        }
    }
}

fn arrivals(
    state: &mut State,
    list: u64,
    from: &crate::window::From<IntakeId>,
    result: ClientResult<postroom_api::page::Page<postroom_api::intake::IntakeItem>>,
) {
    if list != state.arrivals.list {
        state.refresh.waiting = state.refresh.waiting.saturating_sub(1);
        return;
    }
    state.arrivals.trouble = result.as_ref().err().map(|error| clean(&error.to_string()));
    let page = refresh::noted(state, result);
    let rows = layout::list_rows(state);
    state.arrivals.loading = !refresh::merge(&mut state.arrivals.window, from, page, rows);
}

fn arrival(state: &mut State, id: IntakeId, result: ClientResult<Box<IntakeDetail>>) {
    let trouble = result.as_ref().err().map(|error| clean(&error.to_string()));
    let answer = refresh::noted(state, result);
    if let Some(detail) = &answer {
        state.arrivals.window.renew(detail.item.clone());
        if state.assigning.take_if(|wanted| *wanted == id).is_some() {
            remark::suggested(state, detail);
        }
        let waits = state.over.as_ref().is_some_and(|over| over.title == act::TRACE && over.is_waiting());
        if waits && state.intake_at() == Some(id) {
            state.over = Some(act::trace(&detail.trace));
        }
    }
    let beside = state.place() != Place::Arrival;
    match state.arrival.as_mut().filter(|looked| looked.id == id) {
        Some(looked) => {
            looked.trouble = trouble;
            if answer.is_some() {
                looked.detail = answer;
            }
        }
        // Asked for beside the lists of filings: kept for the trace and the preview.
        None if beside => {
            state.arrival =
                answer.map(|detail| super::Looked { detail: Some(detail), ..super::Looked::at(id) });
        }
        None => {}
    }
}

pub(super) fn cause_names(state: &State) -> Vec<String> {
    let lines = state.causes.as_ref().map(|causes| &causes.items[..]).unwrap_or_default();
    lines.iter().map(|line| format!("{} {}", line.cause.code, line.destination)).collect()
}

/// Puts the groups into the order that the person wants; the cursor stays on its group.
pub(super) fn sort_causes(state: &mut State) {
    let sort = state.sort;
    if let Some(causes) = &mut state.causes {
        match sort {
            Sort::Count => causes
                .items
                .sort_by_key(|line| (std::cmp::Reverse(line.need_person > 0), std::cmp::Reverse(line.count))),
            Sort::Age => causes.items.sort_by_key(|line| line.first),
            Sort::Destination => causes.items.sort_by(|a, b| a.destination.cmp(&b.destination)),
        }
    }
    let names = cause_names(state);
    state.cause_at.settle(&names);
}
