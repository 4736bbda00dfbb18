//! A mapping held against the headings of a table.

use super::mapping::{Column, Mapping};
use super::{Field, Row, plain};

/// A mapped column that the table does not have, or has twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumn {
    /// Its heading.
    pub column: String,
    /// Whether it is there more than once.
    pub twice: bool,
}

/// Which cell of a row is which field.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The mapping.
    pub mapping: Mapping,
    /// The place of each of its columns.
    places: Vec<usize>,
    /// How many headings there are.
    width: usize,
}

/// Finds the columns of a mapping. On an error: every one that is missing or stands twice.
pub fn bind(header: &[String], mapping: &Mapping) -> Result<Bound, Vec<MissingColumn>> {
    let same = |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
    let (mut places, mut wrong) = (Vec::new(), Vec::new());
    for column in &mapping.columns {
        let mut found = header.iter().enumerate().filter(|(_, heading)| same(heading, &column.column));
        match (found.next(), found.next()) {
            (Some((place, _)), None) => places.push(place),
            (first, _) => {
                let missing = MissingColumn { column: column.column.clone(), twice: first.is_some() };
                if !wrong.contains(&missing) {
                    wrong.push(missing);
                }
            }
        }
    }
    if wrong.is_empty() {
        Ok(Bound { mapping: mapping.clone(), places, width: header.len() })
    } else {
        Err(wrong)
    }
}

impl Bound {
    /// Why the row as a whole cannot be read.
    pub(super) fn misfit(&self, row: &Row) -> Option<String> {
        if let Some(why) = &row.unreadable {
            return Some(why.clone());
        }
        let has = row.cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
        if has > self.width {
            return Some(format!(
                "it has {has} cells where the header has {}: is a quote missing?",
                self.width
            ));
        }
        None
    }

    /// The mapped columns with what stands in their cells, trimmed, and without what protects a spreadsheet.
    pub(super) fn cells<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a Column, &'a str)> {
        self.mapping.columns.iter().zip(&self.places).map(|(column, place)| {
            (column, row.cells.get(*place).map_or("", |cell| plain(cell.trim()).trim()))
        })
    }

    /// The cell for a field; none where no column is mapped to it.
    pub fn cell<'a>(&'a self, row: &'a Row, field: &Field) -> Option<&'a str> {
        self.cells(row).find(|(column, _)| column.field == *field).map(|(_, cell)| cell)
    }
}
