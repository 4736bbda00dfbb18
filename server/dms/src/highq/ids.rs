//! Ids. HighQ numbers sites, folders and files each on their own, so a bare number does not tell what it is: containers are
//! written `site:12` and `folder:345`, files are the bare number.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};

/// A container's id, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Site(u64),
    Folder(u64),
}

/// A number as HighQ writes ids: digits without a sign, a space or a zero in front.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

fn not_ours(what: &str, id: &str) -> DmsError {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(60).collect();
    DmsError::from_trouble(Trouble::new(
        Cause::TargetNotFound,
        format!("{shown:?} is no id of a {what} here"),
    ))
}

/// A container's id; what is none is not there.
pub(super) fn place(id: &str) -> DmsResult<Place> {
    let read = match id.split_once(':') {
        Some(("site", n)) => number(n).map(Place::Site),
        Some(("folder", n)) => number(n).map(Place::Folder),
        _ => None,
    };
    read.ok_or_else(|| not_ours("site or folder", id))
}

/// A file's id; what is none is not there.
pub(super) fn file(id: &str) -> DmsResult<u64> {
    number(id).ok_or_else(|| not_ours("file", id))
}

/// A site by its bare number, as settings and targets name libraries, or as a container.
pub(super) fn library(id: &str) -> DmsResult<u64> {
    number(id.strip_prefix("site:").unwrap_or(id)).ok_or_else(|| not_ours("site", id))
}

pub(super) fn site_id(number: u64) -> String {
    format!("site:{number}")
}

pub(super) fn folder_id(number: u64) -> String {
    format!("folder:{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_here_is_read() {
        assert_eq!(place("site:12").unwrap(), Place::Site(12));
        assert_eq!(place("folder:345").unwrap(), Place::Folder(345));
        assert_eq!(
            (file("868").unwrap(), library("12").unwrap(), library("site:12").unwrap()),
            (868, 12, 12)
        );
        for bad in
            ["", "12", "site:", "site:012", "site:+1", "folder:1/../2", "folder:1?x", "file:1", "site:1 "]
        {
            assert!(matches!(place(bad), Err(DmsError::NotFound(_))), "{bad:?}");
        }
        for bad in ["", "0", "01", "-1", "1/2", "site:1", "99999999999999999999999"] {
            assert!(matches!(file(bad), Err(DmsError::NotFound(_))), "{bad:?}");
        }
    }
}
