//! How long what is open has been waiting, and how much came lately: counted along the index by state, of which the ids alone are read. A hundred thousand keys
//! take some 20 ms, in portions, each with a short read of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::filing::State;
use postroom_domain::ids::{FilingId, ServiceName, SourceName};
use postroom_domain::person::Scope;
use postroom_domain::store::{AgeLine, StoreResult};

use super::merge::{From, Merge, prefixes, stream};
use super::names::Sites;
use super::writer::Shared;
use super::{Stop, keys};
use crate::rules;

/// So many keys are counted before others get their turn.
const PORTION: u64 = 20_000;

/// A site's filings in one state at one destination, as their keys begin.
type Prefix = [u8; 5];

/// Open filings by destination and age.
pub(super) async fn ages(
    shared: &Shared,
    sites: &Scope,
    bounds: &[Duration],
    now: Timestamp,
) -> StoreResult<Vec<AgeLine>> {
    let mut lines = Vec::new();
    for (service, prefixes) in open(shared, sites)? {
        let mut line = AgeLine { service, counts: vec![0; bounds.len() + 1], more: false };
        let (mut before, mut counted) = (None, 0);
        while let Some(last) = count(shared, &prefixes, before, |id| {
            if counted == AgeLine::MOST {
                line.more = true;
                return false;
            }
            counted += 1;
            line.counts[rules::age_column(id, bounds, now)] += 1;
            true
        })? {
            before = Some(last);
            tokio::task::yield_now().await;
        }
        // They may have been closed meanwhile.
        if counted > 0 {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Intakes by door since a time: the last part of each door's keys.
pub(super) fn arrivals(
    shared: &Shared,
    sites: &Scope,
    since: Timestamp,
) -> StoreResult<Vec<(SourceName, u64)>> {
    let millis = u64::try_from(since.as_millisecond()).unwrap_or(0);
    // The greatest id of the millisecond before.
    let after = From::After(Some((u128::from(millis) << 80).saturating_sub(1)));
    let most = usize::try_from(AgeLine::MOST).unwrap_or(usize::MAX);
    shared.read(|shelf| {
        let names = shared.names.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let sites = Sites::of(sites, &names);
        let index = shelf.intakes_by_source()?;
        let kept = prefixes::<20, 4>(&index, |prefix| sites.includes(keys::short(prefix, 0)))?;
        let mut found: BTreeMap<SourceName, u64> = BTreeMap::new();
        for prefix in kept {
            let mut count = 0;
            for id in stream(&index, &prefix, after)?.take(most) {
                id?;
                count += 1;
            }
            if count > 0 {
                *found.entry(names.sources.name(keys::short(&prefix, 2))?).or_default() += count;
            }
        }
        Ok(found.into_iter().collect())
    })
}

/// Where the open filings of each destination stand in the index.
fn open(shared: &Shared, sites: &Scope) -> StoreResult<BTreeMap<ServiceName, Vec<Prefix>>> {
    shared.read(|shelf| {
        let names = shared.names.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let sites = Sites::of(sites, &names);
        let is_open = |number: u8| State::ALL.get(usize::from(number)).is_some_and(|it| !it.is_settled());
        let kept = prefixes::<21, 5>(&shelf.by_state()?, |prefix| {
            sites.includes(keys::short(prefix, 0)) && is_open(prefix[4])
        })?;
        let mut found: BTreeMap<ServiceName, Vec<Prefix>> = BTreeMap::new();
        for prefix in kept {
            found.entry(names.services.name(keys::short(&prefix, 2))?).or_default().push(prefix);
        }
        Ok(found)
    })
}

/// Hands out a portion of ids, newest first, until `take` has enough. The last one, when there may be more.
fn count(
    shared: &Shared,
    prefixes: &[Prefix],
    before: Option<u128>,
    mut take: impl FnMut(FilingId) -> bool,
) -> StoreResult<Option<u128>> {
    shared.read(|shelf| {
        let (index, from) = (shelf.by_state()?, From::Before(before));
        let streams: Vec<_> =
            prefixes.iter().map(|prefix| stream(&index, prefix, from)).collect::<Result<_, Stop>>()?;
        let mut handed_out = 0;
        for id in Merge::new(from, streams)? {
            let id = id?;
            if !take(FilingId::from_u128(id)) {
                return Ok(None);
            }
            handed_out += 1;
            if handed_out == PORTION {
                return Ok(Some(id));
            }
        }
        Ok(None)
    })
}
