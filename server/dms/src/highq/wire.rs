//! HighQ's answers in both of its formats, read tolerantly.
//!
//! JSON has its habits: a list with one entry comes as the bare entry, many numbers come as text, some texts keep the marks of CDATA,
//! and empty values are left out. XML is read into the same shape, so that the rest of the connector knows one form only.

use postroom_outbound::{Failure, Reply};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

/// An object of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Item(Map<String, Value>);

/// Elements within each other, at most; an answer that goes deeper is none of HighQ's.
const DEEPEST: usize = 64;

/// A success, whatever its format. No body is an empty object.
pub(super) fn read(reply: &Reply) -> Result<Item, Failure> {
    let body = reply.body.trim_ascii_start();
    if body.is_empty() {
        return Ok(Item::default());
    }
    if !body.starts_with(b"<") || reply.is_web_page() {
        return Ok(Item::of(reply.json()?));
    }
    xml(body).map(Item::of).ok_or_else(|| reply.unreadable("its XML cannot be read"))
}

/// What an error says, in either format; nothing where it is neither.
pub(super) fn said(body: &[u8]) -> Item {
    let body = body.trim_ascii_start();
    let value = if body.starts_with(b"<") { xml(body) } else { serde_json::from_slice(body).ok() };
    let item = Item::of(value.unwrap_or_default());
    item.inner("error").unwrap_or(item)
}

impl Item {
    fn of(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(map),
            // A list without a name around it, as no source shows it, but a newer version may.
            Value::Array(list) => Self(Map::from_iter([("list".to_owned(), Value::Array(list))])),
            // An answer that is one bare value.
            bare @ (Value::String(_) | Value::Number(_)) => {
                Self(Map::from_iter([("#text".to_owned(), bare)]))
            }
            _ => Self::default(),
        }
    }

    /// The one bare value that an answer is.
    pub(super) fn bare(&self) -> Option<String> {
        self.text("#text")
    }

    /// A field as text, whatever its type; empty and absent are the same.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        text(self.0.get(key)?)
    }

    /// A field as a number, which may be written as text.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }

    /// A field that is an object, or the only entry of a list.
    pub(super) fn inner(&self, key: &str) -> Option<Self> {
        match self.0.get(key)? {
            Value::Object(map) => Some(Self(map.clone())),
            Value::Array(list) => match list.as_slice() {
                [Value::Object(map)] => Some(Self(map.clone())),
                _ => None,
            },
            _ => None,
        }
    }

    /// The object that is wanted: in its own element, or the answer itself.
    pub(super) fn unwrapped(self, element: &str) -> Self {
        self.inner(element).unwrap_or(self)
    }

    /// The entries of a list, which may be the bare entry, and may have one more element around it.
    pub(super) fn entries(&self, key: &str) -> Vec<Self> {
        let outer = self.0.values().filter_map(Value::as_object);
        let found = self.0.get(key).or_else(|| outer.into_iter().find_map(|map| map.get(key)));
        match found.or_else(|| self.0.get("list")) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).cloned().map(Self).collect(),
            Some(Value::Object(map)) => vec![Self(map.clone())],
            _ => Vec::new(),
        }
    }

    /// The first field of that name at any depth, as text.
    pub(super) fn anywhere(&self, key: &str) -> Option<String> {
        self.text(key).or_else(|| self.0.values().find_map(|value| deep(value, key)))
    }

    /// Whether a field of that name is there at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// All plain fields as text.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|(key, value)| Some((key.as_str(), text(value)?)))
    }
}

fn deep(value: &Value, key: &str) -> Option<String> {
    match value {
        Value::Object(map) => {
            map.get(key).and_then(text).or_else(|| map.values().find_map(|inner| deep(inner, key)))
        }
        Value::Array(list) => list.iter().find_map(|inner| deep(inner, key)),
        _ => None,
    }
}

/// A value as text without the marks of CDATA.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => {
            let bare = text.strip_prefix("<![CDATA[").and_then(|rest| rest.strip_suffix("]]>"));
            bare.unwrap_or(text).to_owned()
        }
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        // The text of an element that has attributes too.
        Value::Object(map) => map.get("#text")?.as_str()?.to_owned(),
        Value::Null | Value::Array(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

struct Open {
    name: String,
    inner: Map<String, Value>,
    text: String,
}

/// An XML document as what is in its root: elements and attributes by name, several of a name as a list.
fn xml(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_reader(bytes);
    let (mut open, mut root, mut buffer): (Vec<Open>, _, _) = (Vec::new(), None, Vec::new());
    loop {
        let mut closes = false;
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Start(start) => open.push(opened(&start)?),
            Event::Empty(start) => {
                open.push(opened(&start)?);
                closes = true;
            }
            Event::End(_) => closes = true,
            Event::Text(text) => {
                if let Some(last) = open.last_mut() {
                    last.text.push_str(&text);
                }
            }
            Event::CData(text) => open.last_mut()?.text.push_str(&text),
            // Only the five entities of XML itself are known: what a document defines is never followed.
            Event::GeneralRef(entity) => {
                let text = &mut open.last_mut()?.text;
                match entity.resolve_char_ref().ok()? {
                    Some(c) => text.push(c),
                    None => text.push_str(resolve_predefined_entity(&entity)?),
                }
            }
            Event::Eof => return if open.is_empty() { root } else { None },
            _ => {}
        }
        if open.len() > DEEPEST {
            return None;
        }
        if closes {
            let Open { name, mut inner, text } = open.pop()?;
            let text = text.trim();
            let value = if inner.is_empty() {
                Value::String(text.to_owned())
            } else {
                if !text.is_empty() {
                    inner.insert("#text".to_owned(), Value::String(text.to_owned()));
                }
                Value::Object(inner)
            };
            match open.last_mut() {
                Some(above) => add(&mut above.inner, name, value),
                None => root = Some(value),
            }
        }
        buffer.clear();
    }
}

