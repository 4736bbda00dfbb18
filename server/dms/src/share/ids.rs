//! Ids of this DMS: paths below the root with `/` between the names.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};

/// Our own folder beside documents. Names with a leading dot are never workspaces, folders or documents.
pub(crate) const HIDDEN: &str = ".postroom";

/// Whether a name can stand in an id: one plain, visible name.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && name.len() <= 255 && !name.contains(['/', '\0'])
}

/// The names of an id, from the workspace downwards. What is no id is not found: `..` leads nowhere.
pub(crate) fn parse(id: &str) -> DmsResult<Vec<&str>> {
    let names: Vec<&str> = id.split('/').collect();
    if names.iter().all(|name| is_plain(name)) {
        return Ok(names);
    }
    let shown: String = id.chars().take(200).collect();
    Err(DmsError::from_trouble(Trouble::new(
        Cause::TargetNotFound,
        format!("{shown:?} is not an id of this DMS (workspace/folder/…, no leading dots)"),
    )))
}
