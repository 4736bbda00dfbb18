//! Failures grouped by cause and destination.

use postroom_api::summary::Right;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::cells::{Cells, first_row};
use crate::app::State;
use crate::text::{count, wrap};
use crate::theme::{self, Tone};
use crate::when;

/// The screen of its own: the groups, and below what the one under the cursor means.
pub(super) fn screen(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let [list, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(5)]).areas(area);
    draw(state, frame, list, true);
    let Some(line) = state.cause() else { return };
    let theme = state.theme();
    let room = usize::from(below.width).saturating_sub(2);
    let mut lines = vec![Line::styled("─".repeat(usize::from(below.width)), theme.of(Tone::Faint))];
    lines.extend(wrap(&line.cause.sentence, room).into_iter().map(|line| Line::raw(format!(" {line}"))));
    let fixer = postroom_api::cause::fixer_words(line.cause.fixer);
    let waiting = line.count.saturating_sub(line.need_person);
    let mut next = Vec::new();
    if waiting > 0 {
        next.push(format!("{waiting} go on by themselves when it is right again"));
    }
    if line.need_person > 0 {
        next.push(format!("{} need you to retry or cancel", line.need_person));
    }
    let text = format!("Who can put it right: {fixer}. Next: {}. Enter lists them.", next.join(", "));
    let faint = theme.of(Tone::Faint);
    lines.extend(wrap(&text, room).into_iter().map(|line| Line::styled(format!(" {line}"), faint)));
    frame.render_widget(Paragraph::new(lines), below);
}

/// The groups.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect, focused: bool) {
    let theme = state.theme();
    let now = state.server_now();
    let groups = state.causes.as_ref().map(|causes| &causes.items[..]).unwrap_or_default();
    let heading = if focused { theme::heading() } else { theme.of(Tone::Faint) };
    let room = usize::from(area.width);
    let place = if room >= 100 { 20 } else { 12 };
    let times = room >= 76;
    let words = room.saturating_sub(4 + 5 + 1 + place + 1 + if times { 22 } else { 0 }).min(60);

    let mut cells = Cells::default();
    // Nobody takes the first few for all of them.
    let height = usize::from(area.height).saturating_sub(1);
    let title = if groups.len() > height {
        format!("FAILED BY CAUSE, {height} of {}: 6 lists all", groups.len())
    } else {
        "FAILED BY CAUSE".to_owned()
    };
    cells.plain(if focused { "▸ " } else { "  " }, heading).left(&title, words + 7, heading).left(
        "destination",
        place,
        heading,
    );
    if times {
        cells.right("first", 10, heading).right("last", 10, heading);
    }
    let mut lines = vec![cells.line()];
    let at = state.cause_at.row();
    for (i, group) in groups.iter().enumerate().skip(first_row(at, height)).take(height) {
        let here = focused && i == at;
        let base = if here { theme::cursor(true) } else { Style::new() };
        let (sign, tone) = if group.need_person > 0 { ("✖", Tone::Bad) } else { ("○", Tone::Warn) };
        let status = group.cause.technical.status.map(|status| format!(" ({status})")).unwrap_or_default();
        let mut cells = Cells::default();
        cells
            .plain(if here { "▸ " } else { "  " }, base)
            .plain(format!("{sign} "), base.patch(theme.of(tone)))
            .right(&count(group.count), 4, base.patch(theme.of(tone)))
            .left(&format!("{}{status}", group.cause.short), words, base)
            .left(group.destination.as_str(), place, base);
        if times {
            cells.right(&when::ago(group.first, now, state.times, &state.zone), 10, base).right(
                &when::ago(group.last, now, state.times, &state.zone),
                10,
                base,
            );
        }
        lines.push(cells.line());
    }
    if groups.is_empty() {
        let own = state.summary.as_ref().is_some_and(|summary| !summary.you.may(Right::SeeAll));
        let (text, tone) = match &state.causes {
            Some(_) => ("  ✔ nothing has failed", Tone::Good),
            None if own => ("  your role sees its own filings only: 5 lists them", Tone::Plain),
            None => ("  …", Tone::Faint),
        };
        lines.push(Line::styled(text, theme.of(tone)));
    }
    frame.render_widget(Paragraph::new(lines), area);
}
