//! Destinations and accounts: what backs up and since when, whose account is broken or will end soon.

use jiff::Timestamp;
use postroom_api::ages::AgeLine;
use postroom_api::link::LinkView;
use postroom_api::summary::Right;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::cells::{Cells, first_row};
use super::home;
use crate::action::may;
use crate::app::State;
use crate::text::{clip, count};
use crate::theme::{self, Tone};
use crate::when;

/// An account whose tokens end within this is told of: a week, in seconds.
const SOON: u64 = 7 * 86_400;

/// Draws the screen: destinations, what their filings are aged, accounts, and a line about what is under the cursor.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(summary) = &state.summary else {
        frame.render_widget(Paragraph::new("Asking the server …").style(state.theme().of(Tone::Faint)), area);
        return;
    };
    let rows = u16::try_from(summary.destinations.len().max(1)).unwrap_or(u16::MAX).saturating_add(1);
    let third = (area.height / 3).max(2);
    let ages = state.doors.ages.as_ref().map_or(0, |ages| u16::try_from(ages.items.len()).unwrap_or(0) + 2);
    let [top, middle, bottom, note] = Layout::vertical([
        Constraint::Length(rows.min(third)),
        Constraint::Length(ages.min(third)),
        Constraint::Min(2),
        Constraint::Length(2),
    ])
    .areas(area);
    home::draw_destinations(state, summary, frame, top, !state.doors.on_accounts);
    draw_ages(state, frame, middle);
    accounts(state, frame, bottom);
    let text = match state.account() {
        Some(link) => Some(about(state, link)),
        None => summary
            .destinations
            .get(state.home.destinations.row())
            .map(|it| home::about_destination(state, it)),
    };
    let room = usize::from(note.width).saturating_sub(2);
    let text = text.unwrap_or_default();
    let lines = super::footer::lines_of(&text, room, usize::from(note.height));
    let faint = state.theme().of(Tone::Faint);
    let lines: Vec<Line<'_>> = lines.into_iter().map(|line| Line::styled(line, faint)).collect();
    frame.render_widget(Paragraph::new(lines), note);
}

/// How long what is open has been waiting, by destination: each column counts what was received up to so long ago.
pub(super) fn draw_ages(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(ages) = &state.doors.ages else { return };
    let theme = state.theme();
    let room = usize::from(area.width);
    let wide = room.saturating_sub(4 + 6 * (ages.columns.len() + 1)).clamp(8, 28);
    let heading = theme.of(Tone::Faint);
    let mut cells = Cells::default();
    cells.plain("  ", heading).left("WAITS SINCE", wide, heading);
    for bound in &ages.columns {
        let name = bound.map_or_else(
            || "older".to_owned(),
            |seconds| format!("<{}", when::span(seconds).replace(' ', "")),
        );
        cells.right(&name, 5, heading);
    }
    cells.right("all", 5, heading);
    let mut lines = vec![Line::default(), cells.line()];
    lines.extend(ages.items.iter().map(|line| age_line(state, line, wide)));
    frame.render_widget(Paragraph::new(lines), area);
}

fn age_line(state: &State, line: &AgeLine, wide: usize) -> Line<'static> {
    let theme = state.theme();
    let last = line.counts.len().saturating_sub(1);
    let mut cells = Cells::default();
    cells.plain("  ", Style::new()).left(line.destination.as_str(), wide, Style::new());
    for (column, number) in line.counts.iter().enumerate() {
        // What waits longer than an hour wants to be looked at, more than a day even more.
        let tone = match column {
            _ if *number == 0 => Tone::Faint,
            _ if column + 2 > last => Tone::Bad,
            3.. => Tone::Warn,
            _ => Tone::Plain,
        };
        let text = if *number == 0 { "–".to_owned() } else { count(*number) };
        cells.right(&text, 5, theme.of(tone));
    }
    let more = if line.more { "+" } else { "" };
    cells.right(&format!("{}{more}", count(line.total)), 5, theme::heading());
    cells.line()
}

