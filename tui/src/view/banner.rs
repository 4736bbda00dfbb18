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

/// What must not be missed, in words.
pub(crate) fn text(state: &State) -> Option<String> {
    if !has_banner(state) {
        return None;
    }
    let mut parts = Vec::new();
    match &state.link.trouble {
        None => parts.push("No live updates: the screen is fetched every 10 seconds".to_owned()),
        Some(ClientError::Unauthorized) => {
            parts.push(
                "The server does not accept the token: leave with q and start with a valid one".to_owned(),
            );
        }
        Some(error) => {
            parts.push("NO CONNECTION".to_owned());
            if let Some(answered) = state.link.answered {
                let seconds = state.moment.since_start.saturating_sub(answered).as_secs();
                parts.push(format!("what you see is {} old", when::span(seconds)));
            }
            let again =
                state.link.again.map(|again| again.saturating_sub(state.moment.since_start).as_secs());
            if let Some(seconds) = again.filter(|seconds| *seconds > 0) {
                parts.push(format!("tried again in {seconds} s"));
            }
            parts.push(match error {
                ClientError::Unreachable(why) => why.clone(),
                other => other.to_string(),
            });
            parts.push(state.server.clone());
        }
    }
    Some(parts.join(" · "))
}

/// Draws it.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(text) = text(state) else { return };
    let room = usize::from(area.width).saturating_sub(1);
    frame.render_widget(
        Paragraph::new(Line::raw(format!(" {}", clip(&text, room)))).style(state.theme().banner()),
        area,
    );
}
