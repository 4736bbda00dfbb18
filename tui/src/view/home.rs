//! Home: is anything stuck, since when, and whose is it?

use postroom_api::summary::{DestinationLine, DoorState, FilingCounts, SourceLine, Summary};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::cells::{Cells, first_row};
use super::{causes, doors};
use crate::app::{Pane, State};
use crate::layout::{self, Fit};
use crate::text::{count, grouped};
use crate::theme::{self, Tone, door_tone};
use crate::when;

/// Draws the screen.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(summary) = &state.summary else {
        let text = if state.link.trouble.is_some() { "" } else { "Asking the server …" };
        frame.render_widget(Paragraph::new(text).style(state.theme().of(Tone::Faint)), area);
        return;
    };
    let areas = areas(state, summary, area);
    draw_verdict(state, summary, frame, areas.verdict);
    for (pane, area) in areas.panes {
        match pane {
            Pane::Sources => draw_sources(state, summary, frame, area),
            Pane::Destinations => {
                draw_destinations(state, summary, frame, area, state.home.focus == Pane::Destinations);
            }
            Pane::Causes => causes::draw(state, frame, area, state.home.focus == Pane::Causes),
        }
    }
    doors::draw_ages(state, frame, areas.ages);
    draw_note(state, summary, frame, areas.note);
}

/// The lines about what is under the cursor.
const NOTE: usize = 2;

/// Where the parts of the screen stand.
struct Areas {
    verdict: Rect,
    panes: Vec<(Pane, Rect)>,
    ages: Rect,
    note: Rect,
}

fn areas(state: &State, summary: &Summary, area: Rect) -> Areas {
    if layout::fit(state.size) == Fit::ListOnly {
        let [verdict, pane, note] =
            Layout::vertical([Constraint::Length(2), Constraint::Min(0), Constraint::Length(1)]).areas(area);
        return Areas { verdict, panes: vec![(state.home.focus, pane)], ages: Rect::default(), note };
    }
    let ages = state.doors.ages.as_ref().filter(|_| layout::has_ages(state.size));
    let ages = ages.map_or(0, |ages| (ages.items.len() + 2).min(8));
    // Verdict, two headings, the causes with at least three rows, and the note stand beside the doors.
    let room = usize::from(area.height).saturating_sub(3 + 2 + 5 + NOTE + ages);
    let (sources, destinations) = (summary.sources.len().max(1), summary.destinations.len().max(1));
    let below = destinations.min(room.div_ceil(2).max(room.saturating_sub(sources)));
    let above = sources.min(room.saturating_sub(below));
    let rows = |number: usize| Constraint::Length(u16::try_from(number + 1).unwrap_or(u16::MAX));
    let [verdict, top, middle, ages, _, bottom, note] = Layout::vertical([
        Constraint::Length(3),
        rows(above),
        rows(below),
        Constraint::Length(u16::try_from(ages).unwrap_or(0)),
        Constraint::Length(1),
        Constraint::Min(2),
        Constraint::Length(u16::try_from(NOTE).unwrap_or(u16::MAX)),
    ])
    .areas(area);
    let panes = vec![(Pane::Sources, top), (Pane::Destinations, middle), (Pane::Causes, bottom)];
    Areas { verdict, panes, ages, note }
}

/// The panes with the first row that each shows: what the mouse needs to know.
pub(crate) fn panes(state: &State, area: Rect) -> Vec<(Pane, Rect, usize)> {
    let Some(summary) = &state.summary else { return Vec::new() };
    let top = |pane: Pane, area: Rect| {
        let row = match pane {
            _ if pane != state.home.focus => 0,
            Pane::Sources => state.home.sources.row(),
            Pane::Destinations => state.home.destinations.row(),
            Pane::Causes => state.cause_at.row(),
        };
        first_row(row, usize::from(area.height).saturating_sub(1))
    };
    areas(state, summary, area).panes.into_iter().map(|(pane, area)| (pane, area, top(pane, area))).collect()
}

