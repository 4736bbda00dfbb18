//! The open question above the status line.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use tui_input::Input;

use super::cells::Cells;
use crate::app::{Offer, Prompt, State, offers};
use crate::layout::OFFERS;
use crate::place::Place;
use crate::text::{clean, clip, width};
use crate::theme::{self, Tone};

/// Draws the question, if there is one.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(prompt) = &state.prompt else { return };
    let theme = state.theme();
    let room = usize::from(area.width);
    let rule = Line::styled("─".repeat(room), theme.of(Tone::Faint));
    match prompt {
        Prompt::Filter { place, input, errors, .. } => {
            let [top, line, carets, message] = Layout::vertical([Constraint::Length(1); 4]).areas(area);
            frame.render_widget(Paragraph::new(rule), top);
            let scroll = typed(frame, line, "/ ", input);
            let Some(error) = errors.first() else {
                let hint = match place {
                    Place::Events => "words that must stand in an event",
                    place if place.is_arrivals() => {
                        "state: from: for:me  and words of subject, sender, file name   ↑ earlier ones"
                    }
                    _ => {
                        "state: dest: cause: age> from: ref: by: \"text\"   - excludes   a,b either   ↑ earlier ones"
                    }
                };
                frame.render_widget(
                    Paragraph::new(Line::styled(
                        format!("  {}", clip(hint, room.saturating_sub(2))),
                        theme.of(Tone::Faint),
                    )),
                    carets,
                );
                return;
            };
            // Under the mistake, in columns rather than characters.
            let before: String = input.value().chars().take(error.position).collect();
            let wrong: String =
                input.value().chars().skip(error.position).take(error.length.max(1)).collect();
            let at = (width(&before) + 2).saturating_sub(scroll);
            let marks = "^".repeat(width(&wrong).max(1));
            frame.render_widget(
                Paragraph::new(Line::styled(" ".repeat(at) + &marks, theme.of(Tone::Bad))),
                carets,
            );
            let meant = error
                .suggestion
                .as_ref()
                .map(|meant| format!("did you mean {meant} ? (Tab) · "))
                .unwrap_or_default();
            let others = match errors.len() {
                1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            };
            let text = format!("{meant}{}{others}", error.message);
            frame.render_widget(
                Paragraph::new(Line::styled(
                    format!("  {}", clip(&text, room.saturating_sub(2))),
                    theme.of(Tone::Bad),
                )),
                message,
            );
        }
        Prompt::Command { input, row } => {
            let [top, line, below] =
                Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0)])
                    .areas(area);
            frame.render_widget(Paragraph::new(rule), top);
            typed(frame, line, ": ", input);
            frame.render_widget(Paragraph::new(commands(state, input.value(), *row, room)), below);
        }
        Prompt::Menu(menu) => {
            let head = format!("── {} {}", menu.title, "─".repeat(room));
            let mut lines = vec![Line::styled(clip(&head, room), theme.of(Tone::Faint))];
            let height = usize::from(area.height).saturating_sub(1);
            let first = super::cells::first_row(menu.row, height);
            for (i, choice) in menu.choices.iter().enumerate().skip(first).take(height) {
                let style = if i == menu.row { theme::cursor(true) } else { Style::new() };
                let head = format!(" {}  {}: ", choice.key, clip(&choice.what, room / 2));
                let sample = clip(&clean(&choice.sample), room.saturating_sub(width(&head)));
                lines.push(Line::from(vec![
                    Span::styled(head, style),
                    Span::styled(sample, theme.of(Tone::Faint)),
                ]));
            }
            frame.render_widget(Paragraph::new(lines), area);
        }
        // It lies over the body.
        Prompt::Form(_) => {}
    }
}

/// What a typed text may mean, each with its key and what it does.
fn commands(state: &State, typed: &str, row: usize, room: usize) -> Vec<Line<'static>> {
    let theme = state.theme();
    let offers = offers(state, typed);
    if offers.is_empty() {
        return vec![Line::styled("  nothing of that name works here", theme.of(Tone::Warn))];
    }
    let first = super::cells::first_row(row, OFFERS);
    let shown = offers.iter().enumerate().skip(first).take(OFFERS);
    let line = |(i, offer): (usize, &Offer)| {
        let base = if i == row { theme::cursor(true) } else { Style::new() };
        let (text, tone) = if offer.not_now.is_empty() {
            (offer.row.help.to_owned(), Tone::Plain)
        } else {
            (format!("not now: {}", offer.not_now), Tone::Faint)
        };
        let mut cells = Cells::default();
        cells
            .plain(if i == row { "▸ " } else { "  " }, base)
            .left(offer.row.command, 16, base)
            .left(&state.keys.name(offer.row), 6, base.patch(theme.of(Tone::Faint)))
            .left(&text, room.saturating_sub(27), base.patch(theme.of(tone)));
        cells.line()
    };
    shown.map(line).collect()
}

/// A line that is typed, scrolled so that the cursor is seen. Answers by how many columns it is scrolled.
pub(super) fn typed(frame: &mut Frame<'_>, area: Rect, head: &str, input: &Input) -> usize {
    let room = usize::from(area.width).saturating_sub(width(head) + 1);
    let scroll = input.visual_scroll(room);
    let mut skipped = 0;
    let shown: String = input
        .value()
        .chars()
        .skip_while(|c| {
            let here = skipped < scroll;
            if here {
                skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            }
            here
        })
        .collect();
    let line = Line::from(vec![Span::styled(head.to_owned(), theme::heading()), Span::raw(shown)]);
    frame.render_widget(Paragraph::new(line), area);
    let column = width(head) + input.visual_cursor().saturating_sub(scroll);
    let x =
        area.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX)).min(area.right().saturating_sub(1));
    if area.width > 0 && area.height > 0 {
        frame.set_cursor_position(Position { x, y: area.y });
    }
    scroll
}
