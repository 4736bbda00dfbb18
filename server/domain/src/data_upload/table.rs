//! A table as its rows come, whatever file they come from.

use std::sync::Arc;

use crate::Fut;
use crate::dms::Content;

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Its number as a spreadsheet counts: the header is 1.
    pub number: u64,
    /// Its cells.
    pub cells: Vec<String>,
    /// Why it cannot be read; its cells are worth nothing then.
    pub unreadable: Option<String>,
}

/// Why a table cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The file is none, is damaged, or is larger than what is taken: another file is needed. In plain words.
    #[error("{0}")]
    Unfit(String),
    /// The bytes cannot be had: not the file's fault.
    #[error("the file cannot be read from the spool: {0}")]
    Spool(String),
}

/// A table being read.
pub trait Table: Send {
    /// The headings.
    fn header(&self) -> &[String];
    /// What the file is, in words: `CSV, UTF-8, semicolons`.
    fn format(&self) -> String;
    /// The next rows, at most so many; none at the end.
    fn next(&mut self, most: usize) -> Fut<'_, Result<Vec<Row>, TableError>>;
}

/// Reads files as tables.
pub trait Tables: Send + Sync {
    /// Opens one and reads its header. `sheet` is that of a workbook; the first where it is empty.
    fn open<'a>(
        &'a self,
        content: Arc<dyn Content>,
        sheet: &'a str,
    ) -> Fut<'a, Result<Box<dyn Table>, TableError>>;
}