/// The answer to "is anything stuck, and since when": what needs a person first, then what goes on by itself.
fn draw_verdict(state: &State, summary: &Summary, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.theme();
    let counts = &summary.filings;
    let arrivals = summary.intakes.needs_person + summary.intakes.quarantined;
    let shut_sources = shut(summary.sources.iter().map(|line| line.state));
    let shut_destinations = shut(summary.destinations.iter().map(|line| line.state));
    let numbers = |parts: &[(u64, &str, Tone)]| -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        for (number, words, tone) in parts.iter().filter(|(number, ..)| *number > 0) {
            spans.push(Span::raw(if spans.is_empty() { " " } else { " · " }));
            spans.push(Span::styled(format!("{} {words}", grouped(*number)), theme.of(*tone)));
        }
        spans
    };
    let mut first = numbers(&[
        (counts.failed, "failed", Tone::Bad),
        (counts.undecided, "undecided", Tone::Bad),
        (
            arrivals,
            if arrivals == 1 { "arrival needs a person" } else { "arrivals need a person" },
            Tone::Bad,
        ),
        (counts.held, "held", Tone::Warn),
    ]);
    let mut third = numbers(&[
        (shut_sources, if shut_sources == 1 { "source is shut" } else { "sources are shut" }, Tone::Bad),
        (
            shut_destinations,
            if shut_destinations == 1 { "destination is shut" } else { "destinations are shut" },
            Tone::Bad,
        ),
        (counts.duplicate, if counts.duplicate == 1 { "duplicate" } else { "duplicates" }, Tone::Plain),
    ]);
    if first.is_empty() && shut_sources + shut_destinations > 0 {
        std::mem::swap(&mut first, &mut third);
    }
    if first.is_empty() {
        first.push(Span::styled(" ✔ Nothing needs a person", theme.of(Tone::Good)));
    } else {
        first.insert(0, Span::styled(" ✖", theme.of(Tone::Bad)));
    }
    let mut second = vec![Span::raw("  ")];
    if let Some(seconds) = summary.oldest_seconds {
        let tone = if seconds >= LATE { Tone::Bad } else { Tone::Plain };
        second.push(Span::styled(format!(" oldest waits {}", when::span(seconds)), theme.of(tone)));
        second.push(Span::raw(" ·"));
    }
    second.extend(numbers(&[
        (counts.waiting, "waiting", Tone::Plain),
        (counts.blocked, "blocked", Tone::Warn),
        (counts.running + counts.checking, "running", Tone::Busy),
        (counts.filed, "filed", Tone::Good),
    ]));
    third.insert(0, Span::raw("  "));
    frame.render_widget(Paragraph::new(vec![Line::from(first), Line::from(second), Line::from(third)]), area);
}

/// How many doors let nothing through although nobody paused them.
fn shut(states: impl Iterator<Item = DoorState>) -> u64 {
    states.filter(|state| door_tone(*state) == Tone::Bad).count() as u64
}

/// From this age on, in seconds, something that waits is late.
const LATE: u64 = 15 * 60;

const fn word(state: DoorState) -> &'static str {
    match state {
        DoorState::SlowStart => "slow",
        DoorState::Throttled => "limit",
        DoorState::Settings => "SETUP",
        // An open breaker is a closed door: nobody has to know that.
        DoorState::Open => "DOWN",
        other => other.word(),
    }
}

/// What is the same for sources and destinations.
struct Row<'a> {
    name: &'a str,
    /// What the first column shows.
    flow: String,
    counts: &'a FilingCounts,
    oldest: Option<u64>,
    state: DoorState,
    note: &'a str,
}

impl<'a> From<&'a SourceLine> for Row<'a> {
    fn from(line: &'a SourceLine) -> Self {
        Row {
            name: line.name.as_str(),
            flow: line.last_hour.map_or_else(String::new, some),
            counts: &line.filings,
            oldest: line.oldest_seconds,
            state: line.state,
            note: &line.note,
        }
    }
}

impl<'a> From<&'a DestinationLine> for Row<'a> {
    fn from(line: &'a DestinationLine) -> Self {
        Row {
            name: line.name.as_str(),
            flow: format!("{}/{}", line.in_flight, line.limit),
            counts: &line.filings,
            oldest: line.oldest_seconds,
            state: line.state,
            note: &line.note,
        }
    }
}

/// A number, quieter when it is none.
fn some(number: u64) -> String {
    if number == 0 { "–".to_owned() } else { count(number) }
}

fn draw_sources(state: &State, summary: &Summary, frame: &mut Frame<'_>, area: Rect) {
    let rows: Vec<Row<'_>> = summary.sources.iter().map(Row::from).collect();
    let focused = state.home.focus == Pane::Sources;
    // A server that does not count them gets no empty column.
    let flow = if summary.sources.iter().any(|line| line.last_hour.is_some()) { "new/h" } else { "" };
    doors(state, frame, area, ("SOURCES", flow), &rows, focused.then(|| state.home.sources.row()));
}

/// The destinations.
pub(super) fn draw_destinations(
    state: &State,
    summary: &Summary,
    frame: &mut Frame<'_>,
    area: Rect,
    focused: bool,
) {
    let rows: Vec<Row<'_>> = summary.destinations.iter().map(Row::from).collect();
    doors(
        state,
        frame,
        area,
        ("DESTINATIONS", "busy"),
        &rows,
        focused.then(|| state.home.destinations.row()),
    );
}

