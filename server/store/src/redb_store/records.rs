//! Records of persons, sessions, tokens and links: one table, one of unique keys, one of groups. A commit is one command of the
//! writer: everything is looked at first, then written with its events.

use std::ops::Bound;

use postroom_domain::ids::BlobHash;
use postroom_domain::record::{self, Commit, Kind, Record, Write};
use postroom_domain::spool::Blob;
use redb::{ReadableTable, ReadableTableMetadata};

use super::batch::{Batch, row};
use super::check::Complaints;
use super::schema::{Shelf, meta};
use super::{SMALL, Stop, keys};
use crate::rules::{self, Planned};

/// The layout of a row.
const LAYOUT: u8 = 1;

/// About what a commit writes.
pub(super) fn bytes(writes: &[Write]) -> usize {
    let bodies = writes.iter().map(|write| match write {
        Write::Put(record) => SMALL + record.body.len(),
        Write::Remove { .. } => SMALL,
    });
    bodies.sum()
}

fn record_key(kind: Kind, id: u128) -> [u8; 17] {
    keys::join(&[&[kind as u8], &id.to_be_bytes()])
}

fn unique_key(kind: Kind, key: &str) -> Vec<u8> {
    [&[kind as u8], key.as_bytes()].concat()
}

/// What the rows of a group begin with. Its length stands before it, so that no group's rows begin with those of another.
fn group_prefix(kind: Kind, group: &str) -> Vec<u8> {
    let length = u16::try_from(group.len()).unwrap_or(u16::MAX);
    [&[kind as u8], length.to_be_bytes().as_slice(), group.as_bytes()].concat()
}

fn group_key(kind: Kind, group: &str, id: u128) -> Vec<u8> {
    [group_prefix(kind, group).as_slice(), &id.to_be_bytes()].concat()
}

/// A record as a row: layout, version, keys, groups, body. Each list has its number in front, each text its length.
fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    bytes.extend(record.version.to_le_bytes());
    for texts in [&record.keys, &record.groups] {
        bytes.extend(u16::try_from(texts.len()).unwrap_or(u16::MAX).to_le_bytes());
        for text in texts {
            bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
    }
    bytes.extend(&record.body);
    bytes
}

fn decode(kind: Kind, id: u128, bytes: &[u8]) -> Result<Record, Stop> {
    parts(kind, id, bytes).ok_or_else(|| Stop::damaged(&format!("row of a {}", kind.noun())))
}

fn parts(kind: Kind, id: u128, bytes: &[u8]) -> Option<Record> {
    let (layout, rest) = bytes.split_first()?;
    let (version, mut rest) = rest.split_first_chunk::<8>()?;
    let mut texts = || {
        let (count, mut after) = rest.split_first_chunk::<2>()?;
        let mut texts = Vec::new();
        for _ in 0..u16::from_le_bytes(*count) {
            let (length, text) = after.split_first_chunk::<2>()?;
            let (text, next) = text.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            texts.push(std::str::from_utf8(text).ok()?.to_owned());
            after = next;
        }
        rest = after;
        Some(texts)
    };
    let (keys, groups) = (texts()?, texts()?);
    let version = u64::from_le_bytes(*version);
    (*layout == LAYOUT).then(|| Record { kind, id, version, keys, groups, body: rest.to_vec() })
}

/// Carries out a commit.
pub(super) fn commit(batch: &mut Batch<'_>, commit: Commit) -> Result<(), Stop> {
    write(batch, commit.writes)?;
    for event in &commit.events {
        batch.event(event)?;
    }
    Ok(())
}

