//! What happens, newest first.

use postroom_api::event::EventView;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::cells::{Cells, first_row};
use crate::app::State;
use crate::layout;
use crate::text::{clip, width};
use crate::theme::{self, Tone};
use crate::when;

/// The first event that is seen.
pub(crate) fn top(state: &State) -> usize {
    first_row(state.events.row(), usize::from(layout::areas(state).body.height).saturating_sub(2))
}

/// Draws the screen.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.theme();
    let room = usize::from(area.width);
    let shown = state.events.shown();
    let at = state.events.row();
    let left = if state.events.filter.is_empty() {
        " Events, newest first".to_owned()
    } else {
        format!(" Events: {}", state.events.filter)
    };
    let follows = match state.frozen {
        Some(_) => "frozen",
        None if state.events.follows() => "following",
        None => "not following: g goes to the newest",
    };
    let right = format!("{follows} · {} of {} ", if shown.is_empty() { 0 } else { at + 1 }, shown.len());
    let mut title = Cells::default();
    title
        .left(&left, room.saturating_sub(width(&right) + 1), theme::heading())
        .plain(right, theme.of(Tone::Faint));
    let heading = theme.of(Tone::Faint);
    let (who, about) = (if room >= 100 { 20 } else { 12 }, 9);
    let words = room.saturating_sub(2 + 15 + about + 1 + who + 1);
    let mut head = Cells::default();
    head.plain("  ", heading)
        .left("when", 14, heading)
        .left("about", about, heading)
        .left("who", who, heading)
        .left("what", words, heading);
    let mut lines = vec![title.line(), head.line()];
    let height = usize::from(area.height).saturating_sub(2);
    for (i, event) in shown.iter().enumerate().skip(first_row(at, height)).take(height) {
        lines.push(row(state, event, i == at, (about, who, words)));
    }
    if shown.is_empty() {
        let text = if state.events.filter.is_empty() {
            "  Nothing has happened yet."
        } else {
            "  No event has these words."
        };
        lines.push(Line::styled(text, theme.of(Tone::Faint)));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn row(
    state: &State,
    event: &EventView,
    here: bool,
    (about, who, words): (usize, usize, usize),
) -> Line<'static> {
    let theme = state.theme();
    let base = if here { theme::cursor(true) } else { Style::new() };
    let tone = match (event.happening.kind.as_str(), event.happening.to.as_deref()) {
        ("alert", _) | (_, Some("failed" | "undecided" | "needs_person" | "quarantined")) => Tone::Bad,
        ("paused", _) | (_, Some("blocked" | "held")) => Tone::Warn,
        (_, Some("filed")) => Tone::Good,
        _ => Tone::Plain,
    };
    let note = if event.note.is_empty() { String::new() } else { format!(": {}", event.note) };
    let mut cells = Cells::default();
    cells
        .plain(if here { "▸ " } else { "  " }, base)
        .left(&when::seconds(event.at, state.server_now(), &state.zone), 14, base)
        .left(&event.subject.kind, about, base)
        .left(&event.actor.name, who, base)
        .left(&clip(&format!("{}{note}", event.happening.words), words), words, base.patch(theme.of(tone)));
    cells.line()
}
