//! Totals and causes: what the first screen shows.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use jiff::Timestamp;
use postroom_api::cause::Causes;
use postroom_api::page::MAX_LIMIT;
use postroom_api::pause::{DoorKind, PauseView};
use postroom_api::problem::Problem;
use postroom_api::summary::{
    DestinationLine, FilingCounts, IntakeCounts, SourceLine, Summary, You, oldest_seconds,
};
use postroom_domain::filing::Owner;
use postroom_domain::intake::IntakeState;
use postroom_domain::query::{FilingQuery, IntakeQuery, Window};
use postroom_domain::store::Tally;

use crate::app::Shared;
use crate::auth::{Allowed, File, SeeAll};
use crate::fault::Answer;

/// What came within this is told for each source.
const AN_HOUR: Duration = Duration::from_hours(1);

/// Pages that are counted for somebody who sees only their own.
const OWN_PAGES: usize = 4;

/// Totals of the site, its doors, and who is asking. For those who see only their own: the counts of their newest 2,000, without
/// the doors.
#[utoipa::path(tag = "watching", operation_id = "summary", security(("token" = [])), responses(
    (status = 200, description = "The totals.", body = Summary),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/summary")]
pub(crate) async fn show_totals(caller: Allowed<File>, app: web::Data<Shared>) -> Answer {
    let now = app.clock.now();
    let mut summary = Summary {
        you: You::from(caller.principal().as_ref()),
        name: app.name.clone(),
        version: app.version.clone(),
        now,
        filings: FilingCounts::default(),
        intakes: IntakeCounts::default(),
        oldest_seconds: None,
        sources: Vec::new(),
        destinations: Vec::new(),
        last_event: 0,
    };
    match caller.only_own() {
        Some(name) => own(&app, &caller, name, now, &mut summary).await?,
        None => whole(&app, &caller, now, &mut summary).await?,
    }
    Ok(HttpResponse::Ok().json(summary))
}

async fn whole(app: &Shared, caller: &Allowed<File>, now: Timestamp, summary: &mut Summary) -> Answer<()> {
    let found = app.store.summary(&caller.scope()).await?;
    let pauses: BTreeMap<String, PauseView> = app
        .store
        .pauses()
        .await?
        .iter()
        .filter(|pause| pause.until.is_none_or(|until| until > now))
        .map(|pause| (pause.door.clone(), PauseView::from(pause)))
        .collect();
    summary.filings = FilingCounts::from(&found.filings);
    summary.intakes = IntakeCounts::from_numbers(&found.intakes);
    summary.oldest_seconds = oldest_seconds(&found.filings, now);
    summary.last_event = found.last_event;

    // What is configured, and what still has filings although it is not any more.
    let mut sources: BTreeMap<_, (&str, Tally)> = app
        .sources
        .iter()
        .map(|source| (source.name.clone(), (source.kind.as_str(), Tally::default())))
        .collect();
    for (name, tally) in found.sources {
        sources.entry(name).or_insert(("", Tally::default())).1 = tally;
    }
    let said = app.control.sources();
    let lately: BTreeMap<_, u64> =
        app.store.arrivals_since(&caller.scope(), now - AN_HOUR).await?.into_iter().collect();
    let has_room = app.spool.door(0).is_ok();
    summary.sources = sources
        .into_iter()
        .map(|(name, (kind, tally))| {
            let pause = pauses.get(&DoorKind::Source.door(name.as_str())).cloned();
            let status = said.iter().find(|status| status.name == name);
            let line = SourceLine {
                last_hour: Some(lately.get(&name).copied().unwrap_or_default()),
                ..SourceLine::of(name, kind, &tally, status, pause, now)
            };
            if has_room { line } else { line.without_room() }
        })
        .collect();

    let running = app.control.destinations();
    let mut destinations: BTreeMap<_, Tally> =
        running.iter().map(|status| (status.name.clone(), Tally::default())).collect();
    destinations.extend(found.destinations);
    summary.destinations = destinations
        .into_iter()
        .map(|(name, tally)| {
            let pause = pauses.get(&DoorKind::Destination.door(name.as_str())).cloned();
            let status = running.iter().find(|status| status.name == name);
            let kind = app.destination_kinds.get(&name).map_or("", String::as_str);
            DestinationLine::of(name, kind, &tally, status, pause, now)
        })
        .collect();
    Ok(())
}

async fn own(
    app: &Shared,
    caller: &Allowed<File>,
    name: String,
    now: Timestamp,
    summary: &mut Summary,
) -> Answer<()> {
    let site = caller.scope();
    let filings = FilingQuery { sites: site.clone(), submitted_by: Some(name.clone()), terms: Vec::new() };
    let mut tally = Tally::default();
    let mut window = Window { before: None, limit: MAX_LIMIT };
    for _ in 0..OWN_PAGES {
        let page = app.store.list_filings(&filings, window, now).await?;
        for filing in page.items {
            let state = filing.progress.state;
            tally.by_state[state as usize] += 1;
            if matches!(state.owner(), Owner::Scheduler | Owner::Worker) {
                let oldest = tally.oldest_open.get_or_insert(filing.received);
                *oldest = (*oldest).min(filing.received);
            }
        }
        window.before = page.next;
        if window.before.is_none() {
            break;
        }
    }
    let intakes = IntakeQuery { sites: site, submitted_by: Some(name), ..IntakeQuery::default() };
    let mut counts = [0_u64; IntakeState::ALL.len()];
    let mut window = Window { before: None, limit: MAX_LIMIT };
    for _ in 0..OWN_PAGES {
        let page = app.store.list_intakes(&intakes, window).await?;
        for intake in page.items {
            counts[intake.state as usize] += 1;
        }
        window.before = page.next;
        if window.before.is_none() {
            break;
        }
    }
    summary.filings = FilingCounts::from(&tally);
    summary.intakes = IntakeCounts::from_numbers(&counts);
    summary.oldest_seconds = oldest_seconds(&tally, now);
    summary.last_event = app.store.wait_beyond(0, std::time::Duration::ZERO).await;
    Ok(())
}

/// Open filings by cause and destination, most first.
#[utoipa::path(tag = "watching", operation_id = "causes", security(("token" = [])), responses(
    (status = 200, description = "The groups.", body = Causes),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/causes")]
pub(crate) async fn cause_groups(caller: Allowed<SeeAll>, app: web::Data<Shared>) -> Answer {
    let groups = app.store.causes(&caller.scope()).await?;
    Ok(HttpResponse::Ok().json(Causes::from(groups.as_slice())))
}
