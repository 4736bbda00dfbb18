//! The changes of intakes and filings, each a command of the writer: first everything is read and checked, then written.

use postroom_domain::filing::{Attempt, Filing};
use postroom_domain::ids::IntakeId;
use postroom_domain::intake::{Intake, IntakeState};
use postroom_domain::machine::AttemptChange;
use postroom_domain::person::Actor;
use postroom_domain::record::Write;
use postroom_domain::store::{Accepted, FilingChange, IdempotencyKey, IntakeChange, StoreError, StoreResult};
use redb::ReadableTable;

use super::batch::{Batch, Newcomer, json, parse, row};
use super::head::{Head, IntakeHead, Role};
use super::{Stop, keys, records};
use crate::rules::{self, Told};

/// An acceptance with its texts encoded.
pub(super) struct Acceptance {
    pub(super) intake: Intake,
    pub(super) filings: Vec<Newcomer>,
    pub(super) key: Option<IdempotencyKey>,
    records: Vec<Write>,
    pub(super) actor: Actor,
    pub(super) note: String,
}

impl Acceptance {
    pub(super) fn new(given: postroom_domain::store::Acceptance) -> StoreResult<Self> {
        Ok(Self {
            filings: given.filings.into_iter().map(Newcomer::new).collect::<StoreResult<_>>()?,
            intake: given.intake,
            key: given.key,
            records: given.records,
            actor: given.actor,
            note: given.note,
        })
    }

    /// About what it writes.
    pub(super) fn bytes(&self) -> usize {
        let filings = self.filings.iter().map(|new| new.body.len() + 1024).sum::<usize>();
        2048 + filings + records::bytes(&self.records)
    }
}

fn key_row(key: &IdempotencyKey, intake: IntakeId) -> [u8; 48] {
    keys::join(&[key.fingerprint.as_bytes(), &intake.as_u128().to_be_bytes()])
}

/// A number of filings as it stands in an intake.
fn count(filings: usize) -> u32 {
    u32::try_from(filings).unwrap_or(u32::MAX)
}

/// Writes an intake with its filings.
pub(super) fn accept(batch: &mut Batch<'_>, given: Acceptance) -> Result<Accepted, Stop> {
    let Acceptance { mut intake, mut filings, key, records, actor, note } = given;
    if let Some(key) = &key {
        let used = row(batch.tables.keys()?, key.key.as_str(), |bytes| Ok(*bytes))?;
        if let Some(used) = used {
            if used[..32] != key.fingerprint.as_bytes()[..] {
                return Err(StoreError::KeyReused.into());
            }
            return Ok(Accepted::Again(IntakeId::from_u128(keys::id_of(&used))));
        }
    }
    let id = intake.id.as_u128();
    if batch.intake(id)?.is_some() {
        return Err(StoreError::Exists(format!("intake {}", intake.id)).into());
    }
    belong(&mut filings, intake.id);
    check_new(batch, filings.iter())?;
    plan_duplicates(batch, filings.iter_mut())?;
    records::write(batch, records)?;

    let told = Told { actor: &actor, note: &note, at: intake.received };
    if let Some(key) = &key {
        batch.tables.keys()?.insert(key.key.as_str(), &key_row(key, intake.id))?;
    }
    write_intake(batch, &mut intake, &filings, told)?;
    Ok(Accepted::Fresh(intake, filings.into_iter().map(|new| new.filing).collect()))
}

/// Writes a new intake with its filings.
fn write_intake(
    batch: &mut Batch<'_>,
    intake: &mut Intake,
    filings: &[Newcomer],
    told: Told<'_>,
) -> Result<(), Stop> {
    let first_state = intake.state;
    intake.filings = count(filings.len());
    intake.open_filings = count(filings.iter().filter(|new| !new.filing.progress.state.is_settled()).count());
    intake.state = rules::follow(intake.state, intake.filings, intake.open_filings).unwrap_or(intake.state);
    let body = json(intake)?;
    let (site, source) = batch.intake_place(&intake.site, &intake.source)?;
    let head = IntakeHead {
        role: Role::of(intake),
        site,
        source,
        state: intake.state,
        version: intake.version,
        filings: intake.filings,
        open_filings: intake.open_filings,
    };
    batch.put_intake_head(intake.id.as_u128(), None, &head)?;
    batch.put_intake_body(None, intake, &body)?;
    batch.event(&told.intake(intake.id, &intake.site, None, first_state))?;
    write_new(batch, filings, told)?;
    if intake.state != first_state {
        batch.event(&told.followed(intake.id, &intake.site, first_state, intake.state))?;
    }
    Ok(())
}

