//! The store as a few maps behind one lock: what the real ones are compared with. It looks at every row for every question, on
//! purpose: nothing can be out of step that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use postroom_domain::Fut;
use postroom_domain::audit;
use postroom_domain::cause::Cause;
use postroom_domain::event::{Event, NewEvent, Subject};
use postroom_domain::filing::{Attempt, Filing, Lane, Request, State};
use postroom_domain::ids::{
    BlobHash, FilingId, IntakeId, RepositoryName, ServiceName, SiteName, SourceName, WorkItemId,
};
use postroom_domain::intake::Intake;
use postroom_domain::machine::AttemptChange;
use postroom_domain::person::{Actor, Scope};
use postroom_domain::query::{FilingQuery, IntakeQuery, Slice, Window};
use postroom_domain::record::{self, Commit, Kind, Record, Registry, Write};
use postroom_domain::store::{
    Acceptance, Accepted, AgeLine, Binding, CauseGroup, Chained, Check, Division, FilingChange,
    IdempotencyKey, IntakeChange, Pause, QueueHead, Ready, Section, Store, StoreError, StoreResult, Summary,
    Tally,
};
use postroom_domain::work_item::WorkItem;
use tokio::sync::watch;

use crate::rules::{self, Planned, Told, WorkLine};

/// Open filings that share a cause.
type Group = (Cause, SiteName, ServiceName);

#[derive(Default)]
struct Rows {
    filings: BTreeMap<FilingId, Filing>,
    intakes: BTreeMap<IntakeId, Intake>,
    attempts: BTreeMap<(FilingId, u32), Attempt>,
    events: Vec<NewEvent>,
    keys: BTreeMap<String, (BlobHash, IntakeId)>,
    work_items: BTreeMap<WorkItemId, WorkItem>,
    bindings: BTreeMap<(WorkItemId, String), Binding>,
    pauses: BTreeMap<String, Pause>,
    records: BTreeMap<(Kind, u128), Record>,
    /// The greatest id of a record that was removed.
    greatest_removed: u128,
    /// When a cause was last met, for groups that have members.
    last_met: BTreeMap<Group, Timestamp>,
    closed: bool,
}

/// A store that forgets everything when it is dropped. Takes the clock from its callers like every store.
pub struct MemoryStore {
    rows: Mutex<Rows>,
    last_event: watch::Sender<u64>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { rows: Mutex::default(), last_event: watch::Sender::new(0) }
    }

    fn lock(&self) -> StoreResult<MutexGuard<'_, Rows>> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.closed { Err(StoreError::Closed) } else { Ok(rows) }
    }

    fn read<T>(&self, work: impl FnOnce(&Rows) -> T) -> StoreResult<T> {
        Ok(work(&*self.lock()?))
    }

    fn write<T>(&self, work: impl FnOnce(&mut Rows) -> StoreResult<T>) -> StoreResult<T> {
        let (result, last) = {
            let mut rows = self.lock()?;
            (work(&mut rows), rows.last_event())
        };
        self.last_event.send_if_modified(|seen| std::mem::replace(seen, last) != last);
        result
    }
}

impl Rows {
    fn last_event(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    fn event(&mut self, event: NewEvent) -> u64 {
        self.events.push(event);
        self.last_event()
    }

    fn numbered(&self) -> impl DoubleEndedIterator<Item = Event> + '_ {
        self.events.iter().enumerate().map(|(i, event)| Event {
            seq: u64::try_from(i).unwrap_or(u64::MAX).saturating_add(1),
            event: event.clone(),
        })
    }

    fn group(filing: &Filing) -> Option<Group> {
        rules::counted_cause(&filing.progress)
            .map(|cause| (cause, filing.site.clone(), filing.request.target.service.clone()))
    }

    /// Writes a filing, and keeps when the causes were last met.
    fn put(&mut self, filing: Filing, met: Option<Timestamp>) {
        let after = Self::group(&filing);
        let before = self.filings.insert(filing.id, filing).as_ref().and_then(Self::group);
        if let (Some(group), Some(met)) = (&after, met) {
            let last = self.last_met.entry(group.clone()).or_insert(met);
            *last = met.max(*last);
        }
        if let Some(group) = before.filter(|before| Some(before) != after.as_ref())
            && !self.filings.values().any(|filing| Self::group(filing).as_ref() == Some(&group))
        {
            self.last_met.remove(&group);
        }
    }

