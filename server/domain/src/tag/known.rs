//! Which paths exist in every work item: what is wrong with a template is told when the settings are loaded, and not when the first
//! letter meets it.

use super::{Step, Tag};

/// Places of a work item that hold one text.
const TEXTS: [&str; 7] = ["id", "reference", "title", "type", "phase", "site", "zone"];
/// Places of its client.
const CLIENT: [&str; 3] = ["reference", "name", "email"];
/// Places of one who takes part.
const PARTICIPANT: [&str; 4] = ["role", "name", "reference", "email"];

impl Tag {
    /// What is wrong with the path whatever the work item holds; none when it may give a value.
    pub(super) fn impossible(&self) -> Option<String> {
        let names: Vec<String> = self
            .path
            .iter()
            .filter_map(|step| match step {
                Step::Name(name) => Some(name.to_lowercase()),
                _ => None,
            })
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let wheres = self.path.iter().filter_map(|step| match step {
            Step::Where(name, _) => Some(name.to_lowercase()),
            _ => None,
        });
        let ["workitem", rest @ ..] = names.as_slice() else {
            return Some(unknown(names.first().copied().unwrap_or_default(), &["workitem"]));
        };
        let mut persons = false;
        let wrong = match rest {
            [] | ["roles"] => Some("names no single value".to_owned()),
            ["client", rest @ ..] => place(rest, &CLIENT),
            ["attributes", rest @ ..] => match rest {
                [] => Some("names no single value".to_owned()),
                [_] => None,
                [_, below, ..] => Some(format!("has nothing below it called {below}")),
            },
            ["participants", rest @ ..] | ["roles", _, rest @ ..] => {
                persons = true;
                place(rest, &PARTICIPANT)
            }
            [text] if TEXTS.contains(text) => None,
            [text, below, ..] if TEXTS.contains(text) => Some(format!("has nothing below it called {below}")),
            [other, ..] => {
                let all = [TEXTS.as_slice(), &["client", "attributes", "participants", "roles"]].concat();
                Some(unknown(other, &all))
            }
        };
        wrong.or_else(|| {
            let stranger = wheres.into_iter().find(|name| persons && !PARTICIPANT.contains(&name.as_str()));
            stranger.map(|name| unknown(&name, &PARTICIPANT))
        })
    }
}

fn place(rest: &[&str], known: &[&str]) -> Option<String> {
    match rest {
        [] => Some("names no single value".to_owned()),
        [name] if known.contains(name) => None,
        [name, below, ..] if known.contains(name) => Some(format!("has nothing below it called {below}")),
        [name, ..] => Some(unknown(name, known)),
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    format!("is not known: there is no \"{name}\" (but {})", known.join(", "))
}
