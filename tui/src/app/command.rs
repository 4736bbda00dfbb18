//! The command line of the console: every action by its name, some with an argument.

use super::{Effect, State, act, go, prompt, settings_menu};
use crate::action::{Action, Availability, availability};
use crate::keys::{Binding, TABLE};
use crate::theme::Tone;

/// A row of the table that a typed text may mean.
pub(crate) struct Offer {
    /// Which one.
    pub(crate) row: &'static Binding,
    /// Why it is not possible now; empty when it is.
    pub(crate) not_now: String,
}

/// The rows that a typed text may mean: those whose name begins with it, then those that have it anywhere in name or help. What does not
/// belong to the present place is left out.
pub(crate) fn offers(state: &State, typed: &str) -> Vec<Offer> {
    let word = typed.split_whitespace().next().unwrap_or_default().to_lowercase();
    let mut found: Vec<(u8, Offer)> = Vec::new();
    for row in TABLE {
        let rank = if row.command == word {
            0
        } else if row.command.starts_with(&word) {
            1
        } else if row.command.contains(&word) || row.help.to_lowercase().contains(&word) {
            2
        } else {
            continue;
        };
        let not_now = match availability(state, row.action) {
            Availability::On => String::new(),
            Availability::Off(reason) => reason,
            Availability::Hidden => continue,
        };
        found.push((rank, Offer { row, not_now }));
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, offer)| offer).collect()
}

/// Runs a line: a name, and behind it what it takes. With `chosen`, the row that the cursor is on is meant where the name alone is not enough.
pub(super) fn run(state: &mut State, line: &str, chosen: usize) -> Vec<Effect> {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let exact = TABLE.iter().find(|row| row.command == name.to_lowercase());
    let Some(row) = exact.or_else(|| offers(state, name).into_iter().nth(chosen).map(|offer| offer.row))
    else {
        state.say(Tone::Warn, format!("there is no command \"{name}\" here; ? lists what there is"));
        return Vec::new();
    };
    match availability(state, row.action) {
        Availability::On => with(state, row.action, rest.trim()),
        Availability::Off(reason) => {
            state.say(Tone::Warn, format!("not now: {reason}"));
            Vec::new()
        }
        Availability::Hidden => {
            state.say(
                Tone::Warn,
                format!("\"{}\" does not belong here, or your role does not have it", row.command),
            );
            Vec::new()
        }
    }
}

/// An action with what was typed behind its name.
fn with(state: &mut State, action: Action, rest: &str) -> Vec<Effect> {
    if rest.is_empty() {
        return act::act(state, action);
    }
    match action {
        Action::Filter => prompt::apply_filter(state, rest),
        Action::Views => go::open_view(state, rest),
        Action::Settings => settings_menu::by_words(state, rest),
        Action::Up | Action::Down => {
            let times = rest.parse().unwrap_or(1).min(10_000);
            (0..times).flat_map(|_| act::act(state, action)).collect()
        }
        _ => {
            let effects = act::act(state, action);
            if let Some(prompt::Prompt::Form(form)) = &mut state.prompt {
                form.fill(rest);
            } else {
                state.say(Tone::Warn, "what stands behind the name was not needed");
            }
            effects
        }
    }
}
