//! A list of arrivals: letters, scans, uploads, or what needs a person.

use postroom_api::IntakeState;
use postroom_api::data_upload::DataUploadView;
use postroom_api::intake::IntakeItem;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::cells::Cells;
use crate::app::State;
use crate::layout;
use crate::place::Place;
use crate::text::{clip, grouped, width};
use crate::theme::{self, Tone, arrival_sign, arrival_tone, arrival_word};
use crate::when::{self, Times};

/// How wide each column is; 0 leaves it out.
struct Columns {
    age: usize,
    source: usize,
    sender: usize,
    parts: usize,
    subject: usize,
    news: usize,
}

impl Columns {
    fn of(room: usize, times: Times, wide: bool) -> Self {
        let age = if times == Times::Relative { 5 } else { 10 };
        let (source, sender) = match room {
            0..=69 => (0, 0),
            70..=99 => (if wide { 16 } else { 10 }, if wide { 20 } else { 0 }),
            _ => (15, 20),
        };
        let gaps = usize::from(source > 0) + usize::from(sender > 0);
        let parts = 5;
        let rest = room.saturating_sub(2 + 2 + 11 + age + 1 + parts + 1 + source + sender + gaps + 1);
        let news = if wide { 0 } else { (rest / 2).min(50) };
        Self { age, source, sender, parts, subject: rest.saturating_sub(news + 1), news }
    }
}

/// Draws the list with its title, and below it the tables of data where it is that of uploads.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let area = super::footer::draw(state, frame, area);
    let below = layout::tables_height(state, area);
    let list = Rect { height: area.height.saturating_sub(below), ..area };
    draw_list(state, frame, list);
    if below > 0 {
        tables(state, frame, Rect { y: list.bottom(), height: below, ..area });
    }
}

fn draw_list(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.theme();
    let room = usize::from(area.width);
    let columns = Columns::of(room, state.times, state.config.wide);
    let (window, place) = (&state.arrivals.window, state.list_place());
    let heading = theme.of(Tone::Faint);
    let mut cells = Cells::default();
    cells.plain("  ", heading).left("state", 11, heading).right("age", columns.age, heading);
    if columns.source > 0 {
        cells.left("source", columns.source, heading);
    }
    if columns.sender > 0 {
        cells.left(if place == Place::Scanning { "scanner" } else { "from" }, columns.sender, heading);
    }
    cells.right("files", columns.parts, heading).left("subject or file", columns.subject, heading);
    if columns.news > 0 {
        cells.left("what it needs, or became", columns.news, heading);
    }
    let mut lines = vec![title(state, room), cells.line()];
    let height = usize::from(area.height).saturating_sub(2);
    let focused = state.on_list();
    for (i, item) in window.items().iter().enumerate().skip(window.top()).take(height) {
        lines.push(row(state, item, &columns, i == window.row(), focused));
    }
    if window.items().is_empty() {
        let (text, tone) = match (&state.arrivals.trouble, window.is_loaded()) {
            (Some(trouble), _) => (format!("– {trouble}"), Tone::Warn),
            (None, false) => ("…".to_owned(), Tone::Faint),
            (None, true) if window.more_below() => ("searching …".to_owned(), Tone::Faint),
            (None, true) if place == Place::Persons && state.arrivals.filter.is_empty() => {
                ("✔ No arrival needs a person.".to_owned(), Tone::Good)
            }
            (None, true) if state.arrivals.filter.is_empty() => {
                ("Nothing has come in yet.".to_owned(), Tone::Plain)
            }
            (None, true) => ("Nothing matches. / changes the filter, Esc goes back.".to_owned(), Tone::Plain),
        };
        lines.push(Line::styled(format!("  {}", clip(&text, room.saturating_sub(2))), theme.of(tone)));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn title(state: &State, room: usize) -> Line<'static> {
    let window = &state.arrivals.window;
    let at = if window.items().is_empty() { 0 } else { window.row() + 1 };
    let more = if window.more_below() { "+" } else { "" };
    let above = if window.more_above() { "…" } else { "" };
    let right = format!("{above}{at} of {}{more} ", window.items().len());
    let left = if state.arrivals.filter.is_empty() {
        format!(" {}, newest first", state.list_place().title())
    } else {
        format!(" {}: {}", state.list_place().title(), state.arrivals.filter)
    };
    let mut cells = Cells::default();
    let wide = room.saturating_sub(width(&right) + 1);
    cells.left(&left, wide, theme::heading()).plain(right, state.theme().of(Tone::Faint));
    cells.line()
}

fn row(state: &State, item: &IntakeItem, columns: &Columns, here: bool, focused: bool) -> Line<'static> {
    let theme = state.theme();
    let base = if here { theme::cursor(focused) } else { Style::new() };
    let tinted = base.patch(theme.of(arrival_tone(item.state)));
    let mut cells = Cells::default();
    cells
        .plain(if here { "▸ " } else { "  " }, base)
        .plain(format!("{} ", arrival_sign(item.state)), tinted)
        .left(arrival_word(item.state), 9, tinted)
        .right(&when::ago(item.received, state.server_now(), state.times, &state.zone), columns.age, base);
    if columns.source > 0 {
        cells.left(item.source.as_str(), columns.source, base);
    }
    if columns.sender > 0 {
        cells.left(&item.sender, columns.sender, base);
    }
    let file = item.documents.first().map(|document| document.file_name.as_str()).unwrap_or_default();
    let name = if item.subject.trim().is_empty() { file } else { &item.subject };
    cells.right(&item.documents.len().to_string(), columns.parts, base).left(name, columns.subject, base);
    if columns.news > 0 {
        cells.left(&news(item), columns.news, base);
    }
    cells.line()
}

