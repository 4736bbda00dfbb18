//! Filings: lists by the filter language, and one with its attempts and history.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use postroom_api::decision::etag;
use postroom_api::filing::{FilingDetail, FilingItem};
use postroom_api::filter;
use postroom_api::page::{FilingList, Page};
use postroom_api::problem::Problem;
use postroom_domain::event::{Event, Subject};
use postroom_domain::filing::Filing;
use postroom_domain::ids::FilingId;
use postroom_domain::person::Permission;
use postroom_domain::remark::About;

use super::asked::{Asked, Named, window};
use super::intakes::EVENTS;
use super::remarks;
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::fault::{Answer, Fault};

/// The events that the caller may read: what the audit keeps about accounts is for those who read the audit.
pub(super) fn told<P>(caller: &Allowed<P>, mut events: Vec<Event>) -> Vec<Event> {
    let audit = caller.may(Permission::ReadAudit);
    events.retain(|event| audit || !event.event.happening.is_security());
    events
}

/// A filing that the caller may see.
pub(super) async fn seen<P>(app: &Shared, caller: &Allowed<P>, id: FilingId) -> Answer<Filing> {
    let filing = app.store.filing(id).await?.filter(|filing| {
        caller.principal().sites.has(&filing.site)
            && caller.only_own().is_none_or(|name| name == filing.request.submitted_by)
    });
    filing.ok_or_else(|| Fault::not_found(format_args!("filing {id}")))
}

/// The filings that the filter asks for, newest first.
#[utoipa::path(tag = "filings", operation_id = "list_filings", security(("token" = [])), params(FilingList), responses(
    (status = 200, description = "A page.", body = Page<FilingItem>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/filings")]
pub(crate) async fn list_filings(
    caller: Allowed<File>,
    Asked(asked): Asked<FilingList>,
    app: web::Data<Shared>,
) -> Answer {
    let filter = filter::parse(&asked.q).map_err(|errors| filter::problem(&errors))?;
    let own = asked.own.then(|| caller.principal().name.clone());
    let query = filter.into_query(caller.scope(), own.or_else(|| caller.only_own()));
    let window = window(asked.limit, asked.cursor.as_deref())?;
    let slice = app.store.list_filings(&query, window, app.clock.now()).await?;
    let next = slice.next.map(|id| id.to_string());
    let items = remarks::items(&app, &slice.items).await?;
    Ok(HttpResponse::Ok().json(Page { items, next }))
}

/// One filing with its attempts and history.
#[utoipa::path(tag = "filings", operation_id = "show_filing", security(("token" = [])),
    params(("id" = String, Path, description = "The filing's id.")), responses(
    (status = 200, description = "The filing; ETag is its version.", body = FilingDetail),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/filings/{id}")]
pub(crate) async fn show_filing(
    caller: Allowed<File>,
    Named(id): Named<FilingId>,
    app: web::Data<Shared>,
) -> Answer {
    let filing = seen(&app, &caller, id).await?;
    let attempts = app.store.attempts(id).await?;
    let events = app.store.events_about(&Subject::Filing(id), EVENTS).await?;
    let events = told(&caller, events);
    let remarks = remarks::of(&app, About::Filing(id)).await?;
    let mut detail = FilingDetail::of(&filing, &attempts, &events);
    detail.item.taken_by.clone_from(&remarks.taken_by);
    detail.remarks = remarks;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag(filing.progress.version))).json(detail))
}
