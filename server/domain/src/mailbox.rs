//! How far a mailbox elsewhere has been read, and which of its messages still wait for the end of their filings.
//!
//! Both are written in the transaction of the intake that they speak of, so that no crash can make them say something else than what was
//! taken: what the [`Cursor`] has passed is here, and what is here and not through is [`Fetched`]. Where a server hands out links and ids
//! instead of numbers, the [`Delta`] moves behind its messages, each of which is known by its id for good.

mod delta;
mod notice;
mod post;

use serde::{Deserialize, Serialize};

pub use self::delta::{Delta, Left};
pub use self::notice::{MailNotice, NoticeKind};
pub use self::post::{FetchError, FetchesLetters, LetterAt};
use crate::ids::{CursorId, IntakeId, SourceName};
use crate::mailroom::hashed;
use crate::record::{Kept, Kind};

/// A message that the cursor has passed without taking it: it is tried again and again, and nobody else waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its number in the folder.
    pub uid: u32,
    /// Why it was not taken, in words.
    pub why: String,
    /// How often it was tried.
    pub tries: u32,
}

/// How far a folder has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Its id.
    pub id: CursorId,
    /// The source that the mailbox is.
    pub source: SourceName,
    /// The folder.
    pub folder: String,
    /// Numbers mean what they mean only under this one (UIDVALIDITY): another one is another folder under the same name.
    pub validity: u32,
    /// All numbers up to this one are known: taken, gone, or [skipped](Self::skipped).
    pub highest: u32,
    /// Those of them that are there and were not taken; at most [`Self::MOST_SKIPPED`].
    pub skipped: Vec<Skipped>,
    /// Grows by one with every change; 0 before it was ever written.
    #[serde(skip)]
    pub version: u64,
}

impl Cursor {
    /// So many messages are passed untaken; with more of them the folder waits for a person.
    pub const MOST_SKIPPED: usize = 200;

    /// At the beginning of a folder.
    pub fn new(id: CursorId, source: SourceName, folder: &str, validity: u32) -> Self {
        Self { id, source, folder: folder.to_owned(), validity, highest: 0, skipped: Vec::new(), version: 0 }
    }

    /// The unique key of the cursor of a folder.
    pub fn key(source: &SourceName, folder: &str) -> String {
        format!("imap/{source}/{}", hashed(folder))
    }

    /// Goes back to the beginning, under another validity: the numbers of before mean nothing any more.
    pub fn restart(&mut self, validity: u32) {
        self.validity = validity;
        self.highest = 0;
        self.skipped.clear();
    }

    /// Counts a message as known and no longer skipped.
    pub fn pass(&mut self, uid: u32) {
        self.highest = self.highest.max(uid);
        self.skipped.retain(|skipped| skipped.uid != uid);
    }

    /// Passes a message that could not be taken, as one that was tried at least so often; false when there are too many of them already.
    pub fn skip(&mut self, uid: u32, why: &str, tries: u32) -> bool {
        if let Some(known) = self.skipped.iter_mut().find(|skipped| skipped.uid == uid) {
            known.tries = known.tries.saturating_add(1).max(tries);
            why.clone_into(&mut known.why);
            return true;
        }
        if self.skipped.len() >= Self::MOST_SKIPPED {
            return false;
        }
        self.skipped.push(Skipped { uid, why: why.to_owned(), tries });
        self.highest = self.highest.max(uid);
        true
    }
}

impl Kept for Cursor {
    const KIND: Kind = Kind::Cursor;
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

/// A message that was taken and lies in its mailbox until its intake is through; one with an id is remembered afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// What it has become.
    pub intake: IntakeId,
    /// The source that the mailbox is.
    pub source: SourceName,
    /// The folder it was taken from.
    pub folder: String,
    /// The folder's validity then; 0 where messages have ids.
    pub validity: u32,
    /// Its number there; 0 where messages have ids.
    pub uid: u32,
    /// Its id, where the server gives one that stays the same wherever in the mailbox it goes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub item: String,
    /// Whether everything was done with it. Only what has an id is kept for so long: whatever is listed again is known by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
    /// Grows by one with every change.
    #[serde(skip)]
    pub version: u64,
}

impl Fetched {
    /// A message that has a number, as an intake.
    pub fn numbered(intake: IntakeId, source: SourceName, folder: &str, validity: u32, uid: u32) -> Self {
        let (folder, item) = (folder.to_owned(), String::new());
        Self { intake, source, folder, validity, uid, item, done: false, version: 1 }
    }

