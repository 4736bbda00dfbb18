//! The lines that are always there: header, status, keys.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::action::{Action, Availability, availability};
use crate::app::{Body, Prompt, State};
use crate::keys::TABLE;
use crate::place::Place;
use crate::text::{clip, width};
use crate::theme::{self, Tone};
use crate::when::{self, Times};

/// Who, and where.
pub(crate) fn header_text(state: &State) -> String {
    let mut left = match &state.summary {
        Some(summary) => {
            let name = if summary.name.is_empty() { "Postroom" } else { &summary.name };
            let you = &summary.you;
            let roles: Vec<_> = you.roles.iter().map(postroom_api::RoleName::as_str).collect();
            format!(" {name} · {} · {} ({})", you.site, you.name, roles.join(", "))
        }
        None => format!(" Postroom · {}", state.server),
    };
    if state.is_read_only() {
        left += " · READ ONLY";
    }
    let mut trail: Vec<&str> = state.trail.iter().map(|place| place.title()).collect();
    if trail.len() > 1 {
        trail.remove(0);
    }
    left += " · ";
    left += &trail.join(" › ");
    left
}

/// Who, where, and how fresh the data is.
pub(super) fn header(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let right = freshness(state);
    let room = usize::from(area.width).saturating_sub(width(&right) + 2);
    let style = theme::heading();
    frame.render_widget(Paragraph::new(Line::styled(clip(&header_text(state), room), style)), area);
    frame.render_widget(Paragraph::new(Line::styled(right, style)).alignment(Alignment::Right), area);
}

fn freshness(state: &State) -> String {
    let zone = match state.times {
        Times::Relative => "",
        Times::Absolute => " %Z",
    };
    let clock = state.moment.at.to_zoned(state.zone.clone()).strftime(&format!("%H:%M{zone}")).to_string();
    let data = if let Some(changes) = state.frozen {
        format!("FROZEN, {changes} new")
    } else if state.link.is_lost() || !state.link.live {
        match state.link.answered {
            Some(answered) => {
                let age = state.moment.since_start.saturating_sub(answered).as_secs();
                format!("data {} old", when::span(age))
            }
            None => "no data yet".to_owned(),
        }
    } else {
        "live".to_owned()
    };
    format!("{data} · {clock} ")
}

/// What was just done, or what is under way.
pub(crate) fn status_text(state: &State) -> Option<String> {
    status_line(state).map(|(text, _)| text)
}

fn status_line(state: &State) -> Option<(String, Tone)> {
    if let Some(status) = &state.status {
        return Some((status.text.clone(), status.tone));
    }
    if let Some(live) = state.bulk.as_ref().filter(|live| live.runs()) {
        return Some((format!("… {}", live.words(state.server_now())), Tone::Busy));
    }
    if let Some(changing) = &state.changing {
        return Some((format!("… {changing}"), Tone::Busy));
    }
    if state.place() != Place::Filings {
        return None;
    }
    if state.everything {
        return Some((format!("● all that match are meant: {}", state.filter), Tone::Warn));
    }
    (!state.marks.is_empty()).then(|| (format!("● {} marked", state.marks.len()), Tone::Warn))
}

/// Draws it.
pub(super) fn status(state: &State, frame: &mut Frame<'_>, area: Rect) {
    if let Some((text, tone)) = status_line(state) {
        let line = Line::styled(clip(&text, usize::from(area.width)), state.theme().of(tone));
        frame.render_widget(Paragraph::new(line), area);
    }
}

/// A key of the bar: its name, what it does in a word, and the action where it is one of the table.
type Key = (String, String, Option<Action>);

/// The keys that work here, in the order of the table; help is always among them.
fn bar(state: &State) -> Vec<Key> {
    let told = |name: &str, short: &str| (name.to_owned(), short.to_owned(), None);
    match &state.prompt {
        Some(Prompt::Form(form)) => {
            let mut keys = vec![told("Enter", "go on"), told("Esc", "leave it")];
            if form.fields.len() > 1 || form.buttons.is_some() {
                keys.push(told("Tab", "next"));
                keys.push(told("← →", "choose"));
            }
            return keys;
        }
        Some(Prompt::Menu(_)) => {
            return vec![told("Enter", "do it"), told("↑ ↓", "choose"), told("Esc", "leave it")];
        }
        Some(Prompt::Command { .. }) => {
            return vec![
                told("Enter", "do it"),
                told("↑ ↓", "choose"),
                told("Tab", "complete"),
                told("Esc", "leave it"),
            ];
        }
        Some(Prompt::Filter { errors, .. }) => {
            let mut keys = vec![told("Enter", "do it"), told("Esc", "leave it")];
            if errors.iter().any(|error| error.suggestion.is_some()) {
                keys.push(told("Tab", "take the suggestion"));
            }
            return keys;
        }
        None => {}
    }
    if let Some(over) = &state.over {
        let mut keys = vec![told("Esc", "close"), told("↑ ↓", "scroll")];
        match over.body {
            Body::Help => keys.push(told("/", "search")),
            Body::Losers { .. } => keys.push(told("*", "list them")),
            Body::Text(_) => {}
        }
        return keys;
    }
    let rows = TABLE.iter().filter(|row| !row.short.is_empty() && row.action != Action::Help);
    let on = rows.filter(|row| availability(state, row.action) == Availability::On);
    let help = TABLE.iter().filter(|row| row.action == Action::Help);
    help.chain(on).map(|row| (state.keys.name(row), row.short.to_owned(), Some(row.action))).collect()
}

/// Those of the keys for which there is room.
fn fitting(state: &State, columns: u16) -> Vec<Key> {
    let mut room = usize::from(columns);
    let fits = |(name, short, _): &Key| {
        let wide = width(name) + width(short) + 3;
        let yes = wide <= room;
        room -= if yes { wide } else { 0 };
        yes
    };
    bar(state).into_iter().filter(fits).collect()
}

/// The action of the key that stands in a column of the bar.
pub(crate) fn key_at(state: &State, area: Rect, column: u16) -> Option<Action> {
    let mut x = usize::from(area.x);
    for (name, short, action) in fitting(state, area.width) {
        let wide = width(&name) + width(&short) + 3;
        if (x..x + wide).contains(&usize::from(column)) {
            return action;
        }
        x += wide;
    }
    None
}

/// Draws the bar.
pub(super) fn keys(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let mut spans = Vec::new();
    for (name, short, _) in fitting(state, area.width) {
        spans.push(Span::styled(format!(" {name}"), theme::heading()));
        spans.push(Span::styled(format!(" {short} "), state.theme().of(Tone::Faint)));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
