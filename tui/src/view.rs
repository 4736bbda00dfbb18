//! Drawing. Nothing here changes the state.
//!
//! ```text
//! Postroom · london · ann (operator)                      live · 14:03     header
//! The server cannot be reached …                                           banner, only when there is something
//! ┌ home ─ filings ─ causes ─ detail ────────────────────────────────┐    body
//! / state:failed▏                                                          prompt, only when there is one
//! ✔ retried                                                                status
//! Enter open  / filter  r retry  ? help                                    keys
//! ```

mod banner;
mod bars;
mod causes;
mod cells;
mod detail;
mod filings;
mod help;
mod home;
mod prompt;
mod report;
#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Paragraph;

use crate::app::{Place, State};
use crate::layout::{self, Fit};

pub(crate) use banner::has_banner;
pub(crate) use detail::lines as detail_lines;
pub(crate) use help::extent as help_extent;

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
    match state.place() {
        Place::Home => home::draw(state, frame, areas.body),
        Place::Causes => causes::screen(state, frame, areas.body),
        Place::Filings => filings::draw(state, frame, areas.body),
        Place::Detail => {
            if state.is_split() {
                filings::draw(state, frame, layout::list(state));
            }
            detail::draw(state, frame, areas.body);
        }
    }
    if state.link.is_lost() {
        // Old values look old.
        frame.buffer_mut().set_style(areas.body, Style::new().add_modifier(Modifier::DIM));
    }
    prompt::draw(state, frame, areas.prompt);
    bars::status(state, frame, areas.status);
    bars::keys(state, frame, areas.keys);
    if state.help.is_some() {
        help::draw(state, frame, areas.body);
    }
    if let Some(open) = &state.report {
        report::draw(state, open, frame, areas.body);
    }
}
