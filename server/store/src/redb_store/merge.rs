//! Ids from several index ranges as one ordered sequence: a list by state over many destinations reads as if it had one index.

use std::collections::BinaryHeap;
use std::ops::Bound;

use redb::ReadOnlyTable;

use super::{Stop, keys};

/// An index whose keys end with an id.
pub(super) type Index<const N: usize> = ReadOnlyTable<&'static [u8; N], ()>;
type Ids = Box<dyn Iterator<Item = Result<u128, Stop>>>;

/// The direction of a list and where it goes on.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    /// Newest first, from before this one.
    Before(Option<u128>),
    /// Oldest first, from after this one.
    After(Option<u128>),
}

/// Ids of one index that begin with a prefix.
pub(super) fn stream<const N: usize>(index: &Index<N>, prefix: &[u8], from: From) -> Result<Ids, Stop> {
    let (mut low, mut high) = keys::span::<N>(prefix);
    let put = |key: &mut [u8; N], id: u128| key[N - 16..].copy_from_slice(&id.to_be_bytes());
    let bounds: (Bound<&[u8; N]>, Bound<&[u8; N]>) = match from {
        From::Before(Some(id)) => {
            put(&mut high, id);
            (Bound::Included(&low), Bound::Excluded(&high))
        }
        From::After(Some(id)) => {
            put(&mut low, id);
            (Bound::Excluded(&low), Bound::Included(&high))
        }
        From::Before(None) | From::After(None) => (Bound::Included(&low), Bound::Included(&high)),
    };
    let ids = index.range::<&[u8; N]>(bounds)?.map_keys();
    Ok(match from {
        From::Before(_) => Box::new(ids.rev()),
        From::After(_) => Box::new(ids),
    })
}

/// Only the id of each row.
trait MapKeys<const N: usize>: Sized {
    fn map_keys(self) -> impl DoubleEndedIterator<Item = Result<u128, Stop>> + 'static;
}

impl<const N: usize> MapKeys<N> for redb::Range<'static, &'static [u8; N], ()> {
    fn map_keys(self) -> impl DoubleEndedIterator<Item = Result<u128, Stop>> + 'static {
        self.map(|row| Ok(keys::id_of(row?.0.value())))
    }
}

/// The prefixes of `P` bytes that an index has rows for and that are kept: found by leaping from one to the next.
pub(super) fn prefixes<const N: usize, const P: usize>(
    index: &Index<N>,
    keep: impl Fn(&[u8; P]) -> bool,
) -> Result<Vec<[u8; P]>, Stop> {
    let mut found = Vec::new();
    let mut from = Bound::Unbounded;
    let mut last;
    loop {
        let bounds: (Bound<&[u8; N]>, Bound<&[u8; N]>) = (from, Bound::Unbounded);
        let Some(row) = index.range::<&[u8; N]>(bounds)?.next() else { return Ok(found) };
        let mut prefix = [0; P];
        prefix.copy_from_slice(&row?.0.value()[..P]);
        if keep(&prefix) {
            found.push(prefix);
        }
        last = keys::span::<N>(&prefix).1;
        from = Bound::Excluded(&last);
    }
}

/// Streams merged in the order that they all have.
pub(super) struct Merge {
    streams: Vec<Ids>,
    /// The next id of each stream; the greatest is next. Forwards, all bits are turned over.
    heads: BinaryHeap<(u128, usize)>,
    forwards: bool,
    last: Option<u128>,
}

impl Merge {
    pub(super) fn new(from: From, streams: Vec<Ids>) -> Result<Self, Stop> {
        let forwards = matches!(from, From::After(_));
        let mut merge = Self { streams, heads: BinaryHeap::new(), forwards, last: None };
        for stream in 0..merge.streams.len() {
            merge.pull(stream)?;
        }
        Ok(merge)
    }

    const fn rank(&self, id: u128) -> u128 {
        if self.forwards { !id } else { id }
    }

    fn pull(&mut self, stream: usize) -> Result<(), Stop> {
        if let Some(id) = self.streams[stream].next() {
            self.heads.push((self.rank(id?), stream));
        }
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = Result<u128, Stop>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (rank, stream) = self.heads.pop()?;
            if let Err(stop) = self.pull(stream) {
                return Some(Err(stop));
            }
            let id = self.rank(rank);
            if self.last != Some(id) {
                self.last = Some(id);
                return Some(Ok(id));
            }
        }
    }
}
