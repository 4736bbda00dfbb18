//! What a rule asks of a work item.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::work_item::WorkItem;

/// A place in the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Field {
    /// The mailbox or other door: the only place that is known before the work item is.
    Source,
    /// The work type, from the top of the tree: `matter/litigation`.
    WorkType,
    /// The site.
    Site,
    /// The client's reference or name.
    Client,
    /// The work item's reference.
    Reference,
    /// The phase.
    Phase,
    /// A field of the firm's own: `attributes.office`, or `office` alone for the one that every firm has.
    Attribute(String),
    /// Addresses and names of those who take part in a role: `roles.fee-earner`.
    Role(String),
}

const ATTRIBUTES: &str = "attributes.";
const ROLES: &str = "roles.";

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source => f.write_str("source"),
            Self::WorkType => f.write_str("work_type"),
            Self::Site => f.write_str("site"),
            Self::Client => f.write_str("client"),
            Self::Reference => f.write_str("reference"),
            Self::Phase => f.write_str("phase"),
            Self::Attribute(name) => write!(f, "{ATTRIBUTES}{name}"),
            Self::Role(role) => write!(f, "{ROLES}{role}"),
        }
    }
}

impl FromStr for Field {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "source" => Self::Source,
            "work_type" => Self::WorkType,
            "site" => Self::Site,
            "client" => Self::Client,
            "reference" => Self::Reference,
            "phase" => Self::Phase,
            "office" => Self::Attribute("office".to_owned()),
            _ => {
                let named =
                    |prefix| text.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
                let attribute = named(ATTRIBUTES).map(Self::Attribute);
                attribute.or_else(|| named(ROLES).map(Self::Role)).ok_or_else(|| {
                    format!(
                        "\"{text}\" is not a field (source, work_type, site, office, client, reference, phase, attributes.…, roles.…)"
                    )
                })?
            }
        })
    }
}

impl TryFrom<String> for Field {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> String {
        field.to_string()
    }
}

impl Field {
    /// The values there; empty ones do not count.
    fn values<'a>(&self, item: &'a WorkItem) -> Vec<&'a str> {
        let all = match self {
            Self::Source => Vec::new(),
            Self::WorkType => vec![item.work_type.as_str()],
            Self::Site => vec![item.site.as_str()],
            Self::Client => vec![item.client.reference.as_str(), item.client.name.as_str()],
            Self::Reference => vec![item.reference.as_str()],
            Self::Phase => vec![item.phase.as_str()],
            Self::Attribute(name) => {
                let named = item.attributes.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
                named.map(|(_, value)| value.as_str()).collect()
            }
            Self::Role(role) => {
                let with_role = item.participants.iter().filter(|it| it.role.eq_ignore_ascii_case(role));
                with_role.flat_map(|it| [it.email.as_str(), it.name.as_str()]).collect()
            }
        };
        all.into_iter().map(str::trim).filter(|value| !value.is_empty()).collect()
    }
}

/// One thing that is asked: exactly one of `is`, `under`, `starts_with` and `filled` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Where.
    pub field: Field,
    /// One of these, without case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// One of these or below one of them, for places in a tree: `matter` has `matter/litigation` below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub under: Vec<String>,
    /// Begins with one of these, without case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub starts_with: Vec<String>,
    /// Whether there is a value at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled: Option<bool>,
}

impl Criterion {
    /// What is wrong with it; none when nothing is.
    pub(super) fn mistake(&self) -> Option<String> {
        let lists = [&self.is, &self.under, &self.starts_with];
        let given = lists.iter().filter(|list| !list.is_empty()).count() + usize::from(self.filled.is_some());
        if given != 1 {
            return Some(format!(
                "asks {given} things of {}, and one of is, under, starts_with, filled is wanted",
                self.field
            ));
        }
        let blank = lists.into_iter().flatten().any(|value| value.trim().is_empty());
        blank.then(|| format!("compares {} with an empty text: write filled = false", self.field))
    }

    /// Whether it can be said without a work item.
    pub(super) fn needs_item(&self) -> bool {
        self.field != Field::Source
    }

    /// Whether it holds.
    pub(super) fn holds(&self, facts: Facts<'_>) -> bool {
        let values = match (&self.field, facts.item) {
            (Field::Source, _) => vec![facts.source.as_str()],
            (field, Some(item)) => field.values(item),
            (_, None) => Vec::new(),
        };
        if let Some(filled) = self.filled {
            return values.is_empty() != filled;
        }
        values.iter().any(|value| {
            let value = value.to_lowercase();
            let same = |wanted: &String| wanted.trim().to_lowercase() == value;
            let below = |wanted: &String| {
                let rest = value.strip_prefix(wanted.trim().trim_end_matches('/').to_lowercase().as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let begins = |wanted: &String| value.starts_with(&wanted.trim().to_lowercase());
            self.is.iter().any(same) || self.under.iter().any(below) || self.starts_with.iter().any(begins)
        })
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.filled {
            Some(true) => return write!(f, "{} has a value", self.field),
            Some(false) => return write!(f, "{} has no value", self.field),
            None => {}
        }
        let (word, list) = match (self.is.as_slice(), self.under.as_slice()) {
            ([], []) => ("starts with", &self.starts_with),
            ([], _) => ("is under", &self.under),
            _ => ("is", &self.is),
        };
        write!(f, "{} {word} {}", self.field, list.join(" or "))
    }
}
