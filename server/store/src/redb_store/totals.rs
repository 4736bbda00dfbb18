//! Queues, totals and groups, from the counters and the first rows of indexes: the cost grows with the number of sites,
//! destinations and sources, never with that of filings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::filing::{Filing, Lane, State};
use postroom_domain::ids::{FilingId, ServiceName, SourceName};
use postroom_domain::person::Scope;
use postroom_domain::store::{CauseGroup, QueueHead, Ready, Summary, Tally};
use redb::ReadableTable;

use super::counters::{Group, States, unpack};
use super::merge::{From, Merge, prefixes, stream};
use super::names::{Names, Sites};
use super::schema::Shelf;
use super::{Stop, head, keys};

/// The lane behind its number in a key.
fn lane(number: u8) -> Result<Lane, Stop> {
    Lane::ALL
        .into_iter()
        .find(|lane| *lane as u8 == number)
        .ok_or_else(|| Stop::damaged(&format!("lane {number} of a queue")))
}

/// A tally that is being put together; `oldest` is the least id under way.
#[derive(Default)]
struct Sum {
    by_state: States,
    oldest: Option<u128>,
}

impl Sum {
    fn add(&mut self, states: &States) {
        for (sum, count) in self.by_state.iter_mut().zip(states) {
            *sum += count;
        }
    }

    fn met(&mut self, id: u128) {
        self.oldest = Some(self.oldest.map_or(id, |oldest| oldest.min(id)));
    }

    fn tally(&self, rows: &Shelf) -> Result<Tally, Stop> {
        let oldest = self.oldest.map(|id| rows.head(id)).transpose()?.flatten();
        Ok(Tally { by_state: self.by_state, oldest_open: oldest.map(|head| head.received) })
    }
}

const UNDER_WAY: [State; 4] = [State::Waiting, State::Blocked, State::Running, State::Checking];

impl Shelf {
    /// The queues that have entries.
    pub(super) fn queue_heads(&self, names: &Names) -> Result<Vec<QueueHead>, Stop> {
        let ready = self.ready()?;
        let mut queues = Vec::new();
        for row in self.count_queues()?.iter()? {
            let (key, count) = row?;
            if count.value() == 0 {
                continue;
            }
            let key = *key.value();
            let (low, high) = keys::span::<31>(&key);
            let Some(first) = ready.range::<&[u8; 31]>(&low..=&high)?.next() else { continue };
            let due = keys::time_of(&first?.0.value()[5..15])
                .ok_or_else(|| Stop::damaged("due time of a queue"))?;
            queues.push(QueueHead {
                service: names.services.name(keys::short(&key, 0))?,
                source: names.sources.name(keys::short(&key, 3))?,
                lane: lane(key[2])?,
                first_due: due,
            });
        }
        Ok(queues)
    }

