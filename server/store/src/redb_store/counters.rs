//! Totals that are kept with every change, so that nobody counts rows: the writer holds them in memory, and writes those that a
//! group of changes has touched into the same transaction.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use postroom_domain::filing::State;
use postroom_domain::intake::IntakeState;
use redb::ReadableTable;

use super::head::{Head, IntakeHead};
use super::schema::{Shelf, Tables};
use super::{Stop, keys};
use crate::rules;

/// How many filings are in each state.
pub(super) type States = [u64; State::ALL.len()];
/// How many intakes are in each state.
pub(super) type IntakeStates = [u64; IntakeState::ALL.len()];

/// Open filings with one cause at one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) count: u64,
    pub(super) need_person: u64,
    pub(super) last: Timestamp,
}

impl Group {
    const NONE: Self = Self { count: 0, need_person: 0, last: Timestamp::MIN };

    fn encode(self) -> [u8; 26] {
        keys::join(&[&self.count.to_le_bytes(), &self.need_person.to_le_bytes(), &keys::time(self.last)])
    }

    pub(super) fn decode(bytes: &[u8; 26]) -> Result<Self, Stop> {
        let last = keys::time_of(&bytes[16..]).ok_or_else(|| Stop::damaged("counter of a cause"))?;
        Ok(Self { count: number(bytes, 0), need_person: number(bytes, 8), last })
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// Numbers of one row.
pub(super) fn unpack<const N: usize>(bytes: &[u8]) -> [u64; N] {
    std::array::from_fn(|i| number(bytes, 8 * i))
}

fn pack<const N: usize>(numbers: &[u64]) -> [u8; N] {
    let mut bytes = [0; N];
    for (chunk, number) in bytes.chunks_exact_mut(8).zip(numbers) {
        chunk.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// All totals.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// (site, destination, source).
    filings: BTreeMap<[u8; 6], States>,
    /// (cause, site, destination).
    causes: BTreeMap<[u8; 5], Group>,
    /// (destination, lane, source).
    queues: BTreeMap<[u8; 5], u64>,
    /// Site.
    intakes: BTreeMap<[u8; 2], IntakeStates>,
    touched: Touched,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Touched {
    filings: BTreeSet<[u8; 6]>,
    causes: BTreeSet<[u8; 5]>,
    queues: BTreeSet<[u8; 5]>,
    intakes: BTreeSet<[u8; 2]>,
}

fn combination(head: &Head) -> [u8; 6] {
    keys::join(&[&head.site.to_be_bytes(), &head.service.to_be_bytes(), &head.source.to_be_bytes()])
}

fn cause_group(head: &Head) -> Option<[u8; 5]> {
    let cause = head.cause.filter(|_| !head.state.is_settled())?;
    Some(keys::join(&[&[cause as u8], &head.site.to_be_bytes(), &head.service.to_be_bytes()]))
}

fn step(count: &mut u64, up: bool) {
    // Only a damaged counter could go below zero; the start compares all of them with the rows.
    *count = if up { count.saturating_add(1) } else { count.saturating_sub(1) };
}

impl Counters {
    /// A filing came, went, or changed. `met` is when its cause was met, if it was.
    pub(super) fn filing(&mut self, before: Option<&Head>, after: Option<&Head>, met: Option<Timestamp>) {
        for (head, up) in [(after, true), (before, false)] {
            let Some(head) = head else { continue };
            let key = combination(head);
            step(&mut self.filings.entry(key).or_default()[head.state as usize], up);
            self.touched.filings.insert(key);
            if let Some(key) = head.queue_key() {
                step(self.queues.entry(key).or_default(), up);
                self.touched.queues.insert(key);
            }
            if let Some(key) = cause_group(head) {
                let group = self.causes.entry(key).or_insert(Group::NONE);
                step(&mut group.count, up);
                if rules::needs_person(head.state) {
                    step(&mut group.need_person, up);
                }
                if up {
                    group.last = group.last.max(met.unwrap_or(Timestamp::MIN));
                }
                self.touched.causes.insert(key);
            }
        }
        for head in [before, after].into_iter().flatten() {
            if let Some(key) = cause_group(head)
                && self.causes.get(&key).is_some_and(|group| group.count == 0)
            {
                self.causes.remove(&key);
            }
            if let Some(key) = head.queue_key()
                && self.queues.get(&key) == Some(&0)
            {
                self.queues.remove(&key);
            }
        }
    }

    /// An intake came or changed.
    pub(super) fn intake(&mut self, before: Option<&IntakeHead>, after: Option<&IntakeHead>) {
        for (head, up) in [(after, true), (before, false)] {
            let Some(head) = head else { continue };
            let key = head.site.to_be_bytes();
            step(&mut self.intakes.entry(key).or_default()[head.state as usize], up);
            self.touched.intakes.insert(key);
        }
    }

    /// Writes what was touched.
    pub(super) fn flush(&mut self, tables: &mut Tables<'_>) -> Result<(), Stop> {
        for key in std::mem::take(&mut self.touched.filings) {
            let states = self.filings.get(&key).copied().unwrap_or_default();
            tables.count_filings()?.insert(&key, &pack::<80>(&states))?;
        }
        for key in std::mem::take(&mut self.touched.causes) {
            match self.causes.get(&key) {
                Some(group) => tables.count_causes()?.insert(&key, &group.encode())?.is_some(),
                None => tables.count_causes()?.remove(&key)?.is_some(),
            };
        }
        for key in std::mem::take(&mut self.touched.queues) {
            match self.queues.get(&key) {
                Some(count) => tables.count_queues()?.insert(&key, count)?.is_some(),
                None => tables.count_queues()?.remove(&key)?.is_some(),
            };
        }
        for key in std::mem::take(&mut self.touched.intakes) {
            let states = self.intakes.get(&key).copied().unwrap_or_default();
            tables.count_intakes()?.insert(&key, &pack::<48>(&states))?;
        }
        Ok(())
    }

    /// What the file says.
    pub(super) fn stored(shelf: &Shelf) -> Result<Self, Stop> {
        let mut counters = Self::default();
        for row in shelf.count_filings()?.iter()? {
            let (key, value) = row?;
            counters.filings.insert(*key.value(), unpack(value.value()));
        }
        for row in shelf.count_causes()?.iter()? {
            let (key, value) = row?;
            counters.causes.insert(*key.value(), Group::decode(value.value())?);
        }
        for row in shelf.count_queues()?.iter()? {
            let (key, value) = row?;
            counters.queues.insert(*key.value(), value.value());
        }
        for row in shelf.count_intakes()?.iter()? {
            let (key, value) = row?;
            counters.intakes.insert(*key.value(), unpack(value.value()));
        }
        Ok(counters)
    }

    /// What the rows say, with the number of filings and intakes. Runs over all heads: at the start and in a self-check.
    pub(super) fn counted(shelf: &Shelf) -> Result<(Self, u64, u64), Stop> {
        let mut counters = Self::default();
        let (mut filings, mut intakes) = (0, 0);
        for row in shelf.heads()?.iter()? {
            let head = Head::decode(row?.1.value())?;
            counters.filing(None, Some(&head), Some(head.last_end.unwrap_or(head.received)));
            filings += 1;
        }
        for row in shelf.intake_heads()?.iter()? {
            counters.intake(None, Some(&IntakeHead::decode(row?.1.value())?));
            intakes += 1;
        }
        Ok((counters, filings, intakes))
    }

    /// Takes the stored counters where they agree with the counted ones, and tells where they do not; those are touched, so
    /// that the next flush puts them right. "Last met" stands in no row and is taken over.
    pub(super) fn reconcile(stored: &Self, mut counted: Self) -> (Self, Vec<String>) {
        counted.touched = Touched::default();
        for (key, group) in &mut counted.causes {
            if let Some(old) = stored.causes.get(key) {
                group.last = old.last;
            }
        }
        let mut wrong = Vec::new();
        compare(
            &stored.filings,
            &counted.filings,
            |s| s.iter().all(|n| *n == 0),
            |key, a, b| {
                wrong.push(format!(
                    "filings at (site, destination, source) {key:?}: {a:?} counted, {b:?} written"
                ));
                counted.touched.filings.insert(key);
            },
        );
        compare(
            &stored.causes,
            &counted.causes,
            |_| false,
            |key, a, b| {
                wrong.push(format!(
                    "open filings of (cause, site, destination) {key:?}: {a:?} counted, {b:?} written"
                ));
                counted.touched.causes.insert(key);
            },
        );
        compare(
            &stored.queues,
            &counted.queues,
            |_| false,
            |key, a, b| {
                wrong.push(format!(
                    "entries of queue (destination, lane, source) {key:?}: {a:?} counted, {b:?} written"
                ));
                counted.touched.queues.insert(key);
            },
        );
        compare(
            &stored.intakes,
            &counted.intakes,
            |s| s.iter().all(|n| *n == 0),
            |key, a, b| {
                wrong.push(format!("intakes at site {key:?}: {a:?} counted, {b:?} written"));
                counted.touched.intakes.insert(key);
            },
        );
        (counted, wrong)
    }
}

/// Calls `differs` with every key whose counted and stored values differ; a stored row that `is_empty` equals none.
fn compare<K: Copy + Ord, V: PartialEq>(
    stored: &BTreeMap<K, V>,
    counted: &BTreeMap<K, V>,
    is_empty: impl Fn(&V) -> bool,
    mut differs: impl FnMut(K, Option<&V>, Option<&V>),
) {
    let keys: BTreeSet<K> = stored.keys().chain(counted.keys()).copied().collect();
    for key in keys {
        let (was, is) = (stored.get(&key).filter(|v| !is_empty(v)), counted.get(&key));
        if was != is {
            differs(key, is, was);
        }
    }
}
