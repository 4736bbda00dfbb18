//! Files of older versions of Postroom are brought up to date when they are opened, portion by portion, each in a transaction: who is
//! killed meanwhile goes on at the next start. Only the last transaction raises the version.

use std::time::Instant;

use postroom_domain::audit;
use postroom_domain::work_item::WorkItem;
use redb::{Database, ReadableDatabase, ReadableTable};

use super::batch::{number, parse};
use super::names::Names;
use super::schema::{self, Shelf, Tables, meta};
use super::{Stop, keys};

/// Brings a file up to date. Tells how many events were given a hash.
pub(super) fn migrate(database: &Database, found: u64, portion: usize) -> Result<u64, Stop> {
    if found >= schema::VERSION {
        return Ok(0);
    }
    let start = Instant::now();
    tracing::info!(
        from = found,
        to = schema::VERSION,
        "the store of an older Postroom is brought up to date"
    );
    make_tables(database)?;
    // What came with versions 3 and 4 has no rows in an older file: no document was kept linked, no intake divided then.
    let hashed = if found < 2 {
        let hashed = hash_events(database, portion.max(1), start)?;
        place_work_items(database, portion.max(1))?;
        hashed
    } else {
        0
    };
    write(database, |tables| {
        tables.meta()?.insert(meta::SCHEMA, schema::VERSION)?;
        Ok(())
    })?;
    tracing::info!(events = hashed, seconds = start.elapsed().as_secs_f64(), "the store is up to date");
    Ok(hashed)
}

/// Makes the tables that an older file does not have.
pub(super) fn make_tables(database: &Database) -> Result<(), Stop> {
    write(database, |tables| {
        tables.make_all()?;
        Ok(())
    })
}

fn write<T>(database: &Database, work: impl FnOnce(&mut Tables<'_>) -> Result<T, Stop>) -> Result<T, Stop> {
    let transaction = database.begin_write()?;
    let done = work(&mut Tables::new(&transaction))?;
    transaction.commit()?;
    Ok(done)
}

/// Gives every event its hash, beginning after the last one that has one.
fn hash_events(database: &Database, portion: usize, start: Instant) -> Result<u64, Stop> {
    let last = |shelf: &Shelf| Ok::<_, Stop>(shelf.events()?.last()?.map_or(0, |(seq, _)| seq.value()));
    let last = last(&Shelf(database.begin_read()?))?;
    let mut hashed = 0;
    loop {
        let (done, reached) = write(database, |tables| hash_portion(tables, portion))?;
        hashed += done;
        if done == 0 {
            return Ok(hashed);
        }
        let seconds = start.elapsed().as_secs_f64();
        tracing::info!(event = reached, last, seconds, "events are being chained");
    }
}

fn hash_portion(tables: &mut Tables<'_>, portion: usize) -> Result<(u64, u64), Stop> {
    let (mut reached, mut hash) =
        tables.event_hashes()?.last()?.map_or((0, audit::START), |(seq, hash)| (seq.value(), *hash.value()));
    let mut hashes = Vec::with_capacity(portion);
    for event in tables.events()?.range(reached + 1..)?.take(portion) {
        let (seq, written) = event?;
        reached = seq.value();
        hash = audit::link(&hash, reached, written.value());
        hashes.push((reached, hash));
    }
    let table = tables.event_hashes()?;
    for (seq, hash) in &hashes {
        table.insert(seq, hash)?;
    }
    Ok((u64::try_from(hashes.len()).unwrap_or(u64::MAX), reached))
}

/// Lists every work item by its site. Begun again from the first after a kill: what is listed already stays as it is.
fn place_work_items(database: &Database, portion: usize) -> Result<(), Stop> {
    let mut names = Names::load(&Shelf(database.begin_read()?))?;
    let mut after = None;
    loop {
        let page = {
            let shelf = Shelf(database.begin_read()?);
            let first = after.map_or([0; 16], u128::to_be_bytes);
            let mut page = Vec::new();
            for item in shelf.work_items()?.range::<&[u8; 16]>(&first..)?.take(portion) {
                let (key, item) = item?;
                page.push((*key.value(), parse::<WorkItem>(item.value(), "work item")?.site));
            }
            page
        };
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = u128::from_be_bytes(*last).checked_add(1);
        write(database, |tables| {
            for (id, site) in &page {
                let site = number(tables, &mut names.sites, site, site.as_str())?;
                tables.work_by_site()?.insert(&keys::join(&[&site.to_be_bytes(), id]), ())?;
            }
            Ok(())
        })?;
        if after.is_none() {
            return Ok(());
        }
    }
}
