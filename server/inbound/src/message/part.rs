//! One thing that a message carries.

use std::ops::Range;

use postroom_domain::mail::Carried;

/// Where the bytes of a part are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In the raw message, as they stand there.
    Raw(Range<usize>),
    /// Decoded.
    Bytes(Vec<u8>),
}

impl Content {
    /// The bytes themselves, out of the raw message that was read.
    pub fn of<'a>(&'a self, raw: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Raw(range) => raw.get(range.clone()).unwrap_or_default(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// A part: an attachment, a picture in the text, a message inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file name as it came, decoded and otherwise untouched; empty where there is none. Making a safe name of it is not done here.
    pub name: String,
    /// What to call it: its name, or one made of the subject, a number and the type.
    pub title: String,
    /// Other names under which the same content came.
    pub also: Vec<String>,
    /// The media type that it says it has.
    pub told: String,
    /// The media type that its content shows for certain.
    pub found: Option<String>,
    /// Its bytes.
    pub content: Content,
    /// How many they are.
    pub size: u64,
    /// Belongs to the text and is no document of its own: a small picture that the HTML shows, a detached signature, the report for
    /// machines in a bounce. It is listed all the same, so that whoever sees it otherwise can say so.
    pub inline: bool,
    /// How many messages it lies in, besides the one that was read.
    pub depth: usize,
    /// The part in which it lies (a message, a `winmail.dat`), by its place in the list.
    pub inside: Option<usize>,
    /// Its Content-ID, without brackets.
    pub content_id: Option<String>,
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
}

impl Part {
    /// The media type to go by.
    pub fn media_type(&self) -> &str {
        self.found.as_deref().unwrap_or(&self.told)
    }

    /// As far as deciding goes.
    pub fn carried(&self) -> Carried {
        Carried {
            name: self.name.clone(),
            media_type: self.media_type().to_owned(),
            size: self.size,
            inline: self.inline,
        }
    }
}