    /// A message that has an id, as an intake.
    pub fn identified(intake: IntakeId, source: SourceName, folder: &str, item: &str) -> Self {
        let (folder, item) = (folder.to_owned(), item.to_owned());
        Self { intake, source, folder, validity: 0, uid: 0, item, done: false, version: 1 }
    }

    /// The group of all numbered ones that are under way from a source.
    pub fn of(source: &SourceName) -> String {
        format!("imap/{source}")
    }

    /// The group of all identified ones that are under way from a source.
    pub fn identified_of(source: &SourceName) -> String {
        format!("graph/{source}")
    }

    /// The unique key of one that has an id. Ids that differ only in case are different ones.
    pub fn key(source: &SourceName, item: &str) -> String {
        format!("graph/{source}/{}", hashed(item))
    }
}

impl Kept for Fetched {
    const KIND: Kind = Kind::Fetched;
    fn number(&self) -> u128 {
        self.intake.as_u128()
    }
    fn version(&self) -> u64 {
        self.version
    }
    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
    fn keys(&self) -> Vec<String> {
        if self.item.is_empty() { Vec::new() } else { vec![Self::key(&self.source, &self.item)] }
    }
    fn groups(&self) -> Vec<String> {
        match (self.item.is_empty(), self.done) {
            (true, _) => vec![Self::of(&self.source)],
            (false, false) => vec![Self::identified_of(&self.source)],
            (false, true) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor::new(CursorId::from_u128(1), "post".parse().unwrap(), "Übergabe / Ein", 7)
    }

    #[test]
    fn a_cursor_passes_nothing_silently() {
        let mut cursor = cursor();
        cursor.pass(3);
        assert!(cursor.skip(4, "no answer", 1));
        cursor.pass(5);
        assert!(cursor.skip(4, "no answer again", 1));
        assert_eq!(cursor.highest, 5);
        assert_eq!(cursor.skipped, [Skipped { uid: 4, why: "no answer again".to_owned(), tries: 2 }]);
        cursor.pass(4);
        assert_eq!((cursor.highest, cursor.skipped.len()), (5, 0));
        for uid in 6..6 + 200 {
            assert!(cursor.skip(uid, "too large", 3));
        }
        // No room for one more: it is not passed.
        assert!(!cursor.skip(300, "too large", 3));
        assert_eq!(cursor.highest, 205);
        cursor.restart(8);
        assert_eq!((cursor.validity, cursor.highest, cursor.skipped.len()), (8, 0, 0));
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let cursor = Cursor { version: 3, highest: u32::MAX, ..cursor() };
        let crate::record::Write::Put(record) = cursor.put().unwrap() else { panic!("not a put") };
        assert_eq!(Cursor::read(&record).unwrap(), cursor);
        assert_eq!(record.keys, [Cursor::key(&cursor.source, &cursor.folder)]);
        assert_ne!(record.keys, [Cursor::key(&cursor.source, "Übergabe / ein")]);
    }

    #[test]
    fn what_has_an_id_is_found_by_it_for_good() {
        let source: SourceName = "post".parse().unwrap();
        let numbered = Fetched::numbered(IntakeId::from_u128(1), source.clone(), "INBOX", 7, 9);
        assert_eq!((numbered.keys(), numbered.groups()), (vec![], vec!["imap/post".to_owned()]));
        let mut identified = Fetched::identified(IntakeId::from_u128(2), source.clone(), "inbox", "AAk=");
        assert_eq!(identified.groups(), ["graph/post"]);
        assert_eq!(identified.keys(), [Fetched::key(&source, "AAk=")]);
        assert_ne!(identified.keys(), [Fetched::key(&source, "AAK=")]);
        identified.done = true;
        assert_eq!((identified.keys().len(), identified.groups().len()), (1, 0));
        // What was written before messages had ids.
        let before = r#"{"intake":"00000000-0000-0000-0000-000000000001","source":"post","folder":"INBOX","validity":7,"uid":9}"#;
        let read: Fetched = serde_json::from_str(before).unwrap();
        assert_eq!(Fetched { version: 1, ..read }, numbered);
        assert_eq!(serde_json::to_string(&numbered).unwrap(), before);
    }
}
