//! Pages as pictures, and cover sheets to print, for rooms that draw neither.

use crate::Fut;
use crate::spool::Blob;

/// A cover sheet to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sheet {
    /// For the documents of a work item: whatever is scanned behind it goes there.
    Cover {
        /// The work item's site.
        site: String,
        /// Its reference: this is what the codes say.
        reference: String,
        /// The client, for people.
        client: String,
        /// The title, for people.
        title: String,
    },
    /// Parts two documents of the same work item.
    Separator,
}

/// Why there is no picture of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// The document has no such page, or no pages.
    #[error("{0}")]
    NoSuchPage(String),
    /// It cannot be drawn: it is protected, damaged or too large.
    #[error("the page cannot be drawn: {0}")]
    Undrawable(String),
    /// The bytes cannot be read at present.
    #[error("the page cannot be drawn at present: {0}")]
    Later(String),
}

/// Why a sheet cannot be printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no cover sheet for {reference}: {why}")]
pub struct NoSheet {
    /// For what.
    pub reference: String,
    /// Why.
    pub why: String,
}

/// What draws.
pub trait Sheets: Send + Sync {
    /// A page of a document as PNG, counted from 1, small enough for a screen.
    fn picture(&self, document: Blob, page: usize) -> Fut<'_, Result<Vec<u8>, NoPicture>>;

    /// Sheets as a PDF, a page for each.
    fn print(&self, sheets: &[Sheet]) -> Result<Vec<u8>, NoSheet>;
}

/// A house that draws nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSheets;

impl Sheets for NoSheets {
    fn picture(&self, _: Blob, _: usize) -> Fut<'_, Result<Vec<u8>, NoPicture>> {
        Box::pin(async { Err(NoPicture::Undrawable("nothing is drawn here".to_owned())) })
    }

    fn print(&self, sheets: &[Sheet]) -> Result<Vec<u8>, NoSheet> {
        let reference = match sheets.first() {
            Some(Sheet::Cover { reference, .. }) => reference.clone(),
            _ => String::new(),
        };
        Err(NoSheet { reference, why: "nothing is printed here".to_owned() })
    }
}
