//! What asks the person for something: the filter, a reason, what to copy.

use crossterm::event::{Event, KeyCode, KeyEvent};
use postroom_api::decision::DecisionKind;
use postroom_api::filing::FilingItem;
use postroom_api::filter::{self, FilterError};
use postroom_api::pause::DoorKind;
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use super::act::open_filings;
use super::{Effect, State, decide};
use crate::text::clean;
use crate::theme::Tone;

/// What is done once a reason is given.
#[derive(Debug)]
pub(crate) enum Job {
    /// A decision over filings as they were on the screen.
    Decide { kind: DecisionKind, targets: Vec<FilingItem> },
    /// A pause.
    Pause { kind: DoorKind, name: String },
}

/// An open question.
#[derive(Debug)]
pub(crate) enum Prompt {
    /// The filter; mistakes are shown while it is typed.
    Filter { input: Input, errors: Vec<FilterError>, past: usize },
    /// A reason that must be given.
    Reason { question: String, input: Input, job: Job },
    /// Something to copy: key, what it is, the text.
    Copy { choices: Vec<(char, &'static str, String)>, row: usize },
}

/// The longest text that is typed, in characters.
const LONGEST: usize = 1000;

impl Prompt {
    pub(crate) fn filter(text: &str) -> Self {
        // A space at the end: the next word is typed at once.
        let text = if text.is_empty() { String::new() } else { format!("{text} ") };
        Self::Filter { errors: Vec::new(), input: Input::new(text), past: 0 }
    }

    pub(crate) fn reason(question: String, job: Job) -> Self {
        Self::Reason { question, input: Input::default(), job }
    }

    fn input(&mut self) -> Option<&mut Input> {
        match self {
            Self::Filter { input, .. } | Self::Reason { input, .. } => Some(input),
            Self::Copy { .. } => None,
        }
    }

    fn check(&mut self) {
        if let Self::Filter { input, errors, .. } = self {
            *errors = filter::parse(input.value()).err().unwrap_or_default();
        }
    }
}

/// A key while a question is open.
pub(super) fn key(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(mut prompt) = state.prompt.take() else { return Vec::new() };
    match key.code {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Enter => return accept(state, prompt),
        _ => {}
    }
    match &mut prompt {
        Prompt::Copy { choices, row } => match key.code {
            KeyCode::Up => *row = row.saturating_sub(1),
            KeyCode::Down => *row = (*row + 1).min(choices.len() - 1),
            KeyCode::Char(letter) => {
                if let Some(at) = choices.iter().position(|(key, ..)| *key == letter) {
                    *row = at;
                    return accept(state, prompt);
                }
            }
            _ => {}
        },
        Prompt::Filter { input, errors, past } => match key.code {
            KeyCode::Up | KeyCode::Down => {
                *past = if key.code == KeyCode::Up {
                    (*past + 1).min(state.filters.len())
                } else {
                    past.saturating_sub(1)
                };
                let text = match past.checked_sub(1) {
                    Some(back) => state.filters[state.filters.len() - 1 - back].clone(),
                    None => String::new(),
                };
                *input = Input::new(text);
            }
            KeyCode::Tab => {
                if let Some((error, meant)) = errors.iter().find_map(|e| Some((e, e.suggestion.as_ref()?))) {
                    let chars: Vec<char> = input.value().chars().collect();
                    let before: String = chars[..error.position].iter().collect();
                    let after: String = chars[error.position + error.length..].iter().collect();
                    let cursor = before.chars().count() + meant.chars().count();
                    *input = Input::new(before + meant + &after).with_cursor(cursor);
                }
            }
            _ => type_in(input, key),
        },
        Prompt::Reason { input, .. } => type_in(input, key),
    }
    prompt.check();
    state.prompt = Some(prompt);
    Vec::new()
}

fn type_in(input: &mut Input, key: KeyEvent) {
    let adds = matches!(key.code, KeyCode::Char(_));
    if !adds || input.value().chars().count() < LONGEST {
        input.handle_event(&Event::Key(key));
    }
}

/// Pasted text goes into an open question and nowhere else: it must not be taken for keys.
pub(super) fn paste(state: &mut State, text: &str) {
    let Some(prompt) = &mut state.prompt else { return };
    if let Some(input) = prompt.input() {
        let room = LONGEST.saturating_sub(input.value().chars().count());
        for c in clean(text).trim().chars().take(room) {
            input.handle(InputRequest::InsertChar(c));
        }
    }
    prompt.check();
}

fn accept(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    match prompt {
        Prompt::Filter { input, past, .. } => match filter::parse(input.value()) {
            Ok(filter) => {
                let text = if filter.is_empty() { String::new() } else { input.value().trim().to_owned() };
                state.filters.retain(|old| *old != text);
                if !text.is_empty() {
                    state.filters.push(text.clone());
                }
                open_filings(state, text)
            }
            Err(errors) => {
                state.prompt = Some(Prompt::Filter { input, errors, past });
                Vec::new()
            }
        },
        Prompt::Reason { question, input, job } => {
            let reason = input.value().trim().to_owned();
            if reason.is_empty() {
                state.say(Tone::Warn, "a reason is needed; Esc leaves everything as it is");
                state.prompt = Some(Prompt::Reason { question, input, job });
                return Vec::new();
            }
            if state.link.is_lost() {
                state.say(Tone::Bad, "the server cannot be reached; nothing was sent");
                state.prompt = Some(Prompt::Reason { question, input, job });
                return Vec::new();
            }
            match job {
                Job::Decide { kind, targets } => decide::run(state, kind, targets, &reason),
                Job::Pause { kind, name } => vec![Effect::Door { kind, name, stop: Some(reason) }],
            }
        }
        Prompt::Copy { choices, row } => match choices.into_iter().nth(row) {
            Some((_, what, text)) => {
                state.say(
                    Tone::Plain,
                    format!("{what} sent to the clipboard of your terminal (OSC 52); some terminals must allow that"),
                );
                vec![Effect::Copy(text)]
            }
            None => Vec::new(),
        },
    }
}
