//! Pages of a PDF as a PDF: each page and what it needs, object by object, with streams as they are packed.
//!
//! Copied is what can be reached from the pages, and nothing through which other pages could be: the page tree, the
//! catalogue, articles, the structure tree, and the notes and form fields of other pages are cut off. So a piece has no bookmarks
//! and its forms show what was filled in and cannot be filled in again. Of a list of pictures that several pages share, a piece
//! has those that its own pages draw. Whether that were all of them is seen by drawing each page again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;

use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::content::ops::{TypedInstruction, XObject};
use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Name, ObjRef, Object, ObjectIdentifier, Stream};
use hayro::hayro_syntax::page::Page;

use super::CannotWrite;
use crate::pages::read::drawn;

/// Of what a page inherits from the tree above it.
const INHERITED: [&[u8]; 3] = [b"MediaBox", b"CropBox", b"Rotate"];
const RESOURCES: &[u8] = b"Resources";
const PICTURES: &[u8] = b"XObject";
/// Keys of a page through which others are reached, or that mean nothing alone.
const CUT_OFF: [&[u8]; 4] = [b"Parent", b"B", b"StructParents", b"PresSteps"];
/// Keys of the catalogue that say how pages look.
const OF_CATALOGUE: [&[u8]; 3] = [b"OCProperties", b"OutputIntents", b"Lang"];
/// How deep the page tree may be, and how many objects a piece may have.
const DEPTH: usize = 64;
const OBJECTS: usize = 1_000_000;
/// The catalogue and the page tree of a piece.
const CATALOGUE: usize = 1;
const TREE: usize = 2;

