//! iManage's answers, read tolerantly: nearly every field is optional, numbers may come as text, and lists come in two shapes.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Any answer with `data`.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    pub(super) data: Value,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    total_count: Option<u64>,
    #[serde(default)]
    pub(super) warnings: Vec<Value>,
}

impl Envelope {
    /// The entries of a list: `data` itself, or `data.results`.
    pub(super) fn items(&mut self) -> Vec<Item> {
        let list = match self.data.take() {
            Value::Array(list) => list,
            Value::Object(mut object) => match object.remove("results") {
                Some(Value::Array(list)) => list,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        list.into_iter().filter_map(Item::of).collect()
    }

    /// The one object of an answer.
    pub(super) fn object(&mut self) -> Option<Item> {
        Item::of(self.data.take())
    }

    pub(super) const fn total(&self) -> Option<u64> {
        self.total_count
    }

    /// Where a listing goes on; an empty cursor means that it does not.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref().filter(|cursor| !cursor.is_empty())
    }
}

/// One object: a workspace, folder or document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item(Map<String, Value>);

impl Item {
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    /// A field as text, whatever its type. Null and absent are the same.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        text(self.0.get(key)?)
    }

    /// A field of an object in a field.
    pub(super) fn inner(&self, key: &str, inner: &str) -> Option<String> {
        text(self.0.get(key)?.get(inner)?)
    }

    /// A field as a number, which may be written as text.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        match self.0.get(key)? {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether the answer has the field at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// All plain fields as text.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|(key, value)| Some((key.as_str(), text(value)?)))
    }

    /// `wstype`, or what older endpoints imply: only containers have a `folder_type`.
    pub(super) fn is_folder(&self) -> bool {
        match self.text("wstype") {
            Some(kind) => kind == "folder",
            None => self.has("folder_type"),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_of_lists_are_read_alike() {
        let shapes = [
            (r#"{"data":[{"id":"A!1"},{"id":"A!2"}],"total_count":2}"#, 2),
            (r#"{"data":{"results":[{"id":"A!1"}],"facets":{}},"cursor":"x"}"#, 1),
            (r#"{"data":{"results":null}}"#, 0),
            (r#"{"data":null}"#, 0),
            ("{}", 0),
            (r#"{"data":[1,"x",{"id":"A!1"}]}"#, 1),
        ];
        for (text, count) in shapes {
            let mut envelope: Envelope = serde_json::from_str(text).unwrap();
            assert_eq!(envelope.items().len(), count, "{text}");
        }
        let mut envelope: Envelope =
            serde_json::from_str(r#"{"data":{"size":"12","n":3,"b":true,"z":null},"cursor":""}"#).unwrap();
        assert_eq!(envelope.cursor(), None);
        let item = envelope.object().unwrap();
        assert_eq!(
            (item.number("size"), item.text("n"), item.text("b"), item.text("z")),
            (Some(12), Some("3".into()), Some("true".into()), None)
        );
    }
}
