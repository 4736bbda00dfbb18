//! Lists of arrivals: letters, scans, uploads, and what needs a person, each with a filter of its own.

use postroom_api::filter::FilterError;
use postroom_api::intake::IntakeItem;
use postroom_api::page::IntakeList;
use postroom_api::summary::SourceLine;
use postroom_api::{IntakeState, SourceName};

use crate::place::Place;
use crate::window::Window;

/// The list of arrivals that is on the screen.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// Which screen it belongs to.
    pub(crate) place: Place,
    /// What is asked for.
    pub(crate) filter: String,
    /// Which list it is; the answer to an older one is dropped.
    pub(crate) list: u64,
    /// What is held of it.
    pub(crate) window: Window<IntakeItem>,
    /// A page is on its way.
    pub(crate) loading: bool,
    /// Why there is nothing.
    pub(crate) trouble: Option<String>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            place: Place::Persons,
            filter: String::new(),
            list: 0,
            window: Window::default(),
            loading: false,
            trouble: None,
        }
    }
}

impl Arrivals {
    /// Begins another list.
    pub(super) fn begin(&mut self, place: Place, filter: String) {
        *self = Self { place, filter, list: self.list + 1, ..Self::default() };
    }

    /// Begins the same list again, from the top.
    pub(super) fn restart(&mut self) {
        let filter = std::mem::take(&mut self.filter);
        self.begin(self.place, filter);
    }
}

/// The words that a filter of arrivals may begin with, and what they ask for.
pub(crate) const KEYS: [(&str, &str); 3] = [
    ("state:", "stored, split, needs_person, quarantined, settled, dismissed; several with commas"),
    ("from:", "the source, by its name"),
    ("for:", "who looks after it: me, a person's name, or team:NAME"),
];

/// Reads a filter of arrivals; mistakes are told by their places. What has no key is looked for in subject, sender, file names and the work
/// item as it was named.
pub(crate) fn parse(text: &str) -> Result<IntakeList, Vec<FilterError>> {
    let mut list = IntakeList::default();
    let mut words = Vec::new();
    let mut errors = Vec::new();
    let mut at = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        let mut wrong = |message: String, suggestion: Option<String>| {
            errors.push(FilterError { position: at, length, message, suggestion });
        };
        match word.split_once(':') {
            Some(("state", states)) => {
                match states.split(',').find(|state| state.parse::<IntakeState>().is_err()) {
                    None => states.clone_into(&mut list.state),
                    Some(state) => {
                        let known = IntakeState::ALL.map(IntakeState::as_str);
                        let near =
                            known.into_iter().find(|name| !state.is_empty() && name.starts_with(&state[..1]));
                        wrong(
                            format!("\"{state}\" is not a state of an arrival: {}", known.join(", ")),
                            near.map(|near| format!("state:{near}")),
                        );
                    }
                }
            }
            Some(("from" | "source", source)) => {
                match source.split(',').find(|it| it.parse::<SourceName>().is_err()) {
                    None => list.source = Some(source.to_owned()),
                    Some(name) => wrong(format!("\"{name}\" is not the name of a source"), None),
                }
            }
            Some(("for", "")) => wrong("nobody is named behind for:".to_owned(), Some("for:me".to_owned())),
            Some(("for", who)) => list.allocated = Some(who.to_owned()),
            Some((key, _))
                if !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase()) && key != "team" =>
            {
                wrong(format!("\"{key}:\" is not known; there are state: from: for:"), None);
            }
            _ => words.push(word),
        }
        at += length + 1;
    }
    let words = words.join(" ");
    words.trim().trim_matches('"').clone_into(&mut list.q);
    if errors.is_empty() { Ok(list) } else { Err(errors) }
}

/// What a screen asks the server for; none where it has nothing to show because there is no source of its kind.
pub(super) fn query(place: Place, filter: &str, sources: &[SourceLine]) -> Option<IntakeList> {
    let mut list = parse(filter).unwrap_or_default();
    if place == Place::Persons && list.state.is_empty() {
        list.state = format!("{},{}", IntakeState::NeedsPerson, IntakeState::Quarantined);
    }
    if place != Place::Persons && list.source.is_none() {
        let shown = sources.iter().filter(|line| place.shows_source(&line.kind));
        let names: Vec<&str> = shown.map(|line| line.name.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        list.source = Some(names.join(","));
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_arrivals_are_read_and_mistakes_have_a_place() {
        let read = |text: &str| {
            parse(text)
                .map(|it| (it.state, it.source.unwrap_or_default(), it.allocated.unwrap_or_default(), it.q))
        };
        let four = |a: &str, b: &str, c: &str, d: &str| Ok((a.into(), b.into(), c.into(), d.into()));
        assert_eq!(read(""), four("", "", "", ""));
        assert_eq!(
            read("state:needs_person,quarantined share"),
            four("needs_person,quarantined", "", "", "share")
        );
        assert_eq!(read("from:post for:me \"share purchase\""), four("", "post", "me", "share purchase"));
        assert_eq!(read("for:team:clerks re: offer"), read("for:team:clerks re: offer"));
        for (text, position, length, says) in [
            ("x state:open", 2, 10, "\"open\" is not a state"),
            ("from:Two+Words", 0, 14, "is not the name of a source"),
            ("for:", 0, 4, "nobody is named"),
            ("stat:x", 0, 6, "\"stat:\" is not known"),
        ] {
            let errors = parse(text).unwrap_err();
            assert_eq!((errors[0].position, errors[0].length), (position, length), "{text}");
            assert!(errors[0].message.contains(says), "{text}: {}", errors[0].message);
        }
    }

    #[test]
    fn a_screen_asks_for_the_sources_of_its_kind() {
        let sources = crate::planted::summary().sources;
        let of = |place, filter: &str| {
            query(place, filter, &sources).map(|it| (it.source.unwrap_or_default(), it.state))
        };
        assert_eq!(of(Place::Mail, ""), Some(("mail-litigation".into(), String::new())));
        assert_eq!(of(Place::Scanning, ""), Some(("scanner3".into(), String::new())));
        assert_eq!(of(Place::Uploads, "state:stored"), Some(("upload".into(), "stored".into())));
        assert_eq!(of(Place::Persons, ""), Some((String::new(), "needs_person,quarantined".into())));
        assert_eq!(query(Place::Mail, "", &sources[1..]), None);
    }
}