    fn first_claim(&self, request: &Request) -> Option<&Filing> {
        let place = request.target.fingerprint();
        self.filings.values().find(|filing| {
            filing.progress.state.claims_place()
                && filing.request.withheld.is_empty()
                && filing.request.blob.hash == request.blob.hash
                && filing.request.target.fingerprint() == place
        })
    }

    fn saves_of<'a>(&'a self, key: &'a str) -> impl DoubleEndedIterator<Item = &'a Filing> {
        self.filings.values().filter(move |filing| filing.request.linked().as_deref() == Some(key))
    }

    /// What a filing that is handed in repeats.
    fn repeated(&self, request: &Request) -> Option<&Filing> {
        let Some(key) = request.linked() else { return self.first_claim(request) };
        let claims = |save: &&Filing| save.progress.state.claims_place() && save.request.withheld.is_empty();
        let last = self.saves_of(&key).rfind(claims).map(|save| save.id)?;
        self.filings.get(&last).filter(|save| save.request.blob.hash == request.blob.hash)
    }

    fn refuse_known(&self, filings: &[Filing]) -> StoreResult<()> {
        let mut seen = BTreeSet::new();
        match filings.iter().find(|filing| !seen.insert(filing.id) || self.filings.contains_key(&filing.id)) {
            Some(filing) => Err(StoreError::Exists(format!("filing {}", filing.id))),
            None => Ok(()),
        }
    }

    /// Adds filings one after the other, so that each finds those before it.
    fn add(&mut self, intake: IntakeId, filings: Vec<Filing>, told: Told<'_>) -> Vec<Filing> {
        let mut added = Vec::new();
        for mut filing in filings {
            filing.intake = intake;
            if rules::may_repeat(&filing.request, filing.progress.state)
                && let Some(first) = self.repeated(&filing.request)
            {
                filing.progress = filing.progress.clone().repeating(first.id, first.progress.receipt.clone());
            }
            self.put(filing.clone(), Some(filing.received));
            let told = Told { note: "", ..told };
            self.event(told.filing(filing.id, &filing.site, None, &filing.progress, None));
            added.push(filing);
        }
        added
    }

    /// Sets an intake's numbers from its filings or sections, and lets it follow them; what it is a section of, too.
    fn count(&mut self, id: IntakeId, told: Told<'_>, grows: bool) {
        let Some(intake) = self.intakes.get(&id) else { return };
        let done: Vec<bool> = if intake.sections.is_empty() {
            let own = self.filings.values().filter(|filing| filing.intake == id);
            own.map(|filing| filing.progress.state.is_settled()).collect()
        } else {
            let sections = intake.sections.iter().filter_map(|id| self.intakes.get(id));
            sections.map(|section| section.state.is_through()).collect()
        };
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let open = number(done.iter().filter(|done| !**done).count());
        let Some(intake) = self.intakes.get_mut(&id) else { return };
        (intake.filings, intake.open_filings) = (number(done.len()), open);
        let (before, above) = (intake.state, intake.part_of);
        if let Some(after) = rules::follow(before, intake.filings, open) {
            intake.state = after;
            intake.version += u64::from(grows);
            let event = told.followed(id, &intake.site, before, after);
            self.event(event);
        }
        if let Some(above) = above {
            self.count(above, told, true);
        }
    }