/// A section with its texts encoded.
pub(super) struct Part {
    pub(super) intake: Intake,
    pub(super) filings: Vec<Newcomer>,
}

/// Divides an intake.
pub(super) fn divide(batch: &mut Batch<'_>, change: IntakeChange, mut parts: Vec<Part>) -> Result<(), Stop> {
    let IntakeChange { mut next, records, actor, note, at, .. } = change;
    let id = next.id.as_u128();
    let Some(head) = batch.intake(id)? else { return Err(StoreError::Conflict { found: 0 }.into()) };
    if next.version != head.version + 1 {
        return Err(StoreError::Conflict { found: head.version }.into());
    }
    if head.role != Role::Alone {
        let wrong = "an intake is divided once, and its sections are not";
        return Err(StoreError::Damaged(wrong.to_owned()).into());
    }
    for part in &mut parts {
        part.intake.part_of = Some(next.id);
        belong(&mut part.filings, part.intake.id);
        if batch.intake(part.intake.id.as_u128())?.is_some() {
            return Err(StoreError::Exists(format!("intake {}", part.intake.id)).into());
        }
    }
    check_new(batch, parts.iter().flat_map(|part| &part.filings))?;
    plan_duplicates(batch, parts.iter_mut().flat_map(|part| &mut part.filings))?;
    let before = batch.intake_body(next.id)?;
    records::write(batch, records)?;

    let told = Told { actor: &actor, note: &note, at };
    let decided = next.state;
    next.sections = parts.iter().map(|part| part.intake.id).collect();
    batch.event(&told.intake(next.id, &next.site, Some(head.state), decided))?;
    let told = Told { note: "", ..told };
    for part in &mut parts {
        write_intake(batch, &mut part.intake, &part.filings, told)?;
    }
    next.filings = count(parts.len());
    next.open_filings = count(parts.iter().filter(|part| !part.intake.state.is_through()).count());
    next.state = rules::follow(decided, next.filings, next.open_filings).unwrap_or(decided);
    if next.state != decided {
        batch.event(&told.followed(next.id, &next.site, decided, next.state))?;
    }
    let body = json(&next)?;
    let after = IntakeHead {
        role: Role::Batch,
        state: next.state,
        version: next.version,
        filings: next.filings,
        open_filings: next.open_filings,
        ..head
    };
    batch.put_intake_head(id, Some(&head), &after)?;
    batch.put_intake_body(Some(&before), &next, &body)
}

/// The batch that an intake is a section of.
fn batch_of(batch: &mut Batch<'_>, id: u128, head: &IntakeHead) -> Result<Option<(u128, IntakeHead)>, Stop> {
    if head.role != Role::Section {
        return Ok(None);
    }
    let above = batch.intake_body(IntakeId::from_u128(id))?.part_of.map(IntakeId::as_u128);
    let above = above.ok_or_else(|| Stop::damaged("a section without its batch"))?;
    let head = batch.intake(above)?.ok_or_else(|| Stop::damaged("a section of a batch that is missing"))?;
    Ok(Some((above, head)))
}

/// A batch follows its section, which came to its end or is under way again.
fn follow_section(
    batch: &mut Batch<'_>,
    above: Option<(u128, IntakeHead)>,
    (was, is): (IntakeState, IntakeState),
    told: Told<'_>,
) -> Result<(), Stop> {
    let Some((id, head)) = above.filter(|_| was.is_through() != is.is_through()) else { return Ok(()) };
    let site = batch.site(head.site)?;
    let mut after = head;
    after.open_filings = if is.is_through() {
        head.open_filings.saturating_sub(1)
    } else {
        head.open_filings.saturating_add(1)
    };
    if let Some(state) = rules::follow(head.state, after.filings, after.open_filings) {
        after.state = state;
        after.version += 1;
        batch.event(&told.followed(IntakeId::from_u128(id), &site, head.state, state))?;
    }
    batch.put_intake_head(id, Some(&head), &after)
}

/// The filings are this intake's, whatever they say.
fn belong(filings: &mut [Newcomer], intake: IntakeId) {
    for new in filings {
        new.filing.intake = intake;
    }
}

