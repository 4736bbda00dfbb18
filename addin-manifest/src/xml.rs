//! XML as a small tree: what a manifest holds is told as it nests, and written in one place.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::Mistake;
use crate::texts::{GERMAN, Said};

/// An element.
#[derive(Debug)]
pub(crate) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: Option<String>,
    children: Vec<Element>,
}

/// An element with others in it.
pub(crate) fn holds(name: &'static str, children: impl IntoIterator<Item = Element>) -> Element {
    Element { name, attributes: Vec::new(), text: None, children: children.into_iter().collect() }
}

/// An element with nothing in it.
pub(crate) fn empty(name: &'static str) -> Element {
    holds(name, [])
}

/// An element with a text in it.
pub(crate) fn says(name: &'static str, text: impl Into<String>) -> Element {
    Element { text: Some(text.into()), ..empty(name) }
}

/// An element whose value stands in its attribute.
pub(crate) fn value(name: &'static str, value: impl Into<String>) -> Element {
    empty(name).with("DefaultValue", value)
}

/// A value in every language; `names` are those of the element and of what overrides it.
pub(crate) fn said(names: (&'static str, &'static str), text: Said) -> Element {
    let german = empty(names.1).with("Locale", GERMAN).with("Value", text.de);
    value(names.0, text.en).and([german])
}

impl Element {
    /// With an attribute more; what stands first is written first.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// With an attribute more, before those that it has.
    pub(crate) fn first(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.insert(0, (name, value.into()));
        self
    }

    /// With elements in it, after those that it holds.
    pub(crate) fn and(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The whole document.
    pub(crate) fn document(&self) -> Result<String, Mistake> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        let written = |error| Mistake::written("the manifest", &error);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).map_err(written)?;
        self.write(&mut writer).map_err(written)?;
        let mut text = String::from_utf8(writer.into_inner())
            .map_err(|error| Mistake::written("the manifest", &error))?;
        text.push('\n');
        Ok(text)
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let attributes = self.attributes.iter().map(|(name, value)| (*name, value.as_str()));
        let start = BytesStart::new(self.name).with_attributes(attributes);
        if self.text.is_none() && self.children.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        if let Some(text) = &self.text {
            writer.write_event(Event::Text(BytesText::new(text)))?;
        }
        for child in &self.children {
            child.write(writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}
