//! The matters that Postroom knows.

use actix_web::http::header;
use actix_web::{HttpResponse, get, post, put, web};
use postroom_api::decision::etag;
use postroom_api::page::{Page, WorkItemList};
use postroom_api::problem::{Code, Problem};
use postroom_api::work_item::{WorkItemBody, WorkItemView};
use postroom_domain::ids::WorkItemId;
use postroom_domain::store::StoreError;
use postroom_domain::work_item::{self, WorkItem};

use super::asked::{Asked, Named, Seen, window};
use crate::app::Shared;
use crate::auth::{Allowed, EditWorkItems, File};
use crate::body::Json;
use crate::fault::{Answer, Fault};

/// The longest id of a DMS, in bytes.
const LONGEST: usize = 512;

fn check(item: &WorkItem) -> Answer<()> {
    work_item::check(item).map_err(|(field, why)| Fault::value(&field, why))?;
    if let Some(origin) = &item.origin {
        for (field, text) in [("origin.container", &origin.container), ("origin.library", &origin.library)] {
            if text.len() > LONGEST || text.chars().any(char::is_control) {
                return Err(Fault::value(field, "is not an id of a DMS"));
            }
        }
        if origin.container.trim().is_empty() {
            return Err(Fault::value("origin.container", "must not be blank"));
        }
    }
    Ok(())
}

pub(super) async fn seen<P>(app: &Shared, caller: &Allowed<P>, id: WorkItemId) -> Answer<WorkItem> {
    let item = app.store.work_item(id).await?.filter(|item| caller.principal().sites.has(&item.site));
    item.ok_or_else(|| Fault::not_found(format_args!("work item {id}")))
}

/// Work items, newest first.
#[utoipa::path(tag = "work items", operation_id = "list_work_items", security(("token" = [])), params(WorkItemList), responses(
    (status = 200, description = "A page.", body = Page<WorkItemView>),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/work-items")]
pub(crate) async fn list_work_items(
    caller: Allowed<File>,
    Asked(asked): Asked<WorkItemList>,
    app: web::Data<Shared>,
) -> Answer {
    let window = window(asked.limit, asked.cursor.as_deref())?;
    let slice = app.store.list_work_items(&caller.scope(), asked.search.trim(), window).await?;
    Ok(HttpResponse::Ok().json(Page::of(slice, |item| WorkItemView::from(&item))))
}

/// One work item.
#[utoipa::path(tag = "work items", operation_id = "show_work_item", security(("token" = [])),
    params(("id" = String, Path, description = "The work item's id.")), responses(
    (status = 200, description = "The work item; ETag is its version.", body = WorkItemView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/work-items/{id}")]
pub(crate) async fn show_work_item(
    caller: Allowed<File>,
    Named(id): Named<WorkItemId>,
    app: web::Data<Shared>,
) -> Answer {
    let item = seen(&app, &caller, id).await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag(item.version))).json(view(&app, &item).await?))
}

/// A new work item.
#[utoipa::path(tag = "work items", operation_id = "create_work_item", security(("token" = [])), request_body = WorkItemBody, responses(
    (status = 201, description = "The work item.", body = WorkItemView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/work-items")]
pub(crate) async fn create_work_item(
    caller: Allowed<EditWorkItems>,
    Json(body): Json<WorkItemBody>,
    app: web::Data<Shared>,
) -> Answer {
    let now = app.clock.now();
    let id = WorkItemId::from_u128(app.reception.mint.next(app.clock.as_ref(), app.entropy.as_ref()));
    let item = body.work_item(id, caller.principal().sites.home.clone(), 1, now);
    check(&item)?;
    app.mailroom.save_work_item(item.clone(), &caller.actor(), now).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/work-items/{id}")))
        .insert_header((header::ETAG, etag(item.version)))
        .json(view(&app, &item).await?))
}

/// The work item as it is to be, in full.
#[utoipa::path(tag = "work items", operation_id = "change_work_item", security(("token" = [])), request_body = WorkItemBody,
    params(("id" = String, Path, description = "The work item's id."),
        ("If-Match" = String, Header, description = "The version looked at, in quotes; * for any.")), responses(
    (status = 200, description = "The work item as it is now.", body = WorkItemView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[put("/api/v1/work-items/{id}")]
pub(crate) async fn change_work_item(
    caller: Allowed<EditWorkItems>,
    Named(id): Named<WorkItemId>,
    Seen(version): Seen,
    Json(body): Json<WorkItemBody>,
    app: web::Data<Shared>,
) -> Answer {
    let before = seen(&app, &caller, id).await?;
    let version = version.unwrap_or(before.version);
    if version != before.version {
        return Err(StoreError::Conflict { found: before.version }.into());
    }
    let next = version
        .checked_add(1)
        .ok_or_else(|| Fault::new(Code::Changed, "There is no version after this one."))?;
    let now = app.clock.now();
    let item = body.work_item(id, before.site, next, now);
    check(&item)?;
    app.mailroom.save_work_item(item.clone(), &caller.actor(), now).await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag(item.version))).json(view(&app, &item).await?))
}

/// A work item with its luggage tag.
async fn view(app: &Shared, item: &WorkItem) -> Result<WorkItemView, Fault> {
    let luggage_tag = app.mailroom.tag(item.id).await?;
    Ok(WorkItemView { luggage_tag, ..WorkItemView::from(item) })
}
