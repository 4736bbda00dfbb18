//! JSON objects as the XML that some servers prefer.

use serde_json::Value;

use super::page::escape;

/// An element of that name. Lists repeat their element; nulls are left out.
pub(crate) fn element(name: &str, value: &Value) -> String {
    let inner = match value {
        Value::Null => return String::new(),
        Value::Array(items) => return items.iter().map(|item| element(name, item)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| element(key, value)).collect(),
        Value::String(text) => escape(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    format!("<{name}>{inner}</{name}>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn lists_repeat_and_text_is_escaped() {
        let value = json!({ "site": [{ "id": "1", "name": "A & B" }, { "id": 2, "gone": null }] });
        let xml = super::element("sites", &value);
        assert_eq!(
            xml,
            "<sites><site><id>1</id><name>A &amp; B</name></site><site><id>2</id></site></sites>"
        );
    }
}