/// No filing may exist already, and none be given twice.
fn check_new<'f>(batch: &mut Batch<'_>, filings: impl Iterator<Item = &'f Newcomer>) -> Result<(), Stop> {
    let mut ids = std::collections::HashSet::new();
    for new in filings {
        let id = new.filing.id;
        if !ids.insert(id) || batch.tables.heads()?.get(&id.as_u128().to_be_bytes())?.is_some() {
            return Err(StoreError::Exists(format!("filing {id}")).into());
        }
    }
    Ok(())
}

/// Turns filings whose content is at their target already, or on its way there, into duplicates; also of one another.
fn plan_duplicates<'f>(
    batch: &mut Batch<'_>,
    filings: impl Iterator<Item = &'f mut Newcomer>,
) -> Result<(), Stop> {
    let mut here = std::collections::HashMap::new();
    let mut saves = std::collections::HashMap::new();
    for new in filings {
        let Filing { id, request, progress, .. } = &mut new.filing;
        let place = (request.blob.hash, request.target.fingerprint());
        let linked = request.linked();
        if rules::may_repeat(request, progress.state) {
            let first = match &linked {
                // The last of this acceptance is later than any that is there.
                Some(key) => match saves.get(key) {
                    Some((hash, first)) => (*hash == request.blob.hash).then_some((*first, None)),
                    None => batch
                        .last_save(key)?
                        .filter(|(_, _, other)| other.blob.hash == request.blob.hash)
                        .map(|(first, of, _)| (first, of.receipt)),
                },
                None => match batch.first_claim(request)? {
                    Some((first, of)) => Some((first, of.receipt)),
                    None => here.get(&place).cloned(),
                },
            };
            if let Some((first, receipt)) = first {
                *progress = progress.clone().repeating(first, receipt);
            }
        }
        if progress.state.claims_place() && request.withheld.is_empty() {
            if let Some(key) = linked {
                saves.insert(key, (request.blob.hash, *id));
            }
            here.entry(place).or_insert_with(|| (*id, progress.receipt.clone()));
        }
    }
    Ok(())
}

fn write_new(batch: &mut Batch<'_>, filings: &[Newcomer], told: Told<'_>) -> Result<(), Stop> {
    for new in filings {
        batch.insert_filing(new)?;
        let filing = &new.filing;
        let told = Told { note: "", ..told };
        batch.event(&told.filing(filing.id, &filing.site, None, &filing.progress, None))?;
    }
    Ok(())
}

/// Changes filings, each for itself.
pub(super) fn change_filings(
    batch: &mut Batch<'_>,
    changes: Vec<(FilingChange, Vec<u8>)>,
) -> Result<Vec<StoreResult<()>>, Stop> {
    let mut results = Vec::with_capacity(changes.len());
    for (change, body) in changes {
        batch.next_change();
        match batch.command(|batch| change_filing(batch, change, &body)) {
            Ok(()) => results.push(Ok(())),
            Err(Stop::Refused(error)) => results.push(Err(error)),
            Err(broken) => return Err(broken),
        }
    }
    batch.next_change();
    Ok(results)
}

fn change_filing(batch: &mut Batch<'_>, change: FilingChange, body: &[u8]) -> Result<(), Stop> {
    let FilingChange { id: filing, expect, mut next, attempt, request, actor, note, at, also, bulk } = change;
    let id = filing.as_u128();
    let Some((head, before)) = batch.filing(id)? else {
        return Err(StoreError::Conflict { found: 0 }.into());
    };
    if head.version != expect {
        return Err(StoreError::Conflict { found: head.version }.into());
    }
    next.version = expect + 1;
    let site = batch.site(head.site)?;
    let old_request = if request.is_some() { Some(batch.request(id)?) } else { None };
    let settles = before.state.is_settled() != next.state.is_settled();
    let intake = if settles { batch.intake(head.intake)? } else { None };
    let above = match &intake {
        Some(intake) => batch_of(batch, head.intake, intake)?,
        None => None,
    };
    let attempt_row = attempt_row(batch, id, before.generation, attempt.as_ref())?;

    // From here on it is written.
    batch.writing();
    let mut place = super::head::Place { site: head.site, service: head.service, source: head.source };
    if let (Some(old), Some(new)) = (&old_request, &request) {
        place.service = batch.service(&new.target.service)?;
        batch.put_request(id, old, new, body)?;
    }
    if let Some((generation, attempt)) = attempt_row {
        batch.tables.attempts()?.insert(&attempt_key(id, generation), json(&attempt)?.as_slice())?;
    }
    let (after, detail) = Head::split(place, head.intake, head.received, &next);
    let met = rules::meets(&before, &next, attempt.as_ref()) || place.service != head.service;
    batch.put_head(id, Some(&head), &after, &detail, met.then_some(at))?;
    let told = Told { actor: &actor, note: &note, at };
    if request.is_some() {
        batch.event(&told.edited(filing, &site))?;
    }
    batch.event(&told.filing(filing, &site, Some(before.state), &next, bulk))?;
    for event in &also {
        batch.event(event)?;
    }
    if let Some(intake) = intake {
        let mut follows = intake;
        follows.open_filings = if next.state.is_settled() {
            intake.open_filings.saturating_sub(1)
        } else {
            intake.open_filings.saturating_add(1)
        };
        if let Some(state) = rules::follow(intake.state, follows.filings, follows.open_filings) {
            follows.state = state;
            follows.version += 1;
            batch.event(&told.followed(IntakeId::from_u128(head.intake), &site, intake.state, state))?;
        }
        batch.put_intake_head(head.intake, Some(&intake), &follows)?;
        follow_section(batch, above, (intake.state, follows.state), told)?;
    }
    Ok(())
}