    fn divide(&mut self, division: Division) -> StoreResult<()> {
        let Division { change: IntakeChange { mut next, records, actor, note, at, .. }, sections } = division;
        let found = self.intakes.get(&next.id);
        let version = found.map_or(0, |intake| intake.version);
        if version == 0 || next.version != version + 1 {
            return Err(StoreError::Conflict { found: version });
        }
        rules::may_divide(
            found.is_some_and(|it| it.part_of.is_some() || !it.sections.is_empty()),
            &sections,
        )?;
        let filings: Vec<Filing> = sections.iter().flat_map(|section| section.filings.clone()).collect();
        self.refuse_known(&filings)?;
        if let Some(known) = sections.iter().find(|section| self.intakes.contains_key(&section.intake.id)) {
            return Err(StoreError::Exists(format!("intake {}", known.intake.id)));
        }
        self.write_records(records)?;
        let told = Told { actor: &actor, note: &note, at };
        let id = next.id;
        next.sections = sections.iter().map(|section| section.intake.id).collect();
        let before = self.intakes[&id].state;
        self.event(told.intake(id, &next.site, Some(before), next.state));
        self.intakes.insert(id, next);
        let told = Told { note: "", ..told };
        let mut counted = Vec::new();
        for Section { mut intake, filings } in sections {
            let section = intake.id;
            // It is no part of the batch yet: the batch is counted when all of them are there.
            intake.part_of = None;
            self.event(told.intake(section, &intake.site, None, intake.state));
            self.intakes.insert(section, intake);
            self.add(section, filings, told);
            self.count(section, told, false);
            counted.push(section);
        }
        for section in counted {
            if let Some(section) = self.intakes.get_mut(&section) {
                section.part_of = Some(id);
            }
        }
        self.count(id, told, false);
        Ok(())
    }

    fn accept(&mut self, acceptance: Acceptance) -> StoreResult<Accepted> {
        let Acceptance { intake, filings, key, records, actor, note } = acceptance;
        if let Some(IdempotencyKey { key, fingerprint }) = &key
            && let Some((used, made)) = self.keys.get(key)
        {
            return if used == fingerprint { Ok(Accepted::Again(*made)) } else { Err(StoreError::KeyReused) };
        }
        if self.intakes.contains_key(&intake.id) {
            return Err(StoreError::Exists(format!("intake {}", intake.id)));
        }
        self.refuse_known(&filings)?;
        self.write_records(records)?;
        let told = Told { actor: &actor, note: &note, at: intake.received };
        let id = intake.id;
        self.event(told.intake(id, &intake.site, None, intake.state));
        self.intakes.insert(id, intake);
        if let Some(IdempotencyKey { key, fingerprint }) = key {
            self.keys.insert(key, (fingerprint, id));
        }
        let filings = self.add(id, filings, told);
        self.count(id, told, false);
        Ok(Accepted::Fresh(self.intakes[&id].clone(), filings))
    }

    fn change_filing(&mut self, change: FilingChange) -> StoreResult<()> {
        let FilingChange { id, expect, mut next, attempt, request, actor, note, at, also, bulk } = change;
        let Some(before) = self.filings.get(&id).cloned() else {
            return Err(StoreError::Conflict { found: 0 });
        };
        if before.progress.version != expect {
            return Err(StoreError::Conflict { found: before.progress.version });
        }
        next.version = expect + 1;
        let edited = request.is_some();
        let request = request.map_or_else(|| before.request.clone(), std::sync::Arc::new);
        let met = rules::meets(&before.progress, &next, attempt.as_ref())
            || request.target.service != before.request.target.service;
        match attempt {
            Some(AttemptChange::Begin(attempt)) => {
                self.attempts.insert((id, attempt.generation), attempt);
            }
            Some(AttemptChange::End { at, outcome, bytes_sent }) => {
                if let Some(attempt) = self.attempts.get_mut(&(id, before.progress.generation)) {
                    (attempt.ended, attempt.outcome, attempt.bytes_sent) =
                        (Some(at), Some(outcome), bytes_sent);
                }
            }
            None => {}
        }
        let told = Told { actor: &actor, note: &note, at };
        if edited {
            self.event(told.edited(id, &before.site));
        }
        self.event(told.filing(id, &before.site, Some(before.progress.state), &next, bulk));
        for event in also {
            self.event(event);
        }
        let settles = before.progress.state.is_settled() != next.state.is_settled();
        let intake = before.intake;
        self.put(Filing { request, progress: next, ..before }, met.then_some(at));
        if settles {
            self.count(intake, told, true);
        }
        Ok(())
    }

