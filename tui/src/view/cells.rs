//! One line made of columns.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::text::{clip, width};

/// A line under construction.
#[derive(Debug, Default)]
pub(super) struct Cells {
    spans: Vec<Span<'static>>,
}

impl Cells {
    /// A column with its text at the left, and a space behind it.
    pub(super) fn left(&mut self, text: &str, columns: usize, style: Style) -> &mut Self {
        let text = clip(text, columns);
        let fill = columns.saturating_sub(width(&text)) + 1;
        self.spans.push(Span::styled(text + &" ".repeat(fill), style));
        self
    }

    /// A column with its text at the right, and a space behind it.
    pub(super) fn right(&mut self, text: &str, columns: usize, style: Style) -> &mut Self {
        let text = clip(text, columns);
        let fill = columns.saturating_sub(width(&text));
        self.spans.push(Span::styled(" ".repeat(fill) + &text + " ", style));
        self
    }

    /// Text as it is.
    pub(super) fn plain(&mut self, text: impl Into<String>, style: Style) -> &mut Self {
        self.spans.push(Span::styled(text.into(), style));
        self
    }

    /// The line.
    pub(super) fn line(&mut self) -> Line<'static> {
        Line::from(std::mem::take(&mut self.spans))
    }
}

/// The first of the rows to show so that `row` is among `height` of them.
pub(super) const fn first_row(row: usize, height: usize) -> usize {
    if height == 0 { row } else { row.saturating_sub(height - 1) }
}
