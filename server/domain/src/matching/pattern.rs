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
/// Different references that one pattern may find in one place: who names more is writing a list.
const MOST_REFERENCES: usize = 16;
/// Finds of one pattern in one place. A quoted footer says the same again and again.
const MOST_FINDS: usize = 500;
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

    /// The references in one text, each once, and whether there are more than are told.
    pub(super) fn in_text(&self, text: &str) -> (Vec<String>, bool) {
        let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
        let mut found: Vec<String> = Vec::new();
        for (number, captures) in self.regex.captures_iter(text).enumerate() {
            if number == MOST_FINDS {
                return (found, true);
            }
            let Some(key) = self.reference(&captures).filter(|key| !found.contains(key)) else { continue };
            if found.len() == MOST_REFERENCES {
                return (found, true);
            }
            found.push(key);
        }
        (found, false)
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

/// What all patterns find, in the order of the settings, subject before attachments before text; and whether that is not everything.
pub(super) fn find(patterns: &[Pattern], mail: &Mail) -> (Vec<Referred>, bool) {
    let (mut all, mut cut): (Vec<Referred>, bool) = (Vec::new(), false);
    for pattern in patterns {
        for place in Place::ALL.into_iter().filter(|place| pattern.places.contains(place)) {
            let texts: Vec<&str> = match place {
                Place::Subject => vec![&mail.subject],
                Place::Text => vec![&mail.text],
                Place::Attachments => {
                    cut |= mail.carried.len() > MOST_NAMES;
                    let names = mail.carried.iter().take(MOST_NAMES).map(|one| one.name.as_str());
                    names.map(|name| &name[..name.floor_char_boundary(LONGEST_NAME)]).collect()
                }
            };
            let before = all.len();
            for text in texts {
                let (found, more) = pattern.in_text(text);
                cut |= more;
                for key in found {
                    if all.iter().any(|it| it.key == key && it.place == place) {
                        continue;
                    }
                    if all.len() - before == MOST_REFERENCES {
                        cut = true;
                        break;
                    }
                    all.push(Referred { key, place, pattern: pattern.name.clone() });
                }
            }
        }
    }
    (all, cut)
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