/// How an account is: sign, word, tone.
fn condition(link: &LinkView, now: Timestamp) -> (&'static str, String, Tone) {
    if link.pause.is_some() {
        return ("‖", "paused".to_owned(), Tone::Warn);
    }
    match (link.state.as_str(), link.ends) {
        ("broken", _) => ("✖", "BROKEN".to_owned(), Tone::Bad),
        ("unconfirmed", _) => ("?", "unconfirmed".to_owned(), Tone::Warn),
        (_, Some(ends)) if ends <= now => ("✖", "ENDED".to_owned(), Tone::Bad),
        (_, Some(ends)) if when::seconds_between(now, ends) < SOON => {
            ("‼", format!("ends {}", when::span(when::seconds_between(now, ends))), Tone::Warn)
        }
        _ => ("✔", "ok".to_owned(), Tone::Good),
    }
}

/// Why it is so.
fn why(link: &LinkView) -> String {
    match &link.pause {
        Some(pause) => format!("{}: {}", pause.by, pause.reason),
        None => link.reason.clone().unwrap_or_default(),
    }
}

fn accounts(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let theme = state.theme();
    let now = state.server_now();
    let room = usize::from(area.width);
    let focused = state.doors.on_accounts;
    let heading = if focused { theme::heading() } else { theme.of(Tone::Faint) };
    let (service, who) = (14, (room / 3).min(36));
    let mut cells = Cells::default();
    cells
        .plain(if focused { "▸ " } else { "  " }, heading)
        .left("ACCOUNTS", service, heading)
        .left("whose", who, heading)
        .left("state", 14, heading)
        .left("why", room.saturating_sub(service + who + 14 + 6), heading);
    let mut lines = vec![Line::default(), cells.line()];
    let links = state.doors.links.as_deref().unwrap_or_default();
    let at = state.doors.accounts.row();
    let height = usize::from(area.height).saturating_sub(2);
    for (i, link) in links.iter().enumerate().skip(first_row(at, height)).take(height) {
        let here = focused && i == at;
        let base = if here { theme::cursor(true) } else { Style::new() };
        let (sign, word, tone) = condition(link, now);
        let mut cells = Cells::default();
        cells
            .plain(if here { "▸ " } else { "  " }, base)
            .left(link.service.as_str(), service, base)
            .left(link.whose(), who, base)
            .left(&format!("{sign} {word}"), 14, base.patch(theme.of(tone)))
            .left(&why(link), room.saturating_sub(service + who + 14 + 6), base);
        lines.push(cells.line());
    }
    if links.is_empty() {
        let text = if !state.doors.trouble.is_empty() {
            state.doors.trouble.as_str()
        } else if !may(state, Right::SeeAll) {
            "your role does not see accounts"
        } else if state.doors.links.is_some() {
            "no account is linked: destinations use what the settings name"
        } else {
            "…"
        };
        lines.push(Line::styled(format!("  {}", clip(text, room.saturating_sub(2))), theme.of(Tone::Faint)));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// What there is to say about an account.
fn about(state: &State, link: &LinkView) -> String {
    let now = state.server_now();
    let clock = |at: Timestamp| when::clock(at, now, &state.zone);
    let mut text =
        format!("{} at {}, linked {} by {}", link.account, link.service, clock(link.linked), link.made_by);
    if let Some(pause) = &link.pause {
        let until = pause.until.map_or_else(String::new, |until| format!(", until {}", clock(until)));
        text = format!("{text}; paused since {}{until}", clock(pause.since));
    }
    if let Some(since) = link.broken_since {
        text = format!(
            "{text}; broken since {}: whoever owns it links it again on the page of links",
            clock(since)
        );
    } else if let Some(ends) = link.ends {
        text = format!("{text}; renewed {}, ends {} unless renewed", clock(link.renewed), clock(ends));
    }
    text
}
