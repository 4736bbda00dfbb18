//! The tree of an e-mail's parts, as places in its bytes: one pass over its lines, a stack of open multiparts and messages, no recursion
//! and no copies. It ends at the first level that is too deep and at the first part that is too many.
//!
//! A line ends a part where it is the boundary of any multipart that is open, not only of the innermost: a part whose own end is missing
//! costs nothing but itself.

use std::ops::Range;

use super::fields::Fields;
use super::mime::{Shape, Told};
use super::warning::{Refused, Warning};
use super::{Limits, transfer::Encoding};

/// One part: a multipart, a message, or a leaf with content.
#[derive(Debug)]
pub(super) struct Entity {
    /// The part around it.
    pub(super) parent: Option<usize>,
    /// The part that is the message around it; none for what belongs to the outermost.
    pub(super) owner: Option<usize>,
    /// Multiparts and messages around it.
    pub(super) level: usize,
    /// Messages around it.
    pub(super) depth: usize,
    pub(super) headers: Range<usize>,
    pub(super) body: Range<usize>,
    pub(super) told: Told,
    pub(super) shape: Shape,
}

/// All parts, each after the one around it. The first is the message itself.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) entities: Vec<Entity>,
    pub(super) too_many: bool,
    pub(super) warnings: Vec<Warning>,
}

/// A multipart or message whose end has not come.
struct Open {
    entity: usize,
    /// None for a message, which ends with what is around it.
    boundary: Option<Vec<u8>>,
}

enum At {
    /// In the header fields of a part.
    Headers(usize),
    /// In the content of a leaf.
    Leaf(usize),
    /// Before the first and after the last boundary of a multipart.
    Between,
}

struct Walk<'a> {
    raw: &'a [u8],
    limits: &'a Limits,
    above: usize,
    tree: Tree,
    open: Vec<Open>,
    at: At,
}

/// Walks through a message that lies below so many levels.
pub(super) fn walk(raw: &[u8], limits: &Limits, above: usize) -> Result<Tree, Refused> {
    let tree = Tree { entities: Vec::new(), too_many: false, warnings: Vec::new() };
    let mut walk = Walk { raw, limits, above, tree, open: Vec::new(), at: At::Between };
    walk.begin(0, None);
    let mut start = 0;
    while start < raw.len() && !walk.tree.too_many {
        let next = memchr::memchr(b'\n', &raw[start..]).map_or(raw.len(), |at| start + at + 1);
        walk.line(start, next)?;
        start = next;
    }
    walk.end()?;
    Ok(walk.tree)
}

