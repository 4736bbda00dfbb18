//! How long what is open has been waiting.

use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use postroom_api::ages::{Ages, BOUNDS};
use postroom_api::problem::Problem;
use postroom_domain::person::Scope;
use postroom_domain::store::AgeLine;

use crate::app::Shared;
use crate::auth::{Allowed, SeeAll};
use crate::fault::Answer;

/// A count that took longer than this is kept for a moment.
const COSTLY: Duration = Duration::from_millis(5);
/// For so long it is given out again.
const KEPT: Duration = Duration::from_secs(1);

/// Counts of a moment ago, by whose records they are of. Each console asks every few seconds; while one count is under way, the others
/// wait for it.
#[derive(Debug, Default)]
pub(crate) struct Counted(tokio::sync::Mutex<Vec<(Scope, Duration, Vec<AgeLine>)>>);

async fn count(app: &Shared, sites: &Scope) -> Answer<Vec<AgeLine>> {
    let mut kept = app.ages.0.lock().await;
    let began = app.clock.monotonic();
    kept.retain(|(_, counted, _)| began.saturating_sub(*counted) < KEPT);
    if let Some((.., lines)) = kept.iter().find(|(of, ..)| of == sites) {
        return Ok(lines.clone());
    }
    let lines = app.store.ages(sites, &BOUNDS.map(Duration::from_secs), app.clock.now()).await?;
    let ended = app.clock.monotonic();
    if ended.saturating_sub(began) > COSTLY {
        kept.push((sites.clone(), ended, lines.clone()));
    }
    Ok(lines)
}

/// Open filings by destination and age: which one backs up, and since when. May be a second old.
#[utoipa::path(tag = "watching", operation_id = "ages", security(("token" = [])), responses(
    (status = 200, description = "The destinations that have open filings.", body = Ages),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/ages")]
pub(crate) async fn ages(caller: Allowed<SeeAll>, app: web::Data<Shared>) -> Answer {
    Ok(HttpResponse::Ok().json(Ages::from(count(&app, &caller.scope()).await?)))
}