pub(super) fn piece(bytes: &[u8], pdf: &Pdf, pages: &[usize]) -> Result<Vec<u8>, CannotWrite> {
    // Both stand in the clear, also in files whose other objects are packed.
    if contains(bytes, b"/Encrypt") {
        return Err(CannotWrite::Protected);
    }
    if contains(bytes, b"/ByteRange") {
        return Err(CannotWrite::Signed);
    }
    let mut copier = Copier::new(pdf, pages)?;
    let written = copier.write(pdf, pages)?;
    same(pdf, pages, &written)?;
    Ok(written)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Reads the piece again: every page has to draw the same, in the same size.
fn same(pdf: &Pdf, pages: &[usize], piece: &[u8]) -> Result<(), CannotWrite> {
    let differs = |what: &str| CannotWrite::NotTheSame(what.to_owned());
    let written = Pdf::new(piece.to_vec()).map_err(|_| differs("it cannot be read"))?;
    if written.pages().len() != pages.len() {
        return Err(differs("another number of pages"));
    }
    for (index, (after, &page)) in written.pages().iter().zip(pages).enumerate() {
        let before = pdf.pages().get(page).ok_or(CannotWrite::NoSuchPages)?;
        if after.page_stream() != before.page_stream() {
            return Err(differs("the content of a page has changed"));
        }
        if after.render_dimensions() != before.render_dimensions() {
            return Err(differs("the size of a page has changed"));
        }
        if drawn(&written, index) != drawn(pdf, page) {
            return Err(differs("a page does not look the same"));
        }
    }
    Ok(())
}

struct Copier {
    /// Objects that no piece takes along: other pages, what hangs on them, the trees.
    foreign: HashSet<ObjectIdentifier>,
    /// The new numbers of objects, and those that have yet to be written.
    numbers: HashMap<ObjectIdentifier, usize>,
    open: VecDeque<ObjectIdentifier>,
    out: Vec<u8>,
    /// Where each object begins, by number.
    places: Vec<Option<usize>>,
}

impl Copier {
    fn new(pdf: &Pdf, pages: &[usize]) -> Result<Self, CannotWrite> {
        let mut foreign = HashSet::from([pdf.xref().root_id()]);
        let own: HashSet<usize> = pages.iter().copied().collect();
        let mut ids = Vec::new();
        for (index, page) in pdf.pages().iter().enumerate() {
            let id = page.raw().obj_id();
            for parent in above(page) {
                foreign.extend(parent.obj_id());
            }
            if own.contains(&index) {
                let tied = || CannotWrite::TiedTogether("a page has no number of its own".to_owned());
                ids.push(id.ok_or_else(tied)?);
            } else {
                foreign.extend(id);
                foreign.extend(notes(page));
            }
        }
        // The same object as two pages, or a note that hangs on several of them, goes with each.
        for (index, page) in pdf.pages().iter().enumerate() {
            if own.contains(&index) {
                notes(page).for_each(|note| {
                    foreign.remove(&note);
                });
            }
        }
        for id in &ids {
            foreign.remove(id);
        }
        Ok(Self {
            foreign,
            numbers: HashMap::new(),
            open: VecDeque::new(),
            out: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(),
            places: vec![None; TREE + 1],
        })
    }

    fn write(&mut self, pdf: &Pdf, pages: &[usize]) -> Result<Vec<u8>, CannotWrite> {
        let mut kids = String::new();
        for &index in pages {
            let page = pdf.pages().get(index).ok_or(CannotWrite::NoSuchPages)?;
            let id = page.raw().obj_id().ok_or(CannotWrite::NoSuchPages)?;
            if self.numbers.contains_key(&id) {
                return Err(CannotWrite::TiedTogether("two pages are the same object".to_owned()));
            }
            let number = self.number(id);
            let _fits = write!(kids, "{number} 0 R ");
        }
        self.open.clear();
        for &index in pages {
            let page = pdf.pages().get(index).ok_or(CannotWrite::NoSuchPages)?;
            self.page(page);
        }
        self.begin(TREE);
        self.text(&format!("<< /Type /Pages /Count {} /Kids [ {kids}] >>\nendobj\n", pages.len()));
        self.begin(CATALOGUE);
        self.text(&format!("<< /Type /Catalog /Pages {TREE} 0 R"));
        if let Some(catalogue) = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id()) {
            self.entries(&catalogue, |key| OF_CATALOGUE.contains(&key));
        }
        self.text(" >>\nendobj\n");
        while let Some(id) = self.open.pop_front() {
            if self.places.len() > OBJECTS {
                return Err(CannotWrite::TiedTogether("it has too many objects".to_owned()));
            }
            let number = self.number(id);
            self.begin(number);
            match pdf.xref().get::<Object<'_>>(id) {
                Some(Object::Stream(stream)) => self.stream(&stream),
                Some(object) => self.object(&object),
                None => self.text("null"),
            }
            self.text("\nendobj\n");
        }
        Ok(self.finish())
    }

    fn page(&mut self, page: &Page<'_>) {
        let raw = page.raw();
        let Some(number) = raw.obj_id().and_then(|id| self.numbers.get(&id).copied()) else { return };
        self.begin(number);
        self.text(&format!("<< /Parent {TREE} 0 R"));
        self.entries(raw, |key| !CUT_OFF.contains(&key) && key != RESOURCES);
        self.resources(page);
        let missing: Vec<&[u8]> = INHERITED.iter().copied().filter(|key| !raw.contains_key(key)).collect();
        for key in missing {
            if let Some(from) = above(page).into_iter().find(|parent| parent.contains_key(key)) {
                self.entries(&from, |name| name == key);
            }
        }
        self.text(" >>\nendobj\n");
    }

    /// The page's own resources or those that it inherits, with the pictures that it draws.
    fn resources(&mut self, page: &Page<'_>) {
        let from = std::iter::once(page.raw().clone()).chain(above(page));
        let Some(resources) = from.into_iter().find_map(|node| node.get::<Dict<'_>>(RESOURCES)) else {
            return;
        };
        let mut drawn: HashSet<Vec<u8>> = HashSet::new();
        let mut operations = page.typed_operations();
        while let Some(operation) = operations.next() {
            if let TypedInstruction::XObject(XObject(name)) = operation {
                let name: &[u8] = name.as_ref();
                drawn.insert(name.to_vec());
            }
        }
        self.text(" /Resources <<");
        self.entries(&resources, |key| key != PICTURES);
        if let Some(pictures) = resources.get::<Dict<'_>>(PICTURES) {
            self.text(" /XObject <<");
            self.entries(&pictures, |key| drawn.contains(key));
            self.text(" >>");
        }
        self.text(" >>");
    }

    fn number(&mut self, id: ObjectIdentifier) -> usize {
        if let Some(&number) = self.numbers.get(&id) {
            return number;
        }
        let number = self.places.len();
        self.places.push(None);
        self.numbers.insert(id, number);
        self.open.push_back(id);
        number
    }

    fn begin(&mut self, number: usize) {
        if let Some(place) = self.places.get_mut(number) {
            *place = Some(self.out.len());
        }
        self.text(&format!("{number} 0 obj\n"));
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn reference(&mut self, to: ObjRef) {
        let id = ObjectIdentifier::from(to);
        if self.foreign.contains(&id) {
            self.text("null");
        } else {
            let number = self.number(id);
            self.text(&format!("{number} 0 R"));
        }
    }

    fn value(&mut self, value: &MaybeRef<Object<'_>>) {
        match value {
            MaybeRef::Ref(to) => self.reference(*to),
            MaybeRef::NotRef(object) => self.object(object),
        }
    }

    fn object(&mut self, object: &Object<'_>) {
        match object {
            Object::Boolean(value) => self.text(if *value { "true" } else { "false" }),
            Object::Number(number) => {
                // Rust writes no exponents here, and PDF reads none.
                let number = number.as_f64();
                self.text(&format!("{number}"));
            }
            Object::String(string) => self.string(string.as_bytes()),
            Object::Name(name) => self.name(name.as_ref()),
            Object::Dict(dict) => self.dict(dict),
            Object::Array(array) => self.array(array),
            // A stream is always an object of its own, and not within another.
            Object::Null(_) | Object::Stream(_) => self.text("null"),
        }
    }

    fn dict(&mut self, dict: &Dict<'_>) {
        let kind = dict.get::<Name<'_>>(b"Type".as_slice());
        let of_tree = kind.is_some_and(|kind| {
            let kind: &[u8] = kind.as_ref();
            matches!(kind, b"Page" | b"Pages" | b"Catalog")
        });
        if of_tree {
            // A page that hangs in no tree, or one that is told of where no page can be.
            self.text("null");
            return;
        }
        self.text("<<");
        self.entries(dict, |_| true);
        self.text(" >>");
    }

    fn entries(&mut self, dict: &Dict<'_>, wanted: impl Fn(&[u8]) -> bool) {
        for (key, value) in dict.entries() {
            let name: &[u8] = key.as_ref();
            if wanted(name) {
                self.text(" ");
                self.name(name);
                self.text(" ");
                self.value(&value);
            }
        }
    }

    fn array(&mut self, array: &Array<'_>) {
        self.text("[");
        for item in array.raw_iter() {
            self.text(" ");
            self.value(&item);
        }
        self.text(" ]");
    }

    fn stream(&mut self, stream: &Stream<'_>) {
        let data = stream.raw_data();
        self.text("<<");
        self.entries(stream.dict(), |key| key != b"Length");
        self.text(&format!(" /Length {} >>\nstream\n", data.len()));
        self.out.extend_from_slice(&data);
        self.text("\nendstream");
    }

    fn name(&mut self, name: &[u8]) {
        let mut text = String::from("/");
        for &byte in name {
            let plain = byte.is_ascii_graphic() && !b"#/%()<>[]{}".contains(&byte);
            if plain {
                text.push(char::from(byte));
            } else {
                let _fits = write!(text, "#{byte:02X}");
            }
        }
        self.text(&text);
    }

    fn string(&mut self, bytes: &[u8]) {
        let mut text = String::with_capacity(bytes.len() * 2 + 2);
        text.push('<');
        for byte in bytes {
            let _fits = write!(text, "{byte:02X}");
        }
        text.push('>');
        self.text(&text);
    }

    fn finish(&mut self) -> Vec<u8> {
        let table = self.out.len();
        let size = self.places.len();
        self.text(&format!("xref\n0 {size}\n0000000000 65535 f \n"));
        for place in self.places.clone().into_iter().skip(1) {
            match place {
                Some(place) => self.text(&format!("{place:010} 00000 n \n")),
                None => self.text("0000000000 65535 f \n"),
            }
        }
        self.text(&format!("trailer\n<< /Size {size} /Root {CATALOGUE} 0 R >>\nstartxref\n{table}\n%%EOF\n"));
        std::mem::take(&mut self.out)
    }
}

/// The nodes of the page tree above a page, nearest first.
fn above<'p>(page: &Page<'p>) -> Vec<Dict<'p>> {
    let mut nodes = Vec::new();
    let mut next = page.raw().get::<Dict<'p>>(b"Parent".as_slice());
    while let Some(node) = next.filter(|_| nodes.len() < DEPTH) {
        next = node.get::<Dict<'p>>(b"Parent".as_slice());
        nodes.push(node);
    }
    nodes
}

/// The notes and form fields of a page that are objects of their own.
fn notes<'p>(page: &Page<'p>) -> impl Iterator<Item = ObjectIdentifier> + use<'p> {
    let notes = page.raw().get::<Array<'p>>(b"Annots".as_slice());
    let all: Vec<MaybeRef<Object<'p>>> = notes.map(|notes| notes.raw_iter().collect()).unwrap_or_default();
    all.into_iter().filter_map(|note| note.as_obj_ref().map(ObjectIdentifier::from))
}
