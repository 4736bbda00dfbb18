//! What a DMS's menu, the browser extension or a static link hands over: parameters by names that no vendor has published. Ids are
//! recognised by their shape wherever they stand, and nothing else of an address is believed. What an id stands for is told by the name
//! it came with, else by its shape, and where neither tells, the DMS is asked.
//!
//! Pure functions over hostile input: everything is bounded, and what comes out is written anew from what was understood.

use std::sync::LazyLock;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::Regex;
use serde::{Deserialize, Serialize};

/// So many documents are handed over at once; more are left out, and the page says so.
pub const MOST: usize = 20;
/// Parameters that are looked at.
const MOST_PARAMETERS: usize = 100;
/// Of each value so many bytes.
const MOST_BYTES: usize = 8 << 10;
/// How often a value is decoded: an address within an address within a parameter.
const MOST_LAYERS: usize = 3;
/// Names of parameters that gave nothing, as far as they are told.
const MOST_STRANGERS: usize = 20;

/// Whose ids are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// iManage Work: `ACTIVE!4711.2`, `ACTIVE!987`.
    Imanage,
    /// NetDocuments: `4812-3456-7890`, `:Q24:…:^W231005101112345.nev`.
    Netdocuments,
    /// HighQ: numbers, which mean something only by the name they come with.
    Highq,
}

impl Vendor {
    /// By the word for it in settings; none for a DMS whose ids have no shape.
    pub fn of_kind(kind: &str) -> Option<Self> {
        match kind {
            "imanage" => Some(Self::Imanage),
            "netdocuments" => Some(Self::Netdocuments),
            "highq" => Some(Self::Highq),
            _ => None,
        }
    }

    /// The word for it in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imanage => "imanage",
            Self::Netdocuments => "netdocuments",
            Self::Highq => "highq",
        }
    }
}

/// What is wanted of what is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Documents are sent.
    SendTo,
    /// A workflow is started from a folder.
    Launch,
}

impl Purpose {
    /// The first part of its pages' addresses.
    pub const fn path(self) -> &'static str {
        match self {
            Self::SendTo => "send-to",
            Self::Launch => "launch",
        }
    }
}

/// What an id stands for, as far as it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// A document.
    Document,
    /// A workspace or folder.
    Container,
    /// The DMS is asked: for a document first, then for a container.
    Either,
}

/// One thing that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Handed {
    /// Its id as the connector writes it; without a version where none was named.
    pub id: String,
    /// What it is.
    pub sort: Sort,
    /// The version, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Handed {
    fn new(id: impl Into<String>, sort: Sort) -> Self {
        Self { id: id.into(), sort, version: None }
    }

    /// Whether it is what another one is, as far as both tell.
    fn is_same(&self, other: &Self) -> bool {
        let sort = self.sort == other.sort || self.sort == Sort::Either || other.sort == Sort::Either;
        sort && self.id.eq_ignore_ascii_case(&other.id)
    }

    /// The id to ask for it as a document.
    pub fn as_document(&self, vendor: Vendor) -> Option<String> {
        let unversioned = vendor == Vendor::Imanage && self.version.is_none();
        // Whichever version is named, iManage tells of the newest one.
        let id = || if unversioned { format!("{}.1", self.id) } else { self.id.clone() };
        (self.sort != Sort::Container).then(id)
    }

    /// The id to ask for it as a container.
    pub fn as_container(&self, vendor: Vendor) -> Option<String> {
        let bare = vendor == Vendor::Highq && self.sort == Sort::Either;
        let id = || if bare { format!("folder:{}", self.id) } else { self.id.clone() };
        (self.sort != Sort::Document).then(id)
    }

    /// The name and value under which it is recognised as just this.
    fn parameter(&self) -> (&'static str, &str) {
        match (self.sort, self.id.split_once(':')) {
            (Sort::Container, Some(("site", number))) => ("site", number),
            (Sort::Container, Some(("folder", number))) => ("folder", number),
            (Sort::Document, _) => ("doc", &self.id),
            (Sort::Container, _) => ("folder", &self.id),
            (Sort::Either, _) => ("id", &self.id),
        }
    }
}

/// What was recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recognised {
    /// The things, each once, in the order in which they came.
    pub things: Vec<Handed>,
    /// There were more than [`MOST`].
    pub more: bool,
    /// Names of parameters in which there was no id: for the log, so that a firm's mapping can be pinned down once it was seen.
    pub strangers: Vec<String>,
}

impl Recognised {
    /// What of it is meant: a document's own folder and site come along with it at some vendors, and a folder's site.
    pub fn wanted(self, purpose: Purpose) -> Vec<Handed> {
        let order = match purpose {
            Purpose::SendTo => [Sort::Document, Sort::Either, Sort::Container],
            Purpose::Launch => [Sort::Container, Sort::Either, Sort::Document],
        };
        let found = order.into_iter().find(|sort| self.things.iter().any(|it| it.sort == *sort));
        let mut things: Vec<Handed> = self.things.into_iter().filter(|it| Some(it.sort) == found).collect();
        if found == Some(Sort::Container) {
            // A workflow starts from one place, and the folder is nearer than its site.
            things.sort_by_key(|it| it.id.starts_with("site:"));
            things.truncate(1);
        }
        things
    }
}

