//! `[outlook]`: letters that people hand in out of their mail program.

use std::collections::BTreeMap;
use std::time::Duration;

use postroom_domain::ids::{SourceName, TeamName};
use postroom_domain::repository::Area;
use postroom_inbound::graph::{PeoplesMailboxes, SentOptions};
use serde::Deserialize;

/// `[outlook]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Outlook {
    /// The source's name.
    pub(crate) name: SourceName,
    /// The area its letters belong to.
    pub(crate) area: Area,
    /// For how long people may take back what they handed in, in seconds: nothing of it is filed before. 0 is not at all.
    pub(crate) undo_seconds: u64,
    /// The category that filed letters get in their mailbox; an empty one is none.
    pub(crate) category: String,
    /// The `[[graph]]` mailbox whose application reads people's mailboxes too. Without it letters are sent by the add-in, and nothing is filed
    /// on sending.
    pub(crate) graph: Option<SourceName>,
    /// Whether it reads each person's own mailbox, for that person.
    pub(crate) own_mailboxes: bool,
    /// Shared mailboxes that it reads, for whom they are.
    pub(crate) shared: Vec<Shared>,
    /// How often sent items are looked through for letters that wait, in seconds.
    pub(crate) sent_seconds: u64,
    /// After so long a letter that was not found among the sent items is given up, in hours.
    pub(crate) give_up_hours: u64,
    /// The largest letter that is fetched, in bytes.
    pub(crate) largest_bytes: u64,
}

/// `[[outlook.shared]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {
    /// The mailbox's address.
    pub(crate) mailbox: String,
    /// The teams whose members may file from it; everybody where none is named.
    #[serde(default)]
    pub(crate) teams: Vec<TeamName>,
}

#[expect(clippy::expect_used, reason = "the text is a name, which a test holds")]
fn name() -> SourceName {
    "outlook".parse().expect("a name")
}

impl Default for Outlook {
    fn default() -> Self {
        Self {
            name: name(),
            // A person files them to a matter, as they file its other documents.
            area: Area::MatterDocuments,
            undo_seconds: 10,
            category: "Filed".to_owned(),
            graph: None,
            own_mailboxes: true,
            shared: Vec::new(),
            sent_seconds: 15,
            give_up_hours: 72,
            largest_bytes: super::mail::largest(),
        }
    }
}

impl Outlook {
    /// What is well-formed but wrong, with its key. `graph` are the mailboxes at Microsoft 365.
    pub(super) fn mistakes(&self, graph: &[&SourceName]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut add = |key: &str, problem: String| wrong.push(format!("outlook.{key}: {problem}"));
        if self.undo_seconds > 600 {
            add(
                "undo_seconds",
                format!("is {}, and at most 600 are possible: nothing is filed before", self.undo_seconds),
            );
        }
        if !(1..=3600).contains(&self.sent_seconds) {
            add("sent_seconds", format!("is {}, and 1 to 3600 are possible", self.sent_seconds));
        }
        if !(1..=24 * 90).contains(&self.give_up_hours) {
            add("give_up_hours", format!("is {}, and 1 to {} are possible", self.give_up_hours, 24 * 90));
        }
        if self.category.chars().count() > 255 || self.category.chars().any(char::is_control) {
            add("category", "is no name of a category".to_owned());
        }
        match &self.graph {
            Some(name) if !graph.contains(&name) => {
                let known: Vec<&str> = graph.iter().map(|it| it.as_str()).collect();
                add(
                    "graph",
                    format!("there is no [[graph]] mailbox \"{name}\" (known: {})", known.join(", ")),
                );
            }
            None if !self.shared.is_empty() => {
                add("shared", "needs outlook.graph: whose application reads these mailboxes?".to_owned());
            }
            _ => {}
        }
        for shared in &self.shared {
            if !shared.mailbox.contains('@') {
                add("shared", format!("\"{}\" is no address of a mailbox", shared.mailbox));
            }
        }
        wrong
    }

    /// How the pages and routes take them.
    pub(crate) fn web(&self) -> postroom_web::Outlook {
        postroom_web::Outlook {
            source: self.name.clone(),
            undo: Duration::from_secs(self.undo_seconds),
            category: self.category.clone(),
        }
    }

    /// Whose mailboxes are read.
    pub(crate) fn mailboxes(&self) -> PeoplesMailboxes {
        let teams = |it: &Shared| it.teams.iter().map(ToString::to_string).collect();
        let shared: BTreeMap<_, _> =
            self.shared.iter().map(|it| (it.mailbox.trim().to_lowercase(), teams(it))).collect();
        PeoplesMailboxes { own: self.own_mailboxes, shared, largest: self.largest_bytes }
    }

    /// How sent items are looked through.
    pub(crate) fn sent(&self) -> SentOptions {
        SentOptions {
            source: self.name.clone(),
            poll: Duration::from_secs(self.sent_seconds),
            give_up: Duration::from_secs(self.give_up_hours.saturating_mul(3600)),
            largest: self.largest_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        let office: SourceName = "office".parse().unwrap();
        let read = |text: &str| toml::from_str::<Outlook>(text).unwrap().mistakes(&[&office]);
        assert_eq!(read(""), Vec::<String>::new());
        assert_eq!(
            read("graph = 'office'\n[[shared]]\nmailbox = 'lit@firm.example'\nteams = ['litigation']"),
            Vec::<String>::new()
        );
        let table = [
            ("undo_seconds = 601", "outlook.undo_seconds: is 601"),
            ("sent_seconds = 0", "outlook.sent_seconds: is 0"),
            ("give_up_hours = 0", "outlook.give_up_hours: is 0"),
            ("category = 'a\\u0007'", ""),
            ("graph = 'other'", "outlook.graph: there is no [[graph]] mailbox \"other\" (known: office)"),
            ("[[shared]]\nmailbox = 'x@y.example'", "outlook.shared: needs outlook.graph"),
            ("graph = 'office'\n[[shared]]\nmailbox = 'x'", "outlook.shared: \"x\" is no address"),
        ];
        for (text, wanted) in table {
            let wrong = read(text);
            assert!(wanted.is_empty() || wrong.iter().any(|it| it.starts_with(wanted)), "{text}: {wrong:?}");
        }
    }
}
