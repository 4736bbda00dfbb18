//! The room where letters are opened: what was read from one is held against what is known, and it is filed, or a person is asked.
//!
//! The order is the one that loses nothing: the bytes of each part are in the spool before any row names them; the filings, the ledger's
//! entry and the letter's new state are one transaction; whoever is cut off in between leaves a letter that is still unread.

mod batches;
mod chosen;
mod entry;
mod habits;
mod knowledge;
mod letters;
mod reading;
mod register;
mod replay;
mod told;

use std::sync::Arc;

use jiff::tz::TimeZone;

pub use self::batches::{ReadBatch, ReadSection};
pub use self::entry::Entry;
pub use self::habits::Learned;
pub use self::letters::Noted;
pub use self::reading::{Opened, ReadLetter, Sealed, Unread};
pub use self::replay::{Exhibit, ReadsLetters, Replayed};
pub use self::told::Told;
use crate::luggage::Luggage;
use crate::matching;
use crate::reception::Reception;
use crate::split;

/// The mail room.
pub struct Mailroom {
    /// Where filings are planned and intakes are changed.
    pub reception: Arc<Reception>,
    /// Makes and reads luggage tags.
    pub luggage: Luggage,
    /// Which work item a letter belongs to; none where no mailbox is read.
    pub matching: Option<matching::Rules>,
    /// Which documents of a letter become filings.
    pub split: split::Rules,
    /// The time zone of dates in names.
    pub zone: TimeZone,
}

/// A text of any length as part of a key of a record.
pub(crate) fn hashed(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}
