//! Tables of data: rows of a file become work items, each row with its own result.
//!
//! The order that loses nothing and does nothing twice: the file is in the spool before any row is read; a portion of rows is planned, and
//! the plan (which work item, which version it becomes) is durable before the first of them is saved; when all are saved, the results and how
//! far it is are one commit. Whoever is cut off in between finds the plan, and tells by it what was done already.
//!
//! A row that says what is there already changes nothing, so the same file can be loaded again. A row that cannot be loaded is
//! rejected with the column and the reason, and stops nobody.

mod apply;
mod mapping;
mod results;
mod row;
mod table;
mod unload;
mod upload;

pub use self::apply::{Outcome, Planned, plan};
pub use self::mapping::{Column, Field, Mapping, Part, WhenEmpty};
pub use self::results::{Counts, RowResult, Verdict, read_results, write_results};
pub use self::row::{Bound, MissingColumn, bind};
pub use self::table::{Row, Table, TableError, Tables};
pub use self::unload::{cell, header, line};
pub use self::upload::{Batch, DataState, DataUpload, Pass, UnderWay};

/// Where loading is done, as far as others see it.
pub trait Loads: Send + Sync {
    /// There is something to do: a table to check or to load.
    fn wake(&self);
}

/// A cell that no spreadsheet takes for a formula: an apostrophe in front of what would be one.
pub fn guarded(value: &str) -> String {
    if is_formula(value.trim_start_matches('\'')) { format!("'{value}") } else { value.to_owned() }
}

/// What [`guarded`] was made of: what was unloaded is loaded as it was.
pub fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Cells as a line of CSV, each of them guarded.
pub fn csv_line<T: AsRef<str>>(cells: &[T]) -> String {
    let cell = |cell: &T| {
        let cell = guarded(cell.as_ref());
        if cell.contains(['"', ',', ';', '\r', '\n', '\t']) || cell.trim() != cell {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let mut line = cells.iter().map(cell).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guarded_comes_back_as_it_was() {
        for value in ["", "plain", "=1+1", "'=1+1", "''=1", "'plain", "-5", "+44 20", "@x", "a=b", "'", "'-"]
        {
            let cell = guarded(value);
            assert_eq!(plain(&cell), value);
            assert!(!is_formula(&cell), "{cell}");
        }
        assert_eq!(
            csv_line(&["=1,2", "say \"x\"", "a;b", " c"]),
            "\"'=1,2\",\"say \"\"x\"\"\",\"a;b\",\" c\"\r\n"
        );
    }
}