/// What must not stand bare in an address; the rest is what ids are made of.
const BARE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'!').remove(b',');

/// The address of the page for what was recognised, with nothing but ids in it.
pub fn address(purpose: Purpose, service: &str, things: &[Handed]) -> String {
    let mut path = format!("/{}/{service}", purpose.path());
    for (at, name) in ["doc", "folder", "site", "id"].into_iter().enumerate() {
        let values: Vec<&str> = things
            .iter()
            .map(Handed::parameter)
            .filter(|(of, _)| *of == name)
            .map(|(_, value)| value)
            .collect();
        if !values.is_empty() {
            path.push(if at == 0 || !path.contains('?') { '?' } else { '&' });
            path.push_str(name);
            path.push('=');
            path.extend(utf8_percent_encode(&values.join(","), BARE));
        }
    }
    path
}

/// Finds the ids in parameters.
pub fn recognise<'p>(vendor: Vendor, parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> Recognised {
    let mut found = Recognised::default();
    for (name, value) in parameters.into_iter().take(MOST_PARAMETERS) {
        let things = scan(vendor, name, value);
        if things.is_empty() && found.strangers.len() < MOST_STRANGERS {
            found.strangers.push(name.chars().filter(|c| !c.is_control()).take(60).collect());
        }
        for thing in things {
            match found.things.iter().position(|known| known.is_same(&thing)) {
                // Who says more of it is believed.
                Some(at) if found.things[at].sort == Sort::Either => found.things[at] = thing,
                Some(_) => {}
                None if found.things.len() < MOST => found.things.push(thing),
                None => found.more = true,
            }
        }
    }
    found
}

/// The ids in one value, in all layers of encoding that it has.
fn scan(vendor: Vendor, name: &str, value: &str) -> Vec<Handed> {
    let mut end = value.len().min(MOST_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let mut text = value.get(..end).unwrap_or_default().to_owned();
    for _ in 0..=MOST_LAYERS {
        let things = match vendor {
            Vendor::Imanage => imanage(name, &text),
            Vendor::Netdocuments => netdocuments(name, &text),
            Vendor::Highq => highq(name, &text),
        };
        if !things.is_empty() || !text.contains('%') {
            return things;
        }
        match percent_decode_str(&text).decode_utf8() {
            Ok(decoded) => text = decoded.into_owned(),
            Err(_) => break,
        }
    }
    Vec::new()
}

/// What a parameter's name says of the id in it.
fn by_name(name: &str) -> Option<Sort> {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(60).collect();
    let holds = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match name.as_str() {
        "d" => Some(Sort::Document),
        "f" | "w" | "ws" => Some(Sort::Container),
        _ if holds(&["folder", "workspace", "container", "wsid", "wsurl"]) => Some(Sort::Container),
        _ if holds(&["doc", "file"]) => Some(Sort::Document),
        _ => None,
    }
}

/// What stands right before an id says what it is: `…/link/d/`, `docId=`, `"folder":"`.
fn by_context(before: &str) -> Option<Sort> {
    let end: String = before.chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect();
    let end = end.trim_end_matches([' ', '"', '\'', '[', '(']);
    if let Some(rest) = end.strip_suffix('/') {
        return by_name(rest.rsplit('/').next().unwrap_or_default());
    }
    let rest = end.strip_suffix(['=', ':'])?.trim_end_matches([' ', '"', '\'']);
    by_name(
        rest.rsplit(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c))).next().unwrap_or_default(),
    )
}

/// A match, if it does not go on beyond its ends: part of a longer word is no id.
fn stands_alone(text: &str, start: usize, end: usize, goes_on: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || goes_on.contains(c);
    let before = text.get(..start).and_then(|it| it.chars().next_back());
    let mut after = text.get(end..).unwrap_or_default().chars();
    let beyond = match (after.next(), after.next()) {
        // A full stop at the end of a sentence is not part of a number.
        (Some('.'), next) => next.is_some_and(|c| c.is_ascii_digit()),
        (next, _) => next.is_some_and(inside),
    };
    !before.is_some_and(inside) && !beyond
}

#[expect(clippy::expect_used, reason = "the expressions are constants, which tests hold")]
fn expression(text: &str) -> Regex {
    Regex::new(text).expect("an expression")
}

static IMANAGE: LazyLock<Regex> =
    LazyLock::new(|| expression(r"([A-Za-z0-9_-]{1,64})!([0-9]{1,18})(?:\.([0-9]{1,9}))?"));
static IWL: LazyLock<Regex> =
    LazyLock::new(|| expression(r"(?i)&lib=([A-Za-z0-9_-]{1,64})&+num=([0-9]{1,18})(?:&+ver=([0-9]{1,9}))?"));
static NRL: LazyLock<Regex> = LazyLock::new(|| {
    expression(r"(?i)!database:([A-Za-z0-9_-]{1,64}):!document:([0-9]{1,18})(?:,([0-9]{1,9}))?")
});

