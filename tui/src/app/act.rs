//! What a key does, once it is known to be possible.

use crossterm::event::KeyEvent;
use postroom_api::IntakeState;
use postroom_api::decision::DecisionKind;
use postroom_api::preview::Preview;
use postroom_api::view::ViewBody;

use super::change::{self, Change, Job};
use super::form::{Field, Form};
use super::over::{self, Body, Over};
use super::prompt::{self, Choice, Menu, Pick, Prompt};
use super::{Door, Effect, Sort, State, go, moves, refresh, remark, settings_menu};
use crate::action::{Action, Availability, availability};
use crate::layout;
use crate::place::Place;
use crate::theme::Tone;
use crate::when::Times;

/// What the steps and rules of an arrival are called.
pub(super) const TRACE: &str = "Why this matter";

/// A key was pressed.
pub(super) fn pressed(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let actions = state.keys.actions(key);
    if actions.contains(&Action::Leave) {
        return vec![Effect::Quit];
    }
    if layout::fit(state.size) == layout::Fit::TooSmall {
        // Nothing is seen, so nothing but leaving is done.
        return if actions.contains(&Action::Quit) { vec![Effect::Quit] } else { Vec::new() };
    }
    if state.prompt.is_some() {
        return prompt::key(state, key);
    }
    state.status = None;
    if state.over.is_some() {
        over::key(state, key, &actions);
        return Vec::new();
    }
    let mut off = None;
    for action in actions {
        match availability(state, action) {
            Availability::On => return act(state, action),
            Availability::Off(reason) => off = Some(reason),
            Availability::Hidden => {}
        }
    }
    if let Some(reason) = off {
        state.say(Tone::Warn, format!("not now: {reason}"));
    }
    Vec::new()
}

/// Does it.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(screen) = action.screen() {
        return go::go(state, screen);
    }
    match action {
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Top | Action::Bottom => {
            moves::moved(state, action)
        }
        Action::NextPane | Action::PreviousPane => moves::pane(state, action == Action::NextPane),
        Action::Open => go::open(state),
        Action::Back => go::back(state),
        Action::Quit if state.trail.len() > 1 => go::back(state),
        Action::Quit | Action::Leave => vec![Effect::Quit],
        Action::Mark | Action::MarkRange | Action::MarkAll | Action::ClearMarks => mark(state, action),
        Action::Retry => change::begin(state, DecisionKind::Retry, false),
        Action::RetryNow => change::begin(state, DecisionKind::Retry, true),
        Action::Hold => change::begin(state, DecisionKind::Hold, false),
        Action::Release => change::begin(state, DecisionKind::Release, false),
        Action::Cancel => change::begin(state, DecisionKind::Cancel, false),
        Action::FileAnyway => change::begin(state, DecisionKind::FileAnyway, false),
        Action::Edit => change::begin_edit(state),
        Action::Link => change::begin_link(state),
        Action::Assign => remark::begin_assign(state),
        Action::Dismiss => remark::begin_end(state, true),
        Action::ReleaseArrival => remark::begin_end(state, false),
        Action::Take => remark::take(state),
        Action::Note => remark::begin_note(state),
        Action::Undo | Action::Stop => end_bulk(state, action),
        Action::Pause => change::begin_pause(state),
        Action::Resume => match state.door() {
            Some(Door { kind, name, shown, .. }) => {
                change::send(state, Change::Door { kind, name, shown, pause: None })
            }
            None => Vec::new(),
        },
        Action::Trace | Action::Preview | Action::Original => look_into(state, action),
        Action::Export | Action::SaveView => ask(state, action),
        Action::Refresh => {
            state.loading = false;
            state.arrivals.loading = false;
            refresh::everything(state)
        }
        _ => look(state, action),
    }
}

