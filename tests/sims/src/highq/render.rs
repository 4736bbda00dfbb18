//! Answers in HighQ's two formats: XML unless JSON is asked for, empty values left out, lists of one without a list.

use serde_json::{Map, Value, json};

use super::serve::HighQ;
use super::switches::Switches;
use crate::common::answer::Answer;
use crate::common::core::Call;
use crate::common::page::escape;

/// Keys whose text keeps CDATA marks in JSON.
const CDATA: [&str; 3] = ["label", "dateformat", "sitedescription"];

/// Milliseconds since 1970 as HighQ shows a moment of a file.
pub(super) fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|at| at.strftime("%d %b %Y %H:%M").to_string())
        .unwrap_or_default()
}

/// Milliseconds since 1970 as HighQ shows a day.
pub(super) fn day(ms: i64) -> String {
    moment(ms).rsplit_once(' ').map(|(day, _)| day.to_owned()).unwrap_or_default()
}

/// An answer. `root` is the element in XML; JSON has none.
pub(super) fn show(call: &Call<'_, HighQ>, status: u16, root: &str, body: &Value) -> Answer {
    if call.request.wants_json() && !call.switches.xml_only {
        let tidy = json_form("", body, call.switches).unwrap_or_else(|| json!({}));
        Answer::json(status, &tidy)
    } else {
        Answer::new(status, "application/xml", element(root, body))
    }
}

/// A refusal with its number.
pub(super) fn refuse(call: &Call<'_, HighQ>, status: u16, number: u32, summary: &str) -> Answer {
    if call.request.wants_json() && !call.switches.xml_only {
        return Answer::json(status, &json!({ "summary": summary, "ref": number.to_string(), "link": null }));
    }
    let link = format!("{}/api/1/error/{number}", <HighQ as crate::common::core::Serve>::ROOT);
    let body = json!({ "link": link, "ref": number.to_string(), "summary": summary });
    Answer::new(status, "application/xml", element("error", &body))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// JSON as HighQ writes it; none where nothing is left.
fn json_form(key: &str, value: &Value, switches: &Switches) -> Option<Value> {
    if is_empty(value) {
        return None;
    }
    Some(match value {
        Value::Array(items) if items.len() == 1 && switches.collapse => json_form(key, &items[0], switches)?,
        Value::Array(items) => items.iter().filter_map(|item| json_form(key, item, switches)).collect(),
        Value::Object(map) => {
            let pairs = map.iter().filter_map(|(key, value)| {
                Some((key.trim_start_matches('@').to_owned(), json_form(key, value, switches)?))
            });
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        Value::String(text) if switches.cdata && CDATA.contains(&key) => {
            json!(format!("<![CDATA[{text}]]>"))
        }
        other => other.clone(),
    })
}

/// An element; keys with `@` are attributes, lists repeat their element, empty values are left out.
pub(super) fn element(name: &str, value: &Value) -> String {
    if is_empty(value) {
        return String::new();
    }
    match value {
        Value::Array(items) => items.iter().map(|item| element(name, item)).collect(),
        Value::Object(map) => {
            let (mut attributes, mut inner) = (String::new(), String::new());
            for (key, value) in map {
                match key.strip_prefix('@') {
                    Some(key) => {
                        let value = escape(value.as_str().unwrap_or_default());
                        attributes.extend([" ", key, "=\"", &value, "\""]);
                    }
                    None => inner += &element(key, value),
                }
            }
            format!("<{name}{attributes}>{inner}</{name}>")
        }
        Value::String(text) if CDATA.contains(&name) && !text.contains("]]>") => {
            format!("<{name}><![CDATA[{text}]]></{name}>")
        }
        Value::String(text) => format!("<{name}>{}</{name}>", escape(text)),
        other => format!("<{name}>{other}</{name}>"),
    }
}
