//! A page of what changed in a folder.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;

/// One message on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its id.
    pub(super) item: String,
    /// It left the folder.
    pub(super) removed: bool,
    /// Whether somebody still writes it; none where the page does not say.
    pub(super) draft: Option<bool>,
    /// When it came into the mailbox, where the page says.
    pub(super) arrived: Option<Timestamp>,
}

/// Where to go on from a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Onward {
    /// There is another page.
    Next(String),
    /// That was all; from here at the next look.
    End(String),
}

/// A page. It may be empty and still not be the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Each message once, the earliest first.
    pub(super) entries: Vec<Entry>,
    pub(super) onward: Onward,
}

impl Page {
    /// Reads an answer. An entry that cannot be read stops nobody: one without an id could not be asked for anyway.
    pub(super) fn read(answer: &Value) -> Result<Self, String> {
        let link = |key: &str| answer[key].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
        let onward = match (link("@odata.nextLink"), link("@odata.deltaLink")) {
            (Some(next), _) => Onward::Next(next),
            (None, Some(end)) => Onward::End(end),
            (None, None) => {
                return Err("Microsoft Graph gave a page that does not say how to go on".to_owned());
            }
        };
        let Some(list) = answer["value"].as_array() else {
            return Err("Microsoft Graph gave a page without a list".to_owned());
        };
        // Of an entry that stands twice the later one is as it is now.
        let mut seen = HashSet::new();
        let mut entries: Vec<Entry> =
            list.iter().rev().filter_map(entry).filter(|it| seen.insert(it.item.clone())).collect();
        entries.reverse();
        // Order is not promised; whoever answers an earlier letter is understood better after it.
        entries.sort_by_key(|entry| entry.arrived);
        Ok(Self { entries, onward })
    }
}

fn entry(it: &Value) -> Option<Entry> {
    let item = it["id"].as_str().filter(|id| !id.is_empty())?.to_owned();
    let arrived = it["receivedDateTime"].as_str().and_then(|it| it.parse().ok());
    Some(Entry { item, removed: !it["@removed"].is_null(), draft: it["isDraft"].as_bool(), arrived })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_read_tolerantly() {
        let page = Page::read(&json!({
            "value": [
                {"id": "b", "receivedDateTime": "2026-03-02T09:14:50Z", "isDraft": false},
                {"id": "a", "receivedDateTime": "2026-03-02T09:14:49Z"},
                {"no": "id"}, 7,
                {"id": "B", "isDraft": true},
                {"id": "b", "@removed": {"reason": "deleted"}},
            ],
            "@odata.nextLink": "https://x/1",
        }));
        let page = page.unwrap();
        let shown: Vec<(&str, bool, Option<bool>)> =
            page.entries.iter().map(|it| (it.item.as_str(), it.removed, it.draft)).collect();
        assert_eq!(shown, [("B", false, Some(true)), ("b", true, None), ("a", false, None)]);
        assert_eq!(page.onward, Onward::Next("https://x/1".to_owned()));
        for wrong in [json!({"value": []}), json!({"@odata.deltaLink": "x"}), json!([]), json!("<html>")] {
            assert!(Page::read(&wrong).is_err());
        }
    }
}
