//! Where the parts of a message are laid as they are found: counted, weighed, each content once.

use std::collections::HashMap;

use postroom_domain::mail::Mail;

use super::Message;
use super::limits::Limits;
use super::names;
use super::part::{Content, Part};
use super::warning::{NotExpanded, Warning};

/// Warnings that somebody reads.
const MOST_WARNINGS: usize = 200;

/// A part as it is found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// As it came.
    pub(super) name: Option<String>,
    /// What to call it where it came without a name: the subject of a message inside.
    pub(super) called: Option<String>,
    pub(super) told: String,
    pub(super) inline: bool,
    pub(super) depth: usize,
    pub(super) inside: Option<usize>,
    pub(super) content_id: Option<String>,
}

/// The parts so far.
pub(super) struct Tray<'a> {
    pub(super) limits: &'a Limits,
    pub(super) warnings: Vec<Warning>,
    /// What made-up names begin with.
    pub(super) subject: String,
    parts: Vec<Part>,
    by_hash: HashMap<[u8; 32], usize>,
    /// Parts that were found, the same content each time it was.
    seen: usize,
    left: usize,
    over: Option<NotExpanded>,
}

impl<'a> Tray<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            warnings: Vec::new(),
            subject: String::new(),
            parts: Vec::new(),
            by_hash: HashMap::new(),
            seen: 0,
            left: limits.decoded,
            over: None,
        }
    }

    /// Whether no more is looked at.
    pub(super) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    pub(super) fn too_many(&mut self) {
        self.over = self.over.or(Some(NotExpanded::TooManyParts(self.limits.parts)));
    }

    /// Takes bytes that come out of something from what is left; false where that is not enough.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.over = self.over.or(Some(NotExpanded::TooLarge(self.limits.decoded))),
        }
        !self.is_over()
    }

    /// Lays a part down and says where it lies; where the same content lies already, there. `bytes` are those of `content`.
    pub(super) fn add(&mut self, found: Found, bytes: &[u8], content: Content) -> Option<Laid> {
        self.seen += 1;
        if self.seen > self.limits.parts {
            self.too_many();
        }
        if self.is_over() {
            return None;
        }
        let hash = *blake3::hash(bytes).as_bytes();
        let name = found.name.unwrap_or_default();
        // What is empty has nothing in common with other empty things.
        if let Some(at) = self.by_hash.get(&hash).copied().filter(|_| !bytes.is_empty()) {
            self.again(at, name, found.inline, found.depth);
            return Some(Laid { at, new: false });
        }
        let by_content = names::found_type(bytes);
        let extension = by_content.map_or_else(|| names::extension(&found.told), |it| it.1);
        let title = if name.trim().is_empty() {
            (found.called).unwrap_or_else(|| names::made(&self.subject, self.parts.len() + 1, extension))
        } else {
            name.clone()
        };
        if let Some((media_type, _)) = by_content.filter(|it| names::misleads(&name, it.0)) {
            self.warnings.push(Warning::OtherType { name: name.clone(), found: media_type.to_owned() });
        }
        let at = self.parts.len();
        self.by_hash.insert(hash, at);
        self.parts.push(Part {
            name,
            title,
            also: Vec::new(),
            told: found.told,
            found: by_content.map(|it| it.0.to_owned()),
            size: bytes.len() as u64,
            content,
            inline: found.inline,
            depth: found.depth,
            inside: found.inside,
            content_id: found.content_id,
            hash,
        });
        Some(Laid { at, new: true })
    }

    /// The same content once more: an attachment where it is one anywhere, and outermost where it is that.
    fn again(&mut self, at: usize, name: String, inline: bool, depth: usize) {
        let kept = &mut self.parts[at];
        kept.inline &= inline;
        if depth < kept.depth {
            kept.depth = depth;
            kept.inside = None;
        }
        let note = Warning::SameTwice { name: name.clone(), kept: kept.title.clone() };
        if kept.name.is_empty() && !name.is_empty() {
            kept.title.clone_from(&name);
            kept.name = name;
        } else if !name.is_empty() && name != kept.name && !kept.also.contains(&name) {
            kept.also.push(name);
        }
        self.warnings.push(note);
    }

    /// Says that what lies in a part stays in there.
    pub(super) fn left_inside(&mut self, at: usize) {
        let warning = Warning::LeftInside(self.title(at));
        self.warnings.push(warning);
    }

    pub(super) fn title(&self, at: usize) -> String {
        self.parts.get(at).map(|part| part.title.clone()).unwrap_or_default()
    }

    /// The message with all that was found.
    pub(super) fn message(self, mut mail: Mail) -> Message {
        let parts = if self.is_over() { Vec::new() } else { self.parts };
        mail.carried = parts.iter().filter(|part| part.depth == 0).map(Part::carried).collect();
        let mut warnings = self.warnings;
        warnings.truncate(MOST_WARNINGS);
        Message { mail, parts, warnings, not_expanded: self.over }
    }
}

/// Where a part lies, and whether it is new there: what is in it is looked at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Laid {
    pub(super) at: usize,
    pub(super) new: bool,
}