fn opened(start: &BytesStart<'_>) -> Option<Open> {
    let mut inner = Map::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = quick_xml::escape::unescape(&attribute.value).ok()?.into_owned();
        inner.insert(attribute.key.as_ref().to_owned(), Value::String(value));
    }
    Some(Open { name: start.name().as_ref().to_owned(), inner, text: String::new() })
}

fn add(map: &mut Map<String, Value>, name: String, value: Value) {
    match map.get_mut(&name) {
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None => drop(map.insert(name, value)),
    }
}

/// A body of XML: an element with others in it.
#[derive(Debug, Default)]
pub(super) struct Element(String);

impl Element {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// With a text element; characters that XML does not know are left out.
    pub(super) fn with(mut self, name: &str, text: &str) -> Self {
        let known = |c: &char| matches!(c, '\t' | '\n' | '\r') || !c.is_control();
        let plain: String = text.chars().filter(known).collect();
        self.element(name, &quick_xml::escape::escape(plain.as_str()));
        self
    }

    /// With an element that holds others.
    pub(super) fn inside(mut self, name: &str, inner: &Self) -> Self {
        self.element(name, &inner.0);
        self
    }

    fn element(&mut self, name: &str, inner: &str) {
        for part in ["<", name, ">", inner, "</", name, ">"] {
            self.0.push_str(part);
        }
    }

    /// The document with its root.
    pub(super) fn document(&self, root: &str) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><{root}>{}</{root}>", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Item {
        Item::of(if text.starts_with('<') {
            xml(text.as_bytes()).unwrap()
        } else {
            serde_json::from_str(text).unwrap()
        })
    }

    #[test]
    fn both_formats_and_all_shapes_of_lists_come_to_the_same() {
        let shapes = [
            r#"{"site":[{"id":12,"label":"<![CDATA[A & B]]>"},{"id":"13"}]}"#,
            r#"{"sites":{"site":[{"id":"12","label":"A & B"},{"id":13}]}}"#,
            "<sites><site><id>12</id><label><![CDATA[A & B]]></label></site><site><id>13</id></site></sites>",
            "<sites>\n <site>\n <id>12</id><label>A &amp; &#66;</label></site><site id=\"13\"/></sites>",
        ];
        for text in shapes {
            let list = of(text).entries("site");
            assert_eq!(
                list.iter().map(|it| it.number("id")).collect::<Vec<_>>(),
                [Some(12), Some(13)],
                "{text}"
            );
            assert_eq!(
                (list[0].text("label").as_deref(), list[1].text("label")),
                (Some("A & B"), None),
                "{text}"
            );
        }
        for text in
            [r#"{"site":{"id":"12"}}"#, r#"{"site":[{"id":12}]}"#, "<sites><site><id>12</id></site></sites>"]
        {
            assert_eq!(of(text).entries("site").len(), 1, "{text}");
            assert_eq!(of(text).unwrapped("site").number("id"), Some(12), "{text}");
        }
        for text in ["{}", "[]", "<sites/>", "<sites></sites>", r#"{"site":null}"#] {
            assert_eq!(of(text).entries("site"), [], "{text}");
        }
        let module =
            of(r#"<site><module><document enable="1"/></module><dms><dmsdocid>x</dmsdocid></dms></site>"#);
        assert_eq!(
            module.inner("module").unwrap().inner("document").unwrap().text("enable").as_deref(),
            Some("1")
        );
        assert_eq!(module.anywhere("dmsdocid").as_deref(), Some("x"));
    }

    #[test]
    fn what_is_no_whole_xml_is_nothing() {
        let deep = "<a>".repeat(5_000);
        let entity = "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>";
        for bad in ["<a>", "<a></b>", "<a", entity, &deep] {
            assert_eq!(xml(bad.as_bytes()), None, "{bad:.40}");
        }
        assert_eq!(said(b"gone").text("summary"), None);
        assert_eq!(said(b"<error><ref>130</ref></error>").number("ref"), Some(130));
        assert_eq!(said(br#"{"summary":"Access denied","ref":"130","link":null}"#).number("ref"), Some(130));
    }

    #[test]
    fn texts_cannot_leave_their_element() {
        let folder =
            Element::new().with("name", "a</name><x>&\u{0}").inside("dms", &Element::new().with("k", "v"));
        let text = folder.document("folder");
        let read = of(text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap());
        assert_eq!(read.text("name").as_deref(), Some("a</name><x>&"));
        assert_eq!(read.anywhere("k").as_deref(), Some("v"));
    }
}
