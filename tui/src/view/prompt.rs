//! The open question above the status line.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use tui_input::Input;

use crate::app::{Prompt, State};
use crate::text::{clean, clip, width, wrap};
use crate::theme::{self, Tone};

/// Draws the question, if there is one.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(prompt) = &state.prompt else { return };
    let theme = state.theme;
    let room = usize::from(area.width);
    let rule = Line::styled("─".repeat(room), theme.of(Tone::Faint));
    match prompt {
        Prompt::Filter { input, errors, .. } => {
            let [top, line, carets, message] = Layout::vertical([Constraint::Length(1); 4]).areas(area);
            frame.render_widget(Paragraph::new(rule), top);
            let scroll = typed(frame, line, "/ ", input);
            let Some(error) = errors.first() else {
                let hint = "state: dest: cause: age> from: ref: by: \"text\"   - excludes   a,b either   ↑ earlier ones";
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
        Prompt::Reason { question, input, .. } => {
            let [top, text, line] =
                Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)])
                    .areas(area);
            frame.render_widget(Paragraph::new(rule), top);
            let lines: Vec<Line<'_>> = wrap(question, room.saturating_sub(2))
                .into_iter()
                .map(|line| Line::styled(format!(" {line}"), theme.of(Tone::Bad)))
                .collect();
            frame.render_widget(Paragraph::new(lines), text);
            typed(frame, line, " Reason: ", input);
        }
        Prompt::Copy { choices, row } => {
            let mut lines = vec![rule];
            for (i, (key, what, text)) in choices.iter().enumerate() {
                let style = if i == *row { theme::cursor(true) } else { Style::new() };
                let head = format!(" {key}  copy {what}: ");
                let sample = clip(&clean(text), room.saturating_sub(width(&head)));
                lines.push(Line::from(vec![
                    Span::styled(head, style),
                    Span::styled(sample, theme.of(Tone::Faint)),
                ]));
            }
            frame.render_widget(Paragraph::new(lines), area);
        }
    }
}

/// A line that is typed, scrolled so that the cursor is seen. Answers by how many columns it is scrolled.
fn typed(frame: &mut Frame<'_>, area: Rect, head: &str, input: &Input) -> usize {
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
