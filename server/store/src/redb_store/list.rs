//! Lists, newest first, by whichever index leaves the fewest rows to look at. What no index serves is looked at row by row, so
//! many per call and no more: then the answer is a cursor to go on from.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use postroom_domain::cause::Cause;
use postroom_domain::filing::{Filing, State};
use postroom_domain::ids::{FilingId, IntakeId, ServiceName, WorkItemId};
use postroom_domain::intake::Intake;
use postroom_domain::person::Scope;
use postroom_domain::query::{FilingQuery, IntakeQuery, Predicate, Slice, Window};
use postroom_domain::store::StoreResult;
use postroom_domain::time::age;
use postroom_domain::work_item::WorkItem;
use redb::ReadableTable;

use super::batch::{parse, row};
use super::counters::{States, unpack};
use super::head::{Head, IntakeHead};
use super::merge::{From, Merge, prefixes, stream};
use super::names::{Names, Sites};
use super::schema::Shelf;
use super::writer::Shared;
use super::{Stop, keys};
use crate::rules;

/// What one call may spend: a head costs 1, a body 10. About 20 ms.
const BUDGET: usize = 20_000;
/// What is spent in one read transaction before others get their turn.
const PORTION: usize = 2_500;
/// What it costs to read a record whole.
const WHOLE: usize = 10;
/// With fewer rows than this, the index by state is good enough, whatever else is asked.
const FEW: u64 = 5_000;

/// Where a portion of a list ended.
enum Ended {
    /// There is nothing more.
    AtTheEnd,
    /// It is full, and there may be more.
    Full,
    /// It has looked at enough; go on from before this one.
    At(u128),
}

type Candidates = Box<dyn Iterator<Item = Result<u128, Stop>>>;

/// Collects a list in portions, each in its own short read transaction.
async fn collect<T: Send>(
    shared: &Shared,
    window: Window<u128>,
    portion: impl Fn(&Shelf, &Names, From, &mut Look<T>) -> Result<Ended, Stop> + Send + Sync,
    id_of: impl Fn(&T) -> u128 + Send + Sync,
) -> StoreResult<Slice<T, u128>> {
    let mut look = Look { items: Vec::new(), limit: window.limit.max(1), spent: 0, rows: 0 };
    let mut before = window.before;
    loop {
        let ended = shared.read(|shelf| {
            let names = shared.names.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            portion(shelf, &names, From::Before(before), &mut look)
        });
        shared.looked_at.fetch_add(std::mem::take(&mut look.rows), Ordering::Relaxed);
        let next = match ended? {
            Ended::AtTheEnd => None,
            Ended::Full => look.items.last().map(&id_of),
            Ended::At(id) if look.spent >= BUDGET => Some(id),
            Ended::At(id) => {
                before = Some(id);
                tokio::task::yield_now().await;
                continue;
            }
        };
        return Ok(Slice { items: look.items, next });
    }
}

/// A list in the making.
struct Look<T> {
    items: Vec<T>,
    limit: usize,
    spent: usize,
    rows: u64,
}

impl<T> Look<T> {
    /// Goes through candidates; `take` tells what one costs and whether it is in the list.
    fn through(
        &mut self,
        candidates: Candidates,
        mut take: impl FnMut(u128) -> Result<(usize, Option<T>), Stop>,
    ) -> Result<Ended, Stop> {
        let end = self.spent + PORTION;
        let mut last = None;
        for id in candidates {
            if self.items.len() == self.limit {
                return Ok(Ended::Full);
            }
            if let Some(last) = last.filter(|_| self.spent >= end) {
                return Ok(Ended::At(last));
            }
            let id = id?;
            let (cost, item) = take(id)?;
            self.spent += cost;
            self.rows += 1;
            self.items.extend(item);
            last = Some(id);
        }
        Ok(Ended::AtTheEnd)
    }
}

/// What the indexes can narrow a query down to.
struct Narrowed {
    sites: Sites,
    states: [bool; State::ALL.len()],
    services: Option<BTreeSet<u16>>,
    without_services: BTreeSet<u16>,
    /// Any of these causes; empty for "some cause".
    causes: Option<Vec<Cause>>,
    submitters: Option<Vec<String>>,
}