impl Walk<'_> {
    fn begin(&mut self, at: usize, parent: Option<usize>) {
        let entities = &mut self.tree.entities;
        if entities.len() >= self.limits.parts {
            self.tree.too_many = true;
            return;
        }
        let around = parent.map(|parent| &entities[parent]);
        let in_message = around.is_some_and(|it| it.shape == Shape::Message);
        let entity = Entity {
            parent,
            owner: if in_message { parent } else { around.and_then(|it| it.owner) },
            level: self.above + self.open.len(),
            depth: around.map_or(0, |it| it.depth) + usize::from(in_message),
            headers: at..at,
            body: at..at,
            told: Told::default(),
            shape: Shape::Leaf,
        };
        self.at = At::Headers(entities.len());
        entities.push(entity);
    }

    fn line(&mut self, start: usize, next: usize) -> Result<(), Refused> {
        let line = self.raw[start..next].trim_ascii_end();
        if let Some((which, last)) = self.boundary(line) {
            let stop = before_line_end(self.raw, start);
            if let At::Headers(entity) = self.at {
                self.headers_end(entity, start, start, false)?;
            }
            self.close_leaf(stop);
            for inner in self.open.drain(which + 1..) {
                set_end(&mut self.tree.entities[inner.entity], stop);
            }
            let around = self.open[which].entity;
            if last {
                set_end(&mut self.tree.entities[around], next);
                self.open.truncate(which);
                self.at = At::Between;
            } else {
                self.begin(next, Some(around));
            }
            return Ok(());
        }
        if let At::Headers(entity) = self.at
            && matches!(&self.raw[start..next], b"\n" | b"\r\n")
        {
            let headers = &mut self.tree.entities[entity].headers;
            if entity == 0 && headers.start == start {
                // Some programs put empty lines before the first field.
                *headers = next..next;
            } else {
                self.headers_end(entity, start, next, true)?;
            }
        }
        Ok(())
    }

    /// The open multipart whose boundary a line is, and whether it is the last one.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let rest = line.strip_prefix(b"--")?;
        self.open.iter().enumerate().rev().find_map(|(which, open)| {
            match rest.strip_prefix(open.boundary.as_deref()?)? {
                b"" => Some((which, false)),
                b"--" => Some((which, true)),
                _ => None,
            }
        })
    }

    /// The header fields of a part are through: what it is decides where its content goes.
    fn headers_end(&mut self, entity: usize, end: usize, body: usize, goes_on: bool) -> Result<(), Refused> {
        let digest = self.tree.entities[entity]
            .parent
            .is_some_and(|parent| self.tree.entities[parent].told.is("multipart", "digest"));
        let it = &mut self.tree.entities[entity];
        it.headers.end = end;
        it.body = body..body;
        let in_message = it.owner.is_some() && it.owner == it.parent;
        let most = match it.parent {
            None => self.limits.headers,
            Some(_) if in_message => self.limits.part_headers.saturating_mul(4),
            Some(_) => self.limits.part_headers,
        };
        let mut block = &self.raw[it.headers.clone()];
        if block.len() > most {
            self.tree.warnings.push(Warning::HeadersCut);
            block = &block[..most];
        }
        it.told = Told::read(&Fields::read(block), digest);
        self.at = At::Leaf(entity);
        if it.told.shape == Shape::Multipart && it.told.boundary.is_none() {
            self.tree.warnings.push(Warning::NoBoundary);
        }
        let boundary = it.told.boundary.clone().map(String::into_bytes);
        match it.told.shape {
            Shape::Multipart if boundary.is_some() && goes_on => self.descend(entity, boundary),
            Shape::Message if it.told.encoding == Encoding::Plain && goes_on => {
                self.descend(entity, None)?;
                self.begin(body, Some(entity));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn descend(&mut self, entity: usize, boundary: Option<Vec<u8>>) -> Result<(), Refused> {
        self.tree.entities[entity].shape = self.tree.entities[entity].told.shape;
        self.open.push(Open { entity, boundary });
        self.at = At::Between;
        if self.above + self.open.len() > self.limits.levels {
            return Err(Refused::TooDeep(self.limits.levels));
        }
        Ok(())
    }

    fn close_leaf(&mut self, stop: usize) {
        if let At::Leaf(entity) = self.at {
            set_end(&mut self.tree.entities[entity], stop);
        }
        self.at = At::Between;
    }

    fn end(&mut self) -> Result<(), Refused> {
        let end = self.raw.len();
        if let At::Headers(entity) = self.at {
            self.headers_end(entity, end, end, false)?;
        }
        self.close_leaf(end);
        if self.open.iter().any(|open| open.boundary.is_some()) {
            self.tree.warnings.push(Warning::CutOff);
        }
        for open in self.open.drain(..) {
            set_end(&mut self.tree.entities[open.entity], end);
        }
        // A multipart without a part: what it says between its boundaries that are not there is all that there is.
        let mut has_parts = vec![false; self.tree.entities.len()];
        for parent in self.tree.entities.iter().filter_map(|it| it.parent) {
            has_parts[parent] = true;
        }
        for (it, has_parts) in self.tree.entities.iter_mut().zip(has_parts) {
            if it.shape == Shape::Multipart && !has_parts && !self.tree.too_many {
                it.shape = Shape::Leaf;
                self.tree.warnings.push(Warning::NoBoundary);
            }
        }
        Ok(())
    }
}

fn set_end(entity: &mut Entity, stop: usize) {
    entity.body.end = stop.max(entity.body.start);
}

/// The line end before a boundary belongs to the boundary (RFC 2046, section 5.1.1).
fn before_line_end(raw: &[u8], start: usize) -> usize {
    let before = raw[..start].strip_suffix(b"\n").unwrap_or(&raw[..start]);
    before.strip_suffix(b"\r").unwrap_or(before).len()
}
