//! Colours: the terminal's own sixteen, and never colour alone: each state has a word and a sign.

use postroom_api::summary::DoorState;
use postroom_api::{IntakeState, State};
use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Serialize};

/// Which colours suit the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// Few colours, strong ones, nothing dim.
    Contrast,
    /// Colours of its own, for terminals that show all of them.
    Rich,
    /// No colour at all: bold, dim and reversed.
    Mono,
}

impl Kind {
    /// All of them, in the order in which they are offered.
    pub(crate) const ALL: [Self; 5] = [Self::Dark, Self::Light, Self::Contrast, Self::Rich, Self::Mono];

    /// Its name in settings.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Contrast => "contrast",
            Self::Rich => "rich",
            Self::Mono => "mono",
        }
    }
}

/// How much something wants to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A person must act.
    Bad,
    /// Something to know.
    Warn,
    /// It works on it.
    Busy,
    /// It is done.
    Good,
    /// Nothing to say.
    Plain,
    /// Less important.
    Faint,
}

impl Kind {
    /// The style of a tone. Blue and orange rather than green and red, which many cannot tell apart.
    pub(crate) fn of(self, tone: Tone) -> Style {
        let style = Style::new();
        match (self, tone) {
            (_, Tone::Plain)
            | (Self::Mono, Tone::Warn | Tone::Busy | Tone::Good)
            | (Self::Contrast, Tone::Faint) => style,
            (Self::Dark, Tone::Bad) => style.fg(Color::LightYellow).add_modifier(Modifier::BOLD),
            (Self::Dark, Tone::Warn) => style.fg(Color::Yellow),
            (Self::Dark, Tone::Busy) => style.fg(Color::LightCyan),
            (Self::Dark, Tone::Good) => style.fg(Color::LightBlue),
            (Self::Light, Tone::Bad) => style.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Self::Light, Tone::Warn) => style.fg(Color::Magenta),
            (Self::Light, Tone::Busy) => style.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            (Self::Light, Tone::Good) => style.fg(Color::Blue),
            (Self::Dark | Self::Light, Tone::Faint) => style.fg(Color::DarkGray),
            (Self::Contrast, Tone::Bad) => {
                style.fg(Color::LightYellow).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
            }
            (Self::Contrast, Tone::Warn) => style.fg(Color::LightYellow),
            (Self::Contrast, Tone::Busy) => style.fg(Color::LightCyan).add_modifier(Modifier::BOLD),
            (Self::Contrast, Tone::Good) => style.fg(Color::White),
            (Self::Rich, Tone::Bad) => style.fg(Color::Rgb(255, 158, 61)).add_modifier(Modifier::BOLD),
            (Self::Rich, Tone::Warn) => style.fg(Color::Rgb(233, 199, 120)),
            (Self::Rich, Tone::Busy) => style.fg(Color::Rgb(120, 210, 220)),
            (Self::Rich, Tone::Good) => style.fg(Color::Rgb(120, 170, 255)),
            (Self::Rich, Tone::Faint) => style.fg(Color::Rgb(140, 145, 155)),
            (Self::Mono, Tone::Bad) => style.add_modifier(Modifier::BOLD),
            (Self::Mono, Tone::Faint) => style.add_modifier(Modifier::DIM),
        }
    }

    /// A line that must not be missed.
    pub(crate) fn banner(self) -> Style {
        match self {
            Self::Dark | Self::Contrast => Style::new().fg(Color::Black).bg(Color::Yellow),
            Self::Rich => Style::new().fg(Color::Black).bg(Color::Rgb(255, 190, 90)),
            Self::Light => Style::new().fg(Color::White).bg(Color::Red),
            Self::Mono => Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
        }
    }
}

/// The row under the cursor.
pub(crate) fn cursor(focused: bool) -> Style {
    Style::new().add_modifier(if focused { Modifier::REVERSED } else { Modifier::BOLD })
}

/// Headings and the names of keys.
pub(crate) fn heading() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

/// The sign of a filing's state: readable without colour.
pub(crate) const fn sign(state: State) -> &'static str {
    match state {
        State::Waiting => "○",
        State::Blocked => "◌",
        State::Running => "▶",
        State::Checking => "↻",
        State::Undecided => "?",
        State::Held => "■",
        State::Failed => "✖",
        State::Filed => "✔",
        State::Duplicate => "=",
        State::Cancelled => "–",
    }
}

/// How much a filing's state wants to be looked at.
pub(crate) const fn tone(state: State) -> Tone {
    match state {
        State::Failed | State::Undecided => Tone::Bad,
        State::Blocked | State::Held => Tone::Warn,
        State::Running | State::Checking => Tone::Busy,
        State::Filed => Tone::Good,
        State::Waiting => Tone::Plain,
        State::Duplicate | State::Cancelled => Tone::Faint,
    }
}

/// How much a door's state wants to be looked at.
pub(crate) const fn door_tone(state: DoorState) -> Tone {
    match state {
        DoorState::Ok => Tone::Good,
        DoorState::Paused | DoorState::Throttled | DoorState::SlowStart | DoorState::Unknown => Tone::Warn,
        DoorState::Open | DoorState::Login | DoorState::Settings | DoorState::Away | DoorState::Full => {
            Tone::Bad
        }
    }
}

/// The sign of an arrival's state: readable without colour.
pub(crate) const fn arrival_sign(state: IntakeState) -> &'static str {
    match state {
        IntakeState::Stored => "○",
        IntakeState::Split => "▶",
        IntakeState::NeedsPerson => "?",
        IntakeState::Quarantined => "‼",
        IntakeState::Settled => "✔",
        IntakeState::Dismissed => "–",
    }
}

/// An arrival's state in a word or two.
pub(crate) const fn arrival_word(state: IntakeState) -> &'static str {
    match state {
        IntakeState::Stored => "stored",
        IntakeState::Split => "filing",
        IntakeState::NeedsPerson => "decide",
        IntakeState::Quarantined => "set aside",
        IntakeState::Settled => "settled",
        IntakeState::Dismissed => "dismissed",
    }
}

/// How much an arrival's state wants to be looked at.
pub(crate) const fn arrival_tone(state: IntakeState) -> Tone {
    match state {
        IntakeState::NeedsPerson | IntakeState::Quarantined => Tone::Bad,
        IntakeState::Split => Tone::Busy,
        IntakeState::Settled => Tone::Good,
        IntakeState::Stored => Tone::Plain,
        IntakeState::Dismissed => Tone::Faint,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// In a picture without any colour each state is told by its sign and by its word.
    #[test]
    fn no_two_states_look_the_same_in_grey() {
        let filings: HashSet<_> = State::ALL.map(sign).into_iter().collect();
        assert_eq!(filings.len(), State::ALL.len());
        let words: HashSet<_> = State::ALL.map(State::as_str).into_iter().collect();
        assert_eq!(words.len(), State::ALL.len());
        let arrivals: HashSet<_> = IntakeState::ALL.map(arrival_sign).into_iter().collect();
        assert_eq!(arrivals.len(), IntakeState::ALL.len());
        let words: HashSet<_> = IntakeState::ALL.map(arrival_word).into_iter().collect();
        assert_eq!(words.len(), IntakeState::ALL.len());
    }
}
