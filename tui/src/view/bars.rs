//! The lines that are always there: header, status, keys.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::action::{Availability, availability};
use crate::app::{Place, Prompt, State};
use crate::keys;
use crate::text::{clip, width};
use crate::theme::{self, Tone};
use crate::when::{self, Times};

/// Who, where, and how fresh the data is.
pub(super) fn header(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let right = freshness(state);
    let room = usize::from(area.width).saturating_sub(width(&right) + 2);
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
    let mut trail: Vec<&str> = state
        .trail
        .iter()
        .map(|place| match place {
            Place::Home => "Home",
            Place::Filings => "Filings",
            Place::Causes => "Failed",
            Place::Detail => "Filing",
        })
        .collect();
    if trail.len() > 1 {
        trail.remove(0);
    }
    left += " · ";
    left += &trail.join(" › ");
    let style = theme::heading();
    frame.render_widget(Paragraph::new(Line::styled(clip(&left, room), style)), area);
    frame.render_widget(Paragraph::new(Line::styled(right, style)).alignment(Alignment::Right), area);
}

fn freshness(state: &State) -> String {
    let zone = match state.times {
        Times::Relative => "",
        Times::Absolute => " %Z",
    };
    let clock = state.moment.at.to_zoned(state.zone.clone()).strftime(&format!("%H:%M{zone}")).to_string();
    let data = if let Some(changes) = state.frozen {
        format!("FROZEN, {changes} changes since")
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
pub(super) fn status(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.width);
    let line = if let Some(status) = &state.status {
        Line::styled(clip(&status.text, room), state.theme.of(status.tone))
    } else if let Some(batch) = &state.batch {
        Line::styled(
            format!("… {} of {} ({})", batch.done(), batch.total, batch.kind),
            state.theme.of(Tone::Busy),
        )
    } else if state.marks.is_empty() {
        return;
    } else {
        Line::styled(format!("● {} marked", state.marks.len()), state.theme.of(Tone::Warn))
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// The keys that work here, as far as there is room; help is always among them.
pub(super) fn keys(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let mut room = usize::from(area.width);
    let mut spans = Vec::new();
    let mut put = |name: &str, short: &str| {
        let wide = width(name) + width(short) + 3;
        if wide <= room {
            room -= wide;
            spans.push(Span::styled(format!(" {name}"), theme::heading()));
            spans.push(Span::styled(format!(" {short} "), state.theme.of(Tone::Faint)));
        }
    };
    if state.prompt.is_some() {
        let tab = match &state.prompt {
            Some(Prompt::Filter { errors, .. }) => errors.iter().any(|error| error.suggestion.is_some()),
            _ => false,
        };
        put("Enter", "do it");
        put("Esc", "leave it");
        if tab {
            put("Tab", "take the suggestion");
        }
    } else if state.help.is_some() || state.report.is_some() {
        put("Esc", "close");
        put("↑ ↓", "scroll");
    } else {
        put("?", "help");
        let bar = keys::TABLE.iter().filter(|row| !row.short.is_empty() && row.name != "?");
        for row in bar.filter(|row| availability(state, row.action) == Availability::On) {
            put(row.name, row.short);
        }
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
