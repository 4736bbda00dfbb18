//! The parser of the filter language.

use std::time::Duration;

use postroom_domain::cause::CAUSES;
use postroom_domain::filing::State;
use postroom_domain::query::{Predicate, Term};

use super::{Filter, FilterError, LONGEST, UNITS};
use crate::nearest::nearest;

/// Reads a filter; an empty one asks for everything. On mistakes, all of them are returned, first to last.
pub fn parse(text: &str) -> Result<Filter, Vec<FilterError>> {
    let chars: Vec<char> = text.chars().take(LONGEST + 1).collect();
    if chars.len() > LONGEST {
        return Err(vec![FilterError {
            position: LONGEST,
            length: 0,
            message: format!("the filter is longer than {LONGEST} characters"),
            suggestion: None,
        }]);
    }
    let mut parser = Parser { chars, at: 0, errors: Vec::new() };
    let mut terms = Vec::new();
    loop {
        parser.skip_space();
        if parser.peek().is_none() {
            break;
        }
        terms.extend(parser.term());
    }
    if parser.errors.is_empty() { Ok(Filter { terms }) } else { Err(parser.errors) }
}

pub(super) const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

/// What a term asks about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    State,
    Dest,
    Cause,
    Older,
    Younger,
    From,
    Intake,
    Id,
    Ref,
    By,
    Text,
}

const NAMES: [(&str, Key); 9] = [
    ("state", Key::State),
    ("dest", Key::Dest),
    ("cause", Key::Cause),
    ("age", Key::Older),
    ("from", Key::From),
    ("intake", Key::Intake),
    ("id", Key::Id),
    ("ref", Key::Ref),
    ("by", Key::By),
];

/// Words people try first.
const OTHER_NAMES: [(&str, &str); 12] = [
    ("status", "state"),
    ("destination", "dest"),
    ("to", "dest"),
    ("dms", "dest"),
    ("service", "dest"),
    ("error", "cause"),
    ("source", "from"),
    ("sender", "from"),
    ("older", "age"),
    ("reference", "ref"),
    ("matter", "ref"),
    ("user", "by"),
];

/// A value with its place.
struct Value {
    text: String,
    from: usize,
    to: usize,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    errors: Vec<FilterError>,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn wrong(&mut self, from: usize, to: usize, message: impl Into<String>, suggestion: Option<String>) {
        self.errors.push(FilterError {
            position: from,
            length: to - from,
            message: message.into(),
            suggestion,
        });
    }

    /// One term; none when it has a mistake.
    fn term(&mut self) -> Option<Term> {
        let start = self.at;
        let before = self.errors.len();
        let negated = self.peek() == Some('-');
        if negated {
            self.at += 1;
            if self.peek().is_none_or(char::is_whitespace) {
                self.wrong(start, self.at, "nothing follows the minus; put a word right behind it", None);
                return None;
            }
        }
        let key_from = self.at;
        let key = self.key();
        let name: String = self.chars[key_from..self.at].iter().collect();
        let values = self.values(&name);
        let key = key?;
        let any: Vec<Predicate> = values.into_iter().filter_map(|value| self.predicate(key, value)).collect();
        (self.errors.len() == before && !any.is_empty()).then_some(Term { negated, any })
    }

