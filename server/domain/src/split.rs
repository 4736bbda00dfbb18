//! Which documents of an e-mail become filings, and under which names. The untouched message always does; what it carries by the firm's
//! rules. What is not filed apart is named with its reason: it is still in the message.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::ids::BlobHash;
use crate::mail::{Carried, Mail, Protection};
use crate::mistake::Mistake;

mod names;
mod settings;

pub use settings::{Attachments, Messages, SplitSettings};

use names::Names;

/// A message with more parts is filed whole.
pub const MOST_PARTS: usize = 1000;

/// A part of a message, as it lies in the spool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What is known of it.
    #[serde(flatten)]
    pub carried: Carried,
    /// Its content.
    pub hash: BlobHash,
    /// Whether it is a message itself (`message/rfc822`).
    #[serde(default)]
    pub message: bool,
    /// The number of the message among the parts that carries it; none for the outermost one. It stands before its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<usize>,
}

/// A message as it lies in the spool.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// What is known of it.
    pub mail: &'a Mail,
    /// Its bytes as they came.
    pub hash: BlobHash,
    /// How many.
    pub size: u64,
    /// When it arrived: its own date is a stranger's word.
    pub received: Timestamp,
    /// What it carries, messages within it included.
    pub parts: &'a [Part],
}

/// Where a document comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The message itself.
    Whole,
    /// The part with that number.
    Part(usize),
}

/// A document to be filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Where it comes from.
    pub origin: Origin,
    /// The name it is filed under. A name that came with it stays as it is; a connector makes it one that its DMS takes.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub hash: BlobHash,
    /// Bytes.
    pub size: u64,
    /// Other names under which the message carries the same content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// A part that is not filed apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Its number.
    pub part: usize,
    /// Its name; empty where it has none.
    pub name: String,
    /// In plain words.
    pub why: String,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The message first, then its parts in order.
    pub pieces: Vec<Piece>,
    /// What is not filed apart.
    pub left: Vec<Left>,
    /// One line per document.
    pub trace: Vec<String>,
}

/// The rules in force.
#[derive(Debug, Clone)]
pub struct Rules(SplitSettings);

impl Rules {
    /// The rules that settings describe, or what is wrong with them. The keys are told below `split`.
    pub fn new(settings: SplitSettings) -> Result<Self, Vec<Mistake>> {
        let mistakes = settings.check("split");
        if mistakes.is_empty() { Ok(Self(settings)) } else { Err(mistakes) }
    }

    /// Splits a message. Dates in names are those of `zone`.
    pub fn split(&self, whole: Whole<'_>, zone: &TimeZone) -> Split {
        self.split_with(whole, &[], zone)
    }

    /// The same where a person asked for some parts, by their numbers: these are documents of their own whatever the firm's rules say,
    /// as far as they can be taken out at all.
    pub fn split_with(&self, whole: Whole<'_>, asked_for: &[usize], zone: &TimeZone) -> Split {
        let mut names = Names::default();
        let own = names::of_message(&self.0.name, whole.mail, whole.received, zone);
        let mut pieces = vec![Piece {
            origin: Origin::Whole,
            file_name: names.free(own),
            media_type: "message/rfc822".to_owned(),
            hash: whole.hash,
            size: whole.size,
            also: Vec::new(),
        }];
        let mut left: Vec<Left> = Vec::new();
        let mut filed: Vec<bool> = Vec::with_capacity(whole.parts.len());
        for (number, part) in whole.parts.iter().enumerate() {
            let why = match closed(whole, number) {
                None if asked_for.contains(&number) => None,
                None => self.why_not(whole, number, &filed),
                closed => closed,
            };
            filed.push(why.is_none());
            if let Some(why) = why {
                left.push(Left { part: number, name: part.carried.name.clone(), why });
            } else if let Some(same) = pieces.iter_mut().find(|piece| piece.hash == part.hash) {
                // Once is enough; that it came twice is told.
                same.also.push(part.carried.name.clone());
                let why = format!("has the same content as {}", same.file_name);
                left.push(Left { part: number, name: part.carried.name.clone(), why });
            } else {
                let name = names::of_part(part, number, whole.mail);
                pieces.push(Piece {
                    origin: Origin::Part(number),
                    file_name: names.free(name),
                    media_type: part.carried.media_type.clone(),
                    hash: part.hash,
                    size: part.carried.size,
                    also: Vec::new(),
                });
            }
        }
        let told = pieces
            .iter()
            .map(|piece| format!("{} is a document of its own ({} bytes)", piece.file_name, piece.size));
        let not = left
            .iter()
            .map(|it| format!("part {} {:?} is not filed apart: it {}", it.part + 1, it.name, it.why));
        let trace = told.chain(not).collect();
        Split { pieces, left, trace }
    }

