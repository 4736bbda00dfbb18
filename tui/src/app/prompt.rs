//! What asks the person for something: a filter, a command, a question with fields, one of several.

use crossterm::event::{KeyCode, KeyEvent};
use postroom_api::filter::{self, FilterError};
use tui_input::Input;

use super::arrivals;
use super::form::{Form, Turn, paste_in, type_in};
use super::go::open_filings;
use super::{Change, Effect, Setting, State, change, command, go, settings_menu};
use crate::place::Place;
use crate::text::clean;
use crate::theme::Tone;

/// What is done with a row of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pick {
    /// It goes to the clipboard.
    Copy(String),
    /// A setting gets its next value.
    Set(Setting),
    /// A saved view is opened.
    View(String),
}

/// A row of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Its key.
    pub(crate) key: char,
    /// What it is.
    pub(crate) what: String,
    /// How it looks.
    pub(crate) sample: String,
    /// What is done with it.
    pub(crate) pick: Pick,
}

/// One of several.
#[derive(Debug)]
pub(crate) struct Menu {
    pub(crate) title: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) row: usize,
}

/// An open question.
#[derive(Debug)]
pub(crate) enum Prompt {
    /// The filter of a place; mistakes are shown while it is typed.
    Filter { place: Place, input: Input, errors: Vec<FilterError>, past: usize },
    /// The command line, with the row of the offers under the cursor.
    Command { input: Input, row: usize },
    /// Anything with fields.
    Form(Box<Form>),
    /// One of several.
    Menu(Menu),
}

impl Prompt {
    /// The filter of a place, to be changed.
    pub(crate) fn filter(place: Place, text: &str) -> Self {
        // A space at the end: the next word is typed at once.
        let text = if text.is_empty() { String::new() } else { format!("{text} ") };
        Self::Filter { place, errors: Vec::new(), input: Input::new(text), past: 0 }
    }

    fn check(&mut self) {
        if let Self::Filter { place, input, errors, .. } = self {
            *errors = mistakes(*place, input.value());
        }
    }
}

fn mistakes(place: Place, text: &str) -> Vec<FilterError> {
    if place.is_arrivals() {
        arrivals::parse(text).err().unwrap_or_default()
    } else if place == Place::Events {
        Vec::new()
    } else {
        filter::parse(text).err().unwrap_or_default()
    }
}

/// A key while a question is open.
pub(super) fn key(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(mut prompt) = state.prompt.take() else { return Vec::new() };
    if let Prompt::Form(mut form) = prompt {
        return form_key(state, &mut form, key).unwrap_or_else(|effects| {
            state.prompt = Some(Prompt::Form(form));
            effects
        });
    }
    match key.code {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Enter => return accept(state, prompt),
        _ => {}
    }
    match &mut prompt {
        Prompt::Menu(menu) => match key.code {
            KeyCode::Up => menu.row = menu.row.saturating_sub(1),
            KeyCode::Down => menu.row = (menu.row + 1).min(menu.choices.len().saturating_sub(1)),
            KeyCode::Delete => {
                if let Some(Choice { pick: Pick::View(name), .. }) = menu.choices.get(menu.row)
                    && !state.is_read_only()
                {
                    return change::send(state, Change::RemoveView { name: name.clone() });
                }
            }
            KeyCode::Char(letter) => {
                if let Some(at) = menu.choices.iter().position(|choice| choice.key == letter) {
                    menu.row = at;
                    return accept(state, prompt);
                }
            }
            _ => {}
        },
        Prompt::Command { input, row } => match key.code {
            KeyCode::Up => *row = row.saturating_sub(1),
            KeyCode::Down => {
                *row = (*row + 1).min(command::offers(state, input.value()).len().saturating_sub(1));
            }
            KeyCode::Tab => {
                if let Some(offer) = command::offers(state, input.value()).get(*row) {
                    *input = Input::new(format!("{} ", offer.row.command));
                    *row = 0;
                }
            }
            _ => {
                type_in(input, key);
                *row = 0;
            }
        },
        Prompt::Filter { input, errors, past, .. } => match key.code {
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
            KeyCode::Tab => correct(input, errors),
            _ => type_in(input, key),
        },
        Prompt::Form(_) => {}
    }
    prompt.check();
    state.prompt = Some(prompt);
    Vec::new()
}

/// Takes the first suggestion.
fn correct(input: &mut Input, errors: &[FilterError]) {
    if let Some((error, meant)) = errors.iter().find_map(|e| Some((e, e.suggestion.as_ref()?))) {
        let chars: Vec<char> = input.value().chars().collect();
        let before: String = chars[..error.position].iter().collect();
        let after: String = chars[error.position + error.length..].iter().collect();
        let cursor = before.chars().count() + meant.chars().count();
        *input = Input::new(before + meant + &after).with_cursor(cursor);
    }
}

