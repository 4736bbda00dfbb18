//! Which column is which field of a work item.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What of a participant a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The name.
    Name,
    /// The firm's number.
    Reference,
    /// The address.
    Email,
}

/// A field of a work item that a column can hold. As text: `reference`, `client.name`, `attributes.office`, `participants.client.email`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Field {
    /// The firm's reference, by which the work item is found.
    Reference,
    /// The title.
    Title,
    /// Its place in the tree of work types.
    WorkType,
    /// The site it belongs to.
    Site,
    /// Its phase.
    Phase,
    /// Whether documents may be filed to it: yes or no, open or closed, true or false, 1 or 0.
    Open,
    /// The client's number.
    ClientReference,
    /// The client's name.
    ClientName,
    /// The time zone of its dates.
    Zone,
    /// A field of the firm's own.
    Attribute(String),
    /// The first participant with a role.
    Participant(String, Part),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference => f.write_str("reference"),
            Self::Title => f.write_str("title"),
            Self::WorkType => f.write_str("work_type"),
            Self::Site => f.write_str("site"),
            Self::Phase => f.write_str("phase"),
            Self::Open => f.write_str("open"),
            Self::ClientReference => f.write_str("client.reference"),
            Self::ClientName => f.write_str("client.name"),
            Self::Zone => f.write_str("zone"),
            Self::Attribute(name) => write!(f, "attributes.{name}"),
            Self::Participant(role, part) => {
                let part = match part {
                    Part::Name => "name",
                    Part::Reference => "reference",
                    Part::Email => "email",
                };
                write!(f, "participants.{role}.{part}")
            }
        }
    }
}

impl FromStr for Field {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = [
            Self::Reference,
            Self::Title,
            Self::WorkType,
            Self::Site,
            Self::Phase,
            Self::Open,
            Self::ClientReference,
            Self::ClientName,
            Self::Zone,
        ];
        if let Some(field) = plain.into_iter().find(|field| field.to_string() == text) {
            return Ok(field);
        }
        let named = |name: &str| !name.trim().is_empty() && name.trim() == name;
        if let Some(name) = text.strip_prefix("attributes.").filter(|name| named(name)) {
            return Ok(Self::Attribute(name.to_owned()));
        }
        let participant = text.strip_prefix("participants.").and_then(|rest| rest.rsplit_once('.'));
        let part = match participant.map(|(_, part)| part) {
            Some("name") => Some(Part::Name),
            Some("reference") => Some(Part::Reference),
            Some("email") => Some(Part::Email),
            _ => None,
        };
        match (participant, part) {
            (Some((role, _)), Some(part)) if named(role) => Ok(Self::Participant(role.to_owned(), part)),
            _ => {
                let known = "reference, title, work_type, site, phase, open, client.reference, client.name, zone, \
                    attributes.NAME, participants.ROLE.name, .reference or .email";
                Err(format!("\"{text}\" is not a field of a work item ({known})"))
            }
        }
    }
}

impl TryFrom<String> for Field {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.to_string()
    }
}

/// What an empty cell means for a work item that is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenEmpty {
    /// Nothing: what is there stays.
    #[default]
    Keep,
    /// That the field is empty.
    Clear,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its heading, without regard to case.
    pub column: String,
    /// The field it holds.
    pub field: Field,
    /// What an empty cell stands for where a work item is made, before `values` are looked at.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub default: String,
    /// What an empty cell means for one that is there.
    #[serde(default)]
    pub when_empty: WhenEmpty,
    /// What cells stand for, where that is something else: `LIT` for `matter/litigation`. A cell that is not among them stands for itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

/// How a table is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its columns. What else a table has is not looked at.
    pub columns: Vec<Column>,
    /// The sheet of a workbook; the first where nothing is said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sheet: String,
    /// Whether work items are made that are not there.
    #[serde(default = "yes")]
    pub create: bool,
    /// Whether those that are there are changed.
    #[serde(default = "yes")]
    pub update: bool,
    /// The work type of new work items, where no column holds it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub work_type: String,
}

const fn yes() -> bool {
    true
}

impl Mapping {
    /// What is wrong with it, in words.
    pub fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut fields = BTreeSet::new();
        for column in &self.columns {
            if column.column.trim().is_empty() {
                wrong.push(format!("columns: the one for {} has no heading", column.field));
            }
            if !fields.insert(&column.field) {
                wrong.push(format!("columns: {} stands twice", column.field));
            }
        }
        if !fields.contains(&Field::Reference) {
            wrong.push("columns: none is for reference, by which work items are found".to_owned());
        }
        if self.create && !fields.contains(&Field::Title) {
            wrong.push(
                "columns: none is for title, without which none is made (or say create = false)".to_owned(),
            );
        }
        if self.create && self.work_type.is_empty() && !fields.contains(&Field::WorkType) {
            wrong.push(
                "columns: none is for work_type, without which none is made (or name one with work_type)"
                    .to_owned(),
            );
        }
        if !self.create && !self.update {
            wrong.push("create and update are both false: nothing would ever be done".to_owned());
        }
        wrong
    }

    /// The column for a field.
    pub fn column(&self, field: &Field) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == *field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_are_written() {
        for text in [
            "reference",
            "title",
            "work_type",
            "site",
            "phase",
            "open",
            "client.reference",
            "client.name",
            "zone",
            "attributes.office",
            "attributes.a.b",
            "participants.fee-earner.email",
            "participants.client.name",
            "participants.a.b.reference",
        ] {
            assert_eq!(text.parse::<Field>().map(|field| field.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "id", "attributes.", "attributes. x", "participants.email", "participants..email", "client"]
        {
            assert!(text.parse::<Field>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mapping_that_cannot_work_says_why() {
        let column = |field: &str| Column {
            column: field.to_owned(),
            field: field.parse().unwrap(),
            default: String::new(),
            when_empty: WhenEmpty::Keep,
            values: BTreeMap::new(),
        };
        let mapping = |fields: &[&str]| Mapping {
            name: "m".to_owned(),
            columns: fields.iter().map(|field| column(field)).collect(),
            sheet: String::new(),
            create: true,
            update: true,
            work_type: String::new(),
        };
        let full = mapping(&["reference", "title", "work_type"]);
        let table: Vec<(Mapping, &[&str])> = vec![
            (full.clone(), &[]),
            (Mapping { work_type: "matter".into(), ..mapping(&["reference", "title"]) }, &[]),
            (Mapping { create: false, ..mapping(&["reference", "phase"]) }, &[]),
            (mapping(&["title", "work_type"]), &["none is for reference"]),
            (mapping(&["reference"]), &["none is for title", "none is for work_type"]),
            (mapping(&["reference", "title", "title", "work_type"]), &["title stands twice"]),
            (Mapping { create: false, update: false, ..full }, &["nothing would ever be done"]),
        ];
        for (mapping, wanted) in table {
            let wrong = mapping.mistakes();
            assert_eq!(wrong.len(), wanted.len(), "{wrong:?}");
            for (is, has) in wrong.iter().zip(wanted) {
                assert!(is.contains(has), "{is}");
            }
        }
    }
}
