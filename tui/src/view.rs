//! Drawing. Nothing here changes the state.
//!
//! ```text
//! Postroom · london · ann (operator)                      live · 14:03     header
//! The server cannot be reached …                                           banner, only when there is something
//! ┌ a screen, or list and detail ────────────────────────────────────┐    body; questions and texts lie over it
//! / state:failed▏                                                          prompt, only when there is one
//! ✔ retried                                                                status
//! ? help  Enter open  / filter  r retry                                    keys
//! ```

mod arrival;
mod arrivals;
mod banner;
mod bars;
mod causes;
mod cells;
mod doors;
mod events;
mod filing;
mod filings;
mod footer;
mod form;
mod home;
mod over;
mod page;
mod prompt;
#[cfg(test)]
mod tests;

use ratatui::backend::TestBackend;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use ratatui::{Frame, Terminal};

use crate::app::State;
use crate::layout::{self, Fit};
use crate::place::Place;

pub(crate) use banner::{has_banner, text as banner_text};
pub(crate) use bars::{header_text, key_at, status_text};
pub(crate) use events::top as events_top;
pub(crate) use home::panes as home_panes;
pub(crate) use over::{extent as over_extent, text as over_text};

/// The lines of the detail that is open.
pub(crate) fn detail_lines(state: &State, columns: u16) -> Vec<Line<'static>> {
    match state.place() {
        Place::Arrival => arrival::lines(state, columns),
        _ => filing::lines(state, columns),
    }
}

/// Draws everything.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>) {
    if layout::fit(state.size) == Fit::TooSmall {
        let (width, height) = layout::SMALLEST;
        let (w, h) = state.size;
        let text = format!("too small: {width}×{height} needed, this is {w}×{h}; q leaves");
        frame.render_widget(Paragraph::new(crate::text::clip(&text, usize::from(w))), frame.area());
        return;
    }
    let areas = layout::areas(state);
    bars::header(state, frame, areas.header);
    banner::draw(state, frame, areas.banner);
    body(state, frame);
    if state.link.is_lost() {
        // Old values look old.
        frame.buffer_mut().set_style(areas.body, Style::new().add_modifier(Modifier::DIM));
    }
    prompt::draw(state, frame, areas.prompt);
    bars::status(state, frame, areas.status);
    bars::keys(state, frame, areas.keys);
    if let Some(open) = &state.over {
        over::draw(state, open, frame, areas.body);
    }
    form::draw(state, frame, areas.body);
}

fn body(state: &State, frame: &mut Frame<'_>) {
    let area = layout::areas(state).body;
    match state.list_place() {
        Place::Home => home::draw(state, frame, area),
        Place::Causes => causes::screen(state, frame, area),
        Place::Doors => doors::draw(state, frame, area),
        Place::Events => events::draw(state, frame, area),
        Place::Filings if shows_list(state) => filings::draw(state, frame, layout::list(state)),
        list if list.is_arrivals() && shows_list(state) => arrivals::draw(state, frame, layout::list(state)),
        _ => {}
    }
    if state.place().is_detail() {
        page::draw(state, frame, area);
    }
}

fn shows_list(state: &State) -> bool {
    !state.place().is_detail() || state.is_split()
}

/// What the body shows as lines, for whoever has no screen: at most so many.
pub(crate) fn body_text(state: &State, most: usize) -> Vec<String> {
    let area = layout::areas(state).body;
    // Drawing into memory cannot fail.
    let Ok(mut terminal) = Terminal::new(TestBackend::new(state.size.0, state.size.1));
    let Ok(_) = terminal.draw(|frame| body(state, frame));
    let buffer = terminal.backend().buffer();
    let line = |y: u16| -> String {
        let cells = (area.x..area.right()).filter_map(|x| buffer.cell((x, y)));
        cells.map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
    };
    (area.y..area.bottom()).map(line).filter(|line| !line.is_empty()).take(most).collect()
}
