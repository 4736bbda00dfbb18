//! The one function that changes the state.

use crossterm::event::KeyEventKind;
use postroom_api::client::{ClientError, News};
use postroom_api::problem::Code;

use super::{Effect, Message, Moment, Place, Reply, State, act, decide, prompt, refresh};
use crate::layout;
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
    if let Some(lines) = detail_lines(state) {
        let height = usize::from(layout::detail(state).height);
        if let Some(looked) = &mut state.looked {
            looked.scroll = looked.scroll.min(lines.saturating_sub(height));
        }
    }
    if let Some(scroll) = state.help {
        let (lines, height) = view::help_extent(state);
        state.help = Some(scroll.min(lines.saturating_sub(height)));
    }
    if let Some(report) = &mut state.report {
        report.scroll = report.scroll.min(report.lines.len().saturating_sub(1));
    }
}

pub(super) fn detail_lines(state: &State) -> Option<usize> {
    (state.place() == Place::Detail).then(|| view::detail_lines(state, layout::detail(state).width).len())
}

fn stream(state: &mut State, news: News) -> Vec<Effect> {
    match news {
        News::Connected => {
            state.link.live = true;
            state.link.again = None;
            // Whatever happened meanwhile.
            state.refresh.wanted = true;
        }
        News::Event(_) => {
            state.refresh.wanted = true;
            if let Some(changes) = &mut state.frozen {
                *changes += 1;
            }
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

fn answered(state: &mut State, reply: Reply) -> Vec<Effect> {
    match reply {
        Reply::Summary(result) => {
            if let Some(summary) = refresh::noted(state, result) {
                state.clock_ahead = summary.now.duration_since(state.moment.at);
                let sources: Vec<String> = summary.sources.iter().map(|line| line.name.to_string()).collect();
                let destinations: Vec<String> =
                    summary.destinations.iter().map(|line| line.name.to_string()).collect();
                state.home.sources.settle(&sources);
                state.home.destinations.settle(&destinations);
                state.summary = Some(summary);
            }
        }
        Reply::Causes(Err(ClientError::Problem(problem))) if problem.is(Code::Forbidden) => {
            state.refresh.waiting = state.refresh.waiting.saturating_sub(1);
        }
        Reply::Causes(result) => {
            if let Some(causes) = refresh::noted(state, result) {
                state.causes = Some(causes);
                let names = cause_names(state);
                state.cause_at.settle(&names);
            }
        }
        Reply::Filings { list, from, result } => {
            if list != state.list {
                state.refresh.waiting = state.refresh.waiting.saturating_sub(1);
                return Vec::new();
            }
            state.loading = false;
            let trouble = result.as_ref().err().map(|error| clean(&error.to_string()));
            state.list_trouble = trouble;
            if let Some(page) = refresh::noted(state, result) {
                let rows = layout::list_rows(state);
                state.window.merge(&from, page, rows);
                for item in state.window.items() {
                    if let Some(mark) = state.marks.get_mut(&item.id) {
                        mark.clone_from(item);
                    }
                }
            } else {
                // Asking again at once would ask for ever: the next refresh does.
                state.loading = true;
            }
        }
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
        Reply::Decided(id, result) => decide::answered(state, id, result),
        Reply::Door(result) => decide::door_answered(state, result),
        Reply::Copied(Ok(())) => {}
        Reply::Copied(Err(error)) => state.say(Tone::Bad, format!("✖ not copied: {error}")),
    }
    Vec::new()
}

pub(super) fn cause_names(state: &State) -> Vec<String> {
    let lines = state.causes.as_ref().map(|causes| &causes.items[..]).unwrap_or_default();
    lines.iter().map(|line| format!("{} {}", line.cause.code, line.destination)).collect()
}
