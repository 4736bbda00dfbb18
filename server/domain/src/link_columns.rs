//! Links in a DMS's own lists: some DMSs keep a record of each folder and document in a list with columns, and one column may hold a link.
//! Through that people get from where they work to Postroom, where the DMS has no menu for others.

use crate::Fut;
use crate::dms::{DmsResult, Page};

/// What the records of a list are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Folders: their link launches.
    Folder,
    /// Documents: their link hands them over.
    Document,
}

impl Subject {
    /// The word for several of them.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Folder => "folders",
            Self::Document => "documents",
        }
    }
}

/// Which column is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What its list is about.
    pub subject: Subject,
    /// The list's title; where it is empty the first list about the subject counts.
    pub list: String,
    /// The column's title.
    pub column: String,
    /// The title of the column that holds the id of what a record is about; where it is empty the DMS is asked for each record.
    pub ids: String,
}

/// A column of links that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkColumn {
    /// What its list is about.
    pub subject: Subject,
    /// The list's id.
    pub list: String,
    /// The column's id.
    pub column: String,
    /// The id of the column with the ids of what records are about, where there is one.
    pub ids: Option<String>,
    /// The view that its records are read by, where the DMS wants one.
    pub view: Option<String>,
}

/// A link as people see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownLink {
    /// Its text.
    pub text: String,
    /// Where it leads.
    pub url: String,
}

/// A record of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRecord {
    /// Its id.
    pub id: String,
    /// What stands in the column.
    pub link: Option<ShownLink>,
    /// The id of what it is about, where a column tells.
    pub about: Option<String>,
}

/// A DMS that keeps links in lists. All calls are made with the system account. Ids of folders and documents are bare, as links carry them.
pub trait LinkColumns: Send + Sync {
    /// The column in a site. What keeps it from being one is told as rejected.
    fn column<'a>(&'a self, site: &'a str, wish: &'a Wish) -> Fut<'a, DmsResult<LinkColumn>>;

    /// The records of its list, one page.
    fn records<'a>(
        &'a self,
        column: &'a LinkColumn,
        page: Option<&'a str>,
    ) -> Fut<'a, DmsResult<Page<LinkRecord>>>;

    /// One record of its list.
    fn record<'a>(&'a self, column: &'a LinkColumn, record: &'a str) -> Fut<'a, DmsResult<LinkRecord>>;

    /// The id of the record of a folder or document. Not found where it has none (yet).
    fn record_of<'a>(&'a self, column: &'a LinkColumn, thing: &'a str) -> Fut<'a, DmsResult<String>>;

    /// Writes a link into a record's column, and nothing else.
    fn write<'a>(
        &'a self,
        column: &'a LinkColumn,
        record: &'a str,
        link: &'a ShownLink,
    ) -> Fut<'a, DmsResult<()>>;
}
