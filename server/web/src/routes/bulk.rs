//! Sets of filings that are decided over together: frozen, looked at, run at a pace, stopped or taken back.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::{HttpResponse, get, post, web};
use postroom_api::bulk::{BulkBody, BulkItem, BulkItemList, BulkList, BulkOutcome, BulkView, MOST, RunBody};
use postroom_api::filter;
use postroom_api::page::Page;
use postroom_api::problem::{Code, Problem};
use postroom_domain::bulk::{Bulk, BulkError, Bulks, NewBulk, Order, RowOutcome, Scope};
use postroom_domain::filing::Filing;
use postroom_domain::ids::{BulkId, FilingId};
use postroom_domain::query::{FilingQuery, Window};

use super::asked::{Asked, Named, window};
use crate::app::Shared;
use crate::auth::{Allowed, Decide};
use crate::body::{JsonOrNothing, LongJson};
use crate::fault::{Answer, Fault};

fn bulks(app: &Shared) -> Bulks<'_> {
    Bulks {
        store: app.store.as_ref(),
        clock: app.clock.as_ref(),
        entropy: app.entropy.as_ref(),
        mint: &app.reception.mint,
    }
}

impl From<BulkError> for Fault {
    fn from(error: BulkError) -> Self {
        match error {
            BulkError::TooMany => too_many("q"),
            BulkError::NotFound(id) => Self::not_found(format_args!("set {id}")),
            BulkError::NotNow(why) => {
                Self::new(Code::NotAllowedNow, crate::fault::sentence(&why.to_string()))
            }
            BulkError::ReasonMissing => Self::value("reason", "must not be blank for this"),
            BulkError::Count { will, said } => {
                let said =
                    said.map_or_else(|| "no number was sent".to_owned(), |said| format!("{said} was sent"));
                Self::new(Code::NotAllowedNow, format!("It will be done to {will} filings, and {said}."))
                    .hint("Nothing was begun. Read the set, and send its `will` as `count`.")
            }
            BulkError::Store(error) => error.into(),
        }
    }
}

fn too_many(field: &str) -> Fault {
    Fault::value(field, format!("means more than {MOST} filings, the most that a set may have"))
        .hint("Nothing was frozen. Narrow it, for example by dest:, cause: or age>, and make several sets.")
}

/// Freezes a set: the filings that match now, or those that are named, in their present versions. Nothing is changed; what comes later is
/// not touched.
#[utoipa::path(tag = "bulk", operation_id = "freeze_bulk", security(("token" = [])), request_body = BulkBody, responses(
    (status = 201, description = "Frozen, with what it can be done to and what not. POST …/run begins.", body = BulkView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/bulk")]
pub(crate) async fn freeze_bulk(
    caller: Allowed<Decide>,
    LongJson(body): LongJson<BulkBody>,
    app: web::Data<Shared>,
) -> Answer {
    let (scope, query) = meant(&caller, &body)?;
    let new = NewBulk { action: body.action.into(), scope, query };
    let bulk = bulks(&app).freeze(caller.principal(), new).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/bulk/{}", bulk.id)))
        .json(BulkView::from(&bulk)))
}

/// Which filings are meant, as far as the caller may see them.
fn meant(caller: &Allowed<Decide>, body: &BulkBody) -> Answer<(Scope, FilingQuery)> {
    let (sites, own) = (caller.scope(), caller.only_own());
    match (&body.q, body.ids.as_slice()) {
        (None, []) | (Some(_), [_, ..]) => {
            Err(Fault::new(Code::BadValue, "A set is named by exactly one of `q` and `ids`."))
        }
        (None, ids) if ids.len() > MOST => Err(too_many("ids")),
        (None, ids) => {
            let query = FilingQuery { sites, submitted_by: own, terms: Vec::new() };
            Ok((Scope::Named(ids.to_vec()), query))
        }
        (Some(q), []) => {
            let filter = filter::parse(q).map_err(|errors| filter::problem(&errors))?;
            if filter.is_empty() {
                return Err(Fault::value("q", "is empty, which would mean every filing")
                    .hint("Nothing was frozen. Name what is meant, for example state:failed."));
            }
            Ok((Scope::Matching(filter.to_string()), filter.into_query(sites, own)))
        }
    }
}