/// Who can put right an arrival that waits for somebody, and how.
pub(super) fn arrival_fixer(item: &IntakeItem) -> &'static str {
    match item.state {
        IntakeState::Quarantined if item.may_be_released() => {
            "you, here: X closes it; H releases it if you vouch for it"
        }
        IntakeState::Quarantined => {
            "you, here: e files it unopened in a work item, o saves a copy, X closes it"
        }
        _ => "you, here: e gives it a work item, X closes it, i shows what is inside",
    }
}

/// What becomes of such an arrival by itself.
pub(super) const ARRIVAL_NEXT: &str = "nothing until a person decides; it is kept.";

/// What it needs, or what became of it, in few words.
pub(super) fn news(item: &IntakeItem) -> String {
    let yours = item.allocated.as_ref().map(|allocated| {
        let who =
            allocated.person.clone().or_else(|| allocated.team.as_ref().map(|team| format!("team {team}")));
        format!("[{}] ", who.unwrap_or_default())
    });
    let what = match item.state {
        IntakeState::NeedsPerson | IntakeState::Quarantined => {
            item.needs.as_ref().map(|needs| needs.text.clone()).unwrap_or_default()
        }
        IntakeState::Stored => "is being read".to_owned(),
        IntakeState::Split if item.parts > 0 => {
            format!("{} parts, {} of them open", item.parts, item.open_filings)
        }
        IntakeState::Split => format!("{} of {} filings open", item.open_filings, item.filings),
        IntakeState::Settled if item.parts > 0 => format!("{} parts, all through", item.parts),
        IntakeState::Settled => format!("{} filed or done", item.filings),
        IntakeState::Dismissed => "closed by a person".to_owned(),
    };
    // Who looks after it matters while there is something to do.
    let open = matches!(item.state, IntakeState::NeedsPerson | IntakeState::Quarantined);
    format!("{}{what}", yours.filter(|_| open).unwrap_or_default())
}

/// Tables of data that were uploaded, newest first.
fn tables(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.theme();
    let room = usize::from(area.width);
    let head = format!("── Tables of data {}", "─".repeat(room.saturating_sub(19)));
    let mut lines = vec![Line::styled(clip(&head, room), theme.of(Tone::Faint))];
    let tables = state.tables.iter().flatten().take(usize::from(area.height).saturating_sub(1));
    lines.extend(tables.map(|table| table_line(state, table, room)));
    frame.render_widget(Paragraph::new(lines), area);
}

fn table_line(state: &State, table: &DataUploadView, room: usize) -> Line<'static> {
    let theme = state.theme();
    let age = when::ago(table.created, state.server_now(), state.times, &state.zone);
    let pass = table.load.as_ref().or(table.check.as_ref());
    let rows = pass.map_or_else(String::new, |pass| {
        let counts = &pass.counts;
        let of = table.rows.map(|rows| format!(" of {}", grouped(rows))).unwrap_or_default();
        format!(
            "{}{of} rows: {} new, {} changed, {} rejected",
            grouped(pass.rows),
            grouped(counts.created),
            grouped(counts.updated),
            grouped(counts.rejected)
        )
    });
    let bad = !table.problem.is_empty() || pass.is_some_and(|pass| pass.counts.rejected > 0);
    let (sign, tone) = if bad { ("✖", Tone::Bad) } else { ("✔", Tone::Plain) };
    let what = if table.problem.is_empty() { rows } else { table.problem.clone() };
    let name = (room / 3).min(40);
    let mut cells = Cells::default();
    cells
        .plain(format!("  {sign} "), theme.of(tone))
        .left(&table.state.to_string(), 9, theme.of(tone))
        .right(&age, 5, Style::new())
        .left(&table.file_name, name, Style::new())
        .left(&what, room.saturating_sub(name + 21), theme.of(tone));
    cells.line()
}
