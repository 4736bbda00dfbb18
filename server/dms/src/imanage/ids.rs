//! Ids of iManage: `{library}!{number}` for containers, `{library}!{number}.{version}` for documents.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};

/// An id in its parts. The library is as written in the id: the part before `!`, whatever other fields say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id<'a> {
    pub(super) library: &'a str,
    pub(super) number: &'a str,
    pub(super) version: Option<&'a str>,
}

/// Reads an id; `None` for anything else, so that nothing else gets into a path.
pub(super) fn parse(text: &str) -> Option<Id<'_>> {
    let digits = |s: &str| !s.is_empty() && s.len() <= 20 && s.bytes().all(|b| b.is_ascii_digit());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let (library, rest) = text.split_once('!')?;
    let (number, version) = match rest.split_once('.') {
        Some((number, version)) => (number, Some(version)),
        None => (rest, None),
    };
    let good = !library.is_empty()
        && library.len() <= 64
        && library.chars().all(plain)
        && digits(number)
        && version.is_none_or(digits);
    good.then_some(Id { library, number, version })
}

fn wrong(id: &str, wanted: &str) -> DmsError {
    let shown: String = id.chars().take(100).collect();
    DmsError::from_trouble(Trouble::new(Cause::TargetNotFound, format!("{shown:?} is not {wanted}")))
}

/// The id of a workspace or folder.
pub(super) fn container(id: &str) -> DmsResult<Id<'_>> {
    let parsed = parse(id).filter(|parsed| parsed.version.is_none());
    parsed.ok_or_else(|| wrong(id, "an id of a workspace or folder, such as ACTIVE!987"))
}

/// The id of a document's version.
pub(super) fn document(id: &str) -> DmsResult<Id<'_>> {
    let parsed = parse(id).filter(|parsed| parsed.version.is_some());
    parsed.ok_or_else(|| wrong(id, "an id of a document, such as ACTIVE!4711.2"))
}

/// What the versions of a document have in common: its id without the version, as text to compare with.
pub(super) fn number(id: &str) -> String {
    id.split('.').next().unwrap_or(id).to_lowercase()
}

/// The number of the version that an id names.
pub(super) fn version(id: &str) -> Option<u64> {
    parse(id)?.version?.parse().ok()
}

/// The id of a document's named version; without one, the id as it stands.
pub(super) fn of_version(id: &str, version: Option<&str>) -> DmsResult<String> {
    let parsed = document(id)?;
    let Some(version) = version else { return Ok(id.to_owned()) };
    let named = format!("{}!{}.{version}", parsed.library, parsed.number);
    document(&named)?;
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_are_ids() {
        for good in ["ACTIVE!987", "Active_US!4711.2", "a-b!1"] {
            assert!(parse(good).is_some(), "{good}");
        }
        for bad in [
            "", "ACTIVE", "!1", "ACTIVE!", "ACTIVE!x", "A/B!1", "A!1.", "A!1.2.3", "A!1/../2", "A!-1", "ä!1",
            "A!1!2",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert!(container("ACTIVE!1.1").is_err());
        assert!(document("ACTIVE!1").is_err());
        assert_eq!(parse("A!7.2"), Some(Id { library: "A", number: "7", version: Some("2") }));
    }
}
