//! Bodies of requests: XML everywhere, JSON where it is taken.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde_json::{Map, Value};

/// An element that is being read: its name, what is in it, its text.
type Open = (String, Map<String, Value>, String);

/// An XML document as what is in its root: elements by name, several of a name as a list.
pub(super) fn xml(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_reader(bytes);
    let (mut open, mut root): (Vec<Open>, _) = (Vec::new(), None);
    let mut buffer = Vec::new();
    loop {
        let mut close = false;
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Start(start) => {
                open.push((start.name().as_ref().to_owned(), Map::new(), String::new()));
            }
            Event::Empty(start) => {
                open.push((start.name().as_ref().to_owned(), Map::new(), String::new()));
                close = true;
            }
            Event::Text(text) => {
                if let Some((.., all)) = open.last_mut() {
                    all.push_str(&text);
                }
            }
            Event::CData(text) => open.last_mut()?.2.push_str(&text),
            Event::GeneralRef(entity) => {
                let all = &mut open.last_mut()?.2;
                match entity.resolve_char_ref().ok()? {
                    Some(c) => all.push(c),
                    None => all.push_str(resolve_predefined_entity(&entity)?),
                }
            }
            Event::End(_) => close = true,
            Event::Eof => return root,
            _ => {}
        }
        if close {
            let (name, children, text) = open.pop()?;
            let value = if children.is_empty() { Value::String(text) } else { Value::Object(children) };
            match open.last_mut() {
                Some((_, above, _)) => add(above, name, value),
                None => root = Some(value),
            }
        }
        buffer.clear();
    }
}

fn add(map: &mut Map<String, Value>, name: String, value: Value) {
    match map.get_mut(&name) {
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None => drop(map.insert(name, value)),
    }
}

/// A list, which has no list around it where it has one entry.
pub(super) fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Text, also of a number.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