impl Narrowed {
    fn by(query: &FilingQuery, names: &Names) -> Self {
        let number = |name: &ServiceName| names.services.number(name);
        let mut narrowed = Self {
            sites: Sites::of(&query.sites, names),
            states: [true; State::ALL.len()],
            services: None,
            without_services: BTreeSet::new(),
            causes: None,
            submitters: query.submitted_by.clone().map(|by| vec![by]),
        };
        for term in &query.terms {
            if term.negated {
                for predicate in &term.any {
                    match predicate {
                        Predicate::State(state) => narrowed.states[*state as usize] = false,
                        Predicate::Destination(name) => narrowed.without_services.extend(number(name)),
                        _ => {}
                    }
                }
                continue;
            }
            let all = |pick: fn(&Predicate) -> bool| !term.any.is_empty() && term.any.iter().all(pick);
            if all(|p| matches!(p, Predicate::State(_))) {
                for state in State::ALL {
                    narrowed.states[state as usize] &= term.any.contains(&Predicate::State(state));
                }
            } else if all(|p| matches!(p, Predicate::Destination(_))) {
                let here: BTreeSet<u16> = term
                    .any
                    .iter()
                    .filter_map(|p| if let Predicate::Destination(name) = p { number(name) } else { None })
                    .collect();
                narrowed.services = Some(match narrowed.services.take() {
                    Some(before) => before.intersection(&here).copied().collect(),
                    None => here,
                });
            } else if all(|p| matches!(p, Predicate::Cause(_))) {
                let causes =
                    term.any.iter().filter_map(|p| if let Predicate::Cause(c) = p { Some(*c) } else { None });
                narrowed.causes = Some(causes.collect());
            } else if all(|p| matches!(p, Predicate::Cause(_) | Predicate::Status(_))) {
                narrowed.causes.get_or_insert_default();
            } else if all(|p| matches!(p, Predicate::By(_))) && narrowed.submitters.is_none() {
                let by = term
                    .any
                    .iter()
                    .filter_map(|p| if let Predicate::By(by) = p { Some(by.clone()) } else { None });
                narrowed.submitters = Some(by.collect());
            }
        }
        narrowed
    }

    fn wants_site(&self, site: u16) -> bool {
        self.sites.includes(site)
    }

    fn wants_service(&self, service: u16) -> bool {
        self.services.as_ref().is_none_or(|wanted| wanted.contains(&service))
            && !self.without_services.contains(&service)
    }

    /// How many filings there are, and how many of them the index by state would give.
    fn rows(&self, tables: &Shelf) -> Result<(u64, u64), Stop> {
        let (mut all, mut wanted) = (0, 0);
        for row in tables.count_filings()?.iter()? {
            let (key, value) = row?;
            let (key, states): (_, States) = (key.value(), unpack(value.value()));
            all += states.iter().sum::<u64>();
            if self.wants_site(keys::short(key, 0)) && self.wants_service(keys::short(key, 2)) {
                wanted +=
                    states.iter().zip(self.states).filter(|(_, wanted)| *wanted).map(|(n, _)| n).sum::<u64>();
            }
        }
        Ok((all, wanted))
    }
}

/// The ids that may be in the list, by the index that leaves the fewest.
fn filing_candidates(
    shelf: &Shelf,
    names: &Names,
    query: &FilingQuery,
    from: From,
) -> Result<Candidates, Stop> {
    let before = |id: u128| !matches!(from, From::Before(Some(before)) if id >= before);
    if let Some(ids) = query.indexed(|p| if let Predicate::Id(id) = p { Some(id.as_u128()) } else { None }) {
        let ids: BTreeSet<u128> = ids.into_iter().filter(|id| before(*id)).collect();
        return Ok(Box::new(ids.into_iter().rev().map(Ok)));
    }
    if let Some(intakes) =
        query.indexed(|p| if let Predicate::Intake(id) = p { Some(id.as_u128()) } else { None })
    {
        let index = shelf.intake_filings()?;
        let streams =
            intakes.iter().map(|id| stream(&index, &id.to_be_bytes(), from)).collect::<Result<_, _>>()?;
        return Ok(Box::new(Merge::new(from, streams)?));
    }
    let references = query.indexed(|p| match p {
        Predicate::Reference(text) if !text.is_empty() => Some(keys::digest(&text.to_lowercase())),
        _ => None,
    });
    if let Some(references) = references {
        let index = shelf.by_reference()?;
        let streams =
            references.iter().map(|digest| stream(&index, digest, from)).collect::<Result<_, _>>()?;
        return Ok(Box::new(Merge::new(from, streams)?));
    }
    let narrowed = Narrowed::by(query, names);
    let (all, wanted) = narrowed.rows(shelf)?;
    if wanted == 0 {
        return Ok(Box::new(std::iter::empty()));
    }
    if wanted > FEW
        && let Some(causes) = &narrowed.causes
    {
        let index = shelf.by_cause()?;
        let kept = prefixes::<22, 6>(&index, |prefix| {
            (causes.is_empty() || causes.iter().any(|cause| *cause as u8 == prefix[0]))
                && narrowed.wants_site(keys::short(prefix, 1))
                && narrowed.wants_service(keys::short(prefix, 3))
        })?;
        let streams = kept.iter().map(|prefix| stream(&index, prefix, from)).collect::<Result<_, _>>()?;
        return Ok(Box::new(Merge::new(from, streams)?));
    }
    if wanted > FEW
        && let Some(submitters) = &narrowed.submitters
    {
        let index = shelf.by_submitter()?;
        let streams =
            submitters.iter().map(|by| stream(&index, &keys::digest(by), from)).collect::<Result<_, _>>()?;
        return Ok(Box::new(Merge::new(from, streams)?));
    }
    if wanted == all {
        return heads_before(&shelf.heads()?, from);
    }
    let index = shelf.by_state()?;
    let kept = prefixes::<21, 5>(&index, |prefix| {
        narrowed.wants_site(keys::short(prefix, 0))
            && narrowed.wants_service(keys::short(prefix, 2))
            && narrowed.states.get(usize::from(prefix[4])) == Some(&true)
    })?;
    let streams = kept.iter().map(|prefix| stream(&index, prefix, from)).collect::<Result<_, _>>()?;
    Ok(Box::new(Merge::new(from, streams)?))
}

