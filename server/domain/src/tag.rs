//! Tags: paths into a work item's data, used in resolvers, folder names and profiles.
//!
//! ```text
//! text   := (literal | "[[" | tag)*          "[[" is a literal "["
//! tag    := "[" path ("|" filter)* "]"
//! path   := name ("." step)*      step := name | "!" int | "?" name "=" quoted
//! filter := default:"x" | format:"dd MMM yyyy" | join:", " | upper | lower | trim | pad:6 | first
//! name   := letter (letter | digit | "-" | "_")*
//! ```
//!
//! A path gives a value, *empty*, or *unknown*, and these are never confused. A value that itself holds `[x]` stays text: nothing is
//! filled in twice.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::work_item::WorkItem;

pub mod escape;
mod known;
mod parse;
mod value;

pub use value::Value;

/// What a filled-in text is for: it decides what becomes of an empty tag, and what a value is kept from doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    /// Title or fields of a workspace that is looked for. The value stays as it is: what the DMS finds is compared with it.
    Resolver,
    /// A profile attribute.
    Profile,
    /// The name of a folder.
    FolderName,
    /// Words for a DMS's search.
    DmsQuery,
    /// A plain e-mail.
    Email,
    /// An e-mail or page in HTML.
    Html,
    /// A part of an address.
    Url,
    /// A cell of a CSV file.
    Csv,
    /// A Word document.
    Word,
}

/// What becomes of a tag that is empty and has no `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Empty {
    /// It is an error: `custom2=` would match every workspace of the client.
    Error,
    /// Nothing is put there.
    Blank,
    /// The tag itself stays, for a person to see.
    Placeholder,
}

impl Use {
    /// All uses.
    pub const ALL: [Self; 9] = [
        Self::Resolver,
        Self::Profile,
        Self::FolderName,
        Self::DmsQuery,
        Self::Email,
        Self::Html,
        Self::Url,
        Self::Csv,
        Self::Word,
    ];

    /// What becomes of an empty tag.
    pub const fn empty(self) -> Empty {
        match self {
            Self::Resolver | Self::Profile | Self::FolderName | Self::DmsQuery | Self::Url => Empty::Error,
            Self::Email | Self::Html | Self::Csv => Empty::Blank,
            Self::Word => Empty::Placeholder,
        }
    }

    /// A value as it may stand there.
    pub fn escape(self, value: &str) -> String {
        match self {
            Self::Resolver | Self::Profile | Self::Email | Self::Word => value.to_owned(),
            Self::FolderName => escape::folder_part(value),
            Self::DmsQuery => escape::dms_query(value),
            Self::Html => escape::html(value),
            Self::Url => escape::url(value),
            Self::Csv => escape::csv(value),
        }
    }
}

/// A text with tags, parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Tag(Tag),
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    path: Vec<Step>,
    filters: Vec<Filter>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    /// Counts from 1.
    Nth(usize),
    Where(String, String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Filter {
    Default(String),
    Format(String),
    Join(String),
    Upper,
    Lower,
    Trim,
    Pad(usize),
    First,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.path.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            match step {
                Step::Name(name) => write!(f, "{dot}{name}")?,
                Step::Nth(n) => write!(f, "{dot}!{n}")?,
                Step::Where(name, value) => write!(f, "{dot}?{name}=\"{value}\"")?,
            }
        }
        Ok(())
    }
}

/// A template that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {} of \"{text}\": {problem}", position + 1)]
pub struct SyntaxError {
    /// The template.
    pub text: String,
    /// Where, in characters from 0.
    pub position: usize,
    /// What is wrong.
    pub problem: String,
}

/// A tag that gives no single value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[{tag}] {}", match kind {
    TagErrorKind::Unknown => "is not known",
    TagErrorKind::Empty => "is empty",
    TagErrorKind::Many => "has several values; choose with !1, first or join",
})]
pub struct TagError {
    /// The tag's path.
    pub tag: String,
    /// What is wrong with it.
    pub kind: TagErrorKind,
}

/// What is wrong with a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagErrorKind {
    /// The data has no such place: an error of configuration.
    Unknown,
    /// The place has no value, and the tag no default.
    Empty,
    /// A list where one value is wanted.
    Many,
}

