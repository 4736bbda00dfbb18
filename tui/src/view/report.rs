//! What did not work in a decision over several filings.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

use super::cells::Cells;
use crate::app::{Report, State};
use crate::theme::Tone;

/// Draws it over the body.
pub(super) fn draw(state: &State, report: &Report, frame: &mut Frame<'_>, body: Rect) {
    let room = usize::from(body.width).saturating_sub(2);
    let names = (room / 2).min(44);
    let lines: Vec<Line<'_>> = report
        .lines
        .iter()
        .skip(report.scroll)
        .map(|(name, why)| {
            let mut cells = Cells::default();
            cells
                .plain(" ✖ ", state.theme.of(Tone::Bad))
                .left(name, names, ratatui::style::Style::new())
                .left(why, room.saturating_sub(names + 5), state.theme.of(Tone::Warn));
            cells.line()
        })
        .collect();
    frame.render_widget(Clear, body);
    frame.render_widget(
        Paragraph::new(lines).block(Block::bordered().title(format!(" {} ", report.title))),
        body,
    );
}