/// What changes only what is seen.
fn look(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Filter => {
            let place = if state.place().is_arrivals() || state.place() == Place::Events {
                state.place()
            } else {
                Place::Filings
            };
            let present = match place {
                Place::Events => state.events.filter.as_str(),
                Place::Filings if state.place() == Place::Filings => state.filter.as_str(),
                Place::Filings => "",
                _ => state.arrivals.filter.as_str(),
            };
            state.prompt = Some(Prompt::filter(place, present));
        }
        Action::Palette => {
            state.prompt = Some(Prompt::Command { input: tui_input::Input::default(), row: 0 });
        }
        Action::Copy => {
            let choices = prompt::copies(state);
            state.prompt = Some(Prompt::Menu(Menu { title: "Copy".to_owned(), choices, row: 0 }));
        }
        Action::Views => return views(state),
        Action::Settings => settings_menu::open(state, 0),
        Action::Freeze => {
            state.frozen = if state.frozen.is_some() { None } else { Some(0) };
            state.events.freeze(state.frozen.is_some());
        }
        Action::Sort => {
            state.sort = match state.sort {
                Sort::Count => Sort::Age,
                Sort::Age => Sort::Destination,
                Sort::Destination => Sort::Count,
            };
            super::update::sort_causes(state);
        }
        Action::Times => {
            state.times = match state.times {
                Times::Relative => Times::Absolute,
                Times::Absolute => Times::Relative,
            };
        }
        Action::Wide => state.config.wide = !state.config.wide,
        Action::Mouse => {
            state.config.mouse = !state.config.mouse;
            let text = if state.config.mouse {
                "the mouse chooses and scrolls here; with Shift it selects text as anywhere else"
            } else {
                "the mouse is the terminal's: it selects text"
            };
            state.say(Tone::Plain, text);
            return vec![Effect::Mouse(state.config.mouse)];
        }
        Action::Help => {
            let title = format!("Help: {}", state.place().title());
            state.over = Some(Over::new(title, Body::Help));
        }
        _ => {}
    }
    Vec::new()
}

fn mark(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Mark => {
            let Some(item) = state.window.current().cloned() else { return Vec::new() };
            state.last_mark = Some(item.id);
            if state.marks.remove(&item.id).is_none() {
                state.marks.insert(item.id, item);
            }
            return moves::moved(state, Action::Down);
        }
        Action::MarkRange => {
            let items = state.window.items();
            let begin = items.iter().position(|item| Some(item.id) == state.last_mark);
            let (row, begin) = (state.window.row(), begin.unwrap_or(state.window.row()));
            let range = items[begin.min(row)..=begin.max(row)].iter();
            state.marks.extend(range.map(|item| (item.id, item.clone())));
        }
        Action::MarkAll => {
            state.marks.clear();
            state.everything = true;
            let held = state.window.items().len();
            let number = if state.window.more_below() || state.window.more_above() {
                format!("more than {held}")
            } else {
                held.to_string()
            };
            state.say(
                Tone::Warn,
                format!("● all that match are meant: {number}; the question before it is done counts them"),
            );
        }
        _ => {
            state.marks.clear();
            state.everything = false;
            state.last_mark = None;
        }
    }
    Vec::new()
}

fn end_bulk(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(id) = state.bulk.as_ref().map(|live| live.view.id) else { return Vec::new() };
    let change = if action == Action::Undo { Change::UndoBulk(id) } else { Change::StopBulk(id) };
    vec![Effect::Change(change)]
}

/// Why this matter, what is inside, and the untouched bytes.
fn look_into(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(id) = state.intake_at() else { return Vec::new() };
    match action {
        Action::Trace => {
            let known = state.arrival.as_ref().and_then(|looked| looked.detail.as_ref());
            if let Some(detail) = known.filter(|detail| detail.item.id == id) {
                state.over = Some(trace(&detail.trace));
                return Vec::new();
            }
            state.over = Some(Over::waiting(TRACE));
            refresh::asked(state, vec![Effect::Arrival(id)])
        }
        Action::Preview => {
            state.over = Some(Over::waiting("Inside"));
            refresh::asked(state, vec![Effect::Preview(id, document_of(state))])
        }
        _ => {
            let name = state
                .looked_at()
                .map(|item| item.file_name.clone())
                .or_else(|| state.arrival_at()?.documents.first().map(|document| document.file_name.clone()));
            let quarantined = state.arrival_at().is_some_and(|item| item.state == IntakeState::Quarantined);
            let tone = if quarantined { Tone::Bad } else { Tone::Plain };
            let warning = if quarantined { "it was set aside as unsafe; " } else { "" };
            state.say(tone, format!("{warning}the original is being saved …"));
            vec![Effect::Original(id, name.unwrap_or_default())]
        }
    }
}