    fn change_intake(&mut self, change: IntakeChange) -> StoreResult<()> {
        let IntakeChange { next, filings, records, actor, note, at } = change;
        let found = self.intakes.get(&next.id).map_or(0, |intake| intake.version);
        if found == 0 || next.version != found + 1 {
            return Err(StoreError::Conflict { found });
        }
        self.refuse_known(&filings)?;
        self.write_records(records)?;
        let told = Told { actor: &actor, note: &note, at };
        let id = next.id;
        let before = self.intakes[&id].state;
        self.event(told.intake(id, &next.site, Some(before), next.state));
        self.intakes.insert(id, next);
        self.add(id, filings, told);
        self.count(id, told, false);
        Ok(())
    }

    fn save_work_item(
        &mut self,
        item: WorkItem,
        records: Vec<Write>,
        actor: &Actor,
        at: Timestamp,
    ) -> StoreResult<()> {
        let found = self.work_items.get(&item.id).map_or(0, |before| before.version);
        if item.version != found + 1 {
            return Err(StoreError::Conflict { found });
        }
        let same = |other: &WorkItem| {
            other.site == item.site && other.reference.to_lowercase() == item.reference.to_lowercase()
        };
        if self.work_items.values().any(|other| other.id != item.id && same(other)) {
            return Err(StoreError::Exists(format!("a work item with the reference {}", item.reference)));
        }
        self.write_records(records)?;
        self.event(Told { actor, note: "", at }.work_item(&item));
        self.work_items.insert(item.id, item);
        Ok(())
    }

    fn commit(&mut self, commit: Commit) -> StoreResult<()> {
        self.write_records(commit.writes)?;
        for event in commit.events {
            self.event(event);
        }
        Ok(())
    }

    fn write_records(&mut self, writes: Vec<Write>) -> StoreResult<()> {
        let planned = rules::plan(
            writes,
            |kind, id| Ok::<_, StoreError>(self.records.get(&(kind, id)).cloned()),
            |kind, key| Ok(self.owner(kind, key).map(|record| record.id)),
        )?;
        for Planned { kind, id, after, .. } in planned {
            if let Some(record) = after {
                self.records.insert((kind, id), record);
            } else {
                self.greatest_removed = self.greatest_removed.max(id);
                self.records.remove(&(kind, id));
            }
        }
        Ok(())
    }

    fn owner(&self, kind: Kind, key: &str) -> Option<&Record> {
        self.records.values().find(|record| record.kind == kind && record.keys.iter().any(|own| own == key))
    }

    /// The history from its beginning, as it would be kept.
    fn chain(&self) -> impl Iterator<Item = StoreResult<Chained>> + '_ {
        let mut hash = audit::START;
        self.numbered().map(move |Event { seq, event }| {
            let written = serde_json::to_vec(&event)
                .map_err(|error| StoreError::Damaged(format!("event {seq}: {error}")))?;
            hash = audit::link(&hash, seq, &written);
            Ok(Chained { seq, written, hash })
        })
    }

    fn queued(&self) -> impl Iterator<Item = (&ServiceName, &SourceName, Lane, Timestamp, FilingId)> {
        self.filings.values().filter_map(|filing| {
            let due = filing.progress.due.unwrap_or(Timestamp::MIN);
            let lane = filing.progress.lane()?;
            Some((&filing.request.target.service, &filing.source, lane, due, filing.id))
        })
    }

    fn tally(&self, wanted: impl Fn(&Filing) -> bool) -> Tally {
        let mut tally = Tally::default();
        for filing in self.filings.values().filter(|filing| wanted(filing)) {
            tally.by_state[filing.progress.state as usize] += 1;
            if tally.oldest_open.is_none() && rules::is_under_way(filing.progress.state) {
                tally.oldest_open = Some(filing.received);
            }
        }
        tally
    }

    fn summary(&self, sites: &Scope) -> Summary {
        let here = |of: &SiteName| sites.has(of);
        let filings = || self.filings.values().filter(|filing| here(&filing.site));
        let services: BTreeSet<ServiceName> =
            filings().map(|filing| filing.request.target.service.clone()).collect();
        let sources: BTreeSet<SourceName> = filings().map(|filing| filing.source.clone()).collect();
        let mut summary = Summary { filings: self.tally(|filing| here(&filing.site)), ..Summary::default() };
        for name in services {
            let tally = self.tally(|filing| here(&filing.site) && filing.request.target.service == name);
            summary.destinations.push((name, tally));
        }
        for name in sources {
            let tally = self.tally(|filing| here(&filing.site) && filing.source == name);
            summary.sources.push((name, tally));
        }
        for intake in self.intakes.values().filter(|intake| here(&intake.site)) {
            summary.intakes[intake.state as usize] += 1;
        }
        summary.last_event = self.last_event();
        summary
    }

    fn causes(&self, sites: &Scope) -> Vec<CauseGroup> {
        let mut groups: BTreeMap<(Cause, ServiceName), CauseGroup> = BTreeMap::new();
        for filing in self.filings.values().filter(|filing| sites.has(&filing.site)) {
            let Some(group) = Self::group(filing) else { continue };
            let last = self.last_met.get(&group).copied().unwrap_or(Timestamp::MIN);
            let (cause, _, service) = group;
            let sum = groups.entry((cause, service.clone())).or_insert(CauseGroup {
                cause,
                service,
                count: 0,
                need_person: 0,
                first: filing.received,
                last,
            });
            sum.count += 1;
            sum.need_person += u64::from(rules::needs_person(filing.progress.state));
            sum.last = sum.last.max(last);
        }
        let mut groups: Vec<CauseGroup> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }
}

