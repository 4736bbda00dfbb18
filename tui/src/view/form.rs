//! A question with fields, over the body.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::prompt::typed;
use crate::app::{Entry, Form, Prompt, State};
use crate::text::{clip, width, wrap};
use crate::theme::{self, Tone};

/// Draws the question, if there is one.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, body: Rect) {
    let Some(Prompt::Form(form)) = &state.prompt else { return };
    let wide = body.width.min(90);
    let inner = usize::from(wide).saturating_sub(4);
    let below = form.fields.len()
        + usize::from(!form.trouble.is_empty())
        + if form.buttons.is_some() { 2 } else { 0 };
    let room = usize::from(body.height).saturating_sub(2 + below);
    let mut text = lines(state, form, inner);
    if text.len() > room {
        text.truncate(room.saturating_sub(1));
        text.push(Line::styled(" …", state.theme().of(Tone::Faint)));
    }
    let height = u16::try_from(text.len() + below + 2).unwrap_or(u16::MAX).min(body.height);
    let area = Rect {
        x: body.x + (body.width - wide) / 2,
        y: body.y + (body.height - height) / 2,
        width: wide,
        height,
    };
    frame.render_widget(Clear, area);
    let title = format!(" {} ", clip(&form.title, inner));
    let block = Block::bordered().title(Line::styled(title, theme::heading()));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let mut y = inside.y;
    let mut next = |height: usize| {
        let height = u16::try_from(height).unwrap_or(0).min(inside.bottom().saturating_sub(y));
        let here = Rect { y, height, ..inside };
        y += height;
        here
    };
    let number = text.len();
    frame.render_widget(Paragraph::new(text), next(number));
    for at in 0..form.fields.len() {
        field(state, form, at, frame, next(1));
    }
    if !form.trouble.is_empty() {
        let line = Line::styled(format!(" {}", clip(&form.trouble, inner)), state.theme().of(Tone::Bad));
        frame.render_widget(Paragraph::new(line), next(1));
    }
    if form.buttons.is_some() {
        next(1);
        frame.render_widget(Paragraph::new(buttons(form)), next(1));
    }
}

fn lines(state: &State, form: &Form, room: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (text, tone) in &form.text {
        let style = state.theme().of(*tone);
        lines.extend(wrap(text, room).into_iter().map(|line| Line::styled(format!(" {line}"), style)));
    }
    lines
}

/// How wide the labels are.
fn label_width(form: &Form) -> usize {
    form.fields.iter().map(|field| width(field.label)).max().unwrap_or(0)
}

fn field(state: &State, form: &Form, at: usize, frame: &mut Frame<'_>, area: Rect) {
    let Some(field) = form.fields.get(at) else { return };
    let here = form.at == at;
    let wide = label_width(form);
    let needed = if field.needed { "*" } else { " " };
    let label = format!("{}{:<wide$}{needed} ", if here { "▸" } else { " " }, field.label);
    let room = usize::from(area.width).saturating_sub(width(&label) + 1);
    let faint = state.theme().of(Tone::Faint);
    let head = if here { theme::heading() } else { Style::new() };
    match &field.entry {
        Entry::Text(input) if here => {
            typed(frame, area, &label, input);
            if input.value().is_empty() {
                let hint = Rect {
                    x: area.x + u16::try_from(width(&label) + 1).unwrap_or(0).min(area.width),
                    width: area.width.saturating_sub(u16::try_from(width(&label) + 1).unwrap_or(0)),
                    ..area
                };
                frame.render_widget(Paragraph::new(Line::styled(clip(&field.hint, room), faint)), hint);
            }
        }
        Entry::Text(input) => {
            let (text, style) = if input.value().is_empty() {
                (field.hint.as_str(), faint)
            } else {
                (input.value(), Style::new())
            };
            let line = Line::from(vec![Span::styled(label, head), Span::styled(clip(text, room), style)]);
            frame.render_widget(Paragraph::new(line), area);
        }
        Entry::Choice(options, chosen) => {
            let shown = options.get(*chosen).map(|(shown, _)| shown.as_str()).unwrap_or_default();
            let text = format!("‹ {} ›", clip(shown, room.saturating_sub(4)));
            let style = if here { theme::cursor(true) } else { Style::new() };
            let line = Line::from(vec![Span::styled(label, head), Span::styled(text, style)]);
            frame.render_widget(Paragraph::new(line), area);
        }
    }
}

fn buttons(form: &Form) -> Line<'static> {
    let Some(buttons) = &form.buttons else { return Line::default() };
    let here = form.at >= form.fields.len();
    let style = |on: bool| if here && on { theme::cursor(true) } else { Style::new() };
    let mark = |on: bool| if here && on { "▸" } else { " " };
    Line::from(vec![
        Span::raw(" "),
        Span::styled(format!("{}[ No ]", mark(!buttons.on_yes)), style(!buttons.on_yes)),
        Span::raw("  "),
        Span::styled(format!("{}[ {} ]", mark(buttons.on_yes), buttons.yes), style(buttons.on_yes)),
    ])
}
