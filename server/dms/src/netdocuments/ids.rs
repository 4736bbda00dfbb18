//! Ids of NetDocuments: twelve digits, or the inner form `:Q24:…:^W231005101112345.nev`. Either is taken wherever one is asked for.

use postroom_domain::cause::Cause;
use postroom_domain::dms::{DmsError, DmsResult, Trouble};

/// The longest inner id that is believed.
const LONGEST: usize = 120;

/// Whether a text is an id of a document or container, so that nothing else gets into a path.
pub(super) fn is_id(text: &str) -> bool {
    let digits = || {
        text.len() == 14
            && text.bytes().enumerate().all(|(at, b)| match at {
                4 | 9 => b == b'-',
                _ => b.is_ascii_digit(),
            })
    };
    let inner = || {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b":^~._-".contains(&b);
        text.starts_with(':')
            && text.rsplit_once('.').is_some_and(|(_, end)| end == "nev")
            && text.len() <= LONGEST
            && text.bytes().all(plain)
    };
    digits() || inner()
}

/// The inner id that a `url` field holds: the same with slashes, perhaps after a host.
pub(super) fn of_url(url: &str) -> Option<String> {
    let path =
        url.split_once("://").map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let id = format!(":{}", path.trim_matches('/').replace('/', ":"));
    is_id(&id).then_some(id)
}

/// The id of something, or what is wrong with it.
pub(super) fn checked<'i>(id: &'i str, what: &str) -> DmsResult<&'i str> {
    if is_id(id) {
        return Ok(id);
    }
    let shown: String = id.chars().take(100).collect();
    let detail = format!("{shown:?} is not the id of a {what}, such as 4812-3456-7890");
    Err(DmsError::from_trouble(Trouble::new(Cause::TargetNotFound, detail)))
}

/// A version's number as it may stand in a path.
pub(super) fn version(text: &str) -> DmsResult<u32> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        let detail = format!("{shown:?} is not the number of a version");
        DmsError::from_trouble(Trouble::new(Cause::TargetNotFound, detail))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_are_ids() {
        for good in
            ["4812-3456-7890", ":Q24:o:9:m:6:^W231005101112345.nev", ":Q24:a:b:c:d:~231005101112345.nev"]
        {
            assert!(is_id(good), "{good}");
        }
        for bad in [
            "",
            "481234567890",
            "4812-3456-789",
            "4812-3456-78901",
            "4812-3456-789x",
            "../../x",
            ":.nev/..",
            "NG-1A2B3C4D",
            ":Q24:a b.nev",
            "ACTIVE!1",
            ":Q24:x",
        ] {
            assert!(!is_id(bad), "{bad}");
        }
        let inner = Some(":Q24:o:9:m:6:^W231005101112345.nev".to_owned());
        for url in [
            "/Q24/o/9/m/6/^W231005101112345.nev",
            "https://vault.netvoyage.com/Q24/o/9/m/6/^W231005101112345.nev",
        ] {
            assert_eq!(of_url(url), inner, "{url}");
        }
        assert_eq!(of_url("https://vault.netvoyage.com"), None);
    }
}