/// Which document of its intake the filing is of that is looked at.
fn document_of(state: &State) -> usize {
    let Some(item) = state.looked_at() else { return 0 };
    let known = state.arrival.as_ref().and_then(|looked| looked.detail.as_ref());
    known
        .filter(|detail| detail.item.id == item.intake)
        .and_then(|detail| detail.item.documents.iter().position(|document| document.hash == item.hash))
        .unwrap_or(0)
}

/// The steps and rules of an arrival, each with its answer.
pub(super) fn trace(steps: &[String]) -> Over {
    let mut lines: Vec<(String, Tone)> = steps
        .iter()
        .enumerate()
        .map(|(number, step)| (format!("{:>2}  {step}", number + 1), Tone::Plain))
        .collect();
    if lines.is_empty() {
        lines.push(("No rule was tried: whoever handed it in named the matter.".to_owned(), Tone::Faint));
    }
    Over::new(TRACE, Body::Text(lines))
}

/// A document as text.
pub(super) fn inside(preview: &Preview) -> Over {
    let mut lines: Vec<(String, Tone)> =
        preview.head.iter().map(|(name, value)| (format!("{name}: {value}"), Tone::Faint)).collect();
    if let Some(pages) = preview.pages {
        lines.push((format!("Pages: {pages}"), Tone::Faint));
    }
    for part in &preview.parts {
        let size = crate::text::size(part.size);
        lines.push((format!("Inside: {} · {size} · {}", part.file_name, part.media_type), Tone::Warn));
    }
    if !lines.is_empty() {
        lines.push((String::new(), Tone::Plain));
    }
    lines.extend(preview.text.lines().map(|line| (line.to_owned(), Tone::Plain)));
    if !preview.why_not.is_empty() {
        lines.push((format!("Nothing can be shown: {}", preview.why_not), Tone::Warn));
    }
    if preview.more {
        lines.push(("… there is more; o saves the original".to_owned(), Tone::Faint));
    }
    Over::new(format!("Inside {}", preview.document.file_name), Body::Text(lines))
}

fn views(state: &mut State) -> Vec<Effect> {
    if state.views.is_empty() {
        state.say(Tone::Plain, "there are no saved views yet; F4 saves this one");
        return refresh::asked(state, vec![Effect::Views]);
    }
    let letters = ('a'..='z').chain('0'..='9');
    let choices = state.views.iter().zip(letters).map(|(view, key)| Choice {
        key,
        what: view.name.clone(),
        sample: format!("{} {}", view.screen, view.q),
        pick: Pick::View(view.name.clone()),
    });
    let choices = choices.collect();
    state.prompt =
        Some(Prompt::Menu(Menu { title: "Saved views; Del forgets one".to_owned(), choices, row: 0 }));
    Vec::new()
}

fn ask(state: &mut State, action: Action) -> Vec<Effect> {
    let form = if action == Action::SaveView {
        let screen = state.place();
        let q = match screen {
            Place::Filings => state.filter.clone(),
            Place::Events => state.events.filter.clone(),
            place if place.is_arrivals() => state.arrivals.filter.clone(),
            _ => String::new(),
        };
        let shown = format!("{} {q}", screen.title());
        Form::new("Save this view", Job::SaveView(ViewBody { screen: screen.word().to_owned(), q }))
            .say(Tone::Faint, shown)
            .field(Field::text("Name", "", true, "a name that exists is replaced"))
    } else {
        let what = if state.filter.is_empty() {
            "all filings there are".to_owned()
        } else {
            format!("all that match {}", state.filter)
        };
        let formats = [("CSV, for a spreadsheet", "csv"), ("JSON, one object a line", "json")];
        let formats = formats.map(|(shown, value)| (shown.to_owned(), value.to_owned())).to_vec();
        Form::new("Export", Job::Export(state.filter.clone()))
            .say(Tone::Plain, format!("Saves {what} into a file. It is noted in the audit."))
            .field(Field::choice("Format", formats, 0))
    };
    state.prompt = Some(Prompt::Form(Box::new(form)));
    Vec::new()
}