/// All ids of a table of records, newest first.
fn heads_before(
    table: &redb::ReadOnlyTable<&'static [u8; 16], &'static [u8]>,
    from: From,
) -> Result<Candidates, Stop> {
    use std::ops::Bound;
    let key = match from {
        From::Before(Some(id)) => Some(id.to_be_bytes()),
        _ => None,
    };
    let bounds: (Bound<&[u8; 16]>, Bound<&[u8; 16]>) =
        (Bound::Unbounded, key.as_ref().map_or(Bound::Unbounded, Bound::Excluded));
    let rows = table.range::<&[u8; 16]>(bounds)?.rev();
    Ok(Box::new(rows.map(|row| Ok(u128::from_be_bytes(*row?.0.value())))))
}

/// What a head alone says about a predicate; none when the request must be read.
fn by_head(predicate: &Predicate, names: &Names, id: u128, head: &Head, now: Timestamp) -> Option<bool> {
    match predicate {
        Predicate::State(state) => Some(head.state == *state),
        Predicate::Destination(name) => Some(names.services.number(name) == Some(head.service)),
        Predicate::Cause(cause) => Some(head.cause == Some(*cause)),
        Predicate::Status(status) => Some(head.status == Some(*status)),
        Predicate::OlderThan(limit) => Some(age(now, head.received) > *limit),
        Predicate::YoungerThan(limit) => Some(age(now, head.received) < *limit),
        Predicate::Intake(intake) => Some(head.intake == intake.as_u128()),
        Predicate::Id(wanted) => Some(id == wanted.as_u128()),
        Predicate::From(text) => {
            let source = names.sources.name(head.source).ok()?;
            (source.as_str() == text.to_lowercase()).then_some(true)
        }
        Predicate::Reference(_) | Predicate::By(_) | Predicate::Text(_) => None,
    }
}

/// Whether a head rules a filing out, so that its request need not be read.
fn ruled_out(
    query: &FilingQuery,
    (sites, names): (&Sites, &Names),
    id: u128,
    head: &Head,
    now: Timestamp,
) -> bool {
    !sites.includes(head.site)
        || query.terms.iter().any(|term| {
            let answers = || term.any.iter().map(|predicate| by_head(predicate, names, id, head, now));
            if term.negated {
                answers().any(|answer| answer == Some(true))
            } else {
                answers().all(|answer| answer == Some(false))
            }
        })
}

/// Filings, newest first.
pub(super) async fn filings(
    shared: &Shared,
    query: &FilingQuery,
    window: Window<FilingId>,
    now: Timestamp,
) -> StoreResult<Slice<Filing, FilingId>> {
    let window = Window { before: window.before.map(FilingId::as_u128), limit: window.limit };
    let slice = collect(
        shared,
        window,
        |shelf, names, from, look| {
            let heads = shelf.heads()?;
            let sites = Sites::of(&query.sites, names);
            look.through(filing_candidates(shelf, names, query, from)?, |id| {
                let Some(head) = row(&heads, &id.to_be_bytes(), Head::decode)? else { return Ok((1, None)) };
                if ruled_out(query, (&sites, names), id, &head, now) {
                    return Ok((1, None));
                }
                let filing = shelf.filing_of(names, id, &head)?;
                Ok((WHOLE, query.matches(&filing, now).then_some(filing)))
            })
        },
        |filing| filing.id.as_u128(),
    )
    .await?;
    Ok(Slice { items: slice.items, next: slice.next.map(FilingId::from_u128) })
}

