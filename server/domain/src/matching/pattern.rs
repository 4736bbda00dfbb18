//! Finds what may be one of the firm's references.
//!
//! The expressions are the firm's and the texts are strangers': the engine has no backtracking, programs and texts are bounded, and so is
//! the number of finds.

use std::fmt;

use regex::{Captures, Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::PatternSettings;
use crate::mail::Mail;

/// Bytes of a compiled expression: some twenty thousand states.
const LARGEST_PROGRAM: usize = 512 * 1024;
/// Bytes of a text that are looked through.
const LONGEST_TEXT: usize = 64 * 1024;
/// References that one pattern may find in one place.
const MOST_FINDS: usize = 16;
/// References longer than this are none.
const LONGEST_REFERENCE: usize = 100;
/// Attachments whose names are looked at, and bytes of each.
const MOST_NAMES: usize = 200;
const LONGEST_NAME: usize = 1024;

/// Where a reference stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the subject.
    Subject,
    /// In the text.
    Text,
    /// In the name of an attachment.
    Attachments,
}

impl Place {
    /// All of them, the strongest first.
    pub const ALL: [Self; 3] = [Self::Subject, Self::Attachments, Self::Text];
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject => "the subject",
            Self::Text => "the text",
            Self::Attachments => "an attachment's name",
        })
    }
}

/// A reference that a pattern found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// The reference as it is looked up: see [`reference_key`].
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// The pattern's name.
    pub pattern: String,
}

/// A reference as references are compared: without case, and with one blank where there are several.
pub fn reference_key(reference: &str) -> String {
    reference.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A pattern, compiled.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    name: String,
    regex: Regex,
    places: Vec<Place>,
    reference: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Group(String),
}

impl Pattern {
    /// Compiles it; the error is the key that is wrong, and why.
    pub(super) fn new(settings: &PatternSettings) -> Result<Self, (&'static str, String)> {
        let mut builder = RegexBuilder::new(&settings.regex);
        let builder =
            builder.case_insensitive(true).size_limit(LARGEST_PROGRAM).dfa_size_limit(LARGEST_PROGRAM);
        let regex = builder.build().map_err(|error| ("regex", told(&error)))?;
        if regex.is_match("") {
            return Err(("regex", "matches the empty text, and so every mail".to_owned()));
        }
        let groups: Vec<&str> = regex.capture_names().flatten().collect();
        let (key, reference) = match &settings.reference {
            None => ("regex", vec![Part::Group("reference".to_owned())]),
            Some(text) => ("reference", parts(text).map_err(|problem| ("reference", problem))?),
        };
        for part in &reference {
            if let Part::Group(name) = part
                && !groups.contains(&name.as_str())
            {
                let problem = format!("the expression has no group \"{name}\": (?<{name}>…)");
                return Err((key, problem));
            }
        }
        if !reference.iter().any(|part| matches!(part, Part::Group(_))) {
            return Err((key, "names no group, so it is the same for every mail".to_owned()));
        }
        Ok(Self { name: settings.name.clone(), regex, places: settings.places.clone(), reference })
    }

    /// The references in one text, each once.
    pub(super) fn in_text(&self, text: &str) -> Vec<String> {
        let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
        let mut found: Vec<String> = Vec::new();
        for captures in self.regex.captures_iter(text).take(MOST_FINDS) {
            let Some(key) = self.reference(&captures) else { continue };
            if !found.contains(&key) {
                found.push(key);
            }
        }
        found
    }

    fn reference(&self, captures: &Captures<'_>) -> Option<String> {
        let mut reference = String::new();
        for part in &self.reference {
            match part {
                Part::Literal(literal) => reference.push_str(literal),
                Part::Group(name) => reference.push_str(captures.name(name)?.as_str()),
            }
        }
        let key = reference_key(&reference);
        (!key.is_empty() && key.len() <= LONGEST_REFERENCE).then_some(key)
    }
}

/// What all patterns find, in the order of the settings, subject before attachments before text.
pub(super) fn find(patterns: &[Pattern], mail: &Mail) -> Vec<Referred> {
    let mut all: Vec<Referred> = Vec::new();
    for pattern in patterns {
        for place in Place::ALL.into_iter().filter(|place| pattern.places.contains(place)) {
            let found = match place {
                Place::Subject => pattern.in_text(&mail.subject),
                Place::Text => pattern.in_text(&mail.text),
                Place::Attachments => {
                    let names = mail.carried.iter().take(MOST_NAMES);
                    let names = names.map(|one| &one.name[..one.name.floor_char_boundary(LONGEST_NAME)]);
                    names.flat_map(|name| pattern.in_text(name)).take(MOST_FINDS).collect()
                }
            };
            for key in found {
                if !all.iter().any(|it| it.key == key && it.place == place) {
                    all.push(Referred { key, place, pattern: pattern.name.clone() });
                }
            }
        }
    }
    all
}

/// `{client}-{matter}` in its parts.
fn parts(text: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("\"{text}\" opens a brace and does not close it"))?;
        parts.push(Part::Literal(literal.to_owned()));
        parts.push(Part::Group(name.trim().to_owned()));
        rest = after;
    }
    parts.push(Part::Literal(rest.to_owned()));
    Ok(parts)
}

/// The engine's complaint in one line.
fn told(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "is too large when it is compiled: write [0-9] instead of \\d, and repeat less".to_owned()
        }
        other => {
            let text = other.to_string();
            let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            format!("cannot be read: {}", last.trim().trim_start_matches("error: "))
        }
    }
}
