//! What a row makes of a work item: a pure function of both.

use jiff::Timestamp;

use super::mapping::{Column, Field, Part, WhenEmpty};
use super::row::Bound;
use super::table::Row;
use crate::ids::{SiteName, WorkItemId};
use crate::person::Sites;
use crate::work_item::{self, Client, Participant, WorkItem};

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A work item is made.
    Create(WorkItem),
    /// One that is there is changed: so it becomes, in these fields.
    Update(WorkItem, Vec<String>),
    /// Everything is there already.
    Unchanged(WorkItemId),
    /// It cannot be loaded: the column, where it is one, and why.
    Reject(String, String),
}

/// A row with what becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Its number.
    pub row: u64,
    /// The reference it names.
    pub reference: String,
    /// What becomes of it.
    pub outcome: Outcome,
}

impl Bound {
    /// The site and reference that a row names; or the column, and why it names none.
    pub fn names(
        &self,
        row: &Row,
        home: &SiteName,
        may: &Sites,
    ) -> Result<(SiteName, String), (String, String)> {
        if let Some(why) = self.misfit(row) {
            return Err((String::new(), why));
        }
        let of = |field: Field| {
            self.cells(row)
                .find(|(column, _)| column.field == field)
                .map(|(column, cell)| (column, meant(column, cell)))
        };
        let site = match of(Field::Site) {
            Some((column, text)) if !text.is_empty() => {
                let site: SiteName =
                    text.parse().map_err(|error| (column.column.clone(), format!("{error}")))?;
                if !may.has(&site) {
                    return Err((
                        column.column.clone(),
                        format!("there is no site \"{site}\", or it is not yours"),
                    ));
                }
                site
            }
            _ => home.clone(),
        };
        match of(Field::Reference) {
            Some((_, reference)) if !reference.is_empty() => Ok((site, reference.to_owned())),
            Some((column, _)) => Err((column.column.clone(), "is empty".to_owned())),
            None => Err((String::new(), "no column holds the reference".to_owned())),
        }
    }
}

/// What a cell stands for.
fn meant<'a>(column: &'a Column, cell: &'a str) -> &'a str {
    let given = if cell.is_empty() { column.default.as_str() } else { cell };
    let known = column.values.get(given).or_else(|| {
        column
            .values
            .iter()
            .find(|(value, _)| value.to_lowercase() == given.to_lowercase())
            .map(|(_, meant)| meant)
    });
    known.map_or(given, String::as_str)
}

/// What a row makes of the work item of its reference, `there`; `id` is that of a new one.
pub fn plan(
    bound: &Bound,
    row: &Row,
    site: SiteName,
    there: Option<&WorkItem>,
    id: WorkItemId,
    now: Timestamp,
) -> Outcome {
    let mapping = &bound.mapping;
    let reject = |column: &str, why: String| Outcome::Reject(column.to_owned(), why);
    match there {
        None if !mapping.create => {
            return reject("", "there is no such work item, and none is made".to_owned());
        }
        Some(_) if !mapping.update => {
            return reject("", "it is there already, and none is changed".to_owned());
        }
        _ => {}
    }
    let mut item =
        there.cloned().unwrap_or_else(|| WorkItem { work_type: mapping.work_type.clone(), ..new(id, site) });
    for (column, cell) in bound.cells(row) {
        // A default is for what is made; what is there keeps what it has.
        let text = match (cell, there) {
            ("", Some(_)) if column.when_empty == WhenEmpty::Keep => continue,
            ("", Some(_)) => "",
            _ => meant(column, cell),
        };
        if let Err(why) = set(&mut item, &column.field, text) {
            return reject(&column.column, why);
        }
    }
    item.participants.retain(|one| {
        !(one.name.is_empty() && one.reference.is_empty() && one.email.is_empty())
            || there.is_some_and(|there| there.participants.contains(one))
    });
    let changed = there.map(|there| differing(bound, there, &item));
    if let (Some(there), Some([])) = (there, changed.as_deref()) {
        return Outcome::Unchanged(there.id);
    }
    if let Err((field, why)) = work_item::check_loaded(&item) {
        let field: Result<Field, _> = field.parse();
        let column = field.ok().and_then(|field| mapping.column(&field)).map_or("", |column| &column.column);
        return reject(column, why);
    }
    match (there, changed) {
        (Some(there), Some(changed)) => {
            let version = there.version.saturating_add(1);
            Outcome::Update(WorkItem { version, changed: now, ..item }, changed)
        }
        _ => Outcome::Create(WorkItem { changed: now, ..item }),
    }
}