/// Writes records, all or, when one is refused, none.
pub(super) fn write(batch: &mut Batch<'_>, writes: Vec<Write>) -> Result<(), Stop> {
    if writes.is_empty() {
        return Ok(());
    }
    let tables = std::cell::RefCell::new(&mut batch.tables);
    let planned = rules::plan(
        writes,
        |kind, id| {
            let mut tables = tables.borrow_mut();
            row(tables.records()?, &record_key(kind, id), |bytes| decode(kind, id, bytes))
        },
        |kind, key| {
            let mut tables = tables.borrow_mut();
            row(tables.record_keys()?, unique_key(kind, key).as_slice(), |id| Ok(u128::from_be_bytes(*id)))
        },
    )?;
    if planned.iter().any(|change| {
        change
            .after
            .as_ref()
            .is_some_and(|after| after.keys.len().max(after.groups.len()) > usize::from(u16::MAX))
    }) {
        return Err(Stop::damaged("a record has too many keys"));
    }

    batch.writing();
    // First all that goes, then all that comes: a key may pass from one record to another.
    for Planned { kind, id, before, after } in &planned {
        let Some(before) = before else { continue };
        for key in &before.keys {
            batch.tables.record_keys()?.remove(unique_key(*kind, key).as_slice())?;
        }
        for group in &before.groups {
            batch.tables.record_groups()?.remove(group_key(*kind, group, *id).as_slice())?;
        }
        if after.is_none() {
            batch.tables.records()?.remove(&record_key(*kind, *id))?;
            remember_removed(batch, *id)?;
        }
    }
    for Planned { kind, id, after, .. } in &planned {
        let Some(after) = after else { continue };
        for key in &after.keys {
            batch.tables.record_keys()?.insert(unique_key(*kind, key).as_slice(), &id.to_be_bytes())?;
        }
        for group in &after.groups {
            batch.tables.record_groups()?.insert(group_key(*kind, group, *id).as_slice(), ())?;
        }
        batch.tables.records()?.insert(&record_key(*kind, *id), encode(after).as_slice())?;
        batch.ledger.greatest_id = batch.ledger.greatest_id.max(*id);
    }
    Ok(())
}

/// The greatest of all ids stays known when its record goes, so that no new one is less.
fn remember_removed(batch: &mut Batch<'_>, id: u128) -> Result<(), Stop> {
    if id < batch.ledger.greatest_id {
        return Ok(());
    }
    let bytes = id.to_be_bytes();
    for (name, half) in meta::REMOVED.into_iter().zip(bytes.as_chunks::<8>().0) {
        batch.tables.meta()?.insert(name, u64::from_be_bytes(*half))?;
    }
    Ok(())
}

impl Shelf {
    pub(super) fn record_by_id(&self, kind: Kind, id: u128) -> Result<Option<Record>, Stop> {
        row(&self.records()?, &record_key(kind, id), |bytes| decode(kind, id, bytes))
    }

    pub(super) fn record_by_key(&self, kind: Kind, key: &str) -> Result<Option<Record>, Stop> {
        let id =
            row(&self.record_keys()?, unique_key(kind, key).as_slice(), |id| Ok(u128::from_be_bytes(*id)))?;
        let Some(id) = id else { return Ok(None) };
        self.record_by_id(kind, id)?
            .map(Some)
            .ok_or_else(|| Stop::damaged(&format!("a key names a {} that is missing", kind.noun())))
    }

    /// Records of a kind by growing id, those of a group if one is given, after an id.
    pub(super) fn records_of(
        &self,
        kind: Kind,
        group: Option<&str>,
        after: Option<u128>,
        limit: usize,
    ) -> Result<Vec<Record>, Stop> {
        let low =
            |first: Vec<u8>| if after.is_some() { Bound::Excluded(first) } else { Bound::Included(first) };
        let first = after.unwrap_or(0);
        if let Some(group) = group {
            let (low, high) = (low(group_key(kind, group, first)), group_key(kind, group, u128::MAX));
            let bounds = (low.as_ref().map(Vec::as_slice), Bound::Included(high.as_slice()));
            let missing = || Stop::damaged(&format!("a group names a {} that is missing", kind.noun()));
            return self
                .record_groups()?
                .range::<&[u8]>(bounds)?
                .take(limit)
                .map(|row| self.record_by_id(kind, keys::id_of(row?.0.value()))?.ok_or_else(missing))
                .collect();
        }
        let (low, high) = (record_key(kind, first), record_key(kind, u128::MAX));
        let low = if after.is_some() { Bound::Excluded(&low) } else { Bound::Included(&low) };
        self.records()?
            .range::<&[u8; 17]>((low, Bound::Included(&high)))?
            .take(limit)
            .map(|row| {
                let (key, value) = row?;
                decode(kind, keys::id_of(key.value()), value.value())
            })
            .collect()
    }

