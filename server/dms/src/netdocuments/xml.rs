//! XML as JSON would have it: NetDocuments answers in XML wherever it was not asked for JSON, and sometimes then.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde_json::{Map, Value};

/// Deeper than this is no answer of NetDocuments'.
const DEEPEST: usize = 32;

struct Open {
    name: String,
    children: Map<String, Value>,
    text: String,
}

/// What is in the root: elements by name, several of a name as a list, texts as texts. `None` for what is no XML.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
    let mut open = Vec::<Open>::new();
    loop {
        let mut close = false;
        match reader.read_event().ok()? {
            Event::Start(_) | Event::Empty(_) if open.len() >= DEEPEST => return None,
            Event::Start(start) => open.push(begin(start.name().as_ref())),
            Event::Empty(start) => {
                open.push(begin(start.name().as_ref()));
                close = true;
            }
            Event::Text(text) => {
                if let Some(last) = open.last_mut() {
                    last.text.push_str(&text.xml10_content());
                }
            }
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let last = open.last_mut()?;
                match entity.resolve_char_ref().ok()? {
                    Some(c) => last.text.push(c),
                    None => last.text.push_str(resolve_predefined_entity(&entity)?),
                }
            }
            Event::End(_) => close = true,
            Event::Eof => return None,
            _ => {}
        }
        if close {
            let Open { name, children, text } = open.pop()?;
            let value = if children.is_empty() { Value::String(text) } else { Value::Object(children) };
            match open.last_mut() {
                Some(above) => add(&mut above.children, name, value),
                None => return Some(value),
            }
        }
    }
}

fn begin(name: &str) -> Open {
    Open { name: name.to_owned(), children: Map::new(), text: String::new() }
}

fn add(map: &mut Map<String, Value>, name: String, value: Value) {
    match map.get_mut(&name) {
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None => drop(map.insert(name, value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_become_keys_and_repeated_ones_lists() {
        let text = b"<?xml version=\"1.0\"?><ndList><standardList><ndProfile.DocumentStat><id>1</id><name>A &amp; B&#33;</name>\
            </ndProfile.DocumentStat><ndProfile.DocumentStat><id>2</id><name/></ndProfile.DocumentStat></standardList></ndList>";
        let wanted = json!({ "standardList": { "ndProfile.DocumentStat": [
            { "id": "1", "name": "A & B!" }, { "id": "2", "name": "" },
        ] } });
        assert_eq!(read(text), Some(wanted));
        for bad in ["", "no xml", "<a><b></a>", "<a>", "{}"] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(read("<a>".repeat(100).as_bytes()), None);
    }
}