fn new(id: WorkItemId, site: SiteName) -> WorkItem {
    WorkItem {
        id,
        reference: String::new(),
        title: String::new(),
        work_type: String::new(),
        site,
        open: true,
        phase: String::new(),
        client: Client::default(),
        attributes: std::collections::BTreeMap::new(),
        participants: Vec::new(),
        origin: None,
        zone: String::new(),
        version: 1,
        changed: Timestamp::UNIX_EPOCH,
    }
}

/// The mapped fields in which two differ.
fn differing(bound: &Bound, one: &WorkItem, other: &WorkItem) -> Vec<String> {
    let fields = bound.mapping.columns.iter().map(|column| &column.field);
    // Cells are read without the spaces around them: what differs in these only is the same.
    let differ = |field: &&Field| super::cell(one, field).trim() != super::cell(other, field).trim();
    fields.filter(differ).map(ToString::to_string).collect()
}

fn set(item: &mut WorkItem, field: &Field, text: &str) -> Result<(), String> {
    let value = text.to_owned();
    match field {
        // Two spellings are one reference; the one that is there stays.
        Field::Reference if item.reference.to_lowercase() == text.to_lowercase() => {}
        Field::Reference => item.reference = value,
        Field::Title => item.title = value,
        Field::WorkType => item.work_type = value,
        // By it the work item was found, or it is that of the new one already.
        Field::Site => {}
        Field::Phase => item.phase = value,
        Field::Open if text.is_empty() => {}
        Field::Open => item.open = truth(text)?,
        Field::ClientReference => item.client.reference = value,
        Field::ClientName => item.client.name = value,
        Field::Zone => item.zone = value,
        Field::Attribute(name) if text.is_empty() => drop(item.attributes.remove(name)),
        Field::Attribute(name) => drop(item.attributes.insert(name.clone(), value)),
        Field::Participant(role, part) => {
            let known = item.participants.iter_mut().find(|one| one.role == *role);
            let one = match known {
                Some(one) => one,
                None if text.is_empty() => return Ok(()),
                None => {
                    let (role, none) = (role.clone(), String::new());
                    item.participants.push(Participant {
                        role,
                        name: none.clone(),
                        reference: none.clone(),
                        email: none,
                    });
                    let last = item.participants.len() - 1;
                    &mut item.participants[last]
                }
            };
            match part {
                Part::Name => one.name = value,
                Part::Reference => one.reference = value,
                Part::Email => one.email = value,
            }
        }
    }
    Ok(())
}

