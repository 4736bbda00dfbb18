//! Home: is anything stuck, since when, and whose is it?

use postroom_api::summary::{DestinationLine, DoorState, FilingCounts, SourceLine, Summary};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::causes;
use super::cells::{Cells, first_row};
use crate::app::{Pane, State};
use crate::layout::{self, Fit};
use crate::text::{clip, count, grouped, width};
use crate::theme::{Tone, door_tone};
use crate::when;

/// Draws the screen.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(summary) = &state.summary else {
        let text = if state.link.trouble.is_some() { "" } else { "Asking the server …" };
        frame.render_widget(Paragraph::new(text).style(state.theme.of(Tone::Faint)), area);
        return;
    };
    let doors = summary.sources.len().max(summary.destinations.len());
    let doors = u16::try_from(doors).unwrap_or(u16::MAX).clamp(1, area.height.saturating_sub(4) / 2);
    if layout::fit(state.size) == Fit::ListOnly {
        let [verdict, pane, note] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(area);
        draw_verdict(state, summary, frame, verdict);
        match state.home.focus {
            Pane::Sources => draw_sources(state, summary, frame, pane),
            Pane::Destinations => draw_destinations(state, summary, frame, pane),
            Pane::Causes => causes::draw(state, frame, pane, true),
        }
        draw_note(state, summary, frame, note);
        return;
    }
    let [verdict, top, note, bottom] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(doors + 1),
        Constraint::Length(2),
        Constraint::Min(2),
    ])
    .areas(area);
    draw_verdict(state, summary, frame, verdict);
    let [left, _, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Fill(1)]).areas(top);
    draw_sources(state, summary, frame, left);
    draw_destinations(state, summary, frame, right);
    draw_note(state, summary, frame, note);
    causes::draw(state, frame, bottom, state.home.focus == Pane::Causes);
}

/// The answer to "is anything stuck" in one line.
fn draw_verdict(state: &State, summary: &Summary, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.theme;
    let counts = &summary.filings;
    let mut parts: Vec<(String, Tone)> = Vec::new();
    let mut put = |number: u64, words: &str, tone: Tone| {
        if number > 0 {
            parts.push((format!("{} {words}", grouped(number)), tone));
        }
    };
    put(counts.failed, "failed", Tone::Bad);
    put(counts.undecided, "undecided", Tone::Bad);
    let person = summary.intakes.needs_person + summary.intakes.quarantined;
    put(person, if person == 1 { "arrival needs a person" } else { "arrivals need a person" }, Tone::Bad);
    let quiet = parts.is_empty();
    let mut put = |number: u64, words: &str, tone: Tone| {
        if number > 0 {
            parts.push((format!("{} {words}", grouped(number)), tone));
        }
    };
    put(counts.held, "held", Tone::Warn);
    put(counts.blocked, "blocked", Tone::Warn);
    put(counts.waiting, "waiting", Tone::Plain);
    put(counts.running + counts.checking, "running", Tone::Busy);
    put(counts.filed, "filed", Tone::Good);
    let mut spans = vec![if quiet {
        Span::styled(" ✔ Nothing needs a person", theme.of(Tone::Good))
    } else {
        Span::styled(" ✖", theme.of(Tone::Bad))
    }];
    let mut room = usize::from(area.width).saturating_sub(if quiet { 25 } else { 2 });
    let oldest = summary.oldest_seconds.map(|seconds| format!("oldest {}", when::span(seconds)));
    if let Some(oldest) = oldest {
        parts.insert(usize::from(!quiet).min(parts.len()), (oldest, Tone::Plain));
    }
    for (i, (text, tone)) in parts.into_iter().enumerate() {
        let joint = if i == 0 && !quiet { " " } else { " · " };
        let wide = width(&text) + width(joint);
        if wide > room {
            break;
        }
        room -= wide;
        spans.push(Span::raw(joint));
        spans.push(Span::styled(text, theme.of(tone)));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// Columns of a door: what fits.
struct Columns {
    name: usize,
    wide: bool,
}

impl Columns {
    fn of(area: Rect) -> Self {
        let room = usize::from(area.width);
        let wide = room >= 56;
        // Marker, then four counts, age and state, each with a space behind it.
        let fixed = 2 + 5 + 4 + 5 + 6 + 7 + if wide { 12 } else { 0 };
        Self { name: room.saturating_sub(fixed + 1).min(30), wide }
    }
}

const fn word(state: DoorState) -> &'static str {
    match state {
        DoorState::SlowStart => "slow",
        DoorState::Throttled => "limit",
        DoorState::Settings => "SETUP",
        other => other.word(),
    }
}

/// What is the same for sources and destinations.
struct Row<'a> {
    name: &'a str,
    new: Option<u64>,
    counts: &'a FilingCounts,
    oldest: Option<u64>,
    state: DoorState,
}

impl<'a> From<&'a SourceLine> for Row<'a> {
    fn from(line: &'a SourceLine) -> Self {
        Row {
            name: line.name.as_str(),
            new: line.last_hour,
            counts: &line.filings,
            oldest: line.oldest_seconds,
            state: line.state,
        }
    }
}

impl<'a> From<&'a DestinationLine> for Row<'a> {
    fn from(line: &'a DestinationLine) -> Self {
        Row {
            name: line.name.as_str(),
            new: Some(line.filings.blocked),
            counts: &line.filings,
            oldest: line.oldest_seconds,
            state: line.state,
        }
    }
}

