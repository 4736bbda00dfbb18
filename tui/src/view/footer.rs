//! What is under the cursor of a list, in four lines: why it is where it is, who can put it right, what happens next.

use postroom_api::cause::fixer_words;
use postroom_api::filing::FilingItem;
use postroom_api::intake::IntakeItem;
use postroom_api::{IntakeState, State as FilingState};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::arrivals::{ARRIVAL_NEXT, arrival_fixer, news};
use crate::app::State;
use crate::layout;
use crate::text::{clip, sentence, wrap};
use crate::theme::Tone;
use crate::when;

/// Draws it at the foot of an area; answers what is left of that.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) -> Rect {
    let height = layout::footer_height(state).min(area.height);
    let above = Rect { height: area.height - height, ..area };
    if height == 0 {
        return above;
    }
    let texts = match (state.looked_at(), state.arrival_at()) {
        (Some(item), _) => of_filing(state, item),
        (None, Some(item)) => of_arrival(item),
        (None, None) => return above,
    };
    let room = usize::from(area.width).saturating_sub(2);
    let faint = state.theme().of(Tone::Faint);
    let mut lines = vec![Line::styled("─".repeat(usize::from(area.width)), faint)];
    let [why, next] = texts;
    // The reason gets two lines at most, so that what to do about it is always seen.
    let most = if next.is_empty() { 3 } else { 2 };
    lines.extend(lines_of(&why, room, most).into_iter().map(Line::raw));
    let left = usize::from(height).saturating_sub(lines.len());
    lines.extend(lines_of(&next, room, left).into_iter().map(|line| Line::styled(line, faint)));
    frame.render_widget(Paragraph::new(lines), Rect { y: above.bottom(), height, ..area });
    above
}

/// A text in so many lines at most; the last one tells when there is more.
pub(super) fn lines_of(text: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(text, room);
    if lines.len() > most && most > 0 {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(clip(&rest, room));
    }
    lines.truncate(most);
    lines.into_iter().map(|line| format!(" {line}")).collect()
}

fn of_filing(state: &State, item: &FilingItem) -> [String; 2] {
    let due = item.due.map(|due| when::ahead(due, state.server_now(), state.times, &state.zone));
    let due = due.map(|due| format!(" Due {due}.")).unwrap_or_default();
    let next = format!("{}{due}", item.next_step);
    match &item.cause {
        Some(cause) => [
            cause.sentence.clone(),
            format!("Who can put it right: {}. Next: {next}", fixer_words(cause.fixer)),
        ],
        None if item.state == FilingState::Filed => {
            let document = item.receipt.as_ref().map(|receipt| receipt.document.clone()).unwrap_or_default();
            [format!("{} · {}", item.destination, item.target), format!("In the DMS as {document}.")]
        }
        None if item.state == FilingState::Duplicate => [
            next,
            "Nobody needs to put it right; D files it a second time, with a reason. Enter shows which it repeats."
                .to_owned(),
        ],
        None => [next, format!("{} · {}", item.destination, item.target)],
    }
}

fn of_arrival(item: &IntakeItem) -> [String; 2] {
    let what = match item.state {
        IntakeState::NeedsPerson | IntakeState::Quarantined => {
            format!("Who can put it right: {}. Next: {}", arrival_fixer(item), ARRIVAL_NEXT)
        }
        IntakeState::Split | IntakeState::Settled => {
            "Enter shows it; from there Enter lists its filings.".to_owned()
        }
        _ => String::new(),
    };
    [sentence(&news(item)), what]
}
