//! Query strings, form bodies and JSON filters, all as names with text values.

use actix_web::web::Query;
use serde_json::Value;

/// A parameter that had to be a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotANumber {
    pub(crate) name: String,
}

/// Parameters by name; the last of a name wins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// From a query string or a form body. What cannot be decoded counts as absent.
    pub(crate) fn from_query(query: &str) -> Self {
        if query.is_empty() {
            return Self::default();
        }
        Query::<Vec<(String, String)>>::from_query(query)
            .map_or_else(|_| Self::default(), |q| Self(q.into_inner()))
    }

    /// From a JSON object; lists become comma lists.
    pub(crate) fn from_json(value: &Value) -> Self {
        let mut pairs = Vec::new();
        if let Value::Object(map) = value {
            for (key, value) in map {
                if let Some(text) = text(value) {
                    pairs.push((key.clone(), text));
                }
            }
        }
        Self(pairs)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| v.eq_ignore_ascii_case("true") || v == "1")
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<usize>, NotANumber> {
        self.get(name).map(|v| v.parse().map_err(|_| NotANumber { name: name.to_owned() })).transpose()
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str())).filter(|(_, v)| !v.is_empty())
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) => Some(items.iter().filter_map(text).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Object(_) => None,
    }
}