fn intake_candidates(
    shelf: &Shelf,
    names: &Names,
    query: &IntakeQuery,
    from: From,
) -> Result<Candidates, Stop> {
    let sites = Sites::of(&query.sites, names);
    let wants_site = |number: u16| sites.includes(number);
    // What is through piles up without end: with such a state asked for, the door narrows down more than the state does.
    let piles_up = query.states.iter().any(|state| state.is_through());
    if !(query.states.is_empty() || piles_up && !query.sources.is_empty()) {
        let index = shelf.intakes_by_state()?;
        let kept = prefixes::<19, 3>(&index, |prefix| {
            wants_site(keys::short(prefix, 0)) && query.states.iter().any(|state| *state as u8 == prefix[2])
        })?;
        let streams = kept.iter().map(|prefix| stream(&index, prefix, from)).collect::<Result<_, _>>()?;
        return Ok(Box::new(Merge::new(from, streams)?));
    }
    if let Some(by) = &query.submitted_by {
        return stream(&shelf.intakes_by_submitter()?, &keys::digest(by), from);
    }
    if query.sources.is_empty() && query.sites.is_all() {
        return heads_before(&shelf.intake_heads()?, from);
    }
    let index = shelf.intakes_by_source()?;
    let sources = doors(query, names);
    let kept = prefixes::<20, 4>(&index, |prefix| {
        wants_site(keys::short(prefix, 0))
            && sources.as_ref().is_none_or(|sources| sources.contains(&keys::short(prefix, 2)))
    })?;
    let streams = kept.iter().map(|prefix| stream(&index, prefix, from)).collect::<Result<_, _>>()?;
    Ok(Box::new(Merge::new(from, streams)?))
}

/// The numbers of the doors that are asked for; none when all are.
fn doors(query: &IntakeQuery, names: &Names) -> Option<BTreeSet<u16>> {
    let numbers = query.sources.iter().filter_map(|source| names.sources.number(source));
    (!query.sources.is_empty()).then(|| numbers.collect())
}

/// Intakes, newest first.
pub(super) async fn intakes(
    shared: &Shared,
    query: &IntakeQuery,
    window: Window<IntakeId>,
) -> StoreResult<Slice<Intake, IntakeId>> {
    let window = Window { before: window.before.map(IntakeId::as_u128), limit: window.limit };
    let slice = collect(
        shared,
        window,
        |shelf, names, from, look| {
            let heads = shelf.intake_heads()?;
            let (sites, doors) = (Sites::of(&query.sites, names), doors(query, names));
            look.through(intake_candidates(shelf, names, query, from)?, |id| {
                let Some(head) = row(&heads, &id.to_be_bytes(), IntakeHead::decode)? else {
                    return Ok((1, None));
                };
                let ruled_out = !sites.includes(head.site)
                    || (!query.states.is_empty() && !query.states.contains(&head.state))
                    || doors.as_ref().is_some_and(|doors| !doors.contains(&head.source));
                if ruled_out {
                    return Ok((1, None));
                }
                let intake = shelf.intake_of(id, &head)?;
                Ok((WHOLE, query.matches(&intake).then_some(intake)))
            })
        },
        |intake| intake.id.as_u128(),
    )
    .await?;
    Ok(Slice { items: slice.items, next: slice.next.map(IntakeId::from_u128) })
}

/// The work items of some sites, or all.
fn work_candidates(shelf: &Shelf, names: &Names, scope: &Scope, from: From) -> Result<Candidates, Stop> {
    let Sites::Only(sites) = Sites::of(scope, names) else { return heads_before(&shelf.work_lines()?, from) };
    let index = shelf.work_by_site()?;
    let streams =
        sites.iter().map(|site| stream(&index, &site.to_be_bytes(), from)).collect::<Result<_, _>>()?;
    Ok(Box::new(Merge::new(from, streams)?))
}

/// Work items by a text, newest first.
pub(super) async fn work_items(
    shared: &Shared,
    scope: &Scope,
    text: &str,
    window: Window<WorkItemId>,
) -> StoreResult<Slice<WorkItem, WorkItemId>> {
    let window = Window { before: window.before.map(WorkItemId::as_u128), limit: window.limit };
    let text = text.to_lowercase();
    let slice = collect(
        shared,
        window,
        |shelf, names, from, look| {
            let (lines, items) = (shelf.work_lines()?, shelf.work_items()?);
            look.through(work_candidates(shelf, names, scope, from)?, |id| {
                let key = id.to_be_bytes();
                let found = row(&lines, &key, |line| {
                    let (reference, words) = super::side::decode_line(line)
                        .ok_or_else(|| Stop::damaged("search line of a work item"))?;
                    Ok(rules::found(reference, words, &text))
                })?;
                if found != Some(true) {
                    return Ok((1, None));
                }
                let item: Option<WorkItem> = row(&items, &key, |bytes| parse(bytes, "work item"))?;
                Ok((WHOLE, item.filter(|item| scope.has(&item.site))))
            })
        },
        |item| item.id.as_u128(),
    )
    .await?;
    Ok(Slice { items: slice.items, next: slice.next.map(WorkItemId::from_u128) })
}
