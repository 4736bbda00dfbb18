//! What is shown of one thing in full, beside its list or alone.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::app::State;
use crate::layout;
use crate::place::Place;
use crate::text::{clip, wrap};
use crate::theme::{self, Tone};
use crate::when;

/// Draws it, with a border to the list when they stand side by side.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, body: Rect) {
    let area = layout::detail(state);
    if state.is_split() {
        let style = if state.detail_focused { theme::heading() } else { state.theme().of(Tone::Faint) };
        let x = area.x.saturating_sub(2);
        let bar: Vec<Line<'_>> = (0..body.height).map(|_| Line::styled("│", style)).collect();
        frame.render_widget(Paragraph::new(bar), Rect { x, width: 1, ..body });
    }
    let lines = super::detail_lines(state, area.width);
    let scroll = if state.place() == Place::Arrival {
        state.arrival.as_ref().map_or(0, |looked| looked.scroll)
    } else {
        state.looked.as_ref().map_or(0, |looked| looked.scroll)
    };
    let height = usize::from(area.height);
    let more = lines.len().saturating_sub(scroll + height);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(scroll).take(height).collect();
    frame.render_widget(Paragraph::new(shown), area);
    if more > 0 && area.height > 0 {
        let text = format!(" {more} more lines ↓ ");
        let wide = u16::try_from(crate::text::width(&text)).unwrap_or(0).min(area.width);
        let corner = Rect { x: area.right() - wide, y: area.bottom() - 1, width: wide, height: 1 };
        frame.render_widget(Paragraph::new(text).style(theme::heading()), corner);
    }
}

/// A page under construction.
pub(super) struct Page<'a> {
    pub(super) state: &'a State,
    pub(super) columns: usize,
    pub(super) lines: Vec<Line<'static>>,
}

/// How wide the names of values are.
const NAMES: usize = 11;

impl Page<'_> {
    pub(super) fn wrapped(&mut self, text: &str, indent: usize, style: Style) {
        for line in wrap(text, self.columns.saturating_sub(indent)) {
            self.lines.push(Line::styled(" ".repeat(indent) + &line, style));
        }
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.lines.push(Line::default());
        self.lines.push(Line::styled(clip(text, self.columns), theme::heading()));
    }

    /// A name and its value; nothing when the value is empty.
    pub(super) fn value(&mut self, name: &str, value: &str, style: Style) {
        if value.trim().is_empty() {
            return;
        }
        let faint = self.state.theme().of(Tone::Faint);
        for (i, line) in wrap(value, self.columns.saturating_sub(NAMES)).into_iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            self.lines.push(Line::from(vec![
                Span::styled(format!("{name:<NAMES$}"), faint),
                Span::styled(line, style),
            ]));
        }
    }

    /// The history of a thing.
    pub(super) fn history(&mut self, events: &[postroom_api::event::EventView]) {
        self.heading("History");
        for event in events {
            let when = when::seconds(event.at, self.state.server_now(), &self.state.zone);
            let who = match &event.actor.on_behalf_of {
                Some(other) => format!("{} for {other}", event.actor.name),
                None => event.actor.name.clone(),
            };
            let note = if event.note.is_empty() { String::new() } else { format!(": {}", event.note) };
            self.value(&when, &format!("{} · {who}{note}", event.happening.words), Style::new());
        }
    }

    /// What colleagues noted.
    pub(super) fn remarks(&mut self, remarks: &postroom_api::remark::Remarks) {
        if let Some(who) = &remarks.taken_by {
            self.value("Taken by", who, self.state.theme().of(Tone::Warn));
        }
        if !remarks.notes.is_empty() {
            self.heading("Notes");
        }
        for note in &remarks.notes {
            let when = when::seconds(note.at, self.state.server_now(), &self.state.zone);
            self.value(&when, &format!("{}: {}", note.by, note.text), Style::new());
        }
    }
}
