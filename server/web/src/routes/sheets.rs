//! Pages as pictures, for a person who has to decide over them, and cover sheets to print.

use actix_web::http::header;
use actix_web::{HttpResponse, get, post, web};
use postroom_api::problem::{Code, Problem};
use postroom_api::sheets::SheetsBody;
use postroom_domain::ids::{IntakeId, WorkItemId};
use postroom_domain::sheets::{NoPicture, NoSheet, Sheet};
use postroom_domain::work_item::WorkItem;
use serde::Deserialize;

use super::asked::{Asked, Named};
use super::{intakes, resolve, work_items};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::body::Json;
use crate::fault::{Answer, Fault};

/// Sheets that are printed at once.
const MOST: usize = 200;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichPage {
    /// Which page, from 1; the first when not said.
    page: Option<usize>,
    /// Which document, from 1; the first when not said.
    document: Option<usize>,
}

/// A page of a scanned document as a picture.
#[utoipa::path(tag = "intakes", operation_id = "show_page", security(("token" = [])),
    params(("id" = String, Path, description = "The intake's id."), WhichPage), responses(
    (status = 200, description = "The page in shades of gray.", body = Vec<u8>, content_type = "image/png"),
    (status = 422, description = "It cannot be drawn.", body = Problem, content_type = "application/problem+json"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/intakes/{id}/page.png")]
pub(crate) async fn show_page(
    caller: Allowed<File>,
    Named(id): Named<IntakeId>,
    Asked(which): Asked<WhichPage>,
    app: web::Data<Shared>,
) -> Answer {
    let intake = intakes::seen(&app, &caller, id).await?;
    let number = which.document.unwrap_or(1);
    let document = number.checked_sub(1).and_then(|at| intake.documents.get(at)).ok_or_else(|| {
        Fault::not_found(format_args!("document {number}: the intake has {}", intake.documents.len()))
    })?;
    let page = which.page.unwrap_or(1);
    let png = app.sheets.picture(document.blob, page).await.map_err(|why| match why {
        NoPicture::NoSuchPage(_) => Fault::not_found(format_args!("page {page} of this document")),
        NoPicture::Undrawable(_) => Fault::new(Code::NotDrawable, format!("{why}.")),
        NoPicture::Later(_) => Fault::new(Code::Busy, format!("{why}.")).after(5),
    })?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "image/png"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .body(png))
}

/// The cover sheet of a work item, to print.
#[utoipa::path(tag = "work items", operation_id = "cover_sheet", security(("token" = [])),
    params(("id" = String, Path, description = "The work item's id.")), responses(
    (status = 200, description = "A page of A4.", body = Vec<u8>, content_type = "application/pdf"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/work-items/{id}/cover-sheet")]
pub(crate) async fn cover_sheet(
    caller: Allowed<File>,
    Named(id): Named<WorkItemId>,
    app: web::Data<Shared>,
) -> Answer {
    let item = work_items::seen(&app, &caller, id).await?;
    printed(&app, &[sheet(&item)])
}

/// Cover sheets of several work items, and separators, to print.
#[utoipa::path(tag = "work items", operation_id = "cover_sheets", security(("token" = [])), request_body = SheetsBody, responses(
    (status = 200, description = "Pages of A4.", body = Vec<u8>, content_type = "application/pdf"),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[post("/api/v1/cover-sheets")]
pub(crate) async fn cover_sheets(
    caller: Allowed<File>,
    Json(body): Json<SheetsBody>,
    app: web::Data<Shared>,
) -> Answer {
    if body.work_items.len().saturating_add(body.separators) > MOST {
        return Err(Fault::value("work_items", format!("and separators: at most {MOST} sheets at once")));
    }
    let mut sheets = Vec::new();
    for given in &body.work_items {
        sheets.push(sheet(&resolve::found(&app, &caller, given).await?));
    }
    sheets.extend(std::iter::repeat_n(Sheet::Separator, body.separators));
    if sheets.is_empty() {
        return Err(Fault::value("work_items", "names none, and no separators are wanted"));
    }
    printed(&app, &sheets)
}

fn sheet(item: &WorkItem) -> Sheet {
    let client = [item.client.name.as_str(), item.client.reference.as_str()];
    let client: Vec<&str> = client.into_iter().filter(|text| !text.is_empty()).collect();
    Sheet::Cover {
        site: item.site.to_string(),
        reference: item.reference.clone(),
        client: client.join(" · "),
        title: item.title.clone(),
    }
}

fn printed(app: &Shared, sheets: &[Sheet]) -> Answer {
    let pdf = app.sheets.print(sheets).map_err(|NoSheet { reference, why }| {
        Fault::value("work_items", format!("there is no cover sheet for {reference}: {why}"))
    })?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/pdf"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"cover-sheets.pdf\""))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(pdf))
}
