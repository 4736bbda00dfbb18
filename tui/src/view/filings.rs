//! The list of filings.

use postroom_api::State as FilingState;
use postroom_api::filing::FilingItem;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::cells::Cells;
use crate::app::State;
use crate::text::{clip, width};
use crate::theme::{self, Tone, sign, tone};
use crate::when::{self, Times};

/// How wide each column is; 0 leaves it out.
struct Columns {
    age: usize,
    destination: usize,
    source: usize,
    reference: usize,
    tries: usize,
    subject: usize,
    news: usize,
}

impl Columns {
    fn of(room: usize, times: Times, wide: bool) -> Self {
        let age = if times == Times::Relative { 5 } else { 10 };
        let (destination, source, reference, tries) = match room {
            _ if wide => (10, (room / 6).min(20), (room / 8).clamp(8, 14), 5),
            0..=69 => (0, 0, 0, 0),
            70..=99 => (9, 0, 0, 0),
            100..=139 => (10, 15, 9, 0),
            _ => (14, 18, 12, 5),
        };
        let gaps = [destination, source, reference, tries].into_iter().filter(|column| *column > 0).count();
        // Cursor, mark, sign and state stand before the rest.
        let rest =
            room.saturating_sub(2 + 2 + 10 + age + 1 + destination + source + reference + tries + gaps + 1);
        let news = if wide { 0 } else { (rest * 45 / 100).min(44) };
        Self { age, destination, source, reference, tries, subject: rest.saturating_sub(news + 1), news }
    }
}

/// Draws the list with its title.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.theme();
    let room = usize::from(area.width);
    let area = super::footer::draw(state, frame, area);
    let columns = Columns::of(room, state.times, state.config.wide);
    let window = &state.window;
    let mut lines = vec![title(state, room)];

    let heading = theme.of(Tone::Faint);
    let mut cells = Cells::default();
    cells.plain("  ", heading).left("state", 11, heading).right("age", columns.age, heading);
    for (name, wide) in [
        ("dest", columns.destination),
        ("source", columns.source),
        ("reference", columns.reference),
        ("tries", columns.tries),
    ] {
        if wide > 0 {
            cells.left(name, wide, heading);
        }
    }
    cells.left("subject or file", columns.subject, heading).left(
        "why, or what is next",
        columns.news,
        heading,
    );
    lines.push(cells.line());

    let focused = state.on_list();
    let height = usize::from(area.height).saturating_sub(2);
    for (i, item) in window.items().iter().enumerate().skip(window.top()).take(height) {
        lines.push(row(state, item, &columns, i == window.row(), focused));
    }
    if window.items().is_empty() {
        let (text, tone) = match (&state.list_trouble, window.is_loaded()) {
            (Some(trouble), _) => (format!("✖ {trouble}"), Tone::Bad),
            (None, false) => ("…".to_owned(), Tone::Faint),
            (None, true) if window.more_below() => ("searching …".to_owned(), Tone::Faint),
            (None, true) if state.filter.is_empty() => ("There are no filings yet.".to_owned(), Tone::Plain),
            (None, true) => {
                ("No filing matches. / changes the filter, Esc goes back.".to_owned(), Tone::Plain)
            }
        };
        lines.push(Line::styled(format!("  {}", clip(&text, room.saturating_sub(2))), theme.of(tone)));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn title(state: &State, room: usize) -> Line<'static> {
    let window = &state.window;
    let at = if window.items().is_empty() { 0 } else { window.row() + 1 };
    let more = if window.more_below() { "+" } else { "" };
    let above = if window.more_above() { "…" } else { "" };
    let right = format!("{above}{at} of {}{more} ", window.items().len());
    let left = if state.filter.is_empty() {
        " All filings, newest first".to_owned()
    } else {
        format!(" Filings: {}", state.filter)
    };
    let mut cells = Cells::default();
    let wide = room.saturating_sub(width(&right) + 1);
    cells.left(&left, wide, theme::heading()).plain(right, state.theme().of(Tone::Faint));
    cells.line()
}

fn row(state: &State, item: &FilingItem, columns: &Columns, here: bool, focused: bool) -> Line<'static> {
    let theme = state.theme();
    let base = if here { theme::cursor(focused) } else { Style::new() };
    let tinted = base.patch(theme.of(tone(item.state)));
    let marked = state.everything || state.marks.contains_key(&item.id);
    let now = state.server_now();
    let mut cells = Cells::default();
    cells
        .plain(if here { "▸" } else { " " }, base)
        .plain(if marked { "●" } else { " " }, base.patch(theme.of(Tone::Warn)))
        .plain(format!("{} ", sign(item.state)), tinted)
        .left(item.state.as_str(), 9, tinted)
        .right(&when::ago(item.received, now, state.times, &state.zone), columns.age, base);
    if columns.destination > 0 {
        cells.left(item.destination.as_str(), columns.destination, base);
    }
    if columns.source > 0 {
        cells.left(item.source.as_str(), columns.source, base);
    }
    if columns.reference > 0 {
        cells.left(&item.reference, columns.reference, base);
    }
    if columns.tries > 0 {
        cells.right(&item.tries.to_string(), columns.tries, base);
    }
    let name = if item.subject.trim().is_empty() { &item.file_name } else { &item.subject };
    cells.left(name, columns.subject, base).left(&news(state, item), columns.news, base);
    cells.line()
}

/// Why it is not through, or what happens next, in few words.
fn news(state: &State, item: &FilingItem) -> String {
    let now = state.server_now();
    let due = item.due.map(|due| when::ahead(due, now, state.times, &state.zone));
    let cause = item.cause.as_ref().map(|cause| {
        let status = cause.technical.status.map(|status| format!("{status} ")).unwrap_or_default();
        format!("{status}{}", cause.short)
    });
    if let Some(who) = &item.taken_by {
        let what = cause.unwrap_or_default();
        return format!("[{who}] {what}");
    }
    match (item.state, cause, due) {
        (FilingState::Waiting, Some(cause), Some(due)) => format!("{due}: {cause}"),
        (FilingState::Waiting | FilingState::Checking, None, Some(due)) => format!("due {due}"),
        (FilingState::Filed, ..) => {
            item.receipt.as_ref().map(|receipt| receipt.document.clone()).unwrap_or_default()
        }
        (FilingState::Undecided, ..) => "in the DMS or not? you decide".to_owned(),
        (FilingState::Duplicate, ..) => "the same is there already".to_owned(),
        (_, Some(cause), _) => cause,
        (FilingState::Running, ..) => "being sent".to_owned(),
        (FilingState::Held, ..) => "until you release it".to_owned(),
        _ => String::new(),
    }
}