impl Rows {
    fn ages(&self, sites: &Scope, bounds: &[Duration], now: Timestamp) -> Vec<AgeLine> {
        let mut lines: BTreeMap<ServiceName, AgeLine> = BTreeMap::new();
        let open = |filing: &&Filing| !filing.progress.state.is_settled() && sites.has(&filing.site);
        for filing in self.filings.values().rev().filter(open) {
            let service = filing.request.target.service.clone();
            let empty =
                || AgeLine { service: service.clone(), counts: vec![0; bounds.len() + 1], more: false };
            let line = lines.entry(service.clone()).or_insert_with(empty);
            line.more = line.counts.iter().sum::<u64>() == AgeLine::MOST;
            if !line.more {
                line.counts[rules::age_column(filing.id, bounds, now)] += 1;
            }
        }
        lines.into_values().collect()
    }
}

/// A part of what is found, newest first.
fn slice<T: Clone, Id: Copy + Ord>(
    rows: &BTreeMap<Id, T>,
    window: Window<Id>,
    wanted: impl Fn(&T) -> bool,
) -> Slice<T, Id> {
    let mut found =
        rows.iter().rev().filter(|(id, row)| window.before.is_none_or(|before| **id < before) && wanted(row));
    let limit = window.limit.max(1);
    let page: Vec<(&Id, &T)> = found.by_ref().take(limit).collect();
    let next = if found.next().is_some() { page.last().map(|(id, _)| **id) } else { None };
    Slice { items: page.into_iter().map(|(_, row)| row.clone()).collect(), next }
}

/// An answer that is there when it is asked for.
macro_rules! now {
    ($answer:expr) => {
        Box::pin(async move { $answer })
    };
}

impl Registry for MemoryStore {
    fn commit(&self, commit: Commit) -> Fut<'_, StoreResult<()>> {
        now!(self.write(|rows| rows.commit(commit)))
    }

    fn record_by_id(&self, kind: Kind, id: u128) -> Fut<'_, StoreResult<Option<Record>>> {
        now!(self.read(|rows| rows.records.get(&(kind, id)).cloned()))
    }

    fn record_by_key<'a>(&'a self, kind: Kind, key: &'a str) -> Fut<'a, StoreResult<Option<Record>>> {
        now!(self.read(|rows| rows.owner(kind, key).cloned()))
    }

    fn records<'a>(
        &'a self,
        kind: Kind,
        group: Option<&'a str>,
        after: Option<u128>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Record>>> {
        now!(self.read(|rows| {
            rows.records
                .values()
                .filter(|record| {
                    record.kind == kind
                        && after.is_none_or(|after| record.id > after)
                        && group.is_none_or(|group| record.groups.iter().any(|own| own == group))
                })
                .take(limit)
                .cloned()
                .collect()
        }))
    }
}

