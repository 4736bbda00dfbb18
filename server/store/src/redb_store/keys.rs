//! Keys as bytes whose order is the order of the lists.

use jiff::Timestamp;
use postroom_domain::event::Subject;
use postroom_domain::ids::{BlobHash, RepositoryName, SiteName, WorkItemId};

/// Kinds of records in the index of contents.
pub(super) mod kind {
    /// A filing.
    pub(in crate::redb_store) const FILING: u8 = 0;
    /// An intake.
    pub(in crate::redb_store) const INTAKE: u8 = 1;
}

/// Joins parts to a key of exactly `N` bytes.
pub(super) fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut key = [0; N];
    let mut rest = key.as_mut_slice();
    for part in parts {
        let (here, after) = rest.split_at_mut(part.len());
        here.copy_from_slice(part);
        rest = after;
    }
    debug_assert!(rest.is_empty(), "a key has {} bytes too few", rest.len());
    key
}

/// The first and the last key that begin with these bytes.
pub(super) fn span<const N: usize>(prefix: &[u8]) -> ([u8; N], [u8; N]) {
    let (mut low, mut high) = ([0; N], [0xff; N]);
    low[..prefix.len()].copy_from_slice(prefix);
    high[..prefix.len()].copy_from_slice(prefix);
    (low, high)
}

/// The id at the end of an index key.
pub(super) fn id_of(key: &[u8]) -> u128 {
    let mut id = [0; 16];
    id.copy_from_slice(&key[key.len() - 16..]);
    u128::from_be_bytes(id)
}

/// A number of two bytes inside a key.
pub(super) fn short(key: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([key[at], key[at + 1]])
}

/// A point in time as ten bytes in its order, to the nanosecond. (±2⁷⁹ ns is more than all of `Timestamp`.)
pub(super) fn time(at: Timestamp) -> [u8; 10] {
    let shifted = at.as_nanosecond() + (1 << 79);
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&shifted.to_be_bytes()[6..]);
    bytes
}

/// The time behind ten bytes; `None` when they are none.
pub(super) fn time_of(bytes: &[u8]) -> Option<Timestamp> {
    let mut wide = [0; 16];
    wide.get_mut(6..)?.copy_from_slice(bytes.get(..10)?);
    Timestamp::from_nanosecond(i128::from_be_bytes(wide) - (1 << 79)).ok()
}

/// A short stand-in for a text of any length. Who looks something up by it compares the text itself afterwards.
pub(super) fn digest(text: &str) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    short
}

/// A stand-in of sixteen bytes for the name of what an event is about.
fn half_digest(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    half
}

/// The half of a content's hash that stands in the index.
pub(super) fn half(hash: &BlobHash) -> &[u8] {
    &hash.as_bytes()[..16]
}

/// What an event is about, as 17 bytes.
pub(super) fn subject(subject: &Subject) -> [u8; 17] {
    let (tag, bytes) = match subject {
        Subject::Intake(id) => (1, id.as_u128().to_be_bytes()),
        Subject::Filing(id) => (2, id.as_u128().to_be_bytes()),
        Subject::WorkItem(id) => (3, id.as_u128().to_be_bytes()),
        Subject::Door(door) => (4, half_digest(door)),
        Subject::System => (5, [0; 16]),
        Subject::Person(id) => (6, id.as_u128().to_be_bytes()),
        Subject::Session(id) => (7, id.as_u128().to_be_bytes()),
        Subject::Token(id) => (8, id.as_u128().to_be_bytes()),
        Subject::Link(id) => (9, id.as_u128().to_be_bytes()),
        Subject::Service(name) => (10, half_digest(name.as_str())),
        Subject::Bulk(id) => (11, id.as_u128().to_be_bytes()),
    };
    join(&[&[tag], &bytes])
}

/// The key of a work item's reference. A site's name holds no line end.
pub(super) fn reference(site: &SiteName, reference: &str) -> String {
    format!("{site}\n{}", reference.to_lowercase())
}

/// The key of a remembered workspace.
pub(super) fn binding(work_item: WorkItemId, repository: &RepositoryName) -> Vec<u8> {
    [work_item.as_u128().to_be_bytes().as_slice(), repository.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_order_and_come_back() {
        let times: Vec<Timestamp> = [
            Timestamp::MIN,
            "1969-12-31T23:59:59.999999999Z".parse().unwrap(),
            Timestamp::UNIX_EPOCH,
            "2026-11-23T09:00:00.000000001Z".parse().unwrap(),
            Timestamp::MAX,
        ]
        .into();
        let keys: Vec<[u8; 10]> = times.iter().map(|at| time(*at)).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().map(|key| time_of(key).unwrap()).collect::<Vec<_>>(), times);
        assert_eq!(time_of(&[0xff; 10]), None);
        assert_eq!(time_of(&[0xff; 3]), None);
    }
}