/// A table of doors; `at` is the row of the cursor when it is in this pane.
fn doors(
    state: &State,
    frame: &mut Frame<'_>,
    area: Rect,
    head: (&str, &str),
    rows: &[Row<'_>],
    at: Option<usize>,
) {
    let theme = state.theme();
    let room = usize::from(area.width);
    // Marker, four counts, age and state, each with a space behind it.
    let fixed = 2 + 6 + 5 + 4 + 5 + 5 + 6 + 7;
    let name = if room >= 110 { 28 } else { 18.min(room.saturating_sub(fixed + 1)) };
    let note = room.saturating_sub(fixed + name + 2);
    let heading = if at.is_some() { theme::heading() } else { theme.of(Tone::Faint) };
    let mut cells = Cells::default();
    cells
        .plain(if at.is_some() { "▸ " } else { "  " }, heading)
        .left(head.0, name, heading)
        .right(head.1, 5, heading)
        .right("wait", 4, heading)
        .right("run", 3, heading)
        .right("fail", 4, heading)
        .right("held", 4, heading)
        .right("age", 5, heading)
        .left("state", 6, heading);
    let mut lines = vec![cells.line()];

    let height = usize::from(area.height).saturating_sub(1);
    for (i, row) in rows.iter().enumerate().skip(first_row(at.unwrap_or(0), height)).take(height) {
        let here = at == Some(i);
        let base = if here { theme::cursor(true) } else { Style::new() };
        let tint = |yes: bool, tone: Tone| if yes { base.patch(theme.of(tone)) } else { base };
        let counts = row.counts;
        let (waiting, bad) = (counts.waiting + counts.blocked, counts.failed + counts.undecided);
        let late = row.oldest.is_some_and(|seconds| seconds >= LATE);
        let age = match row.oldest.map(when::span) {
            None => "–".to_owned(),
            Some(age) if late => format!("{}!", age.replace(' ', "")),
            Some(age) => age,
        };
        let mut cells = Cells::default();
        cells
            .plain(if here { "▸ " } else { "  " }, base)
            .left(row.name, name, base)
            .right(&row.flow, 5, base)
            .right(&some(waiting), 4, base)
            .right(&some(counts.running + counts.checking), 3, tint(counts.running > 0, Tone::Busy))
            .right(&some(bad), 4, tint(bad > 0, Tone::Bad))
            .right(&some(counts.held), 4, tint(counts.held > 0, Tone::Warn))
            .right(&age, 5, tint(late, Tone::Bad))
            .left(word(row.state), 6, base.patch(theme.of(door_tone(row.state))))
            .left(
                row.note,
                note,
                base.patch(theme.of(if row.state == DoorState::Ok {
                    Tone::Warn
                } else {
                    door_tone(row.state)
                })),
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
            let mut text = format!("{}: {}", line.name, line.state.word());
            if let Some(pause) = &line.pause {
                text = format!("{text} since {} {}", when::clock(pause.since, now, &state.zone), line.note);
                if let Some(until) = pause.until {
                    text = format!("{text}, until {}", when::clock(until, now, &state.zone));
                }
            } else if !line.note.is_empty() {
                text = format!("{text}, {}", line.note);
            }
            with_kind(text, &line.kind)
        }),
        Pane::Destinations => {
            summary.destinations.get(state.home.destinations.row()).map(|line| about_destination(state, line))
        }
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
    let lines = super::footer::lines_of(&text, room, usize::from(area.height));
    let faint = state.theme().of(Tone::Faint);
    let lines: Vec<Line<'_>> = lines.into_iter().map(|line| Line::styled(line, faint)).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// What there is to say about a destination.
pub(super) fn about_destination(state: &State, line: &DestinationLine) -> String {
    let now = state.server_now();
    let down = line.state == DoorState::Open;
    let state_word = if down { "nothing is sent" } else { line.state.word() };
    let mut text = format!("{}: {state_word}", line.name);
    let since = line.pause.as_ref().map(|pause| pause.since).or(line.breaker.since);
    if let Some(since) = since {
        text = format!("{text} since {}", when::clock(since, now, &state.zone));
    }
    if !line.note.is_empty() {
        text = format!("{text}, {}", line.note);
    }
    if let Some(until) = line.pause.as_ref().and_then(|pause| pause.until) {
        text = format!("{text}, until {}", when::clock(until, now, &state.zone));
    }
    if let Some(again) = line.breaker.retry_at.filter(|_| line.pause.is_none()) {
        text = format!("{text}, tried again by itself {}", when::ahead(again, now, state.times, &state.zone));
    }
    if let Some(cause) = line.breaker.cause.as_ref().filter(|_| line.pause.is_none()) {
        text = format!("{text}. Who can put it right: {}", postroom_api::cause::fixer_words(cause.fixer));
    }
    with_kind(text, &line.kind)
}

fn with_kind(text: String, kind: &str) -> String {
    if kind.is_empty() { text } else { format!("{text} · {kind}") }
}
