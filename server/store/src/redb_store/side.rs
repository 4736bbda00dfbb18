//! The small records beside intakes and filings: work items, remembered workspaces, pauses, events of their own.

use jiff::Timestamp;
use postroom_domain::event::NewEvent;
use postroom_domain::ids::{RepositoryName, WorkItemId};
use postroom_domain::person::Actor;
use postroom_domain::record::Write;
use postroom_domain::store::{Binding, Pause, StoreError};
use postroom_domain::work_item::WorkItem;
use redb::ReadableTable;

use super::batch::{Batch, json, parse, row};
use super::schema::meta;
use super::{Stop, keys, records};
use crate::rules::{self, Told, WorkLine};

/// What a work item is searched by, as one row: length of the reference, reference, words.
fn encode_line(line: &WorkLine) -> Vec<u8> {
    let length = u32::try_from(line.reference.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), line.reference.as_bytes(), line.words.as_bytes()].concat()
}

/// Reference and words of such a row.
pub(super) fn decode_line(bytes: &[u8]) -> Option<(&str, &str)> {
    let (length, text) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    let (reference, words) = text.split_at_checked(usize::try_from(length).ok()?)?;
    Some((std::str::from_utf8(reference).ok()?, std::str::from_utf8(words).ok()?))
}

pub(super) fn save_work_item(
    batch: &mut Batch<'_>,
    item: &WorkItem,
    writes: Vec<Write>,
    actor: &Actor,
    at: Timestamp,
) -> Result<(), Stop> {
    let id = item.id.as_u128().to_be_bytes();
    let before: Option<WorkItem> = row(batch.tables.work_items()?, &id, |bytes| parse(bytes, "work item"))?;
    let found = before.as_ref().map_or(0, |before| before.version);
    if item.version != found + 1 {
        return Err(StoreError::Conflict { found }.into());
    }
    let reference = keys::reference(&item.site, &item.reference);
    let owner = row(batch.tables.work_references()?, reference.as_str(), |id| Ok(*id))?;
    if owner.is_some_and(|owner| owner != id) {
        return Err(StoreError::Exists(format!("a work item with the reference {}", item.reference)).into());
    }
    let row = json(item)?;
    records::write(batch, writes)?;

    batch.writing();
    let (site, moved) = (batch.site_number(&item.site)?, before.as_ref().map(|before| before.site.clone()));
    if let Some(old) = moved.filter(|old| *old != item.site) {
        let old = batch.site_number(&old)?;
        batch.tables.work_by_site()?.remove(&keys::join(&[&old.to_be_bytes(), &id]))?;
    }
    batch.tables.work_by_site()?.insert(&keys::join(&[&site.to_be_bytes(), &id]), ())?;
    if let Some(before) = before {
        let old = keys::reference(&before.site, &before.reference);
        batch.tables.work_references()?.remove(old.as_str())?;
    }
    batch.tables.work_references()?.insert(reference.as_str(), &id)?;
    batch.tables.work_items()?.insert(&id, row.as_slice())?;
    batch.tables.work_lines()?.insert(&id, encode_line(&WorkLine::of(item)).as_slice())?;
    batch.ledger.greatest_id = batch.ledger.greatest_id.max(item.id.as_u128());
    batch.event(&Told { actor, note: "", at }.work_item(item))?;
    Ok(())
}

pub(super) fn pause(batch: &mut Batch<'_>, pause: &Pause) -> Result<(), Stop> {
    let row = json(pause)?;
    batch.writing();
    batch.tables.pauses()?.insert(pause.door.as_str(), row.as_slice())?;
    batch.event(&rules::paused(pause))?;
    Ok(())
}

pub(super) fn resume(batch: &mut Batch<'_>, door: &str, by: &Actor, at: Timestamp) -> Result<bool, Stop> {
    let Some(row) = batch.tables.pauses()?.get(door)?.map(|row| row.value().to_vec()) else {
        return Ok(false);
    };
    let pause: Pause = parse(&row, "pause")?;
    batch.writing();
    batch.tables.pauses()?.remove(door)?;
    batch.event(&Told { actor: by, note: "", at }.resumed(&pause))?;
    Ok(true)
}

pub(super) fn bind(
    batch: &mut Batch<'_>,
    work_item: WorkItemId,
    repository: &RepositoryName,
    binding: Option<&Binding>,
    told: Option<&NewEvent>,
) -> Result<(), Stop> {
    let key = keys::binding(work_item, repository);
    let row = binding.map(json).transpose()?;
    batch.writing();
    match row {
        Some(row) => batch.tables.bindings()?.insert(key.as_slice(), row.as_slice())?.is_some(),
        None => batch.tables.bindings()?.remove(key.as_slice())?.is_some(),
    };
    if let Some(event) = told {
        batch.event(event)?;
    }
    Ok(())
}

/// The tiny row that proves that the store takes writes.
pub(super) fn prove(batch: &mut Batch<'_>) -> Result<(), Stop> {
    let proofs = row(batch.tables.meta()?, meta::PROOF, Ok)?.unwrap_or(0);
    batch.writing();
    batch.tables.meta()?.insert(meta::PROOF, proofs.wrapping_add(1))?;
    Ok(())
}
