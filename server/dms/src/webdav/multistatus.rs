//! What servers answer in XML, read tolerantly where servers differ and strictly where something could be misunderstood.
//!
//! Entities are never expanded and document types are refused, so that no answer grows in here; length, depth and texts are bounded.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};

/// The namespace of our own properties.
pub(super) const OURS: &str = "urn:postroom:dav";
/// Elements within each other.
const DEEPEST: usize = 32;
/// Bytes of one text.
const LONGEST_TEXT: usize = 1024 * 1024;
/// Elements of one answer about one resource.
const MOST_ELEMENTS: usize = 10_000;

/// Why an answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn unreadable<T>(why: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable(why.into()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ns {
    Dav,
    Ours,
    Other,
}

/// One element with everything in it.
#[derive(Debug)]
struct Node {
    ns: Ns,
    name: String,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn is(&self, name: &str) -> bool {
        self.ns == Ns::Dav && self.name == name
    }
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(name))
    }
    fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |child| child.is(name))
    }
    /// The text of a child without the white space around it; none when it is empty.
    fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }
    /// All text in it, in order.
    fn deep_text(&self) -> String {
        let mut text = self.text.trim().to_owned();
        for child in &self.children {
            let more = child.deep_text();
            if !text.is_empty() && !more.is_empty() {
                text.push(' ');
            }
            text.push_str(&more);
        }
        text
    }
}

/// A lock that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// Its token, where the server shows it.
    pub(super) token: Option<String>,
    /// Who, as they wrote it.
    pub(super) owner: Option<String>,
    /// How long it lasts; none where that is not told, or where it has no end.
    pub(super) lasts: Option<Duration>,
}

/// The properties that a server told of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Props {
    pub(super) collection: bool,
    pub(super) size: Option<u64>,
    pub(super) etag: Option<String>,
    pub(super) changed: Option<Timestamp>,
    /// Bytes that may still be stored.
    pub(super) available: Option<u64>,
    pub(super) locks: Vec<Held>,
    pub(super) mark: Option<String>,
    pub(super) sidecar: Option<String>,
}

/// What an answer says of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path, decoded, without empty names.
    pub(super) path: Vec<String>,
    /// The status of the resource, where the answer has one for all of it.
    pub(super) status: Option<u16>,
    /// What was told with a success.
    pub(super) props: Props,
    /// Statuses of the properties that were not a success.
    pub(super) refused: Vec<u16>,
}

/// Reads a multistatus; nothing but a whole one is one.
pub(super) fn read(body: &[u8]) -> Result<Vec<Entry>, Unreadable> {
    let mut reader = Reader::new(body)?;
    let root = reader.open()?;
    if root != (Ns::Dav, "multistatus".to_owned()) {
        return unreadable(format!("it is no multistatus but {:?}", root.1));
    }
    let mut entries = Vec::new();
    while let Some(node) = reader.child()? {
        if node.is("response") {
            entries.push(entry(&node)?);
        }
    }
    Ok(entries)
}

/// Reads the answer to a lock: the lock in it.
pub(super) fn lock(body: &[u8]) -> Result<Option<Held>, Unreadable> {
    let mut reader = Reader::new(body)?;
    if reader.open()? != (Ns::Dav, "prop".to_owned()) {
        return unreadable("it is no list of properties");
    }
    let mut found = None;
    while let Some(node) = reader.child()? {
        if node.is("lockdiscovery") {
            found = locks(&node).into_iter().find(|lock| lock.token.is_some()).or(found);
        }
    }
    Ok(found)
}

fn entry(node: &Node) -> Result<Entry, Unreadable> {
    let Some(href) = node.value("href") else { return unreadable("a response names no resource") };
    let mut entry =
        Entry { path: path(href)?, status: node.value("status").and_then(status), ..Entry::default() };
    for part in node.all("propstat") {
        let code = part.value("status").and_then(status).unwrap_or(200);
        let Some(prop) = part.child("prop") else { continue };
        if (200..300).contains(&code) {
            properties(prop, &mut entry.props);
        } else {
            entry.refused.push(code);
        }
    }
    Ok(entry)
}