/// The key of an attempt.
pub(super) fn attempt_key(id: u128, generation: u32) -> [u8; 20] {
    keys::join(&[&id.to_be_bytes(), &generation.to_be_bytes()])
}

/// The attempt as it is to be written: a new one, or the present one with its end.
fn attempt_row(
    batch: &mut Batch<'_>,
    id: u128,
    generation: u32,
    change: Option<&AttemptChange>,
) -> Result<Option<(u32, Attempt)>, Stop> {
    match change {
        None => Ok(None),
        Some(AttemptChange::Begin(attempt)) => Ok(Some((attempt.generation, attempt.clone()))),
        Some(AttemptChange::End { at, outcome, bytes_sent }) => {
            let found = row(batch.tables.attempts()?, &attempt_key(id, generation), |bytes| {
                parse::<Attempt>(bytes, "attempt")
            })?;
            Ok(found.map(|attempt| {
                let ended = Attempt {
                    ended: Some(*at),
                    outcome: Some(outcome.clone()),
                    bytes_sent: *bytes_sent,
                    ..attempt
                };
                (generation, ended)
            }))
        }
    }
}

/// An intake's change with its texts encoded.
pub(super) struct Decision {
    pub(super) change: IntakeChange,
    pub(super) filings: Vec<Newcomer>,
}

/// Changes an intake, and adds filings to it.
pub(super) fn change_intake(batch: &mut Batch<'_>, decision: Decision) -> Result<(), Stop> {
    let Decision { change: IntakeChange { mut next, records, actor, note, at, .. }, mut filings } = decision;
    let id = next.id.as_u128();
    let Some(head) = batch.intake(id)? else { return Err(StoreError::Conflict { found: 0 }.into()) };
    if next.version != head.version + 1 {
        return Err(StoreError::Conflict { found: head.version }.into());
    }
    belong(&mut filings, next.id);
    check_new(batch, filings.iter())?;
    plan_duplicates(batch, filings.iter_mut())?;
    let before = batch.intake_body(next.id)?;
    let above = batch_of(batch, id, &head)?;
    // What it is to others is nothing that a decision changes.
    (next.part_of, next.sections) = (before.part_of, before.sections.clone());
    records::write(batch, records)?;

    let told = Told { actor: &actor, note: &note, at };
    let open = count(filings.iter().filter(|new| !new.filing.progress.state.is_settled()).count());
    let decided = next.state;
    next.filings = head.filings.saturating_add(count(filings.len()));
    next.open_filings = head.open_filings.saturating_add(open);
    next.state = rules::follow(next.state, next.filings, next.open_filings).unwrap_or(next.state);
    let body = json(&next)?;
    let (site, source) = batch.intake_place(&next.site, &next.source)?;
    let after = IntakeHead {
        role: head.role,
        site,
        source,
        state: next.state,
        version: next.version,
        filings: next.filings,
        open_filings: next.open_filings,
    };
    batch.put_intake_head(id, Some(&head), &after)?;
    batch.put_intake_body(Some(&before), &next, &body)?;
    batch.event(&told.intake(next.id, &next.site, Some(head.state), decided))?;
    write_new(batch, &filings, told)?;
    if next.state != decided {
        batch.event(&told.followed(next.id, &next.site, decided, next.state))?;
    }
    follow_section(batch, above, (head.state, next.state), told)
}