    /// Whether a record names this content.
    pub(super) fn record_names(&self, hash: BlobHash) -> Result<bool, Stop> {
        for kind in Kind::NAMING {
            if self.named_from(kind, &record::naming_hash(hash))?.is_some_and(|blob| blob.hash == hash) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Content that records name, each once, in the order of hashes, after one of them.
    pub(super) fn record_contents_after(
        &self,
        after: Option<BlobHash>,
        limit: usize,
    ) -> Result<Vec<Blob>, Stop> {
        let mut found = Vec::new();
        // Behind every size that the last one may have been named with.
        let mut from = after.map_or_else(|| "blob/".to_owned(), |hash| record::naming_hash(hash) + "0");
        while found.len() < limit {
            let mut next: Option<Blob> = None;
            for kind in Kind::NAMING {
                let Some(blob) = self.named_from(kind, &from)? else { continue };
                next = Some(next.map_or(blob, |other| if blob.hash < other.hash { blob } else { other }));
            }
            let Some(blob) = next else { break };
            from = record::naming_hash(blob.hash) + "0";
            found.push(blob);
        }
        Ok(found)
    }

    /// The first content that a record of a kind names from a group on.
    fn named_from(&self, kind: Kind, from: &str) -> Result<Option<Blob>, Stop> {
        // All these groups are of one length, so that they stand together, in the order of hashes.
        let length = record::naming(Blob { hash: BlobHash::new([0; 32]), size: 0 }).len();
        let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        let low = [&[kind as u8], length.as_slice(), from.as_bytes()].concat();
        let high = [&[kind as u8], length.as_slice(), b"blob0"].concat();
        let table = self.record_groups()?;
        let Some(row) = table.range::<&[u8]>(low.as_slice()..high.as_slice())?.next() else {
            return Ok(None);
        };
        let row = row?;
        let key = row.0.value();
        let group = key.get(3..key.len().saturating_sub(16)).and_then(|text| std::str::from_utf8(text).ok());
        group
            .and_then(record::named)
            .map(Some)
            .ok_or_else(|| Stop::damaged("a group that names content cannot be read"))
    }

    /// The greatest id that any record has or had.
    pub(super) fn greatest_record(&self) -> Result<u128, Stop> {
        let (meta, records) = (self.meta()?, self.records()?);
        let half = |name: &'static str| row(&meta, name, Ok).map(|half| u128::from(half.unwrap_or(0)));
        let [first, second] = meta::REMOVED;
        let mut greatest = (half(first)? << 64) | half(second)?;
        for kind in Kind::ALL {
            let (low, high) = keys::span::<17>(&[kind as u8]);
            if let Some(last) = records.range::<&[u8; 17]>(&low..=&high)?.next_back() {
                greatest = greatest.max(keys::id_of(last?.0.value()));
            }
        }
        Ok(greatest)
    }
}

/// Every record against its keys and groups, both ways.
pub(super) fn check(shelf: &Shelf, wrong: &mut Complaints) -> Result<(), Stop> {
    let (records, unique, groups) = (shelf.records()?, shelf.record_keys()?, shelf.record_groups()?);
    let (mut keys_there, mut groups_there) = (0, 0);
    for entry in records.iter()? {
        let (key, value) = entry?;
        let (number, id) = (key.value()[0], keys::id_of(key.value()));
        let Some(kind) = Kind::ALL.into_iter().find(|kind| *kind as u8 == number) else {
            wrong.unless(false, || format!("a record of the unknown kind {number}"));
            continue;
        };
        let name = || format!("{} {id:032x}", kind.noun());
        let Some(record) = wrong.damage(decode(kind, id, value.value()), name)? else { continue };
        for key in &record.keys {
            keys_there += 1;
            let owner =
                unique.get(unique_key(kind, key).as_slice())?.map(|id| u128::from_be_bytes(*id.value()));
            wrong.unless(owner == Some(id), || format!("{} is not found by one of its keys", name()));
        }
        for group in &record.groups {
            groups_there += 1;
            let listed = groups.get(group_key(kind, group, id).as_slice())?.is_some();
            wrong.unless(listed, || format!("{} is not listed in one of its groups", name()));
        }
    }
    for (table, rows, wanted) in
        [("record_keys", unique.len()?, keys_there), ("record_groups", groups.len()?, groups_there)]
    {
        wrong.unless(rows == wanted, || format!("{table} has {rows} rows where {wanted} belong"));
    }
    Ok(())
}
