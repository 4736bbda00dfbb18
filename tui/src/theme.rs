//! Colours: the terminal's own sixteen, and never colour alone: each state has a word and a sign.

use postroom_api::State;
use postroom_api::summary::DoorState;
use ratatui::style::{Color, Modifier, Style};

/// Which colours suit the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Kind {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// No colour at all: bold, dim and reversed.
    Mono,
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
            (_, Tone::Plain) | (Self::Mono, Tone::Warn | Tone::Busy | Tone::Good) => style,
            (Self::Dark, Tone::Bad) => style.fg(Color::LightYellow).add_modifier(Modifier::BOLD),
            (Self::Dark, Tone::Warn) => style.fg(Color::Yellow),
            (Self::Dark, Tone::Busy) => style.fg(Color::LightCyan),
            (Self::Dark, Tone::Good) => style.fg(Color::LightBlue),
            (Self::Light, Tone::Bad) => style.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Self::Light, Tone::Warn) => style.fg(Color::Magenta),
            (Self::Light, Tone::Busy) => style.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            (Self::Light, Tone::Good) => style.fg(Color::Blue),
            (Self::Dark | Self::Light, Tone::Faint) => style.fg(Color::DarkGray),
            (Self::Mono, Tone::Bad) => style.add_modifier(Modifier::BOLD),
            (Self::Mono, Tone::Faint) => style.add_modifier(Modifier::DIM),
        }
    }

    /// A line that must not be missed.
    pub(crate) fn banner(self) -> Style {
        match self {
            Self::Dark => Style::new().fg(Color::Black).bg(Color::Yellow),
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
        DoorState::Open | DoorState::Login | DoorState::Settings | DoorState::Away => Tone::Bad,
    }
}