/// Yes or no, as spreadsheets write it.
fn truth(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "open" | "active" => Ok(true),
        "false" | "no" | "n" | "0" | "closed" | "inactive" => Ok(false),
        _ => {
            let short: String = text.chars().take(40).collect();
            Err(format!("\"{short}\" is neither yes nor no (open or closed, true or false, 1 or 0)"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mapping, bind};
    use super::*;

    const FIELDS: [&str; 9] = [
        "reference",
        "title",
        "work_type",
        "open",
        "client.name",
        "attributes.office",
        "participants.fee-earner.email",
        "participants.fee-earner.name",
        "phase",
    ];

    fn bound(change: impl FnOnce(&mut Mapping)) -> Bound {
        let columns: Vec<Column> = FIELDS
            .iter()
            .map(|field| {
                serde_json::from_value(serde_json::json!({"column": field, "field": field})).unwrap()
            })
            .collect();
        let mut mapping = Mapping {
            name: String::new(),
            columns,
            sheet: String::new(),
            create: true,
            update: true,
            work_type: "matter".to_owned(),
        };
        change(&mut mapping);
        let header: Vec<String> = FIELDS.iter().map(|field| field.to_uppercase()).collect();
        bind(&header, &mapping).unwrap()
    }

    fn row(cells: &[&str]) -> Row {
        Row { number: 2, cells: cells.iter().map(|cell| (*cell).to_owned()).collect(), unreadable: None }
    }

    fn planned(bound: &Bound, cells: &[&str], there: Option<&WorkItem>) -> Outcome {
        let now = "2026-11-27T09:00:00Z".parse().unwrap();
        plan(bound, &row(cells), "main".parse().unwrap(), there, WorkItemId::from_u128(7), now)
    }

    const FULL: [&str; 9] = [
        "0007",
        "Harrow v Teal",
        "matter/litigation",
        "open",
        "Harrow",
        "Leeds",
        "m@x.example",
        "Mina",
        "new",
    ];

    #[test]
    fn a_row_makes_and_changes_and_leaves_alone() {
        let bound = bound(|_| {});
        let Outcome::Create(item) = planned(&bound, &FULL, None) else { panic!("not made") };
        assert_eq!((item.reference.as_str(), item.version, item.open), ("0007", 1, true));
        assert_eq!(item.attributes["office"], "Leeds");
        assert_eq!(item.participants.len(), 1);
        // The same again, in another case of the reference, with empty cells: nothing.
        for cells in [
            FULL,
            ["0007", "Harrow v Teal", "", "yes", "", "", "", "", ""],
            ["0007", "'Harrow v Teal", "", "", "", "", "", "", ""],
        ] {
            let outcome = planned(&bound, &cells, Some(&item));
            let quoted = cells[1].starts_with('\'');
            assert_eq!(matches!(outcome, Outcome::Unchanged(id) if id == item.id), !quoted, "{outcome:?}");
        }
        let mut cells = FULL;
        (cells[3], cells[5], cells[6]) = ("Closed", "York", "n@x.example");
        let Outcome::Update(next, changed) = planned(&bound, &cells, Some(&item)) else {
            panic!("not changed")
        };
        assert_eq!(changed, ["open", "attributes.office", "participants.fee-earner.email"]);
        assert_eq!((next.version, next.id, next.open), (2, item.id, false));
        assert_eq!(next.participants[0].name, "Mina");
    }

    #[test]
    fn empty_cells_clear_where_that_is_said() {
        let clears = bound(|mapping| {
            for column in &mut mapping.columns[4..] {
                column.when_empty = WhenEmpty::Clear;
            }
        });
        let Outcome::Create(item) = planned(&clears, &FULL, None) else { panic!("not made") };
        let cells = ["0007", "Harrow v Teal", "", "", "", "", "", "", ""];
        let Outcome::Update(next, changed) = planned(&clears, &cells, Some(&item)) else {
            panic!("not changed")
        };
        assert_eq!(changed.len(), 5, "{changed:?}");
        assert!(next.attributes.is_empty() && next.participants.is_empty() && next.client.name.is_empty());
    }

    #[test]
    fn what_cannot_be_loaded_names_its_column() {
        let with = |place: usize, text: &'static str| {
            let mut cells = FULL;
            cells[place] = text;
            cells
        };
        let long: &'static str = "x".repeat(600).leak();
        let table: Vec<([&str; 9], &str, &str)> = vec![
            (with(1, ""), "title", "blank"),
            (with(1, long), "title", "longer than 512"),
            (with(3, "perhaps"), "open", "neither yes nor no"),
            (with(2, "matter//x"), "work_type", "empty part"),
            (with(0, "0192f0c1-5b7e-7000-8000-000000000001"), "reference", "looks like an id"),
            (with(1, "a\u{7}b"), "title", "control character"),
            (with(6, "nobody"), "participants.fee-earner.email", "is no address"),
        ];
        let bound_to = bound(|_| {});
        for (cells, column, why) in table {
            let Outcome::Reject(named, told) = planned(&bound_to, &cells, None) else {
                panic!("{cells:?} was loaded")
            };
            assert!(named == column && told.contains(why), "{cells:?}: {named}: {told}");
        }
        let only_update = bound(|mapping| mapping.create = false);
        assert!(matches!(planned(&only_update, &FULL, None), Outcome::Reject(_, _)));
    }

    #[test]
    fn values_and_defaults_stand_for_what_they_are_said_to() {
        let bound = bound(|mapping| {
            mapping.columns[2].values.insert("LIT".to_owned(), "matter/litigation".to_owned());
            mapping.columns[8].default = "opened".to_owned();
        });
        let mut cells = FULL;
        (cells[2], cells[8]) = ("lit", "");
        let Outcome::Create(item) = planned(&bound, &cells, None) else { panic!("not made") };
        assert_eq!((item.work_type.as_str(), item.phase.as_str()), ("matter/litigation", "opened"));
        let there = WorkItem { phase: "closing".to_owned(), ..item };
        assert!(matches!(planned(&bound, &cells, Some(&there)), Outcome::Unchanged(_)));
    }
}