fn draw_sources(state: &State, summary: &Summary, frame: &mut Frame<'_>, area: Rect) {
    let rows: Vec<Row<'_>> = summary.sources.iter().map(Row::from).collect();
    doors(
        state,
        frame,
        area,
        "Sources",
        "new/h",
        &rows,
        state.home.sources.row(),
        state.home.focus == Pane::Sources,
    );
}

fn draw_destinations(state: &State, summary: &Summary, frame: &mut Frame<'_>, area: Rect) {
    let rows: Vec<Row<'_>> = summary.destinations.iter().map(Row::from).collect();
    let focused = state.home.focus == Pane::Destinations;
    doors(state, frame, area, "Destinations", "block", &rows, state.home.destinations.row(), focused);
}

#[expect(clippy::too_many_arguments, reason = "the parts of one small table")]
fn doors(
    state: &State,
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    first: &str,
    rows: &[Row<'_>],
    at: usize,
    focused: bool,
) {
    let theme = state.theme;
    let columns = Columns::of(area);
    let heading = if focused { theme.heading() } else { theme.of(Tone::Faint) };
    let mut cells = Cells::default();
    cells.plain(if focused { "▸ " } else { "  " }, heading).left(
        &title.to_uppercase(),
        columns.name,
        heading,
    );
    if columns.wide {
        cells.right(first, 5, heading);
    }
    cells.right("wait", 4, heading).right("run", 3, heading).right("fail", 4, heading);
    if columns.wide {
        cells.right("held", 5, heading);
    }
    cells.right("age", 5, heading).left("state", 6, heading);
    let mut lines = vec![cells.line()];

    let height = usize::from(area.height).saturating_sub(1);
    for (i, row) in rows.iter().enumerate().skip(first_row(at, height)).take(height) {
        let here = focused && i == at;
        let base = if here { theme.cursor(true) } else { Style::new() };
        let tint = |number: u64, tone: Tone| if number > 0 { base.patch(theme.of(tone)) } else { base };
        let counts = row.counts;
        let bad = counts.failed + counts.undecided;
        let mut cells = Cells::default();
        cells.plain(if here { "▸ " } else { "  " }, base).left(row.name, columns.name, base);
        let number = |number: u64| if number == 0 { "–".to_owned() } else { count(number) };
        if columns.wide {
            cells.right(&row.new.map_or_else(String::new, number), 5, base);
        }
        cells
            .right(&number(counts.waiting + if columns.wide { 0 } else { counts.blocked }), 4, base)
            .right(&number(counts.running + counts.checking), 3, tint(counts.running, Tone::Busy))
            .right(&number(bad), 4, tint(bad, Tone::Bad));
        if columns.wide {
            cells.right(&number(counts.held), 5, tint(counts.held, Tone::Warn));
        }
        let late = row.oldest.is_some_and(|seconds| seconds >= 15 * 60);
        let age = row.oldest.map_or_else(|| "–".to_owned(), when::span);
        let age = if late { format!("{}!", age.replace(' ', "")) } else { age };
        cells.right(&age, 5, tint(u64::from(late), Tone::Bad)).left(
            word(row.state),
            6,
            base.patch(theme.of(door_tone(row.state))),
        );
        lines.push(cells.line());
    }
    if rows.is_empty() {
        lines.push(Line::styled("  none yet", theme.of(Tone::Faint)));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// What there is to say about the door under the cursor.
fn draw_note(state: &State, summary: &Summary, frame: &mut Frame<'_>, area: Rect) {
    let now = state.server_now();
    let text = match state.home.focus {
        Pane::Sources => summary.sources.get(state.home.sources.row()).map(|line| {
            let mut text = format!("{}: {}", line.name, kind_and_state(&line.kind, line.state));
            if let Some(pause) = &line.pause {
                text += &format!(" since {} {}", when::clock(pause.since, now, &state.zone), line.note);
                if let Some(until) = pause.until {
                    text += &format!(", until {}", when::clock(until, now, &state.zone));
                }
            }
            text
        }),
        Pane::Destinations => summary.destinations.get(state.home.destinations.row()).map(|line| {
            let mut text = format!("{}: {}", line.name, kind_and_state(&line.kind, line.state));
            let since = line.pause.as_ref().map(|pause| pause.since).or(line.breaker.since);
            if let Some(since) = since {
                text += &format!(" since {}", when::clock(since, now, &state.zone));
            }
            if !line.note.is_empty() {
                text += &format!(", {}", line.note);
            }
            if let Some(again) = line.breaker.retry_at.filter(|_| line.pause.is_none()) {
                text += &format!(", tried {}", when::ahead(again, now, state.times, &state.zone));
            }
            text + &format!(" · {} of {} at once", line.in_flight, line.limit)
        }),
        Pane::Causes => state.cause().map(|line| {
            format!(
                "{} Who can put it right: {}.",
                line.cause.sentence,
                postroom_api::cause::fixer_words(line.cause.fixer)
            )
        }),
    };
    let Some(text) = text else { return };
    let room = usize::from(area.width).saturating_sub(2);
    frame.render_widget(
        Paragraph::new(Line::styled(format!("  {}", clip(&text, room)), state.theme.of(Tone::Faint))),
        area,
    );
}

fn kind_and_state(kind: &str, state: DoorState) -> String {
    if kind.is_empty() { state.word().to_owned() } else { format!("{kind}, {}", state.word()) }
}
