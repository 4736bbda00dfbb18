//! `[[workflows]]` and `[[collections]]`: what can be started from a DMS, and what knowledge can be added to.

use serde::{Deserialize, Serialize};

use crate::ids::TeamName;
use crate::person::Principal;
use crate::repository::Area;

/// The longest prefix of references, in bytes.
const LONGEST: usize = 20;

const fn matter_documents() -> Area {
    Area::MatterDocuments
}

/// A kind of work item that people start from a DMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// Its name, by which programs mean it.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The type of the work items it makes: `service-request`.
    pub work_type: String,
    /// The area whose repository its documents go to.
    #[serde(default = "matter_documents")]
    pub area: Area,
    /// What references begin with: `SR-` makes `SR-000123`.
    pub reference_prefix: String,
    /// The teams that may start it; all where none is named.
    #[serde(default)]
    pub teams: Vec<TeamName>,
}

/// A knowledge collection that people add documents to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// Its name, by which programs mean it.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The work item that its documents are filed to, by its reference.
    pub work_item: String,
    /// The area whose repository they go to.
    #[serde(default = "matter_documents")]
    pub area: Area,
    /// The teams that may add to it; all where none is named.
    #[serde(default)]
    pub teams: Vec<TeamName>,
}

fn may(teams: &[TeamName], by: &Principal) -> bool {
    teams.is_empty() || teams.iter().any(|team| by.teams.contains(team))
}

/// What is wrong with a name that programs use.
fn name_mistake(name: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    let good = (1..=63).contains(&name.len()) && name.bytes().all(plain);
    (!good).then(|| "name: 1 to 63 of a-z, 0-9, '-', '_', '.'".to_owned())
}

fn blank(key: &str, text: &str) -> Option<String> {
    let bad = text.trim().is_empty() || text.chars().any(char::is_control) || text.len() > 200;
    bad.then(|| format!("{key}: must not be blank, longer than 200 bytes or hold control characters"))
}

impl Workflow {
    /// Whether a person may start it.
    pub fn is_for(&self, by: &Principal) -> bool {
        may(&self.teams, by)
    }

    /// What is well-formed but wrong.
    pub fn mistakes(&self) -> Vec<String> {
        let prefix = &self.reference_prefix;
        let odd = prefix.is_empty()
            || prefix.len() > LONGEST
            || prefix.trim() != prefix
            || prefix.chars().any(|c| c.is_control() || "\\/[]".contains(c));
        let path = self.work_type.split('/').any(|part| part.trim().is_empty());
        [
            name_mistake(&self.name),
            blank("title", &self.title),
            blank("work_type", &self.work_type)
                .or_else(|| path.then(|| "work_type: has an empty part; write request/it".to_owned())),
            odd.then(|| {
                format!(
                    "reference_prefix: 1 to {LONGEST} letters such as \"SR-\", without slashes and brackets"
                )
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Collection {
    /// Whether a person may add to it.
    pub fn is_for(&self, by: &Principal) -> bool {
        may(&self.teams, by)
    }

    /// What is well-formed but wrong.
    pub fn mistakes(&self) -> Vec<String> {
        [name_mistake(&self.name), blank("title", &self.title), blank("work_item", &self.work_item)]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::Role;

    fn workflow() -> Workflow {
        Workflow {
            name: "requests".to_owned(),
            title: "Service request".to_owned(),
            work_type: "service-request".to_owned(),
            area: Area::MatterDocuments,
            reference_prefix: "SR-".to_owned(),
            teams: Vec::new(),
        }
    }

    #[test]
    fn mistakes_are_named_by_their_key() {
        let keys = |workflow: Workflow| {
            let mistakes = workflow.mistakes();
            mistakes.iter().map(|it| it.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let table = [
            (workflow(), vec![]),
            (Workflow { name: "Two words".to_owned(), ..workflow() }, vec!["name"]),
            (Workflow { title: " ".to_owned(), ..workflow() }, vec!["title"]),
            (Workflow { work_type: "a//b".to_owned(), ..workflow() }, vec!["work_type"]),
            (Workflow { reference_prefix: "a/b".to_owned(), ..workflow() }, vec!["reference_prefix"]),
            (
                Workflow { reference_prefix: String::new(), name: String::new(), ..workflow() },
                vec!["name", "reference_prefix"],
            ),
        ];
        for (workflow, wanted) in table {
            assert_eq!(keys(workflow.clone()), wanted, "{workflow:?}");
        }
    }

    #[test]
    fn teams_decide_who_may() {
        let team = |name: &str| name.parse::<TeamName>().unwrap();
        let mut by = Principal::program("mina", Role::User, "main".parse().unwrap());
        let limited = Workflow { teams: vec![team("disputes"), team("property")], ..workflow() };
        assert!(workflow().is_for(&by) && !limited.is_for(&by));
        by.teams = vec![team("property")];
        assert!(limited.is_for(&by));
    }
}
