//! What lies over the screen: the help, a text, what was left out of a set.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::cells::Cells;
use crate::action::{Availability, availability};
use crate::app::{Body, Over, State};
use crate::keys::TABLE;
use crate::layout;
use crate::place::Place;
use crate::text::{clip, wrap};
use crate::theme::{self, Tone};

/// How many lines there are, and how many fit.
pub(crate) fn extent(state: &State) -> (usize, usize) {
    let body = layout::areas(state).body;
    let lines = state.over.as_ref().map_or(0, |over| lines(state, over, columns(body)).len());
    (lines, usize::from(body.height).saturating_sub(2))
}

/// The lines, for whoever has no screen.
pub(crate) fn text(state: &State) -> Vec<String> {
    let Some(over) = &state.over else { return Vec::new() };
    let lines = lines(state, over, usize::from(state.size.0));
    lines.iter().map(|line| line.spans.iter().map(|span| span.content.as_ref()).collect()).collect()
}

fn columns(body: Rect) -> usize {
    usize::from(body.width).saturating_sub(2)
}

fn lines(state: &State, over: &Over, columns: usize) -> Vec<Line<'static>> {
    match &over.body {
        Body::Help => help(state, &over.wanted(), columns),
        Body::Text(text) => {
            let mut lines = Vec::new();
            for (text, tone) in text {
                let style = state.theme().of(*tone);
                lines.extend(
                    wrap(text, columns.saturating_sub(2))
                        .into_iter()
                        .map(|line| Line::styled(format!(" {line}"), style)),
                );
            }
            lines
        }
        Body::Losers { items, more } => {
            let names = (columns / 2).min(44);
            let mut lines: Vec<Line<'static>> = items
                .iter()
                .map(|item| {
                    let mut cells = Cells::default();
                    cells
                        .plain(" ✖ ", state.theme().of(Tone::Bad))
                        .left(&item.name, names, Style::new())
                        .left(&item.why, columns.saturating_sub(names + 5), state.theme().of(Tone::Warn));
                    cells.line()
                })
                .collect();
            if *more {
                lines.push(Line::styled(
                    " … and more: postroom bulk items lists all",
                    state.theme().of(Tone::Faint),
                ));
            }
            lines
        }
    }
}

/// What works in this place, from the table of keys.
fn help(state: &State, wanted: &str, columns: usize) -> Vec<Line<'static>> {
    let theme = state.theme();
    let mut lines = Vec::new();
    let found = |text: &str| wanted.is_empty() || text.to_lowercase().contains(wanted);
    let mut put = |key: &str, text: &str, tone: Tone| {
        if found(&format!("{key} {text}")) {
            lines.push(Line::from(vec![
                Span::styled(format!(" {key:<7}"), theme::heading()),
                Span::styled(clip(text, columns.saturating_sub(9)), theme.of(tone)),
            ]));
        }
    };
    for row in TABLE {
        let key = state.keys.name(row);
        match availability(state, row.action) {
            Availability::On => put(&key, &format!("{:<15} {}", row.command, row.help), Tone::Plain),
            Availability::Off(reason) => {
                put(&key, &format!("{:<15} not now: {reason}", row.command), Tone::Faint);
            }
            Availability::Hidden => {}
        }
    }
    put("Ctrl-C", "leave at once", Tone::Plain);
    let filter = match state.place() {
        Place::Filings => {
            put("", "", Tone::Plain);
            put("Filter", "words are AND, - excludes, a,b is either, \"quotes\" keep together", Tone::Plain);
            postroom_api::filter::KEYS
        }
        place if place.is_arrivals() => &crate::app::ARRIVAL_KEYS[..],
        _ => &[],
    };
    for (key, text) in filter {
        put(key, text, Tone::Plain);
    }
    lines
}

/// Draws it over the body.
pub(super) fn draw(state: &State, over: &Over, frame: &mut Frame<'_>, body: Rect) {
    let lines = lines(state, over, columns(body));
    let height = usize::from(body.height).saturating_sub(2);
    let hidden = if lines.len() > height { " (↑ ↓ scroll)" } else { "" };
    let find = over.find.as_ref().map(|find| format!(" / {}▏", find.value())).unwrap_or_default();
    let title = format!(" {}{hidden}{find} ", clip(&over.title, usize::from(body.width).saturating_sub(24)));
    let scroll = u16::try_from(over.scroll).unwrap_or(u16::MAX);
    frame.render_widget(Clear, body);
    frame
        .render_widget(Paragraph::new(lines).scroll((scroll, 0)).block(Block::bordered().title(title)), body);
}
