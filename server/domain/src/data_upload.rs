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

/// What undoes the apostrophe that keeps a spreadsheet from taking a cell for a formula: what was unloaded is loaded as it was.
pub fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) => rest,
        _ => cell,
    }
}