    /// The key in front of a term, moved behind its sign. None when there is a word that looks like one but is not.
    fn key(&mut self) -> Option<Key> {
        let from = self.at;
        let mut end = from;
        while self.chars.get(end).is_some_and(|c| c.is_ascii_alphabetic() || *c == '_') {
            end += 1;
        }
        let sign = match self.chars.get(end) {
            Some(c @ (':' | '>' | '<')) if end > from => *c,
            _ => return Some(Key::Text),
        };
        let name: String = self.chars[from..end].iter().collect::<String>().to_lowercase();
        self.at = end + 1;
        let known = NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, key)| key);
        match (known, sign) {
            (Some(Key::Older), '>') => Some(Key::Older),
            (Some(Key::Older), '<') => Some(Key::Younger),
            (Some(Key::Older), _) => {
                let bad = self.at;
                if matches!(self.peek(), Some('>' | '<')) {
                    self.at += 1;
                }
                self.wrong(
                    from,
                    self.at,
                    "age is compared with > or <, as in age>2h",
                    Some(if self.chars.get(bad) == Some(&'<') { "age<" } else { "age>" }.to_owned()),
                );
                None
            }
            (Some(key), ':') => Some(key),
            (Some(_), _) => {
                let meant = format!("{name}:");
                self.wrong(
                    from,
                    self.at,
                    format!("only age is compared with > or <; {name} takes a colon"),
                    Some(meant),
                );
                None
            }
            (None, _) => {
                let other = OTHER_NAMES.into_iter().find(|(given, _)| *given == name).map(|(_, meant)| meant);
                let meant = other.or_else(|| nearest(&name, NAMES.iter().map(|(name, _)| *name)));
                let suggestion = meant.map(|meant| match meant {
                    "age" => format!("age{}", if sign == '<' { '<' } else { '>' }),
                    meant => format!("{meant}:"),
                });
                let keys: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                let message = format!(
                    "\"{name}\" is not a key ({}); to search for text with \"{sign}\" in it, put it in quotes",
                    keys.join(", ")
                );
                self.wrong(from, self.at, message, suggestion);
                None
            }
        }
    }

    /// The values of a term, up to the next space outside quotes.
    fn values(&mut self, key: &str) -> Vec<Value> {
        let mut values = Vec::new();
        let mut first = true;
        loop {
            let from = self.at;
            match self.peek() {
                None | Some(',') => {
                    self.nothing(key, first);
                }
                Some(c) if c.is_whitespace() => {
                    self.nothing(key, first);
                }
                Some(c) if is_quote(c) => values.extend(self.quoted(c)),
                Some(_) => {
                    while self.peek().is_some_and(|c| !c.is_whitespace() && c != ',' && !is_quote(c)) {
                        self.at += 1;
                    }
                    let text = self.chars[from..self.at].iter().collect();
                    values.push(Value { text, from, to: self.at });
                    if self.peek().is_some_and(is_quote) {
                        self.wrong(
                            self.at,
                            self.at + 1,
                            "a quote in the middle of a word; put a space before it",
                            None,
                        );
                        self.recover();
                    }
                }
            }
            if self.peek() != Some(',') {
                return values;
            }
            self.at += 1;
            first = false;
        }
    }

    fn nothing(&mut self, key: &str, first: bool) {
        let message = match (first, key.is_empty() || key == "-") {
            (true, false) => format!("a value is missing after {key}"),
            (true, true) => "a word is missing before the comma".to_owned(),
            (false, _) => "a value is missing after the comma".to_owned(),
        };
        self.wrong(self.at, self.at, message, None);
    }

    /// Text in quotes; what opened it decides what closes it.
    fn quoted(&mut self, open: char) -> Option<Value> {
        let from = self.at;
        let closes = |c: char| if open == '"' { c == '"' } else { matches!(c, '“' | '”') };
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => {
                    self.wrong(from, self.at, "the quote is not closed", None);
                    return None;
                }
                Some('\\') if matches!(self.chars.get(self.at + 1), Some('"' | '\\')) => {
                    text.push(self.chars[self.at + 1]);
                    self.at += 2;
                }
                Some(c) if closes(c) => break,
                Some(c) => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        if text.trim().is_empty() {
            self.wrong(from, self.at, "there is nothing between the quotes", None);
            return None;
        }
        if self.peek().is_some_and(|c| !c.is_whitespace() && c != ',') {
            self.wrong(self.at, self.at + 1, "a space is missing after the closing quote", None);
            self.recover();
            return None;
        }
        Some(Value { text, from, to: self.at })
    }

    /// Goes on behind a mistake: at the next space or comma.
    fn recover(&mut self) {
        while self.peek().is_some_and(|c| !c.is_whitespace() && c != ',') {
            self.at += 1;
        }
    }

    fn predicate(&mut self, key: Key, value: Value) -> Option<Predicate> {
        let Value { text, from, to } = value;
        let lower = text.to_lowercase();
        let result = match key {
            Key::Text => Ok(Predicate::Text(text)),
            Key::From => Ok(Predicate::From(text)),
            Key::Ref => Ok(Predicate::Reference(text)),
            Key::By => Ok(Predicate::By(text)),
            Key::State => lower.parse().map(Predicate::State).map_err(|_| {
                let names = State::ALL.map(State::as_str);
                (format!("\"{}\" is not a state ({})", cut(&text), names.join(", ")), nearest(&lower, names))
            }),
            Key::Dest => lower
                .parse()
                .map(Predicate::Destination)
                .map_err(|_| (format!("\"{}\" is not the name of a destination", cut(&text)), None)),
            Key::Cause => cause(&lower).ok_or_else(|| {
                let message = format!("\"{}\" is neither a cause nor a status from 100 to 999", cut(&text));
                (message, nearest(&lower, CAUSES.iter().map(|row| row.name)))
            }),
            Key::Older => length(&lower).map(Predicate::OlderThan).map_err(|message| (message, None)),
            Key::Younger => length(&lower).map(Predicate::YoungerThan).map_err(|message| (message, None)),
            Key::Intake => lower.parse().map(Predicate::Intake).map_err(|error| (error.to_string(), None)),
            Key::Id => lower.parse().map(Predicate::Id).map_err(|error| (error.to_string(), None)),
        };
        match result {
            Ok(predicate) => Some(predicate),
            Err((message, suggestion)) => {
                self.wrong(from, to, message, suggestion.map(str::to_owned));
                None
            }
        }
    }
}

/// A message must not repeat pages of text.
fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

fn cause(text: &str) -> Option<Predicate> {
    if let Ok(status) = text.parse::<u16>() {
        return (100..=999).contains(&status).then_some(Predicate::Status(status));
    }
    text.parse().ok().map(Predicate::Cause)
}

/// `90s`, `15m`, `2h`, `3d`, `1w`, or several: `1d12h`.
fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{}\" is not a length of time such as 30s, 15m, 2h, 3d or 1w", cut(text));
    let mut seconds = 0_u64;
    let mut digits = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == c).ok_or_else(wrong)?;
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        digits.clear();
        seconds = number
            .checked_mul(unit)
            .and_then(|more| seconds.checked_add(more))
            .filter(|seconds| *seconds <= 100 * 366 * 86_400)
            .ok_or_else(|| "longer than a hundred years".to_owned())?;
    }
    match (text.is_empty(), digits.is_empty()) {
        (false, true) => Ok(Duration::from_secs(seconds)),
        (false, false) if digits == text => {
            Err(format!("the unit is missing: {0}s, {0}m, {0}h, {0}d or {0}w", cut(&digits)))
        }
        _ => Err(wrong()),
    }
}