/// Sets that one may see, newest first.
#[utoipa::path(tag = "bulk", operation_id = "list_bulk", security(("token" = [])), params(BulkList), responses(
    (status = 200, description = "A page.", body = Page<BulkView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/bulk")]
pub(crate) async fn list_bulk(
    caller: Allowed<Decide>,
    Asked(asked): Asked<BulkList>,
    app: web::Data<Shared>,
) -> Answer {
    let Window { before, limit } = window(asked.limit, asked.cursor.as_deref())?;
    let (found, next) = bulks(&app).latest(caller.principal(), asked.live, before, limit).await?;
    let items: Vec<BulkView> = found.iter().map(BulkView::from).collect();
    Ok(HttpResponse::Ok().json(Page { items, next: next.map(|id| id.to_string()) }))
}

/// One set, and how far it is.
#[utoipa::path(tag = "bulk", operation_id = "show_bulk", security(("token" = [])),
    params(("id" = String, Path, description = "The set's id.")), responses(
    (status = 200, description = "The set.", body = BulkView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/bulk/{id}")]
pub(crate) async fn show_bulk(
    caller: Allowed<Decide>,
    Named(id): Named<BulkId>,
    app: web::Data<Shared>,
) -> Answer {
    let bulk = bulks(&app).find(caller.principal(), id).await?;
    Ok(HttpResponse::Ok().json(BulkView::from(&bulk)))
}

/// Filings of a set in the order in which they are taken, each with what became of it.
#[utoipa::path(tag = "bulk", operation_id = "list_bulk_items", security(("token" = [])),
    params(("id" = String, Path, description = "The set's id."), BulkItemList), responses(
    (status = 200, description = "A page.", body = Page<BulkItem>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/bulk/{id}/items")]
pub(crate) async fn list_bulk_items(
    caller: Allowed<Decide>,
    Named(id): Named<BulkId>,
    Asked(asked): Asked<BulkItemList>,
    app: web::Data<Shared>,
) -> Answer {
    let Window { before: from, limit } = window::<usize>(asked.limit, asked.cursor.as_deref())?;
    let outcome = asked.outcome.as_deref().filter(|text| !text.is_empty()).map(outcome).transpose()?;
    let bulk = bulks(&app).find(caller.principal(), id).await?;
    let (rows, next) = bulks(&app).rows(&bulk, outcome, from.unwrap_or(0), limit).await?;
    let ids: Vec<FilingId> = rows.iter().map(|row| row.id).collect();
    let filings = app.store.filings_by_id(&ids).await?;
    let mut names: HashMap<FilingId, String> = filings.iter().map(|it| (it.id, name(it))).collect();
    let items = rows.into_iter().map(|row| {
        let name = names.remove(&row.id).unwrap_or_default();
        BulkItem::of(row, name)
    });
    Ok(HttpResponse::Ok().json(Page { items: items.collect(), next: next.map(|at| at.to_string()) }))
}

fn outcome(text: &str) -> Answer<RowOutcome> {
    let known = BulkOutcome::ALL.into_iter().find(|it| it.as_str() == text);
    known.map(RowOutcome::from).ok_or_else(|| {
        let known = BulkOutcome::ALL.map(BulkOutcome::as_str).join(", ");
        Fault::value("outcome", format!("is none of {known}"))
    })
}

fn name(filing: &Filing) -> String {
    let request = &filing.request;
    if request.subject.is_empty() { request.file_name.clone() } else { request.subject.clone() }
}

/// Runs a set that was frozen, after a grace in which it can be taken back. Each filing is taken in the version that was frozen; what
/// changed meanwhile is left alone and named.
#[utoipa::path(tag = "bulk", operation_id = "run_bulk", security(("token" = [])), request_body = RunBody,
    params(("id" = String, Path, description = "The set's id.")), responses(
    (status = 200, description = "About to run: `begins` tells when.", body = BulkView),
    (status = 409, description = "It is not frozen any more, or the number is not the one of its filings.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/bulk/{id}/run")]
pub(crate) async fn run_bulk(
    caller: Allowed<Decide>,
    Named(id): Named<BulkId>,
    JsonOrNothing(body): JsonOrNothing<RunBody>,
    app: web::Data<Shared>,
) -> Answer {
    if body.reason.len() > app.limits.text {
        return Err(Fault::value("reason", format!("has more than {} bytes", app.limits.text)));
    }
    let order =
        Order { reason: body.reason, pace: body.pace.into(), count: body.count, grace: app.bulk.grace() };
    Ok(told(&app, &bulks(&app).run(caller.principal(), id, &order).await?))
}

/// Leaves what has not been done. What was done stays.
#[utoipa::path(tag = "bulk", operation_id = "stop_bulk", security(("token" = [])),
    params(("id" = String, Path, description = "The set's id.")), responses(
    (status = 200, description = "Stopped: what is `waiting` is not touched.", body = BulkView),
    (status = 409, description = "It is not running.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/bulk/{id}/stop")]
pub(crate) async fn stop_bulk(
    caller: Allowed<Decide>,
    Named(id): Named<BulkId>,
    app: web::Data<Shared>,
) -> Answer {
    Ok(told(&app, &bulks(&app).stop(caller.principal(), id).await?))
}

/// Takes all of it back, within the grace.
#[utoipa::path(tag = "bulk", operation_id = "undo_bulk", security(("token" = [])),
    params(("id" = String, Path, description = "The set's id.")), responses(
    (status = 200, description = "Taken back: nothing was touched.", body = BulkView),
    (status = 409, description = "It has begun, or was never told to run.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/bulk/{id}/undo")]
pub(crate) async fn undo_bulk(
    caller: Allowed<Decide>,
    Named(id): Named<BulkId>,
    app: web::Data<Shared>,
) -> Answer {
    Ok(told(&app, &bulks(&app).undo(caller.principal(), id).await?))
}

/// Whoever runs sets looks at it, and the caller is told how it stands.
fn told(app: &Shared, bulk: &Bulk) -> HttpResponse {
    app.bulk.wake();
    HttpResponse::Ok().json(BulkView::from(bulk))
}
