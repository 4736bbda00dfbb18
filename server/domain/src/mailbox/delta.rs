//! The same for a mailbox whose server hands out links instead of numbers (Microsoft Graph).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Cursor;
use crate::ids::{CursorId, SourceName};
use crate::mailroom::hashed;
use crate::record::{Kept, Kind};

/// A message that was passed without taking it: it is tried again and again, and nobody else waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// What the server knows it by.
    pub item: String,
    /// Why it was not taken, in words.
    pub why: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it came into the mailbox, where the server says.
    pub arrived: Option<Timestamp>,
}

/// How far a folder has been read. The link moves only when everything before it is taken, gone, or [left](Self::left).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Its id.
    pub id: CursorId,
    /// The source that the mailbox is.
    pub source: SourceName,
    /// The folder, as the settings name it.
    pub folder: String,
    /// What the server knows the folder by: another one is another folder under the same name.
    pub place: String,
    /// Where reading goes on, as the server gave it; empty at the beginning.
    pub link: String,
    /// When the folder was last read from its beginning.
    pub begun: Timestamp,
    /// Messages that are there and were not taken; at most [`Cursor::MOST_SKIPPED`].
    pub left: Vec<Left>,
    /// Grows by one with every change; 0 before it was ever written.
    #[serde(skip)]
    pub version: u64,
}

impl Delta {
    /// At the beginning of a folder.
    pub fn new(id: CursorId, source: SourceName, folder: &str, place: &str, now: Timestamp) -> Self {
        Self {
            id,
            source,
            folder: folder.to_owned(),
            place: place.to_owned(),
            link: String::new(),
            begun: now,
            left: Vec::new(),
            version: 0,
        }
    }

    /// The unique key of a folder's.
    pub fn key(source: &SourceName, folder: &str) -> String {
        format!("graph/{source}/{}", hashed(folder))
    }

    /// Goes back to the beginning. What was taken is recognised by what the server knows it by; what was left is met again.
    pub fn restart(&mut self, place: &str, now: Timestamp) {
        place.clone_into(&mut self.place);
        self.link.clear();
        self.begun = now;
        self.left.clear();
    }

    /// A message that was left.
    pub fn left(&self, item: &str) -> Option<&Left> {
        self.left.iter().find(|left| left.item == item)
    }

    /// Counts a message as known: taken, or gone. True when it had been left.
    pub fn pass(&mut self, item: &str) -> bool {
        let before = self.left.len();
        self.left.retain(|left| left.item != item);
        self.left.len() < before
    }

    /// Leaves a message that could not be taken, as one that was tried at least so often; false when too many are left already.
    pub fn leave(&mut self, item: &str, arrived: Option<Timestamp>, why: &str, tries: u32) -> bool {
        if let Some(known) = self.left.iter_mut().find(|left| left.item == item) {
            known.tries = known.tries.saturating_add(1).max(tries);
            why.clone_into(&mut known.why);
            return true;
        }
        if self.left.len() >= Cursor::MOST_SKIPPED {
            return false;
        }
        self.left.push(Left { item: item.to_owned(), why: why.to_owned(), tries, arrived });
        true
    }
}

impl Kept for Delta {
    const KIND: Kind = Kind::Delta;
    fn number(&self) -> u128 {
        self.id.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        vec![Self::key(&self.source, &self.folder)]
    }
    fn groups(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta() -> Delta {
        let source = "post".parse().unwrap();
        Delta::new(CursorId::from_u128(1), source, "Übergabe/Ein", "AQMk=", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn nothing_is_left_silently() {
        let mut delta = delta();
        assert!(delta.leave("AAk1", None, "no answer", 1));
        assert!(delta.leave("AAk1", None, "no answer again", 1));
        // Ids that differ only in case are two.
        assert!(delta.leave("aak1", None, "too large", 3) && !delta.pass("AAK1"));
        assert_eq!(delta.left("AAk1").map(|it| (it.tries, it.why.as_str())), Some((2, "no answer again")));
        assert!(delta.pass("AAk1") && !delta.pass("AAk1"));
        assert_eq!(delta.left.len(), 1);
        for number in 1..Cursor::MOST_SKIPPED {
            assert!(delta.leave(&number.to_string(), None, "too large", 3));
        }
        assert!(!delta.leave("one more", None, "too large", 3));
        delta.link = "https://graph.example/delta".to_owned();
        delta.restart("AQMl=", Timestamp::UNIX_EPOCH);
        assert_eq!((delta.link.as_str(), delta.place.as_str(), delta.left.len()), ("", "AQMl=", 0));
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let delta = Delta { version: 3, link: "https://graph.example/a?b".to_owned(), ..delta() };
        let crate::record::Write::Put(record) = delta.put().unwrap() else { panic!("not a put") };
        assert_eq!(Delta::read(&record).unwrap(), delta);
        assert_eq!(record.keys, [Delta::key(&delta.source, &delta.folder)]);
    }
}
