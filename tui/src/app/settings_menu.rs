//! The person's settings, changed one at a time and kept at once.

use super::prompt::{Choice, Menu, Pick, Prompt};
use super::{Effect, State};
use crate::theme::{Kind, Tone};
use crate::when::Times;

/// One of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// The colours.
    Theme,
    /// Ages or clock times.
    Times,
    /// The other columns.
    Wide,
    /// The mouse.
    Mouse,
}

const fn yes(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// Opens the menu, with the cursor on a row.
pub(super) fn open(state: &mut State, row: usize) {
    let config = &state.config;
    let times = if config.times == Times::Relative { "ages" } else { "clock times" };
    let choice = |key, what: &str, now: &str, setting| Choice {
        key,
        what: what.to_owned(),
        sample: now.to_owned(),
        pick: Pick::Set(setting),
    };
    let choices = vec![
        choice('c', "colours: dark, light, contrast, rich, mono", config.theme.word(), Setting::Theme),
        choice('t', "times", times, Setting::Times),
        choice('w', "other columns", yes(config.wide), Setting::Wide),
        choice('m', "mouse", yes(config.mouse), Setting::Mouse),
    ];
    state.prompt =
        Some(Prompt::Menu(Menu { title: "Settings; Enter changes, Esc closes".to_owned(), choices, row }));
}

/// Changes a setting to its next value, and keeps it.
pub(super) fn next(state: &mut State, setting: Setting) -> Vec<Effect> {
    let config = &mut state.config;
    match setting {
        Setting::Theme => {
            let at = Kind::ALL.iter().position(|kind| *kind == config.theme).unwrap_or(0);
            config.theme = Kind::ALL[(at + 1) % Kind::ALL.len()];
        }
        Setting::Times => {
            config.times = match config.times {
                Times::Relative => Times::Absolute,
                Times::Absolute => Times::Relative,
            };
        }
        Setting::Wide => config.wide = !config.wide,
        Setting::Mouse => config.mouse = !config.mouse,
    }
    state.times = state.config.times;
    kept(state, setting)
}

fn kept(state: &State, setting: Setting) -> Vec<Effect> {
    let mut effects = vec![Effect::Keep(state.config.clone())];
    if setting == Setting::Mouse {
        effects.push(Effect::Mouse(state.config.mouse));
    }
    effects
}

/// `theme light` and the like.
pub(super) fn by_words(state: &mut State, words: &str) -> Vec<Effect> {
    let mut parts = words.split_whitespace();
    let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let theme = Kind::ALL.into_iter().find(|kind| kind.word() == value);
    match (name, theme) {
        ("theme" | "colours" | "colors", Some(theme)) => {
            state.config.theme = theme;
            kept(state, Setting::Theme)
        }
        ("times", _) => next(state, Setting::Times),
        ("wide", _) => next(state, Setting::Wide),
        ("mouse", _) => next(state, Setting::Mouse),
        _ => {
            state.say(Tone::Warn, "settings are: theme dark|light|contrast|rich|mono, times, wide, mouse");
            Vec::new()
        }
    }
}
