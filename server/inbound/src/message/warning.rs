//! What is said of a message that is not as it should be, in words for the person who sees it.

use std::fmt;

/// Why a message cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
    /// More levels than are opened. No honest message comes near; it waits for a person.
    #[error("it was not opened: more than {0} messages lie within each other in it")]
    TooDeep(usize),
    /// It is no message that can be read. As a file it can still be filed.
    #[error("it cannot be read as a message: {0}")]
    Unreadable(String),
}

impl Refused {
    /// Whether it can be filed as the file that it is, with nothing known of it.
    pub fn as_file(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}

/// Why the parts of a message are not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotExpanded {
    /// More parts than this.
    TooManyParts(usize),
    /// More bytes than this come out of its encodings.
    TooLarge(usize),
}

impl fmt::Display for NotExpanded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyParts(limit) => write!(f, "it has more than {limit} parts"),
            Self::TooLarge(limit) => write!(f, "more than {limit} bytes come out of its parts"),
        }
    }
}

/// What was odd about a message that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// It has no header fields that could be read.
    NoHeaders,
    /// A block of header fields was longer than is read.
    HeadersCut,
    /// No sender could be read.
    NoSender,
    /// There is a date, but it cannot be one.
    OddDate(String),
    /// A field that may stand once stands there again; the first counts.
    Again(&'static str),
    /// A multipart names no boundary, or one that does not occur; it is read as text.
    NoBoundary,
    /// The last boundary of a multipart is missing: the message may have been cut off.
    CutOff,
    /// The encoding of a part is broken; what could be decoded was.
    BrokenEncoding(String),
    /// A character set that nobody knows; the text is a guess.
    UnknownCharset(String),
    /// The text was cut for searching.
    TextCut,
    /// The same content under another name: listed once.
    SameTwice {
        /// The name under which it is not listed again.
        name: String,
        /// The name under which it is.
        kept: String,
    },
    /// The name says one thing, the content another.
    OtherType {
        /// The name.
        name: String,
        /// What it is by its content.
        found: String,
    },
    /// What lies in a part stays in there, for it lies too deep.
    LeftInside(String),
    /// A part is a container that cannot be opened; it is listed as it is.
    Closed {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
    /// Something of a container could be read, and the rest of it not.
    Damaged(&'static str),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeaders => f.write_str("it has no header fields"),
            Self::HeadersCut => f.write_str("its header fields are too long, and not all of them were read"),
            Self::NoSender => f.write_str("it names no sender"),
            Self::OddDate(text) => write!(f, "its date cannot be one: {text}"),
            Self::Again(field) => write!(f, "it has the field {field} more than once; the first counts"),
            Self::NoBoundary => f.write_str("it says that it has parts, but they cannot be told apart"),
            Self::CutOff => f.write_str("its end is missing"),
            Self::BrokenEncoding(name) => write!(f, "the encoding of {name:?} is damaged"),
            Self::UnknownCharset(label) => write!(f, "its character set {label:?} is not known"),
            Self::TextCut => f.write_str("its text is too long to be searched in full"),
            Self::SameTwice { name, kept } => {
                write!(f, "{name:?} has the same content as {kept:?} and is listed once")
            }
            Self::OtherType { name, found } => write!(f, "{name:?} is {found} by its content"),
            Self::LeftInside(name) => write!(f, "what lies in {name:?} lies too deep and stays in there"),
            Self::Closed { name, why } => write!(f, "{name:?} cannot be opened: {why}"),
            Self::Damaged(what) => write!(f, "{what} is damaged; what could be read was"),
        }
    }
}
