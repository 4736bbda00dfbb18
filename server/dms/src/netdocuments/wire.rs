//! NetDocuments' answers, read tolerantly: JSON or XML, lists in several shapes, one entry where a list was meant, numbers as text.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom_domain::dms::DmsResult;
use postroom_outbound::Reply;
use serde_json::{Map, Value};

use super::xml;

/// A success as one value. An empty one is `Null`.
pub(super) fn value(reply: &Reply) -> DmsResult<Value> {
    let body = without_mark(&reply.body);
    if body.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    if body.trim_ascii_start().starts_with(b"<") && !reply.is_web_page() {
        return xml::read(body).ok_or_else(|| reply.unreadable("no XML that can be read").into());
    }
    if body.len() == reply.body.len() {
        return Ok(reply.json()?);
    }
    serde_json::from_slice(body).map_err(|_| reply.unreadable("no JSON").into())
}

/// Some of NetDocuments' answers begin with a byte order mark.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// One object of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Item(Map<String, Value>);

impl Item {
    pub(super) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    /// A field as text, whatever its type; letters of its name do not count. Null, absent and empty are the same.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let found = self.0.get(key).or_else(|| {
            self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
        });
        text(found?).filter(|text| !text.is_empty())
    }

    /// The first of several fields that is there.
    pub(super) fn any(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.text(key))
    }

    /// A number, which may be written as text.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.trim().parse().ok()
    }

    /// A flag, which may be written as text.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.text(key)?.to_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    /// Whether the answer has the field at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// A moment, which is written `/Date(1480719084784)/`.
    pub(super) fn moment(&self, key: &str) -> Option<Timestamp> {
        moment(&self.text(key)?)
    }

    /// The object in a field, or an empty one.
    pub(super) fn inner(&self, key: &str) -> Self {
        self.0.get(key).and_then(|value| Self::of(value.clone())).unwrap_or_default()
    }

    /// The plain attributes: in `standardAttributes`, or the object itself.
    pub(super) fn standard(&self) -> Self {
        match self.0.get("standardAttributes") {
            Some(Value::Object(map)) => Self(map.clone()),
            _ => self.clone(),
        }
    }

    /// Values of profile attributes by number; `None` if the answer has no such list.
    pub(super) fn custom(&self) -> Option<BTreeMap<u32, String>> {
        let list = self.0.get("customAttributes")?;
        let entries = entries(list.clone());
        Some(
            entries
                .iter()
                .filter_map(|it| Some((it.number("id")?.try_into().ok()?, it.text("value")?)))
                .collect(),
        )
    }

    /// The id in digits, or else the inner one.
    pub(super) fn id(&self) -> Option<String> {
        self.any(&["id", "envId"]).filter(|id| super::ids::is_id(id))
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let inner = text.trim_matches(['/', '\\']).strip_prefix("Date(")?.strip_suffix(')')?;
    // An offset only says how people there would read the moment.
    let end = inner.get(1..).and_then(|rest| rest.find(['+', '-'])).map_or(inner.len(), |at| at + 1);
    Timestamp::from_millisecond(inner[..end].parse().ok()?).ok()
}

/// Keys under which lists stand, and elements that repeat in XML.
const LISTS: [&str; 12] = [
    "standardList",
    "list",
    "rows",
    "versions",
    "docVersions",
    "version",
    "ndProfile.DocumentStat",
    "item",
    "cabinet",
    "users",
    "results",
    "attributes",
];

/// The entries of a list, however it is wrapped; an entry that stands where a list was meant is a list of one.
pub(super) fn entries(value: Value) -> Vec<Item> {
    match value {
        Value::Array(list) => list.into_iter().filter_map(Item::of).collect(),
        Value::Object(mut map) => {
            let wrapped =
                ["id", "envId", "key", "standardAttributes"].iter().all(|key| !map.contains_key(*key));
            match LISTS.iter().find(|key| wrapped && map.get(**key).is_some_and(holds_entries)) {
                Some(key) => entries(map.remove(*key).unwrap_or_default()),
                None if map.is_empty() || LISTS.iter().any(|key| wrapped && map.contains_key(*key)) => {
                    Vec::new()
                }
                None => vec![Item(map)],
            }
        }
        _ => Vec::new(),
    }
}

fn holds_entries(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

/// How to ask for the next page: the query of the address in `next`, which never leads anywhere else.
pub(super) fn next(value: &Value) -> Option<String> {
    let address = value.get("next").and_then(Value::as_str)?;
    address.split_once('?').map(|(_, query)| query.to_owned()).filter(|query| !query.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_all_shapes_are_read_alike() {
        let entry = json!({ "id": "4812-3456-7890", "name": "A" });
        for (value, count) in [
            (json!([entry, entry]), 2),
            (json!({ "standardList": [entry, entry] }), 2),
            (json!({ "standardList": entry }), 1),
            (json!({ "standardList": { "ndProfile.DocumentStat": entry } }), 1),
            (json!({ "standardList": { "ndProfile.DocumentStat": [entry, entry] } }), 2),
            (json!({ "standardList": [], "next": "x?y" }), 0),
            (json!({ "standardList": "" }), 0),
            (json!({ "list": [{ "envId": ":Q24:a.nev", "type": "doc" }] }), 1),
            (json!({ "docVersions": { "version": [{ "number": 1 }] } }), 1),
            (json!({ "rows": [] }), 0),
            (json!({ "key": "1" }), 1),
            (json!({}), 0),
            (json!("x"), 0),
        ] {
            assert_eq!(entries(value.clone()).len(), count, "{value}");
        }
    }

    #[test]
    fn moments_come_with_and_without_an_offset() {
        for (text, wanted) in [
            ("/Date(1480719084784)/", Some(1_480_719_084_784)),
            ("/Date(1582261200000-0500)/", Some(1_582_261_200_000)),
            ("/Date(-1000+0100)/", Some(-1000)),
            ("\\/Date(5)\\/", Some(5)),
            ("2026-01-01", None),
            ("/Date(x)/", None),
        ] {
            assert_eq!(moment(text).map(Timestamp::as_millisecond), wanted, "{text}");
        }
    }

    #[test]
    fn a_profile_tells_its_attributes_by_number() {
        let item = Item::of(
            json!({ "customAttributes": [{ "id": 1, "value": "C" }, { "id": "2", "value": "M" }, { "id": 3 }] }),
        );
        let custom = item.unwrap().custom().unwrap();
        assert_eq!(custom, BTreeMap::from([(1, "C".to_owned()), (2, "M".to_owned())]));
        assert_eq!(Item::default().custom(), None);
        assert_eq!(
            next(&json!({ "next": "https://x/v1/Folder/1?$skiptoken=a" })).as_deref(),
            Some("$skiptoken=a")
        );
        assert_eq!(next(&json!({ "next": null })), None);
    }
}