    /// Why a part is not filed apart by the rules; none when it is. `filed` says it of those before it.
    fn why_not(&self, whole: Whole<'_>, number: usize, filed: &[bool]) -> Option<String> {
        let part = &whole.parts[number];
        let Carried { media_type, .. } = &part.carried;
        let settings = &self.0;
        let why = if is_signature(media_type) {
            "is a signature, which says nothing without its message".to_owned()
        } else if let Some(carrier) = part.within {
            // A message within is in front of its parts; anything else is a mistake of whoever read it.
            if carrier >= number || !whole.parts[carrier].message {
                "lies in a message that cannot be made out".to_owned()
            } else if settings.messages != Messages::Expand {
                "lies in a message within this one, which is not taken apart".to_owned()
            } else if !filed[carrier] {
                "lies in a message that is not filed".to_owned()
            } else if depth(whole.parts, number) > settings.deepest {
                format!("lies deeper than {} messages", settings.deepest)
            } else {
                return self.by_kind(part);
            }
        } else {
            return self.by_kind(part);
        };
        Some(why)
    }

    /// By what it is, how large, and what the firm wants.
    fn by_kind(&self, part: &Part) -> Option<String> {
        let Carried { media_type, size, inline, .. } = &part.carried;
        let settings = &self.0;
        if *inline && !settings.inline && media_type.starts_with("image/") {
            return Some("is shown inside the text, as logos are".to_owned());
        }
        if part.message {
            let stays = settings.messages == Messages::Leave;
            return stays.then(|| "is a message, and messages within stay in it by the rules".to_owned());
        }
        if settings.attachments == Attachments::None {
            return Some("stays in the message by the rules".to_owned());
        }
        if let Some(kind) = settings.except.iter().find(|kind| settings::is_kind(kind, &part.carried)) {
            return Some(format!("is of the kind {kind}, which the rules leave out"));
        }
        if !settings.only.is_empty()
            && !settings.only.iter().any(|kind| settings::is_kind(kind, &part.carried))
        {
            return Some(format!("is none of the kinds {}", settings.only.join(", ")));
        }
        if *size < settings.smallest {
            return Some(format!("has {size} bytes, and less than {} are not filed", settings.smallest));
        }
        let too_large = settings.largest.filter(|largest| size > largest)?;
        Some(format!("has {size} bytes, and more than {too_large} are not filed"))
    }
}

/// Why a part cannot be taken out, whoever asks for it.
fn closed(whole: Whole<'_>, number: usize) -> Option<String> {
    if whole.parts.len() > MOST_PARTS {
        let why =
            format!("is one of {} parts, and more than {MOST_PARTS} are not taken apart", whole.parts.len());
        return Some(why);
    }
    if matches!(whole.mail.protection, Protection::Encrypted | Protection::SignedWrapped) {
        return Some("is the wrapper of a message that is filed closed".to_owned());
    }
    let empty = whole.parts.get(number).is_some_and(|part| part.carried.size == 0);
    empty.then(|| "is empty".to_owned())
}

fn is_signature(media_type: &str) -> bool {
    ["application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"]
        .iter()
        .any(|it| it.eq_ignore_ascii_case(media_type))
}

/// How many messages a part lies in, the outermost not counted.
fn depth(parts: &[Part], number: usize) -> u32 {
    let mut depth = 0;
    let mut at = number;
    while let Some(carrier) = parts[at].within.filter(|carrier| *carrier < at) {
        depth += 1;
        at = carrier;
    }
    depth
}

#[cfg(test)]
mod tests;
