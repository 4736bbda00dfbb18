//! What must not be missed: the server is lost, or refuses the token.

use postroom_api::client::ClientError;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::app::State;
use crate::text::clip;
use crate::when;

/// Whether there is something that must not be missed.
pub(crate) fn has_banner(state: &State) -> bool {
    state.link.trouble.is_some()
        || (state.link.answered.is_some() && !state.link.live && state.link.again.is_some())
}

/// Draws it.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    if !has_banner(state) {
        return;
    }
    let age = state.link.answered.map(|answered| {
        let seconds = state.moment.since_start.saturating_sub(answered).as_secs();
        format!("; what you see is {} old", when::span(seconds))
    });
    let age = age.unwrap_or_default();
    let text = match &state.link.trouble {
        Some(ClientError::Unauthorized) => {
            "The server does not accept the token: leave with q and start with a valid one.".to_owned()
        }
        Some(ClientError::Unreachable(why)) => {
            let again = state
                .link
                .again
                .map(|again| again.saturating_sub(state.moment.since_start).as_secs())
                .filter(|seconds| *seconds > 0)
                .map(|seconds| format!(", tried again in {seconds} s"))
                .unwrap_or_default();
            format!("No connection to {}{age}{again} ({why})", state.server)
        }
        Some(other) => format!("{}: {other}{age}", state.server),
        None => "No live updates: the screen is fetched every 10 seconds.".to_owned(),
    };
    let room = usize::from(area.width).saturating_sub(1);
    frame.render_widget(
        Paragraph::new(Line::raw(format!(" {}", clip(&text, room)))).style(state.theme.banner()),
        area,
    );
}
