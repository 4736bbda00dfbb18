//! Lists of targets that come from elsewhere than a DMS: a firm's own database knows its clients, matters or workspaces, and people
//! search there for where a document goes.

use std::collections::BTreeMap;

use crate::Fut;
use crate::ids::ListName;

/// A list, as it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOffered {
    /// Its name in the settings.
    pub name: ListName,
    /// As people call it.
    pub title: String,
    /// What may be asked for, by name. What is about the person who asks is filled in and not among them.
    pub parameters: Vec<String>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRow {
    /// What tells it from the others.
    pub key: String,
    /// As people know it.
    pub title: String,
    /// A second line.
    pub subtitle: Option<String>,
    /// The DMS's id of its workspace.
    pub workspace: Option<String>,
    /// Further values, by the names of the settings: fields of a workspace, a client's number.
    pub fields: BTreeMap<String, String>,
}

/// What a list answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRows {
    /// In the order of the source.
    pub rows: Vec<ListRow>,
    /// Whether there are more than are shown.
    pub more: bool,
}

/// Who asks. Nothing of it comes from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The name of person or program.
    pub name: String,
    /// The person's present e-mail; none for a program.
    pub email: Option<String>,
}

/// Why a list gives no rows, by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// There is no such list.
    #[error("there is no list {0}")]
    NoList(ListName),
    /// A parameter is not one of the list's.
    #[error("the list has no parameter of this name")]
    NoParameter(String),
    /// A value cannot be passed on.
    #[error("the value is too long, or holds a character that no value has")]
    BadValue(String),
    /// The list is about the person who asks, and a program is none.
    #[error("this list is one for persons: it asks for their e-mail")]
    NotAPerson,
    /// It did not answer in time.
    #[error("the list took too long")]
    Slow,
    /// It cannot be asked; the text is for logs.
    #[error("the list cannot be read now")]
    Failed(String),
}

/// Whoever knows lists of targets.
pub trait TargetLists: Send + Sync {
    /// All lists.
    fn lists(&self) -> Vec<ListOffered>;

    /// The rows that are asked for. What is not given counts as empty.
    fn rows<'a>(
        &'a self,
        by: &'a Asker,
        list: &'a ListName,
        given: &'a BTreeMap<String, String>,
    ) -> Fut<'a, Result<ListRows, ListError>>;
}

/// A house without lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLists;

impl TargetLists for NoLists {
    fn lists(&self) -> Vec<ListOffered> {
        Vec::new()
    }

    fn rows<'a>(
        &'a self,
        _: &'a Asker,
        list: &'a ListName,
        _: &'a BTreeMap<String, String>,
    ) -> Fut<'a, Result<ListRows, ListError>> {
        Box::pin(async move { Err(ListError::NoList(list.clone())) })
    }
}
