//! A question with fields: a reason, a target, the pace of a set. Everything that has consequences is asked by one.

use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use super::Job;
use crate::text::clean;
use crate::theme::Tone;

/// The longest text that is typed, in characters.
pub(crate) const LONGEST: usize = 1000;

/// What a field takes.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Any text.
    Text(Input),
    /// One of some: what is shown, and what it stands for.
    Choice(Vec<(String, String)>, usize),
}

/// A field.
#[derive(Debug)]
pub(crate) struct Field {
    /// What it is called.
    pub(crate) label: &'static str,
    /// What is typed or chosen.
    pub(crate) entry: Entry,
    /// Nothing goes on while it is empty.
    pub(crate) needed: bool,
    /// What may stand in it; shown while it is empty.
    pub(crate) hint: String,
}

impl Field {
    /// A text.
    pub(crate) fn text(label: &'static str, value: &str, needed: bool, hint: &str) -> Self {
        Self { label, entry: Entry::Text(Input::new(value.to_owned())), needed, hint: hint.to_owned() }
    }

    /// One of some.
    pub(crate) fn choice(label: &'static str, options: Vec<(String, String)>, at: usize) -> Self {
        Self { label, entry: Entry::Choice(options, at), needed: false, hint: String::new() }
    }

    /// What stands in it, trimmed.
    pub(crate) fn value(&self) -> String {
        match &self.entry {
            Entry::Text(input) => input.value().trim().to_owned(),
            Entry::Choice(options, at) => {
                options.get(*at).map(|(_, value)| value.clone()).unwrap_or_default()
            }
        }
    }
}

/// The row of answers below the fields.
#[derive(Debug)]
pub(crate) struct Buttons {
    /// What going on is called: `Yes, cancel 36`.
    pub(crate) yes: String,
    /// The cursor is on it.
    pub(crate) on_yes: bool,
}

/// A question.
#[derive(Debug)]
pub(crate) struct Form {
    /// What is asked.
    pub(crate) title: String,
    /// What there is to know.
    pub(crate) text: Vec<(String, Tone)>,
    /// What is to be told.
    pub(crate) fields: Vec<Field>,
    /// The field of the cursor; the number of fields when it is on the answers.
    pub(crate) at: usize,
    /// The answers; without them Enter behind the last field goes on.
    pub(crate) buttons: Option<Buttons>,
    /// What is done then.
    pub(crate) job: Job,
    /// What is missing, once somebody tried.
    pub(crate) trouble: String,
}

/// What a key did to a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It goes on being asked.
    Stay,
    /// It is taken back.
    Drop,
    /// It is answered.
    Go,
}

impl Form {
    /// A question with nothing but an answer.
    pub(crate) fn new(title: impl Into<String>, job: Job) -> Self {
        Self {
            title: title.into(),
            text: Vec::new(),
            fields: Vec::new(),
            at: 0,
            buttons: None,
            job,
            trouble: String::new(),
        }
    }

    /// With something to know.
    pub(crate) fn say(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.text.push((text.into(), tone));
        self
    }

    /// With a field.
    pub(crate) fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// With answers. The cursor stands on *No* where it hurts, unless there is something to be told first.
    pub(crate) fn ask(mut self, yes: impl Into<String>, hurts: bool) -> Self {
        self.buttons = Some(Buttons { yes: yes.into(), on_yes: !hurts });
        self.at = self
            .fields
            .iter()
            .position(|field| field.needed && field.value().is_empty())
            .unwrap_or(self.fields.len());
        self
    }

    /// What stands in a field, by its label; empty where there is no such field.
    pub(crate) fn value(&self, label: &str) -> String {
        self.fields.iter().find(|field| field.label == label).map(Field::value).unwrap_or_default()
    }

    /// The first field that must be filled and is not.
    pub(crate) fn missing(&self) -> Option<usize> {
        self.fields.iter().position(|field| field.needed && field.value().is_empty())
    }

    /// Sends the cursor back with what is wrong.
    pub(crate) fn refuse(&mut self, at: usize, why: impl Into<String>) {
        self.at = at;
        self.trouble = why.into();
    }

    fn stops(&self) -> usize {
        self.fields.len() + usize::from(self.buttons.is_some())
    }

    fn step(&mut self, forward: bool) {
        let stops = self.stops().max(1);
        self.at = if forward { (self.at + 1) % stops } else { (self.at + stops - 1) % stops };
    }

    /// A key.
    pub(crate) fn key(&mut self, key: KeyEvent) -> Turn {
        match key.code {
            KeyCode::Esc => return Turn::Drop,
            KeyCode::Tab | KeyCode::Down => self.step(true),
            KeyCode::BackTab | KeyCode::Up => self.step(false),
            KeyCode::Enter => return self.enter(),
            _ => return self.other(key),
        }
        Turn::Stay
    }

    fn enter(&mut self) -> Turn {
        match &self.buttons {
            Some(buttons) if self.at >= self.fields.len() => {
                if !buttons.on_yes {
                    return Turn::Drop;
                }
            }
            None if self.at + 1 >= self.fields.len() => {}
            _ => {
                self.step(true);
                return Turn::Stay;
            }
        }
        if let Some(at) = self.missing() {
            let label = self.fields[at].label.to_lowercase();
            self.refuse(at, format!("{label} is needed; Esc leaves everything as it is"));
            return Turn::Stay;
        }
        Turn::Go
    }

    fn other(&mut self, key: KeyEvent) -> Turn {
        self.trouble.clear();
        if self.at >= self.fields.len() {
            if let Some(buttons) = &mut self.buttons {
                match key.code {
                    KeyCode::Left | KeyCode::Right | KeyCode::Char(' ') => buttons.on_yes = !buttons.on_yes,
                    KeyCode::Char('n') => return Turn::Drop,
                    _ => {}
                }
            }
            return Turn::Stay;
        }
        match &mut self.fields[self.at].entry {
            Entry::Choice(options, at) => match key.code {
                KeyCode::Left => *at = at.checked_sub(1).unwrap_or(options.len().saturating_sub(1)),
                KeyCode::Right | KeyCode::Char(' ') => *at = (*at + 1) % options.len().max(1),
                _ => {}
            },
            Entry::Text(input) => type_in(input, key),
        }
        Turn::Stay
    }

    /// Pasted text goes into the field under the cursor.
    pub(crate) fn paste(&mut self, text: &str) {
        if let Some(Field { entry: Entry::Text(input), .. }) = self.fields.get_mut(self.at) {
            paste_in(input, text);
        }
    }
}

/// A key in a line that is typed.
pub(crate) fn type_in(input: &mut Input, key: KeyEvent) {
    let adds = matches!(key.code, KeyCode::Char(_));
    if !adds || input.value().chars().count() < LONGEST {
        input.handle_event(&Event::Key(key));
    }
}

/// Pasted text in a line that is typed.
pub(crate) fn paste_in(input: &mut Input, text: &str) {
    let room = LONGEST.saturating_sub(input.value().chars().count());
    for c in clean(text).trim().chars().take(room) {
        input.handle(InputRequest::InsertChar(c));
    }
}

impl Form {
    /// Fills the first text with what was typed on the command line.
    pub(crate) fn fill(&mut self, text: &str) {
        if let Some(Field { entry: Entry::Text(input), .. }) =
            self.fields.iter_mut().find(|field| matches!(field.entry, Entry::Text(_)))
        {
            *input = Input::new(clean(text));
        }
    }
}
