//! The help: what works in this place, from the table of keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use crate::action::{Availability, availability};
use crate::app::{Place, State};
use crate::keys::TABLE;
use crate::layout;
use crate::text::clip;
use crate::theme::{self, Tone};

/// How many lines the help has, and how many fit.
pub(crate) fn extent(state: &State) -> (usize, usize) {
    (lines(state, 80).len(), usize::from(layout::areas(state).body.height).saturating_sub(2))
}

fn lines(state: &State, columns: usize) -> Vec<Line<'static>> {
    let theme = state.theme;
    let mut lines = Vec::new();
    for row in TABLE {
        let (text, tone) = match availability(state, row.action) {
            Availability::On => (row.help.to_owned(), Tone::Plain),
            Availability::Off(reason) => (format!("{} – not now: {reason}", row.help), Tone::Faint),
            Availability::Hidden => continue,
        };
        lines.push(Line::from(vec![
            Span::styled(format!(" {:<7}", row.name), theme::heading()),
            Span::styled(clip(&text, columns.saturating_sub(9)), theme.of(tone)),
        ]));
    }
    lines.push(Line::from(vec![
        Span::styled(format!(" {:<7}", "Ctrl-C"), theme::heading()),
        Span::raw("leave at once"),
    ]));
    if state.place() == Place::Filings {
        lines.push(Line::default());
        lines.push(Line::styled(
            " The filter: words are AND, - excludes, a,b is either, \"quotes\" keep together",
            theme::heading(),
        ));
        for (key, text) in postroom_api::filter::KEYS {
            lines.push(Line::from(vec![
                Span::styled(format!(" {key:<7}"), theme::heading()),
                Span::raw(clip(text, columns.saturating_sub(9))),
            ]));
        }
    }
    lines
}

/// Draws it over the body.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, body: Rect) {
    let place = match state.place() {
        Place::Home => "Home",
        Place::Filings => "Filings",
        Place::Causes => "Failed by cause",
        Place::Detail => "One filing",
    };
    let lines = lines(state, usize::from(body.width).saturating_sub(2));
    let scroll = u16::try_from(state.help.unwrap_or(0)).unwrap_or(u16::MAX);
    let hidden = lines.len() > usize::from(body.height).saturating_sub(2);
    let title = if hidden { format!(" Help: {place} (↑ ↓ scroll) ") } else { format!(" Help: {place} ") };
    frame.render_widget(Clear, body);
    frame
        .render_widget(Paragraph::new(lines).scroll((scroll, 0)).block(Block::bordered().title(title)), body);
}