/// A key in a form. An error means that it goes on being asked.
fn form_key(state: &mut State, form: &mut Form, key: KeyEvent) -> Result<Vec<Effect>, Vec<Effect>> {
    match form.key(key) {
        Turn::Stay => Err(Vec::new()),
        Turn::Drop => Ok(Vec::new()),
        Turn::Go => submit(state, form),
    }
}

/// The form is answered. An error means that the answer cannot be taken, and the form says why.
pub(crate) fn submit(state: &mut State, form: &mut Form) -> Result<Vec<Effect>, Vec<Effect>> {
    if state.link.is_lost() {
        "the server cannot be reached; nothing was sent".clone_into(&mut form.trouble);
        return Err(Vec::new());
    }
    match change::answer(state, form) {
        Some(Effect::Change(change)) => Ok(change::send(state, change)),
        Some(effect) => Ok(vec![effect]),
        None => Err(Vec::new()),
    }
}

/// Pasted text goes into an open question and nowhere else: it must not be taken for keys.
pub(super) fn paste(state: &mut State, text: &str) {
    let Some(prompt) = &mut state.prompt else { return };
    match prompt {
        Prompt::Filter { input, .. } | Prompt::Command { input, .. } => paste_in(input, text),
        Prompt::Form(form) => form.paste(text),
        Prompt::Menu(_) => {}
    }
    prompt.check();
}

/// Takes a filter that was typed for the present place.
pub(super) fn apply_filter(state: &mut State, text: &str) -> Vec<Effect> {
    let place = if state.place().has_filter() { state.place() } else { Place::Filings };
    if let Some(error) = mistakes(place, text).first() {
        let message = format!("✖ at {}: {}", error.position + 1, error.message);
        state.say(Tone::Bad, message);
        return Vec::new();
    }
    take_filter(state, place, text)
}

fn take_filter(state: &mut State, place: Place, text: &str) -> Vec<Effect> {
    let text = text.trim().to_owned();
    if place == Place::Events {
        state.events.filter = text;
        return Vec::new();
    }
    state.filters.retain(|old| *old != text);
    if !text.is_empty() {
        state.filters.push(text.clone());
    }
    if place.is_arrivals() {
        return go::open_arrivals(state, place, text);
    }
    let empty = filter::parse(&text).is_ok_and(|filter| filter.is_empty());
    open_filings(state, if empty { String::new() } else { text })
}

fn accept(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    match prompt {
        Prompt::Filter { place, input, past, .. } => {
            let errors = mistakes(place, input.value());
            if errors.is_empty() {
                return take_filter(state, place, input.value());
            }
            state.prompt = Some(Prompt::Filter { place, input, errors, past });
            Vec::new()
        }
        Prompt::Command { input, row } => command::run(state, input.value(), row),
        Prompt::Form(_) => Vec::new(),
        Prompt::Menu(menu) => match menu.choices.into_iter().nth(menu.row).map(|choice| choice.pick) {
            Some(Pick::Copy(text)) => vec![Effect::Copy(text)],
            Some(Pick::Set(setting)) => {
                let effects = settings_menu::next(state, setting);
                settings_menu::open(state, menu.row);
                effects
            }
            Some(Pick::View(name)) => go::open_view(state, &name),
            None => Vec::new(),
        },
    }
}

/// A menu of what can be copied; each text is made safe for the terminal.
pub(super) fn copies(state: &State) -> Vec<Choice> {
    let mut choices = Vec::new();
    let mut put = |key, what: &str, text: String| {
        if !text.trim().is_empty() {
            let sample = clean(&text);
            choices.push(Choice { key, what: what.to_owned(), sample, pick: Pick::Copy(text) });
        }
    };
    if let Some(item) = state.looked_at() {
        put('i', "the filing's id", item.id.to_string());
        let link = item.receipt.as_ref().and_then(|receipt| receipt.link.as_ref());
        put('l', "the link to the document", link.map(|link| clean(link)).unwrap_or_default());
        if let Some(cause) = &item.cause {
            put('c', "the cause", clean(&format!("{} {}", cause.sentence, cause.technical.detail)));
        }
        put('s', "the subject", clean(&item.subject));
        put('r', "the whole report", crate::report::of(state, item));
    } else if let Some(item) = state.arrival_at() {
        put('i', "the arrival's id", item.id.to_string());
        put('s', "the subject", clean(&item.subject));
        put('f', "the sender", clean(&item.sender));
        let why = item.needs.as_ref().map(|needs| clean(&needs.text)).unwrap_or_default();
        put('c', "why it needs a person", why);
        put('r', "the whole report", crate::report::of_arrival(state, item));
    }
    choices
}