fn properties(prop: &Node, props: &mut Props) {
    for node in &prop.children {
        let text = || Some(node.text.trim().to_owned()).filter(|text| !text.is_empty());
        match (node.ns, node.name.as_str()) {
            (Ns::Dav, "resourcetype") => props.collection |= node.child("collection").is_some(),
            (Ns::Dav, "getcontentlength") => props.size = node.text.trim().parse().ok().or(props.size),
            (Ns::Dav, "getetag") => props.etag = text(),
            (Ns::Dav, "getlastmodified") => {
                let date = httpdate::parse_http_date(node.text.trim()).ok();
                props.changed = date.and_then(|date| Timestamp::try_from(date).ok());
            }
            // Some servers say -1 or -3 for "not known".
            (Ns::Dav, "quota-available-bytes") => props.available = node.text.trim().parse().ok(),
            (Ns::Dav, "lockdiscovery") => props.locks = locks(node),
            (Ns::Ours, "mark") => props.mark = text(),
            (Ns::Ours, "sidecar") => props.sidecar = text(),
            _ => {}
        }
    }
}

fn locks(discovery: &Node) -> Vec<Held> {
    let token = |lock: &Node| lock.child("locktoken")?.value("href").map(str::to_owned);
    let owner = |lock: &Node| {
        let text: String =
            lock.child("owner")?.deep_text().chars().filter(|c| !c.is_control()).take(200).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    let lasts = |lock: &Node| {
        let (unit, number) = lock.value("timeout")?.trim().split_once('-')?;
        let seconds: u64 = number.parse().ok()?;
        unit.eq_ignore_ascii_case("second").then(|| Duration::from_secs(seconds))
    };
    let held = |lock| Held { token: token(lock), owner: owner(lock), lasts: lasts(lock) };
    discovery.all("activelock").map(held).collect()
}

/// The code of a status line such as `HTTP/1.1 404 Not Found`.
fn status(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The decoded names of an address or path.
fn path(href: &str) -> Result<Vec<String>, Unreadable> {
    let path = match href.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => href,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let decode = |name: &str| percent_decode_str(name).decode_utf8().map(std::borrow::Cow::into_owned);
    let names = path.split('/').filter(|name| !name.is_empty()).map(decode);
    names.collect::<Result<_, _>>().or_else(|_| unreadable("a name is not UTF-8"))
}

struct Reader<'b> {
    xml: NsReader<&'b [u8]>,
    depth: usize,
    ended: bool,
}

enum Token {
    Start(Ns, String),
    Empty(Ns, String),
    End,
    Text(String),
    Nothing,
    Eof,
}

impl<'b> Reader<'b> {
    fn new(body: &'b [u8]) -> Result<Self, Unreadable> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let Ok(text) = std::str::from_utf8(body) else { return unreadable("it is not UTF-8") };
        Ok(Self { xml: NsReader::from_str(text), depth: 0, ended: false })
    }

    fn token(&mut self) -> Result<Token, Unreadable> {
        let (ns, event) = match self.xml.read_resolved_event() {
            Ok((ns, event)) => (namespace(&ns), event),
            Err(e) => return unreadable(format!("it is no XML: {}", kind(&e))),
        };
        Ok(match event {
            Event::Start(start) => Token::Start(ns, start.local_name().as_ref().to_owned()),
            Event::Empty(start) => Token::Empty(ns, start.local_name().as_ref().to_owned()),
            Event::End(_) => Token::End,
            Event::Text(text) => Token::Text(text.xml10_content().into_owned()),
            Event::CData(text) => Token::Text(text.xml10_content().into_owned()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(c)) => Token::Text(c.to_string()),
                Ok(None) => match resolve_predefined_entity(&name) {
                    Some(text) => Token::Text(text.to_owned()),
                    None => return unreadable("it has entities of its own"),
                },
                Err(_) => return unreadable("it has a character that cannot be"),
            },
            Event::DocType(_) => return unreadable("it has a document type"),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Token::Nothing,
            Event::Eof => Token::Eof,
        })
    }

    /// Reads up to and with the start of the root.
    fn open(&mut self) -> Result<(Ns, String), Unreadable> {
        loop {
            match self.token()? {
                Token::Start(ns, name) => {
                    self.depth = 1;
                    return Ok((ns, name));
                }
                Token::Empty(ns, name) => {
                    self.ended = true;
                    return Ok((ns, name));
                }
                Token::Text(text) if !text.trim().is_empty() => return unreadable("it is no XML"),
                Token::Eof => return unreadable("it is empty"),
                Token::End | Token::Text(_) | Token::Nothing => {}
            }
        }
    }

    /// The next child of the root; none at the root's end.
    fn child(&mut self) -> Result<Option<Node>, Unreadable> {
        if self.ended {
            return Ok(None);
        }
        loop {
            match self.token()? {
                Token::Start(ns, name) => {
                    let mut left = MOST_ELEMENTS;
                    return self.node(ns, name, 2, &mut left).map(Some);
                }
                Token::Empty(ns, name) => {
                    return Ok(Some(Node { ns, name, text: String::new(), children: Vec::new() }));
                }
                Token::End => {
                    self.ended = true;
                    return Ok(None);
                }
                Token::Eof => return unreadable("it breaks off"),
                Token::Text(_) | Token::Nothing => {}
            }
        }
    }

    fn node(&mut self, ns: Ns, name: String, depth: usize, left: &mut usize) -> Result<Node, Unreadable> {
        if depth > DEEPEST {
            return unreadable("it is too deep");
        }
        let mut node = Node { ns, name, text: String::new(), children: Vec::new() };
        loop {
            if *left == 0 {
                return unreadable("it tells too much of one resource");
            }
            match self.token()? {
                Token::Start(ns, name) => {
                    *left -= 1;
                    let child = self.node(ns, name, depth + 1, left)?;
                    node.children.push(child);
                }
                Token::Empty(ns, name) => {
                    *left -= 1;
                    node.children.push(Node { ns, name, text: String::new(), children: Vec::new() });
                }
                Token::Text(text) if node.text.len() + text.len() > LONGEST_TEXT => {
                    return unreadable("a text in it is too long");
                }
                Token::Text(text) => node.text.push_str(&text),
                Token::End => return Ok(node),
                Token::Eof => return unreadable("it breaks off"),
                Token::Nothing => {}
            }
        }
    }
}

