//! A work item's data as the tree that paths walk.

use jiff::tz::TimeZone;

use crate::work_item::{Client, Participant, WorkItem};

/// A place in the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text; an empty one is *empty*.
    Text(String),
    /// Things in order; none is *empty*.
    List(Vec<Value>),
    /// Named places. `open` says that names not listed are *empty* rather than *unknown* (roles, which anybody may hold).
    Map {
        /// The places.
        entries: Vec<(String, Value)>,
        /// Whether any other name is empty rather than unknown.
        open: bool,
    },
}

impl Value {
    /// The data of a work item, under the name `workitem`.
    pub fn of(item: &WorkItem) -> Self {
        let roles = roles(item);
        let mut entries = vec![
            entry("id", item.id.to_string()),
            entry("reference", &item.reference),
            entry("title", &item.title),
            entry("type", &item.work_type),
            entry("phase", &item.phase),
            entry("site", item.site.as_str()),
            entry("zone", &item.zone),
            ("client".to_owned(), client(&item.client, &item.participants)),
            (
                "attributes".to_owned(),
                Self::Map {
                    entries: item.attributes.iter().map(|(name, value)| entry(name, value)).collect(),
                    open: false,
                },
            ),
            ("participants".to_owned(), Self::List(item.participants.iter().map(participant).collect())),
        ];
        let mut roles_with_client = roles;
        if !roles_with_client.iter().any(|(name, _)| name == "client") {
            roles_with_client.push(("client".to_owned(), client(&item.client, &[])));
        }
        entries.push(("roles".to_owned(), Self::Map { entries: roles_with_client, open: true }));
        let item = Self::Map { entries, open: false };
        Self::Map { entries: vec![("workitem".to_owned(), item)], open: false }
    }

    /// A named place; `None` is *unknown*. In a list, that place of each thing.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        match self {
            Self::Map { entries, open } => {
                let found = entries.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.clone()).or_else(|| open.then(|| Self::List(Vec::new())))
            }
            // Of nothing, every place is empty.
            Self::List(items) => {
                items.iter().map(|item| item.get(name)).collect::<Option<_>>().map(Self::List)
            }
            Self::Text(_) => None,
        }
    }

    /// The n-th thing, from 1; past the end it is *empty*. A single thing is a list of one.
    pub(super) fn nth(self, n: usize) -> Self {
        match self {
            Self::List(items) => items.into_iter().nth(n - 1).unwrap_or(Self::List(Vec::new())),
            one if n == 1 => one,
            _ => Self::List(Vec::new()),
        }
    }

    /// Those things whose named place has this text, without case.
    pub(super) fn filter(self, name: &str, wanted: &str) -> Self {
        let items = match self {
            Self::List(items) => items,
            one => vec![one],
        };
        let has = |item: &Self| matches!(item.get(name), Some(Self::Text(text)) if text.to_lowercase() == wanted.to_lowercase());
        Self::List(items.into_iter().filter(has).collect())
    }

    /// The texts in it; empty ones do not count. A map has a text only where one place alone is meant, so it has none.
    pub(super) fn into_texts(self) -> Vec<String> {
        match self {
            Self::Text(text) if text.trim().is_empty() => Vec::new(),
            Self::Text(text) => vec![text],
            Self::List(items) => items.into_iter().flat_map(Self::into_texts).collect(),
            Self::Map { .. } => Vec::new(),
        }
    }
}

fn entry(name: &str, text: impl Into<String>) -> (String, Value) {
    (name.to_owned(), Value::Text(text.into()))
}

/// The client's own record; what it leaves empty is taken from the participant with that role.
fn client(client: &Client, participants: &[Participant]) -> Value {
    let part = participants.iter().find(|p| p.role.eq_ignore_ascii_case("client"));
    let or = |own: &str, other: fn(&Participant) -> &String| {
        if own.is_empty() { part.map(other).cloned().unwrap_or_default() } else { own.to_owned() }
    };
    Value::Map {
        entries: vec![
            entry("reference", or(&client.reference, |p| &p.reference)),
            entry("name", or(&client.name, |p| &p.name)),
            entry("email", or("", |p| &p.email)),
        ],
        open: false,
    }
}

fn participant(participant: &Participant) -> Value {
    Value::Map {
        entries: vec![
            entry("role", &participant.role),
            entry("name", &participant.name),
            entry("reference", &participant.reference),
            entry("email", &participant.email),
        ],
        open: false,
    }
}

/// Participants by role; `client` is the client's own record when it has one.
fn roles(item: &WorkItem) -> Vec<(String, Value)> {
    let mut roles: Vec<(String, Value)> = Vec::new();
    if !item.client.reference.is_empty() || !item.client.name.is_empty() {
        roles.push(("client".to_owned(), client(&item.client, &item.participants)));
    }
    for one in &item.participants {
        match roles.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(&one.role)) {
            Some((_, Value::List(items))) => items.push(participant(one)),
            // The client's own record stands for the role.
            Some(_) => {}
            None => roles.push((one.role.clone(), Value::List(vec![participant(one)]))),
        }
    }
    roles
}

/// Longest first, so that MMMM is not read as MM twice.
const DATE_TOKENS: [(&str, &str); 10] = [
    ("MMMM", "%B"),
    ("yyyy", "%Y"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("yy", "%y"),
    ("HH", "%H"),
    ("mm", "%M"),
    ("d", "%-d"),
    ("M", "%-m"),
];

/// A date or time written as ISO 8601, in the form given (`dd`, `d`, `MMMM`, `MMM`, `MM`, `M`, `yyyy`, `yy`, `HH`, `mm`); anything else
/// stays as it is.
pub(super) fn format_date(text: &str, pattern: &str, zone: &TimeZone) -> String {
    let Some(date) = parse_date(text.trim(), zone) else { return text.to_owned() };
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if let Some((token, form)) = DATE_TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
            out.push_str(&date.strftime(form).to_string());
            rest = &rest[token.len()..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// A moment is told as the clocks of the zone show it; a date without a zone is the same everywhere.
fn parse_date(text: &str, zone: &TimeZone) -> Option<jiff::civil::DateTime> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.to_zoned(zone.clone()).datetime());
    }
    text.parse().ok().or_else(|| text.parse::<jiff::civil::Date>().ok().map(|date| date.at(0, 0, 0, 0)))
}