fn imanage(name: &str, text: &str) -> Vec<Handed> {
    let mut things = Vec::new();
    for links in [&*IWL, &*NRL] {
        for found in links.captures_iter(text) {
            let (library, number) = (&found[1], &found[2]);
            let version = found.get(3).map_or("", |it| it.as_str());
            things.push(imanage_thing(library, number, version, Sort::Document));
        }
    }
    if !things.is_empty() {
        return things;
    }
    for found in IMANAGE.captures_iter(text) {
        let (Some(whole), library, number) = (found.get(0), &found[1], &found[2]) else { continue };
        if !stands_alone(text, whole.start(), whole.end(), "!_-") {
            continue;
        }
        let version = found.get(3).map_or("", |it| it.as_str());
        let sort = by_context(text.get(..whole.start()).unwrap_or_default()).or_else(|| by_name(name));
        things.push(imanage_thing(library, number, version, sort.unwrap_or(Sort::Either)));
    }
    // In a plain list with documents, what has no version is a document too.
    if things.iter().any(|it| it.sort == Sort::Document) && !text.contains(['=', ':', '/', '{']) {
        for thing in things.iter_mut().filter(|it| it.sort == Sort::Either) {
            thing.sort = Sort::Document;
        }
    }
    things
}

fn imanage_thing(library: &str, number: &str, version: &str, sort: Sort) -> Handed {
    if version.is_empty() {
        return Handed::new(format!("{library}!{number}"), sort);
    }
    // Only documents have versions.
    let id = format!("{library}!{number}.{version}");
    Handed { id, sort: Sort::Document, version: Some(version.to_owned()) }
}

static DIGITS: LazyLock<Regex> = LazyLock::new(|| expression(r"[0-9]{4}-[0-9]{4}-[0-9]{4}"));
static INNER: LazyLock<Regex> =
    LazyLock::new(|| expression(r"[:/](?:[A-Za-z0-9]{1,12}[:/]){2,10}([\^~][A-Za-z]?)[0-9]{6,20}\.nev"));

fn netdocuments(name: &str, text: &str) -> Vec<Handed> {
    let mut found: Vec<(usize, Handed)> = Vec::new();
    for it in DIGITS.find_iter(text).filter(|it| stands_alone(text, it.start(), it.end(), "-")) {
        let sort = by_context(text.get(..it.start()).unwrap_or_default()).or_else(|| by_name(name));
        found.push((it.start(), Handed::new(it.as_str(), sort.unwrap_or(Sort::Either))));
    }
    for it in INNER.captures_iter(text) {
        let (Some(whole), prefix) = (it.get(0), &it[1]) else { continue };
        let sort = if prefix.starts_with('^') { Sort::Container } else { Sort::Document };
        // The same id stands in addresses with slashes, and then after a host.
        let id = whole.as_str().replace('/', ":");
        found.push((whole.start(), Handed::new(id, sort)));
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, thing)| thing).collect()
}

static NAMED: LazyLock<Regex> =
    LazyLock::new(|| expression(r#"([A-Za-z_.]{1,60})["']?\s{0,2}[=:_]\s{0,2}["']?([0-9]{1,18})"#));

/// A number as HighQ writes ids.
fn number(text: &str) -> bool {
    (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}

fn highq(name: &str, text: &str) -> Vec<Handed> {
    let bare: Vec<&str> =
        text.split([',', ';', '|', ' ', '\n', '\t']).map(str::trim).filter(|it| !it.is_empty()).collect();
    if bare.iter().all(|it| number(it)) {
        return bare.into_iter().filter_map(|it| highq_thing(name, it)).collect();
    }
    let named = NAMED.captures_iter(text).filter_map(|found| {
        let (whole, number) = (found.get(0)?, found.get(2)?);
        let alone = stands_alone(text, whole.start(), whole.end(), "_.") && self::number(number.as_str());
        // A bare "id" inside of a value says nothing.
        highq_thing(&found[1], number.as_str()).filter(|it| alone && it.sort != Sort::Either)
    });
    named.collect()
}

fn highq_thing(name: &str, number: &str) -> Option<Handed> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(60).collect();
    let other = ["version", "user", "sheet", "column", "view", "record", "time"];
    if other.iter().any(|word| plain.contains(word)) {
        return None;
    }
    if plain == "s" || plain == "site" || plain.ends_with("siteid") {
        return Some(Handed::new(format!("site:{number}"), Sort::Container));
    }
    match by_name(&plain) {
        Some(Sort::Container) => Some(Handed::new(format!("folder:{number}"), Sort::Container)),
        Some(sort) => Some(Handed::new(number, sort)),
        None => match plain.as_str() {
            "contentid" => Some(Handed::new(number, Sort::Document)),
            "id" | "ids" | "item" | "items" | "itemid" | "object" | "objectid" | "selected" | "selection" => {
                Some(Handed::new(number, Sort::Either))
            }
            // Any other number may be anything.
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests;