fn namespace(ns: &ResolveResult<'_>) -> Ns {
    match ns {
        ResolveResult::Bound(Namespace("DAV:")) => Ns::Dav,
        ResolveResult::Bound(Namespace(name)) if *name == OURS => Ns::Ours,
        _ => Ns::Other,
    }
}

/// What kind of trouble it is; the text around it may be a client's.
fn kind(error: &quick_xml::Error) -> &'static str {
    match error {
        quick_xml::Error::Syntax(_) => "its syntax is wrong",
        quick_xml::Error::IllFormed(_) => "it is ill-formed",
        quick_xml::Error::Namespace(_) => "its namespaces are wrong",
        _ => "it cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(response: &str) -> Entry {
        let text =
            format!("<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\">{response}</D:multistatus>");
        read(text.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn what_servers_send_is_understood() {
        // Apache: the namespaces are bound in each response.
        let apache = one(
            r#"<D:response xmlns:lp1="DAV:" xmlns:ns1="urn:postroom:dav"><D:href>/c/a%20%26%20b.pdf</D:href>
            <D:propstat><D:prop><lp1:resourcetype/><lp1:getcontentlength>3</lp1:getcontentlength>
            <lp1:getetag>W/"3-66"</lp1:getetag><lp1:getlastmodified>Mon, 23 Nov 2026 09:00:00 GMT</lp1:getlastmodified>
            <ns1:mark>postroom:1 &lt;&amp;&#x41;</ns1:mark></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
            <D:propstat><D:prop><lp1:quota-available-bytes/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
            </D:response>"#,
        );
        assert_eq!(apache.path, ["c", "a & b.pdf"]);
        assert_eq!((apache.props.size, apache.props.collection, apache.refused), (Some(3), false, vec![404]));
        assert_eq!(apache.props.mark.as_deref(), Some("postroom:1 <&A"));
        assert_eq!(apache.props.etag.as_deref(), Some("W/\"3-66\""));
        assert_eq!(apache.props.changed, Some("2026-11-23T09:00:00Z".parse().unwrap()));
        // Go: the default namespace is set anew on foreign properties; an absolute address; no status of the propstat.
        let go = one(r#"<D:response><D:href>http://dav.example:80/c/%E5%A5%91/</D:href><D:propstat><D:prop>
            <D:resourcetype><D:collection xmlns:D="DAV:"/></D:resourcetype><D:quota-available-bytes>-3</D:quota-available-bytes>
            <sidecar xmlns="urn:postroom:dav"><![CDATA[{"a":1}]]></sidecar><mark xmlns="urn:else">x</mark></D:prop></D:propstat></D:response>"#);
        assert_eq!(go.path, ["c", "契"]);
        assert!(go.props.collection && go.props.available.is_none() && go.props.mark.is_none());
        assert_eq!(go.props.sidecar.as_deref(), Some("{\"a\":1}"));
        let failed =
            one("<D:response><D:href>/x</D:href><D:status>HTTP/1.1 423 Locked</D:status></D:response>");
        assert_eq!(failed.status, Some(423));
        let locked = one(
            "<D:response><D:href>/x</D:href><D:propstat><D:prop><D:lockdiscovery><D:activelock>
            <D:owner><D:href>mailto:m@x</D:href></D:owner><D:locktoken><D:href>opaque:1</D:href></D:locktoken>
            </D:activelock></D:lockdiscovery></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>",
        );
        let held = Held { token: Some("opaque:1".into()), owner: Some("mailto:m@x".into()), lasts: None };
        assert_eq!(locked.props.locks, [held]);
        assert_eq!(read(b"\xef\xbb\xbf<multistatus xmlns='DAV:'/>"), Ok(vec![]));
        for (timeout, lasts) in [("Second-30", Some(30)), ("Infinite", None), ("Second-x", None), ("", None)]
        {
            let lock = format!(
                "<prop xmlns='DAV:'><lockdiscovery><activelock><timeout>{timeout}</timeout><locktoken><href> t \
                 </href></locktoken></activelock></lockdiscovery></prop>"
            );
            let held =
                Held { token: Some("t".to_owned()), owner: None, lasts: lasts.map(Duration::from_secs) };
            assert_eq!(super::lock(lock.as_bytes()), Ok(Some(held)), "{timeout}");
        }
    }

    #[test]
    fn what_could_be_misunderstood_or_grow_is_refused() {
        let deep = format!("<D:multistatus xmlns:D='DAV:'>{}", "<D:response>".repeat(40_000));
        let wide = format!(
            "<D:multistatus xmlns:D='DAV:'><D:response><D:href>/</D:href>{}</D:response></D:multistatus>",
            "<x/>".repeat(MOST_ELEMENTS + 1)
        );
        let long = format!(
            "<D:multistatus xmlns:D='DAV:'><D:response><D:href>{}</D:href></D:response></D:multistatus>",
            "x".repeat(LONGEST_TEXT + 1)
        );
        let table: [&str; 14] = [
            "",
            "<html><body>Sign in</body></html>",
            "{\"error\":1}",
            "<multistatus/>",
            "<D:multistatus xmlns:D='DAV:'>",
            "<D:multistatus xmlns:D='DAV:'><D:response><D:href>/a</D:href></D:response>",
            "<D:multistatus xmlns:D='DAV:'><D:response><D:href>/a</D:resp",
            "<D:multistatus xmlns:D='DAV:'><D:response></D:multistatus>",
            "<D:multistatus xmlns:D='DAV:'><D:response></D:response></D:multistatus>",
            "<D:multistatus xmlns:D='DAV:'><D:response><D:href>/%ff%fe</D:href></D:response></D:multistatus>",
            "<!DOCTYPE m [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;'>]><D:multistatus xmlns:D='DAV:'/>",
            "<D:multistatus xmlns:D='DAV:'><D:response><D:href>&lol;</D:href></D:response></D:multistatus>",
            "<D:multistatus xmlns:D='DAV:'><D:response><D:href>&#0;</D:href></D:response></D:multistatus>",
            "<X:multistatus xmlns:D='DAV:'/>",
        ];
        for text in table.into_iter().chain([deep.as_str(), &wide, &long]) {
            let shown: String = text.chars().take(120).collect();
            assert!(read(text.as_bytes()).is_err(), "{shown}");
        }
        assert!(read(b"\xff\xfe<\0").is_err());
    }
}
