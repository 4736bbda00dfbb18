//! Object ids: `{library}!{number}` and `{library}!{number}.{version}`; the library's letters do not matter.

use super::switches::IdCase;

/// A parsed `{library}!{number}[.{version}]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id<'a> {
    pub(super) library: &'a str,
    pub(super) number: u64,
    pub(super) version: Option<u32>,
}

pub(super) fn parse(text: &str) -> Option<Id<'_>> {
    let (library, rest) = text.split_once('!')?;
    if library.is_empty() {
        return None;
    }
    let (number, version) = match rest.split_once('.') {
        Some((number, version)) => (number, Some(version.parse().ok()?)),
        None => (rest, None),
    };
    Some(Id { library, number: number.parse().ok()?, version })
}

/// The prefix shown in ids for a library named `database`.
pub(super) fn prefix(database: &str, case: IdCase) -> String {
    match case {
        IdCase::Same => database.to_owned(),
        IdCase::Mixed => {
            let mut letters = database.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_parse_and_others_do_not() {
        assert_eq!(parse("ACTIVE!12"), Some(Id { library: "ACTIVE", number: 12, version: None }));
        assert_eq!(parse("A_1!12.3"), Some(Id { library: "A_1", number: 12, version: Some(3) }));
        for bad in ["ACTIVE", "!1", "A!", "A!1.", "A!x", "A!1.2.3"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(prefix("ACTIVE", IdCase::Mixed), "Active");
    }
}