impl Template {
    /// The text as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text with every tag filled in from a work item, for what it is used. Dates are told in the work item's zone, or else in
    /// `zone`. A value is escaped by itself; what stands between the tags is the template's own.
    pub fn fill(&self, item: &WorkItem, for_use: Use, zone: &TimeZone) -> Result<String, TagError> {
        let root = Value::of(item);
        let own = if item.zone.is_empty() { None } else { TimeZone::get(&item.zone).ok() };
        let zone = own.as_ref().unwrap_or(zone);
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Tag(tag) => match (tag.fill(&root, zone), for_use.empty()) {
                    (Ok(value), _) => text.push_str(&for_use.escape(&value)),
                    (Err(TagError { kind: TagErrorKind::Empty, .. }), Empty::Blank) => {}
                    (Err(error @ TagError { kind: TagErrorKind::Empty, .. }), Empty::Placeholder) => {
                        text.push_str(&for_use.escape(&format!("[{}]", error.tag)));
                    }
                    (Err(error), _) => return Err(error),
                },
            }
        }
        Ok(text)
    }

    /// What is wrong with it whatever the work item holds: paths that no work item has.
    pub fn mistakes(&self) -> Vec<String> {
        let tags = self.parts.iter().filter_map(|part| match part {
            Part::Tag(tag) => Some(tag),
            Part::Literal(_) => None,
        });
        tags.filter_map(|tag| tag.impossible().map(|why| format!("[{tag}] {why}"))).collect()
    }

    /// The path of its tag, where it is that tag and nothing else, so that the text is the value: `workitem.client.reference`.
    pub fn only_path(&self) -> Option<String> {
        let [Part::Tag(tag)] = self.parts.as_slice() else { return None };
        let plain = tag.path.iter().all(|step| matches!(step, Step::Name(_)));
        let as_is = tag.filters.iter().all(|filter| matches!(filter, Filter::Trim | Filter::First));
        (plain && as_is).then(|| tag.to_string())
    }

    /// Whether it is the same whatever the work item: it holds no tag.
    pub fn is_fixed(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Literal(_)))
    }
}

impl Tag {
    fn fill(&self, root: &Value, zone: &TimeZone) -> Result<String, TagError> {
        let error = |kind| TagError { tag: self.to_string(), kind };
        let value = self.walk(root).ok_or_else(|| error(TagErrorKind::Unknown))?;
        let mut values = value.into_texts();
        let mut fallback = None;
        for filter in &self.filters {
            match filter {
                Filter::Default(text) => fallback = Some(text),
                Filter::First => values.truncate(1),
                Filter::Join(with) if !values.is_empty() => values = vec![values.join(with)],
                Filter::Join(_) => {}
                Filter::Upper => values.iter_mut().for_each(|v| *v = v.to_uppercase()),
                Filter::Lower => values.iter_mut().for_each(|v| *v = v.to_lowercase()),
                Filter::Trim => values.iter_mut().for_each(|v| *v = v.trim().to_owned()),
                Filter::Pad(width) => values.iter_mut().for_each(|v| *v = format!("{v:0>width$}")),
                Filter::Format(pattern) => {
                    for v in &mut values {
                        *v = value::format_date(v, pattern, zone);
                    }
                }
            }
        }
        match (values.len(), fallback) {
            (0, Some(text)) => Ok(text.clone()),
            (0, None) => Err(error(TagErrorKind::Empty)),
            (1, _) => match (values.remove(0), fallback) {
                (text, Some(fallback)) if text.trim().is_empty() => Ok(fallback.clone()),
                (text, None) if text.trim().is_empty() => Err(error(TagErrorKind::Empty)),
                (text, _) => Ok(text),
            },
            _ => Err(error(TagErrorKind::Many)),
        }
    }

    fn walk(&self, root: &Value) -> Option<Value> {
        let mut at = root.clone();
        for step in &self.path {
            at = match step {
                Step::Name(name) => at.get(name)?,
                Step::Nth(n) => at.nth(*n),
                Step::Where(name, wanted) => at.filter(name, wanted),
            };
        }
        Some(at)
    }
}

impl FromStr for Template {
    type Err = SyntaxError;
    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        parse::template(text).map(|parts| Self { source: text.to_owned(), parts })
    }
}

impl TryFrom<String> for Template {
    type Error = SyntaxError;
    fn try_from(text: String) -> Result<Self, SyntaxError> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> String {
        template.source
    }
}

/// Splits a text at a separator that stands outside of tags, so that values filled in later never split anything.
pub fn split_outside_tags(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut inside, mut quoted, mut from) = (Vec::new(), false, false, 0);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            // "[[" is a literal bracket.
            '[' if !inside => inside = chars.next_if(|(_, next)| *next == '[').is_none(),
            '"' if inside => quoted = !quoted,
            ']' if inside && !quoted => inside = false,
            c if c == separator && !inside => {
                parts.push(&text[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
pub(crate) mod tests;