    /// The due entries of one queue, earliest first.
    pub(super) fn due(
        &self,
        names: &Names,
        queue: (&ServiceName, &SourceName, Lane),
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Ready>, Stop> {
        let (service, source, lane) = queue;
        let (Some(service), Some(source)) = (names.services.number(service), names.sources.number(source))
        else {
            return Ok(Vec::new());
        };
        let queue = head::queue(service, lane, source);
        let low = keys::span::<31>(&queue).0;
        let high: [u8; 31] = keys::join(&[&queue, &keys::time(now), &[0xff; 16]]);
        self.ready()?
            .range::<&[u8; 31]>(&low..=&high)?
            .take(limit)
            .map(|row| {
                let key = *row?.0.value();
                let due = keys::time_of(&key[5..15]).ok_or_else(|| Stop::damaged("due time of a queue"))?;
                Ok(Ready { id: FilingId::from_u128(keys::id_of(&key)), lane, due })
            })
            .collect()
    }

    /// Filings whose due time lies beyond `at`, over all queues.
    pub(super) fn due_beyond(&self, at: Timestamp, limit: usize) -> Result<Vec<FilingId>, Stop> {
        let ready = self.ready()?;
        let mut found = Vec::new();
        for row in self.count_queues()?.iter()? {
            let queue = *row?.0.value();
            let low: [u8; 31] = keys::join(&[&queue, &keys::time(at), &[0xff; 16]]);
            let high = keys::span::<31>(&queue).1;
            for row in ready.range::<&[u8; 31]>(&low..=&high)? {
                if found.len() == limit {
                    return Ok(found);
                }
                found.push(FilingId::from_u128(keys::id_of(row?.0.value())));
            }
        }
        Ok(found)
    }

    /// Filings in a state, oldest first.
    pub(super) fn filings_in_state(
        &self,
        names: &Names,
        service: Option<&ServiceName>,
        state: State,
        after: Option<FilingId>,
        limit: usize,
    ) -> Result<Vec<Filing>, Stop> {
        let service = match service.map(|name| names.services.number(name)) {
            None => None,
            Some(None) => return Ok(Vec::new()),
            Some(number) => number,
        };
        let index = self.by_state()?;
        let from = From::After(after.map(FilingId::as_u128));
        let wanted = prefixes::<21, 5>(&index, |prefix| {
            prefix[4] == state as u8 && service.is_none_or(|number| keys::short(prefix, 2) == number)
        })?;
        let streams = wanted.iter().map(|prefix| stream(&index, prefix, from)).collect::<Result<_, _>>()?;
        let mut filings = Vec::new();
        for id in Merge::new(from, streams)?.take(limit) {
            filings.extend(self.filing(names, id?)?);
        }
        Ok(filings)
    }

    /// Totals of some sites, or of everything.
    pub(super) fn totals(&self, names: &Names, sites: &Scope) -> Result<Summary, Stop> {
        let sites = Sites::of(sites, names);
        let wanted = |number: u16| sites.includes(number);
        let mut all = Sum::default();
        let mut destinations: BTreeMap<u16, Sum> = BTreeMap::new();
        let mut sources: BTreeMap<u16, Sum> = BTreeMap::new();
        for row in self.count_filings()?.iter()? {
            let (key, value) = row?;
            let (key, states) = (key.value(), unpack(value.value()));
            if wanted(keys::short(key, 0)) && states.iter().any(|count| *count > 0) {
                all.add(&states);
                destinations.entry(keys::short(key, 2)).or_default().add(&states);
                sources.entry(keys::short(key, 4)).or_default().add(&states);
            }
        }
        let by_state = self.by_state()?;
        for prefix in prefixes::<21, 5>(&by_state, |prefix| {
            wanted(keys::short(prefix, 0)) && UNDER_WAY.iter().any(|state| *state as u8 == prefix[4])
        })? {
            if let Some(id) = stream(&by_state, &prefix, From::After(None))?.next().transpose()? {
                all.met(id);
                destinations.entry(keys::short(&prefix, 2)).or_default().met(id);
            }
        }
        let under_way = self.under_way()?;
        for prefix in prefixes::<20, 4>(&under_way, |prefix| wanted(keys::short(prefix, 0)))? {
            if let Some(id) = stream(&under_way, &prefix, From::After(None))?.next().transpose()? {
                sources.entry(keys::short(&prefix, 2)).or_default().met(id);
            }
        }
        let mut summary = Summary { filings: all.tally(self)?, ..Summary::default() };
        for (number, sum) in destinations {
            summary.destinations.push((names.services.name(number)?, sum.tally(self)?));
        }
        for (number, sum) in sources {
            summary.sources.push((names.sources.name(number)?, sum.tally(self)?));
        }
        summary.destinations.sort_by(|a, b| a.0.cmp(&b.0));
        summary.sources.sort_by(|a, b| a.0.cmp(&b.0));
        for row in self.count_intakes()?.iter()? {
            let (key, value) = row?;
            if wanted(keys::short(key.value(), 0)) {
                for (sum, count) in summary.intakes.iter_mut().zip(unpack::<6>(value.value())) {
                    *sum += count;
                }
            }
        }
        summary.last_event = self.events()?.last()?.map_or(0, |(seq, _)| seq.value());
        Ok(summary)
    }

    /// Open filings by cause and destination, most first.
    pub(super) fn cause_groups(&self, names: &Names, sites: &Scope) -> Result<Vec<CauseGroup>, Stop> {
        let sites = Sites::of(sites, names);
        let index = self.by_cause()?;
        let mut groups: BTreeMap<(u8, u16), (Group, Option<u128>)> = BTreeMap::new();
        for row in self.count_causes()?.iter()? {
            let (key, value) = row?;
            let (key, group) = (*key.value(), Group::decode(value.value())?);
            if group.count == 0 || !sites.includes(keys::short(&key, 1)) {
                continue;
            }
            let open: [u8; 6] = keys::join(&[&key, &[0]]);
            let first = stream(&index, &open, From::After(None))?.next().transpose()?;
            let (sum, oldest) = groups
                .entry((key[0], keys::short(&key, 3)))
                .or_insert((Group { count: 0, need_person: 0, last: Timestamp::MIN }, None));
            sum.count += group.count;
            sum.need_person += group.need_person;
            sum.last = sum.last.max(group.last);
            *oldest = match (*oldest, first) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        let mut found = Vec::new();
        for ((cause, service), (group, oldest)) in groups {
            let first = oldest.map(|id| self.head(id)).transpose()?.flatten().map(|head| head.received);
            found.push(CauseGroup {
                cause: Cause::from_number(cause).ok_or_else(|| Stop::damaged("cause of a counter"))?,
                service: names.services.name(service)?,
                count: group.count,
                need_person: group.need_person,
                first: first.unwrap_or(group.last),
                last: group.last,
            });
        }
        found.sort_by(|a, b| {
            b.count.cmp(&a.count).then(a.cause.cmp(&b.cause)).then(a.service.cmp(&b.service))
        });
        Ok(found)
    }
}