impl Store for MemoryStore {
    fn accept(&self, acceptance: Acceptance) -> Fut<'_, StoreResult<Accepted>> {
        now!(self.write(|rows| rows.accept(acceptance)))
    }

    fn change_filings(&self, changes: Vec<FilingChange>) -> Fut<'_, StoreResult<Vec<StoreResult<()>>>> {
        now!(self.write(|rows| Ok(changes.into_iter().map(|change| rows.change_filing(change)).collect())))
    }

    fn change_intake(&self, change: IntakeChange) -> Fut<'_, StoreResult<()>> {
        now!(self.write(|rows| rows.change_intake(change)))
    }

    fn divide(&self, division: Division) -> Fut<'_, StoreResult<()>> {
        now!(self.write(|rows| rows.divide(division)))
    }

    fn filing(&self, id: FilingId) -> Fut<'_, StoreResult<Option<Filing>>> {
        now!(self.read(|rows| rows.filings.get(&id).cloned()))
    }

    fn filings_by_id<'a>(&'a self, ids: &'a [FilingId]) -> Fut<'a, StoreResult<Vec<Filing>>> {
        now!(self.read(|rows| ids.iter().filter_map(|id| rows.filings.get(id).cloned()).collect()))
    }

    fn attempts(&self, id: FilingId) -> Fut<'_, StoreResult<Vec<Attempt>>> {
        now!(
            self.read(|rows| rows.attempts.range((id, 0)..=(id, u32::MAX)).map(|(_, a)| a.clone()).collect())
        )
    }

    fn intake(&self, id: IntakeId) -> Fut<'_, StoreResult<Option<Intake>>> {
        now!(self.read(|rows| rows.intakes.get(&id).cloned()))
    }

    fn intake_filings(&self, id: IntakeId) -> Fut<'_, StoreResult<Vec<Filing>>> {
        now!(self.read(|rows| rows.filings.values().filter(|filing| filing.intake == id).cloned().collect()))
    }

    fn linked<'a>(&'a self, key: &'a str) -> Fut<'a, StoreResult<Vec<Filing>>> {
        now!(self.read(|rows| rows.saves_of(key).cloned().collect()))
    }

    fn list_filings<'a>(
        &'a self,
        query: &'a FilingQuery,
        window: Window<FilingId>,
        now: Timestamp,
    ) -> Fut<'a, StoreResult<Slice<Filing, FilingId>>> {
        now!(self.read(|rows| slice(&rows.filings, window, |filing| query.matches(filing, now))))
    }

    fn list_intakes<'a>(
        &'a self,
        query: &'a IntakeQuery,
        window: Window<IntakeId>,
    ) -> Fut<'a, StoreResult<Slice<Intake, IntakeId>>> {
        now!(self.read(|rows| slice(&rows.intakes, window, |intake| query.matches(intake))))
    }

    fn queues(&self) -> Fut<'_, StoreResult<Vec<QueueHead>>> {
        now!(self.read(|rows| {
            let mut queues: BTreeMap<(ServiceName, SourceName, Lane), Timestamp> = BTreeMap::new();
            for (service, source, lane, due, _) in rows.queued() {
                let first = queues.entry((service.clone(), source.clone(), lane)).or_insert(due);
                *first = due.min(*first);
            }
            queues
                .into_iter()
                .map(|((service, source, lane), first_due)| QueueHead { service, source, lane, first_due })
                .collect()
        }))
    }

    fn ready<'a>(
        &'a self,
        service: &'a ServiceName,
        source: &'a SourceName,
        lane: Lane,
        now: Timestamp,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Ready>>> {
        now!(self.read(|rows| {
            let due: BTreeSet<(Timestamp, FilingId)> = rows
                .queued()
                .filter(|(a, b, c, due, _)| (*a, *b, *c) == (service, source, lane) && *due <= now)
                .map(|(.., due, id)| (due, id))
                .collect();
            due.into_iter().take(limit).map(|(due, id)| Ready { id, lane, due }).collect()
        }))
    }

    fn due_beyond(&self, at: Timestamp, limit: usize) -> Fut<'_, StoreResult<Vec<FilingId>>> {
        now!(self.read(|rows| {
            rows.queued().filter(|(.., due, _)| *due > at).map(|(.., id)| id).take(limit).collect()
        }))
    }

    fn in_state<'a>(
        &'a self,
        service: Option<&'a ServiceName>,
        state: State,
        after: Option<FilingId>,
        limit: usize,
    ) -> Fut<'a, StoreResult<Vec<Filing>>> {
        now!(self.read(|rows| {
            rows.filings
                .values()
                .filter(|filing| {
                    filing.progress.state == state
                        && service.is_none_or(|service| *service == filing.request.target.service)
                        && after.is_none_or(|after| filing.id > after)
                })
                .take(limit)
                .cloned()
                .collect()
        }))
    }

    fn summary<'a>(&'a self, sites: &'a Scope) -> Fut<'a, StoreResult<Summary>> {
        now!(self.read(|rows| rows.summary(sites)))
    }

    fn causes<'a>(&'a self, sites: &'a Scope) -> Fut<'a, StoreResult<Vec<CauseGroup>>> {
        now!(self.read(|rows| rows.causes(sites)))
    }

    fn ages<'a>(
        &'a self,
        sites: &'a Scope,
        bounds: &'a [Duration],
        now: Timestamp,
    ) -> Fut<'a, StoreResult<Vec<AgeLine>>> {
        now!(self.read(|rows| rows.ages(sites, bounds, now)))
    }

    fn arrivals_since<'a>(
        &'a self,
        sites: &'a Scope,
        since: Timestamp,
    ) -> Fut<'a, StoreResult<Vec<(SourceName, u64)>>> {
        now!(self.read(|rows| {
            let mut counts = BTreeMap::new();
            let recent = rows.intakes.values().filter(|it| it.id.millis() >= since.as_millisecond());
            for intake in recent.filter(|it| sites.has(&it.site)) {
                *counts.entry(intake.source.clone()).or_insert(0) += 1;
            }
            counts.into_iter().collect()
        }))
    }

    fn record(&self, event: NewEvent) -> Fut<'_, StoreResult<u64>> {
        now!(self.write(|rows| Ok(rows.event(event))))
    }

    fn events_after(&self, seq: u64, limit: usize) -> Fut<'_, StoreResult<Vec<Event>>> {
        now!(self.read(|rows| rows.numbered().filter(|event| event.seq > seq).take(limit).collect()))
    }

    fn chain_after(&self, seq: u64, limit: usize) -> Fut<'_, StoreResult<Vec<Chained>>> {
        now!(
            self.lock()?
                .chain()
                .filter(|link| link.as_ref().map_or(true, |link| link.seq > seq))
                .take(limit)
                .collect()
        )
    }

    fn events_about<'a>(&'a self, subject: &'a Subject, limit: usize) -> Fut<'a, StoreResult<Vec<Event>>> {
        now!(self.read(|rows| {
            let mut events: Vec<Event> =
                rows.numbered().filter(|event| event.event.subject == *subject).collect();
            events.split_off(events.len().saturating_sub(limit))
        }))
    }

    fn wait_beyond(&self, seq: u64, patience: Duration) -> Fut<'_, u64> {
        Box::pin(crate::news::beyond(&self.last_event, seq, patience))
    }

    fn names_blob(&self, hash: BlobHash) -> Fut<'_, StoreResult<bool>> {
        now!(self.read(|rows| {
            let of = |filing: &&Filing| filing.request.blob.hash == hash;
            let released = |filing: &Filing| filing.progress.released.is_some();
            rows.filings.values().filter(of).any(|filing| !released(filing))
                || rows.intakes.values().any(|intake| {
                    let own = rows.filings.values().filter(of).filter(|filing| filing.intake == intake.id);
                    intake.documents.iter().any(|document| document.blob.hash == hash)
                        && rules::intake_needs(&own.map(released).collect::<Vec<_>>())
                })
                || rows.records.values().filter(|record| Kind::NAMING.contains(&record.kind)).any(|record| {
                    record
                        .groups
                        .iter()
                        .any(|group| record::named(group).is_some_and(|blob| blob.hash == hash))
                })
        }))
    }

    fn pause(&self, pause: Pause) -> Fut<'_, StoreResult<()>> {
        now!(self.write(|rows| {
            rows.event(rules::paused(&pause));
            rows.pauses.insert(pause.door.clone(), pause);
            Ok(())
        }))
    }

    fn resume<'a>(&'a self, door: &'a str, by: &'a Actor, at: Timestamp) -> Fut<'a, StoreResult<bool>> {
        now!(self.write(|rows| {
            let stopped = rows.pauses.remove(door);
            if let Some(pause) = &stopped {
                rows.event(Told { actor: by, note: "", at }.resumed(pause));
            }
            Ok(stopped.is_some())
        }))
    }

    fn pauses(&self) -> Fut<'_, StoreResult<Vec<Pause>>> {
        now!(self.read(|rows| rows.pauses.values().cloned().collect()))
    }

    fn save_work_item<'a>(
        &'a self,
        item: WorkItem,
        records: Vec<Write>,
        actor: &'a Actor,
        at: Timestamp,
    ) -> Fut<'a, StoreResult<()>> {
        now!(self.write(|rows| rows.save_work_item(item, records, actor, at)))
    }

    fn work_item(&self, id: WorkItemId) -> Fut<'_, StoreResult<Option<WorkItem>>> {
        now!(self.read(|rows| rows.work_items.get(&id).cloned()))
    }

    fn work_item_by_reference<'a>(
        &'a self,
        site: &'a SiteName,
        reference: &'a str,
    ) -> Fut<'a, StoreResult<Option<WorkItem>>> {
        now!(self.read(|rows| {
            let reference = reference.to_lowercase();
            let mut items = rows.work_items.values();
            items.find(|item| item.site == *site && item.reference.to_lowercase() == reference).cloned()
        }))
    }

    fn list_work_items<'a>(
        &'a self,
        sites: &'a Scope,
        text: &'a str,
        window: Window<WorkItemId>,
    ) -> Fut<'a, StoreResult<Slice<WorkItem, WorkItemId>>> {
        now!(self.read(|rows| {
            let text = text.to_lowercase();
            slice(&rows.work_items, window, |item| {
                let line = WorkLine::of(item);
                sites.has(&item.site) && rules::found(&line.reference, &line.words, &text)
            })
        }))
    }

    fn binding<'a>(
        &'a self,
        work_item: WorkItemId,
        repository: &'a RepositoryName,
    ) -> Fut<'a, StoreResult<Option<Binding>>> {
        now!(self.read(|rows| rows.bindings.get(&(work_item, repository.to_string())).cloned()))
    }

    fn bind<'a>(
        &'a self,
        work_item: WorkItemId,
        repository: &'a RepositoryName,
        binding: Option<Binding>,
        told: Option<NewEvent>,
    ) -> Fut<'a, StoreResult<()>> {
        now!(self.write(|rows| {
            if let Some(event) = told {
                rows.event(event);
            }
            let key = (work_item, repository.to_string());
            match binding {
                Some(binding) => rows.bindings.insert(key, binding),
                None => rows.bindings.remove(&key),
            };
            Ok(())
        }))
    }

    fn prove(&self) -> Fut<'_, StoreResult<Duration>> {
        now!(self.read(|_| Duration::ZERO))
    }

    fn greatest_id(&self) -> u128 {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let filing = rows.filings.keys().next_back().map_or(0, |id| id.as_u128());
        let intake = rows.intakes.keys().next_back().map_or(0, |id| id.as_u128());
        let item = rows.work_items.keys().next_back().map_or(0, |id| id.as_u128());
        let record = rows.records.keys().map(|(_, id)| *id).max().unwrap_or(0);
        [filing, intake, item, record, rows.greatest_removed].into_iter().max().unwrap_or(0)
    }

    fn failed(&self) -> Option<String> {
        None
    }

    fn self_check(&self) -> Fut<'_, StoreResult<Check>> {
        now!(self.read(|rows| {
            let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            Check {
                filings: count(rows.filings.len()),
                intakes: count(rows.intakes.len()),
                wrong: Vec::new(),
            }
        }))
    }

    fn close(&self) -> Fut<'_, StoreResult<()>> {
        now!(self.lock().map(|mut rows| rows.closed = true))
    }
}
